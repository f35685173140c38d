"""Preference: the student must move away from the wrong answer, and the reference must stay where it was."""

import json

import pytest
import torch

from finetune.base import load_model
from finetune.data import endless_items
from finetune.errors import GateError, InputError
from finetune.lora import attach_lora
from finetune.preference import (
    Pair,
    answer_scores,
    encode_pairs,
    preferences,
    put_reference,
    read_pairs,
    with_reference,
)
from finetune.settings import Lora, PreferenceStage, Train
from finetune.train import accumulate_gradient, answer_loss, collate, train


@pytest.fixture
def pairs(tokenizer, tiny):
    amounts = zip(tiny.AMOUNTS[:6], tiny.AMOUNTS[10:16], strict=True)
    made = [Pair(question=tiny.question(a), chosen=tiny.call(a), rejected=tiny.call(b) + " 아님") for a, b in amounts]
    return encode_pairs(made, tokenizer, 512)


def stage(**changes):
    return PreferenceStage(name="p", kind="preference", pairs="pairs.jsonl", **changes)


@pytest.fixture
def wrapped(tiny_base):
    return attach_lora(load_model(tiny_base, "float32"), Lora(r=4, alpha=8, dropout=0.1), seed=0)[0]


def test_the_score_of_an_answer_is_its_log_probability(wrapped, pairs, tokenizer):
    batch = collate([pair.chosen for pair in pairs], tokenizer.pad_token_id)
    wrapped.eval()
    sums = answer_scores(wrapped, batch, per_token=False)
    assert -sums.sum().item() == pytest.approx(answer_loss(wrapped, batch).item(), rel=1e-5)
    lengths = torch.tensor([len(pair.chosen.ids) - pair.chosen.answer_start for pair in pairs])
    torch.testing.assert_close(answer_scores(wrapped, batch, per_token=True), sums / lengths)


@pytest.mark.parametrize("normalised", [False, True])
def test_the_margin_between_right_and_wrong_grows(wrapped, pairs, tokenizer, normalised):
    pad = tokenizer.pad_token_id
    settings = stage(beta=1.0 if normalised else 0.1, length_normalised=normalised)
    items = with_reference(wrapped, pairs, settings, pad, 128, "cpu")
    lengths = [pair.tokens for pair in items]
    steps = train(
        wrapped,
        endless_items(items, lengths, 6, "seed"),
        Train(learning_rate=1e-2, max_steps=12, pass_tokens=128),
        pad,
        lambda step: None,
        objective=preferences(settings, pad),
    )
    # Before the first step student and reference are the same, but for dropout.
    assert steps[0].margin == pytest.approx(0, abs=0.3) and steps[0].loss == pytest.approx(0.693, abs=0.2)
    assert steps[-1].margin > steps[0].margin + 0.5 and steps[-1].preferred == 1
    assert steps[-1].loss < steps[0].loss and steps[0].target_tokens == 6


@pytest.mark.parametrize("reference", ["start", "base"])
def test_the_reference_has_no_gradient_and_leaves_the_model_as_it_was(wrapped, pairs, tokenizer, reference):
    with torch.no_grad():  # an adapter that does something, as after an earlier stage
        for name, value in wrapped.named_parameters():
            if "lora_B" in name:
                value.normal_(0, 0.1)
    pad = tokenizer.pad_token_id
    wrapped.train()
    items = with_reference(wrapped, pairs, stage(reference=reference), pad, 128, "cpu")
    assert wrapped.training and all(value.grad is None for value in wrapped.parameters())
    assert all(isinstance(pair.reference_chosen, float) for pair in items)  # constants: nothing can flow back
    wrapped.eval()
    rows = collate([pair.chosen for pair in pairs], pad)
    with torch.no_grad():
        student = answer_scores(wrapped, rows, per_token=False)
        with wrapped.disable_adapter():
            base = answer_scores(wrapped, rows, per_token=False)
    found = torch.tensor([pair.reference_chosen for pair in items])
    assert (student - base).abs().max() > 0.1
    torch.testing.assert_close(found, student if reference == "start" else base, rtol=1e-4, atol=1e-3)


def test_the_gradient_is_that_of_the_formula(wrapped, pairs, tokenizer):
    """Loss by hand from two full forward passes, pair by pair."""
    pad, settings = tokenizer.pad_token_id, stage(beta=0.01)  # a random model is sure of many things
    wrapped.eval()
    with torch.no_grad():
        for name, value in wrapped.named_parameters():
            if "lora_B" in name:
                value.normal_(0, 0.05)
    items = put_reference(pairs, [[-3.0 - n, -4.0] for n in range(len(pairs))])
    objective = preferences(settings, pad)
    loss, weight = accumulate_gradient(
        wrapped,
        [objective.collate(part, "cpu") for part in objective.cut(items, 90)],
        objective.loss,
        objective.weight,
    )
    ours = [value.grad.clone() for value in wrapped.parameters() if value.requires_grad]
    wrapped.zero_grad(set_to_none=True)
    total = 0
    for pair in items:
        right, wrong = (-answer_loss(wrapped, collate([one], pad)) for one in (pair.chosen, pair.rejected))
        total = total - torch.nn.functional.logsigmoid(
            0.01 * ((right - wrong) - (pair.reference_chosen - pair.reference_rejected))
        )
    (total / len(items)).backward()
    assert weight == len(items) and loss == pytest.approx(total.item() / len(items), rel=1e-5)
    theirs = [value.grad for value in wrapped.parameters() if value.requires_grad]
    assert max(grad.abs().max() for grad in theirs) > 1e-4
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def test_both_answers_of_a_pair_stay_in_one_part(pairs, tokenizer):
    objective = preferences(stage(), tokenizer.pad_token_id)
    parts = objective.cut(pairs, 80)
    assert len(parts) > 1 and sorted(map(id, pairs)) == sorted(id(pair) for part in parts for pair in part)
    for part in parts:
        batch = objective.collate(part, "cpu")
        assert len(batch.rows.labels) == 2 * len(part) == 2 * len(batch.reference)
        assert batch.input_ids.numel() <= 80 or len(part) == 1


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"question": "q", "chosen": "a"}', "rejected"),
        ('{"question": "q", "chosen": "a", "rejected": "b", "score": 1}', "score"),
        ('{"question": "q", "chosen": "a", "rejected": "a"}', "같습니다"),
        ("{", "JSON"),
    ],
)
def test_a_wrong_line_is_named(tmp_path, line, message):
    path = tmp_path / "pairs.jsonl"
    good = json.dumps({"question": "q", "chosen": "a", "rejected": "b"})
    path.write_text(f"{good}\n{line}\n", encoding="utf-8")
    with pytest.raises(InputError, match=rf"pairs\.jsonl:2.*{message}"):
        read_pairs(path)
    path.write_text("\n", encoding="utf-8")
    with pytest.raises(InputError, match="no pairs"):
        read_pairs(path)
    with pytest.raises(InputError, match="No such pairs file"):
        read_pairs(tmp_path / "none.jsonl")


def test_too_many_long_pairs_stop_the_run(pairs, tokenizer, tiny):
    long = Pair(question=tiny.question("1억원"), chosen="a", rejected="긴 답 " * 300)
    with pytest.raises(GateError, match="max_tokens=64"):
        encode_pairs([long], tokenizer, 64)
