"""Whole screens of the command line: what stands on standard output, what on standard error, and the exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from serve.__main__ import build_parser, main
from serve.backends.fake import FakeBackend
from serve.errors import Code, ServeError
from serve.terminal import cli

QUESTION = "세율은 얼마인가요?"
NOTICE = "AI가 생성한 답변입니다 (AI 기본법 제31조). 세무 자문이 아닙니다 (세무사법 제2조·제20조).\n"
CALL = '{"tax":"gift","amount":"20억원","relation":"직계존속"}'


@pytest.fixture
def student() -> FakeBackend:
    return FakeBackend(name="시험-학생")


@pytest.fixture
def run(student: FakeBackend, verifier, keyless_teacher, tmp_path: Path):
    """Run one command line with a scripted student and no teacher key; returns the exit code."""
    model = tmp_path / "student.gguf"
    model.write_bytes(b"not loaded")

    def call(*words: str, lines: list | None = None, teacher=None) -> int:
        typed = iter(lines or [])

        def read_line(_prompt: str) -> str:
            entry = next(typed, EOFError())
            if isinstance(entry, BaseException):
                raise entry
            return entry

        arguments = ["--model_path", str(model), "--as-of", "2025-07-01", *words]
        return cli.run(
            build_parser().parse_args(arguments),
            load_student=lambda _config, _student: student,
            load_teacher=lambda _config, _folder: teacher or keyless_teacher({"녹음된 질문": "녹음된 답"}),
            read_line=read_line,
        )

    return call


def test_one_question_in_words(run, student: FakeBackend, capsys: pytest.CaptureFixture[str]) -> None:
    student.enqueue("6퍼센트에서 ", "45퍼센트입니다.")
    assert run("--question", QUESTION) == 0
    screen = capsys.readouterr()
    assert screen.out == "6퍼센트에서 45퍼센트입니다.\n"
    assert screen.err == NOTICE + "검증: 틀림 없음\n"
    assert student.requests[0][0].content == QUESTION
    assert student.closed


def test_a_call_is_completed_and_both_halves_are_labelled(run, student, capsys) -> None:
    student.enqueue(CALL[:10], CALL[10:])
    assert run("--question", "부모님께 20억원을 증여받았는데 증여세는 얼마인가요?") == 0
    out = capsys.readouterr().out
    assert out.startswith(
        "[학생이 읽은 사실]\n- 세목: 증여세\n- 증여재산가액: 20억원\n- 증여자: 직계존속\n"
        f"- 학생의 출력: {CALL}\n\n[코드가 계산한 결과]\n"
    )
    assert out.count(CALL) == 1 and "6억 140만원" in out


def test_a_call_that_cannot_be_run_is_said_plainly(run, student, capsys) -> None:
    student.enqueue('{"tax":"gift"}')
    assert run("--question", QUESTION) == 0
    out = capsys.readouterr().out
    assert out.startswith("[계산하지 못함]\n학생이 쓴 계산 요청의 형식이 잘못되어")
    assert '학생의 출력: {"tax":"gift"}' in out


def test_prose_that_opens_like_a_fence_is_printed_once(run, student, capsys) -> None:
    student.enqueue("`", "코드`로 시작하는 답")
    assert run("--question", QUESTION) == 0
    assert capsys.readouterr().out == "`코드`로 시작하는 답\n"


def test_faults_and_cut_answers_are_reported(run, student, capsys) -> None:
    student.enqueue("틀린 답", finish="length")
    assert run("--question", QUESTION, "--stats") == 0
    err = capsys.readouterr().err
    assert "검증: 틀림 있음\n  ✗ 금액 <b>5원</b>이 다릅니다\n  주의: 길이 한도에서 잘림\n" in err
    assert "첫 토큰 " in err


def test_json_is_one_line_and_nothing_else(run, student, capsys) -> None:
    student.enqueue("답")
    assert run("--question", QUESTION, "--json") == 0
    screen = capsys.readouterr()
    record = json.loads(screen.out)
    assert screen.out.count("\n") == 1 and screen.err == ""
    assert record["answer"] == "답" and record["student"]["verdict"]["ok"] is True


def test_teacher_without_key_exits_4_and_keeps_the_student(run, student, capsys) -> None:
    student.enqueue("답")
    assert run("--question", QUESTION, "--teacher") == 4
    screen = capsys.readouterr()
    assert screen.out == "── 학생 · 시험-학생 ──\n답\n"
    assert "OPENAI_API_KEY" in screen.err


def test_recorded_answer_carries_its_label(run, student, capsys) -> None:
    student.enqueue("답")
    assert run("--question", "녹음된 질문", "--teacher") == 0
    assert "── 교사 · 녹음된 교사 답변 (실시간 모델 아님) ──\n녹음된 답\n" in capsys.readouterr().out


def test_student_failure_exits_3(run, student, capsys) -> None:
    student.enqueue(ServeError(Code.CONTEXT, "질문이 너무 깁니다", "줄이세요"))
    assert run("--question", QUESTION) == 3
    screen = capsys.readouterr()
    assert screen.out == "" and "오류: 질문이 너무 깁니다\n  줄이세요\n" in screen.err


def test_ctrl_c_exits_130(run, student, capsys) -> None:
    student.enqueue("반", KeyboardInterrupt())
    assert run("--question", QUESTION) == 130
    assert capsys.readouterr().out == "반"


def test_interactive_session(run, student, capsys) -> None:
    student.enqueue("첫째").enqueue("반만", KeyboardInterrupt()).enqueue("셋째")
    lines = ["하나", "", "둘", KeyboardInterrupt(), "/help", "/nope", "셋", "종료", "넷"]
    assert run("--interactive", lines=lines) == 0
    screen = capsys.readouterr()
    assert screen.out == "첫째\n반만셋째\n"
    assert "(답을 멈췄습니다. 끝내려면 /quit)" in screen.err
    assert "(끝내려면 /quit 또는 Ctrl-D)" in screen.err
    assert "Ctrl-C     쓰고 있는 답만 멈추기" in screen.err and "모르는 명령입니다: /nope" in screen.err
    assert student.endings == ["finished", "closed", "finished"]
    assert [request[0].content for request in student.requests] == ["하나", "둘", "셋"]


def test_interactive_goes_on_after_an_error_and_leaves_on_ctrl_d(run, student, capsys) -> None:
    student.enqueue(ServeError(Code.CONTEXT, "너무 깁니다")).enqueue("답")
    assert run("--interactive", lines=["하나", "/teacher", "/stats", "둘"]) == 0
    screen = capsys.readouterr()
    assert "답\n" in screen.out and "교사 켬" in screen.err and "속도 보기 켬" in screen.err


def test_questions_file_to_json(run, student, capsys) -> None:
    Path("q.txt").write_text("\ufeff하나\n\n  둘  \n", encoding="utf-8")
    student.enqueue("답1").enqueue("답2")
    assert run("--questions_file", "q.txt", "--output_file", "a.json") == 0
    records = json.loads(Path("a.json").read_text(encoding="utf-8"))
    assert [(record["question"], record["answer"]) for record in records] == [("하나", "답1"), ("둘", "답2")]
    assert "하나" in Path("a.json").read_text(encoding="utf-8")
    assert capsys.readouterr().out == ""


def test_a_failing_question_keeps_the_others(run, student) -> None:
    Path("q.jsonl").write_text('{"question": "하나"}\n{"question": "둘", "id": 2}\n', encoding="utf-8")
    student.enqueue(ServeError(Code.CONTEXT, "너무 깁니다")).enqueue("답2")
    assert run("--questions_file", "q.jsonl", "--output_file", "a.jsonl") == 3
    first, second = map(json.loads, Path("a.jsonl").read_text(encoding="utf-8").splitlines())
    assert first["student"]["error"]["code"] == "context" and second["answer"] == "답2"


def test_interrupted_batch_keeps_what_is_answered(run, student) -> None:
    Path("q.txt").write_text("하나\n둘\n", encoding="utf-8")
    student.enqueue("답1").enqueue("반", KeyboardInterrupt())
    assert run("--questions_file", "q.txt", "--output_file", "a.json") == 130
    assert [record["answer"] for record in json.loads(Path("a.json").read_text(encoding="utf-8"))] == ["답1"]
    assert not list(Path().glob("*.part"))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("none.txt", None, "none.txt"),
        ("empty.txt", b"\n\n", "질문이 없습니다"),
        ("euckr.txt", "세율은?".encode("cp949"), "UTF-8"),
        ("bad.jsonl", b'{"question": "a"}\n{"q": "b"}\n', "2번째 줄"),
        ("bad2.jsonl", b"{\n", "1번째 줄"),
    ],
)
def test_bad_questions_file_exits_2(run, capsys, name: str, content: bytes | None, said: str) -> None:
    if content is not None:
        Path(name).write_bytes(content)
    assert run("--questions_file", name) == 2
    assert said in capsys.readouterr().err


def test_missing_model_exits_3_and_says_make_demo(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--question", QUESTION]) == 3
    assert "make demo" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--question", "가", "--interactive"],
        ["--question", " "],
        ["--output_file", "a.json", "--question", "가"],
        ["--question", "가", "--max_new_tokens", "0"],
        ["--interactive", "--json"],
        ["--questoin", "가"],
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


def test_help_imports_nothing_heavy() -> None:
    probe = "import sys, serve.__main__ as m; m.build_parser().format_help(); print(*sys.modules)"
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, cwd=root, check=True)
    loaded = set(done.stdout.split())
    assert not loaded & {"pydantic", "gradio", "openai", "llama_cpp", "torch", "yaml", "jinja2", "numpy"}
