"""Questions with added pieces cut into parts: what is then learned from is the cut of before, and answers keep their pieces."""

import pytest

from finetune import extend_vocab
from finetune.base import load_tokenizer
from finetune.data import Prepared, Row, encode_rows
from finetune.settings import RunConfig, Train
from finetune.split_pieces import parts_of, split_questions

LAW = "직계 부모는 증여받은 원의 과세를 표준은 풀이로 받았는데 존속은 마는 증여인."


@pytest.fixture(scope="module")
def extended(tiny, tiny_base, tmp_path_factory):
    """(tokenizer before, after, rows of added pieces)"""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLM_FOREST_CACHE", str(tmp_path_factory.mktemp("cache")))
        made = extend_vocab.extend_vocabulary(tiny_base, [LAW] * 40, 40, lambda text: None)
        first = made.first_id
        return load_tokenizer(tiny_base), load_tokenizer(made.weights), range(first, first + len(made.pieces))


@pytest.fixture
def prepared(tiny, extended):
    rows = [tiny.row(number, amount, payable=0) for number, amount in enumerate(tiny.AMOUNTS)]
    rows = [Row.model_validate({**row, "question": f"{LAW} {row['question']}"}) for row in rows]
    return rows, encode_rows(rows, extended[1], "program", 400)


def split(prepared, extended, share=1.0, seed=3, most=400):
    return split_questions(prepared, parts_of(*extended), share, seed, most)


def test_split_wholly_a_question_is_cut_as_before_the_extension(prepared, extended, monkeypatch):
    rows, whole = prepared
    monkeypatch.setattr("finetune.split_pieces.WHOLLY", 1.0)
    before = encode_rows(rows, extended[0], "program", 400)
    made = split(whole, extended)
    assert sum(example.length for example in made.examples) > sum(example.length for example in whole.examples)
    for example, right, kept in zip(made.examples, before.examples, whole.examples, strict=True):
        start, right_start = example.encoded.answer_start, right.encoded.answer_start
        assert example.encoded.ids[:start] == right.encoded.ids[:right_start]
        assert (
            example.encoded.ids[start:] == kept.encoded.ids[kept.encoded.answer_start :]
        )  # the answer keeps its pieces
    assert made.longest == max(example.length for example in made.examples)


def test_every_way_of_cutting_says_the_same_text(prepared, extended):
    _, whole = prepared
    for example, kept in zip(split(whole, extended).examples, whole.examples, strict=True):
        assert extended[1].decode(example.encoded.ids) == extended[1].decode(kept.encoded.ids)


def test_the_share_is_split_half_of_it_wholly_and_alike_every_time(prepared, extended):
    _, whole = prepared
    many = Prepared(
        [
            example.__class__(example.row.model_copy(update={"id": f"{number}:{example.row.id}"}), example.encoded)
            for number in range(25)
            for example in whole.examples
        ],
        0,
        whole.longest,
    )
    made = split(many, extended, share=0.6)
    added = set(extended[2])

    def pieces(example):
        return sum(i in added for i in example.encoded.ids[: example.encoded.answer_start])

    left = [pieces(example) / pieces(kept) for example, kept in zip(made.examples, many.examples, strict=True)]
    assert sum(share == 1 for share in left) / len(left) == pytest.approx(0.4, abs=0.06)  # and the odd one of the rest
    assert sum(share == 0 for share in left) / len(left) == pytest.approx(0.3, abs=0.06)
    assert split(many, extended, share=0.6) == made != split(many, extended, share=0.6, seed=4)


def test_a_question_that_would_be_too_long_stays_as_it_is(prepared, extended):
    _, whole = prepared
    assert split(whole, extended, most=whole.longest).longest <= whole.longest


def test_a_config_that_splits_what_it_does_not_add_is_refused():
    with pytest.raises(ValueError, match="split_pieces"):
        RunConfig(
            dataset="d",
            out="o",
            base={"folder": "f"},
            train=Train(learning_rate=1e-3, max_steps=1),
            split_pieces=0.5,
        )
