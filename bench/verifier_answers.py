"""Answers known to be right, for the mutation suite: worked examples, recorded answers, and facts of the statute index.

Each says what the verifier is given beside it: the document's text as evidence, the headings of the articles, or nothing.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from data_gen.documents import REPO_ROOT, Document, load_library
from data_gen.settings import DocumentSettings, WorkedSettings
from data_gen.worked.candidates import worked_candidates
from taxlaw.articles import indexed_laws, lookup
from taxlaw.digest import load_digest
from taxlaw.errors import SourceError

AS_OF = date(2026, 6, 1)
RECORDINGS = REPO_ROOT / "data_gen" / "recordings"
SHARED = REPO_ROOT.parent / "shared" / "data"


@dataclass(frozen=True)
class Sample:
    """One answer.  ``source``: worked, casebook, digest, fact, quotation or ruling; ``call``: the calculator call of a worked one."""

    question: str
    answer: str
    as_of: date
    evidence: str | None
    source: str
    call: str | None = None


def correct_answers(worked: int, facts: int, seed: int) -> list[Sample]:
    """Worked examples, recorded answers and quotations (with the document as evidence), ``facts`` statements of the index."""
    rng = random.Random(f"verifier:{seed}")
    return [*_worked(worked, seed), *recorded(), *_digest_rules(), *_headings(facts, rng), *_quotations()]


def _worked(count: int, seed: int) -> Iterator[Sample]:
    settings = WorkedSettings(count=count, shares={"gift": 4, "income": 3, "vat_simplified": 2, "corporate": 2})
    for candidate in worked_candidates(settings, AS_OF, seed):
        row = getattr(candidate, "row", None)
        if row is not None:  # a failure is a case outside the calculators
            yield Sample(row.question, row.answer, AS_OF, None, "worked", row.call)


def recorded(statutes: str = "none") -> list[Sample]:
    """The recorded teacher's answers; ``statutes`` 'auto' gives the text of the law instead of our digest as evidence."""
    documents = {document.id: document for document in _documents(statutes)}
    samples = []
    for path in sorted(RECORDINGS.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").split("\n"):
            record = json.loads(line) if line else {"document_id": "", "prompt": ""}
            # The other tasks have forms of their own, and answers that are not about one document alone.
            document = documents.get(record["document_id"]) if record["prompt"] == "pairs" else None
            for pair in record["response"].values() if document else ():
                source = "casebook" if document.kind == "judgment" else "digest"
                samples.append(Sample(pair["question"], pair["answer"], document.as_of, document.text, source))
    return samples


def _documents(statutes: str) -> tuple[Document, ...]:
    for casebook in (True, False):  # the casebook is a package that may be absent
        try:
            return load_library(DocumentSettings(casebook=casebook, statutes=statutes), AS_OF).documents
        except SourceError:
            if not casebook:
                raise
    return ()


def _digest_rules() -> Iterator[Sample]:
    for provision in load_digest():
        name = f"{provision.law} {provision.article}({provision.heading})"
        question = f"{provision.law} {provision.article}는 무엇을 정하고 있습니까?"
        figures = f"\n수치: {'; '.join(provision.figures)}" if provision.figures else ""
        evidence = f"{name}\n시행일: {provision.effective}\n{provision.rule}{figures}"
        yield Sample(question, f"{name}의 내용입니다. {provision.rule}", AS_OF, evidence, "digest")
        # The same with nothing given: what the package itself knows of the provision must do.
        yield Sample(question, f"{name}의 내용입니다. {provision.rule}", AS_OF, None, "digest")


_QUOTABLE = re.compile(r"(?:^|[①-⑳\n]|다\.)\s*(?P<words>[가-힣][^\n.“”\"'‘’①-⑳<>\[\]]{30,200}다)(?=\.\s)")
_QUOTING = (
    lambda name, words: f"{name}는 “{words}”라고 규정하고 있습니다.",
    lambda name, words: f"{name}에 따르면 “{words}.”라고 되어 있습니다.",
)


def _quotations() -> Iterator[Sample]:
    """A sentence of each statute document, quoted to the letter as the article's words, the document as evidence."""
    for number, document in enumerate(d for d in _documents("auto") if d.kind != "judgment"):
        _, law, article = document.id.split(":")
        body = document.text.partition("시행일")[2]
        found = next((m for m in _QUOTABLE.finditer(body) if m["words"].count("(") == m["words"].count(")")), None)
        if found:
            text = _QUOTING[number % 2](f"{law} {article}", found["words"])
            question = f"{law} {article}의 문언은 어떻게 되어 있습니까?"
            yield Sample(question, text, document.as_of, document.text, "quotation")


_SENTENCES = (
    lambda law, article, heading: f"{law} {article}의 제목은 「{heading}」입니다.",
    lambda law, article, heading: f"「{law}」 {article}({heading})에 따릅니다.",
    lambda law, article, heading: f"근거 규정은 {law} {article}【{heading}】입니다.",
    lambda law, article, heading: f"{law} {article}({heading})를 보시면 됩니다.",
)


def _headings(count: int, rng: random.Random) -> Iterator[Sample]:
    """Statements of the index: an article with its heading."""
    from taxlaw.paragraphs import article_numbers

    made = 0
    while made < count:
        law = rng.choice(indexed_laws())
        article = rng.choice(article_numbers(law))
        status = lookup(law, article, AS_OF)
        if status.status != "found" or not status.heading or set("()「」【】") & set(status.heading):
            continue
        made += 1
        text = _SENTENCES[made % len(_SENTENCES)](law, article, status.heading)
        yield Sample(f"{status.heading}에 관한 규정은 무엇입니까?", text, AS_OF, None, "fact")


def official_documents() -> list[Sample]:
    """Real texts of the tax office and the courts, each judged by its own date: gists, whole documents, basic rulings."""
    from taxlaw.rulings import load_casebook

    samples = []
    try:
        for ruling in load_casebook():
            text = f"{ruling.gist}\n관련 법령: {ruling.laws}" if ruling.laws else ruling.gist
            samples.append(Sample(ruling.issue, text, ruling.replied, None, "casebook gist"))
    except SourceError:
        pass  # the package is optional here; the table shows how many were read
    for row in _rows(SHARED / "nts_rulings" / "search_rows.jsonl"):
        if row["gist"] and len(row["date"]) == 8:
            samples.append(Sample(row["title"], row["gist"], _day(row["date"]), None, "search gist"))
    whole = SHARED / "nts_rulings" / "data_main_sample.json"
    for row in json.loads(whole.read_text(encoding="utf-8")) if whole.is_file() else []:
        samples.append(Sample(row["title"], row["content"], _day(row["metadata"]["date"]), None, "whole document"))
    for row in _rows(SHARED / "nts_rulings" / "basic_rulings_inheritance_gift_156.jsonl"):
        if row["text"] and not row["text"].startswith("<삭제"):
            samples.append(Sample(row["title"], row["text"], date(int(row["year"]), 12, 31), None, "basic ruling"))
    return samples


def _rows(path: Path) -> list[dict]:
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]


def _day(text: str) -> date:
    return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
