"""Finishes what a student began as serving does it: code runs its calculator call, or quotes the source that it names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from taxlaw.asking_back import asked_instead
from taxlaw.call_answer import run_quietly, split_call
from taxlaw.call_check import objections
from taxlaw.calls import call_text, own_working, render_working
from taxlaw.digit_work import without_digits
from taxlaw.errors import SourceReferenceError
from taxlaw.evidence_prompt import sources_in
from taxlaw.source_reference import find_reference, quote


@dataclass(frozen=True)
class Completed:
    """``shown``: what a reader sees (the working, the quotation, or the text as written); ``final``: what is verified.

    ``words``: what the student wrote in its own words, calls and references left out, or what code asks in its place.
    ``called``: it began as a call that was not turned into a question; ``problem``: why
    code would not finish that call.
    """

    shown: str
    final: str
    words: str
    called: bool
    problem: str | None = None


def complete(text: str, question: str, as_of: date, turn: str = "", alone: bool = False) -> Completed:
    """Run the call in ``text`` when there is one that rests on ``question``, or quote the source of ``turn`` that it names.

    A working that the student wrote itself under its call stands in place of the calculator's.  A call that turns on a fact which the question does not state becomes the question for that fact (taxlaw.asking_back).  ``turn``: the user
    turn as it was asked.  ``alone``: code runs every call as it stands, and asks for nothing.  Never raises for what a model wrote.
    """
    written = text.strip()
    try:
        if reference := find_reference(written):
            quoted = quote(reference, sources_in(turn))
            return Completed(quoted, quoted, "", False)
    except SourceReferenceError as exc:
        return Completed(written, written, "", False, str(exc))
    if not alone and (asked := asked_instead(question, written, as_of)):
        return Completed(asked, asked, asked, False)
    given = split_call(written)
    if given is None:
        return Completed(written, written, written, False)
    words = given.prose.strip()
    if given.call is None:
        return Completed(written, written, words, True, given.problem)
    if not alone and (against := objections(question, given.call)):
        return Completed(written, written, words, True, " ".join(against))
    result, reason = run_quietly(given.call, as_of)
    if result is None:
        return Completed(written, written, words, True, reason)
    own = own_working(written)
    working = render_working(result) if own is None else without_digits(own)
    return Completed(working, f"{call_text(given.call)}\n\n{working}", words, True)
