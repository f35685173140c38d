"""Whom we measure: a model in torch, a GGUF, or recorded answers, each as the same few functions.  Knows no measure."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import ConfigDict, ValidationError

from finetune.chat import Template, encode
from finetune.data import Row, target_text
from finetune.errors import InputError
from finetune.evaluate import Generation, generate_with_transformers, prompt_of, turns_of
from finetune.evaluation.measures import Likelihood
from finetune.evidence import user_turn
from finetune.settings import Evaluation
from taxlaw.strict_config import StrictModel

TIMED_TOKENS = 32
TIMED_PROMPTS = 3


@dataclass(frozen=True)
class Caps:
    """Most tokens an answer may have: the longest calculator call takes about 100, an answer in words more."""

    worked: int = 160
    words: int = 256
    batch_size: int = 16


@dataclass(frozen=True)
class Subject:
    """``answer`` gives greedy answers in the order of the rows; the rest is None where there is nothing to measure.

    ``size``: bytes of the weights as they are held.  ``speed``: tokens per second of decoding one answer alone.
    """

    name: str
    title: str
    answer: Callable[[list[Row], Caps], list[Generation]]
    likelihoods: Callable[[list[Row], str], list[Likelihood]] | None = None
    speed: Callable[[list[Row]], float] | None = None
    size: int | None = None
    generated: bool = True


def torch_subject(name: str, title: str, model, tokenizer) -> Subject:
    """A transformers (or peft) model in evaluation mode."""

    def answer(rows: list[Row], caps: Caps) -> list[Generation]:
        return _by_cap(rows, caps, lambda some, most: generate_with_transformers(model, tokenizer, some, most))

    return Subject(
        name,
        title,
        answer,
        likelihoods=lambda rows, target: torch_likelihoods(model, tokenizer, rows, target),
        speed=lambda rows: torch_speed(model, tokenizer, rows),
        size=sum(parameter.numel() * parameter.element_size() for parameter in model.parameters()),
    )


def gguf_subject(name: str, title: str, file: Path, template: Template | None = None) -> Subject:
    """A GGUF under llama.cpp, asked through its own template as serving does.  Raises InputError when it is not there.

    ``template``: for the answers of a base that brings none; likelihood and speed need the file's own.
    """
    from finetune.evaluation import gguf_model

    def answer(rows: list[Row], caps: Caps) -> list[Generation]:
        return _by_cap(rows, caps, lambda some, most: gguf_model.generate(file, some, most.max_new_tokens, template))

    if not file.is_file():
        raise InputError(f"GGUF 파일이 없습니다: {file}\n  경로를 확인하세요 (no such file).")
    return Subject(
        name,
        title,
        answer,
        likelihoods=lambda rows, target: gguf_model.likelihoods(file, rows, target),
        speed=lambda rows: gguf_model.speed(file, rows[:TIMED_PROMPTS], TIMED_TOKENS),
        size=file.stat().st_size,
    )


class _Recorded(StrictModel):
    """One line of recorded_answers.jsonl; further keys are not ours to check."""

    model_config = ConfigDict(extra="ignore")
    question: str
    answer: str
    style: str


def recorded_subject(file: Path) -> tuple[Subject, Callable[[Row], bool]] | None:
    """The teacher's recorded answers and which rows they cover; None when the dataset has no such file or it is empty.

    Raises InputError for a line that is not a recorded answer.
    """
    if not file.is_file():
        return None
    answers: dict[tuple[str, str], str] = {}
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            said = _Recorded.model_validate_json(line)
        except ValidationError as exc:
            raise InputError(f"{file}:{number}: 녹음된 답이 아닙니다 (not a recorded answer): {exc}") from exc
        answers[said.question, said.style] = said.answer
    if not answers:
        return None

    def answer(rows: list[Row], caps: Caps) -> list[Generation]:
        return [Generation(answers[row.question, row.style], True, 0) for row in rows]

    subject = Subject("teacher", "교사 (녹음)", answer, generated=False)
    return subject, lambda row: (row.question, row.style) in answers


def torch_likelihoods(model, tokenizer, rows: list[Row], target: str) -> list[Likelihood]:
    """Of each row's expected answer, one row at a time; only the answer's positions go through the output layer."""
    import torch

    device = next(model.parameters()).device
    found = []
    for row in rows:
        answer = target_text(row, target)
        encoded = encode(user_turn(row), answer, tokenizer, turns_of(row))
        ids = torch.tensor([encoded.ids], device=device)
        tail = len(encoded.ids) - encoded.answer_start
        with torch.inference_mode():
            logits = model(input_ids=ids, logits_to_keep=tail + 1).logits[0, :-1].float()
        nats = torch.nn.functional.cross_entropy(logits, ids[0, -tail:], reduction="sum")
        found.append(Likelihood(float(nats), tail, len(answer)))
    return found


def torch_speed(model, tokenizer, rows: list[Row]) -> float:
    """Tokens per second of greedy decoding, one answer at a time: the median over a few prompts, the prompt's own time out."""
    import torch

    device = next(model.parameters()).device
    speeds = []
    for row in rows[:TIMED_PROMPTS]:
        ids = torch.tensor([prompt_of(row, tokenizer)], device=device)
        seconds = []
        for tokens in (1, TIMED_TOKENS):
            started = time.perf_counter()
            with torch.inference_mode():
                made = model.generate(
                    input_ids=ids,
                    attention_mask=torch.ones_like(ids),
                    min_new_tokens=tokens,
                    max_new_tokens=tokens,
                    do_sample=False,
                    pad_token_id=tokenizer.pad_token_id,
                )
            made[0, -1].item()  # waits for a GPU
            seconds.append(time.perf_counter() - started)
        speeds.append((TIMED_TOKENS - 1) / max(seconds[1] - seconds[0], 1e-6))
    return statistics.median(speeds)


def _by_cap(
    rows: list[Row], caps: Caps, generate: Callable[[list[Row], Evaluation], list[Generation]]
) -> list[Generation]:
    """Worked rows and rows in words apart, each with its own cap; the answers in the order of ``rows``."""
    answers: dict[int, Generation] = {}
    for worked, cap in ((True, caps.worked), (False, caps.words)):
        places = [place for place, row in enumerate(rows) if (row.style == "worked") is worked]
        if places:
            settings = Evaluation(max_new_tokens=cap, batch_size=caps.batch_size)
            made = generate([rows[place] for place in places], settings)
            answers.update(zip(places, made, strict=True))
    return [answers[place] for place in range(len(rows))]
