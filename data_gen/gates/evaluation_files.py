"""Every text of the evaluation files a user names: txt, md, json, jsonl, csv, tsv, parquet, or folders of these.

Any string of any field counts, whatever the field is called: a test has its question, choices and answer wherever it likes.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from data_gen.errors import BadInput

KINDS = (".txt", ".md", ".json", ".jsonl", ".csv", ".tsv", ".parquet")


def evaluation_files(paths: Sequence[Path]) -> list[tuple[str, Path]]:
    """(name to tell it by, file) of each file under ``paths``.  Raises BadInput when one is missing or holds none."""
    found: list[tuple[str, Path]] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(file for file in path.rglob("*") if file.is_file() and file.suffix.lower() in KINDS)
            if not inside:
                raise BadInput(
                    f"평가 자료 폴더에 읽을 파일이 없습니다: {path}\n  쓸 수 있는 형식: {', '.join(KINDS)} (no readable file)"
                )
            found += [(file.relative_to(path).as_posix(), file) for file in inside]
        elif not path.is_file():
            raise BadInput(f"평가 자료가 없습니다: {path}\n  gates.decontaminate의 경로를 확인하세요. No such file.")
        elif path.suffix.lower() not in KINDS:
            raise BadInput(f"평가 자료의 형식을 모릅니다: {path}\n  쓸 수 있는 형식: {', '.join(KINDS)}")
        else:
            found.append((path.name, path))
    return found


def texts_of_file(path: Path) -> Iterator[str]:
    """Every non-blank text.  Raises BadInput naming the file (and line), never repeating what it says."""
    reader = {".json": _json, ".jsonl": _jsonl, ".csv": _table, ".tsv": _table, ".parquet": _parquet}
    try:
        for text in reader.get(path.suffix.lower(), _lines)(path):
            if text.strip():
                yield text
    except UnicodeDecodeError as exc:
        raise BadInput(f"UTF-8로 읽을 수 없는 평가 자료입니다: {path}\n  UTF-8로 저장하세요. ({exc.reason})") from exc
    except (json.JSONDecodeError, csv.Error) as exc:
        where = f" {exc.lineno}번째 줄" if isinstance(exc, json.JSONDecodeError) else ""
        raise BadInput(
            f"평가 자료를 읽을 수 없습니다: {path}{where}\n  {path.suffix} 형식이 맞는지 확인하세요."
        ) from exc


def _lines(path: Path) -> Iterator[str]:
    """A paragraph is a text: a question may run over several lines."""
    paragraph: list[str] = []
    with path.open(encoding="utf-8-sig") as lines:
        for line in lines:
            if line.strip():
                paragraph.append(line)
            else:
                yield " ".join(paragraph)
                paragraph = []
    yield " ".join(paragraph)


def _json(path: Path) -> Iterator[str]:
    yield from _strings(json.loads(path.read_text(encoding="utf-8-sig")))


def _jsonl(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                try:
                    value = json.loads(line)
                except json.JSONDecodeError as exc:
                    raise BadInput(f"JSON이 아닌 줄이 있습니다: {path}:{number}") from exc
                yield from _strings(value)


def _table(path: Path) -> Iterator[str]:
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    with path.open(encoding="utf-8-sig", newline="") as lines:
        for row in csv.reader(lines, delimiter="\t" if path.suffix.lower() == ".tsv" else ","):
            yield from row


def _parquet(path: Path) -> Iterator[str]:
    import pyarrow
    import pyarrow.parquet

    try:
        for batch in pyarrow.parquet.ParquetFile(path).iter_batches(batch_size=1000):
            yield from _strings(batch.to_pylist())
    except pyarrow.ArrowException as exc:
        raise BadInput(f"parquet으로 읽을 수 없는 평가 자료입니다: {path}\n  파일이 온전한지 확인하세요.") from exc


def _strings(value: object) -> Iterator[str]:
    """Strings inside nested lists and objects; keys are names of fields, not texts."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _strings(inner)
