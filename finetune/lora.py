"""Puts LoRA adapters on the linear layers that were asked for, and on nothing else.  Knows nothing of the training loop.

Pieces added to the vocabulary have embeddings of their own to learn: peft's trainable tokens, one float32 row each, which
the tied output layer shares.  They are part of the adapter: saved, resumed and merged with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from finetune.errors import InputError
from finetune.settings import GEMMA_TARGETS, PHI_TARGETS, Lora

EMBEDDING = "embed_tokens"  # of the models whose vocabulary can be extended
NEW_PIECES = "trainable_tokens_"  # in the names of their parameters


def attach_lora(model, settings: Lora, seed: int, new_rows: Sequence[int] = ()):
    """Wrap ``model`` with fp32 adapters over its frozen weights and return (peft model, layers per target name).

    ``new_rows``: rows of the embedding that are trained themselves, those of added pieces.

    Raises InputError when a name matches no linear layer (peft would say nothing), or matches one outside the text
    layers: lm_head is tied to the embeddings, and a vision tower never sees our data.  Layers in four bits (nf4) count
    as linear and get the same adapters.
    """
    import torch
    from peft import LoraConfig, get_peft_model

    matched = matched_layers(model, settings.targets)
    torch.manual_seed(seed)
    config = LoraConfig(
        r=settings.r,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules=sorted(name for names in matched.values() for name in names),
        bias="none",
        task_type="CAUSAL_LM",
        trainable_token_indices={EMBEDDING: list(new_rows)} if new_rows else None,
    )
    wrapped = get_peft_model(model, config, autocast_adapter_dtype=True)
    return wrapped, {target: len(names) for target, names in matched.items()}


def matched_layers(model, targets: tuple[str, ...]) -> dict[str, list[str]]:
    """Full names of the linear layers each target name stands for; raises InputError (see attach_lora)."""
    import torch

    linear = [name for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)]
    matched = {target: [name for name in linear if name.rsplit(".", 1)[-1] == target] for target in targets}
    available = Counter(name.rsplit(".", 1)[-1] for name in linear)
    for target, names in matched.items():
        if not names:
            raise InputError(
                f"lora.targets 의 '{target}' 에 맞는 층이 없습니다 (matches no linear layer).\n"
                f"  쓸 수 있는 이름: {', '.join(sorted(available))}\n"
                f"  Gemma 3: {' '.join(GEMMA_TARGETS)}; Phi-2: {' '.join(PHI_TARGETS)}"
            )
        outside = [name for name in names if not name.startswith("model.layers.")]
        if outside:
            raise InputError(
                f"lora.targets 의 '{target}' 이 텍스트 층 밖에 있습니다 (outside the text layers): {outside[:3]}"
            )
    return matched


def save_adapter(model, base_name: str, folder: Path) -> None:
    """Write the adapter; it names its base in words, not by a path on this machine.

    Of the embedding it holds the rows of added pieces only.
    """
    model.peft_config["default"].base_model_name_or_path = base_name
    model.save_pretrained(folder, save_embedding_layers=False)  # "auto" would look the base up on the hub


def trainable_parameters(model) -> int:
    """Number of parameters that are trained."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
