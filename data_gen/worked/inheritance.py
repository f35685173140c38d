"""Questions on inheritance tax: the estate, who survives, and what is taken off."""

from __future__ import annotations

import random

from data_gen.worked.words import (
    EVERY_WORDING,
    Case,
    Wordings,
    amount_words,
    chance,
    draw_won,
    fill,
    pick,
    sentence,
    year_of_law,
)

ASKS = (
    "상속세는 얼마인가요?",
    "상속세가 얼마나 나오나요?",
    "내야 할 상속세를 계산해 주세요.",
    "상속세로 얼마를 내야 하나요?",
    "납부할 상속세가 궁금합니다.",
    "상속세 얼마예요?",
    "상속세 얼마 나와요?",
    "상속세가 얼마인지 알려 주세요.",
    "상속세 납부세액을 구해 주세요.",
)
DEAD = ("아버지가", "어머니가", "아버지께서", "어머니께서", "부친이", "모친이", "남편이", "아내가")
FRAMES = (
    "{when}{dead} 돌아가셨고 상속재산은 {estate}입니다. {heirs} {details} {ask}",
    "{when}{dead} 돌아가셔서 {estate}을 상속받게 되었습니다. {heirs} {details} {ask}",
    "{when}상속재산이 {estate}입니다. {heirs} {details} {ask}",
    "상속재산가액 {estate}, {heirs} {details} {when}{ask}",
    "{heirs} {when}{dead} 남기신 상속재산은 모두 {estate}입니다. {details} {ask}",
    "{when}{dead} 별세하셨습니다. 유산이 {estate} 있습니다. {heirs} {details} {ask}",
    "상속세 신고를 준비하고 있습니다. {when}상속재산은 {estate}이고, {heirs} {details} {ask}",
    "{when}{dead} 사망하여 총상속재산가액이 {estate}이에요. {heirs} {details} {ask}",
    "상속세 계산 부탁: {when}상속재산 {estate}. {heirs} {details}",
    "부동산과 예금을 합쳐 {when}{estate}을 상속받습니다. {heirs} {details} {ask}",
    "{when}{estate} 상당의 재산을 물려받게 됐어요. {heirs} {details} {ask}",
    "{details} {heirs} {when}상속재산이 {estate}일 때 {ask}",
)
WITH_SPOUSE = (
    "상속인은 배우자와 자녀 {children}명이고 배우자가 {share}을 받습니다.",
    "배우자와 자녀 {children}명이 상속인이며, 배우자가 실제로 상속받는 금액은 {share}입니다.",
    "가족은 배우자와 자녀 {children}명입니다. 배우자는 {share}을 상속받습니다.",
    "배우자 상속분은 {share}이고 자녀는 {children}명입니다.",
)
SPOUSE_UNKNOWN = (
    "상속인은 배우자와 자녀 {children}명입니다.",
    "배우자와 자녀 {children}명이 함께 상속받습니다.",
    "배우자와 자녀 {children}명이 있습니다.",
)
CHILDREN_ONLY = (
    "배우자는 없고 상속인은 자녀 {children}명입니다.",
    "배우자는 먼저 세상을 떠났고 자녀 {children}명이 상속인입니다.",
    "상속인은 자녀 {children}명뿐입니다(배우자 없음).",
    "배우자 없이 자녀 {children}명이 상속받습니다.",
)
DEBT = (
    "고인의 채무가 {debt} 있습니다.",
    "빚은 {debt}입니다.",
    "갚아야 할 은행 대출이 {debt} 남아 있습니다.",
    "채무 {debt}이 확인됩니다.",
)
FUNERAL = ("장례비용은 {funeral}입니다.", "장례비로 {funeral}을 썼습니다.", "장례에 {funeral}이 들었습니다.")
CHARGES = ("공과금 {charges}이 있습니다.", "고인이 내지 못한 공과금이 {charges}입니다.")
FINANCIAL = (
    "그중 순금융재산은 {financial}입니다.",
    "순금융재산가액은 {financial}이에요.",
    "예금에서 금융채무를 뺀 순금융재산이 {financial}입니다.",
)
HOUSE = (
    "동거주택 상속공제 대상 주택가액은 {house}입니다.",
    "동거주택 상속공제를 받을 집의 가액이 {house}이에요.",
)
NOT_FILED = ("상속세 신고를 하지 않았습니다.", "신고를 못 한 채 기한이 지났습니다.")
LATE = ("기한이 지난 뒤에 신고했습니다.", "신고기한을 넘겨 기한 후 신고를 합니다.")
YEAR_WHENS = ("{year}년에 ", "{year}년 ", "{year}년 중 ")


def draw_inheritance(rng: random.Random, wordings: Wordings = EVERY_WORDING) -> Case:
    """One death; all randomness from ``rng``."""
    won = draw_won(rng, 500_000_000, 10_000_000_000)
    facts: dict[str, object] = {"estate": amount_words(rng, won)}
    when = year_of_law(rng, facts, 0.35, YEAR_WHENS)
    heirs = _heirs(rng, facts, won)
    details = _details(rng, facts, won)
    question = fill(
        pick(rng, wordings.of(FRAMES)),
        when=when,
        dead=pick(rng, DEAD[:6] if facts.get("spouse") is None else DEAD),
        estate=facts["estate"],
        heirs=heirs,
        details=" ".join(details),
        ask=pick(rng, ASKS),
    )
    return Case(sentence(*question.split(" ")), facts, won)


def _heirs(rng: random.Random, facts: dict[str, object], won: int) -> str:
    children = facts["children"] = rng.randint(1, 4)
    if chance(rng, 0.35):
        return fill(pick(rng, CHILDREN_ONLY), children=children)
    facts["spouse"] = True
    if chance(rng, 0.25):
        return fill(pick(rng, SPOUSE_UNKNOWN), children=children)
    share = amount_words(rng, draw_won(rng, won // 10, won * 6 // 10))
    facts["spouse_receives"] = share
    return fill(pick(rng, WITH_SPOUSE), children=children, share=share)


def _details(rng: random.Random, facts: dict[str, object], won: int) -> list[str]:
    details = []

    def state(key: str, word: str, probability: float, low: int, high: int, lines: tuple[str, ...]) -> None:
        if chance(rng, probability):
            facts[key] = amount_words(rng, draw_won(rng, low, max(high, low + 1)))
            details.append(fill(pick(rng, lines), **{word: facts[key]}))

    state("debt", "debt", 0.3, 10_000_000, won // 3, DEBT)
    state("funeral", "funeral", 0.3, 2_000_000, 25_000_000, FUNERAL)
    state("public_charges", "charges", 0.08, 300_000, 30_000_000, CHARGES)
    state("net_financial", "financial", 0.2, 5_000_000, won // 3, FINANCIAL)
    state("cohabited_house", "house", 0.08, 200_000_000, won // 2, HOUSE)
    rng.shuffle(details)
    if chance(rng, 0.08):
        facts["filed"] = False
        details.append(pick(rng, NOT_FILED))
    elif chance(rng, 0.05):
        facts["late"] = True
        details.append(pick(rng, LATE))
    return details
