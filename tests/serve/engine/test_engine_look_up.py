"""A student that asks for evidence is asked the bare question first, and again with the sources where it says so."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from serve.answer import Answer
from serve.backends.protocol import Message
from serve.engine import Engine, Question
from taxlaw.evidence_prompt import LOOK_UP
from taxlaw.search.passages import Hit

ASKED = Question("소득세 세율은?", date(2025, 12, 1), sources=True)
CALL = '{"tax":"gift","amount":"20억원","relation":"직계존속"}'


@pytest.fixture
def asking(build):
    def make(student, **more) -> Engine:
        engine = build(student, **more)
        engine.described = replace(engine.described, asks_evidence=True)
        return engine

    return make


def test_it_is_asked_again_with_the_sources_and_its_request_is_never_shown(asking, local, index) -> None:
    student = local().enqueue(LOOK_UP[:7], LOOK_UP[7:]).enqueue("소득세법 제55조에 ", "따릅니다.")
    *steps, answer = asking(student, search=index()).answer(ASKED)
    assert student.requests[0] == (Message("user", "소득세 세율은?"),)
    assert "소득세법 제55조(세율)" in student.requests[1][-1].content
    assert {step.text for step in steps if step.text} == {"소득세법 제55조에 ", "소득세법 제55조에 따릅니다."}
    assert answer.completion.raw == "소득세법 제55조에 따릅니다."
    assert answer.sources_read and len(answer.sources) == 1
    assert answer.stats.seconds >= answer.stats.first_seconds >= steps[0].stats.seconds


def test_a_calculation_needs_no_sources_in_its_prompt(asking, last, local, index) -> None:
    student = local().enqueue(CALL)
    answer = last(
        asking(student, search=index()), replace(ASKED, text="부모님께 20억원을 증여받았는데 증여세는 얼마인가요?")
    )
    assert answer.completion.result.payable == 601_400_000
    assert len(student.requests) == 1 and answer.sources and not answer.sources_read


def test_words_that_only_begin_like_the_request_are_shown_in_full(asking, local, index) -> None:
    student = local().enqueue(LOOK_UP[:4], " 적힌 대로입니다.")
    *steps, answer = asking(student, search=index()).answer(ASKED)
    assert steps[-1].text == answer.completion.raw == LOOK_UP[:4] + " 적힌 대로입니다."


@pytest.mark.parametrize("with_index", [True, False])
def test_without_sources_the_request_is_the_answer(asking, last, local, index, with_index: bool) -> None:
    student = local().enqueue(LOOK_UP)
    question = replace(ASKED, sources=not with_index)
    answer: Answer = last(asking(student, search=index() if with_index else None), question)
    assert answer.completion.raw == LOOK_UP and len(student.requests) == 1 and answer.verdict.ok


def test_sources_without_a_text_leave_nothing_to_quote(asking, last, local, index, article) -> None:
    student = local().enqueue(LOOK_UP)
    named = replace(article, text="")
    answer = last(asking(student, search=index(Hit(named, 1.0, 1))), ASKED)
    assert answer.completion.raw == LOOK_UP and len(student.requests) == 1
    assert [hit.passage for hit in answer.sources] == [named] and not answer.sources_read


def test_the_kept_answer_is_the_one_with_sources(asking, last, local, index, records) -> None:
    student = local().enqueue(LOOK_UP).enqueue("소득세법 제55조에 따릅니다.")
    engine = asking(student, search=index(), records=records)
    first = last(engine, ASKED)
    again = last(engine, ASKED)
    assert (
        again.cached
        and again.sources_read
        and again.completion.raw == first.completion.raw
        and len(student.requests) == 2
    )


QUOTED = "소득세법 제55조 제2항(세율)에 따르면 “퇴직소득은 따로 계산한다.”\n2025년 1월 1일부터 시행된 규정입니다."


def test_a_source_it_names_is_quoted_by_code(asking, last, local, index) -> None:
    student = local().enqueue(LOOK_UP).enqueue("인용: 1번", " 제2항")
    answer = last(asking(student, search=index()), ASKED)
    assert (answer.completion.raw, answer.completion.final) == ("인용: 1번 제2항", QUOTED)
    assert answer.completion.words == answer.as_dict()["quoted_by_code"] == QUOTED
    assert answer.verdict.ok and answer.verdict.count("citation", "confirmed") == 1


@pytest.mark.parametrize("named", ["인용: 2번", "인용: 1번 제3항", "인용: 그 조문"])
def test_a_source_that_was_not_shown_is_not_quoted(asking, last, local, index, named: str) -> None:
    answer = last(asking(local().enqueue(LOOK_UP).enqueue(named), search=index()), ASKED)
    assert answer.completion.final == answer.completion.words == named
    assert answer.completion.problem and answer.completion.unable == "인용하지 못함"


def test_nothing_is_quoted_to_a_model_that_was_shown_nothing(asking, last, local, index) -> None:
    answer = last(asking(local().enqueue("인용: 1번 제2항"), search=index()), ASKED)
    assert answer.sources and not answer.sources_read and answer.completion.quoted is None and answer.completion.problem
