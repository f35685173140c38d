"""A GGUF of a few kilobytes, written on the spot: byte tokens, some Hangul with merges, control tokens of two kinds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}<start_of_turn>{{ m.role }}\n{{ m.content | trim }}<end_of_turn>\n{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)
CONTROL = ("<s>", "</s>", "<start_of_turn>", "<end_of_turn>", "[[odd-control]]")
FIRST_BYTE = 1 + len(CONTROL)
# "\n가" merges across the seam between the template's line break and the text behind it.
WORDS = ("\n", "가", "나", "세", "율", "세율", "\n가", "나가", "\n\n", "user")
WIDTH = 32


def _write_model(
    path: Path, template: str | None = TEMPLATE, favourite: int | None = None, said: dict[str, str] | None = None
) -> Path:
    """A one-layer Llama; ``favourite`` is the token it always prefers, ``said`` what else its metadata says."""
    gguf = pytest.importorskip("gguf")
    tokens = ["<unk>", *CONTROL, *(f"<0x{byte:02X}>" for byte in range(256)), *WORDS]
    kinds = [gguf.TokenType.UNKNOWN, *[gguf.TokenType.CONTROL] * len(CONTROL), *[gguf.TokenType.BYTE] * 256]
    kinds += [gguf.TokenType.NORMAL] * len(WORDS)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(256)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(WIDTH)
    writer.add_head_count(2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * (len(tokens) - len(WORDS)) + [-1.0 * place for place in range(len(WORDS))])
    writer.add_token_types(kinds)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_eot_token_id(4)
    writer.add_add_space_prefix(False)
    if template is not None:
        writer.add_chat_template(template)
    for key, text in (said or {}).items():
        writer.add_string(key, text)
    random = np.random.default_rng(0)
    head = random.standard_normal((len(tokens), WIDTH)).astype(np.float32)
    if favourite is not None:
        # Zero projections carry the embedding to the head unchanged; equal embeddings then favour one token always.
        head[:] = 0
        head[favourite] = 1
    shapes = {"attn_q": WIDTH, "attn_k": WIDTH, "attn_v": WIDTH, "attn_output": WIDTH}
    shapes |= {"ffn_gate": WIDTH, "ffn_up": WIDTH, "ffn_down": WIDTH}
    ones = np.ones(WIDTH, dtype=np.float32)
    embedding = random.standard_normal((len(tokens), WIDTH)).astype(np.float32)
    writer.add_tensor("token_embd.weight", embedding if favourite is None else np.ones_like(embedding))
    writer.add_tensor("output_norm.weight", ones)
    writer.add_tensor("output.weight", head)
    writer.add_tensor("blk.0.attn_norm.weight", ones)
    writer.add_tensor("blk.0.ffn_norm.weight", ones)
    for name, rows in shapes.items():
        weight = random.standard_normal((rows, WIDTH)).astype(np.float32)
        writer.add_tensor(f"blk.0.{name}.weight", weight if favourite is None else np.zeros_like(weight))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture(scope="session")
def write_model() -> Callable[..., Path]:
    """``write_model(path, template=..., favourite=..., said=...)``"""
    pytest.importorskip("llama_cpp")
    return _write_model


@pytest.fixture(scope="session")
def byte_token() -> Callable[[int], int]:
    """The token of a byte in that model."""
    return lambda byte: FIRST_BYTE + byte


@pytest.fixture(scope="session")
def tiny_gguf(write_model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model") / "tiny.gguf")
