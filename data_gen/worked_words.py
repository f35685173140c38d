"""Words for worked examples: how people write amounts, and the particles (조사) that follow them.  No tax here."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")
EOK, MAN = 100_000_000, 10_000
_BLANK = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Case:
    """A question and the facts of its calculator call, amounts in the question's own words.

    ``main_won`` is the amount the case turns on; cases with the same one share a family (they never straddle a split).
    """

    question: str
    facts: dict[str, object]
    main_won: int


def pick(rng: random.Random, options: Sequence[T]) -> T:
    return options[rng.randrange(len(options))]


def fill(sentence: str, **words: object) -> str:
    """The sentence with each {name} replaced.  Nothing else in braces means anything; raises KeyError for a name not given."""
    return _BLANK.sub(lambda blank: str(words[blank[1]]), sentence)


def chance(rng: random.Random, probability: float) -> bool:
    return rng.random() < probability


def draw_won(rng: random.Random, low: int, high: int) -> int:
    """An amount between ``low`` and ``high`` won, evenly over the orders of magnitude, mostly round like people's amounts."""
    value = math.exp(rng.uniform(math.log(low), math.log(high)))
    kind = rng.random()
    if kind < 0.90:
        digits = 1 if kind < 0.30 else 2 if kind < 0.72 else 3
        unit = max(10 ** (int(math.log10(value)) + 1 - digits), MAN)
    else:
        unit = MAN if kind < 0.97 else 1
    return min(max(round(value / unit) * unit, low), high)


def amount_words(rng: random.Random, won: int) -> str:
    """One of the ways people write this many won; taxlaw.money.parse_won reads each of them back."""
    eok, rest = divmod(won, EOK)
    man, ones = divmod(rest, MAN)
    digits = f"{won:,}원"
    if ones:
        spelled = [f"{eok}억" if eok else "", f"{man:,}만" if man else "", f"{ones:,}원"]
        return digits if chance(rng, 0.7) else " ".join(part for part in spelled if part)
    if not man:
        return pick(rng, [f"{eok}억원", f"{eok}억원", f"{eok}억 원", f"{eok}억", f"{eok}억", digits])
    forms = [_join(eok, f"{man:,}만원"), _join(eok, f"{man:,}만 원"), _join(eok, f"{man}만원"), digits]
    if man % 1000 == 0:
        forms += [
            _join(eok, f"{man // 1000}천만원"),
            _join(eok, f"{man // 1000}천만 원"),
            _join(eok, f"{man // 1000}천만"),
        ]
        if eok:
            forms += [f"{eok}.{man // 1000}억원", f"{eok}.{man // 1000}억", f"{eok}억{man}만원"]
    elif man % 100 == 0 and man < 1000:
        forms.append(_join(eok, f"{man // 100}백만원"))
    return pick(rng, forms)


def _join(eok: int, tail: str) -> str:
    return f"{eok}억 {tail}" if eok else tail


def has_final(word: str) -> bool:
    """Whether the last syllable ends in a consonant (받침), which decides the particle after it."""
    last = ord(word[-1]) - 0xAC00
    return 0 <= last < 11172 and last % 28 != 0


def subject(word: str) -> str:
    return word + ("이" if has_final(word) else "가")


def topic(word: str) -> str:
    return word + ("은" if has_final(word) else "는")


def with_object(word: str) -> str:
    return word + ("을" if has_final(word) else "를")


def from_whom(word: str) -> str:
    """'~으로부터': ㄹ counts as no final consonant here."""
    rieul = (ord(word[-1]) - 0xAC00) % 28 == 8
    return word + ("으로부터" if has_final(word) and not rieul else "로부터")


def sentence(*parts: str) -> str:
    """Parts joined with one space, empty ones dropped."""
    return " ".join(part.strip() for part in parts if part.strip())
