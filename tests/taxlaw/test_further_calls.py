"""The nine further calculators are reached by the same one-line calls, and only the clearest questions are read as one."""

from datetime import date

import pytest

from taxlaw.call_models import FURTHER, MODELS
from taxlaw.calls import answer_payable, call_text, facts_of, find_call, parse_call, render_working, run_call
from taxlaw.cases import read_case
from taxlaw.errors import CallError, MissingFact, UnsupportedCase
from taxlaw.verify import verify

DAY = date(2026, 6, 1)
CALLS = {
    '{"tax":"inheritance","estate":"15억원","children":2}': 231_345_000,
    '{"tax":"retirement","pay":"1억원","years":10}': 3_875_000,
    '{"tax":"capital_gains","sale_price":"15억원","purchase_price":"10억원","asset":"주택","held_years":10,"one_home":true,"residence_years":10,"adjusted_when_bought":false}': 1_365_000,
    '{"tax":"holding","official_price":"20억원","one_home":true,"age":65,"held_years":10}': 828_000,
    '{"tax":"acquisition","value":"6억원"}': 6_000_000,
    '{"tax":"property","official_price":"5억원","only_home":true}': 260_000,
    '{"tax":"withholding","kind":"복권","amount":"5억원"}': 120_000_000,
    '{"tax":"penalty","kind":"무신고","tax_amount":"1,000만원","deadline":"2025-05-31","paid_on":"2025-08-31"}': 2_202_400,
    '{"tax":"vat_general","supply":"1억원","purchases":"6,000만원"}': 4_000_000,
}


def test_every_further_calculator_has_an_example():
    assert {parse_call(text).tax for text in CALLS} == set(FURTHER) == set(MODELS)


@pytest.mark.parametrize(("text", "payable"), CALLS.items())
def test_a_call_runs_renders_and_reads_back(text, payable):
    call = parse_call(text)
    assert call_text(call) == text == call_text(find_call(text))
    result = run_call(call, DAY)
    assert result.payable == payable == answer_payable(text, DAY)
    for plain in (False, True):
        working = render_working(result, plain)
        assert answer_payable(working, DAY) == payable
        assert verify("?", working, DAY).ok


def test_words_and_won_are_the_same_facts():
    assert facts_of(parse_call('{"tax":"retirement","pay":"1억원","years":10}'), DAY) == facts_of(
        parse_call('{"tax":"retirement","pay":100000000,"years":10,"year":2026}'), DAY
    )


def test_the_year_comes_from_the_day_of_the_event():
    call = parse_call('{"tax":"retirement","pay":"1억원","start":"2014-01-01","end":"2024-12-31"}')
    assert facts_of(call, DAY).year == 2024


@pytest.mark.parametrize(
    "text",
    [
        '{"tax":"retirement","pay":"일억쯤","years":10}',
        '{"tax":"retirement","salary":"1억원"}',
        '{"tax":"penalty","kind":"무신고","tax_amount":"1억원","deadline":"5월 31일"}',
        '{"tax":"holding","official_price":"20억원","homes":-1}',
    ],
)
def test_a_wrong_call_is_refused_with_a_reason(text):
    with pytest.raises(CallError, match="잘못되었습니다"):
        parse_call(text)


@pytest.mark.parametrize(
    ("question", "call"),
    [
        ("퇴직금 1억원, 근속 10년이면 퇴직소득세는 얼마인가요?", '{"tax":"retirement","pay":"1억원","years":10}'),
        ("2025년에 퇴직금 1억원을 받았고 근속연수는 10년입니다. 퇴직소득세는 얼마인가요?", '{"tax":"retirement","pay":"1억원","year":2025,"years":10}'),
        ("무주택자가 6억원짜리 아파트를 매매로 취득하면 취득세는 얼마인가요?", '{"tax":"acquisition","value":"6억원"}'),
        ("복권 5억원에 당첨되면 원천징수 세액은 얼마인가요?", '{"tax":"withholding","kind":"복권","amount":"5억원"}'),
        ("공시가격 5억원인 1세대 1주택의 재산세는 얼마인가요?", '{"tax":"property","official_price":"5억원","only_home":true}'),
        ("배우자 없이 자녀 2명이 상속재산 15억원을 받고 장례비 700만원을 썼습니다. 상속세는 얼마인가요?", '{"tax":"inheritance","estate":"15억원","funeral":"700만원","children":2}'),
    ],
)  # fmt: skip
def test_clear_questions_are_read(question, call):
    assert call_text(read_case(question)) == call


@pytest.mark.parametrize(
    ("question", "error"),
    [
        ("퇴직금 1억원의 퇴직소득세는 얼마인가요?", MissingFact),
        ("퇴직금 1억원, 근속연수 10년 6개월이면 퇴직소득세는 얼마인가요?", UnsupportedCase),
        ("임원이 퇴직금 1억원을 받았고 근속연수는 10년입니다. 퇴직소득세는 얼마인가요?", UnsupportedCase),
        ("6억원짜리 아파트를 매매로 취득하면 취득세는 얼마인가요?", MissingFact),
        ("조정대상지역에서 1주택자가 6억원 아파트를 매수하면 취득세는 얼마인가요?", UnsupportedCase),
        ("상속재산 15억원, 배우자와 자녀 2명입니다. 상속세는 얼마인가요?", MissingFact),
        ("퇴직금 1억원과 총급여 5천만원이면 소득세는 얼마인가요?", UnsupportedCase),
        ("공시가격 5억원인 주택의 재산세는 얼마인가요?", MissingFact),
        ("총급여 6,000만원인 근로자의 근로소득공제액과 근로소득금액은 각각 얼마입니까?", UnsupportedCase),
    ],
)
def test_unclear_questions_are_not(question, error):
    with pytest.raises(error):
        read_case(question)


@pytest.mark.parametrize(("written", "day"), [("2025-07-3", "2025-07-03"), ("2025-7-13", "2025-07-13")])
def test_a_day_without_its_zeros_is_still_that_day(written, day):
    text = '{"tax":"penalty","kind":"무신고","tax_amount":"1,000만원","deadline":"2025-05-31","paid_on":"%s"}'
    assert call_text(parse_call(text % written)) == text % day


@pytest.mark.parametrize("written", ["2025-13-3", "2025-7", "25-7-3", "2025-07-033", "7월 3일"])
def test_no_day_is_guessed(written):
    with pytest.raises(CallError, match="날짜"):
        parse_call(f'{{"tax":"penalty","kind":"무신고","tax_amount":"1억원","deadline":"{written}"}}')
