"""report.html: the facts of a dataset folder in one file with its own style, script and data.

The browser is told to fetch nothing and to run only this file's own script, whatever stands in the data.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from data_gen.korean_names import korean
from data_gen.report import charts, run_record
from data_gen.report.coverage import coverage
from data_gen.report.facts import FACETS, Facts, gather

REPORT_NAME = "report.html"
_HERE = Path(__file__).parent
_FACET_NAMES = {"split": "묶음", "source": "출처", "tax": "세목", "style": "문체"}
_REASONS_SHOWN = 12


def write_report(folder: Path) -> Path:
    """Write report.html into a dataset folder and return its path.  Raises BadInput when the folder is no dataset."""
    path = folder / REPORT_NAME
    text = render(gather(folder), folder.resolve().name)
    partial = path.with_name(f".{REPORT_NAME}.partial")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)
    return path


def render(facts: Facts, name: str) -> str:
    """The report as HTML."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_HERE), undefined=StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "thousands": _thousands,
        "dollars": _dollars,
        "wons": _wons,
        "dollar_or_unknown": lambda value, absent: _money(value, absent, _dollar),
        "won_or_unknown": lambda value, absent: _money(value, absent, _won),
        "duration": _duration,
        "moment": _moment,
    }
    script = (_HERE / "report.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
    run = facts.run
    config = run.get("config") if isinstance(run.get("config"), dict) else {}
    counts = run.get("counts") if isinstance(run.get("counts"), dict) else {}
    laws = coverage(facts.articles, facts.laws)
    history = run_record.limits(run)
    seconds = run_record.seconds(run)
    return environment.get_template("report.html.j2").render(
        name=str(config.get("name") or name),
        as_of=config.get("as_of"),
        date=run.get("date"),
        provisions=run.get("provisions"),
        documents=run.get("documents"),
        accepted=facts.accepted,
        rejected=facts.rejected,
        failed=counts.get("failed"),
        funnel=_funnel(run_record.funnel(run, facts.gates, facts.accepted)),
        facets=[(_FACET_NAMES[facet], _named(facet, facts.counts[facet])) for facet in FACETS],
        laws=laws,
        most_pairs=max((article.pairs for law in laws for article in law.covered), default=1),
        articles=len(facts.articles),
        missing=sum(len(law.missing) for law in laws),
        without_article=facts.without_article,
        difficulty=_difficulty(facts),
        unrated=facts.difficulty[0],
        question_lengths=charts.lengths(facts.question_lengths),
        answer_lengths=charts.lengths(facts.answer_lengths),
        turns=charts.bars((f"{turns}번", count) for turns, count in sorted(facts.turns.items())),
        teachers=sorted(facts.teachers.items(), key=lambda item: -item[1].rows - item[1].rejected),
        tokens=run_record.tokens(run),
        usd=run_record.money(run, "usd"),
        krw=run_record.money(run, "krw"),
        seconds=seconds,
        history=history,
        history_points=charts.steps(history, seconds) if history else "",
        failures=_failures(run),
        notes=_notes(run),
        rejects_left_out=facts.rejected - len(facts.rejects),
        samples=len(facts.samples),
        data=_embedded(facts),
        style=(_HERE / "report.css").read_text(encoding="utf-8"),
        script=script,
        script_hash=digest,
    )


def _funnel(stages: list[run_record.Stage]) -> list[tuple[run_record.Stage, float, float]]:
    """Each stage with its two shares of the first one, in percent: what was left, and what it took out."""
    whole = max(stages[0].left, 1)
    return [(stage, 100 * stage.left / whole, 100 * stage.out / whole) for stage in stages]


def _named(facet: str, counts: Counter[str]) -> tuple[charts.Bar, ...]:
    return charts.bars((korean(facet, value) or "없음", count) for value, count in counts.most_common())


def _difficulty(facts: Facts) -> tuple[charts.Bar, ...]:
    names = {1: "1 (쉬움)", 5: "5 (어려움)"}
    return charts.bars((names.get(level, str(level)), facts.difficulty[level]) for level in range(1, 6))


def _failures(run: dict) -> list[tuple[str, int]]:
    """Reasons of failure in run.json, most frequent first: counts by reason, or the failures one by one."""
    failures = run.get("failures")
    if isinstance(failures, dict):
        reasons = Counter({str(reason): count for reason, count in failures.items() if isinstance(count, int)})
    else:
        listed = failures if isinstance(failures, list) else []
        reasons = Counter(str(failure.get("reason")) for failure in listed if isinstance(failure, dict))
    return reasons.most_common(_REASONS_SHOWN)


def _notes(run: dict) -> list[str]:
    """What else the run says of itself: replies of the teacher, and what people decided."""
    notes = []
    replies = run.get("replies")
    if isinstance(replies, dict):
        names = {
            "used": "쓴 응답",
            "sent": "보낸 요청",
            "capped": "예산에서 멈춘 요청",
            "unpriced": "가격을 모르는 응답",
        }
        notes.append(
            " · ".join(f"{name} {replies[key]:,}" for key, name in names.items() if isinstance(replies.get(key), int))
        )
    review = run.get("review")
    if isinstance(review, dict) and any(review.values()):
        names = {"accepted": "채택", "edited": "고침", "rejected": "거절", "stale": "내용이 바뀌어 쓰지 않음"}
        counts = " · ".join(
            f"{name} {review[key]:,}" for key, name in names.items() if isinstance(review.get(key), int)
        )
        notes.append(f"사람의 검토: {counts}")
    return [note for note in notes if note]


def _thousands(value: int) -> str:
    return f"{value:,}"


def _dollar(value: float) -> str:
    return f"${value:,.2f}" if value >= 1 else f"${value:,.4f}"


def _won(value: float) -> str:
    from taxlaw.money import format_won

    return format_won(round(value))


def _money(value: float | None, absent: bool, write: Callable[[float], str]) -> str:
    if absent:
        return "기록 없음"
    return "가격 모름" if value is None else write(value)


def _dollars(values: dict[str, float | None]) -> str:
    return _total(values, _dollar)


def _wons(values: dict[str, float | None]) -> str:
    return _total(values, _won)


def _total(values: dict[str, float | None], write: Callable[[float], str]) -> str:
    """The sum of what is known, and whether something is not."""
    known = [value for value in values.values() if value is not None]
    if not known:
        return "가격 모름"
    return write(sum(known)) + (" 이상" if len(known) < len(values) else "")


def _moment(text: str) -> str:
    """2026-06-01T09:30:00+00:00 as people write it; anything else as it is."""
    try:
        return datetime.datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%M %Z").strip()
    except (TypeError, ValueError):
        return str(text)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [
        f"{hours:,}시간" if hours else "",
        f"{minutes}분" if minutes else "",
        f"{rest}초" if rest or not seconds else "",
    ]
    return " ".join(part for part in parts if part) or f"{seconds:.1f}초"


def _embedded(facts: Facts) -> str:
    """The rows as JSON that cannot end its script element; each evidence is written once."""
    texts: dict[str, int] = {}

    def light(row: dict) -> dict:
        return row | {"evidence": texts.setdefault(row["evidence"], len(texts))}

    names = {facet: {} for facet in (*FACETS, "gate")}
    rows = {"accepted": [light(row) for row in facts.samples], "rejected": [light(row) for row in facts.rejects]}
    for row in (*rows["accepted"], *rows["rejected"]):
        for facet, known in names.items():
            value = row.get(facet)
            if value:
                known[value] = korean(facet, value)
        for gate in row["gates"]:
            names["gate"][gate] = korean("gate", gate)
    text = json.dumps(
        {"rows": rows, "evidence": list(texts), "names": names}, ensure_ascii=False, separators=(",", ":")
    )
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text
