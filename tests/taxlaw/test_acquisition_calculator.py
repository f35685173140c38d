"""취득세: the slope between 6 and 9 억, the surcharges of 제13조의2, and the rates of every other cause."""

import json
import re
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taxlaw.arithmetic import find_calculations
from taxlaw.calculators import tables_real_estate as figures
from taxlaw.calculators.acquisition import AcquisitionFacts, acquisition_tax, home_rate
from taxlaw.errors import MissingFact, UnsupportedCase
from taxlaw.money import format_won, parse_won

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "worked_examples" / "worked_examples.jsonl"
ROWS = [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()] if DATA.is_file() else []
EXAMPLES = [row for row in ROWS if row["tax"] == "취득세"]

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


@pytest.mark.skipif(not EXAMPLES, reason="the worked examples are not beside this checkout")
@pytest.mark.parametrize("row", EXAMPLES, ids=lambda row: row["id"])
def test_published_cases(row):
    question = row["question"]
    causes = {"상속": "상속", "증여": "증여", "신축": "신축", "원시": "신축"}
    cause = next((name for word, name in causes.items() if word in question), "매매")
    asset = "농지" if "농지" in question else "주택" if "주택" in question else "그 밖의 부동산"
    homes = re.search(r"1세대 (\d)주택", question)
    facts = AcquisitionFacts(
        row["inputs"]["price"],
        int(row["when"]),
        cause,
        asset,
        homes=int(homes[1]) if homes and cause == "매매" else 1,
        adjusted=bool(re.search(r"(?<!비)조정대상지역(?! ?(?:외|밖|이 아닌))", question)),
        company="법인" in question,
        standard_value=row["inputs"]["price"] if cause == "증여" else None,
    )
    result = acquisition_tax(facts)
    check_working(result)
    assert {"취득세": result.payable} == row["expected"]
    assert row["checks"]["own"] == result.payable


@pytest.mark.parametrize(
    ("value", "rate"),
    [
        (1, "1"),
        (6 * EOK, "1"),
        (6 * EOK + 1, "1"),
        (650_000_000, "1.33"),
        (7 * EOK, "1.67"),
        (750_000_000, "2"),
        (8 * EOK, "2.33"),
        (9 * EOK, "3"),
        (9 * EOK + 1, "3"),
        (950_000_000, "3"),
        # 0.0100499… stays 1 %, 0.01005 becomes 1.01 %: the fifth decimal is rounded half up.
        (600_749_999, "1"),
        (600_750_000, "1.01"),
    ],
)
def test_rate_of_a_bought_home(value, rate):
    assert home_rate(value) == Fraction(rate) / 100


@pytest.mark.parametrize(
    ("facts", "payable", "article"),
    [
        (AcquisitionFacts(7 * EOK, 2025), 11_690_000, "지방세법 제11조제1항제8호나목"),
        (AcquisitionFacts(6 * EOK, 2025, homes=2, adjusted=False), 6_000_000, "지방세법 제11조제1항제8호가목"),
        (AcquisitionFacts(6 * EOK, 2025, homes=2, adjusted=True), 48_000_000, "지방세법 제13조의2제1항제2호"),
        (AcquisitionFacts(6 * EOK, 2025, homes=3, adjusted=False), 48_000_000, "지방세법 제13조의2제1항제2호"),
        (AcquisitionFacts(6 * EOK, 2025, homes=3, adjusted=True), 72_000_000, "지방세법 제13조의2제1항제3호"),
        (AcquisitionFacts(6 * EOK, 2025, homes=4, adjusted=False), 72_000_000, "지방세법 제13조의2제1항제3호"),
        (AcquisitionFacts(6 * EOK, 2025, homes=4), 72_000_000, "지방세법 제13조의2제1항제3호"),
        (AcquisitionFacts(6 * EOK, 2025, company=True, adjusted=False), 72_000_000, "지방세법 제13조의2제1항제1호"),
        (
            AcquisitionFacts(6 * EOK, 2025, homes=2, temporary_two_homes=True),
            6_000_000,
            "지방세법 제11조제1항제8호가목",
        ),
        (AcquisitionFacts(3 * EOK, 2025, "상속"), 8_400_000, "지방세법 제11조제1항제1호나목"),
        (AcquisitionFacts(3 * EOK, 2025, "상속", only_home=True), 2_400_000, "지방세법 제15조제1항제2호가목"),
        (AcquisitionFacts(3 * EOK, 2025, "상속", "농지"), 6_900_000, "지방세법 제11조제1항제1호가목"),
        (AcquisitionFacts(3 * EOK, 2025, "매매", "농지"), 9_000_000, "지방세법 제11조제1항제7호가목"),
        (AcquisitionFacts(3 * EOK, 2025, "매매", "그 밖의 부동산"), 12_000_000, "지방세법 제11조제1항제7호나목"),
        (AcquisitionFacts(3 * EOK, 2025, "증여", "그 밖의 부동산"), 10_500_000, "지방세법 제11조제1항제2호"),
        (AcquisitionFacts(3 * EOK, 2025, "증여", "농지", non_profit=True), 8_400_000, "지방세법 제11조제1항제2호"),
        (AcquisitionFacts(3 * EOK, 2025, "신축"), 8_400_000, "지방세법 제11조제1항제3호"),
        (AcquisitionFacts(3 * EOK, 2025, "공유물 분할", "농지"), 900_000, "지방세법 제15조제1항제4호"),
        (AcquisitionFacts(5 * EOK, 2025, "증여", adjusted=False), 17_500_000, "지방세법 제11조제1항제2호"),
        (
            AcquisitionFacts(5 * EOK, 2025, "증여", adjusted=True, standard_value=3 * EOK),
            60_000_000,
            "지방세법 제13조의2제2항",
        ),
        (AcquisitionFacts(5 * EOK, 2025, "증여", standard_value=3 * EOK - 1), 17_500_000, "지방세법 제11조제1항제2호"),
        (AcquisitionFacts(5 * EOK, 2025, "증여", family_only_home=True), 17_500_000, "지방세법 제11조제1항제2호"),
    ],
)
def test_cases_worked_by_hand(facts, payable, article):
    result = acquisition_tax(facts)
    check_working(result)
    assert result.payable == payable and article in result.articles


def test_small_homes_are_never_surcharged_and_the_line_rose_in_2025():
    two = {"homes": 2, "adjusted": True}
    assert acquisition_tax(AcquisitionFacts(2 * EOK, 2024, standard_value=EOK, **two)).payable == 2_000_000
    assert acquisition_tax(AcquisitionFacts(2 * EOK, 2024, standard_value=2 * EOK, **two)).payable == 16_000_000
    province = AcquisitionFacts(2 * EOK, 2025, standard_value=2 * EOK, capital_area=False, **two)
    assert acquisition_tax(province).payable == 2_000_000
    capital = AcquisitionFacts(2 * EOK, 2025, standard_value=2 * EOK, capital_area=True, **two)
    assert acquisition_tax(capital).payable == 16_000_000
    with pytest.raises(MissingFact, match="capital_area"):
        acquisition_tax(AcquisitionFacts(2 * EOK, 2025, standard_value=2 * EOK, **two))
    with pytest.raises(MissingFact, match="standard_value"):
        acquisition_tax(AcquisitionFacts(2 * EOK, 2025, **two))


@pytest.mark.parametrize(
    "facts",
    [
        AcquisitionFacts(6 * EOK, 2025, homes=2),
        AcquisitionFacts(5 * EOK, 2025, "증여"),
        AcquisitionFacts(5 * EOK, 2025, "증여", adjusted=True),
        AcquisitionFacts(5 * EOK, 2025, "증여", standard_value=3 * EOK),
    ],
)
def test_the_area_is_asked_for_when_it_decides(facts):
    with pytest.raises(MissingFact, match="adjusted"):
        acquisition_tax(facts)


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        (AcquisitionFacts(1, 2023), "2023년"),
        (AcquisitionFacts(1, 2027), "2027년"),
        (AcquisitionFacts(-1, 2025), "value"),
        (AcquisitionFacts(1, 2025, "경매낙찰"), "cause"),
        (AcquisitionFacts(1, 2025, asset="선박"), "asset"),
        (AcquisitionFacts(1, 2025, "신축", "농지"), "신축"),
        (AcquisitionFacts(1, 2025, homes=0), "homes"),
        (AcquisitionFacts(1, 2025, non_profit=True), "non_profit"),
        (AcquisitionFacts(1, 2025, only_home=True), "only_home"),
        (AcquisitionFacts(1, 2025, family_only_home=True), "family_only_home"),
        (AcquisitionFacts(1, 2025, homes=3, temporary_two_homes=True), "temporary_two_homes"),
    ],
)
def test_outside_the_tables_is_refused_by_name(facts, word):
    with pytest.raises(UnsupportedCase, match=word):
        acquisition_tax(facts)


@given(
    st.integers(0, 10**11),
    st.sampled_from([2024, 2025, 2026]),
    st.sampled_from(list(figures.ACQUISITION_RATES)),
    st.sampled_from([figures.HOME, figures.OTHER_PROPERTY]),
    st.integers(1, 6),
    st.booleans(),
    st.booleans(),
    st.integers(0, 10**10),
    st.booleans(),
)
@settings(max_examples=300, deadline=None)
def test_working_is_right_arithmetic(value, year, cause, asset, homes, adjusted, company, standard, capital):
    facts = AcquisitionFacts(
        value, year, cause, asset, homes, adjusted, company, standard_value=standard, capital_area=capital
    )
    result = acquisition_tax(facts)
    check_working(result)
    assert result.payable <= value * 12 // 100


@given(st.integers(0, 2 * 10**9), st.integers(0, 10**8))
def test_a_dearer_home_never_pays_less(value, more):
    first, second = (acquisition_tax(AcquisitionFacts(won, 2025)).payable for won in (value, value + more))
    assert second >= first
