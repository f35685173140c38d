"""How long an endpoint asks to wait, read from its headers: Retry-After in its three spellings, x-ratelimit-reset-*."""

from __future__ import annotations

import email.utils
import math
import re
from collections.abc import Mapping

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")


def retry_after_seconds(headers: Mapping[str, str], now: float) -> float | None:
    """retry-after-ms, or Retry-After in seconds or as an HTTP date; None without one that can be read.

    ``now``: seconds since 1970.  Never negative.
    """
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        if (number := _number(headers.get(name))) is not None:
            return max(0.0, number * unit)
    try:
        date = email.utils.parsedate_to_datetime(headers.get("retry-after") or "")
    except ValueError:
        return None
    return max(0.0, date.timestamp() - now)


def reset_seconds(text: str) -> float | None:
    """``1s``, ``6m0s``, ``20ms`` or plain seconds; None for anything else (a date, nothing)."""
    if (number := _number(text)) is not None:
        return number
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text.strip():
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None
