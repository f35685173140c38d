"""What the command line and the page need from a model: a stream of text, a token count, a name.

Holds the values, the protocol, the turn-taking of one local model, and a scripted backend for tests.  Knows nothing of
tax law, of GGUF or of HTTP: see ``llama_backend``, ``openai_backend`` and ``teacher``.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal, Protocol

from serve.errors import Code, ServeError

Finish = Literal["stop", "length", "superseded", "filtered"]


@dataclass(frozen=True)
class Message:
    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True)
class GenParams:
    """``max_new_tokens`` in tokens; ``temperature`` 0 is greedy, None leaves it to a remote endpoint."""

    max_new_tokens: int = 512
    temperature: float | None = 0.0


@dataclass(frozen=True)
class Delta:
    """One step of a stream.  Counts and ``finish`` are set once, on the last delta (None when unknown)."""

    text: str = ""
    tokens: int = 0  # generated tokens this delta stands for
    finish: Finish | None = None
    prompt_tokens: int | None = None
    new_tokens: int | None = None


@dataclass(frozen=True)
class BackendInfo:
    name: str
    detail: str
    context_tokens: int | None = None


class Backend(Protocol):
    def stream(self, messages: Sequence[Message], params: GenParams) -> Iterator[Delta]:
        """Yield deltas; closing the iterator stops the work.  Raises ServeError."""
        ...

    def count_tokens(self, messages: Sequence[Message]) -> int | None:
        """Prompt length in tokens, or None when only the far end knows."""
        ...

    def info(self) -> BackendInfo: ...

    def close(self) -> None: ...


class Superseded(Exception):
    """This stream lost its turn while it was paused; it must end without touching the model again."""


class Turnstile:
    """One stream at a time on one model.

    llama.cpp aborts the whole process when two streams share a context, so each generator takes its turn here, inside
    itself.  A holder that nobody has advanced for ``stale_seconds`` (a closed browser tab, a dropped iterator) loses its
    turn: it is refused at its next step instead of being resumed on another stream's cache.
    """

    def __init__(self, wait_seconds: float = 120.0, stale_seconds: float = 20.0) -> None:
        self._wait_seconds = wait_seconds
        self._stale_seconds = stale_seconds
        self._changed = threading.Condition()
        self._holder: object | None = None
        self._touched = 0.0

    def enter(self) -> object:
        """Wait for the turn and return the ticket.  Raises ServeError(BUSY) after ``wait_seconds``."""
        ticket = object()
        deadline = time.monotonic() + self._wait_seconds
        with self._changed:
            while self._holder is not None:
                now = time.monotonic()
                stale_at = self._touched + self._stale_seconds
                if now >= stale_at:
                    break
                if now >= deadline:
                    raise ServeError(
                        Code.BUSY,
                        f"다른 답을 쓰는 중이라 {self._wait_seconds:.0f}초를 기다렸습니다.",
                        "앞의 답이 끝나거나 멈춘 뒤 다시 물어보세요.",
                    )
                self._changed.wait(min(stale_at, deadline) - now)
            self._holder = ticket
            self._touched = time.monotonic()
        return ticket

    @contextmanager
    def step(self, ticket: object) -> Iterator[None]:
        """Run one model step while holding the turn.  Raises Superseded when the turn was lost meanwhile."""
        with self._changed:
            if self._holder is not ticket:
                raise Superseded
            yield
            self._touched = time.monotonic()

    def leave(self, ticket: object) -> None:
        with self._changed:
            if self._holder is ticket:
                self._holder = None
                self._changed.notify_all()


@dataclass
class FakeBackend:
    """A backend for tests: answers are queued, every request is kept, and a stream records how it ended."""

    name: str = "fake"
    answers: deque = field(default_factory=deque)
    requests: list[tuple[Message, ...]] = field(default_factory=list)
    endings: list[str] = field(default_factory=list)
    turnstile: Turnstile = field(default_factory=Turnstile)
    closed: bool = False
    before_delta: object = None  # optional callable(index), runs before each piece

    def enqueue(self, *pieces: str | BaseException, finish: Finish = "stop") -> FakeBackend:
        """Queue one answer made of pieces; an exception among them is raised when the stream reaches it."""
        self.answers.append((pieces, finish))
        return self

    def stream(self, messages: Sequence[Message], params: GenParams) -> Iterator[Delta]:
        self.requests.append(tuple(messages))
        pieces, finish = self.answers.popleft()
        ticket = self.turnstile.enter()
        ending = "closed"
        try:
            for index, piece in enumerate(pieces):
                if callable(self.before_delta):
                    self.before_delta(index)
                if isinstance(piece, BaseException):
                    raise piece
                with self.turnstile.step(ticket):
                    delta = Delta(piece, tokens=1)
                yield delta
            yield Delta(finish=finish, prompt_tokens=self.count_tokens(messages), new_tokens=len(pieces))
            ending = "finished"
        finally:
            self.turnstile.leave(ticket)
            self.endings.append(ending)

    def count_tokens(self, messages: Sequence[Message]) -> int:
        return sum(len(message.content.split()) for message in messages)

    def info(self) -> BackendInfo:
        return BackendInfo(self.name, "시험용 모델", 2048)

    def close(self) -> None:
        self.closed = True
