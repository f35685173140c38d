"""The whole loop by its commands, on a two-layer random Gemma 3: raw law in, verified pairs, a student, a served answer.

Each stage is a process of its own and sees only the files of the one before, as on a user's machine.
"""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

REPO = Path(__file__).parents[2]
_SPEC = importlib.util.spec_from_file_location("tiny_gemma_of_the_loop", REPO / "tests/finetune/tiny_gemma.py")
tiny_gemma = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(tiny_gemma)

DATA = {
    "name": "tiny",
    "as_of": "2026-06-01",
    "seed": 5,
    "documents": {"casebook": True, "provisions": "digest", "statutes": "none"},
    "teacher": {"kind": "recorded"},
    "worked": {"count": 120, "shares": {"gift": 1, "corporate": 1}},
    "splits": {"validation": 0.2},
}


@pytest.fixture(scope="module")
def loop(tmp_path_factory):
    """Run the stages once; returns the folder and each stage's finished process."""
    place = tmp_path_factory.mktemp("loop")
    base = tiny_gemma.write_base(place / "base")
    training = {
        "dataset": str(place / "dataset"),
        "out": str(place / "runs/tiny"),
        "base": {"folder": str(base)},
        "mix": {"worked": 1.0},
        "max_tokens": 512,
        "lora": {"r": 4, "alpha": 8},
        "train": {"learning_rate": 1.0e-2, "batch_size": 4, "max_steps": 80, "dtype": "float32"},
        "evaluation": {"rows": 4, "base_rows": 2, "max_new_tokens": 32},
        "export": {"quantisation": "Q8_0", "parity_prompts": 2, "parity_tokens": 8},
    }
    for name, config in (("data", DATA), ("train", training)):
        (place / f"{name}.yaml").write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")

    def command(*arguments):
        environment = os.environ | {
            "SLM_FOREST_CACHE": str(place / "cache"),
            "HF_HUB_OFFLINE": "1",
            "OPENAI_API_KEY": "",
        }
        return subprocess.run(
            [sys.executable, "-m", *map(str, arguments)], cwd=REPO, env=environment, capture_output=True, text=True
        )

    done = {
        "build": command(
            *("data_gen", "build", "--config", place / "data.yaml"),
            *("--out", place / "dataset", "--export", "slm-forest"),
        ),
        "train": command("finetune", "run", "--config", place / "train.yaml"),
    }
    student = place / "runs/tiny/student-Q8_0.gguf"
    question = "부모님께 20억원을 증여받았는데 증여세는 얼마인가요?"
    done["serve"] = command("serve", "--question", question, "--model_path", student, "--json")
    done["audit"] = command("data_gen", "audit", place / "dataset/slm-forest.json", "--as-of", DATA["as_of"])
    return place, done


def test_every_stage_ends_well(loop):
    for stage, process in loop[1].items():
        assert process.returncode == 0, f"{stage}\n{process.stdout[-2000:]}\n{process.stderr[-3000:]}"


def test_the_dataset_accounts_for_every_request(loop):
    counts = json.loads((loop[0] / "dataset/run.json").read_text(encoding="utf-8"))["counts"]
    assert counts["requested"] == counts["accepted"] + counts["rejected"] + counts["failed"]
    assert counts["by_source"]["practical"]["accepted"] == 120
    assert counts["by_source"]["judgment"]["accepted"] > 150 and counts["by_source"]["openapi"]["accepted"] > 100


def test_the_student_was_measured_before_and_after(loop):
    run = json.loads((loop[0] / "runs/tiny/run.json").read_text(encoding="utf-8"))
    assert run["eval"]["base"]["exact"] == 0
    assert 0 <= run["eval"]["student"]["exact"] <= 1 and run["eval"]["student"]["rows"] == 4
    assert run["train"]["last_loss"] < run["train"]["first_loss"]


def test_the_served_answer_carries_its_verdict(loop):
    answer = json.loads(loop[1]["serve"].stdout)["student"]
    assert answer["side"] == "student" and answer["answer"]
    assert isinstance(answer["verdict"]["ok"], bool) and answer["verdict"]["summary"]
    assert answer["stats"]["new_tokens"] > 0
