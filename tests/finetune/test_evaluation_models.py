"""The same figures from torch and from llama.cpp, and the whole command on a finished run of a two-layer model."""

import argparse
import json
import math

import pytest
import torch

from finetune import eval_command
from finetune.data import Row, read_rows
from finetune.errors import GateError, InputError
from finetune.evaluate import Generation
from finetune.evaluation import gguf_model
from finetune.evaluation.comparison import Plan, compare, write_comparison
from finetune.evaluation.subjects import Caps, Subject, recorded_subject, torch_likelihoods, torch_speed, torch_subject
from finetune.evaluation.survival import hits_of, survival, survival_line, survival_markdown, survivor


@pytest.fixture(scope="module")
def finished(tiny, tmp_path_factory):
    """(run folder, dataset folder) of a run that was never trained: adapter with noise, its GGUF, its record."""
    from datetime import date

    from finetune.base import load_model, load_tokenizer, resolve_base
    from finetune.gguf_export import export_gguf
    from finetune.llama import quantise
    from finetune.lora import attach_lora, save_adapter
    from finetune.merge import merge_adapter
    from finetune.settings import Base, Lora, RunConfig, Train
    from taxlaw.calls import parse_call, run_call

    torch.set_num_threads(1)
    place = tmp_path_factory.mktemp("finished")
    base = Base(folder=tiny.write_base(place / "base", layer_weight=0.5))
    payable = {a: run_call(parse_call(tiny.call(a)), date(2025, 7, 1)).payable for a in tiny.AMOUNTS}
    rows = [tiny.row(number, amount, payable=payable[amount]) for number, amount in enumerate(tiny.AMOUNTS)]
    said = {"style": "expert", "call": None, "payable": None, "answer": "상속세 및 증여세법 제53조에 따릅니다."}
    spoken = [tiny.row(100 + number, "1억원", question=f"공제는 {number}?", **said) for number in range(2)]
    dataset = tiny.write_dataset(place / "dataset", rows[:32], [*rows[32:], *spoken])
    lines = [
        {"question": one["question"], "answer": one["answer"], "style": "expert", "note": "녹음"} for one in spoken
    ]
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    (dataset / "recorded_answers.jsonl").write_text(text, encoding="utf-8")

    run = place / "run"
    lora, weights = Lora(r=4, alpha=8), resolve_base(base)
    model, _ = attach_lora(load_model(weights, "float32"), lora, 0)
    with torch.no_grad():
        for name, value in model.named_parameters():
            if "lora_B" in name:
                value.normal_(0, 0.05)
    save_adapter(model, "tiny", run / "adapter")
    tokenizer = load_tokenizer(weights)
    export_gguf(merge_adapter(weights, run / "adapter"), tokenizer, run / "whole.gguf", "F32", "tiny")
    quantise(run / "whole.gguf", run / "student-Q8_0.gguf", "Q8_0")
    config = RunConfig(
        dataset=dataset, out=run, base=base, lora=lora, train=Train(learning_rate=1e-3, max_steps=1, dtype="float32")
    )
    record = {
        "fingerprint": "f" * 64,
        "student": {"gguf": "student-Q8_0.gguf", "quantisation": "Q8_0", "style": "program", "bytes": 1, "sha256": "0"},
        "base": {"key": weights.key, "vocabulary": None, "licence": "gemma", "source": "tiny", "from_quantised": None},
        "config": json.loads(config.model_dump_json()),
    }
    (run / "run.json").write_text(json.dumps(record, ensure_ascii=False), encoding="utf-8")
    return run, dataset


@pytest.fixture(scope="module")
def pair(finished):
    """The merged model with its tokenizer, the same as an F32 GGUF, and rows with a turn before one of the questions."""
    from finetune.base import load_tokenizer
    from finetune.merge import merge_adapter
    from finetune.run_weights import weights_of_run

    run, dataset = finished
    weights = weights_of_run(run)
    rows = read_rows(dataset / "validation.jsonl")[6:]
    turn = {"question": "안녕하세요?", "answer": "네, 말씀하세요."}
    rows[0] = Row.model_validate({**rows[0].model_dump(), "history": [turn]})
    return merge_adapter(weights, run / "adapter"), load_tokenizer(weights), run / "whole.gguf", rows


def test_llama_and_torch_find_the_expected_answer_equally_likely(pair):
    model, tokenizer, gguf_file, rows = pair
    ours = torch_likelihoods(model, tokenizer, rows, "program")
    theirs = gguf_model.likelihoods(gguf_file, rows, "program")
    for one, other in zip(ours, theirs, strict=True):
        assert (one.tokens, one.characters) == (other.tokens, other.characters)
        assert other.nats == pytest.approx(one.nats, rel=2e-3)
    assert ours[0].characters == len(rows[0].call) and ours[-1].characters == len(rows[-1].answer)


def test_the_likelihood_is_the_product_of_its_next_tokens(pair):
    """Counted the slow way: one forward pass per token, over the whole vocabulary."""
    from finetune.chat import encode

    model, tokenizer, _, rows = pair
    row = rows[1]
    encoded = encode(row.question, row.call, tokenizer)
    nats = 0.0
    for place in range(encoded.answer_start, len(encoded.ids)):
        with torch.inference_mode():
            logits = model(input_ids=torch.tensor([encoded.ids[:place]])).logits[0, -1]
        nats -= float(torch.log_softmax(logits, -1)[encoded.ids[place]])
    found = torch_likelihoods(model, tokenizer, [row], "program")[0]
    assert found.nats == pytest.approx(nats, rel=1e-4)
    assert found.tokens == len(encoded.ids) - encoded.answer_start


def test_long_answers_are_read_in_chunks(pair, monkeypatch):
    _, _, gguf_file, rows = pair
    whole = gguf_model.likelihoods(gguf_file, rows, "program")
    monkeypatch.setattr(gguf_model, "_CHUNK", 5)
    assert [one.nats for one in gguf_model.likelihoods(gguf_file, rows, "program")] == pytest.approx(
        [one.nats for one in whole], rel=1e-3
    )


def test_a_gguf_answers_through_its_own_template_as_the_model_does(pair):
    model, tokenizer, gguf_file, rows = pair
    caps = Caps(worked=12, words=8, batch_size=4)
    theirs = torch_subject("merged", "합친 모델", model, tokenizer).answer(rows, caps)
    assert gguf_model.generate(gguf_file, rows[:2], 12) == theirs[:2]
    assert [answer.tokens <= (12 if row.call else 8) for row, answer in zip(rows, theirs, strict=True)] == [True] * 4
    assert theirs[-1].tokens == 8  # a row in words has its own cap


def test_a_base_without_a_template_is_asked_as_its_student_is(pair, monkeypatch):
    from finetune.chat import GEMMA

    _, _, gguf_file, rows = pair
    answers = gguf_model.generate(gguf_file, rows, 12)
    opened = gguf_model.open_gguf

    def bare(*arguments, **options):
        llama = opened(*arguments, **options)
        for key in ("tokenizer.chat_template", "tokenizer.ggml.eot_token_id"):
            del llama.metadata[key]
        return llama

    monkeypatch.setattr(gguf_model, "open_gguf", bare)
    with pytest.raises(InputError, match="chat_template"):
        gguf_model.generate(gguf_file, rows, 12)
    assert gguf_model.generate(gguf_file, rows, 12, GEMMA) == answers
    with gguf_model.opened(gguf_file, rows[:1], 4, GEMMA) as (speaker, _):
        assert speaker.stop in speaker.stops and len(speaker.stops) == 2


def test_speeds_are_measured_past_the_end_of_an_answer(pair):
    model, tokenizer, gguf_file, rows = pair
    for speed in (torch_speed(model, tokenizer, rows), gguf_model.speed(gguf_file, rows[:2], 8)):
        assert math.isfinite(speed) and speed > 0


def command(*arguments):
    parser = argparse.ArgumentParser()
    eval_command.add_parser(parser.add_subparsers())
    return eval_command.run(parser.parse_args(["eval", *map(str, arguments)]))


def test_eval_of_a_finished_run_measures_every_step_and_writes_the_report(finished, tmp_path, capsys):
    run, _ = finished
    out = tmp_path / "eval"
    limits = ("--rows", 6, "--base-rows", 3, "--max-new-tokens", 8, "--document-tokens", 8)
    assert command("--run", run, "--out", out, "--quantisations", "Q4_K_M", *limits) == 0
    assert {path.name for path in out.iterdir()} == {
        *("report.md", "eval.json", "eval.png", "answers.jsonl"),
        *("survival.md", "survival.json", "survival.png"),
    }
    record = json.loads((out / "eval.json").read_text(encoding="utf-8"))
    assert list(record["models"]) == ["teacher", "base", "adapter", "merged", "Q4_K_M", "student"]
    assert [record["models"][name]["rows"] for name in ("teacher", "base", "adapter")] == [2, 3, 6]
    assert record["styles"] == {"expert": 2, "worked": 4}
    lines = {line["name"]: line for line in record["survival"]["lines"]}
    assert lines["student"]["nll_token"]["value"] == pytest.approx(lines["merged"]["nll_token"]["value"], rel=2e-2)
    assert lines["Q4_K_M"]["bytes"] < lines["student"]["bytes"] < lines["merged"]["bytes"]
    assert lines["base"]["nll_token"]["value"] != lines["adapter"]["nll_token"]["value"]
    assert all(lines[name]["tokens_per_second"] > 0 for name in lines if name != "teacher")
    rate = lines["student"]["characters_per_second"] / lines["student"]["tokens_per_second"]
    assert rate == pytest.approx(
        lines["merged"]["characters_per_second"] / lines["merged"]["tokens_per_second"], rel=0.1
    )
    report = (out / "report.md").read_text(encoding="utf-8")
    assert "거절 행 없음 (no rows)" in report and "GGUF Q4_K_M" in report and str(tmp_path) not in report
    answers = [json.loads(line) for line in (out / "answers.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(answers) == 2 + 3 + 6 * 4
    assert "report.md" in capsys.readouterr().out
    assert not [path for path in run.iterdir() if "Q4" in path.name]  # made aside


def test_cases_from_outside_are_put_to_the_file_that_is_served(finished, tmp_path):
    run, _ = finished
    cases = tmp_path / "cases.jsonl"
    case = {"question": "부모님께 3억원을 증여받으면 증여세는?", "as_of": "2025-07-01", "amount": "3,880만원"}
    cases.write_text(json.dumps(case, ensure_ascii=False), encoding="utf-8")
    limits = ("--max-new-tokens", 8, "--no-speed", "--out", tmp_path / "out")
    assert command("--model", run, "--data", cases, *limits) == 0
    record = json.loads((tmp_path / "out" / "eval.json").read_text(encoding="utf-8"))
    assert list(record["models"]) == ["student"]
    assert record["models"]["student"]["per_tax"]["gift"]["rows"] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "nothing to measure"),
        (("--gguf", "a.gguf"), "--dataset"),
        (("--run", "{run}", "--only", "studnet"), "studnet"),
        (("--run", "{run}", "--quantisations", "Q2_K"), "Q2_K"),
        (("--run", "{run}", "--split", "test"), "test.jsonl"),
        (("--run", "{dataset}"), "no run.json"),
        (("--gguf", "{dataset}/none.gguf", "--dataset", "{dataset}"), "no such file"),
        (("--base", "nowhere", "--dataset", "{dataset}"), "nowhere"),
    ],
)
def test_what_cannot_be_measured_is_refused_with_its_name(finished, tmp_path, arguments, message):
    run, dataset = finished
    with pytest.raises(InputError, match=message):
        command(*(one.format(run=run, dataset=dataset) for one in arguments), *(("--out", tmp_path / "out")))


def test_another_base_than_the_runs_own_is_refused(finished, tmp_path):
    run, dataset = finished
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    other = tmp_path / "run"
    other.mkdir()
    record["base"]["key"] = "0" * 64
    (other / "run.json").write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(GateError, match="another base"):
        command("--run", other, "--dataset", dataset, "--only", "base")


def scripted(name, answer):
    return Subject(name, name, lambda rows, caps: [Generation(answer(row), True, 5) for row in rows], size=2_000_000)


def test_models_are_compared_row_by_row(tiny, finished, tmp_path):
    """Two of the adapter's three right answers survive, and what it had wrong is not counted as survived."""
    from finetune.evaluation.comparison import Judging

    _, dataset = finished
    rows = [row for row in read_rows(dataset / "validation.jsonl") if row.call][:4]
    adapter_right, student_right = ({rows[place].id for place in places} for places in ((0, 1, 2), (0, 1, 3)))
    subjects = [
        scripted("base", lambda row: "모릅니다."),
        scripted("adapter", lambda row: row.call if row.id in adapter_right else tiny.call("1억원")),
        scripted("student", lambda row: row.call if row.id in student_right else tiny.call("1억원")),
    ]

    def likes_working(system, user):
        shown = json.loads(user)
        best = max(("A", "B"), key=lambda place: "과세표준" in shown[f"답변 {place}"])
        return json.dumps({"winner": best, "reason": "풀이가 있음"}, ensure_ascii=False)

    plan = Plan(dataset, "validation", rows, "program", base_rows=2)
    record, answers = compare(plan, subjects, Judging(likes_working, "scripted", "base", 2), say=lambda text: None)
    lines = {line["name"]: line for line in record["survival"]["lines"]}
    assert lines["adapter"]["exact"]["value"] == lines["student"]["exact"]["value"] == 0.75
    assert lines["student"]["kept"]["value"] == round(2 / 3, 4) and lines["student"]["kept"]["rows"] == 3
    assert lines["adapter"]["kept"]["value"] == 1 and lines["base"]["kept"]["value"] == 0
    assert lines["base"]["exact"]["rows"] == 2
    assert record["models"]["adapter"]["judge"]["win"] == 2 and "judge" not in record["models"]["base"]
    write_comparison(record, answers, tmp_path)
    assert "scripted 이 base 와 견줌" in (tmp_path / "report.md").read_text(encoding="utf-8")


def test_survival_lines_come_from_a_runs_own_scores(pair, tiny):
    model, tokenizer, _, rows = pair
    scored = {"rows": 2, "wrong": [rows[1].id]}
    subject = torch_subject("adapter", "학습 후 adapter", model, tokenizer)
    line = survivor(subject, hits_of(rows, scored), rows, "program", nll_rows=1)
    assert (line["right"], line["wrong"]) == ([rows[0].id], [rows[1].id])
    assert line["nll_token"]["rows"] == 1 and line["bytes"] == 4 * sum(p.numel() for p in model.parameters())
    student = survival_line(Subject("student", "GGUF", None), {rows[0].id: False, rows[1].id: True}, [], None)
    table = survival([line, student])
    assert table["lines"][1]["kept"]["value"] == 0 and table["lines"][1]["exact"]["value"] == 0.5
    text = survival_markdown(table)
    assert text.count("\n") == 4 and "| GGUF | 50% (0–100) | 2 | 0% | – | – | – | – | – |" in text


def test_a_malformed_recording_is_named_by_its_line(tmp_path):
    file = tmp_path / "recorded_answers.jsonl"
    assert recorded_subject(file) is None
    file.write_text('{"question": "가", "answer": "나", "style": "plain"}\n{"question": "다"}\n', encoding="utf-8")
    with pytest.raises(InputError, match="jsonl:2"):
        recorded_subject(file)
