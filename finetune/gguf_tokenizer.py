"""Writes a Hugging Face tokenizer into a GGUF: Gemma's as a SentencePiece one, Phi's as a byte-level BPE.

The proof that llama.cpp then segments as Hugging Face does is finetune/parity.py with the texts of finetune/fuzz.py.

A SentencePiece tokenizer has no list of merges: llama.cpp joins any two neighbours whose join is a piece, best score
first.  So a piece's score is its merge rank, negated.  Runs of spaces are ordinary pieces here, merged like any other,
although Gemma's own GGUF files cut them out first as user-defined ones: Hugging Face merges them, and the two differ for
runs of more than 31 spaces (found by fuzzing; with ordinary pieces no difference is left).
"""

from __future__ import annotations

import json

from finetune.chat import stop_id, template_of
from finetune.errors import GateError
from taxlaw.read_in_parts import KEY


def write_tokenizer(writer, tokenizer, rows: int) -> None:
    """Add ``tokenizer`` with our chat template; ``rows`` of the embedding, the rest is filled with unused pieces.

    Raises GateError for a tokenizer that llama.cpp has no equal of.
    """
    definition = json.loads(tokenizer.backend_tokenizer.to_str())
    if definition["model"]["type"] != "BPE":
        raise GateError(f"GGUF 로 쓸 줄 모르는 토크나이저입니다 (unsupported): {definition['model']['type']}")
    if definition["model"].get("byte_fallback"):
        _write_sentencepiece(writer, tokenizer, rows)
    else:
        _write_byte_level(writer, tokenizer, definition, rows)
    writer.add_eos_token_id(tokenizer.eos_token_id)
    writer.add_eot_token_id(stop_id(tokenizer))
    writer.add_pad_token_id(tokenizer.pad_token_id)
    writer.add_add_bos_token(template_of(tokenizer).bos)
    writer.add_add_eos_token(False)
    writer.add_chat_template(tokenizer.chat_template)
    if KEY in tokenizer.init_kwargs:
        writer.add_string(KEY, tokenizer.init_kwargs[KEY])


def tokenizer_arrays(tokenizer, rows: int) -> tuple[list[str], list[float], list[int]]:
    """(pieces, scores, types) of a SentencePiece-like tokenizer by id, padded to ``rows`` with unused pieces."""
    import gguf

    kind = gguf.TokenType
    definition = json.loads(tokenizer.backend_tokenizer.to_str())
    names, special = _names(definition)
    rank: dict[str, int] = {}
    for left, right in definition["model"]["merges"]:
        rank.setdefault(left + right, len(rank))
    pieces, scores, types = [], [], []
    for i in range(rows):
        piece = names.get(i)
        # A merge has the score of its rank; a single character is never the result of one, so any lower score does.
        score, of_type = -float(rank.get(piece, len(rank) + i)), kind.NORMAL
        if piece is None:
            piece, of_type = f"[PAD{i}]", kind.UNUSED
        elif i in special:
            score, of_type = -1000.0, kind.CONTROL if special[i] else kind.USER_DEFINED
        elif len(piece) == 6 and piece.startswith("<0x") and piece.endswith(">"):
            score, of_type = 0.0, kind.BYTE
        pieces.append(piece)
        scores.append(score)
        types.append(int(of_type))
    return pieces, scores, types


def _names(definition: dict) -> tuple[dict[int, str], dict[int, bool]]:
    """({id: piece}, {id of an added token: is it special})."""
    added = definition["added_tokens"]
    names = {i: piece for piece, i in definition["model"]["vocab"].items()} | {t["id"]: t["content"] for t in added}
    return names, {token["id"]: token["special"] for token in added}


def _write_sentencepiece(writer, tokenizer, rows: int) -> None:
    pieces, scores, types = tokenizer_arrays(tokenizer, rows)
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(pieces)
    writer.add_token_scores(scores)
    writer.add_token_types(types)
    writer.add_bos_token_id(tokenizer.bos_token_id)
    writer.add_unk_token_id(tokenizer.unk_token_id)
    writer.add_add_space_prefix(False)


def _write_byte_level(writer, tokenizer, definition: dict, rows: int) -> None:
    import gguf

    kind = gguf.TokenType
    before = definition["pre_tokenizer"] or {}
    if before.get("type") != "ByteLevel" or before.get("add_prefix_space") or not before.get("use_regex", True):
        raise GateError(f"GPT-2 와 다르게 글을 나누는 토크나이저입니다 (not GPT-2's pre-tokenizer): {before}")
    if definition["normalizer"]:
        raise GateError(f"GGUF 로 옮길 수 없는 정규화입니다 (normalizer): {definition['normalizer']}")
    names, special = _names(definition)
    pieces, types = [], []
    for i in range(rows):
        piece, of_type = names.get(i), kind.NORMAL
        if piece is None:
            piece, of_type = f"[PAD{i}]", kind.UNUSED
        elif i in special:
            of_type = kind.CONTROL if special[i] else kind.USER_DEFINED
        pieces.append(piece)
        types.append(int(of_type))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("phi-2")  # llama.cpp's name for GPT-2's way of cutting text before merging
    writer.add_token_list(pieces)
    writer.add_token_types(types)
    writer.add_token_merges([f"{left} {right}" for left, right in definition["model"]["merges"]])
    if tokenizer.bos_token_id is not None:
        writer.add_bos_token_id(tokenizer.bos_token_id)
    if tokenizer.unk_token_id is not None:
        writer.add_unk_token_id(tokenizer.unk_token_id)
