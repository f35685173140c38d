"""A file of questions in, a file of answers out; what is already answered survives whatever happens next."""

from __future__ import annotations

import json
import os
from pathlib import Path

from serve.errors import Code, ServeError
from serve.prompt import clean_question


def read_questions(path: Path) -> list[str]:
    """Questions of a text file (one per line) or of JSONL rows with ``question``.  Raises ServeError(USAGE)."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as exc:
        raise _bad(path, "UTF-8이 아닙니다", "편집기에서 UTF-8로 다시 저장하세요.") from exc
    except OSError as exc:
        raise _bad(path, exc.strerror or str(exc), "경로를 확인하세요.") from exc
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    if not lines:
        raise _bad(path, "질문이 없습니다", "한 줄에 질문 하나를 적으세요.")
    rows = path.suffix == ".jsonl" or lines[0][1].startswith("{")
    return [_question_of(path, number, line) if rows else clean_question(line) for number, line in lines]


def write_answers(path: Path, records: list[dict]) -> None:
    """Replace ``path`` by all records at once (JSON list, or one object per line for .jsonl).  Raises ServeError(USAGE)."""
    if path.suffix == ".jsonl":
        text = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    else:
        text = json.dumps(records, ensure_ascii=False, indent=2) + "\n"
    partial = path.with_name(path.name + ".part")
    try:
        partial.write_text(text, encoding="utf-8")
        os.replace(partial, path)
    except OSError as exc:
        raise ServeError(
            Code.USAGE, f"답을 적을 수 없습니다: {path} ({exc.strerror})", "폴더가 있는지, 쓸 수 있는지 확인하세요."
        ) from exc


def _question_of(path: Path, number: int, line: str) -> str:
    try:
        row = json.loads(line)
    except ValueError as exc:
        raise _bad(path, f"{number}번째 줄이 JSON이 아닙니다: {exc}", "한 줄에 JSON 객체 하나를 적으세요.") from exc
    question = row.get("question") if isinstance(row, dict) else None
    if not isinstance(question, str) or not question.strip():
        raise _bad(path, f"{number}번째 줄에 question이 없습니다", '{"question": "…"}처럼 적으세요.')
    return clean_question(question)


def _bad(path: Path, why: str, hint: str) -> ServeError:
    return ServeError(Code.USAGE, f"질문 파일을 읽을 수 없습니다: {path} ({why})", hint)
