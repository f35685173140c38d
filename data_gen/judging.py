"""The stateless gates in worker processes: candidates in, rows and rejections out, in the order they were given.

The gates are pure Python and take about a millisecond a row, so threads would not help.  A worker that dies (out of memory,
killed) is an error that names the row it was judging, never a hang and never a lost row.
"""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import get_context
from threading import Lock
from typing import TYPE_CHECKING

from data_gen.errors import DataGenError
from data_gen.gates import Gate, judge, stateless_gates
from data_gen.rows import Candidate, Rejection, Row

if TYPE_CHECKING:
    from data_gen.settings import GateSettings

Gates = list[tuple[str, Gate]]
Judged = Row | Rejection
# Rows a worker is handed at once: enough to hide the handing over, few enough to keep all workers busy to the end.
FEWEST, MOST = 8, 64


class JudgePool:
    """Worker processes that hold the gates; ``workers`` 0: everything is judged here.  Close it, or use ``with``.

    ``judge_many`` may be called from several threads at once.  Raises BadInput for evaluation files that cannot be read.
    """

    def __init__(self, settings: GateSettings, workers: int) -> None:
        self.workers = workers
        # Built once, here: evaluation files are read once and a bad one is told before anything starts.
        self._gates = stateless_gates(settings)
        self._lock = Lock()
        self._pool = _new_pool(self._gates, workers) if workers else None

    def judge_many(self, candidates: Sequence[Candidate]) -> list[Judged]:
        """One outcome for each, in order.  Raises DataGenError naming the row that a worker died of."""
        if self._pool is None:
            return _judge_piece(candidates, self._gates)
        size = max(FEWEST, min(MOST, -(-len(candidates) // (2 * self.workers))))
        waiting = [self.submit(candidates[at : at + size]) for at in range(0, len(candidates), size)]
        return [judged for handed in waiting for judged in self.result(handed)]

    def submit(self, piece: Sequence[Candidate]) -> Handed:
        """Hand a piece to the workers; its outcomes are had from ``result``."""
        with self._lock:
            pool = self._pool
            try:
                return Handed(piece, pool, pool.submit(_judge_here, piece))
            except BrokenProcessPool:
                return Handed(piece, pool, None)

    def result(self, handed: Handed) -> list[Judged]:
        """Outcomes of a piece.  When its worker died, its rows are judged one by one to find the one it died of."""
        try:
            if handed.future is not None:
                return handed.future.result()
        except BrokenProcessPool:
            pass  # of this piece or of another one: the pool is gone for all
        self._renew(handed.pool)
        return self._one_by_one(handed.piece)

    def _renew(self, broken: ProcessPoolExecutor) -> None:
        with self._lock:
            if self._pool is broken:
                broken.shutdown(wait=False)
                self._pool = _new_pool(self._gates, self.workers)

    def _one_by_one(self, piece: Sequence[Candidate]) -> list[Judged]:
        found: list[Judged] = []
        with _new_pool(self._gates, 1) as alone:
            for candidate in piece:
                try:
                    found += alone.submit(_judge_here, [candidate]).result()
                except BrokenProcessPool as exc:
                    raise DataGenError(
                        f"행을 판정하던 작업 프로세스가 죽었습니다 (a worker died): {candidate.row.id}\n"
                        "  메모리가 모자라면 workers를 줄이세요. 0이면 이 프로세스 안에서 판정해 까닭을 볼 수 있습니다."
                    ) from exc
        return found

    def close(self) -> None:
        """End the workers; what was not yet judged is dropped."""
        with self._lock:
            if self._pool is not None:
                self._pool.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> JudgePool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Handed:
    """A piece under way: ``future`` is None when the pool was already broken."""

    def __init__(
        self, piece: Sequence[Candidate], pool: ProcessPoolExecutor, future: Future[list[Judged]] | None
    ) -> None:
        self.piece, self.pool, self.future = piece, pool, future


def judge_stream(candidates: Iterable[Candidate], settings: GateSettings, workers: int) -> Iterator[Judged]:
    """Outcomes as they come, in order; at most ``2 * workers + 1`` pieces are read ahead, so memory does not grow."""
    source = iter(candidates)
    with JudgePool(settings, workers) as pool:
        if not workers:
            for candidate in source:
                yield from pool.judge_many([candidate])
            return
        waiting: deque[Handed] = deque()
        while piece := list(islice(source, MOST // 2)):
            waiting.append(pool.submit(piece))
            if len(waiting) > 2 * workers:
                yield from pool.result(waiting.popleft())
        while waiting:
            yield from pool.result(waiting.popleft())


def _new_pool(gates: Gates, workers: int) -> ProcessPoolExecutor:
    # spawn: a fork of a process with threads (an event loop, a progress display) may copy a held lock.
    return ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_start, initargs=(gates,))


_GATES: Gates = []


def _start(gates: Gates) -> None:
    """In a worker: take the gates; Ctrl+C is the main process's to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _GATES[:] = gates


def _judge_here(piece: Sequence[Candidate]) -> list[Judged]:
    return _judge_piece(piece, _GATES)


def _judge_piece(piece: Sequence[Candidate], gates: Gates) -> list[Judged]:
    found = []
    for candidate in piece:
        try:
            found.append(judge(candidate, gates))
        except Exception as exc:
            # A gate must answer; that it cannot is a fault of ours, and without the row's name nobody could find it.
            raise DataGenError(
                f"행을 판정하다 오류가 났습니다: {candidate.row.id}\n  {type(exc).__name__}: {exc}"
            ) from exc
    return found
