"""The penalty calculator: rates, the text of 국세기본법 제47조의4 before and since 2026-07-01, and the cuts of 제48조."""

import random
import re
from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taxlaw.calculators.late_payment import late_period, month_end
from taxlaw.calculators.penalties import LATE, NO_RETURN, UNDER_REPORT, WITHHELD_LATE, PenaltyFacts, penalty
from taxlaw.errors import MissingFact, UnsupportedCase
from taxlaw.money import parse_won

DUE = date(2025, 6, 2)


def value_of(expression: str) -> Fraction:
    text = re.sub(r"\d[\d,억만조 ]*원", lambda m: f" Fraction({parse_won(m[0])}) ", expression)
    text = re.sub(r"([\d.]+)%", lambda m: f" (Fraction('{m[1]}') / 100) ", text)
    text = text.replace("×", "*").replace("÷", "/")
    assert re.fullmatch(r"[\d\s+\-*/().'Fraction]*", text), text
    return Fraction(eval(text, {"Fraction": Fraction}))


def check_working(result):
    for step in result.steps:
        assert int(value_of(step.expression)) == step.amount >= 0, step
    assert result.steps[-1].amount == result.payable == result.calculated_tax - result.credits >= 0
    assert len(set(result.articles)) == len(result.articles) and result.articles


# --- not filing and under-reporting -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "payable"),
    [
        (PenaltyFacts(NO_RETURN, 10_000_000, DUE), 2_000_000),
        (PenaltyFacts(NO_RETURN, 10_000_000, DUE, fraud=True), 4_000_000),
        (PenaltyFacts(NO_RETURN, 10_000_000, DUE, fraud=True, abroad=True), 6_000_000),
        (PenaltyFacts(UNDER_REPORT, 10_000_000, DUE), 1_000_000),
        (PenaltyFacts(UNDER_REPORT, 10_000_000, DUE, fraud=True), 4_000_000),
        (PenaltyFacts(UNDER_REPORT, 10_000_000, DUE, fraud=True, abroad=True), 6_000_000),
        (PenaltyFacts(UNDER_REPORT, 10_000_000, DUE, fraud=True, fraud_tax=4_000_000), 2_200_000),
        # 0.07 % and 0.14 % of the receipts when that is more
        (PenaltyFacts(NO_RETURN, 1_000_000, DUE, receipts=1_000_000_000), 700_000),
        (PenaltyFacts(NO_RETURN, 10_000_000, DUE, receipts=1_000_000_000), 2_000_000),
        (PenaltyFacts(NO_RETURN, 1_000_000, DUE, fraud=True, receipts=1_000_000_000), 1_400_000),
        (PenaltyFacts(UNDER_REPORT, 1_000_000, DUE, fraud=True, fraud_tax=0, receipts=1_000_000_000), 1_500_000),
    ],
)
def test_filing_penalties_worked_by_hand(facts, payable):
    result = penalty(facts)
    check_working(result)
    assert result.payable == payable


@pytest.mark.parametrize(
    ("kind", "filed_on", "payable"),
    [
        (NO_RETURN, date(2025, 7, 2), 1_000_000),  # 1 month: half
        (NO_RETURN, date(2025, 7, 3), 1_400_000),
        (NO_RETURN, date(2025, 9, 2), 1_400_000),  # 3 months: 30 %
        (NO_RETURN, date(2025, 9, 3), 1_600_000),
        (NO_RETURN, date(2025, 12, 2), 1_600_000),  # 6 months: 20 %
        (NO_RETURN, date(2025, 12, 3), 2_000_000),
        (UNDER_REPORT, date(2025, 7, 2), 100_000),  # 90 %
        (UNDER_REPORT, date(2025, 9, 2), 250_000),  # 75 %
        (UNDER_REPORT, date(2025, 12, 2), 500_000),  # 50 %
        (UNDER_REPORT, date(2026, 6, 2), 700_000),  # 30 %
        (UNDER_REPORT, date(2026, 12, 2), 800_000),  # 20 %
        (UNDER_REPORT, date(2026, 12, 3), 900_000),  # 10 %
    ],
)
def test_cuts_for_those_who_file_by_themselves(kind, filed_on, payable):
    result = penalty(PenaltyFacts(kind, 10_000_000, DUE, filed_on=filed_on))
    check_working(result)
    assert result.payable == payable
    foreseen = penalty(PenaltyFacts(kind, 10_000_000, DUE, filed_on=filed_on, foreseen=True))
    assert foreseen.credits == 0


def test_a_cut_that_hangs_on_a_weekend_is_not_guessed():
    # one month after 2025-08-31 ends on 2025-09-30; after 2025-07-31 on 2025-08-31, a Sunday
    with pytest.raises(UnsupportedCase, match="제5조"):
        penalty(PenaltyFacts(NO_RETURN, 10_000_000, date(2025, 7, 31), filed_on=date(2025, 9, 1)))
    sure = penalty(PenaltyFacts(NO_RETURN, 10_000_000, date(2025, 7, 31), filed_on=date(2025, 9, 2)))
    assert sure.payable == 1_400_000


@pytest.mark.parametrize(
    ("day", "months", "end"),
    [
        (date(2025, 5, 31), 1, date(2025, 6, 30)),
        (date(2025, 6, 2), 1, date(2025, 7, 2)),
        (date(2025, 2, 28), 1, date(2025, 3, 31)),
        (date(2025, 1, 30), 1, date(2025, 2, 28)),
        (date(2024, 1, 30), 1, date(2024, 2, 29)),
        (date(2025, 12, 31), 12, date(2026, 12, 31)),
        (date(2025, 11, 30), 3, date(2026, 2, 28)),
    ],
)
def test_months_are_counted_by_the_calendar(day, months, end):
    assert month_end(day, months) == end


# --- paying late --------------------------------------------------------------------------------------------------


def late(paid_on, notice_on=None, designated=None, tax=10_000_000, kind=LATE, deadline=DUE):
    result = penalty(PenaltyFacts(kind, tax, deadline, paid_on=paid_on, notice_on=notice_on, designated=designated))
    check_working(result)
    return result.payable


def test_late_payment_counts_the_day_of_payment_until_june_2026():
    assert late(date(2025, 6, 3)) == 2_200
    assert late(date(2025, 9, 10)) == 100 * 2_200
    assert late(date(2026, 6, 30)) == 393 * 2_200


def test_late_payment_leaves_the_day_of_payment_out_since_july_2026():
    # 부칙 제3조 keeps the old text only where a 지정납부기한 passed by 2026-06-30.
    assert late(date(2026, 7, 1)) == 393 * 2_200
    assert late(date(2026, 7, 2)) == 394 * 2_200
    assert late_period(DUE, date(2026, 6, 30), None, None).new_law is False
    assert late_period(DUE, date(2026, 7, 1), None, None).new_law is True


def test_the_time_given_by_a_notice_is_free():
    notice, designated = date(2025, 9, 1), date(2025, 9, 30)
    assert late(notice, notice, designated) == late(designated, notice, designated) == 90 * 2_200


def test_past_the_notice_three_percent_and_days_under_the_old_text():
    notice, designated = date(2025, 9, 1), date(2025, 9, 30)
    assert late(date(2025, 10, 10), notice, designated) == 90 * 2_200 + 300_000 + 10 * 2_200
    # the old text stays when its 지정납부기한 passed by 2026-06-30, whenever the tax is paid
    designated = date(2026, 6, 29)
    assert late(date(2026, 8, 30), notice, designated) == 90 * 2_200 + 300_000 + 62 * 2_200


def test_past_the_notice_three_percent_and_whole_months_under_the_new_text():
    notice, designated = date(2026, 6, 15), date(2026, 7, 31)
    before = (notice - DUE).days - 1
    assert late(date(2026, 8, 31), notice, designated) == before * 2_200 + 300_000
    assert late(date(2026, 9, 1), notice, designated) == before * 2_200 + 300_000 + 67_000
    assert late(date(2026, 10, 1), notice, designated) == before * 2_200 + 300_000 + 2 * 67_000


def test_a_notice_due_on_the_last_day_of_the_old_text_is_not_guessed():
    with pytest.raises(UnsupportedCase, match="시행일 확인 필요"):
        late(date(2026, 9, 1), date(2026, 6, 1), date(2026, 6, 30))
    assert late(date(2026, 6, 30), date(2026, 6, 1), date(2026, 6, 30)) == 363 * 2_200


def test_small_notices_run_no_further():
    notice, designated = date(2025, 9, 1), date(2025, 9, 30)
    assert late(date(2026, 3, 31), notice, designated, tax=1_499_999) == int(
        1_499_999 * 90 * Fraction(22, 100_000)
    ) + int(1_499_999 * Fraction(3, 100))
    assert late(date(2025, 10, 1), notice, designated, tax=1_500_000) == 90 * 330 + 45_000 + 330


def test_withheld_tax_pays_three_percent_and_days_up_to_ten_percent():
    assert late(date(2025, 6, 12), kind=WITHHELD_LATE) == 300_000 + 10 * 2_200
    assert late(date(2026, 6, 30), kind=WITHHELD_LATE) == 1_000_000
    notice, designated = date(2026, 5, 1), date(2026, 5, 31)
    # 3 % + 332 days is above 10 %; past the notice the days run on
    assert late(date(2026, 6, 10), notice, designated, kind=WITHHELD_LATE) == 1_000_000 + 10 * 2_200


def test_a_late_return_paid_late_adds_both():
    facts = PenaltyFacts(NO_RETURN, 10_000_000, DUE, filed_on=date(2025, 7, 2), paid_on=date(2025, 7, 2))
    result = penalty(facts)
    check_working(result)
    assert (result.calculated_tax, result.credits, result.payable) == (2_066_000, 1_000_000, 1_066_000)
    assert {
        "국세기본법 제47조의2제1항제2호",
        "국세기본법 제48조제2항제2호가목",
        "국세기본법 제47조의4제1항",
        "국세기본법 시행령 제27조의4",
    } == set(result.articles)


@pytest.mark.parametrize(
    ("facts", "error", "word"),
    [
        (PenaltyFacts(NO_RETURN, 1, date(2023, 5, 31)), UnsupportedCase, "2023년"),
        (PenaltyFacts(LATE, 1, DUE, paid_on=date(2027, 1, 1)), UnsupportedCase, "2027년"),
        (PenaltyFacts("연체", 1, DUE), UnsupportedCase, "연체"),
        (PenaltyFacts(NO_RETURN, -1, DUE), UnsupportedCase, "tax"),
        (PenaltyFacts(NO_RETURN, 1, DUE, filed_on=DUE), UnsupportedCase, "filed_on"),
        (PenaltyFacts(LATE, 1, DUE), MissingFact, "paid_on"),
        (PenaltyFacts(LATE, 1, DUE, paid_on=date(2025, 7, 1), fraud=True), UnsupportedCase, "fraud"),
        (PenaltyFacts(NO_RETURN, 1, DUE, abroad=True), UnsupportedCase, "abroad"),
        (PenaltyFacts(UNDER_REPORT, 1, DUE, fraud=True, fraud_tax=2), UnsupportedCase, "fraud_tax"),
        (PenaltyFacts(UNDER_REPORT, 1, DUE, receipts=2), UnsupportedCase, "receipts"),
        (PenaltyFacts(NO_RETURN, 1, DUE, foreseen=True), UnsupportedCase, "foreseen"),
        (PenaltyFacts(LATE, 1, DUE, paid_on=date(2025, 8, 1), notice_on=date(2025, 7, 1)), MissingFact, "designated"),
        (
            PenaltyFacts(NO_RETURN, 1, DUE, notice_on=date(2025, 7, 1), designated=date(2025, 7, 31)),
            MissingFact,
            "paid_on",
        ),
        (
            PenaltyFacts(
                LATE, 1, DUE, paid_on=date(2025, 6, 9), notice_on=date(2025, 7, 1), designated=date(2025, 7, 31)
            ),
            UnsupportedCase,
            "notice_on",
        ),
        (
            PenaltyFacts(
                NO_RETURN,
                1,
                DUE,
                filed_on=date(2025, 7, 1),
                paid_on=date(2025, 8, 9),
                notice_on=date(2025, 7, 1),
                designated=date(2025, 7, 31),
            ),
            UnsupportedCase,
            "filed_on",
        ),
    ],
)
def test_what_is_outside_the_tables_is_refused_by_name(facts, error, word):
    with pytest.raises(error, match=word):
        penalty(facts)


# --- properties and a second engine -------------------------------------------------------------------------------


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([NO_RETURN, UNDER_REPORT, LATE, WITHHELD_LATE]),
    st.integers(0, 5_000_000_000),
    st.integers(0, 1_000_000_000),
    st.dates(date(2024, 1, 1), date(2026, 3, 31)),
    st.integers(1, 250),
    st.none() | st.integers(1, 200),
)
def test_more_tax_or_a_later_day_means_no_less_penalty(kind, tax, more, deadline, days, noticed):
    paid_on = deadline + timedelta(days=days)
    notice = designated = None
    if noticed and noticed < days:
        notice = deadline + timedelta(days=noticed)
        designated = notice + timedelta(days=20)
        if designated == date(2026, 6, 30):
            designated += timedelta(days=1)

    def payable(amount, day):
        facts = PenaltyFacts(kind, amount, deadline, paid_on=day, notice_on=notice, designated=designated)
        result = penalty(facts)
        check_working(result)
        return result.payable

    assert payable(tax, paid_on) <= payable(tax + more, paid_on)
    assert payable(tax, paid_on) <= payable(tax, min(paid_on + timedelta(days=3), date(2026, 12, 31)))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([NO_RETURN, UNDER_REPORT]), st.dates(date(2024, 1, 1), date(2025, 6, 30)), st.integers(1, 540))
def test_filing_sooner_never_costs_more(kind, deadline, days):
    def payable(day):
        return penalty(PenaltyFacts(kind, 10_000_000, deadline, filed_on=day)).payable

    day = deadline + timedelta(days=days)
    try:
        assert payable(day) <= payable(day + timedelta(days=1))
    except UnsupportedCase as refused:
        assert "제5조" in str(refused)


def test_penalties_agree_with_the_other_engine():
    calc = pytest.importorskip("korean_tax_calc_mcp.engine.calc")
    income = pytest.importorskip("korean_tax_calc_mcp.engine.calc_income")
    rng = random.Random(20250614)
    for _ in range(300):
        tax, deadline = rng.randrange(1, 3_000_000_000), date(2024, 1, 1) + timedelta(days=rng.randrange(600))
        paid_on = min(deadline + timedelta(days=rng.randrange(1, 300)), date(2026, 6, 30))
        fraud = rng.random() < 0.3
        # it rounds to the nearest won, from a float
        ours = penalty(PenaltyFacts(UNDER_REPORT, tax, deadline, fraud=fraud)).payable
        assert abs(calc.penalty_underreport(tax, fraud) - ours) <= 1
        ours = penalty(PenaltyFacts(LATE, tax, deadline, paid_on=paid_on)).payable
        assert abs(calc.penalty_late(tax, deadline.isoformat(), paid_on.isoformat()) - ours) <= 1
        ours = penalty(PenaltyFacts(WITHHELD_LATE, tax, deadline, paid_on=paid_on)).payable
        assert abs(income.withholding_late_penalty(tax, (paid_on - deadline).days) - ours) <= 1
