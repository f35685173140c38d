"""Merges a LoRA adapter into a clean copy of its base.  Knows nothing of GGUF.

Always computed in float32 and always from the base as loaded, never into the weights used in training: those may be four
bits, and a small update added to a bfloat16 weight is mostly rounded away.  Where the file that follows is bfloat16
anyway, each merged weight is rounded to it at once, which gives the same file for half the memory.
"""

from __future__ import annotations

from pathlib import Path

from finetune.base import BaseWeights, load_model
from finetune.errors import GateError
from finetune.settings import RunConfig


def merged_dtype(config: RunConfig) -> str:
    """In which the merged weights are held: that of the unquantised file, F16 and F32 from float32."""
    return "bfloat16" if config.export.unquantised == "BF16" else "float32"


def merge_adapter(weights: BaseWeights, adapter: Path, dtype: str = "float32"):
    """The base with the adapter added, in ``dtype`` ("float32" or "bfloat16").

    Raises GateError for NaN, infinity, or an adapter without effect.
    """
    import torch
    from peft import PeftModel
    from peft.tuners.lora import LoraLayer
    from peft.tuners.trainable_tokens import TrainableTokensLayer

    model = PeftModel.from_pretrained(load_model(weights, dtype), str(adapter)).eval()
    changed = 0
    for name, module in model.named_modules():
        if isinstance(module, TrainableTokensLayer) and module.tied_adapter is None:
            # Rows of added pieces; the output layer is tied to this very weight.
            module.base_layer.weight.data = module.get_merged_weights(module.active_adapters).detach()
        if not isinstance(module, LoraLayer):
            continue
        weight = module.get_base_layer().weight
        with torch.no_grad():
            update = sum(module.get_delta_weight(active).float() for active in module.active_adapters)
            merged = (weight.float() + update).to(weight.dtype)
        if not torch.isfinite(merged).all():
            raise GateError(
                f"합친 가중치에 NaN 이나 무한대가 있습니다 (not finite): {name}. learning_rate 를 낮추세요."
            )
        changed += not torch.equal(merged, weight)
        weight.data = merged
    if not changed:
        raise GateError(
            "어댑터가 가중치를 하나도 바꾸지 않았습니다 (the adapter changed nothing). 학습 시간을 늘리세요."
        )
    merged_model = model.unload()
    for name, value in merged_model.named_parameters():
        if not torch.isfinite(value).all():
            raise GateError(f"base 의 가중치에 NaN 이나 무한대가 있습니다 (not finite): {name}")
    return merged_model.eval()
