"""Income tax (종합소득세, national tax only) of a resident: 소득세법 제47조, 제50조, 제55조, 제59조, 제59조의2, 제59조의4.

Three ways in: from the tax base, from total income and deductions, or from the gross pay of someone who has only pay.
Knows nothing of special deductions that need receipts, nor of tax already withheld.
"""

from __future__ import annotations

from dataclasses import dataclass

from taxlaw.calculators import tables
from taxlaw.calculators.result import (
    Result,
    Step,
    bracket_tax,
    floor_won,
    percent_text,
    require_amounts,
    subtraction,
)
from taxlaw.calculators.tables import INCOME_ACT as ACT
from taxlaw.errors import MissingFact, UnsupportedCase
from taxlaw.money import format_won


@dataclass(frozen=True)
class IncomeFacts:
    """Exactly one of base (과세표준), income (종합소득금액, with deductions) and gross_pay (총급여액); in won.

    dependants: heads of the basic deduction, the taxpayer included.  children: those among them who give the child credit.
    """

    year: int
    base: int | None = None
    income: int | None = None
    deductions: int = 0
    gross_pay: int | None = None
    dependants: int = 1
    children: int = 0


def income_tax(facts: IncomeFacts) -> Result:
    """결정세액 of ``facts`` in won.  Raises UnsupportedCase (year, contradiction) or MissingFact (no income given)."""
    _check(facts)
    if facts.gross_pay is not None:
        return _from_pay(facts)
    steps, notes = [], [f"{facts.year}년 귀속", "지방소득세 별도", "세액공제·감면과 미리 낸 세금은 반영하지 않음"]
    articles = []
    if facts.base is not None:
        base = facts.base
        steps.append(Step("과세표준", format_won(base), base, "세금을 매기는 금액"))
    else:
        deductions = min(facts.deductions, facts.income)
        base = facts.income - deductions
        articles.append(f"{ACT} 제14조제2항")
        steps.append(Step("종합소득금액", format_won(facts.income), facts.income, "한 해 동안 번 소득"))
        steps.append(Step("과세표준", subtraction(facts.income, deductions), base, "공제를 빼고 세금을 매기는 금액"))
    exact, expression = bracket_tax(base, tables.INCOME_BRACKETS)
    calculated = floor_won(exact)
    articles.append(f"{ACT} 제55조제1항")
    steps.append(Step("산출세액", expression, calculated, "세율을 곱한 세금"))
    return Result("income", facts.year, base, calculated, 0, calculated, tuple(steps), tuple(articles), tuple(notes))


def _check(facts: IncomeFacts) -> None:
    tables.require_year(facts.year, "종합소득세")
    entries = {"base": facts.base, "income": facts.income, "gross_pay": facts.gross_pay}
    given = [name for name, amount in entries.items() if amount is not None]
    if not given:
        raise MissingFact("과세표준(base), 종합소득금액(income), 총급여(gross_pay) 가운데 하나가 있어야 합니다.")
    if len(given) > 1:
        raise UnsupportedCase(f"{'·'.join(given)}: 셋 가운데 하나만 줄 수 있습니다 (give exactly one).")
    require_amounts(deductions=facts.deductions, **{given[0]: entries[given[0]]})
    if facts.deductions and facts.income is None:
        raise UnsupportedCase("deductions: 종합소득금액(income)과 함께만 쓸 수 있습니다.")
    if facts.gross_pay is None and (facts.dependants != 1 or facts.children):
        raise UnsupportedCase("dependants, children: 총급여(gross_pay)와 함께만 쓸 수 있습니다.")
    if facts.dependants < 1 or facts.children < 0:
        raise UnsupportedCase("dependants는 본인을 포함해 1명 이상, children은 0명 이상이어야 합니다.")
    if facts.children >= facts.dependants:
        raise UnsupportedCase(
            f"children: 공제 대상 자녀 {facts.children}명은 본인을 포함한 기본공제 인원(dependants) 안에 있어야 합니다. "
            f"지금은 {facts.dependants}명입니다."
        )


def _from_pay(facts: IncomeFacts) -> Result:
    pay = facts.gross_pay
    exact, expression = bracket_tax(pay, tables.EARNED_DEDUCTION)
    earned_deduction = floor_won(exact)
    label = "근로소득공제"
    if earned_deduction > tables.EARNED_DEDUCTION_CAP:
        earned_deduction = tables.EARNED_DEDUCTION_CAP
        label, expression = "근로소득공제(한도)", format_won(earned_deduction)
    earned = pay - earned_deduction
    personal = min(tables.PERSONAL_DEDUCTION * facts.dependants, earned)
    base = earned - personal
    steps = [
        Step("총급여액", format_won(pay), pay, "한 해 동안 받은 급여"),
        Step(label, expression, earned_deduction, "일하는 사람에게 빼 주는 금액"),
        Step("근로소득금액", subtraction(pay, earned_deduction), earned, "급여에서 그만큼 뺀 금액"),
    ]
    full = tables.PERSONAL_DEDUCTION * facts.dependants
    expression = (
        f"{format_won(tables.PERSONAL_DEDUCTION)} × {facts.dependants}" if personal == full else format_won(personal)
    )
    steps.append(
        Step(
            f"기본공제({facts.dependants}명)",
            expression,
            personal,
            f"본인과 가족 {facts.dependants}명 몫으로 빼 주는 금액",
        )
    )
    steps.append(Step("과세표준", subtraction(earned, personal), base, "세금을 매기는 금액"))
    exact, expression = bracket_tax(base, tables.INCOME_BRACKETS)
    calculated = floor_won(exact)
    steps.append(Step("산출세액", expression, calculated, "세율을 곱한 세금"))

    credits = [earned_credit(pay, calculated, steps)]
    articles = ["제47조제1항", "제50조제1항", "제55조제1항", "제59조"]
    if facts.children:
        credits.append(_child_credit(facts, calculated - sum(credits), steps))
        articles.append("제59조의2제1항")
    credits.append(
        _limited(
            "표준세액공제", tables.STANDARD_CREDIT_EARNER, calculated - sum(credits), steps, "기본으로 깎아 주는 세금"
        )
    )
    articles.append("제59조의4제9항")
    payable = calculated - sum(credits)
    steps.append(Step("차감", subtraction(calculated, *credits), payable, "빼고 남은 세금"))
    notes = [
        f"{facts.year}년 귀속",
        "근로소득만 있음",
        "보험료·의료비·연금보험료 등 다른 공제는 넣지 않고 표준세액공제를 받음",
        "지방소득세 별도",
    ]
    if facts.children:
        notes.insert(2, f"자녀 {facts.children}명은 모두 {tables.CHILD_CREDIT_AGE[facts.year]}세 이상")
    return Result(
        "income",
        facts.year,
        base,
        calculated,
        sum(credits),
        payable,
        tuple(steps),
        tuple(f"{ACT} {article}" for article in articles),
        tuple(notes),
    )


def earned_credit(pay: int, calculated: int, steps: list[Step]) -> int:
    """근로소득세액공제, 제59조제1항·제2항."""
    exact, expression = bracket_tax(calculated, tables.EARNED_CREDIT)
    credit, label = floor_won(exact), "근로소득세액공제"
    above, start, slope, floor = next(row for row in tables.EARNED_CREDIT_CAPS if pay > row[0] or row[0] == 0)
    sliding = start - (pay - above) * slope
    cap = floor_won(max(sliding, floor))
    if credit > cap:
        credit, label, expression = cap, "근로소득세액공제(한도)", format_won(cap)
        if slope and sliding > floor:
            expression = f"{format_won(start)} - ({format_won(pay)} - {format_won(above)}) × {percent_text(slope)}"
    steps.append(Step(label, expression, credit, "일하는 사람에게 깎아 주는 세금"))
    return credit


def _child_credit(facts: IncomeFacts, room: int, steps: list[Step]) -> int:
    """자녀세액공제, 제59조의2제1항; never more than the tax left (제61조)."""
    first, second, further = tables.CHILD_CREDIT[facts.year]
    full = first + (second if facts.children > 1 else 0) + further * max(facts.children - 2, 0)
    return _limited(
        f"자녀세액공제({facts.children}명)", full, room, steps, f"자녀 {facts.children}명 몫으로 깎아 주는 세금"
    )


def _limited(label: str, full: int, room: int, steps: list[Step], plain: str) -> int:
    """A credit of ``full`` won cut to the tax that is left (제61조); adds its step."""
    credit = min(full, room)
    label = label if credit == full else f"{label}(남은 세액 한도)"
    steps.append(Step(label, format_won(credit), credit, plain))
    return credit
