"""Ends an answer at a piece of text: for models that were never taught a token with which an answer ends."""

from __future__ import annotations

from collections.abc import Sequence


class StopText:
    """Feeds text through until one of ``stops`` appears; what could be the beginning of one is held back."""

    def __init__(self, stops: Sequence[str] = ()) -> None:
        self._stops = tuple(stop for stop in stops if stop)
        self._held = ""
        self.stopped = False

    def feed(self, text: str) -> str:
        """What may be shown now; after a stop nothing more."""
        if not self._stops:
            return text
        self._held += text
        found = [place for stop in self._stops if (place := self._held.find(stop)) >= 0]
        if found:
            self.stopped = True
            shown, self._held = self._held[: min(found)], ""
            return shown
        hold = max(self._overlap(stop) for stop in self._stops)
        cut = len(self._held) - hold
        shown, self._held = self._held[:cut], self._held[cut:]
        return shown

    def rest(self) -> str:
        """What was held back when the answer ended without a stop."""
        shown, self._held = self._held, ""
        return "" if self.stopped else shown

    def _overlap(self, stop: str) -> int:
        """How many of the last characters are the beginning of ``stop``."""
        for size in range(min(len(stop) - 1, len(self._held)), 0, -1):
            if self._held.endswith(stop[:size]):
                return size
        return 0
