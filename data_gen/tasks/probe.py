"""A user's question answered under the preamble alone.  Gives no rows; data_gen/probes.py judges the answers."""

from __future__ import annotations

from typing import Literal

from data_gen.tasks import Draft, Task
from data_gen.tasks.forms import Text, Texts
from taxlaw.strict_config import StrictModel

Stance = Literal["answer", "refuse", "ask_back"]


class ProbeAnswer(StrictModel):
    stance: Stance
    answer: Text
    articles: Texts


def _none(answer: ProbeAnswer) -> list[Draft]:
    return []


PROBE = Task("probe", frozenset({"question"}), (), ProbeAnswer, _none)
