"""Finish what a student began: it read the facts and code does the arithmetic, or it named a source and code quotes it.

And compute by code alone: what the question itself says, read by rule, whoever answers it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from serve.call_labels import korean_facts

FACTS_TITLE = "모델이 읽은 사실"
WORKING_TITLE = "코드가 계산한 결과"
OWN_WORKING_TITLE = "모델이 쓴 풀이"
CALCULATION_TITLE = "코드가 질문에서 바로 계산"

CANNOT_COMPUTE, CANNOT_QUOTE, ASKS_BACK = "계산하지 못함", "인용하지 못함", "되묻습니다"
_CALL_STARTS = ("{", "```json")


@dataclass(frozen=True)
class Completion:
    """One finished model output.

    ``raw`` is what the model wrote; ``first`` what it had written first, when another of its readings was gone by.
    ``unread``: what the question plainly states and the call does not use.  ``facts``, ``working`` and ``result`` (taxlaw
    Result) are set when it was a call that could be run, ``own_working`` in place of ``working`` when the model wrote
    one under its call itself (its digit work left out), ``quoted`` when it named a source that was shown, ``problem``
    when none of it could be done.  ``final`` is what is verified.
    """

    raw: str
    final: str
    facts: tuple[tuple[str, str], ...] = ()
    working: str | None = None
    problem: str | None = None
    result: Any = None
    quoted: str | None = None
    unread: tuple[str, ...] = ()
    first: str | None = None
    own_working: str | None = None

    @property
    def unable(self) -> str:
        """What could not be done, where there is a ``problem``: a title for it."""
        from taxlaw.source_reference import is_reference

        if is_reference(self.raw):
            return CANNOT_QUOTE
        return ASKS_BACK if self.problem == self.final else CANNOT_COMPUTE

    @property
    def words(self) -> str:
        """What a reader sees of an answer in words: the quotation where a source was named, else what the model wrote,
        without its digit work.
        """
        from taxlaw.digit_work import without_digits

        return self.quoted or self.own_working or without_digits(self.raw)


@dataclass(frozen=True)
class Calculation:
    """What code reads in a question by rule and computes, independent of every model.  Amounts in won.

    ``call`` is canonical, ``result`` a taxlaw Result.  ``stated``: the final tax the answer arrives at, None when it states
    none; ``agrees``: None when it cannot be told.
    """

    call: str
    facts: tuple[tuple[str, str], ...]
    result: Any
    working: str
    stated: int | None = None
    agrees: bool | None = None

    def as_dict(self) -> dict:
        """The computation as JSON."""
        return {
            "call": self.call,
            "facts": dict(self.facts),
            "payable": self.result.payable,
            "working": self.working,
            "stated": self.stated,
            "agrees": self.agrees,
        }


def is_for_code(text: str) -> bool:
    """True while a streamed text is, or may still become, something that code finishes: a call, or the name of a source."""
    from taxlaw.source_reference import is_reference

    return looks_like_call(text) or is_reference(text)


def looks_like_call(text: str) -> bool:
    """True while a streamed text is, or may still become, a call: a brace, or the ```json fence some models put first."""
    head = text.lstrip()
    return head.startswith(_CALL_STARTS) or bool(head and "```json".startswith(head))


def runs_past_call(text: str) -> bool:
    """Whether a streamed text is a whole call and then something that is neither its working nor words: '}true}true'."""
    from taxlaw.call_answer import split_call

    if not text.lstrip().startswith(_CALL_STARTS):
        return False
    given = split_call(text)
    rest = text[given.end :].lstrip().removeprefix("```").lstrip() if given and given.call else ""
    return bool(rest) and rest[0].isascii() and (rest[0].isalnum() or rest[0] in '{}[]",:')


def complete(text: str, as_of: date, question: str, turn: str = "", student: bool = False) -> Completion:
    """Run the calculator call in ``text`` if there is one and it rests on ``question``, or quote the source that it names.

    A call that turns on a fact which the question does not state becomes the question for that fact; so does, of a
    ``student``, asking for a fact that the question states while another is missing (taxlaw.asking_back).  ``turn``: what
    the model was asked, with the sources it was shown.  Never raises for what a model wrote.
    """
    from taxlaw.asking_back import asked_instead
    from taxlaw.call_check import objections
    from taxlaw.calls import call_text, find_call, own_working, parse_call, render_working, run_call
    from taxlaw.digit_work import without_digits
    from taxlaw.errors import CallError, SourceReferenceError, UnsupportedCase
    from taxlaw.evidence_prompt import sources_in
    from taxlaw.source_reference import find_reference, quote
    from taxlaw.stated_facts import unread

    raw = text.strip()
    try:
        if reference := find_reference(raw):
            quoted = quote(reference, sources_in(turn))
            return Completion(raw, quoted, quoted=quoted)
    except SourceReferenceError as exc:
        return Completion(raw, raw, problem=f"인용할 근거를 찾지 못해 인용하지 않았습니다. {exc}")
    asked = asked_instead(question, raw, as_of) if student or looks_like_call(raw) else None
    try:
        call = find_call(raw)
        if asked and call is None:
            return Completion(raw, asked, problem=asked)
        if call is None and raw.startswith(_CALL_STARTS):
            call = parse_call(raw)
    except CallError as exc:
        return Completion(raw, raw, problem=f"계산 요청의 형식이 잘못되어 계산하지 않았습니다. {exc}")
    if call is None:
        return Completion(raw, without_digits(raw))
    canonical = call_text(call)
    facts = korean_facts(json.loads(canonical))
    if asked:
        return Completion(raw, asked, facts, problem=asked)
    against = objections(question, call)
    if against:
        return Completion(
            raw, raw, facts, problem=f"질문에 없는 사실로 계산을 요청해 계산하지 않았습니다. {' '.join(against)}"
        )
    try:
        result = run_call(call, as_of)
    except (CallError, UnsupportedCase) as exc:
        return Completion(raw, raw, facts, problem=f"모델이 읽은 사실로는 계산할 수 없습니다. {exc}")
    if own := own_working(raw):
        own, lost = without_digits(own), unread(question, call)
        return Completion(raw, f"{canonical}\n\n{own}", facts, result=result, unread=lost, own_working=own)
    working = render_working(result)
    return Completion(raw, f"{canonical}\n\n{working}", facts, working, result=result, unread=unread(question, call))


def calculate(question: str, as_of: date) -> Calculation | None:
    """The computation of the case that ``question`` states for certain; None when it states none."""
    from taxlaw.calls import call_text, render_working, run_call
    from taxlaw.cases import read_case
    from taxlaw.errors import UnsupportedCase

    try:
        call = read_case(question)
        result = run_call(call, as_of)
    except UnsupportedCase:  # MissingFact included; serve.verification says what is missing
        return None
    canonical = call_text(call)
    return Calculation(canonical, korean_facts(json.loads(canonical)), result, render_working(result))


def compare(calculation: Calculation, answer: str, verdict: Any, as_of: date) -> Calculation:
    """``calculation`` beside the tax that ``answer`` states; whether they agree is for the verifier to say.

    It knows that a question may ask for 산출세액, and that some taxes are told together with others.
    """
    from taxlaw.calls import answer_payable

    stated = answer_payable(answer, as_of) if answer.strip() else None
    wrong = any(f.kind == "number" and str(f.severity) == "fault" and f.expected for f in verdict.findings)
    right = stated == calculation.result.payable or verdict.count("number", "confirmed") > 0
    agrees = False if wrong else True if right else None
    return replace(calculation, stated=stated, agrees=agrees)
