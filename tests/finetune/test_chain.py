"""The whole run on a two-layer random model: if this fails, no student can be trusted to be what was trained."""

import json
import shutil

import pytest

from finetune.data import Row
from finetune.errors import GateError
from finetune.evaluate import Generation
from finetune.metrics_store import read_steps
from finetune.run import fingerprint_parts, finished_run, run, run_fingerprint
from finetune.run_answers import keep_answers
from finetune.settings import Base, Evaluation, Export, Gate, Gates, Lora, RunConfig, Train

# A model of 64 columns loses more by quantising than one that is served.
LOOSE = Gates(Q8_0=Gate(argmax=0.5, mean_kl=1), Q4_K_M=Gate(argmax=0, mean_kl=100))


def config_for(tiny_base, dataset, out, **changes):
    settings = {
        "dataset": dataset,
        "out": out,
        "base": Base(folder=tiny_base.folder),
        "seed": 3,
        "lora": Lora(r=4, alpha=8),
        "train": Train(learning_rate=1e-2, batch_size=4, max_steps=30, dtype="float32"),
        "evaluation": Evaluation(rows=4, base_rows=2, max_new_tokens=48, batch_size=4),
        "export": Export(
            quantisation="Q8_0", importance_rows=3, parity_prompts=2, parity_tokens=16, compare=("Q4_K_M",), gates=LOOSE
        ),
    }
    return RunConfig(**{**settings, **changes})


@pytest.fixture(scope="module", autouse=True)
def code_as_it_is():
    """Someone who edits a file while the tests run is not what is tested."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("finetune.run.code_sha256", lambda: "the code as it is")
        yield


@pytest.fixture(scope="module")
def trained(tiny, tmp_path_factory):
    """One finished run shared by the tests that only look at it."""
    from datetime import date

    from finetune.base import resolve_base
    from taxlaw.calls import parse_call, run_call

    folder = tmp_path_factory.mktemp("chain")
    base = resolve_base(Base(folder=tiny.write_base(folder / "base")))
    rows = [
        tiny.row(number, amount, payable=run_call(parse_call(tiny.call(amount)), date(2025, 7, 1)).payable)
        for number, amount in enumerate(tiny.AMOUNTS)
    ]
    dataset = tiny.write_dataset(folder / "dataset", rows[:32], rows[32:])
    said = []
    config = config_for(base, dataset, folder / "runs" / "tiny")
    return config, run(config, say=said.append), "\n".join(said)


def test_run_folder_is_what_serve_expects(trained):
    config, record, _ = trained
    names = {path.name for path in config.out.iterdir()}
    assert names == {
        *(
            "adapter",
            "student-Q8_0.gguf",
            "model_card.md",
            "run.json",
            "metrics.jsonl",
            "answers.jsonl",
            "loss.png",
            "importance.safetensors",
        ),
        *("survival.md", "survival.json", "survival.png"),
    }
    stored = json.loads((config.out / "run.json").read_text(encoding="utf-8"))
    assert stored == record
    assert stored["student"]["gguf"] == "student-Q8_0.gguf" and len(stored["student"]["sha256"]) == 64
    assert set(stored["eval"]) == {"base", "adapter", "student"}
    assert not config.out.with_name("tiny.partial").exists()
    adapter = (config.out / "adapter" / "adapter_config.json").read_text(encoding="utf-8")
    assert str(config.base.folder.parent) not in adapter  # no path of this machine


def test_every_answer_of_the_evaluation_can_be_read_afterwards(trained):
    config, record, _ = trained
    kept = [json.loads(line) for line in (config.out / "answers.jsonl").read_text(encoding="utf-8").splitlines()]
    by_step = {step: [one for one in kept if one["step"] == step] for step in ("base", "adapter", "student")}
    assert {one["step"] for one in kept} == {"base", "adapter", "merged", "Q4_K_M", "student"}
    for step, scored in record["eval"].items():
        assert [one["row"] for one in by_step[step] if not one["exact"]] == scored["wrong"]
        assert len(by_step[step]) == scored["rows"]
        outputs = {one["question"]: one["output"] for one in by_step[step]}
        assert all(outputs[sample["question"]] == sample["output"] for sample in scored["samples"])


def test_answers_of_another_attempt_give_way(tmp_path, tiny):
    rows = [Row.model_validate(tiny.row(number, "1억원", payable=1)) for number in range(2)]
    said = [Generation("하나\u2028둘", True, 2), Generation("셋", False, 9)]
    keep_answers(tmp_path, "base", rows, said, [rows[1].id])
    keep_answers(tmp_path, "student", rows[:1], said[:1], [])
    keep_answers(tmp_path, "base", rows[:1], said[1:], [rows[0].id])
    kept = [json.loads(line) for line in (tmp_path / "answers.jsonl").read_text(encoding="utf-8").split("\n")[:-1]]
    assert [(one["step"], one["output"], one["exact"]) for one in kept] == [
        ("student", "하나\u2028둘", True),
        ("base", "셋", False),
    ]


def test_training_lowered_the_loss_and_reports_it(trained):
    config, record, said = trained
    steps = read_steps(config.out / "metrics.jsonl")
    assert len(steps) == 30 and steps[-1]["budget_used"] == 1
    assert record["train"]["last_loss"] < 0.7 * record["train"]["first_loss"]
    assert record["train"]["lora_layers"]["q_proj"] == 2
    assert "【" in said and "<end_of_turn>】" in said  # the trained span was shown


def test_the_gguf_answers_with_the_same_tokens_as_the_merged_model(trained):
    """Norm weights, tokenizer and template all have to be right for this."""
    _, record, _ = trained
    parity = record["parity"]
    assert parity["identical"] == parity["prompts"] == 2
    assert parity["tokens_agreed"] == parity["tokens"] > 0
    assert parity["token_texts"] > 4


def test_every_step_to_the_file_is_measured_on_the_same_rows(trained):
    """What a quantisation costs must be in the run's own record, its card and its picture."""
    config, record, _ = trained
    lines = {line["name"]: line for line in record["survival"]["lines"]}
    assert list(lines) == ["base", "adapter", "merged", "Q4_K_M", "student"]
    assert [lines[name]["exact"]["rows"] for name in lines] == [2, 4, 4, 4, 4]
    assert lines["merged"]["nll_token"]["value"] == pytest.approx(lines["adapter"]["nll_token"]["value"], rel=1e-3)
    assert lines["adapter"]["nll_token"]["value"] < 0.7 * lines["base"]["nll_token"]["value"]
    assert lines["Q4_K_M"]["bytes"] < lines["student"]["bytes"] < lines["merged"]["bytes"]
    assert all(line["tokens_per_second"] > 0 and line["characters_per_second"] > 0 for line in lines.values())
    assert json.loads((config.out / "survival.json").read_text(encoding="utf-8")) == record["survival"]
    card = (config.out / "model_card.md").read_text(encoding="utf-8")
    assert "survival table" in card and "| GGUF Q4_K_M |" in card and "GGUF Q8_0 (student)" in card
    assert (config.out / "survival.png").stat().st_size > 5_000


def test_every_gate_is_recorded_with_what_it_found(trained):
    _, record, said = trained
    assert [one["gate"] for one in record["gates"]] == ["merge", "tokens", "greedy", "quantisation", "survival"]
    assert set(record["quantisations"]) == {"F32", "Q8_0", "Q4_K_M"}
    assert record["quantisations"]["F32"]["argmax_agreement"] > 0.99
    assert record["quantisations"]["Q4_K_M"]["mean_kl"] > record["quantisations"]["Q8_0"]["mean_kl"] > 0
    assert "| Q4_K_M |" in said


@pytest.mark.parametrize(
    ("stopped_at", "export"),
    [
        ("quantisation", {"gates": Gates(Q8_0=Gate(argmax=1, mean_kl=1e-9))}),
        ("quantisation", {"gates": Gates(Q8_0=Gate(argmax=0, mean_kl=10), Q4_K_M=Gate(argmax=1, mean_kl=1e-9))}),
    ],
    ids=["the student's file", "a compared one"],
)
def test_the_run_stops_at_the_gate_that_fails_and_is_not_trained_again_for_another(
    trained, tmp_path, monkeypatch, stopped_at, export
):
    config, _, _ = trained
    quick = Train(learning_rate=1e-2, batch_size=4, max_steps=3, dtype="float32")
    strict = config.export.model_copy(update=export)
    failing = config.model_copy(update={"out": tmp_path / "gated", "train": quick, "export": strict})
    named = "Q4_K_M" if "Q4_K_M" in str(export["gates"].model_fields_set) else "Q8_0"
    with pytest.raises(GateError, match=rf"gate '{stopped_at}'[^$]*{named} 가 합친 모델과"):
        run(failing, say=lambda text: None)
    assert not failing.out.exists()

    def no_training(*arguments, **options):
        raise AssertionError("trained again")

    monkeypatch.setattr("finetune.train.train", no_training)
    said = []
    record = run(failing.model_copy(update={"export": config.export}), say=said.append)
    assert "끝난 단계 m2" in "\n".join(said)
    assert not [path for path in failing.out.iterdir() if path.name in ("gguf", "checkpoints")]
    assert record["config"]["export"]["gates"]["Q8_0"]["argmax"] == 0.5


def test_a_file_that_lost_the_adapters_right_answers_is_refused():
    from finetune.student_file import require_survival

    def table(still, right=10):
        adapter = {"name": "adapter", "right": [str(number) for number in range(right)], "kept": None}
        return {"lines": [adapter, {"name": "student", "kept": {"value": still}}]}

    assert require_survival(table(0.8), 0.7) == {"kept": 0.8, "least": 0.7}
    assert require_survival(table(0.1, right=9), 0.7)["kept"] is None  # too few to say
    with pytest.raises(GateError, match="right answers lost"):
        require_survival(table(0.6), 0.7)


def test_the_gguf_carries_template_and_stop_token(trained):
    import gguf

    from finetune.chat import TEMPLATE

    config, record, _ = trained
    fields = gguf.GGUFReader(config.out / record["student"]["gguf"]).fields
    assert fields["tokenizer.chat_template"].contents() == TEMPLATE
    assert (
        fields["tokenizer.ggml.tokens"].contents()[fields["tokenizer.ggml.eot_token_id"].contents()] == "<end_of_turn>"
    )
    assert fields["tokenizer.ggml.add_bos_token"].contents() is True


def test_the_card_states_base_settings_and_disclaimer(trained):
    config, record, _ = trained
    card = (config.out / "model_card.md").read_text(encoding="utf-8")
    assert "세무 자문이 아닙니다" in card and record["student"]["sha256"] in card
    assert "None" not in card and "{{" not in card


def test_a_finished_run_is_reused_until_something_changes(trained, monkeypatch):
    config, record, _ = trained
    said = []

    def no_training(*arguments):
        raise AssertionError("trained again")

    monkeypatch.setattr("finetune.run._run_into", no_training)
    assert run(config, say=said.append) == record
    assert "다시 씁니다" in said[0]
    with pytest.raises(AssertionError, match="trained again"):
        run(config, force=True, say=said.append)
    with pytest.raises(AssertionError, match="trained again"):
        run(config.model_copy(update={"seed": 4}), say=said.append)
    shutil.rmtree(config.out.with_name("tiny.partial"))


def test_a_damaged_student_is_not_taken_for_finished(trained, tmp_path):
    config, record, _ = trained
    copy = shutil.copytree(config.out, tmp_path / "copy")
    assert finished_run(copy, record["fingerprint"]) == record
    (copy / "student-Q8_0.gguf").write_bytes(b"half")
    assert finished_run(copy, record["fingerprint"]) is None


def test_an_interrupted_run_leaves_the_finished_one_alone(trained, monkeypatch):
    """Ctrl-C in the middle of training must not cost the student that is being served."""
    config, record, _ = trained

    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("finetune.train.train", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run(config, force=True, say=lambda text: None)
    assert finished_run(config.out, record["fingerprint"]) == record
    assert not (config.out.with_name("tiny.partial") / "run.json").exists()
    shutil.rmtree(config.out.with_name("tiny.partial"))


def test_a_run_with_fitted_vocabulary_gives_a_smaller_student(trained, tmp_path):
    config, record, _ = trained
    quick = Train(learning_rate=1e-2, batch_size=4, max_steps=3, dtype="float32")
    fitted = run(
        config.model_copy(update={"fit_vocab": True, "out": tmp_path / "fitted", "train": quick}), say=lambda text: None
    )
    vocabulary = fitted["base"]["vocabulary"]
    assert vocabulary["pieces"] < vocabulary["before"]
    assert fitted["student"]["bytes"] < record["student"]["bytes"]
    assert fitted["parity"]["identical"] == 2


def test_a_run_that_goes_on_from_an_adapter_begins_where_that_ended(tiny_base, dataset, tmp_path):
    quick = {"train": Train(learning_rate=1e-2, batch_size=4, max_steps=12, dtype="float32")}
    first = config_for(tiny_base, dataset, tmp_path / "first", **quick)
    run(first)
    again = {"lora": Lora(r=4, alpha=8, start=first.out / "adapter")}
    second = config_for(tiny_base, dataset, tmp_path / "second", **quick, **again)
    record = run(second)
    losses = [[step["loss"] for step in read_steps(config.out / "metrics.jsonl")] for config in (first, second)]
    assert losses[1][0] < 0.8 * losses[0][0]
    # Another adapter to begin with is another run.
    shutil.copy(second.out / "adapter/adapter_model.safetensors", first.out / "adapter/adapter_model.safetensors")
    assert not finished_run(second.out, run_fingerprint(fingerprint_parts(second)))
    assert record["config"]["lora"]["start"]
