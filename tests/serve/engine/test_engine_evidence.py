"""Evidence in the prompt and beside the answer: it gives way to what fits, and an index never holds an answer up."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date

import pytest

from serve.backends.protocol import Message
from serve.engine import Question
from serve.errors import ServeError
from serve.evidence import Evidence
from taxlaw.errors import SourceError
from taxlaw.search.passages import Hit

DAY = date(2025, 12, 1)


def test_evidence_stands_in_the_prompt_and_beside_the_answer(build, last, local, index, article) -> None:
    student = local().enqueue("소득세법 제55조에 따릅니다.")
    engine = build(student, search=index())
    answer = last(engine, Question("소득세 세율은?", DAY, sources=True))
    sent = student.requests[0][-1].content
    assert "소득세법 제55조(세율)" in sent and sent.endswith("소득세 세율은?")
    assert [hit.passage.id for hit in answer.sources] == ["law:소득세법:제55조"]
    assert answer.question == "소득세 세율은?"
    assert answer.as_dict()["sources"][0]["effective_from"] == "2025-01-01"
    assert answer.texts["소득세법 제55조"] is article


def test_without_the_switch_or_an_index_the_prompt_is_the_question(build, last, local, index) -> None:
    for engine, sources in (
        (build(local().enqueue("네")), True),
        (build(local().enqueue("네"), search=index()), False),
    ):
        answer = last(engine, Question("소득세 세율은?", DAY, sources=sources))
        assert answer.sources == () and engine.student.backend.requests[0] == (Message("user", "소득세 세율은?"),)


def test_evidence_gives_way_when_it_does_not_fit(build, last, local, index, article) -> None:
    long = replace(article, text="가 나 다 라 " * 200)
    student = local(window=80).enqueue("네")
    answer = last(build(student, search=index(Hit(long, 1.0, 1))), Question("소득세 세율은?", DAY, sources=True))
    assert student.count_tokens(student.requests[0]) <= 16
    assert answer.sources == () or "…" in student.requests[0][0].content


def test_no_answer_waits_for_an_index_that_is_not_open(build, last, local, index) -> None:
    index = index()
    evidence = Evidence(lambda: index)
    student = local().enqueue("소득세법 제55조입니다.").enqueue("소득세법 제55조입니다.").enqueue("네")
    engine = build(student, search=evidence)
    assert last(engine, "세율은?").texts == {} and evidence.texts is None
    assert last(engine, Question("세율은?", DAY, sources=True)).sources  # waits for it
    assert evidence.texts is index


def test_the_size_is_that_of_the_question(build, local, index) -> None:
    engine = build(local(), search=index())
    assert engine.size(Question("소득세 세율은?", DAY, sources=True)) == (2, 1984)
    assert engine.search.asked == []


def test_an_unopenable_index_fails_only_the_questions_that_want_evidence(build, last, local) -> None:
    def broken() -> None:
        raise SourceError("색인이 깨졌습니다")

    engine = build(local().enqueue("네"), search=Evidence(broken))
    with pytest.raises(ServeError, match="색인이 깨졌습니다"):
        list(engine.answer(Question("세율은?", DAY, sources=True)))
    assert last(engine, "세율은?").completion.raw == "네"


def test_only_what_stands_in_the_prompt_is_called_a_source(build, last, local, index, article) -> None:
    long = replace(article, text="종합소득 과세표준 세율 계산 " * 200)
    others = [replace(article, title=f"{'긴' * 90}법 제{number}조") for number in range(60, 64)]
    hits = [Hit(one, 1.0, rank) for rank, one in enumerate([long, *others], start=1)]
    student = local(window=80).enqueue("네")
    answer = last(build(student, search=index(*hits)), Question("소득세 세율은?", DAY, sources=True))
    sent = student.requests[0][0].content
    assert 0 < len(answer.sources) < len(hits)
    assert all((hit in answer.sources) == (hit.passage.title in sent) for hit in hits)


def test_a_right_citation_that_the_search_missed_is_no_fault(build, last, local, index) -> None:
    student = local().enqueue("소득세법 제56조에 따릅니다. 공제액은 12만원입니다.")
    answer = last(build(student, search=index()), Question("배당세액공제는?", DAY, sources=True))
    assert answer.sources and answer.verdict.ok


def test_a_program_that_stays_has_its_index_built_beside_everything_else(build, local, index) -> None:
    opened = threading.Event()
    engine = build(local(), search=Evidence(lambda: opened.set() or index(), built=lambda: False))
    engine.prepare()
    assert opened.wait(10)
    build(local()).prepare()  # without an index there is nothing to do


def test_a_student_trained_on_bare_questions_is_asked_the_bare_question(build, last, local, index) -> None:
    student, teacher = local().enqueue("네"), local(sha256=None).enqueue("네")
    engine = build(student, teacher, search=index())
    engine.described = replace(engine.described, reads_evidence=False)
    question = Question("소득세 세율은?", DAY, sources=True)
    answer = last(engine, question)
    assert student.requests[0] == (Message("user", "소득세 세율은?"),)
    assert len(answer.sources) == 1 and answer.as_dict()["sources_read"] is False
    assert last(engine, question, "teacher").sources_read and "제55조" in teacher.requests[0][-1].content
