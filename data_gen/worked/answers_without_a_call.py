"""Questions no calculator should answer: a fact is missing (ask back), or it is no matter of tax (decline).  By templates.

Kept beside the worked examples, because a student that has only seen questions with a call learns to write one for everything.
"""

from __future__ import annotations

import datetime
import random
from collections.abc import Iterator

from data_gen.errors import DataGenError
from data_gen.rows import Candidate, Provenance, Row, short_hash
from data_gen.worked.lacking import Lack, lacking_question, lacks
from data_gen.worked.outside import outside
from data_gen.worked.words import EVERY_WORDING, Wordings, fill, has_final, pick

MAX_REPEATS = 2000
DECLINES = (
    "죄송하지만 {about} 도와드릴 수 없습니다. {instead}",
    "죄송합니다. {about} 제가 도와드릴 수 없습니다. {instead}",
)
ASKS_BACK = (
    "계산하려면 {missing} 알아야 합니다. {why}({article}). 알려 주시면 계산해 드리겠습니다.",
    "{missing} 알아야 세금이 정해집니다. {why}({article}). 알려 주시면 계산해 드리겠습니다.",
)


def ask_back_candidates(
    count: int, held_out: int, taxes: frozenset[str], as_of: datetime.date, seed: int
) -> Iterator[Candidate]:
    """``count`` questions of these taxes that lack a needed fact, then ``held_out`` in wordings kept back for the test."""
    rng = random.Random(f"ask_back:{seed}")
    asked = [lack for lack in lacks() if lack.tax in taxes]
    seen: set[str] = set()
    for kind, many in (("", count), ("wordings", held_out if asked else 0)):
        wordings = _wordings(kind, held_out)
        for index in range(many if asked else 0):
            question, lack = _fresh(rng, asked, wordings, seen)
            yield Candidate(_ask_back(question, lack, rng, as_of, _id("ask-back", kind, index), kind))


def refusal_candidates(count: int, held_out: int, as_of: datetime.date, seed: int) -> Iterator[Candidate]:
    """``count`` questions to be declined, then ``held_out`` in wordings kept back for the test."""
    rng = random.Random(f"refusal:{seed}")
    seen: set[str] = set()
    for kind, many in (("", count), ("wordings", held_out)):
        wordings = _wordings(kind, held_out)
        for index in range(many):
            for _ in range(MAX_REPEATS):
                group = pick(rng, outside())
                question = fill(pick(rng, wordings.of(group.frames)), x=pick(rng, group.things))
                if question not in seen:
                    break
            else:
                raise _exhausted("refusals", len(seen))
            seen.add(question)
            answer = fill(pick(rng, DECLINES), about=group.about, instead=group.instead)
            yield Candidate(
                _row(question, answer, "refusal", "topic", "세금 밖", (), as_of, _id("outside", kind, index), kind)
            )


def _wordings(kind: str, held_out: int) -> Wordings:
    return Wordings("held_out") if kind else Wordings("train") if held_out else EVERY_WORDING


def _id(name: str, kind: str, index: int) -> str:
    return f"{'unseen-' if kind else ''}{name}-{index + 1:06d}"


def _fresh(rng: random.Random, asked: list[Lack], wordings: Wordings, seen: set[str]) -> tuple[str, Lack]:
    for _ in range(MAX_REPEATS):
        lack = pick(rng, asked)
        question = lacking_question(lack, rng, wordings)
        if question not in seen:
            seen.add(question)
            return question, lack
    raise _exhausted("ask_back", len(seen))


def _exhausted(name: str, made: int) -> DataGenError:
    return DataGenError(f"서로 다른 질문을 더 만들 수 없습니다 ({made}개까지 만듦).\n  worked.{name}를 줄이세요.")


def _ask_back(question: str, lack: Lack, rng: random.Random, as_of: datetime.date, case_id: str, kind: str) -> Row:
    named = "와 ".join(lack.missing) if not has_final(lack.missing[0]) else "과 ".join(lack.missing)
    # A bracket at the end hides the syllable the particle follows.
    last = lack.missing[-1].partition("(")[0]
    missing = named + ("을" if has_final(last) else "를")
    answer = fill(pick(rng, ASKS_BACK), missing=missing, why=lack.why.removesuffix("."), article=lack.article)
    return _row(question, answer, "ask_back", "practical", lack.tax, (lack.article,), as_of, case_id, kind)


def _row(
    question: str,
    answer: str,
    style: str,
    source: str,
    tax: str,
    articles: tuple[str, ...],
    as_of: datetime.date,
    case_id: str,
    held_out: str,
) -> Row:
    return Row(
        id=f"{source}:{case_id}:{style}",
        question=question,
        answer=answer,
        type="student",
        style=style,
        source=source,
        tax=tax,
        as_of=as_of.isoformat(),
        articles=articles,
        call=None,
        payable=None,
        family=f"{style}:{short_hash(question)}",
        evidence="",
        held_out=held_out,
        provenance=Provenance(
            document_id=case_id,
            document_version=short_hash(question),
            teacher="templates",
            model="data_gen.worked",
            note="질문도 답도 틀에서 (templates, no model)",
        ),
    )
