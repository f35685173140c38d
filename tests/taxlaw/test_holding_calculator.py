"""종합부동산세: the deduction, the two tables of homes, the credits of an only home and the burden cap."""

import json
import re
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taxlaw.arithmetic import find_calculations
from taxlaw.calculators import tables_real_estate as figures
from taxlaw.calculators.holding_tax import HoldingTaxFacts, holding_tax
from taxlaw.calculators.result import bracket_tax
from taxlaw.errors import MissingFact, UnsupportedCase
from taxlaw.money import format_won, parse_won

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "worked_examples" / "worked_examples.jsonl"
ROWS = [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()] if DATA.is_file() else []
EXAMPLES = [row for row in ROWS if row["tax"] == "종합부동산세"]


def value_of(expression: str) -> Fraction:
    text = re.sub(r"\d[\d,억만조 ]*원", lambda m: f" Fraction({parse_won(m[0])}) ", expression)
    text = re.sub(r"([\d.]+)%", lambda m: f" (Fraction('{m[1]}') / 100) ", text).replace("×", "*").replace("÷", "/")
    assert re.fullmatch(r"[\d\s+\-*/().'Fraction]*", text), text
    return Fraction(eval(text, {"Fraction": Fraction}))


def check_working(result):
    """Each line is right arithmetic, also as the verifier reads it, and the figures hang together."""
    for step in result.steps:
        assert int(value_of(step.expression)) == step.amount, step
        assert all(c.correct for c in find_calculations(f"{step.expression} = {format_won(step.amount)}")), step
    assert result.steps[-1].amount == result.payable >= 0
    assert result.payable in (0, result.calculated_tax + result.surcharge - result.credits)
    assert len(set(result.articles)) == len(result.articles) and result.assumptions


@pytest.mark.skipif(not EXAMPLES, reason="the worked examples are not beside this checkout")
@pytest.mark.parametrize("row", EXAMPLES, ids=lambda row: row["id"])
def test_published_cases(row):
    inputs, question = row["inputs"], row["question"]
    one_home, company = inputs["deduction"] == 1_200_000_000, inputs["deduction"] == 0
    stated = re.search(r"(?<!세대 )(\d)주택", question)
    homes = int(stated[1]) if stated and not one_home else 1
    facts = HoldingTaxFacts(inputs["total"], int(row["when"]), homes=homes, one_home=one_home, company=company)
    result = holding_tax(facts)
    check_working(result)
    found = {"과세표준": result.tax_base, "세액": result.payable, "산출세액": result.calculated_tax}
    for expected in (row["expected"], row["checks"]["own"]):
        assert {key: found[key] for key in expected} == expected


@pytest.mark.parametrize(
    ("facts", "base", "payable"),
    [
        (HoldingTaxFacts(900_000_000, 2024), 0, 0),
        (HoldingTaxFacts(1_200_000_000, 2026, one_home=True), 0, 0),
        (HoldingTaxFacts(1_000_000_000, 2025), 60_000_000, 300_000),
        (HoldingTaxFacts(1_000_000_000, 2025, homes=3), 60_000_000, 300_000),
        # Up to 1.2 billion of base the tables are one; above, 1.3 % against 2 %.
        (HoldingTaxFacts(4_000_000_000, 2025, homes=2), 1_860_000_000, 18_180_000),
        (HoldingTaxFacts(4_000_000_000, 2025, homes=3), 1_860_000_000, 22_800_000),
        (HoldingTaxFacts(20_900_000_000, 2025, homes=2), 12_000_000_000, 222_200_000),
        (HoldingTaxFacts(20_900_000_000, 2025, homes=3), 12_000_000_000, 416_600_000),
        (HoldingTaxFacts(1_000_000_000, 2025, homes=2, company=True), 600_000_000, 16_200_000),
        (HoldingTaxFacts(1_000_000_000, 2025, homes=3, company=True), 600_000_000, 30_000_000),
        (HoldingTaxFacts(2_500_000_000, 2025, "종합합산 토지"), 2_000_000_000, 25_000_000),
        (HoldingTaxFacts(6_000_000_000, 2025, "종합합산 토지"), 5_500_000_000, 105_000_000),
        (HoldingTaxFacts(58_000_000_000, 2025, "별도합산 토지"), 50_000_000_000, 290_000_000),
        (HoldingTaxFacts(30_000_000_000, 2025, "별도합산 토지"), 22_000_000_000, 112_000_000),
        (HoldingTaxFacts(30_000_000_000, 2025, "별도합산 토지", company=True), 22_000_000_000, 112_000_000),
    ],
)
def test_cases_worked_by_hand(facts, base, payable):
    result = holding_tax(facts)
    check_working(result)
    assert (result.tax_base, result.payable) == (base, payable)


@pytest.mark.parametrize(
    ("age", "held", "percent"),
    [
        (59, 4, 0),
        (60, 0, 20),
        (64, 5, 40),
        (65, 9, 50),
        (69, 10, 70),
        (70, 10, 80),
        (70, 15, 80),
        (0, 5, 20),
        (0, 15, 50),
    ],
)
def test_credits_of_an_only_home_stop_at_80_percent(age, held, percent):
    # Base 6억: 3,600,000 won; property tax comes off first (제9조제5항).
    facts = HoldingTaxFacts(2_200_000_000, 2025, one_home=True, age=age, held_years=held, property_tax_credit=1_600_000)
    result = holding_tax(facts)
    check_working(result)
    assert result.calculated_tax == 3_600_000
    assert result.payable == 2_000_000 * (100 - percent) // 100


def test_the_burden_stops_at_one_and_a_half_of_last_year():
    facts = {"official_price": 2_000_000_000, "year": 2025, "homes": 2, "property_tax": 1_000_000}
    capped = holding_tax(HoldingTaxFacts(**facts, burden_last_year=2_000_000))
    check_working(capped)
    assert capped.payable == 2_000_000 and "종합부동산세법 제10조" in capped.articles
    assert holding_tax(HoldingTaxFacts(**facts, burden_last_year=4_000_000)).payable == 4_200_000
    nothing = holding_tax(HoldingTaxFacts(**facts, burden_last_year=100_000))
    check_working(nothing)
    assert nothing.payable == 0


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        (HoldingTaxFacts(1, 2023), "2023년"),
        (HoldingTaxFacts(1, 2027), "2027년"),
        (HoldingTaxFacts(1, 2025, "상가"), "kind"),
        (HoldingTaxFacts(-1, 2025), "official_price"),
        (HoldingTaxFacts(1, 2025, homes=0), "homes"),
        (HoldingTaxFacts(1, 2025, "종합합산 토지", one_home=True), "one_home"),
        (HoldingTaxFacts(1, 2025, one_home=True, company=True), "company"),
        (HoldingTaxFacts(1, 2025, one_home=True, homes=2), "제8조제4항"),
        (HoldingTaxFacts(1, 2025, age=70), "age"),
        (HoldingTaxFacts(1, 2025, company=True, burden_last_year=1, property_tax=1), "burden_last_year"),
        (HoldingTaxFacts(1, 2025, burden_last_year=1), "property_tax"),
    ],
)
def test_outside_the_tables_is_refused_by_name(facts, word):
    with pytest.raises(UnsupportedCase, match=word):
        holding_tax(facts)


def test_half_of_the_cap_facts_is_a_missing_fact():
    with pytest.raises(MissingFact):
        holding_tax(HoldingTaxFacts(1, 2025, property_tax=1))


@st.composite
def holdings(draw):
    kind = draw(st.sampled_from(list(figures.DEDUCTIONS)))
    home, company = kind == figures.HOMES, draw(st.booleans())
    one_home = home and not company and draw(st.booleans())
    capped = not (home and company) and draw(st.booleans())
    return HoldingTaxFacts(
        official_price=draw(st.integers(0, 10**11)),
        year=draw(st.sampled_from([2024, 2025, 2026])),
        kind=kind,
        homes=draw(st.integers(1, 6)) if home and not one_home else 1,
        company=company,
        one_home=one_home,
        age=draw(st.integers(0, 90)) if one_home else 0,
        held_years=draw(st.integers(0, 40)) if one_home else 0,
        property_tax_credit=draw(st.integers(0, 10**8)),
        burden_last_year=draw(st.integers(0, 10**9)) if capped else None,
        property_tax=draw(st.integers(0, 10**8)) if capped else None,
    )


@given(holdings())
@settings(max_examples=300, deadline=None)
def test_working_is_right_arithmetic(facts):
    check_working(holding_tax(facts))


@given(holdings(), st.integers(0, 10**9))
@settings(max_examples=200, deadline=None)
def test_a_higher_price_never_lowers_the_tax(facts, more):
    dearer = HoldingTaxFacts(**{**facts.__dict__, "official_price": facts.official_price + more})
    assert holding_tax(dearer).payable >= holding_tax(facts).payable


HOLDING_TABLES = [figures.FEW_HOMES_BRACKETS, figures.MANY_HOMES_BRACKETS]
HOLDING_TABLES += [figures.OPEN_LAND_BRACKETS, figures.BUSINESS_LAND_BRACKETS]


@pytest.mark.parametrize(
    ("brackets", "sums"),
    [
        # The amounts the act itself writes at the start of each bracket.
        (figures.FEW_HOMES_BRACKETS, [1_500_000, 3_600_000, 9_600_000, 26_500_000, 64_000_000, 152_000_000]),
        (figures.MANY_HOMES_BRACKETS, [1_500_000, 3_600_000, 9_600_000, 35_600_000, 110_600_000, 286_600_000]),
        (figures.OPEN_LAND_BRACKETS, [15_000_000, 75_000_000]),
        (figures.BUSINESS_LAND_BRACKETS, [100_000_000, 220_000_000]),
    ],
)
def test_brackets_add_up_to_the_sums_in_the_act(brackets, sums):
    assert [bracket_tax(upper, brackets)[0] for upper, _ in brackets[:-1]] == sums
    assert all(low[1] < high[1] for low, high in pairwise(brackets))
