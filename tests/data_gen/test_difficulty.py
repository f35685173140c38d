"""Difficulty is counted the same way for every teacher, joined with a rating, and both are kept in the analysis record."""

import json

import pytest

from data_gen.analysis import analysis_record
from data_gen.difficulty import LABELS, combined, counted, features_of
from data_gen.replies import parse_answer
from data_gen.tasks.analysis import ANALYSIS, DifficultyLevel
from data_gen.teachers import Reply

EASY = "재산세는 7월과 9월에 낸다."
MIDDLE = (
    "종합소득 과세표준에 세율을 곱해 산출세액을 구한다. 1,400만원 이하 6%, 5,000만원 이하 15%, 8,800만원 이하 24%이며"
    " 구간별 누적세액은 84만원, 624만원이다. 다만 퇴직소득은 제외한다."
)
HARD = (
    "① 양도차익에서 장기보유 특별공제액을 뺀 양도소득금액에 세율을 곱한 산출세액을 한도로 한다. 다만 법인세법 제52조, "
    "상속세 및 증여세법 제60조, 국세기본법 제14조, 조세특례제한법 제77조에 따른 경우를 제외한다.\n"
    "  1. 비사업용 토지는 기본세율에 10%를 가산하고 시가의 30%를 초과하는 금액을 합산한다.\n"
    "    가. 특수관계인 사이의 저가 양도는 3억원과 5%를 곱한 1,500만원을 더하고 2,000만원을 빼고 안분한다.\n"
    "    나. 이월결손금은 80%를 한도로 하며 1억원, 2억원, 5억원, 7억원의 구간마다 12%, 15%, 20%, 25%를 쓴다. 그러하지 아니하다."
)


def score(document, text):
    return counted(features_of(document(text=text)))


def test_documents_of_known_difficulty_stand_in_their_order(document):
    assert score(document, EASY) == 1
    assert 1 < score(document, MIDDLE) < score(document, HARD) == 5


def test_what_is_counted(document):
    found = features_of(document(text=HARD, articles=("소득세법 제95조",)))
    assert found.references == 4 and found.other_laws == 4
    assert found.nesting == 3 and found.terms >= 8
    assert found.amounts == 7 and found.rates == 8
    assert found.steps >= 5 and found.exceptions >= 2


def test_an_article_is_no_background_to_itself(document):
    text = "소득세법 제95조에 따라 소득세법 제94조의 자산을 양도하는 경우이다."
    found = features_of(document(text=text, articles=("소득세법 제95조",)))
    assert (found.references, found.other_laws) == (1, 0)


@pytest.mark.parametrize(
    ("by_count", "rated", "expected"),
    [(3, None, 3), (2, 4, 3), (2, 5, 4), (5, 2, 3), (1, 1, 1), (5, 5, 5), (4, 3, 3), (3, 4, 4)],
)
def test_counted_and_rated_meet_in_the_middle(by_count, rated, expected):
    assert combined(by_count, rated) == (expected, LABELS[expected - 1])


@pytest.mark.parametrize("wrong", [(0, None), (6, 3), (3, 0), (3, 6)])
def test_a_score_outside_the_scale_is_an_error(wrong):
    with pytest.raises(ValueError):
        combined(*wrong)


def test_teachers_and_code_use_the_same_labels():
    for number, label in enumerate(LABELS, 1):
        assert DifficultyLevel(score=number, label=label)


def test_the_record_keeps_what_the_teacher_said_beside_what_code_counted(document):
    said = {
        "summary": "요약입니다.",
        "keywords": ["재산세"],
        "difficulty_level": {"score": 5, "label": "매우 어려움"},
        "prerequisites": ["재산세의 뜻"],
        "technical_terms": [{"term": "납기", "explanation": "내는 기간"}],
    }
    answer = parse_answer(json.dumps(said, ensure_ascii=False), ANALYSIS.answer)
    record = analysis_record(document(text=EASY), Reply(answer=answer, text="", model="gpt-x", seconds=1.23456), "gpt")
    assert record["difficulty_level"]["counted"] == 1 and record["difficulty_level"]["rated"] == 5
    assert (record["difficulty_level"]["score"], record["difficulty_level"]["label"]) == (3, "보통")
    assert record["difficulty_level"]["features"]["letters"] == len(EASY)
    assert (record["processing_time"], record["teacher"], record["model"]) == (1.235, "gpt", "gpt-x")
    assert record["technical_terms"] == [{"term": "납기", "explanation": "내는 기간"}]
    assert json.loads(json.dumps(record, ensure_ascii=False)) == record


def test_without_an_analysis_the_difficulty_is_still_counted_and_the_keys_are_the_same(document):
    record = analysis_record(document(text=EASY), None, "gpt", fault="응답 없음")
    assert record["difficulty_level"]["score"] == 1 and record["difficulty_level"]["rated"] is None
    assert (record["summary"], record["teacher"], record["fault"]) == ("", "", "응답 없음")


@pytest.mark.parametrize("kind", ["topic", "question", "practical"])
def test_what_is_no_law_has_no_analysis(document, kind):
    assert analysis_record(document(kind=kind), None, "gpt") is None
