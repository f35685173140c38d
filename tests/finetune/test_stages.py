"""Stages in one file: law text, task, preference on one adapter; what stops a stage must not cost what was learned."""

import json

import pytest
import torch

from finetune import stages
from finetune.base import load_model
from finetune.checkpoint import newest_checkpoint, trainable_state
from finetune.data import Row, encode_rows, read_rows, require_disjoint_families
from finetune.domain import law_examples, law_texts
from finetune.early_stop import Accuracy
from finetune.errors import GateError, InputError
from finetune.lora import attach_lora
from finetune.run import fingerprint_parts, run, training_parts
from finetune.settings import Base, Evaluation, Export, Lora, RunConfig, Train
from taxlaw.errors import ConfigError
from taxlaw.strict_config import validate


@pytest.fixture
def config(tiny, tiny_base, dataset, tmp_path):
    pairs = tmp_path / "pairs.jsonl"
    lines = [
        {"question": tiny.question(right), "chosen": tiny.call(right), "rejected": tiny.call(wrong)}
        for right, wrong in zip(tiny.AMOUNTS[:8], tiny.AMOUNTS[8:16], strict=True)
    ]
    pairs.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    law = tmp_path / "law.jsonl"
    law.write_text(
        json.dumps({"text": "증여재산공제는 십년 동안 합산한다. " * 20}, ensure_ascii=False), encoding="utf-8"
    )
    return RunConfig(
        dataset=dataset,
        out=tmp_path / "runs" / "staged",
        base=Base(folder=tiny_base.folder),
        lora=Lora(r=4, alpha=8),
        train=Train(
            **{"learning_rate": 1e-2, "batch_size": 4, "max_steps": 6, "dtype": "float32", "packing": True},
            early_stop={"every_steps": 2, "rows": 2},
        ),
        stages=[
            {"name": "m1", "kind": "domain", "texts": str(law), "learning_rate": 5e-3, "max_steps": 3},
            {"name": "m2", "kind": "task"},
            {"name": "last", "kind": "preference", "pairs": str(pairs), "learning_rate": 1e-3, "epochs": 1},
        ],
        evaluation=Evaluation(rows=3, base_rows=0, max_new_tokens=8),
        export=Export(quantisation="Q8_0", parity_prompts=1, parity_tokens=4),
    )


def job_for(config, tiny_base, tokenizer, folder, say=lambda text: None):
    torch.manual_seed(3)
    model, _ = attach_lora(load_model(tiny_base, "float32"), config.lora, 0)
    header = {"fingerprint": training_parts(fingerprint_parts(config)), "machine": "m"}
    folder.mkdir(exist_ok=True)
    return stages.Job(model, tokenizer, config, "cpu", folder, "name", lambda: header, say)


def materials_for(config, tokenizer):
    validation = read_rows(config.dataset / "validation.jsonl")
    prepared = encode_rows(read_rows(config.dataset / "train.jsonl"), tokenizer, "program", 512)
    return stages.read_materials(config, prepared, validation, tokenizer, lambda text: None), validation


def test_a_run_of_three_stages_ends_in_one_student(config):
    record = run(config, say=lambda text: None)
    assert [stage["kind"] for stage in record["stages"]] == ["domain", "task", "preference"]
    assert [stage["steps"] for stage in record["stages"]] == [3, 6, 2]
    assert record["train"]["name"] == "m2"
    assert {"accuracy.png", "loss.png"} <= {path.name for path in config.out.iterdir()}
    assert not (config.out / "checkpoints").exists()
    lines = [json.loads(line) for line in (config.out / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    steps = [line for line in lines if line["kind"] == "step"]
    assert [step["stage"] for step in steps] == ["m1"] * 3 + ["m2"] * 6 + ["last"] * 2
    assert max(step["learning_rate"] for step in steps[:3]) <= 5e-3 < max(step["learning_rate"] for step in steps[3:9])
    assert all("margin" in step for step in steps[9:]) and not any("margin" in step for step in steps[:9])
    assert [line["step"] for line in lines if line["kind"] == "accuracy" and line["stage"] == "m2"] == [2, 4, 6]


def test_a_config_without_stages_is_the_task_alone(config):
    plain = config.model_copy(update={"stages": RunConfig.model_fields["stages"].default})
    assert [(stage.name, stage.kind) for stage in plain.stages] == [("m2", "task")]
    assert plain.stages[0].settings(plain.train) == plain.train


def test_a_stages_own_budget_replaces_that_of_the_run(config):
    domain, task, last = (stage.settings(config.train) for stage in config.stages)
    assert (domain.max_steps, domain.epochs, domain.learning_rate) == (3, None, 5e-3)
    assert (task.max_steps, task.learning_rate) == (6, 1e-2)
    assert (last.max_steps, last.epochs) == (None, 1)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([{"name": "a", "kind": "domain"}], "texts"),
        ([{"name": "a", "kind": "task", "beta": 1}], "beta"),
        ([{"name": "a", "kind": "dance"}], "kind|dance"),
        ([{"name": "a", "kind": "task"}, {"name": "a", "kind": "task"}], "differ"),
        ([{"name": "A b", "kind": "task"}], "name"),
        ([{"name": "a", "kind": "domain", "texts": "digest", "only_pieces": True}], "only_pieces"),
        ([], "stages"),
    ],
)
def test_a_stage_that_cannot_be_is_refused(config, wrong, message):
    raw = json.loads(config.model_dump_json())
    with pytest.raises(ConfigError, match=message):
        validate({**raw, "stages": wrong}, RunConfig, "test")


def test_early_stop_ends_the_stage_and_leaves_the_best_adapter(config, tiny_base, tokenizer, tmp_path, monkeypatch):
    shares = iter([0, 2, 1, 1, 0])
    weights = []

    def accuracy(model, *arguments):
        weights.append(trainable_state(model))
        return Accuracy(next(shares), 2)

    monkeypatch.setattr(stages, "measure", accuracy)
    config = config.model_copy(
        update={"stages": (config.stages[1],), "train": config.train.model_copy(update={"max_steps": 60})}
    )
    materials, validation = materials_for(config, tokenizer)
    job = job_for(config, tiny_base, tokenizer, tmp_path / "partial")
    (result,) = stages.run_stages(job, materials, validation, None)
    assert (result.ended, len(result.steps), result.best_step) == ("early stop", 10, 4)
    kept = trainable_state(job.model)
    assert all(torch.equal(kept[name], value) for name, value in weights[1].items())
    assert not all(torch.equal(kept[name], value) for name, value in weights[4].items())


def test_a_signal_during_an_evaluation_costs_only_the_evaluation(config, tiny_base, tokenizer, tmp_path, monkeypatch):
    whole = job_for(config, tiny_base, tokenizer, tmp_path / "whole")
    materials, validation = materials_for(config, tokenizer)
    expected = stages.run_stages(whole, materials, validation, None)

    def interrupted(*arguments):
        raise KeyboardInterrupt

    cut = job_for(config, tiny_base, tokenizer, tmp_path / "cut")
    with monkeypatch.context() as patch:
        patch.setattr(stages, "measure", interrupted)
        with pytest.raises(KeyboardInterrupt):
            stages.run_stages(cut, materials, validation, None)
    found = newest_checkpoint(tmp_path / "cut" / "checkpoints", training_parts(fingerprint_parts(config)))
    assert (found.header["stage_index"], found.header["step"]) == (1, 2)
    torch.manual_seed(77)
    again = job_for(config, tiny_base, tokenizer, tmp_path / "cut")
    results = stages.run_stages(again, materials, validation, found)
    assert [result.accuracy for result in results] == [
        [{**record, "seconds": mine["seconds"]} for record, mine in zip(one.accuracy, result.accuracy, strict=True)]
        for one, result in zip(expected, results, strict=True)
    ]
    after = trainable_state(again.model)
    assert all(torch.equal(after[name], value) for name, value in trainable_state(whole.model).items())


def test_pairs_on_validation_questions_are_refused(config, tiny, tokenizer):
    path = config.stages[2].pairs
    held = {"question": tiny.question(tiny.AMOUNTS[-1]), "chosen": "a", "rejected": "b"}
    path.write_text(json.dumps(held, ensure_ascii=False), encoding="utf-8")
    with pytest.raises(GateError, match="validation questions"):
        materials_for(config, tokenizer)


def test_a_family_on_both_sides_stops_the_run(tiny):
    train, validation = ([Row.model_validate(tiny.row(n, f"{n}억원")) for n in numbers] for numbers in ((1, 2), (3, 4)))
    require_disjoint_families(train, validation)
    with pytest.raises(GateError, match="gift:2억원"):
        require_disjoint_families(train, [*validation, train[1]])


def test_law_text_is_cut_into_pieces_that_are_learned_whole(tokenizer):
    text = "증여재산공제는 십년 동안 합산한다. " * 10
    pieces = law_examples([text, "짧다"], tokenizer, 50)
    ids = tokenizer(text, add_special_tokens=False)["input_ids"] + [tokenizer.eos_token_id]
    assert [piece.ids[0] for piece in pieces] == [tokenizer.bos_token_id] * len(pieces)
    assert {piece.answer_start for piece in pieces} == {1} and max(len(piece.ids) for piece in pieces) == 50
    assert [token for piece in pieces[:-1] for token in piece.ids[1:]] == ids  # nothing lost, nothing twice
    assert pieces[-1].ids[-1] == tokenizer.eos_token_id


def test_law_text_comes_from_the_digest_a_folder_or_a_file(tmp_path):
    assert any("상속세 및 증여세법 제53조" in text for text in law_texts("digest"))
    folder = tmp_path / "statutes"
    folder.mkdir()
    (folder / "법률.md").write_text(
        "---\n제목: 시험세법\n공포일자: 2024-01-01\n시행일자: 2024-01-01\n---\n\n##### 제1조 (목적)\n\n이 법은 시험이다.\n",
        encoding="utf-8",
    )
    assert law_texts(str(folder)) == ["시험세법 제1조(목적)\n이 법은 시험이다."]
    (tmp_path / "a.txt").write_text("글\n", encoding="utf-8")
    assert law_texts(str(tmp_path / "a.txt")) == ["글"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [("a.jsonl", '{"texts": 1}', "a.jsonl:1"), ("b.jsonl", '{"text": 1}', "b.jsonl:1"), ("c.txt", " ", "no text")],
)
def test_law_text_that_is_none_is_named(tmp_path, name, text, message):
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        law_texts(str(tmp_path / name))
    with pytest.raises(InputError, match="No such source"):
        law_texts(str(tmp_path / "nowhere"))
