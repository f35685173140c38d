"""Which facts a tax turns on, and the words in which a question can state them.

A student that reads a question too quickly fills in what nobody said: a relation, a flag, how many homes.  Words that could
state the fact are looked for widely; only where there is none at all is the fact unstated, so that a right call is not
refused for its wording.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from taxlaw.calls import Call
from taxlaw.money import find_amounts

Facts = Mapping[str, Any]


@dataclass(frozen=True)
class Needed:
    """``what``: the fact, as one asks for it.  ``said``: words that may state it.

    ``when``: facts of a call that turns on it.  ``about``, ``beside``: where there is no call to go by, questions that turn
    on it are those with words of the one and none of the other.
    """

    tax: str
    what: str
    said: str
    when: Callable[[Facts], bool] = lambda facts: True
    about: str = ""
    beside: str = "(?!)"


_YEARS = r"(?<!\d)\d{1,2}\s?(?:년|개월|달)|보유|근속|동안|부터|취득일|년간|1년\s?미만|\d{4}[-.년]\s?\d{1,2}[-.월].*\d{4}[-.년]\s?\d{1,2}"
_HOMES = r"\d\s?주택|무주택|\d{1,2}\s?채|[한두세네]\s?채|다른\s?집|또\s?다른|첫|처음|(?:[두세네]|\d)\s?번째|집이?\s?없|1\s?(?:세대|가구)|유일|단독으로|다주택|생애|일시적|하나뿐"
_PEOPLE = (
    r"부모|아버|어머|아빠|엄마|부친|모친|할아버|할머|조부|조모|외조|남편|아내|배우자|부인|와이프|신랑|아들|딸|자녀|자식|아이|손자|손녀|손주"
    r"|사위|며느리|시[아어]|시부|시댁|(?<!직)장인|장모|처가|처남|처제|매형|매부|형부|형수|올케|(?:^|[\s큰작친])형(?:[이은에한과께님]|으로|\s앞)|누나|누이|오빠|언니|동생|자매|남매|형제"
    r"|이모|고모|삼촌|숙부|숙모|백부|조카|사촌|육촌|당숙|친구|지인|동료|이웃|선배|후배|애인|연인|약혼|여친|남친|타인|남에게|남이|모르는|상사|스승"
    r"|직계|존속|비속|가족이 아닌|친족|남남|대부|회장|사장|거래처|은사|제자|계부|계모|양부|양모"
)
_HOUSE = r"아파트|주택|빌라|다세대|연립|(?<![가-힣])집(?=[을이은의도] |$)"
_NO_HOUSE = r"토지|(?<![가-힣])땅|상가|건물|사무실|공장|농지|임야|대지|분양권|입주권|오피스텔"
_TRADES = (
    r"(?<![영사기직작업])업(?!종|무|체|자)|식당|카페|커피|[가-힣]집|[가-힣]점|미용실|피시방|PC방|택시|펜션|민박|게스트\s?하우스|퀵|쇼핑몰|공방|학원|세탁|가게"
    r"|음식|소매|도매|숙박|임대|중개|건설|인테리어|운수|제조|서비스|화물"
)
_INCOMES = (
    r"강연|강의|강사|특강|원고|기고|글|인세|프리랜서|사업소득|용역|3\.3|복권|로또|당첨|이자|예금|적금|배당|주주|상금|대회|공모전|기타소득|일당|일용"
    r"|연금|급여|월급|봉급|상여|근로|퇴직|비영업|자문|사례금|봉사료"
)
NEEDED: tuple[Needed, ...] = (
    Needed("gift", "준 사람과의 관계", _PEOPLE, about="."),
    Needed("income", "과세표준이나 소득금액", r"과세\s?표준|과표|소득\s?금액|급여|연봉|월급", about="."),
    Needed("income", "소득공제 금액", r"소득\s?공제|공제[가는]?\s?없|과세\s?표준", lambda facts: "income" in facts, "종합소득금액"),
    Needed("vat_simplified", "업종", _TRADES, about="."),
    Needed("vat_general", "매출 공급가액", r"매출(?!세)|공급\s?(?:가액|대가)|팔|판매|수입|수출|영세율|대금", about="."),
    Needed("vat_general", "매입세액", r"매입|구입|사들|받은\s?세금계산서|세금계산서[를 ]?\s?받|들여", about="."),
    Needed("corporate", "법인세 과세표준", r"과세\s?표준|과표", about="."),
    Needed("inheritance", "배우자가 있는지와 자녀의 수", r"배우자|자녀|자식|상속인|아들|딸|남매|형제|자매|아이|남편|아내|부인|어머니[와랑]|아버지[와랑]|어머니도|가족|독신|미혼|혼자", about="."),
    Needed("retirement", "근속연수", _YEARS + r"|다[니녔닌]|일[했한해]|근무", about="."),
    Needed("capital_gains", "취득가액", r"취득|샀|살\s?때|(?<![가-힣])산\s|사서|사들|매입|매수|구입|분양|주고|들여", about="."),
    Needed("capital_gains", "보유기간", _YEARS, about="."),
    Needed(
        "capital_gains",
        "1세대 1주택인지와 세대의 주택 수",
        _HOMES + "|비과세",
        lambda facts: facts.get("asset", "주택") == "주택",
        _HOUSE,
        _NO_HOUSE,
    ),
    Needed("holding", "공시가격 합계", r"공시|가격|지가", about="."),
    Needed(
        "holding",
        "주택 수와 1세대 1주택자인지",
        _HOMES + "|법인",
        lambda facts: facts.get("kind", "주택") == "주택",
        ".",
        "토지|땅",
    ),
    Needed(
        "acquisition",
        "취득한 뒤의 주택 수",
        _HOMES + "|이사|갈아|상속|증여|신축|원시|법인|농지|토지|땅|상가|건물|오피스텔|사무실|공장|임야",
        lambda facts: facts.get("asset", "주택") == "주택" and facts.get("cause", "매매") == "매매",
        _HOUSE,
    ),
    Needed(
        "acquisition",
        "조정대상지역인지",
        r"조정|비규제|규제\s?지역|일시적|잠시|이사",
        lambda facts: (facts.get("homes") or 1) > 1,
        r"[2-9]\s?(?:주택|채)|[두세네]\s?번째",
        rf"상속|증여|법인|{_NO_HOUSE}",
    ),
    Needed("property", "공시가격(시가표준액)", r"공시|시가\s?표준", about="."),
    Needed("property", "1세대 1주택인지", _HOMES, lambda facts: facts.get("kind", "주택") == "주택", _HOUSE, _NO_HOUSE),
    Needed("withholding", "어떤 소득인지", _INCOMES, about="."),
    Needed("withholding", "연금을 받는 사람의 나이", r"\d{2}\s?(?:세|살)|나이", lambda facts: facts.get("kind") == "사적연금", r"연금(?!복권)", "복권"),
    Needed("penalty", "법정신고기한의 날짜와 납부한 날", r"\d{4}\s?[-.년]|\d{1,2}월\s?\d{1,2}일", about="."),
)  # fmt: skip
# The amount without which nothing is computed, as one asks for it, where a question states none at all.
AMOUNTS: dict[str, str] = {
    "gift": "증여받은 재산의 가액",
    "income": "과세표준이나 소득금액",
    "vat_simplified": "한 해의 공급대가",
    "vat_general": "매출 공급가액",
    "corporate": "법인세 과세표준",
    "inheritance": "상속재산가액",
    "retirement": "퇴직급여 금액",
    "capital_gains": "양도가액과 취득가액",
    "holding": "공시가격 합계",
    "acquisition": "취득가액",
    "property": "공시가격(시가표준액)",
    "withholding": "지급하는 금액",
    "penalty": "신고하지 않은 세액이나 내지 않은 세액",
}
# Of a minor, in the numbers people count years with: 세 살, 열두 살, 두 살배기; not how much older one is than another.
NO_AGE = r"\s?(?:더\s?)?(?:많|적|위|아래|어린|차이|터울|연상|연하)"
CHILDS_AGE = rf"(?<![가-힣])(?:(?:열\s?)?(?:한|두|세|네|다섯|여섯|일곱|여덟)|아홉|열)\s?살(?!{NO_AGE})"
# Flags that a question must speak of before a call may raise them.
FLAGS: dict[tuple[str, str], tuple[str, str]] = {
    ("gift", "minor"): (
        "받는 사람이 미성년인지",
        rf"미성년|\d\s?(?:세|살)|{CHILDS_AGE}|학생|아기|어린|유치원|초등|중학|고등",
    ),
    ("gift", "generation_skip"): ("세대를 건너뛴 증여인지", r"손|조부|조모|할아버|할머|외조|세대"),
    ("penalty", "fraud"): ("부정행위였는지", r"부정|이중\s?장부|거짓|허위|가짜|조작|은닉|속[여이]"),
    ("withholding", "lifetime"): ("종신연금인지", r"종신|평생"),
    ("property", "urban"): ("도시지역분을 내는지", r"도시"),
    ("corporate", "small_rental"): ("성실신고확인대상 소규모 법인인지", r"성실|소규모|임대"),
    ("holding", "company"): ("법인인지", r"법인|회사"),
}


def unstated(question: str, call: Call) -> tuple[str, ...]:
    """The facts on which ``call`` turns and of which the question says no word, as one asks for them."""
    facts = call.model_dump(exclude_defaults=True)
    return tuple(dict.fromkeys((*lacking(question, call.tax, facts), *flags_unstated(question, call))))


def lacking(question: str, tax: str, facts: Facts | None = None) -> tuple[str, ...]:
    """What every call of this tax with these ``facts`` needs and the question does not speak of; no facts: by its words."""

    def turns_on(one: Needed) -> bool:
        if facts is not None:
            return one.when(facts)
        return bool(one.about and re.search(one.about, question) and not re.search(one.beside, question))

    found = [one.what for one in NEEDED if one.tax == tax and turns_on(one) and not re.search(one.said, question)]
    if not find_amounts(question) and tax in AMOUNTS:
        found = [AMOUNTS[tax], *found]
    return tuple(dict.fromkeys(found))


def flags_unstated(question: str, call: Call) -> tuple[str, ...]:
    """The flags that ``call`` raises and of which the question does not speak."""
    raised = (key for key, value in call if value is True and (call.tax, key) in FLAGS)
    return tuple(what for what, said in (FLAGS[call.tax, key] for key in raised) if not re.search(said, question))


def ask_for(facts: Sequence[str]) -> str:
    """The sentence that asks for these facts."""
    named = facts[0]
    for fact in facts[1:]:
        named += ("과 " if _has_final(named) else "와 ") + fact
    return f"계산하려면 {named}{'을' if _has_final(named) else '를'} 알아야 합니다. 질문에 없어 계산하지 않았습니다. 알려 주시면 계산해 드리겠습니다."


def _has_final(word: str) -> bool:
    """Whether the last syllable ends in a consonant (받침)."""
    return (ord(word[-1]) - 0xAC00) % 28 != 0
