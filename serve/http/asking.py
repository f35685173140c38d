"""One question's way through the engine, seen from an event loop.

The engine's iterator is advanced by one thread of its own from the first step to the last, because a generator must be
closed by whoever runs it.  The thread never waits for a slow reader: what it makes is short (max_tokens), and a model held
back by one client would stand still for all.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing

from serve.answer import Answer, Progress
from serve.errors import Code, ServeError

Steps = Iterator[Progress | Answer]


class Askings:
    """The threads that are in the engine now; closing the model under one of them would take the process down."""

    def __init__(self) -> None:
        self._open: set[Asking] = set()
        self._changed = threading.Condition()

    def start(self, open_steps: Callable[[], Steps], when_over: Callable[[], None]) -> Asking:
        """Ask in a thread; ``when_over`` is called in this event loop once the thread has left the engine."""
        asking = Asking(open_steps, when_over, self._left)
        with self._changed:
            self._open.add(asking)
        asking.start()
        return asking

    def stop_all(self, timeout: float) -> bool:
        """Stop every asking and wait up to ``timeout`` seconds; True when none is left."""
        with self._changed:
            for asking in self._open:
                asking.stop()
            return self._changed.wait_for(lambda: not self._open, timeout)

    def _left(self, asking: Asking) -> None:
        with self._changed:
            self._open.discard(asking)
            self._changed.notify_all()


class Asking:
    """One iterator in one thread.  ``stop`` from anywhere ends it at its next step, which frees the model."""

    def __init__(
        self, open_steps: Callable[[], Steps], when_over: Callable[[], None], left: Callable[[Asking], None]
    ) -> None:
        self._open_steps = open_steps
        self._when_over = when_over
        self._left = left
        self._loop = asyncio.get_running_loop()
        self._stopped = threading.Event()
        self._made: asyncio.Queue = asyncio.Queue()

    def start(self) -> None:
        threading.Thread(target=self._run, name="v1-asking", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    async def steps(self) -> AsyncIterator[Progress | Answer]:
        """What the engine yields, as it comes.  Raises what the engine raised."""
        while (made := await self._made.get()) is not None:
            if isinstance(made, BaseException):
                raise made
            if not self._stopped.is_set():  # what is left in the line is not worth waiting for
                yield made

    def _run(self) -> None:
        last: BaseException | None = None
        try:
            with closing(self._open_steps()) as steps:
                for step in steps:
                    if self._stopped.is_set():
                        # Only the stop of the server leaves anybody to read this.
                        last = ServeError(Code.BUSY, "서버가 멈추는 중이라 답을 끝내지 못했습니다.", "다시 물어보세요.")
                        break
                    self._tell(self._made.put_nowait, step)
        except BaseException as exc:  # carried to whoever reads the steps, who raises it
            last = exc
        self._left(self)
        self._tell(self._when_over)
        self._tell(self._made.put_nowait, last)

    def _tell(self, call: Callable, *arguments: object) -> None:
        try:
            self._loop.call_soon_threadsafe(call, *arguments)
        except RuntimeError:
            # The loop is closed: the server has stopped and nobody is left to be told.
            if not self._loop.is_closed():
                raise
