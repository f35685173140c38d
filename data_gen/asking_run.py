"""Asking about every document of a build, here or on a cluster, with the panel beside it; what comes is judged and spooled."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from data_gen.asking.keeper import Keeper
from data_gen.asking.ledger import Ledger
from data_gen.asking.values import Usage
from data_gen.documents import Document
from data_gen.gathering import Bench, Judged, Tally, gather_documents, judge_all
from data_gen.judging import JudgePool
from data_gen.prices import PriceTable
from data_gen.rows import Failure
from data_gen.settings import BuildConfig, JudgeSettings
from data_gen.spool import Spool
from data_gen.tasks import Task
from data_gen.teachers import Desk
from data_gen.teachers.opening import open_desk
from data_gen.teachers.staff import Staff, keepers
from data_gen.work import Worked

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True)
class Cluster:
    """A Ray cluster: its address (None: one on this machine for the length of the run) and how many workers ask."""

    address: str | None = None
    workers: int = 2


@dataclass
class Spent:
    """What the asking took."""

    replies: int = 0
    sent: int = 0
    """Of ``replies``, those for which something was sent now."""
    capped: int = 0
    first_failure: str = ""
    usage: Usage = field(default_factory=Usage)
    usd: float = 0.0
    unpriced: int = 0
    """Answers whose price is not known; they are not in ``usd``."""
    prices: PriceTable | None = None
    limit_history: list[dict] = field(default_factory=list)


def ask_documents(
    config: BuildConfig,
    staff: Staff,
    documents: Iterable[Document],
    count: int,
    tasks: Sequence[Task],
    judges: JudgePool,
    spool: Spool,
    first: int,
    console: Console | None,
    desk: Desk | None,
    cluster: Cluster | None,
) -> Spent:
    """Ask ``tasks`` about each of the ``count`` documents; document n goes into the spool as ``first`` + n.

    ``desk`` stands in for the teacher.  Raises DataGenError when going on is pointless.
    """
    run = _Run(config, staff, count, tasks, judges, spool, first, Tally(), console, Spent(prices=staff.prices))
    if cluster is not None:
        run.on_cluster(documents, cluster)
    else:
        with keepers(staff, config) as kept:
            asyncio.run(run.here(documents, kept, desk))
    return run.spent


@dataclass
class _Run:
    config: BuildConfig
    staff: Staff
    count: int
    tasks: Sequence[Task]
    judges: JudgePool
    spool: Spool
    first: int
    tally: Tally
    console: Console | None
    spent: Spent

    async def here(self, documents: Iterable[Document], kept: dict[str, Keeper], desk: Desk | None) -> None:
        """In this process."""
        staff = self.staff
        async with contextlib.AsyncExitStack() as stack:
            teacher = desk or open_desk(staff.settings, staff.teacher, kept.get(staff.teacher))
            stack.push_async_callback(teacher.close)
            bench = stack.enter_context(contextlib.closing(Bench(self.judges, await self._judge(kept, stack))))
            stop = getattr(teacher, "stop", None)  # a recording has nothing to wind up
            stack.enter_context(self._panel(teacher, tuple(staff.ledgers.values())))
            await self._take(gather_documents(documents, self.tasks, teacher, self.config.seed, bench, stop))
            self.spent.limit_history = getattr(teacher, "history", [])
        self._settle(staff.ledgers.values())

    def on_cluster(self, documents: Iterable[Document], cluster: Cluster) -> None:
        """On Ray: the store and the purse stay with the keeper beside this process."""
        from data_gen.asking.client import read_key
        from data_gen.ray_engine import ray_outcomes, ray_run
        from data_gen.teacher_settings import OpenAISettings

        staff, settings = self.staff, self.staff.settings
        keys = {settings.key_env: read_key(settings.key_env)} if isinstance(settings, OpenAISettings) else {}
        with ray_run(self.config.store, staff.ledgers, cluster.address, cluster.workers) as ray:
            outcomes = ray_outcomes(
                ray, documents, self.tasks, staff.teacher, settings, self.config.seed, _open_on_worker, keys
            )
            asyncio.run(self._judge_outcomes(outcomes, {name: ray.keeper(name) for name in staff.ledgers}))
            self._settle([ray.ledger(name) for name in staff.ledgers])

    async def _judge_outcomes(self, outcomes: Iterator[tuple[int, Worked]], kept: dict[str, Keeper]) -> None:
        async with contextlib.AsyncExitStack() as stack:
            bench = stack.enter_context(contextlib.closing(Bench(self.judges, await self._judge(kept, stack))))
            await self._take(judge_all(outcomes, bench, places=8))

    async def _judge(
        self, kept: dict[str, Keeper], stack: contextlib.AsyncExitStack
    ) -> tuple[Desk, JudgeSettings] | None:
        if self.staff.judge is None or self.config.judge is None:
            return None
        name, settings = self.staff.judge
        desk = open_desk(settings, name, kept[name])
        stack.push_async_callback(desk.close)
        return desk, self.config.judge

    async def _take(self, results: AsyncIterator[tuple[int, Worked, Judged]]) -> None:
        async with contextlib.aclosing(results) as found:
            async for ordinal, worked, judged in found:
                self.spool.put(self.first + ordinal, judged)
                self.spent.replies += worked.replies
                self.spent.sent += worked.sent
                self.spent.capped += worked.capped
                if not self.spent.first_failure:
                    self.spent.first_failure = next(
                        (one.reason for one in worked.outcomes if isinstance(one, Failure)), ""
                    )
                self.tally.documents += 1
                self.tally.replies, self.tally.sent = self.spent.replies, self.spent.sent
                self.tally.capped = self.spent.capped
                self.tally.add(judged.results)

    def _settle(self, ledgers: Iterable[Ledger]) -> None:
        for ledger in ledgers:
            self.spent.usage += ledger.usage
            self.spent.usd += ledger.spent_usd
            self.spent.unpriced += ledger.unpriced

    def _panel(self, desk: Desk, ledgers: tuple[Ledger, ...]) -> contextlib.AbstractContextManager:
        if self.console is None or not ledgers or self.staff.prices is None or not hasattr(desk, "pulse"):
            return contextlib.nullcontext()
        from data_gen.asking.panel import Panel

        return Panel(self.console, desk.name, self.count, self.tally, lambda: desk.pulse, ledgers, self.staff.prices)


def _open_on_worker(name, settings, keeper) -> Desk:
    return open_desk(settings, name, keeper)
