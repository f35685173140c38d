"""The waiting line in front of the model: so many at once, so many waiting, and everybody knows his place.

Lives in one event loop, so it needs no lock; a place is given up the moment its client is gone.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field


class LineFull(Exception):
    """Nobody else may wait."""


@dataclass(eq=False)
class Ticket:
    """One question's place.  ``called`` is set when its turn has come."""

    called: asyncio.Event = field(default_factory=asyncio.Event)


class Line:
    """``at_once`` questions in the model, at most ``max_waiting`` behind them, first come first served."""

    def __init__(self, at_once: int, max_waiting: int) -> None:
        self._at_once = at_once
        self._max_waiting = max_waiting
        self._running: set[Ticket] = set()
        self._waiting: deque[Ticket] = deque()

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def running(self) -> int:
        return len(self._running)

    def join(self) -> Ticket:
        """Take a place.  Raises LineFull."""
        ticket = Ticket()
        if len(self._running) < self._at_once:
            self._running.add(ticket)
            ticket.called.set()
        elif len(self._waiting) >= self._max_waiting:
            raise LineFull
        else:
            self._waiting.append(ticket)
        return ticket

    def position(self, ticket: Ticket) -> int:
        """How many wait ahead of and including this one; 0 once its turn has come."""
        return self._waiting.index(ticket) + 1 if ticket in self._waiting else 0

    def leave(self, ticket: Ticket) -> None:
        """Give the place up, answered or not, and call the next.  Leaving twice does nothing."""
        if ticket in self._waiting:
            self._waiting.remove(ticket)
        self._running.discard(ticket)
        while self._waiting and len(self._running) < self._at_once:
            following = self._waiting.popleft()
            self._running.add(following)
            following.called.set()
