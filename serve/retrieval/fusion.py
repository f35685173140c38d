"""Reciprocal rank fusion (Cormack, Clarke, Buettcher, SIGIR 2009): two rankings whose scores cannot be compared."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from taxlaw.search import Hit

K = 60


def fuse(first: Sequence[Hit], second: Sequence[Hit], leave_out: Collection[str] = ()) -> tuple[Hit, ...]:
    """The passages of both, by the sum of 1 / (60 + rank); a tie goes to the one that ``first`` ranks higher."""
    scores: dict[str, float] = {}
    hits: dict[str, Hit] = {}
    for ranking in (first, second):
        for rank, hit in enumerate((hit for hit in ranking if hit.passage.id not in leave_out), start=1):
            key = hit.passage.id
            scores[key] = scores.get(key, 0.0) + 1 / (K + rank)
            hits[key] = replace(hits[key], why=tuple(dict.fromkeys(hits[key].why + hit.why))) if key in hits else hit
    order = sorted(scores, key=lambda key: -scores[key])  # stable: dictionaries keep the order of ``first``
    return tuple(replace(hits[key], score=scores[key], rank=rank) for rank, key in enumerate(order, start=1))
