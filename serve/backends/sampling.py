"""The next token from one row of logits, the same for every local model: greedy, or drawn by temperature and top-p."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from serve.backends.protocol import GenParams

if TYPE_CHECKING:
    import numpy as np

# A token e^25 times less likely than the best one is not worth an exponential: of Gemma's 262,144 few thousand remain.
_NEGLIGIBLE = 25.0


def picker(params: GenParams) -> Callable[[np.ndarray], int]:
    """A function from logits (1-d, float) to a token id; its own random generator, started from ``params.seed``.

    Temperature comes first, then top-p over the tempered probabilities, as in transformers.  No other cut is made
    behind the user's back.  Raises RuntimeError when the logits are not numbers (a broken model file).
    """
    import numpy as np

    if not params.temperature:
        return lambda logits: _checked(int(logits.argmax()), logits)
    temperature, top_p = params.temperature, params.top_p
    random = np.random.default_rng(params.seed)

    def draw(logits: np.ndarray) -> int:
        best = _checked(int(logits.argmax()), logits)
        peak = logits[best]
        kept = np.flatnonzero(logits >= peak - _NEGLIGIBLE * temperature)
        weights = np.exp((logits[kept].astype(np.float64) - peak) / temperature)
        if top_p is not None and top_p < 1:
            order = np.argsort(-weights, kind="stable")
            heaviest = np.cumsum(weights[order])
            order = order[: int(np.searchsorted(heaviest, top_p * heaviest[-1])) + 1]
            kept, weights = kept[order], weights[order]
        reached = np.cumsum(weights)
        place = int(np.searchsorted(reached, random.random() * reached[-1], side="right"))
        return int(kept[min(place, len(kept) - 1)])

    return draw


def _checked(token: int, logits: np.ndarray) -> int:
    # argmax finds the first NaN, so looking at its pick is looking at all of them.
    if logits[token] != logits[token]:
        raise RuntimeError("logits are not numbers (NaN)")
    return token
