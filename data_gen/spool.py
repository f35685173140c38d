"""Where judged rows wait, on disk, until all are there: they arrive in any order and leave in the order of the documents."""

from __future__ import annotations

import pickle
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class Spool:
    """A temporary table of this process alone, keyed by ordinal; what is kept are our own values, so pickle is safe."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        # Nothing here outlives the build: speed over safety.
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.execute("CREATE TABLE judged (ordinal INTEGER PRIMARY KEY, payload BLOB NOT NULL)")

    def put(self, ordinal: int, payload: Any) -> None:
        """Keep ``payload`` under ``ordinal``; an ordinal is used once."""
        self._db.execute("INSERT INTO judged VALUES (?, ?)", (ordinal, pickle.dumps(payload, pickle.HIGHEST_PROTOCOL)))

    def in_order(self) -> Iterator[Any]:
        """Every payload, by ordinal, one at a time."""
        for (payload,) in self._db.execute("SELECT payload FROM judged ORDER BY ordinal"):
            yield pickle.loads(payload)

    def __len__(self) -> int:
        return self._db.execute("SELECT count(*) FROM judged").fetchone()[0]

    def close(self) -> None:
        self._db.close()
