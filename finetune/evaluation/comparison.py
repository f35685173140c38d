"""One evaluation: the same rows to every model, measured, compared, written down."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from finetune.data import Row, file_sha256, target_text
from finetune.evaluation.judge import Ask, Pair, judge
from finetune.evaluation.measures import Measured, measure
from finetune.evaluation.pictures import draw_measures
from finetune.evaluation.report import report_markdown
from finetune.evaluation.subjects import Caps, Subject, recorded_subject
from finetune.evaluation.summary import METRICS, summarise
from finetune.evaluation.survival import survival, survival_line, write_survival

SAMPLES = 8


@dataclass(frozen=True)
class Plan:
    """What to measure.

    ``base_rows``: the base seldom stops, so it answers only the first rows; ``teacher``: recorded answers; ``data``: the
    file of cases from outside that the rows came from, instead of a split of the dataset.
    """

    dataset: Path
    split: str
    rows: list[Row]
    target: str
    caps: Caps = field(default_factory=Caps)
    base_rows: int = 24
    speed: bool = True
    teacher: bool = True
    data: Path | None = None

    @property
    def file(self) -> Path:
        """Where the rows are from."""
        return self.data or self.dataset / f"{self.split}.jsonl"


@dataclass(frozen=True)
class Judging:
    """``against``: "answer" (the row's own) or the name of a model that is measured before."""

    ask: Ask
    model: str
    against: str
    rows: int


def compare(plan: Plan, subjects: Iterable[Subject], judging: Judging | None = None, say=print) -> tuple[dict, dict]:
    """The record (eval.json) and every answer by model name.  Raises what the subjects raise, InputError for bad recordings."""
    answers: dict[str, list[Measured]] = {}
    models: dict[str, dict] = {}
    lines: list[dict] = []
    for subject, rows in _with_teacher(plan, subjects):
        measured, line = _one(subject, rows, plan)
        answers[subject.name], lines = measured, [*lines, line]
        models[subject.name] = {"title": subject.title, **summarise(measured)}
        say(_line(subject, models[subject.name], line))
    if judging is not None:
        _judge_all(answers, models, judging, say)
    record = {
        "dataset": plan.dataset.name,
        "split": plan.split,
        "sha256": file_sha256(plan.file),
        "rows": len(plan.rows),
        "styles": {style: sum(row.style == style for row in plan.rows) for style in _styles(plan.rows)},
        "with_evidence": sum(row.shows_evidence for row in plan.rows),
        "target": plan.target,
        "caps": asdict(plan.caps),
        "machine": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "models": models,
        "survival": survival(lines),
        "samples": _samples(plan.rows, answers),
    }
    if judging is not None:
        record["judge"] = {"model": judging.model, "against": judging.against}
    return record, answers


def write_comparison(record: dict, answers: dict[str, list[Measured]], folder: Path) -> None:
    """report.md, eval.json, eval.png, the three survival files and answers.jsonl (every answer of every model)."""
    write_survival(record["survival"], folder)
    (folder / "eval.json").write_text(json.dumps(record, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    (folder / "report.md").write_text(report_markdown(record), encoding="utf-8")
    titles = {name: model["title"] for name, model in record["models"].items()}
    shares = [metric for metric in METRICS if metric.form != "number"]
    draw_measures(titles, record["models"], shares, folder / "eval.png")
    with (folder / "answers.jsonl").open("w", encoding="utf-8") as handle:
        for name, measured in answers.items():
            for one in measured:
                handle.write(json.dumps({"model": name, **_said(one)}, ensure_ascii=False) + "\n")


def _with_teacher(plan: Plan, subjects: Iterable[Subject]):
    """Each subject with its rows; the recorded teacher first, on the rows it covers."""
    recorded = recorded_subject(plan.dataset / "recorded_answers.jsonl") if plan.teacher else None
    if recorded is not None:
        teacher, covers = recorded
        if covered := [row for row in plan.rows if covers(row)]:
            yield teacher, covered
    for subject in subjects:
        rows = plan.rows[: plan.base_rows] if subject.name == "base" else plan.rows
        if rows:
            yield subject, rows


def _one(subject: Subject, rows: list[Row], plan: Plan) -> tuple[list[Measured], dict]:
    generations = subject.answer(rows, plan.caps)
    expected = [row for row in rows if target_text(row, plan.target)]  # a case from outside may have an amount only
    found = subject.likelihoods(expected, plan.target) if subject.likelihoods and expected else []
    likely = dict(zip((row.id for row in expected), found, strict=False))
    likelihoods = [likely.get(row.id) for row in rows]
    measured = [
        measure(row, generation, plan.target, likelihood, subject.generated)
        for row, generation, likelihood in zip(rows, generations, likelihoods, strict=True)
    ]
    speed = subject.speed(rows) if plan.speed and subject.speed else None
    hits = {one.row.id: bool(one.parts["exact"][0]) for one in measured if "exact" in one.parts}
    # Of the rows whose amount is judged: a student that was not taught to answer in words would hide its losses there.
    judged = [found for row, found in zip(rows, likelihoods, strict=True) if found and row.id in hits]
    return measured, survival_line(subject, hits, judged or [one for one in likelihoods if one is not None], speed)


def _judge_all(answers: dict[str, list[Measured]], models: dict[str, dict], judging: Judging, say) -> None:
    other = {one.row.id: one.shown for one in answers.get(judging.against, [])}
    for name, measured in answers.items():
        pairs = [
            Pair(one.row, one.shown, one.row.answer if judging.against == "answer" else other[one.row.id])
            for one in measured
            if judging.against == "answer" or one.row.id in other
        ]
        # Equal texts need no judge; the recorded teacher's answer often is the row's own.
        pairs = [pair for pair in pairs if pair.ours.strip() != pair.theirs.strip()][: judging.rows]
        if name != judging.against and pairs:
            say(f"판정: {models[name]['title']}, {len(pairs)}쌍을 순서를 바꾸어 두 번씩 {2 * len(pairs)}번 묻습니다.")
            models[name]["judge"] = judge(pairs, judging.ask)


def _samples(rows: Sequence[Row], answers: dict[str, list[Measured]]) -> list[dict]:
    """The first rows, which take turns through styles and taxes, with what each model said."""
    by_row = {name: {one.row.id: one for one in measured} for name, measured in answers.items()}
    return [
        {
            "id": row.id,
            "style": row.style,
            "question": row.question,
            "answer": row.answer,
            "answers": {name: _said(found[row.id]) for name, found in by_row.items() if row.id in found},
        }
        for row in rows[:SAMPLES]
    ]


def _said(one: Measured) -> dict:
    return {
        "id": one.row.id,
        "written": one.written,
        "stopped": one.stopped,
        "shown": one.shown,
        "problem": one.problem,
        "payable": one.payable,
        "expected": one.row.payable,
        "exact": bool(one.parts["exact"][0]) if "exact" in one.parts else None,
        "faults": list(one.faults),
    }


def _styles(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(row.style for row in rows))


def _line(subject: Subject, model: dict, line: dict) -> str:
    def share(key: str) -> str:
        found = model["measures"][key]
        return f"{found['value']:.0%}" if found else "–"

    speed = f", {line['tokens_per_second']:,.0f} tokens/s" if line["tokens_per_second"] else ""
    return f"{subject.title}: {model['rows']}행, 최종 세액 {share('exact')}, 검증기가 확인 {share('verified')}{speed}"
