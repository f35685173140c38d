"""Answers of a GGUF read again as serving does it: where a call does not fit its question, the model's next likely calls;
where a working does not add up, what the model would have written next.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from functools import cache, partial
from pathlib import Path

from finetune.data import Row
from finetune.evaluate import Generation
from finetune.evaluation import gguf_model
from finetune.evaluation.subjects import Caps, Subject
from taxlaw import (
    asking_back,
    call_beginning,
    call_check,
    digit_work,
    gift_case,
    money,
    needed_facts,
    pieces,
    rereading,
    stated_facts,
    sum_check,
)
from taxlaw.rereading import Step, readings, reread_from, worth_rereading


def reading_again(subject: Subject, file: Path) -> Subject:
    """``subject``, whose greedy answers are those of ``file``, with its doubtful answers read again."""

    def answer(rows: list[Row], caps: Caps) -> list[Generation]:
        first = subject.answer(rows, caps)
        doubtful = [
            place
            for place, (row, one) in enumerate(zip(rows, first, strict=True))
            if worth_rereading(row.question, one.text, _day(row))
        ]
        read = again(file, [rows[place] for place in doubtful], [first[place] for place in doubtful], caps.worked)
        better = dict(zip(doubtful, read, strict=True))
        return [better.get(place, one) for place, one in enumerate(first)]

    return replace(subject, title=f"{subject.title}, 다시 읽기", answer=answer)


def again(file: Path, rows: list[Row], first: list[Generation], max_new_tokens: int) -> list[Generation]:
    """For each row ``first``, or the first of the model's further readings that its question does not speak against.

    Raises as gguf_model.generate does.
    """
    if not rows:
        return []
    chosen = []
    with gguf_model.opened(file, rows, max_new_tokens) as (speaker, prompts):
        for row, prompt, one in zip(rows, prompts, first, strict=True):
            made: dict[str, Generation] = {}
            others = partial(_others, speaker, prompt, max_new_tokens, made)
            *_, text = reread_from(row.question, one.text, others, _day(row))
            chosen.append(made.get(text, one))
    return chosen


def _day(row: Row) -> date:
    return date.fromisoformat(row.as_of)


def _others(speaker, prompt: list[int], cap: int, made: dict[str, Generation], beginning: str) -> Iterator[str]:
    """The texts after the greedy one, all with ``beginning``; each is entered into ``made``."""

    def read(some: Sequence[int], first: bytes) -> Iterator[Step]:
        return gguf_model.steps(speaker, prompt, some, cap, first)

    written, tokens_of = partial(gguf_model.written, speaker), partial(gguf_model.tokens_of, speaker)
    for tokens in readings(read, written, tokens_of, beginning):
        one = gguf_model.generation_of(speaker, tokens)
        made[one.text] = one
        yield one.text


@cache
def rules_sha256() -> str:
    """Of the code that says what a call may not be: kept readings of other rules are not these."""
    files = (asking_back, call_beginning, call_check, digit_work, gift_case, money, needed_facts, pieces, stated_facts)
    files = (*files, sum_check, rereading)
    return hashlib.sha256(b"".join(Path(module.__file__).read_bytes() for module in files)).hexdigest()
