"""Numbers that name a person and have no place in an answer: 주민등록번호, 사업자등록번호, telephone, account, card, e-mail.

Numbers of rulings, laws, days and amounts look alike: a check digit or a word beside the number decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from taxlaw.money import normalise_digits

_DIGIT = r"(?<![\d-])"
_END = r"(?![\d-])"
_BIRTH = r"(\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])"
_RESIDENT = re.compile(_DIGIT + _BIRTH + r"\s?-\s?([1-8])(\d{6})" + _END)
# Written together it is found by its check digit alone; an amount (원, commas) or a stretch of a hash is none.
_RESIDENT_TOGETHER = re.compile(r"(?<![\dA-Za-z,.-])" + _BIRTH + r"([1-8])(\d{6})(?![\dA-Za-z,.-]|\s?[원억만%])")
_COMPANY_BEFORE = re.compile(r"(?:법인|단체)\s?(?:등록\s?)?번호[^\d\n]{0,10}$")
_RESIDENT_BEFORE = re.compile(r"(?:주민|외국인)\s?(?:등록)?\s?번호[^\d\n]{0,10}$")
_BUSINESS = re.compile(_DIGIT + r"(\d{3})-(\d{2})-(\d{5})" + _END)
_BUSINESS_TOGETHER = re.compile(r"사업자\s?(?:등록)?\s?번호[^\d\n]{0,10}((\d{3})(\d{2})(\d{5}))(?!\d)")
_MOBILE = re.compile(_DIGIT + r"01[016789][-.\s]?\d{3,4}[-.\s]?\d{4}" + _END)
# Area codes, internet telephones (070) and personal numbers (050x); 1588-… and 126 belong to institutions.
_LANDLINE = re.compile(
    r"(?<![\d.-])(?:\(0(?:2|3[1-3]|4[1-4]|5[1-5]|6[1-4]|70|50\d)\)\s?|0(?:2|3[1-3]|4[1-4]|5[1-5]|6[1-4]|70|50\d)[-.)]\s?)"
    r"[2-9]\d{2,3}[-.]\d{4}" + _END
)
_ACCOUNT = re.compile(
    r"계좌(?:번호)?[^\d\n]{0,15}(?P<number>\d{2,6}-\d{2,6}-\d{2,8}(?:-\d{1,3})?|\d{11,14})(?![\d*○×-])"
)
_BANK_ACCOUNT = re.compile(
    r"(?:은행|농협|수협|신협|축협|우체국|새마을금고|뱅크)(?:\s?계좌)?[\s:(]{0,3}"
    r"(?P<number>\d{3,6}-\d{2,6}-\d{4,8}(?:-\d{1,3})?)(?![\d*○×-])"
)
_CARD = re.compile(_DIGIT + r"\d{4}-\d{4}-\d{4}-\d{4}" + _END)
_CARD_NAMED = re.compile(r"카드[^\d\n]{0,15}(?P<number>\d{4}\s?\d{4}\s?\d{4}\s?\d{4})(?![\d,])")
_MAIL = re.compile(r"[\w.+-]{2,64}@[\w-]{2,}(?:\.[A-Za-z]{2,})+")
_MAYBE = re.compile(r"\d{4}|@")


@dataclass(frozen=True)
class PersonalData:
    """Something of a person at [start:end]; ``kind`` is its Korean name."""

    kind: str
    start: int
    end: int


def personal_data(text: str) -> list[tuple[str, tuple[int, int]]]:
    """(Korean message, span) of each.  The message does not repeat the number."""
    return [(f"개인정보가 들어 있습니다: {found.kind}", (found.start, found.end)) for found in find_personal_data(text)]


def find_personal_data(text: str) -> list[PersonalData]:
    """Everything of a person in the text, left to right and without overlaps; the first rule that claims a place has it."""
    plain = normalise_digits(text)
    if not _MAYBE.search(plain):
        return []
    found: list[PersonalData] = []
    for kind, start, end in _claims(plain):
        if all(end <= other.start or other.end <= start for other in found):
            found.append(PersonalData(kind, start, end))
    return sorted(found, key=lambda one: one.start)


def _claims(text: str):
    for match in _RESIDENT.finditer(text):
        if _is_resident(match, text):
            yield "주민등록번호(외국인등록번호)", *match.span()
    for match in _RESIDENT_TOGETHER.finditer(text):
        if _has_check_digit(match) and not _COMPANY_BEFORE.search(text, max(0, match.start() - 20), match.start()):
            yield "주민등록번호(외국인등록번호)", *match.span()
    for match in _BUSINESS.finditer(text):
        if _is_business("".join(match.groups())):
            yield "사업자등록번호", *match.span()
    for match in _BUSINESS_TOGETHER.finditer(text):
        if _is_business(match[1]):
            yield "사업자등록번호", *match.span(1)
    for pattern, kind in (
        (_MOBILE, "휴대전화 번호"),
        (_LANDLINE, "전화번호"),
        (_ACCOUNT, "계좌번호"),
        (_BANK_ACCOUNT, "계좌번호"),
        (_CARD, "카드 번호"),
        (_CARD_NAMED, "카드 번호"),
        (_MAIL, "전자우편 주소"),
    ):
        for match in pattern.finditer(text):
            if pattern is not _CARD_NAMED or _luhn(match["number"]):
                yield kind, *match.span("number" if "number" in pattern.groupindex else 0)


def _is_resident(match: re.Match, text: str) -> bool:
    """The check digit is right, or the text says what the number is.

    Numbers given since October 2020 have no check digit, so a birth from 2020 on is enough.
    """
    before = (text, max(0, match.start() - 20), match.start())
    if _COMPANY_BEFORE.search(*before):
        return False
    if _RESIDENT_BEFORE.search(*before) or (match[4] in "3478" and int(match[1]) >= 20):
        return True
    return _has_check_digit(match)


def _has_check_digit(match: re.Match) -> bool:
    digits = [int(char) for char in "".join(match.groups())]
    total = sum(digit * weight for digit, weight in zip(digits, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5), strict=False))
    check = (11 - total % 11) % 10
    foreign = (13 - total % 11) % 10  # 외국인등록번호
    return digits[12] == (foreign if match[4] in "5678" else check)


def _is_business(digits: str) -> bool:
    numbers = [int(char) for char in digits]
    total = sum(number * weight for number, weight in zip(numbers, (1, 3, 7, 1, 3, 7, 1, 3, 5), strict=False))
    total += numbers[8] * 5 // 10
    return (10 - total % 10) % 10 == numbers[9]


def _luhn(number: str) -> bool:
    digits = [int(char) for char in number if char.isdigit()]
    doubled = [digit * 2 - 9 * (digit > 4) if place % 2 else digit for place, digit in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0
