"""Inheritance tax (상속세) on a resident's estate: 상속세 및 증여세법 제13조-제28조, 제69조.

Knows nothing of how property is valued, of presumed estate (제15조), of business and farm deductions (제18조의2, 제18조의3), of
disaster losses (제23조), of credits for foreign tax and quick succession (제29조, 제30조), nor of penalties.
"""

from __future__ import annotations

from fractions import Fraction

from taxlaw.calculators import tables
from taxlaw.calculators import tables_inheritance as figures
from taxlaw.calculators.inheritance_deductions import total_deduction
from taxlaw.calculators.inheritance_facts import InheritanceFacts, check_facts, gift_groups
from taxlaw.calculators.result import (
    Result,
    Step,
    addition,
    bracket_tax,
    floor_won,
    percent_text,
    subtraction,
)
from taxlaw.calculators.tables import INHERITANCE_GIFT_ACT as ACT
from taxlaw.money import format_won


def inheritance_tax(facts: InheritanceFacts) -> Result:
    """Inheritance tax of ``facts`` in won.  Raises UnsupportedCase (year, contradiction) or MissingFact (co-heirs)."""
    check_facts(facts)
    steps: list[Step] = []
    articles: list[str] = []
    taxable_value = _taxable_value(facts, steps, articles)
    deductions = total_deduction(facts, taxable_value, steps, articles)

    fee = min(facts.appraisal_fee, figures.APPRAISAL_CAP, taxable_value - deductions)
    base = taxable_value - deductions - fee
    if fee:
        steps.append(Step("감정평가 수수료", format_won(fee), fee, "재산 값을 매기는 데 든 비용"))
    articles.append("제25조제1항")
    steps.append(Step("과세표준", subtraction(taxable_value, deductions, fee), base, "세금을 매기는 금액"))
    if base < figures.TAX_FREE_BASE:
        if base:
            articles.append("제25조제2항")
        label = "산출세액(과세표준 50만원 미만)" if base else "산출세액"
        steps.append(Step(label, "0원", 0, "세금(너무 적어 매기지 않음)" if base else "세금"))
        return _result(facts, base, 0, 0, 0, steps, articles)

    exact, expression = bracket_tax(base, tables.GIFT_BRACKETS)
    calculated = floor_won(exact)
    articles.append("제26조")
    steps.append(Step("산출세액", expression, calculated, "세율을 곱한 세금"))

    surcharge = _surcharge(facts, calculated, steps, articles)
    gift_credit = _gift_credit(facts, taxable_value, base, calculated, steps, articles)
    filing_credit = 0
    if facts.filed and not facts.late:
        articles.append("제69조제1항")
        due_text = addition(calculated, surcharge) + (f" - {format_won(gift_credit)}" if gift_credit else "")
        due_text = f"({due_text})" if surcharge or gift_credit else due_text
        filing_credit = floor_won((calculated + surcharge - gift_credit) * figures.FILING_CREDIT_RATE)
        expression = f"{due_text} × {percent_text(figures.FILING_CREDIT_RATE)}"
        steps.append(Step("신고세액공제", expression, filing_credit, "제때 신고해서 깎아 주는 세금"))
    credits = gift_credit + filing_credit
    if surcharge or credits or steps[-1].amount != calculated:
        expression = addition(calculated, surcharge) + "".join(
            f" - {format_won(part)}" for part in (gift_credit, filing_credit) if part
        )
        steps.append(Step("차감", expression, calculated + surcharge - credits, "빼고 남은 세금"))
    return _result(facts, base, calculated, surcharge, credits, steps, articles)


def funeral_deduction(funeral: int, enshrinement: int = 0) -> int:
    """장례비용 of 영 제9조제2항 in won: at least 500만원 even when less was spent."""
    direct = min(max(funeral, figures.FUNERAL_FLOOR), figures.FUNERAL_CEILING)
    return direct + min(enshrinement, figures.ENSHRINEMENT_CAP)


def _taxable_value(facts: InheritanceFacts, steps: list[Step], articles: list[str]) -> int:
    """상속세 과세가액 (제13조, 제14조)."""
    steps.append(Step("상속재산가액", format_won(facts.estate), facts.estate, "남긴 재산"))
    direct = funeral_deduction(facts.funeral)
    enshrinement = min(facts.enshrinement, figures.ENSHRINEMENT_CAP)
    parts = (facts.public_charges, direct + enshrinement, facts.debt)
    burden = sum(parts)
    steps.append(
        Step("장례비용", addition(direct, enshrinement), direct + enshrinement, "장례에 든 돈으로 빼 주는 금액")
    )
    articles += ["제13조제1항", "제14조제1항"]
    # 제13조제1항 후단: what exceeds the estate is ignored.
    if burden > facts.estate:
        left, expression = 0, "0원"
        label = "상속재산에서 공과금·장례비용·채무를 뺀 금액"
        steps.append(Step(label, expression, left, "빚이 재산보다 많아 남지 않음"))
    else:
        left, expression = facts.estate - burden, subtraction(facts.estate, *parts)
    gifts = [part for part in (facts.gifts_to_heirs, facts.gifts_to_others) if part]
    value = left + sum(gifts)
    expression += "".join(f" + {format_won(part)}" for part in gifts)
    plain = "빚과 비용을 빼고 미리 준 재산을 더한 금액" if gifts else "빚과 비용을 뺀 금액"
    steps.append(Step("상속세 과세가액", expression, value, plain))
    return value


def _surcharge(facts: InheritanceFacts, calculated: int, steps: list[Step], articles: list[str]) -> int:
    """세대생략 할증세액 (제27조)."""
    if not facts.skip_receives:
        return 0
    rate = figures.SKIP_RATE
    if facts.skip_minor and facts.skip_receives > figures.SKIP_MINOR_ABOVE:
        rate = figures.SKIP_RATE_MINOR
    whole = facts.estate + facts.gifts_to_heirs
    surcharge = floor_won(calculated * Fraction(facts.skip_receives, whole) * rate)
    whole_text = addition(facts.estate, facts.gifts_to_heirs)
    whole_text = f"({whole_text})" if facts.gifts_to_heirs else whole_text
    expression = f"{format_won(calculated)} × {format_won(facts.skip_receives)} ÷ {whole_text} × {percent_text(rate)}"
    articles.append("제27조")
    steps.append(Step("세대생략 할증세액", expression, surcharge, "한 세대를 건너뛰어 더 내는 세금"))
    return surcharge


def _gift_credit(
    facts: InheritanceFacts, taxable_value: int, base: int, calculated: int, steps: list[Step], articles: list[str]
) -> int:
    """증여세액공제 (제28조), gifts to people who are not heirs first: the heirs' limit is on what they leave.

    The heirs' limit of 제28조제2항 후단 with the shares of 영 제3조제1항 and 영 제20조의4 comes, for one heir who received the gifts
    and for all of them together, to (tax left to the heirs) × gift base ÷ (base less the others' gift base).
    """
    if taxable_value <= figures.GIFTS_COUNT_ABOVE:
        return 0
    credit, tax_left, base_left = 0, calculated, base
    for who, gifts, deduction, stated in gift_groups(facts):
        gift_base = gifts - deduction
        if not gift_base:
            continue
        name = "상속인" if who == "heirs" else "상속인 아닌 사람"
        gift_tax = stated
        if gift_tax is None:
            exact, expression = bracket_tax(gift_base, tables.GIFT_BRACKETS)
            gift_tax = floor_won(exact) if gift_base >= tables.GIFT_TAX_FREE_BASE else 0
            if gift_tax:
                steps.append(Step(f"사전증여의 산출세액({name})", expression, gift_tax, "미리 받은 것의 세금"))
        # An appraisal fee can push the base a little below the gifts; the credit never exceeds the tax.
        limit = tax_left if gift_base >= base_left else floor_won(Fraction(tax_left * gift_base, base_left))
        part, expression, label = gift_tax, format_won(gift_tax), f"증여세액공제({name})"
        if limit < gift_tax:
            part, label = limit, f"증여세액공제({name}, 한도)"
            expression = f"{format_won(tax_left)} × {format_won(gift_base)} ÷ {format_won(base_left)}"
            expression = expression if gift_base < base_left else format_won(limit)
        if part:
            steps.append(Step(label, expression, part, "미리 낸 증여세로 깎아 주는 세금"))
        credit += part
        tax_left -= part
        base_left = max(base_left - gift_base, 0)
    if credit:
        articles.append("제28조")
    return credit


def _result(
    facts: InheritanceFacts,
    base: int,
    calculated: int,
    surcharge: int,
    credits: int,
    steps: list[Step],
    articles: list[str],
) -> Result:
    return Result(
        "inheritance",
        facts.year,
        base,
        calculated,
        credits,
        calculated + surcharge - credits,
        tuple(steps),
        tuple(f"{ACT} {article}" for article in articles),
        _assumptions(facts),
        surcharge,
    )


def _assumptions(facts: InheritanceFacts) -> tuple[str, ...]:
    notes = [f"{facts.year}년에 상속 개시", "돌아가신 분은 거주자"]
    if facts.sole_spouse and facts.spouse_receives is None:
        notes.append("배우자가 빚을 뺀 재산을 모두 상속받음")
    elif facts.spouse and facts.spouse_receives is None:
        notes.append("배우자가 실제로 받는 금액을 몰라 최소 공제 5억원만 적용")
    elif facts.spouse:
        notes.append("배우자 몫을 기한 안에 분할하고 신고함")
    else:
        notes.append("배우자 없음")
    if facts.sole_spouse:
        notes.append("배우자 단독상속")
    elif facts.spouse and not (facts.children or facts.parents):
        notes.append("배우자 말고도 상속인이 있음")
    if facts.cohabited_house:
        notes.append("동거주택 공제 요건(10년 이상 동거, 1세대 1주택, 무주택 상속인)을 갖추고 담보 채무를 뺀 가액")
    if facts.gifts_to_heirs or facts.gifts_to_others:
        notes.append("사전증여는 한 사람이 한 번에 받았고 부과제척기간이 지나지 않음")
        if any(gifts and not deduction for _, gifts, deduction, _ in gift_groups(facts)):
            notes.append("공제액을 적지 않은 사전증여는 증여공제를 받지 않음")
    else:
        notes.append("상속인 10년·그 밖의 사람 5년 안의 사전증여 없음")
    if facts.skip_receives:
        notes.append("대습상속이 아님")
    notes.append("가업·영농·재해손실 공제와 단기 재상속 공제는 넣지 않음")
    filing = "기한이 지나 신고" if facts.late else "기한 안에 신고"
    notes.append(filing if facts.filed else "신고하지 않음(가산세는 넣지 않음)")
    return tuple(notes)
