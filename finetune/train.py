"""The training loop, as plain functions: batches in, adapter weights changed in place, one Step per optimiser step.

The loss is that of answer tokens only, and only their positions reach the output layer: with Gemma's 262,144 rows it is
the dearest layer of a small model.  What else can be learned (packed rows, right and wrong answers) is an Objective.
Knows nothing of files, datasets or evaluation; who wants to do something between two steps passes ``between``.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Protocol

import torch
from torch.nn.functional import cross_entropy

from finetune.chat import Encoded
from finetune.errors import GateError
from finetune.lora import NEW_PIECES
from finetune.settings import Train

IGNORED = -100


@dataclass(frozen=True)
class Step:
    """What one optimiser step did.

    ``tokens`` counts prompt and answer without padding; ``seconds`` are those trained in this stage so far, over all
    processes that worked on it, without accuracy evaluations.
    """

    step: int
    epoch: float
    budget_used: float
    loss: float
    learning_rate: float
    gradient_norm: float
    tokens: int
    target_tokens: int
    padded_tokens: int
    seconds: float
    stage: str = ""
    margin: float | None = None  # preference only: mean of beta * (chosen - rejected), relative to the reference
    preferred: float | None = None  # preference only: share of pairs with a positive margin


@dataclass(frozen=True)
class Batch:
    """Tensors (rows, longest); labels are IGNORED outside the answers."""

    input_ids: torch.Tensor
    attention_mask: (
        torch.Tensor | dict | None
    )  # None for rows padded on the right; a dict by layer type for packed rows
    labels: torch.Tensor
    position_ids: torch.Tensor | None = None  # None: 0, 1, 2 ... in every row


@dataclass(frozen=True)
class Objective:
    """What a stage learns.  ``loss`` is a sum; the loop divides by the ``weight`` of the whole step."""

    cut: Callable[[list, int], list[list]]  # items of one batch -> parts of at most so many tokens
    collate: Callable[[list, str], Any]  # a part, the device -> tensors
    loss: Callable[[Any, Any], torch.Tensor]  # model, tensors -> sum over the part
    weight: Callable[[Any], int]  # tensors -> answer tokens, or pairs
    tokens: Callable[[Any], int]  # an item -> its tokens
    measure: Callable[[list], dict[str, float]] = lambda tensors: {}  # further fields of Step, after the loss


@dataclass(frozen=True)
class Position:
    """Where a stage stands between two steps.

    With the trainable weights and the random generators it is all that is needed to go on exactly.  ``optimiser`` is
    the live one when handed to ``between``, and its state_dict when a stage is resumed.
    """

    steps: list[Step]
    epoch: float
    seconds: float
    batches: int  # drawn from the sampler
    optimiser: Any


class Processes(Protocol):
    """Several processes that train one model: each sees the same batches and works on its share of every step."""

    def share(self, parts: list[list]) -> list[list]:
        """The parts this process works on."""

    def total(self, value: float) -> float:
        """The sum of ``value`` over the processes, the same in all."""

    def sum_gradients(self, parameters: list) -> None:
        """Replace every gradient (None counts as zero) by its sum over the processes."""


def collate(examples: list[Encoded], pad_id: int, device: str = "cpu") -> Batch:
    """Pad on the right to the longest of these examples.

    No mask: a token sees only those before it, so none sees the padding, and without one attention skips half its work.
    """
    longest = max(len(example.ids) for example in examples)
    input_ids = torch.full((len(examples), longest), pad_id, dtype=torch.long)
    labels = torch.full((len(examples), longest), IGNORED, dtype=torch.long)
    for row, example in enumerate(examples):
        ids = torch.tensor(example.ids)
        input_ids[row, : len(ids)] = ids
        labels[row, example.answer_start : len(ids)] = ids[example.answer_start :]
    return Batch(input_ids.to(device), None, labels.to(device))


def split_batch(examples: list[Encoded], most_tokens: int) -> list[list[Encoded]]:
    """Cut a batch so that no part has more than ``most_tokens`` with padding; a single longer example stands alone.

    Memory follows the largest part, and the gradient does not change (see accumulate_gradient).
    """
    parts: list[list[Encoded]] = []
    longest = 0
    for example in sorted(examples, key=lambda one: len(one.ids)):
        longest = max(longest, len(example.ids))
        if parts and longest * (len(parts[-1]) + 1) <= most_tokens:
            parts[-1].append(example)
        else:
            parts.append([example])
    return parts


def answer_loss(model, batch: Batch) -> torch.Tensor:
    """Sum (not mean) of the cross-entropy over answer tokens; divide by the tokens of the whole step."""
    causal = model.get_base_model() if hasattr(model, "get_base_model") else model
    places = {} if batch.position_ids is None else {"position_ids": batch.position_ids}
    hidden = causal.model(input_ids=batch.input_ids, attention_mask=batch.attention_mask, use_cache=False, **places)
    targets = batch.labels[:, 1:]
    wanted = targets != IGNORED
    logits = causal.lm_head(hidden.last_hidden_state[:, :-1][wanted])
    return cross_entropy(logits.float(), targets[wanted], reduction="sum")


def learning_rate_factor(used: float, warmup: float, schedule: str) -> float:
    """Share of the peak rate when ``used`` (0..1) of the budget is gone: linear up, then cosine or linear to 0."""
    if warmup and used < warmup:
        return max(used, 1e-3) / warmup
    rest = min(1.0, (used - warmup) / (1 - warmup))
    return 0.5 * (1 + math.cos(math.pi * rest)) if schedule == "cosine" else 1 - rest


def budget_used(settings: Train, minutes: float, epoch: float, step: int) -> float:
    """The largest used share of the given budgets; 1.0 or more ends the run."""
    shares = [
        spent / limit
        for spent, limit in ((minutes, settings.max_minutes), (epoch, settings.epochs), (step, settings.max_steps))
        if limit is not None
    ]
    return max(shares)


def count_targets(batch: Batch) -> int:
    """Answer tokens of a batch."""
    return int((batch.labels[:, 1:] != IGNORED).sum())


def answers(pad_id: int) -> Objective:
    """The ordinary objective: the tokens of the answers, in padded rows of like length."""
    return Objective(
        cut=split_batch,
        collate=lambda part, device: collate(part, pad_id, device),
        loss=answer_loss,
        weight=count_targets,
        tokens=lambda example: len(example.ids),
    )


def accumulate_gradient(
    model,
    batches: Iterable[Batch],
    loss: Callable = answer_loss,
    weight: Callable[[Any], int] = count_targets,
    processes: Processes | None = None,
) -> tuple[float, int]:
    """Backward over all batches of one step, weighted by token: 1 batch of 8 rows and 8 of 1 give the same gradient.

    Returns (mean loss per target token, target tokens), over all processes.  Raises GateError when the loss is not
    finite.
    """
    batches = list(batches)
    targets = sum(weight(batch) for batch in batches)
    if processes:
        targets = round(processes.total(targets))
    total = 0.0
    for batch in batches:
        batch_loss = loss(model, batch)
        if not torch.isfinite(batch_loss):
            raise GateError(
                "손실이 유한하지 않습니다 (loss is not finite). learning_rate 를 낮추거나 dtype 을 float32 로 하세요."
            )
        (batch_loss / targets).backward()
        total += float(batch_loss.detach())
    if processes:
        total = processes.total(total)
        processes.sum_gradients([parameter for parameter in model.parameters() if parameter.requires_grad])
    return total / targets, targets


def train(
    model,
    batches: Iterator[tuple[float, list]],
    settings: Train,
    pad_id: int,
    on_step: Callable[[Step], None],
    device: str = "cpu",
    clock: Callable[[], float] = time.monotonic,
    *,
    objective: Objective | None = None,
    stage: str = "",
    start: Position | None = None,
    between: Callable[[Position], bool] | None = None,
    processes: Processes | None = None,
    only_pieces: bool = False,
    quick: Callable[[], AbstractContextManager] = nullcontext,
) -> list[Step]:
    """Train until the first budget is used up, or ``between`` returns True; returns every step.

    ``batches`` gives (epochs done after it, items) without end, from its beginning also when ``start`` (where an earlier
    process stopped) is given.  The learning rate follows the share of the budget used, so a wall-clock budget still ends
    at rate 0; a resumed one goes on with the time that is left.  ``between`` is called after every step and once before
    the first of a resumed stage; the time it takes is not counted.  With ``only_pieces`` the adapters stay as they are.
    ``quick``: what every step's passes run in (quick_layers.QuickLayers.quick).
    """
    objective = objective or answers(pad_id)
    groups, still = parameter_groups(model, settings.piece_rate), []
    if only_pieces:
        still, groups = groups[0]["params"], groups[1:]
    parameters = [parameter for group in groups for parameter in group["params"]]
    optimiser = torch.optim.AdamW(
        groups, lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=device in ("cpu", "cuda")
    )
    start = start or Position([], 0.0, 0.0, 0, None)
    steps, epoch, drawn = list(start.steps), start.epoch, start.batches
    if start.optimiser is not None:
        optimiser.load_state_dict(start.optimiser)
        if between and between(replace(start, optimiser=optimiser)):
            return steps
    for _ in islice(batches, drawn):  # cheap: batches are lists of references
        pass
    model.train()
    began = clock() - start.seconds
    used = budget_used(settings, start.seconds / 60, epoch, len(steps))
    while used < 1:
        window = list(islice(batches, settings.accumulate))
        drawn += len(window)
        epoch = window[-1][0]
        rate = settings.learning_rate * learning_rate_factor(used, settings.warmup, settings.schedule)
        for group in optimiser.param_groups:
            group["lr"] = rate * group["share"]
        parts = [part for _, items in window for part in objective.cut(items, settings.pass_tokens)]
        tensors = [objective.collate(part, device) for part in (processes.share(parts) if processes else parts)]
        with adapter_autocast(model, device), held_still(still), quick():
            loss, targets = accumulate_gradient(model, tensors, objective.loss, objective.weight, processes)
        norm = float(torch.nn.utils.clip_grad_norm_(parameters, settings.clip))
        if not math.isfinite(norm):
            raise GateError("기울기가 유한하지 않습니다 (gradient is not finite). learning_rate 를 낮추세요.")
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        seconds = clock() - began
        padded = sum(tensor.input_ids.numel() for tensor in tensors)
        if processes:  # all must agree on the rate and on the end
            seconds = processes.total(seconds) / processes.total(1)
            padded = round(processes.total(padded))
        used = budget_used(settings, seconds / 60, epoch, len(steps) + 1)
        step = Step(
            step=len(steps) + 1,
            epoch=round(epoch, 4),
            budget_used=round(min(used, 1.0), 4),
            loss=loss,
            learning_rate=rate,
            gradient_norm=norm,
            tokens=sum(objective.tokens(item) for _, items in window for item in items),
            target_tokens=targets,
            padded_tokens=padded,
            seconds=round(seconds, 3),
            stage=stage,
            **objective.measure(tensors),
        )
        steps.append(step)
        on_step(step)
        if between:
            if between(Position(steps, epoch, seconds, drawn, optimiser)):
                break
            model.train()  # an evaluation in between turned it off
            began = clock() - seconds
    model.eval()
    return steps


def parameter_groups(model, piece_rate: float) -> list[dict]:
    """What is trained, for the optimiser: the adapters, and the embeddings of added pieces at their ``share`` of the rate."""
    trained = [(name, value) for name, value in model.named_parameters() if value.requires_grad]
    pieces = [value for name, value in trained if NEW_PIECES in name]
    groups = [{"params": [value for name, value in trained if NEW_PIECES not in name], "share": 1.0}]
    return [*groups, {"params": pieces, "share": piece_rate}] if pieces else groups


@contextmanager
def held_still(parameters: list) -> Iterator[None]:
    """No gradient for ``parameters`` while the block runs."""
    for parameter in parameters:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in parameters:
            parameter.requires_grad_(True)


@contextmanager
def adapter_autocast(model, device: str) -> Iterator[None]:
    """With a bfloat16 base, run the fp32 adapters' thin products in bfloat16 too; their weights and moments stay fp32.

    peft would turn every input into float32 for the adapter and autocast turns it back: the same numbers, but a copy of
    its own in each layer, kept for the backward pass.  (peft's disable_input_dtype_casting fails on the layer of added
    pieces, which casts nothing and has no such switch.)
    """
    if next(model.parameters()).dtype != torch.bfloat16:
        yield
        return
    casting = [module for module in model.modules() if getattr(module, "cast_input_dtype_enabled", False)]
    for module in casting:
        module.cast_input_dtype_enabled = False
    try:
        with torch.autocast(device_type=device, dtype=torch.bfloat16):
            yield
    finally:
        for module in casting:
            module.cast_input_dtype_enabled = True


def summarise(steps: list[Step]) -> dict[str, float | int]:
    """Totals for the run record; tokens per second leave out the first step, which warms caches up."""
    last = steps[-1]
    later = steps[1:] or steps
    elapsed = (last.seconds - steps[0].seconds) if len(steps) > 1 else last.seconds
    tail = steps[-max(1, len(steps) // 10) :]
    return {
        "steps": len(steps),
        "epochs": last.epoch,
        "seconds": last.seconds,
        "tokens": sum(step.tokens for step in steps),
        "target_tokens": sum(step.target_tokens for step in steps),
        "padding_share": round(1 - sum(s.tokens for s in steps) / sum(s.padded_tokens for s in steps), 4),
        "tokens_per_second": round(sum(step.tokens for step in later) / max(elapsed, 1e-9), 1),
        "target_tokens_per_second": round(sum(step.target_tokens for step in later) / max(elapsed, 1e-9), 1),
        "first_loss": round(steps[0].loss, 4),
        "last_loss": round(sum(step.loss for step in tail) / len(tail), 4),
    }
