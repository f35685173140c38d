"""Parts of income tax that stand alone: 연금소득공제 (소득세법 제47조의2), 근로소득세액공제 (제59조), 배당가산액 (제17조제3항).

And, for gift tax, the base less the fee of an appraiser (상속세 및 증여세법 제55조제1항).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from taxlaw.calculators import tables
from taxlaw.calculators.gift import GiftFacts, gift_tax

# The rule of 제59조제2항 stands once, beside the tax on pay.
from taxlaw.calculators.income import earned_credit as earned_credit_of
from taxlaw.calculators.parts import Part
from taxlaw.calculators.result import Step, bracket_tax, floor_won, percent_text, require_amounts, subtraction
from taxlaw.calculators.tables import INCOME_ACT as ACT
from taxlaw.calculators.tables import INHERITANCE_GIFT_ACT, Brackets, percent
from taxlaw.calculators.tables_inheritance import APPRAISAL_CAP
from taxlaw.errors import MissingFact, UnsupportedCase
from taxlaw.money import format_won

# 제47조의2제1항; since 2013.
PENSION_BRACKETS: Brackets = (
    (3_500_000, percent(100)),
    (7_000_000, percent(40)),
    (14_000_000, percent(20)),
    (None, percent(10)),
)
PENSION_CAP = 9_000_000
PRIVATE_PENSION_BOUND = 15_000_000  # 제14조제3항제9호다목
# 제17조제3항: the text of 2026 shows 11 %, delayed to 2027-01-01 (법률 제21221호 부칙 제1조 단서 제2호, 제14조).
DIVIDEND_GROSS_UP: dict[int, Fraction] = {2024: percent(10), 2025: percent(10), 2026: percent(10)}


@dataclass(frozen=True)
class PensionFacts:
    """Pensions of one year in won, taxable parts only.  separate: the private pension (사적연금) is taxed apart."""

    year: int
    public: int = 0
    private: int = 0
    separate: bool | None = None


def pension_income(facts: PensionFacts) -> Part:
    """연금소득금액 for the aggregate base, in won.  Raises UnsupportedCase (year) or MissingFact (separate)."""
    tables.require_year(facts.year, "연금소득")
    require_amounts(public=facts.public, private=facts.private)
    if facts.private and facts.separate is None:
        raise MissingFact("separate: 사적연금을 분리과세로 하는지 종합소득에 합치는지 알아야 합니다.")
    counted = facts.public if facts.separate else facts.public + facts.private
    exact, text = bracket_tax(counted, PENSION_BRACKETS)
    deduction, label = floor_won(exact), "연금소득공제"
    if deduction > PENSION_CAP:
        deduction, text = PENSION_CAP, format_won(PENSION_CAP)
    income = counted - deduction
    steps = (
        Step("총연금액", format_won(counted), counted, "종합소득에 합치는 연금"),
        Step(label, text, deduction, "연금을 받는 사람에게 빼 주는 금액"),
        Step("연금소득금액", subtraction(counted, deduction), income, "공제를 뺀 금액"),
    )
    articles = [f"{ACT} 제47조의2제1항"]
    if facts.private and facts.separate:
        # Above the bound the pension stays in the aggregate, but the taxpayer may choose 15 % apart.
        small = facts.private <= PRIVATE_PENSION_BOUND
        articles.append(f"{ACT} 제14조제3항제9호다목" if small else f"{ACT} 제64조의4")
    notes = (f"{facts.year}년에 받은 연금", "과세기준일 뒤 납입분 등 과세 대상 금액만 적음")
    return Part("연금소득금액", facts.year, income, steps, tuple(articles), notes)


def earned_income_credit(gross_pay: int, tax_on_pay: int, year: int) -> Part:
    """근로소득세액공제 in won from 총급여액 and the 산출세액 on that pay.  Raises UnsupportedCase for another year."""
    tables.require_year(year, "근로소득세액공제")
    require_amounts(gross_pay=gross_pay, tax_on_pay=tax_on_pay)
    steps = [Step("근로소득 산출세액", format_won(tax_on_pay), tax_on_pay, "급여에 매긴 세금")]
    credit = earned_credit_of(gross_pay, tax_on_pay, steps)
    name = steps[-1].label
    return Part(name, year, credit, tuple(steps), (f"{ACT} 제59조",), (f"{year}년 귀속", "상용근로자"))


def dividend_gross_up(dividend: int, year: int) -> Part:
    """배당가산액 in won of dividends that qualify for it.  Raises UnsupportedCase for another year."""
    tables.require_year(year, "배당가산액")
    require_amounts(dividend=dividend)
    rate = DIVIDEND_GROSS_UP[year]
    amount = floor_won(dividend * rate)
    steps = (Step("배당가산액", f"{format_won(dividend)} × {percent_text(rate)}", amount, "배당에 더해 보는 금액"),)
    notes = (f"{year}년 지급", "내국법인의 배당으로 종합과세되는 부분이고 가산에서 빼는 배당이 아님")
    return Part("배당가산액", year, amount, steps, (f"{ACT} 제17조제3항",), notes)


def gift_base_after_fee(facts: GiftFacts, appraisal_fee: int) -> Part:
    """증여세 과세표준 in won less an appraiser's fee, at most 500만원.  Raises UnsupportedCase as gift_tax does."""
    require_amounts(appraisal_fee=appraisal_fee)
    result = gift_tax(facts)
    if facts.prior_gifts:
        raise UnsupportedCase("prior_gifts: 합산과세에서는 앞선 증여의 수수료도 알아야 합니다.")
    fee = min(appraisal_fee, APPRAISAL_CAP, result.tax_base)
    base = result.tax_base - fee
    steps = (
        Step("수수료를 빼기 전 과세표준", format_won(result.tax_base), result.tax_base, "공제를 뺀 금액"),
        Step("감정평가 수수료", format_won(fee), fee, "재산 값을 매기는 데 든 비용"),
        Step("과세표준", subtraction(result.tax_base, fee), base, "세금을 매기는 금액"),
    )
    articles = (
        f"{INHERITANCE_GIFT_ACT} 제55조제1항",
        f"{INHERITANCE_GIFT_ACT} 시행령 제46조의2",
        f"{INHERITANCE_GIFT_ACT} 시행령 제20조의3제3항",
    )
    notes = (*result.assumptions, "감정평가법인의 수수료로 영 제20조의3제1항제1호나 제3호의 것")
    return Part("과세표준", facts.year, base, steps, articles, notes)
