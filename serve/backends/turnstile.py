"""Turn-taking of one local model: one stream at a time, and what happens to one that nobody advances."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from serve.errors import Code, ServeError

# How soon a waiting stream notices that nobody wants its answer any more.
_LOOK_SECONDS = 0.2


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
        self._shut = False

    def enter(self) -> object:
        """Wait for the turn and return the ticket.  Raises ServeError(BUSY) after ``wait_seconds``."""
        *_, ticket = self.approach()
        return ticket

    def approach(self) -> Iterator[object | None]:
        """``enter`` for who may give up: None a few times a second while waiting, the ticket last.

        Whoever stops asking for the next value has left and holds nothing.  Raises ServeError(BUSY) as ``enter`` does.
        """
        deadline = time.monotonic() + self._wait_seconds
        while (ticket := self._try(deadline)) is None:
            yield None
        yield ticket

    def _try(self, deadline: float) -> object | None:
        """The ticket, or None when the model was not free for ``_LOOK_SECONDS``."""
        look_until = time.monotonic() + _LOOK_SECONDS
        with self._changed:
            while self._holder is not None or self._shut:
                if self._shut:
                    raise ServeError(
                        Code.BUSY, "모델을 닫는 중이라 답하지 않습니다.", "서버를 다시 시작한 뒤 물어보세요."
                    )
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
                if now >= look_until:
                    return None
                self._changed.wait(min(stale_at, deadline, look_until) - now)
            self._holder = ticket = object()
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

    def shut(self) -> None:
        """Take the turn for good, between two steps: whoever holds it is superseded, and nobody gets it again."""
        with self._changed:
            self._holder, self._shut = None, True
            self._changed.notify_all()

    def leave(self, ticket: object) -> None:
        with self._changed:
            if self._holder is ticket:
                self._holder = None
                self._changed.notify_all()
