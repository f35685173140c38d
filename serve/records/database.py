"""Opens the records file: private to its owner, write-ahead log, deleted text overwritten, up to date."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from serve.errors import Code, ServeError
from serve.records.migrations import STEPS, check_ours, migrate

BUSY_SECONDS = 5.0  # how long one process waits for another one's transaction


def open_database(path: Path) -> sqlite3.Connection:
    """A writing connection in autocommit mode, usable from any thread under a lock.

    The folder is made 0700 and the file 0600.  Raises ServeError when the file cannot be opened or is not ours.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Made before SQLite sees it, so that there is no moment at which others could read it; -wal and -shm take its mode.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.Error) as exc:
        raise _cannot_open(path, exc) from exc
    try:
        check_ours(connection, str(path))  # before anything is changed in a file that may not be ours
        _use_log(connection)
        # A commit is in the log before it is acknowledged: it outlives this process; only a power cut may take the last ones.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA foreign_keys = ON")
        migrate(connection, str(path))
    except sqlite3.Error as exc:
        connection.close()
        raise _cannot_open(path, exc) from exc
    except ServeError:
        connection.close()
        raise
    connection.row_factory = sqlite3.Row
    return connection


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection of its own that cannot write, for figures and exports; an older file is brought up to date first.

    Raises ServeError when there is no such file or it is not ours.
    """
    if not path.is_file():
        raise ServeError(
            Code.USAGE,
            f"기록 파일이 없습니다: {path}",
            "아직 기록이 없거나 설정의 records.path가 다릅니다 (no records yet).",
        )
    try:
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as exc:
        raise _cannot_open(path, exc) from exc
    with closing(connection):
        try:
            if check_ours(connection, str(path)) < len(STEPS):
                open_database(path).close()
            connection.execute("PRAGMA query_only = ON")
        except sqlite3.Error as exc:
            raise _cannot_open(path, exc) from exc
        connection.row_factory = sqlite3.Row
        yield connection


def set_patience(connection: sqlite3.Connection, seconds: float) -> None:
    """How long this connection waits for a file that another one is writing to."""
    connection.execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All or nothing; the write lock is taken at the start, so that two processes wait instead of failing half-way."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite has already rolled back where the disk was full
            connection.execute("ROLLBACK")
        raise


def explained(exc: sqlite3.Error, path: Path | None) -> str:
    """One Korean line: what failed, where, what to do."""
    cause = {
        sqlite3.SQLITE_FULL: "디스크에 빈 공간이 없습니다. 공간을 비우면 이어서 기록합니다.",
        sqlite3.SQLITE_READONLY: "파일이 읽기 전용입니다. 쓰기 권한을 주세요.",
        sqlite3.SQLITE_BUSY: "다른 프로그램이 파일을 잡고 있습니다. 그 프로그램을 닫아 주세요.",
        sqlite3.SQLITE_CORRUPT: "파일이 손상되었습니다. 다른 곳으로 옮기고 다시 시작하세요.",
        sqlite3.SQLITE_NOTADB: "SQLite 파일이 아닙니다. 다른 곳으로 옮기고 다시 시작하세요.",
    }.get((getattr(exc, "sqlite_errorcode", None) or 0) & 0xFF, f"{exc}. 디스크와 권한을 확인하세요.")
    return f"기록하지 못했습니다({path}). {cause} 답변에는 영향이 없습니다 (not recorded)."


def _use_log(connection: sqlite3.Connection) -> None:
    """Switch to the write-ahead log.  SQLite does not wait for a process that is doing the same, so we do."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        except sqlite3.OperationalError as exc:
            if exc.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            break
    if mode != "wal":  # a network drive without shared memory
        raise sqlite3.OperationalError(f"journal_mode = {mode}, not wal")


def _cannot_open(path: Path, exc: Exception) -> ServeError:
    return ServeError(
        Code.USAGE,
        f"기록 파일을 열 수 없습니다: {path} ({exc})",
        "폴더의 쓰기 권한과 남은 공간을 보거나, 설정에서 records.path를 바꾸세요. null이면 기록하지 않습니다.",
    )
