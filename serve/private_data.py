"""What of a person stands in a question, before it leaves this machine for a teacher elsewhere: masked, or not sent.

Stricter than taxlaw.personal_data, which judges published text and wants a right check digit: here a mistyped 주민등록번호 is
one too, and hiding a number that is none costs little.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

_RESIDENT, _BUSINESS = "주민등록번호", "사업자등록번호"
_SHAPES = (
    (_RESIDENT, re.compile(r"(?<![\d,.])(?:\d{6}\s?-\s?[1-8]\d{6}(?!\d)|\d{6}[1-8]\d{6}(?!,?\d|\s?[원억만%]))")),
    (_BUSINESS, re.compile(r"(?<![\d-])\d{3}\s?-\s?\d{2}\s?-\s?\d{5}(?![\d-])")),
)


@dataclass(frozen=True)
class Masked:
    """``text`` with every place of ``kinds`` written as ``[주민등록번호]``; the same text when there is none."""

    text: str
    kinds: tuple[str, ...]


def mask(text: str) -> Masked:
    """``text`` without what names a person; ``kinds`` in the order of the text, each once."""
    from taxlaw.money import normalise_digits
    from taxlaw.personal_data import find_personal_data

    plain = normalise_digits(text)
    places = [(one.start, one.end, one.kind.partition("(")[0]) for one in find_personal_data(text)]
    for kind, shape in _SHAPES:
        places += [(*match.span(), kind) for match in shape.finditer(plain)]
    pieces, kinds, at = [], [], 0
    for start, end, kind in sorted(places, key=lambda place: (place[0], -place[1])):
        if start < at:  # overlaps the one before: hidden with it
            at = max(at, end)
            continue
        pieces += [text[at:start], f"[{kind}]"]
        kinds.append(kind)
        at = end
    return Masked("".join((*pieces, text[at:])), tuple(dict.fromkeys(kinds)))


def is_here(netloc: str) -> bool:
    """Whether ``host:port`` is this machine; anything that cannot be told is elsewhere."""
    host = urlsplit(f"//{netloc}").hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
