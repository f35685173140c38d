"""What is removed, and that it is gone: emptied rows, overwritten pages, a rebuilt file and an empty log."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta

from serve.records.moments import stamp

# Every column in which words of a person or of an answer, or a hash of them, can stand.
TEXTS: dict[str, tuple[str, ...]] = {
    "turns": ("question",),
    "answers": ("prompt", "text", "completed", "sources", "verdict", "cache_key"),
    "votes": ("reason",),
}


@dataclass(frozen=True)
class Removed:
    """How many records there were of each kind; ``gone`` is False when a reader still held traces of them in the log."""

    sessions: int = 0
    turns: int = 0
    answers: int = 0
    votes: int = 0
    gone: bool = True

    @property
    def nothing(self) -> bool:
        return not (self.sessions or self.turns or self.answers or self.votes)


@dataclass(frozen=True)
class Selection:
    """Which sessions and turns: two SQL conditions and what stands for their ?."""

    sessions: str
    turns: str
    values: tuple[str, ...]


def select(session: str | None = None, before: datetime | None = None) -> Selection:
    """One session, or all that was asked before a moment (and sessions with nothing later), or, without either, all."""
    if session is not None:
        return Selection("id = ?1", "session = ?1", (session,))
    if before is not None:
        younger = "EXISTS (SELECT 1 FROM turns WHERE session = sessions.id AND at >= ?1)"
        return Selection(f"at < ?1 AND NOT {younger}", "at < ?1", (stamp(before),))
    return Selection("1", "1", ())


def count(connection: sqlite3.Connection, chosen: Selection) -> Removed:
    """What ``delete`` would remove."""
    turns = f"SELECT id FROM turns WHERE {chosen.turns}"

    def number(query: str) -> int:
        return connection.execute(query, chosen.values).fetchone()[0]

    return Removed(
        number(f"SELECT count(*) FROM sessions WHERE {chosen.sessions}"),
        number(f"SELECT count(*) FROM ({turns})"),
        number(f"SELECT count(*) FROM answers WHERE turn IN ({turns})"),
        number(f"SELECT count(*) FROM votes WHERE turn IN ({turns})"),
    )


def delete(connection: sqlite3.Connection, chosen: Selection) -> Removed:
    """Delete the chosen turns and sessions with everything below them; inside the caller's transaction."""
    removed = count(connection, chosen)
    connection.execute(f"DELETE FROM turns WHERE {chosen.turns}", chosen.values)
    connection.execute(f"DELETE FROM sessions WHERE {chosen.sessions}", chosen.values)
    if not removed.nothing:
        note_traces(connection)
    return removed


def empty_texts(connection: sqlite3.Connection, chosen: Selection) -> int:
    """Take the words out of the chosen turns and leave the figures; returns how many turns held words."""
    turns = f"SELECT id FROM turns WHERE {chosen.turns}"
    held: set[str] = set()
    for table, columns in TEXTS.items():
        own = "id" if table == "turns" else "turn"
        filled = " OR ".join(f"{column} IS NOT NULL" for column in columns)
        where = f"{own} IN ({turns}) AND ({filled})"
        held |= {row[0] for row in connection.execute(f"SELECT {own} FROM {table} WHERE {where}", chosen.values)}
        cleared = ", ".join(f"{column} = NULL" for column in columns)
        connection.execute(f"UPDATE {table} SET {cleared} WHERE {where}", chosen.values)
    if held:
        note_traces(connection)
    return len(held)


def expired(now: datetime, keep_days: int) -> Selection:
    """Turns asked more than ``keep_days`` days ago."""
    return select(before=now - timedelta(days=keep_days))


def note_traces(connection: sqlite3.Connection) -> None:
    """Remember that removed words may still stand in the file, so that a crash before ``scrub`` does not forget it."""
    connection.execute("UPDATE cleaning SET traces = 1")


def scrub(connection: sqlite3.Connection) -> bool:
    """Rebuild the file and empty its log, so that nothing removed can be read from the bytes.

    False when another connection still reads an older state: its traces stay until the next attempt.  Outside any
    transaction.  Raises sqlite3.Error when the file is busy for too long or the disk is full.
    """
    if not connection.execute("SELECT traces FROM cleaning").fetchone()[0]:
        return True
    connection.execute("VACUUM")
    if not _emptied(connection):
        return False
    connection.execute("UPDATE cleaning SET traces = 0")
    return True


def _emptied(connection: sqlite3.Connection) -> bool:
    busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy
