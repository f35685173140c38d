"""Read the clearest questions of real estate sold (양도소득세) and held (종합부동산세).

Every amount, day and number of years in the question must have one certain role, and every fact that moves the tax must be
said; anything else is refused.  Used by taxlaw.cases.
"""

from __future__ import annotations

import re
from datetime import date

from taxlaw.calculators.tables_capital_gains import BUILDING, HOME, IDLE_LAND, LAND, PRESALE_RIGHT
from taxlaw.calculators.tables_real_estate import BUSINESS_LAND, OPEN_LAND
from taxlaw.call_models import MODELS
from taxlaw.calls import run_call
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
from taxlaw.dated_words import DATE, read_days
from taxlaw.strict_config import StrictModel

_BOUGHT = r"산(?=\s|[가-힣]*\s?(?:집|주택|아파트|상가|토지|건물|땅))|샀|사서|사들|취득|매수|매입|구입"
_SOLD = r"팔|판(?=\s)|양도|매도|매각|처분"
_TAXES_BESIDE = r"증여|상속|취득세|재산세|보유세|부가가치세|부가세|법인세|종합소득|퇴직|인지세"
_ASIDE = r"(?!\s?(?:는|은|를|을)?\s?(?:제외|별도|빼고|말고))"
_ASKED = r"(?:은|는|이|가|을|를|만|도)?\s?(?:얼마|몇|어떻게|무엇|계산|구하|구해|산출|알려|알고|\?)"
_ABOUT = r"이상|이내|미만|초과|넘게|넘은|남짓|정도|약\s?\d|가량|여\s?년|안팎|쯤|\d년[이도은]?\s?(?:채\s?)?(?:안|못)"
_MANY_OWNERS = r"공동|지분|부부|배우자|남편|아내|부모|아버지|어머니|자녀|아들|딸|형제|자매|가족|각각|씩(?![가-힣])|나누|나눠|%|퍼센트|절반|비거주|외국|해외|국외|신탁|임대"


def property_tax_of(text: str) -> str | None:
    """capital_gains, holding, or None when the question is about neither or about another tax too."""
    gains = re.search(r"양도소득세|양도세", text)
    # A sale of a home that someone bought and held, with no tax named.
    told = re.search(rf"{_SOLD}", text) and re.search(_BOUGHT, text) and re.search(r"보유\s?(?:기간\s?)?\d", text)
    holding = re.search(r"종합부동산세|종부세", text)
    beside = re.search(_TAXES_BESIDE, text.replace("재산세", "") if holding else text)
    if beside or (holding and gains):
        return None
    if holding:
        return "holding"
    return "capital_gains" if gains or (told and re.search(r"주택|아파트|상가|토지", text)) else None


def read_property(tax: str, text: str) -> StrictModel:
    """The call of such a question.  Raises MissingFact or UnsupportedCase when it is not stated for certain."""
    return _gains(text) if tax == "capital_gains" else _holding(text)


# --- 양도소득세 ---------------------------------------------------------------------------------------------------
_GAINS_OUTSIDE = (
    rf"{_MANY_OWNERS}|법인|주식|감면|특례|가산세|신고하지|무신고|기한\s?후|환산|기준시가|감정|공시|일시적|대체\s?(?:주택|취득)|동거|봉양|혼인|결혼|이혼"
    r"|재개발|재건축|조합원|입주권|관리처분|수용|협의|경매|교환|자경|농지|임야|겸용|다가구|다세대|오피스텔|주상복합|용도|멸실|철거|신축|분납|예정신고"
    r"|손실|차손|결손|합산|여러|두\s?번|기본공제[^.]{0,8}(?:이미|사용|받)|고향|귀농|문화재|이월|장기저당|지정지역|보증금|잔금|계약금|중도금|대출|채무|전세"
    r"|무주택|비과세|요건|등기(?:를|가|는|도)?\s?(?:하지|안|없|되지|못)|얼마나\s?걸|언제|며칠|서류|절차|이전에|예전|과거|월\s?\d|작년|내년|올해|지난"
)
_GAINS_PART = rf"(?:양도\s?차익|장기\s?보유\s?특별\s?공제(?:액|율)?|장특공제|양도\s?소득\s?금액|보유\s?기간|필요경비|지방소득세){_ASKED}"
# The transitional rule of the surcharge: only a plain 'does not apply' is read.
_NO_TRANSITION = re.compile(
    r"(?:2026년\s?)?5월\s?9일\s?까지[^.,]*(?:계약|허가)[^.,]*(?:않|없|아니)[^.,]*[.,]?"
    r"|(?:중과\s?(?:유예|배제)\s?)?경과\s?(?:규정|조치)[^.,]*(?:해당하지|해당\s?없|적용되지|적용\s?대상이?\s?아니|대상이?\s?아[니닙님]|없)[^.,]*[.,]?"
)


def _gains(text: str) -> StrictModel:
    no_transition = _NO_TRANSITION.search(text)
    text = _NO_TRANSITION.sub(" ", text)
    undated = DATE.sub(" ", text)
    refuse_words(undated, rf"지방소득세{_ASIDE}|{_GAINS_OUTSIDE}", "이 계산이 다루지 않는 사정일 수 있습니다")
    refuse_words(text, _GAINS_PART, "세액이 아니라 다른 값을 묻습니다")
    refuse_words(text, r"경과\s?(?:규정|조치)|유예|중과|허가|5월\s?9일", "중과의 경과규정을 확실하게 읽을 수 없습니다")
    facts: dict[str, object] = {"asset": _asset(text), **_prices(text)}
    days = read_days(text, {"acquired": _BOUGHT, "sold": _SOLD})
    held, lived = _years(re.sub(r"(?:19|20)\d\d년", " ", undated))
    if "acquired" in days and "sold" not in days:
        missing("양도한 날")
    if "acquired" not in days and held is None:
        missing("보유기간(만 연수), 또는 취득일과 양도일")
    facts |= {**days, **stated(held_years=held)}
    sold: date | None = days.get("sold")
    year = sold.year if sold else read_year(undated)
    if sold and (other := read_year(undated)) not in (None, sold.year):
        refuse(f"양도일과 다른 연도가 나옵니다({other})")
    if "미등기" in text:
        if re.search(r"미등기[^.]{0,16}(?:아니|아님|아닌|아닙|않|없)", text):
            refuse("미등기 양도인지 확실하게 읽을 수 없습니다")
        facts["registered"] = False
    if facts["asset"] != HOME:
        refuse_words(text, r"주택|거주", "주택이 아닌 자산과 함께 나옵니다")
        return _call("capital_gains", facts, year)
    return _home_sale(text, facts, lived, year, bool(no_transition))


def _home_sale(
    text: str, facts: dict[str, object], lived: int | None, year: int | None, no_transition: bool
) -> StrictModel:
    only, homes = _homes(text)
    if only:
        if lived is None:
            missing("1세대 1주택에 거주한 기간(거주하지 않았으면 그렇다고 적어야 합니다)")
        facts |= {"one_home": True, "residence_years": lived, **_area(text, "adjusted_when_bought", lived >= 2)}
        return _call("capital_gains", facts, year)
    if lived is not None:
        refuse("거주기간은 있으나 1세대 1주택인지 알 수 없습니다")
    if homes is None:
        return _any_number_of_homes(text, facts, year)
    if homes == 1:
        missing("1주택이 1세대 1주택인지")
    facts |= {"homes": homes, **_area(text, "adjusted_when_sold", False)}
    if no_transition:
        facts["transition"] = False
    return _call("capital_gains", facts, year)


def _any_number_of_homes(text: str, facts: dict[str, object], year: int | None) -> StrictModel:
    """A home sold with no word on how many there are: read only where the number cannot change the tax."""
    if year is None or re.search(r"조정", text):
        missing("파는 사람의 주택 수(1세대 1주택인지)")
    call = _call("capital_gains", facts, year)
    day = date(year, 6, 1)
    payable = run_call(call, day).payable
    for more in (
        {"one_home": True, "adjusted_when_bought": False},
        *({"homes": n, "adjusted_when_sold": True, "transition": False} for n in (2, 3)),
    ):
        if run_call(_call("capital_gains", {**facts, **more}, year), day).payable != payable:
            missing("파는 사람의 주택 수(1세대 1주택인지)")
    return call


def _call(tax: str, facts: dict[str, object], year: int | None) -> StrictModel:
    days = {name: value.isoformat() if isinstance(value, date) else value for name, value in facts.items()}
    return MODELS[tax].model_validate({"tax": tax, **days, **stated(year=year)})


def _asset(text: str) -> str:
    """The one kind of thing sold."""
    rest = re.sub(r"(?:주택|아파트)(?:의)?\s?분양권", "분양권", text)
    if re.search(r"(?:상가|토지|점포)\s?분양권", rest):
        refuse("주택의 분양권이 아닙니다")
    found = [
        name
        for name, words in (
            (PRESALE_RIGHT, r"분양권"),
            (HOME, r"주택|아파트|빌라|집(?=[을이은])"),
            (IDLE_LAND, r"비사업용\s?토지"),
            (LAND, r"(?<!비)사업용\s?토지"),
            (BUILDING, r"상가|점포|업무용\s?건물"),
        )
        if re.search(words, rest)
    ]
    if re.search(r"사업용\s?토지(?:가|는|에|로)?\s?(?:아니|아닌|아님|아닙|해당하지)", rest):
        refuse("비사업용 토지인지 확실하게 읽을 수 없습니다")
    if not found and re.search(r"토지|땅", rest):
        missing("토지가 사업용인지 비사업용인지")
    if not found:
        missing("판 것이 무엇인지(주택, 토지, 상가, 분양권)")
    if len(found) > 1 or ("토지" in rest and found[0] not in (LAND, IDLE_LAND)):
        refuse("판 자산이 둘 이상으로 읽힙니다")
    return found[0]


def _prices(text: str) -> dict[str, str]:
    """Sale price, purchase price and expenses in the question's own words; the first two must be stated."""
    text = DATE.sub(lambda day: "□" * len(day[0]), text)  # keeps spans; days are no amounts
    found: dict[str, list[SeenAmount]] = {}
    for amount in seen_amounts(text):
        after = [
            role
            for role, words in (("sale_price", _SOLD), ("purchase_price", _BOUGHT))
            if re.match(rf"에\s?(?:{words})", amount.after)
        ]
        before = [
            role
            for role, words in (
                ("sale_price", r"(?:양도|매도|매각)\s?(?:가액|가격|가|대금|금액)|판\s?(?:값|가격)"),
                (
                    "purchase_price",
                    r"(?:취득|매입|매수|구입)\s?(?:가액|가격|가|대금|금액)|(?<![가-힣])취득(?=\s?$)|산\s?(?:값|가격)",
                ),
                ("expenses", r"(?:필요\s?)?경비"),
            )
            if re.search(rf"(?:{words})[은는이가]?\s?:?\s?(?:총\s?)?$", amount.before)
        ]
        roles = {*after, *before}
        if len(roles) != 1 or THRESHOLD.match(amount.after):
            refuse(f"{amount.text}이(가) 무슨 금액인지 알 수 없습니다")
        found.setdefault(roles.pop(), []).append(amount)
    prices = {role: one_amount(role, amounts).text for role, amounts in found.items()}
    if "sale_price" not in prices:
        missing("양도가액")
    if "purchase_price" not in prices:
        missing("취득가액")
    spoken = re.search(r"경비|수수료|중개|인테리어|공사비|수리", text)
    if "expenses" not in prices and spoken and not re.search(r"경비(?:는|은|가|도)?\s?없", text):
        refuse("필요경비를 확실하게 읽을 수 없습니다")
    return prices


_COUNT = r"(\d{1,2})년(?:\s?(?:\d{1,2})개월)?"


def _years(text: str) -> tuple[int | None, int | None]:
    """Full years held and lived in; each number of years in the text must be one of the two."""
    refuse_words(text, _ABOUT, "기간을 확실하게 읽을 수 없습니다")
    kinds = (
        (
            "both",
            rf"(?<!\d){_COUNT}(?:간|\s?동안)?\s?보유\s?(?:하고|하며|하면서|[·,및/]|및)?\s?(?:및\s?)?(?:계속\s?)?거주(?!\s?(?:\d|기간|[은는이가도만]|하지|한\s?(?:기간|적|것|건)|안|못|년))",
        ),
        ("both", rf"보유\s?(?:기간)?\s?(?:[·,/및와]|및)\s?거주\s?(?:기간)?[은는이가]?\s?(?:모두|각)?\s?{_COUNT}"),
        ("lived", rf"거주\s?(?:기간)?[은는이가]?\s?:?\s?(?:만\s?)?{_COUNT}"),
        ("lived", rf"(?<!\d){_COUNT}(?:간|\s?동안)?\s?(?:거주|살[았던아])"),
        ("held", rf"보유\s?(?:기간)?[은는이가]?\s?:?\s?(?:만\s?)?{_COUNT}"),
        ("held", rf"(?<!\d){_COUNT}(?:간|\s?동안)?\s?보유"),
    )
    found: dict[str, set[int]] = {"held": set(), "lived": set()}
    for kind, words in kinds:
        for match in list(re.finditer(words, text)):
            for name in ("held", "lived") if kind == "both" else (kind,):
                found[name].add(int(match[1]))
        text = re.sub(words, " ", text)
    if re.search(
        r"거주(?:는|도|를)?\s?(?:하지\s?않|한\s?적[이은]?\s?없|(?:기간|이력)?[은는이가]?\s?없)|살지\s?않", text
    ):
        found["lived"].add(0)
    elif re.search(r"거주|실거주", text):
        refuse("거주기간을 확실하게 읽을 수 없습니다")
    if re.search(r"(?<!\d)\d{1,2}년|\d\s?개월|\d\s?(?:달|주)(?![가-힣])", text) or any(
        len(v) > 1 for v in found.values()
    ):
        refuse("기간을 확실하게 읽을 수 없습니다")
    return next(iter(found["held"]), None), next(iter(found["lived"]), None)


def _homes(text: str) -> tuple[bool, int | None]:
    """Whether it is the only home of the household, and how many homes are said to be held."""
    only = re.search(r"1\s?(?:세대|가구)\s?1\s?주택", text)
    if only and re.search(
        r"1\s?(?:세대|가구)\s?1\s?주택(?:자)?(?:이|가|은|는|도|에|\s)*\s?(?:아니|아닌|아님|아닙|해당하지|해당\s?안)",
        text,
    ):
        refuse("1세대 1주택인지 확실하게 읽을 수 없습니다")
    rest = re.sub(r"1\s?(?:세대|가구)\s?1\s?주택", " ", text)
    counts = {
        int(a or b) for a, b in re.findall(r"(?:1\s?세대\s?)?(\d{1,2})\s?주택|주택(?:을|이)?\s?(\d{1,2})\s?채", rest)
    }
    if re.search(
        r"다주택|(?:두|세|네|여러)\s?채(?!를?\s?(?:팔|양도|매도|처분))|\d\s?채",
        re.sub(r"주택(?:을|이)?\s?\d{1,2}\s?채", " ", rest),
    ):
        refuse("주택 수를 확실하게 읽을 수 없습니다")
    if len(counts) > 1 or (only and counts):
        refuse("주택 수가 둘 이상으로 읽힙니다")
    return bool(only), next(iter(counts), None)


def _area(text: str, fact: str, irrelevant: bool) -> dict[str, object]:
    """조정대상지역 or not, when it was bought (an only home) or sold (one of several)."""
    if irrelevant or "조정" not in text:
        return {}
    if len(re.findall(r"조정", text)) > 1:
        refuse("조정대상지역인지 확실하게 읽을 수 없습니다")
    when = re.search(r"(?P<bought>취득)?(?P<sold>양도)?\s?(?:당시|할\s?때|시|일\s?현재|일)[^.]{0,16}조정", text)
    if fact == "adjusted_when_bought" and not (when and when["bought"]):
        refuse("취득할 때 조정대상지역이었는지 알 수 없습니다")
    if fact == "adjusted_when_sold" and when and when["bought"]:
        refuse("양도할 때 조정대상지역인지 알 수 없습니다")
    outside = re.search(
        r"비\s?조정|조정\s?(?:대상)?\s?지역(?:이|은|에|도)?\s?(?:아니|아닌|아님|아닙|밖|외|해제|없)", text
    )
    if not outside and re.search(r"조정[^.]{0,20}(?:아니|아닌|아닙|아님|않|해제|없)", text):
        refuse("조정대상지역인지 확실하게 읽을 수 없습니다")
    return {fact: outside is None}


# --- 종합부동산세 -------------------------------------------------------------------------------------------------
_HOLDING_OUTSIDE = (
    rf"{_MANY_OWNERS}|일시적|상속|증여|합산\s?배제|특례|감면|세부담|상한|전년|작년|직전|저가|(?<!공)시가(?!\s?표준)|시세|가산세|분납|납부유예|공익|종중|사회적"
    r"|재건축|재개발|조합|공공|공정시장|미분양|부속토지|오피스텔|상가|누진세율|일반\s?세율|올해|내년|지난|세액\s?공제\s?(?:전|는|은|를)"
)


def _holding(text: str) -> StrictModel:
    refuse_words(
        text, rf"농어촌특별세{_ASIDE}|농특세{_ASIDE}|{_HOLDING_OUTSIDE}", "이 계산이 다루지 않는 사정일 수 있습니다"
    )
    before_credit = re.search(
        r"재산세(?:액)?\s?공제\s?(?:전|를?\s?하지\s?않)|재산세(?:액)?\s?(?:공제는?|중복분\s?공제는?)\s?(?:제외|무시|반영하지)",
        text,
    )
    found: dict[str, list[SeenAmount]] = {}
    for amount in seen_amounts(text):
        roles = [
            role
            for role, words in (
                ("official_price", r"공시\s?(?:가격|가액|지가)(?!.*재산세)"),
                ("property_tax_credit", r"공제(?:할|되는|대상)?\s?재산세(?:액)?|재산세\s?공제액"),
            )
            if re.search(words, amount.before)
        ]
        if len(roles) != 1 or THRESHOLD.match(amount.after):
            refuse(f"{amount.text}이(가) 무슨 금액인지 알 수 없습니다")
        found.setdefault(roles[0], []).append(amount)
    facts: dict[str, object] = {role: one_amount(role, amounts).text for role, amounts in found.items()}
    if "official_price" not in facts:
        missing("공시가격")
    only_calculated = "산출세액" in text and "납부" not in text
    if not (before_credit or only_calculated or "property_tax_credit" in facts):
        missing("공제할 재산세액(재산세 공제 전의 세액이면 그렇다고 적어야 합니다)")
    return _call("holding", {**facts, **_owner(text, only_calculated)}, read_year(text))


def _owner(text: str, only_calculated: bool) -> dict[str, object]:
    """Kind of property, number of homes, company or person, and what an only home's credits turn on."""
    lands = [
        kind for kind, word in ((OPEN_LAND, "종합\\s?합산"), (BUSINESS_LAND, "별도\\s?합산")) if re.search(word, text)
    ]
    if lands or re.search(r"토지|나대지|땅", text):
        if len(lands) != 1 or re.search(r"주택|아파트", text):
            refuse("종합합산·별도합산 토지 가운데 하나만 가진 것인지 알 수 없습니다")
        return {"kind": lands[0]}
    only, homes = _homes(text)
    rest = re.sub(r"\d{1,2}\s?세대", " ", text)
    ages = {int(age) for age in re.findall(r"(?<!\d)(\d{1,3})\s?세(?!대|율|액)", rest)}
    held, lived = _years(re.sub(r"(?:19|20)\d\d년", " ", re.sub(r"거주자", " ", text)))
    company = "법인" in text
    if len(ages) > 1 or any(age > 130 for age in ages) or lived is not None:
        refuse("나이나 기간을 확실하게 읽을 수 없습니다")
    if not only:
        if ages or held is not None:
            refuse("나이와 보유기간은 1세대 1주택자에게만 씁니다")
        if homes is None or (homes == 1 and not company):
            missing("주택 수(한 채면 1세대 1주택자인지)")
        if homes > 1 and not re.search(r"합계|합산|합이|합한|합쳐|총|모두", text):
            missing("여러 주택의 공시가격 합계인지")
        return {"homes": homes, **({"company": True} if company else {})}
    if company:
        refuse("법인은 1세대 1주택자가 될 수 없습니다")
    if not only_calculated and (not ages or held is None):
        missing("1세대 1주택자의 나이와 보유기간")
    return {"one_home": True, **stated(age=next(iter(ages), None), held_years=held)}
