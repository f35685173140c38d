"""Read again where an answer does not hold: of the answers a model itself finds likely, the first without a doubt.

A greedy answer takes the likeliest token at every place; a fact is mostly misread at one place where two tokens were close.
Code cannot say what is right, but it can say what does not fit (call_check, needed_facts, stated_facts).  So the answer is
forked there and read on, the likeliest fork first.  Knows no model: it is handed a function that goes on from given tokens.
A call is held against its question, a working that is written out digit by digit against itself (sum_check); of a working
under a call first the call, then the working that it leads to.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from datetime import date
from itertools import count, islice

from taxlaw.asking_back import asked_tax, asks_needlessly, facts_to_ask
from taxlaw.call_answer import run_quietly, split_call
from taxlaw.call_beginning import may_become_call
from taxlaw.call_check import objections
from taxlaw.calls import find_call, own_working
from taxlaw.digit_work import has_digits
from taxlaw.needed_facts import flags_unstated, unstated
from taxlaw.pieces import rest_of
from taxlaw.stated_facts import unread
from taxlaw.sum_check import Step, first_wrong_place, writings

MOST = 24  # readings, the first counted in: a call that is to be found at all is mostly among the first five
LEAST_CHANCE = 0.000005  # of a fork, by the model's own word: a fact that it hardly saw may still be the one that fits


def doubts(question: str, text: str, as_of: date) -> tuple[str, ...] | None:
    """What speaks against the call or the digit work in ``text``, in Korean; () when nothing does, None when it is neither."""
    text = text.strip()
    given = split_call(text)
    wrong = first_wrong_place(text) if has_digits(text) else None
    sums = () if wrong is None else (f"맞지 않는 계산: '{wrong.text}'",)
    if given is None:
        return sums if has_digits(text) else None  # sums without their digits are the verifier's business
    if given.call is None:
        return (given.problem or "형식이 잘못된 호출",)
    against = (*objections(question, given.call), *unstated(question, given.call), *unread(question, given.call))
    result, reason = run_quietly(given.call, as_of)
    return tuple(dict.fromkeys((*against, *(() if result else (reason,)), *sums)))


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


def reread_from(
    question: str, first: str, readings: Callable[[str], Iterator[str | None]], as_of: date
) -> Iterator[str]:
    """As ``reread``; ``readings(begun)`` gives the texts after the greedy one that begin with ``begun`` ("": with anything).

    Of a working under a call the call is read again where it is in doubt, then what the model writes under the call that
    is gone by: the first of it without a doubt, else what it writes first.
    """
    line = led_by(first)
    if not line:
        with closing(readings(beginning(question, first))) as others:
            yield from reread(question, first, others, as_of)
        return
    call = line.strip()
    if doubts(question, call, as_of):
        with closing(readings("")) as others:
            for better in reread(question, call, others, as_of):  # noqa: B007 - the last is used below
                yield first
        call = better
        if doubts(question, call, as_of):
            return  # no call is better: what was written stands
    written = first if call == line.strip() else None
    with closing(readings(led_by(call) or f"{call}\n")) as others:
        for text in others:
            written = written or text
            if text is not None and doubts(question, text, as_of) == ():
                yield text
                return
            yield first
    yield written or first


def led_by(text: str) -> str:
    """The call that a working stands under in ``text``, with the end of its line; "" where none does."""
    given = split_call(text)
    return f"{text[given.start : given.end]}\n" if given and given.call and own_working(text) else ""


def beginning(question: str, text: str) -> str:
    """What the further readings of ``text`` begin with: the call of the question's tax where ``text`` asks needlessly, or ""."""
    return f'{{"tax":"{asked_tax(question)}"' if asks_needlessly(question, text) else ""


def readings(
    read: Callable[[Sequence[int], bytes], Iterable[Step]],
    piece: Callable[[int], bytes],
    tokenise: Callable[[str], Sequence[int]],
    beginning: str = "",
    most: int = MOST,
) -> Iterator[list[int]]:
    """The tokens of what a model might have answered instead of what it did: of a working in digits its corrections, else
    the likeliest calls, each up to its end only.  Where ``beginning`` is a whole call and the end of its line: the workings
    under it; another beginning: the likeliest calls that begin so.

    ``read`` as in ``forks``, also told what its first words are to be (taxlaw.pieces); ``piece`` as in sum_check.writings;
    ``tokenise``: the tokens of a text that ends where a piece ends, as every line does.
    """

    def go_on(some: Sequence[int]) -> Iterable[Step]:
        return read(some, b"")

    def hopeful(tokens: Sequence[int]) -> bool:
        return may_become_call(
            _joined(tokens, piece).decode("utf-8", "ignore")
        )  # half a syllable may become a whole one

    def call_from(some: Sequence[int]) -> Iterable[Step]:
        steps = read(some, rest_of(beginning.encode(), _joined(some, piece)))
        return _up_to_end_of_call(steps, piece, some, hopeful)

    if _is_line_of_call(beginning):
        yield from writings(go_on, piece, most, tokenise(beginning))
        return
    if beginning:
        yield from forks(call_from, most - 1, hopeful)
        return
    greedy = _up_to_end_of_call(go_on([]), piece)
    if has_digits(_joined((step.token for step in greedy), piece).decode("utf-8", "replace")):
        others = writings(lambda some: go_on(some) if some else greedy, piece, most)
    else:
        others = forks(lambda some: call_from(some) if some else greedy, most, hopeful)
    yield from islice(others, 1, None)


def _joined(tokens: Iterable[int], piece: Callable[[int], bytes]) -> bytes:
    return b"".join(map(piece, tokens))


def _is_line_of_call(text: str) -> bool:
    return text.endswith("}\n") and find_call(text) is not None


def _up_to_end_of_call(
    steps: Iterable[Step],
    piece: Callable[[int], bytes],
    begun: Sequence[int] = (),
    worth: Callable[[Sequence[int]], bool] = lambda tokens: True,
) -> list[Step]:
    """The steps up to the end of the line where a whole call stands on it, or to the first that is not worth going on from,
    else all of them: what is written under a call is not read before the call is settled.
    """
    taken, tokens = [], list(begun)
    for step in steps:
        taken.append(step)
        tokens.append(step.token)
        written = _joined(tokens, piece)
        if not worth(tokens) or (written.endswith(b"}\n") and _is_line_of_call(written.decode("utf-8", "replace"))):
            break
    return taken


def forks(
    read: Callable[[Sequence[int]], Iterable[Step]],
    most: int = MOST,
    worth: Callable[[Sequence[int]], bool] = bool,
) -> Iterator[list[int]]:
    """The tokens of greedy answers, the plain one first, then each forked at one place more, likeliest fork first.

    ``read`` goes on greedily from the given tokens of an answer to its end and gives the steps it takes.  The chance of
    a fork is that of its beginning: all tokens up to and with the one that is taken instead.  ``worth``: whether one that
    begins so need be read at all.
    """
    order, waiting, made = count(), [(-1.0, 0, [])], 0
    while waiting and made < most:
        chance, _, begun = heapq.heappop(waiting)
        if made and not worth(begun):
            continue
        made += 1
        chance, tokens = -chance, list(begun)
        steps = list(read(tokens))
        yield tokens + [step.token for step in steps]
        for step in steps:
            for token, other in step.others:
                if chance * other >= LEAST_CHANCE:
                    heapq.heappush(waiting, (-chance * other, next(order) + 1, [*tokens, token]))
            chance *= step.chance
            tokens = [*tokens, step.token]


def step_of(logits, among: Sequence[int] | None = None) -> Step:
    """The greedy step from one row of logits (1-d float array): its token, and the next four with a chance worth a fork.

    ``among``: the tokens that may be taken, at least one; chances are then those among them.
    """
    import numpy as np

    if among is not None:
        step = step_of(np.asarray(logits)[list(among)])
        return Step(among[step.token], step.chance, tuple((among[place], chance) for place, chance in step.others))
    weights = np.exp(np.asarray(logits, dtype=np.float64) - float(logits.max()))
    best = int(logits.argmax())
    total = float(weights.sum())
    few = min(5, len(weights))
    most = np.argpartition(-weights, few - 1)[:few]  # a vocabulary of 262,144 is not sorted for each token
    likely = [int(token) for token in sorted(most, key=lambda token: -weights[token]) if token != best][:4]
    others = ((token, float(weights[token]) / total) for token in likely)
    return Step(best, 1 / total, tuple((token, chance) for token, chance in others if chance >= LEAST_CHANCE))
