"""Preference pairs from the student's own answers: what is called right must be right."""

import json

import pytest

from finetune.data import Row, read_rows, target_text
from finetune.errors import InputError
from finetune.pair_making import (
    Sampled,
    ask,
    make_pairs,
    own_rows,
    sample_answers,
    worked_rows,
    write_pairs,
    write_rows,
)
from finetune.preference import read_pairs


@pytest.fixture
def rows(dataset):
    return [Row.model_validate(json.loads(line)) for line in (dataset / "train.jsonl").read_text("utf-8").splitlines()]


def said(row, *answers):
    """The row asked, with these (text, ended by itself) as the student's answers."""
    return ask([row], lambda question: [Sampled(text, stopped) for text, stopped in answers])


def test_right_is_what_the_calculator_says_and_ended_by_itself(rows, tiny):
    row = rows[9]  # 10억원
    right, wrong = tiny.call("10억원"), tiny.call("11억원")
    made = make_pairs(said(row, (right, True), (wrong, True), (right, True), ("", True)), "program", per_row=5)
    assert made.pairs == [{"question": row.question, "chosen": right, "rejected": wrong}]
    assert (made.always_right, made.always_wrong, made.both) == (0, 0, 1)
    unfinished = make_pairs(said(row, (right, False), (right, True), (wrong, True)), "program")
    assert unfinished.both == 1  # the same words that do not end are a wrong answer, but no pair with themselves
    assert unfinished.pairs == [{"question": row.question, "chosen": right, "rejected": wrong}]


def test_a_question_always_right_gives_no_pair_and_one_always_wrong_gets_the_rows_answer(rows, tiny):
    row, right, wrong = rows[9], tiny.call("10억원"), tiny.call("11억원")
    assert make_pairs(said(row, (right, True)), "program").pairs == []
    alone = make_pairs(said(row, (wrong, True)), "program")
    assert alone.pairs == [{"question": row.question, "chosen": row.call, "rejected": wrong}]
    assert make_pairs(said(row, (wrong, True)), "program", use_target=False).pairs == []


def test_several_pairs_of_one_question_differ(rows, tiny):
    answers = [(tiny.call(f"{n}억원"), True) for n in (7, 7, 8, 9)] + [(tiny.call("10억원"), True)] * 2
    made = make_pairs(said(rows[9], *answers), "program", per_row=3)
    assert len(made.pairs) == 1  # one right answer in distinct words


def test_own_answers_are_kept_when_right_verified_and_not_what_is_taught(rows, tiny, tmp_path):
    """Rejection sampling: a wrong fact that happens to give the right tax must never become a lesson."""
    row = rows[9]  # 10억원
    other = '{"tax":"gift","amount":1000000000,"relation":"직계존속"}'
    lucky = '{"tax":"gift","amount":"10억원","relation":"직계비속"}'  # the deduction is the same, the fact is not
    asked = said(row, (row.call, True), (other, True), (lucky, True), (tiny.call("11억원"), True), (other, False))
    assert lucky in asked[0].right
    (kept,) = own_rows(asked, "program")
    assert kept.call == other and kept.id == f"{row.id}:own-2"  # of its right answers the second
    assert kept.family == row.family and kept.provenance["teacher"] == "student"
    write_rows(tmp_path / "own" / "rows.jsonl", [kept])
    (again,) = read_rows(tmp_path / "own" / "rows.jsonl")
    assert {target_text(again, target) for target in ("program", "worked", "mixed")} == {other}


def test_an_own_answer_in_words_is_taught_as_words(rows):
    from finetune.pair_making import Asked

    row = rows[9].model_copy(update={"answer": "배운 풀이"})
    text = "증여세는 2억 1,825만원입니다."
    (kept,) = own_rows([Asked(row, (text,), ())], "program")
    assert kept.call is None and target_text(kept, "program") == text  # never the taught call in its place


def test_what_is_written_can_be_trained_on(rows, tmp_path):
    pairs = [{"question": "질문", "chosen": "가", "rejected": "나"}]
    write_pairs(tmp_path / "new" / "pairs.jsonl", pairs)
    assert [pair.model_dump() for pair in read_pairs(tmp_path / "new" / "pairs.jsonl")] == pairs


def test_answers_are_sampled_to_their_end(tiny_base, tokenizer, tiny):
    import torch

    from finetune.base import load_model

    model = load_model(tiny_base, "float32").eval()
    torch.manual_seed(0)
    answers = sample_answers(model, tokenizer, tiny.question("1억원"), 6, 2.0, 12)
    assert len(answers) == 6 and len({answer.text for answer in answers}) > 1
    torch.manual_seed(0)
    assert sample_answers(model, tokenizer, tiny.question("1억원"), 6, 2.0, 12) == answers


def test_only_training_rows_with_a_tax_are_asked(dataset, tiny):
    assert len(worked_rows(dataset, 5, 0)) == 5 and worked_rows(dataset, 5, 0) != worked_rows(dataset, 5, 1)
    tiny.write_dataset(dataset.parent / "words", [tiny.row(1, "1억원", payable=None)], [])
    with pytest.raises(InputError, match="no worked rows"):
        worked_rows(dataset.parent / "words", 5, 0)


def test_the_command_makes_pairs_from_a_finished_run(tiny, tiny_base, dataset, tmp_path, capsys):
    import argparse

    from finetune import pairs_command
    from finetune.run import run
    from finetune.settings import Base, Evaluation, Export, Lora, RunConfig, Train

    config = RunConfig(
        dataset=dataset,
        out=tmp_path / "run",
        base=Base(folder=tiny_base.folder),
        lora=Lora(r=4),
        train=Train(learning_rate=1e-3, max_steps=2, batch_size=4, dtype="float32"),
        evaluation=Evaluation(rows=2, base_rows=0, max_new_tokens=8),
        export=Export(quantisation="Q8_0", parity_prompts=1, parity_tokens=4),
    )
    run(config, say=lambda text: None)
    parser = argparse.ArgumentParser()
    pairs_command.add_parser(parser.add_subparsers())
    given = ["pairs", "--run", str(config.out), "--dataset", str(dataset), "--out", str(tmp_path / "p.jsonl")]
    own = tmp_path / "own.jsonl"
    given += ["--keep-right", str(own)]
    options = parser.parse_args([*given, "--rows", "3", "--samples", "2", "--max-new-tokens", "6"])
    assert pairs_command.run(options) == 0
    out = capsys.readouterr().out
    assert "질문 3개" in out and "맞은 답 0개" in out and own.read_text("utf-8") == ""  # an untrained student has none
    pairs = read_pairs(tmp_path / "p.jsonl")
    assert len(pairs) == 3 and all(pair.chosen.startswith('{"tax"') for pair in pairs)
