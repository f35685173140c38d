"""Figures of general VAT (부가가치세 일반과세), 2024-2026, each with its article of 부가가치세법 (영: its decree, 규칙: its rule).

Acts 19931, 20614, 20776 and 21218 and rules 1055 and 1116 were read for changes inside these years: the deposit rate of
규칙 제47조 and the penalty on invoices for nothing (제60조제3항제1호·제2호) moved, the rest stood still.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from taxlaw.calculators.tables import percent

VAT_RULE = "부가가치세법 시행규칙"
RATE = percent(10)  # 제30조
WITHOUT_TAX = Fraction(100, 110)  # 제29조제7항: what of a price with tax in it is the supply value
TAX_WITHIN = Fraction(10, 110)  # 제45조제1항: what of it is the tax

# 규칙 제47조 (영 제65조제1항): one-year deposit rate for rent taken as a deposit, by the year of the taxable period.  Each change
# holds from the taxable period in which it came into force (규칙 제1055호 부칙 제3조; 규칙 제1116호 부칙 제2조).
DEPOSIT_RATES: dict[int, Fraction] = {
    2024: Fraction(35, 1000),  # 규칙 제1055호 (2024-03-22)
    2025: Fraction(31, 1000),  # 규칙 제1116호 (2025-03-21)
    2026: Fraction(31, 1000),  # unchanged by 규칙 제9호 (2026-03-20)
}

EXEMPT_SHARE_IGNORED = percent(5)  # 영 제81조제2항제1호: an exempt share below it blocks nothing ...
COMMON_TAX_LIMIT = 5_000_000  # ... unless the common input tax is this or more (같은 호 단서)
COMMON_TAX_IGNORED = 50_000  # 영 제81조제2항제2호: common input tax below it is deductible whole

CARD_CREDIT_PRIOR_SUPPLY = 1_000_000_000  # 영 제88조제3항: last year's supply of the place of business, at most
# 제46조제1항제3호: rate and yearly cap until 2026-12-31 (then 1 % and 500만원); the same for simplified taxpayers.
CARD_CREDIT_RATE = percent("1.3")
CARD_CREDIT_CAP = 10_000_000


@dataclass(frozen=True)
class Penalty:
    """One penalty of 제60조 on a supply value: its article and rate in each year."""

    article: str
    rates: dict[int, Fraction]


def _steady(article: str, rate: str) -> Penalty:
    return Penalty(f"제60조{article}", dict.fromkeys(DEPOSIT_RATES, percent(rate)))


# 제60조제3항제1호·제2호: 4 % for invoices given or taken since 2026-01-01, 3 % before (법률 제21218호 부칙 제3조).
_FOR_NOTHING = {2024: percent(3), 2025: percent(3), 2026: percent(4)}

# What went wrong -> the penalty on the supply value of what it concerns.
PENALTIES: dict[str, Penalty] = {
    "지연발급": _steady("제2항제1호", "1"),
    "미발급": _steady("제2항제2호", "2"),
    "종이 세금계산서 발급": _steady("제2항제2호가목", "1"),
    "다른 사업장 명의 발급": _steady("제2항제2호나목", "1"),
    "지연전송": _steady("제2항제3호", "0.3"),
    "미전송": _steady("제2항제4호", "0.5"),
    "부실기재": _steady("제2항제5호", "1"),
    "가공발급": Penalty("제60조제3항제1호", _FOR_NOTHING),
    "가공수취": Penalty("제60조제3항제2호", _FOR_NOTHING),
    "위장발급": _steady("제3항제3호", "2"),
    "위장수취": _steady("제3항제4호", "2"),
    "과다기재 발급": _steady("제3항제5호", "2"),
    "과다기재 수취": _steady("제3항제6호", "2"),
    "매출처별합계표 미제출": _steady("제6항제1호", "0.5"),
    "매출처별합계표 지연제출": _steady("제6항제3호", "0.3"),
    "지연수취": _steady("제7항제1호", "0.5"),
    "매입처별합계표 미제출": _steady("제7항제2호", "0.5"),
    "매입처별합계표 과다기재": _steady("제7항제3호", "0.5"),
    "현금매출명세서 미제출": _steady("제8항", "1"),
}
# 제60조제2항 후단: item 1 or 2 excludes items 3-5 on the same supply, item 5 excludes 3 and 4; 제9항: a penalty of 제2항 or
# 제3항 excludes the one on the list of invoices.  Supplies are not matched one by one here: the facts must not repeat one.
