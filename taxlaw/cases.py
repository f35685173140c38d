"""Read the facts a natural Korean question states, for the taxes the calculators know (the further ones:
further_cases, property_cases, penalty_cases).

Used to audit other people's data and to check served answers, so a wrong reading is worse than none: an amount without one
certain role, or a word that may change the case, makes the question unread.
"""

from __future__ import annotations

import re

from taxlaw.calculators.tables import EXCLUDED_INDUSTRIES, INDUSTRY_SYNONYMS, VALUE_ADDED_RATES
from taxlaw.calculators.vat_simplified import canonical_industry
from taxlaw.calls import Call, CorporateCall, IncomeCall, VatSimplifiedCall
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
from taxlaw.further_cases import further_tax, read_further
from taxlaw.gift_case import read_gift
from taxlaw.penalty_cases import is_penalty, read_penalty
from taxlaw.property_cases import property_tax_of, read_property

_ASKS = re.compile(r"얼마|계산|세액|세금|구하|구해|내야|낼|납부|\?|궁금|알려")
# What is asked for: a part of the working ("공제액은 얼마") is not the tax.
_ASKED = (
    r"(?:은|는|이|가|을|를|만|도)?\s?(?:각각|모두|총|대략)?\s?(?:얼마|몇|어떻게|무엇|계산|구하|구해|산출|알려|알고|\?)"
)
_ASKS_PART = re.compile(
    r"(?:공제액|공제\s?금액|소득\s?금액|과세\s?표준|과표|과세\s?가액|공제율|세율|공제\s?한도|한도액|소득\s?공제)"
    + _ASKED
)
_ASKS_TAX = re.compile(r"(?:세액|세금|[가-힣]세|납부액)" + _ASKED + r"|(?:내야|낼|납부|내나|나오|나와)")
_TAXES = {
    "gift": re.compile(r"증여"),
    "vat_simplified": re.compile(r"간이\s?과세"),
    "corporate": re.compile(r"법인세|법인|주식회사|회사[의는인예](?!원)|사업연도"),
    "income": re.compile(r"종합소득|종소세|소득세|총급여|연말정산|연봉"),
}
_OTHER_TAXES = r"상속세(?!\s?및)|양도소득세|양도세|종합부동산세|종부세|취득세|재산세|퇴직소득|퇴직금|개별소비세|증권거래세|지방소득세|주민세"

# A further tax is read when no other tax is in the question.
_NAMES = "증여세|상속세|양도|종합부동산세|종부세|취득세|재산세|퇴직|종합소득|연말정산|총급여|부가가치세|법인세"
_NOT_BESIDE = {
    tax: "|".join(name for name in _NAMES.split("|") if name not in own)
    for tax, own in {
        "retirement": {"퇴직"},
        "inheritance": {"상속세"},
        "acquisition": {"취득세"},
        "property": {"재산세"},
        "withholding": set(),
    }.items()
}


def read_case(question: str) -> Call:
    """The call a question amounts to, its amounts in the question's own words.

    Raises MissingFact when a needed fact is not stated, UnsupportedCase when the question is outside the calculators or
    can be read in more than one way.
    """
    text = re.sub(r"\s+", " ", question).strip()
    if not _ASKS.search(text):
        refuse("세액을 묻는 질문이 아닙니다")
    if (part := _ASKS_PART.search(text)) and not _ASKS_TAX.search(text):
        refuse(f"세액이 아니라 다른 값을 묻습니다('{part[0].strip()}')")
    if (further := further_tax(text)) and not re.search(_NOT_BESIDE[further], text):
        return read_further(further, text)
    if is_penalty(text):
        return read_penalty(text)
    if held_or_sold := property_tax_of(text):
        return read_property(held_or_sold, text)
    refuse_words(text, _OTHER_TAXES, "다른 세금이 함께 나옵니다")
    found = [tax for tax, words in _TAXES.items() if words.search(text)]
    # 법인세 questions speak of companies, income questions of the company one works for.
    if found == ["corporate", "income"] and "법인" not in text and "사업연도" not in text:
        found = ["income"]
    if not found:
        refuse("증여세, 종합소득세, 간이과세 부가가치세, 법인세 가운데 어느 것도 아닙니다")
    if len(found) > 1:
        refuse("여러 세금이 함께 나옵니다")
    return _READERS[found[0]](text)


# --- 종합소득세 ---------------------------------------------------------------------------------------------------
_INCOME_OUTSIDE = (
    r"비거주|외국|해외|월급(?!쟁이)|월\s?\d|매월|매달|시급|일용|필요경비|수입금액|매출|이자소득|배당|기타소득|연금|복권|양도|의료비|보험료|기부금|월세|교육비"
    r"|신용카드|현금영수증|주택자금|청약|경로|장애인|한부모|부녀자|출산|입양|감면|기납부|원천징수|중간예납|가산세|결손금|분리과세|공동사업|퇴사|중도|이직"
    r"|연봉|급여\s?외|비과세|세전|세후|맞벌이|배우자|부모|손자|손녀|%|퍼센트"
)
_INCOME_ROLES = (
    ("deductions", re.compile(r"(?:종합)?소득\s?공제")),
    ("base", re.compile(r"과세\s?표준|과표")),
    ("income", re.compile(r"종합\s?소득\s?금액")),
    ("gross_pay", re.compile(r"총\s?급여")),
)


def _read_income(text: str) -> IncomeCall:
    refuse_words(text, _INCOME_OUTSIDE, "이 계산이 다루지 않는 사정일 수 있습니다")
    roles = _by_nearest_word(text, _INCOME_ROLES)
    entries = {name: one_amount(name, roles.get(name, [])) for name, _ in _INCOME_ROLES}
    given = [name for name in ("base", "income", "gross_pay") if entries[name]]
    if not given:
        missing("과세표준, 종합소득금액, 총급여 가운데 하나의 금액")
    if len(given) > 1:
        refuse("과세표준·종합소득금액·총급여 가운데 둘 이상의 금액이 있습니다")
    if entries["deductions"] and given != ["income"]:
        refuse("소득공제 금액은 종합소득금액과 함께 있어야 합니다")
    if given == ["income"] and not entries["deductions"] and not re.search(r"소득\s?공제(?:는|가|액은)?\s?없", text):
        missing("소득공제 금액(없으면 없다고 적어야 합니다)")
    dependants, children = _family(text)
    if given != ["gross_pay"] and (dependants, children) != (1, 0):
        refuse("부양가족은 총급여로 계산할 때만 씁니다")
    return IncomeCall(
        tax="income",
        dependants=dependants,
        children=children,
        **stated(**{name: amount.text for name, amount in entries.items() if amount}, year=read_year(text)),
    )


def _family(text: str) -> tuple[int, int]:
    """Heads of the basic deduction (the taxpayer included) and children of the child credit."""
    children = 0
    people = re.sub(r"자녀\s?세액\s?공제(?:를|의)?\s?(?:대상|받는)?", "공제자녀", text)
    matched = re.search(r"공제자녀[은이가는]?\s?(?:자녀)?[은는이가]?\s?(?P<count>\d+)\s?명", people)
    if matched:
        children = int(matched["count"])
        people = people.replace(matched[0], "")
    patterns = (
        (
            r"본인을?\s?포함(?:하여|해서?|한)?\s?(?:기본공제\s?(?:대상)?(?:자)?[은는이가]?\s?|부양가족[은는이가]?\s?)?(?P<count>\d+)\s?명",
            0,
        ),
        (
            r"본인\s?(?:외|제외)(?:에|하고)?\s?(?:기본공제\s?(?:대상)?(?:자)?[은는이가]?\s?|부양가족[은는이가]?\s?)?(?P<count>\d+)\s?명",
            1,
        ),
        (r"기본공제[은는]?\s?(?:대상자?[은는]?\s?)?본인\s?(?P<count>1)\s?명", 0),
    )
    for pattern, more in patterns:
        if counted := re.search(pattern, people):
            rest = people.replace(counted[0], "")
            if re.search(r"\d+\s?명|자녀", rest):
                refuse("가족 수를 확실하게 읽을 수 없습니다")
            return int(counted["count"]) + more, children
    if children or re.search(r"\d+\s?명", people):
        refuse("기본공제 인원이 본인을 포함한 수인지 알 수 없습니다")
    alone = re.search(r"부양\s?가족[은이도]?\s?(?:전혀\s?)?없|혼자|본인만|1인\s?가구", people)
    if not alone and re.search(r"부양|자녀|아이|아들|딸|가족", people):
        refuse("부양가족의 수를 읽을 수 없습니다")
    return 1, 0


# --- 간이과세 -----------------------------------------------------------------------------------------------------
_VAT_OUTSIDE = (
    r"일반\s?과세|신규|(?<!중)개업|새로\s?(?:열|시작)|폐업|휴업|개월|상반기|하반기|[12]기|분기|예정|겸영|면세|농산물|의제\s?매입|재고|전자세금계산서|가산세"
    r"|공급가액|별도|미포함|제외|직전|작년|전환|포기|환급|%|퍼센트|월\s?매출|매월|하루"
)
_VAT_ROLES = (
    ("card_sales", re.compile(r"카드|현금영수증")),
    ("purchases", re.compile(r"매입|세금계산서|구입")),
    ("gross", re.compile(r"공급\s?대가|매출|올렸|벌었")),
)
_TOO_SHORT = {
    "소매",
    "제조",
    "숙박",
    "건설",
    "도매",
    "서비스",
    "정보통신",
    "농업",
    "임업",
    "어업",
    "병원",
    "변호사",
    "세무사",
}


def _read_vat(text: str) -> VatSimplifiedCall:
    refuse_words(text, _VAT_OUTSIDE, "이 계산이 다루지 않는 사정일 수 있습니다")
    roles = _by_first_role(text, _VAT_ROLES)
    gross = one_amount("공급대가", roles.get("gross", []))
    if gross is None:
        missing("한 해의 공급대가")
    purchases = one_amount("매입", roles.get("purchases", []))
    card = one_amount("카드 매출", roles.get("card_sales", []))
    return VatSimplifiedCall(
        tax="vat_simplified",
        gross=gross.text,
        industry=_read_industry(text),
        **stated(
            purchases=purchases.text if purchases else None,
            card_sales=card.text if card else None,
            year=read_year(text),
        ),
    )


def _read_industry(text: str) -> str:
    """The one trade a question names, in its own words; an excluded or second trade is refused."""
    names = {*VALUE_ADDED_RATES, *INDUSTRY_SYNONYMS, *EXCLUDED_INDUSTRIES} - _TOO_SHORT
    rest, found = text, {}
    for name in sorted(names, key=len, reverse=True):
        # Spaces and middle dots inside a name vary; a shorter name inside a longer one is not seen again.
        pattern = r"\s?".join(re.escape(part) for part in re.split(r"[\s·]", name)).replace(r"\s?및", r"[\s·ㆍ]?및")
        if matched := re.search(rf"(?<![가-힣]){pattern}", rest):
            found[canonical_industry(name)] = matched[0]
            rest = rest.replace(matched[0], "□")
    if not found:
        missing("업종")
    if len(found) > 1:
        refuse(f"업종이 둘 이상입니다({', '.join(found.values())})")
    return next(iter(found.values()))


# --- 법인세 -------------------------------------------------------------------------------------------------------
_CORPORATE_OUTSIDE = (
    r"결손금|감면|중간예납|원천납부|기납부|최저한세|외국법인|비영리|청산|토지\s?등|이월|세무조정|손금|익금|당기순이익|연결|합병|분할|가산세|미환류|조합법인|%|퍼센트"
    r"|세액\s?공제"
)
_CORPORATE_ROLES = (("base", re.compile(r"과세\s?표준|과표")),)
_SMALL_RENTAL = re.compile(r"성실신고|제60조의2")


def _read_corporate(text: str) -> CorporateCall:
    refuse_words(text, _CORPORATE_OUTSIDE, "이 계산이 다루지 않는 사정일 수 있습니다")
    base = one_amount("과세표준", _by_nearest_word(text, _CORPORATE_ROLES).get("base", []))
    if base is None:
        missing("법인세 과세표준")
    small_rental = bool(_SMALL_RENTAL.search(text))
    if small_rental and not (
        re.search(r"소규모|제60조의2\s?제1항\s?제1호", text) and not re.search(r"아[닌님니닙]", text)
    ):
        refuse("성실신고확인 대상 소규모 법인인지 알 수 없습니다")
    if not small_rental and re.search(r"임대", text):
        refuse("부동산임대 법인이 소규모 성실신고 법인인지 알 수 없습니다")
    return CorporateCall(
        tax="corporate", base=base.text, months=_months(text), small_rental=small_rental, **stated(year=read_year(text))
    )


def _months(text: str) -> int:
    """Length of the business year in months; 12 when nothing is said of it."""
    full = re.search(r"1월\s?1일\s?(?:부터|~|-)\s?(?:같은\s?해\s?|그\s?해\s?)?12월\s?31일", text)
    counts = {int(count) for count in re.findall(r"(\d+)\s?개월", text)} | ({12} if full else set())
    if len(counts) > 1:
        refuse("사업연도의 개월 수가 둘 이상입니다")
    if counts:
        months = counts.pop()
        if not 1 <= months <= 12:
            refuse(f"사업연도가 {months}개월일 수 없습니다")
        return months
    if re.search(r"신설|설립|1년\s?미만|(?<!\d)(?!1월\s?1일)\d{1,2}월\s?\d{1,2}일", text):
        missing("사업연도의 개월 수")
    return 12


# --- shared -------------------------------------------------------------------------------------------------------
Roles = tuple[tuple[str, re.Pattern], ...]


def _by_nearest_word(text: str, roles: Roles) -> dict[str, list[SeenAmount]]:
    """Each amount under the role whose word stands nearest before it in its clause."""
    found: dict[str, list[SeenAmount]] = {}
    for amount in seen_amounts(text):
        last = {name: [match.end() for match in word.finditer(amount.before)] for name, word in roles}
        near = [name for name in last if last[name]]
        if not near or THRESHOLD.match(amount.after):
            refuse(f"{amount.text}이(가) 무슨 금액인지 알 수 없습니다")
        found.setdefault(max(near, key=lambda name: max(last[name])), []).append(amount)
    return found


def _by_first_role(text: str, roles: Roles) -> dict[str, list[SeenAmount]]:
    """Each amount under the first role of the list whose word is in its clause: before it, or failing that after it.

    The order of the list settles '신용카드 매출' and '매입 공급대가', which hold two words.
    """
    found: dict[str, list[SeenAmount]] = {}
    for amount in seen_amounts(text):
        role = next((name for name, word in roles if word.search(amount.before)), None)
        role = role or next((name for name, word in roles if word.search(amount.after)), None)
        if role is None or THRESHOLD.match(amount.after):
            refuse(f"{amount.text}이(가) 무슨 금액인지 알 수 없습니다")
        found.setdefault(role, []).append(amount)
    return found


_READERS = {
    "gift": read_gift,
    "income": _read_income,
    "vat_simplified": _read_vat,
    "corporate": _read_corporate,
}
