"""How long a tax stayed unpaid, as 국세기본법 제47조의4 and 제47조의5 count it before and since 2026-07-01.  Days only, no money."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, timedelta

from taxlaw.calculators.tables_penalties import NEW_LATE_LAW
from taxlaw.errors import UnsupportedCase


@dataclass(frozen=True)
class LatePeriod:
    """days: at the daily rate up to the notice (or payment).  overdue: unpaid when the 지정납부기한 passed; then either
    overdue_days (old text) or overdue_months (new text) follow.  new_law: the text in force since 2026-07-01 was used."""

    days: int
    overdue: bool
    overdue_days: int
    overdue_months: int
    new_law: bool


def month_end(day: date, months: int) -> date:
    """Last day of the period of ``months`` that starts the day after ``day`` (국세기본법 제4조, 민법 제157조·제160조)."""
    start = day + timedelta(days=1)
    index = start.year * 12 + start.month - 1 + months
    year, month = divmod(index, 12)
    length = calendar.monthrange(year, month + 1)[1]
    if start.day > length:
        return date(year, month + 1, length)
    return date(year, month + 1, start.day) - timedelta(days=1)


def late_period(deadline: date, paid_on: date, notice_on: date | None, designated: date | None) -> LatePeriod:
    """Days and months that a tax due on ``deadline`` and paid whole on ``paid_on`` was late.

    Without a notice the day of payment counts under the old text and not under the new one, which a payment since
    2026-07-01 follows.  Raises UnsupportedCase for a 지정납부기한 of 2026-06-30, which 법률 제21212호 부칙 제3조 leaves open.
    """
    if notice_on is None:
        new = paid_on >= NEW_LATE_LAW
        return LatePeriod((paid_on - deadline).days - (1 if new else 0), False, 0, 0, new)
    # Both texts stop on the day before the notice and start again after the 지정납부기한.
    days = (notice_on - deadline).days - 1
    if paid_on <= designated:
        return LatePeriod(days, False, 0, 0, paid_on >= NEW_LATE_LAW)
    if designated == NEW_LATE_LAW - timedelta(days=1):
        raise UnsupportedCase(
            "designated: 지정납부기한이 2026년 6월 30일이면 그날 '경과한' 것인지 법률 제21212호 부칙 제3조·제4조만으로 정할 수 없어 "
            "종전 규정과 개정 규정 가운데 고르지 않습니다. 시행일 확인 필요."
        )
    if designated < NEW_LATE_LAW:
        return LatePeriod(days, True, (paid_on - designated).days, 0, False)
    months = 0
    while month_end(designated, months + 1) < paid_on:
        months += 1
    return LatePeriod(days, True, 0, months, True)
