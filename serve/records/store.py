"""The records: sessions, turns, answers, votes and the answer cache.  Safe from many threads and beside other processes.

A trouble with the file (full disk, read-only, held by another program) never costs an answer: it is said once, kept in
``Records.problem`` for the footer, and the call returns as if nothing were kept.
"""

from __future__ import annotations

import sqlite3
import sys
import threading
import uuid
from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Literal, TypeVar

from serve.answer import Answer
from serve.backends.protocol import BackendInfo, GenParams, Message
from serve.errors import ServeError
from serve.records import retention
from serve.records.cache import AnswerCache, CachedAnswer
from serve.records.database import BUSY_SECONDS, explained, open_database, set_patience, transaction
from serve.records.moments import now_utc, stamp
from serve.records.rows import failure_of, figures_of, words_of
from serve.settings import RecordsConfig

Choice = Literal["left", "right", "tie", "both_bad"]
T = TypeVar("T")
DAY_SECONDS = 86_400.0
IMPATIENT_SECONDS = 0.1


def open_records(config: RecordsConfig, say: Callable[[str], None] | None = None, *, command: bool = False) -> Records:
    """The records of this configuration; expired texts are removed now and once a day.

    ``say`` gets each trouble once (default: a line on stderr).  A file that cannot be opened is such a trouble and nothing
    is kept; for a ``command`` about the records it is an error instead.  Raises ServeError (``command`` only).
    """
    say = say or _on_stderr
    cache = AnswerCache(config.cache_entries)
    if config.path is None:
        return Records(None, cache, say)
    path = config.path.expanduser()
    try:
        connection = open_database(path)
    except ServeError as exc:
        if command:
            raise
        records = Records(None, cache, say)
        records.trouble(f"{exc.message} 이번에는 아무것도 기록하지 않습니다.")
        return records
    records = Records(connection, cache, say, path=path, keep_days=config.keep_days)
    if not command:
        records.start_sweeping()
    return records


def _on_stderr(message: str) -> None:
    print(message, file=sys.stderr)


class Records:
    """Use ``open_records``.  ``problem``: the last trouble with the file in Korean, None once a write went through."""

    def __init__(
        self,
        connection: sqlite3.Connection | None,
        cache: AnswerCache,
        say: Callable[[str], None],
        *,
        path: Path | None = None,
        keep_days: int | None = None,
        now: Callable[[], datetime] = now_utc,
    ) -> None:
        self.path = path
        self.problem: str | None = None
        self._connection = connection
        self._cache = cache
        self._say = say
        self._keep_days = keep_days
        self._now = now
        self._lock = threading.RLock()
        self._said: set[str] = set()
        self._closing = threading.Event()

    @property
    def keeping(self) -> bool:
        """Whether anything is written to disk at all."""
        return self._connection is not None

    def new_session(self, interface: str, keep_text: bool = False) -> str:
        """Id of a new session of ``page``, ``terminal``, ``http`` or ``batch``; ``keep_text`` is the person's consent."""
        session = uuid.uuid4().hex
        self._insert("sessions", id=session, interface=interface, keep_text=int(keep_text))
        return session

    def set_keep_text(self, session: str, keep_text: bool) -> None:
        """Give or withdraw consent.  Withdrawn, what was kept of the session's words is removed; its figures stay."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("UPDATE sessions SET keep_text = ? WHERE id = ?", (int(keep_text), session))
            if not keep_text:
                retention.empty_texts(connection, retention.select(session=session))

        self._write(work)
        if not keep_text:
            self._attempt(retention.scrub)

    def new_turn(self, session: str, question: str, as_of: date) -> str:
        """Id of one question, which the answers of all panes share.  Of a session that was forgotten nothing is kept."""
        turn = uuid.uuid4().hex

        def work(connection: sqlite3.Connection) -> None:
            consent = _consent(connection, "SELECT keep_text FROM sessions WHERE id = ?", session)
            if consent is not None:
                text = question if consent else None
                self._add(connection, "turns", id=turn, session=session, as_of=as_of.isoformat(), question=text)

        self._write(work)
        return turn

    def keep(
        self,
        turn: str | None,
        answer: Answer,
        info: BackendInfo,
        params: GenParams,
        *,
        messages: Sequence[Message] = (),
        cache_key: str | None = None,
    ) -> str | None:
        """Keep a finished answer; returns its id, None when nothing was kept.

        ``messages``: the prompt as it was sent.  ``cache_key``: of serve.records.cache, None when the answer may not be
        given again; with it the text goes to memory, and to disk when the session consented.
        """
        if cache_key is not None and answer.stats.finish in ("stop", "length"):
            stats = answer.stats
            text = answer.completion.raw
            self._cache.put(cache_key, CachedAnswer(text, stats.new_tokens, stats.prompt_tokens, stats.finish))
        else:
            cache_key = None
        return self._keep_row(turn, figures_of(answer, info, params), lambda: words_of(answer, messages, cache_key))

    def keep_failure(
        self,
        turn: str | None,
        side: str,
        source: str,
        code: str,
        info: BackendInfo | None = None,
        params: GenParams | None = None,
    ) -> str | None:
        """Keep that a pane got no answer, with the code of its ServeError; returns the record's id or None."""
        return self._keep_row(turn, failure_of(side, source, code, info, params), dict)

    def vote(
        self,
        turn: str,
        choice: Choice,
        reason: str = "",
        left: str = "student",
        right: str = "teacher",
        blind: bool = False,
    ) -> bool:
        """Keep which answer was better; a later vote on the turn replaces it.  ``left``, ``right``: the sides shown there.

        False when it could not be kept.
        """

        def work(connection: sqlite3.Connection) -> bool:
            consent = _consent(connection, _CONSENT_OF_TURN, turn)
            if consent is None:
                return False
            connection.execute("DELETE FROM votes WHERE turn = ?", (turn,))
            # An answer that was stopped for a retry may end, and be kept, after the one that was asked for in its place.
            shown = {
                f"{place}_answer": (
                    connection.execute(
                        "SELECT id FROM answers WHERE turn = ? AND side = ? ORDER BY error IS 'stopped', seq DESC LIMIT 1",
                        (turn, side),
                    ).fetchone()
                    or (None,)
                )[0]
                for place, side in (("left", left), ("right", right))
            }
            sides = {"left_side": left, "right_side": right, "blind": int(blind)}
            text = reason.strip() if consent and reason.strip() else None
            self._add(connection, "votes", id=uuid.uuid4().hex, turn=turn, choice=choice, reason=text, **sides, **shown)
            return True

        return bool(self._write(work))

    def cached(self, key: str | None) -> CachedAnswer | None:
        """The stored text for exactly this key, from memory or from the answers of consenting sessions."""
        if key is None:
            return None
        found = self._cache.get(key)
        if found is None:
            found = self._attempt(lambda connection: _stored(connection, key))
            if found is not None:
                self._cache.put(key, found)
        return found

    def forget(self, chosen: retention.Selection) -> retention.Removed:
        """Delete sessions, turns, answers and votes for good.  Raises sqlite3.Error: a promise to delete must not fail quietly."""
        self._cache.clear()
        if self._connection is None:
            return retention.Removed()
        with self._lock:
            with transaction(self._connection) as connection:
                removed = retention.delete(connection, chosen)
            gone = retention.scrub(self._connection)
        return retention.Removed(removed.sessions, removed.turns, removed.answers, removed.votes, gone)

    def would_forget(self, chosen: retention.Selection) -> retention.Removed:
        """The counts that ``forget`` would remove."""
        if self._connection is None:
            return retention.Removed()
        with self._lock:
            return retention.count(self._connection, chosen)

    def expire(self) -> int:
        """Remove the words of turns older than the retention, here and now; returns of how many turns."""
        if self._keep_days is None or self._connection is None:
            return 0
        chosen = retention.expired(self._now(), self._keep_days)
        emptied = self._write(lambda connection: retention.empty_texts(connection, chosen)) or 0
        if emptied:
            self._cache.clear()
        self._attempt(retention.scrub)
        return emptied

    def start_sweeping(self, every_seconds: float = DAY_SECONDS) -> None:
        """Remove expired words now, and again every day for as long as the process runs."""
        self.expire()
        if self._keep_days is not None and self._connection is not None:
            threading.Thread(target=self._sweep, args=(every_seconds,), name="records-sweep", daemon=True).start()

    def _sweep(self, every_seconds: float) -> None:
        while not self._closing.wait(every_seconds):
            self.expire()

    def trouble(self, message: str) -> None:
        """Keep ``message`` for the footer and say it, once."""
        self.problem = message
        if message not in self._said:
            self._said.add(message)
            self._say(message)

    def close(self) -> None:
        """Put the log into the file and close it; later calls keep nothing."""
        self._closing.set()
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _insert(self, table: str, **row: object) -> None:
        self._write(lambda connection: self._add(connection, table, **row))

    def _add(self, connection: sqlite3.Connection, table: str, **row: object) -> None:
        row["at"] = stamp(self._now())
        places = ", ".join("?" * len(row))
        connection.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", tuple(row.values()))

    def _keep_row(self, turn: str | None, figures: dict, words: Callable[[], dict]) -> str | None:
        if turn is None:
            return None
        answer = uuid.uuid4().hex

        def work(connection: sqlite3.Connection) -> str | None:
            consent = _consent(connection, _CONSENT_OF_TURN, turn)
            if consent is None:
                return None
            self._add(connection, "answers", id=answer, turn=turn, **figures, **(words() if consent else {}))
            return answer

        return self._write(work)

    def _write(self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        """``work`` in one transaction; None, with the trouble said, when the file does not take it."""

        def whole(connection: sqlite3.Connection) -> T:
            changes = connection.total_changes
            with transaction(connection):
                done = work(connection)
            # An answer whose turn could not be kept changes nothing, and so proves nothing.
            if self.problem is not None and connection.total_changes > changes:
                set_patience(connection, BUSY_SECONDS)
                self.problem = None
            return done

        return self._attempt(whole)

    def _attempt(self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        with self._lock:
            if self._connection is None:
                return None
            try:
                return work(self._connection)
            except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
                raise  # a mistake in this program, not trouble with the file
            except sqlite3.Error as exc:
                # Fifty askers must not wait one after the other for a file that another program holds.
                set_patience(self._connection, IMPATIENT_SECONDS)
                self.trouble(explained(exc, self.path))
                return None


# Consent given after a question was asked does not reach back to it: its answer is not kept either.
_CONSENT_OF_TURN = (
    "SELECT keep_text AND question IS NOT NULL FROM turns JOIN sessions ON sessions.id = session WHERE turns.id = ?"
)


def _consent(connection: sqlite3.Connection, query: str, key: str) -> bool | None:
    """Whether the person consented; None when the session or turn is not, or no longer, in the records."""
    row = connection.execute(query, (key,)).fetchone()
    return None if row is None else bool(row[0])


def _stored(connection: sqlite3.Connection, key: str) -> CachedAnswer | None:
    row = connection.execute(
        "SELECT text, new_tokens, prompt_tokens, finish FROM answers"
        " WHERE cache_key = ? AND text IS NOT NULL ORDER BY seq LIMIT 1",
        (key,),
    ).fetchone()
    return None if row is None else CachedAnswer(*row)
