"""Text with marked stretches as safe HTML: everything from the data is escaped, marks may overlap."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from itertools import pairwise

# Kinds of spans (spans.py) by the class that gives them their colour.
CLASSES = {
    "인용": "cite",
    "금액": "money",
    "비율": "rate",
    "기간": "rate",
    "나이": "rate",
    "날짜": "rate",
    "문구": "words",
}
Mark = tuple[int, int, str, str]  # start, end, class, title


def marked(text: str, marks: Iterable[Mark]) -> str:
    """``text`` escaped, with a <mark> around each stretch that the same marks cover; marks outside the text are cut to it."""
    kept = [(max(0, start), min(end, len(text)), name, title) for start, end, name, title in marks]
    kept = [mark for mark in kept if mark[0] < mark[1]]
    edges = sorted({0, len(text), *(edge for start, end, *_ in kept for edge in (start, end))})
    pieces = []
    for start, end in pairwise(edges):
        over = [mark for mark in kept if mark[0] <= start and end <= mark[1]]
        words = escape(text[start:end])
        if over:
            names = " ".join(dict.fromkeys(f"m-{name}" for _, _, name, _ in over))
            title = escape(", ".join(dict.fromkeys(title for *_, title in over)))
            words = f'<mark class="{names}" title="{title}">{words}</mark>'
        pieces.append(words)
    return "".join(pieces)


def span_marks(spans: Iterable[dict]) -> list[Mark]:
    """Spans of a dataset row as marks; an unknown kind gets the colour of words."""
    return [(span["start"], span["end"], CLASSES.get(span["why"], "words"), span["why"]) for span in spans]
