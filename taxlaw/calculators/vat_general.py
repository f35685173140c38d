"""VAT of a general taxpayer (일반과세자) for one taxable period: 부가가치세법 제29조, 제37조, 제38조, 제40조, 제45조, 제46조, 제60조.

Knows nothing of deemed input tax (제42조), of settling common input tax later (영 제82조, 제83조), of subletting (영 제65조제2항),
of tax already paid with a preliminary return, nor of the penalties of 국세기본법.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass, fields
from fractions import Fraction

from taxlaw.calculators import tables
from taxlaw.calculators import tables_vat_general as figures
from taxlaw.calculators.result import (
    Result,
    Step,
    addition,
    floor_won,
    percent_text,
    require_amounts,
    subtraction,
)
from taxlaw.calculators.tables import VAT_ACT as ACT
from taxlaw.calculators.tables import VAT_DECREE as DECREE
from taxlaw.errors import MissingFact, UnsupportedCase
from taxlaw.money import format_won


@dataclass(frozen=True)
class Deposit:
    """A deposit (전세금·임대보증금) in won held for ``days`` days of the period."""

    amount: int
    days: int


@dataclass(frozen=True)
class InvoiceFault:
    """``kind``: a key of tables_vat_general.PENALTIES; ``supply``: the supply value in won that it concerns."""

    kind: str
    supply: int


@dataclass(frozen=True)
class VatGeneralFacts:
    """One taxable period within ``year``; amounts in won.

    supply: taxable 공급가액 without VAT; supply_with_tax: prices with VAT in them; zero_rated: 영세율 공급가액.
    purchases, purchases_with_tax: bought with tax invoices, without and with VAT; input_tax: 매입세액 where that is given instead.
    blocked_input_tax: the part of those that 제39조 does not let off.  common_input_tax (not within those) is split by
    exempt_supply, the 면세공급가액 of the period.  bad_debt: 대손금액 with VAT, settled in this period.
    card_sales: sales paid by card or with cash receipts, VAT included; they need company, consumer_business (영 제73조) and
    prior_supply (공급가액 of the year before); card_credit_used: that credit already taken this year.
    """

    year: int
    supply: int = 0
    supply_with_tax: int = 0
    zero_rated: int = 0
    deposits: tuple[Deposit, ...] = ()
    purchases: int = 0
    purchases_with_tax: int = 0
    input_tax: int = 0
    blocked_input_tax: int = 0
    common_input_tax: int = 0
    exempt_supply: int = 0
    bad_debt: int = 0
    card_sales: int = 0
    card_credit_used: int = 0
    company: bool | None = None
    consumer_business: bool | None = None
    prior_supply: int | None = None
    faults: tuple[InvoiceFault, ...] = ()


def vat_general(facts: VatGeneralFacts) -> Result:
    """Tax of the period in won; payable below zero is a refund (환급세액).  Raises UnsupportedCase or MissingFact.

    tax_base: 과세표준; calculated_tax: 매출세액 (제37조제1항); credits: 대손세액, 매입세액 and 제46조; surcharge: 가산세 (제60조).
    """
    _check(facts)
    steps: list[Step] = []
    articles: list[str] = []
    base = _base(facts, steps, articles)
    taxed = base - facts.zero_rated
    calculated = floor_won(taxed * figures.RATE)
    text = f"({subtraction(base, facts.zero_rated)})" if facts.zero_rated else format_won(base)
    steps.append(Step("매출세액", f"{text} × {percent_text(figures.RATE)}", calculated, "손님에게 받아 둔 세금"))
    articles += [f"{ACT} 제30조", f"{ACT} 제37조제1항"]
    if facts.zero_rated:
        articles.append(f"{ACT} 제21조")

    worked = len(steps)

    bad = bad_debt_tax(facts.bad_debt)
    if facts.bad_debt:
        steps.append(Step("대손세액", f"{format_won(facts.bad_debt)} × 10 ÷ 110", bad, "못 받은 돈에 든 세금"))
        articles.append(f"{ACT} 제45조제1항")
    deductible = _input_tax(facts, base, steps, articles)
    card = _card_credit(facts, max(calculated - bad - deductible, 0), steps, articles)
    penalty = _penalties(facts, steps, articles)

    credits = bad + deductible + card
    payable = calculated + penalty - credits
    plus = addition(calculated, penalty) if calculated + penalty else "0원"
    if len(steps) > worked:  # something was worked out after the output tax, if only of 0 won
        articles.append(f"{ACT} 제37조제{'3' if facts.card_sales or facts.faults else '2'}항")
        if payable >= 0:
            expression = plus + "".join(f" - {format_won(part)}" for part in (bad, deductible, card) if part)
            steps.append(Step("납부할 세액", expression, payable, "빼고 남은 세금"))
        else:
            expression = addition(bad, deductible, card)
            expression += "".join(f" - {format_won(part)}" for part in (calculated, penalty) if part)
            steps.append(Step("환급세액", expression, -payable, "돌려받는 세금"))
    return Result(
        "vat_general",
        facts.year,
        base,
        calculated,
        credits,
        payable,
        tuple(steps),
        tuple(dict.fromkeys(articles)),
        _assumptions(facts),
        penalty,
    )


def supply_value(price_with_tax: int) -> int:
    """공급가액 within a price with VAT in it (제29조제7항), in won."""
    return floor_won(price_with_tax * figures.WITHOUT_TAX)


def bad_debt_tax(amount_with_tax: int) -> int:
    """대손세액 of a lost claim, VAT included (제45조제1항), in won."""
    return floor_won(amount_with_tax * figures.TAX_WITHIN)


def deemed_rent(deposit: Deposit, year: int) -> int:
    """간주임대료 (영 제65조제1항) in won.  Raises UnsupportedCase for a year outside the table or days outside the year."""
    tables.require_year(year, "간주임대료")
    require_amounts(deposit=deposit.amount, days=deposit.days)
    year_days = 366 if calendar.isleap(year) else 365
    if not 1 <= deposit.days <= year_days:
        raise UnsupportedCase(
            f"days: 과세대상 기간의 일수는 1일부터 {year_days}일까지여야 합니다. 받은 값: {deposit.days}"
        )
    return floor_won(deposit.amount * figures.DEPOSIT_RATES[year] * Fraction(deposit.days, year_days))


def blocked_common_tax(common_tax: int, taxable_supply: int, exempt_supply: int) -> int:
    """불공제 공통매입세액 (영 제81조제1항·제2항) in won.  Raises UnsupportedCase when one of the supplies is nil (제4항)."""
    require_amounts(common_input_tax=common_tax, taxable_supply=taxable_supply, exempt_supply=exempt_supply)
    if common_tax < figures.COMMON_TAX_IGNORED:
        return 0
    if not taxable_supply or not exempt_supply:
        raise UnsupportedCase(
            "exempt_supply: 과세·면세 가운데 공급가액이 없는 쪽이 있으면 매입가액·예정공급가액·예정사용면적으로 나눕니다 "
            f"({DECREE} 제81조제4항). 이 계산기는 두 공급가액이 모두 있을 때만 계산합니다."
        )
    share = Fraction(exempt_supply, taxable_supply + exempt_supply)
    if share < figures.EXEMPT_SHARE_IGNORED and common_tax < figures.COMMON_TAX_LIMIT:
        return 0
    return floor_won(common_tax * share)


def invoice_penalty(fault: InvoiceFault, year: int) -> int:
    """가산세 of 제60조 in won for one fault of ``year``.  Raises UnsupportedCase for a kind or year outside the table."""
    tables.require_year(year, "세금계산서 가산세")
    require_amounts(supply=fault.supply)
    return floor_won(fault.supply * _penalty(fault.kind).rates[year])


def _penalty(kind: str) -> figures.Penalty:
    if kind not in figures.PENALTIES:
        raise UnsupportedCase(
            f"faults: 모르는 가산세 사유입니다: {kind!r}. 쓸 수 있는 사유: {', '.join(figures.PENALTIES)}"
        )
    return figures.PENALTIES[kind]


def _check(facts: VatGeneralFacts) -> None:
    tables.require_year(facts.year, "부가가치세 일반과세")
    amounts = {field.name: getattr(facts, field.name) for field in fields(facts)}
    require_amounts(**{name: amount for name, amount in amounts.items() if type(amount) is int})
    if facts.exempt_supply and not facts.common_input_tax:
        raise UnsupportedCase("exempt_supply: 공통매입세액(common_input_tax)을 나눌 때만 쓰는 사실입니다.")
    if facts.card_credit_used and not facts.card_sales:
        raise UnsupportedCase("card_credit_used: 카드 매출(card_sales)과 함께만 쓸 수 있습니다.")
    if facts.card_credit_used > figures.CARD_CREDIT_CAP:
        raise UnsupportedCase(
            f"card_credit_used: 한 해 한도 {format_won(figures.CARD_CREDIT_CAP)}을 넘을 수 없습니다 ({ACT} 제46조제1항제3호)."
        )


def _base(facts: VatGeneralFacts, steps: list[Step], articles: list[str]) -> int:
    """과세표준 (제29조): supplies, prices less their tax, zero-rated supplies and rent taken as deposits."""
    parts = [facts.supply] if facts.supply else []
    if facts.supply:
        steps.append(Step("공급가액", format_won(facts.supply), facts.supply, "세금을 빼고 판 금액"))
    if facts.supply_with_tax:
        value = supply_value(facts.supply_with_tax)
        expression = f"{format_won(facts.supply_with_tax)} × 100 ÷ 110"
        steps.append(Step("공급가액(세액 포함 대가에서)", expression, value, "받은 돈에서 세금을 뺀 금액"))
        articles.append(f"{ACT} 제29조제7항")
        parts.append(value)
    if facts.zero_rated:
        steps.append(
            Step("영세율 공급가액", format_won(facts.zero_rated), facts.zero_rated, "세율이 0인 수출 같은 매출")
        )
        parts.append(facts.zero_rated)
    year_days = 366 if calendar.isleap(facts.year) else 365
    for deposit in facts.deposits:
        rent = deemed_rent(deposit, facts.year)
        rate = percent_text(figures.DEPOSIT_RATES[facts.year])
        expression = f"{format_won(deposit.amount)} × {rate} × {deposit.days} ÷ {year_days}"
        steps.append(
            Step(f"간주임대료({deposit.days}일)", expression, rent, "보증금의 이자만큼 받은 것으로 보는 임대료")
        )
        articles += [f"{ACT} 제29조제10항제1호", f"{DECREE} 제65조제1항", f"{figures.VAT_RULE} 제47조"]
        parts.append(rent)
    base = sum(parts)
    if len(parts) != 1:
        steps.append(Step("과세표준", addition(*parts), base, "세금을 매기는 금액"))
    articles.insert(0, f"{ACT} 제29조제1항")
    return base


def _input_tax(facts: VatGeneralFacts, base: int, steps: list[Step], articles: list[str]) -> int:
    """공제하는 매입세액 (제38조-제40조)."""
    parts = [facts.input_tax] if facts.input_tax else []
    if facts.input_tax:
        steps.append(Step("매입세액", format_won(facts.input_tax), facts.input_tax, "물건을 사며 낸 세금"))
    if facts.purchases:
        parts.append(floor_won(facts.purchases * figures.RATE))
        expression = f"{format_won(facts.purchases)} × {percent_text(figures.RATE)}"
        steps.append(Step("매입세액(공급가액에서)", expression, parts[-1], "물건을 사며 낸 세금"))
    if facts.purchases_with_tax:
        parts.append(floor_won(facts.purchases_with_tax * figures.TAX_WITHIN))
        expression = f"{format_won(facts.purchases_with_tax)} × 10 ÷ 110"
        steps.append(Step("매입세액(세액 포함 대가에서)", expression, parts[-1], "물건을 사며 낸 세금"))
    if parts:
        articles.append(f"{ACT} 제38조제1항")
    if facts.blocked_input_tax > sum(parts):
        raise UnsupportedCase("blocked_input_tax: 공제받지 못할 매입세액이 매입세액보다 큽니다.")
    blocked = 0
    if facts.common_input_tax:
        blocked = _common(facts, base, steps, articles)
        parts.append(facts.common_input_tax)
    if facts.blocked_input_tax:
        steps.append(
            Step(
                "공제받지 못할 매입세액",
                format_won(facts.blocked_input_tax),
                facts.blocked_input_tax,
                "빼 주지 않는 세금",
            )
        )
        articles.append(f"{ACT} 제39조제1항")
    total = sum(parts) - facts.blocked_input_tax - blocked
    if len(parts) > 1 or blocked or facts.blocked_input_tax:
        expression = addition(*parts) + "".join(
            f" - {format_won(part)}" for part in (facts.blocked_input_tax, blocked) if part
        )
        steps.append(Step("공제하는 매입세액", expression, total, "세금에서 빼 주는 매입세액"))
    return total


def _common(facts: VatGeneralFacts, base: int, steps: list[Step], articles: list[str]) -> int:
    common = facts.common_input_tax
    blocked = blocked_common_tax(common, base, facts.exempt_supply)
    steps.append(Step("공통매입세액", format_won(common), common, "과세와 면세에 함께 쓴 매입의 세금"))
    articles += [f"{ACT} 제40조", f"{DECREE} 제81조제{'1' if blocked else '2'}항"]
    expression = "0원"
    if blocked:
        whole = addition(base, facts.exempt_supply)
        expression = f"{format_won(common)} × {format_won(facts.exempt_supply)} ÷ ({whole})"
    steps.append(Step("불공제 공통매입세액", expression, blocked, "면세 몫이라 빼 주지 않는 세금"))
    return blocked


def _card_credit(facts: VatGeneralFacts, room: int, steps: list[Step], articles: list[str]) -> int:
    """신용카드매출전표 발행세액공제 (제46조제1항·제2항)."""
    if not facts.card_sales:
        return 0
    articles.append(f"{ACT} 제46조제1항")
    plain = "카드로 받은 매출 몫"
    reasons = {
        "": facts.company,  # 제46조제1항제1호가목 itself
        "제88조제2항": facts.consumer_business is False,
        "제88조제3항": facts.prior_supply is not None and facts.prior_supply > figures.CARD_CREDIT_PRIOR_SUPPLY,
    }
    out = next((paragraph for paragraph, excluded in reasons.items() if excluded), None)
    if out is not None:
        articles += [f"{DECREE} {out}"] if out else []
        steps.append(Step("신용카드 등 세액공제(대상 아님)", "0원", 0, plain))
        return 0
    unknown = [name for name in ("company", "consumer_business", "prior_supply") if getattr(facts, name) is None]
    if unknown:
        raise MissingFact(
            f"{', '.join(unknown)}: 카드 매출 세액공제에는 법인인지, 최종소비자 상대 업종({DECREE} 제73조)인지, 직전 연도 "
            f"공급가액이 얼마인지 알아야 합니다 ({ACT} 제46조제1항제1호가목)."
        )
    full = floor_won(facts.card_sales * figures.CARD_CREDIT_RATE)
    left = figures.CARD_CREDIT_CAP - facts.card_credit_used
    credit = min(full, left, room)
    label, expression = (
        "신용카드 등 세액공제",
        f"{format_won(facts.card_sales)} × {percent_text(figures.CARD_CREDIT_RATE)}",
    )
    if credit < full:
        label = "신용카드 등 세액공제(한도)"
        expression = subtraction(figures.CARD_CREDIT_CAP, facts.card_credit_used) if left <= room else format_won(room)
        articles += [f"{ACT} 제46조제2항"] if room < left else []
    steps.append(Step(label, expression, credit, plain))
    return credit


def _penalties(facts: VatGeneralFacts, steps: list[Step], articles: list[str]) -> int:
    """세금계산서 등의 가산세 (제60조)."""
    total = 0
    for fault in facts.faults:
        amount = invoice_penalty(fault, facts.year)
        penalty = _penalty(fault.kind)
        expression = f"{format_won(fault.supply)} × {percent_text(penalty.rates[facts.year])}"
        steps.append(Step(f"가산세({fault.kind})", expression, amount, "의무를 지키지 않아 더 내는 금액"))
        articles.append(f"{ACT} {penalty.article}")
        total += amount
    return total


def _assumptions(facts: VatGeneralFacts) -> tuple[str, ...]:
    notes = [f"{facts.year}년에 속한 한 과세기간", "의제매입세액 등 다른 공제와 예정신고로 이미 낸 세금은 넣지 않음"]
    if facts.deposits:
        notes.append("빌린 것을 다시 빌려준 임대(전대)가 아니고 주택이 아님")
    if facts.common_input_tax:
        notes.append("모든 공급이 공통매입세액과 관련되고 실지귀속을 나눌 수 없음")
    if facts.bad_debt:
        notes.append("공급일부터 10년 안에 대손이 확정되고 증명 서류를 냄")
    if facts.faults:
        notes.append(
            "한 거래에 가산세를 겹쳐 적지 않았고(제60조제2항 후단·제9항) 가산세 한도(국세기본법 제49조)는 넣지 않음"
        )
    return tuple(notes)
