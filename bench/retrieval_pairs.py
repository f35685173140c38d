"""Questions with the articles that answer them, from what this repository has and from what lies beside it.

Each pair names its document, so that the two halves (validation, test) share no document, and so that a ruling's own text
can be kept out of its own search.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from taxlaw.citations import find_citations

REPO = Path(__file__).resolve().parents[1]
AS_OF = date(2026, 6, 1)
QUESTIONS = REPO / "bench" / "retrieval_questions.jsonl"
RECORDINGS = REPO / "data_gen" / "recordings"


@dataclass(frozen=True)
class Pair:
    """``group``: where it is from; ``articles``: '소득세법 제55조', any of which answers; ``document``: what it was made from."""

    group: str
    question: str
    articles: frozenset[str]
    document: str
    as_of: date = AS_OF

    @property
    def half(self) -> str:
        """'validation' or 'test', by the document (for our own questions by their first article)."""
        return "test" if hashlib.sha256(self.document.encode()).digest()[0] % 2 else "validation"


def load_pairs() -> list[Pair]:
    """Every pair at hand, each question once."""
    seen: dict[str, Pair] = {}
    for pair in (*_own(), *_recorded(), *_rulings(), *_datasets()):
        if pair.articles:
            seen.setdefault(pair.question, pair)
    return list(seen.values())


def _own() -> Iterator[Pair]:
    for row in _lines(QUESTIONS):
        yield Pair("own", row["question"], _named(row["articles"]), row["articles"][0])


def _recorded() -> Iterator[Pair]:
    """Questions that were recorded for the dataset: over the digest, and over the casebook."""
    for file in sorted(RECORDINGS.glob("*.jsonl")):
        for row in _lines(file):
            document, response = row["document_id"], row["response"]
            group = "digest" if document.startswith("law:") else "casebook" if "casebook" in document else ""
            turns = [response[who] | {"who": who} for who in ("expert", "plain") if who in response] or [response]
            for turn in turns if group else ():
                if "question" in turn and turn.get("articles"):
                    yield Pair(group, turn["question"], _named(turn["articles"]), document)


def _rulings() -> Iterator[Pair]:
    """The question of a ruling (쟁점) and the articles it rests on (관련법령)."""
    from taxlaw.search.sources import found_folders, gather, source_files

    files = [file for file in source_files(found_folders(REPO)) if "nts_rulings" in file.parts]
    for entry in gather(files):
        passage = entry.passage
        if passage.kind == "ruling" and entry.cites and "기본통칙" not in passage.title:
            cited = frozenset(f"{law} {article}" for law, article in entry.cites)
            yield Pair("rulings", passage.heading, cited, passage.id)


def _datasets() -> Iterator[Pair]:
    for name in ("validation", "test"):
        file = REPO / "datasets" / "demo" / f"{name}.jsonl"
        for row in _lines(file) if file.is_file() else ():
            if row["articles"] and row["style"] != "worked":
                document = row["provenance"]["document_id"]
                yield Pair(
                    "dataset", row["question"], _named(row["articles"]), document, date.fromisoformat(row["as_of"])
                )


def _named(articles: list[str]) -> frozenset[str]:
    """Articles without their paragraphs."""
    return frozenset(f"{c.law} {c.article}" for text in articles for c in find_citations(text))


def _lines(file: Path) -> Iterator[dict]:
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.strip():
            yield json.loads(line)
