"""How hard a document is: features that code can count, a score of 1-5 made of them, and that score joined with a teacher's.

Both scores are kept: the counted one is the same for every teacher, the rated one sees what cannot be counted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from data_gen.documents import Document
from data_gen.terms import TERMS
from taxlaw.citations import find_citations
from taxlaw.figures import find_figures
from taxlaw.money import find_amounts
from taxlaw.structure import CIRCLED

LABELS = ("쉬움", "조금 쉬움", "보통", "어려움", "매우 어려움")
# Words of a rule that is reckoned: 곱하다, 나누다, 더하다, 빼다, 한도, 구간.
_STEPS = re.compile(
    r"곱하|곱한|나누어|나눈|더하|더한|빼[고는며]|뺀|차감|가산|합산|합친|안분|환산|한도|초과(?:하는\s?금액|분)|누진|÷|×"
)
_EXCEPTIONS = re.compile(r"다만|제외|그러하지\s?아니|않는\s?경우|예외|불구하고|외의|특례|경과|종전")
_PARAGRAPH = re.compile(rf"(?:^|\n)[ \t]*[{CIRCLED}]")
_SUBPARAGRAPH = re.compile(r"\n[ \t]*\d{1,3}(?:의\d{1,3})?\.(?!\d)")
_ITEM = re.compile(r"\n[ \t]*[가-하](?:의\d{1,3})?\.(?=\s)")


@dataclass(frozen=True)
class Features:
    """Counts of one document."""

    terms: int
    """Different terms of art."""
    references: int
    """Provisions it points to besides its own."""
    other_laws: int
    """Laws among them other than its own: the background one needs."""
    amounts: int
    rates: int
    steps: int
    """Words that say to multiply, to add, to stop at a limit."""
    exceptions: int
    nesting: int
    """0: one run of text, 1: paragraphs (항), 2: subparagraphs (호), 3: items (목)."""
    letters: int


def features_of(document: Document) -> Features:
    text = document.text
    own = {(citation.law, citation.article) for name in document.articles for citation in find_citations(name)}
    named = {(c.law, c.article) for c in find_citations(text) if c.law} - own
    home = {law for law, _ in own}
    depth = 3 if _ITEM.search(text) else 2 if _SUBPARAGRAPH.search(text) else 1 if _PARAGRAPH.search(text) else 0
    return Features(
        terms=sum(term in text for term in TERMS),
        references=len(named),
        other_laws=len({law for law, _ in named} - home),
        amounts=len({amount.won for amount in find_amounts(text)}),
        rates=len({figure.value for figure in find_figures(text) if figure.kind == "rate"}),
        steps=len(_STEPS.findall(text)),
        exceptions=len(_EXCEPTIONS.findall(text)),
        nesting=depth,
        letters=len(text),
    )


# (feature, count from which it adds one point, from which it adds two).  Set once against the digest and the casebook, so
# that their scores spread over the scale; a test holds documents of known difficulty in their order.
_POINTS = (
    ("terms", 4, 8),
    ("references", 1, 4),
    ("other_laws", 1, 3),
    ("amounts", 3, 7),
    ("rates", 3, 7),
    ("steps", 2, 5),
    ("exceptions", 1, 4),
    ("nesting", 2, 3),
    ("letters", 350, 1200),
)
# Points from which the score is 2, 3, 4, 5.
_SCORES = (3, 5, 7, 10)


def counted(features: Features) -> int:
    """The score from the counts alone, 1 (easy) to 5."""
    points = sum((getattr(features, name) >= one) + (getattr(features, name) >= two) for name, one, two in _POINTS)
    return 1 + sum(points >= least for least in _SCORES)


def combined(counted_score: int, rated: int | None) -> tuple[int, str]:
    """(score, label): the mean of the counted and the rated score, halves towards the rated one; the counted one alone
    when nobody rated.  Raises ValueError for a score outside 1-5.
    """
    for score in (counted_score, counted_score if rated is None else rated):
        if not 1 <= score <= 5:
            raise ValueError(f"difficulty scores run from 1 to 5: {score}")
    if rated is None:
        score = counted_score
    else:
        total = counted_score + rated
        score = (total + 1) // 2 if rated > counted_score else total // 2
    return score, LABELS[score - 1]
