"""A source named by its number is quoted word for word from what was shown, and what was not shown is never quoted."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxlaw.errors import SourceReferenceError
from taxlaw.evidence_prompt import sources_in, sources_text, with_sources
from taxlaw.search.passages import Hit, Passage
from taxlaw.source_reference import (
    SourceReference,
    find_reference,
    is_reference,
    quote,
    reference_to,
    shown_sources,
)
from taxlaw.structure import CIRCLED

LISTED = "① 다음 각 호의 것은 나무로 본다.\n  1. 소나무\n  2. 참나무\n② 나무의 잎은 따로 센다. 뿌리는 세지 아니한다."
PLAIN = "나무의 값은 해마다 정한다."


def hit(
    number: int, text: str, title: str = "", heading: str = "나무의 계산", day=date(2026, 1, 1), kind="article"
) -> Hit:
    title = title or f"소득세법 제{number}조의2"
    return Hit(Passage(f"id{number}", kind, title, text, heading, day, None, "", "시험"), 1.0, number)


SOURCES = sources_text("나무", [hit(1, LISTED), hit(2, PLAIN, heading="값(정한 값)", day=None)])


def test_the_words_come_from_the_source_that_is_named():
    said = quote(SourceReference(1, 2), SOURCES)
    assert said == (
        "소득세법 제1조의2 제2항(나무의 계산)에 따르면 “나무의 잎은 따로 센다. 뿌리는 세지 아니한다.”\n"
        "2026년 1월 1일부터 시행된 규정입니다."
    )
    assert quote(SourceReference(2), SOURCES) == f"소득세법 제2조의2(값(정한 값))에 따르면 “{PLAIN}”"


def test_the_items_under_a_paragraph_come_with_it():
    said = quote(SourceReference(1, 1), SOURCES)
    assert "“다음 각 호의 것은 나무로 본다.”\n  1. 소나무\n  2. 참나무\n2026년" in said and "잎" not in said


def test_of_a_line_that_was_cut_only_whole_sentences_are_quoted():
    sources = "1. 소득세법 제1조(나무) [시행 2026-01-01]\n① 나무는 센다. 다만, 어린 나무는…\n② 다만, 어린…"
    assert "“나무는 센다.”" in quote(SourceReference(1, 1), sources)
    assert "“다만, 어린…”" in quote(SourceReference(1, 2), sources)


def test_a_ruling_is_quoted_with_the_day_of_its_reply():
    ruling = hit(
        1, "회신 요지: 나무로 보지 아니함", "서면-2024-법규재산-0007", "나무인지 여부", date(2024, 5, 1), "ruling"
    )
    said = quote(SourceReference(1), sources_text("나무", [ruling]))
    assert said == "서면-2024-법규재산-0007에 따르면 “회신 요지: 나무로 보지 아니함”\n2024년 5월 1일 회신입니다."


@pytest.mark.parametrize(
    "named", [SourceReference(3), SourceReference(1, 3), SourceReference(1), SourceReference(2, 1)]
)
def test_what_was_not_shown_is_an_error(named):
    with pytest.raises(SourceReferenceError, match="보여 준"):
        quote(named, SOURCES)
    with pytest.raises(SourceReferenceError):
        quote(named, "")


@pytest.mark.parametrize(
    "text", ["인용: 두 번째", "인용: 2번 제1항이고 세율은 6%입니다", "인용:", "인용: 2번 제1항 인용: 3번"]
)
def test_a_reference_with_anything_else_in_it_is_an_error(text):
    with pytest.raises(SourceReferenceError, match="인용"):
        find_reference(text)


@given(st.integers(1, 99), st.none() | st.integers(1, 20))
def test_what_is_written_is_read_back_and_known_from_its_first_letter_on(source, paragraph):
    reference = SourceReference(source, paragraph)
    assert find_reference(f" {reference}\n") == reference
    assert all(is_reference(str(reference)[:end]) for end in range(1, len(str(reference)) + 1))


@pytest.mark.parametrize("text", ["", "인적공제는 1명에 150만원입니다.", "소득세법을 인용: 2번", '{"tax":"gift"}'])
def test_other_answers_are_no_reference(text):
    assert find_reference(text) is None and not is_reference(text)


WORD = st.text("가나다라마바사 1.2()", min_size=1, max_size=30).map(lambda text: f"글 {text.strip()}이다.")


@given(st.lists(st.lists(WORD, min_size=1, max_size=4), min_size=1, max_size=4), st.data())
def test_every_paragraph_that_is_shown_can_be_named_and_comes_back_word_for_word(texts, data):
    """Lists inside a text never count as sources, whatever their numbers."""
    hits = [
        hit(at, "\n".join(f"{CIRCLED[n]} {word}\n  {n + 1}. {word}" for n, word in enumerate(paragraphs)))
        for at, paragraphs in enumerate(texts, start=1)
    ]
    turn = with_sources("질문입니다", sources_text("질문입니다", hits, 100_000))
    sources = sources_in(turn)
    assert [one.title for one in shown_sources(sources)] == [one.passage.title for one in hits]
    source = data.draw(st.integers(1, len(texts)))
    paragraph = data.draw(st.integers(1, len(texts[source - 1])))
    reference = reference_to(hits[source - 1].passage.title, paragraph, sources)
    assert reference == SourceReference(source, paragraph)
    assert f"“{texts[source - 1][paragraph - 1].rstrip()}”" in quote(reference, sources)


def test_a_bare_question_has_no_sources_and_a_mark_inside_the_question_opens_none():
    assert sources_in("그냥 질문") == ""
    assert sources_in(with_sources("질문\n\n[질문]\n또 질문", SOURCES)) == SOURCES
    assert reference_to("소득세법 제9조", 1, SOURCES) is None
