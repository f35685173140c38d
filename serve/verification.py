"""From a verdict to what a person can check: each citation with its text, each step recomputed, what is missing, badges.

Adds nothing to the verdict and changes nothing in the answer.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from serve.cited_sources import cited_sources
from serve.explanation import Badge, Check, Explanation, Step, WrittenSum

_SEVERITIES = ("fault", "unchecked", "confirmed")
# Codes of taxlaw.findings.REASONS that deserve a badge of their own: (Korean, English).
_CITATION_FAULTS = {
    1: ("없는 조문", "no such provision"),
    5: ("시행 전 조문", "not yet in force"),
    6: ("삭제된 조문", "repealed provision"),
    None: ("잘못된 인용", "wrong citation"),
}
_NOT_YET = 5
_CALL_CODES = (13, 18)


def explain(answer: Any) -> Explanation:
    """What was checked about ``answer`` (serve.answer.Answer), ready to show."""
    final, verdict = answer.completion.final, answer.verdict
    checks = tuple(_check(finding, final) for finding in _worst_first(verdict.findings))
    steps, steps_from, payable, stated = _steps(answer)
    lacking = _missing_facts(answer, stated)
    return Explanation(
        as_of=answer.as_of,
        ok=verdict.ok,
        summary=verdict.summary() + _doubt(verdict, answer.as_of),
        badges=_badges(answer, lacking),
        citations=cited_sources(answer),
        sums=_sums(final),
        steps=steps,
        steps_from=steps_from,
        payable=payable,
        stated=stated,
        checks=checks,
        missing=_missing(answer, lacking),
    )


def _worst_first(findings: tuple[Any, ...]) -> list[Any]:
    return sorted(findings, key=lambda finding: _SEVERITIES.index(str(finding.severity)))


def _check(finding: Any, final: str) -> Check:
    expected = None if finding.expected is None else str(finding.expected)
    quote = final[slice(*finding.span)].strip()[:200] if finding.span else None
    return Check(str(finding.kind), str(finding.severity), finding.message, expected, quote or None)


def _sums(final: str) -> tuple[WrittenSum, ...]:
    from taxlaw.arithmetic import find_calculations

    return tuple(WrittenSum(found.text.strip(), found.correct, found.expected) for found in find_calculations(final))


def _steps(answer: Any) -> tuple[tuple[Step, ...], str | None, int | None, int | None]:
    """(steps, whose reading of the facts, tax by code, tax the answer states); the reading by rule counts before the model's."""
    from taxlaw.calls import answer_payable
    from taxlaw.money import find_amounts

    final, calculation = answer.completion.final, answer.calculation
    told = final.strip() and not answer.completion.problem
    stated = answer_payable(final, answer.as_of) if told else None
    result = calculation.result if calculation else answer.completion.result
    if result is None:
        return (), None, None, stated
    amounts = {amount.won for amount in find_amounts(final)}
    steps = tuple(Step(step.label, step.expression, step.amount, step.amount in amounts) for step in result.steps)
    return steps, "question" if calculation else "model", result.payable, stated


def _missing(answer: Any, lacking: list[str]) -> tuple[str, ...]:
    """What the question or the answer lacks, in Korean sentences."""
    from taxlaw.citations import find_citations

    completion = answer.completion
    found = [completion.problem, *lacking] if completion.problem else lacking
    if completion.unread:
        found = [*found, f"계산이 빠뜨렸거나 질문과 다르게 읽은 것: {', '.join(completion.unread)}."]
    if answer.stats.finish == "length":
        found = [*found, "답이 길이 한도에서 잘려 끝까지 쓰이지 않았습니다."]
    words = re.search(r"[가-힣]{2}", completion.final)
    if words and not completion.problem and not find_citations(completion.final):
        found = [*found, "근거가 되는 조문을 밝히지 않았습니다."]
    return tuple(found)


def _missing_facts(answer: Any, stated: int | None) -> list[str]:
    """What a computation of the question's case still needs; [] when no tax is computed, by the question or the answer."""
    from taxlaw.calls import run_call
    from taxlaw.cases import read_case
    from taxlaw.errors import MissingFact, UnsupportedCase
    from taxlaw.money import find_amounts

    if answer.calculation is not None or (stated is None and not find_amounts(answer.question)):
        return []
    try:
        run_call(read_case(answer.question), answer.as_of)
    except MissingFact as exc:
        return [str(exc)]
    except UnsupportedCase:
        pass  # unread, which the verifier says where it matters
    return []


# --- badges -------------------------------------------------------------------------------------------------------
def _badges(answer: Any, lacking: list[str]) -> tuple[Badge, ...]:
    verdict = answer.verdict
    badges = [
        *_citation_badges(verdict, _before_index(answer.as_of)),
        *_amount_badges(answer),
        *_sum_badges(verdict),
        *_counted(verdict, "contradiction", "근거와 어긋남", "contradicts the sources"),
        *_counted(verdict, "form", "형식 문제", "form"),
    ]
    if unread := len(answer.completion.unread):
        badges.append(Badge(f"질문과 다른 사실 {unread}", f"facts unlike the question {unread}", "bad"))
    if lacking:
        badges.append(Badge("모자란 사실 있음", "facts missing", "dim"))
    if answer.stats.finish == "length":
        badges.append(Badge("답이 잘림", "cut off", "dim"))
    return tuple(badges) or (Badge("확인할 인용·금액 없음", "nothing to check", "dim"),)


def _before_index(as_of: date) -> bool:
    """Whether the index of articles begins after the day, so that what it has may not have stood there yet."""
    from taxlaw.articles import index_dates

    return as_of < index_dates()[0]


def _doubt(verdict: Any, as_of: date) -> str:
    """What the verdict's own line does not know of: it takes the index to speak of the day."""
    return (
        " (인용: 기준일의 모습은 확인 못함)" if _before_index(as_of) and verdict.count("citation", "confirmed") else ""
    )


def _citation_badges(verdict: Any, early: bool) -> list[Badge]:
    findings = [finding for finding in verdict.findings if finding.kind == "citation"]
    waiting = [f for f in findings if f.severity == "unchecked" and _code(f) == _NOT_YET]
    confirmed = [f for f in findings if f.severity == "confirmed"]
    faults = [f for f in findings if f.severity == "fault"]
    total = len(findings) - len(waiting)
    badges = []
    if total and early:
        words, english = (
            f"인용 {len(confirmed)}/{total} 색인에 있음",
            f"citations {len(confirmed)}/{total} in the index",
        )
        badges.append(Badge(f"{words}, 기준일의 모습은 확인 못함", f"{english}, not checked for that day", "dim"))
    elif total:
        tone = "good" if len(confirmed) == total else "bad" if faults else "dim"
        badges.append(
            Badge(f"인용 {len(confirmed)}/{total} 확인", f"citations {len(confirmed)}/{total} confirmed", tone)
        )
    else:
        badges.append(Badge("인용 없음", "no citation", "dim"))
    for code, (words, english) in _CITATION_FAULTS.items():
        count = sum((_code(f) if _code(f) in _CITATION_FAULTS else None) == code for f in faults)
        if count:
            badges.append(Badge(f"{words} {count}", f"{english} {count}", "bad"))
    if unchecked := total - len(confirmed) - len(faults):
        badges.append(Badge(f"인용 확인 못함 {unchecked}", f"citations not checked {unchecked}", "dim"))
    if waiting:
        badges.append(Badge(f"시행일 확인 필요 {len(waiting)}", f"effective date open {len(waiting)}", "dim"))
    return badges


def _amount_badges(answer: Any) -> list[Badge]:
    verdict = answer.verdict
    numbers = [finding for finding in verdict.findings if finding.kind == "number"]
    faults = [finding for finding in numbers if finding.severity == "fault"]
    wrong = [finding for finding in faults if finding.expected]
    if wrong:
        right = wrong[0].expected
        return [Badge(f"불일치 {len(faults)} (바른 값 {right})", f"mismatch {len(faults)} (should be {right})", "bad")]
    if faults:
        return [Badge(f"근거 없는 숫자 {len(faults)}", f"unsupported figures {len(faults)}", "bad")]
    if any(finding.severity == "confirmed" for finding in numbers):
        return [Badge("금액 재계산 일치", "amount recomputed, equal", "good")]
    if answer.completion.result is not None:
        # Code's arithmetic on misread facts is exact and wrong: say when nothing compared the facts with the question.
        return [Badge("읽은 사실을 질문과 대조하지 못함", "facts not compared with the question", "dim")]
    if numbers:
        return [Badge("금액 확인 못함", "amount not checked", "dim")]
    return []


def _sum_badges(verdict: Any) -> list[Badge]:
    sums = [finding for finding in verdict.findings if finding.kind == "calculation"]
    calls = [finding for finding in sums if finding.severity == "fault" and _code(finding) in _CALL_CODES]
    right = sum(finding.severity == "confirmed" for finding in sums)
    wrong = sum(finding.severity == "fault" for finding in sums) - len(calls)
    badges = []
    if right + wrong:
        tone = "bad" if wrong else "good"
        badges.append(Badge(f"계산식 {right}/{right + wrong} 일치", f"sums {right}/{right + wrong} right", tone))
    if calls:
        badges.append(Badge(f"질문과 다른 계산 {len(calls)}", f"computes another case {len(calls)}", "bad"))
    return badges


def _counted(verdict: Any, kind: str, words: str, english: str) -> list[Badge]:
    count = sum(finding.kind == kind and finding.severity == "fault" for finding in verdict.findings)
    return [Badge(f"{words} {count}", f"{english} {count}", "bad")] if count else []


def _code(finding: Any) -> int | None:
    return getattr(finding, "code", None)
