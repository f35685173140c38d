"""The retirement-pay calculator against cases worked by hand, published examples and a second engine."""

import json
import random
import re
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taxlaw.calculators.result import bracket_tax
from taxlaw.calculators.retirement import (
    CONVERTED_DEDUCTION,
    RetirementFacts,
    retirement_tax,
    service_deduction,
    service_years,
)
from taxlaw.errors import MissingFact, UnsupportedCase
from taxlaw.money import parse_won

EXAMPLES = Path(__file__).parents[2].parent / "shared" / "data" / "worked_examples" / "worked_examples.jsonl"
ROWS = [json.loads(line) for line in EXAMPLES.read_text(encoding="utf-8").splitlines()] if EXAMPLES.is_file() else []
ROWS = [row for row in ROWS if row["tax"] == "퇴직소득세"]


def value_of(expression: str) -> Fraction:
    text = re.sub(r"\d[\d,억만조 ]*원", lambda m: f" Fraction({parse_won(m[0])}) ", expression)
    text = re.sub(r"([\d.]+)%", lambda m: f" (Fraction('{m[1]}') / 100) ", text)
    text = text.replace("×", "*").replace("÷", "/")
    assert re.fullmatch(r"[\d\s+\-*/().'Fraction]*", text), text
    return Fraction(eval(text, {"Fraction": Fraction}))


def check_working(result):
    for step in result.steps:
        assert int(value_of(step.expression)) == step.amount >= 0, step
    assert result.steps[-1].amount == result.payable == result.calculated_tax
    assert len(set(result.articles)) == len(result.articles)


@pytest.mark.parametrize(
    ("years", "deduction"),
    [
        (1, 1_000_000),
        (5, 5_000_000),
        (6, 7_000_000),
        (10, 15_000_000),
        (11, 17_500_000),
        (20, 40_000_000),
        (21, 43_000_000),
        (30, 70_000_000),
    ],
)
def test_service_deduction_since_2023(years, deduction):
    amount, expression = service_deduction(years)
    assert amount == deduction == int(value_of(expression))


@pytest.mark.parametrize(
    ("yearly", "deduction"),
    [
        (8_000_000, 8_000_000),
        (70_000_000, 45_200_000),
        (100_000_000, 61_700_000),
        (300_000_000, 151_700_000),
        (400_000_000, 186_700_000),
    ],
)
def test_converted_deduction_at_its_bounds(yearly, deduction):
    assert bracket_tax(yearly, CONVERTED_DEDUCTION)[0] == deduction


@pytest.mark.parametrize(
    ("pay", "years", "payable"),
    [(100_000_000, 15, 2_175_000), (50_000_000, 10, 680_000), (300_000_000, 25, 12_368_750), (1_000_000, 3, 0)],
)
@pytest.mark.parametrize("year", [2024, 2025, 2026])
def test_retirements_worked_by_hand(pay, years, payable, year):
    result = retirement_tax(RetirementFacts(pay, year, years))
    check_working(result)
    assert result.payable == payable


@pytest.mark.parametrize(
    ("start", "end", "years"),
    [
        (date(2015, 3, 1), date(2025, 2, 28), 10),
        (date(2015, 3, 1), date(2025, 3, 1), 11),
        (date(2025, 1, 1), date(2025, 1, 1), 1),
        (date(2020, 2, 29), date(2025, 2, 28), 5),
        (date(2000, 7, 15), date(2025, 12, 31), 26),
    ],
)
def test_part_years_count_as_one(start, end, years):
    assert service_years(start, end) == years
    dated = retirement_tax(RetirementFacts(80_000_000, end.year, start=start, end=end))
    assert dated.payable == retirement_tax(RetirementFacts(80_000_000, end.year, years)).payable


@pytest.mark.parametrize(
    ("facts", "error", "word"),
    [
        (RetirementFacts(1, 2022, 3), UnsupportedCase, "2022년"),
        (RetirementFacts(1, 2027, 3), UnsupportedCase, "2027년"),
        (RetirementFacts(-1, 2025, 3), UnsupportedCase, "pay"),
        (RetirementFacts(1, 2025, 0), UnsupportedCase, "years"),
        (RetirementFacts(1, 2025), MissingFact, "years"),
        (RetirementFacts(1, 2025, start=date(2020, 1, 1)), MissingFact, "end"),
        (RetirementFacts(1, 2025, 3, start=date(2020, 1, 1), end=date(2025, 1, 1)), UnsupportedCase, "years"),
        (RetirementFacts(1, 2025, start=date(2020, 1, 1), end=date(2024, 1, 1)), UnsupportedCase, "end"),
        (RetirementFacts(1, 2025, start=date(2025, 2, 1), end=date(2025, 1, 1)), UnsupportedCase, "end"),
    ],
)
def test_what_is_outside_the_tables_is_refused_by_name(facts, error, word):
    with pytest.raises(error, match=word):
        retirement_tax(facts)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 5_000_000_000), st.integers(0, 500_000_000), st.integers(1, 45))
def test_more_pay_means_no_less_tax_and_the_working_is_right(pay, more, years):
    less = retirement_tax(RetirementFacts(pay, 2025, years))
    check_working(less)
    assert less.payable <= retirement_tax(RetirementFacts(pay + more, 2025, years)).payable <= pay + more


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 3_000_000_000), st.integers(1, 44))
def test_longer_service_means_no_more_tax(pay, years):
    assert (
        retirement_tax(RetirementFacts(pay, 2025, years + 1)).payable
        <= retirement_tax(RetirementFacts(pay, 2025, years)).payable
    )


@pytest.mark.skipif(not ROWS, reason="the worked examples are not beside this checkout")
@pytest.mark.parametrize("row", ROWS or [None], ids=lambda row: row["id"] if row else "none")
def test_published_examples(row):
    result = retirement_tax(RetirementFacts(row["inputs"]["pay"], int(row["when"]), row["inputs"]["years"]))
    assert result.payable == row["expected"]["산출세액"]


def test_retirement_agrees_with_the_other_engine():
    other = pytest.importorskip("korean_tax_calc_mcp.engine.calc_income")
    rng = random.Random(20250612)
    for _ in range(500):
        pay, years = int(10 ** rng.uniform(6, 9.7)), rng.randrange(1, 46)
        ours = retirement_tax(RetirementFacts(pay, rng.choice([2024, 2025, 2026]), years))
        # it works in binary floats, so a sum that should be whole may come out a won short
        assert abs(other.retirement_tax(pay, years) - ours.payable) <= 1, (pay, years)
