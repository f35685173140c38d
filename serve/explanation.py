"""What the drawer, ``--json`` and ``/ask`` show about one answer.  Values only; serve.verification makes them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Literal

Tone = Literal["good", "bad", "dim"]
TextKind = Literal["statute", "ruling", "digest"]


@dataclass(frozen=True)
class Badge:
    """A few words on the whole answer, Korean and English; ``tone`` says whether they are good news."""

    words: str
    english: str
    tone: Tone


@dataclass(frozen=True)
class Check:
    """One finding of the verifier.  ``quote``: the words of the answer it is about; ``expected``: what should stand there."""

    kind: str
    severity: str
    message: str
    expected: str | None = None
    quote: str | None = None


@dataclass(frozen=True)
class CitedSource:
    """One article, addendum or ruling that the answer cites, however often.

    ``status`` is taxlaw.lookup's word ('found', 'deleted' …), 'ruling' or 'addendum'; ``status_words`` the same in Korean.
    ``in_force``: on the as-of date; None when that cannot be told.  ``effective``: 시행일 of the version to read.
    ``text_kind``: the law's own text, a ruling, or this project's summary.  ``checks``: what the
    verifier holds against it, or could not confirm.
    """

    name: str
    places: tuple[str, ...]
    status: str
    status_words: str
    tone: Tone
    in_force: bool | None
    heading: str | None = None
    effective: date | None = None
    version: str | None = None
    text: str | None = None
    text_kind: TextKind | None = None
    text_source: str | None = None
    url: str | None = None
    notes: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True)
class WrittenSum:
    """An equation the answer writes out; ``expected`` is its right side as recomputed exactly."""

    text: str
    correct: bool
    expected: str


@dataclass(frozen=True)
class Step:
    """One step of the computation by code, won; ``told``: whether the answer states this amount."""

    label: str
    expression: str
    amount: int
    told: bool


@dataclass(frozen=True)
class Explanation:
    """``steps_from``: whether the facts of ``steps`` were read by rule from the question, by the model, or there are none.

    ``checks``: every finding, worst first.  ``missing``: what the answer or the question lacks, in Korean.
    """

    as_of: date
    ok: bool
    summary: str
    badges: tuple[Badge, ...]
    citations: tuple[CitedSource, ...]
    sums: tuple[WrittenSum, ...]
    steps: tuple[Step, ...]
    steps_from: Literal["question", "model"] | None
    payable: int | None
    stated: int | None
    checks: tuple[Check, ...]
    missing: tuple[str, ...]

    def as_dict(self) -> dict:
        """As JSON, days as ISO text."""
        return _plain(asdict(self))


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, date) else value
