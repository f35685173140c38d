"""JSON and JSONL files written as a stream, with the best-filled rows first.

`datasets` and pyarrow take a column's type from the first block of a file (10 MB).  A column that is null or [] all
through that block would get no type, and the first row with a value would break the load.  So the few rows that
between them fill every column are written before the rest: same rows, each once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TextIO


def write_lines(file: TextIO, rows: Callable[[], Iterable[dict]]) -> int:
    """One JSON object a line; returns how many.  ``rows`` is called twice and must give the same rows each time."""
    written = 0
    for row in typed_first(rows):
        file.write(json.dumps(row, ensure_ascii=False) + "\n")
        written += 1
    return written


def write_list(file: TextIO, rows: Callable[[], Iterable[dict]], reorder: bool = True) -> int:
    """One JSON list, an object at a time; returns how many."""
    written = 0
    for row in typed_first(rows) if reorder else rows():
        body = json.dumps(row, ensure_ascii=False, indent=2).replace("\n", "\n  ")
        file.write(f"{',' if written else '['}\n  {body}")
        written += 1
    file.write("\n]\n" if written else "[]\n")
    return written


def typed_first(rows: Callable[[], Iterable[dict]]) -> Iterator[dict]:
    """All rows once; those that are the first to fill some field (at most one per field, kept in memory) come first."""
    filled: set[tuple] = set()
    leading: dict[int, dict] = {}
    for number, row in enumerate(rows()):
        fresh = set(_filled(row, ())) - filled
        if fresh:
            filled |= fresh
            leading[number] = row
    yield from leading.values()
    yield from (row for number, row in enumerate(rows()) if number not in leading)


def _filled(value: Any, path: tuple) -> Iterator[tuple]:
    """Paths of ``value`` that hold something a type can be read from."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _filled(inner, (*path, name))
    elif isinstance(value, list):
        for inner in value:
            yield from _filled(inner, (*path, 0))
    elif value is not None:
        yield path
