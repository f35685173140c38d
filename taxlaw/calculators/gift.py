"""Gift tax (증여세) on money or property received by a resident: 상속세 및 증여세법 제47조, 제53조-제58조, 제69조.

Knows nothing of how property is valued, of special regimes (조세특례제한법 제30조의5 …) nor of penalties (가산세).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from taxlaw.calculators import tables
from taxlaw.calculators.result import (
    Result,
    Step,
    addition,
    bracket_tax,
    floor_won,
    percent_text,
    require_amounts,
    subtraction,
)
from taxlaw.calculators.tables import INHERITANCE_GIFT_ACT as ACT
from taxlaw.errors import UnsupportedCase
from taxlaw.money import format_won


@dataclass(frozen=True)
class GiftFacts:
    """Facts of one gift; amounts in won.

    relation: the giver seen from the receiver (배우자, 직계존속, 직계비속, 기타친족, 타인).
    marriage_birth: most of 제53조의2 the receiver may still use.  prior_gifts: earlier gifts within ten years from the same
    giver (for 직계존속 including the giver's spouse).  prior_tax: 산출세액 of those gifts; 0 = work it out from them.
    """

    amount: int
    relation: str
    year: int
    minor: bool = False
    generation_skip: bool = False
    marriage_birth: int = 0
    debt: int = 0
    prior_gifts: int = 0
    prior_tax: int = 0
    filed: bool = True


def gift_tax(facts: GiftFacts) -> Result:
    """Gift tax of ``facts`` in won.  Raises UnsupportedCase for a year or combination outside the tables."""
    _check(facts)
    steps = [Step("증여재산가액", format_won(facts.amount), facts.amount, "받은 금액")]
    articles = []

    taxable_value = facts.amount - facts.debt
    if facts.debt:
        articles.append(f"{ACT} 제47조제1항")
    if facts.prior_gifts:
        articles.append(f"{ACT} 제47조제2항")
    if facts.debt or facts.prior_gifts:
        expression = subtraction(facts.amount, facts.debt)
        if facts.prior_gifts:
            expression += f" + {format_won(facts.prior_gifts)}"
        taxable_value += facts.prior_gifts
        plain = "넘겨받은 빚을 빼고 10년 안에 받은 것을 더한 금액" if facts.prior_gifts and facts.debt else ""
        plain = plain or ("10년 안에 받은 것까지 더한 금액" if facts.prior_gifts else "넘겨받은 빚을 뺀 금액")
        steps.append(Step("증여세 과세가액", expression, taxable_value, plain))

    item, limit = tables.GIFT_DEDUCTIONS[facts.relation]
    if facts.relation == "직계존속" and facts.minor:
        limit = tables.GIFT_DEDUCTION_MINOR
    deduction = min(limit, taxable_value)
    if limit:
        articles.append(f"{ACT} 제53조{item}")
        steps.append(
            Step(f"증여재산공제({facts.relation})", format_won(deduction), deduction, "관계에 따라 빼 주는 금액")
        )
    # Only this gift can use it; what earlier gifts used is already off facts.marriage_birth.
    marriage = min(
        facts.marriage_birth, tables.MARRIAGE_BIRTH_CAP, facts.amount - facts.debt, taxable_value - deduction
    )
    if facts.marriage_birth:
        articles.append(f"{ACT} 제53조의2")
        steps.append(Step("혼인·출산 증여재산공제", format_won(marriage), marriage, "결혼·출산 때 더 빼 주는 금액"))

    base = taxable_value - deduction - marriage
    articles.append(f"{ACT} 제55조제1항")
    steps.append(Step("과세표준", subtraction(taxable_value, deduction, marriage), base, "세금을 매기는 금액"))
    if base < tables.GIFT_TAX_FREE_BASE:
        if base:
            articles.append(f"{ACT} 제55조제2항")
        steps.append(
            Step(
                "산출세액(과세표준 50만원 미만)" if base else "산출세액",
                "0원",
                0,
                "세금(너무 적어 매기지 않음)" if base else "세금",
            )
        )
        return Result("gift", facts.year, base, 0, 0, 0, tuple(steps), tuple(articles), _assumptions(facts))

    exact, expression = bracket_tax(base, tables.GIFT_BRACKETS)
    calculated = floor_won(exact)
    articles += [f"{ACT} 제56조", f"{ACT} 제26조"]
    steps.append(Step("산출세액", expression, calculated, "세율을 곱한 세금"))

    surcharge = 0
    if facts.generation_skip:
        rate = tables.SKIP_RATE
        if facts.minor and facts.amount > tables.SKIP_MINOR_ABOVE:
            rate = tables.SKIP_RATE_MINOR
        surcharge = floor_won(calculated * rate)
        articles.append(f"{ACT} 제57조제1항")
        steps.append(
            Step(
                "세대생략 할증세액",
                f"{format_won(calculated)} × {percent_text(rate)}",
                surcharge,
                "한 세대를 건너뛰어 더 내는 세금",
            )
        )

    prior_credit = _prior_credit(facts, limit, base, calculated, steps, articles)
    filing_credit = 0
    if facts.filed:
        due = calculated + surcharge - prior_credit
        filing_credit = floor_won(due * tables.FILING_CREDIT_RATE)
        articles.append(f"{ACT} 제69조제2항")
        due_text = addition(calculated, surcharge) + (f" - {format_won(prior_credit)}" if prior_credit else "")
        if surcharge or prior_credit:
            due_text = f"({due_text})"
        expression = f"{due_text} × {percent_text(tables.FILING_CREDIT_RATE)}"
        steps.append(Step("신고세액공제", expression, filing_credit, "제때 신고해서 깎아 주는 세금"))

    credits = prior_credit + filing_credit
    payable = calculated + surcharge - credits
    if surcharge or credits or steps[-1].amount != payable:  # a credit of 0원 may stand last
        expression = addition(calculated, surcharge) + "".join(
            f" - {format_won(part)}" for part in (prior_credit, filing_credit) if part
        )
        steps.append(Step("차감", expression, payable, "빼고 남은 세금"))
    return Result(
        "gift",
        facts.year,
        base,
        calculated,
        credits,
        payable,
        tuple(steps),
        tuple(articles),
        _assumptions(facts),
        surcharge,
    )


def _check(facts: GiftFacts) -> None:
    tables.require_year(facts.year, "증여세")
    require_amounts(
        amount=facts.amount,
        debt=facts.debt,
        prior_gifts=facts.prior_gifts,
        prior_tax=facts.prior_tax,
        marriage_birth=facts.marriage_birth,
    )
    if facts.relation not in tables.GIFT_DEDUCTIONS:
        known = "·".join(tables.GIFT_DEDUCTIONS)
        raise UnsupportedCase(f"relation: 모르는 관계입니다: {facts.relation!r}. {known} 가운데 하나여야 합니다.")
    if facts.debt > facts.amount:
        raise UnsupportedCase("debt: 인수한 채무가 증여재산가액보다 큽니다 (debt exceeds the gift).")
    if facts.marriage_birth and facts.relation != "직계존속":
        raise UnsupportedCase("marriage_birth: 혼인·출산 공제는 직계존속에게서 받은 증여에만 있습니다 (제53조의2).")
    if facts.generation_skip and facts.relation != "직계존속":
        raise UnsupportedCase("generation_skip: 세대생략 할증은 직계존속에게서 받은 증여에만 있습니다 (제57조).")
    if facts.prior_tax and not facts.prior_gifts:
        raise UnsupportedCase("prior_tax: 이전 증여(prior_gifts)가 없는데 이전 증여세가 있습니다.")
    if facts.generation_skip and facts.prior_gifts:
        # 시행령 제46조의3: the earlier surcharge must be taken off, and it is not among the facts.
        raise UnsupportedCase("generation_skip, prior_gifts: 종전 할증과세액을 알아야 해서 함께 계산하지 않습니다.")
    if facts.relation == "타인" and 0 < facts.prior_gifts < tables.PRIOR_GIFT_FLOOR:
        # 제47조제2항 adds gifts from 1,000만원 on; below it only 타인, who has no deduction to spend, makes a difference.
        raise UnsupportedCase(
            "prior_gifts: 타인의 1,000만원 미만 이전 증여는 합산 여부를 가려야 해서 계산하지 않습니다."
        )


def _prior_credit(
    facts: GiftFacts, limit: int, base: int, calculated: int, steps: list[Step], articles: list[str]
) -> int:
    """Credit for the tax on earlier gifts, within its limit (제58조); adds its steps and article."""
    # 시행령 제46조제1항제1호: the deduction goes to the earliest gift first.
    prior_base = max(facts.prior_gifts - limit, 0)
    if not prior_base:
        return 0
    prior_tax = facts.prior_tax
    if not prior_tax and prior_base >= tables.GIFT_TAX_FREE_BASE:
        exact, expression = bracket_tax(prior_base, tables.GIFT_BRACKETS)
        prior_tax = floor_won(exact)
        steps.append(Step("이전 증여의 산출세액", expression, prior_tax, "전에 받은 것의 세금"))
    cap = floor_won(Fraction(calculated * prior_base, base))
    credit = min(prior_tax, cap)
    if credit < prior_tax:
        expression = f"{format_won(calculated)} × {format_won(prior_base)} ÷ {format_won(base)}"
        steps.append(Step("납부세액공제(한도)", expression, credit, "전에 낸 세금 가운데 빼 주는 금액"))
    elif credit:
        steps.append(Step("납부세액공제", format_won(credit), credit, "전에 낸 세금"))
    articles.append(f"{ACT} 제58조")
    return credit


def _assumptions(facts: GiftFacts) -> tuple[str, ...]:
    notes = [f"{facts.year}년 증여", "받는 사람은 거주자"]
    if facts.relation == "직계존속":
        notes.append("미성년" if facts.minor else "성년")
    if facts.debt:
        notes.append("채무 인수가 객관적으로 확인됨")
    if facts.prior_gifts:
        notes.append("이전 증여의 공제액은 지금과 같은 관계·금액")
    else:
        notes.append("10년 안에 같은 사람에게서 받은 다른 증여 없음")
    notes.append("기한 안에 신고" if facts.filed else "신고하지 않음(가산세는 넣지 않음)")
    return tuple(notes)
