"""Takes the thinking out of an answer that begins with ``<think>…</think>``: it was not written for the reader."""

from __future__ import annotations

_OPEN, _CLOSE = "<think>", "</think>"


class Thinking:
    """Feeds a streamed answer through; only thinking at its very beginning is held back, and is never shown."""

    def __init__(self) -> None:
        self._held = ""
        self._state = "before"

    @property
    def under_way(self) -> bool:
        return self._state == "inside"

    def feed(self, text: str) -> str:
        """What belongs to the answer of the text so far."""
        if self._state == "answer":
            return text
        self._held += text
        if self._state == "before":
            begun = self._held.lstrip()
            if len(begun) < len(_OPEN) and _OPEN.startswith(begun):
                return ""
            if not begun.startswith(_OPEN):
                return self._answer(self._held)
            self._state, self._held = "inside", begun[len(_OPEN) :]
        if self._state == "inside":
            _, closed, rest = self._held.partition(_CLOSE)
            if not closed:
                self._held = self._held[-len(_CLOSE) :]
                return ""
            self._state, self._held = "after", rest
        rest = self._held.lstrip()
        return self._answer(rest) if rest else ""

    def rest(self) -> str:
        """What was held back and turned out to be no thinking when the answer ended."""
        return self._answer(self._held) if self._state == "before" else ""

    def _answer(self, text: str) -> str:
        self._state, self._held = "answer", ""
        return text
