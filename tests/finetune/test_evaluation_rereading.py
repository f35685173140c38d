"""A GGUF measured as it is served: doubtful calls give way to other readings of the same model, everything else stays."""

import pytest

from finetune.data import Row
from finetune.evaluate import Generation
from finetune.evaluation import gguf_model, rereading
from finetune.evaluation.subjects import Caps, Subject
from taxlaw import rereading as rules

QUESTION = "조정대상지역 아파트를 5억원에 사서 2주택이 됩니다. 취득세는 얼마인가요?"
RIGHT = '{"tax":"acquisition","value":"5억원","homes":2,"adjusted":true}'
WRONG = RIGHT.replace("true", "false")


@pytest.fixture(scope="module")
def gguf(tiny, tmp_path_factory):
    from finetune.base import load_model, load_tokenizer, resolve_base
    from finetune.gguf_export import export_gguf
    from finetune.settings import Base

    place = tmp_path_factory.mktemp("reread")
    weights = resolve_base(Base(folder=tiny.write_base(place / "base", layer_weight=0.5)))
    export_gguf(load_model(weights, "float32"), load_tokenizer(weights), place / "tiny.gguf", "F32", "tiny")
    return place / "tiny.gguf"


def row(name, question):
    known = dict.fromkeys(("answer", "family", "evidence", "held_out"), "")
    known |= {"type": "student", "style": "worked", "source": "openapi", "tax": "acquisition", "as_of": "2026-06-01"}
    known |= {"articles": [], "call": RIGHT, "payable": 1, "provenance": {}, "gates": [], "id": name}
    return Row.model_validate({**known, "question": question})


def test_steps_go_on_from_any_beginning_as_the_greedy_answer_does(gguf):
    rows = [row("a", QUESTION)]
    (greedy,) = gguf_model.generate(gguf, rows, 8)
    with gguf_model.opened(gguf, rows, 8) as (speaker, (prompt,)):
        steps = list(gguf_model.steps(speaker, prompt, [], 8))
        assert gguf_model.generation_of(speaker, [step.token for step in steps]) == greedy
        begun = [step.token for step in steps[:3]]
        assert [step.token for step in gguf_model.steps(speaker, prompt, begun, 8)] == [
            step.token for step in steps[3:]
        ]
        assert all(0 < step.chance <= 1 and step.token not in dict(step.others) for step in steps)


def test_what_an_answer_is_to_begin_with_is_written_first_in_the_models_own_pieces(gguf):
    rows = [row("a", QUESTION)]
    with gguf_model.opened(gguf, rows, 40) as (speaker, (prompt,)):
        for begun in ([], gguf_model.tokens_of(speaker, '{"')):
            rest = b'{"tax":"acquisition"'[2 if begun else 0 :]
            steps = list(gguf_model.steps(speaker, prompt, begun, 40, rest))
            text = gguf_model.generation_of(speaker, [*begun, *(step.token for step in steps)]).text
            assert text.startswith('{"tax":"acquisition"')
            free = list(gguf_model.steps(speaker, prompt, begun, 40))
            assert [step.token for step in free] != [step.token for step in steps]


def test_doubtful_answers_alone_are_read_again_and_only_for_what_fits(gguf, monkeypatch):
    monkeypatch.setattr(rules, "LEAST_CHANCE", 0.0)  # random weights believe in nothing
    asked = []

    def reread_from(question, first, others, as_of):
        asked.append((question, first))
        yield first
        yield [text for text in others("") if text is not None][2]

    monkeypatch.setattr(rereading, "reread_from", reread_from)
    rows = [row("a", QUESTION), row("b", QUESTION), row("c", QUESTION)]
    firsts = [Generation(text, True, 5) for text in (RIGHT, WRONG, "말로 쓴 답")]
    subject = rereading.reading_again(Subject("s", "학생", lambda some, caps: firsts), gguf)
    answers = subject.answer(rows, Caps(worked=8))
    assert subject.title == "학생, 다시 읽기" and asked == [(QUESTION, WRONG)]
    assert (answers[0], answers[2]) == (firsts[0], firsts[2])
    assert answers[1] != firsts[1] and answers[1].tokens <= 8


def test_where_nothing_fits_the_first_answer_stays_as_it_was(gguf):
    firsts = [Generation(WRONG, False, 5)]
    subject = rereading.reading_again(Subject("s", "학생", lambda some, caps: firsts), gguf)
    assert subject.answer([row("a", QUESTION)], Caps(worked=8)) == firsts


def test_kept_readings_are_of_these_rules():
    assert len(rereading.rules_sha256()) == 64
