"""Figures of the penalties (가산세) of 국세기본법 제47조의2-제47조의5 and their cuts (제48조), 2024-2026, with their articles.

제47조의4 and 제47조의5 were rewritten by 법률 제21212호 (2025-12-23): in force on 2026-07-01 (부칙 제1조 단서), and cases whose
지정납부기한 passed by 2026-06-30 stay under the old text (부칙 제3조, 제4조).  The decree's monthly rate starts the same day
(영 제36125호 부칙 제1조 단서).  The text shown for the first half of 2026 is therefore not yet the law of that half.
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction

from taxlaw.calculators.tables import percent

NO_RETURN_RATE = percent(20)  # 제47조의2제1항제2호
UNDER_REPORT_RATE = percent(10)  # 제47조의3제1항제2호
FRAUD_RATE = percent(40)  # 제47조의2제1항제1호, 제47조의3제1항제1호가목
FRAUD_ABROAD_RATE = percent(60)  # the same items: fraud in a cross-border deal (역외거래)
# Share of receipts (수입금액), for double-entry book-keepers and companies; the larger of the two penalties counts.
RECEIPTS_RATE = Fraction(7, 10_000)  # 제47조의2제2항제1호나목
FRAUD_RECEIPTS_RATE = Fraction(14, 10_000)  # 제47조의2제2항제1호가목, 제47조의3제2항제1호나목

DAILY_RATE = Fraction(22, 100_000)  # 영 제27조의4제1항; since 2022-02-15
MONTHLY_RATE = Fraction(67, 10_000)  # 영 제27조의4제2항; since 2026-07-01
OVERDUE_RATE = percent(3)  # 제47조의4제1항제3호, 제47조의5제1항제1호
NEW_LATE_LAW = date(2026, 7, 1)
SMALL_NOTICE = 1_500_000  # 제47조의4제8항, 제47조의5제5항: below it nothing runs after the 지정납부기한
WITHHOLDING_CAP = percent(10)  # 제47조의5제1항: up to the notice
WITHHOLDING_CAP_WHOLE = percent(50)  # 제47조의5제1항: in all

# 제48조제2항제1호: amended return (수정신고), and 제2호: late return (기한 후 신고): (within months, cut).
AMENDED_CUTS: tuple[tuple[int, Fraction, str], ...] = (
    (1, percent(90), "가목"),
    (3, percent(75), "나목"),
    (6, percent(50), "다목"),
    (12, percent(30), "라목"),
    (18, percent(20), "마목"),
    (24, percent(10), "바목"),
)
LATE_RETURN_CUTS: tuple[tuple[int, Fraction, str], ...] = (
    (1, percent(50), "가목"),
    (3, percent(30), "나목"),
    (6, percent(20), "다목"),
)
