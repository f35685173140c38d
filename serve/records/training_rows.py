"""Answers as rows of a dataset folder (docs/contracts.md, section 2): the winners of votes, and what the verifier confirmed."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from serve.records.voted import Kept, Vote, names_a_person

# Why an answer gives no row, in the order in which it is asked.
REASONS = {
    "no_answer": "답이 나오지 않음",
    "no_text": "글이 남아 있지 않음 (동의 없음, 보관 기간 지남)",
    "failed": "검증이 틀렸다고 함",
    "cut": "끝까지 쓰이지 않음",
    "lost": "투표에서 짐, 또는 둘 다 나쁨",
    "unverified": "투표에서 이기지 않았고 확인된 것도 없음",
    "personal_data": "개인정보가 들어 있음",
    "outdated": "지금의 계산기가 다르게 계산함",
    "duplicate": "같은 질문과 답이 이미 있음",
}


@dataclass(frozen=True)
class TrainingRows:
    """``excluded`` counts answers by a key of REASONS."""

    rows: list[dict]
    excluded: Counter[str]


def training_rows(answers: Sequence[Kept], votes: Sequence[Vote]) -> TrainingRows:
    """Winners of votes and confirmed answers that no fault was found in; rows with a calculation first.

    A loader takes a column's type from the first rows, and ``call`` and ``payable`` are null for all others.
    """
    won = {vote.winner.id for vote in votes if vote.winner}
    lost = {vote.loser.id for vote in votes if vote.loser}
    lost |= {pane.id for vote in votes if vote.choice == "both_bad" for pane in (vote.left, vote.right) if pane}
    rows, excluded = [], Counter()
    seen: set[tuple[str, str, str]] = set()
    for answer in answers:
        reason = _objection(answer, won, lost)
        if reason is None:
            row = _row(answer, answer.id in won)
            same = (row["question"], row["answer"], row["as_of"]) if row else None
            if row and same not in seen:
                seen.add(same)
                rows.append(row)
                continue
            reason = "duplicate" if row else "outdated"
        excluded[reason] += 1
    return TrainingRows(sorted(rows, key=lambda row: row["call"] is None), excluded)


def _objection(answer: Kept, won: set[str], lost: set[str]) -> str | None:
    if answer.error:
        return "no_answer"
    if not (answer.question and answer.text and answer.completed):
        return "no_text"
    if not answer.verdict_ok:
        return "failed"
    if answer.cut:
        return "cut"
    if answer.id in lost:
        return "lost"
    if answer.id not in won and not answer.confirmed:
        return "unverified"
    history = [one.content for one in answer.prompt if one.role != "system"][:-1]
    return "personal_data" if names_a_person(answer.question, answer.completed, *history) else None


def _row(answer: Kept, won: bool) -> dict | None:
    """The row, or None when the calculators have since been corrected and no longer say what the answer says."""
    from taxlaw.citations import find_citations, format_citation

    calculation = _calculation(answer)
    if calculation is None:
        return None
    call, payable, text = calculation
    cited = [citation for citation in find_citations(text) if citation.law]
    question = unicodedata.normalize("NFC", answer.question)
    digest = hashlib.sha256(question.encode()).hexdigest()[:16]
    law = cited[0].law if cited else ""
    return {
        "id": f"served-{answer.id[:16]}",
        "question": question,
        "answer": text,
        "type": "student",
        "style": "calculation" if call else "plain",
        "source": "question",
        "tax": call[0] if call else re.sub(r"법( 시행령| 시행규칙)?$", "", law),
        "as_of": answer.as_of,
        "articles": list(dict.fromkeys(format_citation(citation) for citation in cited)),
        "call": call[1] if call else None,
        "payable": payable,
        "family": f"served-{digest}",
        "evidence": answer.evidence,
        "history": _history(answer),
        "spans": [],
        "difficulty": 0,
        "provenance": {
            "document_id": answer.turn,
            "document_version": answer.at,
            "teacher": answer.source,
            "model": answer.model,
            "model_sha256": answer.model_sha256,
            "template_sha256": answer.template_sha256,
            "params": answer.params,
            "note": f"{answer.side} answer, {'preferred by a person' if won else 'confirmed by the verifier'}",
        },
        "gates": ["verify", *(["vote"] if won else [])],
        "verdicts": [f"틀림 없음, 확인 {answer.confirmed}건", *(["사람이 고름"] if won else [])],
    }


def _calculation(answer: Kept) -> tuple[tuple[str, str] | None, int | None, str] | None:
    """((tax, canonical call), tax payable in won, working) of a calculator call; (None, None, text) of another answer."""
    from taxlaw.calls import call_text, find_call, render_working, run_call
    from taxlaw.errors import CallError, UnsupportedCase

    call = find_call(answer.text)
    canonical = call_text(call) if call else ""
    # Only a call that was run when the answer was given has its working after it.
    if not call or not answer.completed.startswith(f"{canonical}\n\n"):
        return None, None, answer.completed
    working = answer.completed.removeprefix(canonical).strip()
    try:
        result = run_call(call, date.fromisoformat(answer.as_of))
    except (CallError, UnsupportedCase):
        return None
    return ((call.tax, canonical), result.payable, working) if render_working(result).strip() == working else None


def _history(answer: Kept) -> list[dict]:
    """The turns before the question, oldest first."""
    earlier = [one.content for one in answer.prompt if one.role != "system"][:-1]
    return [
        {"question": asked, "answer": answered} for asked, answered in zip(earlier[::2], earlier[1::2], strict=False)
    ]
