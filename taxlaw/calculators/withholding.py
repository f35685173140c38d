"""Income tax withheld at source (원천징수, national tax only) from a resident: 소득세법 제84조, 제86조, 제129조, 제134조제3항.

One payment at a time.  Knows nothing of monthly pay (간이세액표), public pensions, treaty rates, nor of foreign tax credits.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from taxlaw.calculators import tables
from taxlaw.calculators import tables_withholding as figures
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

DAILY, PENSION = "일용근로", "사적연금"


@dataclass(frozen=True)
class WithholdingFacts:
    """One payment; amounts in won.

    kind: a key of tables_withholding.KINDS or PRIZES, 일용근로 or 사적연금.  amount: what is paid; for 일용근로 the wage of one day.
    year: of payment.  expense: real expenses (기타소득, 복권, 슬롯머신).  days: days of 일용근로 paid at once.  age, lifetime:
    for 사적연금, age on the day of payment and whether the contract pays for life.  paid_on: the day, where it decides.
    """

    kind: str
    amount: int
    year: int
    expense: int = 0
    days: int = 1
    age: int | None = None
    lifetime: bool = False
    paid_on: date | None = None


def withholding_tax(facts: WithholdingFacts) -> Result:
    """Tax to withhold in won.  Raises UnsupportedCase (year, kind, contradiction) or MissingFact (age, day of payment)."""
    _check(facts)
    if facts.kind == DAILY:
        return _daily(facts)
    if facts.kind == PENSION:
        return _pension(facts)
    if facts.kind in figures.PRIZES:
        return _prize(facts)
    return _flat(facts)


def _check(facts: WithholdingFacts) -> None:
    tables.require_year(facts.year, "원천징수")
    require_amounts(amount=facts.amount, expense=facts.expense, days=facts.days)
    kind = figures.KINDS.get(facts.kind)
    if kind is None and facts.kind not in (*figures.PRIZES, DAILY, PENSION):
        known = ", ".join([*figures.KINDS, *figures.PRIZES, DAILY, PENSION])
        raise UnsupportedCase(f"kind: 모르는 소득입니다: {facts.kind!r}. 쓸 수 있는 소득: {known}")
    if facts.expense and facts.kind not in figures.PRIZES and not (kind and kind.takes_expense):
        raise UnsupportedCase(f"expense: {facts.kind}에서는 필요경비를 빼지 않고 원천징수합니다.")
    if facts.expense > facts.amount:
        raise UnsupportedCase("expense: 필요경비가 받은 금액보다 큽니다.")
    if facts.days < 1 or (facts.days != 1 and facts.kind != DAILY):
        raise UnsupportedCase("days: 일용근로에서만, 1일 이상으로 쓸 수 있습니다.")
    if (facts.age is not None or facts.lifetime) and facts.kind != PENSION:
        raise UnsupportedCase("age, lifetime: 사적연금에서만 쓸 수 있습니다.")
    if facts.paid_on is not None and facts.paid_on.year != facts.year:
        raise UnsupportedCase(f"paid_on: 지급일({facts.paid_on})은 {facts.year}년이 아닙니다.")


def _flat(facts: WithholdingFacts) -> Result:
    kind = figures.KINDS[facts.kind]
    steps = [Step("지급액", format_won(facts.amount), facts.amount, "받는 금액")]
    articles = []
    base = facts.amount
    if kind.group == "other":
        deemed = floor_won(facts.amount * kind.deemed)
        expense = max(deemed, facts.expense)
        base -= expense
        if kind.takes_expense:
            articles.append(kind.deemed_article or f"{ACT} 제37조제2항")
        if expense:
            expression = format_won(expense)
            if deemed == expense:
                expression = f"{format_won(facts.amount)} × {percent_text(kind.deemed)}"
            steps.append(Step("필요경비", expression, expense, "그 돈을 버는 데 들었다고 보는 금액"))
        articles.append(f"{ACT} 제21조제3항")
        steps.append(Step("기타소득금액", subtraction(facts.amount, expense), base, "비용을 뺀 소득"))
    if kind.group == "other" and facts.kind != "연금외수령" and base <= figures.OTHER_TAX_FREE_UP_TO:
        steps.append(Step("과세최저한(건별 5만원 이하)", "0원", 0, "적어서 매기지 않는 세금"))
        return _result(facts, base, 0, 0, steps, [*articles, f"{ACT} 제84조제4호"], kind.note)
    calculated = floor_won(base * kind.rate)
    articles.append(f"{ACT} {kind.article}")
    steps.append(Step("원천징수세액", f"{format_won(base)} × {percent_text(kind.rate)}", calculated, "미리 떼는 세금"))
    waived = calculated < figures.SMALL_SUM and _may_waive(facts, kind.group)
    return _small_sum(facts, base, calculated, 0, waived, steps, articles, kind.note)


def _prize(facts: WithholdingFacts) -> Result:
    article, expense_name = figures.PRIZES[facts.kind]
    steps = [Step("당첨금", format_won(facts.amount), facts.amount, "당첨되어 받는 금액")]
    base = facts.amount - facts.expense
    if facts.expense:
        steps.append(Step(f"필요경비({expense_name})", format_won(facts.expense), facts.expense, "당첨에 쓴 돈"))
    steps.append(Step("기타소득금액", subtraction(facts.amount, facts.expense), base, "쓴 돈을 뺀 소득"))
    articles = [f"{ACT} {article}", f"{ACT} 제37조제{'2항' if facts.kind == '복권' else '1항제2호'}"]
    note = f"{facts.kind} 한 건"
    if facts.amount <= figures.PRIZE_TAX_FREE_UP_TO:
        steps.append(Step("과세최저한(건별 200만원 이하)", "0원", 0, "적어서 매기지 않는 세금"))
        return _result(facts, base, 0, 0, steps, [*articles, f"{ACT} 제84조제2호"], note)
    brackets = ((figures.PRIZE_BOUND, figures.PRIZE_RATES[0]), (None, figures.PRIZE_RATES[1]))
    exact, expression = bracket_tax(base, brackets)
    calculated = floor_won(exact)
    steps.append(Step("원천징수세액", expression, calculated, "미리 떼는 세금"))
    articles.append(f"{ACT} 제129조제1항제6호{'가목' if base > figures.PRIZE_BOUND else '라목'}")
    return _small_sum(facts, base, calculated, 0, calculated < figures.SMALL_SUM, steps, articles, note)


def _daily(facts: WithholdingFacts) -> Result:
    """제134조제3항: (wage - 15만원) × 6 %, less 55 % of it, for each day; the waiver of 제86조 looks at the payment."""
    wage, days = facts.amount, facts.days
    deduction = min(figures.DAILY_DEDUCTION, wage)
    base = (wage - deduction) * days
    exact = base * figures.DAILY_RATE
    calculated = floor_won(exact)
    times = f" × {days}" if days > 1 else ""
    inner = subtraction(wage, deduction)
    exact_credit = exact * figures.DAILY_CREDIT
    credit = floor_won(exact_credit)
    rate = percent_text(figures.DAILY_RATE)
    steps = [
        Step("일급", format_won(wage), wage, "하루치 품삯"),
        Step("근로소득공제(하루)", format_won(deduction), deduction, "하루에 빼 주는 금액"),
        Step("과세표준", f"({inner}){times}" if times else inner, base, "세금을 매기는 금액"),
        Step("산출세액", f"{format_won(base)} × {rate}", calculated, "세율을 곱한 세금"),
        Step(
            "근로소득세액공제",
            f"{format_won(base)} × {rate} × {percent_text(figures.DAILY_CREDIT)}",
            credit,
            "일하는 사람에게 깎아 주는 세금",
        ),
        Step("원천징수세액", subtraction(calculated, credit), calculated - credit, "미리 떼는 세금"),
    ]
    articles = [f"{ACT} {a}" for a in ("제47조제2항", "제129조제1항제4호", "제59조제3항", "제134조제3항")]
    note = f"일용근로 {days}일치를 한 번에 지급" if days > 1 else "하루치씩 지급하는 일용근로"
    return _small_sum(facts, base, calculated, credit, exact - exact_credit < figures.SMALL_SUM, steps, articles, note)


def _pension(facts: WithholdingFacts) -> Result:
    """제129조제1항제5호의2: by age, or for life; the lower of the two."""
    if facts.age is None:
        raise MissingFact("age: 사적연금의 세율은 받는 날의 나이를 알아야 정해집니다.")
    if facts.age < figures.PENSION_FROM_AGE:
        raise UnsupportedCase(f"age: 연금수령은 {figures.PENSION_FROM_AGE}세부터입니다. 받은 값: {facts.age}")
    rate = next(rate for under, rate in figures.PENSION_RATES if under is None or facts.age < under)
    item = "가목"
    if facts.lifetime and figures.PENSION_LIFE_RATE[facts.year] < rate:
        rate, item = figures.PENSION_LIFE_RATE[facts.year], "다목"
    calculated = floor_won(facts.amount * rate)
    steps = [
        Step("연금수령액", format_won(facts.amount), facts.amount, "받는 연금"),
        Step("원천징수세액", f"{format_won(facts.amount)} × {percent_text(rate)}", calculated, "미리 떼는 세금"),
    ]
    note = f"세액공제를 받은 납입액과 운용수익에서 나온 연금, 받는 날 {facts.age}세" + (
        ", 종신계약" if facts.lifetime else ""
    )
    articles = [f"{ACT} 제129조제1항제5호의2{item}"]
    waived = calculated < figures.SMALL_SUM
    return _small_sum(facts, facts.amount, calculated, 0, waived, steps, articles, note)


def _may_waive(facts: WithholdingFacts, group: str) -> bool:
    """Whether 제86조제1호 waives small sums of this kind on the day of payment."""
    if group == "interest":
        return False
    if group != "business":
        return True
    if facts.year > 2024:
        return False
    if facts.paid_on is None:
        raise MissingFact(
            "paid_on: 인적용역 사업소득의 1,000원 미만 세액은 2024년 7월 1일 이후 지급분부터 징수하므로 지급일을 알아야 합니다."
        )
    return facts.paid_on < date(2024, 7, 1)


def _small_sum(
    facts: WithholdingFacts,
    base: int,
    calculated: int,
    credit: int,
    waived: bool,
    steps: list[Step],
    articles: list[str],
    note: str,
) -> Result:
    if waived and calculated - credit:
        articles.append(f"{ACT} 제86조제1호")
        steps.append(Step("소액 부징수(1,000원 미만)", "0원", 0, "적어서 떼지 않는 세금"))
    return _result(facts, base, calculated, credit, steps, articles, note)


def _result(
    facts: WithholdingFacts,
    base: int,
    calculated: int,
    credit: int,
    steps: list[Step],
    articles: list[str],
    note: str,
) -> Result:
    notes = [f"{facts.year}년 지급", f"소득의 종류는 {facts.kind}", "받는 사람은 거주자", "지방소득세 별도"]
    if note:
        notes.insert(2, note)
    return Result(
        "withholding",
        facts.year,
        base,
        calculated,
        credit,
        steps[-1].amount,
        tuple(steps),
        tuple(articles),
        tuple(notes),
    )
