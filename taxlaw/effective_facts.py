"""Turns the clauses of addenda into facts: one row per provision, with the day it is in force, or applies, from.

Used by scripts/build_effective_dates.py for the built-in table and by ``taxlaw update`` for what came later.  Numbers,
dates and provisions only; how one clause is read is the business of addendum_clauses.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import NamedTuple

from taxlaw.addendum_clauses import Target, read_effective_clause, read_targets, read_transition_clause
from taxlaw.addendum_text import Clause
from taxlaw.statutes import StatuteArticle
from taxlaw.structure import parse_article

SINCE = date(2022, 12, 1)  # older promulgations are kept only for what they still delay
_MARK = re.compile(r"<(?:개정|신설|삭제|단서신설|후단신설|종전)?[^<>]*?((?:\d{4}\.\s?\d{1,2}\.\s?\d{1,2}\.?,?\s?)+)>")
_SET_BY_DECREE = re.compile(
    r'(?:법률|대통령령) 제(\d+)호[^"\n]{0,80}부칙 제1조[^"\n]*"대통령령으로 정하는 날"(?:이란|은|이라 함은)\s*(\d+)년 (\d+)월 (\d+)일'
)
_QUOTED = re.compile(r'"[^"]*"')


class Row(NamedTuple):
    """One fact; ``other``: made by the amendment of another law, ``steps``: figures that climb year by year."""

    law: str
    target: Target
    kind: str
    number: str
    promulgated: date
    first: date | None
    last: date | None
    clause: str
    other: bool = False
    steps: tuple = ()


def build_rows(
    clauses: list[Clause], articles: Iterable[StatuteArticle], versions: Iterable[Mapping[str, str]]
) -> list[Row]:
    """Every fact the clauses settle or leave open.  ``versions``: rows of 제목, 공포번호 and 시행일자, which decide where a
    clause names no day; ``articles``: the text, for paragraphs that bear the date of their amendment."""
    decrees = {
        match[1]: date(*map(int, match.groups()[1:])) for c in clauses for match in _SET_BY_DECREE.finditer(c.text)
    }
    listed = {(v["제목"], str(int(v["공포번호"]))): date.fromisoformat(v["시행일자"]) for v in versions}
    groups: dict[tuple[str, str, date], list[Clause]] = {}
    for clause in clauses:
        groups.setdefault((clause.law, clause.number, clause.promulgated), []).append(clause)
    acts = _days_of_acts(groups)
    rows: list[Row] = []
    mains: dict[tuple[str, date], list[tuple[str, date | None, date | None]]] = {}
    for (law, number, promulgated), group in groups.items():
        head = next((c for c in group if c.kind == "시행일"), None)
        if head is None:
            continue
        known = acts | ({"decree": decrees[number]} if number in decrees else {})
        main, delays = read_effective_clause(law, head.text, promulgated, known)
        if main[1] is None and (law, number) in listed:
            main = (listed[law, number],) * 2
        if head.other:  # the clause's articles are those of the other law; its days bound ours
            days = [effect.last for effect in delays if effect.last]
            main, delays = (main[0], max([main[1], *days]) if main[1] else None), []
            if listed.get((law, number), promulgated) > promulgated:
                main = (listed[law, number],) * 2  # the day this law's version took effect
            elif number in acts and not days and not law.endswith(("시행령", "시행규칙")):
                main = (acts[number],) * 2
            changed = [t for c in group if c.kind == "기타" for t in amended_by_other(law, c.text)]
            if main[1] is None or main[1] > promulgated:
                rows += [Row(law, t, "시행일", number, promulgated, *main, head.article, other=True) for t in changed]
        said = [(head.article, effect) for effect in delays]
        mains.setdefault((law, promulgated), []).append((number, *main))

        def day_of(target: Target, delays=delays, main=main) -> tuple[date | None, date | None]:
            return next(((e.first, e.last) for e in delays for t in e.targets if _covers(t, target)), main)

        for clause in group if not head.other else []:
            if clause.kind in ("적용례", "경과조치", "특례"):
                said += [(clause.article, effect) for effect in read_transition_clause(law, clause.text, day_of)]
        for place, e in said:
            rows += [Row(law, t, e.kind, number, promulgated, e.first, e.last, place, steps=e.steps) for t in e.targets]
    return rows + list(_marked(articles, mains, rows))


def amended_by_other(law: str, text: str) -> list[Target]:
    """Provisions of ``law`` that 다른 법률의 개정 changes: the lines after '[law] 일부를 다음과 같이 개정한다.'"""
    found, ours = [], not re.search(r"다른 법[률령]의 개정", text)
    for line in text.split("\n"):
        if named := re.search(r"([가-힣ㆍ ]+?) ?일부를 다음과 같이 개정한다", line):
            ours = named[1].split(") ")[-1].strip().endswith(law)
        elif re.match(r"\s*(?:[②-⑳㉑-㊿]|<\d+>)", line):
            ours = False
        elif ours and re.match(r"제\d+조|별표", line):
            found += [replace(t, item=None, partial=True) for t in read_targets(law, _QUOTED.sub("", line))]
    return list(dict.fromkeys(found))


def _days_of_acts(groups: dict[tuple[str, str, date], list[Clause]]) -> dict[str, date]:
    """Effective day of each act, by its number, for clauses that refer to it and for copies of its addendum.

    An addendum is copied into every law the act changed, and a later change of the day is not carried into all copies:
    the copy that was amended last decides.
    """
    days: dict[str, tuple[date, date]] = {}
    for (law, number, promulgated), group in groups.items():
        head = next((c for c in group if c.kind == "시행일"), None)
        if head is None or law.endswith(("시행령", "시행규칙")):
            continue
        (first, last), _ = read_effective_clause(law, head.text, promulgated)
        amended = max((day for mark in _MARK.findall(head.text) for day in _dot_days(mark)), default=date.min)
        if first and first == last and amended >= days.get(number, (date.min, date.min))[0]:
            days[number] = (amended, first)
    return {number: day for number, (_, day) in days.items()}


def _covers(wide: Target, narrow: Target) -> bool:
    pairs = ((wide.paragraph, narrow.paragraph), (wide.subparagraph, narrow.subparagraph), (wide.item, narrow.item))
    return wide.article == narrow.article and all(mine is None or mine == other for mine, other in pairs)


def _marked(articles: Iterable[StatuteArticle], mains: dict, rows: list[Row]) -> Iterator[Row]:
    """Paragraphs that carry the date of a promulgation which took effect later as a whole."""
    own = {(r.law, r.target.article, r.target.paragraph, r.promulgated) for r in rows if r.kind == "시행일"}
    for article in articles:
        for paragraph in parse_article(article).paragraphs:
            days = {day for marks in _MARK.findall(paragraph.text) for day in _dot_days(marks)}
            for day in sorted(d for d in days if d >= SINCE):
                candidates = mains.get((article.law, day), [])
                lasts = [last for _, _, last in candidates]
                if not candidates or None in lasts or max(lasts) <= day:
                    continue
                if {(article.law, article.article, n, day) for n in (paragraph.number, None)} & own:
                    continue
                first = min(first or day for _, first, _ in candidates)
                numbers = "·".join(sorted(number for number, *_ in candidates))
                target = Target(article.article, paragraph.number, partial=True)
                yield Row(article.law, target, "시행일", numbers, day, first, max(lasts), "제1조")


def _dot_days(marks: str) -> list[date]:
    days = []
    for found in re.findall(r"(\d{4})\.\s?(\d+)\.\s?(\d+)", marks):
        try:
            days.append(date(*map(int, found)))
        except ValueError:  # a slip of the pen in the source such as 2010.2.31
            continue
    return days


def keep(row: Row) -> bool:
    """Rows that can matter: recent promulgations, and old ones whose day is settled and not long past."""
    if row.promulgated >= SINCE:
        return row.kind != "시행일" or row.last is None or row.last > row.promulgated
    return row.kind == "시행일" and row.last is not None and row.last >= date(2023, 6, 1)


def row_line(row: Row, new: set[tuple[str, str, str]]) -> tuple[str, str]:
    """(law, line of the table); ``new``: (law, article, promulgated) of articles that did not exist before."""
    target = row.target
    known = (row.law, target.article, row.promulgated.isoformat()) in new and target.paragraph is None
    flags = "p" * target.partial + "o" * row.other + "n" * known
    figures = ";".join(f"{begin}~{end}={figure}" for begin, end, figure in row.steps)
    place = [target.article, target.paragraph or "", target.subparagraph or "", target.item or ""]
    days = [row.promulgated, row.first or "", row.last or ""]
    fields = [*place, flags, row.kind, row.number, *days, row.clause, target.original or "", figures]
    return row.law, "\t".join(map(str, fields))
