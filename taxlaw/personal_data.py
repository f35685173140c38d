"""Numbers that name a person and have no place in an answer: 주민등록번호, 사업자등록번호, mobile phone, account, card, e-mail."""

from __future__ import annotations

import re

_DIGIT = r"(?<![\d-])"
_RESIDENT = re.compile(_DIGIT + r"(\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])\s?-\s?([1-8])(\d{6})(?![\d-])")
_BUSINESS = re.compile(_DIGIT + r"(\d{3})-(\d{2})-(\d{5})(?![\d-])")
_MOBILE = re.compile(_DIGIT + r"01[016789][-.\s]?\d{3,4}[-.\s]?\d{4}(?![\d-])")
_ACCOUNT = re.compile(r"계좌(?:번호)?[^\d\n]{0,15}(\d{2,6}-\d{2,6}-\d{2,8}(?:-\d{1,3})?|\d{11,14})(?![\d*○×-])")
_CARD = re.compile(_DIGIT + r"\d{4}-\d{4}-\d{4}-\d{4}(?![\d-])")
_MAIL = re.compile(r"[\w.+-]{2,64}@[\w-]{2,}(?:\.[A-Za-z]{2,})+")


def personal_data(text: str) -> list[tuple[str, tuple[int, int]]]:
    """(Korean message, span) of each.  The message does not repeat the number."""
    found: list[tuple[str, tuple[int, int]]] = []
    if not re.search(r"\d{4}|@", text):
        return found
    for match in _RESIDENT.finditer(text):
        if _is_resident(match):
            found.append(("개인정보가 들어 있습니다: 주민등록번호(외국인등록번호)", match.span()))
    for match in _BUSINESS.finditer(text):
        if _is_business("".join(match.groups())):
            found.append(("개인정보가 들어 있습니다: 사업자등록번호", match.span()))
    for pattern, what in (
        (_MOBILE, "휴대전화 번호"),
        (_ACCOUNT, "계좌번호"),
        (_CARD, "카드 번호"),
        (_MAIL, "전자우편 주소"),
    ):
        found += [(f"개인정보가 들어 있습니다: {what}", match.span()) for match in pattern.finditer(text)]
    return found


def _is_resident(match: re.Match) -> bool:
    """The check digit is right; numbers given since October 2020 have none, so a birth from 2020 on is enough."""
    digits = [int(char) for char in "".join(match.groups())]
    if match[4] in "3478" and int(match[1]) >= 20:
        return True
    total = sum(digit * weight for digit, weight in zip(digits, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5), strict=False))
    check = (11 - total % 11) % 10
    foreign = (13 - total % 11) % 10  # 외국인등록번호
    return digits[12] == (foreign if match[4] in "5678" else check)


def _is_business(digits: str) -> bool:
    numbers = [int(char) for char in digits]
    total = sum(number * weight for number, weight in zip(numbers, (1, 3, 7, 1, 3, 7, 1, 3, 5), strict=False))
    total += numbers[8] * 5 // 10
    return (10 - total % 10) % 10 == numbers[9]
