"""A corpus folder of ``data_gen collect`` (documents.jsonl, docs/contracts.md section 2) as articles and rulings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from taxlaw.errors import SourceError
from taxlaw.rulings import Ruling
from taxlaw.statutes import StatuteArticle
from taxlaw.strict_config import StrictModel

_HEAD = "머리"  # the part that repeats the title and the effective date


class _Part(StrictModel):
    name: str
    start: int = Field(ge=0)
    end: int = Field(ge=0)


class _Line(StrictModel):
    id: str = Field(min_length=1)
    kind: Literal["openapi", "judgment", "practical", "web", "question", "topic"]
    title: str
    text: str
    as_of: date
    area: str
    version: str
    family: str
    articles: tuple[str, ...] = ()
    fault: str = ""
    parts: tuple[_Part, ...] = ()
    notes: tuple[str, ...] = ()
    meta: tuple[tuple[str, str], ...] = ()


def read_corpus(file: Path) -> Iterator[StatuteArticle | Ruling]:
    """Its statutes and rulings in their order; what is neither law nor ruling (web pages, questions) is not evidence.

    Raises SourceError naming file and line.
    """
    try:
        with file.open("rb") as lines:
            for number, raw in enumerate(lines, start=1):
                if found := _read(raw, f"{file} {number}행"):
                    yield found
    except OSError as exc:
        raise SourceError(f"말뭉치를 읽을 수 없습니다: {file}\n  {exc}") from exc


def _read(raw: bytes, where: str) -> StatuteArticle | Ruling | None:
    try:
        line = _Line.model_validate_json(raw)
    except ValidationError as exc:
        first = exc.errors()[0]
        raise SourceError(
            f"말뭉치의 줄이 맞지 않습니다: {where}\n  {'.'.join(map(str, first['loc']))}: {first['msg']}\n"
            "  python -m data_gen collect 로 다시 만드세요."
        ) from exc
    meta = dict(line.meta)
    if line.kind == "openapi" and {"law", "article", "effective"} <= meta.keys():
        return StatuteArticle(
            law=meta["law"],
            article=meta["article"],
            heading=line.title.partition("(")[2].removesuffix(")"),
            text=line.text[next((part.end for part in line.parts if part.name == _HEAD), 0) :],
            effective=_day(meta["effective"], where),
            promulgated=_day(meta.get("promulgated") or meta["effective"], where),
            source=meta.get("source", ""),
        )
    if line.kind != "judgment":
        return None
    return Ruling(
        id=line.id,
        field=line.area,
        issue=line.title,
        number=meta.get("number", line.id),
        replied=_day(meta["replied"], where) if meta.get("replied") else None,
        gist=meta.get("gist", ""),
        laws=", ".join(line.articles),
        body=line.text,
        source=meta.get("source", where),
    )


def _day(text: str, where: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as exc:
        raise SourceError(f"날짜를 읽을 수 없습니다: {text!r}, {where}") from exc
