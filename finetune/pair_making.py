"""Pairs of a right and a wrong answer out of the student's own mouth: sampled, then judged by the calculators.

A wrong amount is a free negative, and one the student really makes.  Only training rows are asked; knows nothing of DPO.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
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


def make_pairs(
    rows: list[Row],
    sample: Callable[[str], list[Sampled]],
    target: str,
    per_row: int = 1,
    use_target: bool = True,
) -> MadePairs:
    """Ask each worked row's question and pair right with wrong answers, at most ``per_row`` pairs a row.

    Right: taxlaw.calls.answer_payable finds the row's tax.  Where no sample is right, the row's own target is the chosen
    answer if ``use_target``; where none is wrong there is no pair.
    """
    from taxlaw.calls import answer_payable

    pairs: list[dict[str, str]] = []
    counts = {"always_right": 0, "always_wrong": 0, "both": 0}
    for row in rows:
        right: list[str] = []
        wrong: list[str] = []
        for answer in sample(row.question):
            if not answer.text:
                continue
            found = answer_payable(answer.text, date.fromisoformat(row.as_of))
            (right if answer.stopped and found == row.payable else wrong).append(answer.text)
        counts["both" if right and wrong else "always_right" if right else "always_wrong"] += 1
        if not right and use_target:
            right = [target_text(row, target)]
        for chosen, rejected in list(zip(_distinct(right), _distinct(wrong), strict=False))[:per_row]:
            pairs.append({"question": row.question, "chosen": chosen, "rejected": rejected})
    return MadePairs(pairs, **counts)


def worked_rows(dataset: Path, count: int, seed: int) -> list[Row]:
    """``count`` training rows with a known tax, in random order.  Raises InputError when there are none."""
    rows = [row for row in read_rows(dataset / "train.jsonl") if row.payable is not None and row.style == "worked"]
    if not rows:
        raise InputError(f"세액이 계산된 worked 행이 없습니다 (no worked rows with a tax): {dataset / 'train.jsonl'}")
    random.Random(seed).shuffle(rows)
    return rows[:count]


def write_pairs(path: Path, pairs: list[dict[str, str]]) -> None:
    """One pair per line, as PreferenceStage.pairs reads them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(pair, ensure_ascii=False) + "\n" for pair in pairs), encoding="utf-8")


def _distinct(texts: list[str]) -> list[str]:
    return list(dict.fromkeys(texts))
