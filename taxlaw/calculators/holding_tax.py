"""Comprehensive real estate holding tax (종합부동산세) of one owner for one year: 종합부동산세법 제8조-제15조.

Homes, land taxed together (종합합산) or land of buildings (별도합산), one kind at a time.  The property tax to take off
(제9조제3항) and last year's burden (제10조) are facts: both need figures of every single property.  Knows nothing of the
bodies of 제9조제2항제1호·제2호, nor of an only home beside others (제8조제4항), whose credits are shared out by price.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from taxlaw.calculators import tables
from taxlaw.calculators import tables_real_estate as figures
from taxlaw.calculators.result import (
    Result,
    Step,
    bracket_tax,
    floor_won,
    percent_text,
    require_amounts,
    subtraction,
)
from taxlaw.calculators.tables_real_estate import BUSINESS_LAND, HOMES, OPEN_LAND
from taxlaw.calculators.tables_real_estate import HOLDING_ACT as ACT
from taxlaw.calculators.tables_real_estate import HOLDING_DECREE as DECREE
from taxlaw.errors import MissingFact, UnsupportedCase
from taxlaw.money import format_won


@dataclass(frozen=True)
class HoldingTaxFacts:
    """What one owner holds on 1 June of ``year``; amounts in won.

    official_price: sum of the announced prices (공시가격).  homes: number of homes for 제9조.  age, held_years: full years on
    1 June, for the credits of an only home.  property_tax_credit: property tax to take off (제9조제3항·제14조제3항·제6항).
    burden_last_year: 직전년도 총세액상당액, with property_tax, this year's property tax without the urban part (시행령 제5조).
    """

    official_price: int
    year: int
    kind: str = HOMES
    homes: int = 1
    company: bool = False
    one_home: bool = False
    age: int = 0
    held_years: int = 0
    property_tax_credit: int = 0
    burden_last_year: int | None = None
    property_tax: int | None = None


def holding_tax(facts: HoldingTaxFacts) -> Result:
    """Tax of ``facts`` in won, before 농어촌특별세.  Raises UnsupportedCase or MissingFact."""
    _check(facts)
    base_article, rate_article = {
        HOMES: ("제8조제1항", "제9조제1항"),
        OPEN_LAND: ("제13조제1항", "제14조제1항"),
        BUSINESS_LAND: ("제13조제2항", "제14조제4항"),
    }[facts.kind]
    if facts.kind == HOMES and facts.company:
        rate_article = "제9조제2항제3호"
    elif facts.kind == HOMES:
        rate_article += "제2호" if facts.homes >= figures.MANY_HOMES else "제1호"
    decree = "제2조의4제1항" if facts.kind == HOMES else "제2조의4제2항"
    articles = [f"{ACT} {base_article}", f"{DECREE} {decree}", f"{ACT} {rate_article}"]

    steps = [Step("공시가격 합계", format_won(facts.official_price), facts.official_price, "나라가 알린 값의 합")]
    deduction = min(_deduction(facts), facts.official_price)
    ratio = figures.HOLDING_RATIOS[facts.kind]
    base = floor_won((facts.official_price - deduction) * ratio)
    inner = subtraction(facts.official_price, deduction)
    expression = f"({inner}) × {percent_text(ratio)}" if deduction else f"{inner} × {percent_text(ratio)}"
    steps.append(Step("과세표준", expression, base, "세금을 매기는 금액"))

    exact, expression = _calculated(facts, base)
    calculated = floor_won(exact)
    steps.append(Step("산출세액", expression, calculated, "세율을 곱한 세금"))

    property_credit = min(facts.property_tax_credit, calculated)
    if facts.property_tax_credit:
        paragraph = {HOMES: "제9조제3항", OPEN_LAND: "제14조제3항", BUSINESS_LAND: "제14조제6항"}[facts.kind]
        articles.append(f"{ACT} {paragraph}")
        steps.append(Step("공제할 재산세액", format_won(property_credit), property_credit, "겹쳐 낸 재산세"))
    home_credit = _one_home_credit(facts, calculated, property_credit, steps, articles)
    due = calculated - property_credit - home_credit
    if len(steps) > 3:  # a credit was worked out, if only of 0 won
        expression = subtraction(calculated, property_credit, home_credit)
        steps.append(Step("공제 후 세액", expression, due, "빼고 남은 세금"))
    over = _over_the_cap(facts, due, steps, articles)
    return Result(
        "holding",
        facts.year,
        base,
        calculated,
        property_credit + home_credit + over,
        due - over,
        tuple(steps),
        tuple(articles),
        _assumptions(facts),
    )


def _deduction(facts: HoldingTaxFacts) -> int:
    if facts.company and facts.kind == HOMES:
        return 0
    return figures.ONE_HOME_DEDUCTION if facts.one_home else figures.DEDUCTIONS[facts.kind]


def _calculated(facts: HoldingTaxFacts, base: int) -> tuple[Fraction, str]:
    many = facts.homes >= figures.MANY_HOMES
    if facts.kind == OPEN_LAND:
        return bracket_tax(base, figures.OPEN_LAND_BRACKETS)
    if facts.kind == BUSINESS_LAND:
        return bracket_tax(base, figures.BUSINESS_LAND_BRACKETS)
    if facts.company:
        return bracket_tax(base, ((None, figures.COMPANY_RATES[many]),))
    return bracket_tax(base, figures.MANY_HOMES_BRACKETS if many else figures.FEW_HOMES_BRACKETS)


def _one_home_credit(
    facts: HoldingTaxFacts, calculated: int, property_credit: int, steps: list[Step], articles: list[str]
) -> int:
    """Credit for age and years held, together at most 80 % (제9조제5항); adds its step and articles."""
    by_age = next((rate for least, rate in figures.AGE_CREDIT if facts.age >= least), Fraction(0))
    by_years = next((rate for least, rate in figures.HELD_CREDIT if facts.held_years >= least), Fraction(0))
    rate = min(by_age + by_years, figures.ONE_HOME_CREDIT_CAP)
    if not facts.one_home or not rate:
        return 0
    articles.append(f"{ACT} 제9조제5항")
    articles += [f"{ACT} 제9조제6항"] if by_age else []
    articles += [f"{ACT} 제9조제8항"] if by_years else []
    left = subtraction(calculated, property_credit)
    expression = f"({left}) × {percent_text(rate)}" if property_credit else f"{left} × {percent_text(rate)}"
    credit = floor_won((calculated - property_credit) * rate)
    steps.append(Step("1세대 1주택자 세액공제", expression, credit, "나이와 보유기간으로 깎아 주는 세금"))
    return credit


def _over_the_cap(facts: HoldingTaxFacts, due: int, steps: list[Step], articles: list[str]) -> int:
    """What lies above 150 % of last year's burden (제10조, 제15조), 0 without last year's figures."""
    if facts.burden_last_year is None or facts.property_tax is None:
        return 0
    cap = floor_won(facts.burden_last_year * figures.BURDEN_CAP)
    over = min(max(due + facts.property_tax - cap, 0), due)
    if not over:
        return 0
    paragraph = {HOMES: "제10조", OPEN_LAND: "제15조제1항", BUSINESS_LAND: "제15조제2항"}[facts.kind]
    articles.append(f"{ACT} {paragraph}")
    expression = f"{format_won(facts.burden_last_year)} × {percent_text(figures.BURDEN_CAP)}"
    steps.append(Step("세부담 상한", expression, cap, "작년의 1.5배"))
    if cap >= facts.property_tax:
        expression = subtraction(cap, facts.property_tax)
        steps.append(Step("납부할 세액(상한 적용)", expression, due - over, "상한까지만 내는 세금"))
    else:
        steps.append(Step("납부할 세액(상한 적용)", "0원", 0, "재산세만으로 상한을 채움"))
    return over


def _check(facts: HoldingTaxFacts) -> None:
    tables.require_year(facts.year, "종합부동산세")
    require_amounts(
        official_price=facts.official_price,
        homes=facts.homes,
        age=facts.age,
        held_years=facts.held_years,
        property_tax_credit=facts.property_tax_credit,
        burden_last_year=facts.burden_last_year or 0,
        property_tax=facts.property_tax or 0,
    )
    if facts.kind not in figures.DEDUCTIONS:
        known = "·".join(figures.DEDUCTIONS)
        raise UnsupportedCase(f"kind: 모르는 과세 구분입니다: {facts.kind!r}. {known} 가운데 하나여야 합니다.")
    if facts.homes < 1:
        raise UnsupportedCase("homes: 주택 수는 1 이상이어야 합니다.")
    if facts.kind != HOMES and (facts.one_home or facts.homes != 1):
        raise UnsupportedCase("one_home, homes: 주택분에만 쓰는 사실입니다.")
    if facts.one_home and facts.company:
        raise UnsupportedCase("one_home, company: 법인은 1세대 1주택자가 될 수 없습니다 (제8조제1항제1호).")
    if facts.one_home and facts.homes > 1:
        raise UnsupportedCase(
            "one_home, homes: 다른 집이 있는 1세대 1주택자(제8조제4항)는 공제를 공시가격으로 나누어야 해서 계산하지 않습니다."
        )
    if (facts.age or facts.held_years) and not facts.one_home:
        raise UnsupportedCase("age, held_years: 1세대 1주택자에게만 있는 공제입니다 (제9조제5항).")
    if facts.company and facts.kind == HOMES and facts.burden_last_year is not None:
        raise UnsupportedCase("burden_last_year: 법인의 주택분에는 세부담 상한이 없습니다 (제10조 단서).")
    if (facts.burden_last_year is None) != (facts.property_tax is None):
        raise MissingFact("burden_last_year, property_tax: 세부담 상한에는 둘 다 필요합니다 (제10조, 시행령 제5조).")


def _assumptions(facts: HoldingTaxFacts) -> tuple[str, ...]:
    notes = [f"{facts.year}년 6월 1일 현재 보유", "합산배제·감면 대상 없음", "농어촌특별세(20%) 별도"]
    if facts.kind == HOMES:
        owner = "법인(일반세율 대상 아님)" if facts.company else "개인"
        notes.insert(1, f"{owner}, {'1세대 1주택자' if facts.one_home else f'{facts.homes}주택'}")
    if not facts.property_tax_credit:
        notes.append("공제할 재산세액은 반영하지 않음")
    if facts.burden_last_year is None and not (facts.company and facts.kind == HOMES):
        notes.append("세부담 상한은 넘지 않음")
    return tuple(notes)
