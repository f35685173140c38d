"""General VAT against cases worked by hand, its own laws (properties) and a second engine."""

import random
import re
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taxlaw.arithmetic import find_calculations
from taxlaw.calculators import tables_vat_general as figures
from taxlaw.calculators.vat_general import (
    Deposit,
    InvoiceFault,
    VatGeneralFacts,
    bad_debt_tax,
    blocked_common_tax,
    deemed_rent,
    invoice_penalty,
    supply_value,
    vat_general,
)
from taxlaw.errors import MissingFact, UnsupportedCase
from taxlaw.money import format_won, parse_won

ROUNDS = 400
SHOP = {"company": False, "consumer_business": True, "prior_supply": 500_000_000}


def value_of(expression: str) -> Fraction:
    text = re.sub(r"\d[\d,억만조 ]*원", lambda m: f" Fraction({parse_won(m[0])}) ", expression)
    text = re.sub(r"([\d.]+)%", lambda m: f" (Fraction('{m[1]}') / 100) ", text)
    text = text.replace("×", "*").replace("÷", "/")
    assert re.fullmatch(r"[\d\s+\-*/().'Fraction]*", text), text
    return Fraction(eval(text, {"Fraction": Fraction}))


def check_working(result):
    """Each line is right arithmetic, also as the verifier reads it, and the figures hang together."""
    for step in result.steps:
        assert int(value_of(step.expression)) == step.amount >= 0, step
        assert all(c.correct for c in find_calculations(f"{step.expression} = {format_won(step.amount)}")), step
    assert result.payable == result.calculated_tax + result.surcharge - result.credits
    last = result.steps[-1]
    assert last.amount == abs(result.payable)
    assert (last.label == "환급세액") == (result.payable < 0)
    assert len(set(result.articles)) == len(result.articles) and result.assumptions


@pytest.mark.parametrize(
    ("facts", "base", "payable"),
    [
        (VatGeneralFacts(2025, supply=100_000_000), 100_000_000, 10_000_000),
        (VatGeneralFacts(2025, supply_with_tax=11_000_000), 10_000_000, 1_000_000),
        # 10,000원 with tax: 9,090원 and 909원, fractions of a won dropped
        (VatGeneralFacts(2025, supply_with_tax=10_000), 9_090, 909),
        (VatGeneralFacts(2024, supply=100_000_000, purchases=60_000_000), 100_000_000, 4_000_000),
        (VatGeneralFacts(2024, supply=100_000_000, purchases_with_tax=66_000_000), 100_000_000, 4_000_000),
        (VatGeneralFacts(2024, supply=100_000_000, input_tax=6_000_000), 100_000_000, 4_000_000),
        (
            VatGeneralFacts(2024, supply=100_000_000, input_tax=6_000_000, blocked_input_tax=500_000),
            100_000_000,
            4_500_000,
        ),
        # more bought than sold: a refund
        (VatGeneralFacts(2026, supply=10_000_000, purchases=30_000_000), 10_000_000, -2_000_000),
        # exports bear no tax, but their input tax comes back
        (
            VatGeneralFacts(2026, supply=10_000_000, zero_rated=90_000_000, input_tax=3_000_000),
            100_000_000,
            -2_000_000,
        ),
        (VatGeneralFacts(2025, supply=50_000_000, bad_debt=5_500_000), 50_000_000, 4_500_000),
        # common input tax 200만: 20 % belongs to exempt sales
        (
            VatGeneralFacts(2025, supply=80_000_000, common_input_tax=2_000_000, exempt_supply=20_000_000),
            80_000_000,
            6_400_000,
        ),
        # 13 per thousand of the card sales
        (VatGeneralFacts(2025, supply=100_000_000, card_sales=50_000_000, **SHOP), 100_000_000, 9_350_000),
        # ... at most 10 million a year, of which 8 million are gone
        (
            VatGeneralFacts(2025, supply=10**9, card_sales=10**9, card_credit_used=8_000_000, **SHOP),
            10**9,
            98_000_000,
        ),
        # ... and never more than the tax (제46조제2항)
        (
            VatGeneralFacts(2025, supply=100_000_000, input_tax=9_900_000, card_sales=100_000_000, **SHOP),
            100_000_000,
            0,
        ),
        # an invoice that was never issued: 2 % on top
        (
            VatGeneralFacts(2025, supply=100_000_000, faults=(InvoiceFault("미발급", 30_000_000),)),
            100_000_000,
            10_600_000,
        ),
        (VatGeneralFacts(2025), 0, 0),
    ],
)
def test_cases_worked_by_hand(facts, base, payable):
    result = vat_general(facts)
    check_working(result)
    assert (result.tax_base, result.payable) == (base, payable)


def test_deposit_rent_follows_the_rate_and_the_days_of_its_year():
    assert deemed_rent(Deposit(366_000_000, 182), 2024) == 366_000_000 * 35 // 1000 * 182 // 366
    assert deemed_rent(Deposit(365_000_000, 181), 2025) == 365_000_000 * 31 // 1000 * 181 // 365
    assert deemed_rent(Deposit(10**8, 365), 2026) == 3_100_000
    result = vat_general(VatGeneralFacts(2025, supply=6_000_000, deposits=(Deposit(100_000_000, 181),)))
    check_working(result)
    assert result.tax_base == 6_000_000 + 100_000_000 * 31 * 181 // 365_000
    assert "부가가치세법 시행규칙 제47조" in result.articles


@pytest.mark.parametrize(
    ("common", "taxable", "exempt", "blocked"),
    [
        (49_999, 10, 90, 0),  # 제2항제2호
        (50_000, 10, 90, 45_000),
        (4_999_999, 96, 4, 0),  # 제2항제1호
        (5_000_000, 96, 4, 200_000),  # 같은 호 단서
        (4_999_999, 95, 5, 249_999),  # 5 % is not below 5 %
    ],
)
def test_common_input_tax_at_its_edges(common, taxable, exempt, blocked):
    assert blocked_common_tax(common, taxable, exempt) == blocked
    check_working(vat_general(VatGeneralFacts(2025, supply=taxable, common_input_tax=common, exempt_supply=exempt)))


def test_the_penalty_on_invoices_for_nothing_rose_in_2026():
    found = [invoice_penalty(InvoiceFault("가공발급", 100_000_000), year) for year in (2024, 2025, 2026)]
    assert found == [3_000_000, 3_000_000, 4_000_000]


@pytest.mark.parametrize("company, consumer, prior", [(True, True, 0), (False, False, 0), (False, True, 1_000_000_001)])
def test_who_is_not_among_the_small_shops_gets_no_card_credit(company, consumer, prior):
    facts = {"company": company, "consumer_business": consumer, "prior_supply": prior}
    result = vat_general(VatGeneralFacts(2025, supply=100_000_000, card_sales=100_000_000, **facts))
    check_working(result)
    assert result.credits == 0 and result.payable == 10_000_000


def test_one_fact_that_rules_the_card_credit_out_is_enough():
    result = vat_general(VatGeneralFacts(2025, supply=100_000_000, card_sales=100_000_000, company=True))
    assert result.payable == 10_000_000


def test_a_shop_of_exactly_a_billion_still_gets_the_card_credit():
    facts = VatGeneralFacts(
        2025, supply=10**8, card_sales=10**8, company=False, consumer_business=True, prior_supply=10**9
    )
    assert vat_general(facts).credits == 1_300_000


def test_card_sales_without_the_facts_that_decide_are_a_missing_fact():
    with pytest.raises(MissingFact, match="company, consumer_business, prior_supply"):
        vat_general(VatGeneralFacts(2025, supply=100, card_sales=100))


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        (VatGeneralFacts(2023, supply=1), "2023"),
        (VatGeneralFacts(2027, supply=1), "2027"),
        (VatGeneralFacts(2025, supply=-1), "supply"),
        (VatGeneralFacts(2025, blocked_input_tax=1), "blocked_input_tax"),
        (VatGeneralFacts(2025, supply=1, common_input_tax=10**6), "제81조제4항"),
        (VatGeneralFacts(2025, supply=1, exempt_supply=1), "exempt_supply"),
        (VatGeneralFacts(2025, deposits=(Deposit(1, 366),)), "days"),
        (VatGeneralFacts(2025, faults=(InvoiceFault("없는 사유", 1),)), "없는 사유"),
        (VatGeneralFacts(2025, card_sales=1, card_credit_used=10_000_001, **SHOP), "card_credit_used"),
    ],
)
def test_outside_the_tables_is_refused_by_name(facts, word):
    with pytest.raises(UnsupportedCase, match=word):
        vat_general(facts)


WON = st.integers(0, 3_000_000_000)


@st.composite
def periods(draw):
    supply = draw(st.integers(1, 3_000_000_000))
    common = draw(st.sampled_from([0, 0, 30_000, 900_000, 12_345_678]))
    parts = draw(st.tuples(WON, WON, WON))
    kinds = draw(st.lists(st.sampled_from(sorted(figures.PENALTIES)), max_size=2))
    days = draw(st.lists(st.integers(1, 184), max_size=2))
    year = draw(st.sampled_from([2024, 2025, 2026]))
    return VatGeneralFacts(
        year,
        supply=supply,
        supply_with_tax=draw(WON),
        zero_rated=draw(WON),
        deposits=tuple(Deposit(draw(WON), n) for n in days),
        purchases=parts[0],
        purchases_with_tax=parts[1],
        input_tax=parts[2],
        blocked_input_tax=draw(st.integers(0, parts[2])),
        common_input_tax=common,
        exempt_supply=draw(st.integers(1, 10**9)) if common else 0,
        bad_debt=draw(WON),
        card_sales=draw(WON),
        faults=tuple(InvoiceFault(kind, draw(WON)) for kind in kinds),
        **SHOP,
    )


@settings(max_examples=200, deadline=None)
@given(periods())
def test_working_is_right_arithmetic(facts):
    check_working(vat_general(facts))


@settings(max_examples=200, deadline=None)
@given(WON)
def test_a_price_with_tax_parts_into_value_and_tax_within_a_won(price):
    result = vat_general(VatGeneralFacts(2025, supply_with_tax=price))
    assert result.tax_base == supply_value(price)
    assert 0 <= price - result.tax_base - result.calculated_tax <= 1


# --- a second engine: korean-tax-calc-mcp -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def other():
    return pytest.importorskip("korean_tax_calc_mcp.engine.calc_vat")


def test_rent_bad_debt_and_common_tax_agree_with_the_other_engine(other):
    rng = random.Random(20261122)
    for _ in range(ROUNDS):
        year, half = rng.choice([2024, 2025, 2026]), rng.choice([1, 2])
        deposit, days = rng.randrange(1, 10**9), rng.randrange(1, 185)
        # It works in floats: a won may be lost.
        assert (
            abs(other.deemed_rent(deposit, days, period=f"{year}-{half}") - deemed_rent(Deposit(deposit, days), year))
            <= 1
        )
        assert abs(other.bad_debt_vat(deposit) - bad_debt_tax(deposit)) <= 1
        common, taxable, exempt = rng.randrange(0, 10**7), rng.randrange(1, 10**9), rng.randrange(1, 10**8)
        theirs = other.common_input_allocation(common, taxable + exempt, exempt)["불공제"]
        assert abs(theirs - blocked_common_tax(common, taxable, exempt)) <= 1


def test_penalties_and_card_credit_agree_with_the_other_engine(other):
    rng = random.Random(20261123)
    names = {
        "지연발급": "지연발급",
        "미발급": "미발급",
        "종이 세금계산서 발급": "미발급_종이",
        "지연전송": "지연전송",
        "미전송": "미전송",
        "지연수취": "지연수취",
        "매출처별합계표 미제출": "매출처별합계표_미제출",
        "매출처별합계표 지연제출": "매출처별합계표_예정분확정제출",
    }
    for _ in range(ROUNDS):
        year, kind, supply = rng.choice([2024, 2025, 2026]), rng.choice(list(names)), rng.randrange(1, 10**9)
        theirs = other.invoice_penalties(supply, names[kind], f"{year}-05-01")
        assert abs(theirs - invoice_penalty(InvoiceFault(kind, supply), year)) <= 1
        card, used = rng.randrange(1, 2 * 10**9), rng.choice([0, 0, 3_000_000, 10_000_000])
        ours = vat_general(VatGeneralFacts(year, supply=10**9, card_sales=card, card_credit_used=used, **SHOP))
        assert abs(other.card_sales_credit(card, f"{year}-05-01", used_this_year=used) - ours.credits) <= 1


def test_input_tax_agrees_with_the_other_engine(other):
    rng = random.Random(20261124)
    for _ in range(ROUNDS):
        value, price, blocked = (rng.randrange(0, 10**9) for _ in range(3))
        items = [
            {"항목": "가", "증빙": "세금계산서", "성격": "일반", "공급가액": value},
            {"항목": "나", "증빙": "신용카드", "성격": "일반", "공급대가": price},
            {"항목": "다", "증빙": "세금계산서", "성격": "접대", "공급가액": blocked},
        ]
        theirs = other.vat_input_tax_deduction("2025-1", "확정", items)
        facts = VatGeneralFacts(
            2025,
            purchases=value,
            purchases_with_tax=price,
            input_tax=blocked // 10,
            blocked_input_tax=blocked // 10,
        )
        assert abs(theirs["공제매입세액"] + vat_general(facts).payable) <= 1
