"""What a person loses when these fail: an answer that is not on record, words kept without consent, a vote on the wrong one."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
from datetime import date

import pytest

from serve.backends.protocol import BackendInfo, GenParams
from serve.records.database import reading
from serve.records.retention import TEXTS, select
from serve.records.store import open_records
from serve.settings import RecordsConfig

DAY = date(2025, 7, 1)
INFO = BackendInfo("demo/student", "학생", model_sha256="a" * 64, template_sha256="b" * 64)


def rows(records, table: str) -> list[dict]:
    with reading(records.path) as connection:
        return [dict(row) for row in connection.execute(f"SELECT * FROM {table} ORDER BY seq")]


def test_an_answer_is_kept_with_everything_needed_to_repeat_it(records, answer_of):
    turn = records.new_turn(records.new_session("page", keep_text=True), "상속세는?", DAY)
    answer = answer_of("student", "상속세 및 증여세법 제53조", usd=0.25)
    params = GenParams(64, 0.7, seed=11)
    kept = records.keep(turn, answer, INFO, params)
    (row,) = rows(records, "answers")
    assert row["id"] == kept and row["turn"] == turn
    assert (row["side"], row["source"], row["model"]) == ("student", "모델 student", "demo/student")
    assert (row["model_sha256"], row["template_sha256"], row["seed"]) == ("a" * 64, "b" * 64, 11)
    assert '"temperature": 0.7' in row["params"]
    assert (row["text"], row["completed"]) == (answer.completion.raw, answer.completion.final)
    assert (row["first_seconds"], row["seconds"], row["new_tokens"], row["prompt_tokens"]) == (0.5, 2.5, 21, 7)
    assert (row["finish"], row["usd"], row["cached"], row["error"]) == ("stop", 0.25, 0, None)
    assert row["verdict_ok"] == 1 and row["verdict_counts"] == '{"citation.confirmed": 1}'
    assert "확인: 상속세" in row["verdict"]
    assert row["at"] == "2026-03-01T12:00:00.000+00:00"
    assert rows(records, "turns")[0]["question"] == "상속세는?"


def test_without_consent_figures_are_kept_and_no_word(records, answer_of):
    turn = records.new_turn(records.new_session("page"), "비밀질문입니다", DAY)
    records.keep(turn, answer_of("student", "비밀답변입니다"), INFO, GenParams(), cache_key="c" * 64)
    assert records.vote(turn, "left", "비밀이유입니다")
    assert rows(records, "answers")[0]["new_tokens"] == 21
    assert rows(records, "votes")[0]["choice"] == "left"
    for table, columns in TEXTS.items():
        assert [row[column] for row in rows(records, table) for column in columns] == [None] * len(columns)
    on_disk = b"".join(file.read_bytes() for file in records.path.parent.iterdir())
    assert "비밀".encode() not in on_disk and b"cccccccc" not in on_disk


def test_every_text_column_of_the_tables_is_known_to_the_cleaner(records):
    """A later column for words must be emptied too; this names the columns that hold none."""
    wordless = {"seq", "id", "at", "session", "turn", "side", "source", "model", "model_sha256", "template_sha256"}
    wordless |= {"params", "finish", "error", "verdict_counts", "interface", "as_of", "choice"}
    wordless |= {"left_side", "right_side", "left_answer", "right_answer"}
    with reading(records.path) as connection:
        for table in ("sessions", "turns", "answers", "votes"):
            columns = connection.execute(f"SELECT name FROM pragma_table_info('{table}') WHERE type = 'TEXT'")
            assert {row["name"] for row in columns} - wordless == set(TEXTS.get(table, ())), table


def test_a_vote_names_the_answers_that_stood_there_and_a_second_vote_replaces_it(records, keep):
    turn = records.new_turn(records.new_session("page", keep_text=True), "질문", DAY)
    keep(turn, "student", "첫 답")
    again = keep(turn, "student", "다시 한 답")
    teacher = keep(turn, "teacher", "교사의 답")
    records.vote(turn, "left")
    assert records.vote(turn, "right", " 더 맞음 ", left="teacher", right="student", blind=True)
    (vote,) = rows(records, "votes")
    assert (vote["choice"], vote["reason"], vote["blind"]) == ("right", "더 맞음", 1)
    assert (vote["left_side"], vote["right_side"]) == ("teacher", "student")
    assert (vote["left_answer"], vote["right_answer"]) == (teacher, again)


def test_a_pane_without_an_answer_is_kept_with_its_code(records):
    turn = records.new_turn(records.new_session("page", keep_text=True), "질문", DAY)
    assert records.keep_failure(turn, "teacher", "실시간 교사", "rate_limit", INFO, GenParams())
    (row,) = rows(records, "answers")
    assert (row["error"], row["text"], row["verdict_ok"]) == ("rate_limit", None, None)


def test_withdrawn_consent_removes_the_words_and_keeps_the_figures(records, keep):
    session = records.new_session("page", keep_text=True)
    turn = records.new_turn(session, "질문", DAY)
    keep(turn, "student", "답")
    records.set_keep_text(session, False)
    assert rows(records, "turns")[0]["question"] is None and rows(records, "answers")[0]["text"] is None
    assert rows(records, "answers")[0]["new_tokens"] == 21
    keep(records.new_turn(session, "또", DAY), "student", "답")
    assert rows(records, "turns")[1]["question"] is None


def test_consent_does_not_reach_back_to_a_question_asked_before_it(records, keep):
    session = records.new_session("page")
    early = records.new_turn(session, "먼저 물은 것", DAY)
    records.set_keep_text(session, True)
    keep(early, "student", "늦게 온 답")
    records.vote(early, "left", "이유")
    keep(records.new_turn(session, "나중에 물은 것", DAY), "student", "답")
    assert [row["question"] for row in rows(records, "turns")] == [None, "나중에 물은 것"]
    assert [row["text"] for row in rows(records, "answers")] == [None, "답"]
    assert rows(records, "votes")[0]["reason"] is None


def test_a_forgotten_session_keeps_nothing_more(records, keep):
    session = records.new_session("page", keep_text=True)
    records.forget(select(session=session))
    turn = records.new_turn(session, "질문", DAY)
    assert keep(turn, "student", "답") is None and records.vote(turn, "left") is False
    assert rows(records, "turns") == [] and records.problem is None


def test_nothing_is_written_when_the_path_is_null(tmp_path, answer_of):
    with_nothing = open_records(RecordsConfig(path=None, keep_days=None, cache_entries=2))
    turn = with_nothing.new_turn(with_nothing.new_session("page", keep_text=True), "질문", DAY)
    assert with_nothing.keep(turn, answer_of(), INFO, GenParams(), cache_key="k") is None
    assert with_nothing.vote(turn, "left") is False and not with_nothing.keeping
    assert with_nothing.cached("k").text == "답"  # memory still works
    assert not list(tmp_path.rglob("*.sqlite*"))


@pytest.mark.skipif(os.name != "posix", reason="file modes")
def test_only_the_owner_can_read_the_file_its_log_and_its_folder(records, keep):
    keep(records.new_turn(records.new_session("page"), "질문", DAY), "student", "답")
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in records.path.parent.iterdir()}
    assert len(modes) == 3 and set(modes.values()) == {0o600}
    assert stat.S_IMODE(records.path.parent.stat().st_mode) == 0o700


def test_a_file_that_others_could_read_is_closed_to_them(records_path):
    records_path.parent.mkdir(parents=True)
    records_path.touch(mode=0o644)
    open_records(RecordsConfig(path=records_path, keep_days=None, cache_entries=0)).close()
    assert stat.S_IMODE(records_path.stat().st_mode) == 0o600


def test_many_threads_lose_nothing_and_mix_nothing(records, answer_of):
    session = records.new_session("page", keep_text=True)
    kept: list[tuple[str, str, str]] = []

    def ask(number: int) -> None:
        for again in range(5):
            turn = records.new_turn(session, f"질문 {number}-{again}", DAY)
            answer = records.keep(turn, answer_of("student", f"답 {number}-{again}"), INFO, GenParams())
            assert records.vote(turn, "tie")
            kept.append((turn, answer, f"{number}-{again}"))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = {row["id"]: row for row in rows(records, "answers")}
    questions = {row["id"]: row["question"] for row in rows(records, "turns")}
    assert len(kept) == len(found) == 40 and len(rows(records, "votes")) == 40
    for turn, answer, name in kept:
        assert found[answer]["turn"] == turn and found[answer]["text"] == f"답 {name}"
        assert questions[turn] == f"질문 {name}"
    with reading(records.path) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


def test_a_reader_is_not_in_the_way_of_a_writer(records, keep):
    session = records.new_session("page", keep_text=True)
    with reading(records.path) as connection:
        connection.execute("BEGIN")
        assert connection.execute("SELECT count(*) FROM turns").fetchone()[0] == 0
        assert keep(records.new_turn(session, "질문", DAY), "student", "답")
        with pytest.raises(sqlite3.OperationalError):
            connection.execute("DELETE FROM turns")
