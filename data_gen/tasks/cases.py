"""A case with people and facts, and a case to be calculated."""

from __future__ import annotations

from data_gen.tasks import Draft, Task
from data_gen.tasks.forms import Pair, Text
from taxlaw.calls import call_text, parse_call
from taxlaw.errors import CallError


class ScenarioAnswer(Pair):
    pass


class CalculationAnswer(Pair):
    call: Text | None
    """One line of JSON in the form of taxlaw.calls, or null when no calculator fits."""


def _scenario(answer: ScenarioAnswer) -> list[Draft]:
    return [Draft("scenario", answer.question, answer.answer, tuple(answer.articles))]


def _calculation(answer: CalculationAnswer) -> list[Draft]:
    call = canonical(answer.call)
    return [Draft("calculation", answer.question, answer.answer, tuple(answer.articles), call=call)]


def canonical(text: str | None) -> str | None:
    """The call in its one spelling; None when there is none, or one that does not parse (the answer's sums are judged anyway)."""
    if text is None:
        return None
    try:
        return call_text(parse_call(text))
    except CallError:
        return None


SCENARIO = Task("scenario", frozenset({"openapi", "judgment"}), ("scenario",), ScenarioAnswer, _scenario)
CALCULATION = Task("calculation", frozenset({"openapi"}), ("calculation",), CalculationAnswer, _calculation)
