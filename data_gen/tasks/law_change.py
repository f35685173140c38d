"""A question that starts from an older rule, or one not yet in force; the answer sets the dates right."""

from __future__ import annotations

import re

from pydantic import model_validator

from data_gen.tasks import Draft, Task
from data_gen.tasks.forms import Pair

_YEAR = re.compile(r"(?:19|20)\d\d년")


class LawChangeAnswer(Pair):
    @model_validator(mode="after")
    def _says_when(self) -> LawChangeAnswer:
        if not _YEAR.search(self.answer):
            raise ValueError("answer에 연도가 없습니다: 언제까지와 언제부터를 'YYYY년 M월 D일'로 적어야 합니다")
        return self


def _drafts(answer: LawChangeAnswer) -> list[Draft]:
    return [Draft("law_change", answer.question, answer.answer, tuple(answer.articles))]


LAW_CHANGE = Task("law_change", frozenset({"openapi"}), ("law_change",), LawChangeAnswer, _drafts)
