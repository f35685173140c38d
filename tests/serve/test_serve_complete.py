"""A calculator call is finished by code and shown as such; what cannot be computed is said, never guessed."""

from __future__ import annotations

from datetime import date

import pytest

from serve.answer import Answer, Asked, stream_answer, student_messages
from serve.backends.fake import FakeBackend
from serve.backends.protocol import GenParams
from serve.complete import complete, is_for_code, runs_past_call

AS_OF = date(2025, 7, 1)
QUESTION = "1999년이나 올해 아버지께 20억원을 증여받으면 증여세는, 근로소득이 6,000만원이면 소득세는?"
CALL = '{"tax":"gift","amount":"20억원","relation":"직계존속"}'


def test_call_becomes_facts_and_a_computed_working() -> None:
    done = complete(CALL, AS_OF, QUESTION)
    assert done.raw == CALL
    assert done.facts == (("세목", "증여세"), ("증여재산가액", "20억원"), ("증여자", "직계존속"))
    assert done.result.payable == 601_400_000
    assert "6억 140만원" in done.working
    assert done.working in done.final


def test_prose_is_left_alone() -> None:
    done = complete("  증여세는 601,400,000원입니다. ", AS_OF, QUESTION)
    assert (done.raw, done.final) == ("증여세는 601,400,000원입니다.",) * 2
    assert done.facts == () and done.working is None and done.problem is None


def test_broken_call_is_said_plainly_and_kept() -> None:
    done = complete('{"tax":"gift","amount":"20억원","relation":"이웃"}', AS_OF, QUESTION)
    assert done.working is None
    assert "형식이 잘못" in done.problem and "relation" in done.problem
    assert done.final == done.raw


def test_unsupported_case_shows_the_facts_and_the_reason() -> None:
    done = complete('{"tax":"gift","amount":"20억원","relation":"직계존속","year":1999}', AS_OF, QUESTION)
    assert ("적용 연도", "1999년") in done.facts
    assert done.working is None and "1999" in done.problem


def test_a_call_about_facts_the_question_does_not_state_is_not_computed() -> None:
    done = complete(CALL, AS_OF, "부모님께 2억원을 증여받았어요")
    assert done.working is None and done.result is None and done.final == CALL
    assert "질문에 없는" in done.problem and "20억원" in done.problem
    assert ("증여재산가액", "20억원") in done.facts


def test_booleans_and_counts_read_as_korean() -> None:
    facts = dict(complete('{"tax":"income","gross_pay":60000000,"dependants":3}', AS_OF, QUESTION).facts)
    assert facts["총급여"] == "6,000만원" and facts["기본공제 대상자(본인 포함)"] == "3명"
    assert dict(complete(CALL[:-1] + ',"filed":false}', AS_OF, QUESTION).facts)["기한 안에 신고"] == "아니요"


def test_the_completed_text_is_what_is_verified(verifier) -> None:
    backend = FakeBackend().enqueue(CALL[:20], CALL[20:])
    asked = Asked("student", "s", QUESTION, AS_OF)
    steps = stream_answer(backend, student_messages(QUESTION), GenParams(), asked)
    answer = list(steps)[-1]
    assert isinstance(answer, Answer)
    assert verifier.asked == [(QUESTION, answer.completion.final, AS_OF)]
    assert answer.as_dict()["answer"] == CALL


def test_speed_counts_decoding_only(verifier) -> None:
    ticks = iter([0.0, 2.0, 2.0, 3.0, 4.0])  # start, first token (twice), second token, end
    backend = FakeBackend().enqueue("가 A1", "나 다")
    asked = Asked("student", "s", QUESTION, AS_OF)
    *_, answer = stream_answer(backend, student_messages(QUESTION), GenParams(), asked, lambda: next(ticks))
    assert answer.stats.first_seconds == 2.0
    assert answer.stats.tokens_per_second == 0.5
    assert answer.stats.characters == 5
    assert answer.stats.chars_per_second == 1.0  # 나 and 다 in two seconds; the first piece came with the first token


def test_a_model_that_runs_on_after_its_call_is_stopped(verifier) -> None:
    backend = FakeBackend().enqueue(CALL[:-1], "}", "true", "}", *["true}"] * 200)
    asked = Asked("student", "s", QUESTION, AS_OF)
    *_, answer = stream_answer(backend, student_messages(QUESTION), GenParams(), asked)
    assert answer.completion.raw == CALL + "true" and answer.completion.result.payable == 601_400_000
    assert (answer.stats.finish, answer.stats.new_tokens) == ("stop", 3)
    assert answer.stats.prompt_tokens == backend.count_tokens(student_messages(QUESTION))
    assert backend.endings == ["closed"]


@pytest.mark.parametrize(
    "text",
    [
        CALL,
        CALL[:-1],
        CALL + "\n\n",
        CALL + "\n\n증여재산가액: 20억원",
        f"```json\n{CALL}\n```",
        CALL + "\n- 과세표준",
        "{가",
        "글 }true",
    ],
)
def test_a_call_its_working_and_words_are_let_run(text: str) -> None:
    assert not runs_past_call(text)


SHOWN = "[근거]\n1. 소득세법 제14조(과세표준의 계산) [시행 2025-01-01]\n① 종합소득과 퇴직소득은 나누어 계산한다.\n\n[질문]\n따로 계산하나요?"


def test_a_source_that_was_named_is_quoted_with_its_article_and_day() -> None:
    done = complete(" 인용: 1번 제1항 ", AS_OF, "따로 계산하나요?", SHOWN)
    assert done.quoted == done.words == done.final and done.raw == "인용: 1번 제1항" and done.problem is None
    assert done.quoted == (
        "소득세법 제14조 제1항(과세표준의 계산)에 따르면 “종합소득과 퇴직소득은 나누어 계산한다.”\n"
        "2025년 1월 1일부터 시행된 규정입니다."
    )


def test_a_source_that_cannot_be_quoted_is_said_plainly_and_kept() -> None:
    for text in ("인용: 2번", "인용: 1번 제9항", "인용: 제1항"):
        done = complete(text, AS_OF, "따로 계산하나요?", SHOWN)
        assert done.problem.startswith("인용할 근거를 찾지 못해") and done.unable == "인용하지 못함"
        assert done.final == done.words == text and done.quoted is None
    assert complete('{"tax":"gift"}', AS_OF, QUESTION).unable == "계산하지 못함"


def test_what_code_finishes_is_known_while_it_streams() -> None:
    assert all(is_for_code(text) for text in ("{", "```j", "인", "인용: 1", "인용: 1번 제1항"))
    assert not any(is_for_code(text) for text in ("", "인적", "소득세법", "`코드`"))


def test_a_call_that_turns_on_what_nobody_stated_becomes_the_question_for_it() -> None:
    done = complete('{"tax":"gift","amount":"6억","relation":"직계존속"}', AS_OF, "6억 증여, 증여세?")
    assert done.final == done.problem and done.unable == "되묻습니다" and done.working is None and done.result is None
    assert done.problem.startswith("계산하려면 준 사람과의 관계를 알아야 합니다.")
    assert ("증여재산가액", "6억") in done.facts


def test_a_working_the_model_wrote_under_its_call_stands_and_code_keeps_its_own_beside_it() -> None:
    own = "증여재산가액: 20억원\n과세표준: 20억원 - 5,000만원 [⑦055] = 19억 5,000만원\n납부할 세액: 6억 140만원"
    done = complete(f"{CALL}\n{own}", AS_OF, QUESTION)
    assert done.own_working == done.words == own.replace(" [⑦055]", "") and done.working is None
    assert done.final == f"{CALL}\n\n{done.own_working}" and done.result.payable == 601_400_000
    assert ("증여자", "직계존속") in done.facts
    held = complete(f"{CALL}\n{own}", AS_OF, "부모님께 2억원을 증여받았어요")
    assert "질문에 없는" in held.problem and held.own_working is None


def test_a_wrong_working_under_a_right_call_is_a_fault_with_the_right_amount() -> None:
    own = "증여재산가액: 20억원\n납부할 세액: 7억 140만원 (701,400,000원)"
    backend = FakeBackend("s").enqueue(f"{CALL}\n{own}")
    asked = Asked("student", "s", "아버지께 20억원을 증여받았습니다. 증여세는 얼마인가요?", AS_OF)
    *_, answer = stream_answer(backend, student_messages(asked.question), GenParams(64), asked)
    assert not answer.verdict.ok
    assert any(finding.expected == "6억 140만원" for finding in answer.verdict.findings)
