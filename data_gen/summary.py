"""What a finished build says of itself: the card (README.md), the funnel's picture, run.json, and the HTML report."""

from __future__ import annotations

import contextlib
import datetime
import importlib.metadata
import json
import platform
from dataclasses import asdict
from pathlib import Path

from data_gen.asking_run import Spent
from data_gen.card import CARD, dataset_card
from data_gen.documents import Library
from data_gen.funnel import FUNNEL, draw_funnel
from data_gen.keeping import Kept
from data_gen.prompting import PREAMBLE_VERSION
from data_gen.report.page import write_report
from data_gen.review.log import Decisions
from data_gen.settings import BuildConfig
from data_gen.teachers.staff import Staff

VERSIONED = ("openai", "pydantic", "Jinja2", "rapidfuzz", "korean-tax-mcp", "matplotlib")


def write_summary(
    config: BuildConfig,
    staff: Staff,
    library: Library,
    documents: int,
    kept: Kept,
    spent: Spent,
    decisions: Decisions,
    seconds: float,
    folder: Path,
) -> None:
    """``documents``: how many there were.  ``seconds``: how long the build took."""
    asked = bool(documents and config.tasks)
    card = dataset_card(config, staff, library, kept.counts, decisions, FUNNEL, asked, _judge_measured(config, staff))
    (folder / CARD).write_text(card, encoding="utf-8")
    draw_funnel(kept.counts, FUNNEL, folder / "funnel.png")
    record = {
        "config": config.model_dump(mode="json"),
        "teacher": staff.teacher,
        "preamble": PREAMBLE_VERSION,
        "provisions": library.origin,
        "documents": documents,
        "analyses": kept.analyses,
        "counts": asdict(kept.counts),
        "failures": dict(kept.reasons.most_common(20)),
        "review": {name: getattr(decisions, name) for name in ("accepted", "edited", "rejected", "stale", "cut")},
        "seconds": round(seconds, 1),
        **_money(spent),
        "versions": _versions(),
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }
    (folder / "run.json").write_text(json.dumps(record, ensure_ascii=False, indent=2), encoding="utf-8")
    write_report(folder)


def _judge_measured(config: BuildConfig, staff: Staff) -> str:
    from data_gen.judge.measure import describe, load_measured

    measured = load_measured(config.store, staff.judge[0]) if staff.judge else None
    return describe(measured) if measured else ""


def _money(spent: Spent) -> dict:
    """Nothing at all when nobody was paid: a recorded answer has no tokens to count."""
    if spent.prices is None:
        return {}
    # A sum that leaves unpriced answers out is no price of the run.
    usd = None if spent.unpriced else round(spent.usd, 6)
    return {
        "usage": asdict(spent.usage),
        "usd": usd,
        "krw": None if usd is None else round(usd * spent.prices.usd_krw),
        "prices": {"as_of": spent.prices.as_of.isoformat(), "usd_krw": spent.prices.usd_krw},
        "replies": {"used": spent.replies, "sent": spent.sent, "capped": spent.capped, "unpriced": spent.unpriced},
        "limit_history": spent.limit_history,
    }


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in VERSIONED:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):  # not every build needs every one
            found[name] = importlib.metadata.version(name)
    return found
