"""The store: every response a teacher gave, written once and for good, under the hash of what was sent.

SQLite in WAL mode, one commit per response, so that a killed run loses only the calls in flight.  One process writes at a
time; any number may read.  Knows nothing of prices, prompts or what makes an answer good.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from data_gen.asking.values import Request, Stored, Usage
from data_gen.errors import BadInput, DataGenError
from data_gen.store_schema import APPLICATION_ID, MIGRATIONS
from data_gen.writer_lock import WriterLock

_COLUMNS = (
    "key, teacher, model, task, document_id, status, reason, text, reasoning, finish_reason, response_id,"
    " input_tokens, cached_tokens, output_tokens, reasoning_tokens, usd, seconds, via, received"
)
_KEEP = f"INSERT INTO responses ({_COLUMNS}, body) VALUES ({', '.join('?' * 20)})"
# What OpenAI's Batch API calls a batch that will not change any more.
BATCH_OVER = ("completed", "failed", "expired", "cancelled", "lost")


@dataclass(frozen=True)
class Total:
    """Sum over the stored responses of one teacher, model, status and way.  ``unpriced``: how many have no price."""

    teacher: str
    model: str
    status: str
    via: str
    responses: int
    usage: Usage
    usd: float
    unpriced: int


@dataclass(frozen=True)
class Batch:
    """A batch job.  ``id`` is ours, given before anything is sent; ``remote`` the endpoint's, empty until it answered."""

    id: str
    endpoint: str
    teacher: str
    remote: str
    status: str
    submitted: str


class Store:
    """``Store(path)`` creates the file when it is missing; ``read_only`` needs it and takes no lock.

    Raises DataGenError (another process is writing, a newer version), BadInput (not such a file, or missing).
    """

    def __init__(self, path: Path | str, read_only: bool = False) -> None:
        self.path = Path(path)
        self._lock: WriterLock | None = None
        if read_only and not self.path.is_file():
            raise BadInput(
                f"응답 저장소가 없습니다: {self.path}\n  아직 교사에게 물은 적이 없는 폴더입니다 (no such store)."
            )
        if not read_only:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = WriterLock(self.path.with_name(self.path.name + ".lock"))
        try:
            self._db = _open(self.path, read_only)
        except BaseException:
            self.close()
            raise
        self._open_batches = self._count_open_batches()

    def close(self) -> None:
        if database := getattr(self, "_db", None):
            database.close()
        if self._lock:
            self._lock.release()
            self._lock = None

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Responses

    def find(self, key: str) -> Stored | None:
        row = self._db.execute(f"SELECT {_COLUMNS} FROM responses WHERE key = ?", (key,)).fetchone()
        return _stored(row) if row else None

    def keep(self, request: Request, stored: Stored) -> bool:
        """Write a response; False when one is stored under its key already (that one stays).  Raises DataGenError."""
        if request.key != stored.key:
            raise ValueError(f"response {stored.key} does not belong to request {request.key}")
        used = stored.usage
        row = (
            *(stored.key, stored.teacher, stored.model, stored.task, stored.document_id, stored.status, stored.reason),
            *(stored.text, stored.reasoning, stored.finish_reason, stored.response_id),
            *(used.input, used.cached, used.output, used.reasoning),
            *(stored.usd, stored.seconds, stored.via, stored.received, canonical_json(request.body)),
        )
        try:
            self._write(_KEEP, row)
        except sqlite3.IntegrityError:
            if self.find(stored.key) is None:  # refused for another reason than that it is there
                raise
            return False
        return True

    def responses(self) -> Iterator[Stored]:
        """All of them, in the order they came."""
        for row in self._db.execute(f"SELECT {_COLUMNS} FROM responses ORDER BY rowid"):
            yield _stored(row)

    def body(self, key: str) -> dict | None:
        """The body whose response is stored under ``key``, as it was sent."""
        row = self._db.execute("SELECT body FROM responses WHERE key = ?", (key,)).fetchone()
        return json.loads(row[0]) if row else None

    def totals(self) -> tuple[Total, ...]:
        """Sums over everything stored, ordered by teacher, model, status, way."""
        rows = self._db.execute(
            "SELECT teacher, model, status, via, count(*), sum(input_tokens), sum(cached_tokens), sum(output_tokens),"
            " sum(reasoning_tokens), total(usd), count(*) - count(usd) FROM responses"
            " GROUP BY teacher, model, status, via ORDER BY teacher, model, status, via"
        )
        return tuple(Total(*row[:5], Usage(*row[5:9]), row[9], row[10]) for row in rows)

    # Transport failures

    def note(self, request: Request, reason: str) -> None:
        """Put on record that a request was sent and no response came."""
        self._write(
            "INSERT INTO failures (key, teacher, task, document_id, reason, at) VALUES (?, ?, ?, ?, ?, ?)",
            (request.key, request.teacher, request.task, request.document_id, reason, utc_now()),
        )

    def notes(self) -> dict[str, int]:
        """How many transport failures there were, by reason."""
        rows = self._db.execute("SELECT reason, count(*) FROM failures GROUP BY reason ORDER BY count(*) DESC, reason")
        return dict(rows.fetchall())

    # Batch jobs

    def add_batch(self, batch_id: str, endpoint: str, teacher: str, requests: Iterable[Request]) -> None:
        """Put a batch on record before it is sent (status ``new``), with its requests, in one commit."""
        rows = [(r.key, batch_id, r.teacher, r.task, r.document_id, canonical_json(r.body)) for r in requests]
        with self._transaction():
            self._write("INSERT INTO batches VALUES (?, ?, ?, '', 'new', ?)", (batch_id, endpoint, teacher, utc_now()))
            self._db.executemany("INSERT INTO batch_requests VALUES (?, ?, ?, ?, ?, ?)", rows)
        self._open_batches = self._count_open_batches()

    def set_batch(self, batch_id: str, status: str, remote: str | None = None) -> None:
        """Put on record how a batch stands (``BATCH_OVER`` ends it), and the endpoint's own id when it gave one."""
        self._write(
            "UPDATE batches SET status = ?, remote = coalesce(?, remote) WHERE id = ?", (status, remote, batch_id)
        )
        self._open_batches = self._count_open_batches()

    def batches(self, open_only: bool = False) -> tuple[Batch, ...]:
        """Oldest first."""
        rows = self._db.execute("SELECT id, endpoint, teacher, remote, status, submitted FROM batches ORDER BY rowid")
        found = [Batch(*row) for row in rows]
        return tuple(batch for batch in found if not (open_only and batch.status in BATCH_OVER))

    def batch_requests(self, batch_id: str) -> Iterator[Request]:
        rows = self._db.execute(
            "SELECT key, body, teacher, task, document_id FROM batch_requests WHERE batch_id = ? ORDER BY rowid",
            (batch_id,),
        )
        for key, body, *rest in rows:
            yield Request(key, json.loads(body), *rest)

    def batch_of(self, key: str) -> str | None:
        """Id of the unfinished batch that holds the request, if one does and no response is stored for it yet."""
        if not self._open_batches:
            return None
        row = self._db.execute(
            "SELECT b.id FROM batch_requests r JOIN batches b ON b.id = r.batch_id WHERE r.key = ?"
            f" AND b.status NOT IN ({', '.join('?' * len(BATCH_OVER))})"
            " AND NOT EXISTS (SELECT 1 FROM responses s WHERE s.key = r.key)",
            (key, *BATCH_OVER),
        ).fetchone()
        return row[0] if row else None

    def _count_open_batches(self) -> int:
        return len(self.batches(open_only=True))

    # Writing

    def _write(self, statement: str, values: tuple) -> None:
        try:
            self._db.execute(statement, values)
        except sqlite3.OperationalError as exc:  # disk full, file system gone, opened for reading
            raise DataGenError(
                f"응답 저장소에 쓰지 못했습니다: {self.path}\n  {exc}. 디스크와 권한을 확인하세요 (cannot write)."
            ) from exc

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


def canonical_json(value: object) -> str:
    """The one spelling of a JSON value that is hashed and stored: sorted keys, no spaces, Hangul as it is."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def utc_now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")


def _stored(row: tuple) -> Stored:
    return Stored(*row[:11], Usage(*row[11:15]), *row[15:])


def _open(path: Path, read_only: bool) -> sqlite3.Connection:
    where = path.resolve().as_uri() + ("?mode=ro" if read_only else "")
    # Autocommit: a statement is a transaction.  The caller's event loop and its panel may live in two threads.
    database = sqlite3.connect(where, uri=True, isolation_level=None, check_same_thread=False)
    try:
        _check(database, path)
        if not read_only:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = NORMAL")
            database.execute("PRAGMA wal_autocheckpoint = 4000")  # pages; the default would sync every few hundred rows
            _migrate(database)
    except sqlite3.OperationalError as exc:
        database.close()
        raise DataGenError(
            f"응답 저장소를 열지 못했습니다: {path}\n  {exc}. 디스크와 권한을 확인하세요 (cannot open)."
        ) from exc
    except sqlite3.DatabaseError as exc:
        database.close()
        raise BadInput(
            f"응답 저장소가 아닌 파일입니다: {path}\n  {exc}. 다른 경로를 주거나 그 파일을 옮기세요 (not a response store)."
        ) from exc
    except BaseException:
        database.close()
        raise
    return database


def _check(database: sqlite3.Connection, path: Path) -> None:
    """Nothing is written before the file is known to be ours, or empty."""
    (tables,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    (owner,) = database.execute("PRAGMA application_id").fetchone()
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if owner != APPLICATION_ID and (tables or owner or version):
        raise BadInput(
            f"다른 프로그램의 SQLite 파일입니다: {path}\n  다른 경로를 주거나 그 파일을 옮기세요 (not a response store)."
        )
    if version > len(MIGRATIONS):
        raise DataGenError(
            f"더 새로운 판이 쓴 응답 저장소입니다: {path} (형식 {version}, 이 판은 {len(MIGRATIONS)}까지)\n"
            "  프로그램을 올리거나 다른 저장소를 쓰세요 (store of a newer version)."
        )


def _migrate(database: sqlite3.Connection) -> None:
    (version,) = database.execute("PRAGMA user_version").fetchone()
    for number, statements in enumerate(MIGRATIONS[version:], version + 1):
        database.execute("BEGIN IMMEDIATE")
        try:
            for statement in statements:
                database.execute(statement)
            database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            database.execute(f"PRAGMA user_version = {number}")
        except BaseException:
            database.execute("ROLLBACK")
            raise
        database.execute("COMMIT")
