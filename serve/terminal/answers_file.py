"""The answers of a batch on disk: nothing that was written once is lost, whatever ends the program.

JSONL grows by whole lines, each flushed to the disk; a JSON list is replaced at once.  A line that a crash cut in half is
left out when the file is read again, and the question is asked anew.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from serve.errors import Code, ServeError


def key_of(question: str, repeat: int, settings: dict[str, Any]) -> str:
    """What an answer is kept under: the question, which of its repetitions in the file, and everything that made it."""
    text = json.dumps([question, repeat, settings], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


_BEGINNING = '{"key": "'


class AnswersFile:
    """The records at ``path`` by their key.  Raises ServeError(USAGE) for a file that is not one of ours."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lines = path.suffix == ".jsonl"
        self._records: dict[str, dict] = {}
        self._order: dict[str, int] = {}
        self.cut = False  # a crash left half a line, which is dropped
        if not path.parent.is_dir():
            raise self._unwritable(FileNotFoundError(errno.ENOENT, "폴더가 없습니다"))
        if path.exists():
            if not path.is_file():
                raise self._foreign("보통 파일이 아닙니다")
            self._read()

    def __len__(self) -> int:
        return len(self._records)

    def besides(self, keys: Collection[str]) -> list[dict]:
        """Records of other questions or settings than those of ``keys``."""
        return [record for key, record in self._records.items() if key not in keys]

    def answered(self, key: str) -> bool:
        """Whether a whole answer is there; one that failed counts as missing."""
        return key in self._records and not failed(self._records[key])

    def begin(self, order: Sequence[str]) -> None:
        """Make the file ready for the keys in ``order``: failures among them and half a line go; see that it can be written."""
        self._order = {key: place for place, key in enumerate(order)}
        for key in order:
            if not self.answered(key):
                self._records.pop(key, None)
        self._replace()

    def keep(self, record: dict) -> None:
        """Put one record on the disk before anything else happens."""
        self._records[record["key"]] = record
        if not self._lines:
            self._replace()
            return
        try:
            with self.path.open("ab") as stream:
                stream.write(_line(record))
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as exc:
            raise self._unwritable(exc) from exc

    def _replace(self) -> None:
        # As in the file of questions, whatever was asked again; what this run does not ask stands last.
        records = sorted(self._records.values(), key=lambda row: self._order.get(row["key"], len(self._order)))
        if self._lines:
            content = b"".join(map(_line, records))
        else:
            content = (json.dumps(records, ensure_ascii=False, indent=2) + "\n").encode()
        partial = self.path.with_name(self.path.name + ".part")
        try:
            with partial.open("wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(partial, self.path)
        except OSError as exc:
            raise self._unwritable(exc) from exc

    def _read(self) -> None:
        try:
            text = self.path.read_text(encoding="utf-8-sig", errors="strict" if not self._lines else "replace")
        except (OSError, UnicodeDecodeError) as exc:
            raise self._foreign(str(exc)) from exc
        for number, row in enumerate(self._rows(text), start=1):
            if not isinstance(row, dict) or not isinstance(row.get("key"), str) or "question" not in row:
                raise self._foreign(f"{number}번째 항목에 key와 question이 없습니다")
            self._records[row["key"]] = row

    def _rows(self, text: str) -> list[Any]:
        if not self._lines:
            try:
                rows = json.loads(text) if text.strip() else []
            except ValueError as exc:
                raise self._foreign(str(exc)) from exc
            if not isinstance(rows, list):
                raise self._foreign("목록이 아닙니다")
            return rows
        rows, lines = [], text.split("\n")
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                rows.append(json.loads(line))
            except ValueError as exc:
                # Only the very end can be a write that was cut; anything else is damage or another file.
                if number < len(lines) or not line.startswith(_BEGINNING[: len(line)]):
                    raise self._foreign(f"{number}번째 줄이 JSON이 아닙니다") from exc
                self.cut = True
        return rows

    def _foreign(self, why: str) -> ServeError:
        return ServeError(
            Code.USAGE,
            f"답 파일이 이미 있는데 이어 쓸 수 없습니다: {self.path} ({why})",
            "다른 --output_file을 주거나 그 파일을 옮기세요. 남의 파일은 덮어쓰지 않습니다.",
        )

    def _unwritable(self, exc: OSError) -> ServeError:
        return ServeError(
            Code.USAGE,
            f"답을 적을 수 없습니다: {self.path} ({exc.strerror})",
            "폴더가 있는지, 쓸 수 있는지, 자리가 남았는지 확인하세요.",
        )


def failed(record: dict) -> bool:
    """Whether a side of this record has an error instead of an answer."""
    return any(isinstance(record.get(side), dict) and "error" in record[side] for side in ("student", "teacher"))


def _line(record: dict) -> bytes:
    return (json.dumps(record, ensure_ascii=False) + "\n").encode()
