"""The exact answer cache and the records: the same question is answered again without the model, a neighbour never is."""

from __future__ import annotations

from datetime import date

import pytest

from serve.backends.fake import FakeBackend
from serve.backends.protocol import GenParams
from serve.engine import Question
from serve.errors import Code, ServeError

DAY = date(2025, 12, 1)
GIFT = "부모님께 20억원을 증여받았는데 증여세는 얼마인가요?"
CALL = '{"tax":"gift","amount":"20억원","relation":"직계존속"}'


def test_the_same_question_is_answered_from_the_cache_and_says_so(build, records, last, local) -> None:
    student = local().enqueue(CALL)
    engine = build(student, records=records)
    first, again = last(engine, GIFT), last(engine, GIFT)
    assert len(student.requests) == 1
    assert (first.cached, again.cached) == (False, True)
    assert again.completion == first.completion and again.verdict == first.verdict
    assert again.stats.first_seconds is None and again.usd == 0.0
    assert again.as_dict()["stats"]["seconds"] is None


def test_a_neighbouring_question_is_another_question(build, records, last, local) -> None:
    student = local().enqueue("과세입니다.").enqueue("비과세입니다.")
    engine = build(student, records=records)
    assert last(engine, "과세인가요?").completion.raw == "과세입니다."
    assert last(engine, "비과세인가요?").completion.raw == "비과세입니다."
    assert len(student.requests) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"question": Question(GIFT, date(2024, 12, 1))},
        {"question": Question(GIFT, DAY, fresh=True)},
        {"question": Question(GIFT, DAY, params=GenParams(100, 0.0))},
        {"question": Question(GIFT, DAY, params=GenParams(512, 0.7))},
    ],
)
def test_another_day_other_settings_or_a_wish_ask_the_model_again(build, records, change: dict, last, local) -> None:
    student = local().enqueue(CALL).enqueue(CALL)
    engine = build(student, records=records)
    last(engine, GIFT)
    assert last(engine, change["question"]).cached is False
    assert len(student.requests) == 2


@pytest.mark.parametrize(("sha256", "temperature"), [(None, 0.0), ("aa", 0.8)])
def test_nameless_or_sampled_answers_are_never_given_again(
    build, records, last, local, sha256: str | None, temperature: float
) -> None:
    student = local(sha256=sha256).enqueue("가").enqueue("나")
    engine = build(student, records=records, params=GenParams(512, temperature))
    assert [last(engine, GIFT).completion.raw for _ in range(2)] == ["가", "나"]


def test_panes_share_a_turn_and_answers_have_an_id(build, records, last, local) -> None:
    engine = build(local().enqueue("가"), FakeBackend().enqueue("나"), records=records)
    question = engine.begin(Question(GIFT, DAY, session=records.new_session("page", True)))
    ids = [last(engine, question, side).id for side in ("student", "teacher")]
    rows = records._connection.execute("SELECT id, turn, side FROM answers ORDER BY seq").fetchall()
    assert [tuple(row) for row in rows] == [
        (ids[0], question.turn, "student"),
        (ids[1], question.turn, "teacher"),
    ]


def test_a_failure_is_kept_with_its_code(build, records, local) -> None:
    engine = build(local().enqueue(ServeError(Code.BUSY, "바쁨")), records=records)
    session = records.new_session("page", False)
    with pytest.raises(ServeError):
        list(engine.answer(Question(GIFT, DAY, session=session)))
    assert [tuple(row) for row in records._connection.execute("SELECT side, error FROM answers")] == [
        ("student", "busy")
    ]


def test_without_records_nothing_needs_a_session(build, last, local) -> None:
    question = Question(GIFT, DAY)
    engine = build(local().enqueue(CALL))
    assert engine.begin(question) is question
    assert last(engine, question).id is None
