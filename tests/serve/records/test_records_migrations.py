"""A person who upgrades must keep what was recorded, and a file that is not ours must stay as it is."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from serve.errors import ServeError
from serve.records.database import open_database
from serve.records.migrations import STEPS, migrate, version_of

REPO = Path(__file__).resolve().parents[3]


def plain(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    return sqlite3.connect(path, isolation_level=None)


def shape(connection: sqlite3.Connection) -> dict[str, list[tuple]]:
    tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    found = {name: [tuple(row) for row in connection.execute(f"PRAGMA table_info({name})")] for name in tables}
    found["indexes"] = [
        tuple(row) for row in connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' ORDER BY 1")
    ]
    return found


def test_a_new_file_has_every_step_behind_it(records_path):
    connection = open_database(records_path)
    assert version_of(connection) == len(STEPS)
    assert {"sessions", "turns", "answers", "votes"} <= set(shape(connection))
    connection.close()


@pytest.mark.parametrize("version", range(len(STEPS)))
def test_a_file_of_every_earlier_version_is_brought_up_with_its_rows(records_path, tmp_path, version):
    old = plain(records_path)
    migrate(old, "test", version)
    assert version_of(old) == version
    if version >= 1:
        old.execute("INSERT INTO sessions(id, at, interface, keep_text) VALUES ('s', '2026-01-01', 'page', 1)")
        old.execute("INSERT INTO turns(id, at, session, as_of, question) VALUES ('t', '2026-01-01', 's', 'd', '질문')")
        old.execute(
            "INSERT INTO answers(id, at, turn, side, source, text) VALUES ('a', 'now', 't', 'student', 'm', '답')"
        )
    if version >= 2:
        old.execute(
            "INSERT INTO votes(id, at, turn, choice, left_side, right_side, left_answer, blind)"
            " VALUES ('v', 'now', 't', 'left', 'student', 'teacher', 'a', 0)"
        )
    old.close()
    connection = open_database(records_path)
    assert version_of(connection) == len(STEPS)
    fresh = open_database(tmp_path / "fresh.sqlite")
    assert shape(connection) == shape(fresh)
    if version >= 1:
        assert tuple(connection.execute("SELECT question FROM turns").fetchone()) == ("질문",)
        assert tuple(connection.execute("SELECT text, cached, usd FROM answers").fetchone()) == ("답", 0, None)
    if version >= 2:
        assert tuple(connection.execute("SELECT choice, left_answer FROM votes").fetchone()) == ("left", "a")
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    fresh.close()
    connection.close()


def test_a_crash_in_a_step_leaves_the_version_before_it_whole(records_path, monkeypatch):
    connection = plain(records_path)
    migrate(connection, "test", 1)
    before = shape(connection)
    broken = (*STEPS[1], "CREATE TABLE votes (again)")
    monkeypatch.setattr("serve.records.migrations.STEPS", (STEPS[0], broken, *STEPS[2:]))
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, "test")
    assert version_of(connection) == 1 and shape(connection) == before
    connection.close()


def test_a_newer_file_is_refused_and_left_as_it_is(records_path):
    open_database(records_path).close()
    newer = plain(records_path)
    newer.execute(f"PRAGMA user_version = {len(STEPS) + 1}")
    newer.close()
    with pytest.raises(ServeError, match="새 판") as caught:
        open_database(records_path)
    assert str(records_path) in caught.value.message and "records.path" in caught.value.hint
    again = plain(records_path)
    assert version_of(again) == len(STEPS) + 1
    again.close()


def test_another_programs_database_is_refused_and_left_as_it_is(records_path):
    other = plain(records_path)
    other.execute("CREATE TABLE logs (line)")
    other.close()
    before = records_path.read_bytes()
    with pytest.raises(ServeError, match="다른 프로그램"):
        open_database(records_path)
    assert records_path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused(records_path):
    records_path.parent.mkdir(parents=True)
    records_path.write_text("질문과 답을 적은 글입니다. " * 100, encoding="utf-8")
    with pytest.raises(ServeError, match="열 수 없습니다"):
        open_database(records_path)


def test_two_processes_may_open_a_new_file_at_the_same_moment(records_path):
    code = (
        "import sys; from pathlib import Path\n"
        "from serve.records.database import open_database\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "open_database(Path(sys.argv[1])).close()\n"
    )
    starting = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(records_path)],
            cwd=REPO,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for process in starting:
        assert process.stdout.readline() == "ready\n"
    for process in starting:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in starting:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    connection = open_database(records_path)
    assert version_of(connection) == len(STEPS)
    connection.close()
