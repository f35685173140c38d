"""Reads a dataset folder (docs/contracts.md, section 2) and turns it into batches.  Knows nothing of models.

Which text is learned: a worked row teaches its calculator call (``target: program``), its full working (``target:
worked``), both (``target: facts_first``), or one of the two, drawn by its id (``target: mixed``); expert and plain rows
teach their answer.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field, PrivateAttr, ValidationError

from finetune.chat import Encoded, encode
from finetune.errors import GateError, InputError
from finetune.evidence import reference_of, user_turn
from taxlaw.evidence_prompt import LOOK_UP
from taxlaw.strict_config import StrictModel

MAX_TRUNCATED = 0.01  # more than 1 % of the rows over the cap is a wrong cap, not bad luck


class Turn(StrictModel):
    question: str
    answer: str


class Span(StrictModel):
    start: int
    end: int
    why: str


class Row(StrictModel):
    """One pair, exactly as data_gen writes it."""

    id: str
    question: str
    answer: str
    type: Literal["teacher", "student"]
    style: Literal[
        "worked",
        "expert",
        "plain",
        "scenario",
        "calculation",
        "followup",
        "law_change",
        "ask_back",
        "refusal",
        "labelled",
    ]
    source: str
    tax: str
    as_of: str
    articles: list[str]
    call: str | None
    payable: int | None
    family: str
    evidence: str
    provenance: dict[str, str | int | float | bool | None]
    gates: list[str]
    history: list[Turn] = Field(default_factory=list)
    """Turns before the question, oldest first; they are context, never trained on."""
    spans: list[Span] = Field(default_factory=list)
    difficulty: int = 0
    verdicts: list[str] = Field(default_factory=list)
    _shows_evidence: bool = PrivateAttr(False)
    _asks_evidence: bool = PrivateAttr(False)
    _refers: bool = PrivateAttr(False)

    @property
    def shows_evidence(self) -> bool:
        """Whether the user turn carries the evidence (finetune/evidence.py)."""
        return self._shows_evidence

    def showing_evidence(self) -> Row:
        """The same row with its evidence in the user turn."""
        copy = self.model_copy()
        copy._shows_evidence = True
        return copy

    @property
    def refers(self) -> bool:
        """Whether the right answer is to name one of the sources shown, which code then quotes."""
        return self._refers

    def referring(self) -> Row:
        """The same row, to be answered by naming the source."""
        copy = self.model_copy()
        copy._refers = True
        return copy

    @property
    def asks_evidence(self) -> bool:
        """Whether the right answer is to ask for evidence, because none is shown (finetune/evidence.py)."""
        return self._asks_evidence

    def asking_evidence(self) -> Row:
        """The same row, to be answered by asking for evidence."""
        copy = self.model_copy()
        copy._asks_evidence = True
        return copy

    held_out: str = ""
    """What about the row no training row has: ``wordings``, ``combinations``, or "" for the ordinary ones."""


@dataclass(frozen=True)
class Example:
    """A row ready for training."""

    row: Row
    encoded: Encoded

    @property
    def length(self) -> int:
        return len(self.encoded.ids)


@dataclass(frozen=True)
class Prepared:
    """Examples within the length cap, and how many rows were over it."""

    examples: list[Example]
    over_cap: int
    longest: int


def read_rows(path: Path) -> list[Row]:
    """Read one JSONL file.  Raises InputError naming the file, the line and the field."""
    if not path.is_file():
        raise InputError(
            f"데이터셋 파일이 없습니다: {path}\n"
            "  먼저 `python -m data_gen build --config …` 로 만들거나 --dataset 으로 폴더를 지정하세요. (No such dataset file.)"
        )
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            rows.append(Row.model_validate(json.loads(line)))
        except json.JSONDecodeError as exc:
            raise InputError(f"{path}:{number}: JSON 이 아닙니다 (not JSON): {exc}") from exc
        except ValidationError as exc:
            first = exc.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise InputError(
                f"{path}:{number}: '{where}' 값이 잘못되었습니다: {first['msg']} (docs/contracts.md 2절)"
            ) from exc
    if not rows:
        raise InputError(f"데이터셋 파일이 비어 있습니다 (empty): {path}")
    return rows


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        while block := handle.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def target_text(row: Row, target: str) -> str:
    """The text the student learns to write for this row.

    ``target``: "program" (its calculator call), "worked" (its answer), "facts_first" (the call, then the answer on the next
    lines), or "mixed" (for about half of the rows the call, the same ones every time).  A row without a call has only its
    answer; one that refers, the number of the source instead.
    """
    if row.asks_evidence:
        return LOOK_UP
    if row.refers:
        return reference_of(row) or row.answer
    if row.call and (target == "program" or (target == "mixed" and _draws_call(row.id))):
        return row.call
    if row.call and target == "facts_first":
        return f"{row.call}\n{row.answer}"
    return row.answer


def _draws_call(name: str) -> bool:
    return hashlib.sha256(f"target:{name}".encode()).digest()[0] < 128


def _turns(row: Row) -> tuple[tuple[str, str], ...]:
    return tuple((turn.question, turn.answer) for turn in row.history)


def encode_rows(rows: list[Row], tokenizer, target: str, max_tokens: int) -> Prepared:
    """Encode rows; those longer than ``max_tokens`` are left out and counted, never cut: a cut answer teaches no ending.

    Raises GateError when more than 1 % of the rows are over the cap.
    """
    encoded = [Example(row, encode(user_turn(row), target_text(row, target), tokenizer, _turns(row))) for row in rows]
    kept = [example for example in encoded if example.length <= max_tokens]
    longest = max(example.length for example in encoded)
    over = len(encoded) - len(kept)
    if over > MAX_TRUNCATED * len(encoded):
        raise GateError(
            f"예제 {len(encoded):,}개 가운데 {over:,}개가 max_tokens={max_tokens} 보다 깁니다 (1% 초과).\n"
            f"  가장 긴 예제는 {longest:,} 토큰입니다. max_tokens 를 늘리거나 긴 문서를 줄이세요."
        )
    return Prepared(kept, over, longest)


def evenly(items: list, count: int) -> list:
    """``count`` of ``items`` at equal distances (all, when there are no more), in their order."""
    count = min(count, len(items))
    return [items[number * len(items) // count] for number in range(count)]


def require_disjoint_families(train: list[Row], validation: list[Row]) -> None:
    """Raises GateError when a document family stands on both sides: accuracy would then be measured on what was learned."""
    shared = sorted({row.family for row in train} & {row.family for row in validation})
    if shared:
        raise GateError(
            f"학습과 검증에 같은 문서 계열(family)이 {len(shared)}개 있습니다: {', '.join(shared[:3])}\n"
            "  `python -m data_gen build` 로 나눈 데이터셋인지 확인하세요 (a family stands in both train and validation)."
        )


def epoch_order(styles: list[str], mix: dict[str, float], seed: int, epoch: int) -> list[int]:
    """Row indices of one epoch, shuffled, with ``mix`` shares of the styles; as many as there are rows of those styles.

    A style with too few rows is repeated; one with too many gives its next rows in the following epoch.  Raises
    InputError for a style that has no rows.
    """
    counts = Counter(styles)
    total = sum(counts[style] for style in mix)
    order: list[int] = []
    for style, share in sorted(mix.items()):
        members = [index for index, value in enumerate(styles) if value == style]
        if not members:
            raise InputError(
                f"mix 에 '{style}' 이 있지만 데이터셋에 그런 행이 없습니다. mix 에서 빼거나 데이터를 더 만드세요.\n"
                f"  No '{style}' rows in the dataset; styles present: {dict(counts)}"
            )
        wanted = max(1, round(share * total))
        order += _slice_of_passes(members, epoch * wanted, (epoch + 1) * wanted, f"{seed}:{style}")
    random.Random(f"{seed}:{epoch}").shuffle(order)
    return order


def _slice_of_passes(members: list[int], start: int, stop: int, seed: str) -> list[int]:
    """Positions start..stop of an endless sequence in which each pass over ``members`` is a fresh shuffle."""
    passes = {}
    for turn in range(start // len(members), (stop - 1) // len(members) + 1):
        passes[turn] = list(members)
        random.Random(f"{seed}:{turn}").shuffle(passes[turn])
    return [passes[position // len(members)][position % len(members)] for position in range(start, stop)]


def epoch_batches(lengths: list[int], order: list[int], batch_size: int, seed: str) -> Iterator[list[int]]:
    """Batches of row indices with rows of like length together, in shuffled order.

    Sorting happens inside windows of 32 batches: padding stays a few percent while each step still sees a mixture.
    """
    generator = random.Random(seed)
    window = 32 * batch_size
    for start in range(0, len(order), window):
        part = sorted(order[start : start + window], key=lambda index: lengths[index])
        batches = [part[i : i + batch_size] for i in range(0, len(part), batch_size)]
        generator.shuffle(batches)
        yield from batches


def weighed_by_tax(
    rows: list[Row], mix: dict[str, float], taxes: dict[str, float]
) -> tuple[list[str], dict[str, float]]:
    """The kind of each row and the kinds' shares, for epoch_order: ``mix``, its worked rows split by tax.

    Within the worked share each tax has the part its rows make up, times its weight in ``taxes`` (1 where none is
    given).  ``gift.prior_gifts`` is the rows of a tax whose call states that fact, the first that fits.  Without ``taxes`` the
    kinds are the styles.  Raises InputError for a tax that has no worked rows.
    """
    if not taxes or "worked" not in mix:
        return [row.style for row in rows], mix
    facts = [tax for tax in taxes if "." in tax]
    kinds = [f"worked:{_tax_or_fact(row, facts)}" if row.style == "worked" else row.style for row in rows]
    counts = Counter(kind for kind in kinds if kind.startswith("worked:"))
    if missing := sorted(tax for tax in taxes if f"worked:{tax}" not in counts):
        raise InputError(
            f"taxes 의 세목에 계산 행이 없습니다 (no worked rows of): {', '.join(missing)}. 데이터셋의 세목: "
            f"{', '.join(sorted(kind.removeprefix('worked:') for kind in counts))}"
        )
    weights = {kind: count * taxes.get(kind.removeprefix("worked:"), 1.0) for kind, count in counts.items()}
    total = sum(weights.values())
    shares = {kind: mix["worked"] * weight / total for kind, weight in weights.items()}
    return kinds, shares | {style: share for style, share in mix.items() if style != "worked"}


def _tax_or_fact(row: Row, facts: list[str]) -> str:
    """The row's tax, or the first of ``facts`` ('gift.prior_gifts') that its call states."""
    stated = json.loads(row.call) if facts and row.call else {}
    return next((fact for fact in facts if fact.split(".")[0] == row.tax and fact.split(".")[1] in stated), row.tax)


def endless_batches(
    examples: list[Example], mix: dict[str, float], batch_size: int, seed: int, taxes: dict[str, float] | None = None
) -> Iterator[tuple[float, list[Encoded]]]:
    """Batches without end, each with the epochs done once it is used (0.5 = half of the first)."""
    styles, mix = weighed_by_tax([example.row for example in examples], mix, taxes or {})
    lengths = [example.length for example in examples]
    epoch = 0
    while True:
        order = epoch_order(styles, mix, seed, epoch)
        used = 0
        for batch in epoch_batches(lengths, order, batch_size, f"{seed}:{epoch}:batches"):
            used += len(batch)
            yield epoch + used / len(order), [examples[index].encoded for index in batch]
        epoch += 1


def endless_items(items: list, lengths: list[int], batch_size: int, seed: str) -> Iterator[tuple[float, list]]:
    """Like endless_batches, for anything that has a length in tokens and no style."""
    epoch = 0
    while True:
        order = list(range(len(items)))
        random.Random(f"{seed}:{epoch}").shuffle(order)
        used = 0
        for batch in epoch_batches(lengths, order, batch_size, f"{seed}:{epoch}:batches"):
            used += len(batch)
            yield epoch + used / len(order), [items[index] for index in batch]
        epoch += 1
