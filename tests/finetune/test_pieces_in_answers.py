"""Pieces that are written and not read: questions are cut as before the extension, in training, measuring and llama.cpp."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finetune import extend_vocab
from finetune.base import load_model, load_tokenizer
from finetune.chat import parts_read, prompt_ids
from finetune.data import Row, Turn, encode_rows
from finetune.errors import GateError, InputError
from finetune.evaluate import prompt_of
from finetune.evaluation.gguf_model import likelihoods, opened
from finetune.evaluation.subjects import torch_likelihoods
from finetune.export_steps import probe_gguf
from finetune.gguf_export import export_gguf
from finetune.parity import check_tokens
from finetune.settings import RunConfig, Train
from taxlaw.read_in_parts import KEY

LAW = "직계 부모는 증여받은 원의 과세를 표준은 풀이로 받았는데 존속은 마는 증여인."


@pytest.fixture(scope="module")
def weights(tiny_base, tmp_path_factory):
    """{where the pieces stand: base with the same pieces}"""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLM_FOREST_CACHE", str(tmp_path_factory.mktemp("cache")))
        return {
            place: extend_vocab.extend_vocabulary(
                tiny_base, [LAW] * 40, 40, lambda text: None, in_answers_only=place == "answers"
            ).weights
            for place in ("everything", "answers")
        }


@pytest.fixture(scope="module")
def cut(tiny_base, weights):
    """{"before", "everything", "answers": tokenizer}"""
    return {"before": load_tokenizer(tiny_base)} | {place: load_tokenizer(one) for place, one in weights.items()}


@pytest.fixture(scope="module")
def rows(tiny):
    made = [tiny.row(number, amount, payable=0) for number, amount in enumerate(tiny.AMOUNTS[:6])]
    made = [Row.model_validate({**row, "question": f"{LAW} {row['question']}", "answer": LAW}) for row in made]
    earlier = made[0].model_copy(update={"id": "later", "history": [Turn(question=LAW, answer=LAW)]})
    return [*made, earlier]


@pytest.fixture(scope="module")
def gguf_file(weights, cut, tmp_path_factory):
    file = tmp_path_factory.mktemp("gguf") / "student.gguf"
    export_gguf(load_model(weights["answers"], "float32").eval(), cut["answers"], file, "F32", "student")
    return file


def test_the_two_are_different_bases_with_one_vocabulary(weights, cut):
    assert weights["answers"].key != weights["everything"].key
    assert cut["answers"].get_vocab() == cut["everything"].get_vocab()
    assert len(parts_read(cut["answers"])) > 10 and not parts_read(cut["everything"])


def test_a_question_is_cut_as_before_and_its_answer_in_the_new_pieces(cut, rows):
    made = {name: encode_rows(rows, tokenizer, "program", 900).examples for name, tokenizer in cut.items()}
    for before, everywhere, ours in zip(made["before"], made["everything"], made["answers"], strict=True):
        start, whole = ours.encoded.answer_start, everywhere.encoded.answer_start
        assert ours.encoded.ids[:start] == before.encoded.ids[: before.encoded.answer_start]
        assert ours.encoded.ids[start:] == everywhere.encoded.ids[whole:]
        assert start > whole  # there were pieces to be put back
    for row in rows:
        assert prompt_of(row, cut["answers"]) == prompt_of(row, cut["before"])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet="".join(sorted({*LAW})), max_size=40), st.text(max_size=12))
def test_any_question_is_cut_as_before(cut, question, odd):
    assert prompt_ids(question + odd, cut["answers"]) == prompt_ids(question + odd, cut["before"])


def test_saved_and_opened_again_a_tokenizer_still_knows(cut, tmp_path):
    from transformers import AutoTokenizer

    cut["answers"].save_pretrained(tmp_path)
    assert parts_read(AutoTokenizer.from_pretrained(tmp_path)) == parts_read(cut["answers"])


def test_llama_cpp_reads_and_judges_as_torch_does(gguf_file, weights, cut, rows):
    assert check_tokens(gguf_file, cut["answers"], (LAW,), fuzz=50) == 51
    with opened(gguf_file, rows, 8) as (_, prompts):
        assert prompts == [prompt_of(row, cut["answers"]) for row in rows]
    model = load_model(weights["answers"], "float32").eval()
    ours = torch_likelihoods(model, cut["answers"], rows, "worked")
    for one, other in zip(likelihoods(gguf_file, rows, "worked"), ours, strict=True):
        assert (one.tokens, one.characters) == (other.tokens, other.characters)
        assert one.nats == pytest.approx(other.nats, rel=2e-2)


def test_probes_of_a_file_read_in_parts(gguf_file, cut):
    _, examples = probe_gguf(gguf_file, [LAW], 4)
    assert list(examples[0].ids[: examples[0].answer_start]) == prompt_ids(LAW, cut["answers"])


@pytest.mark.parametrize("said", [None, '{"first":9,"parts":[[1]]}', "torn"], ids=["none", "others", "damaged"])
def test_a_file_that_says_otherwise_is_stopped(weights, cut, said, tmp_path, monkeypatch):
    other = load_tokenizer(weights["answers"])
    other.init_kwargs.pop(KEY)
    if said:
        other.init_kwargs[KEY] = said
    export_gguf(load_model(weights["answers"], "float32"), other, tmp_path / "other.gguf", "F32", "other")
    with pytest.raises(GateError, match=r"read in parts|damaged"):
        check_tokens(tmp_path / "other.gguf", cut["answers"], (LAW,), fuzz=1)


def test_a_damaged_tokenizer_is_refused_with_what_to_do(weights):
    torn = load_tokenizer(weights["answers"])
    torn.init_kwargs[KEY] = "torn"
    with pytest.raises(InputError, match="finetune merge"):
        prompt_ids(LAW, torn)


def test_pieces_that_are_not_added_cannot_stand_anywhere():
    with pytest.raises(ValueError, match="pieces_in"):
        RunConfig(
            dataset="d",
            out="o",
            base={"folder": "f"},
            train=Train(learning_rate=1e-3, max_steps=1),
            pieces_in="answers",
        )
