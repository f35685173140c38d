"""Merges a LoRA adapter into a clean copy of its base in float32.  Knows nothing of GGUF.

Always float32 and always from the base as loaded, never into the bfloat16 weights used in training: a small update
added to a bfloat16 weight is mostly rounded away.
"""

from __future__ import annotations

from pathlib import Path

from finetune.base import BaseWeights, load_model
from finetune.errors import GateError


def merge_adapter(weights: BaseWeights, adapter: Path):
    """The base with the adapter added, float32.  Raises GateError for NaN, infinity, or an adapter without effect."""
    import torch
    from peft import PeftModel

    model = load_model(weights, "float32")
    before = {name: value.detach().abs().sum(dtype=torch.float64) for name, value in model.named_parameters()}
    merged = PeftModel.from_pretrained(model, str(adapter)).merge_and_unload(safe_merge=True)
    changed = 0
    for name, value in merged.named_parameters():
        if not torch.isfinite(value).all():
            raise GateError(
                f"합친 가중치에 NaN 이나 무한대가 있습니다 (not finite): {name}. learning_rate 를 낮추세요."
            )
        changed += bool(value.detach().abs().sum(dtype=torch.float64) != before[name])
    if not changed:
        raise GateError(
            "어댑터가 가중치를 하나도 바꾸지 않았습니다 (the adapter changed nothing). 학습 시간을 늘리세요."
        )
    return merged.eval()
