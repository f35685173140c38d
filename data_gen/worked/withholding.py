"""Questions on 원천징수: what is paid, to whom, and for what."""

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
    "원천징수세액은 얼마인가요?",
    "소득세를 얼마나 원천징수하나요?",
    "원천징수할 세액을 계산해 주세요.",
    "얼마를 떼고 지급해야 하나요? 원천징수 소득세만 알려 주세요.",
    "원천징수되는 소득세가 궁금합니다.",
    "원천징수로 떼는 소득세는 얼마예요?",
)
# kind of the call -> sentences; the first words of each say what the payment is.
PAID = {
    "강연료": (
        "{when}일시적으로 강연을 하고 강연료 {amount}을 받습니다. {ask}",
        "외부 강사에게 {when}일회성 강연료 {amount}을 지급합니다. {ask}",
        "{when}특강 강연료로 {amount}을 받았어요. {ask}",
        "강연료 {amount}을 줄 때 {when}{ask}",
        "{when}강연료가 {amount}입니다(일시적 강연, 기타소득). {ask}",
    ),
    "원고료": (
        "{when}잡지에 글을 한 번 쓰고 원고료 {amount}을 받았습니다. {ask}",
        "{when}일시적으로 쓴 글의 원고료 {amount}을 지급합니다. {ask}",
        "원고료 {amount}을 받게 되었는데 {when}{ask}",
        "{when}기고한 원고료가 {amount}이에요. {ask}",
    ),
    "사업소득": (
        "프리랜서에게 {when}용역비 {amount}을 지급합니다. {ask}",
        "{when}프리랜서 사업소득 {amount}을 받습니다. {ask}",
        "프리랜서로 일하고 {when}{amount}을 받기로 했습니다(사업소득). {ask}",
        "{when}3.3%를 뗀다는 프리랜서 대금이 {amount}입니다. {ask}",
        "계속 일하는 프리랜서 강사에게 사업소득으로 {when}{amount}을 줍니다. {ask}",
    ),
    "복권": (
        "{when}로또에 당첨되어 당첨금이 {amount}입니다. {ask}",
        "{when}복권 당첨금 {amount}을 받습니다. {ask}",
        "복권에 당첨됐어요. 당첨금 {amount}, {when}{ask}",
        "{when}연금복권이 아닌 복권의 당첨금으로 {amount}을 받으면 {ask}",
    ),
    "이자": (
        "{when}은행 예금 이자 {amount}을 받습니다. {ask}",
        "{when}정기예금 이자가 {amount} 나왔습니다. {ask}",
        "예금이자 {amount}에서 {when}{ask}",
        "{when}적금 만기 이자 {amount}을 받으면 {ask}",
    ),
    "비영업대금": (
        "{when}지인에게 돈을 빌려주고 이자 {amount}을 받았습니다(비영업대금의 이익). {ask}",
        "{when}비영업대금의 이익으로 이자 {amount}을 받습니다. {ask}",
        "사업이 아닌 개인 간 대여의 이자(비영업대금) {amount}을 {when}지급할 때 {ask}",
    ),
    "배당": (
        "{when}주식 배당금 {amount}을 받습니다. {ask}",
        "{when}비상장회사에서 배당 {amount}을 받았어요. {ask}",
        "개인 주주에게 {when}배당금 {amount}을 지급합니다. {ask}",
        "배당소득 {amount}에 대해 {when}{ask}",
    ),
    "경쟁대회 상금": (
        "{when}경쟁 대회에서 입상해 상금 {amount}을 받았습니다. {ask}",
        "{when}공모전(순위 경쟁대회) 상금으로 {amount}을 줍니다. {ask}",
        "순위를 겨루는 대회의 상금 {amount}을 {when}받으면 {ask}",
    ),
    "기타소득": (
        "{when}필요경비가 의제되지 않는 기타소득 {amount}을 지급합니다. 실제 필요경비는 {expense}입니다. {ask}",
        "{when}기타소득 {amount}(확인되는 필요경비 {expense})을 받습니다. {ask}",
        "의제 필요경비가 없는 기타소득이 {amount}이고 실제 든 필요경비가 {expense}이면 {when}{ask}",
    ),
}
DAILY = (
    "{when}일용직에게 하루 일당 {amount}을 줍니다. {ask}",
    "{when}일용근로자 일당이 {amount}입니다. {ask}",
    "일당 {amount}인 일용근로자에게 {when}하루치를 지급합니다. {ask}",
    "{when}건설 현장 일용직 하루 일당 {amount}, {ask}",
)
DAILY_DAYS = (
    "{when}일용직에게 하루 일당 {amount}씩 {days}일치를 한꺼번에 줍니다. {ask}",
    "일용근로자 일당 {amount}, {days}일치를 {when}한 번에 지급합니다. {ask}",
    "{when}일당 {amount}짜리 일용근로자가 {days}일 일했고 한꺼번에 지급합니다. {ask}",
    "{days}일 일한 일용직의 일당은 {amount}입니다. {when}모아서 지급할 때 {ask}",
)
PENSION = (
    "{when}연금저축에서 연금 {amount}을 받습니다. 나이는 만 {age}세입니다. {life} {ask}",
    "만 {age}세이고 {when}사적연금으로 {amount}을 받아요. {life} {ask}",
    "{when}연금계좌에서 연금 {amount}을 수령합니다. 만 {age}세예요. {life} {ask}",
    "{life} {when}사적연금 수령액이 {amount}이고 받는 사람은 만 {age}세입니다. {ask}",
)
LIFETIME = ("종신계약입니다.", "사망할 때까지 받는 종신 연금이에요.")
YEAR_WHENS = ("{year}년에 ", "{year}년 중 ", "{year}년 ")
_RANGE = {
    "복권": (500_000, 5_000_000_000),
    "경쟁대회 상금": (300_000, 100_000_000),
    "사업소득": (50_000, 50_000_000),
    "이자": (50_000, 100_000_000),
    "비영업대금": (300_000, 200_000_000),
    "배당": (100_000, 300_000_000),
    "기타소득": (1_000_000, 100_000_000),
}


def draw_withholding(rng: random.Random, wordings: Wordings = EVERY_WORDING) -> Case:
    """One payment; all randomness from ``rng``."""
    facts: dict[str, object] = {}
    words: dict[str, object] = {"when": year_of_law(rng, facts, 0.35, YEAR_WHENS), "ask": pick(rng, ASKS)}
    draw = rng.random()
    if draw < 0.16:
        won, frames = _daily(rng, facts, words)
    elif draw < 0.28:
        won, frames = _pension(rng, facts, words)
    else:
        kind = facts["kind"] = pick(rng, list(PAID))
        won, frames = draw_won(rng, *_RANGE.get(kind, (100_000, 10_000_000))), PAID[kind]
        if kind == "사업소득" and facts.get("year") == 2024:
            # The day of 2024 decides whether small sums are waived; then another year is asked about.
            facts["year"] = 2025
            words["when"] = "2025년에 "
        if kind == "기타소득":
            facts["expense"] = words["expense"] = amount_words(rng, draw_won(rng, 100_000, won // 2))
    facts["amount"] = words["amount"] = amount_words(rng, won)
    return Case(sentence(*fill(pick(rng, wordings.of(frames)), **words).split(" ")), facts, won)


def _daily(rng: random.Random, facts: dict[str, object], words: dict[str, object]) -> tuple[int, tuple[str, ...]]:
    facts["kind"] = "일용근로"
    won = draw_won(rng, 100_000, 600_000)
    if chance(rng, 0.5):
        return won, DAILY
    facts["days"] = words["days"] = rng.randint(2, 25)
    return won, DAILY_DAYS


def _pension(rng: random.Random, facts: dict[str, object], words: dict[str, object]) -> tuple[int, tuple[str, ...]]:
    facts |= {"kind": "사적연금", "age": rng.randint(55, 90)}
    words |= {"age": facts["age"], "life": ""}
    if chance(rng, 0.25):
        facts["lifetime"] = True
        words["life"] = pick(rng, LIFETIME)
    return draw_won(rng, 200_000, 15_000_000), PENSION
