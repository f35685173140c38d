"""Read a gift question: who gives to whom, how much, and what else is stated.  Used by taxlaw.cases."""

from __future__ import annotations

import re
from dataclasses import dataclass

from taxlaw.calls import GiftCall
from taxlaw.case_reading import (
    THRESHOLD,
    SeenAmount,
    missing,
    one_amount,
    read_year,
    refuse,
    refuse_words,
    seen_amounts,
    sentence_at,
    stated,
)
from taxlaw.errors import UnsupportedCase

PARENT, GRANDPARENT, SPOUSE, CHILD, GRANDCHILD = "부모", "조부모", "배우자", "자녀", "손자녀"
SIBLING, UNCLE, NEPHEW, PARENT_IN_LAW, CHILD_IN_LAW, OTHER_KIN, STRANGER, SELF = (
    *("형제자매", "삼촌", "조카", "시부모", "며느리", "다른 친족", "타인"),
    "나",
)
_KIN: dict[str, str] = {
    PARENT: "부모 부모님 아버지 어머니 아버님 어머님 아빠 엄마 부친 모친 친아버지 친어머니 친정아버지 친정어머니 친정부모 친정부모님 친정엄마 친정아빠",
    GRANDPARENT: "할아버지 할머니 조부 조모 조부모 조부모님 외할아버지 외할머니 외조부 외조모 외조부모 할아버님 할머님 친할머니 친할아버지",
    SPOUSE: "배우자 남편 아내 와이프 신랑 부인 집사람",
    CHILD: "자녀 아들 딸 자식 장남 장녀 차남 차녀 큰아들 큰딸 작은아들 작은딸 막내아들 막내딸 외아들 외동딸",
    GRANDCHILD: "손자 손녀 손주 외손자 외손녀 친손자 친손녀 손자녀",
    SIBLING: "형 누나 오빠 언니 동생 남동생 여동생 친형 친누나 친오빠 친언니 친동생 큰형 큰누나 큰오빠 큰언니 작은형 작은누나 작은오빠 작은언니 막내동생 형제 자매",
    UNCLE: "이모 고모 삼촌 외삼촌 큰이모 작은이모 막내이모 큰고모 작은고모 막내고모 큰삼촌 작은삼촌 막내삼촌 큰아빠 작은아빠 큰엄마 작은엄마 큰어머니 작은어머니 큰아버지 작은아버지 숙부 백부 외숙부 이모부 고모부 숙모 외숙모",
    NEPHEW: "조카 조카딸",
    PARENT_IN_LAW: "시어머니 시아버지 시부모 시부모님 장인 장모 장인어른 장모님 처부모",
    CHILD_IN_LAW: "사위 며느리",
    OTHER_KIN: "사촌 사촌형 사촌동생 사촌누나 처남 처제 처형 시누이 매형 형부 형수 제수 올케 매부",
    STRANGER: "친구 지인 이웃 애인 여자친구 남자친구 여친 남친 타인 동료 직장동료 선배 후배",
    SELF: "저 제 나 내 본인",
}
_WORDS = {word: kind for kind, words in _KIN.items() for word in words.split()}
_PARTICLES = {
    "에게서": "from", "한테서": "from", "께서": "subject", "으로부터": "from", "로부터": "from",
    "에게": "dative", "한테": "dative", "께": "dative", "게": "dative", "이": "subject", "가": "subject",
    "은": "subject", "는": "subject", "께서는": "subject", "앞으로": "dative", "의": "of", "와": "and", "과": "and",
    "랑": "and", "하고": "and",
}  # fmt: skip
_MENTION = re.compile(
    r"(?<![가-힣])(?:(?P<own>제|내|우리|저희)\s)?(?:(?P<age>미성년|성년|성인)(?:자)?인?\s?)?(?:(?:직장|아는|회사|둘째|첫째|막내)\s?)?"
    rf"(?P<word>{'|'.join(sorted(_WORDS, key=len, reverse=True))})(?P<many>들)?(?:님)?(?:\([^)]*\))?"
    rf"(?:(?P<particle>\s?앞으로|{'|'.join(sorted(_PARTICLES, key=len, reverse=True))})(?:[도는만](?=\s))?)?(?![가-힣])"
)
_RECEIVE = r"(?:증여를?\s?|물려\s?)?받(?!는\s?(?:사람|자|이)[는은이가인]?)"
_GIVE = r"증여를?\s?(?:하|했|한|할|해(?!당))|(?<![가-힣])(?:주었|줬|주려|주면|주신|주셨|주시|준|줄|드리|드렸|드릴|드린)|물려\s?(?:주|줬|줄|준)"
_VERB = re.compile(rf"(?P<receive>{_RECEIVE})|(?P<give>{_GIVE})")

# (giver, receiver) when the question names both -> relation of the giver seen from the receiver.
_PAIRS = {
    (PARENT, CHILD): "직계존속",
    (GRANDPARENT, GRANDCHILD): "직계존속",
    (SPOUSE, SPOUSE): "배우자",
    (CHILD, PARENT): "직계비속",
    (GRANDCHILD, GRANDPARENT): "직계비속",
    (SIBLING, SIBLING): "기타친족",
    (UNCLE, NEPHEW): "기타친족",
    (NEPHEW, UNCLE): "기타친족",
    (PARENT_IN_LAW, CHILD_IN_LAW): "기타친족",
    (CHILD_IN_LAW, PARENT_IN_LAW): "기타친족",
    (STRANGER, STRANGER): "타인",
}
# The asker gives to or receives from this kin.
_FROM = {PARENT: "직계존속", GRANDPARENT: "직계존속", SPOUSE: "배우자", CHILD: "직계비속", GRANDCHILD: "직계비속"}
_FROM |= dict.fromkeys((SIBLING, UNCLE, NEPHEW, PARENT_IN_LAW, CHILD_IN_LAW, OTHER_KIN), "기타친족") | {
    STRANGER: "타인"
}
_TO = _FROM | {PARENT: "직계비속", GRANDPARENT: "직계비속", CHILD: "직계존속", GRANDCHILD: "직계존속"}

_OUTSIDE = (
    r"비거주|해외|외국|국외|창업자금|가업|영농|농지|장애인|신탁|공익|비과세|생활비|축의금|부의금|사실혼|대습|사망|돌아가|상속(?!세\s?및)"
    r"|반환|취소|철회|저가|고가|무상|무이자|빌려|빌린|차용|보험금|수수료|연부연납|분납|가산세|이혼|위자료|재산분할|특례|전환사채|계부|계모"
    r"|새아버지|새어머니|의붓|입양|양자|[5-9]촌|당숙|주당|평당|매월|매달|매년|달마다|월\s?\d|달러|엔화|%|퍼센트|지분|각각|씩|나누어|나눠|공동|절반"
    r"|(?<![\d ])\s?(?:두|세|네|다섯)\s?(?:명|분|자녀|아들|딸|아이|손자|손주|사람)|(?:자녀|아들|딸|형제|손자|손주)\s?(?:두|둘|셋|세\s)|[2-9]\s?명|취득세|양도|명의신탁"
)
_PRIOR = re.compile(
    r"(?P<years>\d+)\s?년\s?전|(?:10|십)년\s?(?:이내|안|내|동안|간)|이전에|과거|예전에|앞서|사전\s?증여|기증여|종전|이미"
)
_DEBT = re.compile(r"채무|대출|빚|보증금|부채|융자")
_TAKEN_OVER = re.compile(r"인수|승계|떠안|끼고|안고|부담부|넘겨\s?받|넘기|갚기로")
_MARRIAGE = re.compile(r"(?:혼인|결혼|출산)[^.]{0,12}공제")
_WEDDING = re.compile(r"혼인|결혼|출산|신혼|출생")
_WEDDING_IN_TIME = re.compile(
    r"(?:혼인신고|출산|출생)(?:일|한\s?지)?\s?(?:후|뒤|전후|부터)?\s?(?:(?P<years>\d)년|(?P<months>\d+)개월)\s?(?:이내|안|후|뒤)?"
)
_OTHER_PREDICATE = re.compile(r"[가-힣](?:데|고|며|지만|면서|라서|어서|아서)(?=[\s,])")
_CLAIM = re.compile(r"세금|세액|증여세|공제|한도|까지|이하|초과|이상|미만")


@dataclass(frozen=True)
class _Mention:
    kind: str
    word: str
    role: str | None
    own: bool
    age: str | None
    start: int
    end: int


def read_gift(question: str) -> GiftCall:
    """The gift a question states.  Raises MissingFact or UnsupportedCase when it does not state one for certain."""
    question = re.sub(r"\(?가산세(?:는|를)?\s?(?:제외|빼고|별도)\)?", "", question)
    refuse_words(question, _OUTSIDE, "이 계산이 다루지 않는 사정일 수 있습니다")
    roles = _amount_roles(question)
    gift = one_amount("증여 금액", roles["amount"])
    if gift is None:
        missing("증여받은 금액")
    everyone = _mentions(question)
    giver, receiver = _giver_and_receiver(question, gift, everyone)
    relation, skip = _relation(giver, receiver)
    _refuse_third_person(question, everyone, giver, receiver)
    prior = one_amount("이전 증여", roles["prior_gifts"])
    if prior:
        start, end = sentence_at(question, prior.start)
        same = "|".join(["같은", "동일", *(person.word for person in (giver, receiver) if person)])
        if not re.search(same, question[start:end]):
            refuse("이전 증여가 같은 사람의 것인지 알 수 없습니다")
    no_prior = re.search(r"(?:증여|받은\s?(?:것|적|재산))[^.]{0,12}없", question)
    if _PRIOR.search(re.sub(r"혼인[^.]*", "", question)) and prior is None and not no_prior:
        missing("이전에 증여받은 금액")
    return GiftCall(
        tax="gift",
        amount=gift.text,
        relation=relation,
        minor=_is_minor(question, everyone, giver, receiver),
        generation_skip=skip,
        filed=_is_filed(question),
        **stated(
            marriage_birth=_marriage(question, roles["marriage_birth"]),
            debt=_text(one_amount("인수한 채무", roles["debt"])),
            prior_gifts=_text(prior),
            prior_tax=_text(one_amount("이전 증여세", roles["prior_tax"])),
            year=read_year(question),
        ),
    )


def stated_relation(question: str) -> str | None:
    """The giver's relation to the receiver where the question states it for certain, whatever else it states; else None."""
    try:
        gift = one_amount("증여 금액", _amount_roles(question)["amount"])
        if gift is None:
            return None
        return _relation(*_giver_and_receiver(question, gift, _mentions(question)))[0]
    except UnsupportedCase:  # MissingFact included
        return None


def possible_relations(question: str) -> frozenset[str]:
    """Every relation of giver to receiver that the people a question names allow, whoever of them gives; empty: no one is."""
    kinds = {
        _WORDS[found["word"]] for found in _MENTION.finditer(question) if len(found["word"]) > 1 or found["particle"]
    }
    return frozenset(relations[kind] for kind in kinds - {SELF} for relations in (_FROM, _TO))


def _text(amount: SeenAmount | None) -> str | None:
    return amount.text if amount else None


def _amount_roles(question: str) -> dict[str, list[SeenAmount]]:
    roles: dict[str, list[SeenAmount]] = {
        name: [] for name in ("amount", "prior_gifts", "prior_tax", "debt", "marriage_birth")
    }
    for amount in seen_amounts(question):
        before, around = amount.before, f"{amount.before} {amount.after}"
        if _MARRIAGE.search(before):
            roles["marriage_birth"].append(amount)
        elif "산출" in around and re.search(r"그때|당시|이전|종전", before):
            roles["prior_tax"].append(amount)
        elif _DEBT.search(before):
            if not _TAKEN_OVER.search(question):
                refuse(f"{amount.text}의 채무를 받는 사람이 인수하는지 알 수 없습니다")
            roles["debt"].append(amount)
        elif match := _PRIOR.search(before) or re.match(r"[은는이가을를]?\s?(?:이미|더\s)", amount.after):
            if match.groupdict().get("years") and int(match["years"]) >= 10:
                refuse("10년 전이나 그보다 오래된 증여의 합산 여부를 가릴 수 없습니다")
            roles["prior_gifts"].append(amount)
        elif match := _CLAIM.search(re.sub(r"증여세\s?(?:계산|질문|신고)", "", before)) or THRESHOLD.match(
            amount.after
        ):
            refuse(f"{amount.text}이(가) 증여한 금액인지 알 수 없습니다('{match[0].strip()}')")
        else:
            roles["amount"].append(amount)
    return roles


def _mentions(question: str) -> list[_Mention]:
    found = []
    for match in _MENTION.finditer(question):
        particle = (match["particle"] or "").strip()
        word = match["word"]
        # One-syllable words (형, 딸, 저) are words only with a particle; "내"/"제" alone are possessives.
        if len(word) == 1 and (not particle or (word in "내제" and particle not in ("게", "가"))):
            continue
        if match["many"] or word in ("형제", "자매"):
            refuse(f"'{match[0].strip()}'이(가) 몇 명인지 알 수 없습니다")
        role = _PARTICLES.get(particle)
        if role is None and re.search(r"증여자(?:는|가|:)?\s?$", question[: match.start()]):
            role = "from"
        kind = _WORDS[word]
        found.append(_Mention(kind, word, role, bool(match["own"]), match["age"], match.start("word"), match.end()))
    return found


def _giver_and_receiver(
    question: str, gift: SeenAmount, everyone: list[_Mention]
) -> tuple[_Mention | None, _Mention | None]:
    """The two sides of the gift; None stands for the asker."""
    start, end = sentence_at(question, gift.start)
    verb = _VERB.search(question, gift.end, end)
    if verb is None:
        labelled = [person for person in everyone if person.role == "from"]
        if len(labelled) == 1 and len(everyone) == 1:
            return labelled[0], None
        missing("누가 누구에게 증여했는지(받았는지, 주었는지)")
    receives = verb["receive"] is not None
    earlier = [match["receive"] is not None for match in _VERB.finditer(question, start, gift.start)]
    if any(kind != receives for kind in earlier):
        refuse("주는 말과 받는 말이 한 문장에 섞여 있습니다")
    people = [person for person in everyone if start <= person.start < verb.start()]
    by_role: dict[str | None, list[_Mention]] = {}
    for person in people:
        by_role.setdefault(person.role, []).append(person)
    if any(role in by_role for role in ("of", "and", None)):
        refuse(f"'{people[0].word}'이(가) 주는 사람인지 받는 사람인지 알 수 없습니다")
    dative, subject, source = (by_role.get(role, []) for role in ("dative", "subject", "from"))
    givers, receivers = (source + dative, subject) if receives else (source + subject, dative)
    if len(givers) > 1 or len(receivers) > 1:
        refuse("주는 사람이나 받는 사람이 둘 이상입니다")
    giver = givers[0] if givers and givers[0].kind != SELF else None
    receiver = receivers[0] if receivers and receivers[0].kind != SELF else None
    if giver is None and receiver is None:
        missing("증여한 사람과 받은 사람의 관계")
    if giver is None and receives:
        # "아들이 3억원을 받았다": from whom is not said.
        missing("증여한 사람")
    for person in subject:
        # "아들이 17살인데 1억원을 증여하면": the subject of another predicate, not of the gift.
        if person.kind != SELF and _OTHER_PREDICATE.search(question, person.end, verb.start()):
            refuse(f"'{person.word}'이(가) 주는 사람인지 받는 사람인지 알 수 없습니다")
    if giver and receiver and receiver.own:
        refuse(f"'{receiver.word}'이(가) 묻는 사람의 가족인지 증여한 사람의 가족인지 알 수 없습니다")
    return giver, receiver


def _relation(giver: _Mention | None, receiver: _Mention | None) -> tuple[str, bool]:
    """Relation of the giver seen from the receiver, and whether a generation is skipped."""
    if giver and receiver:
        relation = _PAIRS.get((giver.kind, receiver.kind))
        if relation is None or (giver.kind == SPOUSE and giver.word == receiver.word):
            refuse(f"'{giver.word}'와(과) '{receiver.word}'의 관계를 알 수 없습니다")
    else:
        relation = _FROM[giver.kind] if giver else _TO[receiver.kind]
    skip = relation == "직계존속" and (
        (giver is not None and giver.kind == GRANDPARENT) or (receiver is not None and receiver.kind == GRANDCHILD)
    )
    return relation, skip


def _refuse_third_person(
    question: str, everyone: list[_Mention], giver: _Mention | None, receiver: _Mention | None
) -> None:
    """A person who is neither side may change the case; the receiver may call herself 자녀."""
    known = {person.word for person in (giver, receiver) if person}
    own_name = {PARENT: CHILD, GRANDPARENT: GRANDCHILD}.get(giver.kind if giver and not receiver else "")
    for person in everyone:
        alive = person.kind == PARENT and re.match(r"[은는이가]?\s?(?:모두\s?)?(?:생존|살아)", question[person.end :])
        same = person.word.removesuffix("님") in {word.removesuffix("님") for word in known}
        if not (same or alive or person.kind in (SELF, own_name)):
            refuse(f"'{person.word}'이(가) 이 증여에서 누구인지 알 수 없습니다")


def _is_minor(question: str, everyone: list[_Mention], giver: _Mention | None, receiver: _Mention | None) -> bool:
    adult = bool(re.search(r"(?<!미)성년(?!자녀가 아)|성인", question))
    said = set()
    for match in re.finditer(r"미성년(?:자)?(?P<not>[가이는은]?\s?아[니닌님])?", question):
        said.add(not match["not"])
        attached = next((p for p in everyone if p.start >= match.end() > p.start - 6 and p.age == "미성년"), None)
        if attached and giver and attached.word == giver.word:
            refuse("미성년자가 주는 사람인지 받는 사람인지 알 수 없습니다")
    if giver is None and re.search(r"(?:저는|제가|나는|내가)\s[^.?!]*미성년", question):
        refuse("미성년자가 주는 사람인지 받는 사람인지 알 수 없습니다")
    if adult:
        said.add(False)
    for match in re.finditer(r"(?:만\s?)?(?P<age>\d{1,3})\s?(?P<unit>세|살)", question):
        owner = _owner_of_age(question, match, everyone, giver, receiver)
        age = int(match["age"])
        if owner == "receiver":
            if match["unit"] == "살" and not match[0].startswith("만") and age in (19, 20) and not adult:
                refuse(f"'{match[0]}'이 만 19세 이상인지 알 수 없습니다")
            said.add(age < 19)
        elif owner is None and age < 19:
            refuse(f"'{match[0]}'이(가) 누구의 나이인지 알 수 없습니다")
    if re.search(r"초등학생|중학생|유치원|갓난|신생아", question):
        said.add(True)
    elif not said and re.search(r"고등학생|대학생|고3|학생", question):
        refuse("학생이 미성년자인지 알 수 없습니다")
    if len(said) > 1:
        refuse("성년인지 미성년인지 서로 다르게 적혀 있습니다")
    return said == {True}


def _owner_of_age(
    question: str, match: re.Match, everyone: list[_Mention], giver: _Mention | None, receiver: _Mention | None
) -> str | None:
    """'giver' or 'receiver' whose age it is, or None when the sentence does not tell."""
    start, _ = sentence_at(question, match.start())
    attached = re.match(r"\)?(?:인|의|된|짜리)?\s?(?:미성년(?:자)?인?|성년인?|성인인?)?\s?", question[match.end() :])
    person = next((p for p in everyone if p.start == match.end() + attached.end()), None)
    if person is None:
        if re.search(r"받는\s?(?:사람|자)", question[start : match.start()]):
            return "receiver"
        subjects = [p for p in everyone if start <= p.start < match.start() and p.role == "subject"]
        person = subjects[-1] if subjects else None
    if person is None:
        return None
    if person.kind == SELF:
        return "giver" if giver is None else ("receiver" if receiver is None else None)
    if receiver and person.word == receiver.word:
        return "receiver"
    return "giver" if giver and person.word == giver.word else None


def _is_filed(question: str) -> bool:
    late = re.search(r"기한\s?후\s?신고", question)
    if late:
        refuse("기한 후 신고는 다루지 않습니다")
    no = re.search(
        r"신고(?:를|는)?\s?(?:하지|안|못)\s?(?:않|못|했|하|한)?|무신고|미신고|신고\s?없이|신고\s?기한[을이]?\s?(?:놓|넘|지[나난났])|기한이\s?지[난났]"
        r"|신고(?:하는\s?것)?[를을]?\s?(?:깜빡|까먹|잊)",
        question,
    )
    yes = re.search(
        r"기한\s?(?:내|안)(?:에|으로)?\s?(?:에\s?)?신고(?!하지|를?\s?(?:안|못))|제때\s?신고|자진\s?신고", question
    )
    if no and yes:
        refuse("신고했는지 서로 다르게 적혀 있습니다")
    return not no


def _marriage(question: str, stated_amounts: list[SeenAmount]) -> str | None:
    """The cap of 제53조의2 the question grants; None when marriage and birth are not in it."""
    amount = one_amount("혼인·출산 공제", stated_amounts)
    if amount:
        return amount.text
    if not _WEDDING.search(question):
        return None
    in_time = _WEDDING_IN_TIME.search(question)
    months = int(in_time["years"] or 0) * 12 + int(in_time["months"] or 0) if in_time else 99
    if months > 24:
        refuse("혼인·출산 증여재산공제의 요건(전후 2년 이내)에 맞는지 알 수 없습니다")
    return "1억원"
