"""Who keeps a run's responses and watches its money.  One process has both in hand; a cluster puts another Keeper here."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, Protocol

from data_gen.asking.values import Request, Stored, Usage
from data_gen.errors import TeacherFailure
from data_gen.store import Store


class Keeper(Protocol):
    """Every request goes find -> reserve -> (sent) -> keep or drop, and each reservation ends in one of the last two."""

    async def find(self, request: Request) -> Stored | None:
        """What is stored under the request's key, whatever its status."""
        ...

    async def reserve(self, request: Request) -> None:
        """Set money aside for the call.  Raises BudgetReached (a DataGenError), TeacherFailure when a batch holds it."""
        ...

    async def keep(self, request: Request, stored: Stored) -> Stored:
        """Price the response, write it once, free the reservation; returns it as it is stored."""
        ...

    async def drop(self, request: Request, reason: str) -> None:
        """No response came: note why, free the reservation."""
        ...


class Ledger(Protocol):
    """What LocalKeeper needs of asking/ledger.py.  Each ``reserve_or_wait`` is followed by one ``charge`` or one ``release``."""

    async def reserve_or_wait(self, request: Request) -> None:
        """Waits for money that calls under way may leave over; raises BudgetReached when there is none."""
        ...

    def charge(self, request: Request, usage: Usage, via: Literal["live", "batch"]) -> float | None:
        """Price of the response in dollars (None: no price known), in place of what was set aside."""
        ...

    def release(self, request: Request) -> None: ...


class LocalKeeper:
    """Store and ledger in this process."""

    def __init__(self, store: Store, ledger: Ledger) -> None:
        self._store, self._ledger = store, ledger

    async def find(self, request: Request) -> Stored | None:
        return self._store.find(request.key)

    async def reserve(self, request: Request) -> None:
        if batch := self._store.batch_of(request.key):
            # Asked live as well, it would be paid for twice.
            raise TeacherFailure(f"일괄 요청 {batch}에서 답을 기다리는 중 (waiting in a batch)")
        await self._ledger.reserve_or_wait(request)

    async def keep(self, request: Request, stored: Stored) -> Stored:
        priced = replace(stored, usd=self._ledger.charge(request, stored.usage, stored.via))
        self._store.keep(request, priced)
        return priced

    async def drop(self, request: Request, reason: str) -> None:
        self._store.note(request, reason)
        self._ledger.release(request)
