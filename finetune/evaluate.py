"""Exact-answer accuracy on held-out worked examples: greedy answers, judged by the calculators through taxlaw.calls.

The answers of a transformers model; those of a GGUF come from finetune/evaluation/gguf_model.py.  One judge for both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from finetune.chat import prompt_ids, stop_id
from finetune.data import Row
from finetune.errors import InputError
from finetune.evaluation.bootstrap import ratio
from finetune.evidence import user_turn
from finetune.settings import Evaluation


@dataclass(frozen=True)
class Generation:
    """One greedy answer; ``stopped`` when the model ended it itself rather than running into the cap."""

    text: str
    stopped: bool
    tokens: int


def turns_of(row: Row) -> tuple[tuple[str, str], ...]:
    """The (question, answer) turns before the row's own question, oldest first."""
    return tuple((turn.question, turn.answer) for turn in row.history)


def prompt_of(row: Row, tokenizer) -> list[int]:
    """Token ids of what the model sees: earlier turns, then the question (the template brings its own ``<bos>``)."""
    return prompt_ids(user_turn(row), tokenizer, turns_of(row))


def held_out(validation: list[Row], count: int) -> list[Row]:
    """Up to ``count`` validation rows with a known payable tax, taken in turn from each tax.  Raises InputError."""
    by_tax: dict[str, list[Row]] = {}
    for row in validation:
        if row.style == "worked" and row.payable is not None:
            by_tax.setdefault(row.tax, []).append(row)
    if not by_tax:
        raise InputError(
            "validation.jsonl 에 세액이 계산된 worked 행이 없어 정확도를 잴 수 없습니다.\n"
            "  No worked rows with 'payable' in validation.jsonl; build the dataset with worked examples."
        )
    rows: list[Row] = []
    queues = [list(by_tax[tax]) for tax in sorted(by_tax)]
    while queues and len(rows) < count:
        for queue in queues:
            if len(rows) < count:
                rows.append(queue.pop(0))
        queues = [queue for queue in queues if queue]
    return rows


def generate_with_transformers(model, tokenizer, rows: list[Row], settings: Evaluation) -> list[Generation]:
    """Greedy answers in batches of like length (left padding, KV cache)."""
    import torch

    stop, device = stop_id(tokenizer), next(model.parameters()).device
    stops = [stop, tokenizer.eos_token_id]
    prompts = [prompt_of(row, tokenizer) for row in rows]
    order = sorted(range(len(rows)), key=lambda index: len(prompts[index]))
    answers: dict[int, Generation] = {}
    for start in range(0, len(order), settings.batch_size):
        part = order[start : start + settings.batch_size]
        longest = max(len(prompts[index]) for index in part)
        pads = [longest - len(prompts[index]) for index in part]
        ids = torch.tensor([[tokenizer.pad_token_id] * pad + prompts[i] for pad, i in zip(pads, part, strict=True)])
        mask = torch.tensor([[0] * pad + [1] * (longest - pad) for pad in pads])
        with torch.inference_mode():
            output = model.generate(
                input_ids=ids.to(device),
                attention_mask=mask.to(device),
                max_new_tokens=settings.max_new_tokens,
                do_sample=False,
                eos_token_id=stops,
                pad_token_id=tokenizer.pad_token_id,
            )
        for index, sequence in zip(part, output[:, longest:].tolist(), strict=True):
            end = next((n for n, token in enumerate(sequence) if token in stops), None)
            kept = sequence if end is None else sequence[:end]
            answers[index] = Generation(tokenizer.decode(kept, skip_special_tokens=True), end is not None, len(kept))
    return [answers[index] for index in range(len(rows))]


def score(
    rows: list[Row],
    generations: list[Generation],
    samples: int,
    payable: Callable[[str, date], int | None] | None = None,
) -> dict:
    """The record of one evaluation: ``exact`` (share whose final amount is right, with its 95 % interval), per tax, stops.

    ``payable`` reads the tax an answer states; taxlaw.calls.answer_payable unless a test gives another.
    """
    if payable is None:
        from taxlaw.calls import answer_payable as payable
    found = [payable(g.text, date.fromisoformat(row.as_of)) for row, g in zip(rows, generations, strict=True)]
    right = [amount == row.payable for row, amount in zip(rows, found, strict=True)]
    interval = ratio(right, share=True)
    taxes = sorted({row.tax for row in rows})
    per_tax = {}
    for tax in taxes:
        hits = [hit for row, hit in zip(rows, right, strict=True) if row.tax == tax]
        per_tax[tax] = {"rows": len(hits), "exact": round(sum(hits) / len(hits), 4)}
    shown = [index for index, hit in enumerate(right) if hit][: samples // 2]
    shown += [index for index, hit in enumerate(right) if not hit][: samples - len(shown)]
    return {
        "rows": len(rows),
        "right": sum(right),
        "exact": round(sum(right) / len(rows), 4),
        "interval": [round(bound, 4) for bound in (interval.low, interval.high)],
        "per_tax": per_tax,
        "wrong": [row.id for row, hit in zip(rows, right, strict=True) if not hit],
        "ended_by_stop": round(sum(g.stopped for g in generations) / len(rows), 4),
        "mean_tokens": round(sum(g.tokens for g in generations) / len(rows), 1),
        "samples": [
            {
                "id": rows[i].id,
                "question": rows[i].question,
                "output": generations[i].text,
                "payable": found[i],
                "expected": rows[i].payable,
                "exact": right[i],
            }
            for i in shown
        ],
    }
