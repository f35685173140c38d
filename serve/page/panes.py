"""One pane's life: its place in line, its text as it grows, how it ended.

Two panes are two events: neither waits for the other.  A newer question, a stop or a closed tab ends a run from inside.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from serve.engine import Engine, Side
from serve.errors import ServeError
from serve.page import answer_view
from serve.page.answer_view import PaneView
from serve.page.line import Line
from serve.page.pump import Pump
from serve.page.tabs import Outcome, Run, Stopped, Tab

_LOOK_SECONDS = 0.1  # how often a question in line looks at its place


@dataclass(frozen=True)
class Room:
    """What all panes of all tabs share: the engine, and a line in front of each of its models."""

    engine: Engine
    lines: dict[Side, Line]
    redraw_seconds: float


def open_room(engine: Engine) -> Room:
    page = engine.config.page
    lines: dict[Side, Line] = {
        "student": Line(page.student_at_once, page.max_waiting),
        "teacher": Line(page.teacher_at_once, page.max_waiting),
        "base": Line(page.student_at_once, page.max_waiting),
    }
    return Room(engine, lines, 1 / page.updates_per_second)


async def fill(room: Room, tab: Tab, run: Run) -> AsyncIterator[PaneView]:
    """Every state of one pane from asking to its end; nothing more once a newer question has taken the pane."""
    engine, line = room.engine, room.lines[run.turn.seats[run.place]]
    run.started = True
    try:
        ticket = line.join()
    except ServeError as full:
        run.turn.outcomes[run.place] = full
        yield await _drawn(engine, tab, run)
        return
    pump: Pump | None = None
    try:
        told = -1
        while (ahead := line.ahead(ticket)) and not run.ending:
            if ahead != told:
                told = ahead
                yield answer_view.waiting(engine, run, ahead, tab.language)
            await asyncio.sleep(_LOOK_SECONDS)
        if not run.ending:
            yield answer_view.waiting(engine, run, 0, tab.language)
            pump = _start(room, run, line, ticket)
            shown = None
            while not pump.done and not run.ending:
                newest = pump.newest
                # Until its first token it waits: behind another answer, or while it reads the question.
                if newest is not None and newest is not shown and newest.stats.first_seconds is not None:
                    shown = newest
                    yield answer_view.writing(engine, run, shown, tab.language)
                await asyncio.sleep(room.redraw_seconds)
        _settle(tab, run, pump)
        if run.ending != "superseded":
            yield await _drawn(engine, tab, run)
    finally:
        if pump is None:
            line.leave(ticket)
        else:
            pump.stop()
        _settle(tab, run, pump)


async def _drawn(engine: Engine, tab: Tab, run: Run) -> PaneView:
    # Looking every citation up may take a moment; other panes go on meanwhile.
    return await asyncio.to_thread(answer_view.settled, engine, run.turn, run.place, tab.language)


def _start(room: Room, run: Run, line: Line, ticket: object) -> Pump:
    question = replace(run.turn.question, fresh=run.fresh)
    side = run.turn.seats[run.place]
    # The place in line is given up when the model is free, which may be later than the pane is.
    return Pump(lambda: room.engine.answer(question, side), lambda: line.leave(ticket)).start()


def _settle(tab: Tab, run: Run, pump: Pump | None) -> None:
    """Keep how the run ended, unless the pane has been asked again meanwhile."""
    again = tab.runs.get(run.place)
    if run.place in run.turn.outcomes or (again is not None and again is not run and again.turn is run.turn):
        return
    outcome: Outcome | None = pump.result if pump is not None and pump.done and not run.ending else None
    if outcome is None:
        newest = pump.newest if pump is not None else None
        outcome = Stopped(newest.shown if newest is not None else "")
    run.turn.outcomes[run.place] = outcome
