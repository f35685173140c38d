"""Read the clearest questions of penalties: a tax not filed, under-reported or paid late, with its days written out.

Which penalty is asked for decides which days are needed; a question of the tax and its penalty together is refused.
"""

from __future__ import annotations

import re

from taxlaw.calculators.penalties import LATE, NO_RETURN, UNDER_REPORT, WITHHELD_LATE
from taxlaw.call_models import MODELS
from taxlaw.case_reading import THRESHOLD, missing, one_amount, refuse, refuse_words, seen_amounts
from taxlaw.dated_words import DATE, read_days
from taxlaw.strict_config import StrictModel

_ASKS = re.compile(
    r"가산세(?:액)?(?:\([^)]*\))?(?:은|는|이|가|을|를|만|도)?\s?(?:\([^)]*\))?\s?(?:각각|모두|총|대략)?\s?"
    r"(?:얼마|몇|어떻게|계산|구하|구해|산출|알려|알고|납부|내야|\?)"
)
_OUTSIDE = (
    r"법인|복식\s?부기|수입금액|영세율|역외|국외|해외|국제|인지세|지방세|지방소득세|취득세|재산세|관세|세금계산서|증빙|지급명세서|계산서|지급조서"
    r"|합계|합하|합쳐|총\s?(?:얼마|납부|세액)|본세|모두|포함|함께|각각|씩(?![가-힣])|%|퍼센트|정당한\s?사유|천재|재해|면제|감면(?:율|은|이)|환급|초과|일부|나눠|분납|예정|중간"
    r"|고지|독촉|납세고지|경정|결정|세무조사|예상|미리|공휴일|대체|연장|결손|이월|이중|약\s?\d|정도|가량|개월|\d\s?일\s?(?:간|동안|뒤|후|늦|지)|\d\s?년\s?(?:뒤|후|늦|지)"
)
_TAX_BEFORE = re.compile(r"(?:세액|세금|[가-힣]{2}세|본세)(?:[은는이가을를]|으?로)?\s?:?\s?$")
_DAYS = {
    "deadline": r"(?:법정\s?)?(?:신고|납부)\s?(?:·|및|와|ㆍ)?\s?(?:납부|신고)?\s?기한(?!\s?후)|기한(?!\s?후)|까지",
    "filed_on": r"기한\s?후\s?신고|수정\s?신고|신고(?!\s?(?:·|및|와|ㆍ|납부|기한|하지|를\s?하지|안))",
    "paid_on": r"납부(?!\s?(?:기한|지연|하지|할|세액|해야|하여야))|냈|내고|낸",
}


def is_penalty(text: str) -> bool:
    """Whether the question asks for a penalty ('가산세 제외' does not)."""
    return bool(_ASKS.search(text))


def read_penalty(text: str) -> StrictModel:
    """The call of such a question.  Raises MissingFact or UnsupportedCase when it is not stated for certain."""
    refuse_words(text, _OUTSIDE, "가산세의 다른 사정일 수 있습니다")
    kind, with_late = _kind(text)
    amounts = seen_amounts(DATE.sub(lambda day: "□" * len(day[0]), text))
    for amount in amounts:
        # The name of a tax must stand right before the amount: '증여세 신고를 안 한 5억원' is no tax of 5억원.
        if not _TAX_BEFORE.search(amount.before) or THRESHOLD.match(amount.after):
            refuse(f"{amount.text}이(가) 세액인지 알 수 없습니다")
    tax = one_amount("세액", amounts)
    if tax is None:
        missing("가산세를 매길 세액")
    days = read_days(text, _DAYS)
    if "deadline" not in days:
        missing("법정 신고·납부기한의 날짜")
    if with_late and "paid_on" not in days:
        missing("세금을 납부한 날")
    if not with_late:
        days.pop("paid_on", None)
    if kind in (LATE, WITHHELD_LATE):
        days.pop("filed_on", None)
    elif "filed_on" not in days and re.search(r"기한\s?후\s?신고|수정\s?신고|자진|뒤늦게|늦게\s?신고", text):
        missing("기한 후 신고나 수정신고를 한 날")
    if len(days) > 1 and days["deadline"].weekday() >= 5:
        refuse("기한이 토·일요일이어서 다음 날로 넘어갔는지 확인해야 합니다")
    facts: dict[str, object] = {"kind": kind, "tax_amount": tax.text}
    facts |= {name: day.isoformat() for name, day in days.items()}
    if kind in (NO_RETURN, UNDER_REPORT) and "부정" in text:
        plain = re.search(r"부정(?:한)?\s?(?:행위|방법)?(?:가|이|는|은|도)?\s?(?:아니|아님|아닌|아닙|없)", text)
        denied = re.search(r"부정[^.]{0,20}(?:아니|아님|아닌|아닙|않|없)", text)
        if not plain and (
            denied or not re.search(r"부정\s?(?:무신고|과소\s?신고)|부정(?:한)?\s?(?:행위|방법)(?:으)?로\s", text)
        ):
            refuse("부정행위인지 확실하게 읽을 수 없습니다")
        facts |= {} if plain else {"fraud": True}
    return MODELS["penalty"].model_validate({"tax": "penalty", **facts})


def _kind(text: str) -> tuple[str, bool]:
    """Which breach, and whether paying late is part of what is asked for."""
    asked = {name for name in ("무신고", "과소신고", "납부지연") if re.search(rf"{name}\s?(?:·\S+\s?)?가산세", text)}
    if re.search(r"원천징수", text):
        if asked != {"납부지연"}:
            refuse("원천징수 납부지연가산세만 읽습니다")
        return WITHHELD_LATE, True
    if asked == {"납부지연"}:
        return LATE, True
    none = re.search(r"무신고|신고(?:를)?\s?(?:하지\s?(?:않|못|아니)|안\s?[하했])|기한\s?후\s?신고", text)
    less = re.search(r"과소\s?신고|적게\s?신고|덜\s?신고|누락|수정\s?신고", text)
    if none and less:
        refuse("무신고인지 과소신고인지 알 수 없습니다")
    # A plain 가산세 is all that is due: for the filing and, the tax being unpaid as well, for paying late.
    with_late = not asked or "납부지연" in asked
    if none:
        return NO_RETURN, with_late
    if less:
        return UNDER_REPORT, with_late
    if (
        re.search(r"납부(?:를)?\s?(?:하지\s?않|못)|늦게\s?(?:납부|냈|내)|납부지연|뒤늦게\s?(?:납부|냈)", text)
        and not asked
    ):
        refuse("신고를 제때 했는지 알 수 없습니다")
    missing("무신고, 과소신고, 납부지연 가운데 무엇인지")
