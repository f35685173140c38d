"""Puts LoRA adapters on the linear layers that were asked for, and on nothing else.  Knows nothing of the training loop.

Pieces added to the vocabulary have embeddings of their own to learn: peft's trainable tokens, one float32 row each, which
the tied output layer shares.  They are part of the adapter: saved, resumed and merged with it.
"""

from __future__ import annotations

import json
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


def adapter_weights(folder: Path, settings: Lora) -> Path:
    """The file of an adapter that training is to go on from.  Raises InputError when it is missing or of another shape."""
    file, described = folder / "adapter_model.safetensors", folder / "adapter_config.json"
    if not (file.is_file() and described.is_file()):
        raise InputError(
            f"lora.start 에 어댑터가 없습니다 (no adapter there): {folder}\n"
            "  adapter_config.json 과 adapter_model.safetensors 가 든 폴더를 적으세요, 예: runs/student/adapter"
        )
    try:
        found = json.loads(described.read_text(encoding="utf-8"))
        shape = (found["r"], found["lora_alpha"])
        named = {name.rsplit(".", 1)[-1] for name in found["target_modules"]}
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise InputError(f"어댑터의 설정을 읽을 수 없습니다 (cannot read): {described} ({exc})") from exc
    if shape != (settings.r, settings.alpha) or named != set(settings.targets):
        raise InputError(
            f"lora.start 의 어댑터는 r={shape[0]}, alpha={shape[1]}, targets={sorted(named)} 입니다. "
            f"이 설정은 r={settings.r}, alpha={settings.alpha}, targets={sorted(settings.targets)} 입니다 (must be the same)."
        )
    return file


def holds_pieces(file: Path) -> bool:
    """Whether the adapter in ``file`` (`adapter_weights`) has embeddings of added pieces.  Raises InputError for a broken file."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, "pt") as weights:
            names = weights.keys()
    except SafetensorError as exc:
        raise InputError(f"어댑터의 파일이 깨졌습니다 (cannot read): {file} ({exc})") from exc
    return any(NEW_PIECES in name for name in names)


def go_on_from(model, file: Path) -> None:
    """Give the adapters of ``model`` the weights in ``file``; embeddings of added pieces only it has stay as they are.

    Raises InputError when the weights belong to other layers or to other pieces.
    """
    from peft import get_peft_model_state_dict, set_peft_model_state_dict
    from safetensors.torch import load_file

    weights = {name: value.float() for name, value in load_file(file).items()}
    own = get_peft_model_state_dict(model, save_embedding_layers=False)
    pieces = {name: value for name, value in own.items() if NEW_PIECES in name}
    all_weights = pieces | weights
    shapes = [{name: value.shape for name, value in some.items()} for some in (own, all_weights)]
    if shapes[0] != shapes[1] or set_peft_model_state_dict(model, all_weights).unexpected_keys:
        raise InputError(
            f"lora.start 의 어댑터는 다른 층이나 조각의 것입니다 (belongs to other layers or pieces): {file}"
        )


def save_adapter(model, base_name: str, folder: Path) -> None:
    """Write the adapter; it names its base in words, not by a path on this machine.

    Of the embedding it holds the rows of added pieces only.
    """
    model.peft_config["default"].base_model_name_or_path = base_name
    model.save_pretrained(folder, save_embedding_layers=False)  # "auto" would look the base up on the hub


def trainable_parameters(model) -> int:
    """Number of parameters that are trained."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
