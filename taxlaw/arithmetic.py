"""Recompute the arithmetic that Korean text writes out: '19억 5,000만원 × 40% - 1억 6,000만원 = 6억 2,000만원'.

Exact fractions, won kept apart from plain numbers.  An expression that cannot be read for certain is left alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fractions import Fraction

from taxlaw.money import find_amounts, format_won, normalise_digits

_OPERATORS = {
    "+": "+",
    "-": "-",
    "−": "-",
    "–": "-",
    "×": "*",
    "*": "*",
    "x": "*",
    "X": "*",
    "✕": "*",
    "÷": "/",
    "/": "/",
}
_TENS = {"": 1, "십": 10, "백": 100, "천": 1000, "만": 10_000, "십만": 100_000, "백만": 1_000_000}
_TOKEN = re.compile(
    r"(?P<line>\n[ \t]*(?:[-*•◦▪][ \t]+|\d+[.)][ \t]+)?)"
    r"|(?P<space>[ \t]+)"
    r"|(?P<skip>제\s?\d+(?:조|항|호)?(?:의\s?\d+)?|(?:19|20)\d\d(?=\s?년)|\d+(?=조|항|호|세(?!대)|차|단계|번|급|층))"
    r"|(?P<share>(?P<whole>\d[\d,]{0,12})\s?(?P<tens>[십백]?만|[천백십])?분의\s?(?P<part>\d{1,12}(?:\.\d{1,9})?))"
    r"|(?P<number>(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?)(?P<unit>\s?%|\s?퍼센트|[천백십만억]?)"
    r"|(?P<equals>[=＝])"
    r"|(?P<about>약(?=\s?\d)|≒|≈|대략|~|∼|～)"
    r"|(?P<op>[+\-−–×*✕÷/]|(?<=[\d%원)\s])[xX](?=\s?[\d(]))"
    r"|(?P<paren>[()])"
    r"|(?P<word>[가-힣A-Za-z「」『』'\"‘’“”\[\]_]+)"
    r"|(?P<stop>.)",
    re.DOTALL,
)
# A sum as it is written out, up to the next word.
_RUN = re.compile(r"[\d.,조억만천백십원%×÷+\-−*/()=＝ \t]+")
# What ends a clause before a second sum: '… = 200만원과', '…를 곱하므로', '…이고'.
_JOINED = re.compile(r"(?:[과와고며서]|므로|니까|면|은|는|이|가)[ \t]*$")


@dataclass(frozen=True)
class Calculation:
    """One written equation at [start:end] of the text; ``expected`` is the right side as it should read."""

    start: int
    end: int
    text: str
    correct: bool
    expected: str
    won: int | None  # the stated result, when it is an amount


@dataclass(frozen=True)
class _Token:
    kind: str  # value, op, equals, "(", ")", word, stop, unknown
    start: int
    end: int
    value: Fraction = Fraction(0)
    dimension: int = 0  # 1 for won, 0 for a plain number
    precision: Fraction = Fraction(0)  # half a unit of the last digit written, for plain numbers


class _Unreadable(Exception):
    """The tokens are not one expression of known values."""


def find_calculations(text: str) -> list[Calculation]:
    """Every equation in the text whose two sides can both be read, with the verdict of exact recomputation.

    Labels inside an equation are read over; an equation that this leaves unread ('… = 200만원과 50억원 × 0.07% = 350만원')
    is read once more from word to word.
    """
    found: list[Calculation] = []
    start = 0
    for line in text.split("\n"):  # no equation runs over a line end
        if "=" in line or "＝" in line:
            # The line end before it tells a bullet ('- 5억원') from a minus sign.
            found += [_moved(calculation, start - 1) for calculation in _line("\n" + line)]
        start += len(line) + 1
    return found


def _line(text: str) -> list[Calculation]:
    found = _read(text)
    taken = [(calculation.start, calculation.end) for calculation in found]
    for run in _RUN.finditer(text):
        if "=" not in run[0] and "＝" not in run[0]:
            continue
        if any(start < run.end() and run.start() < end for start, end in taken):
            continue
        joined = _JOINED.search(text, max(0, run.start() - 12), run.start()) is not None
        found += [_moved(part, run.start()) for part in _read(run[0]) if part.correct or joined]
    return sorted(found, key=lambda calculation: calculation.start)


def _moved(calculation: Calculation, by: int) -> Calculation:
    return replace(calculation, start=calculation.start + by, end=calculation.end + by)


def _read(text: str) -> list[Calculation]:
    found = []
    for segment in _segments(_tokens(text)):
        parts = _split(segment)
        for index in range(len(parts) - 1):
            calculation = _compare(parts[index], parts[index + 1], text, first=index == 0)
            if calculation:
                found.append(calculation)
    return found


def _compare(left: list[_Token], right: list[_Token], text: str, first: bool) -> Calculation | None:
    left = _suffix(left) if first else left
    if not left:
        return None
    try:
        stated = _evaluate(left)
    except _Unreadable:
        return None
    tail = _prefix(right)
    if not tail or not any(token.kind == "op" for token in (*left, *tail)):
        return None
    results = {1, len(tail)}  # 'A = B - C = D' is often written for A = B and B - C = D
    readings = []
    for length in sorted(results):
        try:
            readings.append((_evaluate(tail[:length]), tail[:length]))
        except _Unreadable:
            continue
    readings = [(value, tokens) for value, tokens in readings if value[1] == stated[1]]
    if not readings:
        return None
    agreeing = [tokens for value, tokens in readings if _agree(stated, value, tokens)]
    value, tokens = (stated, agreeing[0]) if agreeing else (stated, readings[0][1])
    if len(left) == 1:  # '9,000만원 = 1억원 × 10% + ...': the figure on the left is the claim
        value, tokens = readings[-1] if not agreeing else (stated, agreeing[0])
        claim = left[0]
    else:
        claim = tokens[0] if len(tokens) == 1 else None
    start, end = left[0].start, tokens[-1].end
    percent = text[start:end].rstrip().endswith(("%", "％", "퍼센트")) and not value[1]
    won = int(claim.value) if claim is not None and claim.dimension and claim.value.denominator == 1 else None
    return Calculation(start, end, text[start:end], bool(agreeing), _written(value, percent), won)


def _agree(stated: tuple[Fraction, int], value: tuple[Fraction, int], tokens: list[_Token]) -> bool:
    """Equal, or equal after the roundings of practice: under 1 won, and 10 won rounded down (국고금 관리법 제47조)."""
    difference = abs(stated[0] - value[0])
    if stated[1] == 0:
        return difference <= (tokens[0].precision if len(tokens) == 1 else 0)
    return difference < 1 or (stated[0] > 0 and value[0] == stated[0] // 10 * 10)


def _written(value: tuple[Fraction, int], percent: bool) -> str:
    amount, dimension = value
    if percent:
        return f"{float(amount * 100):,.6g}%"
    if dimension:
        return format_won(int(amount)) if amount.denominator == 1 else f"약 {format_won(round(amount))}"
    return f"{float(amount):,.10g}"


def _tokens(text: str) -> list[_Token]:
    plain = normalise_digits(text)
    amounts = {amount.start: amount for amount in find_amounts(text)}
    tokens, position = [], 0
    while position < len(plain):
        if amount := amounts.get(position):
            tokens.append(_Token("value", amount.start, amount.end, Fraction(amount.won), 1))
            position = amount.end
            continue
        match = _TOKEN.match(plain, position)
        assert match is not None  # the last branch takes any character
        start, position = match.span()
        tokens += _token(match, start, position)
    return tokens


def _token(match: re.Match, start: int, end: int) -> list[_Token]:
    kind = match.lastgroup if match.lastgroup not in ("unit", "whole", "tens", "part") else None
    if match["share"] and int(match["whole"].replace(",", "")):
        whole = int(match["whole"].replace(",", "")) * _TENS[match["tens"] or ""]
        return [_Token("value", start, end, Fraction(match["part"]) / whole)]
    if match["number"]:
        if match["unit"].strip() in ("천", "백", "십", "만", "억"):
            return [_Token("unknown", start, end)]  # '5천' without 원: not for certain an amount
        if len(match["number"]) > 30:
            return [_Token("unknown", start, end)]
        value, decimals = Fraction(match["number"].replace(",", "")), len(match["number"].partition(".")[2])
        precision = Fraction(1, 2 * 10**decimals)
        scale = 100 if match["unit"] else 1
        # A whole plain number is meant exactly; a decimal or a percentage may be rounded.
        return [
            _Token("value", start, end, value / scale, 0, precision / scale if decimals or scale > 1 else Fraction(0))
        ]
    if kind == "space":
        return []
    if kind == "paren":
        return [_Token(match[0], start, end)]
    if kind == "op":
        return [_Token("op", start, end, Fraction(ord(_OPERATORS[match[0]])))]
    return [
        _Token(
            {"equals": "equals", "about": "unknown", "word": "word", "skip": "word"}.get(kind or "", "stop"), start, end
        )
    ]


def _segments(tokens: list[_Token]) -> list[list[_Token]]:
    """Runs of tokens between stops (commas, colons, line ends) that contain an equals sign, words left out."""
    segments: list[list[_Token]] = [[]]
    for token in tokens:
        if token.kind == "stop":
            segments.append([])
        else:
            segments[-1].append(token)
    segments = [segment[1:] if segment and segment[0].kind == "op" else segment for segment in segments]  # a bullet
    return [_without_words(segment) for segment in segments if any(token.kind == "equals" for token in segment)]


def _without_words(tokens: list[_Token]) -> list[_Token]:
    """Labels go, and the brackets that held nothing else: '5,000만원(직계존속)'."""
    kept: list[_Token] = []
    for token in tokens:
        if token.kind == "word":
            continue
        if token.kind == ")" and kept and kept[-1].kind == "(":
            kept.pop()
            continue
        kept.append(token)
    return kept


def _split(tokens: list[_Token]) -> list[list[_Token]]:
    parts: list[list[_Token]] = [[]]
    for token in tokens:
        if token.kind == "equals":
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _suffix(tokens: list[_Token]) -> list[_Token]:
    """The longest readable end of a left side, when what is cut off holds no operator (it is not part of the sum)."""
    for start in range(len(tokens)):
        if any(token.kind in ("op", "unknown") for token in tokens[:start]):
            return []
        try:
            _evaluate(tokens[start:])
        except _Unreadable:
            continue
        return tokens[start:]
    return []


def _prefix(tokens: list[_Token]) -> list[_Token]:
    """The longest readable beginning of a right side."""
    for end in range(len(tokens), 0, -1):
        try:
            _evaluate(tokens[:end])
        except _Unreadable:
            continue
        return tokens[:end]
    return []


def _evaluate(tokens: list[_Token]) -> tuple[Fraction, int]:
    """(value, dimension) of one whole expression; raises _Unreadable."""
    if len(tokens) > 80:
        raise _Unreadable  # no sum a person writes; keeps time and the size of numbers bounded
    value, end = _sum(tokens, 0)
    if end != len(tokens):
        raise _Unreadable
    return value


def _sum(tokens: list[_Token], at: int) -> tuple[tuple[Fraction, int], int]:
    (total, dimension), at = _product(tokens, at)
    while at < len(tokens) and tokens[at].kind == "op" and chr(int(tokens[at].value)) in "+-":
        sign = 1 if chr(int(tokens[at].value)) == "+" else -1
        (value, other), at = _product(tokens, at + 1)
        if other != dimension:
            raise _Unreadable  # won and a bare number do not add up
        total += sign * value
    return (total, dimension), at


def _product(tokens: list[_Token], at: int) -> tuple[tuple[Fraction, int], int]:
    (total, dimension), at = _atom(tokens, at)
    while at < len(tokens) and tokens[at].kind == "op" and chr(int(tokens[at].value)) in "*/":
        divide = chr(int(tokens[at].value)) == "/"
        (value, other), at = _atom(tokens, at + 1)
        if divide and value == 0:
            raise _Unreadable
        total = total / value if divide else total * value
        dimension += -other if divide else other
        if dimension not in (0, 1):
            raise _Unreadable
    return (total, dimension), at


def _atom(tokens: list[_Token], at: int) -> tuple[tuple[Fraction, int], int]:
    if at >= len(tokens):
        raise _Unreadable
    token = tokens[at]
    if token.kind == "value":
        return (token.value, token.dimension), at + 1
    if token.kind == "(":
        value, end = _sum(tokens, at + 1)
        if end < len(tokens) and tokens[end].kind == ")":
            return value, end + 1
    raise _Unreadable
