"""An answer for a question somebody asked and nobody answered; one that cannot be answered is asked back."""

from __future__ import annotations

from pydantic import StrictBool, model_validator

from data_gen.tasks import Draft, Task
from data_gen.tasks.forms import Text, Texts, names_each
from taxlaw.strict_config import StrictModel


class LabelledAnswer(StrictModel):
    answerable: StrictBool
    missing: Texts
    """Empty when answerable; else the facts that are needed."""
    answer: Text
    articles: Texts

    @model_validator(mode="after")
    def _answers_or_asks(self) -> LabelledAnswer:
        if self.answerable and not self.articles:
            raise ValueError("answerable이 true이면 articles에 근거 조문이 하나 이상 있어야 합니다")
        if self.answerable and self.missing:
            raise ValueError("answerable이 true이면 missing은 비어 있어야 합니다")
        if not self.answerable and not self.missing:
            raise ValueError("answerable이 false이면 missing에 필요한 사실을 적어야 합니다")
        if unsaid := names_each(self.missing, self.answer):
            raise ValueError(f"missing에 적은 사실을 answer가 묻지 않습니다: {', '.join(unsaid)}")
        return self


def _drafts(answer: LabelledAnswer) -> list[Draft]:
    # No question of its own: the row's question is the document's text, to the letter.
    return [Draft("labelled", "", answer.answer, tuple(answer.articles))]


LABELLED = Task("labelled", frozenset({"question"}), ("labelled",), LabelledAnswer, _drafts)
