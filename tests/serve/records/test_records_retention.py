"""A promise to forget is kept when the bytes are gone: from the file, from its log, and before anybody asks twice."""

from __future__ import annotations

import threading
from datetime import date, timedelta

import pytest

from serve.records import retention
from serve.records.cache import AnswerCache
from serve.records.database import open_database, reading
from serve.records.moments import now_utc
from serve.records.retention import Removed, select
from serve.records.store import Records, open_records
from serve.settings import RecordsConfig

DAY = date(2025, 7, 1)
SECRET = "지워질비밀"


def on_disk(records) -> bytes:
    return b"".join(file.read_bytes() for file in records.path.parent.iterdir())


@pytest.fixture
def asked(records, keep):
    """Ask and answer with long texts, which SQLite spreads over several pages; returns the session."""

    def run(words: str, session: str | None = None, turns: int = 3) -> str:
        session = session or records.new_session("page", keep_text=True)
        for number in range(turns):
            turn = records.new_turn(session, f"{words} 질문 {number} " + words * 500, DAY)
            keep(turn, "student", f"{words} 답 {number} " + words * 2000, cache_key=f"{number:064x}")
            records.vote(turn, "left", f"{words} 이유 {number}")
        return session

    return run


def test_expired_words_are_gone_from_the_bytes_and_figures_stay(records, asked, clock):
    asked(SECRET)
    clock.forward(days=29)
    asked("남을말", turns=2)
    assert SECRET.encode() in on_disk(records)
    assert records.expire() == 0
    clock.forward(days=2)
    assert records.expire() == 3
    assert SECRET.encode() not in on_disk(records)
    assert "남을말".encode() in on_disk(records)
    with reading(records.path) as connection:
        assert connection.execute("SELECT count(*), count(text), count(new_tokens) FROM answers").fetchone()[:] == (
            5,
            2,
            5,
        )
        assert connection.execute("SELECT count(*), count(reason) FROM votes").fetchone()[:] == (5, 2)
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_withdrawn_consent_is_gone_from_the_bytes(records, asked):
    session = asked(SECRET)
    records.set_keep_text(session, False)
    assert SECRET.encode() not in on_disk(records)


def test_forgetting_one_session_takes_all_of_it_and_nothing_else(records, asked):
    session, _ = asked(SECRET), asked("남을말")
    expected = Removed(1, 3, 3, 3)
    assert records.would_forget(select(session=session)) == expected
    assert records.forget(select(session=session)) == expected
    assert SECRET.encode() not in on_disk(records) and session.encode() not in on_disk(records)
    assert records.would_forget(select()) == expected
    assert records.forget(select(session=session)).nothing


def test_forgetting_before_a_day_keeps_a_session_that_went_on(records, asked, clock):
    ended, went_on = asked(SECRET), asked(SECRET)
    clock.forward(days=10)
    asked("남을말", went_on, turns=1)
    before = clock() - timedelta(days=5)
    assert records.forget(select(before=before)) == Removed(1, 6, 6, 6)
    with reading(records.path) as connection:
        assert [row[0] for row in connection.execute("SELECT id FROM sessions")] == [went_on] != [ended]
        assert connection.execute("SELECT count(*) FROM turns").fetchone()[0] == 1
    assert SECRET.encode() not in on_disk(records)


def test_forgetting_all_leaves_nothing_and_empties_the_memory(records, asked):
    asked(SECRET)
    records._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    full = records.path.stat().st_size
    assert records.cached(f"{0:064x}") is not None
    assert records.forget(select()) == Removed(1, 3, 3, 3)
    assert records.cached(f"{0:064x}") is None
    assert records.would_forget(select()).nothing
    assert SECRET.encode() not in on_disk(records)
    assert records.path.stat().st_size < full / 2  # built anew, not only emptied


def test_removed_words_are_overwritten_even_where_the_file_cannot_be_built_anew(records, asked, monkeypatch):
    """VACUUM needs as much room again as the file has; on a full disk overwriting is what is left."""
    asked(SECRET)
    monkeypatch.setattr(retention, "scrub", lambda connection: False)
    records.forget(select())
    records._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert SECRET.encode() not in on_disk(records)


def test_a_reader_of_an_older_state_delays_the_cleaning_and_it_is_done_later(records, asked, monkeypatch):
    asked(SECRET)
    records._connection.execute("PRAGMA busy_timeout = 0")  # nobody waits in a test
    with reading(records.path) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM turns").fetchone()
        assert records.forget(select()).gone is False
    assert SECRET.encode() in on_disk(records)
    records.expire()
    assert SECRET.encode() not in on_disk(records)


def test_a_crash_between_deleting_and_cleaning_is_made_good_at_the_next_opening(records, asked, monkeypatch, said):
    asked(SECRET)
    monkeypatch.setattr(retention, "scrub", lambda connection: False)
    records.forget(select())
    monkeypatch.undo()
    assert SECRET.encode() in on_disk(records)
    again = open_records(RecordsConfig(path=records.path, keep_days=30, cache_entries=0), said.append)
    assert SECRET.encode() not in on_disk(records) and said == []
    again.close()


def test_expired_words_go_at_opening_and_every_day_of_a_long_run(records, asked, clock, said, monkeypatch):
    clock.now = now_utc() - timedelta(days=31)
    asked(SECRET)
    again = open_records(RecordsConfig(path=records.path, keep_days=30, cache_entries=0), said.append)
    assert SECRET.encode() not in on_disk(records)
    again.close()
    asked(SECRET)
    later = Records(open_database(records.path), AnswerCache(0), said.append, path=records.path, keep_days=30)
    swept, expire = threading.Event(), later.expire
    calls = []

    def counted() -> int:
        calls.append(expire() if calls else 0)  # the first call is the one at opening
        if len(calls) == 2:
            swept.set()
        return calls[-1]

    monkeypatch.setattr(later, "expire", counted)
    later.start_sweeping(every_seconds=0.001)
    assert swept.wait(30)
    assert calls[1] == 3 and SECRET.encode() not in on_disk(records)
    later.close()


def test_without_a_retention_nothing_expires(records_path, clock, said, answer_of):
    records = Records(open_database(records_path), AnswerCache(0), said.append, path=records_path, now=clock)
    records.new_turn(records.new_session("page", keep_text=True), "질문", DAY)
    clock.forward(days=10_000)
    assert records.expire() == 0
    with reading(records_path) as connection:
        assert connection.execute("SELECT question FROM turns").fetchone()[0] == "질문"
    records.close()
