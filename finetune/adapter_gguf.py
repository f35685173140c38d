"""Writes a LoRA adapter as a GGUF of its own: one base file then serves several students, switched on and off.

llama.cpp scales an adapter by alpha / rank (src/llama-adapter.h); peft scales a rank-stabilised one by alpha / sqrt(rank),
so alpha * sqrt(rank) is written for those.  What llama.cpp's adapters cannot say is refused instead of lost: DoRA's
magnitudes, ranks or alphas of single layers, trained embeddings, biases.
"""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

from finetune.errors import GateError, InputError
from finetune.gguf_export import architecture_of, tensor_name

_WEIGHT = re.compile(r"^base_model\.model\.(?P<layer>.+)\.lora_(?P<half>[AB])\.weight$")


def export_adapter(adapter: Path, config, target: Path, name: str) -> int:
    """Write the peft adapter in folder ``adapter`` to ``target``; returns the number of layers it changes.

    ``config``: transformers configuration of its base.  Raises InputError when the folder holds no adapter, GateError
    for one that llama.cpp cannot apply as peft does, or that holds NaN.
    """
    import gguf
    import numpy as np
    import torch
    from safetensors.torch import load_file

    settings, weights_file = _read_settings(adapter)
    architecture = architecture_of(config)
    names = gguf.get_tensor_name_map(architecture, config.num_hidden_layers)
    halves: dict[str, dict[str, np.ndarray]] = {}
    for key, value in load_file(weights_file).items():
        found = _WEIGHT.match(key)
        if found is None:
            raise GateError(
                f"llama.cpp 의 어댑터로 옮길 수 없는 가중치입니다 (not a LoRA matrix): {key}\n"
                "  임베딩을 함께 배운 학생은 `python -m finetune merge` 로 합쳐서 내보내세요 (merge it instead)."
            )
        if not torch.isfinite(value).all():
            raise GateError(f"어댑터에 NaN 이나 무한대가 있습니다 (not finite): {key}")
        halves.setdefault(found["layer"], {})[found["half"]] = value.float().numpy()
    writer = gguf.GGUFWriter(target, gguf.MODEL_ARCH_NAMES[architecture])
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_name(name)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, _alpha(settings))
    for layer, pair in sorted(halves.items()):
        if set(pair) != {"A", "B"} or {pair["A"].shape[0], pair["B"].shape[1]} != {settings["r"]}:
            raise GateError(f"어댑터의 행렬이 짝이 맞지 않습니다 (halves do not fit): {layer}, r={settings['r']}")
        base = tensor_name(names, f"{layer}.weight")
        writer.add_tensor(f"{base}.lora_a", pair["A"])
        writer.add_tensor(f"{base}.lora_b", pair["B"])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return len(halves)


def _read_settings(adapter: Path) -> tuple[dict, Path]:
    settings_file, weights_file = adapter / "adapter_config.json", adapter / "adapter_model.safetensors"
    for file in (settings_file, weights_file):
        if not file.is_file():
            raise InputError(f"어댑터 폴더가 아닙니다: {adapter} ({file.name} 이 없습니다; no adapter here)")
    settings = json.loads(settings_file.read_text(encoding="utf-8"))
    unsupported = [
        key
        for key in (
            "use_dora",
            "rank_pattern",
            "alpha_pattern",
            "modules_to_save",
            "trainable_token_indices",
            "lora_bias",
        )
        if settings.get(key)
    ]
    if settings.get("peft_type") != "LORA" or unsupported:
        raise GateError(
            f"llama.cpp 의 어댑터가 나타내지 못하는 설정입니다 (not expressible): {settings.get('peft_type')} {unsupported}\n"
            "  `python -m finetune merge` 로 합친 다음 내보내세요 (merge it instead)."
        )
    return settings, weights_file


def _alpha(settings: dict) -> float:
    return settings["lora_alpha"] * (math.sqrt(settings["r"]) if settings.get("use_rslora") else 1.0)
