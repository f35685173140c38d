"""Read again where an answer does not hold: of the answers a model itself finds likely, the first without a doubt.

A greedy answer takes the likeliest token at every place; a fact is mostly misread at one place where two tokens were close.
Code cannot say what is right, but it can say what does not fit (call_check, needed_facts, stated_facts).  So the answer is
forked there and read on, the likeliest fork first.  Knows no model: it is handed a function that goes on from given tokens.
A call is held against its question, a working that is written out digit by digit against itself (sum_check).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import count

from taxlaw.asking_back import asked_tax, asks_needlessly, facts_to_ask
from taxlaw.call_answer import run_quietly, split_call
from taxlaw.call_check import objections
from taxlaw.digit_work import has_digits
from taxlaw.needed_facts import flags_unstated, unstated
from taxlaw.stated_facts import unread
from taxlaw.sum_check import first_wrong_place, writings

MOST = 24  # readings, the first counted in: a call that is to be found at all is mostly among the first five
LEAST_CHANCE = 0.0005  # of a fork, by the model's own word: a fact that it hardly saw may still be the one that fits


@dataclass(frozen=True)
class Step:
    """One greedy token, its chance, and the chances of the next likely ones (token, chance), all between 0 and 1."""

    token: int
    chance: float
    others: tuple[tuple[int, float], ...]


def doubts(question: str, text: str, as_of: date) -> tuple[str, ...] | None:
    """What speaks against the call or the digit work in ``text``, in Korean; () when nothing does, None when it is neither."""
    given = split_call(text.strip())
    if given is None and has_digits(text):
        wrong = first_wrong_place(text)
        return () if wrong is None else (f"맞지 않는 계산: '{wrong.text}'",)
    if given is None:
        return None
    if given.call is None:
        return (given.problem or "형식이 잘못된 호출",)
    against = (*objections(question, given.call), *unstated(question, given.call), *unread(question, given.call))
    result, reason = run_quietly(given.call, as_of)
    return tuple(dict.fromkeys(against if result else (*against, reason)))


def worth_rereading(question: str, text: str, as_of: date) -> bool:
    """Whether another reading may be a better one: a call or a sum in doubt, or asking for what the question states.

    Not where a fact is missing that only the person can tell: that is asked for (taxlaw.asking_back).
    """
    if asks_needlessly(question, text):
        return True
    if not doubts(question, text, as_of):
        return False
    given = split_call(text.strip())
    flags = flags_unstated(question, given.call) if given is not None and given.call is not None else ()
    return set(facts_to_ask(question, text, as_of)) <= set(flags)


def reread(question: str, first: str, others: Iterable[str | None], as_of: date) -> Iterator[str]:
    """Yield ``first`` while ``others`` are looked at, and last the text to go by: ``first``, or the first of them without a
    doubt.  ``others`` is drawn from only as far as needed; a None in it stands for waiting.
    """
    for text in others:
        if text is not None and doubts(question, text, as_of) == ():
            yield text
            return
        yield first
    yield first


def beginning(question: str, text: str) -> str:
    """What the further readings of ``text`` begin with: the call of the question's tax where ``text`` asks needlessly, or ""."""
    return f'{{"tax":"{asked_tax(question)}' if asks_needlessly(question, text) else ""


def readings(
    read: Callable[[Sequence[int]], Sequence[Step]],
    piece: Callable[[int], bytes],
    begun: Sequence[int] = (),
    most: int = MOST,
) -> Iterator[list[int]]:
    """The tokens of the greedy answer and then of others: of a working in digits its corrections, else the likeliest calls.

    ``read`` as in ``forks``, ``piece`` as in sum_check.writings.  ``begun``: the tokens of ``beginning``.
    """
    greedy = read([])

    def once(some: Sequence[int]) -> Sequence[Step]:
        return read(some) if some else greedy

    def text(tokens: Iterable[int]) -> str:
        return b"".join(map(piece, tokens)).decode("utf-8", "replace")

    if has_digits(text(step.token for step in greedy)):
        yield from writings(once, piece, most)
        return
    if begun:
        yield [step.token for step in greedy]
    yield from forks(once, most - bool(begun), begun, lambda tokens: text(tokens).lstrip().startswith("{"))


def forks(
    read: Callable[[Sequence[int]], Sequence[Step]],
    most: int = MOST,
    begun: Sequence[int] = (),
    worth: Callable[[Sequence[int]], bool] = bool,
) -> Iterator[list[int]]:
    """The tokens of greedy answers, the plain one first, then each forked at one place more, likeliest fork first.

    ``read`` goes on greedily from the given tokens of an answer to its end and returns the steps it took.  The chance of
    a fork is that of its beginning: all tokens up to and with the one that is taken instead.  ``begun``: tokens that every
    answer begins with; ``worth``: whether one that begins so need be read at all.
    """
    order, waiting, made = count(), [(-1.0, 0, list(begun))], 0
    while waiting and made < most:
        chance, _, begun = heapq.heappop(waiting)
        if made and not worth(begun):
            continue
        made += 1
        chance, tokens = -chance, list(begun)
        steps = read(tokens)
        yield tokens + [step.token for step in steps]
        for step in steps:
            for token, other in step.others:
                if chance * other >= LEAST_CHANCE:
                    heapq.heappush(waiting, (-chance * other, next(order) + 1, [*tokens, token]))
            chance *= step.chance
            tokens = [*tokens, step.token]


def step_of(logits) -> Step:
    """The greedy step from one row of logits (1-d float array): its token, and the next four with a chance worth a fork."""
    import numpy as np

    weights = np.exp(np.asarray(logits, dtype=np.float64) - float(logits.max()))
    best = int(logits.argmax())
    total = float(weights.sum())
    few = min(5, len(weights))
    most = np.argpartition(-weights, few - 1)[:few]  # a vocabulary of 262,144 is not sorted for each token
    likely = [int(token) for token in sorted(most, key=lambda token: -weights[token]) if token != best][:4]
    others = ((token, float(weights[token]) / total) for token in likely)
    return Step(best, 1 / total, tuple((token, chance) for token, chance in others if chance >= LEAST_CHANCE))
