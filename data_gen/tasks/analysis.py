"""What a document is about and how hard it is to understand.  Gives no rows; data_gen/analysis.py keeps the records."""

from __future__ import annotations

from typing import Literal

from data_gen.tasks import Draft, Task
from data_gen.tasks.forms import SomeTexts, Text, Texts
from taxlaw.strict_config import StrictModel

Score = Literal[1, 2, 3, 4, 5]
Label = Literal["쉬움", "조금 쉬움", "보통", "어려움", "매우 어려움"]


class DifficultyLevel(StrictModel):
    score: Score
    label: Label


class TechnicalTerm(StrictModel):
    term: Text
    explanation: Text


class AnalysisAnswer(StrictModel):
    summary: Text
    keywords: SomeTexts
    difficulty_level: DifficultyLevel
    prerequisites: Texts
    technical_terms: list[TechnicalTerm]


def _none(answer: AnalysisAnswer) -> list[Draft]:
    return []


ANALYSIS = Task("analysis", frozenset({"openapi", "judgment", "web"}), (), AnalysisAnswer, _none)
