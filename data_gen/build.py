"""The build: documents and worked cases pass a teacher, the gates and people's decisions into a dataset folder.

The folder appears whole or not at all; what was paid for stays in the store, so a build that was stopped goes on for free.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from data_gen.asking_run import Cluster, Spent, ask_documents
from data_gen.documents import Library, load_library, statutes_folder
from data_gen.errors import DataGenError
from data_gen.gathering import Tally, gather_worked
from data_gen.grounded.candidates import grounded_candidates
from data_gen.judging import JudgePool
from data_gen.keeping import Kept, keep
from data_gen.review.log import LOG_NAME, Decisions, carry, load_decisions
from data_gen.rows import Candidate, Failure
from data_gen.settings import BuildConfig
from data_gen.spool import Spool
from data_gen.summary import write_summary
from data_gen.tasks import Task
from data_gen.tasks.all_tasks import TASKS, applies
from data_gen.teachers import Desk
from data_gen.teachers.staff import check_keys, hire
from data_gen.worked.candidates import templated_candidates

if TYPE_CHECKING:
    from rich.console import Console

SMALL = 400
"""Rows up to which worker processes would take longer to start than to judge."""


@dataclass(frozen=True)
class Built:
    folder: Path
    kept: Kept
    origin: str
    spent: Spent
    decisions: Decisions


def build(
    config: BuildConfig,
    out: Path | None = None,
    console: Console | None = None,
    desk: Desk | None = None,
    cluster: Cluster | None = None,
) -> Built:
    """Build the dataset folder of ``config`` and return what happened.

    ``desk`` stands in for the configured teacher, ``cluster`` asks on a Ray cluster.  An existing dataset at the same place
    is replaced only when the new one is complete.  Raises DataGenError or a taxlaw error; nothing is left behind then
    besides the answers in the store.
    """
    folder = out or config.out or Path("datasets") / config.name
    _refuse_foreign_folder(folder)
    library, staff = load_library(config.documents, config.as_of), hire(config)
    if desk is None:
        check_keys(staff)
    tasks = [TASKS[name] for name in config.tasks]
    began, count = time.monotonic(), len(library)
    if console is not None:
        console.print(
            f"[bold]{config.name}[/bold] 기준일 {config.as_of} · 문서 {count:,}개 · 틀로 만드는 쌍 {config.templated:,}개"
        )
        console.print(library.origin, markup=False)
    decisions = load_decisions(folder / LOG_NAME)
    tally = Tally()
    with _staging(folder) as staging:
        spool = Spool(staging / ".spool.sqlite")
        with contextlib.closing(spool), JudgePool(config.gates, _workers(config, count, tasks)) as judges:
            with _progress(config.templated, tally, console):
                made = _without_a_teacher(config)
                free = gather_worked(made, judges, spool, tally)
            spent = Spent()
            if count and tasks:
                spent = ask_documents(config, staff, library, count, tasks, judges, spool, free, console, desk, cluster)
                _refuse_dead_teacher(library, tasks, spent)
            kept = keep(spool, config, judges, staging, decisions)
        (staging / ".spool.sqlite").unlink()
        write_summary(config, staff, library, count, kept, spent, decisions, time.monotonic() - began, staging)
        _replace(folder, staging)
    return Built(folder, kept, library.origin, spent, decisions)


def _without_a_teacher(config: BuildConfig) -> Iterator[Candidate | Failure]:
    """Rows made by templates, calculators and quotation."""
    yield from templated_candidates(config.worked, config.as_of, config.seed)
    if config.grounded.count or config.grounded.held_out:
        folder = statutes_folder(config.documents)
        if folder is None:
            raise DataGenError(
                "grounded는 법령 폴더가 있어야 만듭니다 (statutes folder needed).\n"
                "  documents.statutes에 폴더를 적거나 grounded.count를 0으로 하세요."
            )
        yield from grounded_candidates(config.grounded, [folder], config.as_of, config.seed)


def report(built: Built, console: Console) -> None:
    """The funnel, the first reasons of failure, what it cost, and where the folder is."""
    from data_gen.funnel import FUNNEL, print_funnel
    from data_gen.prices import show_money

    counts = built.kept.counts
    print_funnel(counts, FUNNEL, console)
    if counts.failed:
        console.print(f"[yellow]실패 {counts.failed:,}건[/yellow] (사유는 failures.jsonl):")
        for reason, number in built.kept.reasons.most_common(3):
            console.print(f"  {number:,}건: {reason}", markup=False)
    for line in built.decisions.report():
        console.print(line, markup=False)
    if built.spent.prices is not None:
        console.print(
            f"이번에 보낸 답변 {built.spent.sent:,}개, 저장되어 있던 답변 {built.spent.replies - built.spent.sent:,}개, "
            f"쓴 금액 {show_money(built.spent.usd, built.spent.prices)}"
            + (f" (가격을 모르는 답변 {built.spent.unpriced:,}개 제외)" if built.spent.unpriced else ""),
            highlight=False,
        )
    if built.spent.capped:
        console.print(
            f"[yellow]금액 상한에 이르러 {built.spent.capped:,}개를 묻지 못했습니다[/yellow] (money cap). "
            "상한을 올려 다시 실행하면 받은 답은 그대로 쓰고 나머지만 묻습니다."
        )
    for split in ("train", "validation"):
        if not counts.by_split[split]:
            console.print(f"[yellow]주의: {split}.jsonl이 비었습니다.[/yellow] splits나 seed를 바꿔 보세요.")
    console.print(f"데이터셋: {built.folder}", markup=False, highlight=False)


def _workers(config: BuildConfig, documents: int, tasks: Sequence[Task]) -> int:
    if config.workers is not None:
        return config.workers
    rows = config.templated + documents * sum(len(task.styles) for task in tasks)
    return 0 if rows <= SMALL else os.cpu_count() or 1


@contextlib.contextmanager
def _progress(total: int, tally: Tally, console: Console | None) -> Iterator[None]:
    """A bar over the calculator's rows; the asking has a panel of its own."""
    if console is None or not total:
        yield
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("계산 예제를 검사하는 중"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("", total=total)
        tally.watchers.append(lambda: progress.update(bar, completed=tally.accepted + tally.rejected))
        yield
    tally.watchers.clear()


def _refuse_dead_teacher(library: Library, tasks: Sequence[Task], spent: Spent) -> None:
    """A teacher that answered nothing at all is an error, not a dataset of worked examples with a footnote."""
    if spent.replies or spent.capped:
        return
    asked = sum(1 for document in library for task in tasks if not document.fault and applies(task, document))
    if asked:
        raise DataGenError(
            f"교사가 {asked:,}개의 요청 가운데 하나에도 답하지 못했습니다 (the teacher answered nothing).\n"
            f"  첫 사유: {spent.first_failure}\n  교사 설정을 고치거나 documents를 꺼서 계산 예제만 만드세요."
        )


def _refuse_foreign_folder(folder: Path) -> None:
    """Replacing removes what was there: only a former dataset or an empty folder may go."""
    if not folder.exists() or (folder.is_dir() and ((folder / "run.json").is_file() or not any(folder.iterdir()))):
        return
    raise DataGenError(
        f"데이터셋이 아닌 것이 그 자리에 있습니다: {folder}\n  --out으로 다른 폴더를 주거나 직접 옮기세요 (not a dataset folder)."
    )


@contextlib.contextmanager
def _staging(folder: Path) -> Iterator[Path]:
    """A temporary folder on the same disk as ``folder``, gone whatever happens."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    staging.chmod(0o755)
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _replace(folder: Path, staging: Path) -> None:
    """Put the finished folder in place; the former one steps aside first, since a rename cannot overwrite a full folder."""
    former = staging.with_name(f"{staging.name}.former")
    if folder.exists():
        folder.rename(former)
    try:
        staging.rename(folder)
    except OSError:
        if former.exists():
            former.rename(folder)
        raise
    if former.exists():
        carry(former, folder)  # the log of people's decisions belongs to the dataset, not to one build of it
        shutil.rmtree(former, ignore_errors=True)
