"""The tree inside a statute: Statute > Article (조) > Paragraph (항) > Subparagraph (호) > Item (목), with nothing lost.

Every node keeps its own words, line ends included, so that joining the parts of a tree gives the article's text back.
1) and 가) below a 목, formulas and tables stay in the words of the node they stand in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from taxlaw.addenda import PendingAmendment, read_api_dates
from taxlaw.errors import SourceError
from taxlaw.statute_json import read_law_json
from taxlaw.statutes import StatuteArticle, read_markdown

CIRCLED = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳㉑㉒㉓㉔㉕㉖㉗㉘㉙㉚㉛㉜㉝㉞㉟㊱㊲㊳㊴㊵㊶㊷㊸㊹㊺㊻㊼㊽㊾㊿"
# 목 in their order: all first consonants with ㅏ, then with ㅓ, ㅗ, ㅜ, ㅡ, ㅣ (가 … 하, 거 … 허, 고 …).
ITEMS = (
    "가나다라마바사아자차카타파하거너더러머버서어저처커터퍼허고노도로모보소오조초코토포호"
    "구누두루무부수우주추쿠투푸후그느드르므브스으즈츠크트프흐기니디리미비시이지치키티피히"
)
_PARAGRAPH = re.compile(rf"[ \t]?([{CIRCLED}])")
_SUBPARAGRAPH = re.compile(r"  (\d+)(?:의(\d+))?\.(?!\d)")
_ITEM = re.compile(r"(    |[ \t]+)([가-힣])(?:의(\d+))?\.(?=\s|$|삭제)")
_NOTE = re.compile(
    r"\s*\[(?:본조신설|전문개정|제목개정|제목신설|시행일|종전|제\d+조|법률|대통령령|유효기간|별표|.*이동)[^\n]*\]\s*"
)
_DELETED = re.compile(r"\s*삭제\s*(?:<[^>]*>)?\.?\s*(?:\[[^\]]*\]\s*)*\Z")
_LABEL = re.compile(rf"[ \t]*(?:[{CIRCLED}]|\d+(?:의\d+)?\.(?!\d)|[가-힣](?:의\d+)?\.)[ \t]*")
_FRONT_FACT = re.compile(r"^(법령ID|공포번호|상태):[ \t]*'?([^'\n]*?)'?[ \t]*$", re.MULTILINE)


@dataclass(frozen=True)
class Origin:
    """Where a node comes from: law, 법령ID, 시행일, 공포일, 공포번호 and the file.

    ``effective`` is the node's own day where a law.go.kr response gives one (제17조제3항: 2027-01-01), else that of what it
    stands in.  Markdown has one day per file: what waits in it is known to addenda.py.
    """

    law: str
    law_id: str
    effective: date
    promulgated: date
    number: str
    source: str


@dataclass(frozen=True)
class Item:
    """목; ``number`` is '가' or '가의2'."""

    number: str
    own: str
    origin: Origin

    @property
    def text(self) -> str:
        return self.own

    @property
    def deleted(self) -> bool:
        return _is_deleted(self.own)


@dataclass(frozen=True)
class Subparagraph:
    """호; ``number`` is '1' or '1의2'."""

    number: str
    own: str
    items: tuple[Item, ...]
    origin: Origin

    @property
    def text(self) -> str:
        return self.own + "".join(item.text for item in self.items)

    @property
    def deleted(self) -> bool:
        return not self.items and _is_deleted(self.own)


@dataclass(frozen=True)
class Paragraph:
    """항; ``number`` is None for an article that is not divided into 항."""

    number: int | None
    own: str
    subparagraphs: tuple[Subparagraph, ...]
    origin: Origin

    @property
    def text(self) -> str:
        return self.own + "".join(part.text for part in self.subparagraphs)

    @property
    def deleted(self) -> bool:
        return not self.subparagraphs and _is_deleted(self.own)


@dataclass(frozen=True)
class Article:
    """조; ``number`` is '제59조의4'.  ``notes`` are the closing lines such as [전문개정 2009.12.31]."""

    number: str
    heading: str
    paragraphs: tuple[Paragraph, ...]
    notes: str
    origin: Origin

    @property
    def text(self) -> str:
        return "".join(part.text for part in self.paragraphs) + self.notes

    @property
    def deleted(self) -> bool:
        return bool(self.paragraphs) and all(part.deleted for part in self.paragraphs)

    def paragraph(self, number: int) -> Paragraph | None:
        """제N항, or None; an article without 항 is its own first one."""
        for part in self.paragraphs:
            if part.number == number or (part.number is None and number == 1):
                return part
        return None


@dataclass(frozen=True)
class Statute:
    """One act, decree or rule in one version; ``deleted``: the version repeals it (폐지)."""

    origin: Origin
    articles: tuple[Article, ...]
    deleted: bool = False

    def article(self, number: str) -> Article | None:
        """'제59조의4', or None."""
        return next((article for article in self.articles if article.number == number), None)


@dataclass(frozen=True)
class Problem:
    """A place whose numbering does not run on, so that the tree may be wrong there."""

    law: str
    article: str
    line: str
    reason: str


def read_statute(file: Path, root: Path | None = None) -> Statute | None:
    """One file (.md of legalize-kr, .json of law.go.kr) as a tree; None when it holds no article.

    Raises SourceError naming the file when it is not in the layout it claims.
    """
    try:
        raw = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        raise SourceError(f"법령 파일을 읽을 수 없습니다: {file}\n  {exc}") from exc
    if file.suffix == ".md":
        articles = read_markdown(file, root)
        facts = dict(_FRONT_FACT.findall(raw.split("\n---", 1)[0]))
    else:
        articles = read_law_json(raw, file, file.relative_to(root).as_posix() if root else file.name)
        facts = json.loads(raw)["법령"]["기본정보"]
    if not articles:
        return None
    law_id, number = str(facts.get("법령ID") or ""), str(facts.get("공포번호") or "")
    first = articles[0]
    day = _compact_day(facts.get("시행일자")) or first.effective
    origin = Origin(first.law, law_id, day, first.promulgated, number, first.source)
    later = read_api_dates(str(facts.get("조문시행일자문자열") or ""), first.law, number, first.promulgated)
    repealed = "폐지" in f"{facts.get('상태') or ''}{facts.get('제개정구분') or ''}"
    return Statute(origin, tuple(parse_article(article, law_id, number, later) for article in articles), repealed)


def parse_article(
    article: StatuteArticle, law_id: str = "", number: str = "", later: tuple[PendingAmendment, ...] = ()
) -> Article:
    """The tree of one article; ``parse_article(a).text == a.text`` for every text.

    ``later``: days of parts of it, as ``read_api_dates`` gives them.
    """
    later = tuple(fact for fact in later if fact.article == article.article and fact.effective)
    origin = Origin(article.law, law_id, article.effective, article.promulgated, number, article.source)
    lines = article.text.splitlines(keepends=True)
    end = len(lines)
    while end and _NOTE.fullmatch(lines[end - 1]):
        end -= 1
    if end == 0:  # nothing but notes: they are the article
        end = len(lines)
    paragraphs = []
    for mark, block in _blocks(lines[:end], _paragraph_mark):
        at = CIRCLED.index(mark) + 1 if mark else None
        place = _own_day(origin, later, (at, None, None))
        own, subparagraphs = _subparagraphs(block, place, at, later)
        paragraphs.append(Paragraph(at, own, subparagraphs, place))
    return Article(article.article, article.heading, tuple(paragraphs), "".join(lines[end:]), origin)


def find_problems(article: Article) -> Iterator[Problem]:
    """Numbers that do not run on: ③ after ①, 5. after 3., 다. after 가."""
    last = 0
    for paragraph in article.paragraphs:
        if paragraph.number is not None:
            if paragraph.number != last + 1:
                yield _problem(article, paragraph.own, f"제{last}항 다음에 제{paragraph.number}항")
            last = paragraph.number
        before = (0, 0)
        for part in paragraph.subparagraphs:
            base, _, branch = part.number.partition("의")
            now = (int(base), int(branch or 0))
            if now <= before or (now[0] > before[0] + 1) or (now[1] and not now[0]):
                yield _problem(article, part.own, f"제{before[0]}호 다음에 제{part.number}호")
            before = now
            place = -1
            for item in part.items:
                base = ITEMS.find(item.number[0])
                if base < 0 or base != (place if "의" in item.number else place + 1):
                    yield _problem(
                        article, item.own, f"{ITEMS[place] if place >= 0 else '처음'} 다음에 {item.number}목"
                    )
                place = base


def _paragraph_mark(line: str, last: str | None) -> str | None:
    match = _PARAGRAPH.match(line)
    return match[1] if match else None


def _subparagraph_mark(line: str, last: str | None) -> str | None:
    match = _SUBPARAGRAPH.match(line)
    return (match[1] + (f"의{match[2]}" if match[2] else "")) if match else None


def _item_mark(line: str, last: str | None) -> str | None:
    match = _ITEM.match(line)
    if match is None or match[2] not in ITEMS:
        return None
    # Four spaces mark a 목; some runs of them go on behind tabs, recognised only by carrying on the order.
    follows = last is not None and ITEMS.index(match[2]) == ITEMS.index(last[0]) + 1
    return match[2] + (f"의{match[3]}" if match[3] else "") if match[1] == "    " or follows else None


def _blocks(lines: list[str], mark) -> list[tuple[str | None, list[str]]]:
    """Lines cut before each one that ``mark(line, last mark)`` names; what stands before the first has the mark None."""
    blocks: list[tuple[str | None, list[str]]] = []
    last = None
    for line in lines:
        name = mark(line, last)
        if name is not None or not blocks:
            blocks.append((name, []))
            last = name or last
        blocks[-1][1].append(line)
    return blocks


def _own_day(
    origin: Origin, later: tuple[PendingAmendment, ...], place: tuple[int | None, str | None, str | None]
) -> Origin:
    """The origin with the day of exactly this place (항, 호, 목), where one is given."""
    days = [fact.effective for fact in later if (fact.paragraph, fact.subparagraph, fact.item) == place]
    # An article without 항 is named as a whole, and its own day says so already.
    return replace(origin, effective=days[0]) if days and any(place) and days[0] else origin


def _compact_day(text: object) -> date | None:
    """20260102 of a response; the dates of Markdown are read with its articles."""
    return date.fromisoformat(text) if isinstance(text, str) and re.fullmatch(r"\d{8}", text) else None


def _subparagraphs(
    lines: list[str], origin: Origin, paragraph: int | None, later: tuple[PendingAmendment, ...]
) -> tuple[str, tuple[Subparagraph, ...]]:
    own, parts = "", []
    for name, block in _blocks(lines, _subparagraph_mark):
        if name is None:
            own = "".join(block)
            continue
        lead, items = "", []
        place = _own_day(origin, later, (paragraph, name, None))
        for letter, words in _blocks(block, _item_mark):
            if letter is None:
                lead = "".join(words)
            else:
                items.append(Item(letter, "".join(words), _own_day(place, later, (paragraph, name, letter))))
        parts.append(Subparagraph(name, lead, tuple(items), place))
    return own, tuple(parts)


def _is_deleted(own: str) -> bool:
    return _DELETED.match(_LABEL.sub("", own, count=1)) is not None


def _problem(article: Article, words: str, reason: str) -> Problem:
    return Problem(article.origin.law, article.number, words.split("\n", 1)[0][:60], reason)
