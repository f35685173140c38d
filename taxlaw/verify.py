"""The one verifier: does an answer cite provisions that exist, and are its amounts right?  Deterministic, no model.

A fault is something code can show to be wrong; what code cannot judge is reported as unchecked, never as right.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from taxlaw.answer_form import form_faults
from taxlaw.arithmetic import Calculation, find_calculations
from taxlaw.articles import index_dates, lookup
from taxlaw.calculators import Result
from taxlaw.calls import answer_payable, find_call, run_call
from taxlaw.cases import read_case
from taxlaw.citations import Citation, find_citations
from taxlaw.digest import load_digest
from taxlaw.errors import UnsupportedCase
from taxlaw.law_names import full_name
from taxlaw.money import find_amounts, format_won

Kind = Literal["citation", "number", "calculation", "form"]
Severity = Literal["fault", "unchecked", "confirmed"]


@dataclass(frozen=True)
class Finding:
    """One thing looked at.  ``span`` are offsets in the answer; ``expected`` is what should stand there, if known."""

    kind: Kind
    severity: Severity
    span: tuple[int, int] | None
    message: str
    expected: str | None = None


@dataclass(frozen=True)
class Verdict:
    """``ok`` is False when, and only when, a finding is a fault."""

    ok: bool
    findings: tuple[Finding, ...]

    def count(self, kind: Kind, severity: Severity) -> int:
        """Number of findings of this kind and severity."""
        return sum(finding.kind == kind and finding.severity == severity for finding in self.findings)

    def summary(self) -> str:
        """One Korean line: '인용 2/2 확인 · 금액 재계산 일치'."""
        return " · ".join(
            part
            for part in (
                self._citations(),
                self._amount(),
                _counted("계산식", self, "calculation"),
                f"형식 문제 {self.count('form', 'fault')}건" if self.count("form", "fault") else "",
            )
            if part
        )

    def _citations(self) -> str:
        confirmed, wrong = self.count("citation", "confirmed"), self.count("citation", "fault")
        total = confirmed + wrong + self.count("citation", "unchecked")
        if not total:
            return "인용 없음"
        return f"인용 {confirmed}/{total} 확인" + (f"(잘못 {wrong})" if wrong else "")

    def _amount(self) -> str:
        for finding in self.findings:
            if finding.kind == "number" and finding.severity == "fault":
                return f"금액 불일치(바른 값 {finding.expected})"
        if self.count("number", "confirmed"):
            return "금액 재계산 일치"
        return "금액 일부 미확인" if self.count("number", "unchecked") else ""


def verify(question: str, answer: str, as_of: date, evidence: str | None = None) -> Verdict:
    """Judge an answer against the law index on a date and against exact recomputation.

    ``evidence`` is text the answer rests on; its amounts, like those of the question, need no further support.
    """
    call = find_call(answer)
    findings = [Finding("form", "fault", span, message) for message, span in form_faults(answer, call is not None)]
    if answer.strip():
        citations = find_citations(answer)
        calculations = find_calculations(answer)
        result, reason = _recompute(question, as_of)
        findings += _check_citations(citations, as_of)
        findings += _check_calculations(calculations)
        stated = answer_payable(answer, as_of)
        findings += _check_payable(question, answer, stated, result, reason)
        findings += _check_support(question, answer, evidence, citations, calculations, result, stated)
    return Verdict(all(finding.severity != "fault" for finding in findings), tuple(findings))


def _check_citations(citations: list[Citation], as_of: date) -> list[Finding]:
    """One finding per article cited, however often it is named."""
    findings: dict[tuple[str | None, str], Finding] = {}
    for citation in citations:
        key = (citation.law, citation.article)
        earlier = findings.get(key)
        if earlier is None or (earlier.severity == "unchecked" and not citation.implied and not citation.former):
            findings[key] = _citation_finding(citation, as_of)
    return list(findings.values())


def _citation_finding(citation: Citation, as_of: date) -> Finding:
    span = (citation.start, citation.end)
    name = f"{citation.law} {citation.article}" if citation.law else citation.article
    if citation.law is None:
        return Finding("citation", "unchecked", span, f"{name}: 어느 법의 조문인지 적혀 있지 않아 확인하지 못했습니다.")
    status = lookup(citation.law, citation.article, as_of)
    if status.status == "found":
        heading = f"({status.heading})" if status.heading else ""
        return Finding("citation", "confirmed", span, f"{name}{heading}: {as_of} 기준으로 있는 조문입니다.")
    if status.status == "law_not_indexed":
        return Finding("citation", "unchecked", span, f"{name}: 내장 색인에 없는 법령이라 확인하지 못했습니다.")
    unsure = _why_unsure(citation, status.status, as_of)
    if unsure:
        return Finding("citation", "unchecked", span, f"{name}: {unsure}")
    if status.status == "no_such_law":
        hint = f" '{status.suggestion}'을(를) 뜻한 것으로 보입니다." if status.suggestion else ""
        return Finding("citation", "fault", span, f"'{citation.law}'이라는 법령은 없습니다.{hint}", status.suggestion)
    if status.status == "deleted":
        return Finding("citation", "fault", span, f"{name}: {as_of} 기준으로 삭제된 조문입니다.")
    hint = f" {status.suggestion}는 있습니다." if status.suggestion else ""
    return Finding("citation", "fault", span, f"{name}: {as_of} 기준으로 없는 조문입니다.{hint}", status.suggestion)


def _why_unsure(citation: Citation, status: str, as_of: date) -> str | None:
    """Why a provision that is not in the index may still be rightly cited; None when there is no such reason."""
    if citation.former:
        return "옛 법(구법)으로 인용되어 지금의 색인으로 확인하지 못했습니다."
    if citation.implied:
        return (
            "법 이름을 앞 문맥에서 이어받았고, 그 법에는 이 조문이 없습니다. 법 이름을 함께 적어야 확인할 수 있습니다."
        )
    if status == "deleted" and as_of < index_dates()[0]:
        return f"지금은 삭제되었으나 {as_of}에는 있었을 수 있습니다(색인은 {index_dates()[0]}부터)."
    return None


def _check_calculations(calculations: list[Calculation]) -> list[Finding]:
    findings = []
    for calculation in calculations:
        span = (calculation.start, calculation.end)
        if calculation.correct:
            findings.append(Finding("calculation", "confirmed", span, f"계산이 맞습니다: {calculation.text}"))
        else:
            message = f"계산이 틀렸습니다: {calculation.text} (바른 값 {calculation.expected})"
            findings.append(Finding("calculation", "fault", span, message, calculation.expected))
    return findings


def _recompute(question: str, as_of: date) -> tuple[Result | None, str]:
    """The result of the case a question states, or None and the Korean reason why it cannot be worked out."""
    try:
        return run_call(read_case(question), as_of), ""
    except UnsupportedCase as exc:  # MissingFact included
        return None, str(exc)


def _check_payable(question: str, answer: str, stated: int | None, result: Result | None, reason: str) -> list[Finding]:
    """The final amount against the calculator.  Nothing to say when neither side has one."""
    if result is None:
        if stated is None:
            return []
        message = f"최종 세액 {format_won(stated)}을 다시 계산하지 못했습니다: {reason}"
        return [Finding("number", "unchecked", None, message)]
    right = format_won(result.payable)
    if stated is None:
        message = f"답변에서 최종 세액을 찾지 못했습니다. 질문대로 계산하면 {right}입니다."
        return [Finding("number", "unchecked", None, message, right)]
    span = next(((a.start, a.end) for a in reversed(find_amounts(answer)) if a.won == stated), None)
    asked_before_credits = "산출세액" in question and "납부" not in question
    if stated == result.payable or (asked_before_credits and stated == result.calculated_tax):
        return [Finding("number", "confirmed", span, f"최종 세액 {format_won(stated)}이 다시 계산한 값과 같습니다.")]
    message = (
        f"최종 세액이 다릅니다: 답변 {format_won(stated)}, 다시 계산한 값 {right}"
        f" (과세표준 {format_won(result.tax_base)}, 산출세액 {format_won(result.calculated_tax)})."
        f" 전제: {', '.join(result.assumptions)}"
    )
    return [Finding("number", "fault", span, message, right)]


def _check_support(
    question: str,
    answer: str,
    evidence: str | None,
    citations: list[Citation],
    calculations: list[Calculation],
    result: Result | None,
    stated: int | None,
) -> list[Finding]:
    """Amounts that come from nowhere: not the question, the evidence, a computation, or a provision we know."""
    known = {amount.won for text in (question, evidence or "") for amount in find_amounts(text)}
    known.add(stated or 0)  # judged by _check_payable already
    known |= {calculation.won for calculation in calculations if calculation.correct and calculation.won is not None}
    if result is not None:
        known |= {result.tax_base, result.calculated_tax, result.credits, result.payable}
        for step in result.steps:
            known |= {step.amount, *(amount.won for amount in find_amounts(step.expression))}
    cited = {(citation.law, citation.article) for citation in citations}
    for provision in load_digest():
        if (full_name(provision.law) or provision.law, provision.article) in cited:
            known |= {amount.won for amount in find_amounts(" ".join((provision.rule, *provision.figures)))}
    loose = [amount for amount in find_amounts(answer) if amount.won not in known]
    if not loose:
        return []
    names = ", ".join(dict.fromkeys(amount.text for amount in loose))
    message = f"질문·근거·계산에서 확인되지 않은 금액: {names}"
    return [Finding("number", "unchecked", (loose[0].start, loose[0].end), message)]


def _counted(word: str, verdict: Verdict, kind: Kind) -> str:
    right, wrong = verdict.count(kind, "confirmed"), verdict.count(kind, "fault")
    if not right + wrong:
        return ""
    return f"{word} {right}/{right + wrong} 일치" + (f"(잘못 {wrong})" if wrong else "")
