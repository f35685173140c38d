"""Questions on 종합부동산세: homes or land, the sum of the announced prices, and the credits of an only home."""

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
    "종합부동산세는 얼마인가요?",
    "종부세가 얼마나 나오나요?",
    "종합부동산세를 계산해 주세요.",
    "종부세 얼마 내야 하나요?",
    "종합부동산세로 얼마를 내야 하나요?",
    "종부세 얼마예요?",
    "종합부동산세가 얼마인지 알려 주세요.",
    "내야 할 종합부동산세가 궁금합니다.",
)
ONE_HOME = (
    "{when}1세대 1주택자이고 공시가격은 {price}입니다. {details} {ask}",
    "1세대 1주택입니다. {when}공시가격이 {price}이에요. {details} {ask}",
    "{when}공시가격 {price}인 아파트 한 채를 가진 1세대 1주택자입니다. {details} {ask}",
    "집 한 채(공시가격 {price})뿐인 1세대 1주택자예요. {details} {when}{ask}",
    "{details} {when}공시가격 {price}, 1세대 1주택자 {ask}",
    "부모님이 1세대 1주택자이십니다. {when}집의 공시가격은 {price}입니다. {details} {ask}",
    "공시가격 {price}짜리 주택을 단독으로 소유한 1세대 1주택자입니다. {details} {when}{ask}",
    "종부세 계산 부탁: {when}1세대 1주택, 공시가격 {price}. {details}",
)
HOMES = (
    "{when}주택 {homes}채를 가지고 있고 공시가격 합계가 {price}입니다. {details} {ask}",
    "{homes}주택자입니다. {when}공시가격을 모두 더하면 {price}입니다. {details} {ask}",
    "주택을 {homes}채 보유하고 있습니다. {when}공시가격 합계액은 {price}이에요. {details} {ask}",
    "{when}공시가격 합계 {price}, 주택 {homes}채. {details} {ask}",
    "제 명의로 주택이 {homes}채 있고 {when}공시가격 합계는 {price}입니다. {details} {ask}",
    "{homes}주택을 소유 중입니다. {details} {when}공시가격이 합해서 {price}일 때 {ask}",
    "{when}6월 1일 현재 집이 {homes}채이고 공시가격의 합이 {price}입니다. {details} {ask}",
    "종부세 계산 부탁: {when}{homes}주택, 공시가격 합계 {price}. {details}",
)
COMPANY = (
    "법인이 {when}주택 {homes}채를 갖고 있고 공시가격 합계가 {price}입니다. {ask}",
    "우리 법인이 보유한 주택은 {homes}채, {when}공시가격 합계는 {price}입니다. {ask}",
    "{when}법인 명의 주택 {homes}채의 공시가격 합계가 {price}이면 {ask}",
    "주택 {homes}채를 가진 법인입니다. {when}공시가격을 더하면 {price}이에요. {ask}",
)
LAND = (
    "{when}{kind}의 공시가격 합계가 {price}입니다. {details} {ask}",
    "{kind}를 가지고 있고 {when}공시가격을 모두 더하면 {price}입니다. {details} {ask}",
    "{kind} 공시가격 합계 {price}, {details} {when}{ask}",
    "{when}보유한 {kind}의 공시가격이 합해서 {price}이에요. {details} {ask}",
    "{when}6월 1일 현재 {kind}를 소유하고 있으며 공시가격 합계는 {price}입니다. {details} {ask}",
)
AGE = ("만 {age}세입니다.", "나이는 만 {age}세예요.", "소유자는 만 {age}세입니다.")
HELD = ("{held}년 보유했습니다.", "보유기간은 {held}년입니다.", "{held}년 동안 갖고 있었습니다.")
CREDIT = (
    "공제할 재산세액은 {credit}입니다.",
    "공제되는 재산세는 {credit}이에요.",
    "종부세에서 공제할 재산세액이 {credit}입니다.",
)
YEAR_WHENS = ("{year}년 ", "{year}년 6월 1일 기준 ", "{year}년에 ")


def draw_holding(rng: random.Random, wordings: Wordings = EVERY_WORDING) -> Case:
    """What one owner holds on 1 June; all randomness from ``rng``."""
    facts: dict[str, object] = {}
    words: dict[str, object] = {"when": year_of_law(rng, facts, 0.4, YEAR_WHENS), "ask": pick(rng, ASKS)}
    kind = rng.random()
    won = draw_won(rng, 400_000_000, 9_000_000_000)
    details = []
    if kind < 0.4:
        frames = ONE_HOME
        won = draw_won(rng, 900_000_000, 6_000_000_000)
        facts["one_home"] = True
        if chance(rng, 0.6):
            facts["age"] = words["age"] = rng.randint(35, 85)
            details.append(fill(pick(rng, AGE), age=facts["age"]))
        if chance(rng, 0.6):
            facts["held_years"] = words["held"] = rng.randint(1, 25)
            details.append(fill(pick(rng, HELD), held=facts["held_years"]))
    elif kind < 0.75:
        frames = HOMES
        facts["homes"] = words["homes"] = rng.randint(2, 6)
    elif kind < 0.83:
        frames = COMPANY
        facts |= {"company": True, "homes": rng.randint(2, 5)}
        words["homes"] = facts["homes"]
    else:
        frames = LAND
        facts["kind"] = words["kind"] = pick(rng, ("종합합산 토지", "별도합산 토지"))
        if facts["kind"] == "별도합산 토지":
            won = draw_won(rng, 5_000_000_000, 80_000_000_000)
    facts["official_price"] = words["price"] = amount_words(rng, won)
    if frames is not COMPANY and chance(rng, 0.3):
        facts["property_tax_credit"] = amount_words(rng, draw_won(rng, 100_000, max(won // 800, 200_000)))
        details.append(fill(pick(rng, CREDIT), credit=facts["property_tax_credit"]))
    rng.shuffle(details)
    question = fill(pick(rng, wordings.of(frames)), details=" ".join(details), **words)
    return Case(sentence(*question.split(" ")), facts, won)
