"""The facts of one inheritance (상속) and whether they hang together; the tax itself is in inheritance.py."""

from __future__ import annotations

from dataclasses import dataclass

from taxlaw.calculators import tables
from taxlaw.calculators.result import require_amounts
from taxlaw.errors import UnsupportedCase


@dataclass(frozen=True)
class InheritanceFacts:
    """Facts of one death; amounts in won.

    estate: 총상속재산가액 (insurance and retirement pay counted in).  public_charges: 공과금.  funeral, enshrinement: spent on the
    funeral and on 봉안시설·자연장지.  debt: proven debts.

    spouse: a spouse survives.  spouse_receives: what the spouse really inherits; None = not known, so the least deduction is
    taken (a sole heir receives all).  spouse_limit: 한도금액 of 제19조제1항제1호 when the question states it; else it is worked out from children (or, without
    children, parents) as co-heirs.  sole_spouse: the spouse is the only heir.  spouse_gift_base: gift-tax base of the gifts to
    the spouse that are within gifts_to_heirs.  minors, disabled: whole years up to 19, or of life expectancy, one entry a
    person, part years counted as one.  seniors: heirs and family of 65 or more.

    gifts_to_heirs, gifts_to_others: gifts within ten and five years; each with the deductions it had (제53조, 제53조의2) and its
    산출세액 (None = work it out).  bequest_to_others: bequests to people who are not the first heirs.  renounced_to_next: what
    next-rank heirs receive because the first renounced.  skip_receives: the part of those two received by a grandchild whose
    parent is alive; skip_minor: that grandchild is a minor.

    filed: a return is made at all; late: but after the deadline.
    """

    estate: int
    year: int
    public_charges: int = 0
    funeral: int = 0
    enshrinement: int = 0
    debt: int = 0
    spouse: bool = False
    spouse_receives: int | None = None
    spouse_limit: int | None = None
    sole_spouse: bool = False
    spouse_gift_base: int = 0
    children: int = 0
    parents: int = 0
    minors: tuple[int, ...] = ()
    seniors: int = 0
    disabled: tuple[int, ...] = ()
    net_financial: int = 0
    cohabited_house: int = 0
    appraisal_fee: int = 0
    gifts_to_heirs: int = 0
    heirs_gift_deduction: int = 0
    heirs_gift_tax: int | None = None
    gifts_to_others: int = 0
    others_gift_deduction: int = 0
    others_gift_tax: int | None = None
    bequest_to_others: int = 0
    renounced_to_next: int = 0
    skip_receives: int = 0
    skip_minor: bool = False
    filed: bool = True
    late: bool = False


def check_facts(facts: InheritanceFacts) -> None:
    """Raises UnsupportedCase for a year outside the tables or facts that contradict one another."""
    tables.require_year(facts.year, "상속세")
    counted = {
        name: getattr(facts, name) for name in facts.__dataclass_fields__ if name not in ("year", "minors", "disabled")
    }
    require_amounts(
        **{name: value for name, value in counted.items() if value is not None and not isinstance(value, bool)}
    )
    for name, years in (("minors", facts.minors), ("disabled", facts.disabled)):
        if any(isinstance(n, bool) or not isinstance(n, int) or n < 1 for n in years):
            raise UnsupportedCase(f"{name}: 1년 미만을 1년으로 올린, 1 이상의 정수 햇수여야 합니다: {years}")
    if any(n > 19 for n in facts.minors):
        raise UnsupportedCase(f"minors: 19세가 될 때까지의 햇수는 19를 넘을 수 없습니다: {facts.minors}")
    stated = [
        name for name in ("spouse_receives", "spouse_limit", "spouse_gift_base", "sole_spouse") if getattr(facts, name)
    ]
    if stated and not facts.spouse:
        raise UnsupportedCase(f"{', '.join(stated)}: 배우자(spouse)가 있을 때만 쓸 수 있습니다.")
    if facts.sole_spouse and (facts.children or facts.parents):
        raise UnsupportedCase("sole_spouse: 자녀나 직계존속이 있으면 배우자 단독상속이 아닙니다.")
    if (facts.spouse_receives or 0) > facts.estate:
        raise UnsupportedCase("spouse_receives: 배우자가 받은 금액이 상속재산(estate)보다 큽니다.")
    if facts.spouse_gift_base > facts.gifts_to_heirs:
        raise UnsupportedCase(
            "spouse_gift_base: 배우자의 사전증여 과세표준이 상속인 사전증여(gifts_to_heirs)보다 큽니다."
        )
    if facts.late and not facts.filed:
        raise UnsupportedCase("late: 신고한 경우(filed)에만 쓸 수 있습니다.")
    for who, gifts, deduction, tax in gift_groups(facts):
        if deduction > gifts:
            raise UnsupportedCase(f"{who}_gift_deduction: 증여공제액이 사전증여재산가액보다 큽니다.")
        if tax and not gifts:
            raise UnsupportedCase(f"{who}_gift_tax: 사전증여가 없는데 증여세가 있습니다.")
    if facts.bequest_to_others + facts.renounced_to_next > facts.estate:
        raise UnsupportedCase("bequest_to_others, renounced_to_next: 유증·포기분의 합이 상속재산보다 큽니다.")
    if facts.skip_receives > facts.bequest_to_others + facts.renounced_to_next:
        raise UnsupportedCase(
            "skip_receives: 손자녀가 받은 재산은 유증(bequest_to_others)이나 선순위의 포기(renounced_to_next)에도 넣어야 합니다."
        )
    if facts.skip_minor and not facts.skip_receives:
        raise UnsupportedCase("skip_minor: 손자녀가 받은 재산(skip_receives)과 함께만 쓸 수 있습니다.")
    if facts.skip_receives and facts.gifts_to_others:
        # 제27조 counts the gifts of heirs and legatees only; which of these gifts went to a legatee is not among the facts.
        raise UnsupportedCase(
            "skip_receives, gifts_to_others: 수유자가 받은 사전증여인지 알아야 할증세액을 계산합니다."
        )


def gift_groups(facts: InheritanceFacts) -> tuple[tuple[str, int, int, int | None], ...]:
    """(who, gifts, their deductions, their tax or None), those outside the family of heirs first."""
    return (
        ("others", facts.gifts_to_others, facts.others_gift_deduction, facts.others_gift_tax),
        ("heirs", facts.gifts_to_heirs, facts.heirs_gift_deduction, facts.heirs_gift_tax),
    )
