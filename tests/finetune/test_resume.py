"""Exact resume: a run that was killed, at any moment and however often, ends bit for bit as one that was not."""

import copy
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml

from finetune.base import load_model
from finetune.chat import encode
from finetune.checkpoint import load_trainable, random_state, restore_random_state, trainable_state
from finetune.data import endless_items
from finetune.lora import NEW_PIECES, attach_lora
from finetune.settings import Lora, Train
from finetune.train import train

DRIVER = Path(__file__).with_name("resume_driver.py")


@pytest.fixture
def examples(tokenizer, tiny):
    return [encode(tiny.question(amount), tiny.call(amount), tokenizer) for amount in tiny.AMOUNTS[:12]]


def fresh(tiny_base, dropout=0.2, new_rows=()):
    return attach_lora(load_model(tiny_base, "float32"), Lora(r=4, alpha=8, dropout=dropout), 0, new_rows)[0]


def batches(examples):
    return endless_items(examples, [len(one.ids) for one in examples], 4, "seed")


def plain(steps):
    return [{**step.__dict__, "seconds": None} for step in steps]


@pytest.mark.parametrize(("stop_after", "new_rows"), [(1, ()), (4, ()), (7, ()), (4, range(300, 340))])
def test_the_loop_goes_on_exactly_from_any_position(tiny_base, examples, stop_after, new_rows):
    """Weights, moments, schedule, sampler and dropout, rows of added pieces: forgetting any one changes the end."""
    settings = Train(learning_rate=1e-2, max_steps=9, accumulate=2, piece_rate=0.5)
    torch.manual_seed(5)
    whole_model = fresh(tiny_base, new_rows=new_rows)
    whole = train(whole_model, batches(examples), settings, 0, lambda step: None)

    saved = {}

    def stop(position):
        saved["position"] = position
        saved["optimiser"] = {"state": {}, **position.optimiser.state_dict()}
        saved.update(weights=trainable_state(model), random=random_state())
        return len(position.steps) == stop_after

    torch.manual_seed(5)
    model = fresh(tiny_base, new_rows=new_rows)
    train(model, batches(examples), settings, 0, lambda step: None, between=stop)

    torch.manual_seed(99)  # another process has drawn other numbers
    again = fresh(tiny_base, new_rows=new_rows)
    load_trainable(again, saved["weights"])
    restore_random_state(saved["random"])
    start = saved["position"].__class__(**{**saved["position"].__dict__, "optimiser": saved["optimiser"]})
    resumed = train(again, batches(examples), settings, 0, lambda step: None, start=start)
    assert plain(resumed) == plain(whole)
    for name, value in trainable_state(whole_model).items():
        assert torch.equal(value, trainable_state(again)[name]), name


@pytest.mark.parametrize("stop_after", [1, 4])
def test_where_only_pieces_are_trained_the_adapter_rests_and_resuming_is_as_exact(tiny_base, examples, stop_after):
    settings, rows = Train(learning_rate=1e-2, max_steps=6, piece_rate=0.5), range(300, 340)
    model = fresh(tiny_base, new_rows=rows)
    before, saved = trainable_state(model), {}

    def note(position):
        saved.setdefault(
            len(position.steps), (position, copy.deepcopy(position.optimiser.state_dict()), trainable_state(model))
        )

    train(model, batches(examples), settings, 0, lambda step: None, between=note, only_pieces=True)
    after = trainable_state(model)
    moved = {name for name, value in after.items() if not torch.equal(value, before[name])}
    assert moved == {name for name in after if NEW_PIECES in name} and len(moved) == 1
    assert after.keys() == before.keys()  # checkpoints hold the resting adapter too
    assert all(value.grad is None for value in model.parameters())  # nothing left over for the next stage's first step

    position, optimiser, weights = saved[stop_after]
    again = fresh(tiny_base, new_rows=rows)
    load_trainable(again, weights)
    start = position.__class__(**{**position.__dict__, "steps": position.steps[:stop_after], "optimiser": optimiser})
    train(again, batches(examples), settings, 0, lambda step: None, start=start, only_pieces=True)
    assert all(torch.equal(value, after[name]) for name, value in trainable_state(again).items())


def test_a_clock_budget_goes_on_with_the_time_that_is_left(tiny_base, examples):
    """The schedule follows the seconds trained, not those of the process."""
    ticks = iter(range(0, 10_000, 6))
    settings = Train(learning_rate=1e-3, max_minutes=1, warmup=0)
    model, kept = fresh(tiny_base), []

    def stop(position):
        kept.append(position)
        return len(position.steps) == 4

    def clock():
        return next(ticks)

    train(model, batches(examples), settings, 0, lambda step: None, clock=clock, between=stop)
    optimiser = kept[-1].optimiser.state_dict()
    start = kept[-1].__class__(**{**kept[-1].__dict__, "optimiser": optimiser})
    steps = train(model, batches(examples), settings, 0, lambda step: None, clock=clock, start=start)
    assert kept[-1].seconds == 24 and steps[4].seconds == 30
    assert len(steps) == 10 and steps[-1].budget_used == 1
    assert steps[4].learning_rate < steps[3].learning_rate


def test_what_happens_between_two_steps_is_not_counted_as_training(tiny_base, examples):
    now = [0.0]

    def clock():
        return now[0]

    def on_step(step):
        now[0] += 0  # the step itself takes no time here

    def between(position):
        now[0] += 1_000  # an evaluation
        return False

    settings = Train(learning_rate=1e-3, max_steps=3)
    steps = train(fresh(tiny_base), batches(examples), settings, 0, on_step, clock=clock, between=between)
    assert [step.seconds for step in steps] == [0, 0, 0]


def write_config(folder, tiny_base, dataset, name, **changes):
    """Three stages, dropout, early stopping: everything that has state."""
    pairs = folder / "pairs.jsonl"
    rows = [json.loads(line) for line in (dataset / "train.jsonl").read_text(encoding="utf-8").splitlines()]
    lines = [{"question": r["question"], "chosen": r["call"], "rejected": r["call"][:-2]} for r in rows[:8]]
    pairs.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in lines), encoding="utf-8")
    law = folder / "law.txt"
    law.write_text("증여재산공제는 십년 동안 합산한다. " * 40, encoding="utf-8")
    config = {
        "dataset": str(dataset),
        "out": str(folder / name),
        "base": {"folder": str(tiny_base.folder)},
        "max_tokens": 256,
        "lora": {"r": 4, "alpha": 8, "dropout": 0.1},
        "train": {
            **{"learning_rate": 1e-2, "batch_size": 4, "max_steps": 8, "dtype": "float32"},
            **{"checkpoint_minutes": 1e-5, "early_stop": {"every_steps": 3, "rows": 2, "patience": 9}},
            **changes,
        },
        "stages": [
            {"name": "m1", "kind": "domain", "texts": str(law), "max_steps": 4},
            {"name": "m2", "kind": "task"},
            {"name": "preference", "kind": "preference", "pairs": str(pairs), "learning_rate": 1e-3, "max_steps": 4},
        ],
        "evaluation": {"rows": 2, "base_rows": 1, "max_new_tokens": 8},
    }
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


def start_child(config, tmp_path, **environment):
    return subprocess.Popen(
        [sys.executable, str(DRIVER), str(config)],
        env=os.environ | {"SLM_FOREST_CACHE": str(tmp_path / "cache"), "HF_HUB_OFFLINE": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run_until(child, records):
    """Read the child's output until it has written so many records; returns what it said."""
    said = []
    for line in child.stdout:
        said.append(line)
        records -= line.startswith("record ")
        if records <= 0:
            break
    return "".join(said)


def finish(child):
    out, err = child.communicate()
    assert child.returncode == 0, out + err
    assert "gemm_4bit" not in err and "FutureWarning" not in err  # libraries' noise that nobody can act on
    return out


def outcome(folder):
    """What must not differ: adapter bytes, and every metrics record but its clock."""
    lines = (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    records = [{**json.loads(line), "seconds": None} for line in lines]
    adapter = (folder / "adapter" / "adapter_model.safetensors").read_bytes()
    return [record for record in records if record["kind"] != "usage"], adapter


@pytest.fixture(scope="module")
def uninterrupted(tiny, tiny_base, tmp_path_factory):
    """The run that nothing happened to, with what it needs to be run again."""
    from datetime import date

    from taxlaw.calls import parse_call, run_call

    folder = tmp_path_factory.mktemp("resume")
    rows = [
        tiny.row(number, amount, payable=run_call(parse_call(tiny.call(amount)), date(2025, 7, 1)).payable)
        for number, amount in enumerate(tiny.AMOUNTS)
    ]
    dataset = tiny.write_dataset(folder / "dataset", rows[:32], rows[32:])
    config = write_config(folder, tiny_base, dataset, "whole")
    finish(start_child(config, folder))
    return folder, dataset, outcome(folder / "whole.partial")


def test_a_run_killed_at_random_moments_ends_as_if_it_had_not_been(uninterrupted, tiny_base):
    folder, dataset, expected = uninterrupted
    config = write_config(folder, tiny_base, dataset, "killed")
    for _ in range(2):
        child = start_child(config, folder)
        run_until(child, random.randint(3, 10))  # of 24; the first checkpoint is there after two
        child.send_signal(signal.SIGKILL)  # at whatever it is doing by now
        child.communicate()
    said = finish(start_child(config, folder))
    assert "이어서 학습합니다" in said
    records, adapter = outcome(folder / "killed.partial")
    assert records == expected[0]
    assert adapter == expected[1]


def test_a_run_killed_while_a_checkpoint_gets_its_name_ends_the_same(uninterrupted, tiny_base):
    folder, dataset, expected = uninterrupted
    config = write_config(folder, tiny_base, dataset, "torn")
    child = start_child(config, folder, CRASH="replace")
    child.communicate()
    assert child.returncode == -signal.SIGKILL
    assert list((folder / "torn.partial" / "checkpoints").glob("*.writing"))
    said = finish(start_child(config, folder))
    assert "이어서 학습합니다: m1 2 step" in said
    assert outcome(folder / "torn.partial") == expected


def test_sigterm_writes_a_checkpoint_first_and_the_run_goes_on_from_it(uninterrupted, tiny_base):
    folder, dataset, expected = uninterrupted
    config = write_config(folder, tiny_base, dataset, "terminated", checkpoint_minutes=600)
    child = start_child(config, folder)
    seen = run_until(child, 7)
    child.send_signal(signal.SIGTERM)
    out, err = child.communicate()
    assert child.returncode == 143, out + err
    assert ".partial" in err and "record step m2 1" in seen
    step = max(int(line.split()[-1]) for line in (seen + out).splitlines() if line.startswith("record step m2"))
    said = finish(start_child(config, folder))
    assert f"이어서 학습합니다: m2 {step:,} step" in said  # not one step was lost
    assert outcome(folder / "terminated.partial") == expected


def test_a_changed_setting_starts_anew_and_says_why(uninterrupted, tiny_base):
    folder, dataset, expected = uninterrupted
    shutil.copytree(folder / "whole.partial", folder / "changed.partial")  # trained, but never finished
    config = write_config(folder, tiny_base, dataset, "changed", learning_rate=2e-2)
    said = finish(start_child(config, folder))
    assert "처음부터 학습합니다: 달라진 것 설정(settings)" in said and "이어서" not in said
    records, adapter = outcome(folder / "changed.partial")
    assert len(records) == len(expected[0]) and adapter != expected[1]
