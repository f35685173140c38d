"""The optional second opinion: a model that sees the source and the pair and says one of four words.  It never rewrites."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from data_gen.documents import Document
    from data_gen.rows import Row
    from data_gen.teachers import Desk

Verdict = Literal["supported", "contradicted", "unsupported", "unclear"]


@dataclass(frozen=True)
class Opinion:
    verdict: Verdict
    reason: str
    model: str
    stored: bool = False
    """It had been asked before; nothing was sent."""


async def judge_row(desk: Desk, row: Row) -> Opinion:
    """What the model says of a row and its evidence.

    Raises TeacherFailure when it gives no verdict in the asked form, ValueError for a row without evidence.
    """
    from data_gen.tasks.judge import JUDGE

    reply = await desk.ask(judged_document(row), JUDGE)
    return Opinion(reply.answer.verdict, reply.answer.reason, reply.model, reply.stored)


def judged_document(row: Row) -> Document:
    """The row's evidence as a document, the pair (with the turns before it) beside it in ``meta``."""
    from data_gen.documents import Document
    from data_gen.rows import short_hash

    if not row.evidence:
        raise ValueError(f"row without evidence: {row.id}")
    said = [f"(앞선 질문) {turn.question}\n(앞선 답변) {turn.answer}" for turn in row.history]
    return Document(
        id=f"judge:{row.id}",
        kind=row.source,
        title=", ".join(row.articles) or row.provenance.document_id,
        text=row.evidence,
        as_of=datetime.date.fromisoformat(row.as_of),
        area=row.tax,
        version=short_hash(row.evidence),
        family=row.family,
        meta=(("question", "\n".join([*said, row.question])), ("answer", row.answer)),
    )
