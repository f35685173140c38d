"""Domain pieces: texts are only joined, digits stay as they were, no piece mixes words and calls, and llama.cpp does the same."""

import json

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finetune import extend_vocab as ev
from finetune.base import load_model, load_tokenizer
from finetune.chat import prompt_ids
from finetune.errors import GateError, InputError
from finetune.gguf_export import export_gguf
from finetune.llama import next_logits, open_gguf
from finetune.parity import check_tokens

# Of syllables the tiny tokenizer knows; any other falls into bytes, which are never joined.
LAW = [
    "직계 부모는 증여받은 원의 과세를 표준은 풀이로 받았는데 존속은 마는 증여인.",
    "증여받은 부모는 과세를 받았는데 표준은 얼마는 원인 직계 존속은 님은 가요.",
    "존속은 증여받은 과세를 표준은 직계 부모는 풀이로 2025 받았는데 제53 원의.",
    "과세를 받았는데 증여받은 부모는 얼마는 직계 존속은 5000 만원인 표준은 증여인.",
]
# Calls in names whose letters the tiny tokenizer knows, but not their joins: it has learned its own calls whole.
CALLS = [
    f'{{"went":"{name}","north":"{place}","shore":true,"worth":{number}}}'
    for name in ("직계", "부모")
    for place in ("증여", "과세")
    for number in range(10)
]


@pytest.fixture(scope="module")
def extended(tiny, tiny_base, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLM_FOREST_CACHE", str(tmp_path_factory.mktemp("cache")))
        texts = [*LAW * 12, *(tiny.question(amount) for amount in tiny.AMOUNTS), *CALLS]
        return ev.extend_vocabulary(tiny_base, texts, 40, lambda text: None, {"law": [LAW[0] + LAW[2]], "calls": CALLS})


@pytest.fixture(scope="module")
def pair(tiny_base, extended):
    return load_tokenizer(tiny_base), load_tokenizer(extended.weights)


def pieces_of(tokenizer, text):
    return tokenizer.convert_ids_to_tokens(tokenizer(text, add_special_tokens=False)["input_ids"])


def test_law_and_calls_take_fewer_tokens(extended):
    for name in ("law", "calls"):
        before, after = extended.characters_per_token[name]
        assert after > 1.5 * before, name
    assert len(extended.pieces) == 40 == len(set(extended.pieces))


def test_new_pieces_are_korean_or_of_calls_never_both_and_hold_no_digit(extended):
    korean = [piece for piece in extended.pieces if any("가" <= character <= "힣" for character in piece)]
    of_calls = [
        piece for piece in extended.pieces if any(character.isascii() and character.isalpha() for character in piece)
    ]
    assert korean and of_calls and not {*korean} & {*of_calls} and len(korean) + len(of_calls) == len(extended.pieces)
    for piece in extended.pieces:
        assert not any(character.isdigit() for character in piece) and not ev.bordered(piece)


def test_a_fact_in_a_call_is_the_same_pieces_as_in_a_sentence(pair):
    for fact in ("직계", "증여받은"):
        alone, inside = pieces_of(pair[1], fact), pieces_of(pair[1], f'{{"went":"{fact}"}}')
        assert any(inside[start : start + len(alone)] == alone for start in range(len(inside)))


def test_the_template_is_segmented_as_before(pair):
    prompt = prompt_ids("?", pair[0])
    assert prompt_ids("?", pair[1]) == prompt


SYLLABLES = "".join(sorted({character for text in LAW for character in text}))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.text(alphabet=SYLLABLES, max_size=40), st.lists(st.sampled_from(LAW)).map("".join), st.text(max_size=12)
    )
)
def test_any_text_is_only_joined_never_cut_elsewhere(pair, text):
    before, after = pieces_of(pair[0], text), pieces_of(pair[1], text)
    assert "".join(before) == "".join(after)
    assert ev._ends(after) <= ev._ends(before)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet="0123456789,.년만억원 증여제공", max_size=20))
def test_digits_stay_tokens_of_their_own_wherever_they_were(pair, text):
    def with_digits(tokenizer):
        return [piece for piece in pieces_of(tokenizer, text) if any(character.isdigit() for character in piece)]

    assert with_digits(pair[1]) == with_digits(pair[0])


def test_an_embedding_starts_as_the_mean_of_its_parts(tiny_base, extended, pair):
    old = load_model(tiny_base, "float32").model.embed_tokens.weight
    new = load_model(extended.weights, "float32")
    assert new.lm_head.weight.data_ptr() == new.model.embed_tokens.weight.data_ptr()
    torch.testing.assert_close(new.model.embed_tokens.weight[: len(old)], old)
    piece = max(extended.pieces, key=len)
    parts = pair[0](piece.replace("▁", " "), add_special_tokens=False)["input_ids"]
    assert len(parts) > 2
    row = pair[1].convert_tokens_to_ids(piece)
    assert row == extended.first_id + extended.pieces.index(piece)
    torch.testing.assert_close(new.model.embed_tokens.weight[row], old[parts].mean(dim=0))


def test_llama_cpp_segments_and_computes_the_extended_model_alike(extended, pair, tmp_path):
    model, tokenizer = load_model(extended.weights, "float32").eval(), pair[1]
    export_gguf(model, tokenizer, tmp_path / "extended.gguf", "F32", "extended")
    mixed = [first[:cut] + second[cut:] for first in LAW for second in LAW for cut in range(1, 30, 3)]
    assert check_tokens(tmp_path / "extended.gguf", tokenizer, (*LAW, *mixed), fuzz=1000, seed=5) == 1000 + 4 + len(
        mixed
    )
    ids = prompt_ids(LAW[0], tokenizer)
    assert max(ids) >= extended.first_id
    llama = open_gguf(tmp_path / "extended.gguf", context=256)
    llama.eval(ids)
    theirs = torch.tensor(next_logits(llama))
    llama.close()
    with torch.inference_mode():
        torch.testing.assert_close(theirs, model(torch.tensor([ids])).logits[0, -1], rtol=2e-2, atol=3e-2)


def test_a_piece_that_would_join_inside_a_call_is_left_out(tiny, tiny_base, extended):
    tokenizer = load_tokenizer(tiny_base)
    definition = json.loads(tokenizer.backend_tokenizer.to_str())
    protected = [json.dumps({"relation": "직계"}, ensure_ascii=False)]
    free = ev.choose_pieces(definition, extended.pieces, extended.first_id, 30, [])
    kept = ev.choose_pieces(definition, extended.pieces, extended.first_id, 30, protected)
    assert "직계" in free and "직계" not in kept and len(kept) > 15


@pytest.mark.parametrize(
    ("piece", "answer"), [("등등", True), ("가나가", True), ("과세표준", False), ("▁에▁따라", False)]
)
def test_bordered_pieces_are_known(piece, answer):
    assert ev.bordered(piece) is answer


def test_proof_fails_on_a_tokenizer_that_cuts_elsewhere(pair, extended):
    ev.prove_extension(*pair, extended.first_id, [], LAW)
    with pytest.raises(GateError, match="coarser"):
        ev.prove_extension(pair[1], pair[0], extended.first_id, [], LAW)
    with pytest.raises(GateError, match="protected"):
        ev.prove_extension(*pair, extended.first_id, [LAW[0]], [])


def test_texts_without_a_frequent_join_say_so(tiny_base):
    with pytest.raises(InputError, match="no pieces"):
        ev.extend_vocabulary(tiny_base, ["한 번만"], 10, lambda text: None)


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        (["풀표", "표직", "풀표직"], "풀표직"),  # reached through its second way to be split
        (["▁▁", "▁▁▁▁"], "    "),  # runs of spaces: llama.cpp must merge them too, not cut them out first
    ],
    ids=["second split", "runs of spaces"],
)
def test_every_way_to_join_a_piece_is_known_to_both(tiny_base, tmp_path, pieces, text):
    weights = ev.extend_with(tiny_base, pieces, lambda said: None)
    tokenizer = load_tokenizer(weights)
    assert pieces_of(tokenizer, text) == [text.replace(" ", "▁")]
    export_gguf(load_model(weights, "float32"), tokenizer, tmp_path / "joined.gguf", "F32", "joined")
    texts = (text, text + "풀" + text, "표" + text[:2], "   풀", "     표직", " ▁ ▁▁ 직")
    assert check_tokens(tmp_path / "joined.gguf", tokenizer, texts, fuzz=300) == 306
