"""Rounding is weighed by what flows through a weight: measured rightly, and followed by llama.cpp."""

import gguf
import numpy as np
import pytest
import torch

from finetune.base import load_model, load_tokenizer
from finetune.chat import encode
from finetune.data import evenly
from finetune.errors import InputError
from finetune.gguf_export import export_gguf
from finetune.importance import importance, read_importance, save_importance
from finetune.llama import quantise


@pytest.fixture
def model(tiny_base):
    return load_model(tiny_base, "float32").eval()


def examples(tiny, tiny_base):
    tokenizer = load_tokenizer(tiny_base)
    return [encode(tiny.question(amount), tiny.call(amount), tokenizer) for amount in tiny.AMOUNTS[:3]]


def test_it_is_the_mean_square_of_a_layers_input_over_all_tokens(model, tiny, tiny_base):
    some = examples(tiny, tiny_base)
    found = importance(model, some)
    seen = []
    model.model.layers[1].mlp.down_proj.register_forward_pre_hook(lambda _, given: seen.append(given[0][0].detach()))
    with torch.inference_mode():
        for one in some:
            model(input_ids=torch.tensor([one.ids]))
    expected = torch.cat(seen).square().mean(0)
    np.testing.assert_allclose(found["blk.1.ffn_down.weight"], expected.numpy(), rtol=1e-4)
    assert len(found) == 7 * model.config.num_hidden_layers  # every linear layer of the body, nothing else
    assert {len(found[f"blk.0.{name}.weight"]) for name in ("attn_q", "attn_k", "ffn_up")} == {64}
    assert not any(module._forward_pre_hooks for name, module in model.named_modules() if "q_proj" in name)


def test_llama_cpp_rounds_the_inputs_that_matter_more_exactly(model, tiny_base, tmp_path):
    export_gguf(model, load_tokenizer(tiny_base), tmp_path / "whole.gguf", "F32", "tiny")
    name, heavy = "blk.0.ffn_up.weight", slice(0, 8)
    weighed = np.full(64, 1e-4, dtype=np.float32)
    weighed[heavy] = 1.0
    errors = []
    for file, given in (("plain.gguf", None), ("weighed.gguf", {name: weighed})):
        quantise(tmp_path / "whole.gguf", tmp_path / file, "Q4_K_M", given)
        errors.append(np.abs(_tensor(tmp_path / file, name) - _tensor(tmp_path / "whole.gguf", name))[:, heavy].mean())
    assert errors[1] < 0.9 * errors[0]


def test_it_is_kept_in_a_file_and_a_broken_one_is_an_error(model, tiny, tiny_base, tmp_path):
    found = importance(model, examples(tiny, tiny_base)[:1])
    save_importance(found, tmp_path / "i.safetensors")
    again = read_importance(tmp_path / "i.safetensors")
    assert set(again) == set(found) and all(np.array_equal(again[name], found[name]) for name in found)
    (tmp_path / "i.safetensors").write_bytes(b"nothing")
    with pytest.raises(InputError, match="읽을 수 없습니다"):
        read_importance(tmp_path / "i.safetensors")
    with pytest.raises(InputError, match="no examples"):
        importance(model, [])


@pytest.mark.parametrize(("count", "expected"), [(0, []), (2, [0, 5]), (3, [0, 3, 6]), (99, list(range(10)))])
def test_examples_are_taken_at_equal_distances(count, expected):
    assert evenly(list(range(10)), count) == expected


def _tensor(file, name):
    tensor = next(one for one in gguf.GGUFReader(file).tensors if one.name == name)
    return gguf.quants.dequantize(tensor.data, tensor.tensor_type)
