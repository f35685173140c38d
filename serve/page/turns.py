"""When a pane redraws and when its stream ends: a newer question replaces it, a stop ends it where it stands."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Literal

from serve.answer import Answer, Progress

Ending = Literal["", "superseded", "stopped"]


class Asked:
    """The newest question of each browser session, so that older streams know when to end."""

    def __init__(self) -> None:
        self._newest: dict[str, threading.Event] = {}

    def anew(self, session: str) -> None:
        self._newest[session] = threading.Event()

    def stop(self, session: str) -> None:
        if session in self._newest:
            self._newest[session].set()

    def forget(self, session: str) -> None:
        self._newest.pop(session, None)

    def ending(self, session: str) -> Callable[[], Ending]:
        """Asks, for the question that is newest now, whether its answers should end ("" while they should not)."""
        mine = self._newest.get(session)

        def ended() -> Ending:
            if self._newest.get(session) is not mine:
                return "superseded"
            return "stopped" if mine is not None and mine.is_set() else ""

        return ended


def paced(
    steps: Iterator[Progress | Answer], per_second: float, ended: Callable[[], Ending]
) -> Iterator[Progress | Answer]:
    """Drop progress that comes faster than the page should redraw; the answer and the step after an end always pass."""
    last = 0.0
    with closing(steps):
        for step in steps:
            now = time.monotonic()
            if isinstance(step, Answer) or now - last >= 1 / per_second or ended():
                last = now
                yield step
