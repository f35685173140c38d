"""``python -m serve forget``: it says how much, asks, deletes it for good, and never deletes on a slip."""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from serve.records import forget_command
from serve.records.database import reading

DAY = date(2025, 7, 1)
SECRET = "지워질비밀"
REPO = Path(__file__).resolve().parents[3]


def forget(*arguments: object) -> int:
    parser = argparse.ArgumentParser()
    forget_command.add_arguments(parser)
    return forget_command.run(parser.parse_args([str(argument) for argument in arguments]))


@pytest.fixture
def session(records, keep) -> str:
    """A consenting session with one question, answer and vote."""
    made = records.new_session("page", keep_text=True)
    turn = records.new_turn(made, SECRET, DAY)
    keep(turn, "student", f"{SECRET} 답")
    records.vote(turn, "left", f"{SECRET} 이유")
    return made


def turns(records) -> int:
    with reading(records.path) as connection:
        return connection.execute("SELECT count(*) FROM turns").fetchone()[0]


def test_one_session_is_deleted_with_its_counts_and_from_the_bytes(records, session, capsys):
    assert forget("--session", session, "--yes", "--records", records.path) == 0
    assert "지웠습니다: 대화 1, 질문 1, 답 1, 투표 1" in capsys.readouterr().out
    assert all(SECRET.encode() not in file.read_bytes() for file in records.path.parent.iterdir())
    assert forget("--session", session, "--yes", "--records", records.path) == 0
    assert "지울 기록이 없습니다" in capsys.readouterr().out


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("reply", "left"), [("예\n", 0), ("아니요\n", 1), ("\n", 1), ("", 1)])
def test_a_person_is_asked_and_only_yes_is_yes(records, session, monkeypatch, capsys, reply, left):
    monkeypatch.setattr(sys, "stdin", Terminal(reply))
    assert forget("--all", "--records", records.path) == 0
    assert turns(records) == left
    shown = capsys.readouterr().out
    assert "지울 기록: 대화 1, 질문 1, 답 1, 투표 1" in shown and ("지우지 않았습니다" in shown) == bool(left)


def test_without_a_terminal_nothing_is_deleted_unless_yes_is_given(records, session, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.StringIO("예\n"))
    assert forget("--all", "--records", records.path) == 2
    assert turns(records) == 1 and "--yes" in capsys.readouterr().err
    assert forget("--all", "--yes", "--records", records.path) == 0
    assert turns(records) == 0


def test_before_means_before_that_day_began_in_korea(records, clock, keep, capsys):
    made = records.new_session("page", keep_text=True)
    for hour in (14, 15):  # 23:00 on the 1st and 00:00 on the 2nd in Korea
        clock.now = clock.now.replace(day=1, hour=hour, minute=0)
        keep(records.new_turn(made, f"{hour}시", DAY), "student", "답")
    assert forget("--before", "2026-03-02", "--yes", "--records", records.path) == 0
    with reading(records.path) as connection:
        assert [row[0] for row in connection.execute("SELECT question FROM turns")] == ["15시"]


def test_without_a_choice_the_latest_sessions_are_listed_and_nothing_is_deleted(records, session, capsys):
    assert forget("--records", records.path) == 2
    shown = capsys.readouterr().err
    assert session in shown and "--before" in shown and "질문 1" in shown
    assert turns(records) == 1


def test_a_reader_that_holds_traces_is_named_and_the_same_command_finishes_later(records, session, monkeypatch, capsys):
    monkeypatch.setattr("serve.records.database.BUSY_SECONDS", 0.0)
    with reading(records.path) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM turns").fetchone()
        assert forget("--all", "--yes", "--records", records.path) == 2
        assert "-wal" in capsys.readouterr().err
    assert forget("--all", "--yes", "--records", records.path) == 0
    assert all(SECRET.encode() not in file.read_bytes() for file in records.path.parent.iterdir())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--before", "작년", "--yes"), "날짜를 읽을 수 없습니다: '작년'"),
        (("--all", "--yes", "--records", "missing.sqlite"), "기록 파일이 없습니다: missing.sqlite"),
    ],
)
def test_a_wrong_date_or_file_is_a_usage_error_and_makes_no_file(arguments, said, capsys):
    assert forget(*arguments) == 2
    assert said in capsys.readouterr().err
    assert not Path("missing.sqlite").exists()


def test_the_commands_options_load_nothing_heavy():
    probe = (
        "import argparse, sys\n"
        "from serve.records import export_command, forget_command\n"
        "for command in (export_command, forget_command):\n"
        "    command.add_arguments(argparse.ArgumentParser())\n"
        "heavy = {'pydantic', 'pyarrow', 'datasets', 'openai', 'jinja2', 'taxlaw.calls'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", probe], cwd=REPO, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
