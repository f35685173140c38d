"""Vocabulary fitting: fewer pieces, the same segmentation, and no character that turns into <unk>."""

import json
import shutil

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finetune.base import load_model, load_tokenizer
from finetune.chat import prompt_ids, stop_id
from finetune.errors import GateError
from finetune.vocab import _prove_same_segmentation, fit_vocabulary, kept_ids, shrink


@pytest.fixture(scope="module")
def corpus(tiny):
    return [text for amount in tiny.AMOUNTS[:3] for text in (tiny.question(amount), tiny.call(amount))]


@pytest.fixture(scope="module")
def fitted(tiny_base, corpus, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLM_FOREST_CACHE", str(tmp_path_factory.mktemp("cache")))
        return fit_vocabulary(tiny_base, corpus, say=lambda text: None)


@pytest.fixture(scope="module")
def pair(tiny_base, fitted):
    return load_tokenizer(tiny_base), load_tokenizer(fitted.weights)


def test_control_tokens_keep_their_ids(pair, fitted):
    full, small = pair
    assert len(small) == fitted.pieces < fitted.pieces_before == len(full)
    assert stop_id(small) == stop_id(full)
    assert [small.bos_token_id, small.eos_token_id, small.pad_token_id] == [2, 1, 0]


def test_text_of_kept_pieces_is_segmented_as_before(pair, tiny):
    full, small = pair
    for amount in tiny.AMOUNTS[:3]:
        before = full.convert_ids_to_tokens(prompt_ids(tiny.question(amount), full))
        assert small.convert_ids_to_tokens(prompt_ids(tiny.question(amount), small)) == before


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet='부모님께증여받았는데세얼마인가요억원만0123456789,. {}":tax', max_size=30))
def test_any_text_whose_pieces_are_kept_is_segmented_the_same(pair, text):
    full, small = pair
    before = full.convert_ids_to_tokens(full(text, add_special_tokens=False)["input_ids"])
    if set(before) <= set(small.get_vocab()):
        assert small.convert_ids_to_tokens(small(text, add_special_tokens=False)["input_ids"]) == before


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="▁\x00"), max_size=20))
def test_any_unicode_text_comes_back_and_holds_no_unk(pair, text):
    _, small = pair
    ids = small(text, add_special_tokens=False)["input_ids"]
    assert small.unk_token_id not in ids
    assert small.decode(ids, clean_up_tokenization_spaces=False) == text


def test_logits_of_kept_pieces_are_unchanged(pair, tiny_base, fitted, tiny):
    full, small = pair
    question = tiny.question(tiny.AMOUNTS[0])
    before = load_model(tiny_base, "float32")(torch.tensor([prompt_ids(question, full)])).logits[0, -1]
    after = load_model(fitted.weights, "float32")(torch.tensor([prompt_ids(question, small)])).logits[0, -1]
    rows = full.convert_tokens_to_ids(small.convert_ids_to_tokens(range(len(small))))
    torch.testing.assert_close(after, before[torch.tensor(rows)], rtol=1e-4, atol=1e-4)


def test_every_ancestor_of_a_kept_piece_is_kept(pair):
    full, _ = pair
    definition = json.loads(full.backend_tokenizer.to_str())
    target = max(definition["model"]["vocab"], key=lambda piece: 0 if piece.startswith("<") else len(piece))
    kept = set(kept_ids(definition, [definition["model"]["vocab"][target]]))
    vocab = definition["model"]["vocab"]
    for left, right in definition["model"]["merges"]:
        if vocab[left + right] in kept:
            assert {vocab[left], vocab[right]} <= kept


def test_a_tokenizer_that_lost_a_merge_is_caught(tiny_base, pair, corpus, tmp_path):
    """The trap: a dropped piece silently became <unk> and words vanished from the targets."""
    from finetune.base import BaseWeights

    full, _ = pair
    definition = json.loads(full.backend_tokenizer.to_str())
    kept = [i for i in kept_ids(definition, []) if full.convert_ids_to_tokens(i) != "억원"]
    full.save_pretrained(tmp_path / "torn")
    shutil.copy(tiny_base.folder / "config.json", tmp_path / "torn")
    text = json.dumps(shrink(definition, kept), ensure_ascii=False)
    (tmp_path / "torn" / "tokenizer.json").write_text(text, encoding="utf-8")
    torn = load_tokenizer(BaseWeights(tmp_path / "torn", None, "torn", "", None, ""))
    with pytest.raises(GateError, match="segmentation differs"):
        _prove_same_segmentation(full, torn, corpus)
