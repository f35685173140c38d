"""Percentile bootstrap of ratios and of corpus scores: how far would a figure move with other rows of the same kind?

Rows are drawn with replacement (Efron 1979); the interval holds the middle 95 % of 2,000 seeded resamples.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

RESAMPLES = 2_000
SEED = 20_260_601
_TAIL = 2.5  # percent on either side


@dataclass(frozen=True)
class Estimate:
    """``value`` with its 95 % interval; ``rows`` is how many rows it rests on."""

    value: float
    low: float
    high: float
    rows: int

    def as_json(self) -> dict:
        return {
            "value": round(self.value, 4),
            "low": round(self.low, 4),
            "high": round(self.high, 4),
            "rows": self.rows,
        }


def ratio(
    numerators: Sequence[float],
    denominators: Sequence[float] | None = None,
    share: bool = False,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Estimate | None:
    """Sum of numerators over sum of denominators (1 each when left out); None without a row that counts.

    A ``share`` of exactly 0 or 1 has no spread to resample, which would look like certainty: it gets Wilson's interval.
    """
    import numpy as np

    below = np.ones(len(numerators)) if denominators is None else np.asarray(denominators, dtype=float)
    above = np.asarray(numerators, dtype=float)[below > 0]
    below = below[below > 0]
    if not len(below):
        return None
    value = float(above.sum() / below.sum())
    if share and value in (0.0, 1.0):
        low, high = wilson_interval(round(value * len(below)), len(below))
        return Estimate(value, low, high, len(below))
    counts = _draws(len(below), resamples, seed)
    drawn = (counts @ above) / (counts @ below)
    low, high = np.percentile(drawn, (_TAIL, 100 - _TAIL))
    return Estimate(value, float(low), float(high), len(below))


def of_sums(
    statistics: Sequence[Sequence[float]],
    score: Callable[[Sequence[float]], float],
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Estimate | None:
    """A score of the column sums of one row of statistics per text (corpus BLEU is one); None without rows."""
    import numpy as np

    if not len(statistics):
        return None
    table = np.asarray(statistics, dtype=float)
    drawn = [score(sums) for sums in _draws(len(table), resamples, seed) @ table]
    low, high = np.percentile(drawn, (_TAIL, 100 - _TAIL))
    return Estimate(float(score(table.sum(axis=0))), float(low), float(high), len(table))


def wilson_interval(right: int, rows: int) -> tuple[float, float]:
    """95 % score interval of a share (Wilson 1927)."""
    z = 1.96
    share = right / rows
    centre = share + z * z / (2 * rows)
    spread = z * ((share * (1 - share) + z * z / (4 * rows)) / rows) ** 0.5
    scale = 1 + z * z / rows
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


@lru_cache(maxsize=16)
def _draws(rows: int, resamples: int, seed: int) -> np.ndarray:
    """How often each row is drawn in each resample, [resamples, rows]; the same for the same arguments."""
    import numpy as np

    return np.random.default_rng(seed).multinomial(rows, np.full(rows, 1 / rows), size=resamples).astype(float)
