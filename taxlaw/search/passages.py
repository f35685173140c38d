"""What a search gives back: a passage (an article, its digest, or a ruling) and a hit on it.  Values only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

# article: text of the law from a folder; digest: this project's own words on it; heading: only its heading is known
# here; ruling: 예규, 판례, 해석사례.
Kind = Literal["article", "digest", "heading", "ruling"]


@dataclass(frozen=True)
class Passage:
    """One article (조) in one version, or one ruling.

    ``id``: 'law:소득세법:제55조' (an older version adds '@2024-01-01') or the ruling's number.  ``title``: '소득세법 제55조' or
    '서면-2023-법규기본-2039'.  ``text`` is '' for a heading.  It stands from ``effective_from`` (None: not known) up to, but not
    on, ``effective_to`` (None: no end known); a ruling's own day is its ``effective_from``.
    """

    id: str
    kind: Kind
    title: str
    text: str
    heading: str
    effective_from: date | None
    effective_to: date | None
    url: str
    source: str


@dataclass(frozen=True)
class Hit:
    """``rank`` counts from 1; ``score`` orders the hits of one search and means nothing between searches.

    ``why``: Korean words for the drawer: '조문 지정', '제목: 세율', '뜻풀이: 물려받다→상속', '기준일 확인 필요'.
    """

    passage: Passage
    score: float
    rank: int
    why: tuple[str, ...] = ()
