"""A batch ends in a file that has every answer once, whatever ended the runs that wrote it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from serve.errors import Code, ServeError
from serve.terminal.answers_file import AnswersFile, failed

CONTEXT = ServeError(Code.CONTEXT, "너무 깁니다")


def rows(name: str) -> list[dict]:
    text = Path(name).read_text(encoding="utf-8")
    return json.loads(text) if name.endswith(".json") else [json.loads(line) for line in text.splitlines()]


def answers(name: str) -> list[tuple[str, str | None]]:
    return [(row["question"], row["answer"]) for row in rows(name)]


@pytest.fixture
def questions() -> None:
    Path("q.txt").write_text("\ufeff하나\n\n  둘  \n셋\n", encoding="utf-8")


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_questions_file_to_answers(run, student, questions, capsys, name: str) -> None:
    student.enqueue("답1").enqueue("답2").enqueue("답3")
    assert run("--questions_file", "q.txt", "--output_file", name) == 0
    assert answers(name) == [("하나", "답1"), ("둘", "답2"), ("셋", "답3")]
    assert "하나" in Path(name).read_text(encoding="utf-8") and not list(Path().glob("*.part"))
    screen = capsys.readouterr()
    assert screen.out == ""
    assert screen.err == f"[1/3] 하나\n[2/3] 둘\n[3/3] 셋\n답 3개가 있습니다: {name}\n"


def test_on_the_screen(run, student, questions, capsys) -> None:
    student.enqueue("답1").enqueue("답2").enqueue("틀린 답")
    assert run("--questions_file", "q.txt") == 0
    assert capsys.readouterr().out == "답1\n답2\n틀린 답\n"


def test_json_on_the_screen_carries_ids(run, student, capsys) -> None:
    Path("q.csv").write_text("id,question\nx,하나\n", encoding="utf-8")
    student.enqueue("답1")
    assert run("--questions_file", "q.csv", "--json") == 0
    row = json.loads(capsys.readouterr().out)
    assert (row["id"], row["answer"]) == ("x", "답1")


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_a_rerun_asks_only_what_failed_or_is_new(run, student, questions, capsys, name: str) -> None:
    student.enqueue("답1").enqueue(CONTEXT).enqueue("답3")
    assert run("--questions_file", "q.txt", "--output_file", name) == 5
    assert rows(name)[1]["student"]["error"]["code"] == "context"
    assert "실패 1개: context 1" in capsys.readouterr().err
    Path("q.txt").write_text("하나\n둘\n셋\n넷\n", encoding="utf-8")
    student.enqueue("답2").enqueue("답4")
    assert run("--questions_file", "q.txt", "--output_file", name) == 0
    assert dict(answers(name)) == {"하나": "답1", "둘": "답2", "셋": "답3", "넷": "답4"} and len(rows(name)) == 4
    assert "4개 가운데 2개는 이미 답했습니다" in capsys.readouterr().err
    if name == "a.json":
        assert [row["question"] for row in rows(name)] == ["하나", "둘", "셋", "넷"]


def test_nothing_left_to_do(run, student, questions) -> None:
    for _ in range(3):
        student.enqueue("답")
    assert run("--questions_file", "q.txt", "--output_file", "a.jsonl") == 0
    before = Path("a.jsonl").read_bytes()
    assert run("--questions_file", "q.txt", "--output_file", "a.jsonl") == 0
    assert Path("a.jsonl").read_bytes() == before and len(student.requests) == 3


def test_all_failed_has_the_failures_own_code(run, student, questions) -> None:
    for _ in range(3):
        student.enqueue(CONTEXT)
    assert run("--questions_file", "q.txt", "--output_file", "a.json") == 3


def test_other_settings_are_asked_anew_and_nothing_is_lost(run, student, capsys) -> None:
    Path("q.txt").write_text("하나\n", encoding="utf-8")
    student.enqueue("찬 답").enqueue("뜨거운 답")
    assert run("--questions_file", "q.txt", "--output_file", "a.jsonl") == 0
    assert run("--questions_file", "q.txt", "--output_file", "a.jsonl", "--temperature", "0.9") == 0
    assert {(row["answer"], row["settings"]["temperature"]) for row in rows("a.jsonl")} == {
        ("찬 답", 0.0),
        ("뜨거운 답", 0.9),
    }
    assert "다른 설정의 답 1개는 그대로" in capsys.readouterr().err


def test_going_on_another_day_says_which_day_it_was(run, student, capsys) -> None:
    Path("q.txt").write_text("하나\n", encoding="utf-8")
    student.enqueue("어제의 답").enqueue("오늘의 답")
    assert run("--questions_file", "q.txt", "--output_file", "a.jsonl", "--as-of", "2025-06-30") == 0
    assert run("--questions_file", "q.txt", "--output_file", "a.jsonl", "--as-of", "2025-07-01") == 0
    assert "--as-of 2025-06-30" in capsys.readouterr().err
    assert run("--questions_file", "q.txt", "--output_file", "a.jsonl", "--as-of", "2025-06-30") == 0
    assert [row["answer"] for row in rows("a.jsonl")] == ["어제의 답", "오늘의 답"] and len(student.requests) == 2


def test_a_question_that_stands_twice_is_answered_twice(run, student) -> None:
    Path("q.txt").write_text("하나\n하나\n", encoding="utf-8")
    student.enqueue("답1").enqueue("답2")
    assert run("--questions_file", "q.txt", "--output_file", "a.jsonl") == 0
    assert run("--questions_file", "q.txt", "--output_file", "a.jsonl") == 0
    assert [row["answer"] for row in rows("a.jsonl")] == ["답1", "답2"] and len(student.requests) == 2


def test_interrupted_batch_keeps_what_is_answered(run, student, questions, capsys) -> None:
    student.enqueue("답1").enqueue("반", KeyboardInterrupt())
    assert run("--questions_file", "q.txt", "--output_file", "a.json") == 130
    assert answers("a.json") == [("하나", "답1")] and not list(Path().glob("*.part"))
    assert "남은 질문만 답합니다" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_a_killed_batch_loses_only_the_answer_under_way(command, tmp_path, questions, name: str) -> None:
    options = ("--questions_file", "q.txt", "--output_file", name)
    process = subprocess.Popen(
        command(*options, answers=[["답1"], ["답2"], ["반만", "<hang>"]]), stderr=subprocess.DEVNULL
    )
    asked = tmp_path / "asked"
    deadline = time.monotonic() + 60
    while not asked.exists() or asked.read_text(encoding="utf-8").count("\n") < 3:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert answers(name) == [("하나", "답1"), ("둘", "답2")]
    asked.unlink()
    again = subprocess.run(command(*options, answers=[["답3"]]), capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    assert answers(name) == [("하나", "답1"), ("둘", "답2"), ("셋", "답3")]
    assert asked.read_text(encoding="utf-8") == '["셋"]\n'


@pytest.mark.parametrize("cut", [1, 12, 60, 150])
def test_half_a_line_is_dropped_and_asked_again(run, student, questions, capsys, cut: int) -> None:
    for number in (1, 2, 3):
        student.enqueue(f"답{number}")
    assert run("--questions_file", "q.txt", "--output_file", "a.jsonl") == 0
    lines = Path("a.jsonl").read_bytes().splitlines(keepends=True)
    Path("a.jsonl").write_bytes(lines[0] + lines[1] + lines[2][:cut])
    student.enqueue("새 답")
    assert run("--questions_file", "q.txt", "--output_file", "a.jsonl") == 0
    assert answers("a.jsonl") == [("하나", "답1"), ("둘", "답2"), ("셋", "새 답")]
    assert "끊긴 마지막 줄" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", '{"my": "file"}'),
        ("a.json", "[1, 2]"),
        ("a.json", "그냥 글"),
        ("a.jsonl", '{"question": "하나"}\n'),
        ("a.jsonl", "그냥 글"),
        ("a.jsonl", '{"key": "x", "question": "하나"}\n부서진 줄\n{"key": "y", "question": "둘"}\n'),
    ],
)
def test_a_file_that_is_not_ours_is_never_overwritten(run, student, questions, capsys, name, content) -> None:
    Path(name).write_text(content, encoding="utf-8")
    assert run("--questions_file", "q.txt", "--output_file", name) == 2
    assert Path(name).read_text(encoding="utf-8") == content
    assert name in capsys.readouterr().err and student.requests == []


def test_answers_never_go_into_the_file_of_questions(run, student) -> None:
    Path("a.jsonl").write_text('{"key": "k", "question": "하나"}\n', encoding="utf-8")  # answers, given as questions
    assert run("--questions_file", "a.jsonl", "--output_file", "a.jsonl") == 2 and student.requests == []


@pytest.mark.parametrize("name", ["no/such/a.json", "."])
def test_a_place_that_cannot_be_written_is_said_before_anything_is_asked(run, student, questions, name: str) -> None:
    assert run("--questions_file", "q.txt", "--output_file", name) == 2
    assert student.requests == []


def test_a_full_disk_is_an_error_in_words(monkeypatch, tmp_path) -> None:
    kept = AnswersFile(tmp_path / "a.jsonl")
    kept.begin([])
    monkeypatch.setattr(os, "fsync", lambda _number: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(ServeError, match="자리가 남았는지"):
        kept.keep({"key": "k", "question": "하나"})


def test_failed_looks_at_both_sides() -> None:
    assert failed({"student": {"answer": "a"}, "teacher": {"error": {}}})
    assert not failed({"student": {"answer": "a"}, "teacher": {"answer": "b"}}) and not failed({"student": None})
