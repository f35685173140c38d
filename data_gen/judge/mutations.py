"""Wrong answers made out of right ones by code: a number, an article, a date, a "not" or the subject is changed.

Each mutation contradicts the document or says what it does not: a judge that lets it pass would let such a row pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from taxlaw.citations import find_citations
from taxlaw.figures import Figure, find_figures
from taxlaw.money import find_amounts, format_won

Kind = Literal["number", "article", "date", "negation", "subject"]
KINDS: tuple[Kind, ...] = ("number", "article", "date", "negation", "subject")

# The first that occurs is turned round, at its last place: the conclusion of a sentence stands at its end.
_TURNED = (
    ("지 않아도 됩니다", "아야만 합니다"),
    ("매기지 않습니다", "매깁니다"),
    ("더하지 않습니다", "더합니다"),
    ("공제하지 않습니다", "공제합니다"),
    ("내지 않습니다", "내야 합니다"),
    ("합산하지 않습니다", "합산합니다"),
    ("되지는 않습니다", "됩니다"),
    ("되지 않습니다", "됩니다"),
    ("대상이 아닙니다", "대상입니다"),
    ("할 수 없습니다", "할 수 있습니다"),
    ("고를 수 없습니다", "고를 수 있습니다"),
    ("받을 수 있습니다", "받을 수 없습니다"),
    ("할 수 있습니다", "할 수 없습니다"),
    ("받지 못합니다", "받을 수 있습니다"),
    ("면제합니다", "면제하지 않습니다"),
    ("공제합니다", "공제하지 않습니다"),
    ("매깁니다", "매기지 않습니다"),
    ("더합니다", "더하지 않습니다"),
    ("뺍니다", "빼지 않습니다"),
    ("신고합니다", "신고하지 않아도 됩니다"),
    ("비과세됩니다", "과세됩니다"),
    ("이하", "초과"),
    ("이상", "미만"),
)


@dataclass(frozen=True)
class Mutation:
    kind: Kind
    answer: str


def mutations(answer: str, evidence: str, swap: tuple[str, str] | None = None) -> Iterator[Mutation]:
    """At most one of each kind.  What is put in does not stand in the evidence, so that it cannot be right by chance."""
    for kind, changed in (
        ("number", _number(answer, evidence)),
        ("article", _article(answer, evidence)),
        ("date", _date(answer, evidence)),
        ("negation", _negation(answer)),
        ("subject", answer.replace(swap[0], swap[1]) if swap else None),
    ):
        if changed is not None and changed != answer:
            yield Mutation(kind, changed)


def _number(answer: str, evidence: str) -> str | None:
    """The last amount, else the last rate, that the document gives or a sum comes to, made another."""
    given = {amount.won for amount in find_amounts(evidence)}
    known = given | {amount.won for amount in find_amounts(answer)}
    for amount in reversed(find_amounts(answer)):
        if amount.won not in given and not answer[: amount.start].rstrip().endswith("="):
            continue  # the asker's own: another would be another case, not a wrong answer
        for factor in (Fraction(3, 2), Fraction(13, 10), 3):
            won = amount.won * factor
            if int(won) == won and int(won) not in known:
                return answer[: amount.start] + format_won(int(won)) + answer[amount.end :]
    rates = [figure for figure in find_figures(answer) if figure.kind == "rate" and figure.text.endswith("%")]
    for figure in reversed(rates):
        changed = f"{float(figure.value * 100) + 7:g}%"
        if changed not in evidence and changed not in answer:
            return _put(answer, figure, changed)
    return None


def _article(answer: str, evidence: str) -> str | None:
    """The first article named in full, a few numbers further on."""
    known = {(citation.law, citation.article) for citation in find_citations(f"{evidence}\n{answer}")}
    for citation in find_citations(answer):
        number = re.match(r"제(\d+)조", citation.text)
        if citation.law is None or number is None:
            continue
        for step in (2, 3, 4, 5):
            article = f"제{int(number[1]) + step}조"
            if (citation.law, article) not in known:
                rest = citation.text[number.end() :]
                branch = re.match(r"의\d+", rest)
                rest = rest[branch.end() :] if branch else rest
                return answer[: citation.start] + article + rest + answer[citation.end :]
    return None


def _date(answer: str, evidence: str) -> str | None:
    """The last day, year or period that the document gives, made a later or longer one."""
    given = {(figure.kind, figure.value) for figure in find_figures(evidence)}
    figures = [
        figure
        for figure in find_figures(answer)
        if figure.kind in ("date", "period") and (figure.kind, figure.value) in given
    ]
    for figure in reversed(figures):
        for changed in _later(figure):
            if changed not in evidence and changed not in answer:
                return _put(answer, figure, changed)
    return None


def _later(figure: Figure) -> Iterator[str]:
    if figure.kind == "period":
        for step in (2, 3, 5):
            yield re.sub(r"\d+", lambda number, step=step: str(int(number[0]) + step), figure.text, count=1)
        return
    year, month, _day = figure.value
    if month is not None:
        for step in (1, 2, 4):
            yield re.sub(r"\d{1,2}(?=월)", str((month + step - 1) % 12 + 1), figure.text)
    elif year is not None:
        for step in (3, 4):
            yield figure.text.replace(str(year), str(year + step))


def _put(answer: str, figure: Figure, changed: str) -> str:
    # A figure may end in a blank that its text leaves out.
    return answer[: figure.start] + changed + answer[figure.start + len(figure.text) :]


def _negation(answer: str) -> str | None:
    for said, turned in _TURNED:
        at = answer.rfind(said)
        if at >= 0:
            return answer[:at] + turned + answer[at + len(said) :]
    return None
