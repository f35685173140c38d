"""Tasks: what a teacher is asked about a document, the form of its answer, and the drafts of rows that an answer holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from taxlaw.strict_config import StrictModel


@dataclass(frozen=True)
class Turn:
    question: str
    answer: str


@dataclass(frozen=True)
class Draft:
    """A row as the teacher wrote it.  ``call``: canonical calculator call, when the teacher gave one that parses."""

    style: str
    question: str
    answer: str
    articles: tuple[str, ...]
    history: tuple[Turn, ...] = ()
    call: str | None = None


@dataclass(frozen=True)
class Task:
    """``name`` is also the prompt, prompts/<name>.j2.  ``answer`` is the strict model of the reply.

    ``kinds``: kinds of documents it is asked about.  ``styles``: styles of the rows a reply gives, in order; a task with
    none (analysis, judge) gives no rows.  ``drafts`` turns a valid answer into one Draft for each of ``styles``.
    """

    name: str
    kinds: frozenset[str]
    styles: tuple[str, ...]
    answer: type[StrictModel]
    drafts: Callable[[Any], list[Draft]]
