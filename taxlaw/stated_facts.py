"""What a question plainly states, against what a calculator call made of it: a fact left out, turned round, or put elsewhere.

The other side of needed_facts: there a call says more than the question, here less.  Only plain words count, and what is
found never refuses a call; it makes a model read again (taxlaw.rereading) and tells a person which words were not used.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from taxlaw.call_check import won_of
from taxlaw.calls import Call
from taxlaw.figures import find_figures, same_day
from taxlaw.gift_case import possible_relations, stated_relation
from taxlaw.money import find_amounts, format_won
from taxlaw.needed_facts import CHILDS_AGE, NO_AGE

Facts = Mapping[str, Any]


@dataclass(frozen=True)
class Stated:
    """``what``: the fact, in Korean.  ``said``: words that state it, unless ``unless`` stands there too.

    ``kept``: whether a call's facts carry it.  ``otherwise``: whether they are right where the question denies it (``unless``) or
    has no word of it, ``hints`` included, in which people may state it otherwise; None: nothing follows.
    """

    tax: str
    what: str
    said: str
    kept: Callable[[Facts], bool]
    unless: str = ""
    otherwise: Callable[[Facts], bool] | None = None
    hints: str = "(?!)"


def _is(key: str, value: Any) -> Callable[[Facts], bool]:
    return lambda facts: facts.get(key) == value


def _has(key: str) -> Callable[[Facts], bool]:
    return lambda facts: facts.get(key) is not None


def _not(holds: Callable[[Facts], bool]) -> Callable[[Facts], bool]:
    return lambda facts: not holds(facts)


def _is_or(key: str, value: Any, *others: Callable[[Facts], bool]) -> Callable[[Facts], bool]:
    return lambda facts: facts.get(key) == value or any(other(facts) for other in others)


_NO = r"\s?(?:[이은는을를가도]\s?)?(?:아[니닙닌님]|없|않|못)"
_UNFILED = (
    r"신고(?:를|는|도)?\s?(?:하지|를 하지)?\s?(?:못|않|안\s?(?:했|하))|무신고|기한\s?후\s?신고|신고\s?기한[을이]?\s?(?:놓|지[나난났]|넘)"
    r"|신고[^.?]{0,8}기한이\s?지|기한(?:이|을)?\s?(?:안에|내에)?\s?[^.?]{0,6}신고하지 못"
)
_ONE_HOME = r"1\s?(?:세대|가구)\s?1\s?주택"
_NOT_ONE_HOME = (
    _ONE_HOME
    + r"자?(?:에\s?해당하지|[이은는가도]?\s?아[니닙닌님])|다른\s?(?:집|주택)도|[두세네]\s?채|[2-9]\s?(?:주택|채)"
)
_HOME_HINTS = r"1\s?주택|한\s?채|유일|하나뿐|하나만|무주택|다른\s?(?:집|주택)"
_AREA = r"조정\s?대상\s?지역"
_NOT_AREA = rf"비\s?{_AREA}|비규제|{_AREA}(?:[이은는]|에\s?있지)?\s?(?:아[니닙닌님]|않|밖|외)"
_HOUSE = r"아파트|주택|빌라|다세대|연립|(?<![가-힣])집(?=[을이은의도에] |$)"
_FARM = r"농지|과수원|(?<![가-힣])(?:논|밭)(?=[을이은의 ]|$)"
_BUILDING = r"상가|토지|(?<![가-힣])땅|건물|오피스텔|사무실|공장|임야|대지|창고|점포|빌딩"
_GRAND = r"조부|조모|할아버|할머|외조|손자|손녀|손주"
_COMPANY = r"법인(?!세)"

STATED: tuple[Stated, ...] = (
    Stated("gift", "기한 안에 신고하지 않음", _UNFILED, _is("filed", False), otherwise=_not(_is("filed", False)), hints="신고|기한|늦|지나|깜빡"),
    Stated(
        "gift",
        "받는 사람이 미성년",
        rf"미성년|초등학생|(?<![가-힣])중학생|고등학생|유치원|{CHILDS_AGE}|만?\s?(?<!\d)(?:[1-9]|1[0-8])\s?(?:세|살)(?![가-힣]*대|{NO_AGE})",
        _is("minor", True),
        rf"미성년자?{_NO}|성인|성년인",
    ),
    Stated("gift", "기한 안에 신고함", r"(?:기한\s?(?:안에|내에?)|제때)[^.]{0,6}(?:신고|했|마쳤)", _not(_is("filed", False)), _UNFILED),
    Stated("gift", "건너뛴 세대 없음", r".", lambda facts: not facts.get("generation_skip") or facts.get("relation") == "직계존속"),
    Stated("gift", "받는 사람이 성년", r"성인입|성인이|성년인|(?<!\d)(?:19|[2-9]\d)\s?(?:세|살)", _not(_is("minor", True)), r"미성년"),
    Stated(
        "gift",
        "세대를 건너뛴 증여",
        _GRAND,
        lambda facts: facts.get("relation") != "직계존속" or facts.get("generation_skip") is True,
        otherwise=_not(_is("generation_skip", True)), hints="손|세대|대를",
    ),
    Stated("gift", "혼인·출산 공제", r"(?:혼인|출산)[^.]{0,8}공제", _has("marriage_birth"), otherwise=_not(_has("marriage_birth")), hints="혼인|결혼|출산|출생|신혼|태어"),
    Stated("gift", "인수한 채무", r"대출|보증금|부담부|채무", _has("debt"), r"대출(?:이나|은|이)?\s?없", otherwise=_not(_has("debt")), hints="빚|융자|전세|인수|떠안"),
    Stated("gift", "그때의 산출세액", r"(?:그때|당시)[^.]{0,8}산출세액", _has("prior_tax"), otherwise=_not(_has("prior_tax")), hints="산출|세액|냈|낸|납부"),
    Stated("gift", "앞서 받은 증여", r"년\s?(?:이내|안|전)[^.]{0,30}증여", _has("prior_gifts"), r"없"),
    Stated("property", "1세대 1주택", _ONE_HOME + r"|유일한 집", _is("only_home", True), _NOT_ONE_HOME, _not(_is("only_home", True)), _HOME_HINTS),
    Stated("property", "도시지역분", r"도시\s?지역", _is("urban", True), r"도시\s?지역[^.]{0,8}(?:아[니닙닌]|제외|않|밖)"),
    *(
        Stated("property", kind, kind.replace("·", "[·, ]?"), _is("kind", kind))
        for kind in ("건축물", "종합합산 토지", "별도합산 토지", "분리과세 농지·임야", "주거지역 공장")
    ),
    Stated("holding", "1세대 1주택자", _ONE_HOME + r"|한\s?채(?:만|뿐)", _is("one_home", True), _NOT_ONE_HOME, _not(_is("one_home", True)), _HOME_HINTS),
    Stated("holding", "법인이 가진 주택", _COMPANY, _is("company", True), rf"법인{_NO}"),
    *(Stated("holding", kind, kind, _is("kind", kind)) for kind in ("종합합산 토지", "별도합산 토지")),
    Stated("holding", "보유기간", r"(?<!\d)\d{1,2}\s?년\s?(?:동안|간|보유|넘게|째)|보유\s?기간", _has("held_years"), otherwise=_not(_has("held_years")), hints="년|보유|갖고|가지고|개월"),
    Stated("holding", "나이", r"\d+\s?(?:세(?!대)|살)", _has("age"), otherwise=_not(_has("age")), hints="세(?!대|금|액|율|표|의)|살|나이|고령|년생"),
    Stated("holding", "공제할 재산세", r"공제[^.]{0,8}재산세", _has("property_tax_credit"), r"없", _not(_has("property_tax_credit")), "재산세"),
    Stated(
        "acquisition",
        "조정대상지역의 주택",
        _AREA,
        _is_or("adjusted", True, lambda facts: (facts.get("homes") or 1) < 2),
        _NOT_AREA,
        _not(_is("adjusted", True)), "조정|규제|투기",
    ),
    Stated("acquisition", "일시적 2주택", r"일시적|잠시\s?두", _is("temporary_two_homes", True), otherwise=_not(_is("temporary_two_homes", True)), hints="일시|잠시|이사|갈아|처분"),
    Stated("acquisition", "법인의 취득", _COMPANY, _is("company", True), rf"법인{_NO}", _not(_is("company", True)), "회사|주식회사"),
    Stated("acquisition", "상속으로 취득", r"상속", _is("cause", "상속")),
    Stated("acquisition", "증여로 취득", r"증여", _is("cause", "증여")),
    Stated("acquisition", "신축", r"신축|새로\s?(?:지|짓)|지었", _is("cause", "신축"), r"신축\s?(?:아파트|빌라|주택|오피스텔)"),
    Stated("acquisition", "매매로 취득", r"매매|매수|구입|(?<![가-힣])(?:샀|사[면려는서])|매입", _not(_has("cause")), r"상속|증여"),
    Stated("acquisition", "농지", _FARM, _is("asset", "농지")),
    Stated("acquisition", "주택이 아닌 부동산", _BUILDING, _has("asset"), _HOUSE),
    Stated("acquisition", "주택", _HOUSE, _not(_has("asset")), f"{_BUILDING}|{_FARM}"),
    Stated("acquisition", "첫 집", r"무주택|유일한|다른\s?집은\s?없|집이\s?없다가", lambda facts: (facts.get("homes") or 1) < 2, r"[2-9]\s?(?:주택|채)"),
    Stated("acquisition", "1가구 1주택 상속", _ONE_HOME, _is_or("only_home", True, _not(_is("cause", "상속"))), _NOT_ONE_HOME),
    Stated("inheritance", "배우자", r"배우자|(?:남편|아내)[이가의께서 ]{0,3}(?:사망|돌아|별세|떠나|남[기긴])|(?:아버지|부친|아버님)[^.]{0,20}(?:돌아|사망|별세|남[기긴])[^?]*어머니[와는도]", _is("spouse", True), r"배우자[는가도]?\s?(?:없|먼저|이미|사망|안\s?계|계시지)|배우자[와나]\s?자녀[는가도]?\s?(?:모두\s?|다\s?)?없|배우자\s?없이|사별", _not(_is("spouse", True)), "남편|아내|부인|어머니|아버지|모친|부친|어머님|아버님"),
    Stated("inheritance", "배우자가 받는 재산", r"배우자[^.]{0,16}(?:받|상속분)", _has("spouse_receives"), r"함께 상속|없"),
    Stated("inheritance", "기한이 지난 신고", r"기한\s?후\s?신고|(?:지[난나]|넘[겨긴])[^.]{0,10}신고[를했합]", _is("late", True), otherwise=_not(_is("late", True)), hints="늦|지나|기한|뒤에"),
    Stated("inheritance", "신고하지 않음", r"신고[를도는]?\s?(?:하지\s?않|못|안\s?)", _is_or("filed", False, _is("late", True)), otherwise=_not(_is("filed", False)), hints="신고(?!를 준비)|기한"),
    Stated("penalty", "부정행위", r"부정\s?행위|이중\s?장부|거짓|허위|가짜", _is("fraud", True), r"부정\s?행위(?:는|가|도)?\s?(?:없|아[니닙닌])"),
    Stated("penalty", "원천징수 납부지연", r"원천(?:징수|세)", _is("kind", "원천징수 납부지연")),
    Stated("penalty", "무신고", r"무신고|신고하지\s?(?:않|못)|신고를\s?(?:아예|놓)", _is("kind", "무신고")),
    Stated("penalty", "과소신고", r"과소\s?신고|(?:적게|덜)\s?신고", _is("kind", "과소신고")),
    Stated("corporate", "소규모 임대 법인", r"성실신고", _is("small_rental", True), rf"성실신고[^.]{{0,10}}{_NO}", _not(_is("small_rental", True)), "임대|성실|소규모"),
    Stated("capital_gains", "미등기", r"미등기|등기하지", _is("registered", False), rf"미등기{_NO}", _not(_is("registered", False)), "등기"),
    Stated("capital_gains", "1세대 1주택", _ONE_HOME, _is("one_home", True), rf"{_ONE_HOME}자?{_NO}", _not(_is("one_home", True)), _HOME_HINTS + "|비과세"),
    Stated("capital_gains", "거주기간", r"거주기간|년\s?(?:살았|거주)", _has("residence_years"), otherwise=_not(_has("residence_years")), hints="거주|살았|살던|살고|입주|전입"),
    Stated("capital_gains", "살 때 조정대상지역", rf"(?:취득할|살)\s?때[^.]{{0,4}}{_AREA}|{_AREA}일 때 산", _is("adjusted_when_bought", True), _NOT_AREA),
    Stated("capital_gains", "살 때 조정대상지역 아님", rf"(?:취득할|살)\s?때[^.]{{0,4}}{_AREA}이 아", _not(_is("adjusted_when_bought", True))),
    Stated("capital_gains", "팔 때 조정대상지역", rf"{_AREA}에 있는|(?:양도|팔)[^.]{{0,6}}{_AREA}에 있(?!지)", _is("adjusted_when_sold", True)),
    Stated("capital_gains", "팔 때 조정대상지역 아님", rf"{_AREA}에 있지 않|(?:양도|팔)[^.]{{0,6}}{_AREA}이 아", _not(_is("adjusted_when_sold", True))),
    *(
        Stated("capital_gains", kind, said, _is("asset", kind), unless)
        for kind, said, unless in (
            ("주택", _HOUSE, r"분양권|입주권|상가|토지|땅|건물|사무실|대지|임야"),
            ("분양권", "분양권", ""),
            ("조합원입주권", "입주권", ""),
            ("비사업용 토지", "비사업용", rf"비사업용(?:\s?토지)?{_NO}"),
            ("토지", r"토지|(?<![가-힣])땅(?=[을은이 ])|대지", rf"비사업용(?!(?:\s?토지)?{_NO})"),
            ("건물", r"상가|건물|사무실", "토지|주택|아파트"),
        )
    ),
    Stated("capital_gains", "보유기간 1년 미만", r"1\s?년이?\s?(?:안\s?(?:되|됩|된)|미만)", _is_or("held_years", 0, _has("acquired"))),
    Stated("income", "총급여", r"총\s?급여|연봉", _has("gross_pay"), otherwise=_not(_has("gross_pay")), hints="급여|월급|봉급|근로|직장|받"),
    Stated("income", "과세표준", r"과세\s?표준|과표", _has("base"), r"종합소득금액|총\s?급여"),
    Stated("income", "종합소득금액", r"종합소득금액", _has("income"), r"과세\s?표준"),
    Stated("vat_simplified", "매입", r"매입[^.]{0,24}\d", _has("purchases"), r"매입[^.]{0,8}없", _not(_has("purchases")), "매입|구입|샀|사들|사 |산 |세금계산서"),
    Stated("vat_general", "공제받지 못할 매입세액", r"(?:공제(?:받지|되지|\s?못)|불공제)[^.]{0,6}매입세액", _has("blocked_input_tax"), otherwise=_not(_has("blocked_input_tax")), hints="불공제|접대|비영업|못 받|안 되"),
    Stated("vat_general", "영세율 매출", r"영세율", _has("zero_rated"), r"영세율[^.]{0,6}없", _not(_has("zero_rated")), "수출|해외|영세"),
    Stated("vat_general", "대손금액", r"대손", _has("bad_debt"), r"대손[^.]{0,6}없", _not(_has("bad_debt")), "부도|회수|떼[였인이]|못 받"),
    Stated("vat_general", "부가세 포함 매출", r"포함(?:한|해 받은|하여 받은)?\s?매출", _has("supply_with_tax"), otherwise=_not(_has("supply_with_tax")), hints="포함|공급대가"),
    Stated("vat_general", "매입 공급가액", r"매입[은]?\s?공급가액", _has("purchases"), otherwise=_not(_has("purchases")), hints="매입(?!세액)|구입|샀|사들"),
    Stated("vat_general", "부가세 포함 매입", r"포함(?:한|해)?(?:(?!매출|팔|판매)[^.]){0,24}매입(?!세액)", _has("purchases_with_tax"), otherwise=_not(_has("purchases_with_tax")), hints="포함|공급대가"),
    Stated("vat_general", "매입세액", r"(?<!못할 )(?<!않는 )매입세액(?:이|은)?\s?(?=\d)", _has("input_tax")),
    Stated("vat_simplified", "신용카드 매출", r"카드", _has("card_sales"), r"카드[^.]{0,8}없", _not(_has("card_sales")), "영수증|페이"),
    Stated("withholding", "종신연금", r"종신", _is("lifetime", True), rf"종신[^.]{{0,6}}{_NO}"),
    *(
        Stated("withholding", kind, said, _is("kind", kind), unless)
        for kind, said, unless in (
            ("복권", r"복권|로또", ""),
            ("일용근로", r"일당|일용", ""),
            ("비영업대금", r"비영업대금", ""),
            ("사적연금", r"연금저축|사적연금|연금계좌", ""),
            ("배당", r"배당", "이자"),
            ("원고료", r"원고료", "강연"),
            ("강연료", r"강연료", "원고"),
            ("사업소득", r"사업소득|프리랜서|3\.3", "기타소득"),
        )
    ),
)  # fmt: skip
# Counts with their unit: the number must stand at that key.  ``unless``: words around it by which it is no such count.
_NUMBER = r"(\d{1,2}|하나|한|둘|두|셋|세|넷|네|다섯)"
_WORDS = {"하나": 1, "한": 1, "둘": 2, "두": 2, "셋": 3, "세": 3, "넷": 4, "네": 4, "다섯": 5}
_CHILDREN = rf"(?:자녀|자식|아이|아들|딸)[은는이가를]?\s?{_NUMBER}(?:\s?명|[이가을를은,. ]|$)"
_SEVERAL_HOMES = r"(?<![\d가-힣])([2-9]|두|세|네|다섯)\s?채"
_COUNTS: tuple[tuple[str, str, str, str], ...] = (
    ("acquisition", "homes", r"(?<![\d가구대] )(?<![\d가구대])([2-9])\s?(?:주택|채)", r"일시적"),
    ("acquisition", "homes", r"(?:주택|집|가구|세대)[^.]{0,14}(?<!\d)([2-9])\s?채", r"일시적"),
    ("acquisition", "homes", r"([2-9])\s?번째", ""),
    ("holding", "homes", r"(?<!\d)([2-9])\s?주택", r"법인"),
    ("holding", "homes", _SEVERAL_HOMES, r"법인"),
    ("holding", "age", r"(\d+)\s?(?:세(?!대)|살)", ""),
    (
        "holding",
        "held_years",
        r"(?<!\d)(\d{1,2})년\s?(?:보유|동안|넘게|갖고|가지고|가진)|보유기간[은이]?\s?(\d{1,2})\s?년",
        "",
    ),
    ("capital_gains", "homes", r"(?<!\d)([2-9])\s?주택", r"일시적"),
    ("capital_gains", "homes", _SEVERAL_HOMES, r"일시적"),
    ("capital_gains", "residence_years", r"거주기간[은이]?\s?(\d+)\s?년|(\d+)년\s?(?:살|거주)", ""),
    (
        "capital_gains",
        "held_years",
        r"보유기간[은이]?\s?(\d+)\s?년(?!이? ?(?:안|미만))|(?<!\d)(\d{1,2})년\s?(?:보유|동안|넘게|갖고|가지고|가진|뒤|반?\s?만에|후)",
        "",
    ),
    ("corporate", "months", r"(?<!\d)(\d{1,2})\s?개월", ""),
    ("inheritance", "children", _CHILDREN, ""),
    ("income", "children", _CHILDREN, r"부양가족|기본공제\s?대상"),
    ("income", "children", r"자녀[는가]?\s?(\d+)\s?명", ""),
    ("income", "dependants", r"본인[을]?\s?포함(?:해|하여)?[^.\d]{0,12}(\d+)\s?명", ""),
    ("retirement", "years", r"(?<!\d)(\d{1,2})\s?년", ""),
    ("withholding", "age", r"(\d+)\s?(?:세(?!대)|살)", ""),
    ("withholding", "days", r"(\d+)\s?일(?:치| 일)", ""),
)
_DEFAULTS = {"months": 12, "days": 1, "dependants": 1, "children": 0}
_YEAR = re.compile(r"(?<!\d)(20[12]\d)\s?(?:년|사업연도)(?!\s?(?:전|동안|간|이상|넘))")
_BY_LAW = re.compile("혼인|출산|결혼|출생|입양")


def unread(question: str, call: Call) -> tuple[str, ...]:
    """What the question plainly states and ``call`` leaves out or contradicts, in Korean; empty when nothing is."""
    facts = call.model_dump(exclude_defaults=True)
    found = [*_amounts(question, call.tax, facts), *_times(question, facts), *_counts(question, call.tax, facts)]
    if call.tax == "gift":
        found += _relation(question, facts)
    if call.tax == "vat_simplified" and re.sub(r"\s", "", facts["industry"]) not in re.sub(r"\s", "", question):
        found.append("업종")
    for one in STATED:
        if one.tax != call.tax:
            continue
        denied = bool(one.unless and re.search(one.unless, question))
        if not denied and re.search(one.said, question):
            holds = one.kept(facts)
        elif one.otherwise and (denied or not re.search(one.hints, question)):
            holds = one.otherwise(facts)
        else:
            holds = True
        if not holds:
            found.append(one.what)
    return tuple(dict.fromkeys(found))


def _relation(question: str, facts: Facts) -> Iterator[str]:
    """The relation where the question states another one for certain, or names nobody who could stand in it."""
    stated, possible = stated_relation(question), possible_relations(question)
    if stated and stated != facts.get("relation"):
        yield f"준 사람과의 관계({stated})"
    elif possible and facts.get("relation") not in possible:
        yield f"준 사람과의 관계({', '.join(sorted(possible))})"


def _amounts(question: str, tax: str, facts: Facts) -> Iterator[str]:
    used = Counter(won for value in facts.values() if (won := won_of(value)) is not None)
    stated = Counter(amount.won for amount in find_amounts(question))
    for won, times in used.items():
        if 0 < stated[won] < times:
            yield f"{format_won(won)}(질문에는 {stated[won]}번)"
    for amount in find_amounts(question):
        if amount.won and amount.won not in used and not (tax == "gift" and _BY_LAW.search(question)):
            yield question[amount.start : amount.end]


def _times(question: str, facts: Facts) -> Iterator[str]:
    days = [value for value in facts.values() if isinstance(value, date)]
    years = {day.year for day in days} | {facts.get("year")}
    said = [figure.value for figure in find_figures(question) if figure.kind == "date" and None not in figure.value]
    apart = {day[0] for day in said} if days else set()  # of days that are compared as days
    for year in sorted({int(found) for found in _YEAR.findall(question)} - apart - years):
        yield f"{year}년"
    if days:
        for value in said:
            if not any(same_day(value, (day.year, day.month, day.day)) for day in days):
                yield date(*value).isoformat()


def _counts(question: str, tax: str, facts: Facts) -> Iterator[str]:
    for name, key, pattern, unless in _COUNTS:
        if name != tax or (unless and re.search(unless, question)):
            continue
        for found in re.finditer(pattern, question):
            said = next(group for group in found.groups() if group)
            number = _WORDS[said] if said in _WORDS else int(said)
            if facts.get(key, _DEFAULTS.get(key)) != number:
                yield found.group().strip()
