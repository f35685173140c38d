"""Marked places of the evidence: what a reviewer is pointed to is really there, and is really what the answer says."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_gen.rows import Span
from data_gen.spans import WHYS, find_spans

STATUTE = (
    "가상세법 제12조(공제)\n시행일: 2024-01-01\n"
    "① 거주자는 다음 각 호의 금액을 공제한다. <개정 2023.12.31>\n"
    "  1. 배우자가 있는 경우: 연 150만원\n"
    "  2. 부양가족이 있는 경우: 다음 각 목의 금액\n"
    "    가. 70세 이상인 사람: 100만원\n"
    "    나. 그 밖의 사람: 50만원\n"
    "② 제1항에도 불구하고 총급여액이 5천만원을 넘으면 그 초과액의 100분의 15를 뺀다.\n"
)


def marked(evidence: str, answer: str, why: str, question: str = "") -> list[str]:
    return [evidence[span.start : span.end] for span in find_spans(evidence, question, answer) if span.why == why]


@pytest.mark.parametrize(
    ("answer", "begins"),
    [
        ("가상세법 제12조제2항에 따릅니다.", "② 제1항에도"),
        ("가상세법 제12조제1항제1호에 따릅니다.", "1. 배우자가"),
        ("가상세법 제12조제1항제2호나목에 따릅니다.", "나. 그 밖의"),
    ],
)
def test_the_cited_place_is_marked_and_no_more(answer: str, begins: str) -> None:
    cited = marked(STATUTE, answer, "인용")
    assert cited[0] == "가상세법 제12조"
    assert len(cited) == 2 and cited[1].startswith(begins)
    assert "②" not in cited[1][1:]


def test_a_place_that_is_not_there_is_not_marked() -> None:
    assert marked(STATUTE, "가상세법 제12조제7항에 따릅니다.", "인용") == ["가상세법 제12조"]
    assert marked(STATUTE, "소득세법 제12조제2항에 따릅니다.", "인용") == []


def test_a_place_named_by_the_question_counts_too() -> None:
    assert any(
        "100분의 15" in words for words in marked(STATUTE, "15%입니다.", "인용", "가상세법 제12조제2항의 비율은?")
    )


def test_figures_are_compared_by_value() -> None:
    assert marked(STATUTE, "5,000만원을 넘으면 됩니다.", "금액") == ["5천만원"]
    assert marked(STATUTE, "초과액의 15%를 뺍니다.", "비율") == ["100분의 15"]
    assert marked(STATUTE, "만 70세부터입니다.", "나이") == ["70세"]
    assert marked(STATUTE, "2024년 1월 1일부터입니다.", "날짜") == ["2024-01-01"]
    assert marked(STATUTE, "6천만원을 넘으면 10%를 뺍니다.", "금액") == []


def test_the_history_of_the_text_is_no_date_of_the_answer() -> None:
    assert marked(STATUTE, "2023년 12월 31일까지 신고합니다.", "날짜") == []


def test_the_questions_figures_mark_nothing() -> None:
    assert find_spans(STATUTE, "총급여가 5천만원이고 70세이면 얼마인가요?", "공제를 받습니다.") == ()


def test_quoted_and_shared_words_are_marked() -> None:
    assert marked(STATUTE, "여기서 ‘부양가족’은 함께 사는 사람입니다.", "문구") == ["부양가족"]
    assert marked(STATUTE, "다음각호의 금액을 공제한다고 합니다.", "문구") == ["다음 각 호의 금액을 공제한다"]
    assert marked(STATUTE, "「소득세법」에 있습니다.", "문구") == []


def test_a_citation_is_not_marked_again_as_words() -> None:
    evidence = "회신 요지: 상속세 및 증여세법 제53조에 따라 뺀다."
    assert [span.why for span in find_spans(evidence, "", "상속세 및 증여세법 제53조가 근거입니다.")] == ["인용"]


def test_offsets_are_those_of_the_text_as_given_even_when_its_hangul_is_apart() -> None:
    apart = unicodedata.normalize("NFD", STATUTE)
    whole = [STATUTE[span.start : span.end] for span in find_spans(STATUTE, "", "가상세법 제12조제2항: 5,000만원, 15%")]
    found = find_spans(apart, "", "가상세법 제12조제2항: 5,000만원, 15%")
    assert [unicodedata.normalize("NFC", apart[span.start : span.end]) for span in found] == whole and whole


_WORDS = st.sampled_from(
    [
        *STATUTE.split(),
        "제3항",
        "같은 법",
        "「소득세법」",
        "“그 초과액의”",
        "100분의",
        "①",
        "\n",
        "3억원",
        "가각",
        "",
        "<b>",
    ]
)
_TEXT = st.one_of(
    st.lists(_WORDS, max_size=40).map(" ".join),
    st.text(max_size=80),
    st.just(STATUTE),
    st.text("①제1조항호.() 가\n", max_size=60),
)


@given(_TEXT, _TEXT, _TEXT)
def test_spans_of_any_text_lie_inside_it_in_order_and_apart(evidence: str, question: str, answer: str) -> None:
    spans = find_spans(evidence, question, answer)
    assert list(spans) == sorted(spans, key=lambda span: (span.start, span.end, span.why))
    last: dict[str, Span] = {}
    for span in spans:
        words = evidence[span.start : span.end]
        assert span.why in WHYS and 0 <= span.start < span.end <= len(evidence) and words == words.strip()
        assert span.why not in last or last[span.why].end <= span.start
        last[span.why] = span


@given(st.text(max_size=60), st.text(max_size=60))
def test_words_taken_from_the_evidence_are_found_again(before: str, after: str) -> None:
    phrase = "특수관계인에게 저가로 양도한 재산"
    evidence = f"{before}\n{phrase}\n{after}"
    found = marked(evidence, f"질문의 경우 {phrase}에 해당합니다.", "문구")
    assert any(phrase in words for words in found)
