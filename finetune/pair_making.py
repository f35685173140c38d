"""Right and wrong answers out of the student's own mouth: sampled, then judged by the calculators and the verifier.

A wrong amount is a free negative, and one the student really makes; a right one in words of its own can be learned like a
taught one (rejection sampling).  Only training rows are asked; knows nothing of DPO.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from finetune.chat import prompt_ids, stop_id
from finetune.data import Row, read_rows, target_text
from finetune.errors import InputError


@dataclass(frozen=True)
class Sampled:
    """One sampled answer; ``stopped`` when the student ended it itself."""

    text: str
    stopped: bool


@dataclass(frozen=True)
class Asked:
    """A row with what the student answered, each text once, in the order it came.

    ``right``: ended by itself, and taxlaw.calls.answer_payable finds the row's tax in it; the rest is ``wrong``.
    """

    row: Row
    right: tuple[str, ...]
    wrong: tuple[str, ...]


@dataclass(frozen=True)
class MadePairs:
    """Pairs, and what became of the questions: answered right every time, wrong every time, or both."""

    pairs: list[dict[str, str]]
    always_right: int
    always_wrong: int
    both: int


def load_student(finished):
    """(model with its adapter, tokenizer) of a finished run (evaluation.run_folder.FinishedRun).  Raises InputError."""
    from peft import PeftModel

    from finetune.base import load_model, load_tokenizer
    from finetune.device import choose_device
    from finetune.run_weights import run_weights_of

    weights = run_weights_of(finished.folder).weights
    device = choose_device(finished.config.train.dtype)
    model = load_model(weights, device.dtype, device.kind)
    return PeftModel.from_pretrained(model, str(finished.folder / "adapter")).eval(), load_tokenizer(weights)


def sample_answers(model, tokenizer, question: str, count: int, temperature: float, most: int) -> list[Sampled]:
    """``count`` answers of up to ``most`` tokens, drawn from the whole distribution (no top-k, no top-p)."""
    import torch

    prompt = torch.tensor([prompt_ids(question, tokenizer)], device=next(model.parameters()).device)
    stops = [stop_id(tokenizer), tokenizer.eos_token_id]
    with torch.inference_mode():
        output = model.generate(
            input_ids=prompt,
            attention_mask=torch.ones_like(prompt),
            num_return_sequences=count,
            do_sample=True,
            temperature=temperature,
            top_k=0,
            top_p=1.0,
            max_new_tokens=most,
            eos_token_id=stops,
            pad_token_id=tokenizer.pad_token_id,
        )
    answers = []
    for ids in output[:, prompt.shape[1] :].tolist():
        end = next((place for place, token in enumerate(ids) if token in stops), None)
        answers.append(Sampled(tokenizer.decode(ids[:end], skip_special_tokens=True).strip(), end is not None))
    return answers


def ask(rows: Sequence[Row], sample: Callable[[str], list[Sampled]]) -> list[Asked]:
    """Ask each worked row's question and judge the answers by their final amount; empty answers are left out."""
    from taxlaw.calls import answer_payable

    asked = []
    for row in rows:
        as_of = date.fromisoformat(row.as_of)
        right: list[str] = []
        wrong: list[str] = []
        for answer in sample(row.question):
            if answer.text:
                exact = answer.stopped and answer_payable(answer.text, as_of) == row.payable
                (right if exact else wrong).append(answer.text)
        asked.append(Asked(row, _distinct(right), _distinct(wrong)))
    return asked


def make_pairs(asked: Sequence[Asked], target: str, per_row: int = 1, use_target: bool = True) -> MadePairs:
    """Pair right with wrong answers, at most ``per_row`` pairs a row, never a text with itself.

    Where no sample is right, the row's own target is the chosen answer if ``use_target``; where none is wrong there is no
    pair.
    """
    pairs: list[dict[str, str]] = []
    counts = {"always_right": 0, "always_wrong": 0, "both": 0}
    for one in asked:
        right, wrong = one.right, one.wrong
        counts["both" if right and wrong else "always_right" if right else "always_wrong"] += 1
        if not right and use_target:
            right = (target_text(one.row, target),)
        wrong = tuple(text for text in wrong if text not in right)  # the same words without an end
        for chosen, rejected in list(zip(right, wrong, strict=False))[:per_row]:
            pairs.append({"question": one.row.question, "chosen": chosen, "rejected": rejected})
    return MadePairs(pairs, **counts)


def own_rows(asked: Sequence[Asked], target: str) -> list[Row]:
    """Rows that teach the student's own right answers where they differ from what the row teaches already.

    The final amount must be exact and the verifier must find no fault; a call must also state the facts of the row's call,
    because a wrong fact may give the right tax (직계비속 for 직계존속: the deduction is the same).  ``call`` holds the
    student's own text when that is a call, so it need not be canonical.
    """
    from taxlaw.verify import verify

    rows = []
    for one in asked:
        taught = target_text(one.row, target)
        for number, text in enumerate(one.right, start=1):
            if text == taught or not _same_facts(text, one.row):
                continue
            verdict = verify(one.row.question, text, date.fromisoformat(one.row.as_of), one.row.evidence or None)
            if verdict.ok:
                rows.append(_taught_as(one.row, text, number, verdict.summary()))
    return rows


def _taught_as(row: Row, text: str, number: int, verdict: str) -> Row:
    """The row with ``text`` as what it teaches, whatever the target."""
    changes = {
        "id": f"{row.id}:own-{number}",
        "answer": text,
        "call": text if _call_of(text) else None,
        "provenance": row.provenance | {"teacher": "student", "note": "own answer, verified"},
        "gates": ["payable", "verifier"],
        "verdicts": ["exact", verdict],
    }
    return row.model_copy(update=changes)


def _same_facts(text: str, row: Row) -> bool:
    """Whether a call states what the row's call states, in whatever words; true of a text that is no call."""
    from finetune.evaluation.measures import reads_as
    from taxlaw.calls import find_call

    if find_call(text) is None or row.call is None:
        return True
    return reads_as(row.call, text, date.fromisoformat(row.as_of))


def _call_of(text: str):
    """The call that ``text`` is and nothing else, or None."""
    from taxlaw.calls import parse_call
    from taxlaw.errors import CallError

    try:
        return parse_call(text)
    except CallError:
        return None


def worked_rows(dataset: Path, count: int, seed: int) -> list[Row]:
    """``count`` training rows with a known tax, in random order.  Raises InputError when there are none."""
    rows = [row for row in read_rows(dataset / "train.jsonl") if row.payable is not None and row.style == "worked"]
    if not rows:
        raise InputError(f"세액이 계산된 worked 행이 없습니다 (no worked rows with a tax): {dataset / 'train.jsonl'}")
    random.Random(seed).shuffle(rows)
    return rows[:count]


def write_pairs(path: Path, pairs: list[dict[str, str]]) -> None:
    """One pair per line, as PreferenceStage.pairs reads them."""
    _write_lines(path, pairs)


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """One dataset row per line (docs/contracts.md, section 2)."""
    _write_lines(path, [row.model_dump(mode="json") for row in rows])


def _write_lines(path: Path, values: Sequence[dict]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values), encoding="utf-8")


def _distinct(texts: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))
