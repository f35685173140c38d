"""Vocabulary extension: domain pieces (증여재산공제, 에 따라, relation":") joined from the pieces a tokenizer already has.

Gemma spends a token on about one and a half characters of tax law.  The new pieces continue its own BPE: merges are learned
on top of its segmentation and ranked below all of its own, so a text is first segmented as before and then only
joined.  Every way a new piece can be split is listed as a merge, because llama.cpp joins any two neighbours whose join is
a piece; and no new piece begins as it ends, because such a piece could be joined in two overlapping ways, which the two
would settle differently.  No piece holds a digit; Korean and the signs and names of calls are never joined into one piece,
so a fact in a call is still written as in a sentence; the chat template keeps its segmentation.

Embeddings start as the mean of their parts and have to be trained; nothing is trained here.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from finetune.base import BaseWeights, cache_folder, load_model, load_tokenizer, whole_or_nothing
from finetune.chat import render_prompt
from finetune.errors import GateError, InputError
from taxlaw.read_in_parts import KEY, parts_text

# Base pieces that may become part of a new one: Hangul, and the signs that stand beside it in law.
JOINABLE = re.compile("▁?[\uac00-\ud7a3「」·ㆍ(),.]*")
CALL_SIGNS = re.compile('[A-Za-z_{}":,]+')  # the names and signs of calls, joined among themselves
LETTERS = re.compile("[\uac00-\ud7a3A-Za-z]")
LEAST_SEEN = 10  # times a join must occur in the texts
LONGEST = 12  # base pieces in a new one
SPARE = 1.5  # candidates learned per piece wanted; some are protected, bordered or there already
FIRST_STAND_IN = 0xF0000  # private use planes: one character stands for one base piece while merges are learned


@dataclass(frozen=True)
class Extended:
    """The extended base.  ``characters_per_token``: {name of the texts: (before, after)}."""

    weights: BaseWeights
    pieces: tuple[str, ...]  # with ▁ for a space, by id
    first_id: int
    characters_per_token: dict[str, tuple[float, float]]


def extend_vocabulary(
    weights: BaseWeights,
    texts: Iterable[str],
    count: int,
    say=print,
    measured: Mapping[str, Sequence[str]] | None = None,
    across_words: bool = True,
    in_answers_only: bool = False,
) -> Extended:
    """``weights`` with up to ``count`` pieces learned on ``texts``; cached by base and pieces.

    ``measured``: texts, by name, whose characters per token are reported; leave them out of ``texts``.  ``across_words``:
    pieces may span spaces (에▁따른); on a law left out of training 4,000 such pieces gave 2.38 characters per token, within
    words only 2.16.  ``in_answers_only``: they are written and never read (taxlaw/read_in_parts.py).
    Raises InputError when the texts give no piece, GateError when a proof fails.
    """
    tokenizer = load_tokenizer(weights)
    definition = json.loads(tokenizer.backend_tokenizer.to_str())
    protected = [render_prompt("", tokenizer)]
    first_id = embedding_rows(weights)
    candidates = learn_pieces(tokenizer, texts, int(count * SPARE), across_words)
    pieces = choose_pieces(definition, candidates, first_id, count, protected)
    if not pieces:
        raise InputError("말뭉치에서 더할 조각을 찾지 못했습니다 (no pieces found). 글을 더 주세요, 예: 법령 폴더.")
    extended = extend_with(weights, pieces, say, in_answers_only)
    after = load_tokenizer(extended)
    prove_extension(
        tokenizer, after, first_id, protected, [text for group in (measured or {}).values() for text in group]
    )
    rates = {
        name: (characters_per_token(tokenizer, group), characters_per_token(after, group))
        for name, group in (measured or {}).items()
    }
    for name, (before, now) in rates.items():
        say(f"{name}: 토큰당 {before:.2f}자 → {now:.2f}자 (characters per token, {len(pieces):,} pieces more)")
    return Extended(extended, tuple(pieces), first_id, rates)


def learn_pieces(tokenizer, texts: Iterable[str], count: int, across_words: bool = False) -> list[str]:
    """Up to ``count`` new pieces, most useful first: a BPE over the tokenizer's own pieces as its letters."""
    from tokenizers import Tokenizer, models, trainers

    stand_ins: dict[int, str] = {}
    seen = tokenizer.get_vocab()
    names = {i: piece for piece, i in seen.items()}
    kinds = joinable_kinds(seen, set(tokenizer.added_tokens_decoder))

    def runs() -> Iterator[str]:
        for batch in _batches(texts, 256):
            for encoding in tokenizer.backend_tokenizer.encode_batch(batch, add_special_tokens=False):
                yield from _runs(encoding.ids, kinds, names, stand_ins, across_words)

    learner = Tokenizer(models.BPE())
    everything = list(runs())
    trainer = trainers.BpeTrainer(
        vocab_size=len(stand_ins) + count, min_frequency=LEAST_SEEN, max_token_length=LONGEST, show_progress=False
    )
    learner.train_from_iterator(everything, trainer)
    back = {character: names[i] for i, character in stand_ins.items()}
    merges = json.loads(learner.to_str())["model"]["merges"]
    found = dict.fromkeys("".join(back[character] for character in left + right) for left, right in merges)
    return [piece for piece in found if piece not in seen and LETTERS.search(piece) and not bordered(piece)]


def joinable_kinds(seen: Mapping[str, int], special: set[int]) -> dict[int, str]:
    """{id: kind} of the pieces that may become part of a new one; only pieces of one kind are joined."""
    ordinary = {i: piece for piece, i in seen.items() if i not in special}
    korean = {i: "korean" for i, piece in ordinary.items() if JOINABLE.fullmatch(piece)}
    return {i: "call" for i, piece in ordinary.items() if CALL_SIGNS.fullmatch(piece)} | korean


def _runs(ids, kinds: Mapping[int, str], names, stand_ins, across_words) -> Iterator[str]:
    run: list[str] = []
    kind = None
    for i in ids:
        ends = kinds.get(i) != kind or (not across_words and names[i].startswith("▁"))
        if ends:
            yield from _closed(run)
            run, kind = [], kinds.get(i)
        if kind:
            run.append(stand_ins.setdefault(i, chr(FIRST_STAND_IN + len(stand_ins))))
    yield from _closed(run)


def _closed(run: list[str]) -> Iterator[str]:
    if len(run) > 1:
        yield "".join(run)


def _batches(texts: Iterable[str], size: int) -> Iterator[list[str]]:
    batch: list[str] = []
    for text in texts:
        batch.append(text)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def bordered(piece: str) -> bool:
    """True when some beginning of ``piece`` is also its end (등등, 가나가): it could be joined in two overlapping ways."""
    return any(piece.startswith(piece[-size:]) for size in range(1, len(piece)))


def choose_pieces(
    definition: dict, candidates: Sequence[str], first_id: int, count: int, protected: Sequence[str]
) -> list[str]:
    """The first ``count`` candidates that leave ``protected`` alone and that their own text is segmented into."""
    from tokenizers import Tokenizer

    banned: set[str] = set()
    while True:
        pieces = [piece for piece in candidates if piece not in banned][:count]
        tokenizer = Tokenizer.from_str(json.dumps(extend_definition(definition, pieces, first_id)))
        refused = set()
        for encoding in tokenizer.encode_batch(list(protected), add_special_tokens=False):
            refused |= {pieces[i - first_id] for i in encoding.ids if i >= first_id}
        whole = tokenizer.encode_batch([piece.replace("▁", " ") for piece in pieces], add_special_tokens=False)
        refused |= {piece for piece, encoding in zip(pieces, whole, strict=True) if len(encoding.ids) != 1}
        if not refused:
            return pieces
        banned |= refused


def extend_definition(definition: dict, pieces: Sequence[str], first_id: int) -> dict:
    """The tokenizer.json with ``pieces`` from ``first_id`` on and every merge that leads to one of them."""
    old = definition["model"]["vocab"]
    vocab = old | {piece: first_id + number for number, piece in enumerate(pieces)}
    new = set(pieces)
    # An old piece may now also be reached through a new one; that merge has the old piece's rank in llama.cpp.
    through_new: dict[str, list[list[str]]] = {}
    for piece in old:
        if len(piece) < 3 or not LETTERS.search(piece):
            continue
        for left, right in _splits(piece, vocab):
            if left in new or right in new:
                through_new.setdefault(piece, []).append([left, right])
    merges: list[list[str]] = []
    listed = definition["model"]["merges"]
    for place, (left, right) in enumerate(listed):
        merges.append([left, right])
        last = place + 1 == len(listed) or left + right != "".join(listed[place + 1])
        if through_new and last:
            merges += through_new.pop(left + right, [])
    for piece in pieces:
        merges += [[left, right] for left, right in _splits(piece, vocab)]
    return {**definition, "model": {**definition["model"], "vocab": vocab, "merges": merges}}


def _splits(piece: str, vocab: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    for place in range(1, len(piece)):
        if piece[:place] in vocab and piece[place:] in vocab:
            yield piece[:place], piece[place:]


def embedding_rows(weights: BaseWeights) -> int:
    """Rows of the embedding, some of which may belong to no piece."""
    from finetune.base import read_model_config

    return read_model_config(weights).get_text_config().vocab_size


def extend_with(weights: BaseWeights, pieces: Sequence[str], say=print, in_answers_only: bool = False) -> BaseWeights:
    """``weights`` with ``pieces`` added behind the last row, each embedded as the mean of its parts; cached.

    ``in_answers_only``: the tokenizer then says of which parts they are read.
    """
    made_of = f"{weights.key}+{json.dumps(list(pieces))}" + ("+in answers" if in_answers_only else "")
    fingerprint = hashlib.sha256(made_of.encode()).hexdigest()
    folder = cache_folder() / "extended" / fingerprint[:16]
    extended = replace(
        weights,
        folder=folder,
        revision=None,
        source=f"{weights.source}; {len(pieces):,} domain pieces added",
        key=fingerprint,
    )
    if not (folder / "config.json").is_file():
        say(f"어휘에 세법 조각 {len(pieces):,}개를 더합니다 (extending the vocabulary).")
        tokenizer = load_tokenizer(weights)
        definition = json.loads(tokenizer.backend_tokenizer.to_str())
        with whole_or_nothing(folder) as partial:
            parts = parts_of(tokenizer, pieces)
            first_id = _grow_weights(weights, parts, partial)
            if in_answers_only:
                tokenizer.init_kwargs[KEY] = parts_text(first_id, parts)
            tokenizer.save_pretrained(partial)
            text = json.dumps(extend_definition(definition, pieces, first_id), ensure_ascii=False)
            (partial / "tokenizer.json").write_text(text, encoding="utf-8")
    return extended


def parts_of(before, pieces: Sequence[str]) -> list[list[int]]:
    """What ``before``, the tokenizer without them, cuts each of ``pieces`` into."""
    return [before(piece.replace("▁", " "), add_special_tokens=False)["input_ids"] for piece in pieces]


def _grow_weights(weights: BaseWeights, parts: Sequence[Sequence[int]], target: Path) -> int:
    import torch

    model = load_model(weights, "float32")
    embedding = model.get_input_embeddings().weight.detach()
    if not model.config.tie_word_embeddings:
        raise InputError(
            "출력층이 임베딩과 따로인 base 의 어휘는 늘리지 않습니다 (untied output layer): extend_vocab: 0"
        )
    rows = torch.stack([embedding[torch.tensor(ids)].mean(dim=0) for ids in parts])
    grown = torch.cat([embedding, rows])
    for layer in (model.model.embed_tokens, model.lm_head):
        layer.weight = torch.nn.Parameter(grown, requires_grad=False)
    model.tie_weights()
    model.config.vocab_size = model.model.embed_tokens.num_embeddings = model.lm_head.out_features = len(grown)
    model._weight_conversions = None  # else a text model out of a multimodal checkpoint is saved under its old names
    model.save_pretrained(target)
    return len(embedding)


def prove_extension(before, after, first_id: int, protected: Sequence[str], texts: Sequence[str]) -> None:
    """Raises GateError unless ``after`` only joins what ``before`` segments, and leaves ``protected`` as it was."""
    for text in (*protected, *texts):
        old = before.convert_ids_to_tokens(before(text, add_special_tokens=False)["input_ids"])
        ids = after(text, add_special_tokens=False)["input_ids"]
        new = after.convert_ids_to_tokens(ids)
        if after.unk_token_id in ids or "".join(old) != "".join(new) or not _ends(new) <= _ends(old):
            raise GateError(f"늘린 어휘가 글을 다르게 나눕니다 (not a coarser segmentation): {text[:80]!r}")
    for text in protected:
        if any(i >= first_id for i in after(text, add_special_tokens=False)["input_ids"]):
            raise GateError(f"지켜야 할 글의 토큰이 바뀌었습니다 (protected text changed): {text[:80]!r}")


def _ends(pieces: Sequence[str]) -> set[int]:
    ends, place = set(), 0
    for piece in pieces:
        place += len(piece)
        ends.add(place)
    return ends


def characters_per_token(tokenizer, texts: Sequence[str]) -> float:
    """Characters, spaces included, per token over all ``texts``."""
    encodings = tokenizer.backend_tokenizer.encode_batch(list(texts), add_special_tokens=False)
    return sum(map(len, texts)) / sum(len(encoding.ids) for encoding in encodings)
