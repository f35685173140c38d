"""Rulings in: each becomes a Document that keeps its number, date, gist and sections, read one at a time.

Knows how a ruling is laid out for a teacher; the shapes of the files are the business of ruling_rows.py and taxlaw.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from data_gen.collect.areas import area_of_field, area_of_text
from data_gen.collect.row_files import JSON_SUFFIXES, data_files, is_json_list, read_object, read_rows
from data_gen.collect.ruling_rows import read_ruling
from data_gen.collect.settings import RulingsSource
from data_gen.collect.statute_documents import BODY, HEAD
from data_gen.collect.tallies import READ, drop, note
from data_gen.documents import Document, Part
from data_gen.errors import BadInput
from data_gen.rows import short_hash
from taxlaw.citations import find_citations
from taxlaw.errors import SourceError
from taxlaw.nts_documents import read_page
from taxlaw.rulings import Ruling

GIST, REPLY = "요지", "회신"
UNNAMED = "서두"
_DECIDED = ("과세적부", "이의신청", "심사청구", "심판청구")
_JUDGED = ("판례", "헌재")


def read_rulings(source: RulingsSource, tally: Counter) -> Iterator[Document]:
    """Every ruling of the file or folder, as it is asked for; memory does not grow with the file.

    ``tally``: what was read and what was dropped, with the reason.  A ruling without a date of its own takes
    ``source.as_of``.  Raises BadInput naming the file and the place when a row is in none of the known shapes.
    """
    for file in data_files(source.path, JSON_SUFFIXES):
        for ruling in _rulings(file):
            tally[READ] += 1
            if ruling is None:
                drop(tally, "장·절 제목")
            elif ruling.deleted:
                drop(tally, "삭제된 문서")
            elif not (ruling.gist or ruling.body.strip() or ruling.reply):
                drop(tally, "본문·요지·회신이 모두 빈 문서")
            elif ruling.replied is None and source.as_of is None:
                drop(tally, "날짜 없는 문서 (source에 as_of 없음)")
            else:
                document = ruling_document(ruling, source.as_of)
                note(tally, "날짜가 없어 기준일을 쓴 문서", int(ruling.replied is None))
                note(tally, "문서번호가 없는 문서", int(not ruling.number))
                note(tally, "관련법령에서 조문을 찾지 못한 문서", int(bool(ruling.laws) and not document.articles))
                yield document


def ruling_document(ruling: Ruling, as_of: date | None) -> Document:
    """The ruling as a teacher is shown it.

    ``parts``: 머리 (title, number, date, gist, laws) with 요지 inside; 본문 with its sections inside, which joined give the
    body back (a stretch that no heading names is 서두); 회신 (or 결정, 판결) where the source tells it apart from the body.
    The outer ones follow one another without a gap.
    ``as_of``: the date when the ruling has none.  Raises ValueError when both are missing.
    """
    day = ruling.replied or as_of
    if day is None:
        raise ValueError(f"날짜 없는 문서에는 기준일이 있어야 합니다: {ruling.id}")
    text, gist = _head(ruling)
    text += "\n\n" if ruling.body else ""
    parts = [Part(HEAD, 0, len(text)), *gist]
    if ruling.body:
        parts.append(Part(BODY, len(text), len(text) + len(ruling.body)))
        at = len(text)
        for section in ruling.sections:
            parts.append(Part(section.name or UNNAMED, at, at + len(section.text)))
            at += len(section.text)
        text += ruling.body
    if ruling.reply and _squeezed(ruling.reply) not in _squeezed(ruling.body):
        name = "결정" if ruling.document_class in _DECIDED else "판결" if ruling.document_class in _JUDGED else REPLY
        said = f"\n\n{name}:\n{ruling.reply}"
        parts.append(Part(name, len(text), len(text) + len(said)))
        text += said
    facts = {
        "number": ruling.number,
        "replied": ruling.replied.isoformat() if ruling.replied else "",
        "class": ruling.document_class,
        "gist": ruling.gist,
        "field": ruling.field,
        "laws": ruling.laws,
        "source": ruling.source,
    }
    return Document(
        id=ruling.id,
        kind="judgment",
        title=ruling.issue,
        text=text,
        # A ruling speaks of the law on the day of its reply, not of today's.
        as_of=day,
        area=area_of_field(ruling.field) if ruling.field else area_of_text(text),
        version=short_hash(text),
        family=f"ruling:{ruling.number or ruling.id}",
        articles=cited_articles(ruling),
        parts=tuple(parts),
        meta=tuple((name, value) for name, value in facts.items() if value),
    )


def cited_articles(ruling: Ruling) -> tuple[str, ...]:
    """'소득세법 제89조' of each related law that names an article of a law; what names none is left out."""
    found = [citation for law in ruling.related or (ruling.laws,) for citation in find_citations(law)]
    return tuple(dict.fromkeys(f"{citation.law} {citation.article}" for citation in found if citation.law))


def body_of(document: Document) -> str:
    """The ruling's own body, cut out of the text; '' when its source had none."""
    return next((document.text[part.start : part.end] for part in document.parts if part.name == BODY), "")


def _rulings(file: Path) -> Iterator[Ruling | None]:
    if is_json_list(file):
        yield from (read_ruling(row, where) for where, row in read_rows(file))
        return
    data = read_object(file)
    if not isinstance(data, dict) or not ("dcmDVO" in data or isinstance(data.get("body"), list)):
        yield read_ruling(data, file.name)
        return
    try:
        page = read_page(data, file.name)
    except SourceError as exc:
        raise BadInput(str(exc)) from exc
    yield from page


def _head(ruling: Ruling) -> tuple[str, list[Part]]:
    decided = (
        "결정일" if ruling.document_class in _DECIDED else "선고일" if ruling.document_class in _JUDGED else "회신일"
    )
    lines = [f"쟁점: {ruling.issue}"]
    lines += [f"문서번호: {ruling.number}"] if ruling.number else []
    lines += [f"{decided}: {ruling.replied.isoformat()}"] if ruling.replied else []
    text, parts = "\n".join(lines), []
    if ruling.gist:
        text += "\n회신 요지: "
        parts.append(Part(GIST, len(text), len(text) + len(ruling.gist)))
        text += ruling.gist
    text += f"\n관련 법령: {ruling.laws}" if ruling.laws else ""
    return text, parts


def _squeezed(text: str) -> str:
    return "".join(text.split())
