"""The built-in index of every article of the tax laws: does 제N조 exist on a date, is it deleted, what is its heading?

Facts only (law, number, heading, effective date) at three dates; no text of any law.  Needs no network and no folder.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Literal

from taxlaw.law_names import full_name, looks_like_tax_law, nearest_law
from taxlaw.table_files import read_table

Status = Literal["found", "deleted", "no_such_article", "no_such_law", "law_not_indexed"]
_DELETED, _ABSENT, _UNTITLED = "!", "-", "?"


@dataclass(frozen=True)
class ArticleStatus:
    """What the index knows: ``effective`` is the effective date (시행일) of the law's version that was looked at."""

    status: Status
    heading: str | None = None
    effective: date | None = None
    suggestion: str | None = None


@dataclass(frozen=True)
class Snapshot:
    """One article at one date of the index; ``state``: found, deleted, or absent (no such number)."""

    day: date
    state: Literal["found", "deleted", "absent"]
    heading: str | None


@dataclass(frozen=True)
class _Law:
    effective: tuple[date, ...]  # per snapshot
    articles: dict[str, tuple[str, ...]]  # "59의4" -> heading per snapshot


def lookup(law: str, article: str, as_of: date) -> ArticleStatus:
    """Look up one article ('제59조의4') of a law (full name or a known abbreviation) on a date.

    Before the first date of the index its first version answers.  Between two dates of the index an article that
    stands in either version counts as found, because the day of the change is not known.
    """
    name = full_name(law) or law
    dates, laws = _index()
    known = laws.get(name)
    if known is None:
        wrong = full_name(law) is None and looks_like_tax_law(law)
        return ArticleStatus(
            "no_such_law" if wrong else "law_not_indexed", suggestion=nearest_law(law) if wrong else None
        )
    number = article.replace(" ", "").removeprefix("제").replace("조", "")
    headings = known.articles.get(number)
    before = max((i for i, day in enumerate(dates) if day <= as_of), default=0)
    # A later version that was already in force on the date is the better witness.
    snapshot = max((i for i, day in enumerate(known.effective) if day <= as_of), default=before)
    snapshot = max(snapshot, before)
    if headings is None:
        return ArticleStatus("no_such_article", effective=known.effective[snapshot], suggestion=_sibling(known, number))
    if headings[snapshot] in (_DELETED, _ABSENT):
        later = snapshot + 1
        if later < len(dates) and dates[snapshot] < as_of and headings[later] not in (_DELETED, _ABSENT):
            snapshot = later
    heading, effective = headings[snapshot], known.effective[snapshot]
    if heading == _DELETED:
        return ArticleStatus("deleted", effective=effective)
    if heading == _ABSENT:
        return ArticleStatus("no_such_article", effective=effective, suggestion=_sibling(known, number))
    return ArticleStatus("found", heading=None if heading == _UNTITLED else heading, effective=effective)


def history(law: str, article: str) -> tuple[Snapshot, ...]:
    """The article at each date of the index, oldest first; empty when the law is not indexed."""
    dates, laws = _index()
    known = laws.get(full_name(law) or law)
    if known is None:
        return ()
    number = article.replace(" ", "").removeprefix("제").replace("조", "")
    headings = known.articles.get(number, (_ABSENT,) * len(dates))
    states = {_DELETED: "deleted", _ABSENT: "absent"}
    return tuple(
        Snapshot(day, states.get(heading, "found"), None if heading in (_DELETED, _ABSENT, _UNTITLED) else heading)
        for day, heading in zip(dates, headings, strict=True)
    )


def articles_headed(law: str, heading: str, day: date) -> tuple[str, ...]:
    """Numbers ('제118조의9') of the articles that bear exactly this heading at a date of the index."""
    dates, laws = _index()
    known, at = laws.get(full_name(law) or law), dates.index(day)
    if known is None:
        return ()
    numbers = [number.split("의") for number, headings in known.articles.items() if headings[at] == heading]
    return tuple(f"제{base}조" + "".join(f"의{part}" for part in branch) for base, *branch in numbers)


def indexed_laws() -> tuple[str, ...]:
    """Full names of all laws, decrees and rules in the index."""
    return tuple(_index()[1])


def indexed_articles() -> tuple[tuple[str, str], ...]:
    """(law, '제59조의4') of every article that the index has at any of its dates, deleted ones included."""
    pairs = ((law, number.split("의")) for law, known in _index()[1].items() for number in known.articles)
    return tuple((law, f"제{base}조" + "".join(f"의{part}" for part in branch)) for law, (base, *branch) in pairs)


def index_dates() -> tuple[date, ...]:
    """The dates at which the index was taken, oldest first."""
    return _index()[0]


def _sibling(law: _Law, number: str) -> str | None:
    """제59조 for a wrong 제59조의99: the only guess that is near enough to be of use."""
    base, _, branch = number.partition("의")
    return f"제{base}조" if branch and base in law.articles else None


@cache
def _index() -> tuple[tuple[date, ...], dict[str, _Law]]:
    lines = read_table("article_index.tsv.gz").splitlines()
    dates = tuple(date.fromisoformat(day) for day in lines[0].split("\t"))
    laws: dict[str, _Law] = {}
    for line in lines[1:]:
        key, *values = line.split("\t")
        if key.startswith("#"):
            articles: dict[str, tuple[str, ...]] = {}
            laws[key[1:]] = _Law(_nearest_dates(values), articles)
        else:
            articles[key] = tuple(values) if len(values) > 1 else tuple(values) * len(dates)
    return dates, laws


def _nearest_dates(values: list[str]) -> tuple[date, ...]:
    """Effective date per snapshot; a snapshot without the law takes the nearest one that has it."""
    have = [i for i, value in enumerate(values) if value != _ABSENT]
    return tuple(date.fromisoformat(values[min(have, key=lambda j: abs(i - j))]) for i in range(len(values)))
