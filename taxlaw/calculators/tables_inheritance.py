"""Figures of the inheritance tax, 2024-2026, each with its article of 상속세 및 증여세법 (영: its decree).

None of them changed in these years: acts 19195, 19932, 20777, 21065 and decrees 33278, 35351, 35947, 36131 were read for it
(제24조제3호 has counted 제53조의2 among the deductions since 2024-01-01).  The rates are those of gifts (제26조).
"""

from __future__ import annotations

from taxlaw.calculators.tables import percent

FUNERAL_FLOOR, FUNERAL_CEILING = 5_000_000, 10_000_000  # 영 제9조제2항제1호
ENSHRINEMENT_CAP = 5_000_000  # 영 제9조제2항제2호
BASIC_DEDUCTION = 200_000_000  # 제18조
CHILD_DEDUCTION = 50_000_000  # 제20조제1항제1호
MINOR_DEDUCTION_A_YEAR = 10_000_000  # 제20조제1항제2호
SENIOR_DEDUCTION = 50_000_000  # 제20조제1항제3호
DISABLED_DEDUCTION_A_YEAR = 10_000_000  # 제20조제1항제4호
LUMP_SUM_DEDUCTION = 500_000_000  # 제21조제1항
SPOUSE_FLOOR, SPOUSE_CEILING = 500_000_000, 3_000_000_000  # 제19조제4항, 제19조제1항제2호
FINANCIAL_WHOLE_UP_TO = 20_000_000  # 제22조제1항제2호
FINANCIAL_RATE = percent(20)  # 제22조제1항제1호
FINANCIAL_CAP = 200_000_000  # 제22조제1항
COHABITED_HOUSE_CAP = 600_000_000  # 제23조의2제1항; the rate is 100 %
GIFTS_COUNT_ABOVE = 500_000_000  # 제24조 단서, 제28조제1항 단서: taxable value above which they apply
APPRAISAL_CAP = 5_000_000  # 영 제20조의3제3항
TAX_FREE_BASE = 500_000  # 제25조제2항: no tax on a base below this
SKIP_RATE = percent(30)  # 제27조
SKIP_RATE_MINOR = percent(40)  # 제27조: minors who receive more than SKIP_MINOR_ABOVE
SKIP_MINOR_ABOVE = 2_000_000_000
FILING_CREDIT_RATE = percent(3)  # 제69조제1항; since 2019
