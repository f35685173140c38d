"""Are the steps an answer writes out those of the calculation?  Line by line, by the label of each step.

Catches what right arithmetic hides: an amount copied wrongly from the question, or a deduction of the wrong size.
"""

from __future__ import annotations

import re
from itertools import pairwise

from taxlaw.calculators import Result
from taxlaw.figures import find_figures
from taxlaw.findings import Finding
from taxlaw.money import find_amounts, format_won

# 산출세액은 …, 과세표준: …; the label begins its line or sentence.
_LABEL_END = r"(?:\([^()\n]{1,40}\))?\s?(?:은|는|이|가|:|=)\s"
_WORKING = re.compile(r"[-*•\d.\s]*[^:.\n]{2,60}:\s[^:\n]*=")
_ASSUMED = re.compile(r"\s*(?:[-*•]\s)?(?:전제|가정|이렇게 보고 계산)")


def wrong_steps(answer: str, result: Result) -> list[Finding]:
    """A fault for each labelled line whose last amount is not the amount of the step of that name.

    Labels that the calculation uses twice, and lines that hold no amount, are passed over.
    """
    faults = []
    labels: dict[str, set[int]] = {}
    for step in result.steps:
        for label in {step.label, step.plain} - {""}:
            labels.setdefault(label, set()).add(step.amount)
    for label, amounts in labels.items():
        pattern = rf"(?:^|\n)[-*•\d.\s]*{re.escape(label)}{_LABEL_END}(?P<rest>[^\n]*)"
        for match in re.finditer(pattern, answer):
            *equals, tail = match["rest"].split("=")
            found = find_amounts(tail)
            # A line may go on to the next step: '… = 6억 2,000만원이고, 신고세액공제는 … = 1,860만원'.
            earlier = [amount for part in equals[1:] for amount in find_amounts(part)[:1]]
            if len(amounts) != 1 or not found or any(amount.won in amounts for amount in [*earlier, *found]):
                continue
            right = format_won(next(iter(amounts)))
            start = match.start("rest")
            message = f"{label}이(가) 다릅니다: 답변 {found[-1].text}, 다시 계산한 값 {right}."
            faults.append(Finding("number", "fault", (start, match.end("rest")), message, right, 7))
    return faults


def wrong_figures(question: str, answer: str, result: Result) -> list[Finding]:
    """Rates and periods in the lines of a working, and periods in its assumptions, that the calculation does not have."""
    steps = "\n".join(f"{step.label} {step.plain} {step.expression}" for step in result.steps)
    told = find_figures("\n".join([question, *result.assumptions]))
    known = {(figure.kind, figure.value) for figure in [*told, *find_figures(steps)]}
    # What a working assumes is of the case: 12개월 is not there because a step is called '1년으로 늘려 본 금액'.
    assumed = {(figure.kind, figure.value) for figure in told}
    assumed |= {(figure.kind, figure.value) for figure in find_figures(steps) if figure.text in answer}
    faults = []
    start = 0
    for line in answer.split("\n"):
        working = _WORKING.match(line) is not None
        kinds = {"rate", "period", "age"} if working else {"period", "age"} if _ASSUMED.match(line) else set()
        for figure in find_figures(line) if kinds else ():
            if figure.kind in kinds and (figure.kind, figure.value) not in (known if working else assumed):
                span = (start + figure.start, start + figure.end)
                faults.append(
                    Finding("number", "fault", span, f"이 계산에 쓰이지 않는 수치입니다: {figure.text}", code=8)
                )
        start += len(line) + 1
    return faults


def unequal_twins(answer: str) -> list[Finding]:
    """'6억 140만원 (601,400,000원)' with two values: one amount written twice, differently."""
    amounts = find_amounts(answer)
    faults = []
    for first, second in pairwise(amounts):
        between, after = answer[first.end : second.start], answer[second.end : second.end + 1]
        if re.fullmatch(r"\s?\(", between) and after == ")" and first.won != second.won and "," in second.text:
            if not re.search("[억만]", first.text) or re.search("[억만]", second.text):
                continue
            message = f"같은 금액을 다르게 적었습니다: {first.text} ({second.text})"
            faults.append(Finding("calculation", "fault", (first.start, second.end + 1), message, code=15))
    return faults
