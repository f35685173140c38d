"""Packed rows: an example that sees its neighbour learns from text it will never be shown."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import Gemma3ForCausalLM, Gemma3TextConfig, PhiConfig, PhiForCausalLM

from finetune.chat import Encoded
from finetune.lora import attach_lora
from finetune.packing import block_masks, collate_packed, pack, packed_answers, sliding_window
from finetune.settings import Lora, Train
from finetune.train import accumulate_gradient, answers, collate, split_batch, train

WINDOW = 6
LENGTHS = [5, 23, 9, 14, 2]  # some within the sliding window, some far beyond it


@pytest.fixture(scope="module")
def examples():
    torch.manual_seed(4)
    return [Encoded(tuple(torch.randint(3, 97, (n,)).tolist()), max(1, n // 2)) for n in LENGTHS]


@pytest.fixture(scope="module")
def two_kinds():
    """Two layers, one with a sliding window and one without."""
    torch.manual_seed(1)
    config = Gemma3TextConfig(
        **{"vocab_size": 97, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "head_dim": 16},
        **{"num_attention_heads": 2, "num_key_value_heads": 1, "query_pre_attn_scalar": 16, "initializer_range": 0.3},
        **{"layer_types": ["sliding_attention", "full_attention"], "sliding_window": WINDOW},
        **{"max_position_embeddings": 128, "pad_token_id": 0, "attn_implementation": "sdpa"},
    )
    return Gemma3ForCausalLM(config).float().eval()


def hidden(model, batch):
    places = {} if batch.position_ids is None else {"position_ids": batch.position_ids}
    body = model.model(input_ids=batch.input_ids, attention_mask=batch.attention_mask, use_cache=False, **places)
    return model.lm_head(body.last_hidden_state)


def with_adapter(model):
    wrapped, _ = attach_lora(model, Lora(r=4, alpha=8, targets=("q_proj", "v_proj")), seed=0)
    with torch.no_grad():
        for name, value in wrapped.named_parameters():
            if "lora_B" in name:
                value.normal_(0, 0.1)
    return wrapped


def gradients(model, tensors):
    model.zero_grad(set_to_none=True)
    loss, targets = accumulate_gradient(model, tensors)
    return loss, targets, [value.grad.clone() for value in model.parameters() if value.requires_grad]


def test_logits_of_every_packed_example_are_those_of_the_example_alone(two_kinds, examples):
    together = hidden(two_kinds, collate_packed(examples, WINDOW))
    start = 0
    for example in examples:
        alone = hidden(two_kinds, collate([example], 0))
        torch.testing.assert_close(together[:, start : start + len(example.ids)], alone, rtol=0, atol=1e-5)
        start += len(example.ids)


def test_both_layer_types_are_really_there_and_both_masks_matter(two_kinds, examples):
    """Else the test above would pass with a wrong sliding mask."""
    batch = collate_packed(examples, WINDOW)
    right = hidden(two_kinds, batch)
    for kind, other in (("sliding_attention", "full_attention"), ("full_attention", "sliding_attention")):
        wrong = replace(batch, attention_mask={**batch.attention_mask, kind: batch.attention_mask[other]})
        assert (hidden(two_kinds, wrong) - right).abs().max() > 1e-3
    restarts = [place for place, position in enumerate(batch.position_ids[0].tolist()) if position == 0]
    assert restarts == [sum(LENGTHS[:number]) for number in range(len(LENGTHS))]


def test_the_gradient_of_packed_rows_is_that_of_the_examples_apart(two_kinds, examples):
    model = with_adapter(Gemma3ForCausalLM(two_kinds.config).float())
    packed = gradients(model, [collate_packed(row, WINDOW) for row in pack(examples, 30)])
    apart = gradients(model, [collate([example], 0) for example in examples])
    assert packed[1] == apart[1] and packed[0] == pytest.approx(apart[0], rel=1e-5)
    assert max(grad.abs().max() for grad in apart[2]) > 1e-3
    for ours, theirs in zip(packed[2], apart[2], strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


def test_a_model_without_sliding_layers_takes_the_single_mask(examples):
    torch.manual_seed(2)
    model = PhiForCausalLM(
        PhiConfig(
            **{"vocab_size": 97, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2},
            **{"num_attention_heads": 2, "attn_implementation": "sdpa", "initializer_range": 0.3},
        )
    ).eval()
    assert sliding_window(model.config) is None
    together = hidden(model, collate_packed(examples, None))
    start = 0
    for example in examples:
        part = together[:, start : start + len(example.ids)]
        torch.testing.assert_close(part, hidden(model, collate([example], 0)), rtol=0, atol=1e-5)
        start += len(example.ids)


def test_training_with_packing_takes_the_same_steps_as_without(two_kinds, examples):
    """Same batches, same gradient: packing changes the shape of the work, not what is learned."""
    weights = []
    for packed in (False, True):
        torch.manual_seed(0)
        body = Gemma3ForCausalLM(two_kinds.config).float()
        model, _ = attach_lora(body, Lora(r=4, targets=("q_proj", "v_proj")), seed=0)
        settings = Train(learning_rate=1e-2, max_steps=4, pass_tokens=30)
        objective = packed_answers(body.config) if packed else answers(0)
        steps = train(model, iter(lambda: (0.1, examples), None), settings, 0, lambda step: None, objective=objective)
        assert steps[-1].padded_tokens == sum(LENGTHS) or not packed
        weights.append([value.detach().clone() for value in model.parameters() if value.requires_grad])
    for bucketed, packed in zip(*weights, strict=True):
        torch.testing.assert_close(packed, bucketed, rtol=1e-3, atol=1e-4)


@given(st.lists(st.integers(1, 60), min_size=1, max_size=40), st.integers(16, 64))
def test_packing_keeps_every_example_once_and_within_the_row(lengths, most):
    items = [Encoded(tuple(range(length)), 1) for length in lengths]
    rows = pack(items, most)
    assert sorted(len(one.ids) for row in rows for one in row) == sorted(lengths)
    assert all(len(row) == 1 or sum(len(one.ids) for one in row) <= most for row in rows)
    assert len(rows) <= len(split_batch(items, most))  # never worse than padding


@given(st.lists(st.integers(1, 12), min_size=1, max_size=8), st.integers(1, 15))
def test_a_token_sees_its_own_example_only_and_never_ahead(lengths, window):
    owners = [number for number, length in enumerate(lengths) for _ in range(length)]
    masks = block_masks(torch.tensor(owners), window)
    for query, owner in enumerate(owners):
        seen = masks["full_attention"][0, 0, query].nonzero().flatten().tolist()
        assert seen == [key for key in range(query + 1) if owners[key] == owner]
        near = masks["sliding_attention"][0, 0, query].nonzero().flatten().tolist()
        assert near == [key for key in seen if key > query - window]
