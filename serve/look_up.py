"""A student that was taught to ask for evidence: its request is held back, and it is asked again with the sources.

So a calculation stays short and fast, and a question of law is answered from its articles.  Knows nothing of models.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

from serve.answer import Answer, Progress, Stats
from taxlaw.evidence_prompt import LOOK_UP, asks_for_evidence


def asks(answer: Answer) -> bool:
    """Whether the answer is the request for evidence and nothing else."""
    return asks_for_evidence(answer.completion.raw)


def held_back(step: Progress) -> Progress:
    """``step`` without its words while they may still become the request."""
    return replace(step, text="") if LOOK_UP.startswith(step.text.strip()) else step


def after(request: Answer, steps: Iterator[Progress | Answer]) -> Iterator[Progress | Answer]:
    """The answer with evidence; its times count from the question, so the request's are added."""
    with closing(steps):
        for step in steps:
            yield replace(step, stats=_added(step.stats, request.stats.seconds))


def _added(stats: Stats, seconds: float) -> Stats:
    first = None if stats.first_seconds is None else stats.first_seconds + seconds
    return replace(stats, first_seconds=first, seconds=stats.seconds + seconds)
