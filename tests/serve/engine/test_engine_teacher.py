"""The right pane: what leaves this machine and as what, what it costs, and each failure as it is."""

from __future__ import annotations

from datetime import date

import pytest

from serve.answer import Progress
from serve.backends.protocol import Message
from serve.engine import Question
from serve.errors import Code, ServeError
from serve.prices import Prices
from serve.teacher import RecordedTeacher
from taxlaw.strict_config import validate

DAY = date(2025, 12, 1)
GIFT = "부모님께 20억원을 증여받았는데 증여세는 얼마인가요?"


def table() -> Prices:
    raw = {"input": 1.0, "output": 2.0, "source": "test"}
    days = {"as_of": "2026-01-01", "usd_krw_date": "2026-01-01", "usd_krw": 1000.0}
    return validate({**days, "models": {"gpt-4o-mini": raw}}, Prices, where="test")


def test_the_cost_of_an_outside_teacher(build, last, local, remote) -> None:
    engine = build(local(), remote().enqueue("가", "나"), prices=table())
    answer = last(engine, GIFT, "teacher")
    expected = (answer.stats.prompt_tokens * 1.0 + 2 * 2.0) / 1_000_000
    assert answer.usd == pytest.approx(expected) and answer.won == pytest.approx(expected * 1000)


def test_an_unknown_price_is_not_nothing(build, last, local, remote) -> None:
    answer = last(build(local(), remote().enqueue("가"), prices=None), GIFT, "teacher")
    assert answer.usd is None and answer.won is None and answer.as_dict()["won"] is None


def test_a_teacher_on_this_machine_costs_nothing_and_is_not_outside(build, last, local) -> None:
    here = local("x", device="remote", host="127.0.0.1:8000").enqueue("가")
    engine = build(local(), here, prices=table())
    assert engine.outside() is None
    assert last(engine, "제 번호는 900101-1234567인데 세금은?", "teacher").usd == 0.0
    assert "900101-1234567" in here.requests[0][-1].content


def test_outside_names_the_host(build, local, remote) -> None:
    assert build(local(), remote()).outside() == "api.example.com"
    assert build(local(), None).outside() is None
    assert build(remote()).outside("student") == "api.example.com"


def test_blocked_personal_data_stay_here(build, local, remote) -> None:
    live = remote()
    with pytest.raises(ServeError) as caught:
        list(build(local(), live).answer(Question("900101-1234567 세금은?", DAY), "teacher"))
    assert caught.value.code is Code.PRIVATE and caught.value.exit_code == 4
    assert "주민등록번호" in caught.value.message and "900101" not in str(caught.value)
    assert live.requests == []


def test_masked_personal_data_are_sent_as_shown(build, last, local, remote, index) -> None:
    live = remote().enqueue("네")
    engine = build(local(), live, personal_data="mask", search=index())
    history = (Message("user", "제 전화는 010-1234-5678입니다"), Message("assistant", "네"))
    question = Question("900101-1234567인데 소득세 세율은?", DAY, sources=True, history=history)
    answer = last(engine, question, "teacher")
    assert answer.sent == "[주민등록번호]인데 소득세 세율은?" and answer.question == question.text
    everything = "\n".join(message.content for message in live.requests[0])
    assert "900101" not in everything and "5678" not in everything and answer.sent in everything


def test_the_student_is_asked_as_written(build, last, local, remote) -> None:
    student = local().enqueue("네")
    answer = last(build(student, remote()), "900101-1234567 세금은?")
    assert answer.sent is None and "900101-1234567" in student.requests[0][0].content


def test_a_recording_has_no_speed_no_cost_and_no_evidence(build, records, last, local, index) -> None:
    recorded = RecordedTeacher({GIFT: "녹음된 답"}, "test")
    engine = build(local(), None, recorded=recorded, search=index(), records=records)
    answer = last(engine, Question(GIFT, DAY, sources=True), "teacher")
    assert (answer.completion.raw, answer.measured, answer.usd, answer.sources) == ("녹음된 답", False, 0.0, ())
    assert last(engine, GIFT, "teacher").cached is False


@pytest.mark.parametrize(
    "code", [Code.AUTH, Code.RATE_LIMIT, Code.TIMEOUT, Code.UNREACHABLE, Code.CONTEXT, Code.BAD_REPLY]
)
def test_each_failure_of_the_teacher_comes_through_as_it_is(build, code: Code, local, remote) -> None:
    failing = remote().enqueue("반", ServeError(code, "까닭", "할 일", side="teacher"))
    steps = build(local(), failing).answer(Question(GIFT, DAY), "teacher")
    assert isinstance(next(steps), Progress)
    with pytest.raises(ServeError) as caught:
        list(steps)
    assert (caught.value.code, caught.value.hint, caught.value.exit_code) == (code, "할 일", 4)
