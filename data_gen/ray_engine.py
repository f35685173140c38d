"""`build --engine ray`: the same work on each document, spread over a Ray cluster by Ray Data.

    with ray_run(store_path, {"gpt-4o": ledger}, address=None, workers=2) as run:
        for ordinal, worked in ray_outcomes(run, documents, tasks, "gpt-4o", settings, seed, open_desk):
            ...

Ray Data schedules; nothing here does.  Each worker is an actor with a desk of its own (its share of the limits) whose
Keeper is the one actor beside the driver.  ``data_gen`` must be importable on every machine of the cluster.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
import pickle
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from data_gen.asking.keeper import Keeper, Ledger
from data_gen.asking.pool import run_pool
from data_gen.documents import Document
from data_gen.errors import DataGenError
from data_gen.ray_keeper import KeeperActor, RayKeeper, lost_keeper
from data_gen.tasks import Task
from data_gen.teacher_settings import OpenAISettings, TeacherSettings
from data_gen.teachers import Desk
from data_gen.work import Worked, work

OpenDesk = Callable[[str, TeacherSettings, Keeper], Desk]
"""(name of the teacher, its settings, the keeper) -> a desk; called on the worker, inside its event loop."""

# Documents in one Ray task at most.  Several tasks are under way in each worker, so the end of one holds up nothing.
_MOST_IN_BLOCK = 32
# Memory of a local cluster's object store, in bytes; documents beyond it are spilled to disk by Ray.
_OBJECT_STORE = 256 * 2**20


@dataclass(frozen=True)
class RayRun:
    """A connected cluster with the run's keeper."""

    actor: Any
    workers: int

    def keeper(self, teacher: str) -> RayKeeper:
        """For a desk on the driver (the judge): same store, same purse."""
        return RayKeeper(self.actor, teacher)

    def ledger(self, teacher: str) -> Ledger:
        """A copy of the teacher's ledger as it stands now.  Raises DataGenError when the keeper is gone."""
        return _get(self.actor.ledger.remote(teacher))


@contextmanager
def ray_run(
    store_path: Path, ledgers: Mapping[str, Ledger], address: str | None = None, workers: int = 2
) -> Iterator[RayRun]:
    """Connect to the cluster at ``address`` (``auto``, host:port), or start one on this machine that ends with the block.

    ``ledgers``: by name of teacher; those that share a purse go on sharing it.  Raises DataGenError: Ray not installed,
    no such cluster, too few CPUs, the store held by another run.
    """
    if workers < 1:
        raise DataGenError(f"작업자 수는 1 이상이어야 합니다: {workers} (workers)")
    ray = _import_ray()
    folder = tempfile.mkdtemp(prefix="slm-ray-") if address is None else None
    try:
        _connect(ray, address, folder, workers)
        actor = None
        try:
            actor = _start_keeper(ray, store_path, ledgers)
            yield RayRun(actor, workers)
        finally:
            if actor is not None:
                with suppress(ray.exceptions.RayError):
                    ray.get(actor.close.remote(), timeout=10)
            ray.shutdown()
    finally:
        if folder:
            shutil.rmtree(folder, ignore_errors=True)


def ray_outcomes(
    run: RayRun,
    documents: Iterable[Document],
    tasks: Sequence[Task],
    teacher_name: str,
    settings: TeacherSettings,
    seed: int,
    open_desk: OpenDesk,
    keys: Mapping[str, str] | None = None,
) -> Iterator[tuple[int, Worked]]:
    """(ordinal of the document, what came of it), as they come.

    ``documents`` is read once, in blocks, into Ray's object store (which spills to disk) before the first is asked about.
    ``keys``: environment variables for the workers (the API key that only the driver's .env holds); they travel from
    process to process and are in no log.  Raises the DataGenError of the first worker that says going on is pointless; by
    then nothing more is sent and what was under way is stored.  The same holds when the caller leaves early.
    """
    import ray

    share = share_of(settings, run.workers)
    places = share.concurrency if isinstance(share, OpenAISettings) else 1
    block = min(_MOST_IN_BLOCK, max(1, places // 2))
    refs = [ray.put(table) for table in _blocks(documents, block)]
    if not refs:
        return
    asker = (run.actor, tuple(tasks), teacher_name, share, seed, open_desk, places)
    ray.get(run.actor.set_keys.remote(dict(keys or {})))
    data = ray.data.from_arrow_refs(refs)
    del refs
    answers = data.map_batches(
        Asker,
        fn_constructor_args=asker,
        batch_size=None,
        batch_format="pyarrow",
        zero_copy_batch=True,
        compute=ray.data.ActorPoolStrategy(
            size=run.workers,
            # As many documents under way as a local run has: twice the places, and one block to come.
            max_concurrent_calls_per_actor=math.ceil(2 * places / block) + 1,
            enable_true_multi_threading=True,
        ),
        num_cpus=1,
    )
    yield from _results(run, answers)


def share_of(settings: TeacherSettings, workers: int) -> TeacherSettings:
    """One worker's part of the limits: together the workers never exceed the teacher's.  Raises DataGenError if too thin."""
    if not isinstance(settings, OpenAISettings):
        return settings
    if settings.concurrency < workers:
        raise DataGenError(
            f"동시 요청 {settings.concurrency}개를 작업자 {workers}명이 나눌 수 없습니다 (concurrency < workers).\n"
            f"  작업자를 {settings.concurrency}명 이하로 줄이거나 교사의 concurrency를 늘리세요."
        )
    part = {
        "concurrency": settings.concurrency // workers,
        "rpm": settings.rpm / workers if settings.rpm else None,
        "tpm": settings.tpm / workers if settings.tpm else None,
    }
    return settings.model_copy(update=part)


class Asker:
    """A worker: one desk on one event loop in a thread of its own, which all of the worker's Ray tasks share."""

    def __init__(
        self,
        actor: Any,
        tasks: tuple[Task, ...],
        teacher: str,
        settings: TeacherSettings,
        seed: int,
        open_desk: OpenDesk,
        places: int,
    ) -> None:
        import ray

        # The name outlives a restart of the process: that is how the keeper learns of the death before.
        who = ray.get_runtime_context().get_actor_id()
        ray.get(actor.hello.remote(who))
        os.environ.update(ray.get(actor.keys.remote()))
        self._tasks, self._seed, self._places = tasks, seed, places
        self._stopped: DataGenError | None = None
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="asking", daemon=True).start()
        try:
            self._desk = self._run(_opened(open_desk, teacher, settings, RayKeeper(actor, teacher, who)))
        except DataGenError as exc:
            self._stopped = exc  # told with the first block: an actor that cannot start is only restarted by Ray

    def __call__(self, block):
        """A table of (ordinal, document) to one of (ordinal, outcome); an outcome is a Worked or a DataGenError."""
        import pyarrow

        found = self._run(self._work(block.to_pydict()))
        return pyarrow.table(
            {
                "ordinal": pyarrow.array([ordinal for ordinal, _ in found], pyarrow.int64()),
                "outcome": pyarrow.array([pickle.dumps(outcome) for _, outcome in found], pyarrow.large_binary()),
            }
        )

    async def _work(self, block: dict[str, list]) -> list[tuple[int, Worked | DataGenError]]:
        async def one(numbered: tuple[int, bytes]) -> tuple[int, Worked | DataGenError]:
            ordinal, document = numbered
            if self._stopped is None:
                try:
                    return ordinal, await work(pickle.loads(document), self._tasks, self._desk, self._seed)
                except DataGenError as exc:
                    self._stopped = exc
            return ordinal, self._stopped

        numbered = zip(block["ordinal"], block["document"], strict=True)
        async with aclosing(run_pool(numbered, one, 2 * self._places)) as results:
            return [result async for result in results]

    def _run(self, coroutine) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()


async def _opened(open_desk: OpenDesk, teacher: str, settings: TeacherSettings, keeper: Keeper) -> Desk:
    return open_desk(teacher, settings, keeper)


def _blocks(documents: Iterable[Document], size: int) -> Iterator[Any]:
    """Tables of (ordinal, pickled document); our own values, read by our own workers."""
    import pyarrow

    source = enumerate(documents)
    while block := list(islice(source, size)):
        yield pyarrow.table(
            {
                "ordinal": pyarrow.array([ordinal for ordinal, _ in block], pyarrow.int64()),
                "document": pyarrow.array([pickle.dumps(document) for _, document in block], pyarrow.large_binary()),
            }
        )


def _results(run: RayRun, answers: Any) -> Iterator[tuple[int, Worked]]:
    import ray

    fault: DataGenError | None = None
    try:
        for table in answers.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
            for ordinal, packed in zip(table["ordinal"].to_pylist(), table["outcome"].to_pylist(), strict=True):
                outcome = pickle.loads(packed)
                if not isinstance(outcome, DataGenError):
                    yield ordinal, outcome
                elif fault is None:
                    # Read on to the end: what is under way is kept, and what is not begun comes back at once.
                    fault = outcome
                    _get(run.actor.stop.remote(fault))
    except ray.exceptions.RayActorError as exc:
        raise lost_keeper(exc) from exc
    except BaseException:  # the caller left, or Ctrl-C: what was sent is paid for and worth waiting for
        with suppress(ray.exceptions.RayError):
            ray.get(run.actor.stop.remote(DataGenError("중단했습니다 (interrupted).")))
            ray.get(run.actor.idle.remote(_WIND_DOWN_S))
        raise
    if fault:
        raise fault


_QUIET = {
    "RAY_prestart_worker_first_driver": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    # Its C++ side warns of every restartable actor of Ray Data, on the user's screen.
    "RAY_BACKEND_LOG_LEVEL": "fatal",
}
# Seconds that calls under way are given to be answered when a run is left early.
_WIND_DOWN_S = 120.0


def _get(ref: Any) -> Any:
    import ray

    try:
        return ray.get(ref)
    except ray.exceptions.RayActorError as exc:
        raise lost_keeper(exc) from exc


def _import_ray():
    # Read when Ray is first imported or started: nothing is reported to anybody, and no process that has no work yet is begun.
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_enable_metrics_collection": "0"}
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import ray
        import ray.data
    except ImportError as exc:
        raise DataGenError(
            f"Ray가 없습니다 ({exc.name}): --engine ray에는 ray 묶음이 필요합니다 (extra not installed).\n"
            "  pip install 'slm-forest[ray]' 로 설치하거나 --engine을 빼고 실행하세요."
        ) from exc
    return ray


def _connect(ray, address: str | None, folder: str | None, workers: int) -> None:
    if address and address.startswith("ray://"):
        raise DataGenError(
            f"ray:// 주소로는 실행하지 않습니다: {address} (Ray Client)\n"
            "  클러스터의 한 기계에서 --address auto로 실행하세요. 응답 저장소가 그 기계에 놓입니다."
        )
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR, "namespace": "slm-forest"}
    try:
        if address is None:
            ray.init(
                "local",
                num_cpus=workers,
                include_dashboard=False,
                object_store_memory=_OBJECT_STORE,
                _temp_dir=folder,
                **quiet,
            )
        else:
            ray.init(address, **quiet)
    except (ConnectionError, RuntimeError, ValueError) as exc:
        where = address or "이 기계 (local)"
        raise DataGenError(f"Ray에 연결하지 못했습니다: {where}\n  {exc}") from exc
    cpus = int(ray.cluster_resources().get("CPU", 0))
    if cpus < workers:
        ray.shutdown()
        raise DataGenError(
            f"클러스터의 CPU가 {cpus}개라 작업자 {workers}명을 둘 수 없습니다 (one CPU per worker).\n  작업자 수를 줄이세요."
        )
    ray.data.DataContext.get_current().enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)


def _start_keeper(ray, store_path: Path, ledgers: Mapping[str, Ledger]) -> Any:
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    actor = (
        ray.remote(KeeperActor)
        # The store is a file of this machine.  Many finds may be waiting for one answer at once.
        .options(num_cpus=0, max_concurrency=10_000, scheduling_strategy=here)
        .remote(str(store_path.resolve()), dict(ledgers))
    )
    done, fault = _get(actor.open.remote())
    if not done:
        raise fault
    return actor
