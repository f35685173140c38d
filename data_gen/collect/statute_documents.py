"""One article (조) becomes one Document: its words whole, every 항, 호 and 목 a named part of them, its standing on the date.

The parts that lie in no other part follow one another without a gap, so that joining them gives the text back.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from data_gen.documents import Document, Part
from data_gen.rows import short_hash
from taxlaw.addenda import PendingAmendment, pending
from taxlaw.law_names import act_of, full_name
from taxlaw.statutes import StatuteArticle
from taxlaw.structure import Article
from taxlaw.versions import version_on

HEAD, BODY, CLOSING = "머리", "본문", "연혁"


_AREAS = {
    "국세기본법": "국세기본",
    "상속세 및 증여세법": "상속증여세",
    "국제조세조정에 관한 법률": "국제조세",
    "조세특례제한법": "조세특례",
    "지방세기본법": "지방세",
    "지방세특례제한법": "지방세",
}


def area_of(law: str) -> str:
    """'소득세법 시행령' -> '소득세'."""
    act = act_of(law)
    return _AREAS.get(act, act.removesuffix("법"))


def statute_document(
    article: Article,
    as_of: datetime.date,
    later: tuple[PendingAmendment, ...] = (),
    before: StatuteArticle | None = None,
) -> Document:
    """``later``: days of parts of the article as its law.go.kr response gives them (``read_api_dates``); ``before``: the
    article in the version before, so that the notes can say what changed.
    """
    origin = article.origin
    law = full_name(origin.law) or origin.law
    name = f"{law} {article.number}"
    title = f"{name}({article.heading})" if article.heading else name
    head = f"{title}\n시행일: {origin.effective.isoformat()}\n"
    text = head + article.text
    return Document(
        id=f"law:{law}:{article.number}",
        kind="openapi",
        title=title,
        text=text,
        as_of=as_of,
        area=area_of(law),
        version=short_hash(text),
        family=f"law:{name}",
        articles=(name,),
        fault=standing_fault(article, law, as_of, later),
        parts=(Part(HEAD, 0, len(head)), *_parts(article, len(head))),
        notes=_notes(law, article, as_of, later, before),
        meta=(
            ("law", law),
            ("article", article.number),
            ("law_id", origin.law_id),
            ("promulgated", origin.promulgated.isoformat()),
            ("number", origin.number),
            ("effective", origin.effective.isoformat()),
            ("source", origin.source),
        ),
    )


def standing_fault(article: Article, law: str, as_of: datetime.date, later: tuple[PendingAmendment, ...] = ()) -> str:
    """Why this text is not the law on the date (Korean), else empty."""
    origin = article.origin
    if origin.promulgated > as_of:
        return f"기준일 {as_of} 뒤에 공포된 판의 글 (공포 {origin.promulgated})"
    if origin.effective > as_of:
        return f"기준일 {as_of}에 아직 시행되지 않은 조문 (시행 {origin.effective})"
    whole = [
        fact
        for fact in pending(law, article.number, as_of, extra=later)
        if fact.kind == "시행일" and fact.settled and not (fact.paragraph or fact.subparagraph or fact.partial)
    ]
    for fact in whole:
        # A figure that grows by steps is the law of each step; the note names the one of the date.
        if not fact.steps:
            return f"기준일 {as_of}에 아직 시행되지 않은 글 (조문 전체의 개정이 {fact.effective}부터 시행)"
    standing = version_on(law, as_of)
    if standing and (standing.promulgated, int(standing.number)) > (origin.promulgated, _number(origin.number)):
        return (
            f"기준일 {as_of}의 판이 아닌 글: 제{origin.number or '?'}호({origin.promulgated} 공포)의 글인데 "
            f"그 날의 판은 제{standing.number}호({standing.promulgated} 공포)"
        )
    return ""


def _number(text: str) -> int:
    digits = "".join(filter(str.isdigit, text))
    # Without a number the day alone decides: a text of the same day counts as the version itself.
    return int(digits) if digits else 10**9


def _parts(article: Article, at: int) -> Iterator[Part]:
    """항, 호 and 목 in reading order, each before what lies inside it; ``at``: where the article's words begin."""
    for paragraph in article.paragraphs:
        name = f"제{paragraph.number}항" if paragraph.number else ""
        if paragraph.text:
            yield Part(name or BODY, at, at + len(paragraph.text))
        at += len(paragraph.own)
        for subparagraph in paragraph.subparagraphs:
            base, _, branch = subparagraph.number.partition("의")
            ho = f"{name}제{base}호" + (f"의{branch}" if branch else "")
            yield Part(ho, at, at + len(subparagraph.text))
            at += len(subparagraph.own)
            for item in subparagraph.items:
                letter, _, branch = item.number.partition("의")
                yield Part(f"{ho}{letter}목" + (f"의{branch}" if branch else ""), at, at + len(item.text))
                at += len(item.own)
    if article.notes:
        yield Part(CLOSING, at, at + len(article.notes))


def plain_article(article: Article) -> StatuteArticle:
    """The article as taxlaw's readers give it, for comparing two versions."""
    origin = article.origin
    law = full_name(origin.law) or origin.law
    days = (origin.effective, origin.promulgated)
    return StatuteArticle(law, article.number, article.heading, article.text, *days, origin.source)


def _notes(
    law: str,
    article: Article,
    as_of: datetime.date,
    later: tuple[PendingAmendment, ...],
    before: StatuteArticle | None,
) -> tuple[str, ...]:
    from data_gen.collect.pending_notes import changes_between, differences, notes_for

    now = plain_article(article)
    changes = differences(before, now) if before else ()
    waiting = notes_for(law, article.number, as_of, extra=later, changes=changes)
    return waiting + (changes_between(before, now) if before else ())
