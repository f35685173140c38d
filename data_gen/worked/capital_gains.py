"""Questions on selling property: what was sold, for how much, how long it was held and what else the household owned."""

from __future__ import annotations

import datetime
import random

from data_gen.worked.words import (
    EVERY_WORDING,
    MAN,
    Case,
    Wordings,
    amount_words,
    chance,
    day_words,
    draw_day,
    draw_won,
    fill,
    pick,
    sentence,
    with_object,
    year_of_law,
)
from taxlaw.calculators.tables import FIRST_YEAR, LAST_YEAR

ASKS = (
    "양도소득세는 얼마인가요?",
    "양도소득세가 얼마나 나오나요?",
    "내야 할 양도소득세를 계산해 주세요.",
    "양도소득세로 얼마를 내야 하나요?",
    "양도세 얼마예요?",
    "양도세가 얼마나 나올까요?",
    "양도소득세 산출세액을 구해 주세요.",
    "양도소득세가 궁금합니다.",
)
# (asset of the call, words for it)
THINGS = {
    "주택": ("아파트", "주택", "빌라", "집", "단독주택", "아파트"),
    "토지": ("토지", "땅", "사업용 토지", "대지"),
    "비사업용 토지": ("비사업용 토지", "비사업용 토지인 임야", "비사업용 토지인 나대지"),
    "건물": ("상가", "상가 건물", "건물", "사무실"),
    "분양권": ("분양권", "아파트 분양권"),
    "조합원입주권": ("조합원입주권", "재건축 조합원입주권"),
}
SHARES = {"주택": 60, "토지": 10, "비사업용 토지": 9, "건물": 11, "분양권": 6, "조합원입주권": 4}
HELD = (
    "{bought}에 산 {thing_o} {when}{sold}에 팔았습니다. {expenses} {held} {details} {ask}",
    "{when}{thing_o} {sold}에 양도했습니다. 취득가액은 {bought}입니다. {expenses} {held} {details} {ask}",
    "취득가액 {bought}, 양도가액 {sold}인 {thing}입니다. {expenses} {held} {details} {when}{ask}",
    "{when}{thing_o} {sold}에 팔려고 합니다. {bought}에 샀고 {held} {expenses} {details} {ask}",
    "{thing_o} {bought}에 취득해서 {when}{sold}에 매도했어요. {held} {expenses} {details} {ask}",
    "{held} {when}{thing_o} 팔아서 {sold}을 받았습니다. 살 때는 {bought}이었어요. {expenses} {details} {ask}",
    "{thing} 양도가액 {sold} / 취득가액 {bought} / {held} {expenses} {details} {when}{ask}",
    "{when}{thing_o} 처분했습니다. 양도가액은 {sold}, 취득가액은 {bought}입니다. {held} {expenses} {details} {ask}",
    "부동산을 처음 팔아 봅니다. {when}{thing_o} {sold}에 팔았고 취득가액은 {bought}입니다. {expenses} {held} {details} {ask}",
    "{bought}에 취득한 {thing_o} {sold}에 매각하면 {when}{ask} {held} {expenses} {details}",
    "양도소득세 계산 부탁: {thing}, {when}양도가액 {sold}, 취득가액 {bought}. {held} {expenses} {details}",
    "{details} {held} {thing_o} {bought}에 사서 {when}{sold}에 파는 경우 {ask} {expenses}",
)
DATED = (
    "{acquired}에 {bought}을 주고 산 {thing_o} {sold_on}에 {sold}에 팔았습니다. {expenses} {details} {ask}",
    "{thing_o} {acquired}에 {bought}에 취득해 {sold_on}에 {sold}에 양도했습니다. {expenses} {details} {ask}",
    "취득일 {acquired}, 취득가액 {bought}, 양도일 {sold_on}, 양도가액 {sold}인 {thing}입니다. {expenses} {details} {ask}",
    "{sold_on}에 {thing_o} {sold}에 팔았어요. {acquired}에 {bought}에 산 것입니다. {expenses} {details} {ask}",
    "{thing}: {acquired} 취득({bought}), {sold_on} 양도({sold}). {expenses} {details} {ask}",
)
HELD_WORDS = (
    "보유기간은 {years}년입니다.",
    "{years}년 보유했습니다.",
    "{years}년 동안 가지고 있었습니다.",
    "보유기간이 {years}년이에요.",
    "{years}년 넘게 갖고 있었습니다.",
)
UNDER_ONE = ("보유기간은 1년이 안 됩니다.", "산 지 1년이 안 되었습니다.", "1년 미만 보유했습니다.")
EXPENSES = (
    "필요경비는 {expenses}입니다.",
    "중개수수료와 취득세 등 필요경비가 {expenses} 들었습니다.",
    "인정되는 필요경비는 {expenses}이에요.",
)
ONE_HOME = (
    "1세대 1주택입니다.",
    "1세대 1주택자예요.",
    "저희 세대에는 이 집 한 채뿐인 1세대 1주택입니다.",
    "1세대 1주택 비과세 대상입니다.",
)
LIVED = ("거주기간은 {lived}년입니다.", "그 집에서 {lived}년 살았습니다.", "실제로 {lived}년 거주했습니다.")
NEVER_LIVED = ("거주한 적은 없습니다.", "직접 살지는 않았습니다.")
NOT_ADJUSTED_BOUGHT = ("취득할 때 조정대상지역이 아니었습니다.", "살 때는 조정대상지역이 아닌 곳이었어요.")
ADJUSTED_BOUGHT = ("취득할 때 조정대상지역이었습니다.", "조정대상지역일 때 산 집입니다.")
MANY = (
    "세대가 가진 주택은 이 집을 포함해 {homes}채입니다.",
    "파는 집까지 {homes}주택자입니다.",
    "이 집을 포함해 {homes}주택입니다.",
)
ADJUSTED_SOLD = ("조정대상지역에 있는 집입니다.", "양도할 때 조정대상지역에 있습니다.")
NOT_ADJUSTED_SOLD = ("조정대상지역에 있지 않습니다.", "양도할 때 조정대상지역이 아닙니다.")
UNREGISTERED = ("등기하지 않고 팔았습니다(미등기).", "미등기 상태로 양도했습니다.")
YEAR_WHENS = ("{year}년에 ", "{year}년 중 ", "{year}년에 ")


def draw_capital_gains(rng: random.Random, wordings: Wordings = EVERY_WORDING) -> Case:
    """One sale; all randomness from ``rng``."""
    asset = rng.choices(list(SHARES), list(SHARES.values()))[0]
    won = draw_won(rng, 50_000_000, 4_000_000_000)
    gain = rng.uniform(-0.1, 0.2) if chance(rng, 0.08) else rng.uniform(0.05, 0.75)
    bought = max(int(won * (1 - gain)) // MAN * MAN, 1_000_000)
    facts: dict[str, object] = {
        "sale_price": amount_words(rng, won),
        "purchase_price": amount_words(rng, bought),
        "asset": asset,
    }
    words: dict[str, object] = {"sold": facts["sale_price"], "bought": facts["purchase_price"], "expenses": ""}
    thing = pick(rng, THINGS[asset])
    words |= {"thing": thing, "thing_o": with_object(thing), "ask": pick(rng, ASKS)}
    if chance(rng, 0.5):
        facts["expenses"] = amount_words(rng, draw_won(rng, 500_000, max(won // 20, 1_000_000)))
        words["expenses"] = fill(pick(rng, EXPENSES), expenses=facts["expenses"])
    dated = chance(rng, 0.25)
    held, last_year = _time(rng, facts, words, dated, 2 if asset == "조합원입주권" else 25)
    words["details"] = " ".join(_home(rng, facts, held, last_year) if asset == "주택" else _other(rng, facts, asset))
    question = fill(pick(rng, wordings.of(DATED if dated else HELD)), **words)
    return Case(sentence(*question.split(" ")), facts, won)


def _time(
    rng: random.Random, facts: dict[str, object], words: dict[str, object], dated: bool, most: int
) -> tuple[int, bool]:
    """Full years held, and whether the day of sale may fall after 9 May 2026 (the end of the suspension of 제104조제7항)."""
    held = 0 if chance(rng, 0.08) else rng.randint(1, most)
    if not dated:
        words["when"] = year_of_law(rng, facts, 0.4, YEAR_WHENS)
        facts["held_years"] = held
        words["held"] = fill(pick(rng, HELD_WORDS), years=held) if held else pick(rng, UNDER_ONE)
        return held, facts.get("year", LAST_YEAR) == LAST_YEAR
    sold = draw_day(rng, datetime.date(FIRST_YEAR, 1, 5), datetime.date(LAST_YEAR, 5, 8))
    earliest = datetime.date(sold.year - held - 1, sold.month, min(sold.day, 28)) + datetime.timedelta(days=3)
    acquired = draw_day(rng, earliest, earliest + datetime.timedelta(days=350))
    facts |= {"acquired": acquired.isoformat(), "sold": sold.isoformat()}
    words |= {"acquired": day_words(rng, acquired), "sold_on": day_words(rng, sold), "when": "", "held": ""}
    return held, False


def _home(rng: random.Random, facts: dict[str, object], held: int, late: bool) -> list[str]:
    if chance(rng, 0.55):
        return _only_home(rng, facts, held)
    # How many homes there are is always said: without it the tax is not settled, and asking back is the right answer.
    homes = facts["homes"] = rng.randint(2, 4)
    lines = [fill(pick(rng, MANY), homes=homes)]
    # Held under two years, or sold when the suspension may have ended: the area decides, so it is said.
    if held < 2 or late or chance(rng, 0.4):
        adjusted = not (late and held >= 2) and chance(rng, 0.5)
        facts["adjusted_when_sold"] = adjusted
        lines.append(pick(rng, ADJUSTED_SOLD if adjusted else NOT_ADJUSTED_SOLD))
    return lines


def _only_home(rng: random.Random, facts: dict[str, object], held: int) -> list[str]:
    facts["one_home"] = True
    lines = [pick(rng, ONE_HOME)]
    lived = rng.randint(0, held) if held else 0
    if lived:
        facts["residence_years"] = lived
        lines.append(fill(pick(rng, LIVED), lived=lived))
    elif chance(rng, 0.7):
        lines.append(pick(rng, NEVER_LIVED))
    if held >= 2 and lived < 2:
        adjusted = facts["adjusted_when_bought"] = chance(rng, 0.35)
        lines.append(pick(rng, ADJUSTED_BOUGHT if adjusted else NOT_ADJUSTED_BOUGHT))
    return lines


def _other(rng: random.Random, facts: dict[str, object], asset: str) -> list[str]:
    if asset in ("토지", "건물") and chance(rng, 0.05):
        facts["registered"] = False
        return [pick(rng, UNREGISTERED)]
    return []
