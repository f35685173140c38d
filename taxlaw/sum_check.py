"""A working whose sums do not come out is written again from the first place that is wrong.

Code re-reads every digit a model has written (digit_work) and every amount it has carried from one line to the next.  It
says where, never what: the model goes on from its next likely token there, and whatever is written stays the model's own.
Knows no model: it is handed a function that goes on from given tokens, as rereading is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from taxlaw.digit_work import WrongGroup, first_digits, first_wrong_group, without_digits
from taxlaw.money import find_amounts, parse_won

if TYPE_CHECKING:
    from taxlaw.rereading import Step

MOST = 24  # writings, the first counted in: one for each token that is tried instead
_LINE = re.compile(r"^[^:\n]+: (?P<start>[^\[\]()=×+\-\n]*원)(?P<operations> [^\n]*)?$", re.M)
_RESULT = re.compile(r" = (?P<result>[^=\n]*원)$")
_MAYBE_OPENING = re.compile(r" \[?$")
_IN_WON = re.compile(r" \((?P<won>[\d,]+원)\)$")


def first_wrong_place(text: str) -> WrongGroup | None:
    """Where a working first goes wrong: a digit, a result, an amount that stands on no line before, or a final tax written
    in two ways that differ.  None when all of it follows.  Whether the operands belong to the case is not its business.
    """
    found = [wrong for wrong in (first_wrong_group(text), _first_uncarried(text)) if wrong is not None]
    return min(found, key=lambda wrong: wrong.start, default=None)


def settled(text: str) -> str:
    """What a person is shown of an answer on its way: all of it, but of a working only lines that have been re-read and
    found right, without their digit work.  So it only grows, and writing the rest again takes nothing of it back but what
    came before the first digits, which is shown as it comes.
    """
    opening = first_digits(text)
    if opening is None:
        return _MAYBE_OPENING.sub("", text)
    lines = text[: text.rfind("\n") + 1]
    wrong = first_wrong_place(lines)
    end = len(lines) if wrong is None else lines.rfind("\n", 0, wrong.start) + 1
    return without_digits(text[: max(opening, end)])


def _first_uncarried(text: str) -> WrongGroup | None:
    """The first amount that a sum begins with, or that is paid in the end, without standing on a line before."""
    known: set[int] = set()
    for line in _LINE.finditer(text):
        start, operations = line["start"], line["operations"] or ""
        value = _won(start)
        if value is None or (operations and not _follows(value, known)):
            return WrongGroup(*line.span("start"), start, "")
        known |= {value, *(amount.won for amount in find_amounts(without_digits(operations)))}
        for written in filter(None, (_IN_WON.match(operations), _RESULT.search(operations))):
            amount, same = _won(written[1]), written.re is _IN_WON
            if amount is None or (same and amount != value):
                start_at, end_at = (line.start("operations") + place for place in written.span(1))
                return WrongGroup(start_at, end_at, written[1], f"{value:,}원" if same else "")
    return None


def _follows(value: int, known: set[int]) -> bool:
    """Whether an amount stands on a line before, or is what one of those leaves of another (이전 증여 less its 공제)."""
    return value in known or any(value + amount in known for amount in known)


def _won(text: str) -> int | None:
    try:
        return parse_won(text)
    except ValueError:
        return None


def writings(
    read: Callable[[Sequence[int]], Sequence[Step]], piece: Callable[[int], bytes], most: int = MOST
) -> Iterator[list[int]]:
    """The tokens of the greedy working, then of each that is right further than the one before, up to one without a fault.

    ``read`` goes on greedily from the given tokens to the end of the answer and returns the steps it took; ``piece``: the
    bytes of a token, none for one that ends an answer.  At a wrong place the tokens it was written with are tried against
    those the model found next likely, the likeliest first.
    """
    steps, made = list(read([])), 1
    yield [step.token for step in steps]
    while (wrong := first_wrong_place(_text(steps, piece))) is not None:
        for place, token, chance in _forks(steps, wrong, piece):
            if made == most:
                return
            begun = [*(step.token for step in steps[:place]), token]
            others = tuple(other for other in steps[place].others if other[0] != token)
            tried = [*steps[:place], replace(steps[place], token=token, chance=chance, others=others), *read(begun)]
            made += 1
            now = first_wrong_place(_text(tried, piece))
            if now is None or now.start > wrong.start:
                steps = tried
                yield [step.token for step in steps]
                break
        else:
            return


def _text(steps: Sequence[Step], piece: Callable[[int], bytes]) -> str:
    return b"".join(piece(step.token) for step in steps).decode("utf-8", "replace")


def _forks(steps: Sequence[Step], wrong: WrongGroup, piece: Callable[[int], bytes]) -> list[tuple[int, int, float]]:
    """(place, token, chance) of what might have been written at a wrong place instead, the likeliest first."""
    found, written = [], b""
    for place, step in enumerate(steps):
        start = len(written.decode("utf-8", "ignore"))
        written += piece(step.token)
        end = len(written.decode("utf-8", "ignore"))
        if start < max(wrong.end, wrong.start + 1) and end > wrong.start:
            found += [(place, token, chance) for token, chance in step.others]
    return sorted(found, key=lambda fork: -fork[2])
