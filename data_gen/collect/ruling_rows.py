"""One row of a file of rulings as a Ruling: the shapes of taxlaw, and three that no reader there knows.

They are question-answer rows, single rulings as fetchers publish them, and a data_main.json whose metadata holds only
related_laws, so that the document has neither number nor date of its own.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field

from data_gen.collect.row_files import as_day, check_row
from data_gen.errors import BadInput
from data_gen.rows import short_hash
from taxlaw.errors import SourceError
from taxlaw.nts_documents import CLASSES, TAXES, read_row
from taxlaw.nts_sections import cut_sections
from taxlaw.ruling_numbers import find_ruling_numbers
from taxlaw.rulings import Ruling, Section
from taxlaw.strict_config import StrictModel

WHAT = "국세청 문서"
_OWN_KEYS = {"doc_no", "doc_class", "date"}
_QUESTION = ("question", "질문", "질의", "질의내용")
_ANSWER = ("answer", "답변", "회신", "회신내용")


def _entries(value: object) -> object:
    """'소득세법 제14조, 소득세법 제52조' or a list of them."""
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value or []


Day = Annotated[date, BeforeValidator(as_day)]
Laws = Annotated[tuple[str, ...], BeforeValidator(_entries)]


class _QuestionAnswer(StrictModel):
    id: int | str = ""
    question: str = Field(validation_alias=AliasChoices(*_QUESTION), min_length=1)
    answer: str = Field(validation_alias=AliasChoices(*_ANSWER), min_length=1)
    title: str = Field(default="", validation_alias=AliasChoices("title", "제목"))
    number: str = Field(default="", validation_alias=AliasChoices("number", "doc_no", "문서번호"))
    day: Day | None = Field(default=None, validation_alias=AliasChoices("date", "회신일", "답변일"))
    gist: str = Field(default="", validation_alias=AliasChoices("gist", "요지", "답변요지"))
    tax: str = Field(default="", validation_alias=AliasChoices("tax", "세목", "분야"))
    laws: Laws = Field(default=(), validation_alias=AliasChoices("laws", "related_laws", "관련법령"))
    url: str = ""


class _Published(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)  # whoever fetched it adds notes of his own

    id: str = Field(min_length=1)
    number: str = Field(alias="docNumber", min_length=1)
    day: Day = Field(alias="productionDate")
    title: str = Field(min_length=1)
    kind: str = Field(alias="type", min_length=1)
    tax: str = Field(alias="taxLawCode", default="")
    laws: Laws = Field(alias="relatedLawsMeta", default=())
    body: str = Field(min_length=1)


class _BareMetadata(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    related_laws: Laws = ()


class _Bare(StrictModel):
    title: str = Field(min_length=1)
    content: str
    response: str
    metadata: _BareMetadata = _BareMetadata()


def read_ruling(row: object, where: str) -> Ruling | None:
    """The document of one row; None for the title of a chapter.  Raises BadInput naming ``where`` and what is wrong."""
    if isinstance(row, dict):
        if "쟁점" not in row and row.keys() & set(_QUESTION) and row.keys() & set(_ANSWER):
            return _from_question_answer(check_row(_QuestionAnswer, row, where, WHAT), where)
        if row.keys() >= {"docNumber", "body"}:
            return _from_published(check_row(_Published, row, where, WHAT), where)
        about = row.get("metadata", {})
        if row.keys() >= {"content", "response"} and isinstance(about, dict) and not about.keys() & _OWN_KEYS:
            return _from_bare(check_row(_Bare, row, where, WHAT), where)
    try:
        return read_row(row, where)
    except SourceError as exc:
        raise BadInput(str(exc)) from exc


def _from_question_answer(row: _QuestionAnswer, where: str) -> Ruling:
    sections = cut_sections(row.question)
    if [section.name for section in sections] == [""]:
        sections = (Section("질의내용", row.question),)
    identity = str(row.id) or row.number or short_hash(row.question + "\n" + row.answer)
    return Ruling(
        id=f"qa-{identity}",
        field=row.tax,
        issue=row.title.strip() or _first_line(row.question),
        number=row.number,
        replied=row.day,
        gist=row.gist.strip(),
        laws=", ".join(_once(row.laws)),
        document_class="질의회신",
        reply=row.answer.strip(),
        body=row.question,
        sections=sections,
        related=_once(row.laws),
        source=row.url or where,
    )


def _from_published(row: _Published, where: str) -> Ruling:
    kind = CLASSES.get(row.kind, row.kind)
    if kind not in CLASSES.values():
        raise BadInput(f"모르는 문서 종류입니다: {where}, {row.kind!r}\n  아는 것: {', '.join(CLASSES.values())}")
    return Ruling(
        id=f"nts-{row.id}",
        field=TAXES.get(row.tax, row.tax),
        issue=row.title,
        number=row.number,
        replied=row.day,
        gist="",
        laws=", ".join(_once(row.laws)),
        document_class=kind,
        body=row.body,
        sections=cut_sections(row.body),
        related=_once(row.laws),
        source=where,
    )


def _from_bare(row: _Bare, where: str) -> Ruling:
    numbers = find_ruling_numbers(row.title)
    laws = _once(row.metadata.related_laws)
    return Ruling(
        id=f"main-{short_hash(row.title + chr(10) + row.content + chr(10) + row.response)}",
        field="",
        issue=row.title,
        # Only a number in the title is the document's own; those in its text are of others.
        number=numbers[0].text if len(numbers) == 1 else "",
        replied=None,
        gist="",
        laws=", ".join(laws),
        document_class="질의회신",
        reply=row.response.strip(),
        body=row.content,
        sections=cut_sections(row.content),
        related=laws,
        source=where,
    )


def _once(laws: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(" ".join(law.split()) for law in laws if law.strip()))


def _first_line(text: str, most: int = 60) -> str:
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return line if len(line) <= most else line[: most - 1] + "…"
