"""Documents of taxlaw.nts.go.kr as Rulings, from every shape they come in: the site's own responses, rows made from them,
``data_main.json`` of {title, content, response, metadata}, and 기본통칙.

Knows shapes, not law.  The site's responses carry some seventy keys, most of them null; only those below are read.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from datetime import date
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from taxlaw.errors import SourceError
from taxlaw.nts_sections import cut_sections
from taxlaw.rulings import Ruling, load_casebook, read_casebook_row, read_rows
from taxlaw.strict_config import StrictModel

CLASSES = {
    "01": "사전답변",
    "02": "질의회신",
    "03": "과세기준자문",
    "04": "고시서면질의",
    "05": "과세적부",
    "06": "이의신청",
    "07": "심사청구",
    "08": "심판청구",
    "09": "판례",
    "10": "헌재",
}
# 세목 codes that the responses at hand name; others are shown as they are.
TAXES = {
    "301": "국세기본",
    "303": "법인세",
    "305": "종합소득세",
    "306": "부가가치세",
    "307": "양도소득세",
    "308": "상속증여세",
    "311": "종합부동산세",
    "314": "주세",
    "999": "기타",
}
_MARK = re.compile(r"<!H[SE]>")  # the site marks the words that were searched for
_BLOCKS = {"p", "div", "br", "tr", "td", "th", "li", "table", "h1", "h2", "h3", "h4"}
_BASIC_DELETED = re.compile(r"\A\s*<[^>]*삭제[^>]*>\s*\Z")
_BASIC_NUMBER = re.compile(r"\A\s*(\S+…\S*)\s*【\s*(.*?)\s*】\s*(?:<[^<>]*>\s*)*\Z")


class _FromSite(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)  # see the module docstring


class _Metadata(_FromSite):
    # Written by whoever fetched the document; keys beyond these differ from file to file.
    doc_no: str = Field(min_length=1)
    doc_id: str = ""
    doc_class: str = Field(min_length=1)
    date: str
    tax: str = ""
    gist: str = ""
    related_laws: list[str] = []
    url: str = ""


class _Main(StrictModel):
    title: str = Field(min_length=1)
    content: str
    response: str
    metadata: _Metadata


class _SearchRow(StrictModel):
    doc_no: str = Field(min_length=1)
    doc_id: str = Field(min_length=1)
    title: str = Field(min_length=1)
    gist: str
    doc_class: str = Field(min_length=1)
    tax: str
    decision: str
    date: str
    source: str


class _BasicRow(StrictModel):
    law: str = Field(min_length=1)
    year: str
    title: str = Field(min_length=1)
    text: str


class _Detail(_FromSite):
    id: str = Field(alias="ntstDcmId", min_length=1)
    number: str = Field(alias="ntstDcmDscmCntn", min_length=1)
    kind: str = Field(alias="ntstDcmClCd", min_length=1)
    tax: str = Field(alias="ntstTlawClCd")
    title: str = Field(alias="ntstDcmTtl", min_length=1)
    gist: str | None = Field(alias="ntstDcmGistCntn")
    reply: str | None = Field(alias="ntstDcmCntn")
    day: str = Field(alias="ntstDcmRgtDt")


class _File(_FromSite):
    kind: str | None = Field(alias="dcmFleTy", default=None)
    text: str | None = Field(alias="dcmFleByte", default=None)


class _Law(_FromSite):
    name: str = Field(alias="ntstTextNm")


class _DetailPage(_FromSite):
    document: _Detail = Field(alias="dcmDVO")
    files: list[_File] = Field(alias="dcmHwpEditorDVOList")
    laws: list[_Law] | None = Field(alias="dcmRltnStttList")


class _Hit(_FromSite):
    id: str = Field(alias="DOC_ID", min_length=1)
    number: str = Field(alias="NTST_DCM_DSCM_CNTN", min_length=1)
    kind: str = Field(alias="NTST_DCM_CL_CD", min_length=1)
    tax: str = Field(alias="NTST_TLAW_CL_NM")
    title: str = Field(alias="TTL", min_length=1)
    gist: str = Field(alias="GIST_CNTN")
    reply: str = Field(alias="CNTN")
    day: str = Field(alias="NTST_DCM_RGT_DT")


class _HitPage(_FromSite):
    document: _Hit = Field(alias="dcm")


def load_documents(path: Path) -> tuple[Ruling, ...]:
    """Every document of a .json, .jsonl or .json.gz file in any of the shapes above (casebook rows too).

    Raises SourceError naming the file, the place and the reason when the shape is another, or a date cannot be read.
    """
    path = Path(path)
    if path.suffix == ".jsonl":
        rows = read_rows(path)
        return _rows(rows, path)
    data = _read_json(path)
    if isinstance(data, list):
        return _rows([(f"{number}번째", row) for number, row in enumerate(data, start=1)], path)
    return read_page(data, path.name)


def read_page(data: object, where: str) -> tuple[Ruling, ...]:
    """The documents of one response of the site, a document or a list of hits.  Raises SourceError naming ``where``."""
    if isinstance(data, dict) and "dcmDVO" in data:
        return (_from_detail(data, where),)
    if isinstance(data, dict) and isinstance(data.get("body"), list):
        return tuple(_from_hit(hit, f"{where} {n}번째") for n, hit in enumerate(data["body"], start=1))
    raise _unknown(data, where)


def read_row(row: object, where: str) -> Ruling | None:
    """One row of a list or a JSONL file, whichever of the shapes it has; None for the title of a chapter.

    Raises SourceError naming ``where``.  For files that are too large to hold: the rows may come one at a time.
    """
    keys = row.keys() if isinstance(row, dict) else frozenset()
    if "쟁점" in keys:
        return read_casebook_row(row, where)
    reader = next((reader for needed, reader in _READERS.items() if needed <= keys), None)
    if reader is None:
        raise _unknown(row, where)
    return reader(row, where)


def _rows(rows: list[tuple[str, object]], path: Path) -> tuple[Ruling, ...]:
    if not rows:
        raise SourceError(f"문서가 없습니다 (no documents): {path}")
    if isinstance(rows[0][1], dict) and "쟁점" in rows[0][1]:
        return load_casebook(path)
    found = (read_row(row, f"{path.name} {place}") for place, row in rows)
    return tuple(ruling for ruling in found if ruling is not None)


def _unknown(data: object, where: str) -> SourceError:
    keys = ", ".join(list(data)[:6]) if isinstance(data, dict) else type(data).__name__
    return SourceError(
        f"모르는 모양의 국세청 문서입니다: {where}\n  받은 것: {keys} (unknown shape of an NTS document)"
    )


def _from_main(row: dict, where: str) -> Ruling:
    valid = _valid(_Main, row, where)
    about = valid.metadata
    return _ruling(
        where=where,
        identity=about.doc_id or about.doc_no,
        number=about.doc_no,
        kind=about.doc_class,
        tax=about.tax,
        title=valid.title,
        gist=about.gist,
        reply=valid.response,
        body=valid.content,
        day=about.date,
        laws=about.related_laws,
        source=about.url or where,
    )


def _from_search_row(row: dict, where: str) -> Ruling:
    hit = _valid(_SearchRow, row, where)
    return _ruling(
        where=where,
        identity=hit.doc_id,
        number=hit.doc_no,
        kind=hit.doc_class,
        tax=hit.tax,
        title=hit.title,
        gist=hit.gist,
        reply="",
        body="",
        day=hit.date,
        laws=[],
        source=hit.source,
    )


def _from_detail(page: dict, where: str) -> Ruling:
    valid = _valid(_DetailPage, page, where)
    document = valid.document
    html = [file.text for file in valid.files if file.kind == "html" and file.text]
    return _ruling(
        where=where,
        identity=document.id,
        number=document.number,
        kind=document.kind,
        tax=document.tax,
        title=document.title,
        gist=document.gist or "",
        reply=document.reply or "",
        body="\n".join(html_text(text) for text in html),
        day=document.day,
        laws=[law.name for law in valid.laws or []],
        source=where,
    )


def _from_hit(hit: object, where: str) -> Ruling:
    found = _valid(_HitPage, hit, where).document
    # FILE_CN, the body, is cut after some 500 characters: half a document is not taken for one.
    return _ruling(
        where=where,
        identity=found.id,
        number=found.number,
        kind=found.kind,
        tax=found.tax,
        title=found.title,
        gist=found.gist,
        reply=found.reply,
        body="",
        day=found.day[:8],
        laws=[],
        source=where,
    )


def _from_basic(row: dict, where: str) -> Ruling | None:
    """A 기본통칙; None for the title of a chapter."""
    basic = _valid(_BasicRow, row, where)
    named = _BASIC_NUMBER.match(unescape(basic.title))
    if named is None:
        if basic.text.strip():
            raise SourceError(
                f"기본통칙의 번호를 읽을 수 없습니다: {where}, {basic.title!r} ('2-0…1 【제목】' 꼴이어야 합니다)"
            )
        return None
    number, body = f"{basic.law} 기본통칙 {named[1]}", basic.text
    return Ruling(
        id=f"basic-{basic.law}-{named[1]}",
        field=basic.law,
        issue=named[2],
        number=number,
        replied=None,
        gist="",
        laws=basic.law,
        document_class="기본통칙",
        body=body,
        sections=cut_sections(body),
        related=(basic.law,),
        source=f"{where} ({basic.year}년판)",
        deleted=_BASIC_DELETED.match(body) is not None,
    )


# The keys that tell the shapes of rows apart.
_READERS: dict[frozenset[str], Callable[[dict, str], Ruling | None]] = {
    frozenset(("content", "response")): _from_main,
    frozenset(("doc_no", "gist")): _from_search_row,
    frozenset(("law", "year", "text")): _from_basic,
}


def _ruling(
    *, where: str, identity: str, number: str, kind: str, tax: str, title: str, gist: str, reply: str, body: str,
    day: str, laws: list[str], source: str,
) -> Ruling:  # fmt: skip
    document_class = CLASSES.get(kind, kind)
    if document_class not in CLASSES.values():
        raise SourceError(f"모르는 문서 종류입니다: {where}, {kind!r}\n  아는 것: {', '.join(CLASSES.values())}")
    try:
        # date.fromisoformat takes 20260813 and 2026-08-13, and nothing that only looks like a date.
        replied = date.fromisoformat(day.strip())
    except ValueError as exc:
        raise SourceError(f"날짜를 읽을 수 없습니다: {where}, {day!r} ('20260813'처럼 적습니다)") from exc
    related = tuple(dict.fromkeys(" ".join(law.split()) for law in laws if law.strip()))
    return Ruling(
        id=f"nts-{identity}",
        field=TAXES.get(tax, tax),
        issue=_plain(title),
        number=_plain(number),
        replied=replied,
        gist=_plain(gist).strip(),
        laws=", ".join(related),
        document_class=document_class,
        reply=_plain(reply).strip(),
        body=body,
        sections=cut_sections(body),
        related=related,
        source=source,
    )


def _plain(text: str) -> str:
    return _MARK.sub("", text)


def _valid(model: type[BaseModel], row: object, where: str):
    try:
        return model.model_validate(row)
    except ValidationError as exc:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in exc.errors())
        raise SourceError(f"국세청 문서의 모양이 다릅니다: {where}\n  {problems}") from exc


def _read_json(path: Path) -> object:
    try:
        raw = path.read_bytes()
        return json.loads(gzip.decompress(raw) if path.suffix == ".gz" else raw)
    except (OSError, EOFError, UnicodeDecodeError) as exc:
        raise SourceError(f"국세청 문서를 읽을 수 없습니다: {path}\n  {exc}") from exc
    except json.JSONDecodeError as exc:
        raise SourceError(f"JSON 형식이 잘못되었습니다: {path} {exc.lineno}행\n  {exc.msg}") from exc


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag in _BLOCKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        # Line ends of the source are layout; those of the page are its tags.
        self.parts.append(re.sub(r"\s+", " ", data.replace("\xa0", " ")))


def html_text(html: str) -> str:
    """The words of a document, one line per block, without empty lines."""
    reader = _Text()
    reader.feed(html)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.parts).split("\n"))
    return "\n".join(line for line in lines if line)
