"""The records behind a real engine: an answer reaches the person whatever becomes of the file, and the export has its prompt."""

from __future__ import annotations

from pathlib import Path

import pytest

from serve.answer import Answer
from serve.backends.fake import FakeBackend
from serve.backends.protocol import GenParams
from serve.engine import Engine, Question, Seat
from serve.records.database import reading
from serve.records.preferences import preferences
from serve.records.voted import read_answers, read_votes
from serve.settings import Student


@pytest.fixture
def engine(records, demo_config, keyless_teacher, as_of) -> Engine:
    backend = FakeBackend().enqueue("소득세법 ", "제55조입니다.").enqueue("소득세법 제55조의 세율입니다.")
    seat = Seat("학생", backend, GenParams(64, 0.0))
    teacher = keyless_teacher({"세율은?": "교사의 답은 소득세법 제55조입니다."})
    return Engine(demo_config(), seat, teacher, as_of, Student(Path("student.gguf"), "학생"), records=records)


def ask(engine: Engine, question: Question, side: str = "student") -> Answer:
    *_, answer = engine.answer(question, side)
    return answer


def test_what_two_panes_answered_comes_out_as_a_pair(engine, records, as_of):
    question = engine.begin(Question("세율은?", as_of, session=records.new_session("page", keep_text=True)))
    answers = [ask(engine, question, side) for side in ("student", "teacher")]
    assert records.vote(question.turn, "right", left="student", right="teacher")
    with reading(records.path) as connection:
        kept = read_answers(connection)
        votes = read_votes(connection, kept)
    assert [one.id for one in kept] == [answer.id for answer in answers]
    assert kept[0].prompt[-1].content == "세율은?" and kept[0].confirmed
    assert preferences(votes).rows == [
        {
            "question": "세율은?",
            "chosen": "교사의 답은 소득세법 제55조입니다.",
            "rejected": "소득세법 제55조입니다.",
        }
    ]


def test_an_answer_reaches_the_person_when_the_disk_is_full(engine, records, as_of, said):
    question = engine.begin(Question("세율은?", as_of, session=records.new_session("page", keep_text=True)))
    pages = records._connection.execute("PRAGMA page_count").fetchone()[0]
    records._connection.execute(f"PRAGMA max_page_count = {pages}")
    for _ in range(2):
        answer = ask(engine, Question("긴질문" * 5000, as_of, session=question.session))
        assert answer.completion.raw.startswith("소득세법") and answer.id is None and answer.verdict.ok
    assert len(said) == 1 and "빈 공간이 없습니다" in said[0] and records.problem == said[0]


def test_an_answer_that_somebody_stopped_is_kept_as_that_and_without_its_words(engine, records, as_of):
    question = engine.begin(Question("세율은?", as_of, session=records.new_session("page", keep_text=True)))
    steps = engine.answer(question)
    assert next(steps).text == "소득세법 "
    steps.close()
    steps = engine.answer(question)
    assert any(isinstance(step, Answer) for step in steps)
    steps.close()  # after its end there is nothing to stop
    with reading(records.path) as connection:
        stopped, whole = read_answers(connection)
    assert (stopped.error, whole.error) == ("stopped", None)
    assert not stopped.completed and "제55조" in whole.completed


def test_a_vote_is_about_the_answer_that_stood_there_and_not_the_one_stopped_for_it(engine, records, as_of):
    question = engine.begin(Question("세율은?", as_of, session=records.new_session("page", keep_text=True)))
    ask(engine, question)
    records.keep_failure(question.turn, "student", "학생", "stopped")  # the older run ends last
    ask(engine, question, "teacher")
    assert records.vote(question.turn, "left", left="student", right="teacher")
    with reading(records.path) as connection:
        (vote,) = read_votes(connection, read_answers(connection))
    assert vote.winner is not None and vote.winner.error is None
