"""Corporate income tax on a year's income (각 사업연도 소득에 대한 법인세 산출세액): 법인세법 제55조.

Starts from the tax base (과세표준).  Knows nothing of credits, minimum tax, or tax on land sales (제55조의2).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from taxlaw.calculators import tables
from taxlaw.calculators.result import Result, Step, bracket_tax, floor_won, require_amounts
from taxlaw.calculators.tables import CORPORATE_ACT as ACT
from taxlaw.errors import UnsupportedCase
from taxlaw.money import format_won


@dataclass(frozen=True)
class CorporateFacts:
    """base: 과세표준 in won.  year: the year in which the business year starts.  months: its length, 1-12.

    small_rental: a company of 제60조의2제1항제1호 (mainly letting property, and small), which has its own rates.
    """

    base: int
    year: int
    months: int = 12
    small_rental: bool = False


def corporate_tax(facts: CorporateFacts) -> Result:
    """산출세액 of ``facts`` in won.  Raises UnsupportedCase for a year or length outside the tables."""
    tables.require_year(facts.year, "법인세")
    require_amounts(base=facts.base)
    if not 1 <= facts.months <= 12:
        raise UnsupportedCase(f"months: 사업연도는 1개월부터 12개월까지입니다. 받은 값: {facts.months}")
    brackets = tables.CORPORATE_BRACKETS[facts.year]
    if facts.small_rental:
        if facts.year not in tables.SMALL_RENTAL_BRACKETS:
            raise UnsupportedCase(
                f"small_rental: {facts.year}년에 개시하는 사업연도에는 소규모 성실신고 법인 세율이 없습니다 "
                "(법률 제20613호 부칙 제5조: 2025년 1월 1일 이후 개시분부터)."
            )
        brackets = tables.SMALL_RENTAL_BRACKETS[facts.year]

    steps = [Step("과세표준", format_won(facts.base), facts.base, "세금을 매기는 금액")]
    articles = [f"{ACT} 제55조제1항{'제2호' if facts.small_rental else '제1호'}"]
    notes = [
        f"{facts.year}년에 시작한 {facts.months}개월 사업연도",
        "세액공제·감면과 미리 낸 세금은 반영하지 않음",
        "지방소득세 별도",
    ]
    if facts.small_rental:
        articles.append(f"{ACT} 제60조의2제1항제1호")
        notes.insert(1, "소규모 부동산임대 등 성실신고 대상 법인")
    if facts.months == 12:
        exact, expression = bracket_tax(facts.base, brackets)
    else:
        # The yearly base may not be whole won; the tax is worked from the exact fraction and rounded once, at the end.
        yearly = Fraction(facts.base * 12, facts.months)
        yearly_text = f"{format_won(facts.base)} × 12 ÷ {facts.months}"
        steps.append(Step("연환산 과세표준", yearly_text, floor_won(yearly), "1년으로 늘려 본 금액"))
        yearly_tax, expression = bracket_tax(yearly, brackets, yearly_text if yearly.denominator != 1 else None)
        exact = yearly_tax * facts.months / 12
        expression = f"({expression}) × {facts.months} ÷ 12" if facts.base else "0원"
        articles.append(f"{ACT} 제55조제2항")
    calculated = floor_won(exact)
    steps.append(Step("산출세액", expression, calculated, "세율을 곱한 세금"))
    return Result(
        "corporate", facts.year, facts.base, calculated, 0, calculated, tuple(steps), tuple(articles), tuple(notes)
    )
