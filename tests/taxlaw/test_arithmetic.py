"""If these fail, a wrong sum in an answer passes, or a right one is called wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxlaw.arithmetic import find_calculations
from taxlaw.money import format_won

RIGHT = [
    "19억 5,000만원 × 40% - 1억 6,000만원 = 6억 2,000만원",
    "과세표준 19억 5,000만원 × 세율 40% − 누진공제 1억 6,000만원 = 산출세액 6억 2,000만원",
    "산출세액: 2억 4,000만원 + (19억 5,000만원 - 10억원) × 40% = 6억 2,000만원",
    "1,950,000,000원 x 40% - 160,000,000원 = 620,000,000원",
    "공제액은 5,000만원이므로 20억원 - 5,000만원 = 19억 5,000만원입니다.",
    "- 신고세액공제: 6억 2,000만원 × 3% = 1,860만원(기한 내 신고)",
    "2025년 20억원 - 5,000만원(직계존속) = 19억 5,000만원",
    "9,000만원 = 1억원 × 10% + 4억원 × 20%",
    "3명 × 150만원 = 450만원",
    "1억원 ÷ 4 ＝ 2,500만원",
    "100만원 ÷ 300만원 = 33.3%",
    "1억원 × 100분의 10 = 1,000만원",
    "12,345원 × 3% = 370원",
    "1,239원 × 10% = 120원",
]
WRONG = [
    ("20억원 - 5,000만원 = 19억원", "19억 5,000만원"),
    ("19억 5,000만원 × 40% - 1억 6,000만원 = 6억 3,000만원", "6억 2,000만원"),
    ("6억 2,000만원 × 3% = 1,800만원", "1,860만원"),
    ("8,000만원 = 1억원 × 10% + 4억원 × 20%", "9,000만원"),
    ("100만원 ÷ 300만원 = 33.5%", "33.3333%"),
    ("3 × 150만원 = 400만원", "450만원"),
    ("- 20억원 × 3% = 5,000만원", "6,000만원"),
]
UNREAD = [
    "2억 4,000만원 + 10억원 초과액 9억 5,000만원 × 40% = 6억 2,000만원",
    "20억 - 5천 = 19억 5천",
    "5억원 × 20% = 약 9천만원",
    "20억원 - 500 = 19억원",
    "과세표준 = 19억 5,000만원",
    "x = 3, y = 4",
    "1억원 ÷ 0 = 0원",
    "K-IFRS 1116-24, 서면-2024-상속증여-3920",
]


@pytest.mark.parametrize("text", RIGHT)
def test_right_equations_are_confirmed(text):
    assert [calculation.correct for calculation in find_calculations(text)] == [True]


@pytest.mark.parametrize(("text", "expected"), WRONG)
def test_wrong_equations_get_the_right_figure(text, expected):
    assert [(c.correct, c.expected) for c in find_calculations(text)] == [(False, expected)]


@pytest.mark.parametrize("text", UNREAD)
def test_what_cannot_be_read_for_certain_is_left_alone(text):
    assert find_calculations(text) == []


def test_a_chain_is_checked_link_by_link():
    text = "19.5억원 × 40% - 1.6억원 = 6.2억원 - 1,860만원 = 6억 140만원"
    assert [calculation.correct for calculation in find_calculations(text)] == [True, True]
    broken = text.replace("6억 140만원", "6억 150만원")
    assert [(c.correct, c.expected) for c in find_calculations(broken)] == [
        (True, "6억 2,000만원"),
        (False, "6억 140만원"),
    ]


won = st.integers(1, 10**13)


@given(won, won, st.integers(1, 99), st.integers(1, 10**6))
def test_any_sum_is_recomputed_exactly(first, second, percent, slip):
    exact = first * percent + second * 100
    if exact % 100:
        return
    left = f"{format_won(first)} × {percent}% + {format_won(second)}"
    (right,) = find_calculations(f"{left} = {format_won(exact // 100)}")
    assert right.correct
    (wrong,) = find_calculations(f"{left} = {format_won(exact // 100 + slip)}")
    assert not wrong.correct
    assert wrong.expected == format_won(exact // 100)


def test_spans_are_those_of_the_text():
    text = "따라서\n20억원 - 5,000만원 = 19억원 이다."
    (calculation,) = find_calculations(text)
    assert text[calculation.start : calculation.end] == calculation.text == "20억원 - 5,000만원 = 19억원"
