"""Store and money of a run on a Ray cluster: one actor on the driver's machine has both, every worker goes through it.

So a worker or the driver may die at any moment: what was answered is committed in the one SQLite file, what was set aside
for a dead worker's calls is freed when its successor reports, and the cap holds for all workers together.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data_gen.asking.keeper import Ledger, LocalKeeper
from data_gen.asking.values import Request, Stored
from data_gen.errors import DataGenError, TeacherFailure
from data_gen.store import Store

DIED = "작업자가 응답을 받기 전에 죽음 (worker died)"
DRIVER = "driver"
# Seconds without a word after which a request is no longer its worker's: the machine may be gone for good.
_LAPSE_S = 300.0


@dataclass
class _Claim:
    """A request that ``who`` was told is not stored: it is about to send it, has sent it, or will try again."""

    who: str
    teacher: str
    request: Request | None = None
    """Set while money is reserved for it, that is while the call is under way."""
    touched: float = field(default_factory=time.monotonic)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: bool = False
    """For money that other calls may leave over: its worker need not be heard of meanwhile."""

    def lapsed(self) -> bool:
        return not self.waiting and time.monotonic() - self.touched >= _LAPSE_S


class KeeperActor:
    """Runs as an async Ray actor: each step between two awaits is alone, so no two workers can take the same dollar.

    Every method answers (True, value) or (False, error): an exception raised across Ray would come back as another class,
    with the traceback in its message.
    """

    def __init__(self, store_path: str, ledgers: Mapping[str, Ledger]) -> None:
        self._path, self._ledgers = store_path, dict(ledgers)
        self._claims: dict[str, _Claim] = {}
        self._stopped: DataGenError | None = None
        self._keys: dict[str, str] = {}
        self._ended = asyncio.Event()
        self._store: Store | None = None
        self._keepers: dict[str, LocalKeeper] = {}

    async def open(self) -> tuple[bool, Any]:
        """Open the store; the error of another writer or another format comes back whole."""
        return await _told(self._open())

    async def _open(self) -> None:
        self._store = Store(Path(self._path))
        self._keepers = {name: LocalKeeper(self._store, ledger) for name, ledger in self._ledgers.items()}

    async def hello(self, who: str) -> None:
        """A worker begins.  One that died under this name will send nothing more: what it held is freed."""
        for key, claim in [(key, claim) for key, claim in self._claims.items() if claim.who == who]:
            await self._bury(key, claim)

    async def find(self, who: str, teacher: str, request: Request) -> tuple[bool, Any]:
        return await _told(self._find(who, teacher, request))

    async def _find(self, who: str, teacher: str, request: Request) -> Stored | None:
        while (stored := await self._keepers[teacher].find(request)) is None:
            claim = self._claims.get(request.key)
            if claim and claim.who != who and claim.lapsed():
                await self._bury(request.key, claim)
                continue
            if claim is None or claim.who == who:
                self._claims[request.key] = claim or _Claim(who, teacher)
                return None
            # Sent by another worker: Ray gave its documents to this one, while it is restarted or only slow to answer.
            with suppress(TimeoutError):
                async with asyncio.timeout(_LAPSE_S):
                    await claim.over.wait()
        return stored

    async def reserve(self, who: str, teacher: str, request: Request) -> tuple[bool, Any]:
        return await _told(self._reserve(who, teacher, request))

    async def _reserve(self, who: str, teacher: str, request: Request) -> None:
        claim = self._claims.setdefault(request.key, _Claim(who, teacher))
        try:
            if self._stopped:
                raise self._stopped
            claim.waiting = True
            await self._keepers[teacher].reserve(request)
            # While it waited the run may have been stopped, or the worker replaced: then nobody will send this call.
            if self._stopped or self._claims.get(request.key) is not claim:
                self._ledgers[teacher].release(request)
                raise self._stopped or TeacherFailure(DIED)
        except (DataGenError, TeacherFailure):
            if self._claims.get(request.key) is claim:
                self._free(request.key)
            raise
        finally:
            claim.waiting = False
        claim.request, claim.touched = request, time.monotonic()

    async def keep(self, teacher: str, request: Request, stored: Stored) -> tuple[bool, Any]:
        try:
            return await _told(self._keepers[teacher].keep(request, stored))
        finally:
            self._free(request.key)

    async def drop(self, teacher: str, request: Request, reason: str) -> tuple[bool, Any]:
        """The claim stays a while: the desk may try the same request again."""
        if claim := self._claims.get(request.key):
            claim.request, claim.touched = None, time.monotonic()
            self._ended.set()
        return await _told(self._keepers[teacher].drop(request, reason))

    async def set_keys(self, keys: dict[str, str]) -> None:
        """Environment variables for the workers.  Not an argument of theirs: Ray writes some of those down."""
        self._keys = keys

    async def keys(self) -> dict[str, str]:
        return self._keys

    async def ledger(self, teacher: str) -> Ledger:
        """The ledger as it stands, for the panel and the run record; the caller gets a copy."""
        return self._ledgers[teacher]

    async def stop(self, reason: DataGenError) -> None:
        """From now on nothing new is sent; what is under way may be kept."""
        self._stopped = self._stopped or reason

    async def idle(self, timeout_s: float) -> bool:
        """Wait until no worker has a call under way, ``timeout_s`` seconds at most; False when some still have.

        The driver's own calls are not waited for: it is the driver that waits here.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while any(claim.request and claim.who != DRIVER for claim in self._claims.values()):
                    self._ended.clear()
                    await self._ended.wait()
        except TimeoutError:
            return False
        return True

    async def close(self) -> None:
        if self._store:
            self._store.close()
            self._store = None

    async def _bury(self, key: str, claim: _Claim) -> None:
        self._free(key)
        if claim.request:
            await self._keepers[claim.teacher].drop(claim.request, DIED)

    def _free(self, key: str) -> None:
        if claim := self._claims.pop(key, None):
            claim.over.set()
            self._ended.set()


class RayKeeper:
    """The Keeper of one worker (or of the driver, for its judge): every question goes to the actor."""

    def __init__(self, actor: Any, teacher: str, who: str = DRIVER) -> None:
        self._actor, self._teacher, self._who = actor, teacher, who

    async def find(self, request: Request) -> Stored | None:
        return await _asked(self._actor.find.remote(self._who, self._teacher, request))

    async def reserve(self, request: Request) -> None:
        await _asked(self._actor.reserve.remote(self._who, self._teacher, request))

    async def keep(self, request: Request, stored: Stored) -> Stored:
        return await _asked(self._actor.keep.remote(self._teacher, request, stored))

    async def drop(self, request: Request, reason: str) -> None:
        await _asked(self._actor.drop.remote(self._teacher, request, reason))


async def _told(work: Awaitable[Any]) -> tuple[bool, Any]:
    try:
        return True, await work
    except (DataGenError, TeacherFailure) as exc:
        return False, exc


async def _asked(answer: Awaitable[tuple[bool, Any]]) -> Any:
    from ray.exceptions import RayActorError

    try:
        done, value = await answer
    except RayActorError as exc:
        raise lost_keeper(exc) from exc
    if not done:
        raise value
    return value


def lost_keeper(exc: Exception) -> DataGenError:
    """The actor is gone (killed, out of memory); its first line says why."""
    why = (str(exc).strip() or type(exc).__name__).splitlines()[0]
    return DataGenError(
        f"응답 저장소를 맡은 프로세스가 사라졌습니다 (the keeper actor died): {why}\n"
        "  받은 답변은 저장되어 있습니다. 같은 명령을 다시 실행하면 이어집니다."
    )
