"""The two ways to answer, on the same questions of gift tax: one student writes the working itself, the other a call alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import student_measure as ask

from finetune.data import Row
from finetune.evaluation.measures import Measured
from finetune.evaluation.subjects import Caps, Subject
from finetune.evaluation.summary import estimate_of
from taxlaw.calls import parse_call
from taxlaw.money import parse_won

CAPS = Caps(worked=1024, words=512)  # tokens; the longest call and working of the dataset have some 950
MANY_DIGITS = (
    5  # an amount of so many digits, its trailing zeros not counted, has no round neighbour that is known by heart
)
KINDS: dict[str, Callable[[Row], bool]] = {
    "all": lambda row: True,
    "known wordings": lambda row: row.held_out != "wordings",
    "wordings": lambda row: row.held_out == "wordings",
    "few digits": lambda row: digits(row) < MANY_DIGITS,
    "many digits": lambda row: digits(row) >= MANY_DIGITS,
    "plain gift": lambda row: not earlier_gifts(row),
    "earlier gifts": lambda row: earlier_gifts(row),
}


@dataclass(frozen=True)
class Side:
    """A student and how it is asked.  ``alone``: without the questions that code asks in its place."""

    subject: Subject
    caps: Caps
    target: str
    alone: bool = False


def digits(row: Row) -> int:
    """Digits of the gift's amount in won without its trailing zeros."""
    return len(str(parse_won(parse_call(row.call).amount)).rstrip("0"))


def earlier_gifts(row: Row) -> bool:
    return bool(parse_call(row.call).prior_gifts)


def side_by_side(test: Sequence[Row], learned: Sequence[Row], sides: dict[str, Side], most: int | None = None) -> dict:
    """Exact amounts (share), endings and tokens of each side on the gift rows of ``test`` whose amount and question nobody
    ``learned``; {"rows": n, "left_out": n, "again": measure.reread_of, "of": {kind: {"rows", side: {...}}}}.

    ``most``: questions to ask, as many of each held-out kind; None for all.  ``sides``: among them the worked student, ``worked_alone`` and as it is served (``worked``).
    """
    gifts = [row for row in test if row.tax == "gift" and row.call and row.payable is not None]
    unlearned = ask.unlearned(gifts, learned)
    rows = ask.some_rows(unlearned, most)
    answers = {name: ask.answer(side.subject, rows, side.caps, side.target, side.alone) for name, side in sides.items()}
    return {
        "rows": len(rows),
        "left_out": len(gifts) - len(unlearned),
        "unlearned": len(unlearned),
        "caps": CAPS.worked,
        "again": ask.reread_of(*({"calculations": answers[name]} for name in ("worked_alone", "worked"))),
        "of": {kind: _of(rows, answers, belongs) for kind, belongs in KINDS.items()},
    }


def _of(rows: Sequence[Row], answers: dict[str, list[Measured]], belongs: Callable[[Row], bool]) -> dict:
    return {"rows": sum(map(belongs, rows))} | {
        name: {
            key: estimate_of(key, [one for one in some if belongs(one.row)])
            for key in ("exact", "ended_by_stop", "tokens")
        }
        for name, some in answers.items()
    }
