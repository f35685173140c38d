"""Cuts the body of a tax document into its sections, by the headings each class of document uses.  Loses nothing."""

from __future__ import annotations

import re

from taxlaw.rulings import Section

_BLANK = re.compile(r"\s+")
# Chapters are numbered '1.' or stand in brackets or alone; '나.관련법령' inside 심리 및 판단 is not a chapter.
_NUMBER = r"(?:\d{1,2}\.|[○□■◯Ο●])?"
_PARTY = r"(?:청구인|청구법인|청구인들|청구법인들|신청인|신청법인|신청인들|신청법인들|원고|청구)"
_OFFICE = r"(?:처분청|조사청|통지관서|과세관청|결정관서|피고|처분관서)"
_CHAPTERS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(rf"\A{pattern}\Z"))
    for name, pattern in (
        ("주문", r"(?:\[주문\]|【주문】|주문)"),
        ("이유", r"(?:\[이유\]|【이유】|이유)"),
        ("처분개요", rf"{_NUMBER}(?:처분(?:의)?(?:개요|내용|경위)|사실관계및(?:처분|과세예고통지|통지|결정고지)내용)"),
        ("사실관계", rf"{_NUMBER}사실관계(?:및쟁점)?"),
        ("질의내용", rf"{_NUMBER}(?:질의내용|질의요지|질의사항)(?:의?요약)?"),
        ("회신", rf"{_NUMBER}(?:회신|회신내용|답변내용)"),
        (
            "관련법령",
            rf"{_NUMBER}(?:관련(?:조세)?법령|관련규정|질의내용에대한자료)(?:및(?:관련)?(?:사례|예규|해석사례|판례))?",
        ),
        ("청구인 주장 및 처분청 의견", rf"{_NUMBER}{_PARTY}(?:의)?주장및{_OFFICE}(?:의)?의견"),
        ("청구인 주장", rf"{_NUMBER}{_PARTY}(?:의)?주장"),
        ("처분청 의견", rf"{_NUMBER}{_OFFICE}(?:의)?의견"),
        ("심리 및 판단", rf"{_NUMBER}(?:심리|조사)및판단"),
        ("결론", rf"{_NUMBER}결론"),
    )
)
_ANNEX = re.compile(r"\A[<〈【\[]별지\d*[>〉】\]]")
_CLAIM = re.compile(rf"\A[가-하][.)]{_PARTY}(?:의)?주장\Z")
_OPINION = re.compile(rf"\A[가-하][.)]{_OFFICE}(?:의)?의견\Z")
_BOTH = "청구인 주장 및 처분청 의견"
_FACTS = 2  # 처분개요, 사실관계, 질의내용, 회신, 관련법령: in any order
_ORDER = {"주문": 0, "이유": 1, _BOTH: 3, "청구인 주장": 3, "처분청 의견": 4, "심리 및 판단": 5, "결론": 6, "별지": 7}


def cut_sections(body: str) -> tuple[Section, ...]:
    """The sections in order; a heading belongs to the section it opens.  An empty body has none."""
    sections: list[list[str]] = []  # [name, text]
    for line in body.splitlines(keepends=True):
        name = _heading(line, [section[0] for section in sections])
        if name is not None or not sections:
            sections.append([name or "", ""])
        sections[-1][1] += line
    return tuple(Section(name, text) for name, text in sections)


def _heading(line: str, before: list[str]) -> str | None:
    plain = _BLANK.sub("", line)
    if not plain or len(plain) > 40:
        return None
    if _ANNEX.match(plain):
        return "별지"
    # One chapter may hold both sides (심판청구): its 가. and 나. are the sections then.
    if _BOTH in before and "심리 및 판단" not in before:
        if _CLAIM.match(plain):
            return "청구인 주장"
        if _OPINION.match(plain):
            return "처분청 의견"
    name = next((name for name, pattern in _CHAPTERS if pattern.match(plain)), None)
    return name if name and _may_follow(name, before) else None


def _may_follow(name: str, before: list[str]) -> bool:
    """A chapter comes once and in its order: '1. 사실관계' inside a party's claim is a line of the claim."""
    reached = max((_ORDER.get(earlier, _FACTS if earlier else 0) for earlier in before), default=0)
    if name == "관련법령":  # may stand between the opinions and the decision
        return name not in before and reached < _ORDER["심리 및 판단"]
    return name not in before and _ORDER.get(name, _FACTS) >= reached
