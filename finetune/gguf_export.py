"""Writes a Gemma 3 text model, or a Phi one, with its tokenizer as GGUF, from the Hugging Face side alone.

Why not the package ``convert-hf-to-gguf``: it is a third-party repack that overwrites the ``gguf`` package, and it would
write Gemma's tokenizer as a gpt2-type one, which older llama.cpp builds refuse.  Why not a copy of the base GGUF's
metadata: a hub base and a fitted vocabulary have none to copy, so both kinds of base take one path.

What differs from the Hugging Face side of Gemma: llama.cpp multiplies by a norm weight as stored where Gemma's code
multiplies by (1 + weight), so norm weights are written plus one (transformers' GGUF loader subtracts it again).
"""

from __future__ import annotations

from pathlib import Path

from finetune.errors import GateError
from finetune.gguf_tokenizer import write_tokenizer
from finetune.settings import QUANTISATIONS

LOCAL_ROPE_BASE = 10_000.0  # llama.cpp has this and the 5-to-1 layer pattern built in for gemma3
LAYER_PATTERN = 6
F16_MAX = 65_504.0


def export_gguf(model, tokenizer, target: Path, file_type: str, name: str) -> None:
    """Write ``model`` (Gemma3ForCausalLM or PhiForCausalLM, any dtype) to ``target`` as F32, F16 or BF16.

    Raises GateError for a model llama.cpp would compute differently, for a tensor without a GGUF name, and for a weight
    too large for F16.
    """
    import gguf

    architecture = architecture_of(model.config)
    writer = gguf.GGUFWriter(target, gguf.MODEL_ARCH_NAMES[architecture])
    writer.add_type(gguf.GGUFType.MODEL)
    writer.add_name(name)
    if architecture == gguf.MODEL_ARCH.GEMMA3:
        writer.add_license("gemma")
        _write_gemma(writer, model.config)
    else:
        _write_phi(writer, model.config)
    writer.add_file_type(QUANTISATIONS[file_type])
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    write_tokenizer(writer, tokenizer, model.config.vocab_size)
    for tensor_name, array, kind in _tensors(model, architecture, file_type):
        writer.add_tensor(tensor_name, array, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def architecture_of(config):
    """gguf.MODEL_ARCH of a transformers configuration; raises GateError for another family."""
    import gguf

    known = {"gemma3_text": gguf.MODEL_ARCH.GEMMA3, "phi": gguf.MODEL_ARCH.PHI2}
    if config.model_type not in known:
        raise GateError(
            f"GGUF 로 쓸 줄 모르는 구조입니다 (unsupported): {config.model_type}. Gemma 3, Phi-2 계열만 됩니다."
        )
    return known[config.model_type]


def tensor_name(names, name: str) -> str:
    """GGUF's name of a Hugging Face weight; raises GateError when it has none."""
    target = names.get_name(name, try_suffixes=(".weight", ".bias"))
    if target is None:
        raise GateError(f"GGUF 이름이 없는 가중치입니다 (no GGUF name): {name}")
    return target


def _refuse(differences: list[tuple[bool, str]], kind: str) -> None:
    found = [text for differs, text in differences if differs]
    if found:
        raise GateError(f"llama.cpp 의 {kind} 와 구조가 다릅니다 (not llama.cpp's {kind}): {'; '.join(found)}")


def _write_sizes(writer, config) -> None:
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)


def _write_gemma(writer, config) -> None:
    import gguf

    rope = config.rope_parameters
    local, whole = rope["sliding_attention"], rope["full_attention"]
    pattern = [
        "full_attention" if (i + 1) % LAYER_PATTERN == 0 else "sliding_attention"
        for i in range(len(config.layer_types))
    ]
    _refuse(
        [
            (list(config.layer_types) != pattern, f"layer_types {config.layer_types}"),
            (local["rope_theta"] != LOCAL_ROPE_BASE, f"local rope_theta {local['rope_theta']}"),
            (config.query_pre_attn_scalar != config.head_dim, f"query_pre_attn_scalar {config.query_pre_attn_scalar}"),
            (bool(config.attn_logit_softcapping or config.final_logit_softcapping), "logit softcapping"),
            (not config.tie_word_embeddings, "untied output layer"),
        ],
        "gemma3",
    )
    _write_sizes(writer, config)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_key_length(config.head_dim)
    writer.add_value_length(config.head_dim)
    writer.add_rope_freq_base(whole["rope_theta"])
    writer.add_sliding_window(config.sliding_window)
    if whole["rope_type"] == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(whole["factor"])
    elif whole["rope_type"] != "default":
        raise GateError(f"rope_type '{whole['rope_type']}' 을 GGUF 로 쓸 줄 모릅니다 (unsupported).")


def _write_phi(writer, config) -> None:
    rope = config.rope_parameters
    head_dim = config.hidden_size // config.num_attention_heads
    _refuse(
        [
            (bool(config.qk_layernorm), "qk_layernorm"),
            (config.hidden_act not in ("gelu_new", "gelu_pytorch_tanh"), f"hidden_act {config.hidden_act}"),
            (rope["rope_type"] != "default", f"rope_type {rope['rope_type']}"),
            (config.tie_word_embeddings, "tied output layer"),
        ],
        "phi2",
    )
    _write_sizes(writer, config)
    writer.add_layer_norm_eps(config.layer_norm_eps)
    writer.add_rope_dimension_count(int(head_dim * rope["partial_rotary_factor"]))
    writer.add_rope_freq_base(rope["rope_theta"])


def _tensors(model, architecture, file_type: str):
    """Yield (GGUF name, array, raw type or None) of every weight; the tied output layer is not listed a second time."""
    import gguf
    import torch

    names = gguf.get_tensor_name_map(architecture, model.config.num_hidden_layers)
    gemma = architecture == gguf.MODEL_ARCH.GEMMA3
    for name, value in model.named_parameters():
        target = tensor_name(names, name)
        tensor = value.detach().to("cpu", torch.float32)
        if gemma and name.endswith("norm.weight"):
            tensor = tensor + 1
        if tensor.ndim == 1 or file_type == "F32":
            yield target, tensor.numpy(), None
        elif file_type == "F16":
            largest = tensor.abs().max().item()
            if not largest <= F16_MAX:
                raise GateError(
                    f"{name}: 가장 큰 값 {largest:g} 이 F16 을 넘습니다 (overflow). BF16 이나 F32 로 하세요."
                )
            yield target, tensor.to(torch.float16).numpy(), None
        else:
            kind = gguf.GGMLQuantizationType.BF16
            yield target, gguf.quants.quantize(tensor.numpy(), kind), kind
