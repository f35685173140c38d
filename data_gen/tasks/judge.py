"""Does a source support a pair?  The pair stands in document.meta (question, answer); the judge never rewrites it."""

from __future__ import annotations

from typing import Literal

from data_gen.tasks import Draft, Task
from data_gen.tasks.forms import Text
from taxlaw.strict_config import StrictModel


class JudgeAnswer(StrictModel):
    # Reason first: what is written before the verdict can still change it.
    reason: Text
    verdict: Literal["supported", "contradicted", "unsupported", "unclear"]


def _none(answer: JudgeAnswer) -> list[Draft]:
    return []


KINDS = frozenset({"openapi", "judgment", "practical", "web", "question", "topic"})
JUDGE = Task("judge", KINDS, (), JudgeAnswer, _none)
