"""Web documents in: blogs, papers and news of one strict schema become Documents.  Nothing is fetched."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from data_gen.collect.areas import area_of_text
from data_gen.collect.row_files import JSON_SUFFIXES, as_day, check_row, data_files, read_rows
from data_gen.collect.settings import WebSource
from data_gen.collect.statute_documents import BODY, HEAD
from data_gen.collect.tallies import READ, change, drop, note
from data_gen.documents import Document, Part
from data_gen.errors import BadInput
from data_gen.rows import short_hash
from taxlaw.nts_documents import html_text
from taxlaw.strict_config import StrictModel

KOREAN = ("ko",)
_NAMES = {"korean": "ko", "kor": "ko", "한국어": "ko", "english": "en", "eng": "en", "영어": "en"}
# '<개정 2025. 1. 1.>' and 'a < b' are words; a closing tag, or one that never closes, tells a page.
_PAGE = re.compile(r"</[a-z][a-z0-9]*\s*>|<(?:br|hr|img|input|meta|link)\b[^<>]*>", re.IGNORECASE)
_BLOCK = re.compile(r"<(?:p|div|tr|td|th|li|table|h[1-6])\b[^<>]*>", re.IGNORECASE)
_UNSEEN = re.compile(r"<!--.*?-->|<(script|style|template)\b.*?(?:</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)
_ENTITY = re.compile(r"&(?:#\d{2,6}|#x[0-9a-f]{2,6}|[a-z]{2,8});", re.IGNORECASE)
_TAG_OR_LINE = re.compile(r"<[^<>]*>|\n")


class WebRow(StrictModel):
    """One document of the web, as a crawler writes it."""

    source_type: Literal["blog", "paper", "news"]
    url: Annotated[str, Field(pattern=r"^https?://\S+$")]
    language: Annotated[str, Field(min_length=2)]
    title: Annotated[str, Field(min_length=1)]
    content: str
    author: str | None = None
    publish_date: Annotated[date, BeforeValidator(as_day)] | None = None
    tags: tuple[str, ...] | None = None
    views: Annotated[int, Field(ge=0)] | None = None


def read_web(source: WebSource, tally: Counter, languages: tuple[str, ...] = KOREAN) -> Iterator[Document]:
    """Every document of the file or folder (.json list, .jsonl, .gz of both), as it is asked for.

    Those in no language of ``languages`` are dropped and counted.  The date of the law is the publish_date, else
    ``source.as_of``.  Raises BadInput naming file and place when a row breaks the schema.
    """
    for file in data_files(source.path, JSON_SUFFIXES):
        for where, raw in read_rows(file):
            row = check_row(WebRow, raw, where, "웹 문서")
            tally[READ] += 1
            language = language_code(row.language)
            if language not in languages:
                drop(tally, f"쓰지 않는 언어 ({language})")
                continue
            content = page_text(row.content).strip()
            if not content:
                drop(tally, "본문이 빈 문서")
                continue
            if row.publish_date is None and source.as_of is None:
                raise BadInput(f"publish_date가 없는 문서입니다: {where}\n  publish_date를 적거나 as_of를 정하세요.")
            change(tally, "HTML을 글로 바꾼 문서", int(_is_page(row.content)))
            note(tally, "날짜가 없어 기준일을 쓴 문서", int(row.publish_date is None))
            yield _document(row, language, content, row.publish_date or source.as_of)


def language_code(name: str) -> str:
    """'ko-KR', 'Korean', '한국어' -> 'ko'."""
    plain = re.split(r"[-_]", name.strip().lower())[0]
    return _NAMES.get(plain, plain)


def page_text(content: str) -> str:
    """The words of a page.  Text that is no HTML comes back as it is, but for entities such as ``&amp;``.

    Where a page has no block tags its line ends are its layout and stay; else the tags make the lines.
    """
    if not _is_page(content):
        return html.unescape(content) if _ENTITY.search(content) else content
    page = _UNSEEN.sub("", content)
    if not _BLOCK.search(page):
        page = _TAG_OR_LINE.sub(lambda found: "<br>" if found[0] == "\n" else found[0], page)
    return html_text(page)


def _is_page(content: str) -> bool:
    return _PAGE.search(content) is not None


def _document(row: WebRow, language: str, content: str, day: date) -> Document:
    title = " ".join(html.unescape(row.title).split())
    head = f"{title}\n\n"
    text = head + content
    identity = f"web:{short_hash(row.url)}"
    facts = {
        "source_type": row.source_type,
        "url": row.url,
        "language": language,
        "author": row.author,
        "publish_date": row.publish_date.isoformat() if row.publish_date else None,
        "tags": ", ".join(row.tags or ()),
        "views": None if row.views is None else str(row.views),
    }
    return Document(
        id=identity,
        kind="web",
        title=title,
        text=text,
        as_of=day,
        area=area_of_text(text),
        version=short_hash(text),
        family=identity,
        parts=(Part(HEAD, 0, len(head)), Part(BODY, len(head), len(text))),
        meta=tuple((name, value) for name, value in facts.items() if value),
    )
