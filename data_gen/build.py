"""The build: documents and worked cases stream through the gates into a dataset folder that appears whole or not at all."""

from __future__ import annotations

import contextlib
import datetime
import importlib.metadata
import json
import platform
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path

from data_gen.card import dataset_card
from data_gen.documents import Library, load_library
from data_gen.errors import DataGenError
from data_gen.funnel import draw_funnel, print_funnel
from data_gen.gates import GATE_NAMES, judge, make_gates
from data_gen.pairs import document_candidates
from data_gen.rows import SPLITS, Candidate, Counts, Failure, Row, split_of, to_json
from data_gen.settings import BuildConfig
from data_gen.teachers import Teacher, open_teacher
from data_gen.worked import worked_candidates

VERSIONED = ("openai", "pydantic", "Jinja2", "korean-tax-mcp", "matplotlib")
REJECTED, RECORDED = "rejected", "recorded_answers"


@dataclass(frozen=True)
class Built:
    folder: Path
    counts: Counts
    origin: str
    failures: tuple[Failure, ...]


def build(config: BuildConfig, out: Path | None = None, console=None, teacher: Teacher | None = None) -> Built:
    """Build the dataset folder of ``config`` and return what happened.

    ``teacher`` stands in for the configured one.  An existing dataset at the same place is replaced only when the new one
    is complete.  Raises DataGenError or a taxlaw error; nothing is left behind then.
    """
    folder = out or config.out or Path("datasets") / config.name
    _refuse_foreign_folder(folder)
    library = load_library(config.documents, config.as_of)
    if teacher is None and library.documents:
        teacher = open_teacher(config.teacher)
    if console is not None:
        console.print(
            f"[bold]{config.name}[/bold] 기준일 {config.as_of} · 문서 {len(library.documents):,}개 · 계산 예제 {config.worked.count:,}개"
        )
        console.print(library.origin)
    with _staging(folder) as staging:
        counts, failures = _stream(config, library, teacher, staging, console)
        _refuse_dead_teacher(library, failures, len(config.prompts))
        _write_summary(config, library, counts, failures, staging)
        _replace(folder, staging)
    return Built(folder, counts, library.origin, tuple(failures))


def _stream(
    config: BuildConfig, library: Library, teacher: Teacher | None, staging: Path, console
) -> tuple[Counts, list[Failure]]:
    """Every candidate through the gates and onto disk as it comes."""
    total = len(library.documents) * len(config.prompts) * 2 + config.worked.count
    # Worked rows first: `datasets` types a column by its first block, and only they fill call and payable.
    candidates = chain(
        worked_candidates(config.worked, config.as_of, config.seed),
        document_candidates(library.documents, config.prompts, teacher) if teacher else (),
    )
    gates = make_gates(config.length)
    counts, failures = Counts(), []
    with contextlib.ExitStack() as stack:
        names = (*SPLITS, REJECTED, RECORDED)
        files = {name: stack.enter_context((staging / f"{name}.jsonl").open("w", encoding="utf-8")) for name in names}
        for candidate in _with_progress(candidates, total, console):
            source = candidate.source if isinstance(candidate, Failure) else candidate.row.source
            counts.add("requested", source)
            if isinstance(candidate, Failure):
                counts.add("failed", source)
                failures.append(candidate)
                continue
            judged = judge(candidate, gates)
            if not isinstance(judged, Row):
                counts.add("rejected", source)
                counts.by_gate[judged.gate] = counts.by_gate.get(judged.gate, 0) + 1
                files[REJECTED].write(to_json(judged) + "\n")
                continue
            counts.add("accepted", source)
            counts.by_tax[judged.tax] = counts.by_tax.get(judged.tax, 0) + 1
            split = split_of(judged.family, config.seed, config.validation_share)
            counts.by_split[split] += 1
            files[split].write(to_json(judged) + "\n")
            if judged.provenance.teacher == "recorded":
                files[RECORDED].write(_recorded_answer(judged) + "\n")
    return counts, failures


def _recorded_answer(row: Row) -> str:
    answer = {key: getattr(row, key) for key in ("question", "answer", "style")}
    answer |= {key: getattr(row.provenance, key) for key in ("document_id", "model", "note")}
    return json.dumps(answer, ensure_ascii=False)


def _with_progress(candidates, total: int, console) -> Iterator[Candidate | Failure]:
    if console is None:
        yield from candidates
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("만드는 중"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        yield from progress.track(candidates, total=total)


def _write_summary(
    config: BuildConfig, library: Library, counts: Counts, failures: list[Failure], staging: Path
) -> None:
    card = dataset_card(config, library, counts, GATE_NAMES, teacher_used=bool(library.documents))
    (staging / "dataset_card.md").write_text(card, encoding="utf-8")
    draw_funnel(counts, GATE_NAMES, staging / "funnel.png")
    record = {
        "config": config.model_dump(mode="json"),
        "provisions": library.origin,
        "documents": len(library.documents),
        "counts": asdict(counts),
        "failures": [asdict(failure) for failure in failures],
        "versions": _versions(),
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }
    (staging / "run.json").write_text(json.dumps(record, ensure_ascii=False, indent=2), encoding="utf-8")


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in VERSIONED:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):  # not every build needs every one
            found[name] = importlib.metadata.version(name)
    return found


def report(built: Built, console) -> None:
    """The funnel, the first reasons of failure, and where the folder is."""
    print_funnel(built.counts, GATE_NAMES, console)
    if built.failures:
        console.print(f"[yellow]실패 {len(built.failures):,}건[/yellow] (사유는 run.json):")
        for reason, number in Counter(failure.reason for failure in built.failures).most_common(3):
            console.print(f"  {number:,}건: {reason}", markup=False)
    for split in SPLITS:
        if not built.counts.by_split[split]:
            console.print(f"[yellow]주의: {split}.jsonl이 비었습니다.[/yellow] validation_share나 seed를 바꿔 보세요.")
    console.print(f"데이터셋: {built.folder}", markup=False, highlight=False)


def _refuse_dead_teacher(library: Library, failures: list[Failure], prompts: int) -> None:
    """A teacher that answered nothing at all is an error, not a dataset of worked examples with a footnote."""
    asked = [document for document in library.documents if not document.fault]
    lost = [failure for failure in failures if failure.source != "practical"]
    if asked and len(lost) == 2 * prompts * len(library.documents):
        raise DataGenError(
            f"교사가 문서 {len(library.documents)}개 가운데 하나에도 답하지 못했습니다 (the teacher answered nothing).\n"
            f"  첫 사유: {lost[0].reason}\n  교사 설정을 고치거나 documents를 꺼서 계산 예제만 만드세요."
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
    shutil.rmtree(former, ignore_errors=True)
