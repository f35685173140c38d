"""The figures of capital gains tax on real estate (양도소득세), 2024-2026, each with its article.

The acts as of 2024-06-01, 2025-06-01 and 2026-06-08 agree on every figure here; no addendum delays one of them.
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction

from taxlaw.calculators.tables import INCOME_BRACKETS, Brackets, percent

INCOME_DECREE = "소득세법 시행령"

# Assets this calculator knows; 소득세법 제94조제1항제1호·제2호.
HOME, MEMBER_RIGHT, PRESALE_RIGHT = "주택", "조합원입주권", "분양권"
LAND, IDLE_LAND, BUILDING = "토지", "비사업용 토지", "건물"
ASSETS = (HOME, MEMBER_RIGHT, PRESALE_RIGHT, LAND, IDLE_LAND, BUILDING)
HOME_LIKE = frozenset({HOME, MEMBER_RIGHT, PRESALE_RIGHT})  # 제104조제1항제2호·제3호: the higher short-term rates

BASIC_DEDUCTION = 2_500_000  # 제103조제1항제1호, per year
HIGH_PRICE = 1_200_000_000  # 제89조제1항제3호; by the sale price, not the gain
EXEMPT_HELD_YEARS = 2  # 시행령 제154조제1항: for a resident
EXEMPT_RESIDED_YEARS = 2  # 같은 항: only where the home lay in an adjusted area when it was bought

# 제95조제2항: table 1, 2 points a year from the third; table 2, 4 points a year for holding and 4 for residence.
HOLDING_FROM = 3
TABLE_1_PER_YEAR, TABLE_1_CAP = percent(2), percent(30)
TABLE_2_PER_YEAR, TABLE_2_CAP = percent(4), percent(40)
TABLE_2_RESIDED_YEARS = 2  # 시행령 제159조의4

# 제104조제1항제2호·제3호: (homes and rights to them, everything else).
RATE_UNDER_1 = (percent(70), percent(50))
RATE_UNDER_2 = (percent(60), percent(40))
PRESALE_RATE = percent(60)  # 제104조제1항제1호, held two years or more
UNREGISTERED_RATE = percent(70)  # 제104조제1항제10호


def raised(points: int) -> Brackets:
    """The brackets of 제55조제1항 with ``points`` percentage points on each."""
    return tuple((upper, rate + percent(points)) for upper, rate in INCOME_BRACKETS)


IDLE_LAND_BRACKETS = raised(10)  # 제104조제1항제8호 (법률 제19196호)
TWO_HOMES_BRACKETS = raised(20)  # 제104조제7항제1호
THREE_HOMES_BRACKETS = raised(30)  # 제104조제7항제3호

# 시행령 제167조의10제1항제12호의2, 제167조의3제1항제12호의2: homes held two years or more are outside 제104조제7항 when
# sold by this day; later only under items 나 and 다 (contract or permit sought by this day), at most until the second day.
SUSPENDED_UNTIL = date(2026, 5, 9)
TRANSITION_UNTIL = date(2026, 11, 9)
SUSPENSION_HELD_YEARS = 2


def table_1(held: int) -> Fraction:
    """Rate of table 1 for ``held`` full years (제95조제2항)."""
    return min(held * TABLE_1_PER_YEAR, TABLE_1_CAP) if held >= HOLDING_FROM else Fraction(0)


def table_2(held: int, resided: int) -> Fraction:
    """Rate of table 2: holding and residence, each in full years (제95조제2항 단서)."""
    if held < HOLDING_FROM or resided < TABLE_2_RESIDED_YEARS:
        return table_1(held)
    return min(held * TABLE_2_PER_YEAR, TABLE_2_CAP) + min(resided * TABLE_2_PER_YEAR, TABLE_2_CAP)
