"""Questions on 취득세: bought, inherited, given or built; the surcharges on further homes."""

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
    with_object,
    year_of_law,
)

ASKS = (
    "취득세는 얼마인가요?",
    "취득세가 얼마나 나오나요?",
    "취득세를 계산해 주세요.",
    "취득세로 얼마를 내야 하나요?",
    "취득세 얼마예요?",
    "취득세가 궁금합니다.",
    "취득세는 얼마를 준비해야 하나요?",
    "취득세가 얼마인지 알려 주세요.",
)
FIRST_HOME = (
    "{when}{home_o} {value}에 샀습니다. 이 집이 유일한 집인 1주택입니다. {ask}",
    "무주택자인데 {when}{home_o} {value}에 매수합니다. 취득 후 1주택이 됩니다. {ask}",
    "집이 없다가 {when}처음으로 {home_o} {value}에 취득했어요. {ask}",
    "{when}{home_o} {value}에 매매로 취득합니다. 취득 후 1주택입니다. {ask}",
    "매매가 {value}인 {home_o} {when}사려고 합니다. 다른 집은 없습니다. {ask}",
    "{when}{value}짜리 {home_o} 구입하면 {ask} 현재 무주택입니다.",
    "무주택 세대입니다. {home} 매매가격은 {value}이고 {when}{ask}",
    "취득세 계산 부탁: {when}{home} 매매, {value}, 취득 후 1주택",
)
MORE_HOMES = (
    "{when}{home_o} {value}에 샀습니다. 취득 후 {homes}주택이고 {area} {ask}",
    "이미 집이 있는데 {when}{home_o} {value}에 더 샀습니다. 이 집까지 {homes}주택입니다. {area} {ask}",
    "{when}{value}에 {home_o} 매수합니다. {area} 취득하면 {homes}주택자가 됩니다. {ask}",
    "{homes}번째 집으로 {when}{home_o} {value}에 취득했습니다. {area} {ask}",
    "{area} {when}{home_o} {value}에 사면 {homes}주택이 됩니다. {ask}",
    "취득 후 세대의 주택 수는 {homes}채입니다. {when}{home_o} {value}에 샀고 {area} {ask}",
    "취득세 계산 부탁: {when}{home} 매매 {value}, 취득 후 {homes}주택. {area}",
    "저희 세대는 {when}{home_o} {value}에 취득해 {homes}주택이 되었습니다. {area} {ask}",
)
IN_AREA = ("조정대상지역에 있습니다.", "조정대상지역의 주택입니다.", "조정대상지역이에요.")
OUT_OF_AREA = ("조정대상지역이 아닙니다.", "조정대상지역 밖에 있습니다.", "비조정대상지역이에요.")
TEMPORARY = ("일시적 2주택입니다.", "이사 때문에 잠시 두 채가 되는 일시적 2주택이에요.")
COMPANY = (
    "법인이 {when}{home_o} {value}에 샀습니다. {ask}",
    "우리 법인에서 {when}{home_o} {value}에 취득했습니다. {ask}",
    "{when}법인 명의로 {home_o} {value}에 매수하면 {ask}",
    "주택을 사려는 법인입니다. {when}{home_o} {value}에 취득할 예정이에요. {ask}",
)
OTHER_BOUGHT = (
    "{when}{thing_o} {value}에 샀습니다. {ask}",
    "{when}{value}에 {thing_o} 매수했습니다. {ask}",
    "매매가 {value}인 {thing_o} {when}취득하면 {ask}",
    "{when}{thing_o} {value}에 매매로 취득하려고 합니다. {ask}",
    "{thing} 매매 {value}, {when}{ask}",
    "{when}{thing_o} {value}을 주고 구입했어요. {ask}",
)
INHERITED = (
    "{when}{thing_o} 상속으로 취득했습니다. 취득가액은 {value}입니다. {extra} {ask}",
    "{when}시가표준액 등 취득당시가액이 {value}인 {thing_o} 상속받았습니다. {extra} {ask}",
    "돌아가신 부모님의 {thing_o} {when}상속받았고 취득가액이 {value}이에요. {extra} {ask}",
    "상속받은 {thing} 취득가액이 {value}이면 {when}{ask} {extra}",
    "{thing_o} 상속 취득, {value}. {extra} {when}{ask}",
)
HEIRS_ONLY_HOME = (
    "상속인 세대는 무주택이라 1가구 1주택이 됩니다.",
    "상속으로 1가구 1주택이 되는 무주택 상속인입니다.",
)
GIVEN = (
    "{when}{thing_o} 증여로 취득했습니다. 취득가액은 {value}입니다. {ask}",
    "{when}{value} 상당의 {thing_o} 증여받아 취득했습니다. {ask}",
    "증여받은 {thing} 취득가액이 {value}이면 {when}{ask}",
    "{thing_o} 증여로 받게 됐습니다. 취득가액 {value}, {when}{ask}",
)
BUILT = (
    "{when}{thing_o} 신축했고 공사비 등 취득가액은 {value}입니다. {ask}",
    "{when}{thing_o} 새로 지어(신축) 취득가액이 {value}이 되었습니다. {ask}",
    "{thing} 신축 취득가액이 {value}일 때 {when}{ask}",
    "건물을 지었습니다. {when}{thing} 신축에 든 취득가액은 {value}이에요. {ask}",
)
HOME_WORDS = ("아파트", "주택", "빌라", "단독주택", "아파트")
OTHER = ("상가", "토지", "건물", "오피스텔", "사무실", "상가 건물")
FARM = ("농지", "논", "밭", "농지")
YEAR_WHENS = ("{year}년에 ", "{year}년 ", "{year}년 중 ")


def draw_acquisition(rng: random.Random, wordings: Wordings = EVERY_WORDING) -> Case:
    """One acquisition; all randomness from ``rng``."""
    facts: dict[str, object] = {}
    words: dict[str, object] = {
        "when": year_of_law(rng, facts, 0.35, YEAR_WHENS),
        "ask": pick(rng, ASKS),
        "extra": "",
        "area": "",
    }
    won = draw_won(rng, 210_000_000, 3_000_000_000)  # dearer than any home too cheap to be surcharged
    home = pick(rng, HOME_WORDS)
    words |= {"home": home, "home_o": with_object(home)}
    kind = rng.random()
    if kind < 0.3:
        frames = FIRST_HOME
    elif kind < 0.55:
        frames = MORE_HOMES
        facts["homes"] = words["homes"] = rng.choice((2, 2, 3, 3, 4))
        if facts["homes"] == 2 and chance(rng, 0.25):
            facts["temporary_two_homes"] = True
            words["area"] = pick(rng, TEMPORARY)
        else:
            facts["adjusted"] = chance(rng, 0.5)
            words["area"] = pick(rng, IN_AREA if facts["adjusted"] else OUT_OF_AREA)
    elif kind < 0.6:
        frames = COMPANY
        facts["company"] = True
    else:
        won = draw_won(rng, 20_000_000, 5_000_000_000)
        frames = _not_a_bought_home(rng, facts, words)
    facts["value"] = words["value"] = amount_words(rng, won)
    return Case(sentence(*fill(pick(rng, wordings.of(frames)), **words).split(" ")), facts, won)


def _not_a_bought_home(rng: random.Random, facts: dict[str, object], words: dict[str, object]) -> tuple[str, ...]:
    cause = rng.choices(("매매", "상속", "증여", "신축"), (4, 3, 2, 1))[0]
    asset = "그 밖의 부동산" if cause == "신축" else rng.choices(("그 밖의 부동산", "농지", "주택"), (5, 2, 2))[0]
    if asset == "주택" and cause != "상속":
        asset = "그 밖의 부동산"  # a bought home is drawn above; a given one turns on facts few people know
    thing = {
        "농지": pick(rng, FARM),
        "주택": pick(rng, HOME_WORDS),
        "그 밖의 부동산": "상가 건물" if cause == "신축" else pick(rng, OTHER),
    }[asset]
    words |= {"thing": thing, "thing_o": with_object(thing)}
    if cause != "매매":
        facts["cause"] = cause
    if asset != "주택":
        facts["asset"] = asset
    elif chance(rng, 0.5):
        facts["only_home"] = True
        words["extra"] = pick(rng, HEIRS_ONLY_HOME)
    return {"매매": OTHER_BOUGHT, "상속": INHERITED, "증여": GIVEN, "신축": BUILT}[cause]
