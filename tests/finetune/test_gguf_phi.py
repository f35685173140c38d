"""Phi as llama.cpp sees it: the weights compute the same, the byte-level tokenizer gives the same ids."""

import json

import pytest
import torch

from finetune.base import load_model, load_tokenizer, resolve_base
from finetune.chat import prompt_ids
from finetune.errors import GateError
from finetune.gguf_export import export_gguf
from finetune.llama import next_logits, open_gguf
from finetune.parity import check_tokens, greedy_agreement
from finetune.settings import Base


@pytest.fixture(scope="module")
def phi(tiny, students, tmp_path_factory):
    texts = [tiny.question(amount) for amount in tiny.AMOUNTS]
    folder = students.write_phi(tmp_path_factory.mktemp("phi") / "base", texts, seed=4)
    weights = resolve_base(Base(folder=folder))
    model = load_model(weights, "float32")
    with torch.no_grad():  # random biases and norms, so that one left out or mixed up shows
        for name, value in model.named_parameters():
            if name.endswith("bias") or "layernorm" in name:
                value.normal_(1.0 if name.endswith("norm.weight") else 0.0, 0.3)
    return model.eval(), load_tokenizer(weights)


@pytest.fixture(scope="module")
def phi_file(phi, tmp_path_factory):
    target = tmp_path_factory.mktemp("phi_gguf") / "phi.gguf"
    export_gguf(*phi, target, "F32", "phi")
    return target


def test_phi_logits_survive_the_export(phi, phi_file, tiny):
    model, tokenizer = phi
    ids = prompt_ids(tiny.question("7억원"), tokenizer)
    llama = open_gguf(phi_file, context=256)
    llama.eval(ids)
    theirs = torch.tensor(next_logits(llama))
    llama.close()
    with torch.inference_mode():
        ours = model(torch.tensor([ids])).logits[0, -1]
    torch.testing.assert_close(theirs, ours, rtol=2e-2, atol=2e-2)
    assert ours.std() > 0.3


def test_phi_greedy_answers_are_the_same(phi, phi_file, tiny):
    questions = [tiny.question(amount) for amount in tiny.AMOUNTS[:4]]
    found = greedy_agreement(phi_file, *phi, questions, 16)
    assert found["identical"] == 4


def test_phi_token_ids_agree_on_fuzz(phi, phi_file, tiny):
    assert (
        check_tokens(phi_file, phi[1], (tiny.question("3억원"), "a  b\n\n\tc", "I'll don't"), fuzz=1500, seed=2) == 1503
    )


def test_a_phi_llama_cpp_would_compute_differently_is_refused(phi, tmp_path):
    model, tokenizer = phi
    model.config.hidden_act = "relu"
    try:
        with pytest.raises(GateError, match="hidden_act relu"):
            export_gguf(model, tokenizer, tmp_path / "odd.gguf", "F32", "odd")
    finally:
        model.config.hidden_act = "gelu_new"


def test_a_tokenizer_cut_in_another_way_is_refused(phi, tmp_path):
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    model, tokenizer = phi
    definition = json.loads(tokenizer.backend_tokenizer.to_str())
    definition["pre_tokenizer"]["add_prefix_space"] = True
    other = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(json.dumps(definition)), eos_token=tokenizer.eos_token, pad_token="<|pad|>"
    )
    with pytest.raises(GateError, match="pre-tokenizer"):
        export_gguf(model, other, tmp_path / "odd.gguf", "F32", "odd")
