"""The store of responses: written once, never changed, never lost, and one writer at a time."""

import hashlib
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from data_gen.asking.requests import request_key
from data_gen.asking.values import Request, Stored, Usage
from data_gen.errors import BadInput, DataGenError
from data_gen.store import Store, Total
from data_gen.store_schema import MIGRATIONS

REPO = Path(__file__).parents[2]


def asked(number: int = 1, teacher: str = "t") -> Request:
    body = {"model": "m", "messages": [{"role": "user", "content": f"{number}번 물음"}]}
    return Request(request_key(body), body, teacher, "pairs", f"d{number}")


def answer(request: Request, **changes) -> Stored:
    values = {
        "key": request.key,
        "teacher": request.teacher,
        "model": "m-1",
        "task": request.task,
        "document_id": request.document_id,
        "status": "ok",
        "reason": "",
        "text": '{"답": "5,000만원"}',
        "reasoning": "생각",
        "finish_reason": "stop",
        "response_id": "r1",
        "usage": Usage(10, 4, 20, 5),
        "usd": 0.5,
        "seconds": 1.25,
        "via": "live",
        "received": "2026-11-22T00:00:00.000+00:00",
    }
    return Stored(**(values | changes))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "responses.sqlite"


def test_a_response_comes_back_as_it_was_and_its_body_hashes_to_its_key(path):
    request = asked()
    with Store(path) as store:
        assert store.find(request.key) is None
        assert store.keep(request, answer(request)) is True
    with Store(path) as store:
        assert store.find(request.key) == answer(request)
        assert store.body(request.key) == request.body and store.body("other") is None
    (body,) = sqlite3.connect(path).execute("SELECT body FROM responses").fetchone()
    assert hashlib.sha256(body.encode()).hexdigest() == request.key


def test_the_first_response_stays(path):
    request = asked()
    with Store(path) as store:
        store.keep(request, answer(request, usd=None))
        assert store.keep(request, answer(request, text="다른 답")) is False
        assert [one.text for one in store.responses()] == [answer(request).text]
        with pytest.raises(ValueError, match="does not belong"):
            store.keep(asked(2), answer(request))
        with pytest.raises(sqlite3.IntegrityError):
            store.keep(asked(2), answer(asked(2), status="wonderful"))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE responses SET text = 'x'",
        "DELETE FROM responses",
        "INSERT OR REPLACE INTO responses SELECT * FROM responses",
    ],
)
def test_nobody_changes_or_removes_a_response_not_even_from_outside(path, statement):
    with Store(path) as store:
        store.keep(asked(), answer(asked()))
    with sqlite3.connect(path) as database, pytest.raises(sqlite3.IntegrityError, match="append-only"):
        database.execute(statement)
    database.close()


def test_totals_and_notes_are_counted_from_what_is_stored(path):
    with Store(path) as store:
        for number in range(4):
            request = asked(number)
            store.keep(request, answer(request, usd=None if number == 3 else 0.5))
        store.keep(asked(9), answer(asked(9), status="refusal", via="batch"))
        for reason in ("HTTP 500", "HTTP 429", "HTTP 500"):
            store.note(asked(7), reason)
        good, refused = store.totals()
        assert good == Total("t", "m-1", "ok", "live", 4, Usage(40, 16, 80, 20), 1.5, 1)
        assert (refused.status, refused.via, refused.responses) == ("refusal", "batch", 1)
        assert store.notes() == {"HTTP 500": 2, "HTTP 429": 1}


def test_a_batch_is_on_record_before_it_is_sent_and_holds_its_requests_until_it_is_over(path):
    first, second = asked(1), asked(2)
    with Store(path) as store:
        store.add_batch("b1", "http://x", "t", [first, second])
    with Store(path) as store:  # as a rerun finds it
        (batch,) = store.batches(open_only=True)
        assert (batch.id, batch.status, batch.remote) == ("b1", "new", "")
        assert list(store.batch_requests("b1")) == [first, second]
        store.set_batch("b1", "in_progress", remote="batch_9")
        store.keep(first, answer(first, via="batch"))
        assert store.batch_of(first.key) is None and store.batch_of(second.key) == "b1"
        store.set_batch("b1", "completed")
        assert store.batch_of(second.key) is None and store.batches(open_only=True) == ()
        assert store.batches()[0].remote == "batch_9"


def test_a_batch_whose_id_is_taken_leaves_nothing_behind(path):
    with Store(path) as store:
        store.add_batch("b1", "http://x", "t", [asked(1)])
        with pytest.raises(sqlite3.IntegrityError):
            store.add_batch("b1", "http://x", "t", [asked(2)])
        assert list(store.batch_requests("b1")) == [asked(1)] and store.batch_of(asked(2).key) is None


def test_a_second_writer_is_told_who_holds_the_store_and_readers_are_let_in(path):
    hold = "import sys; from data_gen.store import Store; s = Store(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    other = subprocess.Popen(
        [sys.executable, "-c", hold, str(path)], cwd=REPO, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(DataGenError, match=rf"pid {other.pid} "):
            Store(path)
        with Store(path, read_only=True) as reader:
            assert reader.totals() == ()
            with pytest.raises(DataGenError, match="쓰지 못했습니다"):
                reader.note(asked(), "x")
    finally:
        other.kill()  # no chance to tidy up
        other.communicate(timeout=10)
    with Store(path) as store:
        assert store.totals() == ()
        with pytest.raises(DataGenError, match="이 프로세스"):
            Store(path)


def test_a_worker_process_that_outlives_its_run_does_not_keep_the_store_locked(path):
    code = (
        "import multiprocessing as m, os, sys, time\nfrom data_gen.store import Store\n"
        "s = Store(sys.argv[1])\nc = m.get_context('fork').Process(target=time.sleep, args=(30,))\nc.start()\n"
        "print(c.pid, flush=True)\nos.kill(os.getpid(), 9)\n"
    )
    killed = subprocess.Popen([sys.executable, "-c", code, str(path)], cwd=REPO, stdout=subprocess.PIPE, text=True)
    worker = int(killed.stdout.readline())
    killed.wait(10)
    try:
        with Store(path) as store:
            assert store.totals() == ()
    finally:
        os.kill(worker, 9)
        killed.stdout.close()


def test_a_file_that_is_no_store_is_refused_and_left_as_it_was(tmp_path):
    text, foreign = tmp_path / "notes.txt", tmp_path / "other.sqlite"
    text.write_text("세법 메모\n" * 100, encoding="utf-8")
    with sqlite3.connect(foreign) as database:
        database.execute("CREATE TABLE mine (x)")
    database.close()
    for path in (text, foreign):
        before = path.read_bytes()
        with pytest.raises(BadInput, match="not a response store"):
            Store(path)
        assert path.read_bytes() == before
    with pytest.raises(BadInput, match="no such store"):
        Store(tmp_path / "none.sqlite", read_only=True)
    assert not (tmp_path / "none.sqlite").exists()


def test_a_store_of_a_newer_version_is_refused(path):
    Store(path).close()
    with sqlite3.connect(path) as database:
        database.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    database.close()
    with pytest.raises(DataGenError, match="newer version"):
        Store(path)


def test_an_older_store_is_brought_up_to_date_with_what_it_holds(path, monkeypatch):
    with Store(path) as store:
        store.keep(asked(), answer(asked()))
    newer = (*MIGRATIONS, ("CREATE TABLE later (x INTEGER) STRICT",))
    monkeypatch.setattr("data_gen.store.MIGRATIONS", newer)
    with Store(path) as store:
        assert store.find(asked().key) == answer(asked())
    with sqlite3.connect(path) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (len(newer),)
        assert database.execute("SELECT count(*) FROM later").fetchone() == (0,)
    database.close()


def test_a_migration_that_breaks_leaves_the_store_as_it_was(path, monkeypatch):
    Store(path).close()
    monkeypatch.setattr("data_gen.store.MIGRATIONS", (*MIGRATIONS, ("CREATE TABLE half (x)", "CREATE NONSENSE")))
    with pytest.raises(DataGenError, match="NONSENSE"):
        Store(path)
    monkeypatch.undo()
    with Store(path) as store:
        assert store.totals() == ()
    assert sqlite3.connect(path).execute("SELECT count(*) FROM sqlite_master WHERE name = 'half'").fetchone() == (0,)
