"""Nothing that names a person leaves this machine: numbers are hidden whole, amounts and dates are left alone."""

from __future__ import annotations

import re

import pytest

from serve import private_data
from serve.private_data import is_here, mask


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("900101-1234567", "주민등록번호"),
        ("900101 - 1234567", "주민등록번호"),
        ("9001011234567", "주민등록번호"),
        ("９００１０１-１２３４５６７", "주민등록번호"),
        ("123-45-67890", "사업자등록번호"),
        ("010-1234-5678", "휴대전화 번호"),
        ("02-345-6789", "전화번호"),
        ("1234-5678-9012-3456", "카드 번호"),
        ("kim@example.com", "전자우편 주소"),
    ],
)
def test_each_kind_is_replaced_by_its_name(text: str, kind: str) -> None:
    masked = mask(f"제 것은 {text}이고 세금은 얼마인가요?")
    assert masked.text == f"제 것은 [{kind}]이고 세금은 얼마인가요?"
    assert masked.kinds == (kind,)


def test_an_account_is_hidden_with_its_number_only() -> None:
    assert mask("계좌번호 110-234-567890으로 환급받나요?").text == "계좌번호 [계좌번호]으로 환급받나요?"


def test_several_in_one_question() -> None:
    masked = mask("900101-1234567, 010-1234-5678, 800101-2345678")
    assert masked.text == "[주민등록번호], [휴대전화 번호], [주민등록번호]"
    assert masked.kinds == ("주민등록번호", "휴대전화 번호")


@pytest.mark.parametrize(
    "text",
    [
        "2025-07-01에 1,950,000,000원을 받았습니다",
        "부모님께 9001011234567원을 받으면",
        "소득세법 제55조, 서면-2023-법규기본-2039",
        "과세표준 8,000만원",
    ],
)
def test_amounts_dates_and_rulings_are_left_alone(text: str) -> None:
    assert mask(text) == (mask(text).__class__(text, ()))


def test_what_overlaps_is_hidden_to_its_last_character(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private_data, "_SHAPES", (("앞", re.compile("가나다")), ("뒤", re.compile("다라마"))))
    assert mask("가나다라마바").text == "[앞]바"


@pytest.mark.parametrize("netloc", ["127.0.0.1:8000", "localhost", "[::1]:80", "127.8.8.8"])
def test_this_machine(netloc: str) -> None:
    assert is_here(netloc)


@pytest.mark.parametrize("netloc", ["api.openai.com", "10.0.0.2:8000", "", "localhost.example.com", "시험용 모델"])
def test_everything_else_is_elsewhere(netloc: str) -> None:
    assert not is_here(netloc)
