"""Income tax on retirement pay (퇴직소득세, national tax only): 소득세법 제48조, 제55조제2항.

Starts from 퇴직소득금액 (제22조제3항, tax-free parts already off).  Knows nothing of the limit for executives, of pay taken as a
pension (연금수령), nor of earlier retirements settled together (제148조).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from taxlaw.calculators import tables
from taxlaw.calculators.result import Result, Step, bracket_tax, floor_won, require_amounts, subtraction
from taxlaw.calculators.tables import INCOME_ACT as ACT
from taxlaw.calculators.tables import Brackets, percent
from taxlaw.errors import MissingFact, UnsupportedCase
from taxlaw.money import format_won

# 제48조제1항제1호, retirements since 2023-01-01 (법률 제19196호 부칙 제13조): (years above, deduction there, a year more).
SERVICE_DEDUCTION: tuple[tuple[int, int, int], ...] = (
    (20, 40_000_000, 3_000_000),
    (10, 15_000_000, 2_500_000),
    (5, 5_000_000, 2_000_000),
    (0, 0, 1_000_000),
)
# 제48조제1항제2호: deduction from the yearly pay (환산급여); since 2016.
CONVERTED_DEDUCTION: Brackets = (
    (8_000_000, percent(100)),
    (70_000_000, percent(60)),
    (100_000_000, percent(55)),
    (300_000_000, percent(45)),
    (None, percent(35)),
)
LONGEST_SERVICE = 80  # a slip guard, not law


@dataclass(frozen=True)
class RetirementFacts:
    """One retirement.  pay: 퇴직소득금액 in won.  year: of retirement.  years: 근속연수, part years counted as one.

    Instead of years: start and end, the first and last day of service (소득세법 시행령 제105조제1항).
    """

    pay: int
    year: int
    years: int | None = None
    start: date | None = None
    end: date | None = None


def service_years(start: date, end: date) -> int:
    """근속연수 from the first to the last day of service, a part year counted as one (제48조제1항)."""
    if end < start:
        raise UnsupportedCase(f"end: 퇴직한 날({end})이 근무를 시작한 날({start})보다 빠릅니다.")
    whole = end.year - start.year
    # A year of service ends the day before its anniversary, so on the anniversary itself a new year has begun.
    return whole + (1 if (end.month, end.day) >= (start.month, start.day) else 0)


def service_deduction(years: int) -> tuple[int, str]:
    """근속연수공제 in won and its expression (제48조제1항제1호)."""
    above, start, each = next(row for row in SERVICE_DEDUCTION if years > row[0])
    amount = start + each * (years - above)
    if not above:
        return amount, f"{format_won(each)} × {years}"
    return amount, f"{format_won(start)} + {format_won(each)} × ({years} - {above})"


def retirement_tax(facts: RetirementFacts) -> Result:
    """퇴직소득 산출세액 of ``facts`` in won.  Raises UnsupportedCase (year, length) or MissingFact (no length of service).

    The yearly pay and the base need not be whole won: they are kept as fractions, the tax is rounded once, at the end.
    """
    years = _years(facts)
    full, expression = service_deduction(years)
    first = min(full, facts.pay)
    label = "근속연수공제" if first == full else "근속연수공제(퇴직소득금액 한도)"
    expression = expression if first == full else format_won(first)
    left = facts.pay - first
    yearly = Fraction(left * 12, years)
    yearly_text = f"({subtraction(facts.pay, first)}) ÷ {years} × 12" if left else "0원"
    second, second_text = bracket_tax(yearly, CONVERTED_DEDUCTION, _text(yearly))
    base = yearly - second
    base_text = f"{_text(yearly)} - {_text(second)}" if base else "0원"
    before, before_text = bracket_tax(base, tables.INCOME_BRACKETS, _text(base))
    calculated = floor_won(before * years / 12)
    final = f"{_text(before)} ÷ 12 × {years}" if base else "0원"
    articles = ["제48조제1항", "제55조제2항", "제55조제1항"]
    if first < full:
        articles.insert(1, "제48조제2항")
    steps = (
        Step("퇴직소득금액", format_won(facts.pay), facts.pay, "퇴직하며 받은 돈"),
        Step(label, expression, first, f"{years}년 일한 몫으로 빼 주는 금액"),
        Step("환산급여", yearly_text, floor_won(yearly), "1년치로 바꿔 본 금액"),
        Step("환산급여공제", second_text, floor_won(second), "1년치 금액에서 더 빼 주는 금액"),
        Step("과세표준", base_text, floor_won(base), "세금을 매기는 금액"),
        Step("환산산출세액", before_text, floor_won(before), "1년치로 본 세금"),
        Step("산출세액", final, calculated, f"{years}년치로 되돌린 세금"),
    )
    notes = [
        f"{facts.year}년 퇴직",
        f"근속연수 {years}년(1년 미만은 1년으로)",
        "임원 퇴직소득 한도 초과액·중간정산 합산 없음",
        "연금계좌로 옮기지 않고 한꺼번에 받음",
        "지방소득세 별도",
    ]
    return Result(
        "retirement",
        facts.year,
        floor_won(base),
        calculated,
        0,
        calculated,
        steps,
        tuple(f"{ACT} {article}" for article in articles),
        tuple(notes),
    )


def _years(facts: RetirementFacts) -> int:
    tables.require_year(facts.year, "퇴직소득세")
    require_amounts(pay=facts.pay)
    dated = facts.start is not None or facts.end is not None
    if facts.years is not None and dated:
        raise UnsupportedCase("years, start, end: 근속연수와 날짜 가운데 하나만 줄 수 있습니다 (give exactly one).")
    if facts.years is None and not (facts.start and facts.end):
        raise MissingFact("근속연수(years) 또는 근무를 시작한 날(start)과 퇴직한 날(end)이 있어야 합니다.")
    if dated and facts.end.year != facts.year:
        raise UnsupportedCase(f"year, end: 퇴직한 날({facts.end})은 {facts.year}년이 아닙니다.")
    years = service_years(facts.start, facts.end) if dated else facts.years
    if isinstance(years, bool) or not isinstance(years, int) or not 1 <= years <= LONGEST_SERVICE:
        raise UnsupportedCase(
            f"years: 근속연수는 1년 미만을 올린 1년부터 {LONGEST_SERVICE}년까지의 정수입니다. 받은 값: {years}"
        )
    return years


def _text(amount: Fraction) -> str:
    """A whole amount in won; a fractional one as '5억 2,000만원 ÷ 7', exact."""
    if amount.denominator == 1:
        return format_won(int(amount))
    return f"{format_won(amount.numerator)} ÷ {amount.denominator}"
