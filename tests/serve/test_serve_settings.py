"""Which student is served, and what is said when there is none or its files disagree."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from serve.errors import Code, ServeError
from serve.settings import find_student, parse_as_of, read_config
from taxlaw.errors import ConfigError

WEIGHTS = b"weights"


def make_run(
    name: str, when: int, *, finished: bool = True, sha: str | None = None, file: str = "student-Q8_0.gguf"
) -> Path:
    folder = Path("runs") / name
    folder.mkdir(parents=True)
    record: dict = {"config": {}, "base": {}}
    if finished:
        (folder / file).write_bytes(WEIGHTS)
        record["student"] = {"gguf": file, "sha256": sha or hashlib.sha256(WEIGHTS).hexdigest()}
        record["eval"] = {"base": {"exact": 0.0}, "student": {"exact": 0.625}}
    (folder / "run.json").write_text(json.dumps(record), encoding="utf-8")
    os.utime(folder / "run.json", (when, when))
    return folder


def test_newest_finished_run_is_served(demo_config) -> None:
    make_run("old", 1_000)
    make_run("new", 2_000)
    make_run("running", 3_000, finished=False)
    student = find_student(demo_config().student)
    assert student.path == Path("runs/new/student-Q8_0.gguf")
    assert (student.name, student.exact_before, student.exact_after) == ("new/student-Q8_0", 0.0, 0.625)


@pytest.mark.parametrize(
    ("config", "reads", "asks"),
    [
        ({}, False, False),
        ({"evidence": 0.0}, False, False),
        ({"evidence": 0.3}, True, True),
        ({"evidence": 1.0}, True, False),
    ],
)
def test_evidence_is_for_students_trained_with_it(demo_config, config: dict, reads: bool, asks: bool) -> None:
    folder = make_run("one", 1_000)
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    (folder / "run.json").write_text(json.dumps(record | {"config": config}), encoding="utf-8")
    found = find_student(demo_config().student)
    assert (found.reads_evidence, found.asks_evidence) == (reads, asks)


def test_no_run_says_make_demo(demo_config) -> None:
    with pytest.raises(ServeError, match="make demo") as caught:
        find_student(demo_config().student)
    assert caught.value.code is Code.NO_MODEL and caught.value.exit_code == 3


def test_changed_weights_are_refused(demo_config) -> None:
    make_run("bad", 1_000, sha="0" * 64)
    with pytest.raises(ServeError, match="SHA-256"):
        find_student(demo_config().student)
    assert find_student(demo_config(student={"check_sha256": False}).student)


@pytest.mark.parametrize("content", ["{", "[]", '{"student": {"gguf": "../x.gguf"}}', '{"student": 3}'])
def test_broken_run_record_is_named(demo_config, content: str) -> None:
    folder = Path("runs/x")
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(content, encoding="utf-8")
    with pytest.raises(ServeError, match=r"runs/x/run\.json"):
        find_student(demo_config().student)


def test_model_path_wins_and_reads_the_record_beside_it(demo_config) -> None:
    make_run("new", 2_000)
    old = make_run("old", 1_000)
    assert find_student(demo_config().student, old / "student-Q8_0.gguf").exact_after == 0.625
    alone = Path("alone.gguf")
    alone.write_bytes(WEIGHTS)
    assert find_student(demo_config().student, alone).exact_after is None
    with pytest.raises(ServeError, match=r"none\.gguf"):
        find_student(demo_config().student, Path("none.gguf"))


def test_default_config_is_found_from_any_folder() -> None:
    assert read_config(None).page.host == "127.0.0.1"


def test_unknown_key_gets_the_nearest_right_one(tmp_path: Path) -> None:
    source = Path(__file__).resolve().parents[2] / "configs/serve/demo.yaml"
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(source.read_text(encoding="utf-8").replace("context_tokens:", "context_token:"), encoding="utf-8")
    with pytest.raises(ConfigError, match="context_tokens"):
        read_config(wrong)


def test_bad_date_is_a_usage_error() -> None:
    assert parse_as_of(" 2025-07-01 ").isoformat() == "2025-07-01"
    with pytest.raises(ServeError) as caught:
        parse_as_of("작년")
    assert caught.value.exit_code == 2
