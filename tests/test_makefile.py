"""`make`'s targets as a newcomer runs them: which commands, in which order, with a recorder in Python's place."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

REPO = Path(__file__).parents[1]
RECORDER = """#!/bin/bash
echo "$*" >> commands
[[ "$*" != *"$REFUSED"* ]]
"""

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


@pytest.fixture
def make(tmp_path):
    """Runs a target in an empty folder; returns (exit code, the commands Python was given)."""
    (tmp_path / "scripts").mkdir()
    for name, text in (("python", RECORDER), ("scripts/setup.sh", '#!/bin/bash\necho "setup $1" >> commands\n')):
        (tmp_path / name).write_text(text, encoding="utf-8")
        (tmp_path / name).chmod(0o755)

    def run(*words, refused="nothing", **environment):
        done = subprocess.run(
            ["make", "-f", str(REPO / "Makefile"), "PY=./python", *words],
            cwd=tmp_path,
            env={**os.environ, "DEMO_NO_UI": "", "REFUSED": refused, **environment},
            capture_output=True,
            text=True,
        )
        commands = tmp_path / "commands"
        return done.returncode, commands.read_text(encoding="utf-8").splitlines() if commands.exists() else []

    return run


OPEN = "-m finetune open --student students/gemma3-270m-tax --out runs/gemma3-270m-tax"
DATA = "-m data_gen build --config configs/data_gen/demo.yaml"


def test_demo_opens_the_shipped_student_and_serves_that_one(make):
    served = "-m serve app --model_path runs/gemma3-270m-tax"  # not the newest run, whichever that is
    assert make("demo") == (0, ["setup run", OPEN, DATA, served])


def test_demo_without_a_page_answers_one_question_with_that_student(make):
    code, commands = make("demo", "QUESTION=증여세는 얼마인가요?", DEMO_NO_UI="1")
    assert (code, commands[-1]) == (0, "-m serve --question 증여세는 얼마인가요? --model_path runs/gemma3-270m-tax")


def test_demo_stops_where_the_student_cannot_be_opened(make):
    code, commands = make("demo", refused="finetune open")
    assert code != 0 and commands == ["setup run", OPEN]


def test_distill_is_still_the_training_of_five_minutes(make):
    assert make("distill") == (0, ["setup run", DATA, "-m finetune run --config configs/finetune/demo.yaml"])


def test_serve_takes_the_newest_student_or_the_one_that_is_named(make):
    assert make("serve") == (0, ["setup run", "-m serve app"])
    assert make("serve", "MODEL=runs/demo")[1][-1] == "-m serve app --model_path runs/demo"
