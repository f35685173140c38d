"""Limits inside corporate tax: 기업업무추진비 (법인세법 제25조), 기부금 (제24조), 이월결손금 (제13조), 최저한세 (조세특례제한법 제132조).

The year is the one in which the business year starts.  Knows nothing of the extra limits of 조세특례제한법 제136조, of reliefs that
are not listed in its 제132조제1항제3호·제4호, nor of the income deductions of its 제2호.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from taxlaw.calculators import tables
from taxlaw.calculators.parts import Part
from taxlaw.calculators.result import (
    Step,
    bracket_tax,
    floor_won,
    percent_text,
    require_amounts,
    subtraction,
)
from taxlaw.calculators.tables import CORPORATE_ACT as ACT
from taxlaw.calculators.tables import Brackets, percent
from taxlaw.errors import MissingFact, UnsupportedCase
from taxlaw.money import format_won

SPECIAL_TAX_ACT = "조세특례제한법"

# 법인세법 제25조제4항제1호: basic limit of twelve months.  제2호: share of the receipts.  Both unchanged in 2024-2026.
ENTERTAINMENT_BASIC, ENTERTAINMENT_BASIC_SME = 12_000_000, 36_000_000
ENTERTAINMENT_BRACKETS: Brackets = (
    (10_000_000_000, percent("0.3")),
    (50_000_000_000, percent("0.2")),
    (None, percent("0.03")),
)
RELATED_SHARE = percent(10)  # 제25조제4항제2호 단서: of what receipts from related parties would give
LETTING_SHARE = percent(50)  # 제25조제5항: small letting companies
# 제24조제2항제2호, 제3항제2호.
SPECIAL_DONATION_RATE, GENERAL_DONATION_RATE = percent(50), percent(10)
# 제24조제3항제2호: 30 % for donations made in business years starting since 2026-01-01 (법률 제21217호 부칙 제3조).
SOCIAL_ENTERPRISE_RATE: dict[int, Fraction] = {2024: percent(20), 2025: percent(20), 2026: percent(30)}
LOSS_CEILING = percent(80)  # 제13조제1항 단서; business years starting since 2023 (법률 제19193호)
# 조세특례제한법 제132조제1항; unchanged in 2024-2026.
MINIMUM_BRACKETS: Brackets = (
    (10_000_000_000, percent(10)),
    (100_000_000_000, percent(12)),
    (None, percent(17)),
)
MINIMUM_SME = percent(7)
MINIMUM_GROWN = {
    1: percent(8),
    2: percent(8),
    3: percent(8),
    4: percent(9),
    5: percent(9),
}  # year after the grace years


@dataclass(frozen=True)
class EntertainmentFacts:
    """revenue: 수입금액 in won (영 제42조제1항) without related_revenue, which came from related parties.  months: 1-12."""

    year: int
    sme: bool
    revenue: int
    related_revenue: int = 0
    months: int = 12
    small_letting: bool = False


def entertainment_limit(facts: EntertainmentFacts) -> Part:
    """기업업무추진비 손금산입 한도 in won.  Raises UnsupportedCase for a year or length outside the tables."""
    tables.require_year(facts.year, "기업업무추진비 한도")
    require_amounts(revenue=facts.revenue, related_revenue=facts.related_revenue)
    if not 1 <= facts.months <= 12:
        raise UnsupportedCase(f"months: 사업연도는 1개월부터 12개월까지입니다. 받은 값: {facts.months}")
    yearly = ENTERTAINMENT_BASIC_SME if facts.sme else ENTERTAINMENT_BASIC
    basic = Fraction(yearly * facts.months, 12)
    steps = [
        Step("기본한도", f"{format_won(yearly)} × {facts.months} ÷ 12", floor_won(basic), "모든 회사에 주는 한도"),
    ]
    by_revenue, expression = bracket_tax(facts.revenue, ENTERTAINMENT_BRACKETS)
    steps.append(Step("수입금액 한도", expression, floor_won(by_revenue), "매출에 따라 늘어나는 한도"))
    parts = [f"{format_won(floor_won(basic))}", f"({expression})" if "+" in expression else expression]
    total = basic + by_revenue
    if facts.related_revenue:
        # Ordinary receipts fill the brackets first; the related ones count from where those end.
        both, both_text = bracket_tax(facts.revenue + facts.related_revenue, ENTERTAINMENT_BRACKETS)
        related = (both - by_revenue) * RELATED_SHARE
        text = f"(({both_text}) - ({expression})) × {percent_text(RELATED_SHARE)}"
        steps.append(Step("특수관계인 수입금액 한도", text, floor_won(related), "특수관계인 매출로 늘어나는 한도"))
        parts.append(text)
        total += related
    text = " + ".join(parts)
    articles = [f"{ACT} 제25조제4항"]
    if facts.small_letting:
        total *= LETTING_SHARE
        text = f"({text}) × {percent_text(LETTING_SHARE)}"
        articles += [f"{ACT} 제25조제5항", f"{ACT} 시행령 제42조제2항"]
    limit = floor_won(total)
    steps.append(Step("기업업무추진비 한도", text, limit, "비용으로 인정되는 가장 큰 금액"))
    notes = (
        f"{facts.year}년에 시작한 {facts.months}개월 사업연도",
        "중소기업" if facts.sme else "중소기업이 아님",
        "문화·전통시장 추가 한도(조세특례제한법 제136조)는 넣지 않음",
    )
    return Part("기업업무추진비 한도", facts.year, limit, tuple(steps), tuple(articles), notes)


@dataclass(frozen=True)
class DonationFacts:
    """base_income: 기준소득금액 in won (before donations).  loss: 이월결손금.  whole_loss: no 80 % ceiling (제13조제1항 단서).

    special, general: 특례·일반기부금 of this year; *_carried: those carried over from earlier years (제24조제5항).
    """

    year: int
    base_income: int
    special: int = 0
    general: int = 0
    special_carried: int = 0
    general_carried: int = 0
    loss: int = 0
    whole_loss: bool | None = None
    social_enterprise: bool = False


def donation_limits(facts: DonationFacts) -> Part:
    """기부금 한도초과액 of this year's donations in won.  Raises UnsupportedCase or MissingFact (whole_loss)."""
    tables.require_year(facts.year, "기부금 한도")
    names = ("base_income", "special", "general", "special_carried", "general_carried", "loss")
    require_amounts(**{name: getattr(facts, name) for name in names})
    if facts.loss and facts.whole_loss is None:
        raise MissingFact("whole_loss: 이월결손금을 80%까지만 빼는 법인인지(중소기업 등이 아닌지) 알아야 합니다.")
    if facts.social_enterprise and facts.year == 2026 and facts.general_carried:
        raise UnsupportedCase(
            "general_carried: 2026년 전에 낸 기부금의 이월액에도 30% 한도를 쓰는지 시행일 확인 필요 "
            "(법률 제21217호 부칙 제3조)."
        )
    loss = min(facts.loss, facts.base_income if facts.whole_loss else floor_won(facts.base_income * LOSS_CEILING))
    income = facts.base_income - loss
    special_limit = floor_won(income * SPECIAL_DONATION_RATE)
    special_allowed = min(facts.special_carried + facts.special, special_limit)
    left = income - special_allowed
    rate = SOCIAL_ENTERPRISE_RATE[facts.year] if facts.social_enterprise else GENERAL_DONATION_RATE
    general_limit = floor_won(left * rate)
    # 제24조제6항: what was carried over is taken first.
    special_over = facts.special - min(facts.special, max(special_limit - facts.special_carried, 0))
    general_over = facts.general - min(facts.general, max(general_limit - facts.general_carried, 0))
    over = special_over + general_over
    inner = f"({subtraction(facts.base_income, loss)})" if loss else format_won(facts.base_income)
    rest = subtraction(facts.base_income, loss, special_allowed)
    steps = (
        Step("특례기부금 한도", f"{inner} × {percent_text(SPECIAL_DONATION_RATE)}", special_limit, "특례기부금의 한도"),
        Step("특례기부금 손금산입", format_won(special_allowed), special_allowed, "비용으로 인정되는 특례기부금"),
        Step("일반기부금 한도", f"({rest}) × {percent_text(rate)}", general_limit, "일반기부금의 한도"),
        Step("특례기부금 한도초과", format_won(special_over), special_over, "올해 인정되지 않는 특례기부금"),
        Step("일반기부금 한도초과", format_won(general_over), general_over, "올해 인정되지 않는 일반기부금"),
        Step("기부금 한도초과", f"{format_won(special_over)} + {format_won(general_over)}", over, "이월하는 금액"),
    )
    articles = [f"{ACT} 제24조제2항", f"{ACT} 제24조제3항"]
    articles += [f"{ACT} 제13조제1항"] if facts.loss else []
    articles += [f"{ACT} 제24조제6항"] if facts.special_carried or facts.general_carried else []
    notes = (f"{facts.year}년에 시작한 사업연도", "합병·분할 양도손익 없음", "한도초과액은 10년 안에 이월(제24조제5항)")
    return Part("기부금 한도초과", facts.year, over, steps, tuple(articles), notes)


@dataclass(frozen=True)
class LossFacts:
    """income: 각 사업연도 소득 in won.  loss: 이월결손금 still usable.  whole: 중소기업 and others free of the 80 % ceiling."""

    year: int
    income: int
    loss: int
    whole: bool


def loss_deduction(facts: LossFacts) -> Part:
    """이월결손금 공제액 in won, with what is left of income and loss.  Raises UnsupportedCase for another year."""
    tables.require_year(facts.year, "이월결손금 공제")
    require_amounts(income=facts.income, loss=facts.loss)
    ceiling = facts.income if facts.whole else floor_won(facts.income * LOSS_CEILING)
    text = format_won(facts.income) if facts.whole else f"{format_won(facts.income)} × {percent_text(LOSS_CEILING)}"
    used = min(facts.loss, ceiling)
    steps = (
        Step("이월결손금 공제 한도", text, ceiling, "뺄 수 있는 가장 큰 금액"),
        Step("이월결손금 공제", format_won(used), used, "지난 손실에서 빼 주는 금액"),
        Step("공제 후 소득", subtraction(facts.income, used), facts.income - used, "손실을 뺀 소득"),
        Step("남은 결손금", subtraction(facts.loss, used), facts.loss - used, "다음 해로 넘기는 손실"),
    )
    notes = (f"{facts.year}년에 시작한 사업연도", "결손금은 15년 안에 생겼고 신고한 것")
    return Part("이월결손금 공제", facts.year, used, steps, (f"{ACT} 제13조제1항제1호",), notes)


@dataclass(frozen=True)
class MinimumTaxFacts:
    """calculated_tax: 산출세액 in won.  reductions: credits and reliefs under the minimum tax (제132조제1항제3호·제4호).

    base: 과세표준 before the deductions of 제2호.  sme: 중소기업.  grown: the year (1-5) after a 중소기업 lost its grace years.
    """

    year: int
    calculated_tax: int
    reductions: int
    base: int
    sme: bool
    grown: int = 0


def minimum_tax(facts: MinimumTaxFacts) -> Part:
    """Corporate tax in won after the minimum tax (최저한세).  Raises UnsupportedCase for facts outside the tables."""
    tables.require_year(facts.year, "최저한세")
    require_amounts(calculated_tax=facts.calculated_tax, reductions=facts.reductions, base=facts.base)
    if facts.grown not in (0, *MINIMUM_GROWN) or (facts.grown and facts.sme):
        raise UnsupportedCase("grown: 중소기업이 아니게 된 뒤 1년째부터 5년째까지만, 중소기업이 아닐 때만 씁니다.")
    if facts.reductions > facts.calculated_tax:
        raise UnsupportedCase("reductions: 감면·공제액이 산출세액보다 큽니다. 산출세액까지만 적으십시오.")
    rate = MINIMUM_SME if facts.sme else MINIMUM_GROWN.get(facts.grown)
    brackets = MINIMUM_BRACKETS if rate is None else ((None, rate),)
    exact, text = bracket_tax(facts.base, brackets)
    minimum = floor_won(exact)
    after = facts.calculated_tax - facts.reductions
    denied = min(max(minimum - after, 0), facts.reductions)
    steps = [
        Step("최저한세", text, minimum, "적어도 내야 하는 세금"),
        Step("감면 후 세액", subtraction(facts.calculated_tax, facts.reductions), after, "깎은 뒤의 세금"),
    ]
    short = minimum > after
    text = subtraction(minimum, after) if short and denied == minimum - after else format_won(denied)
    steps.append(Step("감면 배제", text, denied, "인정되지 않는 감면"))
    text = f"{format_won(after)} + {format_won(denied)}"
    steps.append(Step("최저한세 적용 후 세액", text, after + denied, "내야 하는 세금"))
    notes = (
        f"{facts.year}년에 시작한 사업연도",
        "감면·공제는 모두 최저한세 대상이고 다른 공제는 없음",
        "중소기업" if facts.sme else "중소기업이 아님",
    )
    articles = (f"{SPECIAL_TAX_ACT} 제132조제1항",)
    return Part("최저한세 적용 후 세액", facts.year, after + denied, tuple(steps), articles, notes)
