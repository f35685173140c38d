"""Finishes a calculator call as serving does it: the student copied facts, code computes and writes the working."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from taxlaw.call_answer import run_quietly, split_call
from taxlaw.call_check import objections
from taxlaw.calls import call_text, render_working


@dataclass(frozen=True)
class Completed:
    """``shown``: what a reader sees (the working, or the text as written); ``final``: what is verified (call and working).

    ``words``: what the student wrote in its own words, calls left out.  ``called``: it began as a call; ``problem``: why
    code would not finish that call.
    """

    shown: str
    final: str
    words: str
    called: bool
    problem: str | None = None


def complete(text: str, question: str, as_of: date) -> Completed:
    """Run the call in ``text`` when there is one that rests on ``question``.  Never raises for what a model wrote."""
    written = text.strip()
    given = split_call(written)
    if given is None:
        return Completed(written, written, written, False)
    words = given.prose.strip()
    if given.call is None:
        return Completed(written, written, words, True, given.problem)
    if against := objections(question, given.call):
        return Completed(written, written, words, True, " ".join(against))
    result, reason = run_quietly(given.call, as_of)
    if result is None:
        return Completed(written, written, words, True, reason)
    working = render_working(result)
    return Completed(working, f"{call_text(given.call)}\n\n{working}", words, True)
