"""재산세: the base of an only home, its own rates up to 9 억, the ceiling on the base, and land and buildings."""

import re
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taxlaw.arithmetic import find_calculations
from taxlaw.calculators import tables_real_estate as figures
from taxlaw.calculators.property_tax import PropertyTaxFacts, property_tax
from taxlaw.calculators.result import bracket_tax
from taxlaw.errors import UnsupportedCase
from taxlaw.money import format_won, parse_won

EOK = 100_000_000


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


@pytest.mark.parametrize(
    ("facts", "base", "payable"),
    [
        (PropertyTaxFacts(5 * EOK, 2025), 300_000_000, 570_000),
        (PropertyTaxFacts(10 * EOK, 2025), 600_000_000, 1_770_000),
        (PropertyTaxFacts(3 * EOK, 2024, only_home=True), 129_000_000, 99_000),
        (PropertyTaxFacts(5 * EOK, 2025, only_home=True), 220_000_000, 260_000),
        (PropertyTaxFacts(9 * EOK, 2026, only_home=True), 405_000_000, 787_500),
        # Above 9 억 an only home keeps its 45 % but pays the ordinary rates (제111조의2제1항, 시행령 제109조제1항제2호).
        (PropertyTaxFacts(10 * EOK, 2026, only_home=True), 450_000_000, 1_170_000),
        (PropertyTaxFacts(5 * EOK, 2025, urban=True), 300_000_000, 990_000),
        (PropertyTaxFacts(10 * EOK, 2025, "건축물"), 700_000_000, 1_750_000),
        (PropertyTaxFacts(10 * EOK, 2025, "주거지역 공장"), 700_000_000, 3_500_000),
        (PropertyTaxFacts(10 * EOK, 2025, "골프장·고급오락장 건축물"), 700_000_000, 28_000_000),
        (PropertyTaxFacts(10 * EOK, 2025, "종합합산 토지"), 700_000_000, 3_250_000),
        (PropertyTaxFacts(20 * EOK, 2025, "별도합산 토지"), 1_400_000_000, 4_400_000),
        (PropertyTaxFacts(EOK, 2025, "분리과세 농지·임야"), 70_000_000, 49_000),
        (PropertyTaxFacts(EOK, 2025, "골프장·고급오락장 토지"), 70_000_000, 2_800_000),
        (PropertyTaxFacts(EOK, 2025, "그 밖의 분리과세 토지"), 70_000_000, 140_000),
        # 제119조: 1,960 won is not collected, 2,000 won is.
        (PropertyTaxFacts(4_000_000, 2025, "분리과세 농지·임야"), 2_800_000, 0),
        (PropertyTaxFacts(1_142_858, 2025, "건축물"), 800_000, 2_000),
    ],
)
def test_cases_worked_by_hand(facts, base, payable):
    result = property_tax(facts)
    check_working(result)
    assert (result.tax_base, result.payable) == (base, payable)


def test_the_base_rises_by_no_more_than_five_percent_of_itself():
    # Last year 4억 × 60 % = 2.4억, and 5 % of this year's 3.6억 on top: 2.58억 (제110조제3항).
    held = property_tax(PropertyTaxFacts(6 * EOK, 2025, price_last_year=4 * EOK))
    check_working(held)
    assert held.tax_base == 258_000_000 and "지방세법 제110조제3항" in held.articles
    same = property_tax(PropertyTaxFacts(6 * EOK, 2025, price_last_year=6 * EOK))
    assert same.tax_base == 360_000_000 and "지방세법 제110조제3항" not in same.articles


def test_the_urban_part_is_kept_apart_from_the_tax():
    result = property_tax(PropertyTaxFacts(5 * EOK, 2025, urban=True))
    assert (result.calculated_tax, result.surcharge) == (570_000, 420_000)


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        (PropertyTaxFacts(1, 2023), "2023년"),
        (PropertyTaxFacts(1, 2027), "2027년"),
        (PropertyTaxFacts(-1, 2025), "official_price"),
        (PropertyTaxFacts(1, 2025, "선박"), "kind"),
        (PropertyTaxFacts(1, 2025, "건축물", only_home=True), "only_home"),
        (PropertyTaxFacts(1, 2025, "건축물", price_last_year=1), "price_last_year"),
    ],
)
def test_outside_the_tables_is_refused_by_name(facts, word):
    with pytest.raises(UnsupportedCase, match=word):
        property_tax(facts)


@st.composite
def properties(draw):
    kind = draw(st.sampled_from([figures.HOME, *figures.LAND_AND_BUILDING_RATES]))
    home = kind == figures.HOME
    return PropertyTaxFacts(
        official_price=draw(st.integers(0, 10**11)),
        year=draw(st.sampled_from([2024, 2025, 2026])),
        kind=kind,
        only_home=home and draw(st.booleans()),
        price_last_year=draw(st.none() | st.integers(0, 10**10)) if home else None,
        urban=draw(st.booleans()),
    )


@given(properties())
@settings(max_examples=300, deadline=None)
def test_working_is_right_arithmetic(facts):
    check_working(property_tax(facts))


@given(properties(), st.integers(0, 10**9))
@settings(max_examples=200, deadline=None)
def test_a_higher_price_never_lowers_the_tax(facts, more):
    dearer = PropertyTaxFacts(**{**facts.__dict__, "official_price": facts.official_price + more})
    assert property_tax(dearer).payable >= property_tax(facts).payable


@pytest.mark.parametrize(
    ("brackets", "sums"),
    [
        # The amounts the act itself writes at the start of each bracket.
        (figures.HOME_TAX_BRACKETS, [60_000, 195_000, 570_000]),
        (figures.ONLY_HOME_BRACKETS, [30_000, 120_000, 420_000]),
        (figures.LAND_AND_BUILDING_RATES["종합합산 토지"][1], [100_000, 250_000]),
        (figures.LAND_AND_BUILDING_RATES["별도합산 토지"][1], [400_000, 2_800_000]),
    ],
)
def test_brackets_add_up_to_the_sums_in_the_act(brackets, sums):
    assert [bracket_tax(upper, brackets)[0] for upper, _ in brackets[:-1]] == sums
