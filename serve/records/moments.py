"""Times in the records: UTC, ISO 8601, one form, so that they sort as text."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

# For days on the dashboard; Korea has one offset all year since 1988.
KOREAN_DAY = "date(at, '+9 hours')"


def now_utc() -> datetime:
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """``2026-11-22T09:30:12.345+00:00``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


def korean_midnight(day: date) -> datetime:
    """The moment at which ``day`` begins in Korea."""
    return datetime.combine(day, time(), ZoneInfo("Asia/Seoul"))
