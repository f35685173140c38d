"""An answer that is a calculator call, alone or followed by its working: does the call fit the question, the working the call?

A call copies facts and code computes, so it is judged through the call: what the question does not support is a fault.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date

from taxlaw.calculators import Result
from taxlaw.call_check import objections
from taxlaw.calls import Call, answer_payable, find_call, parse_call, run_call
from taxlaw.errors import CallError, UnsupportedCase
from taxlaw.findings import OTHER_CASE, UNFOUNDED, Finding
from taxlaw.money import format_won

_OPENING = re.compile(r"\s*(?:```(?:json)?\s*)?(?=\{\s*\")")
_FENCE_END = re.compile(r"\s*```[^\S\n]*")


@dataclass(frozen=True)
class CallAnswer:
    """``call`` stands at [start:end] of the answer; ``prose`` is the answer with the call blanked out, so spans still fit.

    ``problem``: why a text that begins as a call is none (then ``call`` is None and ``prose`` is blank).
    """

    call: Call | None
    start: int
    end: int
    prose: str
    problem: str | None = None


def split_call(answer: str) -> CallAnswer | None:
    """The call an answer is or starts with; None for prose."""
    opening = _OPENING.match(answer)
    if opening is None:
        return None
    call = find_call(answer)
    if call is None:
        try:
            parse_call(answer[opening.end() :])
        except CallError as exc:
            return CallAnswer(None, opening.end(), len(answer), "", str(exc))
    _, end = json.JSONDecoder().raw_decode(answer, opening.end())
    fence = _FENCE_END.match(answer, end) if "```" in opening[0] else None
    rest = fence.end() if fence else end
    return CallAnswer(call, opening.end(), end, " " * rest + answer[rest:])


def run_quietly(call: Call | None, as_of: date) -> tuple[Result | None, str]:
    """The result of a call, or None and the Korean reason why it cannot be worked out."""
    if call is None:
        return None, ""
    try:
        return run_call(call, as_of), ""
    except (CallError, UnsupportedCase) as exc:
        return None, str(exc)


def check_call(question: str, given: CallAnswer, result: Result | None, reason: str, as_of: date) -> list[Finding]:
    """What speaks against the call (``result``, ``reason``: what it comes to), and a working that ends elsewhere."""
    span = (given.start, given.end)
    if given.call is None:
        message = f"계산 요청의 형식이 잘못되었습니다: {given.problem}"
        return [Finding("form", "fault", span, message)]
    findings = [
        Finding("calculation", "fault", span, f"계산 요청이 질문과 다릅니다: {said}", code=_code(said))
        for said in objections(question, given.call)
    ]
    if result is None:
        return [*findings, Finding("calculation", "unchecked", span, f"이 요청은 계산할 수 없습니다: {reason}")]
    stated = answer_payable(given.prose, as_of) if given.prose.strip() else None
    if stated is not None and stated != result.payable:
        right = format_won(result.payable)
        message = f"풀이의 세액이 요청과 다릅니다: 풀이 {format_won(stated)}, 요청대로 계산하면 {right}."
        findings.append(Finding("number", "fault", None, message, right, 7))
    return findings


def _code(objection: str) -> int:
    return UNFOUNDED if "질문에 없" in objection else OTHER_CASE
