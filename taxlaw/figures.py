"""Rates, periods, ages and dates in Korean text, as values that can be compared: 100분의 20 = 20% = 20퍼센트 = 2할.

Amounts of money are the business of money.py; numbers of articles are left alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Literal

from taxlaw.money import normalise_digits

Kind = Literal["rate", "period", "age", "date"]
# (year, month, day), with None for what is not said.
Day = tuple[int | None, int | None, int | None]

_DECIMAL = r"(?:\d{1,3}(?:,\d{3})+|\d{1,9})(?:\.\d{1,6})?"
_COUNT_WORDS = {
    "한": 1,
    "두": 2,
    "석": 3,
    "세": 3,
    "넉": 4,
    "네": 4,
    "다섯": 5,
    "여섯": 6,
    "일곱": 7,
    "여덟": 8,
    "아홉": 9,
    "열": 10,
}
_TEN_WORDS = {"십": 10, "백": 100, "천": 1000, "만": 10_000, "십만": 100_000, "백만": 1_000_000}
_FIGURE = re.compile(
    # No figure begins with anything else: the look-ahead saves trying every branch at every letter.
    r"(?=[\d'한두석세넉네다여일아열보반십백천만])(?:"
    r"(?P<whole>\d[\d,]{0,9})?\s?(?P<ten>십만|백만|십|백|천|만)?분의\s?(?P<part>\d[\d,]{0,9}(?:\.\d{1,6})?)"
    rf"|(?<![\d.,])(?P<percent>{_DECIMAL})\s?(?:%|퍼센트|프로(?![가-힣]))"
    r"|(?<![\d.,])(?P<hal>\d)할(?:\s?(?P<pun>\d)푼)?(?![가-힣]{2})"
    r"|(?<!\d)(?:(?P<year>(?:19|20)\d\d)\s?(?:년|[.\-/](?=\s?\d{1,2}\s?[.\-/월]))|'(?P<short>\d\d)\.(?=\s?\d{1,2}\.))"
    r"(?:\s?(?P<month>\d{1,2})\s?(?:월|[.\-/])(?:\s?(?P<day>\d{1,2})(?!\d)(?:일|\.)?)?)?"
    r"|(?<![\d.])(?P<month2>1[0-2]|[1-9])월\s?(?:(?P<day2>[12]\d|3[01]|[1-9])일|말일?)"
    r"|(?<![\d.,])(?P<number>\d{1,4})\s?(?P<unit>개월|주일|주(?=\s?(?:이내|안|이상))|년(?!\d|대|생|도\s?중)|일(?!\d|정|반|괄|부|체)|시간|세(?=\s|이|미|인|가|는|부|를|,|\)|까|에|\.)|살)"
    rf"|(?<![가-힣])(?P<word>{'|'.join(_COUNT_WORDS)})\s?(?P<word_unit>달|해(?=\s|에|가|를)|살)"
    r"|(?<![가-힣])(?P<named>열흘|보름|일주일|반년))"
)
_NAMED = {"열흘": (10, "일"), "보름": (15, "일"), "일주일": (7, "일"), "반년": (6, "개월")}
_UNITS = {
    "년": ("개월", 12),
    "개월": ("개월", 1),
    "주": ("일", 7),
    "주일": ("일", 7),
    "일": ("일", 1),
    "시간": ("시간", 1),
}


@dataclass(frozen=True)
class Figure:
    """One figure at [start:end].  ``value``: a Fraction (rate), (count, unit) with years as months, an int age, or a Day."""

    kind: Kind
    value: Fraction | tuple[int, str] | int | Day
    start: int
    end: int
    text: str


def find_figures(text: str) -> list[Figure]:
    """Every rate, period, age and date of the text, left to right."""
    return list(read_figures(text))


@lru_cache(maxsize=512)
def read_figures(text: str) -> tuple[Figure, ...]:
    """find_figures as a tuple, kept for a while: one text is read by many checks."""
    plain = normalise_digits(text)
    found = []
    for match in _FIGURE.finditer(plain):
        read = _read(match)
        if read is not None:
            found.append(Figure(*read, match.start(), match.end(), text[match.start() : match.end()].strip()))
    return tuple(found)


def _read(match: re.Match) -> tuple[Kind, object] | None:
    if match["part"]:
        whole = Fraction((match["whole"] or "1").replace(",", "")) * _TEN_WORDS.get(match["ten"] or "", 1)
        part = Fraction(match["part"].replace(",", ""))
        return ("rate", part / whole) if (match["whole"] or match["ten"]) and whole else None
    if match["percent"]:
        return "rate", Fraction(match["percent"].replace(",", "")) / 100
    if match["hal"]:
        return "rate", Fraction(int(match["hal"]), 10) + Fraction(int(match["pun"] or 0), 100)
    if match["year"] or match["short"]:
        year = int(match["year"] or "20" + match["short"])
        return "date", (year, _int(match["month"]), _int(match["day"]))
    if match["month2"]:
        return "date", (None, int(match["month2"]), _int(match["day2"]))
    if match["named"]:
        return "period", _NAMED[match["named"]]
    if match["word"]:
        number, unit = _COUNT_WORDS[match["word"]], match["word_unit"]
        return ("age", number) if unit == "살" else ("period", (number * (12 if unit == "해" else 1), "개월"))
    number, unit = int(match["number"]), match["unit"]
    if unit in ("세", "살"):
        return "age", number
    base, size = _UNITS[unit]
    return "period", (number * size, base)


def _int(text: str | None) -> int | None:
    return int(text) if text else None


def same_day(stated: Day, known: Day) -> bool:
    """Whether every part of ``stated`` that is said agrees with ``known``, and something is said by both."""
    pairs = [(a, b) for a, b in zip(stated, known, strict=True) if a is not None]
    return bool(pairs) and all(a == b for a, b in pairs)
