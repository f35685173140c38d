"""Figures of withholding income tax (원천징수), 2024-2026, each with its article of 소득세법 (영: its decree).

The rates follow the day of payment.  Acts 19196, 19933, 20615 and 21221 were read for changes inside these years: only the
pension for life (제129조제1항제5호의2다목) and the waiver of small sums (제86조제1호) moved.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from taxlaw.calculators.tables import percent


@dataclass(frozen=True)
class Kind:
    """One kind of income: its rate and article; ``deemed``: share of the receipts taken as expenses, with its article."""

    rate: Fraction
    article: str
    group: str  # interest, dividend, business, other (기타소득) or tip: what 제84조 and 제86조 tell apart
    deemed: Fraction = Fraction(0)
    deemed_article: str = ""
    takes_expense: bool = False
    note: str = ""


_OTHER = "제129조제1항제6호라목"
_SIXTY = "소득세법 시행령 제87조제1호의2"
_EIGHTY = "소득세법 시행령 제87조제1호"

KINDS: dict[str, Kind] = {
    "이자": Kind(percent(14), "제129조제1항제1호라목", "interest"),
    "비영업대금": Kind(percent(25), "제129조제1항제1호나목", "interest", note="돈 빌려주는 일이 업이 아닌 사람의 이자"),
    "온라인투자연계금융 이자": Kind(
        percent(14), "제129조제1항제1호나목", "interest", note="등록한 업자를 통해 받은 이자"
    ),
    "배당": Kind(percent(14), "제129조제1항제2호나목", "dividend"),
    "출자공동사업자 배당": Kind(percent(25), "제129조제1항제2호가목", "dividend"),
    "비실명 이자": Kind(percent(45), "제129조제2항제2호", "interest", note="금융실명법 제5조가 적용되지 않는 경우"),
    "비실명 배당": Kind(percent(45), "제129조제2항제2호", "dividend", note="금융실명법 제5조가 적용되지 않는 경우"),
    "사업소득": Kind(percent(3), "제129조제1항제3호", "business", note="계속해서 하는 인적용역(프리랜서 등)의 대가"),
    "봉사료": Kind(percent(5), "제129조제1항제8호", "tip", note="구분해 적은 봉사료가 공급가액의 20%를 넘음"),
    # 60 % deemed expenses since 2020 (영 제87조제1호의2); real expenses above that count too.
    "강연료": Kind(percent(20), _OTHER, "other", percent(60), _SIXTY, True, "일시적으로 제공한 인적용역"),
    "일시 인적용역": Kind(percent(20), _OTHER, "other", percent(60), _SIXTY, True, "일시적으로 제공한 인적용역"),
    "원고료": Kind(percent(20), _OTHER, "other", percent(60), _SIXTY, True, "일시적으로 쓴 원고의 대가"),
    "산업재산권 대여": Kind(percent(20), _OTHER, "other", percent(60), _SIXTY, True),
    # 80 % (영 제87조제1호)
    "경쟁대회 상금": Kind(percent(20), _OTHER, "other", percent(80), _EIGHTY, True, "여럿이 순위를 겨루는 대회의 상금"),
    "주택입주 지체상금": Kind(percent(20), _OTHER, "other", percent(80), _EIGHTY, True),
    # 제37조제2항: real expenses only
    "기타소득": Kind(percent(20), _OTHER, "other", takes_expense=True, note="필요경비 의제가 없는 기타소득"),
    "소기업·소상인 공제 해지일시금": Kind(percent(15), "제129조제1항제6호나목", "other"),
    "연금외수령": Kind(percent(15), "제129조제1항제6호나목", "other"),
}

# 제129조제1항제6호가목·라목: prizes of lotteries and slot machines, the share above the bound at the second rate.
PRIZES: dict[str, tuple[str, str]] = {
    "복권": ("제14조제3항제8호라목", "당첨금에 든 복권 구입비"),
    "슬롯머신": ("제14조제3항제8호마목", "당첨 때 넣은 금액"),
}
PRIZE_BOUND = 300_000_000
PRIZE_RATES = (percent(20), percent(30))
PRIZE_TAX_FREE_UP_TO = 2_000_000  # 제84조제2호, one win; for lotteries since 2023 (법률 제19196호 부칙 제7조)
OTHER_TAX_FREE_UP_TO = 50_000  # 제84조제4호, 기타소득금액 of one payment; not for 제21조제1항제21호 (연금외수령)

DAILY_DEDUCTION = 150_000  # 제47조제2항, a day; since 2019
DAILY_RATE = percent(6)  # 제129조제1항제4호 단서
DAILY_CREDIT = percent(55)  # 제59조제3항

# 제129조제1항제5호의2가목: private pensions, (under this age, rate).
PENSION_RATES: tuple[tuple[int | None, Fraction], ...] = ((70, percent(5)), (80, percent(4)), (None, percent(3)))
PENSION_FROM_AGE = 55  # 소득세법 시행령 제40조의2제3항제1호
# 같은 호 다목: contracts for life; 3 % for payments since 2026-01-01 (법률 제21221호 부칙 제15조제1항).
PENSION_LIFE_RATE: dict[int, Fraction] = {2024: percent(4), 2025: percent(4), 2026: percent(3)}

# 제86조제1호: tax under this is not collected.  Interest never had the waiver; 인적용역 lost it for payments since 2024-07-01
# (법률 제19933호 부칙 제1조제2호, 제6조).
SMALL_SUM = 1_000
