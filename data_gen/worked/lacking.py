"""Questions that lack a fact the tax turns on, from lacking.yaml: what is missing, why it matters, and how people ask.

The counterpart of the other templates, which always state these facts: a student learns from the two together when to
calculate and when to ask back.
"""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path

from data_gen.worked.words import Wordings, amount_words, draw_won, fill, pick, subject, topic, with_object
from taxlaw.strict_config import StrictModel, load_config


class Lack(StrictModel):
    """``missing``: the facts to ask for.  ``why``: a sentence on what turns on them, resting on ``article``.

    ``frames``: questions; {amount} is an amount of ``low`` to ``high`` won, {years} a number of years, {ask} asks for the
    tax by one of ``names``.
    """

    tax: str
    missing: tuple[str, ...]
    why: str
    article: str
    names: tuple[str, ...]
    low: int
    high: int
    frames: tuple[str, ...]


class _Lacks(StrictModel):
    asks: tuple[str, ...]
    lacks: tuple[Lack, ...]


def lacks() -> tuple[Lack, ...]:
    """Every block, as it stands in the file."""
    return _read().lacks


def lacking_question(lack: Lack, rng: random.Random, wordings: Wordings) -> str:
    """One question of this block, in a frame of ``wordings``; all randomness from ``rng``."""
    name = pick(rng, lack.names)
    ask = fill(pick(rng, _read().asks), name=name, topic=topic(name), subject=subject(name), object=with_object(name))
    amount = amount_words(rng, draw_won(rng, lack.low, lack.high))
    return fill(pick(rng, wordings.of(lack.frames)), amount=amount, years=rng.randint(2, 30), ask=ask)


@cache
def _read() -> _Lacks:
    return load_config(Path(__file__).with_name("lacking.yaml"), _Lacks)
