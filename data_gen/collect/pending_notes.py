"""What a reader of an article must know beside its text: amendments that stand in it and are not the law yet, and what
changed since an older version.

Facts for a teacher, in Korean sentences; which version is in force is the business of law_folders.py.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from taxlaw.addenda import PendingAmendment, pending
from taxlaw.statutes import StatuteArticle
from taxlaw.structure import Article, parse_article

MOST_LINES = 12
_LONGEST = 60
# <개정 2025. 12. 23.>: when a line was amended, not what it says.
_MARK = re.compile(r"\s*<[^<>]*\d{4}\.[^<>]*>|\s*\[[^\[\]]*\d{4}\.[^\[\]]*\]")
_BOX = re.compile(r"[\u2500-\u257f]+")  # the lines of a table drawn with characters
# '100분의 11에' is one word: half of it tells nobody what changed.
_WORD = re.compile(r"[^\s\d]*\d+분의\s\d+\S*|\s+|\S+")
_LABEL = re.compile(r"\A\s*(?:[①-⑳㉑-㊿]|\d+(?:의\d+)?\.|[가-힣](?:의\d+)?\.)\s*")


@dataclass(frozen=True)
class Change:
    """One place of an article (제3항, 제1항제2호가목; '' for an undivided one) whose words differ; '' where it did not exist."""

    place: str
    old: str
    new: str


def notes_for(
    law: str, article: str, as_of: date, extra: tuple[PendingAmendment, ...] = (), changes: tuple[Change, ...] = ()
) -> tuple[str, ...]:
    """A Korean sentence for each amendment of the article that is promulgated and not, or not surely, the law on the date.

    ``law``: full name or abbreviation, ``article``: '제17조'.  ``extra``: more facts (``read_api_dates``).  ``changes``
    (``differences`` with an older version) let the sentence name the words that wait.  Soonest first; empty when none.
    """
    return tuple(_sentence(fact, as_of, changes) for fact in pending(law, article, as_of, extra=extra))


def changes_between(old: StatuteArticle | None, new: StatuteArticle | None) -> tuple[str, ...]:
    """What differs between two versions of an article, one Korean line for each 항, 호 or 목, at most twelve and a count.

    None stands for a version that has no such article.  Marks of amendment and spacing are no difference; empty when
    nothing else differs.
    """
    if new is None or (new.deleted and not (old is None or old.deleted)):
        return ("조문이 없어졌다(삭제).",) if old and not old.deleted else ()
    if old is None or old.deleted:
        return ("조문이 새로 생겼다(신설).",) if not new.deleted else ()
    head = f"공포 {_dotted(old.promulgated)} 본문 → 공포 {_dotted(new.promulgated)} 본문"
    lines = [f"제목: '{old.heading}' → '{new.heading}'"] if _plain(old.heading) != _plain(new.heading) else []
    lines += [_line(change) for change in differences(old, new)]
    more = len(lines) - MOST_LINES
    shown = lines[:MOST_LINES] + ([f"그 밖에 달라진 곳 {more}군데"] if more > 0 else [])
    return tuple(f"{head}, {line}" for line in shown)


def differences(old: StatuteArticle, new: StatuteArticle) -> tuple[Change, ...]:
    """Every 항, 호 and 목 whose own words differ, in the order of the new text; what is gone comes last."""
    before, after = dict(_places(parse_article(old))), dict(_places(parse_article(new)))
    order = [*after, *(place for place in before if place not in after)]
    found = (Change(place, before.get(place, ""), after.get(place, "")) for place in order)
    return tuple(change for change in found if change.old != change.new)


def replaced_words(change: Change) -> tuple[tuple[str, str], ...]:
    """(old, new) stretches of whole words that differ; punctuation that both ends share is cut off."""
    old, new = _WORD.findall(change.old), _WORD.findall(change.new)
    steps = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    pairs = [("".join(old[a:b]).strip(), "".join(new[c:d]).strip()) for tag, a, b, c, d in steps if tag != "equal"]
    return tuple((was, now) for was, now in pairs if was or now)


def _sentence(fact: PendingAmendment, as_of: date, changes: tuple[Change, ...]) -> str:
    said = fact.note(as_of)
    if fact.kind != "시행일" or not fact.settled or fact.new or fact.steps:
        return said
    place = fact.place.removeprefix(f"{fact.law} {fact.article}")
    words = [pair for change in changes if place and change.place == place for pair in replaced_words(change)]
    told = [f"'{now}'(이전 '{was}')" for was, now in words if was and now and len(was + now) <= _LONGEST]
    named = f" 이전 본문과 다른 말: {', '.join(told[:3])}." if told else ""
    # The text at hand may be of a version before this amendment or after it.
    return f"{said} 본문에 이 개정이 적혀 있으면 그 문구를 기준일({_dotted(as_of)})의 규정으로 설명하지 말 것.{named}"


def _line(change: Change) -> str:
    place = change.place or "본문"
    if not change.old:
        return f"{place}: 신설 '{_short(change.new)}'"
    if not change.new or re.fullmatch(r"삭제", change.new):
        return f"{place}: 삭제 (이전: '{_short(change.old)}')"
    pairs = replaced_words(change)
    told = [f"'{_short(was)}' → '{_short(now)}'" for was, now in pairs if was and now]
    told += [f"'{_short(now)}' 추가" for was, now in pairs if not was]
    told += [f"'{_short(was)}' 없어짐" for was, now in pairs if not now]
    shown = "; ".join(told[:3])
    return f"{place}: {shown}" + (f"; 그 밖에 {len(told) - 3}곳" if len(told) > 3 else "")


def _places(article: Article) -> Iterator[tuple[str, str]]:
    for paragraph in article.paragraphs:
        name = f"제{paragraph.number}항" if paragraph.number else ""
        yield name, _plain(_LABEL.sub("", paragraph.own))
        for part in paragraph.subparagraphs:
            ho = f"{name}제{_branched(part.number, '호')}"
            yield ho, _plain(_LABEL.sub("", part.own))
            for item in part.items:
                yield ho + _branched(item.number, "목"), _plain(_LABEL.sub("", item.own))


def _branched(number: str, unit: str) -> str:
    base, _, branch = number.partition("의")
    return base + unit + (f"의{branch}" if branch else "")


def _plain(text: str) -> str:
    return " ".join(_BOX.sub(" ", _MARK.sub("", text)).split())


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _dotted(day: date | None) -> str:
    return f"{day.year}. {day.month}. {day.day}." if day else "?"
