"""What the dashboard shows, read from the files that training and the data engine left behind.

Their schema is docs/contracts.md, sections 2 and 3.  A file that is not there is an empty state, one that cannot be read is
said to be so; neither stops the page.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from pydantic import ConfigDict

from serve.call_labels import TAXES
from serve.settings import ServeConfig, Student
from taxlaw.errors import ConfigError
from taxlaw.strict_config import StrictModel, validate

# The gates in the order in which a pair meets them.
GATES = {
    "schema": "형식",
    "korean": "한국어",
    "length": "길이",
    "private_data": "개인정보",
    "conduct": "바른 조언",
    "decontamination": "평가 문항 겹침",
    "citations": "조문 실재",
    "amounts": "금액 재계산",
    "verify": "근거 대조",
    "judge": "판정 모델",
    "review": "사람의 검토",
    "duplicate": "중복",
}


class _Part(StrictModel):
    model_config = ConfigDict(extra="ignore")  # these records hold more than is shown


class _Scored(_Part):
    rows: int
    exact: float
    per_tax: dict[str, _ScoredTax] = {}  # noqa: RUF012  pydantic copies it


class _ScoredTax(_Part):
    rows: int
    exact: float


class _Estimate(_Part):
    value: float
    low: float
    high: float


class _Line(_Part):
    name: str
    title: str
    exact: _Estimate | None = None
    kept: _Estimate | None = None
    nll_token: _Estimate | None = None
    bytes: int | None = None
    tokens_per_second: float | None = None


class _Survival(_Part):
    lines: tuple[_Line, ...] = ()


class _Data(_Part):
    dataset: str | None = None


class _Run(_Part):
    eval: dict[str, _Scored] = {}  # noqa: RUF012
    survival: _Survival | None = None
    data: _Data = _Data()


class _Evaluation(_Part):
    survival: _Survival


class _Counts(_Part):
    requested: int
    accepted: int
    rejected: int
    failed: int
    by_gate: dict[str, int] = {}  # noqa: RUF012


class _Build(_Part):
    counts: _Counts


@dataclass(frozen=True)
class TaxAccuracy:
    """Share (0 to 1) of held-out worked examples whose final amount is exact; ``rows`` of the student."""

    tax: str
    before: float | None
    after: float | None
    rows: int


@dataclass(frozen=True)
class SurvivalLine:
    """One model of the chain; shares 0 to 1 with their 95 % interval, nats a token, bytes, tokens a second."""

    title: str
    exact: tuple[float, float, float] | None
    kept: float | None
    nll_token: float | None
    bytes: int | None
    tokens_per_second: float | None


@dataclass(frozen=True)
class StudentReport:
    """``problem``: why a record that is there could not be read."""

    taxes: tuple[TaxAccuracy, ...] = ()
    survival: tuple[SurvivalLine, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class Funnel:
    """``steps``: (what, how many pairs are left), from what was asked for to what was accepted."""

    dataset: str = ""
    steps: tuple[tuple[str, int], ...] = ()
    problem: str = ""


def student_report(student: Student) -> StudentReport:
    """The report of the served student's run; the survival table of a later ``finetune eval`` goes before the run's own."""
    folder = Path(student.path).parent
    try:
        run = _read(folder / "run.json", _Run)
        evaluation = _read(folder / "eval" / "eval.json", _Evaluation)
    except ConfigError as exc:
        return StudentReport(problem=str(exc))
    if run is None:
        return StudentReport()
    before, after = run.eval.get("base"), run.eval.get("student")
    names = list(after.per_tax) if after else list(before.per_tax) if before else []
    taxes = [TaxAccuracy("전체", before and before.exact, after and after.exact, after.rows if after else 0)]
    for name in names:
        old, new = (side.per_tax.get(name) if side else None for side in (before, after))
        taxes.append(TaxAccuracy(TAXES.get(name, name), old and old.exact, new and new.exact, new.rows if new else 0))
    survival = evaluation.survival if evaluation else run.survival
    lines = tuple(_line(line) for line in survival.lines) if survival else ()
    return StudentReport(tuple(taxes) if before or after else (), lines)


def dataset_funnel(config: ServeConfig, student: Student) -> Funnel:
    """The funnel of the dataset the student was trained on, else of the one whose recordings are shown."""
    recorded = config.teacher.recorded_folder
    if recorded is None:
        return Funnel()
    try:
        run = _read(Path(student.path).parent / "run.json", _Run)
        trained_on = recorded.parent / Path(run.data.dataset).name if run and run.data.dataset else recorded
        folder = trained_on if (trained_on / "run.json").is_file() else recorded
        build = _read(folder / "run.json", _Build)
    except ConfigError as exc:
        return Funnel(problem=str(exc))
    if build is None:
        return Funnel()
    counts = build.counts
    left = counts.requested
    steps = [("요청", left)]
    met = sorted(counts.by_gate, key=lambda gate: [*GATES, gate].index(gate))
    for name, lost in [
        ("답을 받음", counts.failed),
        *((f"{GATES.get(it, it)} 통과", counts.by_gate[it]) for it in met),
    ]:
        left -= lost
        steps.append((name, left))
    if left != counts.accepted:
        steps.append(("채택", counts.accepted))
    return Funnel(folder.name, tuple(steps))


def _read(path: Path, model: type[_Part]):
    """The record at ``path``, None when there is none.  Raises ConfigError."""
    if not path.is_file():
        return None
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise ConfigError(f"읽을 수 없습니다: {path.name} ({exc})") from exc
    return validate(raw, model, where=path.name)


def _line(line: _Line) -> SurvivalLine:
    exact = line.exact and (line.exact.value, line.exact.low, line.exact.high)
    return SurvivalLine(
        line.title.replace("*", ""),
        exact,
        line.kept and line.kept.value,
        line.nll_token and line.nll_token.value,
        line.bytes,
        line.tokens_per_second,
    )
