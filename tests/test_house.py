"""The house rules that a reader relies on: one-way imports, files one can hold in mind, light command lines."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).parents[1]
ROOMS = ("taxlaw", "data_gen", "finetune", "serve")
MAY_IMPORT = {"taxlaw": {"taxlaw"}} | {room: {room, "taxlaw"} for room in ROOMS[1:]}
HEAVY = ("torch", "transformers", "gradio", "openai", "datasets", "llama_cpp", "matplotlib", "peft")


def _sources():
    return [path for room in ROOMS for path in sorted((REPO / room).rglob("*.py"))]


def _imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name.split(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


@pytest.mark.parametrize("path", _sources(), ids=lambda path: str(path.relative_to(REPO)))
def test_imports_run_downwards_and_files_stay_short(path):
    room = path.relative_to(REPO).parts[0]
    assert set(_imported(path)) & set(ROOMS) <= MAY_IMPORT[room]
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


@pytest.mark.parametrize("room", ROOMS)
def test_help_answers_without_loading_anything_heavy(room):
    probe = (
        "import runpy, sys\n"
        f"sys.argv = ['{room}', '--help']\n"
        "try:\n    runpy.run_module(sys.argv[0], run_name='__main__')\n"
        "except SystemExit as end:\n    assert not end.code, end.code\n"
        f"heavy = [name for name in {HEAVY} if name in sys.modules]\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", probe], cwd=REPO, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "usage" in done.stdout.lower() or "사용법" in done.stdout


def test_no_machine_path_key_or_package_index_is_committed():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPO, capture_output=True, text=True).stdout.split("\0")
    texts = {
        name: (REPO / name) for name in listed if name and (REPO / name).suffix not in {".gz", ".png", ".safetensors"}
    }
    roots = "|".join(("work", "root", "farm", r"home/\w+", "opt/wheels"))  # joined here, so that this file passes too
    bad = re.compile(
        rf"(?<![\w./-])/(?:{roots})/|sk-[A-Za-z0-9]{{20}}|hf_[A-Za-z0-9]{{20}}|"
        + "|".join(("index" + "-url", "find" + "-links"))
    )
    found = [name for name, path in texts.items() if path.is_file() and bad.search(path.read_text(encoding="utf-8"))]
    assert not found


@pytest.mark.parametrize("path", [path for path in _sources() if "data_gen" in path.parts], ids=lambda path: path.name)
def test_the_data_stage_fills_no_braces_and_escapes_no_hangul(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        # Braces in the law's text or in a JSON example would be taken for blanks.
        assert node.func.attr not in ("format", "format_map"), f"line {node.lineno}: str.format"
        if node.func.attr in ("dump", "dumps") and getattr(node.func.value, "id", "") == "json":
            plain = [word for word in node.keywords if word.arg == "ensure_ascii"]
            assert plain and plain[0].value.value is False, f"line {node.lineno}: json without ensure_ascii=False"
