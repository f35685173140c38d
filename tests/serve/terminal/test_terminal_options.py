"""Options: both spellings, what cannot stand together, and nothing heavy before they are right."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from serve.__main__ import build_app_parser, build_parser, main

REPO = Path(__file__).resolve().parents[3]


def test_both_spellings_mean_the_same() -> None:
    words = ["--questions_file", "q", "--output_file", "a", "--max_new_tokens", "5", "--as_of", "2025-01-01"]
    hyphens = [word.replace("_", "-") if word.startswith("--") else word for word in words]
    assert vars(build_parser().parse_args(words)) == vars(build_parser().parse_args(hyphens))
    assert build_parser().parse_args(["--no-history"]).no_history is True
    assert build_parser().parse_args(["--interactive"]).no_history is False
    assert build_app_parser().parse_args(["--no-browser", "--model-path", "m"]).no_browser is True


def test_help_names_every_option_once() -> None:
    text = build_parser().format_help()
    for option in ("--question ", "--questions_file", "--interactive", "--server_base", "--device", "--temperature"):
        assert text.count(f"\n  {option}") == 1
    assert "--questions-file" not in text


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--question", "가", "--interactive"],
        ["--question", " "],
        ["--output_file", "a.json", "--question", "가"],
        ["--question", "가", "--max_new_tokens", "0"],
        ["--question", "가", "--max_new_tokens", "many"],
        ["--question", "가", "--temperature", "3"],
        ["--question", "가", "--temperature", "nan"],
        ["--question", "가", "--device", "tpu"],
        ["--question", "가", "--server_base", "http://x", "--model_path", "m.gguf"],
        ["--interactive", "--json"],
        ["--questoin", "가"],
        ["--config", "x.yaml", "app"],
        ["app", "--question", "가"],
    ],
)
def test_wrong_options_exit_2(words: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2


def test_bad_date_and_bad_config_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--question", "가", "--as-of", "어제"]) == 2
    Path("c.yaml").write_text("studnet: {}\n", encoding="utf-8")
    assert main(["--question", "가", "--config", "c.yaml"]) == 2
    assert "student" in capsys.readouterr().err


def test_missing_model_exits_3_and_says_make_demo(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--question", "세율은?"]) == 3
    assert "make demo" in capsys.readouterr().err


def test_help_imports_nothing_heavy() -> None:
    probe = "import sys, serve.__main__ as m; m.build_parser().format_help(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, cwd=REPO, check=True)
    loaded = set(done.stdout.split())
    heavy = {"pydantic", "gradio", "openai", "llama_cpp", "torch", "yaml", "jinja2", "numpy", "prompt_toolkit"}
    assert not loaded & heavy


def test_a_reader_that_goes_away_ends_it_quietly(command) -> None:
    Path("q.txt").write_text("하나\n둘\n", encoding="utf-8")
    words = command("--questions_file", "q.txt", answers=[["첫 답"], ["둘째 답"]])
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    _, err = process.communicate()
    assert process.returncode == 0 and b"Traceback" not in err and b"BrokenPipe" not in err
    assert "둘" not in err.decode().split("하나")[-1]  # nothing more is asked for nobody


def test_lines_of_a_pipe_are_a_conversation(command) -> None:
    words = command("--interactive", answers=[["제55조의 답"]])
    done = subprocess.run(words, input="세율은?\n/undo\n", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "제55조의 답\n")
    assert done.stderr == (
        "AI가 생성한 답변입니다 (AI 기본법 제31조). 세무 자문이 아닙니다 (세무사법 제2조·제20조).\n"
        "학생 시험-학생 · 기준일 2025-07-01 · /help 도움말\n"
        "\n질문> 세율은?\n검증: 틀림 없음\n\n질문> /undo\n지웠습니다: 세율은?\n\n"
    )


@pytest.mark.parametrize("errors", ["strict", "surrogateescape"])  # Python's choice depends on the locale
def test_a_pipe_in_another_encoding_is_a_mistake_of_use(command, errors: str, monkeypatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", f"utf-8:{errors}")
    words = command("--interactive", answers=[["답"]])
    done = subprocess.run(words, input="세율은?\n".encode("cp949"), capture_output=True, check=False)
    assert done.returncode == 2 and "표준 입력이 UTF-8이 아닙니다" in done.stderr.decode()
