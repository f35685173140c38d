"""Requests and tokens a minute as buckets that start full, and how many tokens a request will take, learnt from answers."""

from __future__ import annotations

from data_gen.asking.expectation import guessed_input, guessed_output
from data_gen.asking.values import Request

_NEWEST = 0.1  # weight of the newest answer


class Bucket:
    """``per_minute`` units, flowing back evenly.  Times are seconds on the caller's clock."""

    def __init__(self, per_minute: float, now: float) -> None:
        self._most = self._level = per_minute
        self._rate = per_minute / 60
        self._at = now

    def wait(self, units: float, now: float) -> float:
        """Seconds until ``units`` may be taken; more than the bucket holds is taken once it is full."""
        self._flow(now)
        return max(0.0, (min(units, self._most) - self._level) / self._rate)

    def take(self, units: float, now: float) -> None:
        self._flow(now)
        self._level -= units

    def correct(self, units: float) -> None:
        """So many units more (or fewer) were used than taken."""
        self._level = min(self._most, self._level - units)

    def at_most(self, units: float) -> None:
        """The endpoint says that no more than this is left."""
        self._level = min(self._level, units)

    def _flow(self, now: float) -> None:
        self._level = min(self._most, self._level + (now - self._at) * self._rate)
        self._at = now


class TokenGuess:
    """Tokens of a whole call by task: a guess from the text at first, then a moving average of what was counted."""

    def __init__(self) -> None:
        self._seen: dict[str, float] = {}

    def of(self, request: Request) -> float:
        if (seen := self._seen.get(request.task)) is not None:
            return seen
        model = str(request.body.get("model", ""))
        return guessed_input(request.body, model) + guessed_output(request.task, request.body, model)

    def learn(self, request: Request, used: float) -> None:
        before = self._seen.get(request.task, used)
        self._seen[request.task] = before + (used - before) * _NEWEST

    @property
    def typical(self) -> float:
        """Of any task; 1 before the first answer."""
        return max(self._seen.values(), default=1.0)
