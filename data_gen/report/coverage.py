"""Which articles the pairs rest on, law by law, and which of the known ones have none."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from taxlaw.citations import find_citations
from taxlaw.digest import load_digest
from taxlaw.paragraphs import article_numbers

Place = tuple[str, str]  # (law, article)


@dataclass(frozen=True)
class Article:
    number: str
    heading: str
    pairs: int


@dataclass(frozen=True)
class LawCoverage:
    """One law.  ``known``: how many articles the built-in index has of it, 0 when it is not in the index."""

    law: str
    pairs: int
    covered: tuple[Article, ...]
    missing: tuple[Article, ...]
    """Articles of the digest that have no pair."""
    known: int
    other: tuple[str, ...]
    """Articles of the index that have no pair and are not in the digest."""


@lru_cache(maxsize=100_000)
def places(articles: tuple[str, ...]) -> tuple[Place, ...]:
    """The distinct (law, article) that a row's ``articles`` name."""
    found = (citation for text in articles for citation in find_citations(text))
    return tuple(dict.fromkeys((citation.law, citation.article) for citation in found if citation.law))


def coverage(pairs: Mapping[Place, int], by_law: Mapping[str, int]) -> tuple[LawCoverage, ...]:
    """Laws that have pairs or stand in the digest, most pairs first.

    ``pairs``: rows by article; ``by_law``: rows by law (a row that rests on two articles of a law counts once there).
    """
    headings = {(provision.law, provision.article): provision.heading for provision in load_digest()}
    laws = dict.fromkeys([*(law for law, _ in pairs), *(law for law, _ in headings)])
    return tuple(
        sorted((_law(law, pairs, by_law.get(law, 0), headings) for law in laws), key=lambda one: (-one.pairs, one.law))
    )


def _law(law: str, pairs: Mapping[Place, int], total: int, headings: Mapping[Place, str]) -> LawCoverage:
    counts = Counter({article: count for (of_law, article), count in pairs.items() if of_law == law})
    covered = [Article(number, headings.get((law, number), ""), counts[number]) for number in _in_order(counts)]
    digest = [article for (of_law, article) in headings if of_law == law]
    missing = [Article(number, headings[law, number], 0) for number in _in_order(digest) if not counts[number]]
    index = article_numbers(law)
    other = [number for number in index if not counts[number] and number not in digest]
    return LawCoverage(law, total, tuple(covered), tuple(missing), len(index), tuple(_in_order(other)))


def _in_order(articles: Iterable[str]) -> list[str]:
    return sorted(articles, key=lambda article: [int(part) for part in re.findall(r"\d+", article)])
