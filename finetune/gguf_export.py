"""Writes a Gemma 3 text model and its tokenizer as GGUF, from the Hugging Face side alone.

Why not the package ``convert-hf-to-gguf``: it is a third-party repack that overwrites the ``gguf`` package, and it would
write this tokenizer as a gpt2-type one, which older llama.cpp builds refuse.  Why not a copy of the base GGUF's
metadata: a hub base and a fitted vocabulary have none to copy.  What is written equals the base GGUF's own metadata
(tests/finetune compare the tokens, types and segmentation), so both kinds of base take one path.

Two things differ from the Hugging Face side.  llama.cpp multiplies by a norm weight as stored where Gemma's code
multiplies by (1 + weight), so norm weights are written plus one (transformers' GGUF loader subtracts it again).  And the
tokenizer is a SentencePiece one there: each piece needs a score, which is its merge rank, negated.
"""

from __future__ import annotations

import json
from pathlib import Path

from finetune.chat import END_OF_TURN, TEMPLATE
from finetune.errors import GateError
from finetune.settings import QUANTISATIONS

LOCAL_ROPE_BASE = 10_000.0  # llama.cpp has this and the 5-to-1 layer pattern built in for gemma3
LAYER_PATTERN = 6


def export_gguf(model, tokenizer, target: Path, file_type: str, name: str) -> None:
    """Write ``model`` (Gemma3ForCausalLM, any dtype) to ``target`` as F32, F16 or BF16.

    Raises GateError for a model llama.cpp's gemma3 would compute differently, and for a tensor without a GGUF name.
    """
    import gguf

    writer = gguf.GGUFWriter(target, gguf.MODEL_ARCH_NAMES[gguf.MODEL_ARCH.GEMMA3])
    _write_architecture(writer, model.config, name, file_type)
    _write_tokenizer(writer, tokenizer, model.config.vocab_size)
    _write_tensors(writer, model, file_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _write_architecture(writer, config, name: str, file_type: str) -> None:
    import gguf

    rope = config.rope_parameters
    local, whole = rope["sliding_attention"], rope["full_attention"]
    pattern = [
        "full_attention" if (i + 1) % LAYER_PATTERN == 0 else "sliding_attention"
        for i in range(len(config.layer_types))
    ]
    differences = [
        text
        for differs, text in (
            (list(config.layer_types) != pattern, f"layer_types {config.layer_types}"),
            (local["rope_theta"] != LOCAL_ROPE_BASE, f"local rope_theta {local['rope_theta']}"),
            (config.query_pre_attn_scalar != config.head_dim, f"query_pre_attn_scalar {config.query_pre_attn_scalar}"),
            (bool(config.attn_logit_softcapping or config.final_logit_softcapping), "logit softcapping"),
            (not config.tie_word_embeddings, "untied output layer"),
        )
        if differs
    ]
    if differences:
        raise GateError(f"llama.cpp 의 gemma3 와 구조가 다릅니다 (not llama.cpp's gemma3): {'; '.join(differences)}")
    writer.add_type(gguf.GGUFType.MODEL)
    writer.add_name(name)
    writer.add_license("gemma")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
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
    writer.add_file_type(QUANTISATIONS[file_type])
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)


def tokenizer_arrays(tokenizer, rows: int) -> tuple[list[str], list[float], list[int]]:
    """(pieces, scores, types) by id, padded to ``rows`` of the embedding with unused pieces."""
    import gguf

    kind = gguf.TokenType
    definition = json.loads(tokenizer.backend_tokenizer.to_str())
    vocab: dict[str, int] = definition["model"]["vocab"]
    special = {token["id"]: token["special"] for token in definition["added_tokens"]}
    names = {i: piece for piece, i in vocab.items()} | {t["id"]: t["content"] for t in definition["added_tokens"]}
    rank: dict[str, int] = {}
    for left, right in definition["model"]["merges"]:
        rank.setdefault(left + right, len(rank))
    pieces, scores, types = [], [], []
    for i in range(rows):
        piece = names.get(i)
        # A merge has the score of its rank; a single character is never the result of one, so any lower score does.
        score, of_type = -float(rank.get(piece, len(rank) + i)), kind.NORMAL
        if piece is None:
            piece, of_type = f"[PAD{i}]", kind.UNUSED
        elif i in special:
            score, of_type = -1000.0, kind.CONTROL if special[i] else kind.USER_DEFINED
        elif len(piece) > 1 and set(piece) == {"▁"}:
            score, of_type, piece = -1000.0, kind.USER_DEFINED, " " * len(piece)  # runs of spaces are cut out first
        elif len(piece) == 6 and piece.startswith("<0x") and piece.endswith(">"):
            score, of_type = 0.0, kind.BYTE
        pieces.append(piece)
        scores.append(score)
        types.append(int(of_type))
    return pieces, scores, types


def _write_tokenizer(writer, tokenizer, rows: int) -> None:
    pieces, scores, types = tokenizer_arrays(tokenizer, rows)
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(pieces)
    writer.add_token_scores(scores)
    writer.add_token_types(types)
    writer.add_bos_token_id(tokenizer.bos_token_id)
    writer.add_eos_token_id(tokenizer.eos_token_id)
    writer.add_eot_token_id(tokenizer.convert_tokens_to_ids(END_OF_TURN))
    writer.add_unk_token_id(tokenizer.unk_token_id)
    writer.add_pad_token_id(tokenizer.pad_token_id)
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(False)
    writer.add_add_space_prefix(False)
    writer.add_chat_template(TEMPLATE)


def _write_tensors(writer, model, file_type: str) -> None:
    import gguf
    import torch

    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.GEMMA3, model.config.num_hidden_layers)
    for name, value in model.named_parameters():  # the tied output layer is not listed a second time
        target = names.get_name(name, try_suffixes=(".weight", ".bias"))
        if target is None:
            raise GateError(f"GGUF 이름이 없는 가중치입니다 (no GGUF name): {name}")
        tensor = value.detach().to("cpu", torch.float32)
        if name.endswith("norm.weight"):
            tensor = tensor + 1
        if tensor.ndim == 1 or file_type == "F32":
            writer.add_tensor(target, tensor.numpy())
        elif file_type == "F16":
            writer.add_tensor(target, tensor.to(torch.float16).numpy())
        else:
            kind = gguf.GGMLQuantizationType.BF16
            writer.add_tensor(target, gguf.quants.quantize(tensor.numpy(), kind), raw_dtype=kind)
