"""The tables of the response store, as ordered migrations: what once was released is never edited, only added to."""

from __future__ import annotations

APPLICATION_ID = 0x534C4D46  # "SLMF", in the header of the file

_RESPONSES = """
CREATE TABLE responses (
    key TEXT NOT NULL PRIMARY KEY,
    teacher TEXT NOT NULL,
    model TEXT NOT NULL,
    task TEXT NOT NULL,
    document_id TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('ok', 'length', 'refusal', 'empty', 'malformed', 'filtered')),
    reason TEXT NOT NULL,
    text TEXT NOT NULL,
    reasoning TEXT NOT NULL,
    finish_reason TEXT NOT NULL,
    response_id TEXT NOT NULL,
    input_tokens INTEGER NOT NULL,
    cached_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    reasoning_tokens INTEGER NOT NULL,
    usd REAL,
    seconds REAL NOT NULL,
    via TEXT NOT NULL CHECK (via IN ('live', 'batch')),
    received TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT
"""

# INSERT OR REPLACE deletes without the delete trigger, so a key that is taken is refused at the door.
_APPEND_ONLY = tuple(
    f"CREATE TRIGGER responses_{name} BEFORE {event} ON responses BEGIN "
    f"SELECT RAISE(ABORT, 'responses are append-only') {condition}; END"
    for name, event, condition in (
        ("no_update", "UPDATE", ""),
        ("no_delete", "DELETE", ""),
        ("no_replace", "INSERT", "WHERE EXISTS (SELECT 1 FROM responses WHERE key = NEW.key)"),
    )
)

_FAILURES = """
CREATE TABLE failures (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    teacher TEXT NOT NULL,
    task TEXT NOT NULL,
    document_id TEXT NOT NULL,
    reason TEXT NOT NULL,
    at TEXT NOT NULL
) STRICT
"""

_BATCHES = """
CREATE TABLE batches (
    id TEXT NOT NULL PRIMARY KEY,
    endpoint TEXT NOT NULL,
    teacher TEXT NOT NULL,
    remote TEXT NOT NULL,
    status TEXT NOT NULL,
    submitted TEXT NOT NULL
) STRICT
"""

_BATCH_REQUESTS = """
CREATE TABLE batch_requests (
    key TEXT NOT NULL,
    batch_id TEXT NOT NULL REFERENCES batches (id),
    teacher TEXT NOT NULL,
    task TEXT NOT NULL,
    document_id TEXT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (key, batch_id)
) STRICT
"""

MIGRATIONS = ((_RESPONSES, *_APPEND_ONLY, _FAILURES, _BATCHES, _BATCH_REQUESTS),)
