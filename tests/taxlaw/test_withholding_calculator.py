"""The withholding calculator against cases worked by hand, a published example and a second engine."""

import json
import random
import re
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taxlaw.calculators import tables_withholding as figures
from taxlaw.calculators.withholding import DAILY, PENSION, WithholdingFacts, withholding_tax
from taxlaw.errors import MissingFact, UnsupportedCase
from taxlaw.money import parse_won

EXAMPLES = Path(__file__).parents[2].parent / "shared" / "data" / "worked_examples" / "worked_examples.jsonl"
ROWS = [json.loads(line) for line in EXAMPLES.read_text(encoding="utf-8").splitlines()] if EXAMPLES.is_file() else []
ROWS = [row for row in ROWS if "원천징수세액" in row["expected"]]


def value_of(expression: str) -> Fraction:
    text = re.sub(r"\d[\d,억만조 ]*원", lambda m: f" Fraction({parse_won(m[0])}) ", expression)
    text = re.sub(r"([\d.]+)%", lambda m: f" (Fraction('{m[1]}') / 100) ", text)
    text = text.replace("×", "*").replace("÷", "/")
    assert re.fullmatch(r"[\d\s+\-*/().'Fraction]*", text), text
    return Fraction(eval(text, {"Fraction": Fraction}))


def check_working(result):
    for step in result.steps:
        assert int(value_of(step.expression)) == step.amount >= 0, step
    assert result.steps[-1].amount == result.payable
    assert result.payable in (0, result.calculated_tax - result.credits)
    assert len(set(result.articles)) == len(result.articles)
    assert "지방소득세 별도" in result.assumptions


@pytest.mark.parametrize(
    ("facts", "payable"),
    [
        (WithholdingFacts("이자", 1_000_000, 2025), 140_000),
        (WithholdingFacts("배당", 1_000_000, 2026), 140_000),
        (WithholdingFacts("비영업대금", 10_000_000, 2025), 2_500_000),
        (WithholdingFacts("온라인투자연계금융 이자", 10_000_000, 2025), 1_400_000),
        (WithholdingFacts("비실명 이자", 1_000_000, 2024), 450_000),
        (WithholdingFacts("사업소득", 3_000_000, 2025), 90_000),
        (WithholdingFacts("봉사료", 1_000_000, 2025), 50_000),
        # 60 % taken as expenses: 8 % of what is paid
        (WithholdingFacts("강연료", 1_000_000, 2025), 80_000),
        (WithholdingFacts("강연료", 1_000_000, 2025, expense=700_000), 60_000),
        (WithholdingFacts("경쟁대회 상금", 1_000_000, 2025), 40_000),
        (WithholdingFacts("기타소득", 1_000_000, 2025), 200_000),
        (WithholdingFacts("연금외수령", 1_000_000, 2025), 150_000),
        # 제84조제4호: 125,000원 × 40 % is 50,000원, the last that is free
        (WithholdingFacts("강연료", 125_000, 2025), 0),
        (WithholdingFacts("강연료", 125_010, 2025), 10_000),
        (WithholdingFacts("연금외수령", 50_000, 2025), 7_500),
        # lotteries: 제84조제2호 and the two rates
        (WithholdingFacts("복권", 2_000_000, 2025), 0),
        (WithholdingFacts("복권", 2_000_001, 2025), 400_000),
        (WithholdingFacts("복권", 300_000_000, 2025), 60_000_000),
        (WithholdingFacts("복권", 500_000_000, 2025), 120_000_000),
        (WithholdingFacts("복권", 300_001_000, 2025, expense=1_000), 60_000_000),
        # a day's wage: (20만원 - 15만원) × 6 % × 45 %
        (WithholdingFacts(DAILY, 200_000, 2025), 1_350),
        (WithholdingFacts(DAILY, 150_000, 2025), 0),
        (WithholdingFacts(DAILY, 187_000, 2025), 0),
        (WithholdingFacts(DAILY, 187_100, 2025), 1_002),
        # paid at once, so the waiver looks at the sum
        (WithholdingFacts(DAILY, 187_000, 2025, days=10), 9_990),
        (WithholdingFacts(PENSION, 10_000_000, 2025, age=60), 500_000),
        (WithholdingFacts(PENSION, 10_000_000, 2025, age=70), 400_000),
        (WithholdingFacts(PENSION, 10_000_000, 2025, age=80, lifetime=True), 300_000),
    ],
)
def test_payments_worked_by_hand(facts, payable):
    result = withholding_tax(facts)
    check_working(result)
    assert result.payable == payable


def test_pension_for_life_is_three_percent_only_since_2026():
    # The article of today reads 3 %; payments before 2026 keep 4 % (법률 제21221호 부칙 제15조제1항).
    by_year = {
        year: withholding_tax(WithholdingFacts(PENSION, 10_000_000, year, age=60, lifetime=True)).payable
        for year in (2024, 2025, 2026)
    }
    assert by_year == {2024: 400_000, 2025: 400_000, 2026: 300_000}


def test_small_sums_of_freelancers_are_collected_since_july_2024():
    def paid(day):
        return withholding_tax(WithholdingFacts("사업소득", 30_000, day.year, paid_on=day)).payable

    assert [paid(date(2024, 6, 30)), paid(date(2024, 7, 1)), paid(date(2025, 1, 5))] == [0, 900, 900]
    with pytest.raises(MissingFact, match="paid_on"):
        withholding_tax(WithholdingFacts("사업소득", 30_000, 2024))


def test_small_interest_is_collected_and_small_dividends_are_not():
    assert withholding_tax(WithholdingFacts("이자", 5_000, 2025)).payable == 700
    assert withholding_tax(WithholdingFacts("배당", 5_000, 2025)).payable == 0


def test_the_published_wrong_lottery_tax_is_not_ours():
    assert withholding_tax(WithholdingFacts("복권", 500_000_000, 2025)).payable != 126_000_000


@pytest.mark.parametrize(
    ("facts", "error", "word"),
    [
        (WithholdingFacts("이자", 1, 2023), UnsupportedCase, "2023년"),
        (WithholdingFacts("이자", 1, 2027), UnsupportedCase, "2027년"),
        (WithholdingFacts("월급", 1, 2025), UnsupportedCase, "월급"),
        (WithholdingFacts("이자", -1, 2025), UnsupportedCase, "amount"),
        (WithholdingFacts("이자", 10, 2025, expense=1), UnsupportedCase, "expense"),
        (WithholdingFacts("복권", 10, 2025, expense=11), UnsupportedCase, "expense"),
        (WithholdingFacts("이자", 10, 2025, days=2), UnsupportedCase, "days"),
        (WithholdingFacts("이자", 10, 2025, age=60), UnsupportedCase, "age"),
        (WithholdingFacts(PENSION, 10, 2025), MissingFact, "age"),
        (WithholdingFacts(PENSION, 10, 2025, age=50), UnsupportedCase, "55세"),
        (WithholdingFacts("이자", 10, 2025, paid_on=date(2024, 1, 1)), UnsupportedCase, "paid_on"),
    ],
)
def test_what_is_outside_the_tables_is_refused_by_name(facts, error, word):
    with pytest.raises(error, match=word):
        withholding_tax(facts)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([*figures.KINDS, *figures.PRIZES, DAILY]),
    st.integers(0, 1_000_000) | st.integers(0, 5_000_000_000),
    st.integers(0, 10_000_000),
    st.sampled_from([2025, 2026]),
)
def test_more_pay_means_no_less_tax_and_the_working_is_right(kind, amount, more, year):
    less = withholding_tax(WithholdingFacts(kind, amount, year))
    check_working(less)
    assert less.payable <= withholding_tax(WithholdingFacts(kind, amount + more, year)).payable <= amount + more


@pytest.mark.skipif(not ROWS, reason="the worked examples are not beside this checkout")
def test_published_lottery_example():
    for row in ROWS:
        result = withholding_tax(WithholdingFacts("복권", row["inputs"]["prize"], int(row["when"])))
        assert result.payable == row["expected"]["원천징수세액"]


def test_withholding_agrees_with_the_other_engine():
    other = pytest.importorskip("korean_tax_calc_mcp.engine.calc_income")
    names = {
        "이자": "이자",
        "비영업대금": "비영업대금",
        "온라인투자연계금융 이자": "온투업이자",
        "배당": "배당",
        "출자공동사업자 배당": "출자공동사업자배당",
        "사업소득": "사업",
        "기타소득": "기타",
        "연금외수령": "기타_연금외수령등",
        "봉사료": "봉사료",
        "비실명 배당": "비실명",
    }
    rng = random.Random(20250613)
    for _ in range(400):
        year, amount = rng.choice([2024, 2025, 2026]), rng.randrange(100_000, 500_000_000)
        kind = rng.choice(list(names))
        ours = withholding_tax(WithholdingFacts(kind, amount, year)).payable
        # it drops what is below ten won (국고금관리법), from a float
        assert 0 <= ours - other.withholding_tax(names[kind], amount, year) <= 10
        wage = rng.randrange(10_000, 900_000)
        ours = withholding_tax(WithholdingFacts(DAILY, wage, year)).payable
        # we drop fractions of the tax and of its credit apart
        assert abs(ours - other.daily_worker_tax(wage, year)) <= 1
