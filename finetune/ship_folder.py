"""The folder of a shipped student: what is in it, how it proves that it is whole, and which weights its adapter is for.

Written by finetune/ship.py, read by finetune/open_student.py.  There are no base weights and no GGUF in it: both are made
from the base that the record names.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import ConfigDict

from finetune.base import BaseWeights, load_tokenizer, resolve_base
from finetune.data import file_sha256
from finetune.errors import InputError
from finetune.evaluation.run_folder import FinishedRun, read_run
from finetune.importance import IMPORTANCE
from taxlaw.strict_config import StrictModel, validate

ADAPTER = "adapter"
ADAPTER_WEIGHTS = f"{ADAPTER}/adapter_model.safetensors"
VOCABULARY = "vocabulary.json"
SUMS = "SHA256SUMS"
# What decides the student.  README.md, NOTICE and loss.png are for people, who may mend a word in them.
CHECKED = (f"{ADAPTER}/adapter_config.json", ADAPTER_WEIGHTS, "run.json", VOCABULARY)
WHERE_THERE_IS_ONE = (IMPORTANCE,)  # a run without it quantises without it


class Vocabulary(StrictModel):
    """vocabulary.json: the pieces of a student's vocabulary as ids of its base's.

    ``base_key``: finetune.base.BaseWeights.key of that base.  ``kept``: (first, last) of every run of ids, both included,
    ascending; null when all are kept.  ``added``: pieces behind them, in order.
    """

    base_key: str
    pieces: int
    kept: tuple[tuple[int, int], ...] | None
    added: tuple[str, ...]

    def kept_ids(self) -> list[int] | None:
        """The ids themselves, ascending."""
        return None if self.kept is None else [i for first, last in self.kept for i in range(first, last + 1)]


def ranges_of(ids: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Ascending ids as (first, last) of every run of neighbours."""
    ranges: list[tuple[int, int]] = []
    for i in ids:
        if ranges and ranges[-1][1] + 1 == i:
            ranges[-1] = (ranges[-1][0], i)
        else:
            ranges.append((i, i))
    return tuple(ranges)


class _Part(StrictModel):
    model_config = ConfigDict(extra="ignore")  # the record holds more than is needed here


class _ShippedAs(_Part):
    quantisation: Literal["Q4_K_M", "Q5_K_M", "Q6_K", "Q8_0"]


class _Record(_Part):
    shipped: _ShippedAs


@dataclass(frozen=True)
class Shipped:
    """A whole folder.  ``run``: of its run.json; ``quantisation``: that it is opened at; ``sha256``: of all checked files."""

    folder: Path
    run: FinishedRun
    vocabulary: Vocabulary
    quantisation: str
    sha256: str


def write_sums(folder: Path) -> None:
    """SHA256SUMS over what decides the student, in the form `sha256sum -c` reads."""
    (folder / SUMS).write_text(_sums(folder), encoding="utf-8")


def read_shipped(folder: Path) -> Shipped:
    """Read a shipped student.  Raises InputError for a missing or altered file, ConfigError for a record of another form."""
    if not (folder / SUMS).is_file():
        raise InputError(
            f"담아 둔 학생의 폴더가 아닙니다: {folder} ({SUMS} 가 없습니다)\n"
            "  `python -m finetune ship --run runs/… --out students/…` 이 만든 폴더를 주세요. (Not a shipped student.)"
        )
    for name in CHECKED:
        if not (folder / name).is_file():
            raise InputError(
                f"파일이 없습니다 (missing): {folder / name}\n  저장소를 다시 받거나 (git checkout), 다시 담으세요 (finetune ship)."
            )
    expected, found = (folder / SUMS).read_text(encoding="utf-8"), _sums(folder)
    if expected != found:
        changed = sorted({line.split("  ")[-1] for line in {*found.splitlines()} ^ {*expected.splitlines()}})
        raise InputError(
            f"담은 뒤에 바뀐 파일이 있습니다 (SHA-256 differs): {folder}: {', '.join(changed) or SUMS}\n"
            "  저장소의 것으로 되돌리거나 (git checkout), 다시 담으세요 (finetune ship)."
        )
    run = read_run(folder)
    where = folder / VOCABULARY
    try:
        vocabulary = validate(json.loads(where.read_text(encoding="utf-8")), Vocabulary, where=str(where))
    except json.JSONDecodeError as exc:
        raise InputError(f"JSON 이 아닙니다 (not JSON): {where}: {exc}") from exc
    quantisation = validate(run.record, _Record, where=str(folder / "run.json")).shipped.quantisation
    return Shipped(folder, run, vocabulary, quantisation, file_sha256(folder / SUMS))


def weights_of(shipped: Shipped, say=print) -> BaseWeights:
    """The very weights the adapter was trained on: the base, its vocabulary cut and extended as recorded.

    Raises InputError when the base is another one or cannot be had, or when the result has another key than the run's.
    """
    vocabulary = shipped.vocabulary
    weights = resolve_base(shipped.run.config.base, say)
    if weights.key != vocabulary.base_key:
        raise InputError(
            f"학생의 base 가 아닙니다 (another base): {weights.source}\n"
            f"  학생의 base {vocabulary.base_key[:32]}…\n  지금        {weights.key[:32]}…\n  학습할 때의 base 를 설치하세요."
        )
    kept = vocabulary.kept_ids()
    if kept is not None:
        from finetune.vocab import fit_to_ids

        weights = fit_to_ids(weights, kept, say)
    if vocabulary.added:
        from finetune.extend_vocab import extend_with

        weights = extend_with(weights, vocabulary.added, say, shipped.run.config.pieces_in == "answers")
    if weights.key != shipped.run.base_key:
        raise InputError(
            f"{VOCABULARY} 로는 학습 때의 가중치가 되지 않습니다 (another vocabulary): {shipped.folder}\n  다시 담으세요 (finetune ship)."
        )
    return weights


def measured_at(record: dict, quantisation: str) -> dict:
    """``eval`` of a run's record with the student's figures at ``quantisation``; without any where none were measured.

    Those of another quantisation than the run's come from its survival table, whose rows are fewer.
    """
    if quantisation == record["student"]["quantisation"]:
        return record["eval"]
    lines = (record.get("survival") or {}).get("lines", ())
    line = next((line for line in lines if line["name"] == quantisation and line["exact"]), None)
    others = {name: one for name, one in record["eval"].items() if name != "student"}
    if line is None:
        return others
    rows, right = line["exact"]["rows"], len(line["right"])
    return {**others, "student": {"rows": rows, "right": right, "exact": round(right / rows, 4), "per_tax": {}}}


def vocabulary_of(run: FinishedRun, say=print) -> Vocabulary:
    """That of a finished run, read from its own student.  Raises InputError or GateError when it cannot be had again."""
    from finetune.run_weights import run_weights_of

    base = resolve_base(run.config.base, say)
    found = run_weights_of(run.folder, say)
    kept = None
    if found.before.key != base.key:
        ids, fitted = load_tokenizer(base).get_vocab(), load_tokenizer(found.before).get_vocab()
        kept = ranges_of(ids[piece] for piece in sorted(fitted, key=fitted.get))
    tokenizer = load_tokenizer(found.weights)
    added = tuple(tokenizer.convert_ids_to_tokens(list(found.new_rows)))
    return Vocabulary(base_key=base.key, pieces=len(tokenizer), kept=kept, added=added)


def _sums(folder: Path) -> str:
    names = (*CHECKED, *(name for name in WHERE_THERE_IS_ONE if (folder / name).is_file()))
    return "".join(f"{file_sha256(folder / name)}  {name}\n" for name in names)
