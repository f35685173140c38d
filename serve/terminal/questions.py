"""The questions of a file or of standard input: text, JSONL, CSV.

Files of Korean offices come as UTF-8 with and without a mark, as CP949 and as Excel's UTF-16; all four are read.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import sys
from dataclasses import dataclass
from pathlib import Path

from serve.errors import Code, ServeError
from serve.prompt import clean_question

COLUMNS = ("question", "질문")
_STDIN = Path("-")
_DELIMITERS = (",", "\t", ";")


@dataclass(frozen=True)
class Asked:
    """One question of a file.  ``id``: what the row calls itself, carried over to its answer."""

    text: str
    id: str | int | None = None


@dataclass(frozen=True)
class Questions:
    """``encoding`` as it was read; ``name`` for messages."""

    asked: tuple[Asked, ...]
    encoding: str
    name: str


def read_questions(path: Path) -> Questions:
    """Questions of a text file (one a line), of JSONL or CSV rows with ``question`` or ``질문``; ``-`` is standard input.

    Raises ServeError(USAGE) naming the file, the line and what to do.
    """
    name = "표준 입력" if path == _STDIN else str(path)
    try:
        raw = sys.stdin.buffer.read() if path == _STDIN else path.read_bytes()
    except OSError as exc:
        raise _bad(name, exc.strerror or str(exc), "경로를 확인하세요.") from exc
    text, encoding = _decoded(raw, name)
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    if not first:
        raise _bad(name, "질문이 없습니다", "한 줄에 질문 하나를 적으세요.")
    if path.suffix == ".jsonl" or first.startswith("{"):
        asked = _json_lines(text, name)
    elif path.suffix in (".csv", ".tsv") or _table_of(text) is not None:
        asked = _table_rows(text, name)
    elif path.suffix == ".json":
        raise _bad(name, "JSON 목록은 읽지 않습니다", '한 줄에 {"question": "…"} 하나씩 적은 .jsonl로 바꾸세요.')
    else:
        asked = [Asked(question) for line in text.splitlines() if (question := clean_question(line))]
    if not asked:
        raise _bad(name, "질문이 없습니다", "머리글 아래에 질문을 적으세요.")
    return Questions(tuple(asked), encoding, name)


def undecoded(text: str) -> bool:
    """Whether Python kept bytes in ``text`` that were no character of the encoding it came in."""
    return any("\udc80" <= character <= "\udcff" for character in text)


def _decoded(raw: bytes, name: str) -> tuple[str, str]:
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings = ("utf-16",)
    else:
        encodings = ("utf-8-sig", "cp949")
    for encoding in encodings:
        try:
            return raw.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    raise _bad(name, "UTF-8도 CP949도 아닙니다", "편집기에서 UTF-8로 다시 저장하세요.")


def _json_lines(text: str, name: str) -> list[Asked]:
    asked = []
    # Not splitlines(): JSON may hold U+2028 and its like inside a string.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as exc:
            raise _bad(name, f"{number}번째 줄이 JSON이 아닙니다: {exc}", "한 줄에 JSON 객체 하나를 적으세요.") from exc
        found = [row.get(column) for column in COLUMNS] if isinstance(row, dict) else []
        question = next((value for value in found if isinstance(value, str) and value.strip()), None)
        if question is None:
            raise _bad(name, f"{number}번째 줄에 question이 없습니다", '{"question": "…"}처럼 적으세요.')
        label = row.get("id")
        asked.append(Asked(clean_question(question), label if isinstance(label, str | int) else None))
    return asked


def _table_of(text: str) -> str | None:
    """The delimiter of a table whose first row names a column of questions; None for lines of text."""
    head = text.lstrip("\n\r").split("\n", 1)[0]
    for delimiter in _DELIMITERS:
        if delimiter in head and _columns(next(csv.reader([head], delimiter=delimiter)))[0] is not None:
            return delimiter
    return None


def _columns(head: list[str]) -> tuple[int | None, int | None]:
    """Where the questions and the ids stand; None where there is no such column."""
    names = [clean_question(cell).lower() for cell in head]
    question = next((names.index(column) for column in COLUMNS if column in names), None)
    return question, names.index("id") if "id" in names else None


def _table_rows(text: str, name: str) -> list[Asked]:
    rows = csv.reader(io.StringIO(text.lstrip("\n\r"), newline=""), delimiter=_table_of(text) or ",")
    try:
        head = next(rows)
        question_at, id_at = _columns(head)
        if question_at is None:
            raise _bad(
                name,
                f"question이나 질문이라는 열이 없습니다. 첫 줄: {', '.join(head)[:80]}",
                "첫 줄에 열 이름을 적으세요.",
            )
        asked = []
        for row in rows:
            question = clean_question(row[question_at]) if question_at < len(row) else ""
            if question:
                label = row[id_at].strip() if id_at is not None and id_at < len(row) else ""
                asked.append(Asked(question, label or None))
            elif any(cell.strip() for cell in row):
                raise _bad(name, f"{rows.line_num}번째 줄의 질문이 비어 있습니다", "그 줄을 채우거나 지우세요.")
        return asked
    except csv.Error as exc:
        raise _bad(name, f"{rows.line_num}번째 줄이 CSV가 아닙니다: {exc}", "따옴표의 짝을 확인하세요.") from exc


def _bad(name: str, why: str, hint: str) -> ServeError:
    return ServeError(Code.USAGE, f"질문 파일을 읽을 수 없습니다: {name} ({why})", hint)
