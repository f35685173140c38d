"""The corpus folder: documents.jsonl, one Document a line, and report.json.  Streams both ways in bounded memory."""

from __future__ import annotations

import datetime
import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, model_validator

from data_gen.collect.tallies import CHANGED, DROPPED, KEPT, NOTED, READ, grouped, lost
from data_gen.documents import Document, Part
from data_gen.errors import BadInput, DataGenError
from taxlaw.strict_config import StrictModel

DOCUMENTS, REPORT = "documents.jsonl", "report.json"
_FAULTS_SHOWN = 20


class _PartLine(StrictModel):
    name: str = Field(min_length=1)
    start: int = Field(ge=0)
    end: int


class _Line(StrictModel):
    id: str = Field(min_length=1)
    kind: Literal["openapi", "judgment", "practical", "web", "question", "topic"]
    title: str
    text: str = Field(min_length=1)
    as_of: datetime.date
    area: str
    version: str = Field(min_length=1)
    family: str = Field(min_length=1)
    articles: tuple[str, ...] = ()
    fault: str = ""
    parts: tuple[_PartLine, ...] = ()
    notes: tuple[str, ...] = ()
    meta: tuple[tuple[str, str], ...] = ()

    @model_validator(mode="after")
    def _parts_lie_in_the_text(self) -> _Line:
        for part in self.parts:
            if not part.start <= part.end <= len(self.text):
                raise ValueError(f"parts: '{part.name}' {part.start}~{part.end}이(가) 글({len(self.text)}자) 밖입니다")
        return self


def write_corpus(
    folder: Path,
    documents: Iterable[Document],
    tallies: Mapping[str, Counter],
    record: Mapping[str, object],
) -> dict:
    """Write the corpus whole or not at all; returns the report.

    ``tallies``: source -> its Counter (tallies.py), filled while ``documents`` is drawn.  ``record``: what else the report
    states (name, as_of, settings of the sources).  Raises DataGenError when no document is left; the old corpus stays.
    """
    folder.mkdir(parents=True, exist_ok=True)
    half = folder / f"{DOCUMENTS}.part"
    try:
        counts = _write_lines(half, documents)
        if not counts["documents"]:
            raise DataGenError(f"문서가 하나도 남지 않았습니다 (no document left).{_reasons(tallies)}")
    except BaseException:
        half.unlink(missing_ok=True)
        raise
    sources = [_source_record(name, tally) for name, tally in tallies.items()]
    report = {**record, **counts, "sources": sources}
    words = json.dumps(report, ensure_ascii=False, indent=2) + "\n"
    (folder / f"{REPORT}.part").write_text(words, encoding="utf-8")
    os.replace(half, folder / DOCUMENTS)
    os.replace(folder / f"{REPORT}.part", folder / REPORT)
    return report


def _write_lines(path: Path, documents: Iterable[Document]) -> dict:
    kinds, areas, faults, digest = Counter(), Counter(), Counter(), hashlib.sha256()
    with path.open("wb") as file:
        for document in documents:
            line = to_line(document)
            file.write(line)
            digest.update(line)
            kinds[document.kind] += 1
            areas[document.area] += 1
            if document.fault:
                faults[document.fault] += 1
        file.flush()
        os.fsync(file.fileno())
    return {
        "documents": kinds.total(),
        "faulted": faults.total(),
        "faults": dict(faults.most_common(_FAULTS_SHOWN)),
        "by_kind": dict(kinds.most_common()),
        "by_area": dict(areas.most_common()),
        "sha256": digest.hexdigest(),
    }


def read_corpus(folder: Path) -> Iterator[Document]:
    """The documents of a corpus in their order, one in memory at a time.  Raises BadInput naming file:line."""
    path = folder / DOCUMENTS
    if not path.is_file():
        raise BadInput(
            f"말뭉치 폴더가 아닙니다: {folder} ({DOCUMENTS} 없음)\n"
            "  먼저 python -m data_gen collect 로 만드세요 (not a corpus folder)."
        )
    with path.open("rb") as lines:
        for number, raw in enumerate(lines, 1):
            yield _document(raw, f"{path}:{number}")


def to_line(document: Document) -> bytes:
    """One line of documents.jsonl, line end included.  Raises DataGenError for a document that could not be read back."""
    values = asdict(document) | {"as_of": document.as_of.isoformat()}
    try:
        _Line.model_validate(values)
    except ValidationError as exc:
        raise DataGenError(f"문서를 말뭉치에 쓸 수 없습니다: {document.id}\n  {_first(exc)}") from exc
    try:
        return json.dumps(values, ensure_ascii=False).encode("utf-8") + b"\n"
    except UnicodeEncodeError as exc:
        raise DataGenError(f"글에 UTF-8로 쓸 수 없는 문자가 있습니다: {document.id}, {exc.start}번째 글자") from exc


def _document(raw: bytes, where: str) -> Document:
    try:
        line = _Line.model_validate_json(raw)
    except ValidationError as exc:
        raise BadInput(
            f"말뭉치의 줄을 읽을 수 없습니다: {where}\n  {_first(exc)}\n"
            "  python -m data_gen collect 로 다시 만들거나 그 줄을 고치세요."
        ) from exc
    values = {name: getattr(line, name) for name in _Line.model_fields}
    return Document(**(values | {"parts": tuple(Part(part.name, part.start, part.end) for part in line.parts)}))


def _first(exc: ValidationError) -> str:
    error = exc.errors()[0]
    return f"{'.'.join(map(str, error['loc'])) or '줄'}: {error['msg']}"


def _source_record(name: str, tally: Counter) -> dict:
    return {
        "source": name,
        "read": tally[READ],
        "kept": tally[KEPT],
        "dropped": grouped(tally, DROPPED),
        "changed": grouped(tally, CHANGED),
        "noted": grouped(tally, NOTED),
        "unaccounted": lost(tally),
    }


def _reasons(tallies: Mapping[str, Counter]) -> str:
    lines = []
    for name, tally in tallies.items():
        drops = ", ".join(f"{reason} {count:,}" for reason, count in grouped(tally, DROPPED).items())
        notes = ", ".join(f"{what} {count:,}" for what, count in grouped(tally, NOTED).items())
        lines.append(f"\n  {name}: 읽음 {tally[READ]:,}" + "".join(f", {words}" for words in (drops, notes) if words))
    return "".join(lines)
