"""Weights and tokenizer as llama.cpp sees them.  A random model with large weights makes any slip visible."""

from types import SimpleNamespace

import pytest
import torch

from finetune.base import load_model, load_tokenizer, resolve_base
from finetune.errors import GateError
from finetune.gguf_export import export_gguf
from finetune.gguf_tokenizer import tokenizer_arrays
from finetune.llama import open_gguf, quantise
from finetune.parity import check_tokens, greedy_agreement
from finetune.settings import Base


@pytest.fixture(scope="module")
def wild(tiny, tmp_path_factory):
    """A model whose greedy text wanders instead of repeating one token."""
    return resolve_base(
        Base(folder=tiny.write_base(tmp_path_factory.mktemp("wild") / "base", seed=5, layer_weight=12.0))
    )


@pytest.mark.parametrize("file_type", ["F32", "BF16"])
def test_greedy_tokens_survive_the_export(wild, tmp_path, tiny, file_type):
    model, tokenizer = load_model(wild, "float32").eval(), load_tokenizer(wild)
    target = tmp_path / "model.gguf"
    export_gguf(model, tokenizer, target, file_type, "wild")
    report = greedy_agreement(target, model, tokenizer, [tiny.question(amount) for amount in tiny.AMOUNTS[:4]], 16)
    if file_type == "F32":
        assert report["identical"] == 4
    assert report["tokens_agreed"] > 20


def test_the_wild_model_is_a_sharp_probe(wild, tiny):
    """If it repeated one token, agreement with it would prove nothing."""
    from finetune.chat import prompt_ids

    tokenizer = load_tokenizer(wild)
    ids = prompt_ids(tiny.question("3억원"), tokenizer)
    model = load_model(wild, "float32").eval()
    output = model.generate(input_ids=torch.tensor([ids]), max_new_tokens=16, do_sample=False)[0, len(ids) :]
    assert len(set(output.tolist())) >= 6


def test_logits_agree_and_need_the_plus_one_on_norms(wild, tmp_path, tiny):
    from finetune.chat import prompt_ids

    model, tokenizer = load_model(wild, "float32").eval(), load_tokenizer(wild)
    target = tmp_path / "model.gguf"
    export_gguf(model, tokenizer, target, "F32", "wild")
    ids = prompt_ids(tiny.question("7억원"), tokenizer)
    ours = model(torch.tensor([ids])).logits[0, -1]
    llama = open_gguf(target, context=128)
    llama.eval(ids)
    theirs = torch.tensor(llama._ctx.get_logits_ith(-1)[: len(ours)])
    llama.close()
    torch.testing.assert_close(theirs, ours.detach(), rtol=2e-2, atol=2e-2)


def test_a_file_from_other_weights_is_refused(wild, tiny_base, tmp_path, tiny):
    tokenizer = load_tokenizer(wild)
    target = tmp_path / "model.gguf"
    export_gguf(load_model(tiny_base, "float32"), tokenizer, target, "F32", "other")
    with pytest.raises(GateError, match="greedy tokens differ"):
        greedy_agreement(target, load_model(wild, "float32").eval(), tokenizer, [tiny.question("3억원")], 16)


def test_token_ids_agree_on_hangul_amounts_and_spaces(wild, tmp_path, tiny):
    tokenizer = load_tokenizer(wild)
    target = tmp_path / "model.gguf"
    export_gguf(load_model(wild, "float32"), tokenizer, target, "F16", "wild")
    texts = (*(tiny.question(amount) for amount in tiny.AMOUNTS), "뷁  공백   셋\n줄 🙂", tiny.call("3억원"))
    assert check_tokens(target, tokenizer, texts, fuzz=300) == 342


def test_pieces_scores_and_types_follow_the_tokenizer(tokenizer):
    pieces, scores, types = tokenizer_arrays(tokenizer, len(tokenizer) + 3)
    kinds = dict(zip(pieces, types, strict=True))
    assert kinds["<end_of_turn>"] == 3 and kinds["\n"] == 4 and kinds["<0xEA>"] == 6 and kinds["억원"] == 1
    assert [kinds[piece] for piece in pieces[-3:]] == [5, 5, 5]
    assert scores[pieces.index("억원")] > scores[pieces.index("억")]


def test_quantising_a_file_that_is_not_gguf_says_so(tmp_path):
    (tmp_path / "not.gguf").write_bytes(b"nothing")
    with pytest.raises(GateError, match="양자화"):
        quantise(tmp_path / "not.gguf", tmp_path / "out.gguf", "Q8_0")
    with pytest.raises(GateError, match="열지 못합니다"):
        open_gguf(tmp_path / "not.gguf", context=32)


@pytest.mark.parametrize(
    ("change", "named"),
    [({"query_pre_attn_scalar": 99}, "query_pre_attn_scalar"), ({"final_logit_softcapping": 30.0}, "softcapping")],
)
def test_a_model_llama_cpp_would_compute_differently_is_refused(tiny_base, tokenizer, tmp_path, change, named):
    model = load_model(tiny_base, "float32")
    for key, value in change.items():
        setattr(model.config, key, value)
    with pytest.raises(GateError, match=named):
        export_gguf(model, tokenizer, tmp_path / "model.gguf", "F32", "odd")


def test_merging_adds_the_adapter_in_float32_and_refuses_nan(tiny_base, tmp_path):
    from finetune.lora import attach_lora
    from finetune.merge import merge_adapter
    from finetune.settings import Lora

    model, _ = attach_lora(load_model(tiny_base, "bfloat16"), Lora(r=2, alpha=4), seed=0)
    model.save_pretrained(tmp_path / "untouched")
    with pytest.raises(GateError, match="changed nothing"):
        merge_adapter(tiny_base, tmp_path / "untouched")
    layer = model.get_base_model().model.layers[0].self_attn.q_proj
    torch.nn.init.constant_(layer.lora_B["default"].weight, 0.01)
    model.save_pretrained(tmp_path / "small")
    merged = merge_adapter(tiny_base, tmp_path / "small").model.layers[0].self_attn.q_proj.weight
    clean = load_model(tiny_base, "float32").model.layers[0].self_attn.q_proj.weight
    expected = clean + 2.0 * layer.lora_B["default"].weight.float() @ layer.lora_A["default"].weight.float()
    torch.testing.assert_close(merged, expected)
    torch.nn.init.constant_(layer.lora_B["default"].weight, float("nan"))
    model.save_pretrained(tmp_path / "broken")
    with pytest.raises((GateError, ValueError), match=r"(?i)nan"):
        merge_adapter(tiny_base, tmp_path / "broken")


def test_missing_weights_are_never_filled_with_random_numbers(tiny_base, tmp_path):
    import shutil

    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(tiny_base.folder, tmp_path / "torn")
    weights = load_file(folder / "model.safetensors")
    weights.pop("model.layers.1.mlp.up_proj.weight")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(GateError, match="up_proj"):
        load_model(SimpleNamespace(folder=folder, revision=None, source="torn"), "float32")
