"""A LoRA adapter beside its base as two GGUF files: switched on, the base answers as the merged model does."""

import json

import pytest
import torch

from finetune.adapter_gguf import export_adapter
from finetune.base import load_model, load_tokenizer, resolve_base
from finetune.chat import prompt_ids
from finetune.errors import GateError, InputError
from finetune.gguf_export import export_gguf
from finetune.llama import next_logits, open_gguf
from finetune.parity import greedy_agreement
from finetune.settings import PHI_TARGETS, Base


@pytest.fixture(scope="module")
def wild(tiny, tmp_path_factory):
    """A model whose greedy text wanders instead of repeating one token."""
    folder = tiny.write_base(tmp_path_factory.mktemp("adapter") / "base", seed=5, layer_weight=12.0)
    return resolve_base(Base(folder=folder))


def random_adapter(weights, folder, **options):
    """An adapter with random halves, strong enough to change what is said; returns the merged model."""
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(11)
    options = {"r": 4, "lora_alpha": 8, "target_modules": "all-linear", "task_type": "CAUSAL_LM", **options}
    model = get_peft_model(load_model(weights, "float32"), LoraConfig(**options))
    for name, value in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(value, std=0.1)
    model.save_pretrained(folder, save_embedding_layers=False)
    return model.merge_and_unload().eval()


def logits_of(gguf_file, ids, adapter=None):
    model = open_gguf(gguf_file, context=128, adapter=adapter)
    model.eval(ids)
    found = torch.tensor(next_logits(model))
    model.close()
    return found


@pytest.mark.parametrize("stabilised", [False, True], ids=["alpha over r", "alpha over root r"])
def test_base_and_adapter_compute_what_the_merged_model_does(wild, tmp_path, tiny, stabilised):
    tokenizer = load_tokenizer(wild)
    merged = random_adapter(wild, tmp_path / "adapter", use_rslora=stabilised)
    base = load_model(wild, "float32").eval()
    export_gguf(base, tokenizer, tmp_path / "base.gguf", "F32", "base")
    assert export_adapter(tmp_path / "adapter", merged.config, tmp_path / "student.gguf", "student") == 14
    ids = prompt_ids(tiny.question("7억원"), tokenizer)
    with torch.inference_mode():
        wanted, plain = merged(torch.tensor([ids])).logits[0, -1], base(torch.tensor([ids])).logits[0, -1]
    on = logits_of(tmp_path / "base.gguf", ids, tmp_path / "student.gguf")
    torch.testing.assert_close(on, wanted, rtol=2e-2, atol=3e-2)
    torch.testing.assert_close(logits_of(tmp_path / "base.gguf", ids), plain, rtol=2e-2, atol=3e-2)
    assert (wanted - plain).abs().max() > 1  # else the two could not be told apart
    questions = [tiny.question(amount) for amount in tiny.AMOUNTS[:3]]
    found = greedy_agreement(tmp_path / "base.gguf", merged, tokenizer, questions, 16, tmp_path / "student.gguf")
    assert found["identical"] == 3


def test_an_adapter_works_on_a_phi_base(tiny, students, tmp_path):
    texts = [tiny.question(amount) for amount in tiny.AMOUNTS]
    weights = resolve_base(Base(folder=students.write_phi(tmp_path / "phi", texts)))
    tokenizer = load_tokenizer(weights)
    merged = random_adapter(weights, tmp_path / "adapter", target_modules=list(PHI_TARGETS))
    export_gguf(load_model(weights, "float32"), tokenizer, tmp_path / "base.gguf", "F32", "base")
    assert export_adapter(tmp_path / "adapter", merged.config, tmp_path / "student.gguf", "student") == 12
    ids = prompt_ids(texts[3], tokenizer)
    with torch.inference_mode():
        wanted = merged(torch.tensor([ids])).logits[0, -1]
    on = logits_of(tmp_path / "base.gguf", ids, tmp_path / "student.gguf")
    torch.testing.assert_close(on, wanted, rtol=2e-2, atol=3e-2)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"use_dora": True}, "use_dora"),
        ({"modules_to_save": ["embed_tokens"]}, "modules_to_save"),
        ({"trainable_token_indices": [5, 6]}, "trainable_token_indices"),
        ({"alpha_pattern": {"q_proj": 99}}, "alpha_pattern"),
    ],
)
def test_what_an_adapter_file_cannot_say_is_refused(wild, tmp_path, options, named):
    from peft import LoraConfig, get_peft_model

    model = load_model(wild, "float32")
    settings = LoraConfig(r=4, target_modules=["q_proj"], task_type="CAUSAL_LM", **options)
    get_peft_model(model, settings).save_pretrained(tmp_path / "odd")
    with pytest.raises(GateError, match=named):
        export_adapter(tmp_path / "odd", model.config, tmp_path / "odd.gguf", "odd")
    assert not (tmp_path / "odd.gguf").exists()


def test_a_broken_or_absent_adapter_is_named(wild, tmp_path):
    from safetensors.torch import load_file, save_file

    merged = random_adapter(wild, tmp_path / "adapter")
    with pytest.raises(InputError, match="adapter_config"):
        export_adapter(tmp_path / "nowhere", merged.config, tmp_path / "x.gguf", "x")
    weights = load_file(tmp_path / "adapter" / "adapter_model.safetensors")
    first = next(iter(weights))
    save_file({**weights, first: weights[first] * float("nan")}, tmp_path / "adapter" / "adapter_model.safetensors")
    with pytest.raises(GateError, match="not finite"):
        export_adapter(tmp_path / "adapter", merged.config, tmp_path / "x.gguf", "x")
    del weights[first]
    save_file(weights, tmp_path / "adapter" / "adapter_model.safetensors")
    with pytest.raises(GateError, match="halves"):
        export_adapter(tmp_path / "adapter", merged.config, tmp_path / "x.gguf", "x")


def test_an_adapter_does_not_load_on_a_base_of_another_shape(wild, tiny_base, tmp_path):
    settings = json.loads((tiny_base.folder / "config.json").read_text(encoding="utf-8"))
    merged = random_adapter(wild, tmp_path / "adapter")
    export_adapter(tmp_path / "adapter", merged.config, tmp_path / "student.gguf", "student")
    from transformers import Gemma3ForCausalLM, Gemma3TextConfig

    other = Gemma3ForCausalLM(Gemma3TextConfig(**{**settings, "hidden_size": 96}))
    export_gguf(other, load_tokenizer(wild), tmp_path / "other.gguf", "F32", "other")
    with pytest.raises(GateError, match="does not fit"):
        open_gguf(tmp_path / "other.gguf", context=32, adapter=tmp_path / "student.gguf")
