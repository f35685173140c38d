"""``/v1``: OpenAI's chat completions over the student, so that programs written for it work here unchanged."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from serve.answer import Answer, Progress
from serve.backends.protocol import Message
from serve.engine import Engine, Question
from serve.errors import ServeError
from serve.http.access import Access
from serve.http.asking import Asking, Askings
from serve.http.guard import check
from serve.http.limits import Buckets
from serve.http.line import Line, LineFull, Ticket
from serve.http.reply import End, pieces
from serve.http.wire import (
    MODELS,
    RAW,
    BadRequest,
    ChatRequest,
    error_body,
    error_response,
    of_serve_error,
    read_request,
    sse,
)

_LOG = logging.getLogger(__name__)
_RETRY_SECONDS = 5  # when the line is full: about one answer of a small student


@dataclass(frozen=True)
class Desk:
    """What every request needs: the engine, the line in front of it, its open askings, and the bounds.

    ``session``: of the records, one for all requests of this start; programs have not been asked, so no words are kept.
    """

    engine: Engine
    access: Access
    line: Line
    askings: Askings
    buckets: Buckets
    session: str | None = None


@dataclass(frozen=True)
class _Head:
    """The fields that all parts of one answer repeat."""

    id: str
    created: int
    model: str
    fingerprint: str

    def part(self, kind: str, choices: list, **more: object) -> dict:
        shared = {"id": self.id, "object": kind, "created": self.created, "model": self.model}
        return shared | {"system_fingerprint": self.fingerprint, "choices": choices} | more


def chat_routes(desk: Desk) -> APIRouter:
    """``POST /v1/chat/completions``, ``GET /v1/models`` and ``GET /v1/models/{name}``."""
    router = APIRouter(prefix="/v1")
    started = int(time.time())

    def card(name: str) -> dict:
        return {"id": name, "object": "model", "created": started, "owned_by": "slm-forest"}

    @router.get("/models")
    async def models(request: Request) -> Response:
        refusal = check(request, desk.access, desk.buckets)
        return refusal or JSONResponse({"object": "list", "data": [card(name) for name in MODELS]})

    @router.get("/models/{name}")
    async def model(name: str, request: Request) -> Response:
        if refusal := check(request, desk.access, desk.buckets):
            return refusal
        if name not in MODELS:
            return error_response(404, f"모델이 없습니다 (no such model): {name}", "model_not_found", param="model")
        return JSONResponse(card(name))

    @router.post("/chat/completions")
    async def completions(request: Request) -> Response:
        if refusal := check(request, desk.access, desk.buckets, posts=True):
            return refusal
        try:
            asked = read_request(await request.body())
            question = question_of(asked, desk.engine, desk.session)
        except BadRequest as exc:
            return error_response(400, exc.message, exc.code, param=exc.param)
        try:
            ticket = desk.line.join()
        except LineFull:
            return error_response(
                429,
                f"기다리는 질문이 {desk.line.waiting}개로 가득 찼습니다. 잠시 뒤 다시 보내세요 (the line is full).",
                "queue_full",
                kind="rate_limit_error",
                headers={"Retry-After": str(_RETRY_SECONDS), "X-Queue-Position": str(desk.line.waiting)},
            )
        return await _answer(request, asked, question, desk, _Turn(desk, ticket))

    return router


def question_of(asked: ChatRequest, engine: Engine, session: str | None = None) -> Question:
    """The request as the engine's question.  Raises BadRequest when its turns cannot be shown to the student.

    Earlier turns are shown: the student is trained on them.  A system message is not: it is trained without one, and many
    clients send "You are a helpful assistant" on their own; the response says so in ``X-Ignored``.
    """
    turns = [message for message in asked.messages if message.role not in ("system", "developer")]
    if not turns or turns[-1].role != "user" or not turns[-1].text.strip():
        raise BadRequest("마지막 메시지는 비어 있지 않은 user 메시지여야 합니다 (last message: user).", "messages")
    for place, message in enumerate(turns):
        if (message.role == "user") != (place % 2 == 0):
            raise BadRequest(
                "user와 assistant 메시지가 번갈아 와야 합니다 (user and assistant must alternate).", "messages"
            )
    seat = engine.student
    limit = asked.max_completion_tokens or asked.max_tokens
    chosen = {
        "max_new_tokens": min(limit or seat.params.max_new_tokens, seat.params.max_new_tokens),
        "temperature": seat.params.temperature if asked.temperature is None else asked.temperature,
        "top_p": seat.params.top_p if asked.top_p is None else asked.top_p,
        "seed": seat.params.seed if asked.seed is None else asked.seed,
    }
    return Question(
        turns[-1].text,
        asked.as_of or engine.as_of,
        sources=asked.sources,
        session=session,
        params=replace(seat.params, **chosen),
        history=tuple(Message(message.role, message.text) for message in turns[:-1]),
    )


class _Turn:
    """An admitted request's hold on the line and then on the model; ``end`` gives up whichever it is."""

    def __init__(self, desk: Desk, ticket: Ticket) -> None:
        self.ticket = ticket
        self._desk = desk
        self._asking: Asking | None = None

    async def steps(self, question: Question) -> AsyncIterator[Progress | Answer]:
        """Wait until called, then ask.  Raises ServeError."""
        desk = self._desk
        await self.ticket.called.wait()
        self._asking = desk.askings.start(
            lambda: desk.engine.answer(question, "student"), lambda: desk.line.leave(self.ticket)
        )
        async for step in self._asking.steps():
            yield step

    def end(self) -> None:
        """May be called at any time, from this event loop, and more than once."""
        if self._asking is None:
            self._desk.line.leave(self.ticket)
        else:
            self._asking.stop()  # its thread leaves the model first and the line then


class _EndingStream(StreamingResponse):
    """Ends its turn however the stream ends, even when nobody ever read from it."""

    def __init__(self, events: AsyncIterator[bytes], headers: dict[str, str], turn: _Turn) -> None:
        # A reverse proxy that collects the stream first would show nothing until the end.
        super().__init__(events, media_type="text/event-stream", headers=headers | {"X-Accel-Buffering": "no"})
        self._turn = turn

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._turn.end()


async def _answer(request: Request, asked: ChatRequest, question: Question, desk: Desk, turn: _Turn) -> Response:
    """The response to an admitted request.  Unless it streams, ``turn`` is over when this returns."""
    head = _Head(f"chatcmpl-{uuid4().hex}", int(time.time()), asked.model, fingerprint(desk.engine))
    headers = {"X-Queue-Position": str(desk.line.position(turn.ticket)), "Cache-Control": "no-store"}
    if any(message.role in ("system", "developer") for message in asked.messages):
        headers["X-Ignored"] = "system"
    source = pieces(turn.steps(question), asked.model == RAW, asked.stops)
    streams = False
    try:
        first = None
        if asked.stream and turn.ticket.called.is_set():
            # Errors before the first word are HTTP errors, as OpenAI's are.
            first = await or_gone(request, anext(source))
        elif not asked.stream:
            first = await or_gone(request, _gather(source))
        if first is None and not (asked.stream and not turn.ticket.called.is_set()):
            return Response(status_code=499)  # the client has gone: nobody will read it
        if asked.stream:
            streams = True
            return _EndingStream(_events(source, asked, head, desk, turn, first), headers, turn)
    except Exception as exc:
        status, body = _failed(exc)
        return JSONResponse(body, status, headers)
    finally:
        if not streams:
            turn.end()
    text, end = first
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": text, "refusal": None},
        "logprobs": None,
        "finish_reason": end.finish,
    }
    return JSONResponse(
        head.part("chat.completion", [choice], usage=end.usage(), slm_forest=end.ours()), headers=headers
    )


def _failed(exc: Exception) -> tuple[int, dict]:
    """Status and body of a failure.  A fault of ours goes to the log whole; its words stay there."""
    if isinstance(exc, ServeError):
        return of_serve_error(exc)
    _LOG.error("an answer of /v1 failed", exc_info=exc)
    message = "서버의 잘못으로 답하지 못했습니다. 서버의 기록을 보세요 (internal error)."
    return 500, error_body(message, "internal_error", "server_error")


async def _events(
    source: AsyncIterator[str | End],
    asked: ChatRequest,
    head: _Head,
    desk: Desk,
    turn: _Turn,
    piece: str | End | None,
) -> AsyncIterator[bytes]:
    """The answer as server-sent events, from ``piece`` on; while it waits, comments (which clients skip) say at which place."""
    with_usage = asked.stream_options.include_usage

    def chunk(delta: dict, finish: str | None = None, **more: object) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        usage = {"usage": None} if with_usage else {}
        return sse(head.part("chat.completion.chunk", [choice], **usage, **more))

    async with aclosing(source):
        try:
            async for place in places(desk.line, turn.ticket):
                yield f": 앞에서 {place}번째로 기다립니다 (queue position {place})\n\n".encode()
            if piece is None:
                piece = await anext(source)
            yield chunk({"role": "assistant", "content": "", "refusal": None})
            while not isinstance(piece, End):
                if piece:
                    yield chunk({"content": piece})
                piece = await anext(source)
        except Exception as exc:
            yield sse(_failed(exc)[1])
            return
        yield chunk({}, piece.finish, slm_forest=piece.ours())
        if with_usage:
            yield sse(head.part("chat.completion.chunk", [], usage=piece.usage()))
        yield sse("[DONE]")


async def places(line: Line, ticket: Ticket, every: float = 1.0) -> AsyncIterator[int]:
    """The place in line, whenever ``every`` seconds have passed, until the turn has come."""
    while not ticket.called.is_set():
        yield line.position(ticket)
        try:
            await asyncio.wait_for(ticket.called.wait(), every)
        except TimeoutError:
            continue


async def _gather(source: AsyncIterator[str | End]) -> tuple[str, End]:
    text = ""
    async with aclosing(source):
        async for piece in source:
            if isinstance(piece, End):
                return text, piece
            text += piece
    raise ConnectionError("the answer ended without its end")


async def or_gone(request: Request, work: Awaitable) -> Any:
    """What ``work`` comes to, or None when the client has gone, in which case ``work`` is cancelled at once."""
    doing = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({doing, leaving}, return_when=asyncio.FIRST_COMPLETED)
        return doing.result() if doing.done() else None
    finally:
        for task in (doing, leaving):
            task.cancel()
        await asyncio.gather(doing, leaving, return_exceptions=True)


async def _gone(request: Request) -> None:
    """Returns when the client has closed its connection; the body has been read before."""
    while (await request.receive())["type"] != "http.disconnect":
        continue


def fingerprint(engine: Engine) -> str:
    """The student's file in a few letters: the same fingerprint is the same model."""
    sha256 = engine.student.backend.info().model_sha256
    return f"sha256-{sha256[:12]}" if sha256 else "sha256-unknown"
