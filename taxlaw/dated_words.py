"""Days in a question and what happened on them.  Used by the readers of taxlaw.property_cases and taxlaw.penalty_cases."""

from __future__ import annotations

import re
from datetime import date

from taxlaw.case_reading import refuse

DATE = re.compile(
    r"(?<!\d)(?P<year>(?:19|20)\d\d)(?:년\s?|\s?[-.]\s?)(?P<month>\d{1,2})(?:월\s?|\s?[-.]\s?)(?P<day>\d{1,2})(?:일|(?!\d))"
)
_LEFT_OVER = re.compile(r"\d{1,2}월|(?<![\d개])\d{1,2}일(?!\s?(?:분|치))")
_NEXT = re.compile(r"[.?!](?=\s|$)|,(?!\d)|;")


def read_days(text: str, roles: dict[str, str]) -> dict[str, date]:
    """role -> day.  A day belongs to the role whose word comes first after it, before the next day or the clause's end,
    or else stands right before it ('취득일 2020-01-01').

    Raises UnsupportedCase for a day without one role, a role with two days, an impossible day, or a day not written out.
    """
    found: dict[str, date] = {}
    seen = list(DATE.finditer(text))
    if match := _LEFT_OVER.search(DATE.sub(" ", text)):
        refuse(f"'{match[0]}'이(가) 어느 날인지 알 수 없습니다")
    for index, match in enumerate(seen):
        stop = seen[index + 1].start() if index + 1 < len(seen) else len(text)
        cut = _NEXT.search(text, match.end(), stop)
        after = text[match.end() : cut.start() if cut else stop]
        before = re.split(r"[.?!,;(]", text[seen[index - 1].end() if index else 0 : match.start()])[-1]
        leading = [
            role
            for role, words in roles.items()
            if re.search(rf"(?:{words})(?:한\s?날|일자|일)?[은는이가]?\s?:?\s?$", before)
        ]
        first = {role: hit.start() for role, words in roles.items() if (hit := re.search(words, after))}
        role = leading[0] if len(leading) == 1 else min(first, key=first.__getitem__, default=None)
        if role is None or len(leading) > 1 or role in found:
            refuse(f"'{match[0]}'이(가) 무슨 날인지 알 수 없습니다")
        try:
            found[role] = date(int(match["year"]), int(match["month"]), int(match["day"]))
        except ValueError:
            refuse(f"'{match[0]}'은(는) 없는 날입니다")
    return found
