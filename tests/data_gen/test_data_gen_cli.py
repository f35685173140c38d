import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from data_gen.__main__ import main

ROOT = Path(__file__).parents[2]
WORKED_ONLY = """
name: small
as_of: 2026-06-01
documents: {casebook: false, provisions: none}
teacher: {kind: recorded}
worked: {count: 30}
splits: {validation: 0.3}
"""


def test_help_is_quick_and_loads_nothing_heavy():
    code = (
        "import sys, data_gen.__main__ as m\n"
        "try: m.main(['--help'])\n"
        "except SystemExit: pass\n"
        "print([name for name in ('pydantic', 'openai', 'matplotlib', 'rich', 'yaml', 'torch') if name in sys.modules])"
    )
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]")
    assert "audit" in done.stdout
    assert time.perf_counter() - started < 5  # the bound that matters is the list above; this one only catches a hang


def test_build_and_export_from_the_command_line(tmp_path, capsys):
    config = tmp_path / "small.yaml"
    config.write_text(WORKED_ONLY, encoding="utf-8")
    out = tmp_path / "set"
    assert main(["build", "--config", str(config), "--out", str(out), "--export", "slm-forest"]) == 0
    printed = capsys.readouterr()
    assert "요청" in printed.out and "30" in printed.out and str(out) in printed.out
    assert len(json.loads((out / "slm-forest.json").read_text(encoding="utf-8"))) == 30
    assert main(["export", str(out), "--format", "slm-forest", "--out", str(tmp_path / "b.json")]) == 0
    assert (tmp_path / "b.json").read_bytes() == (out / "slm-forest.json").read_bytes()


def test_a_built_dataset_passes_its_own_audit(tmp_path, capsys):
    config = tmp_path / "small.yaml"
    config.write_text(WORKED_ONLY, encoding="utf-8")
    main(["build", "--config", str(config), "--out", str(tmp_path / "set")])
    assert main(["audit", str(tmp_path / "set" / "train.jsonl")]) == 0


@pytest.mark.parametrize(
    ("change", "said", "code"),
    [
        (lambda text: None, "설정 파일이 없습니다", 2),
        (lambda text: "a: [", "YAML 형식", 2),
        (lambda text: text.replace("worked:", "workd:"), "혹시 'worked'", 2),
        (lambda text: text.replace("{kind: recorded}", "{kind: recorder}"), "teacher", 2),
        (
            lambda text: text.replace("{kind: recorded}", "{kind: openai, model: m, api_key: abcdef}"),
            "API 키로 보이는",
            1,
        ),
    ],
)
def test_bad_configs_end_with_a_sentence_and_no_traceback(tmp_path, capsys, change, said, code):
    config = tmp_path / "small.yaml"
    if (text := change(WORKED_ONLY)) is not None:
        config.write_text(text, encoding="utf-8")
    assert main(["build", "--config", str(config), "--out", str(tmp_path / "set")]) == code
    error = capsys.readouterr().err
    assert said in error and "Traceback" not in error
    assert not (tmp_path / "set").exists()


def test_a_missing_key_for_the_live_teacher_names_the_variable(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SOME_TEACHER_KEY", raising=False)
    config = tmp_path / "live.yaml"
    config.write_text(
        "name: live\nas_of: 2026-06-01\ndocuments: {topics: true}\n"
        "teacher: {kind: openai, model: m, key_env: SOME_TEACHER_KEY}\n"
        f"prices: {ROOT / 'configs' / 'prices.yaml'}\n",
        encoding="utf-8",
    )
    assert main(["build", "--config", str(config)]) == 1
    assert "SOME_TEACHER_KEY" in capsys.readouterr().err
    assert not (tmp_path / "datasets").exists()


def test_an_export_of_no_dataset_exits_2(tmp_path, capsys):
    assert main(["export", str(tmp_path), "--format", "slm-forest", "--out", str(tmp_path / "x.json")]) == 2
    assert "train.jsonl" in capsys.readouterr().err
