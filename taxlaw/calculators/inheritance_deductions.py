"""Deductions from the taxable value of an estate (상속공제): 상속세 및 증여세법 제18조-제24조.

Each function adds its own working to ``steps`` and its articles (without the name of the act) to ``articles``.
"""

from __future__ import annotations

from fractions import Fraction

from taxlaw.calculators import tables_inheritance as figures
from taxlaw.calculators.inheritance_facts import InheritanceFacts, gift_groups
from taxlaw.calculators.result import Step, addition, floor_won, percent_text, subtraction
from taxlaw.errors import MissingFact
from taxlaw.money import format_won


def spouse_deduction(receives: int, limit: int) -> int:
    """배우자 상속공제 (제19조) in won for what the spouse receives under a limit of 제19조제1항제1호."""
    return max(min(receives, max(limit, 0), figures.SPOUSE_CEILING), figures.SPOUSE_FLOOR)


def financial_deduction(net_financial: int) -> int:
    """금융재산 상속공제 (제22조제1항) in won."""
    if net_financial <= figures.FINANCIAL_WHOLE_UP_TO:
        return net_financial
    share = floor_won(net_financial * figures.FINANCIAL_RATE)
    return min(max(share, figures.FINANCIAL_WHOLE_UP_TO), figures.FINANCIAL_CAP)


def total_deduction(facts: InheritanceFacts, taxable_value: int, steps: list[Step], articles: list[str]) -> int:
    """상속공제액 (제18조-제24조); adds one step a deduction, the sum and, where it bites, the ceiling."""
    parts = [_personal(facts, steps, articles)]
    if facts.spouse:
        parts.append(_spouse(facts, steps, articles))
    if facts.net_financial:
        amount = financial_deduction(facts.net_financial)
        expression = f"{format_won(facts.net_financial)} × {percent_text(figures.FINANCIAL_RATE)}"
        if amount != floor_won(facts.net_financial * figures.FINANCIAL_RATE):
            expression = format_won(amount)
        articles.append("제22조제1항")
        steps.append(Step("금융재산 상속공제", expression, amount, "예금 같은 금융재산에서 빼 주는 금액"))
        parts.append(amount)
    if facts.cohabited_house:
        amount = min(facts.cohabited_house, figures.COHABITED_HOUSE_CAP)
        articles.append("제23조의2제1항")
        steps.append(Step("동거주택 상속공제", format_won(amount), amount, "함께 살던 집에서 빼 주는 금액"))
        parts.append(amount)
    total = sum(parts)
    if len(parts) > 1:
        steps.append(Step("상속공제 합계", addition(*parts), total, "빼 주는 금액을 모두 더함"))

    cuts = [facts.bequest_to_others, facts.renounced_to_next]
    if taxable_value > figures.GIFTS_COUNT_ABOVE:
        cuts.append(sum(gifts - deduction for _, gifts, deduction, _ in gift_groups(facts)))
    ceiling = max(taxable_value - sum(cuts), 0)
    if total <= ceiling:
        return total
    articles.append("제24조")
    expression = subtraction(taxable_value, *cuts) if taxable_value >= sum(cuts) else "0원"
    steps.append(Step("상속공제(적용 한도)", expression, ceiling, "빼 줄 수 있는 가장 큰 금액"))
    return ceiling


def _personal(facts: InheritanceFacts, steps: list[Step], articles: list[str]) -> int:
    """기초공제와 그 밖의 인적공제, or 일괄공제 (제18조, 제20조, 제21조)."""
    rows = (
        ("자녀", facts.children, figures.CHILD_DEDUCTION),
        ("미성년자", sum(facts.minors), figures.MINOR_DEDUCTION_A_YEAR),
        ("연로자", facts.seniors, figures.SENIOR_DEDUCTION),
        ("장애인", sum(facts.disabled), figures.DISABLED_DEDUCTION_A_YEAR),
    )
    itemised = figures.BASIC_DEDUCTION + sum(count * each for _, count, each in rows)
    lump = figures.LUMP_SUM_DEDUCTION
    if not facts.sole_spouse and (not facts.filed or itemised <= lump):
        articles.append("제21조제1항")
        steps.append(Step("일괄공제", format_won(lump), lump, "한꺼번에 빼 주는 금액"))
        return lump
    articles.append("제18조")
    if facts.sole_spouse:
        articles.append("제21조제2항")
    expression = format_won(figures.BASIC_DEDUCTION)
    if itemised > figures.BASIC_DEDUCTION:
        articles.append("제20조제1항")
        expression += "".join(f" + {format_won(each)} × {count}" for _, count, each in rows if count)
    names = "·".join(["기초", *(name for name, count, _ in rows if count)])
    steps.append(Step(f"인적공제({names})", expression, itemised, "가족 몫으로 빼 주는 금액"))
    return itemised


def _spouse(facts: InheritanceFacts, steps: list[Step], articles: list[str]) -> int:
    """배우자 상속공제 (제19조); adds its limit and itself."""
    floor, plain = figures.SPOUSE_FLOOR, "남편이나 아내 몫으로 빼 주는 금액"
    articles.append("제19조제1항")
    receives = facts.spouse_receives
    if receives is None and facts.sole_spouse:
        receives = max(facts.estate - facts.public_charges - facts.debt - facts.bequest_to_others, 0)
    if receives is None or receives < floor:
        articles.append("제19조제4항")
        steps.append(Step("배우자 상속공제(최소)", format_won(floor), floor, plain))
        return floor
    limit = facts.spouse_limit
    if limit is None:
        limit = _spouse_limit(facts, steps)
    amount = spouse_deduction(receives, limit)
    if amount == floor and min(receives, limit) < floor:
        articles.append("제19조제4항")
        label = "배우자 상속공제(최소)"
    else:
        label = "배우자 상속공제" if amount == receives else "배우자 상속공제(한도)"
    steps.append(Step(label, format_won(amount), amount, plain))
    return amount


def _spouse_limit(facts: InheritanceFacts, steps: list[Step]) -> int:
    """(A - B + C) × D - E of 제19조제1항제1호; A is the estate less 공과금 and debts, not funeral costs (영 제17조제1항)."""
    others = facts.children or facts.parents
    if not others and not facts.sole_spouse:
        raise MissingFact(
            "children, parents: 배우자의 법정상속분을 정하려면 자녀 수나 (자녀가 없으면) 직계존속 수, 또는 배우자 단독상속이라는 "
            "사실을 알아야 합니다."
        )
    share = Fraction(3, 3 + 2 * others)  # 민법 제1009조제2항: 1.5 against 1 for each other heir
    pool = facts.estate - facts.public_charges - facts.debt - facts.bequest_to_others + facts.gifts_to_heirs
    limit = floor_won(max(pool * share - facts.spouse_gift_base, Fraction(0)))
    expression = "0원"
    if limit:
        inner = subtraction(facts.estate, facts.public_charges, facts.debt, facts.bequest_to_others)
        inner += f" + {format_won(facts.gifts_to_heirs)}" if facts.gifts_to_heirs else ""
        inner = f"({inner})" if " " in inner and pool != facts.estate else inner
        expression = inner if share == 1 else f"{inner} × {share.numerator} ÷ {share.denominator}"
        expression += f" - {format_won(facts.spouse_gift_base)}" if facts.spouse_gift_base else ""
    steps.append(Step("배우자 법정상속분 한도", expression, limit, "법으로 정해진 배우자 몫"))
    return limit
