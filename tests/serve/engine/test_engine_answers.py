"""One way for every question: its size, its history, the calculation, failures, and many at once."""

from __future__ import annotations

import threading
from datetime import date

import pytest

from serve.answer import Answer, Progress
from serve.backends.fake import FakeBackend
from serve.backends.protocol import GenParams, Message
from serve.engine import Question, Seat
from serve.errors import Code, ServeError

DAY = date(2025, 12, 1)
GIFT = "부모님께 20억원을 증여받았는데 증여세는 얼마인가요?"
CALL = '{"tax":"gift","amount":"20억원","relation":"직계존속"}'


def test_an_answer_is_completed_computed_and_verified(build, local) -> None:
    engine = build(local().enqueue(CALL[:10], CALL[10:]))
    steps = list(engine.answer(Question(GIFT, DAY)))
    assert [type(step) for step in steps] == [Progress, Progress, Answer]
    answer = steps[-1]
    assert answer.completion.raw == CALL and answer.completion.result.payable == 601_400_000
    assert answer.calculation.result.payable == 601_400_000 and answer.calculation.agrees is True
    assert answer.verdict.ok and (answer.usd, answer.won) == (0.0, 0.0)
    assert answer.stats.characters == len(CALL.replace(" ", ""))


def test_code_computes_by_itself_and_says_when_the_model_differs(build, last, local) -> None:
    answer = last(build(local().enqueue("증여세는 7억원을 내야 합니다.")), GIFT)
    assert answer.calculation.result.payable == 601_400_000
    assert (answer.calculation.stated, answer.calculation.agrees) == (700_000_000, False)
    assert answer.completion.raw == "증여세는 7억원을 내야 합니다."  # the model's text is never changed


def test_a_question_that_states_no_case_has_no_calculation(build, last, local) -> None:
    assert last(build(local().enqueue("세무서에 냅니다.")), "증여세는 어디에 내나요?").calculation is None


@pytest.mark.parametrize("text", ["", "  \n", "\x00"])
def test_an_empty_question_is_refused(build, text: str, local) -> None:
    with pytest.raises(ServeError) as caught:
        list(build(local()).answer(Question(text, DAY)))
    assert caught.value.code is Code.USAGE


def test_a_question_that_is_too_long_is_refused_in_numbers_before_it_is_sent(build, local) -> None:
    student = local(window=100)
    engine = build(student)
    question = Question("긴 " * 50 + "질문", DAY)
    assert engine.size(question) == (51, 36)  # 64 of the 100 are kept for the answer
    with pytest.raises(ServeError) as caught:
        list(engine.answer(question))
    assert caught.value.code is Code.CONTEXT and caught.value.exit_code == 3
    assert "51토큰" in caught.value.message and "36토큰" in caught.value.message and "15토큰" in caught.value.hint
    assert student.requests == []


def test_earlier_turns_are_shown_and_their_facts_count(build, last, local) -> None:
    student = local().enqueue('{"tax":"gift","amount":"20억원","relation":"배우자"}')
    history = (Message("user", GIFT), Message("assistant", CALL))
    answer = last(build(student), Question("배우자에게서 받았다면요?", DAY, history=history))
    assert student.requests[0] == (*history, Message("user", "배우자에게서 받았다면요?"))
    assert answer.completion.result is not None and answer.completion.problem is None


def test_a_missing_base_model_is_said(build, local) -> None:
    with pytest.raises(ServeError) as caught:
        list(build(local()).answer(Question(GIFT, DAY), "base"))
    assert caught.value.code is Code.NO_MODEL and caught.value.exit_code == 3


def test_many_threads_get_each_their_own_answer(build, records, last, local) -> None:
    class Echo(local):
        def stream(self, messages, params):
            one = local(turnstile=self.turnstile).enqueue("답: ", messages[-1].content)
            return one.stream(messages, params)

    engine = build(Echo(), records=records)
    session = records.new_session("page", True)
    wrong: list[str] = []

    def ask(number: int) -> None:
        for text in (f"질문 {number} 하나", f"질문 {number % 3} 함께"):
            answer = last(engine, Question(text, DAY, session=session))
            if answer.completion.raw != f"답: {text}" or answer.question != text:
                wrong.append(answer.completion.raw)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads) and wrong == []


def test_closing_an_answer_frees_the_model(build, last, local) -> None:
    student = local().enqueue("가", "나").enqueue("다")
    engine = build(student)
    steps = engine.answer(Question(GIFT, DAY))
    next(steps)
    steps.close()
    assert student.endings == ["closed"]
    assert last(engine, GIFT).completion.raw == "다"


def test_closing_the_engine_closes_every_part(build, records, local) -> None:
    parts = local(), FakeBackend(), FakeBackend()
    engine = build(parts[0], parts[1], base=Seat("base", parts[2], GenParams()), records=records)
    engine.close()
    assert all(part.closed for part in parts) and not records.keeping
