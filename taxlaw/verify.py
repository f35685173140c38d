"""The one verifier: does an answer cite provisions that exist, and are its amounts right?  Deterministic, no model.

A fault is something code can show to be wrong; what code cannot judge is reported as unchecked, never as right.
"""

from __future__ import annotations

import re
from datetime import date
from functools import cache

from taxlaw.answer_form import form_faults
from taxlaw.arithmetic import Calculation, find_calculations
from taxlaw.calculators import Result
from taxlaw.call_answer import CallAnswer, check_call, run_quietly, split_call
from taxlaw.calls import answer_payable, run_call
from taxlaw.cases import read_case
from taxlaw.citation_check import check_citations
from taxlaw.citations import find_citations
from taxlaw.conclusion_check import reversed_conclusion
from taxlaw.digest import load_digest
from taxlaw.errors import UnsupportedCase
from taxlaw.evidence_check import (
    impossible_days,
    same_words,
    substituted_figures,
    unsupported_amounts,
    wrong_comparisons,
)
from taxlaw.findings import Finding, Verdict
from taxlaw.in_force_check import not_yet_in_force, unsettled_amendments
from taxlaw.law_names import full_name
from taxlaw.money import Amount, find_amounts, format_won
from taxlaw.quotation_check import Statutes, check_quotations
from taxlaw.working_check import unequal_twins, wrong_figures, wrong_steps

__all__ = ["Finding", "Verdict", "verify"]

_CALCULATED = re.compile(r"산출세액(?:은|이|는|:)\s?(?P<rest>[^\n]{2,120})")
# Taxes that are paid together with another and often told as one sum.
_WITH_OTHERS = re.compile(r"지방교육세|농어촌특별세|지방소득세|도시지역분")


def verify(
    question: str, answer: str, as_of: date, evidence: str | None = None, statutes: Statutes | None = None
) -> Verdict:
    """Judge an answer against the law index on a date, exact recomputation, and the evidence it rests on, if given.

    With ``evidence`` (text) every amount must come from it, the question, a cited provision or a right sum.  ``statutes``
    (what load_statutes gives): texts against which quoted words are compared.
    """
    given = split_call(answer)
    prose = answer if given is None else given.prose
    findings = [Finding("form", "fault", span, message) for message, span in _form(answer, prose, given)]
    result, reason = _recompute(question, as_of) if answer.strip() else (None, "")
    called, unable = run_quietly(given.call, as_of) if given else (None, "")
    if given is not None:
        findings += check_call(question, given, called, unable, as_of)
    stated = answer_payable(answer, as_of)
    if given is not None and given.call is not None and not prose.strip():
        findings += _check_payable(question, answer, stated, result, reason)
    elif prose.strip():
        findings += _check_prose(question, prose, as_of, evidence, statutes, result, called, reason)
    return Verdict(all(finding.severity != "fault" for finding in findings), tuple(findings))


def _form(answer: str, prose: str, given: CallAnswer | None) -> list[tuple[str, tuple[int, int] | None]]:
    """Faults of form of the whole, and of the prose where there is some beside a call."""
    if given is None:
        return form_faults(answer)
    found = form_faults(answer, is_call=True)
    return [*found, *(fault for fault in form_faults(prose) if fault not in found)] if prose.strip() else found


def _check_prose(
    question: str,
    answer: str,
    as_of: date,
    evidence: str | None,
    statutes: Statutes | None,
    asked: Result | None,
    called: Result | None,
    reason: str,
) -> list[Finding]:
    """All that is said in words.  ``asked``: the result of the question's case; ``called``: of the call before the words."""
    result = asked or called
    citations, calculations = find_citations(answer), find_calculations(answer)
    quotations = check_quotations(answer, citations, as_of, evidence, statutes)
    findings = [
        finding
        for finding in check_citations(answer, as_of, evidence, question, result.articles if result else ())
        if not _within(finding, quotations)
    ]
    findings += quotations
    findings += [*not_yet_in_force(question, answer, citations, as_of), *unsettled_amendments(citations, as_of)]
    findings += [*_check_calculations(calculations), *unequal_twins(answer), *impossible_days(answer)]
    stated = answer_payable(answer, as_of)
    payable = _check_payable(question, answer, stated, asked, reason)
    findings += payable
    if result is not None and not any(f.severity == "fault" for f in payable):
        wrong_sums = [c for c in calculations if not c.correct]
        for step in (*wrong_steps(answer, result), *wrong_figures(question, answer, result)):
            if not any(c.start < step.span[1] and step.span[0] < c.end for c in wrong_sums):
                findings.append(step)  # one slip is told once
    return [*findings, *_check_support(question, answer, evidence, calculations, result, stated, as_of)]


def _within(finding: Finding, quotations: list[Finding]) -> bool:
    """Whether a fault lies in words that were found to be the law's own: 제38조 in them is no citation of the answer's."""
    spans = [quoted.span for quoted in quotations if quoted.severity == "confirmed"]
    return finding.severity == "fault" and any(
        start <= finding.span[0] and finding.span[1] <= end for start, end in spans if finding.span
    )


def _check_calculations(calculations: list[Calculation]) -> list[Finding]:
    findings = []
    for calculation in calculations:
        span = (calculation.start, calculation.end)
        if calculation.correct:
            findings.append(Finding("calculation", "confirmed", span, f"계산이 맞습니다: {calculation.text}"))
        else:
            message = f"계산이 틀렸습니다: {calculation.text} (바른 값 {calculation.expected})"
            findings.append(Finding("calculation", "fault", span, message, calculation.expected, 8))
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
    asked_before_credits = "산출세액" in question and "납부" not in question
    right = format_won(result.calculated_tax if asked_before_credits else result.payable)
    if stated is None and asked_before_credits and (told := _CALCULATED.search(answer)):
        stated = next((amount.won for amount in find_amounts(told["rest"].rpartition("=")[2])), None)
    if stated is None:
        message = f"답변에서 최종 세액을 찾지 못했습니다. 질문대로 계산하면 {right}입니다."
        return [Finding("number", "unchecked", None, message, right)]
    if _WITH_OTHERS.search(answer) and not _WITH_OTHERS.search(question) and stated != result.payable:
        message = f"답변의 {format_won(stated)}은 함께 내는 세금을 더한 금액일 수 있습니다. 본세는 {right}입니다."
        if result.tax not in ("gift", "income", "vat_simplified", "corporate"):
            return [Finding("number", "unchecked", None, message, right)]
    span = next(((a.start, a.end) for a in reversed(find_amounts(answer)) if a.won == stated), None)
    # A penalty is often told twice: by itself, then added to the tax it is on.
    with_its_tax = (
        result.tax == "penalty"
        and stated == result.tax_base + result.payable
        and any(amount.won == result.payable for amount in find_amounts(answer))
    )
    if stated == result.payable or with_its_tax or (asked_before_credits and stated == result.calculated_tax):
        return [Finding("number", "confirmed", span, f"최종 세액 {format_won(stated)}이 다시 계산한 값과 같습니다.")]
    message = (
        f"최종 세액이 다릅니다: 답변 {format_won(stated)}, 다시 계산한 값 {right}"
        f" (과세표준 {format_won(result.tax_base)}, 산출세액 {format_won(result.calculated_tax)})."
        f" 전제: {', '.join(result.assumptions)}"
    )
    unit_slip = bool(stated) and any(
        stated * size == result.payable or stated == result.payable * size for size in (10, 100, 1000, 10_000)
    )
    return [Finding("number", "fault", span, message, right, 15 if unit_slip else 7)]


def _check_support(
    question: str,
    answer: str,
    evidence: str | None,
    calculations: list[Calculation],
    result: Result | None,
    stated: int | None,
    as_of: date,
) -> list[Finding]:
    """What the answer's figures rest on: the question, the evidence, a computation, or a provision we know."""
    cited = [citation for citation in find_citations(answer) if citation.law]
    sums = "\n".join(calculation.text for calculation in calculations if calculation.correct)
    loose = _loose_amounts(
        question, answer, evidence, _rules({(c.law, c.article) for c in cited}), sums, result, stated
    )
    if evidence is None:
        if not loose:
            return []
        names = ", ".join(dict.fromkeys(amount.text for amount in loose))
        message = f"질문·근거·계산에서 확인되지 않은 금액: {names}"
        return [Finding("number", "unchecked", (loose[0].start, loose[0].end), message)]
    named = {(citation.law, citation.article) for citation in find_citations(evidence)}
    elsewhere = [(c.start, c.end) for c in cited if (c.law, c.article) not in named]
    rules = _rules({(c.law, c.article) for c in cited})
    # Figures of a neighbouring provision are general knowledge that the evidence happens not to hold.
    laws = {law for law, _ in named}
    texts = [rule for (law, _), rule in _digest_rules().items() if loose and law in laws]
    unsure = [
        amount
        for amount in loose
        if any(
            o.won == amount.won and same_words(answer, amount, text, o) for text in texts for o in find_amounts(text)
        )
    ]
    loose = [amount for amount in loose if amount not in unsure]
    return [
        *(
            Finding(
                "number",
                "unchecked",
                (a.start, a.end),
                f"근거 자료에 없는 금액입니다(같은 법의 다른 규정에는 있음): {a.text}",
            )
            for a in unsure
        ),
        *unsupported_amounts(loose),
        *substituted_figures(question, answer, evidence, f"{rules}\n{sums}", elsewhere, as_of),
        *wrong_comparisons(question, answer, evidence),
        *reversed_conclusion(question, answer, evidence),
    ]


def _loose_amounts(
    question: str, answer: str, evidence: str | None, rules: str, sums: str, result: Result | None, stated: int | None
) -> list[Amount]:
    """Amounts of the answer that come from nowhere; operands of right sums are examples, not claims."""
    texts = [question, evidence or "", rules, sums]
    known = {0}
    if result is not None:
        texts += [step.expression for step in result.steps]
        known |= {result.tax_base, result.calculated_tax, result.credits, result.payable, stated or 0}
        known |= {step.amount for step in result.steps}
    elif evidence is None:
        known.add(stated or 0)  # reported by _check_payable already
    known |= {amount.won for text in texts for amount in find_amounts(text)}
    return [amount for amount in find_amounts(answer) if amount.won not in known]


def _rules(cited: set[tuple[str | None, str]]) -> str:
    """What the digest says of the provisions cited."""
    return "\n".join(rule for key, rule in _digest_rules().items() if key in cited)


@cache
def _digest_rules() -> dict[tuple[str | None, str], str]:
    return {
        (full_name(provision.law) or provision.law, provision.article): " ".join((provision.rule, *provision.figures))
        for provision in load_digest()
    }
