"""Finds again the weights a finished run was trained on: base, fitted and extended vocabulary, from run.json alone.

The pieces of a fitted or extended vocabulary are read from the student's GGUF, so the dataset is not needed; the key in
run.json proves that what was built is what the run used.
"""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import ValidationError

from finetune.base import BaseWeights, load_tokenizer, resolve_base
from finetune.errors import GateError, InputError
from finetune.settings import Base


def read_run(folder: Path) -> dict:
    """The record of a finished run.  Raises InputError when ``folder`` is none."""
    record_file = folder / "run.json"
    if not record_file.is_file():
        raise InputError(
            f"끝난 실행 폴더가 아닙니다: {folder} (run.json 이 없습니다)\n"
            "  `python -m finetune run --config …` 이 만든 폴더를 주세요. (Not a finished run.)"
        )
    try:
        record = json.loads(record_file.read_text(encoding="utf-8"))
        for key in ("config", "base", "student"):
            record[key]
    except (json.JSONDecodeError, KeyError, TypeError) as exc:
        raise InputError(f"run.json 을 읽을 수 없습니다 (cannot read): {record_file}: {exc!r}") from exc
    return record


def weights_of_run(folder: Path, say=print) -> BaseWeights:
    """The weights its adapter belongs to.  Raises InputError or GateError when they cannot be had again."""
    record = read_run(folder)
    try:
        weights = resolve_base(Base(**record["config"]["base"]), say)
    except ValidationError as exc:
        raise InputError(f"run.json 의 base 를 읽을 수 없습니다: {folder}: {exc.errors()[0]['msg']}") from exc
    wanted = record["base"]["key"]
    if weights.key != wanted and record["base"].get("vocabulary"):
        weights = _with_vocabulary_of(weights, folder / record["student"]["gguf"], say)
    if weights.key != wanted:
        raise GateError(
            f"실행이 쓴 base 를 다시 만들지 못했습니다 (another base): {folder}\n"
            f"  run.json {wanted[:32]}…\n  지금     {weights.key[:32]}…\n  base 파일과 학생 GGUF 가 실행 때의 것인지 확인하세요."
        )
    return weights


def _with_vocabulary_of(weights: BaseWeights, student: Path, say) -> BaseWeights:
    import gguf

    from finetune.gguf_slice import gguf_pieces
    from finetune.vocab import fit_to_ids

    if not student.is_file():
        raise InputError(f"학생 GGUF 가 없어 어휘를 알 수 없습니다 (no student file): {student}")
    pieces = gguf_pieces(gguf.GGUFReader(student))
    tokenizer = load_tokenizer(weights)
    vocab = tokenizer.get_vocab()
    kept = [vocab[piece] for piece in pieces if piece in vocab]
    added = [piece for piece in pieces if piece not in vocab and not piece.startswith("[PAD")]
    if kept != sorted(kept) or pieces[: len(kept)] != [piece for piece in pieces if piece in vocab]:
        raise GateError(f"학생 GGUF 의 어휘가 base 에서 온 것이 아닙니다 (another vocabulary): {student}")
    if len(kept) < len(vocab):
        weights = fit_to_ids(weights, kept, say)
    if added:
        from finetune.extend_vocab import extend_with

        weights = extend_with(weights, added, say)
    return weights
