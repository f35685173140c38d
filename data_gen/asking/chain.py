"""What would be asked next about a document: the chain of requests that the live desk follows, walked in the store alone.

Needs no key and sends nothing; used by the dry run and by batches.  tests/data_gen/test_chain.py holds it to the desk's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from data_gen.asking.requests import make_request
from data_gen.asking.values import Request, Stored
from data_gen.documents import Document
from data_gen.replies import MalformedReply, parse_answer
from data_gen.tasks import Task
from data_gen.teacher_settings import OpenAISettings


@dataclass(frozen=True)
class Chain:
    """``got``: what is stored already, each with its request.  ``ask``: the next request, None when nothing is left to ask."""

    got: tuple[tuple[Request, Stored], ...]
    ask: Request | None
    answered: bool
    """The last of ``got`` is a usable answer.  Without one and with nothing to ask, the budget of answers is used up."""


def follow(
    settings: OpenAISettings,
    teacher: str,
    task: Task,
    document: Document,
    find: Callable[[str], Stored | None],
) -> Chain:
    """Walk the chain of one document and task as far as the store knows it."""
    trouble, room = "", settings.max_output_tokens
    got: list[tuple[Request, Stored]] = []
    for attempt in range(settings.answers):
        request = make_request(settings, teacher, task, document, trouble, attempt, room)
        stored = find(request.key)
        if stored is None:
            return Chain(tuple(got), request, answered=False)
        got.append((request, stored))
        reason = _trouble(stored, task)
        if not reason:
            return Chain(tuple(got), None, answered=True)
        if stored.status == "length" and room < settings.most_output_tokens:
            room = min(2 * room, settings.most_output_tokens)
        else:
            trouble = reason
    return Chain(tuple(got), None, answered=False)


def _trouble(stored: Stored, task: Task) -> str:
    """Why the answer cannot be used; empty when it can.  Its form is judged anew, as the desk does."""
    if stored.status not in ("ok", "malformed") or stored.finish_reason not in ("", "stop"):
        return stored.reason
    try:
        parse_answer(stored.text, task.answer)
    except MalformedReply as exc:
        return stored.reason or str(exc)
    return ""
