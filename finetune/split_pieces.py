"""Training questions with added pieces cut back into their parts, so that both ways of cutting a text stay known.

A student that only ever reads 증여재산공제 as one new piece forgets how to read it in parts, and reads a sentence that no training
row has worse than the student it was made from.  Here some questions are cut wholly as before the extension, some in
part, the rest as they will be served (compare subword regularisation: Kudo 2018, arXiv 1804.10959; Provilkov et al. 2020,
arXiv 1910.13267).  Answers keep their pieces: those are to be written.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace

from finetune.chat import Encoded
from finetune.data import Example, Prepared

WHOLLY = 0.5  # of the questions that are split at all, those of which every piece is


def parts_of(before, after, new_rows: range) -> dict[int, tuple[int, ...]]:
    """{id of an added piece: ids of its parts}; ``before`` and ``after`` are the tokenizers without and with added pieces.

    An extended vocabulary only joins what the one before it cuts, so parts in place of pieces are the cut of before.
    """
    texts = [piece.replace("▁", " ") for piece in after.convert_ids_to_tokens(list(new_rows))]
    cut = before(texts, add_special_tokens=False)["input_ids"]
    return {number: tuple(ids) for number, ids in zip(new_rows, cut, strict=True)}


def split_questions(
    prepared: Prepared, parts: Mapping[int, tuple[int, ...]], share: float, seed: int, max_tokens: int
) -> Prepared:
    """``prepared`` with the pieces of ``share`` of its questions split: half of those wholly, the rest each by a share of its own.

    Drawn by the row's id, so a row is cut alike in every epoch.  A question that would be longer than ``max_tokens`` with its
    answer stays as it is.
    """
    examples = [_split(example, parts, share, seed, max_tokens) for example in prepared.examples]
    return replace(prepared, examples=examples, longest=max(example.length for example in examples))


def _split(example: Example, parts: Mapping[int, tuple[int, ...]], share: float, seed: int, max_tokens: int) -> Example:
    draw = random.Random(f"{seed}:{example.row.id}:split")
    if draw.random() >= share:
        return example
    rate = 1.0 if draw.random() < WHOLLY else draw.random()
    ids, start = example.encoded.ids, example.encoded.answer_start
    question = [part for i in ids[:start] for part in (parts.get(i, (i,)) if draw.random() < rate else (i,))]
    if len(question) + len(ids) - start > max_tokens:
        return example
    return replace(example, encoded=Encoded((*question, *ids[start:]), len(question)))
