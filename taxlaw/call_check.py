"""Does a calculator call rest on the question?  A small model may write a perfect call about facts nobody stated.

A call copies; so every amount and year in it must stand in the question, and the question must be about its tax.  Says what
does not fit; whether a fact was read into the right place is for taxlaw.verify, which reads the question itself.
"""

from __future__ import annotations

import re

from taxlaw.calls import Call
from taxlaw.money import find_amounts, format_won, parse_won

# How a question names each tax, and the everyday words by which it is about that tax.
_ABOUT = {
    "gift": ("증여세", re.compile(r"증여|받|주[는었고려시신셨면]|준[다 ]|드[리린렸]|보[태탰]|물려|넘[겨기긴]")),
    "income": ("소득세", re.compile(r"소득(?!공제는)|급여|연봉|월급|근로|연말정산|직장")),
    "vat_simplified": ("부가가치세", re.compile(r"부가|간이|공급대가|매출")),
    "corporate": ("법인세", re.compile(r"법인|사업연도|회사|주식회사")),
}
# Taxes these calculators do not cover; 양도소득세 must not pass for 소득세.
_ELSEWHERE = re.compile(r"상속세|상속재산|양도소득|양도세|종합부동산세|종부세|취득세|재산세|퇴직소득|가산세|원천징수")
_LEAST_AMOUNT = 1000  # smaller integers in a call are counts (people, months), not won


def objections(question: str, call: Call) -> tuple[str, ...]:
    """What in ``call`` the question does not support, as Korean sentences; empty when nothing speaks against it."""
    facts = call.model_dump(exclude_defaults=True)
    tax = facts.pop("tax", call.tax)
    found = [*_wrong_tax(question, tax)]
    stated = {amount.won for amount in find_amounts(question)}
    for key, value in facts.items():
        if key == "year":
            if value is not None and str(value) not in question and f"{value % 100:02d}년" not in question:
                found.append(f"{value}년은 질문에 없습니다.")
            continue
        won = _won(value)
        if won and won not in stated:
            found.append(f"{format_won(won)}은 질문에 없는 금액입니다.")
    return tuple(found)


def _wrong_tax(question: str, tax: str) -> list[str]:
    if tax not in _ABOUT:
        return []
    name, words = _ABOUT[tax]
    other = _ELSEWHERE.search(question)
    if other and name not in question.replace(other.group(), ""):
        return [f"질문은 {other.group()}에 관한 것인데 {name} 계산을 요청했습니다."]
    return [] if words.search(question) else [f"질문이 {name}에 관한 것인지 알 수 없습니다."]


def _won(value: object) -> int | None:
    """The amount a fact states in won; None for words, flags and counts."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        return value if value >= _LEAST_AMOUNT else None
    try:
        return parse_won(value)
    except ValueError:
        return None
