"""Evidence-grounded rows: what a search finds stands in the prompt, and the answer quotes the right one of the finds.

The student learns to choose among the sources shown, to name article and effective date, and to quote instead of recite.
Articles of ``held_out`` are shown in no training row, neither as the right source nor beside it.
"""

from __future__ import annotations

import datetime
import hashlib
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from data_gen.grounded.questions import Quotable, ask, quotables
from data_gen.rows import Candidate, Provenance, Row, short_hash
from data_gen.settings import GroundedSettings
from data_gen.worked.words import EVERY_WORDING, fill, pick
from taxlaw.evidence_prompt import sources_text
from taxlaw.law_names import compact
from taxlaw.search.passages import Hit, Passage
from taxlaw.search.search import Search, open_search

EXPERT = (
    "{where}({heading})에 따르면 “{quote}” {day}부터 시행된 규정입니다.",
    "근거는 {where}({heading})입니다. “{quote}” 시행일은 {day}입니다.",
)
# The article's name stands first here as well: which source is right is then decided before a word of it is copied.
PLAIN = ("{where}에 이렇게 적혀 있습니다. “{quote}” ({day} 시행)",)
_PER_ARTICLE = 4


def grounded_candidates(
    settings: GroundedSettings, folders: Sequence[Path], as_of: datetime.date, seed: int
) -> Iterator[Candidate]:
    """Up to ``settings.count`` rows for training and validation, then up to ``settings.held_out`` of unseen articles."""
    if not (settings.count or settings.held_out):
        return
    search = open_search(folders)
    articles = [passage for passage in _articles(search, as_of) if passage.effective_from is not None]
    bearers: dict[str, set[str]] = {}
    for passage in articles:
        bearers.setdefault(compact(passage.heading), set()).add(passage.title)
    rng = random.Random(f"grounded:{seed}")
    apart = {passage.title for passage in articles if _is_apart(passage, settings.share_apart)}
    for held_out, count in ((False, settings.count), (True, settings.held_out)):
        found = [one for passage in articles if (passage.title in apart) == held_out for one in _some(passage, rng)]
        rng.shuffle(found)
        made, asked = 0, set()
        # A second round asks about the same paragraphs in other words.
        for one in [*found, *found]:
            if made == count:
                break
            question = ask(one, rng, EVERY_WORDING, bearers)
            hits = _shown(search, question, one, as_of, settings.sources, rng, apart, held_out)
            row = _row(question, one, hits, as_of, made % 2 == 0, rng, held_out)
            if row is None or question in asked:
                continue
            asked.add(question)
            made += 1
            yield Candidate(row)


def _articles(search: Search, as_of: datetime.date) -> Iterator[Passage]:
    for rows in search.index.articles.values():
        for row in rows:
            passage = search.index.passage(row)
            begun = passage.effective_from is None or passage.effective_from <= as_of
            ended = passage.effective_to is not None and passage.effective_to <= as_of
            if passage.kind == "article" and begun and not ended:
                yield passage


def _is_apart(passage: Passage, share: float) -> bool:
    """By a hash of the article's name: the same articles are held out whatever the folder holds beside them."""
    return int.from_bytes(hashlib.sha256(f"apart {passage.title}".encode()).digest()[:4]) / 2**32 < share


def _some(passage: Passage, rng: random.Random) -> list[Quotable]:
    found = list(quotables(passage))
    return rng.sample(found, min(len(found), _PER_ARTICLE))


def _shown(
    search: Search,
    question: str,
    one: Quotable,
    as_of: datetime.date,
    sources: int,
    rng: random.Random,
    apart: set[str],
    held_out: bool,
) -> tuple[Hit, ...]:
    """What the search finds.  For training the right source is put in when it was missed; for the test nothing is helped."""
    hits = list(search.find(question, as_of, sources))
    if held_out:
        return tuple(hits)
    hits = [hit for hit in hits if hit.passage.title not in apart]
    if all(hit.passage.id != one.passage.id for hit in hits):
        hits = hits[: sources - 1]
        hits.insert(rng.randint(0, len(hits)), Hit(one.passage, 0.0, 0))
    return tuple(hits)


def _row(
    question: str,
    one: Quotable,
    hits: tuple[Hit, ...],
    as_of: datetime.date,
    expert: bool,
    rng: random.Random,
    held_out: bool,
) -> Row | None:
    """The row; None for training when the budget of the evidence cut the very sentence the answer quotes."""
    evidence = sources_text(question, hits)
    quote = " ".join(one.sentence.split())
    if not held_out and quote not in " ".join(evidence.split()):
        return None
    passage = one.passage
    words = {"where": one.where, "heading": passage.heading, "quote": quote, "day": _day(passage.effective_from)}
    style = "expert" if expert else "plain"
    name = f"grounded:{short_hash(f'{one.where} {question}')}"
    return Row(
        id=f"openapi:{name}:{style}",
        question=question,
        answer=fill(pick(rng, EXPERT if expert else PLAIN), **words),
        type="teacher" if expert else "student",
        style=style,
        source="openapi",
        tax=passage.title.partition(" ")[0],
        as_of=as_of.isoformat(),
        articles=(passage.title,),
        call=None,
        payable=None,
        family=f"grounded:{passage.title}",
        evidence=evidence,
        held_out="documents" if held_out else "",
        provenance=Provenance(
            document_id=name,
            document_version=short_hash(passage.text),
            teacher="templates",
            model="taxlaw.search",
            note="질문은 틀에서, 답은 조문 인용 (templates and quotation, no model)",
        ),
    )


def _day(day: datetime.date) -> str:
    return f"{day.year}년 {day.month}월 {day.day}일"
