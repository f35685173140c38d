"""Does a calculator call rest on the question?  A small model may write a perfect call about facts nobody stated.

A call copies; so every amount, year and day in it must stand in the question, and the question must be about its tax.  Says
what does not fit; whether a fact was read into the right place is for taxlaw.verify, which reads the question itself.
"""

from __future__ import annotations

import re
from datetime import date
from typing import NamedTuple

from taxlaw.calls import Call
from taxlaw.figures import find_figures, same_day
from taxlaw.money import find_amounts, format_won, parse_won


class _Tax(NamedTuple):
    """How questions speak of one tax.  ``named``: its names; ``about``: everyday words by which a question is about it.

    ``beside``: names of other taxes that such a question may well use without being about them.
    """

    title: str
    named: str
    about: str
    beside: str = ""


# Names by which a question is about that tax and no other.
_NAMES = {
    "inheritance": "상속세|상속재산",
    "capital_gains": "양도소득|양도세",
    "holding": "종합부동산세|종부세",
    "acquisition": "취득세",
    "property": "재산세",
    "retirement": "퇴직소득",
    "penalty": "가산세",
    "withholding": "원천징수",
}
_BASIC = {
    "gift": "증여세",
    "vat_simplified": "부가가치세|부가세",
    "corporate": "법인세",
    "income": "종합소득세|종소세|근로소득세|사업소득세",
}
_TAXES = {
    "gift": _Tax("증여세", "증여세", r"증여|받|주[는었고려시신셨면]|준[다 ]|드[리린렸]|보[태탰]|물려|넘[겨기긴]"),
    "income": _Tax("소득세", "소득세|종소세", r"소득(?!공제는)|종소세|급여|연봉|월급|근로|연말정산|직장"),
    "vat_simplified": _Tax("부가가치세", "부가가치세", r"부가|간이|공급대가|매출"),
    "vat_general": _Tax("부가가치세", "부가가치세|부가세", r"부가|공급가액|매입세액|일반과세"),
    "corporate": _Tax("법인세", "법인세", r"법인|사업연도|회사|주식회사"),
    # An estate holds gifts and homes whose own taxes a question states as facts.
    "inheritance": _Tax("상속세", "상속세|상속재산|상속공제", r"상속|돌아가|사망|유산|별세", "증여세|재산세|종합소득세|소득세"),
    "retirement": _Tax("퇴직소득세", "퇴직소득|퇴직금|퇴직급여", r"퇴직|퇴사|명예퇴직|희망퇴직"),
    "capital_gains": _Tax(
        "양도소득세", "양도소득|양도세|양도차익", r"양도|팔|판[ 집땅]|매도|매각|처분|차익", "상속재산|취득세"
    ),
    "holding": _Tax("종합부동산세", "종합부동산세|종부세|종합부동산", r"종합부동산|종부|공시가격|보유세", "재산세"),
    "acquisition": _Tax(
        "취득세", "취득세", r"취득|매수|매입|구입|사[면는려서]|산[ 집땅]|샀|살 때|분양|상속|증여|신축", "상속재산"
    ),
    "property": _Tax("재산세", "재산세", r"재산세|공시가격|시가표준액|보유세", "종합부동산세|종부세"),
    # Withheld is some income's tax; a penalty is on top of any tax.
    "withholding": _Tax(
        "원천징수세액", "원천징수|원천세", r"원천|떼|복권|로또|당첨|일당|일용|이자|배당|강연|원고료|연금|상금|3\.3", "소득세|종합소득세|근로소득세|사업소득세|퇴직소득"
    ),
    "penalty": _Tax(
        "가산세",
        "가산세",
        r"가산|무신고|과소신고|(?:신고|납부)[^.?]{0,12}(?:안|못|않|늦|지나|누락|적게|덜)|(?:늦게|기한\s?후|뒤늦게)|연체|체납",
        "|".join([*_NAMES.values(), *_BASIC.values(), "소득세"]),
    ),
}  # fmt: skip
_SET_ASIDE = r"(?:은|는|을|를)?\s?(?:제외|빼고|말고|없이|별도)"  # '가산세 제외': named, and not asked for
_BY_LAW = {
    "marriage_birth": (100_000_000, "혼인|결혼|출산|출생|입양")
}  # amounts the law fixes once the question says why
_LEAST_AMOUNT = 1000  # smaller integers in a call are counts (people, months), not won


def objections(question: str, call: Call) -> tuple[str, ...]:
    """What in ``call`` the question does not support, as Korean sentences; empty when nothing speaks against it."""
    facts = call.model_dump(exclude_defaults=True)
    tax = facts.pop("tax", call.tax)
    found = [*wrong_tax(question, tax)]
    stated = {amount.won for amount in find_amounts(question)}
    for key, value in facts.items():
        if key == "year":
            if value is not None and str(value) not in question and f"{value % 100:02d}년" not in question:
                found.append(f"{value}년은 질문에 없습니다.")
            continue
        if isinstance(value, date):
            if not _day_stated(question, value, key):
                found.append(f"{value}은(는) 질문에 없는 날짜입니다.")
            continue
        won = won_of(value)
        amount, words = _BY_LAW.get(key, (None, ""))
        if won and won not in stated and not (won == amount and re.search(words, question)):
            found.append(f"{format_won(won)}은 질문에 없는 금액입니다.")
    return tuple(found)


def wrong_tax(question: str, tax: str) -> list[str]:
    """Why a question is not about this tax, as Korean sentences; empty when it is."""
    if tax not in _TAXES:
        return []
    own = _TAXES[tax]
    # The four basic taxes may be meant where another of them is named; the further ones are always called by name.
    elsewhere = _NAMES if tax in _BASIC else _NAMES | _BASIC
    names = {name for key, text in elsewhere.items() if key != tax for name in text.split("|")}
    names -= set(own.beside.split("|")) | set(own.named.split("|"))
    others = "|".join(sorted(names, key=len, reverse=True))
    other = re.search(rf"(?:{others})(?!{_SET_ASIDE})", question) if names else None
    rest = re.sub(others, "", question) if names else question  # 양도소득세 must not pass for 소득세
    if other and not re.search(own.named, rest):
        return [f"질문은 {other.group()}에 관한 것인데 {own.title} 계산을 요청했습니다."]
    return [] if re.search(own.about, question) else [f"질문이 {own.title}에 관한 것인지 알 수 없습니다."]


def _day_stated(question: str, day: date, key: str) -> bool:
    """Whether the question says the day, or its month.  A deadline the law sets is compared with a day '까지' if one is said."""
    said = [figure for figure in find_figures(question) if figure.kind == "date" and figure.value[1] is not None]
    if key == "deadline":
        said = [figure for figure in said if question[figure.end :].lstrip().startswith("까지")]
    agrees = any(same_day(figure.value, (day.year, day.month, day.day)) for figure in said)
    return agrees or (key == "deadline" and not said)


def won_of(value: object) -> int | None:
    """The amount a fact states in won; None for words, flags, counts and lists of counts."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    if isinstance(value, int):
        return value if value >= _LEAST_AMOUNT else None
    try:
        return parse_won(value)
    except ValueError:
        return None
