"""One pane's life, without a browser: its place in line, its text, its end, and the model given back in every case."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace

import pytest

from serve.answer import Answer
from serve.engine import Question
from serve.errors import Code, ServeError
from serve.page.line import Line
from serve.page.panes import fill, open_room
from serve.page.tabs import Stopped, Tab, Turn


@pytest.fixture
def scene(make_engine, as_of):
    """A room over scripted models; ``ask`` makes a run of the left pane for a question."""
    engine = make_engine({"막힘": ServeError(Code.BUSY, "바쁩니다", "나중에"), "고장": RuntimeError("망가짐")})
    room = replace(open_room(engine), redraw_seconds=0.002)
    tab = Tab("k")

    def ask(text: str):
        tab.ask(Turn(Question(text, as_of), {"left": "student", "right": "teacher"}))
        return tab.runs["left"]

    yield room, tab, ask, engine.student.backend
    engine.student.backend.released.set()


async def collect(room, tab, run, on_view=None) -> list:
    views = []
    async for view in fill(room, tab, run):
        views.append(view)
        if on_view is not None:
            on_view(view)
    return views


def test_an_answer_is_drawn_and_kept_and_the_line_is_free_again(scene) -> None:
    room, tab, ask, _ = scene
    run = ask("질문")
    views = asyncio.run(collect(room, tab, run))
    assert views[0].running and not views[-1].running and views[-1].retry
    assert isinstance(run.turn.outcomes["left"], Answer) and "학생의 답" in views[-1].text
    assert room.lines["student"].join() and room.lines["student"].ahead(object()) == 0


def test_a_failure_is_a_state_of_the_pane(scene) -> None:
    room, tab, ask, _ = scene
    views = asyncio.run(collect(room, tab, ask("막힘")))
    assert "바쁩니다" in views[-1].card and "나중에" in views[-1].card and views[-1].retry


def test_a_fault_of_the_program_is_said_and_logged(scene, caplog) -> None:
    room, tab, ask, _ = scene
    views = asyncio.run(collect(room, tab, ask("고장")))
    assert "프로그램의 잘못" in views[-1].card and "RuntimeError" in views[-1].card and "망가짐" not in views[-1].card
    assert "망가짐" in caplog.text


@pytest.mark.parametrize("how", ["stopped", "superseded"])
def test_an_ended_run_frees_the_model_and_keeps_its_text(scene, how) -> None:
    room, tab, ask, model = scene
    run = ask("천천히")
    views = asyncio.run(collect(room, tab, run, lambda view: view.text and run.end(how)))
    assert model.left.wait(30)
    assert isinstance(run.turn.outcomes["left"], Stopped) and "낱말1" in run.turn.outcomes["left"].text
    assert ("멈췄습니다" in views[-1].card) == (how == "stopped"), "a superseded pane belongs to the next question"


def test_a_silent_teacher_is_stopped_at_once(scene, monkeypatch) -> None:
    room, tab, ask, _ = scene
    silent = threading.Event()

    def hang(question, side):
        silent.wait(30)
        yield from ()

    monkeypatch.setattr(room.engine, "answer", hang)
    run = ask("질문")
    views = asyncio.run(collect(room, tab, run, lambda view: run.end("stopped")))
    assert "멈췄습니다" in views[-1].card and not silent.is_set()
    silent.set()


def test_a_pane_in_line_is_told_its_place_and_may_leave(scene) -> None:
    room, tab, ask, model = scene
    line = room.lines["student"]
    ahead = [line.join(), line.join()]
    run = ask("질문")

    def advance(view) -> None:
        if "앞에 2명" in view.card:
            line.leave(ahead[0])
        elif "앞에 1명" in view.card:
            run.end("stopped")

    views = asyncio.run(collect(room, tab, run, advance))
    assert [word for view in views for word in ("앞에 2명", "앞에 1명", "멈췄습니다") if word in view.card] == [
        "앞에 2명",
        "앞에 1명",
        "멈췄습니다",
    ]
    assert model.requests == [], "somebody who left the line must not be asked"
    line.leave(ahead[1])
    assert line.ahead(line.join()) == 0


def test_a_closed_generator_frees_the_model(scene) -> None:
    room, tab, ask, model = scene

    async def close_in_the_middle() -> None:
        views = fill(room, tab, ask("천천히"))
        async for view in views:
            if view.text:
                break
        await views.aclose()

    asyncio.run(close_in_the_middle())
    assert model.left.wait(30)


def test_a_retry_is_not_overwritten_by_the_run_it_replaces(scene) -> None:
    room, tab, ask, model = scene
    run = ask("천천히")
    asyncio.run(collect(room, tab, run, lambda view: view.text and tab.retry("left")))
    assert "left" not in run.turn.outcomes and tab.runs["left"] is not run
    assert model.left.wait(30)


def test_a_full_line_turns_the_next_away() -> None:
    line = Line(at_once=1, most_waiting=1)
    first, second = line.join(), line.join()
    with pytest.raises(ServeError) as caught:
        line.join()
    assert caught.value.code is Code.BUSY
    assert (line.ahead(first), line.ahead(second)) == (0, 1)
    line.leave(first)
    line.leave(first)
    assert line.ahead(second) == 0 and line.ahead(line.join()) == 1
