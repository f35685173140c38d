"""Adapted layers run together: the same numbers as peft's but for the rounding, and nothing left behind."""

import copy
from dataclasses import replace

import pytest
import torch

from finetune import quick_layers
from finetune.base import load_model
from finetune.chat import encode
from finetune.checkpoint import load_trainable, trainable_state
from finetune.data import endless_items
from finetune.int8_products import PLAIN
from finetune.lora import attach_lora
from finetune.quick_layers import QuickLayers
from finetune.settings import PHI_TARGETS, Lora, RunConfig, Train
from finetune.train import accumulate_gradient, collate, held_still, split_batch, train


class ExactWeights:
    """In place of RoundedWeights: what is left to differ is how the layers are put together."""

    def __init__(self, weights, kernels=PLAIN):
        self._weights = [weight.detach() for weight in weights]

    def products(self, values):
        return [values @ weight.t() for weight in self._weights]

    def back(self, gradients):
        return sum(gradient @ weight for gradient, weight in zip(gradients, self._weights, strict=True))


@pytest.fixture
def exact(monkeypatch):
    monkeypatch.setattr(quick_layers, "RoundedWeights", ExactWeights)


def adapted(weights, targets=None, new_rows=(), **changes):
    settings = Lora(r=4, alpha=8, **({"targets": targets} if targets else {}), **changes)
    model = attach_lora(load_model(weights, "float32"), settings, 0, new_rows)[0].train()
    torch.manual_seed(7)
    for name, value in model.named_parameters():  # B starts as zeros, and with it the gradient of A
        if "lora_B" in name:
            torch.nn.init.normal_(value, std=0.05)
    return model


@pytest.fixture
def batches(tokenizer, tiny):
    examples = [encode(tiny.question(amount), tiny.call(amount), tokenizer) for amount in tiny.AMOUNTS[:12]]
    return [collate(part, tokenizer.pad_token_id) for part in split_batch(examples, 300)]


def gradients(model, batches):
    model.zero_grad(set_to_none=True)
    loss, _ = accumulate_gradient(model, batches)
    found = {name: value.grad.clone() for name, value in model.named_parameters() if value.grad is not None}
    model.zero_grad(set_to_none=True)
    return loss, found


@pytest.mark.parametrize("targets", [None, ("q_proj", "v_proj"), ("gate_proj", "up_proj", "down_proj")])
@pytest.mark.parametrize("new_rows", [(), range(300, 320)], ids=["", "added pieces"])
def test_put_together_the_layers_learn_exactly_what_peft_s_do(exact, tiny_base, batches, targets, new_rows):
    model = adapted(tiny_base, targets, new_rows)
    loss, right = gradients(model, batches)
    quick = QuickLayers(model, PLAIN)
    with quick.quick():
        found_loss, found = gradients(model, batches)
    assert found_loss == pytest.approx(loss, rel=1e-5)
    assert found.keys() == right.keys() and len(right) >= 2
    for name, value in right.items():
        torch.testing.assert_close(found[name], value, rtol=2e-3, atol=2e-6, msg=name)


def test_a_layer_with_a_bias_keeps_it(exact, students, tmp_path, tokenizer):
    from transformers import PhiConfig, PhiForCausalLM

    torch.manual_seed(0)
    shape = {"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 2}
    model = PhiForCausalLM(PhiConfig(vocab_size=len(tokenizer), **shape))
    for name, value in model.named_parameters():
        if name.endswith("bias"):
            torch.nn.init.normal_(value)
    model = attach_lora(model, Lora(r=4, alpha=8, targets=PHI_TARGETS), 0)[0].train()
    ids = torch.randint(5, len(tokenizer), (2, 9))
    right = model(input_ids=ids).logits
    quick = QuickLayers(model, PLAIN)
    assert sorted(len(group.layers) for group in quick.groups) == [1] * 6 + [3] * 2
    with quick.quick():
        found = model(input_ids=ids).logits
    torch.testing.assert_close(found, right, rtol=1e-4, atol=1e-5)


def test_in_8_bits_the_gradient_points_the_same_way(tiny_base, batches):
    model = adapted(tiny_base)
    loss, right = gradients(model, batches)
    with QuickLayers(model, PLAIN).quick():
        found_loss, found = gradients(model, batches)
    assert found_loss != loss and found_loss == pytest.approx(loss, rel=0.02)
    flat = [torch.cat([one[name].flatten() for name in sorted(right)]) for one in (right, found)]
    assert torch.cosine_similarity(*flat, dim=0) > 0.99
    assert float(flat[1].norm() / flat[0].norm()) == pytest.approx(1, abs=0.05)


def test_outside_the_block_the_model_is_as_it_was_even_after_an_error(tiny_base, batches):
    model = adapted(tiny_base)
    before, names = gradients(model, batches), list(model.state_dict())
    quick = QuickLayers(model, PLAIN)
    with pytest.raises(ZeroDivisionError), quick.quick():
        assert any("forward" in vars(module) for module in model.modules())
        raise ZeroDivisionError
    assert not any("forward" in vars(module) for module in model.modules())
    after = gradients(model, batches)
    assert after[0] == before[0] and all(torch.equal(value, after[1][name]) for name, value in before[1].items())
    assert list(model.state_dict()) == names


def test_nothing_that_was_made_and_not_taken_is_kept(tiny_base):
    model = adapted(tiny_base)
    quick = QuickLayers(model, PLAIN)
    (attention,) = [group for group in quick.groups if len(group.layers) == 3][:1]
    values = torch.randn(1, 3, 64)
    with quick.quick():
        first = attention.layers[0](values)
        assert attention._waiting.keys() == {1, 2}
        assert torch.equal(attention.layers[0](values), first)  # asked again, it is made again
    assert attention._input is None and not attention._waiting


def test_where_the_adapters_are_held_still_they_get_no_gradient(tiny_base, batches):
    model = adapted(tiny_base, new_rows=range(300, 320))
    still = [value for name, value in model.named_parameters() if "lora_" in name]
    with held_still(still), QuickLayers(model, PLAIN).quick():
        _, found = gradients(model, batches)
    assert len(found) == 1 and all("trainable_tokens" in name for name in found)


def test_layers_with_dropout_run_as_before_and_a_config_with_both_is_refused(tiny_base):
    assert not QuickLayers(adapted(tiny_base, dropout=0.1), PLAIN).groups
    with pytest.raises(ValueError, match=r"lora\.dropout"):
        RunConfig(
            dataset="d",
            out="o",
            base={"folder": "f"},
            lora=Lora(dropout=0.1),
            train=Train(learning_rate=1e-3, max_steps=1, products="auto"),
        )


def test_training_in_8_bits_learns_as_well(tiny_base, tokenizer, tiny):
    examples = [encode(tiny.question(amount), tiny.call(amount), tokenizer) for amount in tiny.AMOUNTS[:12]]

    def endless():
        while True:
            yield from ((0.0, examples[start : start + 4]) for start in (0, 4, 8))

    losses = {}
    for name in ("float", "int8"):
        model = adapted(tiny_base)
        quick = {"quick": QuickLayers(model, PLAIN).quick} if name == "int8" else {}
        steps = train(model, endless(), Train(learning_rate=1e-2, max_steps=30), 0, lambda step: None, **quick)
        losses[name] = sum(step.loss for step in steps[-3:]) / 3
        assert losses[name] < 0.7 * steps[0].loss
    assert losses["int8"] == pytest.approx(losses["float"], rel=0.1)


def test_a_run_in_8_bits_goes_on_exactly_from_a_checkpoint(tiny_base, tokenizer, tiny):
    examples = [encode(tiny.question(amount), tiny.call(amount), tokenizer) for amount in tiny.AMOUNTS[:12]]
    settings, saved = Train(learning_rate=1e-2, max_steps=6), {}

    def batches():
        return endless_items(examples, [len(one.ids) for one in examples], 4, "seed")

    def note(position):
        kept = copy.deepcopy(position.optimiser.state_dict()), trainable_state(model)
        saved.setdefault(len(position.steps), (position, *kept))

    model = adapted(tiny_base)
    train(model, batches(), settings, 0, lambda step: None, between=note, quick=QuickLayers(model, PLAIN).quick)
    position, optimiser, weights = saved[2]
    again = adapted(tiny_base)
    load_trainable(again, weights)
    start = replace(position, steps=position.steps[:2], batches=2, optimiser=optimiser)
    train(again, batches(), settings, 0, lambda step: None, start=start, quick=QuickLayers(again, PLAIN).quick)
    right = trainable_state(model)
    assert all(torch.equal(value, right[name]) for name, value in trainable_state(again).items())
