"""What the page remembers of each browser tab: its questions, who answered where, and which answers are being written.

It lives in this process only and is forgotten an hour after the tab was last used.  The tab itself holds a random key
(sessionStorage), so that a reload finds its conversation again; nothing of a question is stored in the browser.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from serve.answer import Answer
from serve.engine import Question, Side
from serve.errors import ServeError
from serve.page.words import Language

Place = Literal["left", "right", "base"]
Ending = Literal["", "superseded", "stopped"]
Choice = Literal["left", "right", "tie", "both_bad"]
PLACES: tuple[Place, ...] = ("left", "right", "base")

_IDLE_SECONDS = 3600.0
_MOST_TABS = 512
_MOST_TURNS = 50


@dataclass(frozen=True)
class Stopped:
    """An answer that was ended before its end; ``text`` is what had been written."""

    text: str


@dataclass(frozen=True)
class NotAsked:
    """The side that was left out of this question."""


Outcome = Answer | ServeError | Stopped | NotAsked


@dataclass(eq=False)
class Turn:
    """One question and its answers.  ``seats``: who sits where; in a blind turn that is hidden until ``revealed``."""

    question: Question
    seats: dict[Place, Side]
    blind: bool = False
    revealed: bool = False
    vote: Choice | None = None
    outcomes: dict[Place, Outcome] = field(default_factory=dict)

    @property
    def hidden(self) -> bool:
        return self.blind and not self.revealed

    def ended(self) -> bool:
        """Whether both sides that are compared have ended, in whatever way."""
        return all(place in self.outcomes for place in ("left", "right"))

    def comparable(self) -> bool:
        """Whether there are two finished answers to choose between."""
        return all(isinstance(self.outcomes.get(place), Answer) for place in ("left", "right"))


@dataclass(eq=False)
class Run:
    """One answer being asked for in one pane."""

    turn: Turn
    place: Place
    fresh: bool = False
    ending: Ending = ""
    started: bool = False

    def end(self, how: Ending) -> None:
        self.ending = self.ending or how


@dataclass(eq=False)
class Tab:
    """One browser tab.  ``held`` is a question that waits for the consent to be sent outside."""

    key: str
    language: Language = "ko"
    consented: bool = False
    keep_text: bool = False
    session: Any = None
    turns: list[Turn] = field(default_factory=list)
    shown: Turn | None = None
    runs: dict[Place, Run] = field(default_factory=dict)
    held: Any = None
    used: float = 0.0

    def ask(self, turn: Turn) -> None:
        """Make ``turn`` the one that is shown and asked; older answers end."""
        self.end("superseded")
        self.turns = [*self.turns, turn][-_MOST_TURNS:]
        self.shown = turn
        self.runs = {place: Run(turn, place) for place in PLACES if place in turn.seats and place not in turn.outcomes}

    def retry(self, place: Place) -> None:
        """Ask one side of the shown question again, past the answer cache."""
        if self.shown is None or place not in self.shown.seats:
            return
        if place in self.runs:
            self.runs[place].end("superseded")
        self.shown.outcomes.pop(place, None)
        self.runs[place] = Run(self.shown, place, fresh=True)

    def end(self, how: Ending, place: Place | None = None) -> None:
        for run in self.runs.values():
            if place is None or run.place == place:
                run.end(how)

    def show(self, index: int) -> None:
        """Show an earlier question again.  Answers that are being written end where they stand."""
        if 0 <= index < len(self.turns):
            self.end("stopped")
            self.shown = self.turns[index]

    def clear(self) -> None:
        """Forget the conversation; the records, if any were allowed, are not touched."""
        self.end("superseded")
        self.turns, self.shown, self.runs, self.held, self.session = [], None, {}, None, None


class Tabs:
    """The tabs by Gradio's session hash, which changes with every reload, and by their own key, which does not."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._by_key: dict[str, Tab] = {}
        self._keys: dict[str, str] = {}  # session hash -> key

    def of(self, session: str) -> Tab:
        """The tab of a Gradio session; a new one for a session that has none."""
        with self._lock:
            tab = self._by_key.get(self._keys.get(session, ""))
            if tab is None:
                tab = Tab(secrets.token_urlsafe(24))
                self._by_key[tab.key] = tab
                self._keys[session] = tab.key
            tab.used = self._clock()
            self._forget_idle()
            return tab

    def resume(self, session: str, key: str) -> Tab:
        """The tab that holds ``key``, now under this session; a new tab for an unknown key."""
        with self._lock:
            if key in self._by_key:
                self._keys[session] = key
        return self.of(session)

    def leave(self, session: str) -> None:
        """The tab was closed or reloaded: what it was having written ends; its conversation waits for its return."""
        with self._lock:
            tab = self._by_key.get(self._keys.pop(session, ""))
        if tab is not None and tab.key not in self._keys.values():
            tab.end("stopped")

    def _forget_idle(self) -> None:
        now = self._clock()
        old = [tab for tab in self._by_key.values() if now - tab.used > _IDLE_SECONDS]
        newest_last = sorted(self._by_key.values(), key=lambda tab: tab.used)
        for tab in {*old, *newest_last[:-_MOST_TABS]}:
            tab.end("superseded")
            del self._by_key[tab.key]
        if len(self._keys) > 4 * _MOST_TABS:
            self._keys = {session: key for session, key in self._keys.items() if key in self._by_key}
