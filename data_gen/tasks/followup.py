"""A talk of two to four turns, each question leaning on what was said before."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from data_gen.tasks import Draft, Task, Turn
from data_gen.tasks.forms import SomeTexts, Text
from taxlaw.strict_config import StrictModel

FEWEST, MOST = 2, 4


class SpokenTurn(StrictModel):
    question: Text
    answer: Text


def _a_talk(turns: list[SpokenTurn]) -> list[SpokenTurn]:
    if not FEWEST <= len(turns) <= MOST:
        raise ValueError(f"turns는 {FEWEST}~{MOST}개여야 합니다: {len(turns)}개")
    if len({turn.question for turn in turns}) < len(turns):
        raise ValueError("turns에 같은 질문이 두 번 있습니다")
    return turns


class FollowupAnswer(StrictModel):
    turns: Annotated[list[SpokenTurn], AfterValidator(_a_talk)]
    articles: SomeTexts


def _drafts(answer: FollowupAnswer) -> list[Draft]:
    *before, last = (Turn(turn.question, turn.answer) for turn in answer.turns)
    return [Draft("followup", last.question, last.answer, tuple(answer.articles), history=tuple(before))]


FOLLOWUP = Task("followup", frozenset({"openapi", "judgment", "web"}), ("followup",), FollowupAnswer, _drafts)
