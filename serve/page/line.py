"""Who is asked next: so many answers of one model at once, everybody else waits in line and can see his place."""

from __future__ import annotations

import threading

from serve.errors import Code, ServeError


class Line:
    """``at_once`` answers at a time and at most ``most_waiting`` behind them, first come first served.  Thread-safe."""

    def __init__(self, at_once: int, most_waiting: int) -> None:
        self._at_once = at_once
        self._most = at_once + most_waiting
        self._places: list[object] = []
        self._lock = threading.Lock()

    def join(self) -> object:
        """Take a place and return the ticket for it.  Raises ServeError(BUSY) when the line is full."""
        ticket = object()
        with self._lock:
            if len(self._places) >= self._most:
                waiting = len(self._places) - self._at_once
                raise ServeError(
                    Code.BUSY, f"지금 {waiting}명이 기다리고 있어 더 받지 못합니다.", "잠시 뒤 다시 물어보세요."
                )
            self._places.append(ticket)
        return ticket

    def ahead(self, ticket: object) -> int:
        """How many others have to finish before this one's turn; 0 when it is his turn."""
        with self._lock:
            return max(0, self._places.index(ticket) - self._at_once + 1) if ticket in self._places else 0

    def leave(self, ticket: object) -> None:
        """Give the place up, answered or not.  Leaving twice does nothing."""
        with self._lock:
            if ticket in self._places:
                self._places.remove(ticket)
