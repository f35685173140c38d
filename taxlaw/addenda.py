"""Amendments that stand in the text of a law but are not in force yet: what the addenda (부칙) say, as built-in facts.

소득세법 제17조제3항 reads 11% since December 2025, and 10% is the law until 2027: no reader of the article can see that.
Facts only (provisions, numbers, dates).  Where the addendum leaves a day open, ``settled`` is False: 시행일 확인 필요.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Literal

from taxlaw.errors import SourceError
from taxlaw.law_names import full_name
from taxlaw.table_files import read_table

UNSETTLED = "시행일 확인 필요"
API_CLAUSE = "조문시행일자"  # the fact comes from a response of law.go.kr, not from an addendum
Kind = Literal["시행일", "적용례", "경과조치"]
_RANK = {"시행일": 0, "적용례": 1, "경과조치": 2}
_API_GROUP = re.compile(r"(\d{8}):")
_API_PLACE = re.compile(
    r"(?:(?P<article>제\d+조(?:의\d+)?)(?:제(?P<paragraph>\d+)항)?(?:제(?P<ho>\d+)호(?:의(?P<branch>\d+))?)?(?:(?P<item>[가-힣])목)?"
    r"|(?P<table>별표\s?(?:\d+(?:의\d+)?)?|별지\s?(?:제\d+호(?:의\d+)?\s?서식)?))"
)


@dataclass(frozen=True)
class Step:
    """A figure that applies for a while on the way to the one in the text (자녀세액공제: 9세, 10세, …)."""

    first: date
    last: date
    figure: str


@dataclass(frozen=True)
class PendingAmendment:
    """One amendment and the day from which it is the law.

    ``effective`` is the earliest such day, ``latest`` the day by which it is certainly in force (None: open).
    kind: 시행일 (not in force before), 적용례 (in force, applies only to what happens from then on), 경과조치 (the old rule
    is kept until then).  ``partial``: only a part of the provision.  ``new``: the article did not exist before.
    """

    law: str
    article: str
    paragraph: int | None
    subparagraph: str | None
    item: str | None
    kind: Kind
    number: str  # 공포번호 of the amending act; "" when not known
    promulgated: date
    effective: date | None
    latest: date | None
    clause: str  # '부칙 제1조'
    partial: bool = False
    new: bool = False
    steps: tuple[Step, ...] = ()

    @property
    def settled(self) -> bool:
        """True when the day is certain."""
        return self.effective is not None and self.effective == self.latest

    @property
    def place(self) -> str:
        """'소득세법 제17조제3항'."""
        base, _, branch = (self.subparagraph or "").partition("의")
        return f"{self.law} {self.article}" + "".join(
            [
                f"제{self.paragraph}항" if self.paragraph else "",
                f"제{base}호" + (f"의{branch}" if branch else "") if base else "",
                f"{self.item}목" if self.item else "",
            ]
        )

    def step_on(self, as_of: date) -> Step | None:
        """The figure that is the law on the date, where the addendum gives a series of them."""
        return next((step for step in self.steps if step.first <= as_of <= step.last), None)

    def note(self, as_of: date) -> str:
        """One Korean sentence for a reader: what waits, until when, and where it says so."""
        part = "의 일부" if self.partial else ""
        where = f"{_act_word(self.law)} 제{self.number}호 {self.clause}" if self.number else self.clause
        if step := self.step_on(as_of):
            return f"{self.place}: {step.first}부터 {step.last}까지는 '{step.figure}'이(가) 적용됩니다({where})."
        if not self.settled:
            until = f", 늦어도 {self.latest}부터는 새 규정입니다" if self.latest else ""
            which = "개정" if self.kind == "시행일" else f"개정의 {self.kind}"
            return f"{self.place}{part}: {self.promulgated} 공포된 {which}의 날짜는 기계로 정할 수 없어 {UNSETTLED}({where}){until}."
        if self.new:
            return f"{self.place}: 새로 들어온 조문이며 {self.effective}부터 시행됩니다({where})."
        if self.kind == "시행일":
            return (
                f"{self.place}{part}: 개정이 아직 시행 전이라 {self.effective} 전에는 종전 규정이 적용됩니다({where})."
            )
        if self.kind == "적용례":
            return f"{self.place}{part}: 개정규정은 {self.effective} 이후의 것부터 적용됩니다({where})."
        return f"{self.place}{part}: {self.effective} 전의 것에는 종전 규정이 남아 있습니다({where})."


def pending(
    law: str,
    article: str,
    as_of: date,
    paragraph: int | None = None,
    extra: tuple[PendingAmendment, ...] = (),
) -> tuple[PendingAmendment, ...]:
    """Amendments of an article (of a 항, when given) promulgated by the date and not, or not surely, in force on it.

    ``law``: full name or abbreviation.  ``extra``: more facts, e.g. from ``read_api_dates``.  Soonest first; a 적용례 or
    경과조치 that only repeats the day of its 시행일 is left out.  Empty for a law whose addenda are not in the table.
    """
    name, number = full_name(law) or law, article.replace(" ", "")
    mine = (*amendments(name, number), *(more for more in extra if (more.law, more.article) == (name, number)))
    waiting = [fact for fact in mine if _touches(fact, paragraph) and _waits(fact, as_of)]
    waiting.sort(key=lambda fact: (fact.effective or date.max, _RANK[fact.kind], -fact.promulgated.toordinal()))
    kept: list[PendingAmendment] = []
    for fact in waiting:
        if not any(_repeats(fact, other) for other in kept):
            kept.append(fact)
    return tuple(kept)


def amendments(law: str, article: str) -> tuple[PendingAmendment, ...]:
    """Every fact of the table on one article, whatever its date; empty when there is none."""
    return _table().get(full_name(law) or law, {}).get(article.replace(" ", ""), ())


def read_api_dates(
    text: str, law: str, number: str = "", promulgated: date | None = None
) -> tuple[PendingAmendment, ...]:
    """The 조문시행일자문자열 of a law.go.kr response: '20260701:제57조의2, 제129조제8항20270101:제17조제3항'.

    Nothing separates a group from the next date, not even after 제57조의2: a date is the eight digits before a colon.
    Raises SourceError when a part is not a provision or a date does not exist.
    """
    cuts = list(_API_GROUP.finditer(text))
    if text.strip() and (not cuts or text[: cuts[0].start()].strip()):
        raise SourceError(f"조문시행일자문자열이 '20260701:제57조의2' 꼴로 시작하지 않습니다: {text[:40]!r}")
    facts = []
    ends = [*(cut.start() for cut in cuts[1:]), len(text)]
    for cut, end in zip(cuts, ends, strict=False):
        try:
            day = date(int(cut[1][:4]), int(cut[1][4:6]), int(cut[1][6:]))
        except ValueError as exc:
            raise SourceError(f"조문시행일자문자열에 없는 날짜가 있습니다: {cut[1]}") from exc
        for name in text[cut.end() : end].split(","):
            if not name.strip():
                continue
            place = _API_PLACE.fullmatch(name.strip())
            if place is None:
                raise SourceError(f"조문시행일자문자열의 조문을 읽을 수 없습니다: {name.strip()!r} ({cut[1]})")
            ho = place["ho"] and place["ho"] + (f"의{place['branch']}" if place["branch"] else "")
            paragraph = int(place["paragraph"]) if place["paragraph"] else None
            facts.append(
                PendingAmendment(
                    law, place["article"] or place["table"], paragraph, ho, place["item"], "시행일", number,
                    promulgated or date.min, day, day, API_CLAUSE,
                )
            )  # fmt: skip
    return tuple(facts)


def _waits(fact: PendingAmendment, as_of: date) -> bool:
    """Not, or not surely, in force.  A 적용례 that cannot be read limits an amendment, but does not keep it waiting."""
    if as_of < fact.promulgated:
        return False
    if fact.latest is not None:
        return as_of < fact.latest
    return fact.kind == "시행일" or fact.effective is None or as_of < fact.effective


def _touches(fact: PendingAmendment, paragraph: int | None) -> bool:
    return paragraph is None or fact.paragraph is None or fact.paragraph == paragraph


def _repeats(fact: PendingAmendment, other: PendingAmendment) -> bool:
    """``fact`` says nothing that ``other``, listed before it, does not say of the same or a wider provision."""
    pairs = ((other.paragraph, fact.paragraph), (other.subparagraph, fact.subparagraph), (other.item, fact.item))
    same_act = fact.number == other.number or not (fact.number and other.number)
    if fact.latest != other.latest or fact.steps or not (same_act or all(wide == narrow for wide, narrow in pairs)):
        return False
    return _RANK[other.kind] <= _RANK[fact.kind] and all(wide is None or wide == narrow for wide, narrow in pairs)


def _act_word(law: str) -> str:
    return "대통령령" if law.endswith("시행령") else "부령" if law.endswith("시행규칙") else "법률"


@cache
def _table() -> dict[str, dict[str, tuple[PendingAmendment, ...]]]:
    lines = read_table("effective_dates.tsv.gz").splitlines()
    table: dict[str, dict[str, list[PendingAmendment]]] = {}
    law, articles = "", {}
    for line in lines:
        if line.startswith("#"):
            law = line[1:]
            articles = table.setdefault(law, {})
            continue
        article, hang, ho, mok, flags, kind, number, promulgated, first, last, clause, _, figures = line.split("\t")
        articles.setdefault(article.replace(" ", ""), []).append(
            PendingAmendment(
                law, article, int(hang) if hang else None, ho or None, mok or None, kind, number,
                date.fromisoformat(promulgated), _day(first), _day(last), API_CLAUSE if clause == API_CLAUSE else f"부칙 {clause}".strip(),
                "p" in flags, "n" in flags, tuple(_step(figure) for figure in figures.split(";") if figure),
            )
        )  # fmt: skip
    return {name: {key: tuple(facts) for key, facts in parts.items()} for name, parts in table.items()}


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _step(text: str) -> Step:
    span, _, figure = text.partition("=")
    first, _, last = span.partition("~")
    return Step(date.fromisoformat(first), date.fromisoformat(last), figure)
