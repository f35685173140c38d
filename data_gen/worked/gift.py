"""Gift tax questions: who gave, who asks, and in which words.  Each fact of the call is stated, or is the call's default.

The relation is the giver seen from the receiver, so "아들에게 주려고 합니다" is 직계존속: those wordings are here on purpose.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from data_gen.worked.words import (
    EVERY_WORDING,
    Case,
    Wordings,
    amount_words,
    chance,
    draw_won,
    fill,
    from_whom,
    pick,
    sentence,
    subject,
    topic,
)
from taxlaw.calculators import GiftFacts, gift_tax
from taxlaw.calculators.tables import FIRST_YEAR, LAST_YEAR

# Who gave to the asker: (word, relation, 세대생략, spoken of with honorifics).
GIVERS = (
    *(("부모님", "직계존속", False, True),) * 3,
    *((word, "직계존속", False, True) for word in ("아버지", "어머니", "아버님", "어머님", "친정어머니", "친정아버지")),
    *((word, "직계존속", False, False) for word in ("아빠", "엄마")),
    *((word, "직계존속", True, True) for word in ("할머니", "할아버지", "외할머니", "외할아버지", "조부모님")),
    *((word, "배우자", False, False) for word in ("남편", "아내", "배우자", "남편", "아내")),
    # Twice: a small student takes every gift in the family for one from above until it has seen many from below.
    *((word, "직계비속", False, False) for word in ("아들", "딸", "자녀", "큰아들", "막내딸", "손자", "손녀") * 2),
    *(
        (word, "기타친족", False, False)
        for word in ("이모", "고모", "삼촌", "외삼촌", "형", "누나", "오빠", "언니", "동생")
    ),
    *((word, "기타친족", False, True) for word in ("시어머니", "시아버지", "장인어른", "장모님") * 2),
    *((word, "기타친족", False, False) for word in ("사위", "며느리", "조카", "남동생", "여동생")),
    *(
        (word, "타인", False, False)
        for word in ("친구", "지인", "직장 동료", "여자친구", "남자친구", "이웃", "아는 선배")
    ),
)
# To whom the asker gives: (word, relation of the giver seen from the receiver, 세대생략).
RECEIVERS = (
    *((word, "직계존속", False) for word in ("아들", "딸", "자녀", "큰딸", "막내아들", "아들", "딸")),
    *((word, "직계존속", True) for word in ("손자", "손녀", "외손자", "외손녀")),
    *((word, "배우자", False) for word in ("아내", "남편", "배우자")),
    *((word, "직계비속", False) for word in ("부모님", "아버지", "어머니") * 2),
    *((word, "기타친족", False) for word in ("조카", "사위", "며느리", "동생", "형", "누나")),
    *((word, "타인", False) for word in ("친구", "지인", "여자친구", "남자친구")),
)
THINGS = (
    *("{amount}을",) * 6,
    "현금 {amount}을",
    "예금 {amount}을",
    "{amount} 상당의 상장주식을",
    "{amount}어치 주식을",
)
PROPERTY = (
    "시가 {amount}인 아파트를",
    "시가 {amount}짜리 아파트를",
    "{amount} 상당의 토지를",
    "평가액 {amount}인 상가를",
)
# With a debt the gift must be property that carries one.
THINGS_WITH_DEBT = (
    "시가 {amount}인 아파트를",
    "{amount}짜리 아파트를",
    "평가액 {amount}인 상가를",
    "시가 {amount}인 주택을",
)

ASKS = (
    "증여세는 얼마인가요?",
    "증여세는 얼마인가요?",
    "증여세가 얼마나 나오나요?",
    "내야 할 증여세를 계산해 주세요.",
    "증여세로 얼마를 내야 하나요?",
    "납부할 증여세가 궁금합니다.",
    "증여세 얼마 나와요?",
    "증여세가 얼마나 되는지 알려 주세요.",
    "증여세 납부세액을 구해 주세요.",
    "증여세는 어떻게 계산되나요?",
    "실제로 내는 증여세는 얼마예요?",
    "증여세 얼마야?",
)
# Done and planned gifts have their own frames: nobody has missed the deadline of a gift not yet made.
RECEIVED = (
    "{when}{source} {thing} 증여받았는데 {ask}",
    "{when}{source} {thing} 증여받았는데 {ask}",
    "{when}{source} {thing} 증여받았습니다. {details} {ask}",
    "{when}{source} {thing} 받았어요. {details} {ask}",
    "안녕하세요, {when}{source} {thing} 증여받았어요. {details} {ask}",
    "직장인입니다. {when}{source} {thing} 증여받았습니다. {details} {ask}",
    "{when}{giver_does} 저에게 {thing} 증여했습니다. {details} {ask}",
    "{when}{giver_does} 제게 {thing} 주셨습니다. {details} 이때 {ask}",
    "{when}{giver_does} {thing} 증여해 주셨는데, {details} {ask}",
    "증여세 질문드립니다. {when}{source} {thing} 증여받았습니다. {details} {ask}",
    "혼자 신고해 보려고 합니다. {when}{source} {thing} 받았을 때 {ask} {details}",
    "{details} {when}{source} {thing} 증여받은 경우 {ask}",
    "증여세는 처음이라 잘 모르겠습니다. {when}{source} {thing} 받았습니다. {details} {ask}",
    "집을 사는 데 보태라고 {when}{giver_does} {thing} 주셨어요. {details} {ask}",
)
TO_RECEIVE = (
    "{when}{source} {thing} 증여받으면 {ask}",
    "{when}{source} {thing} 증여받게 되었습니다. {details} {ask}",
    "집을 사려는데 {when}{source} {thing} 증여받기로 했습니다. {details} {ask}",
    "{when}{giver_does} 저에게 {thing} 증여하려고 합니다. {details} {ask}",
    "{when}{source} {thing} 받을 예정이에요. {details} {ask}",
)
# Frames that thank an elder ("주셨습니다") do not suit a child or a friend; a minor has no job and buys no house.
ELDER_ONLY = tuple(frame for frame in RECEIVED if "주셨" in frame)
ADULT_ONLY = tuple(frame for frame in (*RECEIVED, *TO_RECEIVE) if frame.startswith(("집을", "직장인", "혼자")))
TERSE = (
    "{when}{giver}에게서 {amount} 증여, 증여세?",
    "{when}{giver}한테 {amount} 받음. 증여세 계산해 줘. {details}",
    "{when}{giver}한테서 {amount} 증여받음. {details} 증여세 얼마?",
    "증여세 계산 부탁: {when}{giver}에게서 {amount} 증여받음. {details}",
)
GIVEN = (
    "{when}{receiver}에게 {thing} 증여했습니다. {details} {ask}",
    "{when}{receiver}에게 {thing} 증여했는데 {ask}",
    "제가 {when}{receiver}에게 {thing} 증여했어요. {details} {ask}",
    "{when}{receiver} 앞으로 {thing} 증여했습니다. {details} {ask}",
)
TO_GIVE = (
    "{when}{receiver}에게 {thing} 증여하려고 합니다. {details} {ask}",
    "{when}{receiver}에게 {thing} 증여하면 {ask}",
    "제가 {receiver}에게 {when}{thing} 증여하는 경우 {ask} {details}",
    "{receiver} 앞으로 {when}{thing} 증여할 생각입니다. {details} {ask}",
    "{when}{receiver}한테 {thing} 물려주려는데, {details} {ask}",
)
WHENS = ("", "", "", "", "올해 ", "이번에 ", "최근 ", "얼마 전 ")
PLANNED_WHENS = ("", "", "올해 ", "이번에 ")
YEAR_WHENS = ("{year}년에 ", "{year}년에 ", "{year}년 {month}월에 ", "{year}년 중 ")

FILED = ("신고는 기한 안에 했습니다.", "기한 내 신고를 마쳤습니다.", "신고기한 내에 신고했습니다.")
WILL_FILE = ("신고기한 내에 신고합니다.", "제때 신고할 예정입니다.", "기한 안에 신고하려고 합니다.")
NOT_FILED = (
    "신고기한을 놓쳤습니다.",
    "기한 안에 신고하지 못했습니다.",
    "아직 신고하지 않았고 기한이 지났습니다.",
    "증여세 신고를 하지 않았습니다.",
)
MINOR_SELF = (
    "저는 미성년자입니다.",
    "저는 만 {age}세 미성년자입니다.",
    "저는 미성년자인 고등학생입니다.",
    "받는 사람인 저는 만 {age}세입니다.",
)
ADULT_SELF = ("저는 성인입니다.", "저는 만 {adult}세입니다.", "저는 {adult}살 성인이에요.", "성년인 자녀입니다.")
MINOR_OTHER = (
    "{receiver_is} 미성년자입니다.",
    "{receiver_is} 만 {age}세 미성년자입니다.",
    "받는 사람은 만 {age}세입니다.",
)
DEBT = (
    "전세보증금 {debt}을 제가 떠안는 조건입니다.",
    "담보대출 {debt}을 함께 인수했습니다.",
    "은행 대출 {debt}을 제가 갚기로 하고 넘겨받았습니다.",
    "임대보증금 {debt}을 승계하는 부담부증여입니다.",
)
DEBT_OTHER = (
    "전세보증금 {debt}을 함께 넘기는 조건입니다.",
    "임대보증금 {debt}을 승계하는 부담부증여입니다.",
    "받는 사람이 담보대출 {debt}을 인수합니다.",
)
PRIOR = (
    "그보다 {years}년 전에도 같은 사람에게서 {prior}을 증여받았습니다.",
    "그보다 {years}년 전에 {giver}에게서 {prior}을 이미 증여받은 적이 있습니다.",
    "10년 이내에 같은 사람에게서 받은 증여가 {prior} 더 있습니다.",
    "그 전 10년 안에 {giver}에게서 {prior}을 증여받은 적이 있어요.",
)
PRIOR_TAX = ("그때 증여세 산출세액은 {prior_tax}이었습니다.", "당시 산출세액은 {prior_tax}입니다.")
MARRIAGE = (
    "혼인신고를 해서 혼인 증여재산공제 {marriage}을 적용받으려고 합니다.",
    "결혼하면서 받은 돈이라 혼인공제 {marriage}도 적용됩니다.",
    "아이가 태어나 출산 증여재산공제 {marriage}을 쓰려고 합니다.",
    "혼인·출산 공제로 {marriage}을 쓸 수 있습니다.",
)
# The predecessor's showcase and its neighbours always take part: the question people try first.
SHOWCASE_SHARE = 0.03


def draw_gift(rng: random.Random, wordings: Wordings = EVERY_WORDING) -> Case:
    """One case of gift tax; all randomness from ``rng``."""
    if chance(rng, SHOWCASE_SHARE):
        return _showcase(rng, wordings)
    return _given(rng, wordings) if chance(rng, 0.25) else _received(rng, wordings)


def _showcase(rng: random.Random, wordings: Wordings) -> Case:
    amount = pick(rng, ["20억원", "20억원", "20억 원", "20억", "2,000,000,000원"])
    giver = pick(rng, ["부모님", "부모님", "아버지", "어머니"])
    source = pick(rng, [f"{giver}께", f"{giver}에게", from_whom(giver), f"{giver}한테"])
    frame = pick(rng, [frame for frame in wordings.of(RECEIVED) if "{giver_does}" not in frame])
    question = _fill(frame, "", source=source, thing=f"{amount}을", ask=pick(rng, ASKS), when=pick(rng, WHENS))
    return Case(question, {"amount": amount, "relation": "직계존속"}, 2_000_000_000)


def _received(rng: random.Random, wordings: Wordings) -> Case:
    giver, relation, skip, elder = pick(rng, GIVERS)
    terse, planned = chance(rng, 0.12), chance(rng, 0.25)
    frames = TERSE if terse else TO_RECEIVE if planned else RECEIVED
    minor = relation == "직계존속" and chance(rng, 0.18)
    traits = Traits(relation, skip, minor, planned and not terse, giver, debt_allowed=not terse)
    facts, words, details, won = _facts(rng, traits)
    if minor:
        details.insert(0, fill(pick(rng, MINOR_SELF), age=rng.randint(5, 17)))
    elif relation == "직계존속" and chance(rng, 0.25):
        details.insert(0, fill(pick(rng, ADULT_SELF), adult=rng.randint(20, 55)))
    barred = (*(() if elder else ELDER_ONLY), *(ADULT_ONLY if minor or "filed" in facts else ()))
    forms = [f"{giver}한테서", f"{giver}에게", from_whom(giver), f"{giver}에게서", f"{giver}한테"]
    question = _fill(
        pick(
            rng,
            [frame for frame in wordings.of(frames) if frame not in barred and (not details or "{details}" in frame)],
        ),
        " ".join(details),
        giver=giver,
        source=pick(rng, [*forms, f"{giver}께", f"{giver}께"] if elder else forms),
        giver_does=f"{giver}께서" if elder and chance(rng, 0.6) else subject(giver),
        ask=pick(rng, ASKS),
        **words,
    )
    return Case(question, facts, won)


def _given(rng: random.Random, wordings: Wordings) -> Case:
    receiver, relation, skip = pick(rng, RECEIVERS)
    planned = chance(rng, 0.6)
    # An asker's own son or grandchild may be a minor; the age of a spouse, a parent or a nephew does not matter.
    minor = relation == "직계존속" and chance(rng, 0.3)
    facts, words, details, won = _facts(rng, Traits(relation, skip, minor, planned, None, debt_allowed=True))
    if minor:
        details.insert(0, fill(pick(rng, MINOR_OTHER), receiver_is=topic(receiver), age=rng.randint(5, 17)))
    frames = [frame for frame in wordings.of(TO_GIVE if planned else GIVEN) if not details or "{details}" in frame]
    question = _fill(pick(rng, frames), " ".join(details), receiver=receiver, ask=pick(rng, ASKS), **words)
    return Case(question, facts, won)


@dataclass(frozen=True)
class Traits:
    """What is settled before the amounts are drawn.  ``giver`` is None when the asker gives; ``planned``: not yet made."""

    relation: str
    skip: bool
    minor: bool
    planned: bool
    giver: str | None
    debt_allowed: bool


def _facts(rng: random.Random, traits: Traits) -> tuple[dict[str, object], dict[str, str], list[str], int]:
    """Facts of the call, the words that state them, the sentences that state the rarer ones, and the gift in won."""
    relation, giver, planned = traits.relation, traits.giver, traits.planned
    won = draw_won(rng, 8_000_000, 6_000_000_000)
    amount = amount_words(rng, won)
    facts: dict[str, object] = {"amount": amount, "relation": relation}
    facts |= {"generation_skip": True} if traits.skip else {}
    facts |= {"minor": True} if traits.minor else {}
    details: list[str] = []
    when = pick(rng, PLANNED_WHENS if planned else WHENS)
    if not planned and chance(rng, 0.35):
        facts["year"] = rng.randint(FIRST_YEAR, LAST_YEAR)
        when = fill(pick(rng, YEAR_WHENS), year=facts["year"], month=rng.randint(1, 6))
    thing = pick(rng, (*THINGS, *PROPERTY) if won >= 100_000_000 else THINGS)
    if traits.debt_allowed and won >= 200_000_000 and chance(rng, 0.12):
        facts["debt"] = amount_words(rng, draw_won(rng, won // 10, won * 6 // 10))
        thing = pick(rng, THINGS_WITH_DEBT)
        details.append(fill(pick(rng, DEBT if giver else DEBT_OTHER), debt=facts["debt"]))
    # Earlier gifts with 세대생략 need the earlier surcharge (시행령 제46조의3): the calculator refuses, so none is asked.
    if giver and not traits.skip and chance(rng, 0.14):
        details += _prior(rng, facts, giver)
    if relation == "직계존속" and giver and not traits.minor and chance(rng, 0.1):
        facts["marriage_birth"] = amount_words(rng, pick(rng, [100_000_000, 100_000_000, 50_000_000, 70_000_000]))
        details.append(fill(pick(rng, MARRIAGE), marriage=facts["marriage_birth"]))
    if not planned and chance(rng, 0.2):
        facts["filed"] = False
        details.append(pick(rng, NOT_FILED))
    elif chance(rng, 0.15):
        details.append(pick(rng, WILL_FILE if planned else FILED))
    return facts, {"thing": fill(thing, amount=amount), "amount": amount, "when": when}, details, won


def _prior(rng: random.Random, facts: dict[str, object], giver: str) -> list[str]:
    """Earlier gifts of the same giver; their tax is stated only where there was one, and then as the law has it."""
    prior_won = draw_won(rng, 10_000_000, 800_000_000)
    facts["prior_gifts"] = amount_words(rng, prior_won)
    lines = [fill(pick(rng, PRIOR), years=rng.randint(2, 9), giver=giver, prior=facts["prior_gifts"])]
    # Any year of the tables will do: the brackets of gift tax (제56조, 제26조) are the same in all of them.
    earlier = GiftFacts(prior_won, str(facts["relation"]), FIRST_YEAR, minor=bool(facts.get("minor")))
    prior_tax = gift_tax(earlier).calculated_tax
    if prior_tax and chance(rng, 0.5):
        facts["prior_tax"] = amount_words(rng, prior_tax)
        lines.append(fill(pick(rng, PRIOR_TAX), prior_tax=facts["prior_tax"]))
    return lines


def _fill(frame: str, details: str, **words: str) -> str:
    return sentence(*fill(frame, details=details, **words).split(" "))
