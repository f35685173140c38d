"""What a tab remembers: the newest question wins, a reload finds its conversation, nobody finds anybody else's."""

from __future__ import annotations

from datetime import date

from serve.engine import Question
from serve.page.tabs import NotAsked, Stopped, Tab, Tabs, Turn

SEATS = {"left": "student", "right": "teacher"}


def turn(text: str = "질문", **more) -> Turn:
    return Turn(Question(text, date(2025, 7, 1)), dict(SEATS), **more)


def test_a_new_question_ends_the_older_answers() -> None:
    tab = Tab("k")
    tab.ask(turn("하나"))
    first = dict(tab.runs)
    tab.ask(turn("둘"))
    assert {run.ending for run in first.values()} == {"superseded"}
    assert {run.ending for run in tab.runs.values()} == {""}
    assert [one.question.text for one in tab.turns] == ["하나", "둘"] and tab.shown is tab.turns[1]


def test_the_side_that_is_left_out_is_not_asked() -> None:
    tab = Tab("k")
    left_out = turn()
    left_out.outcomes["right"] = NotAsked()
    tab.ask(left_out)
    assert tab.runs.keys() == {"left"}


def test_a_stop_ends_one_pane_or_all_and_a_later_cause_does_not_replace_it() -> None:
    tab = Tab("k")
    tab.ask(turn())
    tab.end("stopped", "left")
    assert (tab.runs["left"].ending, tab.runs["right"].ending) == ("stopped", "")
    tab.end("superseded")
    assert (tab.runs["left"].ending, tab.runs["right"].ending) == ("stopped", "superseded")


def test_a_retry_asks_one_side_past_the_cache() -> None:
    tab = Tab("k")
    tab.ask(turn())
    tab.shown.outcomes["left"] = Stopped("반쪽")
    other = tab.runs["right"]
    tab.retry("left")
    assert tab.runs["left"].fresh and "left" not in tab.shown.outcomes and tab.runs["right"] is other
    tab.retry("base")
    assert "base" not in tab.runs, "a side that was not seated cannot be asked again"


def test_looking_back_shows_the_earlier_question() -> None:
    tab = Tab("k")
    tab.ask(turn("하나"))
    tab.ask(turn("둘"))
    tab.show(0)
    assert tab.shown.question.text == "하나" and tab.runs["left"].ending == "stopped"
    tab.show(7)
    assert tab.shown.question.text == "하나"


def test_clear_forgets_the_conversation_and_begins_a_new_session() -> None:
    tab = Tab("k", consented=True, session="s")
    tab.ask(turn())
    tab.clear()
    assert (tab.turns, tab.shown, tab.runs, tab.session) == ([], None, {}, None)
    assert tab.consented, "what was agreed to is not asked again"


def test_a_reload_finds_its_tab_by_its_key_only() -> None:
    tabs = Tabs()
    first = tabs.of("session-1")
    first.ask(turn())
    tabs.leave("session-1")
    assert first.runs["left"].ending == "stopped", "a closed tab must give the model back"
    assert tabs.resume("session-2", first.key) is first and tabs.of("session-2") is first
    assert tabs.resume("session-3", "geraten") is not first
    assert tabs.resume("session-4", "") is not first
    assert len(first.key) >= 32


def test_a_reload_whose_goodbye_comes_late_is_not_stopped_by_it() -> None:
    tabs = Tabs()
    tab = tabs.of("old")
    assert tabs.resume("new", tab.key) is tab
    tab.ask(turn())
    tabs.leave("old")
    assert tab.runs["left"].ending == ""


def test_tabs_are_forgotten_when_they_are_idle_or_too_many() -> None:
    now = [0.0]
    tabs = Tabs(clock=lambda: now[0])
    old = tabs.of("old")
    old.ask(turn())
    now[0] = 3601
    tabs.of("new")
    assert tabs.of("old") is not old and old.runs["left"].ending == "superseded"
    newest = [tabs.of(f"s{number}") for number in range(600)]
    assert tabs.of("s599") is newest[599] and tabs.of("s0") is not newest[0]
