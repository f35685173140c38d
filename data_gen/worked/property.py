"""Questions on 재산세: one home, or land and buildings, on 1 June."""

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
    "재산세는 얼마인가요?",
    "재산세가 얼마나 나오나요?",
    "재산세를 계산해 주세요.",
    "재산세로 얼마를 내야 하나요?",
    "재산세 얼마예요?",
    "재산세가 얼마인지 알려 주세요.",
    "재산세가 궁금합니다.",
)
HOME = (
    "{when}공시가격이 {price}인 주택이 있습니다. {only} {details} {ask}",
    "{when}집의 공시가격은 {price}입니다. {only} {details} {ask}",
    "{only} {when}아파트 공시가격이 {price}이에요. {details} {ask}",
    "공시가격 {price}짜리 아파트입니다. {only} {details} {when}{ask}",
    "{when}주택 시가표준액이 {price}입니다. {only} {details} {ask}",
    "재산세 계산 부탁: {when}주택 공시가격 {price}. {only} {details}",
    "{when}6월 1일에 공시가격 {price}인 집을 갖고 있었습니다. {only} {details} {ask}",
    "주택 공시가격 {price}, {only} {details} {when}{ask}",
)
ONLY = (
    "1세대 1주택입니다.",
    "1세대 1주택자예요.",
    "저희 세대의 유일한 집이라 1세대 1주택입니다.",
    "1세대 1주택에 해당합니다.",
)
# As many words for one as for the other: where "아닙니다" is rare, a small student reads every "1세대 1주택" as a yes.
NOT_ONLY = (
    "1세대 1주택이 아닙니다.",
    "1세대 1주택은 아니에요.",
    "다른 집도 있어 1세대 1주택이 아닙니다.",
    "집이 두 채라 1세대 1주택자가 아닙니다.",
    "1세대 1주택에 해당하지 않습니다.",
)
OTHER = (
    "{when}{kind}의 시가표준액이 {price}입니다. {details} {ask}",
    "{kind} 시가표준액 {price}에 대한 {when}재산세를 계산해 주세요. {details}",
    "{when}시가표준액이 {price}인 {kind}을(를) 소유하고 있습니다. {details} {ask}",
    "{when}{kind}: 시가표준액 {price}. {details} {ask}",
    "보유한 {kind}의 시가표준액은 {price}이에요. {details} {when}{ask}",
    "재산세 계산 부탁: {when}{kind}, 시가표준액 {price}. {details}",
)
KINDS = ("건축물", "종합합산 토지", "별도합산 토지", "분리과세 농지·임야", "주거지역 공장", "건축물")
URBAN = ("재산세 도시지역분 적용 지역입니다.", "도시지역분도 함께 내는 지역이에요.", "도시지역분을 포함해 주세요.")
YEAR_WHENS = ("{year}년 ", "{year}년 6월 1일 기준 ", "{year}년에 ")


def draw_property(rng: random.Random, wordings: Wordings = EVERY_WORDING) -> Case:
    """One property; all randomness from ``rng``."""
    facts: dict[str, object] = {}
    words: dict[str, object] = {"when": year_of_law(rng, facts, 0.35, YEAR_WHENS), "ask": pick(rng, ASKS)}
    won = draw_won(rng, 30_000_000, 3_000_000_000)
    frames = HOME
    if chance(rng, 0.65):
        only = chance(rng, 0.5)
        if only:
            facts["only_home"] = True
        words["only"] = pick(rng, ONLY if only else NOT_ONLY)
    else:
        frames = OTHER
        facts["kind"] = words["kind"] = pick(rng, KINDS)
    words["details"] = ""
    if chance(rng, 0.3):
        facts["urban"] = True
        words["details"] = pick(rng, URBAN)
    facts["official_price"] = words["price"] = amount_words(rng, won)
    return Case(sentence(*fill(pick(rng, wordings.of(frames)), **words).split(" ")), facts, won)
