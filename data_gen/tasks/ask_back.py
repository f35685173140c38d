"""A question that lacks a fact the answer turns on: the right reply names it and does not guess."""

from __future__ import annotations

from pydantic import model_validator

from data_gen.tasks import Draft, Task
from data_gen.tasks.forms import SomeTexts, Text, Texts, names_each
from taxlaw.strict_config import StrictModel


class AskBackAnswer(StrictModel):
    question: Text
    missing: SomeTexts
    """The facts that are needed, a few words each."""
    answer: Text
    articles: Texts

    @model_validator(mode="after")
    def _asks_for_each(self) -> AskBackAnswer:
        if unsaid := names_each(self.missing, self.answer):
            raise ValueError(f"missing에 적은 사실을 answer가 묻지 않습니다: {', '.join(unsaid)}")
        return self


def _drafts(answer: AskBackAnswer) -> list[Draft]:
    return [Draft("ask_back", answer.question, answer.answer, tuple(answer.articles))]


ASK_BACK = Task("ask_back", frozenset({"openapi", "judgment"}), ("ask_back",), AskBackAnswer, _drafts)
