"""Read the clearest questions of the further taxes: retirement pay, inheritance, buying a home, a home's property tax, lottery.

One wording each, and every fact that moves the tax must be said; anything else is refused.  Used by taxlaw.cases.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from taxlaw.call_models import MODELS
from taxlaw.case_reading import (
    THRESHOLD,
    SeenAmount,
    missing,
    one_amount,
    read_year,
    refuse,
    refuse_words,
    seen_amounts,
    stated,
)
from taxlaw.strict_config import StrictModel

_ALWAYS_OUTSIDE = r"비거주|외국|해외|국외|법인|감면|특례|가산세|신고[를은]?\s?(?:하지|못|안)|기한이?\s?지[나났난]|기한\s?후|지방소득세|지방교육세|농어촌특별세|농특세|도시지역분|합계|합하|합쳐|%|퍼센트|각각|씩|나누|전년|작년|직전"


def further_tax(text: str) -> str | None:
    """The one further tax a question names; None for none or several."""
    found = [tax for tax, (words, _) in _READERS.items() if re.search(words, text)]
    return found[0] if len(found) == 1 else None


def read_further(tax: str, text: str) -> StrictModel:
    """The call of such a question.  Raises MissingFact or UnsupportedCase when it is not stated for certain."""
    refuse_words(text, _ALWAYS_OUTSIDE, "이 계산이 다루지 않는 사정일 수 있습니다")
    facts = _READERS[tax][1](text)
    return MODELS[tax].model_validate({"tax": tax, **facts, **stated(year=read_year(text))})


def _by_word(text: str, roles: dict[str, str]) -> dict[str, str]:
    """role -> amount in the question's words; every amount must stand after the word of exactly one role."""
    found: dict[str, list[SeenAmount]] = {}
    for amount in seen_amounts(text):
        near = [role for role, words in roles.items() if re.search(words, amount.before)]
        near = near or [role for role, words in roles.items() if re.match(rf"[^,.]{{0,6}}(?:{words})", amount.after)]
        if len(near) != 1 or THRESHOLD.match(amount.after):
            refuse(f"{amount.text}이(가) 무슨 금액인지 알 수 없습니다")
        found.setdefault(near[0], []).append(amount)
    return {role: one_amount(role, amounts).text for role, amounts in found.items()}


def _retirement(text: str) -> dict[str, object]:
    refuse_words(
        text, r"임원|중간\s?정산|연금|IRP|이연|명예|두\s?곳|중도|합산|비과세|휴직", "퇴직소득의 다른 사정입니다"
    )
    amounts = _by_word(text, {"pay": r"퇴직(?:금|급여|소득금액|소득)"})
    if "pay" not in amounts:
        missing("퇴직급여 금액")
    named = re.findall(
        r"근속\s?(?:연수|기간)?[은는이가]?\s?(\d{1,2})년(?!\s?\d+개월)|(?<!\d)(\d{1,2})년(?!\s?\d+개월)(?:간|동안)?\s?(?:근속|근무|일하|일한|다니|재직)",
        text,
    )
    counts = {int(first or second) for first, second in named}
    if re.search(r"\d개월", text) or len(counts) > 1:
        refuse("근속연수를 확실하게 읽을 수 없습니다")
    if not counts:
        missing("근속연수")
    return {**amounts, "years": counts.pop()}


def _inheritance(text: str) -> dict[str, object]:
    refuse_words(
        text,
        r"금융|예금|동거|사전|증여(?!세법)|유증|유언|보험|퇴직|가업|영농|손자|손녀|미성년|장애|\d\d세|연로|대습|포기|협의|지분|공과금|국가유공|세대",
        "상속의 다른 사정입니다",
    )
    amounts = _by_word(
        text,
        {
            "estate": r"상속\s?재산|재산(?:가액)?|유산",
            "debt": r"채무|빚|대출",
            "funeral": r"장례",
            "spouse_receives": r"배우자[가는]?\s?(?:실제로?\s?)?(?:상속|받|물려)",
        },
    )
    if "estate" not in amounts:
        missing("상속재산가액")
    without = re.search(r"배우자(?:는|가|도)?\s?(?:이미\s?)?(?:없|사망|먼저)", text)
    if not without and not re.search(r"배우자", text):
        missing("배우자가 있는지")
    if not without and "spouse_receives" not in amounts:
        missing("배우자가 실제로 상속받은 금액")
    children = {int(count) for count in re.findall(r"(?:자녀|아들|딸)[은는이가]?\s?(?:성년\s?)?(\d{1,2})\s?명", text)}
    if len(children) != 1:
        missing("자녀의 수")
    if "장례" not in text:
        missing("장례비용(증빙이 없어도 500만원은 빼므로 없다고 적어도 됩니다)")
    return {**amounts, "spouse": not without, "children": children.pop()}


def _acquisition(text: str) -> dict[str, object]:
    refuse_words(
        text,
        r"조정|증여|상속|농지|토지|상가|오피스텔|분양|생애\s?최초|[2-9]\s?주택|다주택|두\s?번째|일시적|신축|교환|경매|공유|전용",
        "취득세의 다른 사정입니다",
    )
    if not re.search(r"주택|아파트|빌라", text) or not re.search(r"매매|매수|매입|샀|사려|사면|구입|취득", text):
        missing("무엇을 어떻게 취득했는지")
    if not re.search(r"1\s?(?:세대\s?1\s?)?주택|무주택|집이?\s?없|첫\s?집|한\s?채", text):
        missing("취득한 뒤의 주택 수")
    amounts = _by_word(text, {"value": r"주택|아파트|빌라|집|취득|매매|가액"})
    if "value" not in amounts:
        missing("취득가액")
    return {**amounts, "homes": 1}


def _property(text: str) -> dict[str, object]:
    refuse_words(
        text,
        r"토지|건축물|상가|오피스텔|선박|별장|[2-9]\s?주택|다주택|종합부동산|종부세|인상|상한",
        "재산세의 다른 사정입니다",
    )
    amounts = _by_word(text, {"official_price": r"공시\s?가격|시가\s?표준액"})
    if "official_price" not in amounts:
        missing("공시가격(시가표준액)")
    only = re.search(
        r"1\s?세대\s?1\s?주택(?:자)?(?P<no>(?:[이가은는도]|에[는도]?)?\s?(?:아[니닌닙님]|해당하지|해당\s?(?:안|되지)))?(?P<after>[^.?!]{0,16})",
        text,
    )
    if only is None:
        missing("1세대 1주택인지")
    if only["no"] is None and re.search(r"아[니닌닙님]|않|없|못", only["after"]):
        refuse("1세대 1주택인지 확실하게 읽을 수 없습니다")
    return {**amounts, "kind": "주택", "only_home": only["no"] is None}


def _lottery(text: str) -> dict[str, object]:
    refuse_words(text, r"구입비|연금|실수령|공동|복권\s?\d+장|세후|배당|슬롯", "복권 당첨금의 다른 사정입니다")
    amounts = _by_word(text, {"amount": r"당첨|복권|로또"})
    if "amount" not in amounts:
        missing("당첨금")
    return {**amounts, "kind": "복권"}


_READERS: dict[str, tuple[str, Callable[[str], dict[str, object]]]] = {
    "retirement": (r"퇴직소득|퇴직금|퇴직급여", _retirement),
    "inheritance": (r"상속세(?!\s?및)|상속재산", _inheritance),
    "acquisition": (r"취득세", _acquisition),
    "property": (r"재산세", _property),
    "withholding": (r"(?:복권|로또)[^.]*원천징수|원천징수[^.]*(?:복권|로또)", _lottery),
}
