"""Questions without answers in: the column of a CSV, Excel, JSON or JSONL file that holds them becomes Documents."""

from __future__ import annotations

import codecs
import csv
import difflib
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from data_gen.collect.areas import area_of_text
from data_gen.collect.row_files import JSON_SUFFIXES, data_files, read_rows
from data_gen.collect.settings import QuestionsSource
from data_gen.collect.tallies import READ, drop, note
from data_gen.documents import Document
from data_gen.errors import BadInput
from data_gen.rows import short_hash

TABLES = (".csv", ".tsv")
EXCEL = (".xlsx", ".xlsm")
# What people call the column, compared without spaces and case.
COLUMN_NAMES = (
    "question",
    "questions",
    "질문",
    "질의",
    "문의",
    "물음",
    "질문내용",
    "질의내용",
    "문의내용",
    "query",
    "q",
)
_ENCODINGS = ("utf-8-sig", "cp949")  # the first takes plain UTF-8 too


def read_questions(source: QuestionsSource, tally: Counter) -> Iterator[Document]:
    """Every question of the file or folder once; blanks and repetitions are dropped and counted.

    Raises BadInput naming the file and the columns seen when none of them is the question's, and when ``as_of`` is missing.
    """
    if source.as_of is None:
        raise BadInput(f"질문의 기준일(as_of)이 없습니다: {source.path}\n  source에 as_of를 적으세요.")
    seen: set[bytes] = set()
    for file in data_files(source.path, (*TABLES, *EXCEL, *JSON_SUFFIXES)):
        for where, text in _questions(file, source.column, tally):
            tally[READ] += 1
            question = text.strip()
            plain = " ".join(unicodedata.normalize("NFC", question).split())
            key = short_hash(plain)
            if not plain:
                drop(tally, "빈 질문")
            elif (packed := bytes.fromhex(key)) in seen:
                drop(tally, "같은 질문")
            else:
                seen.add(packed)
                yield Document(
                    id=f"question:{key}",
                    kind="question",
                    title=plain if len(plain) <= 60 else plain[:59] + "…",
                    text=question,
                    as_of=source.as_of,
                    area=area_of_text(question),
                    version=short_hash(question),
                    family=f"question:{key}",
                    meta=(("source", where),),
                )


def find_column(names: list[str], wanted: str | None, where: str) -> int:
    """Where the question stands among ``names``.  Raises BadInput naming them when none, or more than one, may be meant."""
    plain = ["".join(name.split()).casefold() for name in names]
    if wanted is not None:
        found = [at for at, name in enumerate(plain) if name == "".join(wanted.split()).casefold()]
    else:
        found = [at for at, name in enumerate(plain) if name in COLUMN_NAMES]
    if len(found) == 1:
        return found[0]
    seen = ", ".join(name or "(빈 이름)" for name in names) or "(없음)"
    if found:
        several = ", ".join(names[at] for at in found)
        raise BadInput(f"질문이 든 열이 여럿일 수 있습니다: {where}\n  {several} 가운데 하나를 column에 적으세요.")
    near = difflib.get_close_matches(wanted, names, n=1, cutoff=0.5) if wanted else []
    hint = f" 혹시 '{near[0]}'?" if near else " 질문이 든 열의 이름을 column에 적으세요 (name the column)."
    missed = f"열 '{wanted}'이(가) 없습니다" if wanted else "질문이 든 열을 찾지 못했습니다"
    raise BadInput(
        f"{missed}: {where}\n  있는 열: {seen}.{hint}\n  머리글이 없는 파일이면 첫 줄에 question을 넣으세요."
    )


def _questions(file: Path, column: str | None, tally: Counter) -> Iterator[tuple[str, str]]:
    suffix = file.suffix.lower()
    if suffix in TABLES:
        return _from_table(file, column, "\t" if suffix == ".tsv" else ",")
    if suffix in EXCEL:
        return _from_excel(file, column, tally)
    return _from_json(file, column)


def _from_table(file: Path, column: str | None, delimiter: str) -> Iterator[tuple[str, str]]:
    encoding = _encoding(file)
    with file.open(encoding=encoding, newline="") as handle:
        rows = csv.reader(handle, delimiter=delimiter, strict=True)
        try:
            names = next((row for row in rows if any(cell.strip() for cell in row)), [])
            at = find_column(names, column, str(file))
            for row in rows:
                if len(row) > len(names):
                    # A comma outside quotes would cut the question short without a word.
                    raise BadInput(
                        f"머리글({len(names)}열)보다 칸이 많은 줄이 있습니다: {file} {rows.line_num}행 ({len(row)}칸)\n"
                        '  쉼표가 든 질문은 큰따옴표로 묶으세요 (quote cells that hold a comma: "…").'
                    )
                if row:
                    yield f"{file.name} {rows.line_num}행", row[at] if at < len(row) else ""
        except csv.Error as exc:
            raise BadInput(f"CSV 형식이 잘못되었습니다: {file} {rows.line_num}행\n  {exc}") from exc


def _encoding(file: Path) -> str:
    """The first of the encodings that fits the whole file, looked at a piece at a time.  Raises BadInput when none does."""
    for encoding in _ENCODINGS:
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            with file.open("rb") as handle:
                while piece := handle.read(1 << 20):
                    decoder.decode(piece)
                decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        return encoding
    raise BadInput(
        f"글자 부호를 알 수 없는 파일입니다: {file}\n  UTF-8 또는 CP949로 저장하세요 (neither UTF-8 nor CP949)."
    )


def _from_excel(file: Path, column: str | None, tally: Counter) -> Iterator[tuple[str, str]]:
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(file, read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError) as exc:
        raise BadInput(f"Excel 파일을 열 수 없습니다: {file}\n  {exc}. xlsx로 다시 저장하세요.") from exc
    try:
        missed: list[BadInput] = []
        used = 0
        for sheet in book.worksheets:
            sheet.reset_dimensions()  # some programs write a wrong size, and rows beyond it would be lost
            rows = enumerate(sheet.iter_rows(values_only=True), start=1)
            names = next(([_cell(c) for c in row] for _, row in rows if any(_cell(c).strip() for c in row)), None)
            if names is None:
                continue
            try:
                at = find_column(names, column, f"{file} 시트 '{sheet.title}'")
            except BadInput as exc:
                missed.append(exc)
                continue
            used += 1
            for number, row in rows:
                if row:
                    yield f"{file.name} {sheet.title} {number}행", _cell(row[at]) if at < len(row) else ""
        if not used:
            raise missed[0] if missed else BadInput(f"빈 Excel 파일입니다 (empty workbook): {file}")
        note(tally, "질문 열이 없어 읽지 않은 시트", len(missed))
    finally:
        book.close()


def _cell(value: object) -> str:
    return "" if value is None else str(value)


def _from_json(file: Path, column: str | None) -> Iterator[tuple[str, str]]:
    key: str | None = None
    for where, row in read_rows(file):
        if isinstance(row, str) and column is None:
            yield where, row
            continue
        if not isinstance(row, dict):
            raise BadInput(f"질문은 글이거나 객체 {{…}}여야 합니다: {where} (받은 것: {type(row).__name__})")
        if key is None or key not in row:
            names = list(row)
            key = names[find_column(names, column, where)]
        value = row[key]
        if value is not None and not isinstance(value, str):
            raise BadInput(f"질문이 글이 아닙니다: {where}, '{key}'의 값이 {type(value).__name__}입니다.")
        yield where, value or ""
