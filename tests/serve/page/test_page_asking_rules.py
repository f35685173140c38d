"""What is decided before anything is sent, and what a conversation looks like as a file."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest

from serve.errors import Code, ServeError
from serve.page import asking, export
from serve.page.tabs import NotAsked, Stopped, Tab


def wish(engine, tab, text="질문", day="2025-07-01", teacher=True, base=False, sources=False, blind=False):
    return asking.read_wish(engine, tab, text, day, teacher, base, sources, blind)


def test_a_question_is_read_with_its_day(make_engine) -> None:
    read = wish(make_engine(), Tab("k"), "  질문  ", "2024-03-01 00:00:00")
    assert read.question.text == "질문" and read.question.as_of.isoformat() == "2024-03-01"


@pytest.mark.parametrize(
    ("text", "day", "code", "korean", "english"),
    [
        ("  ", None, Code.USAGE, "비어", "no question"),
        ("질문", "언젠가", Code.USAGE, "기준일", "date"),
        ("낱말 " * 500, None, Code.CONTEXT, "너무 길어", "too long"),
    ],
)
def test_what_cannot_be_sent_is_refused_in_the_language_of_the_tab(
    make_engine, text, day, code, korean, english
) -> None:
    for language, words in (("ko", korean), ("en", english)):
        with pytest.raises(ServeError, match=words) as caught:
            wish(make_engine(), Tab("k", language=language), text, day)
        assert caught.value.code is code


def test_consent_is_asked_once_and_only_for_a_teacher_elsewhere(make_engine) -> None:
    outside, here = make_engine(host="api.example.com"), make_engine(host="127.0.0.1:9")
    tab = Tab("k")
    assert asking.needs_consent(outside, tab, wish(outside, tab))
    assert not asking.needs_consent(outside, tab, wish(outside, tab, teacher=False))
    assert not asking.needs_consent(here, tab, wish(here, tab))
    tab.consented = True
    assert not asking.needs_consent(outside, tab, wish(outside, tab))


def test_the_sides_of_a_blind_question_are_swapped_by_chance(make_engine) -> None:
    engine = make_engine()
    coin = random.Random(1)
    lefts = [
        asking.ask(engine, tab := Tab("k"), wish(engine, tab, blind=True), coin=coin).seats["left"] for _ in range(40)
    ]
    assert 10 < lefts.count("teacher") < 30
    open_turn = asking.ask(engine, tab := Tab("k"), wish(engine, tab))
    assert open_turn.seats == {"left": "student", "right": "teacher"} and not open_turn.hidden


def test_base_and_blind_are_only_what_can_be(make_engine) -> None:
    engine, with_base = make_engine(), make_engine(base=True)
    tab = Tab("k")
    assert not wish(engine, tab, base=True).base and wish(with_base, tab, base=True).base
    assert not wish(with_base, tab, base=True, blind=True).base, "the vote compares two"
    assert not wish(engine, tab, blind=True, teacher=False).blind, "one side alone is not a comparison"


def test_the_records_know_the_turn_and_the_consent(make_engine, tmp_path) -> None:
    engine = make_engine(records=tmp_path / "records.sqlite")
    tab = Tab("k")
    first = asking.ask(engine, tab, wish(engine, tab))
    second = asking.ask(engine, tab, wish(engine, tab))
    assert first.question.session == second.question.session == tab.session
    assert first.question.turn and first.question.turn != second.question.turn


@pytest.fixture
def conversation(make_engine):
    """A tab with one finished blind question, one stopped, one failed."""
    engine = make_engine()
    tab = Tab("k")
    turn = asking.ask(engine, tab, wish(engine, tab, "세율은?", blind=True), coin=random.Random(1))
    for place, side in turn.seats.items():
        *_, turn.outcomes[place] = engine.answer(turn.question, side)
    stopped = asking.ask(engine, tab, wish(engine, tab, "둘째", teacher=False))
    stopped.outcomes["left"] = Stopped("반쪽짜리 글")
    failed = asking.ask(engine, tab, wish(engine, tab, "셋째"))
    failed.outcomes |= {"left": ServeError(Code.BUSY, "바쁩니다", "나중에")}
    return tab


def test_the_conversation_as_markdown(conversation) -> None:
    text = export.as_markdown(conversation)
    for part in (
        "## 1. 세율은?",
        "기준일 2025-07-01",
        "### 답 A",
        "학생의 답입니다.",
        "반쪽짜리 글",
        "바쁩니다",
        "AI 생성물",
        "세무대리가 아닙니다",
    ):
        assert part in text, part
    assert "### 학생" not in text.split("## 2.")[0] and "학생/" not in text.split("## 2.")[0], (
        "hidden names stay hidden"
    )
    assert "<b>" not in text and isinstance(conversation.turns[1].outcomes["right"], NotAsked)
    assert text.split("## 2.")[1].split("## 3.")[0].count("###") == 1
    conversation.turns[0].revealed = True
    assert "### 학생" in export.as_markdown(conversation).split("## 2.")[0]


def test_the_conversation_as_json(conversation) -> None:
    name = json.loads(export.file_of(conversation, "json"))
    record = json.loads(name["text"])
    assert name["name"] == "slm-forest.json" and "세율은?" in name["text"], "Hangul stays as it is"
    first, second, third = record["conversation"]
    assert first["blind"] and "side" not in first["answers"]["left"] and first["answers"]["left"]["answer"]
    assert second["answers"] == {"left": {"stopped": True, "answer": "반쪽짜리 글"}}
    assert third["answers"]["left"]["error"]["code"] == "busy" and third["answers"]["right"] == {"pending": True}


def test_a_question_that_waited_for_consent_can_go_without_the_teacher(make_engine) -> None:
    from serve.page.events import take_held

    engine = make_engine(host="api.example.com")
    tab = Tab("k")
    tab.held = wish(engine, tab, blind=True)
    alone = take_held(tab, agreed=False)
    assert not alone.teacher and not alone.blind and not tab.consented and tab.held is None
    tab.held = replace(alone, teacher=True)
    assert take_held(tab, agreed=True).teacher and tab.consented
    assert take_held(tab, agreed=True) is None
