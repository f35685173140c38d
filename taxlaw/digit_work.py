"""Arithmetic digit by digit, short enough for a small model to learn and exact to the won.

A number in a circle is a place (⓪ won, ④ 만, ⑧ 억: the power of ten); groups run from the lowest place up, and begin at the
lowest place where an operand has a digit other than 0.  A place says where its digits come from, so no group depends on
counting, and trailing zeros are never written.

    3억 4,000만원 - 5,000만원 [⑦459↓⑧302] = 2억 9,000만원
        ⑦459↓  place 10^7: 4 less 5 is 9, and borrows (받아내림)      ⑧302  place 10^8: 3 less 0, less the borrow, is 2
    6,000만원 + 7,000만원 [⑦673↑⑧001] = 1억 3,000만원
        ⑦673↑  6 and 7 is 3, and carries (받아올림)
    2억 9,000만원 × 20% [⑥981⑦25] = 5,800만원
        ⑥981   result place 10^6: digit 9 (of place 10^7) times 2 is 8, carry 1      ⑦25  2 times 2, and the carry, is 5

A percentage is one digit and a shift: 20% is 2 one place down, 3% is 3 two places down.  ``·`` is a place below one won,
whose digit is dropped (원 미만 절사).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from taxlaw.money import format_won, parse_won

PLACES = "⓪①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬"
BELOW_WON, BORROW, CARRY = "·", "↓", "↑"
_GROUP = re.compile(rf"[{PLACES}{BELOW_WON}][^{PLACES}{BELOW_WON}]*")
_WORK = re.compile(rf" \[[{PLACES}{BELOW_WON}][^\]\n]*\]")
_OPENING = re.compile(rf" \[[{PLACES}{BELOW_WON}]")
_LINE = re.compile(
    r"^[^:\n]+: (?P<start>[^\[\]()=×+\-\n]+원) (?P<operations>[+\-×][^=÷\n]*?) = (?P<result>[^\n]+)$", re.M
)
_OPERATION = re.compile(r"(?P<sign>[+\-×]) (?P<operand>\d+%|[^\[\]=×+\-\n]+원)(?: \[(?P<work>[^\]\n]*)\])?(?: |$)")


@dataclass(frozen=True)
class WrongGroup:
    """The first place [start:end] of a text where its digit work goes wrong; ``expected`` is what belongs there."""

    start: int
    end: int
    text: str
    expected: str


def subtract(a: int, b: int) -> tuple[str, int]:
    """Groups and value of a - b, in won.  No groups when nothing is left or taken.  Raises ValueError when b > a."""
    if not 0 <= b <= a:
        raise ValueError(f"뺄 수 없습니다 (cannot subtract): {a} - {b}")
    if b in (0, a):
        return "", a - b
    groups, borrow = [], 0
    for place in range(min(_lowest(a), _lowest(b)), _highest(a) + 1):
        left = _digit(a, place) - _digit(b, place) - borrow
        borrow = int(left < 0)
        groups.append(f"{PLACES[place]}{_digit(a, place)}{_digit(b, place)}{left % 10}{BORROW * borrow}")
    return "".join(groups), a - b


def add(a: int, b: int) -> tuple[str, int]:
    """Groups and value of a + b, in won.  No groups when one of them is 0."""
    if not a or not b:
        return "", a + b
    groups, carry = [], 0
    for place in range(min(_lowest(a), _lowest(b)), _highest(a + b) + 1):
        total = _digit(a, place) + _digit(b, place) + carry
        carry = total // 10
        groups.append(f"{PLACES[place]}{_digit(a, place)}{_digit(b, place)}{total % 10}{CARRY * carry}")
    return "".join(groups), a + b


def multiply(a: int, percent: int) -> tuple[str, int]:
    """Groups and value of a × percent %, a fraction of a won dropped.  No groups when ``a`` is 0.

    Raises ValueError for a percentage that is not one digit and a shift (1 to 9, 10, 20 … 90).
    """
    factor, shift = (percent // 10, 1) if percent % 10 == 0 else (percent, 2)
    if not 1 <= factor <= 9:
        raise ValueError(f"한 자리로 곱할 수 없는 비율입니다 (not a one-digit rate): {percent}%")
    groups, carry = [], 0
    for place in range(_lowest(a), _highest(a) + 1) if a else ():
        carry, digit = divmod(_digit(a, place) * factor + carry, 10)
        groups.append(f"{_place(place - shift)}{_digit(a, place)}{digit}{carry or ''}")
    if carry:
        groups.append(f"{_place(_highest(a) + 1 - shift)}0{carry}")
    return "".join(groups), a * percent // 100


def operate(sign: str, a: int, operand: int) -> tuple[str, int]:
    """Groups and value of ``a`` (won) + or - ``operand`` (won), or × ``operand`` (percent)."""
    return {"+": add, "-": subtract, "×": multiply}[sign](a, operand)


def write_operation(sign: str, a: int, operand: int) -> tuple[str, int]:
    """What follows the amount ``a`` on its line (' - 5,000만원 [⑦459↓⑧302]'), and the value in won."""
    groups, value = operate(sign, a, operand)
    shown = f"{operand}%" if sign == "×" else format_won(operand)
    return f" {sign} {shown}" + (f" [{groups}]" if groups else ""), value


def has_digits(text: str) -> bool:
    """Whether a text writes out any sum digit by digit."""
    return _WORK.search(text) is not None


def first_digits(text: str) -> int | None:
    """Where the first bracket of digit work opens, closed or not; None when there is none."""
    found = _OPENING.search(text)
    return found and found.start()


def without_digits(text: str) -> str:
    """The text as a person would write it: every bracket of digit work taken out."""
    return _WORK.sub("", text)


def first_wrong_group(text: str) -> WrongGroup | None:
    """Re-reads every line 'label: amount - amount [work] … = amount' and finds the first group that is not right.

    The operands count as they are written; a result after '=' that does not follow from them is found like a group.  None
    when all is right.  Whether the operands belong to the case is the business of taxlaw.verify.
    """
    for line in _LINE.finditer(text):
        found = _check_line(line)
        if found is not None:
            return found
    return None


def _check_line(line: re.Match) -> WrongGroup | None:
    try:
        value = parse_won(line["start"])
    except ValueError:
        return WrongGroup(*line.span("start"), line["start"], "")
    position = line.start("operations")
    while position < line.end("operations"):
        operation = _OPERATION.match(line.string, position, line.end("operations"))
        if operation is None:
            return WrongGroup(position, line.end("operations"), line.string[position : line.end("operations")], "")
        written = operation["operand"]
        try:
            operand = int(written[:-1]) if written.endswith("%") else parse_won(written)
            right, value = operate(operation["sign"], value, operand)
        except (ValueError, IndexError):
            return WrongGroup(*operation.span("operand"), written, "")
        wrong = _compare(operation, right)
        if wrong is not None:
            return wrong
        position = operation.end()
    expected = format_won(value)
    return None if line["result"] == expected else WrongGroup(*line.span("result"), line["result"], expected)


def _compare(operation: re.Match, right: str) -> WrongGroup | None:
    work = operation["work"] or ""
    if work == right:
        return None
    at = operation.start("work") if operation["work"] is not None else operation.end("operand")
    written, expected = _GROUP.findall(work), _GROUP.findall(right)
    for index, group in enumerate(expected):
        here = written[index] if index < len(written) else ""
        if here != group:
            return WrongGroup(at, at + len(here), here, group)
        at += len(here)
    return WrongGroup(at, at + len(work) - len(right), work[len(right) :], "")


def _digit(number: int, place: int) -> int:
    return number // 10**place % 10


def _lowest(number: int) -> int:
    """Place of the lowest digit other than 0."""
    text = str(number)
    return len(text) - len(text.rstrip("0"))


def _highest(number: int) -> int:
    return len(str(number)) - 1


def _place(place: int) -> str:
    return PLACES[place] if place >= 0 else BELOW_WON
