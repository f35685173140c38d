"""Merges what law.go.kr says into the text of the tables of facts.  Pure: text and values in, text out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from taxlaw.addenda import API_CLAUSE
from taxlaw.effective_facts import Row, keep, row_line
from taxlaw.statutes import StatuteArticle
from taxlaw.structure import parse_article
from taxlaw.versions import Version

_DELETED, _ABSENT, _UNTITLED = "!", "-", "?"


@dataclass(frozen=True)
class LawSnapshot:
    """One law as it was fetched: its effective date, and per number ('59의4') the heading, or '!' for deleted."""

    effective: date
    headings: Mapping[str, str]
    paragraphs: Mapping[str, int]


def take_snapshot(articles: Iterable[StatuteArticle], effective: date) -> LawSnapshot:
    """The facts of a law's articles."""
    headings, paragraphs = {}, {}
    for article in articles:
        number = index_number(article.article)
        headings[number] = _DELETED if article.deleted else " ".join(article.heading.split()) or _UNTITLED
        if not article.deleted:
            paragraphs[number] = max((part.number or 0 for part in parse_article(article).paragraphs), default=0)
    return LawSnapshot(effective, headings, paragraphs)


def index_number(article: str) -> str:
    """'제59조의4' -> '59의4'."""
    return article.replace(" ", "").removeprefix("제").replace("조", "")


def last_headings(index: str) -> dict[str, dict[str, str]]:
    """law -> number -> heading at the last date of an article index (articles that are absent left out)."""
    laws: dict[str, dict[str, str]] = {}
    for law, _, articles in _read_index(index)[1]:
        laws[law] = {number: values[-1] for number, values in articles.items() if values[-1] != _ABSENT}
    return laws


def add_snapshot(index: str, day: date, laws: Mapping[str, LawSnapshot]) -> str:
    """The index with one more date; the same date again replaces what stands there for these laws.

    Laws that were not fetched keep their last known state at the new date.
    """
    dates, blocks = _read_index(index)
    again = dates[-1] == day.isoformat()
    lines = ["\t".join(dates if again else [*dates, day.isoformat()])]
    for law, effective, articles in blocks:
        fetched = laws.get(law)
        known = effective[:-1] if again else effective
        lines.append("\t".join([f"#{law}", *known, fetched.effective.isoformat() if fetched else effective[-1]]))
        numbers = set(articles) | set(fetched.headings if fetched else ())
        for number in sorted(numbers, key=_order):
            values = articles.get(number, [_ABSENT] * len(dates))
            last = fetched.headings.get(number, _ABSENT) if fetched else values[-1]
            values = [*(values[:-1] if again else values), last]
            if set(values) != {_ABSENT}:
                lines.append("\t".join([number, *(values if len(set(values)) > 1 else values[:1])]))
    return "\n".join(lines) + "\n"


def _order(number: str) -> list[int]:
    return [int(part) for part in number.split("의")]


def _read_index(index: str) -> tuple[list[str], list[tuple[str, list[str], dict[str, list[str]]]]]:
    first, *rest = index.splitlines()
    dates = first.split("\t")
    blocks: list[tuple[str, list[str], dict[str, list[str]]]] = []
    for line in rest:
        key, *values = line.split("\t")
        if key.startswith("#"):
            blocks.append((key[1:], values, {}))
        else:
            blocks[-1][2][key] = values if len(values) > 1 else values * len(dates)
    return dates, blocks


def add_versions(table: str, found: Iterable[Version], settled_until: date) -> str:
    """The version table with what law.go.kr lists; known versions in force by ``settled_until`` stay as they are."""
    laws: dict[str, dict[tuple[str, str], tuple[str, ...]]] = {}
    for law, line in _blocks(table):
        fields = tuple(line.split("\t"))
        laws.setdefault(law, {})[fields[0], fields[1]] = fields
    for version in found:
        rows = laws.setdefault(version.law, {})
        key = (version.promulgated.isoformat(), version.number)
        if key not in rows or rows[key][2] > settled_until.isoformat():
            rows[key] = (*key, version.effective.isoformat(), version.serial, version.revision)
    lines = []
    for law in sorted(laws):
        lines.append(f"#{law}")
        lines += ["\t".join(laws[law][key]) for key in sorted(laws[law], key=lambda key: (key[0], int(key[1])))]
    return "\n".join(lines) + "\n"


def add_facts(table: str, rows: Iterable[Row], new: set[tuple[str, str, str]]) -> str:
    """The table of effective dates with more rows.

    A day that only law.go.kr's date string gives is left out where an addendum already gives it.
    """
    said = set(_blocks(table))
    rows = [row for row in rows if keep(row)]
    said |= {row_line(row, new) for row in rows if row.clause != API_CLAUSE}
    known = set()
    for law, line in said:
        article, paragraph, *_, last = (line.split("\t")[i] for i in (0, 1, 9))
        known.add((law, article.replace(" ", ""), paragraph, last))
    for row in rows:
        article, paragraph = row.target.article.replace(" ", ""), str(row.target.paragraph or "")
        if row.clause == API_CLAUSE and not {(row.law, article, p, str(row.last)) for p in (paragraph, "")} & known:
            said.add(row_line(row, new))
    lines, current = [], None
    for law, line in sorted(said):
        if law != current:
            lines.append(f"#{law}")
            current = law
        lines.append(line)
    return "\n".join(lines) + "\n"


def add_paragraphs(table: str, laws: Mapping[str, LawSnapshot]) -> str:
    """The paragraph table; an article keeps its highest count, because questions may be about any date."""
    counts: dict[str, dict[str, int]] = {}
    for law, line in _blocks(table):
        number, count = line.split("\t")
        counts.setdefault(law, {})[number] = int(count)
    for law, snapshot in laws.items():
        mine = counts.setdefault(law, {})
        for number, count in snapshot.paragraphs.items():
            mine[number] = max(count, mine.get(number, 0))
    lines = []
    for law in sorted(counts):
        lines.append(f"#{law}")
        lines += [f"{number}\t{counts[law][number]}" for number in sorted(counts[law], key=_order)]
    return "\n".join(lines) + "\n"


def _blocks(table: str) -> list[tuple[str, str]]:
    law, lines = "", []
    for line in table.splitlines():
        if line.startswith("#"):
            law = line[1:]
        else:
            lines.append((law, line))
    return lines
