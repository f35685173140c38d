"""What an answer cites, one entry per article, addendum or ruling: its heading, dates, text and public address."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from typing import Any
from urllib.parse import quote

from serve.explanation import Check, CitedSource, TextKind, Tone

_STATUS: dict[str, tuple[str, Tone]] = {
    "found": ("기준일에 시행 중", "good"),
    "deleted": ("삭제된 조문", "bad"),
    "renumbered": ("다른 조로 옮겨진 조문", "bad"),
    "not_yet_in_force": ("아직 시행되지 않은 조문", "bad"),
    "no_such_article": ("없는 조문", "bad"),
    "no_such_law": ("없는 법령", "bad"),
    "law_not_indexed": ("내장 색인에 없는 법령이라 확인하지 못함", "dim"),
    "law_not_named": ("법 이름이 없어 확인하지 못함", "dim"),
    "ruling": ("결정·회신 번호: 색인에 없어 확인하지 못함", "dim"),
    "ruling_found": ("색인에 있는 결정·회신", "good"),
    "addendum": ("부칙: 확인하지 못함", "dim"),
}
_MOST_TEXT = 3000  # characters of one article; the rest is behind its link
_CUT = "\n… (이하 줄임)"


def cited_sources(answer: Any) -> tuple[CitedSource, ...]:
    """One entry per article, in the order of the answer; then addenda and rulings, each once."""
    from taxlaw.citations import find_citations
    from taxlaw.ruling_numbers import find_addenda, find_ruling_numbers

    final = answer.completion.final
    articles: dict[tuple[str | None, str], list[Any]] = {}
    for citation in find_citations(final):
        articles.setdefault((citation.law, citation.article), []).append(citation)
    rulings = {found.key: found for found in reversed(find_ruling_numbers(final))}
    addenda = {found.text: found for found in find_addenda(final)}
    return (
        *(_article(cited, answer) for cited in articles.values()),
        *(_addendum(found) for found in addenda.values()),
        *(_ruling(found, answer) for found in sorted(rulings.values(), key=lambda found: found.start)),
    )


def _article(cited: list[Any], answer: Any) -> CitedSource:
    from taxlaw.articles import index_dates
    from taxlaw.lookup import provision

    first = cited[0]
    # The report of the whole article: its paragraphs are shown together.
    report = provision(_whole(first), answer.as_of)
    words, tone = _STATUS[report.status]
    checks = _checks(answer, [(one.start, one.end) for one in cited])
    if report.moved_to:
        words += f"({report.moved_to})"
    if report.status == "found" and report.confirm:
        words, tone = "시행일 확인 필요", "dim"
    if report.suggestions:
        words += f" (혹시 {', '.join(report.suggestions)}?)"
    early = report.status == "found" and answer.as_of < index_dates()[0]
    if early:
        words, tone = f"{index_dates()[0]}의 색인에 있음, 그 전의 모습은 확인하지 못함", "dim"
    if any(check.severity == "fault" for check in checks):
        tone = "bad"
    text, kind, source = _text(first.law, first.article, _paragraphs(cited), answer)
    there = report.status in ("found", "law_not_indexed")
    settled = report.status not in ("law_not_indexed", "law_not_named") and not (report.confirm or early)
    return CitedSource(
        name=report.citation,
        places=_places(cited),
        status=report.status,
        status_words=words,
        tone=tone,
        in_force=report.status == "found" if settled else None,
        heading=report.heading,
        effective=report.effective if there else None,
        version=f"{report.version.promulgated} 공포 제{report.version.number}호" if there and report.version else None,
        text=text,
        text_kind=kind,
        text_source=source,
        url=_url(first.law, first.article) if report.status not in ("no_such_law", "law_not_named") else None,
        notes=report.notes,
        checks=checks,
    )


def _whole(citation: Any) -> Any:
    return replace(citation, paragraph=None, subparagraph=None, item=None)


def _places(cited: Iterable[Any]) -> tuple[str, ...]:
    """'제1항', '제2항제3호' …: the parts cited, each once."""
    from taxlaw.citations import format_citation

    whole = {format_citation(_whole(one)): one for one in cited}
    head = next(iter(whole))
    names = (format_citation(one).removeprefix(head) for one in cited)
    return tuple(dict.fromkeys(name for name in names if name))


def _paragraphs(cited: list[Any]) -> set[int]:
    """The paragraphs (항) cited; empty when the article is cited as a whole somewhere."""
    numbers = {one.paragraph for one in cited}
    return set() if None in numbers else numbers


def _checks(answer: Any, spans: list[tuple[int, int]]) -> tuple[Check, ...]:
    """What the verifier holds against these places of the answer, or could not confirm."""
    return tuple(
        Check(
            str(finding.kind),
            str(finding.severity),
            finding.message,
            None if finding.expected is None else str(finding.expected),
        )
        for finding in answer.verdict.findings
        if finding.kind == "citation"
        and str(finding.severity) != "confirmed"
        and finding.span
        and any(start < finding.span[1] and finding.span[0] < end for start, end in spans)
    )


# --- the text of an article ---------------------------------------------------------------------------------------
def _text(
    law: str | None, article: str, paragraphs: set[int], answer: Any
) -> tuple[str | None, TextKind | None, str | None]:
    """(text, what it is, where from): the law's own text from the index, else our summary of it."""
    if law is None:
        return None, None, None
    name = f"{law} {article}"
    if name in answer.texts:
        passage = answer.texts[name]
        day = f" · {passage.effective_from} 시행" if passage.effective_from else ""
        return _shorten(passage.text, paragraphs), "statute", f"{passage.source}{day}"
    for entry in _digest().get((law, article), ()):
        return "\n".join((entry.rule, *entry.figures)), "digest", f"{entry.effective} 시행 기준"
    return None, None, None


@cache
def _digest() -> dict[tuple[str, str], list[Any]]:
    from taxlaw.digest import load_digest
    from taxlaw.law_names import full_name

    found: dict[tuple[str, str], list[Any]] = {}
    for entry in load_digest():
        found.setdefault((full_name(entry.law) or entry.law, entry.article), []).append(entry)
    return found


def _shorten(text: str, paragraphs: set[int]) -> str:
    """The paragraphs cited, else the whole; no longer than a screen or two."""
    from taxlaw.structure import CIRCLED

    blocks = re.split(rf"\n(?=\s?[{CIRCLED}])", text)
    if paragraphs and len(blocks) > 1:
        wanted = {CIRCLED[number - 1] for number in paragraphs if 0 < number <= len(CIRCLED)}
        chosen = [block for block in blocks if block.lstrip()[:1] in wanted]
        text = "\n".join(chosen) or text
    return text if len(text) <= _MOST_TEXT else text[:_MOST_TEXT].rstrip() + _CUT


def _url(law: str | None, article: str) -> str | None:
    """The page of the article at 국가법령정보센터."""
    return f"https://www.law.go.kr/법령/{quote(law.replace(' ', ''))}/{quote(article)}" if law else None


# --- what is no article -------------------------------------------------------------------------------------------
def _ruling(found: Any, answer: Any) -> CitedSource:
    passage = answer.texts.get(found.key)
    words, tone = _STATUS["ruling" if passage is None else "ruling_found"]
    if passage is None:
        return CitedSource(found.text, (), "ruling", words, tone, None)
    late = passage.effective_from is not None and passage.effective_from > answer.as_of
    return CitedSource(
        name=found.text,
        places=(),
        status="ruling",
        status_words=words,
        tone=tone,
        in_force=None,
        heading=passage.heading or None,
        effective=passage.effective_from,
        text=_shorten(passage.text, set()) or None,
        text_kind="ruling",
        text_source=passage.source,
        url=passage.url or None,
        notes=("기준일보다 뒤에 나온 결정·회신입니다.",) if late else (),
    )


def _addendum(found: Any) -> CitedSource:
    words, tone = _STATUS["addendum"]
    return CitedSource(found.text, (), "addendum", words, tone, None)
