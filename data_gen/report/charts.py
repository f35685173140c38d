"""Numbers as bars: what a chart of the report shows, worked out here so that the template only draws."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from data_gen.report.run_record import Limit


@dataclass(frozen=True)
class Bar:
    """``share``: of the longest bar, 0 to 100."""

    name: str
    value: int
    share: float


@dataclass(frozen=True)
class Lengths:
    """A histogram of lengths in characters, and where the middle and the tail stand."""

    bars: tuple[Bar, ...]
    median: int
    p95: int
    most: int


def bars(values: Mapping[str, int] | Iterable[tuple[str, int]]) -> tuple[Bar, ...]:
    """Bars in the order given."""
    items = list(values.items() if isinstance(values, Mapping) else values)
    longest = max((value for _, value in items), default=0) or 1
    return tuple(Bar(str(name), value, 100 * value / longest) for name, value in items)


def lengths(values: Sequence[int], steps: int = 10) -> Lengths | None:
    """Bars of equal width up to the 95th percentile, the rest in the last one; None when there is nothing."""
    if not values:
        return None
    ordered = sorted(values)
    median, p95 = ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, len(ordered) * 95 // 100)]
    width = next(size for size in (10, 20, 50, 100, 200, 500, 1000, 2000, 10**9) if size * steps > p95)
    counts = [0] * (p95 // width + 2)
    for value in ordered:
        counts[min(value // width, len(counts) - 1)] += 1
    named = [(f"{place * width:,}~", count) for place, count in enumerate(counts)]
    while named and not named[-1][1]:
        named.pop()
    return Lengths(bars(named), median, p95, ordered[-1])


def steps(history: Sequence[Limit], end: float | None) -> str:
    """The points of a polyline in a box of 1000 by 100, a step at each change."""
    last = max(end or 0.0, history[-1].seconds) or 1.0
    most = max(change.limit for change in history) or 1
    points, level = [], 100 - 100 * history[0].limit / most
    for change in history:
        at = 1000 * change.seconds / last
        points.append(f"{at:.1f},{level:.1f}")
        level = 100 - 100 * change.limit / most
        points.append(f"{at:.1f},{level:.1f}")
    return " ".join([*points, f"1000,{level:.1f}"])
