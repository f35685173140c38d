"""The working in finer steps, for a student that computes by itself: the calculators' lines with the digit work in brackets.

Built from the steps of a Result, so a figure can come from nowhere else.  Every line keeps the label and the amount of its
step; without the brackets (digit_work.without_digits) it is ordinary arithmetic that the verifier recomputes.
What differs from render_working, all of it to keep the text short:
- progressive tax is written base × rate - 누진공제액, which is two operations instead of three;
- what an earlier gift leaves after its deduction has a line of its own, where the calculator's line begins with it;
- the tax before 신고세액공제, when it is a sum, has a line of its own and is not summed twice;
- the articles are named without paragraphs, and the assumptions (전제) are left out.
The last line is that of render_working.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from data_gen.errors import DataGenError
from taxlaw.calculators import Result
from taxlaw.calculators.result import Step
from taxlaw.calls import render_working
from taxlaw.citations import find_citations
from taxlaw.digit_work import write_operation
from taxlaw.money import find_amounts, format_won

# 'A - B', 'A × 20%', '(A + B - C) × 3%', 'L + (A - B) × 40%'; any other expression stays as it is.
_EXPRESSION = re.compile(r"(?:(?P<below>[^()×÷+\-]+) \+ (?=\())?\(?(?P<sum>[^()×÷]+?)\)?(?: × (?P<rate>\d+)%)?")
Operations = list[tuple[str, int]]


def fine_working(result: Result) -> str:
    """The working of ``result`` with every digit written out.  Raises DataGenError when a line would not give its step."""
    lines: list[str] = []
    sums: dict[tuple[tuple[str, int], ...], int] = {}
    for step in result.steps:
        lines += _lines(step, sums)
        if step.label == "산출세액":
            lines += _earlier_base(result.steps)
    named = (citation for article in result.articles for citation in find_citations(article))
    articles = tuple(dict.fromkeys(f"{citation.law} {citation.article}" for citation in named))
    basis, *_, payable = render_working(replace(result, steps=(), articles=articles)).split("\n")
    return "\n".join([*lines, basis, payable])


def _earlier_base(steps: Sequence[Step]) -> list[str]:
    """The line of what the earlier gifts leave after the deduction; none where a gift is not added to earlier ones."""
    by_label = {step.label.split("(")[0]: step for step in steps}
    added = _terms(by_label["증여세 과세가액"].expression) if "증여세 과세가액" in by_label else []
    if not added or added[-1][0] != "+" or len(added) < 2:
        return []
    earlier, deduction = added[-1][1], by_label["증여재산공제"].amount if "증여재산공제" in by_label else 0
    left, label = max(earlier - deduction, 0), "이전 증여의 과세표준"
    return [_line(label, earlier, [("-", deduction)], left)] if left and deduction else [f"{label}: {format_won(left)}"]


def _lines(step: Step, sums: dict[tuple[tuple[str, int], ...], int]) -> list[str]:
    """The line of a step, after a line for the sum it rests on.  ``sums``: those written so far, by their terms."""
    read = _EXPRESSION.fullmatch(step.expression)
    terms = _terms(read["sum"]) if read else []
    amount = format_won(step.amount)
    if step.expression == amount:
        return [f"{step.label}: {amount}"]
    if read is None or not terms:
        return [f"{step.label}: {step.expression} = {amount}"]
    if read["rate"] is None:
        known = max((n for n in range(2, len(terms)) if tuple(terms[:n]) in sums), default=0)
        start = [("+", sums[tuple(terms[:known])]), *terms[known:]] if known else terms
        return [_line(step.label, start[0][1], start[1:], step.amount)]
    rate = int(read["rate"])
    if read["below"]:
        (_, base), (_, lower) = terms
        below = find_amounts(read["below"])[0].won
        return [_line(step.label, base, [("×", rate), ("-", lower * rate // 100 - below)], step.amount)]
    if len(terms) == 1:
        return [_line(step.label, terms[0][1], [("×", rate)], step.amount)]
    total = sums[tuple(terms)] = sum(won if sign == "+" else -won for sign, won in terms)
    return [
        _line(f"{step.label} 전 금액", terms[0][1], terms[1:], total),
        _line(step.label, total, [("×", rate)], step.amount),
    ]


def _terms(expression: str) -> Operations:
    """'A + B - C' as signed amounts in won; empty when it is anything else."""
    amounts = find_amounts(expression)
    ends = [0, *(amount.end for amount in amounts)]
    between = [expression[end : amount.start].strip() for end, amount in zip(ends, amounts, strict=False)]
    rest = expression[ends[-1] :].strip()
    if rest or not amounts or between[0] or any(sign not in ("+", "-") for sign in between[1:]):
        return []
    return [(sign or "+", amount.won) for sign, amount in zip(between, amounts, strict=True)]


def _line(label: str, start: int, operations: Operations, amount: int) -> str:
    text, value = format_won(start), start
    for sign, operand in operations:
        written, value = write_operation(sign, value, operand)
        text += written
    if value != amount:
        raise DataGenError(
            f"자릿수 풀이가 계산기와 다릅니다: {label}: {text} = {format_won(value)}, 계산기 {format_won(amount)}\n"
            "  fine_steps.py가 이 계산식을 다르게 읽었습니다 (the digit work disagrees with the calculator)."
        )
    return f"{label}: {text} = {format_won(amount)}"
