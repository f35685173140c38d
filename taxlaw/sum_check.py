"""A working whose sums do not come out is written again from the first place that is wrong.

Code re-reads every digit a model has written (digit_work), every amount it has carried from one line to the next, and, of a
working under a call, every amount it has taken from there.  It says where, never what: the model goes on from its next likely token there, and whatever is written stays the model's own.
Knows no model: it is handed a function that goes on from given tokens, as rereading is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from taxlaw.calls import find_call, own_working
from taxlaw.digit_work import WrongGroup, first_digits, first_wrong_group, without_digits
from taxlaw.money import find_amounts, parse_won

MOST = 24  # writings, the first counted in: one for each token that is tried instead
_LINE = re.compile(r"^[^:\n]+: (?P<start>[^\[\]()=×+\-\n]*원)(?P<operations> [^\n]*)?$", re.M)
_OPERAND = re.compile(r" [+\-] (?P<amount>[^\[\]=×+\-()\n]*원)")
_RESULT = re.compile(r" = (?P<result>[^=\n]*원)$")
_MAYBE_OPENING = re.compile(r" \[?$")
_IN_WON = re.compile(r" \((?P<won>[\d,]+원)\)$")


@dataclass(frozen=True)
class Step:
    """One greedy token, its chance, and the chances of the next likely ones (token, chance), all between 0 and 1."""

    token: int
    chance: float
    others: tuple[tuple[int, float], ...]


def first_wrong_place(text: str) -> WrongGroup | None:
    """Where a working first goes wrong: a digit, a result, an amount that stands on no line before (nor in the call that it
    is written under), or a final tax written in two ways that differ.  None when all of it follows.  Whether the facts
    and the rates are those of the case is not its business.
    """
    found = [wrong for wrong in (first_wrong_group(text), _first_uncarried(text)) if wrong is not None]
    return min(found, key=lambda wrong: wrong.start, default=None)


def settled(text: str) -> str:
    """What a person is shown of an answer on its way: all of it, but of a working only lines that have been re-read and
    found right, without their digit work.  So it only grows, and writing the rest again takes nothing of it back but what
    came before the first digits, which is shown as it comes.  A call above a working is not shown with it.
    """
    under = own_working(text)
    start = 0 if under is None else text.index(under)
    opening = first_digits(text)
    if opening is None:
        return _MAYBE_OPENING.sub("", text[start:])
    lines = text[: text.rfind("\n") + 1]
    wrong = first_wrong_place(lines)
    end = len(lines) if wrong is None else lines.rfind("\n", 0, wrong.start) + 1
    return without_digits(text[start : max(start, opening, end)])


def _first_uncarried(text: str) -> WrongGroup | None:
    """The first amount that a sum begins with, or that is paid in the end, without standing on a line before; under a call
    also the first amount of all that is not in it, and one that is added or taken off without standing anywhere before.
    """
    call = find_call(text)
    given = _amounts_of(call) if call else None
    known: set[int] = set(given or ())
    for place, line in enumerate(_LINE.finditer(text)):
        start, operations = line["start"], line["operations"] or ""
        value = _won(start)
        begins = given is not None and place == 0
        if value is None or (operations and not _follows(value, known)) or (begins and value not in known):
            return WrongGroup(*line.span("start"), start, "")
        if given is not None and (strange := _strange_operand(operations, known)):
            return WrongGroup(*(line.start("operations") + at for at in strange.span("amount")), strange["amount"], "")
        known |= {value, *(amount.won for amount in find_amounts(without_digits(operations)))}
        for written in filter(None, (_IN_WON.match(operations), _RESULT.search(operations))):
            amount, same = _won(written[1]), written.re is _IN_WON
            if amount is None or (same and amount != value):
                start_at, end_at = (line.start("operations") + place for place in written.span(1))
                return WrongGroup(start_at, end_at, written[1], f"{value:,}원" if same else "")
    return None


def _amounts_of(call: Any) -> set[int]:
    """The amounts of a call in won; its numbers too that are none, which no working writes."""
    found = (value if isinstance(value, int) else _won(value) for _, value in call if isinstance(value, int | str))
    return {value for value in found if value is not None}


def _strange_operand(operations: str, known: set[int]) -> re.Match | None:
    """The first amount that is added or taken off and stands nowhere before.  After a rate it is the law's (누진공제액)."""
    before_rates = operations.partition("×")[0]
    return next((found for found in _OPERAND.finditer(before_rates) if _won(found["amount"]) not in known), None)


def _follows(value: int, known: set[int]) -> bool:
    """Whether an amount stands on a line before, or is what one of those leaves of another (이전 증여 less its 공제)."""
    return value in known or any(value + amount in known for amount in known)


def _won(text: str) -> int | None:
    try:
        return parse_won(text)
    except ValueError:
        return None


def writings(
    read: Callable[[Sequence[int]], Iterable[Step]],
    piece: Callable[[int], bytes],
    most: int = MOST,
    begun: Sequence[int] = (),
) -> Iterator[list[int]]:
    """The tokens of the greedy working, then of each that is right further than the one before, up to one without a fault.

    ``read`` goes on greedily from the given tokens to the end of the answer and gives the steps it takes; ``piece``: the
    bytes of a token, none for one that ends an answer; ``begun``: the tokens of the call that all of them are written under.  At a wrong place the tokens it was written with are tried against
    those the model found next likely, the likeliest first.
    """
    steps, made = [*(Step(token, 1.0, ()) for token in begun), *read(list(begun))], 1
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
