"""The live desk: asks a teacher so that nothing is lost, repeated or wasted.  What it got before is never asked again.

A request whose response is stored, good or bad, is not sent again.  No response (429, 5xx, a lost or hanging connection):
the same request again.  A response that cannot be used: another request, which says why, within a budget of answers.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict

from data_gen.asking.breaker import Breaker
from data_gen.asking.client import Client, Missed
from data_gen.asking.completion import Unreadable, read_completion
from data_gen.asking.keeper import Keeper
from data_gen.asking.limits import Backoff, Clock, Door
from data_gen.asking.pulse import Pulse
from data_gen.asking.requests import make_request
from data_gen.asking.values import Request, Stored, Usage
from data_gen.documents import Document
from data_gen.errors import BudgetReached, DataGenError, TeacherFailure
from data_gen.prompting import prompt_hash
from data_gen.replies import MalformedReply, parse_answer
from data_gen.tasks import Task
from data_gen.teacher_settings import OpenAISettings
from data_gen.teachers import Reply
from taxlaw.strict_config import StrictModel

# A 429 says that the endpoint is well: it uses up a tenth of a retry.
_THROTTLES_PER_RETRY = 10


class LiveDesk:
    """One per run and teacher; see teachers.Desk.  ``close`` it: calls in flight are then finished and stored first."""

    def __init__(
        self,
        settings: OpenAISettings,
        name: str,
        keeper: Keeper,
        clock: Clock | None = None,
        backoff: Backoff | None = None,
        client: Client | None = None,
    ) -> None:
        """Raises DataGenError when there is no key for the endpoint.  Clock and client may be replaced, for tests."""
        self.name, self.places = name, settings.concurrency
        self._settings, self._keeper = settings, keeper
        self._clock = clock or Clock()
        self._client = client or Client(settings)
        self._door = Door(settings.concurrency, settings.rpm, settings.tpm, self._clock, backoff)
        self._breaker = Breaker(max(12, 2 * settings.concurrency))
        self._under_way: dict[str, asyncio.Task[tuple[Stored, bool]]] = {}
        self._sent = self._answered = self._retries = self._throttled = self._reused = 0
        self._usage = Usage()

    @property
    def pulse(self) -> Pulse:
        return Pulse(
            in_flight=self._door.held,
            limit=self._door.limit,
            most=self._door.most,
            paused_s=self._door.paused_s,
            sent=self._sent,
            answered=self._answered,
            retries=self._retries,
            throttled=self._throttled,
            reused=self._reused,
            usage=self._usage,
        )

    @property
    def history(self) -> list[dict]:
        """How the number of places changed: {seconds, limit, why}, for the run record; the last 500 turns."""
        return [asdict(change) for change in self._door.history]

    async def ask(self, document: Document, task: Task) -> Reply:
        trouble, room, sent = "", self._settings.max_output_tokens, False
        got: list[Stored] = []
        for attempt in range(self._settings.answers):
            request = make_request(self._settings, self.name, task, document, trouble, attempt, room)
            stored, fresh = await self._answer(request, task.answer)
            got.append(stored)
            sent |= fresh
            answer, reason = _usable(stored, task.answer)
            if answer is not None:
                return self._reply(answer, task, got, sent)
            if stored.status == "length" and room < self._settings.most_output_tokens:
                room = min(2 * room, self._settings.most_output_tokens)
            else:
                trouble = reason
        raise TeacherFailure(f"{reason} (답변 {len(got)}개를 받은 뒤)")

    def stop(self) -> None:
        """Send nothing more: calls in flight are finished and stored, everything else ends with DataGenError."""
        self._door.close(DataGenError("중단했습니다 (stopped). 받은 답변은 저장되어 있습니다."))

    async def close(self) -> None:
        self.stop()
        if self._under_way:
            await asyncio.wait(tuple(self._under_way.values()))
        await self._client.close()

    def _reply(self, answer: StrictModel, task: Task, got: list[Stored], sent: bool) -> Reply:
        last = got[-1]
        prices = [stored.usd for stored in got]
        return Reply(
            answer=answer,
            text=last.text,
            model=last.model,
            prompt_hash=prompt_hash(task.name),
            request=last.key,
            usage=sum((stored.usage for stored in got), Usage()),
            usd=None if None in prices else sum(prices),
            seconds=sum(stored.seconds for stored in got),
            stored=not sent,
        )

    async def _answer(self, request: Request, answer: type[StrictModel]) -> tuple[Stored, bool]:
        """What is or will be stored for the request, and whether this call sent it.

        The call is a task of its own: whoever waits for it may be interrupted, a response under way is stored even so.
        """
        if running := self._under_way.get(request.key):
            stored, _ = await asyncio.shield(running)
            return stored, False
        call = asyncio.ensure_future(self._call(request, answer))
        self._under_way[request.key] = call
        call.add_done_callback(lambda done: self._ended(request.key, done))
        return await asyncio.shield(call)

    def _ended(self, key: str, call: asyncio.Task[tuple[Stored, bool]]) -> None:
        del self._under_way[key]
        if call.cancelled():
            return
        reason = call.exception()
        # Money that is spent is no reason to stop: what is stored can still be used.
        if reason is not None and not isinstance(reason, TeacherFailure | BudgetReached):
            self._door.close(reason)

    async def _call(self, request: Request, answer: type[StrictModel]) -> tuple[Stored, bool]:
        if stored := await self._keeper.find(request):
            self._reused += 1
            return stored, False
        failures = throttles = 0
        while True:
            outcome = await self._send(request, answer)
            if isinstance(outcome, Stored):
                return outcome, True
            if self._breaker.opened:
                raise self._breaker.opened
            if not outcome.again:
                raise TeacherFailure(outcome.reason)
            if outcome.throttled:
                throttles += 1
            else:
                failures += 1
            if failures > self._settings.retries or throttles > _THROTTLES_PER_RETRY * (self._settings.retries + 1):
                raise TeacherFailure(f"{outcome.reason} ({failures + throttles - 1}번 다시 시도한 뒤)")
            self._retries += 1
            # Retry-After keeps everybody at the door; otherwise each waits for itself, holding no place and no money.
            if outcome.wait is None:
                await self._door.nap(self._door.backoff(failures + throttles))

    async def _send(self, request: Request, answer: type[StrictModel]) -> Stored | Missed:
        """Send once: the response as stored, or why there is none.  The reservation is over either way."""
        await self._keeper.reserve(request)
        usage = None
        try:
            place = await self._door.enter(request)
            began = self._clock.now()
            try:
                self._sent += 1
                outcome: Stored | Missed = await self._exchange(request, answer, began)
                if isinstance(outcome, Stored):
                    usage = outcome.usage
                    self._breaker.succeeded()
                    self._door.succeeded()
                elif outcome.throttled:
                    self._throttled += 1
                    self._door.throttled(place, outcome.wait)
                    self._breaker.throttled(outcome.reason)
                else:
                    if outcome.wait is not None:
                        self._door.pause(outcome.wait)
                    self._breaker.failed(outcome.reason)
                if self._breaker.opened:
                    self._door.close(self._breaker.opened)
            finally:
                self._door.leave(place, usage)
        except DataGenError as exc:
            self._door.close(exc)  # before anybody else is let in
            await self._keeper.drop(request, str(exc).split("\n", 1)[0])
            raise
        if isinstance(outcome, Missed):
            await self._keeper.drop(request, outcome.reason)
            return outcome
        self._answered += 1
        self._usage += outcome.usage
        return await self._keeper.keep(request, outcome)

    async def _exchange(self, request: Request, answer: type[StrictModel], began: float) -> Stored | Missed:
        outcome = await self._client.send(request)
        if isinstance(outcome, Missed):
            return outcome
        self._door.heed(outcome.headers)
        try:
            return read_completion(request, outcome.payload, answer, self._clock.now() - began)
        except Unreadable as exc:
            return Missed(str(exc))


def _usable(stored: Stored, answer: type[StrictModel]) -> tuple[StrictModel | None, str]:
    """The answer, or why there is none.  Its form is judged anew: the model may have changed since it was stored."""
    if stored.status not in ("ok", "malformed") or stored.finish_reason not in ("", "stop"):
        return None, stored.reason
    try:
        return parse_answer(stored.text, answer), ""
    except MalformedReply as exc:
        return None, stored.reason or str(exc)
