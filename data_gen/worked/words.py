"""Words for worked examples: how people write amounts and days, and the particles (조사) that follow."""

from __future__ import annotations

import datetime
import hashlib
import math
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from taxlaw.calculators.tables import FIRST_YEAR, LAST_YEAR

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


@dataclass(frozen=True)
class Wordings:
    """Which frames of questions may be used, so that a test can ask in words no training question has.

    About one frame in eight is held out, at least one of each list of four or more; which ones follows from their text.
    """

    part: Literal["all", "train", "held_out"] = "all"

    def of(self, frames: Sequence[str]) -> Sequence[str]:
        """The frames of this part; a list of fewer than four is never split."""
        if self.part == "all" or len(set(frames)) < 4:
            return frames
        ranked = sorted(set(frames), key=lambda frame: hashlib.sha256(frame.encode()).digest())
        held_out = set(ranked[: math.ceil(len(ranked) / 8)])
        return [frame for frame in frames if (frame in held_out) == (self.part == "held_out")]


EVERY_WORDING = Wordings()


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


def draw_day(rng: random.Random, first: datetime.date, last: datetime.date) -> datetime.date:
    """A day between the two, both included."""
    return first + datetime.timedelta(days=rng.randint(0, (last - first).days))


def day_words(rng: random.Random, day: datetime.date) -> str:
    """One of the ways people write a day."""
    forms = [f"{day.year}년 {day.month}월 {day.day}일"] * 3
    return pick(rng, [*forms, f"{day.year}. {day.month}. {day.day}.", day.isoformat()])


def year_of_law(rng: random.Random, facts: dict[str, object], probability: float, whens: Sequence[str]) -> str:
    """Words for when it happened; with ``probability`` they name a year of the tables, which becomes a fact."""
    if not chance(rng, probability):
        return pick(rng, ("", "", "", "올해 "))
    facts["year"] = rng.randint(FIRST_YEAR, LAST_YEAR)
    return fill(pick(rng, whens), year=facts["year"])


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
    """Parts joined with one space, empty ones dropped; a day that ends in a full stop ends its sentence too."""
    return " ".join(part.strip() for part in parts if part.strip()).replace("..", ".")
