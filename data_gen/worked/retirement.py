"""Questions on retirement pay: how much, and how long somebody worked (in years, or from one day to another)."""

from __future__ import annotations

import datetime
import random

from data_gen.worked.words import (
    EVERY_WORDING,
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
    year_of_law,
)
from taxlaw.calculators.tables import FIRST_YEAR, LAST_YEAR

ASKS = (
    "퇴직소득세는 얼마인가요?",
    "퇴직소득세가 얼마나 나오나요?",
    "퇴직소득 산출세액을 계산해 주세요.",
    "퇴직소득세로 얼마를 떼나요?",
    "퇴직소득세 얼마예요?",
    "세금으로 퇴직소득세를 얼마나 내야 하나요?",
    "퇴직소득세가 궁금합니다.",
    "퇴직소득세 좀 알려 주세요.",
)
BY_YEARS = (
    "{when}{years}년 근무하고 퇴직금 {pay}을 받았습니다. {ask}",
    "{when}퇴직금으로 {pay}을 받게 되었습니다. 근속연수는 {years}년입니다. {ask}",
    "한 회사에서 {years}년 일했고 {when}퇴직급여가 {pay}이에요. {ask}",
    "{when}회사를 그만두면서 퇴직금 {pay}을 받습니다. {years}년 다녔어요. {ask}",
    "근속연수 {years}년, {when}퇴직소득금액 {pay}. {ask}",
    "퇴직금 {pay}, 근속 {years}년이면 {when}{ask}",
    "정년퇴직입니다. {years}년간 근무했고 {when}퇴직금은 {pay}입니다. {ask}",
    "남편이 {when}퇴직하면서 퇴직금 {pay}을 받았어요. 그 회사에 {years}년 다녔습니다. {ask}",
    "인사팀에서 일합니다. 직원 한 분이 근속연수 {years}년에 {when}퇴직급여 {pay}을 받고 나갑니다. {ask}",
    "퇴직소득세 계산 부탁: {when}퇴직금 {pay}, 근속기간 {years}년",
    "{years}년 다닌 직장을 떠나며 {when}{pay}을 퇴직금으로 받았습니다. {ask}",
    "이직하려고 {when}퇴사했는데 퇴직금이 {pay} 나왔습니다. 일한 기간은 {years}년입니다. {ask}",
)
BY_DAYS = (
    "{start}에 입사해 {end}에 퇴직했고 퇴직금은 {pay}입니다. {ask}",
    "입사일 {start}, 퇴사일 {end}, 퇴직금 {pay}. {ask}",
    "{start}부터 {end}까지 일하고 퇴직급여 {pay}을 받았습니다. {ask}",
    "퇴직금이 {pay} 나왔습니다. 입사는 {start}, 퇴직은 {end}입니다. {ask}",
    "직원의 근무기간이 {start}부터 {end}까지이고 퇴직급여가 {pay}입니다. {ask}",
)
YEAR_WHENS = ("{year}년에 ", "{year}년 중 ", "{year}년에 ")


def draw_retirement(rng: random.Random, wordings: Wordings = EVERY_WORDING) -> Case:
    """One retirement; all randomness from ``rng``."""
    years = rng.randint(1, 40)
    won = draw_won(rng, years * 1_500_000, min(years * 50_000_000, 1_500_000_000))
    facts: dict[str, object] = {"pay": amount_words(rng, won)}
    words: dict[str, object] = {"pay": facts["pay"], "ask": pick(rng, ASKS)}
    if chance(rng, 0.25):
        end = draw_day(rng, datetime.date(FIRST_YEAR, 1, 2), datetime.date(LAST_YEAR, 5, 31))
        start = draw_day(rng, datetime.date(end.year - years, 1, 1), datetime.date(end.year - years, end.month, 1))
        facts |= {"start": start.isoformat(), "end": end.isoformat()}
        words |= {"start": day_words(rng, start), "end": day_words(rng, end)}
        frames = BY_DAYS
    else:
        words["when"] = year_of_law(rng, facts, 0.35, YEAR_WHENS)
        facts["years"] = words["years"] = years
        frames = BY_YEARS
    question = fill(pick(rng, wordings.of(frames)), **words)
    return Case(sentence(*question.split(" ")), facts, won)
