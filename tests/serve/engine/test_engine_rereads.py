"""A student's call that does not fit the question gives way to another reading, and a person sees that it did."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from datetime import date

from serve.answer import Answer, Progress
from serve.backends.protocol import GenParams, Message
from serve.engine import Question
from serve.terminal.words import notes_of
from serve.verification import explain

DAY = date(2025, 12, 1)
QUESTION = "조정대상지역 아파트를 5억원에 사서 2주택이 됩니다. 취득세는 얼마인가요?"
RIGHT = '{"tax":"acquisition","value":"5억원","homes":2,"adjusted":true}'
WRONG = '{"tax":"acquisition","value":"5억원","homes":2,"adjusted":false}'


def rereader(local):
    @dataclass
    class Rereader(local):
        others: tuple = ()
        asked: list = field(default_factory=list)

        def readings(self, messages, params, beginning=""):
            for text in self.others:
                self.asked.append(text)
                yield text

    return Rereader


def test_the_reading_that_fits_is_computed_and_the_first_is_told(build, local) -> None:
    student = rereader(local)(others=(None, '{"tax":"acquisition"', RIGHT, "never asked for")).enqueue(WRONG)
    steps = list(build(student).answer(Question(QUESTION, DAY)))
    answer = steps[-1]
    assert isinstance(answer, Answer) and all(isinstance(step, Progress) for step in steps[:-1])
    assert (answer.completion.raw, answer.completion.first) == (RIGHT, WRONG)
    assert answer.completion.result is not None and answer.completion.unread == ()
    assert student.asked == [None, '{"tax":"acquisition"', RIGHT]
    assert any(WRONG in text for text, _ in notes_of(answer, stats=False, sources=False))
    assert answer.as_dict()["first_answer"] == WRONG
    assert answer.stats.rereading_seconds <= answer.stats.seconds


def test_where_no_reading_fits_the_first_is_computed_with_a_caution(build, local) -> None:
    student = rereader(local)(others=("말로 쓴 답",)).enqueue(WRONG)
    answer = list(build(student).answer(Question(QUESTION, DAY)))[-1]
    assert (answer.completion.raw, answer.completion.first) == (WRONG, None)
    assert answer.completion.unread == ("조정대상지역의 주택",)
    explained = explain(answer)
    assert any("조정대상지역의 주택" in text for text in explained.missing)
    assert any(badge.words == "질문과 다른 사실 1" and badge.tone == "bad" for badge in explained.badges)
    assert answer.as_dict()["unread"] == ["조정대상지역의 주택"]


def test_a_call_without_a_doubt_costs_nothing(build, local) -> None:
    student = rereader(local)(others=(WRONG,)).enqueue(RIGHT)
    answer = list(build(student).answer(Question(QUESTION, DAY)))[-1]
    assert student.asked == [] and answer.completion.first is None and answer.stats.rereading_seconds == 0


def test_a_working_that_does_not_add_up_is_written_again_and_read_without_its_digits(build, local, working) -> None:
    slip, right, plain = working
    question = "외삼촌께 8억 1천만원을 증여받았습니다. 증여세는 얼마인가요?"
    student = rereader(local)(others=(None, right, "never asked for")).enqueue(*slip.splitlines(keepends=True))
    *steps, answer = build(student).answer(Question(question, DAY))
    assert (answer.completion.raw, answer.completion.first) == (right, slip)
    assert answer.completion.final == answer.completion.words == plain
    assert answer.verdict.ok and answer.calculation.stated == 174_600_000 and answer.calculation.agrees
    shown = [step.shown for step in steps]
    assert all(later.startswith(sooner) for sooner, later in itertools.pairwise(shown))
    assert plain.startswith(shown[-1]) and shown[-1].splitlines()[-1].startswith("과세표준"), "only what was right"
    (note,) = [text for text, _ in notes_of(answer, stats=False, sources=False) if "다시 썼습니다" in text]
    assert note.endswith("1억 7,000만원") and "산출세액" in note and "차감" not in note


def test_a_working_that_adds_up_is_not_written_again(build, local, working) -> None:
    _, right, plain = working
    student = rereader(local)(others=("never asked for",)).enqueue(right)
    answer = list(build(student).answer(Question("외삼촌께 8억 1천만원을 증여받았습니다. 증여세는?", DAY)))[-1]
    assert student.asked == [] and answer.completion.first is None and answer.completion.words == plain


UNCLE = "외삼촌께 8억 1천만원을 증여받았습니다. 증여세는 얼마인가요?"
UNCLES = '{"tax":"gift","amount":"8억 1천만원","relation":"기타친족"}'


def led(local, call, working, *, calls=(), workings=()):
    """A student that writes ``working`` under ``call``, and what else it may write."""

    @dataclass
    class Led(local):
        begun: list = field(default_factory=list)

        def readings(self, messages, params, beginning=""):
            self.begun.append(beginning)
            yield from workings if beginning else calls

    return Led().enqueue(f"{call}\n", *working.splitlines(keepends=True))


def test_a_working_under_a_call_is_shown_as_it_comes_without_the_call(build, local, working) -> None:
    _, right, plain = working
    student = led(local, UNCLES, right)
    *steps, answer = build(student).answer(Question(UNCLE, DAY))
    assert student.begun == [] and answer.completion.first is None
    assert answer.completion.words == plain and answer.verdict.ok
    shown = [step.shown for step in steps]
    assert shown[0].startswith("{") and not any(text.startswith("{") for text in shown[1:])
    assert all(later.startswith(sooner) for sooner, later in itertools.pairwise(shown[1:]))


def test_under_a_doubtful_call_nothing_is_shown_before_the_call_is_read_again(build, local, working) -> None:
    slip, right, plain = working
    wrong = UNCLES.replace("기타친족", "직계존속")
    student = led(local, wrong, slip, calls=('{"tax"', UNCLES), workings=(f"{UNCLES}\n{slip}", f"{UNCLES}\n{right}"))
    *steps, answer = build(student).answer(Question(UNCLE, DAY))
    assert student.begun == ["", f"{UNCLES}\n"]
    assert answer.completion.words == plain and answer.verdict.ok
    assert answer.completion.first == f"{wrong}\n{slip}"
    assert {step.shown for step in steps} == {f"{wrong}\n"}
    told = replace(answer, completion=replace(answer.completion, first=f"{wrong}\n{right}"))
    (note,) = [text for text, _ in notes_of(told, stats=False, sources=False) if "다시 읽었습니다" in text]
    assert note.endswith(f"처음 출력: {wrong}"), "what stood under it followed from it"


def test_answers_drawn_by_chance_and_follow_ups_are_not_read_again(build, local) -> None:
    warm = rereader(local)(others=(RIGHT,)).enqueue(WRONG)
    list(build(warm).answer(Question(QUESTION, DAY, params=GenParams(64, temperature=0.8, seed=1))))
    later = rereader(local)(others=(RIGHT,)).enqueue(WRONG)
    history = (Message("user", QUESTION), Message("assistant", RIGHT))
    list(build(later).answer(Question("조정대상지역 아파트가 2주택이면 취득세는?", DAY, history=history)))
    assert warm.asked == [] and later.asked == []


def test_closing_the_answer_closes_the_readings(build, local) -> None:
    ended = []

    @dataclass
    class Slow(local):
        def readings(self, messages, params, beginning=""):
            try:
                while True:
                    yield None
            finally:
                ended.append(True)

    steps = build(Slow().enqueue(WRONG)).answer(Question(QUESTION, DAY))
    for _ in range(4):
        next(steps)
    steps.close()
    assert ended == [True]


def test_a_student_that_asks_for_what_is_stated_while_another_fact_is_missing_is_corrected(build, local) -> None:
    question = "땅을 2억원에 사서 5억원에 팔았습니다. 양도소득세는 얼마인가요?"
    asking = "계산하려면 취득가액을 알아야 합니다. 알려 주시면 계산해 드리겠습니다."
    answer = list(build(local().enqueue(asking)).answer(Question(question, DAY)))[-1]
    assert answer.completion.raw == asking and "보유기간을 알아야 합니다" in answer.completion.final
