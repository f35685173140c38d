"""A full disk, a file one may not write, a held file, a killed process: the answer still comes and the file stays sound."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from serve.backends.protocol import BackendInfo, GenParams
from serve.records import store
from serve.records.database import open_database, reading, transaction
from serve.records.store import open_records
from serve.settings import RecordsConfig

DAY = date(2025, 7, 1)
REPO = Path(__file__).resolve().parents[3]
INFO, PARAMS = BackendInfo("m", "m"), GenParams()

WRITER = """
import sys
from datetime import date
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from conftest import INFO, PARAMS, make_answer
from serve.records import retention
from serve.records.store import open_records
from serve.settings import RecordsConfig

records = open_records(RecordsConfig(path=Path(sys.argv[1]), keep_days=None, cache_entries=0))
session = records.new_session("page", keep_text=True)
number = 0
while True:
    number += 1
    turn = records.new_turn(session, f"질문 {number} " * 50, date(2025, 7, 1))
    answer = records.keep(turn, make_answer("student", f"답 {number} " * 400), INFO, PARAMS)
    assert records.vote(turn, "left", f"이유 {number}"), records.problem
    if number % 3 == 0:  # the heavy part: the whole file is written anew
        gone = records.new_session("page", keep_text=True)
        records.new_turn(gone, "지울 질문 " * 500, date(2025, 7, 1))
        records.forget(retention.select(session=gone))
    print(turn, answer, flush=True)
"""


def start_writer(path: Path) -> subprocess.Popen:
    command = [sys.executable, "-c", WRITER, str(path), str(Path(__file__).parent)]
    return subprocess.Popen(command, cwd=REPO, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_killed_writer_leaves_a_sound_file_with_every_acknowledged_write(records_path):
    chance = random.Random(7)
    acknowledged: list[tuple[str, str]] = []
    for _ in range(4):
        writer = start_writer(records_path)
        for _ in range(chance.randint(1, 12)):
            line = writer.stdout.readline()
            assert line, writer.stderr.read()
            acknowledged.append(tuple(line.split()))
        writer.send_signal(signal.SIGKILL)  # wherever it is by now
        rest, _ = writer.communicate()
        acknowledged += [tuple(line.split()) for line in rest.splitlines() if len(line) == 65]
        connection = open_database(records_path)
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        found = {tuple(row) for row in connection.execute("SELECT turn, id FROM answers WHERE text LIKE '답 %'")}
        voted = {row[0] for row in connection.execute("SELECT turn FROM votes WHERE reason LIKE '이유 %'")}
        connection.close()
        assert set(acknowledged) <= found
        assert {turn for turn, _ in acknowledged} <= voted
    assert len(acknowledged) >= 4


def test_two_processes_write_into_one_file(records, answer_of, records_path):
    writer = start_writer(records_path)
    theirs = []
    session = records.new_session("terminal", keep_text=True)
    ours = []
    for number in range(10):
        theirs.append(writer.stdout.readline().split()[1])
        ours.append(records.keep(records.new_turn(session, f"{number}", DAY), answer_of(), INFO, PARAMS))
    writer.kill()
    writer.communicate()
    assert records.problem is None and None not in ours
    with reading(records_path) as connection:
        assert {*theirs, *ours} <= {row[0] for row in connection.execute("SELECT id FROM answers")}


def test_a_full_disk_is_said_once_and_writing_goes_on_when_there_is_room(records, keep, said):
    session = records.new_session("page", keep_text=True)
    pages = records._connection.execute("PRAGMA page_count").fetchone()[0]
    records._connection.execute(f"PRAGMA max_page_count = {pages + 1}")
    turn = records.new_turn(session, "질문", DAY)
    assert keep(turn, "student", "긴 답 " * 20_000) is None
    assert keep(turn, "teacher", "긴 답 " * 20_000) is None
    assert len(said) == 1 and "빈 공간이 없습니다" in said[0] and str(records.path) in said[0]
    assert records.problem == said[0]
    records._connection.execute("PRAGMA max_page_count = 100000")
    assert keep(turn, "student", "긴 답 " * 20_000)
    assert records.problem is None and len(said) == 1


def test_a_file_that_became_read_only_is_said_once(records, keep, said):
    turn = records.new_turn(records.new_session("page"), "질문", DAY)
    records._connection.execute("PRAGMA query_only = ON")
    assert keep(turn, "student", "답") is None and records.vote(turn, "left") is False
    assert len(said) == 1 and "읽기 전용" in said[0]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anything")
def test_a_read_only_file_at_opening_is_said_and_nothing_is_kept(records_path, said, answer_of):
    open_database(records_path).close()
    records_path.chmod(0o400)
    opened_without_a_file(records_path, said, answer_of)


def test_a_place_where_no_file_can_be_made_is_said_and_nothing_is_kept(tmp_path, said, answer_of):
    (tmp_path / "taken").write_text("a file where the folder should be")
    opened_without_a_file(tmp_path / "taken" / "records.sqlite", said, answer_of)


def opened_without_a_file(path: Path, said: list[str], answer_of) -> None:
    opened = open_records(RecordsConfig(path=path, keep_days=30, cache_entries=2), said.append)
    turn = opened.new_turn(opened.new_session("page", keep_text=True), "질문", DAY)
    assert opened.keep(turn, answer_of(), INFO, PARAMS, cache_key="k") is None
    assert opened.cached("k").text == "답"
    assert len(said) == 1 and str(path) in said[0] and "기록하지 않습니다" in said[0]
    assert opened.problem == said[0] and not opened.keeping
    opened.close()


def test_a_held_file_costs_one_long_wait_and_no_answer(records, keep, said, records_path, monkeypatch):
    monkeypatch.setattr(store, "IMPATIENT_SECONDS", 0.0)
    records._connection.execute("PRAGMA busy_timeout = 1")
    session = records.new_session("page")
    other = sqlite3.connect(records_path, isolation_level=None)
    with transaction(other):
        assert keep(records.new_turn(session, "질문", DAY), "student", "답") is None
        assert records._connection.execute("PRAGMA busy_timeout").fetchone()[0] == 0
    assert len(said) == 1 and "다른 프로그램" in said[0]
    assert keep(records.new_turn(session, "질문", DAY), "student", "답")
    assert records.problem is None
    assert records._connection.execute("PRAGMA busy_timeout").fetchone()[0] == 5000
    other.close()


def test_a_mistake_of_the_program_is_not_taken_for_trouble_with_the_file(records):
    turn = records.new_turn(records.new_session("page"), "질문", DAY)
    with pytest.raises(sqlite3.IntegrityError):
        records.vote(turn, "the left one")
    assert records.problem is None
    assert records.vote(turn, "left")
