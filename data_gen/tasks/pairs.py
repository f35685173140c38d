"""One question for experts and one in everyday words, from one document."""

from __future__ import annotations

from data_gen.tasks import Draft, Task
from data_gen.tasks.forms import Pair
from taxlaw.strict_config import StrictModel


class PairsAnswer(StrictModel):
    expert: Pair
    plain: Pair


def _drafts(answer: PairsAnswer) -> list[Draft]:
    return [
        Draft(style, pair.question, pair.answer, tuple(pair.articles))
        for style, pair in (("expert", answer.expert), ("plain", answer.plain))
    ]


PAIRS = Task("pairs", frozenset({"openapi", "judgment", "web"}), ("expert", "plain"), PairsAnswer, _drafts)
