from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxlaw.figures import find_figures, same_day


def read(text: str) -> list[tuple]:
    return [(figure.kind, figure.value) for figure in find_figures(text)]


@pytest.mark.parametrize("text", ["100분의 20", "20%", "20퍼센트", "2할", "1천분의 200", "２０％", "십분의 2"])
def test_one_rate_in_its_spellings(text):
    assert read(text) == [("rate", Fraction(1, 5))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("하루 10만분의 22", [("rate", Fraction(22, 100_000))]),
        ("3개월 이내", [("period", (3, "개월"))]),
        ("1년 또는 12개월", [("period", (12, "개월")), ("period", (12, "개월"))]),
        ("2년 이상 보유", [("period", (24, "개월"))]),
        ("석 달", [("period", (3, "개월"))]),
        ("19세 미만", [("age", 19)]),
        ("다음 해 5월 31일", [("date", (None, 5, 31))]),
        ("2026. 5. 31.", [("date", (2026, 5, 31))]),
        ("2026년 5월 31일", [("date", (2026, 5, 31))]),
        ("2026-05-31", [("date", (2026, 5, 31))]),
        ("2025년", [("date", (2025, None, None))]),
        ("제3조의2, 5억원, 서면-2023", []),
    ],
)
def test_periods_ages_and_dates(text, expected):
    assert read(text) == expected


@given(st.integers(1, 99))
def test_a_percentage_equals_its_fraction(rate):
    assert read(f"{rate}%") == read(f"100분의 {rate}") == [("rate", Fraction(rate, 100))]


def test_a_day_agrees_with_a_fuller_one():
    assert same_day((2025, None, None), (2025, 12, 31)) and same_day((None, 12, 31), (2025, 12, 31))
    assert not same_day((2025, 12, 30), (2025, 12, 31))


def test_a_looping_model_does_not_stall_the_reader():
    assert len(find_figures("9" * 50_000 + "%")) <= 1
    assert len(find_figures("100분의 " * 5_000)) == 2_500
