"""A question outside tax law, or one that asks for a wrong: a polite no, and what can be helped with instead."""

from __future__ import annotations

from data_gen.tasks import Draft, Task
from data_gen.tasks.forms import Text
from taxlaw.strict_config import StrictModel


class RefusalAnswer(StrictModel):
    question: Text
    answer: Text


def _drafts(answer: RefusalAnswer) -> list[Draft]:
    return [Draft("refusal", answer.question, answer.answer, ())]


REFUSAL = Task("refusal", frozenset({"topic"}), ("refusal",), RefusalAnswer, _drafts)
