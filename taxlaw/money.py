"""Amounts of money in Korean text: find them, read them, write them.  All amounts are whole won (원) as int.

Knows the units 조/억/만/천/백/십 in digits, Hangul or both.  Knows nothing of tax law.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

# One character for one character, so that offsets stay those of the original text.
_FULL_WIDTH = str.maketrans("０１２３４５６７８９，．％－＋（）￦　\u00a0", "0123456789,.%-+()₩  ")
_LARGE = (("조", 10**12), ("억", 10**8), ("만", 10**4))
_SMALL = {"천": 1000, "백": 100, "십": 10}
_HANGUL_DIGITS = {word: value for value, word in enumerate("일이삼사오육칠팔구", start=1)}

# Every repetition is bounded: a looping model must not be able to stall the reader.
_DIGITS = r"(?:\d{1,3}(?:,\d{3}){1,8}(?!\d)|\d{1,20}(?!\d))(?:\.\d{1,10})?"
_STEP = rf"(?:{_DIGITS}\ ?|[일이삼사오육칠팔구])?[천백십]"  # 5천, 오천, 천
_COEFFICIENT = rf"(?:{_STEP}(?:\ ?{_STEP}){{0,2}}(?:\ ?{_DIGITS})?|{_DIGITS}|[일이삼사오육칠팔구](?=[조억만]))"
# 원칙, 원천징수, 원고, 원본, 원금 are words, not the currency.
_WON = r"원(?!칙|천징|고[가는를의 ]|본[을이의 ]|금[을이의 과 ])"
# A count is not an amount: 20만 명, 500만주, 3만㎡, 1만분의 5.
_NOT_COUNT = r"(?!분의|\ ?명(?!의|목|시)|\ ?톤|\ ?리터|\ ?[Kk][mg㎞]|\ ?㎡|\ ?제곱미터|\ ?평(?!가|균)|[개건](?!인|별|물|설)|주(?!택|식|거|주)|회|년|시간|배(?!우|당))"
_SEGMENTS = "".join(
    rf"(?:(?P<{n}>{_COEFFICIENT})?\ ?{unit}\ ?)?" for n, unit in (("jo", "조"), ("eok", "억"), ("man", "만"))
)
_AMOUNT = re.compile(
    # No amount begins with anything else: the look-ahead saves trying every branch at every letter.
    r"(?=[\d천백십일이삼사오육칠팔구만₩])(?:"
    rf"(?<![\d.])(?<!\d,)(?:₩\ ?)?{_SEGMENTS}(?:(?P<ones>{_COEFFICIENT})\ ?)?{_WON}"
    # 3억 5천 and 3억5000 are said for 3억 5천만: after 억, a tail without 만 or 원 counts in 만.
    rf"|(?<![\d.])(?<!\d,)(?P<eok3>{_COEFFICIENT})\ ?억(?:\ ?(?P<tail>\d\ ?천(?:\ ?\d\ ?백)?)|(?P<tail4>\d{{4}}))(?![\d천백십만억원년월일%]|[,.]\d)"
    rf"|(?<![\d.])(?<!\d,)(?=\d)(?:(?P<jo2>{_COEFFICIENT})\ ?조\ ?(?=\d))?(?:(?P<eok2>{_COEFFICIENT})\ ?억)?(?:\ ?(?P<man2>{_COEFFICIENT})\ ?만)?"
    # (only from a digit on: without digits it takes 원 to make an amount, not 만 19세 or 일만)
    rf"(?<=[억만]){_NOT_COUNT}"
    r"|(?<![\d.,\w])₩\ ?(?P<sign>\d[\d,]{0,25}(?![\d,]))(?![\d.]))"
)
_MAYBE_AMOUNT = re.compile("[원억만₩￦]")
_VAGUE = re.compile(r"(?:[가-힣]|몇 |수 |단위 ?:? ?)$")
_ARTICLE_BEFORE = re.compile(r"(?:제|법|령|칙|」|§|조|[,ㆍ·]|및|의\d*) ?$")


@dataclass(frozen=True)
class Amount:
    """An amount of ``won`` read from ``text``, the slice [start:end] of the searched string."""

    won: int
    start: int
    end: int
    text: str


def format_won(won: int) -> str:
    """Write whole won the way Korean documents do: 601_400_000 -> '6억 140만원', 0 -> '0원'."""
    if isinstance(won, bool) or not isinstance(won, int):
        raise TypeError(f"원 단위 정수여야 합니다 (whole won expected): {won!r}")
    if won < 0:
        return "-" + format_won(-won)
    parts, rest = [], won
    for unit, size in _LARGE:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count:,}{unit}")
    if rest or not parts:
        parts.append(f"{rest:,}")
    return " ".join(parts) + "원"


def parse_won(value: str | int) -> int:
    """Read one amount as whole won; an int is taken as won.  Raises ValueError when the whole text is not one amount.

    A bare number in a string ('601400000') has no unit and is refused.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if not isinstance(value, str):
        raise ValueError(f"금액이 아닙니다 (not an amount): {value!r}")
    text = normalise_digits(value).strip()
    sign, body = 1, text
    if body[:1] in ("-", "△", "−"):
        sign, body = -1, body[1:].lstrip()
    body = re.sub(r"^(?:일금|금)\ ?", "", body)
    body = re.sub(r"\ ?정$", "", re.sub(r"\s+", " ", body))
    found = find_amounts(body)
    if len(found) != 1 or found[0].start != 0 or found[0].end != len(body):
        raise ValueError(
            f"금액으로 읽을 수 없습니다: {value!r}. '6억 140만원', '601,400,000원'처럼 단위를 붙여 주세요."
        )
    return sign * found[0].won


def find_amounts(text: str) -> list[Amount]:
    """Every amount of money in the text, left to right.

    Needs a unit (원, 억, 만 …): percentages, article numbers, dates and counts are not amounts.  A fraction of a won is
    not an amount either.
    """
    return list(read_amounts(text))


@lru_cache(maxsize=512)
def read_amounts(text: str) -> tuple[Amount, ...]:
    """find_amounts as a tuple; one text is read by many checks, so its reading is kept for a while."""
    if not _MAYBE_AMOUNT.search(text):
        return ()
    plain = normalise_digits(text)
    found, position = [], 0
    while match := _AMOUNT.search(plain, position):
        start, position = match.start(), max(match.end(), match.start() + 1)
        won = _value(match)
        before = plain[max(0, start - 5) : start]
        first = "jo" if match["jo"] else "jo2"
        if match[first] and _ARTICLE_BEFORE.search(before):
            position = match.end(first) + 1  # 제53조 5억원: an article, then an amount
            continue
        if won is None or (not plain[start].isdigit() and plain[start] != "₩" and _VAGUE.search(before)):
            # 수천만원, 단위: 천원: no amount.  The scan goes on past the whole word.
            continue
        end = match.end() - (len(match[0]) - len(match[0].rstrip()))
        found.append(Amount(won, start, end, text[start:end]))
    return tuple(found)


def normalise_digits(text: str) -> str:
    """Full-width digits, signs and no-break spaces as ASCII, character for character (offsets are kept)."""
    return text.translate(_FULL_WIDTH)


def _value(match: re.Match) -> int | None:
    """Whole won of a match of _AMOUNT, or None when it is not an amount after all."""
    if len(match[0]) > 60:
        return None  # a looping model can write digits without end
    if match["sign"]:
        return int(match["sign"].replace(",", ""))
    if match["eok3"]:
        tail = match["tail"] or match["tail4"]
        parts = [(match["eok3"], 10**8), (tail, 10**4)]
    elif match[0].rstrip().endswith("원"):
        parts = [(match["jo"], 10**12), (match["eok"], 10**8), (match["man"], 10**4), (match["ones"], 1)]
        if not any(text for text, _ in parts):
            if match[0].replace(" ", "") != "만원":
                return None  # 억원 or 원 alone is a unit
            parts = [("1", 10**4)]
    else:
        parts = [(match["jo2"], 10**12), (match["eok2"], 10**8), (match["man2"], 10**4)]
    total: int | Fraction = 0
    for text, size in parts:
        if text:
            coefficient = _coefficient(text)
            if coefficient is None:
                return None
            total += coefficient * size
    return int(total) if total.denominator == 1 else None


def _coefficient(text: str) -> int | Fraction | None:
    """'2천5백' -> 2500, '6.014' -> 6.014, '천' -> 1000; None when the steps do not descend."""
    text = text.replace(" ", "").replace(",", "")
    if text.isdigit():
        return int(text)  # most amounts; a Fraction costs ten times as much
    total, last = Fraction(0), 10_000
    for count, step in re.findall(r"(\d+(?:\.\d+)?|[일이삼사오육칠팔구])?([천백십])|(?<=[천백십])$", text):
        if not step:
            continue
        if _SMALL[step] >= last:
            return None
        last = _SMALL[step]
        total += _number(count or "1") * last
    tail = re.search(r"(?:^|[천백십])(\d+(?:\.\d+)?|[일이삼사오육칠팔구])$", text)
    return total + _number(tail[1]) if tail else total


def _number(text: str) -> Fraction:
    return Fraction(_HANGUL_DIGITS[text]) if text in _HANGUL_DIGITS else Fraction(text)
