"""From the question box to questions for the engine: what is refused before it is sent, who sits where, what is asked again."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import date

from serve.engine import Engine, Question, Side
from serve.errors import Code, ServeError
from serve.page.tabs import NotAsked, Place, Tab, Turn
from serve.page.words import say
from serve.prompt import clean_question
from serve.settings import parse_as_of


@dataclass(frozen=True)
class Wish:
    """One question as it was asked for on the page."""

    question: Question
    teacher: bool = True
    base: bool = False
    blind: bool = False


def read_wish(
    engine: Engine,
    tab: Tab,
    text: str | None,
    day: str | None,
    teacher: bool,
    base: bool,
    sources: bool,
    blind: bool,
) -> Wish:
    """The question in the box.  Raises ServeError, in the tab's language, for one that cannot be sent."""
    cleaned = clean_question(text or "")
    if not cleaned:
        raise ServeError(Code.USAGE, say(tab.language, "empty_question"))
    wish = Wish(
        Question(cleaned, _day(tab, day, engine.as_of), sources=bool(sources and engine.search is not None)),
        teacher,
        bool(base and engine.base is not None and not blind),
        bool(blind and teacher),
    )
    check_size(engine, tab, wish)
    return wish


def _day(tab: Tab, text: str | None, default: date) -> date:
    try:
        return parse_as_of(text) if text else default
    except ServeError as exc:
        raise ServeError(Code.USAGE, say(tab.language, "bad_date")) from exc


def check_size(engine: Engine, tab: Tab, wish: Wish) -> None:
    """Raises ServeError(CONTEXT) when a model on this machine could not read the question; evidence gives way by itself."""
    for side in ("student", "base") if wish.base else ("student",):
        used, limit = engine.size(replace(wish.question, sources=False), side)
        if used is not None and limit is not None and used > limit:
            raise ServeError(
                Code.CONTEXT, say(tab.language, "too_long", used=f"{used:,}", limit=f"{limit:,}"), side=side
            )


def needs_consent(engine: Engine, tab: Tab, wish: Wish) -> bool:
    """Whether this question would be the first of the tab to leave the machine."""
    return wish.teacher and not tab.consented and engine.outside() is not None


def ask(engine: Engine, tab: Tab, wish: Wish, *, coin: random.Random | None = None) -> Turn:
    """Seat the sides, open the records' turn and make this the tab's question.  ``coin`` decides the sides of a blind turn."""
    seats: dict[Place, Side] = {"left": "student", "right": "teacher"}
    if wish.blind and (coin or random.SystemRandom()).random() < 0.5:
        seats = {"left": "teacher", "right": "student"}
    if wish.base:
        seats["base"] = "base"
    if engine.records is not None and tab.session is None:
        tab.session = engine.records.new_session("page", keep_text=tab.keep_text)
    turn = Turn(engine.begin(replace(wish.question, session=tab.session)), seats, wish.blind)
    if not wish.teacher:
        turn.outcomes["right"] = NotAsked()
    tab.ask(turn)
    return turn
