"""The loop: which tokens are learned, how gradients add up, when it ends."""

import json
from dataclasses import replace

import pytest
import torch

from finetune.base import load_model
from finetune.chat import encode
from finetune.errors import GateError, InputError
from finetune.lora import adapter_weights, attach_lora, go_on_from, holds_pieces, save_adapter, trainable_parameters
from finetune.settings import Lora, Train
from finetune.train import (
    IGNORED,
    accumulate_gradient,
    adapter_autocast,
    answer_loss,
    budget_used,
    collate,
    learning_rate_factor,
    parameter_groups,
    split_batch,
    summarise,
    train,
)


@pytest.fixture
def examples(tokenizer, tiny):
    return [encode(tiny.question(amount), tiny.call(amount), tokenizer) for amount in tiny.AMOUNTS[:8]]


@pytest.fixture
def wrapped(tiny_base):
    return attach_lora(load_model(tiny_base, "float32"), Lora(r=4, alpha=8), seed=0)[0]


def test_only_answer_tokens_are_learned(examples, tokenizer):
    batch = collate(examples, tokenizer.pad_token_id)
    for row, example in enumerate(examples):
        learned = batch.labels[row][batch.labels[row] != IGNORED].tolist()
        assert learned == list(example.ids[example.answer_start :])


def test_the_loss_equals_the_full_models_on_answer_tokens(tiny_base, examples, tokenizer):
    """Projecting only answer positions must not change the number."""
    model = load_model(tiny_base, "float32")
    batch = collate(examples, tokenizer.pad_token_id)
    whole = model(input_ids=batch.input_ids, attention_mask=batch.attention_mask, labels=batch.labels).loss
    count = (batch.labels[:, 1:] != IGNORED).sum()
    assert answer_loss(model, batch).item() / count.item() == pytest.approx(whole.item(), rel=1e-5)


@pytest.mark.parametrize("added", [(), range(300, 320)], ids=["adapters", "adapters and added pieces"])
def test_a_bfloat16_base_learns_the_same_without_peft_s_casts_and_keeps_less(tiny_base, examples, tokenizer, added):
    """The casts there and back are lossless, so leaving them out may change neither loss nor gradient."""
    model = attach_lora(load_model(tiny_base, "bfloat16"), Lora(r=4, alpha=8), 0, added)[0]
    trained = [value for value in model.parameters() if value.requires_grad]
    with torch.no_grad():
        for value in trained:
            value.normal_(0, 0.05)
    batch = collate(examples, tokenizer.pad_token_id)

    def one_pass(context):
        kept: dict[int, int] = {}
        alive = []

        def keep(tensor):
            alive.append(tensor)
            kept[tensor.untyped_storage()._cdata] = tensor.untyped_storage().nbytes()
            return tensor

        with context, torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            loss = answer_loss(model, batch)
        loss.backward()
        gradients = [value.grad.clone() for value in trained]
        model.zero_grad(set_to_none=True)
        return loss, gradients, sum(kept.values())

    loss, gradients, bytes_kept = one_pass(adapter_autocast(model, "cpu"))
    before, theirs, bytes_before = one_pass(torch.autocast("cpu", dtype=torch.bfloat16))
    assert loss.item() == before.item()
    for ours, other in zip(gradients, theirs, strict=True):
        torch.testing.assert_close(ours, other, rtol=2e-2, atol=1e-3 * other.abs().max().item())
    assert bytes_kept < 0.95 * bytes_before
    with torch.inference_mode():  # outside of training nothing was changed for good
        assert torch.isfinite(model(input_ids=batch.input_ids).logits).all()


def test_added_pieces_learn_at_their_share_of_the_rate(tiny_base, examples):
    model = attach_lora(load_model(tiny_base, "float32"), Lora(r=4, alpha=8), 0, range(300, 320))[0]
    adapters, pieces = parameter_groups(model, 0.25)
    assert [tuple(value.shape) for value in pieces["params"]] == [(20, 64)] and len(adapters["params"]) > 20
    assert (adapters["share"], pieces["share"]) == (1.0, 0.25)
    (only,) = parameter_groups(attach_lora(load_model(tiny_base, "float32"), Lora(r=4, alpha=8), 0)[0], 0.25)
    assert only["share"] == 1.0


def test_padding_does_not_change_the_loss(tiny_base, examples, tokenizer):
    model = load_model(tiny_base, "float32")
    short, long = examples[0], replace(examples[1], ids=examples[1].ids + examples[1].ids[-1:] * 5)
    together = answer_loss(model, collate([short, long], tokenizer.pad_token_id))
    apart = sum(answer_loss(model, collate([one], tokenizer.pad_token_id)) for one in (short, long))
    assert together.item() == pytest.approx(apart.item(), rel=1e-5)


def test_one_batch_of_eight_and_eight_of_one_give_the_same_gradient(wrapped, examples, tokenizer):
    """Answers differ in length, so a mean of batch means would not."""
    uneven = [replace(example, answer_start=example.answer_start + 2 * n) for n, example in enumerate(examples)]
    with torch.no_grad():  # peft starts with B = 0, where A has no gradient
        for name, value in wrapped.named_parameters():
            if "lora_B" in name:
                value.normal_(0, 0.05)
    gradients = []
    for batches in ([uneven], [[example] for example in uneven]):
        accumulate_gradient(wrapped, [collate(batch, tokenizer.pad_token_id) for batch in batches])
        gradients.append([p.grad.clone() for p in wrapped.parameters() if p.requires_grad])
        wrapped.zero_grad(set_to_none=True)
    assert any(grad.abs().max() > 1e-3 for grad in gradients[0])
    for together, apart in zip(*gradients, strict=True):
        torch.testing.assert_close(together, apart, rtol=1e-4, atol=1e-6)


def test_a_batch_is_cut_to_fit_memory_and_loses_no_row(examples):
    lengths = [5, 300, 40, 41, 39, 7]
    batch = [replace(examples[0], ids=tuple(range(length))) for length in lengths]
    parts = split_batch(batch, 128)
    assert sorted(len(one.ids) for part in parts for one in part) == sorted(lengths)
    assert all(len(part) == 1 or max(len(one.ids) for one in part) * len(part) <= 128 for part in parts)
    assert len(parts) < len(lengths)


def test_training_changes_adapters_only_and_fits_the_data(wrapped, examples, tokenizer):
    frozen = {name: value.clone() for name, value in wrapped.named_parameters() if not value.requires_grad}
    settings = Train(learning_rate=1e-2, batch_size=8, max_steps=25)
    seen = []
    steps = train(wrapped, iter(lambda: (0.1, examples), None), settings, tokenizer.pad_token_id, seen.append)
    assert steps == seen and len(steps) == 25
    assert steps[-1].loss < 0.5 * steps[0].loss
    assert all(torch.equal(value, frozen[name]) for name, value in wrapped.named_parameters() if name in frozen)
    assert steps[-1].learning_rate < steps[5].learning_rate


def test_a_clock_budget_ends_the_run_with_the_rate_at_zero(wrapped, examples, tokenizer):
    ticks = iter(range(0, 10_000, 6))
    settings = Train(learning_rate=1e-3, batch_size=8, max_minutes=1, warmup=0)
    steps = train(
        wrapped,
        iter(lambda: (0.1, examples), None),
        settings,
        tokenizer.pad_token_id,
        lambda step: None,
        clock=lambda: next(ticks),
    )
    assert len(steps) == 10 and steps[-1].budget_used == 1
    assert steps[-1].learning_rate < 0.05e-3


def test_an_infinite_loss_stops_the_run(wrapped, examples, tokenizer):
    with torch.no_grad():
        next(value for name, value in wrapped.named_parameters() if "lora_B" in name).fill_(float("nan"))
    with pytest.raises(GateError, match="not finite"):
        accumulate_gradient(wrapped, [collate(examples, tokenizer.pad_token_id)])


@pytest.mark.parametrize("schedule", ["cosine", "linear"])
def test_schedule_rises_then_falls_to_zero(schedule):
    rates = [learning_rate_factor(used / 100, 0.1, schedule) for used in range(101)]
    assert rates[0] > 0 and rates[10] == 1 and rates[100] == pytest.approx(0, abs=1e-9)
    assert rates[:11] == sorted(rates[:11]) and rates[10:] == sorted(rates[10:], reverse=True)


def test_the_first_budget_used_up_decides():
    settings = Train(learning_rate=1e-3, max_minutes=10, epochs=2, max_steps=100)
    assert budget_used(settings, minutes=1, epoch=1.5, step=20) == 0.75
    assert budget_used(settings, minutes=11, epoch=0, step=0) > 1


def test_summary_counts_tokens_without_padding(wrapped, examples, tokenizer):
    settings = Train(learning_rate=1e-3, batch_size=8, accumulate=2, max_steps=2)
    steps = train(wrapped, iter(lambda: (0.1, examples), None), settings, tokenizer.pad_token_id, lambda step: None)
    summary = summarise(steps)
    assert summary["tokens"] == 2 * 2 * sum(len(example.ids) for example in examples)
    assert 0 <= summary["padding_share"] < 0.2 and summary["tokens_per_second"] > 0
    assert json.dumps(summary)


def test_lora_lands_on_the_named_text_layers_only(tiny_base):
    model, layers = attach_lora(load_model(tiny_base, "float32"), Lora(r=4), seed=0)
    assert layers == dict.fromkeys(Lora().targets, 2)
    trained = [name for name, value in model.named_parameters() if value.requires_grad]
    assert all(".layers." in name and "lora_" in name for name in trained)
    assert trainable_parameters(model) == sum(value.numel() for value in model.parameters() if value.requires_grad)


@pytest.mark.parametrize("target", ["out_proj", "dense", "lm_head"])
def test_a_target_that_matches_no_text_layer_is_refused(tiny_base, target):
    """peft itself would train the rest and say nothing."""
    with pytest.raises(InputError, match=target):
        attach_lora(load_model(tiny_base, "float32"), Lora(r=4, targets=("q_proj", target)), seed=0)


@pytest.fixture
def learned(tiny_base, tmp_path):
    """(folder of an adapter whose weights are not those of a fresh one, those weights)."""
    model, _ = attach_lora(load_model(tiny_base, "float32"), Lora(r=4, alpha=8), seed=0)
    with torch.no_grad():
        for name, value in model.named_parameters():
            if "lora_" in name:
                value.add_(0.25)
    save_adapter(model, "tiny", tmp_path / "adapter")
    return tmp_path / "adapter", _adapters(model)


def _adapters(model, detached=True):
    some = {name: value for name, value in model.named_parameters() if value.requires_grad}
    return {name: value.detach().clone() for name, value in some.items()} if detached else some


def test_training_goes_on_from_an_adapter(tiny_base, learned):
    folder, weights = learned
    settings = Lora(r=4, alpha=8, start=folder)
    model, _ = attach_lora(load_model(tiny_base, "float32"), settings, seed=5)
    assert any(not torch.equal(value, weights[name]) for name, value in _adapters(model).items())
    go_on_from(model, adapter_weights(folder, settings))
    found = _adapters(model)
    assert found.keys() == weights.keys() and all(torch.equal(found[name], weights[name]) for name in weights)
    assert all(value.dtype == torch.float32 for value in found.values())


def test_pieces_added_to_a_learned_student_keep_their_first_embeddings(tiny_base, learned, tmp_path):
    folder, weights = learned
    assert not holds_pieces(folder / "adapter_model.safetensors")
    settings, rows = Lora(r=4, alpha=8, start=folder), range(300, 340)
    model, _ = attach_lora(load_model(tiny_base, "float32"), settings, seed=5, new_rows=rows)
    go_on_from(model, adapter_weights(folder, settings))
    found = _adapters(model)
    (pieces,) = found.keys() - weights.keys()
    assert all(torch.equal(found[name], weights[name]) for name in weights)
    torch.testing.assert_close(found[pieces], load_model(tiny_base, "float32").model.embed_tokens.weight[300:340])


def test_pieces_learned_before_are_gone_on_from(tiny_base, tmp_path):
    settings, rows, folder = Lora(r=4, alpha=8), range(300, 340), tmp_path / "with_pieces"
    model, _ = attach_lora(load_model(tiny_base, "float32"), settings, seed=0, new_rows=rows)
    with torch.no_grad():
        for value in _adapters(model, detached=False).values():
            value.add_(0.25)
    weights = _adapters(model)
    save_adapter(model, "tiny", folder)
    file = adapter_weights(folder, settings)
    assert holds_pieces(file)
    again, _ = attach_lora(load_model(tiny_base, "float32"), settings, seed=5, new_rows=rows)
    go_on_from(again, file)
    found = _adapters(again)
    assert found.keys() == weights.keys() and all(torch.equal(found[name], weights[name]) for name in weights)
    for others in (range(300, 339), ()):
        some, _ = attach_lora(load_model(tiny_base, "float32"), settings, seed=5, new_rows=others)
        with pytest.raises(InputError, match="다른 층이나 조각"):
            go_on_from(some, file)


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"r": 8}, "r=4"), ({"alpha": 4}, "alpha=8"), ({"targets": ("q_proj",)}, "targets")],
)
def test_an_adapter_of_another_shape_is_refused_before_anything_is_loaded(learned, changes, said):
    with pytest.raises(InputError, match=said):
        adapter_weights(learned[0], Lora(**{"r": 4, "alpha": 8} | changes))


def test_a_start_that_is_none_is_named(learned, tiny_base, tmp_path):
    with pytest.raises(InputError, match="nowhere"):
        adapter_weights(tmp_path / "nowhere", Lora())
    (learned[0] / "adapter_config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match="읽을 수 없습니다"):
        adapter_weights(learned[0], Lora(r=4, alpha=8))
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes((learned[0] / "adapter_model.safetensors").read_bytes()[:500])
    with pytest.raises(InputError, match="cannot read"):
        holds_pieces(broken)
    few, _ = attach_lora(load_model(tiny_base, "float32"), Lora(r=4, alpha=8, targets=("q_proj",)), seed=0)
    with pytest.raises(InputError, match="다른 층이나"):
        go_on_from(few, learned[0] / "adapter_model.safetensors")
