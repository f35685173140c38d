"""Ruling numbers and addenda in running text: what legal prose cites besides articles, with spans.

A ruling number (사건번호, 문서번호) names a decision, an addendum (부칙) a transitional clause; neither is an article, and
taxlaw.citations leaves both alone.  Knows nothing of whether such a ruling exists: there is no index of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from taxlaw.citations import read_citations
from taxlaw.law_names import full_name, spellings
from taxlaw.money import normalise_digits

Body = Literal["court", "constitutional", "tribunal", "review", "interpretation"]

_DASH = r"\s?[-‐–]\s?"
_COURT_MARKS = "구합|구단|두|누|다|나|도|마|그|재두|재누|아|카기"
_RULING = re.compile(
    # 대법원 2024두55396, 서울고등법원-2023-누-12345
    rf"(?P<court>(?:(?:대법원|[가-힣]{{2,6}}(?:고등|행정|지방)?법원|[가-힣]{{2}}(?:고법|행법|지법))\s?(?:{_DASH})?(?:\d{{4}}\.\s?\d{{1,2}}\.\s?\d{{1,2}}\.?\s?(?:선고\s?)?)?)?"
    rf"(?<!\d)(?:19|20)\d\d(?:{_DASH})?(?:{_COURT_MARKS})(?:{_DASH})?\d{{1,6}})(?!\d)"
    rf"|(?P<constitutional>(?:헌법재판소\s?(?:{_DASH})?)?(?<!\d)(?:19|20)?\d\d(?:{_DASH})?헌(?:{_DASH})?[가바마](?:{_DASH})?\d{{1,5}})(?!\d)"
    # 조심2023서1234, 조심-2025-인-4460, 국심2006서1234
    rf"|(?P<tribunal>(?:조심|국심)(?:{_DASH}|\s)?(?:19|20)\d\d(?:{_DASH}|\s)?[가-힣]{{1,2}}(?:{_DASH}|\s)?\d{{1,5}})(?!\d)"
    rf"|(?P<review>(?:심사|적부|이의)(?:{_DASH})(?:[가-힣]{{1,8}}(?:{_DASH}))?(?:19|20)\d\d{_DASH}\d{{1,5}}|심사[가-힣]{{2,4}}(?:19|20)\d\d{_DASH}\d{{1,5}})(?!\d)"
    rf"|(?P<interpretation>(?:서면|사전|기준|과세기준|사전답변|질의|고시){_DASH}(?:19|20)\d\d{_DASH}[가-힣]{{2,12}}{_DASH}\d{{1,5}}"
    # 기획재정부 재산세제과-123, 재산세과-123, 서면4팀-1234
    rf"|(?:기획재정부\s?|기재부\s?)?[가-힣]{{2,10}}과{_DASH}\d{{1,5}}|서면\d?팀{_DASH}\d{{1,5}})(?!\d)"
)
_ADDENDUM = re.compile(
    r"부칙(?:\s?[(<〈]?\s?(?:법률|대통령령|기획재정부령|재정경제부령|행정안전부령)?\s?(?:제(?P<number>\d{3,5})호)(?:\s?,\s?(?P<day>[\d.\s]{6,14}))?\s?[)>〉]?)?"
    r"\s?제\s?(?P<article>\d{1,3})\s?조(?:의\s?(?P<branch>\d{1,2}))?(?:\s?제\s?(?P<paragraph>\d{1,2})\s?항)?"
)
_NUMBER_BEFORE = re.compile(r"(?:법률|대통령령|[가-힣]{2,5}부령)\s?제(\d{3,5})호\s?$")
_LAW_BEFORE = re.compile(r"[「｢『]([^「」｢｣『』\n]{2,40})[」｣』]\s?$")


@dataclass(frozen=True)
class RulingNumber:
    """A decision's number as written; ``key`` is the same for every way of writing it ('대법원-2024-두-55396')."""

    body: Body
    key: str
    start: int
    end: int
    text: str


@dataclass(frozen=True)
class AddendumCitation:
    """A clause of an addendum; ``number`` is that of the promulgation ('21548'), None when the text does not say."""

    law: str | None
    number: str | None
    article: str
    paragraph: int | None
    start: int
    end: int
    text: str


def find_ruling_numbers(text: str) -> list[RulingNumber]:
    """Every ruling number in ``text``, in order.  Spans are into ``text``; full-width digits are read."""
    found = []
    for match in _RULING.finditer(normalise_digits(text)):
        body = match.lastgroup
        written = text[match.start() : match.end()]
        found.append(RulingNumber(body, ruling_key(match.group()), match.start(), match.end(), written))
    return found


def ruling_key(number: str) -> str:
    """One form for the many spellings of a number: '대법원 2024. 1. 1. 선고 2024두55396' -> '2024두55396'.

    The court is left out, for the case number alone names a case of the higher courts; the tribunal's and the ministry's
    names are part of the number and stay.
    """
    plain = re.sub(r"\d{4}\.\s?\d{1,2}\.\s?\d{1,2}\.?\s?(?:선고)?", "", normalise_digits(number))
    plain = re.sub(r"^(?:헌법재판소|대법원|[가-힣]{2,6}법원|[가-힣]{2}(?:고법|행법|지법))\s?-?\s?", "", plain.strip())
    return re.sub(r"[\s\-‐–]", "", plain)


def find_addenda(text: str) -> list[AddendumCitation]:
    """Every clause of an addendum cited in ``text`` ('부칙 <제21548호,2026.4.21> 제2조', '소득세법 부칙 제14조')."""
    plain = normalise_digits(text)
    found = []
    for match in _ADDENDUM.finditer(plain):
        head = plain[: match.start()].rstrip(" (")
        number = match["number"]
        if number is None and (told := _NUMBER_BEFORE.search(head)):
            number, head = told[1], head[: told.start()].rstrip(" (")
        article = f"제{match['article']}조" + (f"의{match['branch']}" if match["branch"] else "")
        found.append(
            AddendumCitation(
                _law_before(head),
                number,
                article,
                int(match["paragraph"]) if match["paragraph"] else None,
                match.start(),
                match.end(),
                text[match.start() : match.end()],
            )
        )
    return found


def format_addendum(citation: AddendumCitation) -> str:
    """The canonical form: '소득세법 부칙 <제21548호> 제2조제1항'."""
    law = f"{citation.law} " if citation.law else ""
    number = f"<제{citation.number}호> " if citation.number else ""
    paragraph = f"제{citation.paragraph}항" if citation.paragraph else ""
    return f"{law}부칙 {number}{citation.article}{paragraph}"


def _law_before(head: str) -> str | None:
    """The law a text names last, directly before the addendum; an article of it in between is stepped over."""
    if quoted := _LAW_BEFORE.search(head):
        return full_name(quoted[1]) or quoted[1]
    for name in spellings():
        if head.endswith(name) and not re.search(r"[가-힣]$", head[: -len(name)]):
            return full_name(name)
    cited = [citation for citation in read_citations(head) if citation.end == len(head)]
    return cited[-1].law if cited else None
