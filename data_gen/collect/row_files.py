"""Rows of a file, one at a time: a JSON list, JSONL, or either packed with gzip, in memory that does not grow with the file.

Knows files and their faults; knows nothing of what a row means.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import IO, TypeVar

from pydantic import BaseModel, ValidationError

from data_gen.errors import BadInput

JSON_SUFFIXES = (".json", ".jsonl", ".json.gz", ".jsonl.gz")
M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")
_DAY = re.compile(
    r"(?:(\d{4})(\d{2})(\d{2})|(\d{4})\s?[-./년]\s?(\d{1,2})\s?[-./월]\s?(\d{1,2})\s?[.일]?)(?:(?:T|\s+)\d{1,2}:\d{2}.*)?"
)
_BOM = b"\xef\xbb\xbf"
# One object outside a list is read whole; a response of a site is far smaller.
_LARGEST_OBJECT = 64 * 1024 * 1024


def data_files(path: Path, suffixes: tuple[str, ...]) -> list[Path]:
    """The file itself, or every file under the folder with one of the suffixes, sorted by name.

    Raises BadInput when there is none.  Hidden files, Excel's lock files and readme files are passed over in a folder.
    """
    kinds = " ".join(suffixes)
    if path.is_dir():
        files = [file for file in path.rglob("*") if file.is_file() and file.name.lower().endswith(suffixes)]
        files = [file for file in files if not file.name.startswith((".", "~$")) and not _is_readme(file)]
        if not files:
            raise BadInput(f"읽을 파일이 폴더에 없습니다: {path}\n  읽는 형식: {kinds} (no such file in the folder)")
        return sorted(files)
    if not path.is_file():
        raise BadInput(f"파일이나 폴더가 없습니다 (no such file or folder): {path}\n  sources의 path를 확인하세요.")
    if not path.name.lower().endswith(suffixes):
        raise BadInput(f"읽을 수 없는 형식입니다 (unknown kind of file): {path}\n  읽는 형식: {kinds}")
    return [path]


def is_json_list(path: Path) -> bool:
    """True when the file's first character opens a list; False for one object.  JSONL counts as a list of its lines."""
    if _is_lines(path):
        return True
    with _opened(path) as handle:
        head = _at_content(handle, path)
    return head == b"["


def read_rows(path: Path) -> Iterator[tuple[str, object]]:
    """(where, row) of a JSON list or of JSONL, as they are asked for: what lies behind the last row taken is not read.

    ``where`` is 'name.json 3번째' or 'name.jsonl 3행'.  Raises BadInput naming the place when the file is not in its form.
    """
    return _lines(path) if _is_lines(path) else _items(path)


def read_object(path: Path) -> object:
    """The whole of a small JSON file (one response of a site).  Raises BadInput, also when it is too large to hold."""
    with _opened(path) as handle:
        raw = _guarded(lambda: handle.read(_LARGEST_OBJECT + 1), path)
    if len(raw) > _LARGEST_OBJECT:
        raise BadInput(
            f"목록이 아닌 JSON이 너무 큽니다 ({_LARGEST_OBJECT // 1024**2}MB 초과): {path}\n"
            "  문서의 목록 [ … ] 또는 JSONL로 바꾸면 크기에 상관없이 읽습니다 (make it a list)."
        )
    try:
        return json.loads(raw)
    except (json.JSONDecodeError, UnicodeDecodeError) as exc:
        raise BadInput(f"JSON 형식이 잘못되었습니다: {path}\n  {exc}") from exc


def check_row(model: type[M], row: object, where: str, what: str) -> M:
    """``row`` as ``model``.  Raises BadInput naming ``where`` and every wrong key; ``what``: the Korean name of the row."""
    if not isinstance(row, dict):
        raise BadInput(f"{what}의 모양이 다릅니다: {where}\n  객체 {{…}}여야 하는데 {type(row).__name__}입니다.")
    try:
        return model.model_validate(row)
    except ValidationError as exc:
        problems = "\n  ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in exc.errors())
        known = ", ".join(field.alias or name for name, field in model.model_fields.items())
        raise BadInput(f"{what}의 모양이 다릅니다: {where}\n  {problems}\n  쓸 수 있는 열쇠(keys): {known}") from exc


def as_day(value: object) -> date:
    """A day as files write it: 2025-03-01, 20250301, 2025.3.1., with or without a time behind it.

    Raises ValueError (which a pydantic model reports as a wrong value) when it is none.
    """
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    text = str(value).strip()
    match = _DAY.fullmatch(text)
    if match is None:
        raise ValueError(f"날짜를 읽을 수 없습니다: {text!r} ('2025-03-01'처럼 적습니다)")
    return date(*(int(part) for part in match.groups() if part))


def _is_readme(file: Path) -> bool:
    return file.name.lower().startswith("readme")


def _is_lines(path: Path) -> bool:
    return path.name.lower().endswith((".jsonl", ".jsonl.gz"))


def _opened(path: Path) -> IO[bytes]:
    return gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb")


def _lines(path: Path) -> Iterator[tuple[str, object]]:
    with _opened(path) as handle:
        _guarded(lambda: _skip_mark(handle), path)
        number, line = 0, b""
        while line := _guarded(handle.readline, path):
            number += 1
            if not line.strip():
                continue
            try:
                yield f"{path.name} {number}행", json.loads(line)
            except (json.JSONDecodeError, UnicodeDecodeError) as exc:
                raise BadInput(f"JSON이 아닌 줄이 있습니다: {path} {number}행\n  {exc}") from exc


def _items(path: Path) -> Iterator[tuple[str, object]]:
    import ijson

    with _opened(path) as handle:
        if _at_content(handle, path) != b"[":
            raise BadInput(f"JSON 목록 [ … ]이어야 합니다: {path}\n  한 줄에 하나씩이면 파일 이름을 .jsonl로 바꾸세요.")
        # The values a site or a crawler writes are small numbers: floats are enough, and json.loads reads them so too.
        rows = ijson.items(_AfterList(handle), "item", use_float=True)
        number = 0
        while True:
            try:
                row = _guarded(lambda: next(rows, _END), path)
            except (ijson.JSONError, UnicodeDecodeError) as exc:
                raise BadInput(f"JSON 형식이 잘못되었습니다: {path}, {number}번째 다음\n  {exc}") from exc
            if row is _END:
                return
            number += 1
            yield f"{path.name} {number}번째", row


_END = object()


class _AfterList:
    """The stream with the '[' that was read to look at it put back; ijson asks for nothing but ``read``."""

    def __init__(self, handle: IO[bytes]) -> None:
        self._handle, self._first = handle, b"["

    def read(self, size: int = -1) -> bytes:
        if size == 0:
            return b""
        first, self._first = self._first, b""
        return first or self._handle.read(size)


def _at_content(handle: IO[bytes], path: Path) -> bytes:
    """The first character that is not white space or a byte order mark; the handle stands behind it."""

    def first() -> bytes:
        _skip_mark(handle)
        while (head := handle.read(1)) and head.isspace():
            pass
        return head

    return _guarded(first, path)


def _skip_mark(handle: IO[bytes]) -> None:
    if handle.read(len(_BOM)) != _BOM:
        handle.seek(0)


def _guarded(read: Callable[[], T], path: Path) -> T:
    """Run one read; a file that is not packed as its name says, or broken off, becomes BadInput."""
    try:
        return read()
    except (gzip.BadGzipFile, EOFError, zlib.error) as exc:
        raise BadInput(f"압축을 풀 수 없습니다: {path}\n  {exc} (not a whole gzip file)") from exc
