"""Vocabulary fitting: keep the pieces Korean tax text needs, drop the rest of Gemma's 262,144.

The output layer is most of a small model's work, so a vocabulary of some 17,000 pieces trains and decodes several times
faster.  Text made of kept pieces is segmented exactly as before; any other text falls back to smaller pieces and bytes,
never to <unk>.  Knows nothing of training.

Why the segmentation is unchanged: BPE always applies the best-ranked merge.  With every piece we keep all pieces it can
be merged from, so a text whose pieces are all kept meets the same best merge at each step as with the full vocabulary.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from finetune.base import BaseWeights, cache_folder, load_model, load_tokenizer, whole_or_nothing
from finetune.chat import END_OF_TURN, render_prompt
from finetune.data import Row, target_text
from finetune.errors import GateError, InputError
from finetune.evidence import user_turn
from finetune.settings import DomainStage, PreferenceStage, RunConfig

HANGUL = re.compile("[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3]")
BYTE_PIECE = re.compile(r"<0x[0-9A-F]{2}>")
# Signs of Korean legal text that a small corpus may happen not to contain.
LEGAL_SIGNS = "·ㆍ「」『』【】〈〉《》“”‘’…①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮×÷±≤≥→％₩~\u3000"


@dataclass(frozen=True)
class Fitted:
    """The fitted base, and how many pieces it has of how many."""

    weights: BaseWeights
    pieces: int
    pieces_before: int
    kept: tuple[int, ...]  # ids of the pieces in the base's vocabulary, ascending; a piece's place is its new id


def run_texts(config: RunConfig, rows: list[Row]) -> tuple[list[str], list[str]]:
    """Every text that the vocabulary of a run has to hold: (what is written or law, what is asked).

    Of its training rows, and of what its other stages read.
    """
    written, asked = [target_text(row, config.target) for row in rows], [user_turn(row) for row in rows]
    for stage in config.stages:
        if isinstance(stage, DomainStage):
            from finetune.domain import law_texts

            written += law_texts(stage.texts)
        elif isinstance(stage, PreferenceStage):
            from finetune.preference import read_pairs

            pairs = read_pairs(stage.pairs)
            written += [text for pair in pairs for text in (pair.chosen, pair.rejected)]
            asked += [pair.question for pair in pairs]
    return written, asked


def fit_vocabulary(weights: BaseWeights, texts: Iterable[str], say=print) -> Fitted:
    """A copy of ``weights`` whose vocabulary is fitted to ``texts``; cached by base and kept pieces.

    Raises InputError for a tokenizer unlike Gemma's, GateError when the fitted one segments one of the texts
    differently.
    """
    tokenizer = load_tokenizer(weights)
    texts = sorted({*texts, render_prompt("", tokenizer)})  # the template's own words stay whole as well
    definition = json.loads(tokenizer.backend_tokenizer.to_str())
    kept = kept_ids(definition, (i for text in texts for i in tokenizer(text, add_special_tokens=False)["input_ids"]))
    fitted = fit_to_ids(weights, kept, say)
    _prove_same_segmentation(tokenizer, load_tokenizer(fitted), texts)
    return Fitted(fitted, len(kept), len(definition["model"]["vocab"]), tuple(kept))


def fit_to_ids(weights: BaseWeights, kept: list[int], say=print) -> BaseWeights:
    """``weights`` with only the pieces ``kept`` (ids, ascending, closed over merges); cached."""
    fingerprint = hashlib.sha256(f"{weights.key}:{kept}".encode()).hexdigest()
    folder = cache_folder() / "fitted" / fingerprint[:16]
    fitted = replace(
        weights,
        folder=folder,
        revision=None,
        source=f"{weights.source}; vocabulary fitted to {len(kept):,} pieces",
        key=fingerprint,
    )
    if not (folder / "config.json").is_file():
        tokenizer = load_tokenizer(weights)
        definition = json.loads(tokenizer.backend_tokenizer.to_str())
        say(f"어휘를 {len(definition['model']['vocab']):,}개에서 {len(kept):,}개로 줄입니다 (fitting the vocabulary).")
        with whole_or_nothing(folder) as partial:
            _slice_weights(weights, kept, partial)
            tokenizer.save_pretrained(partial)
            text = json.dumps(shrink(definition, kept), ensure_ascii=False)
            (partial / "tokenizer.json").write_text(text, encoding="utf-8")
    return fitted


def kept_ids(definition: dict, used: Iterable[int]) -> list[int]:
    """Ids to keep, ascending, from a tokenizer.json ``definition`` and the ids a corpus uses.

    Everything up to ``<end_of_turn>`` stays, so control tokens keep their ids (106 is in templates and GGUF files).
    Raises InputError for a tokenizer without byte fallback or without that token: only Gemma's is known to work.
    """
    vocab: dict[str, int] = definition["model"]["vocab"]
    added = {token["content"]: token["id"] for token in definition["added_tokens"]}
    if END_OF_TURN not in added or not definition["model"].get("byte_fallback"):
        raise InputError("어휘 맞춤(fit_vocab)은 Gemma 의 토크나이저에서만 됩니다 (Gemma's tokenizer only).")
    keep = set(used) | set(range(added[END_OF_TURN] + 1))
    keep |= {i for token, i in added.items() if not token.startswith("<unused")}
    for piece, i in vocab.items():
        if _always_kept(piece):
            keep.add(i)
    parents: dict[str, set[str]] = {}
    for left, right in definition["model"]["merges"]:
        parents.setdefault(left + right, set()).update((left, right))
    names = {i: piece for piece, i in vocab.items()}
    waiting = [names[i] for i in keep if i in names]
    while waiting:
        for parent in parents.get(waiting.pop(), ()):
            if vocab[parent] not in keep:
                keep.add(vocab[parent])
                waiting.append(parent)
    return sorted(keep)


def _always_kept(piece: str) -> bool:
    plain = piece.replace("▁", "")
    character = len(plain) <= 1 and plain.isascii()
    digits = plain.isascii() and plain.isdecimal()
    return bool(HANGUL.search(piece) or BYTE_PIECE.fullmatch(piece) or character or digits or piece in LEGAL_SIGNS)


def shrink(definition: dict, kept: list[int]) -> dict:
    """The tokenizer.json with only ``kept`` ids, renumbered in the same order."""
    new_id = {old: new for new, old in enumerate(kept)}
    vocab = {piece: new_id[i] for piece, i in definition["model"]["vocab"].items() if i in new_id}
    merges = [
        [left, right]
        for left, right in definition["model"]["merges"]
        if left in vocab and right in vocab and left + right in vocab
    ]
    added = [{**token, "id": new_id[token["id"]]} for token in definition["added_tokens"] if token["id"] in new_id]
    return {**definition, "added_tokens": added, "model": {**definition["model"], "vocab": vocab, "merges": merges}}


def _slice_weights(weights: BaseWeights, kept: list[int], target: Path) -> None:
    import torch

    model = load_model(weights, "float32")
    rows = torch.tensor(kept)
    for layer in (model.model.embed_tokens, model.lm_head):
        layer.weight = torch.nn.Parameter(layer.weight.detach()[rows].clone(), requires_grad=False)
    model.tie_weights()
    model.config.vocab_size = model.model.embed_tokens.num_embeddings = model.lm_head.out_features = len(kept)
    model._weight_conversions = None  # else a text model out of a multimodal checkpoint is saved under its old names
    model.save_pretrained(target)


def _prove_same_segmentation(full, fitted, texts: list[str]) -> None:
    for text in texts:
        before = full.convert_ids_to_tokens(full(text, add_special_tokens=False)["input_ids"])
        ids = fitted(text, add_special_tokens=False)["input_ids"]
        if fitted.unk_token_id in ids or fitted.convert_ids_to_tokens(ids) != before:
            raise GateError(
                f"줄인 어휘가 글을 다르게 나눕니다 (segmentation differs): {text[:80]!r}\n  fit_vocab: false 로 실행하세요."
            )
