"""The ablation table: one thing changed at a time, the same budget for all, losing rows kept, stopped runs taken up again."""

import contextlib
import importlib.util
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from finetune.settings import RunConfig, read_config

REPO = Path(__file__).parents[2]
BENCH = REPO / "bench"


def _load(name):
    """A module of bench/, which is no package, under its own name: they import each other by it."""
    spec = importlib.util.spec_from_file_location(name, BENCH / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


variants = _load("ablation_variants")
records = _load("ablation_records")
sampling = _load("ablation_sampling")
pages = _load("ablation_page")
measure = _load("ablation_measure")
ablations = _load("ablations")

STUDENT = REPO / "configs/finetune/student.yaml"


def plan_in(folder, **changes):
    settings = {"config": STUDENT, "dataset": Path("datasets/student"), "work": folder, "rows": 130, "minutes": 6.0}
    return variants.Plan(**{**settings, **changes})


def differing(one, other, where=""):
    """Keys at which two nested mappings differ."""
    found = set()
    for key in one.keys() | other.keys():
        left, right = one.get(key), other.get(key)
        if isinstance(left, dict) and isinstance(right, dict):
            found |= differing(left, right, f"{where}{key}.")
        elif left != right:
            found.add(f"{where}{key}")
    return found


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("r32", {"lora.r", "lora.alpha"}),
        ("whole_vocabulary", {"fit_vocab"}),
        ("extended", {"extend_vocab", "stages"}),
        ("m1_m2", {"stages"}),
        ("worked", {"target", "evaluation.max_new_tokens"}),
        ("mixed", {"target", "evaluation.max_new_tokens"}),
        ("own_answers", {"dataset"}),
        ("dpo", {"stages"}),
        ("other_seed", {"seed"}),
    ],
)
def test_a_variant_changes_one_thing_in_the_reference(tmp_path, name, changed):
    """A second difference would make its line say nothing."""
    plan = plan_in(tmp_path)
    reference, mine = (
        variants.config_of(variants.variant_named(one), plan).model_dump(mode="json")
        for one in (variants.REFERENCE, name)
    )
    assert differing(reference, mine) == changed | {"out", "evaluation.base_rows"}
    assert reference["evaluation"]["base_rows"] == 130 and reference["target"] == "program"


@pytest.mark.parametrize("steps", [None, 6])
def test_every_variant_has_the_same_budget(tmp_path, steps):
    plan = plan_in(tmp_path, steps=steps)
    for variant in variants.VARIANTS:
        config = variants.config_of(variant, plan)
        budgets = [stage.settings(config.train) for stage in config.stages]
        spent = [one.max_steps if steps else one.max_minutes for one in budgets]
        assert sum(spent) == pytest.approx(steps or 6), variant.name
        unused = [one.max_minutes if steps else one.max_steps for one in budgets]
        assert unused == [None] * len(budgets) and not any(one.epochs or one.early_stop for one in budgets)


def test_the_settings_beside_a_run_are_a_config_of_their_own(tmp_path):
    plan = plan_in(tmp_path / "work")
    variant = variants.variant_named("extended")
    path = variants.write_config(variant, plan)
    assert read_config(path) == variants.config_of(variant, plan)
    assert f"python -m finetune run --config {path}" in path.read_text("utf-8")
    with pytest.raises(SystemExit, match="known variants"):
        variants.variant_named("r64")


def answered(**answers):
    return {
        "right": [key for key, hit in answers.items() if hit],
        "wrong": [key for key, hit in answers.items() if not hit],
    }


def test_differences_are_taken_row_by_row_on_the_rows_both_were_asked():
    reference = answered(**{f"r{number}": number % 2 for number in range(100)})
    better = answered(**{f"r{number}": number % 2 or number < 30 for number in range(100)}, other=True)
    found = pages.paired(better, reference)
    assert (found["value"], found["rows"], found["better"], found["worse"]) == (0.15, 100, 15, 0)
    assert 0.05 < found["low"] < found["high"] < 0.25  # two separate intervals would overlap widely
    same = pages.paired(reference, reference)
    assert same["value"] == 0 and same["low"] < 0 < same["high"]  # no row differing is not certainty
    assert pages.points(found).startswith("+15.0 (")


def entry(right, rows=40, **changes):
    """What the runner keeps of a variant."""
    hits = answered(**{f"r{number}": number < right for number in range(rows)})
    share = {"value": right / rows, "low": 0.1, "high": 0.9, "rows": rows}
    return {
        **hits,
        **{
            "exact": share,
            "nll_character": None,
            "ended_by_stop": 1.0,
            "mean_tokens": 40.0,
            "bytes": 100,
            "pieces": 500,
        },
        **{"rows_seen": 800, "steps": 200, "tokens": 9_000, "tokens_per_second": 400.0, "peak_bytes": 2_000_000_000},
        **{"train_seconds": 300.0, "stages": [{"kind": "task", "tokens": 9_000}], "commit": "abc", "load_before": 1.0},
        **changes,
    }


def results_of(**entries):
    plan = {"config": "c.yaml", "work": "w", "minutes": 6, "steps": None, "held_out_law": "부가가치세법"}
    held = {"rows": 40, "taxes": {"gift": 40}}
    return {"command": "x", "date": "2026-01-02", "machine": "m", "plan": plan, "held_out": held, "entries": entries}


def test_losing_and_stopped_variants_stay_in_the_table():
    results = results_of(
        base=entry(0, load_before=None), reference=entry(30), r32=entry(31), worked=entry(8), dpo={"failed": "gate"}
    )
    table = pages.table(results)
    widths = {line.count("|") for line in table.splitlines()}
    assert widths == {14}
    assert "| **worked**" in table and "-55.0 (" in table and "stopped: gate" in table
    assert "**mixed**" in table and "not run" in table and "other_seed" not in table  # done only when asked for
    said = pages.noise(results)
    assert "holds 0): r32." in said and "Worse: base, worked." in said
    assert pages.winner_of(results) == "r32"
    results["entries"]["reference"] = entry(31, bytes=90)
    assert pages.winner_of(results) == "reference"  # of equals the smaller file


def test_the_vocabulary_table_compares_characters_not_tokens():
    fitted, longer = {"law": 1.5, "calls": 2.0, "trained on": 1.5}, {"law": 2.5, "calls": 2.0, "trained on": 2.4}
    results = results_of(
        reference=entry(30, characters_per_token=fitted),
        whole_vocabulary=entry(30, characters_per_token=fitted, pieces=None),
        extended=entry(20, characters_per_token=longer),
    )
    results["decoding"] = {
        "tokens_per_second": {
            "reference": [150.0, 75.0, 150.0],
            "whole_vocabulary": [80.0, 40.0, 80.0],  # a neighbour halved the second turn for all
            "extended": [145.0, 72.5, 150.0],
        }
    }
    assert pages.decoded_per_second(results, "extended", "law") == 362.5
    goals = "\n".join(pages.goals(results))
    assert "law: 2.50 characters per token, goal 2.4: reached" in goals
    assert (
        "law: 3.02 times the whole vocabulary's characters per second (median of the turns), goal 3: reached" in goals
    )
    assert (
        "calls: 1.81 times the whole vocabulary's characters per second (median of the turns), goal 3: **not" in goals
    )
    assert "-25.0 (" in goals and "and the interval excludes it" in goals
    assert pages.trained_characters_per_second(results["entries"]["extended"]) == 72.0
    page = pages.page(results, f"an older page\n{pages.MARKER}\nby hand\n")
    assert page.endswith("\nby hand\n") and "older page" not in page and "all |" in page


def test_own_answers_become_a_quarter_of_the_worked_rows(tiny, dataset, tmp_path):
    plan = plan_in(tmp_path / "work", dataset=dataset)
    plan.work.mkdir()
    own = [json.dumps(tiny.row(900, "3억원", id="own"), ensure_ascii=False)] * 2
    repeats = sampling.write_own_dataset(plan, own)
    from finetune.data import read_rows

    rows = read_rows(plan.own_dataset / "train.jsonl")
    mine = [row for row in rows if row.id.startswith("own")]
    assert repeats == 5 and len(rows) == 32 + 10 and len(mine) / len(rows) == pytest.approx(0.25, abs=0.02)
    assert read_rows(plan.own_dataset / "validation.jsonl") == read_rows(dataset / "validation.jsonl")


def test_a_second_run_waits_for_what_the_first_left_behind(tmp_path):
    """A child that outlived its killed parent must not train into the same folder as a new one."""
    with ablations.lock_of(tmp_path), pytest.raises(SystemExit, match="another run"), ablations.lock_of(tmp_path):
        pass
    with ablations.lock_of(tmp_path):
        pass


def test_a_child_holds_the_lock_and_writes_its_log(tmp_path):
    code = "import finetune, os, sys; os.fstat(int(sys.argv[1])); print('말했다'); sys.exit(3)"
    with ablations.lock_of(tmp_path) as lock:
        assert ablations.start_child(lock)(["-c", code, str(lock.fileno())], tmp_path / "child.log") == 3
    assert "말했다" in (tmp_path / "child.log").read_text("utf-8")


def test_the_list_shows_in_a_bare_process_from_anywhere(tmp_path):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, str(BENCH / "ablations.py"), "--list", "--results", str(tmp_path / "none.json")]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert all(variant.name in done.stdout for variant in variants.VARIANTS)


def test_samples_are_taken_again_when_their_files_are_gone(tmp_path):
    plan = plan_in(tmp_path)
    assert sampling.is_there({"pairs": 0, "own": 0}, plan)
    assert not sampling.is_there({"pairs": 3, "own": 0}, plan)
    plan.pairs.write_text("{}\n", encoding="utf-8")
    assert sampling.is_there({"pairs": 3, "own": 0}, plan) and not sampling.is_there({"pairs": 3, "own": 1}, plan)


def test_a_failed_run_says_why_in_one_cell(tmp_path):
    log = tmp_path / "x.log"
    log.write_text("학습 중\n중단: 게이트 'greedy' 에서 멈췄습니다\n  왜 | 그런지\n", encoding="utf-8")
    assert records.last_words(log) == "중단: 게이트 'greedy' 에서 멈췄습니다 왜 / 그런지"


LAW = [
    "직계 부모는 증여받은 원의 과세를 표준은 풀이로 받았는데 존속은 마는 증여인.",
    "증여받은 부모는 과세를 받았는데 표준은 얼마는 원인 직계 존속은 님은 가요.",
    "존속은 증여받은 과세를 표준은 직계 부모는 풀이로 2025 받았는데 제53 원의.",
]


@pytest.fixture
def tiny_table(tiny, dataset, tmp_path, monkeypatch):
    """(arguments of the runner, a way to start children in this process, what was started) on a two-layer random model."""
    monkeypatch.chdir(REPO)  # which the runner does itself, for good
    monkeypatch.setenv("OMP_WAIT_POLICY", "PASSIVE")  # else the command line sets it for all later tests
    monkeypatch.setattr("finetune.run.code_sha256", lambda: "the code as it is")
    for module in (variants, sampling):  # an untrained model writes until it is cut off
        monkeypatch.setattr(module, "CALL_TOKENS", 24)
    monkeypatch.setattr(variants, "WORKING_TOKENS", 32)
    monkeypatch.setattr(measure, "QUANTISATIONS", ("F16", "Q4_K_M"))
    base = tiny.write_base(tmp_path / "base", layer_weight=0.5)
    gates = {name: {"argmax": 0, "mean_kl": 100} for name in ("unquantised", "Q8_0")}
    config = {
        **{"dataset": str(dataset), "out": str(tmp_path / "unused"), "base": {"folder": str(base)}, "fit_vocab": True},
        "train": {"learning_rate": 0.01, "max_minutes": 80, "dtype": "float32"},
        "export": {"parity_prompts": 1, "parity_tokens": 4, "parity_fuzz": 20, "compare_tokens": 8, "gates": gates},
    }
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    RunConfig.model_validate(config)
    law = [*LAW * 12, "부가가치세법 제1조 증여받은 부모는 과세를 받았는데"]
    lines = (json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in law)
    (tmp_path / "law.jsonl").write_text("".join(lines), encoding="utf-8")
    started = []

    def start(words, log):
        started.append(words)
        from finetune.__main__ import main

        program = main if words[:2] == ["-m", "finetune"] else measure.main
        before = signal.getsignal(signal.SIGTERM)
        said = io.StringIO()
        try:
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
                return program(words[2:] if program is main else words[1:])
        finally:
            signal.signal(signal.SIGTERM, before)
            log.write_text(said.getvalue(), encoding="utf-8")

    words = {"config": tmp_path / "tiny.yaml", "work": tmp_path / "work", "law": tmp_path / "law.jsonl"}
    words |= {"results": tmp_path / "out/ablations.json", "page": tmp_path / "out/ablations.md"}
    words |= {"steps": 2, "rows": 4, "questions": 3, "samples": 2, "repeats": 2}
    return [str(part) for name, value in words.items() for part in (f"--{name}", value)], start, started


def test_the_whole_table_on_a_tiny_model(tiny_table, tmp_path):
    """Train, sample, learn from the samples, measure, write, and on a second call do nothing twice."""
    given, start, started = tiny_table
    names = ("reference", "extended", "own_answers", "dpo", "quantisations", "decoding")
    only = [word for name in names for word in ("--only", name)]
    said = []
    assert ablations.main([*given, *only], start, said.append) == 1  # an untrained student has no own right answers
    results = json.loads((tmp_path / "out/ablations.json").read_text("utf-8"))
    entries = results["entries"]
    assert set(entries) == {"base", "reference", "extended", "own_answers", "dpo"}, said
    assert [name for name, one in entries.items() if "failed" in one] == ["own_answers"], entries
    assert "no such answers" in entries["own_answers"]["failed"]
    assert {one["exact"]["rows"] for one in entries.values() if "exact" in one} == {4}
    assert entries["extended"]["pieces"] > entries["reference"]["pieces"]
    assert [stage["kind"] for stage in entries["dpo"]["stages"]] == ["task", "preference"]
    assert results["sampling"]["pairs"] == 3 and results["sampling"]["own"] == 0
    rates = entries["extended"]["characters_per_token"]
    assert rates["law"] > entries["reference"]["characters_per_token"]["law"]
    assert [line["name"] for line in results["quantisations"]["lines"]] == list(measure.QUANTISATIONS)
    assert {name: len(rates) for name, rates in results["decoding"]["tokens_per_second"].items()} == {
        "reference": 2,
        "extended": 2,
    }
    page = (tmp_path / "out/ablations.md").read_text("utf-8")
    assert "**r32**" in page and "not run" in page and "characters per second, goal 3" not in page
    assert (tmp_path / "out/ablations.png").stat().st_size > 5_000
    assert list((tmp_path / "work/reference").glob("*.gguf"))  # not all is measured yet: the files stay

    started.clear()
    assert ablations.main([*given, *only], start, said.append) == 1
    assert started == []  # all that is done stays done

    def refuse(words, log):
        started.append(words)
        log.write_text("중단: 게이트 'greedy' 에서 멈췄습니다\n", encoding="utf-8")
        return 1

    assert ablations.main([*given, "--only", "dpo", "--again", "dpo"], refuse, said.append) == 1
    assert [words[1:3] for words in started] == [["finetune", "run"]] and "--force" in started[0]
    assert "stopped: 중단: 게이트 'greedy'" in (tmp_path / "out/ablations.md").read_text("utf-8")
    assert ablations.main([*given, "--list"], say=said.append) == 0
    assert any(line.startswith("own_answers") and "멈춤" in line for line in said)
