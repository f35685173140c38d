"""A dataset row (docs/contracts.md, section 2): its value, its JSON, and which split its family belongs to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from data_gen.errors import BadInput
from data_gen.tasks import Turn

SPLITS = ("train", "validation", "test")
# The predecessor's words for the two audiences.
TYPE_OF_STYLE = {
    "expert": "teacher",
    "scenario": "teacher",
    "calculation": "teacher",
    "law_change": "teacher",
    "plain": "student",
    "followup": "student",
    "ask_back": "student",
    "refusal": "student",
    "labelled": "student",
}


@dataclass(frozen=True)
class Provenance:
    document_id: str
    document_version: str
    teacher: str
    model: str
    prompt: str = ""
    prompt_hash: str = ""
    note: str = ""
    request: str = ""
    """Key of the stored response, empty when nothing was sent."""
    seed: int = 0
    input_tokens: int = 0
    """Of the whole reply; its rows share it."""
    output_tokens: int = 0
    usd: float | None = 0.0
    """This row's share of the reply's price; None: no price known."""
    judge: str = ""
    """Verdict of the judge model, with its name, when one was asked."""


@dataclass(frozen=True)
class Span:
    """A stretch of ``evidence``, in characters, and what of the answer rests on it (인용, 금액, 기간, 문구)."""

    start: int
    end: int
    why: str


@dataclass(frozen=True)
class Row:
    id: str
    question: str
    answer: str
    type: str
    style: str
    source: str
    tax: str
    as_of: str
    articles: tuple[str, ...]
    call: str | None
    payable: int | None
    family: str
    evidence: str
    provenance: Provenance
    gates: tuple[str, ...] = ()
    history: tuple[Turn, ...] = ()
    """Turns before ``question``, oldest first."""
    spans: tuple[Span, ...] = ()
    difficulty: int = 0
    """1 (easy) to 5; 0: not rated (calculator rows)."""
    verdicts: tuple[str, ...] = ()
    """What each gate of ``gates`` said, in the same order."""
    held_out: str = ""
    """What about this row no training row has: ``wordings`` or ``combinations`` (then it is in test), or ""."""


@dataclass(frozen=True)
class Candidate:
    """A row that no gate has seen yet; ``schema_fault`` says why the teacher's reply gave none (fields then empty)."""

    row: Row
    schema_fault: str = ""

    def passed(self, gates: Iterable[str]) -> Row:
        return replace(self.row, gates=tuple(gates))


@dataclass(frozen=True)
class Failure:
    """One requested pair for which no reply came."""

    id: str
    source: str
    tax: str
    reason: str


@dataclass(frozen=True)
class Rejection:
    row: Row
    gate: str
    reason: str


@dataclass
class Counts:
    """What became of each requested pair; ``requested`` is counted at the door, not derived from the rest."""

    requested: int = 0
    accepted: int = 0
    rejected: int = 0
    failed: int = 0
    by_gate: dict[str, int] = field(default_factory=dict)
    by_source: dict[str, dict[str, int]] = field(default_factory=dict)
    by_tax: dict[str, int] = field(default_factory=dict)
    by_style: dict[str, int] = field(default_factory=dict)
    by_split: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SPLITS, 0))

    def add(self, outcome: str, source: str) -> None:
        setattr(self, outcome, getattr(self, outcome) + 1)
        cell = self.by_source.setdefault(source, {"requested": 0, "accepted": 0, "rejected": 0, "failed": 0})
        cell[outcome] += 1


def to_json(value: Row | Rejection) -> str:
    """One line of JSON, Hangul as it is; a rejection is its row plus ``gate`` and ``reason``."""
    if isinstance(value, Rejection):
        return json.dumps(asdict(value.row) | {"gate": value.gate, "reason": value.reason}, ensure_ascii=False)
    return json.dumps(asdict(value), ensure_ascii=False)


def short_hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]


def read_jsonl(path: Path) -> Iterator[dict]:
    """Objects of a JSONL file.  Raises BadInput naming the line."""
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                value = json.loads(line)
            except json.JSONDecodeError as exc:
                raise BadInput(f"JSON이 아닌 줄이 있습니다: {path}:{number}\n  {exc}") from exc
            if not isinstance(value, dict):
                raise BadInput(f"객체가 아닌 줄이 있습니다: {path}:{number}\n  한 줄에 JSON 객체 하나를 쓰세요.")
            yield value
