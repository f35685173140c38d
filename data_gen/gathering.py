"""The first half of a build: documents are asked about and rows judged, many at once, and wait in the spool.

Order does not matter here and none is kept: what is refused for being a duplicate is decided later, in document order.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from itertools import islice

from data_gen.asking.pool import run_pool
from data_gen.documents import Document
from data_gen.errors import BudgetReached, TeacherFailure
from data_gen.judge import judge_row
from data_gen.judging import JudgePool
from data_gen.rows import Candidate, Failure, Rejection, Row
from data_gen.settings import JudgeSettings
from data_gen.spool import Spool
from data_gen.tasks import Task
from data_gen.teachers import Desk
from data_gen.work import Worked, work

Result = Row | Rejection | Failure
CHUNK = 64  # calculator rows judged in one go


@dataclass(frozen=True)
class Judged:
    """What waits in the spool for one document (or one chunk of calculator rows)."""

    results: tuple[Result, ...]
    analysis: dict | None = None


@dataclass
class Tally:
    """How far the run is; the panel reads it.  Counted from results, never from requests."""

    documents: int = 0
    accepted: int = 0
    rejected: int = 0
    failed: int = 0
    replies: int = 0
    sent: int = 0
    capped: int = 0
    watchers: list[Callable[[], None]] = field(default_factory=list, repr=False)

    def add(self, results: Iterable[Result]) -> None:
        for result in results:
            name = {Row: "accepted", Rejection: "rejected", Failure: "failed"}[type(result)]
            setattr(self, name, getattr(self, name) + 1)
        for watch in self.watchers:
            watch()


def gather_worked(candidates: Iterable[Candidate], judges: JudgePool, spool: Spool, tally: Tally) -> int:
    """Judge the calculator's rows into the spool, chunk by chunk; returns the next free ordinal."""
    ordinal, source = 0, iter(candidates)
    while chunk := list(islice(source, CHUNK * max(1, judges.workers))):
        judged = judges.judge_many(chunk)
        spool.put(ordinal, Judged(tuple(judged)))
        tally.add(judged)
        ordinal += 1
    return ordinal


async def gather_documents(
    documents: Iterable[Document],
    tasks: Sequence[Task],
    desk: Desk,
    seed: int,
    bench: Bench,
    on_stop: Callable[[], None] | None = None,
) -> AsyncIterator[tuple[int, Worked, Judged]]:
    """(ordinal of the document, what came of it, judged) as they come.

    Raises DataGenError when the teacher says that going on is pointless; what was paid for is in its store then.
    """

    async def one(numbered: tuple[int, Document]) -> tuple[int, Worked, Judged]:
        ordinal, document = numbered
        worked = await work(document, tasks, desk, seed)
        return ordinal, worked, await bench.judge(worked)

    # A document whose rows are being judged must not hold up the asking of others: hence more places than calls.
    async with aclosing(run_pool(enumerate(documents), one, 2 * desk.places, on_stop)) as results:
        async for result in results:
            yield result


async def judge_all(
    outcomes: Iterable[tuple[int, Worked]], bench: Bench, places: int
) -> AsyncIterator[tuple[int, Worked, Judged]]:
    """The same for documents that were asked about elsewhere (on a cluster): ``outcomes`` blocks until the next one is there."""

    async def one(ordinal: int, worked: Worked) -> tuple[int, Worked, Judged]:
        return ordinal, worked, await bench.judge(worked)

    source, running = iter(outcomes), set()
    # In a thread: a judge's calls go on while the cluster is waited for.
    while (numbered := await asyncio.to_thread(next, source, None)) is not None:
        running.add(asyncio.ensure_future(one(*numbered)))
        if len(running) >= places:
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                yield task.result()
    for task in running:
        yield await task


class Bench:
    """Where what came of a document is judged: the gates in worker processes, then the judge model when there is one."""

    def __init__(self, judges: JudgePool, judge: tuple[Desk, JudgeSettings] | None = None) -> None:
        self._judges, self._judge = judges, judge
        self._threads = ThreadPoolExecutor(max_workers=max(1, judges.workers), thread_name_prefix="gates")

    async def judge(self, worked: Worked) -> Judged:
        candidates = [outcome for outcome in worked.outcomes if isinstance(outcome, Candidate)]
        results: list[Result] = [outcome for outcome in worked.outcomes if isinstance(outcome, Failure)]
        if candidates:
            loop = asyncio.get_running_loop()
            judged = await loop.run_in_executor(self._threads, self._judges.judge_many, candidates)
            if self._judge is not None:
                judged = [await _second_opinion(one, *self._judge) if isinstance(one, Row) else one for one in judged]
            results += judged
        return Judged(tuple(results), worked.analysis)

    def close(self) -> None:
        self._threads.shutdown()


async def _second_opinion(row: Row, desk: Desk, settings: JudgeSettings) -> Row | Rejection:
    """The judge model's verdict is written down; it rejects only by the verdicts the config names.  It never rewrites."""
    if not row.evidence:
        return row
    try:
        opinion = await judge_row(desk, row)
    except (TeacherFailure, BudgetReached) as exc:
        return replace(row, provenance=replace(row.provenance, judge=f"{desk.name}: 응답 없음 ({exc})"))
    marked = replace(row, provenance=replace(row.provenance, judge=f"{desk.name}: {opinion.verdict}"))
    if opinion.verdict in settings.reject:
        return Rejection(marked, "judge", f"{opinion.verdict}: {opinion.reason}")
    return marked
