"""Direct preference optimisation on pairs of a right and a wrong answer (Rafailov et al. 2023, arXiv 2305.18290).

What the reference thinks of each pair is a constant, so it is computed once, before the first step, without gradient and
without a second model: by the student as it enters the stage, or by the model with its adapter off.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from pydantic import ValidationError
from torch.nn.functional import cross_entropy, logsigmoid

from finetune.chat import Encoded, encode
from finetune.data import MAX_TRUNCATED
from finetune.errors import GateError, InputError
from finetune.settings import PreferenceStage
from finetune.train import IGNORED, Batch, Objective, adapter_autocast, collate
from taxlaw.strict_config import StrictModel


class Pair(StrictModel):
    """One line of the file: two answers to one question."""

    question: str
    chosen: str
    rejected: str


@dataclass(frozen=True)
class EncodedPair:
    """Token ids of both answers; the references are log-probabilities of the whole answers (or their means per token)."""

    chosen: Encoded
    rejected: Encoded
    reference_chosen: float = 0.0
    reference_rejected: float = 0.0

    @property
    def tokens(self) -> int:
        return len(self.chosen.ids) + len(self.rejected.ids)


@dataclass(frozen=True)
class PairBatch:
    """``rows``: the chosen answers, then the rejected ones; ``reference``: (pairs,) chosen minus rejected."""

    rows: Batch
    reference: torch.Tensor
    margins: list[float] = field(default_factory=list)  # written by the loss, one per pair, for the metrics

    @property
    def input_ids(self) -> torch.Tensor:
        return self.rows.input_ids


def read_pairs(path: Path) -> list[Pair]:
    """The pairs of a JSONL file.  Raises InputError naming the line, also when both answers are the same."""
    if not path.is_file():
        raise InputError(
            f"선호 쌍 파일이 없습니다: {path}\n  `python -m finetune pairs` 로 만들 수 있습니다. (No such pairs file.)"
        )
    pairs = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            pair = Pair.model_validate(json.loads(line))
        except json.JSONDecodeError as exc:
            raise InputError(f"{path}:{number}: JSON 이 아닙니다 (not JSON): {exc}") from exc
        except ValidationError as exc:
            first = exc.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise InputError(f"{path}:{number}: '{where}' 값이 잘못되었습니다: {first['msg']}") from exc
        if pair.chosen == pair.rejected:
            raise InputError(f"{path}:{number}: chosen 과 rejected 가 같습니다 (the same answer twice)")
        pairs.append(pair)
    if not pairs:
        raise InputError(f"선호 쌍이 없습니다 (no pairs): {path}")
    return pairs


def encode_pairs(pairs: list[Pair], tokenizer, max_tokens: int) -> list[EncodedPair]:
    """Encode; pairs longer than ``max_tokens`` are left out.  Raises GateError when they are more than 1 %."""
    encoded = [
        EncodedPair(encode(one.question, one.chosen, tokenizer), encode(one.question, one.rejected, tokenizer))
        for one in pairs
    ]
    kept = [one for one in encoded if max(len(one.chosen.ids), len(one.rejected.ids)) <= max_tokens]
    if len(encoded) - len(kept) > MAX_TRUNCATED * len(encoded):
        raise GateError(
            f"선호 쌍 {len(encoded):,}개 가운데 {len(encoded) - len(kept):,}개가 max_tokens={max_tokens} 보다 깁니다 (1% 초과)."
        )
    return kept


def answer_scores(model, batch: Batch, per_token: bool) -> torch.Tensor:
    """(rows,) log-probability of each answer, summed over its tokens or their mean."""
    causal = model.get_base_model() if hasattr(model, "get_base_model") else model
    hidden = causal.model(input_ids=batch.input_ids, attention_mask=batch.attention_mask, use_cache=False)
    targets = batch.labels[:, 1:]
    wanted = targets != IGNORED
    logits = causal.lm_head(hidden.last_hidden_state[:, :-1][wanted])
    scores = -cross_entropy(logits.float(), targets[wanted], reduction="none")
    row = wanted.nonzero()[:, 0]
    sums = torch.zeros(len(targets), device=scores.device).index_add(0, row, scores)
    return sums / wanted.sum(1) if per_token else sums


def with_reference(
    model, pairs: list[EncodedPair], stage: PreferenceStage, pad_id: int, pass_tokens: int, device: str
) -> list[EncodedPair]:
    """The pairs with what the reference thinks of them; no gradient, no dropout, the model is left as it was."""
    adapter = model.disable_adapter() if stage.reference == "base" else nullcontext()
    training = model.training
    model.eval()
    scored: dict[int, EncodedPair] = {}
    with torch.no_grad(), adapter, adapter_autocast(model, device):
        for part in _cut(list(enumerate(pairs)), pass_tokens, lambda numbered: numbered[1]):
            batch = _collate([pair for _, pair in part], pad_id, device)
            chosen, rejected = answer_scores(model, batch.rows, stage.length_normalised).chunk(2)
            for (number, pair), right, wrong in zip(part, chosen.tolist(), rejected.tolist(), strict=True):
                scored[number] = replace(pair, reference_chosen=right, reference_rejected=wrong)
    model.train(training)
    return [scored[number] for number in range(len(pairs))]


def put_reference(pairs: list[EncodedPair], reference: list[list[float]]) -> list[EncodedPair]:
    """The pairs with the (chosen, rejected) scores that ``with_reference`` found earlier."""
    return [
        replace(pair, reference_chosen=right, reference_rejected=wrong)
        for pair, (right, wrong) in zip(pairs, reference, strict=True)
    ]


def preferences(stage: PreferenceStage, pad_id: int) -> Objective:
    """The DPO objective: -log sigmoid(beta * ((chosen - rejected) - the same of the reference)), per pair."""

    def loss(model, batch: PairBatch) -> torch.Tensor:
        chosen, rejected = answer_scores(model, batch.rows, stage.length_normalised).chunk(2)
        margins = stage.beta * (chosen - rejected - batch.reference)
        batch.margins.extend(margins.tolist())
        return -logsigmoid(margins).sum()

    return Objective(
        cut=lambda pairs, most_tokens: _cut(pairs, most_tokens, lambda pair: pair),
        collate=lambda pairs, device: _collate(pairs, pad_id, device),
        loss=loss,
        weight=lambda batch: len(batch.reference),
        tokens=lambda pair: pair.tokens,
        measure=_measure,
    )


def _measure(batches: Sequence[PairBatch]) -> dict[str, float]:
    margins = [margin for batch in batches for margin in batch.margins]
    if not margins:  # a process without a share of this step
        return {}
    return {"margin": sum(margins) / len(margins), "preferred": sum(one > 0 for one in margins) / len(margins)}


def _cut(items: list, most_tokens: int, pair_of: Callable) -> list[list]:
    """As train.split_batch, both answers of a pair in one part."""
    parts: list[list] = []
    longest = 0
    for item in sorted(items, key=lambda one: _longer(pair_of(one))):
        longest = max(longest, _longer(pair_of(item)))
        if parts and 2 * longest * (len(parts[-1]) + 1) <= most_tokens:
            parts[-1].append(item)
        else:
            parts.append([item])
    return parts


def _longer(pair: EncodedPair) -> int:
    return max(len(pair.chosen.ids), len(pair.rejected.ids))


def _collate(pairs: list[EncodedPair], pad_id: int, device: str) -> PairBatch:
    rows = collate([pair.chosen for pair in pairs] + [pair.rejected for pair in pairs], pad_id, device)
    reference = torch.tensor([pair.reference_chosen - pair.reference_rejected for pair in pairs], device=device)
    return PairBatch(rows, reference)
