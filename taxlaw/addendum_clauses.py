"""Reads the clauses of an addendum (부칙): which amended provision takes effect, or applies, from which day.

Knows the sentences drafters use (시행일, 적용례, 경과조치); does not know which clauses exist (see addenda.py), and
says ``last=None`` instead of guessing where a clause leaves the day to a decree, another law or an event.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType

from taxlaw.citations import find_citations
from taxlaw.law_names import compact

NOTHING: Mapping[str, date] = MappingProxyType({})
_DAY = re.compile(r"(\d{4})년\s*(\d{1,2})월\s*(\d{1,2})일")
_AFTER = re.compile(
    r"공포(?:한 날부터|\s?후)\s*(?:(\d+)\s?년\s*)?(?:(\d+)\s?(개월|일))?\s?(?:이|을)?\s*(?:경과|지)[난한]"
)
_NEXT_MONTH = re.compile(r"공포일이 속하는 달의 다음\s?달 1일")
_AT_MOST = re.compile(r"(\d+)\s?(개월|년)[이을]?\s*(?:넘지|초과하지)")
_ELSEWHERE = re.compile(r"대통령령으로 정하는 날|(?:법률|법|영|령|조약|협정)의 시행일|효력을 가지는 날|효력이 발생")
_DAY_OF_ACT = re.compile(r"법률 제(\d+)호[^.\n]{0,60}의 시행일")
_MAIN = re.compile(r"이\s?(?:법|영|규칙|령)은\s*(.{0,80}?)부터\s*시행한다")
_AMENDING_ACT = re.compile(
    r"(?:법률|대통령령|[가-힣]+부령)\s*제(\d+)호\s*(?P<name>[가-힣ㆍ·,\s]{2,60}?)\s*(?:일부|전부)?개정(?:법률|령)"
    r"(?:\((?:[^()]|\([^()]*\))*\))?\s*(?:중\s*)?(?=제\s?\d|별표)"
)
_BRACKET = re.compile(r"\((?:[^()]|\([^()]*\))*\)")
_LIMITS = re.compile(r"한정|제외|부분|관련")
_TABLE = re.compile(r"별표\s?(?P<number>\d+(?:의\d+)?)?(?!\s?서식)")
_NUMBERED = re.compile(r"^\s*(\d+(?:의\d+)?)\.\s*(.*)$")
_LETTERED = re.compile(r"^\s*[가-하]\.\s")
_STEP = re.compile(
    r"^\s*\d+\.\s*(\d{4}년 \d+월 \d+일)부터\s*(\d{4}년 \d+월 \d+일)까지[^:\n]{0,30}:\s*([^\n.]{1,14})\s*$", re.MULTILINE
)
_PERIOD_OF_START = re.compile(r"시행일이 속하는 (?:과세기간|과세연도|연도)")
_CLAUSE_HEAD = re.compile(r"\A\s*제\d+조(?:의\d+)?\s*(?:\((?:[^()]|\([^()]*\))*\))?\s*")


@dataclass(frozen=True)
class Target:
    """One amended provision; ``partial``: only a part of it is meant; ``original``: number of an earlier amending act."""

    article: str  # '제57조의2' or '별표 2'
    paragraph: int | None = None
    subparagraph: str | None = None
    item: str | None = None
    partial: bool = False
    original: str | None = None


@dataclass(frozen=True)
class Effect:
    """``targets`` take effect not before ``first`` and certainly from ``last`` on; equal days mean settled."""

    targets: tuple[Target, ...]
    first: date | None
    last: date | None
    steps: tuple[tuple[date, date, str], ...] = ()
    kind: str = "시행일"


def find_days(text: str) -> list[date]:
    """Every '2026년 7월 1일' in the text."""
    return [date(*map(int, found)) for found in _DAY.findall(text)]


def elapsed(promulgated: date, count: int, unit: str) -> date:
    """The day '공포 후 6개월이 경과한 날': the count starts on the day after promulgation (민법 제157조, 제160조)."""
    start = promulgated + timedelta(days=1)
    if unit == "일":
        return start + timedelta(days=count)
    months = start.month - 1 + count * (12 if unit == "년" else 1)
    year, month = start.year + months // 12, months % 12 + 1
    following = date(year + month // 12, month % 12 + 1, 1)
    # No such day in that month: the month runs out, and the day after it is the first of the next.
    return min(date(year, month, 1) + timedelta(days=start.day - 1), following)


def read_day(text: str, promulgated: date, known: Mapping[str, date] = NOTHING) -> tuple[date | None, date | None]:
    """(earliest, latest) effective day an expression such as '공포 후 3개월이 경과한 날' names; None where it is open.

    ``known`` settles days that stand elsewhere: 'decree' for 대통령령으로 정하는 날, else the number of a law (공포번호).
    """
    if _ELSEWHERE.search(text):
        elsewhere = _DAY_OF_ACT.search(text)
        day = known.get(elsewhere[1]) if elsewhere else known.get("decree") if "대통령령" in text else None
        if day:
            return day, day
        bound = _AT_MOST.search(text)
        return promulgated, elapsed(promulgated, int(bound[1]), bound[2]) if bound else None
    if days := find_days(text):
        return days[-1], days[-1]
    if after := _AFTER.search(text):
        months = int(after[1] or 0) * 12
        day = elapsed(promulgated, int(after[2] or 0) + months, after[3] or "개월")
        return day, day
    if _NEXT_MONTH.search(text):
        day = date(promulgated.year + promulgated.month // 12, promulgated.month % 12 + 1, 1)
        return day, day
    if re.search(r"공포한? ?날|공포일", text):
        return promulgated, promulgated
    return promulgated, None


def read_targets(law: str, text: str) -> tuple[Target, ...]:
    """The provisions of ``law`` that a phrase names; provisions of another law's amending act are left out."""
    found: list[Target] = []
    pieces, at, original, ours = [], 0, None, True
    for match in _AMENDING_ACT.finditer(text):
        pieces.append((text[at : match.start()], original, ours))
        at, original, ours = match.end(), match[1], compact(match["name"]) == compact(law)
    pieces.append((text[at:], original, ours))
    for piece, number, mine in pieces:
        if mine:
            found += _targets_in(law, piece, number)
    return tuple(dict.fromkeys(found))


def _targets_in(law: str, text: str, original: str | None) -> list[Target]:
    limited = [match.start() for match in _BRACKET.finditer(text) if _LIMITS.search(match[0])]
    # Same length, so that offsets stay: what a bracket names is a condition, not a target.
    plain = _BRACKET.sub(lambda match: " " * len(match[0]), text)
    prefix = f"「{law}」 "  # brackets: read as a name even when the law is not a known one
    found = []
    for citation in find_citations(prefix + plain):
        if citation.law != law:
            continue
        end = citation.end - len(prefix)
        # '법률 제9911호 일부개정법률 제21조': only what that act changed there.
        partial = original is not None or any(
            not plain[end:start].strip(" ") or "개정규정" in plain[end:start] for start in limited if start >= end
        )
        found.append(
            Target(
                citation.article,
                citation.paragraph,
                citation.subparagraph,
                citation.item,
                partial=partial,
                original=original,
            )
        )
    for table in _TABLE.finditer(plain):
        found.append(Target(f"별표 {table['number']}" if table["number"] else "별표", original=original))
    return found


def read_effective_clause(
    law: str, text: str, promulgated: date, known: Mapping[str, date] = NOTHING
) -> tuple[tuple[date | None, date | None], list[Effect]]:
    """The main day of a 시행일 clause as (earliest, latest), and what it delays or brings forward."""
    text = _CLAUSE_HEAD.sub("", text, count=1)
    head = _MAIN.search(text)
    main = read_day(head[1], promulgated, known) if head else (promulgated, None)
    rest = text[head.end() :] if head else text
    lines = rest.split("\n")
    effects = [*_sentences(law, lines[0], promulgated, known)]
    parent: tuple[date | None, date | None] | None = None
    for line in lines[1:]:
        if numbered := _NUMBERED.match(line):
            targets, colon, when = numbered[2].rpartition(":")
            if not colon:
                effects += _sentences(law, numbered[2], promulgated, known)
                parent = read_day(numbered[2], promulgated) if find_days(numbered[2]) else None
                continue
            parent = read_day(when, promulgated, known)
            effects.append(Effect(read_targets(law, targets), *parent))
        elif _LETTERED.match(line) and parent:
            effects.append(Effect(read_targets(law, line), *parent))
    return main, [effect for effect in effects if effect.targets]


def _sentences(law: str, text: str, promulgated: date, known: Mapping[str, date]) -> list[Effect]:
    """'제90조의 개정규정은 2026년 7월 1일부터 시행하고, …': one effect per 시행하고/시행하며/시행한다."""
    effects = []
    for part in re.split(r"시행(?:하고|하며|하되|한다)", text)[:-1]:
        # The day is what follows the last topic marker: '… 개정규정은 [day]부터'.
        what, marker, when = part.rpartition("개정규정은")
        if not marker:
            what, marker, when = part.rpartition("은 ")
        if marker and "각 호" not in what[-20:]:
            effects.append(Effect(read_targets(law, what), *read_day(when, promulgated, known)))
    return effects


def read_transition_clause(
    law: str, text: str, day_of: Callable[[Target], tuple[date | None, date | None]]
) -> list[Effect]:
    """What a 적용례 or 경과조치 limits; ``day_of`` gives the effective day of a target (for '이 법 시행 이후').

    A 경과조치 that keeps the old rule up to a day gives the day after it.  One clause may hold sentences of both kinds.
    """
    text = _CLAUSE_HEAD.sub("", text, count=1)
    effects = []
    for sentence in re.split(r"(?:\A|\n|(?<=다\.)\s*)(?=[①-⑳])", text):
        marker = re.search(r"개정규정(?:은|에도|을|에 따라|에 따른|이|에 대해서는)", sentence)
        if marker is None:
            continue
        before = sentence[: marker.start()]
        kind = "경과조치" if re.search(r"종전(?:의|에는)?\s", sentence) else "적용례"
        # In a 경과조치 the condition comes first: '[condition]에 관하여는 제N조의 개정규정에도 불구하고'.
        condition, _, named = before.rpartition("하여는 ") if kind == "경과조치" else ("", "", before)
        if kind == "경과조치" and not condition:
            condition, named = before, before
        targets = read_targets(law, named)
        if not targets:
            continue
        steps = tuple(
            (*find_days(f"{first} {last}"), figure.strip()) for first, last, figure in _STEP.findall(sentence)
        )
        if steps:
            after = max(step[1] for step in steps) + timedelta(days=1)
            effects.append(Effect(targets, after, after, steps, kind))
        elif kind == "경과조치":
            # '종전의 규정을 적용할 수 있다': both rules live side by side until then.
            choice = re.search(r"(?:적용할|따를) 수 있다", sentence) is not None
            for target in targets:
                own = day_of(target)
                first, last = _old_rule_until(condition, own)
                effects.append(Effect((target,), own[0] if choice else first, last, (), kind))
        else:
            rest = sentence[marker.end() :].split("적용한다", 1)[0]
            effects += [Effect((target,), *_applies_from(rest, day_of(target)), (), kind) for target in targets]
    return effects


def _applies_from(text: str, own: tuple[date | None, date | None]) -> tuple[date | None, date | None]:
    """Day from which '… 이후 …하는 경우부터 적용한다' lets the new rule apply; ``own``: its effective day."""
    days = [
        date(*map(int, match.groups()))
        for match in _DAY.finditer(text)
        if re.match(r"\s*(?:이후|부터)", text[match.end() :])
    ]
    if days:
        return (max(days), max(days)) if len(set(days)) == 1 or max(days) == own[0] else (min(days), max(days))
    if _PERIOD_OF_START.search(text) and own[0]:
        start = date(own[0].year, 1, 1)
        return start, own[1] and start
    if re.search(r"시행\s?(?:이후|당시|일)|시행\s?후|시행\s?전", text):
        return own
    return own[0], None


def _old_rule_until(text: str, own: tuple[date | None, date | None]) -> tuple[date | None, date | None]:
    """First day of the new rule when the old one is kept for what happened before."""
    found = list(_DAY.finditer(text))
    ends = []
    for match in found:
        after = text[match.end() : match.end() + 8]
        if re.match(r"\s*(?:이전|까지)", after):
            ends.append(date(*map(int, match.groups())) + timedelta(days=1))
        elif re.match(r"\s*(?:전|이 속하는)", after):
            day = date(*map(int, match.groups()))
            ends.append(day if after.lstrip().startswith("전") else day + timedelta(days=1))
    if ends:
        return max(ends), max(ends)
    if re.search(r"시행\s?(?:전|당시|일)", text):
        return own
    return own[0], None
