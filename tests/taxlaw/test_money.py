"""If these fail, a sum in a question is read wrong and everything computed from it is wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxlaw.money import find_amounts, format_won, parse_won

WRITTEN = [
    ("6억 140만원", 601_400_000),
    ("601,400,000원", 601_400_000),
    ("6.014억", 601_400_000),
    ("1천만원", 10_000_000),
    ("천만 원", 10_000_000),
    ("5천만원", 50_000_000),
    ("오천만원", 50_000_000),
    ("일억오천만 원", 150_000_000),
    ("20억", 2_000_000_000),
    ("２０억원", 2_000_000_000),
    ("2,000만 원", 20_000_000),
    ("1억2천5백만원", 125_000_000),
    ("2천500만원", 25_000_000),
    ("1조 2,000억원", 1_200_000_000_000),
    ("3억 5천", 350_000_000),
    ("3억5000", 350_000_000),
    ("3억5000원", 300_005_000),
    ("10만 5,000원", 105_000),
    ("만원", 10_000),
    ("3백원", 300),
    ("0원", 0),
    ("₩5,000,000", 5_000_000),
    ("금 5,000,000원정", 5_000_000),
    ("-1,860만원", -18_600_000),
]


@pytest.mark.parametrize(("text", "won"), WRITTEN)
def test_the_usual_ways_of_writing_an_amount(text, won):
    assert parse_won(text) == won


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("공급가액 2억 8천, 매입세액 1,900만원", [280_000_000, 19_000_000]),
        ("과세표준은 3억5000. 세금은?", [350_000_000]),
        ("1억 2천,500", [100_000_000]),  # the next digits belong to it, so it is no 1억 2천만
    ],
)
def test_an_amount_said_without_its_last_unit_may_end_a_clause(text, found):
    assert [amount.won for amount in find_amounts(text)] == found


@pytest.mark.parametrize(
    "text",
    ["601400000", "601,400,000", "10%", "3명", "12개월", "제53조", "", "원", "억원", "20억 아파트", True, None, 1.5],
)
def test_what_is_not_one_amount_is_refused(text):
    with pytest.raises(ValueError, match=r"금액"):
        parse_won(text)


@given(st.integers(min_value=0, max_value=10**16 - 1))
def test_written_amounts_read_back(won):
    assert parse_won(format_won(won)) == won
    assert parse_won(f"{won:,}원") == won
    assert [a.won for a in find_amounts(f"증여재산 {format_won(won)}을 신고하였다.")] == [won]


@pytest.mark.parametrize(
    ("won", "text"),
    [(0, "0원"), (12_345_678, "1,234만 5,678원"), (601_400_000, "6억 140만원"), (10**12, "1조원"), (-10_000, "-1만원")],
)
def test_amounts_are_written_in_korean_units(won, text):
    assert format_won(won) == text


@pytest.mark.parametrize(
    "text",
    [
        "세율 10%와 100분의 20, 1만분의 5, 천분의 10",
        "제59조의4제2항, 상증법 53조, 12개월, 3명, 2025년 3월 31일, 만 19세, 20만 명, 500만주",
        "수천만원, 수억원, 몇 천만원, (단위: 천원)",
        "3원칙, 천만에요, 1.23456789만원",
    ],
)
def test_numbers_that_are_not_money(text):
    assert find_amounts(text) == []


@pytest.mark.parametrize(
    ("text", "amounts"),
    [
        ("제53조 5억원을", [500_000_000]),
        ("1억,2억", [100_000_000, 200_000_000]),
        ("1억~2억", [100_000_000, 200_000_000]),
        ("3억 명의신탁, 10억 주택, 1억원인 경우", [300_000_000, 1_000_000_000, 100_000_000]),
        ("1천만원+2천만원=3천만원", [10_000_000, 20_000_000, 30_000_000]),
        ("3억 2025년 1월", [300_000_000]),
    ],
)
def test_amounts_among_other_words(text, amounts):
    found = find_amounts(text)
    assert [a.won for a in found] == amounts
    assert all(text[a.start : a.end] == a.text for a in found)


def test_a_long_text_is_read_quickly():
    assert len(find_amounts("1,234,567,890 천백십, " * 5_000 + "5억원")) == 1
