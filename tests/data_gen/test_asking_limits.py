"""The door before an endpoint, on a clock of its own: hours of waiting take milliseconds and come out the same every time."""

import asyncio
import email.utils
import random
import selectors

import pytest

from data_gen.asking.client import Answered, Missed
from data_gen.asking.desk import LiveDesk
from data_gen.asking.limits import Backoff, Clock, Door
from data_gen.asking.values import Request, Usage
from data_gen.asking.waits import reset_seconds, retry_after_seconds
from data_gen.errors import DataGenError, TeacherFailure
from data_gen.tasks import Task
from data_gen.teacher_settings import OpenAISettings
from taxlaw.strict_config import StrictModel


class Line(StrictModel):
    text: str


LINE = Task("pairs", frozenset({"openapi"}), (), Line, lambda _: [])
REQUEST = Request("k", {"model": "m", "messages": [{"content": "가" * 100}], "max_tokens": 500}, "t", "pairs", "d")
COMPLETION = b'{"choices": [{"message": {"content": "{\\"text\\": \\"x\\"}"}}], "usage": {"prompt_tokens": 60, "completion_tokens": 40}}'


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop whose time jumps to the next timer whenever there is nothing to do."""

    def __init__(self) -> None:
        self.at = 0.0
        loop = self

        class Jump(selectors.SelectSelector):
            def select(self, timeout=None):
                ready = super().select(0)
                if not ready:
                    assert timeout is not None, "everybody waits and nobody will come"
                    loop.at += timeout
                return ready

        super().__init__(Jump())

    def time(self) -> float:
        return self.at


def run(main):
    """Run ``main(clock)`` in virtual time; returns (its result, seconds that passed)."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        loop = runner.get_loop()
        chance = random.Random(3)
        return runner.run(main(Clock(loop.time, asyncio.sleep, chance.random))), loop.time()


async def through(door, clock, seconds=1.0, number=1, usage=None, outcome="ok"):
    """``number`` calls through the door, all wanting in at once; returns the times at which they were let in."""
    times = []

    async def one():
        place = await door.enter(REQUEST)
        times.append(round(clock.now(), 3))
        await clock.sleep(seconds)
        if outcome == "ok":
            door.succeeded()
        door.leave(place, usage)

    await asyncio.gather(*(one() for _ in range(number)))
    return times


def test_places_double_each_round_until_all_are_open():
    async def main(clock):
        door = Door(64, clock=clock)
        await through(door, clock, number=64 * 3)
        return door

    door, seconds = run(main)
    assert door.limit == 64 and [change.limit for change in door.history] == [16, 64]
    assert seconds == pytest.approx(5)  # 16 + 32 + 64 + 64 + the rest


def test_places_that_nobody_waits_for_are_not_opened():
    async def main(clock):
        door = Door(64, clock=clock)
        for _ in range(100):
            await through(door, clock, number=3)
        return door.limit

    assert run(main)[0] == 16


def test_a_burst_of_429_shrinks_once_by_its_size_and_a_later_one_again():
    async def refused(door, clock, number):
        places = [await door.enter(REQUEST) for _ in range(number)]
        await clock.sleep(1)
        for place in places:
            door.throttled(place, None)
            door.leave(place)
        return door.limit

    async def main(clock):
        one, many = Door(100, clock=clock), Door(100, clock=clock)
        for door in (one, many):
            await through(door, clock, number=400)
            assert door.limit == 100
        assert await refused(one, clock, 1) == 99
        first = await refused(many, clock, 90)
        second = await refused(many, clock, 40)
        return first, second, [change.why for change in many.history], [change.limit for change in many.history]

    first, second, whys, limits = run(main)[0]
    # Ninety refusals of one burst are one step, not ninety; the next burst is another.
    assert 65 < first < 75 and 0.5 * first <= second < 0.75 * first
    assert whys == ["시작", "가장 많게", "429", "429"] and limits == [16, 100, first, second]


def test_retry_after_keeps_everybody_out_and_nobody_holds_a_place_meanwhile():
    async def main(clock):
        door = Door(8, clock=clock)
        place = await door.enter(REQUEST)
        door.throttled(place, 30.0)
        door.leave(place)
        waiting = asyncio.ensure_future(through(door, clock, number=5))
        await clock.sleep(29)
        assert door.held == 0 and door.paused_s == pytest.approx(1)
        return await waiting

    times, _ = run(main)
    assert times == [30.0] * 5


def test_requests_a_minute_start_full_and_then_flow():
    async def main(clock):
        door = Door(64, rpm=120, clock=clock)
        return await through(door, clock, seconds=0.0, number=240)

    times, _ = run(main)
    assert times.count(0.0) == 120 and times[-1] == pytest.approx(60, abs=0.1)


def test_tokens_a_minute_follow_what_was_used_not_what_was_feared():
    async def main(clock):
        door = Door(64, tpm=60_000, clock=clock)
        await through(door, clock, number=64, usage=Usage(input=60, output=40))
        began = clock.now()
        await through(door, clock, number=1_200, usage=Usage(input=60, output=40))
        return clock.now() - began

    # 120,000 tokens, a full minute of them at hand: one minute, not the many that max_tokens would suggest.
    assert run(main)[0] == pytest.approx(60, abs=15)


def test_an_endpoint_that_says_its_minute_is_used_up_is_left_alone_until_the_next():
    async def main(clock):
        door = Door(8, clock=clock)
        door.heed({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "12s"})
        return await through(door, clock)

    assert run(main)[0] == [12.0]


def test_a_closed_door_wakes_all_who_wait():
    async def main(clock):
        door = Door(1, clock=clock)
        door.pause(1000)
        waiting = [asyncio.ensure_future(door.enter(REQUEST)) for _ in range(3)]
        napping = asyncio.ensure_future(door.nap(500))
        await clock.sleep(5)
        door.close(DataGenError("멈춤"))
        found = await asyncio.gather(*waiting, napping, return_exceptions=True)
        assert [str(one) for one in found[:3]] == ["멈춤"] * 3
        return clock.now()

    assert run(main)[0] == 5


def test_backoff_is_full_jitter_within_its_bounds():
    chances = iter([0.0, 1.0, 0.5, 1.0])
    door = Door(1, clock=Clock(chance=lambda: next(chances)), backoff=Backoff(0.5, 30))
    assert [door.backoff(number) for number in (1, 2, 3, 99)] == [0.0, 1.0, 1.0, 30.0]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after": email.utils.formatdate(1_000_090, usegmt=True)}, 90.0),
        ({"retry-after": email.utils.formatdate(999_000, usegmt=True)}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "-3"}, 0.0),
        ({}, None),
    ],
)
def test_retry_after_in_its_spellings(headers, seconds):
    assert retry_after_seconds(headers, now=1_000_000) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1s", 1.0), ("6m0s", 360.0), ("20ms", 0.02), ("1h2m3.5s", 3723.5), ("4", 4.0), ("x", None), ("", None)],
)
def test_reset_in_its_spellings(text, seconds):
    assert reset_seconds(text) == seconds


# The whole desk before simulated endpoints


class Nowhere:
    """A keeper that keeps in memory."""

    def __init__(self) -> None:
        self.kept, self.dropped, self.reserved = {}, [], 0

    async def find(self, request):
        return self.kept.get(request.key)

    async def reserve(self, request):
        self.reserved += 1

    async def keep(self, request, stored):
        assert request.key not in self.kept
        self.kept[request.key] = stored
        self.reserved -= 1
        return stored

    async def drop(self, request, reason):
        self.reserved -= 1
        self.dropped.append(reason)


class Simulated:
    """A client before an endpoint that takes so many a minute, or so many at once, and answers 429 beyond.

    ``first``: what it gives for the first requests instead.
    """

    def __init__(self, clock, latency=1.0, rpm=None, capacity=None, retry_after=None, first=()) -> None:
        self.first, self.times = list(first), []
        self.clock, self.latency, self.rpm, self.capacity, self.retry_after = clock, latency, rpm, capacity, retry_after
        self.level, self.at, self.held, self.refused, self.answered = float(rpm or 0), 0.0, 0, 0, 0

    async def send(self, request):
        now = self.clock.now()
        self.times.append(now)
        if self.first:
            return self.first.pop(0)
        if self.rpm:
            self.level, self.at = min(self.rpm, self.level + (now - self.at) * self.rpm / 60), now
        if (self.rpm and self.level < 1) or (self.capacity and self.held >= self.capacity):
            self.refused += 1
            await self.clock.sleep(0.05)
            return Missed("HTTP 429", throttled=True, wait=self.retry_after)
        self.level -= 1
        self.held += 1
        await self.clock.sleep(self.latency)
        self.held -= 1
        self.answered += 1
        return Answered(COMPLETION, {})

    async def close(self):
        pass


def simulate(documents, number, settings=None, **endpoint):
    async def main(clock):
        keeper, client = Nowhere(), Simulated(clock, **endpoint)
        values = {"kind": "openai", "model": "m", "concurrency": 64} | (settings or {})
        desk = LiveDesk(OpenAISettings(**values), "t", keeper, clock, client=client)
        asked = (desk.ask(documents(one, text=f"{one}번 조문"), LINE) for one in range(number))
        found = await asyncio.gather(*asked, return_exceptions=True)
        await desk.close()
        assert keeper.reserved == 0
        return found, client, desk

    (found, client, desk), seconds = run(main)
    failures = [one for one in found if isinstance(one, TeacherFailure | DataGenError)]
    return failures, client, desk, seconds


def test_a_settled_endpoint_is_used_to_the_full(document):
    failures, client, desk, seconds = simulate(document, 3_200)
    assert not failures and client.answered == 3_200
    assert seconds == pytest.approx(3_200 / 64, rel=0.1)
    assert desk.pulse.limit == 64


def test_a_small_endpoint_is_found_out_and_no_document_is_lost(document):
    failures, client, desk, seconds = simulate(document, 2_000, capacity=10)
    assert not failures and client.answered == 2_000
    # What it can do is got from it, and few requests are refused.
    assert seconds < 2_000 / 10 * 1.1
    assert client.refused < 400 and desk.pulse.limit < 16


def test_an_account_of_few_requests_a_minute_loses_no_document_even_without_retry_after(document):
    failures, client, _, seconds = simulate(document, 200, rpm=20)
    assert not failures and client.answered == 200
    assert seconds < (200 - 20) / 20 * 60 * 1.1
    assert client.refused < 800  # it is left alone for a while, not hammered one call after another


def test_with_the_account_s_limit_given_there_is_hardly_a_429(document):
    failures, client, _, seconds = simulate(document, 600, settings={"rpm": 120}, rpm=120)
    assert not failures and client.refused < 10
    assert seconds == pytest.approx((600 - 120) / 120 * 60, rel=0.05)


@pytest.mark.parametrize(
    "first",
    [
        Answered(COMPLETION, {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "40s"}),
        Missed("HTTP 503", wait=40.0),
        Missed("HTTP 429", throttled=True, wait=40.0),
    ],
    ids=["used up", "503 with Retry-After", "429 with Retry-After"],
)
def test_what_the_endpoint_asks_of_one_everybody_keeps_to(document, first):
    failures, client, _, _ = simulate(document, 30, settings={"concurrency": 1}, first=[first])
    assert not failures and client.times[:2] == [0.0, 40.0]


def test_a_request_that_is_refused_for_ever_ends_its_document_and_not_the_run(document):
    missed = Missed("HTTP 429", throttled=True)
    failures, client, _, _ = simulate(document, 1, settings={"concurrency": 1, "retries": 0}, first=[missed] * 50)
    assert "10번 다시 시도한 뒤" in str(failures[0]) and len(client.times) == 11
