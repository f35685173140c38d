"""The body of a precedent, interpretation or tribunal decision of law.go.kr as a Ruling.

Lower-court precedents are listed and come without a body: None, for the caller to count.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date

from data_gen.collect.row_files import as_day
from taxlaw.errors import DownloadError
from taxlaw.nts_documents import html_text
from taxlaw.rulings import Ruling, Section


@dataclass(frozen=True)
class _Layout:
    """Which key of the answer holds what; keys are tried in order, in the body and then in the row of the list."""

    root: str
    document_class: str
    issue: tuple[str, ...]
    number: tuple[str, ...]
    day: tuple[str, ...]
    gist: tuple[str, ...]
    laws: tuple[str, ...]
    field: tuple[str, ...]
    sections: tuple[str, ...]
    facts: tuple[str, ...]


_LAYOUTS = {
    "prec": _Layout(
        root="PrecService",
        document_class="판례",
        issue=("사건명",),
        number=("사건번호",),
        day=("선고일자",),
        gist=("판결요지",),
        laws=("참조조문",),
        field=(),
        sections=("판시사항", "참조판례", "판례내용"),
        facts=("법원명",),
    ),
    "expc": _Layout(
        root="ExpcService",
        document_class="법령해석",
        issue=("안건명",),
        number=("안건번호",),
        day=("해석일자", "회신일자"),
        gist=("회답",),
        laws=("관련법령",),
        field=(),
        sections=("질의요지", "이유"),
        facts=("해석기관명", "질의기관명"),
    ),
    "ttSpecialDecc": _Layout(
        root="SpecialDeccService",
        document_class="심판청구",
        issue=("사건명",),
        number=("청구번호", "사건번호"),
        day=("의결일자",),
        gist=("재결요지",),
        laws=("관련법령",),
        field=("세목",),
        sections=("주문", "청구취지", "이유", "따른결정", "참조결정"),
        facts=("재결청", "처분청", "재결례유형명"),
    ),
}


def read_api_ruling(target: str, text: str, row: dict, serial: str) -> Ruling | None:
    """One answer of lawService.do; ``row``: its entry in the list, which alone knows some numbers.

    None when the answer has no body.  Raises DownloadError when it is none of this target, or another document's.
    """
    layout = _LAYOUTS[target]
    body = json.loads(text).get(layout.root)
    if not isinstance(body, dict):
        raise DownloadError(
            f"law.go.kr의 본문이 아닙니다 ({layout.root} 없음): {target} ID={serial}\n  raw의 파일을 지우고 다시 실행하세요."
        )
    sections = tuple(_sections(layout, body))
    gist = _first(layout.gist, body)
    if not sections and not gist:
        return None
    sections = (*_facts(layout, body), *sections)
    number, issue = _first(layout.number, body, row), _first(layout.issue, body, row)
    return Ruling(
        id=f"{target}:{serial}",
        field=_first(layout.field, body, row),
        issue=" ".join((issue or gist.split("\n", 1)[0] or number).split()),
        number=" ".join(number.split()),
        replied=_day(layout, body, row, f"{target} ID={serial}"),
        gist=gist,
        laws=" ".join(_first(layout.laws, body).split()),
        document_class=layout.document_class,
        body="".join(section.text for section in sections),
        sections=sections,
        source=f"law.go.kr {target} {serial}",
    )


def _sections(layout: _Layout, body: dict) -> list[Section]:
    found = [(name, _words(body.get(name))) for name in layout.sections]
    return [Section(name, f"{name}:\n{words}\n") for name, words in found if words]


def _facts(layout: _Layout, body: dict) -> list[Section]:
    lines = [f"{name}: {words}" for name in layout.facts if (words := _words(body.get(name)))]
    return [Section("기관", "\n".join(lines) + "\n")] if lines else []


def _first(keys: tuple[str, ...], *places: dict) -> str:
    return next((words for place in places for key in keys if (words := _words(place.get(key)))), "")


def _words(value: object) -> str:
    """A field as text: a string, perhaps with HTML in it, or several of them."""
    if isinstance(value, list):
        return "\n".join(words for entry in value if (words := _words(entry)))
    if value is None or isinstance(value, dict):
        return ""
    return html_text(str(value).replace("\n", "<br/>"))


def _day(layout: _Layout, body: dict, row: dict, where: str) -> date | None:
    text = _first(layout.day, body, row)
    if not text.strip("0"):  # '00000000' where the source knows none
        return None
    try:
        return as_day(text)
    except ValueError as exc:
        raise DownloadError(f"law.go.kr의 {layout.day[0]}를 읽을 수 없습니다: {text!r} ({where})") from exc
