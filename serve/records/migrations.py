"""The tables, step by step.  A file of any earlier version is brought up to date at opening; a newer one is refused.

A step, once released, is never edited: a change of a table is a new step at the end.
"""

from __future__ import annotations

import sqlite3

from serve.errors import Code, ServeError

APPLICATION_ID = 0x534C4D46  # "SLMF": keeps us from writing tables into some other program's file

# Long texts stand last: what the figures need is then on the first page of a row, and SQLite need not walk the rest.
# Every column that can hold words of a person or of an answer is named in retention.TEXTS, which empties it.
_SESSIONS_TURNS_ANSWERS = (
    """CREATE TABLE sessions (
        seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, at TEXT NOT NULL,
        interface TEXT NOT NULL, keep_text INTEGER NOT NULL CHECK (keep_text IN (0, 1)))""",
    """CREATE TABLE turns (
        seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, at TEXT NOT NULL,
        session TEXT NOT NULL REFERENCES sessions(id) ON DELETE CASCADE,
        as_of TEXT NOT NULL, question TEXT)""",
    """CREATE TABLE answers (
        seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, at TEXT NOT NULL,
        turn TEXT NOT NULL REFERENCES turns(id) ON DELETE CASCADE,
        side TEXT NOT NULL, source TEXT NOT NULL, model TEXT, model_sha256 TEXT, template_sha256 TEXT,
        params TEXT, seed INTEGER, source_count INTEGER NOT NULL DEFAULT 0,
        first_seconds REAL, seconds REAL, prompt_tokens INTEGER, new_tokens INTEGER, characters INTEGER,
        finish TEXT, measured INTEGER NOT NULL DEFAULT 1, cached INTEGER NOT NULL DEFAULT 0, usd REAL, error TEXT,
        verdict_ok INTEGER, verdict_counts TEXT,
        prompt TEXT, text TEXT, completed TEXT, sources TEXT, verdict TEXT)""",
    "CREATE INDEX turns_by_session ON turns(session)",
    "CREATE INDEX answers_by_turn ON answers(turn)",
)
_VOTES = (
    """CREATE TABLE votes (
        seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, at TEXT NOT NULL,
        turn TEXT NOT NULL UNIQUE REFERENCES turns(id) ON DELETE CASCADE,
        choice TEXT NOT NULL CHECK (choice IN ('left', 'right', 'tie', 'both_bad')), reason TEXT,
        left_side TEXT NOT NULL, right_side TEXT NOT NULL,
        left_answer TEXT REFERENCES answers(id) ON DELETE SET NULL,
        right_answer TEXT REFERENCES answers(id) ON DELETE SET NULL,
        blind INTEGER NOT NULL CHECK (blind IN (0, 1)))""",
    # Deleting an answer looks for votes on it; without these, once through all votes for every answer.
    "CREATE INDEX votes_by_left ON votes(left_answer)",
    "CREATE INDEX votes_by_right ON votes(right_answer)",
)
_CACHE = (
    # A hash of the question: without consent it is not kept, as a guessed question could be checked against it.
    "ALTER TABLE answers ADD COLUMN cache_key TEXT",
    "CREATE INDEX answers_by_cache_key ON answers(cache_key) WHERE cache_key IS NOT NULL",
)
_CLEANING = (
    # One row: whether traces of removed texts may still be in the file.
    "CREATE TABLE cleaning (one INTEGER PRIMARY KEY CHECK (one = 1), traces INTEGER NOT NULL DEFAULT 0)",
    "INSERT INTO cleaning(one) VALUES (1)",
)
STEPS: tuple[tuple[str, ...], ...] = (_SESSIONS_TURNS_ANSWERS, _VOTES, _CACHE, _CLEANING)


def version_of(connection: sqlite3.Connection) -> int:
    """How many steps the file has behind it."""
    return connection.execute("PRAGMA user_version").fetchone()[0]


def check_ours(connection: sqlite3.Connection, where: str) -> int:
    """The version of the file.  Raises ServeError when it is newer than this program or belongs to another one."""
    # One statement is one snapshot: another process may be making the tables at this moment.
    owner, version, tables = connection.execute(
        "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_master)"
        " FROM pragma_application_id, pragma_user_version"
    ).fetchone()
    if owner != APPLICATION_ID and (owner or tables):
        raise ServeError(
            Code.USAGE,
            f"다른 프로그램의 SQLite 파일입니다: {where}",
            "설정 records.path에 다른 파일 이름을 적으세요 (this database belongs to another program).",
        )
    if version > len(STEPS):
        raise ServeError(
            Code.USAGE,
            f"기록 파일이 이 프로그램보다 새 판입니다: {where} (파일 {version}판, 프로그램 {len(STEPS)}판)",
            "프로그램을 새 판으로 올리거나 설정 records.path에 다른 파일을 적으세요 (made by a newer version).",
        )
    return version


def migrate(connection: sqlite3.Connection, where: str, upto: int = len(STEPS)) -> int:
    """Bring the file to version ``upto`` and return the version it had.

    Every step is one transaction with its own number, so that a crash leaves a whole version.  ``connection`` must be in
    autocommit mode.  Raises ServeError as ``check_ours``.
    """
    before = check_ours(connection, where)
    for number in range(before, upto):
        connection.execute("BEGIN IMMEDIATE")
        try:
            # Another process may have taken this step while we waited for the file.
            if version_of(connection) == number:
                for statement in STEPS[number]:
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {number + 1}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
    return before
