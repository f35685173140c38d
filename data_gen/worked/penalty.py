"""Questions on 가산세: nothing filed, too little filed, or paid late, with the days that decide."""

from __future__ import annotations

import calendar
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
)
from taxlaw.calculators.tables import FIRST_YEAR, LAST_YEAR

# Paid late as well: all of it is asked for.  With no day of payment only the penalty on filing can be, so it is named.
ASKS = (
    "가산세는 얼마인가요?",
    "가산세가 얼마나 나오나요?",
    "가산세를 계산해 주세요.",
    "가산세로 얼마를 더 내야 하나요?",
    "가산세 얼마예요?",
    "가산세가 모두 얼마인지 알려 주세요.",
    "붙는 가산세가 궁금합니다.",
)
ASKS_FILING = (
    "{kind}가산세는 얼마인가요?",
    "{kind}가산세가 얼마나 나오나요?",
    "{kind}가산세를 계산해 주세요.",
    "{kind} 가산세만 알려 주세요. 얼마인가요?",
    "{kind}가산세로 얼마를 더 내야 하나요?",
    "{kind} 가산세 얼마예요?",
)
NAMES = ("증여세", "상속세", "종합소득세", "부가가치세", "법인세", "양도소득세")
# Names without another tax's calculator in them keep the question about the penalty; all of them are allowed.
NO_RETURN = (
    "{name} 신고기한이 {deadline}까지였는데 신고하지 않았습니다. 무신고한 세액은 {tax}입니다. {fraud} {filed} {paid} {ask}",
    "{name}를 {deadline}까지 신고하지 못했습니다(무신고). 세액은 {tax}이에요. {fraud} {filed} {paid} {ask}",
    "{deadline}까지 했어야 할 {name} 신고를 아예 하지 않았고 내지 않은 세액이 {tax}입니다. {fraud} {filed} {paid} {ask}",
    "질문이 있습니다. {name} 법정신고기한이 {deadline}까지였는데 신고하지 않았고 무신고 세액은 {tax}입니다. {fraud} {filed} {paid} {ask}",
    "{name} {tax}을 {deadline}까지 신고하지 않았어요. {fraud} {filed} {paid} {ask}",
    "깜빡하고 {name} 신고를 놓쳤습니다. 기한은 {deadline}까지, 무신고 세액은 {tax}입니다. {fraud} {filed} {paid} {ask}",
    "{name} 무신고. 기한 {deadline}까지, 세액 {tax}. {fraud} {filed} {paid} {ask}",
    "{fraud} {name} 신고기한({deadline}까지)을 넘겨 신고하지 않은 세액이 {tax}입니다. {filed} {paid} {ask}",
    "{deadline}까지 신고할 {name}를 무신고했습니다. 세액은 {tax}입니다. {fraud} {filed} {paid} {ask}",
    "기한({deadline}까지)이 지나도록 {name}를 신고하지 않았습니다. 그 세액은 {tax}이에요. {fraud} {filed} {paid} {ask}",
    "{name}의 무신고 세액이 {tax}, 신고기한은 {deadline}까지입니다. {fraud} {filed} {paid} {ask}",
    "{fraud} 무신고한 {name}가 {tax}이고 신고는 {deadline}까지 했어야 합니다. {filed} {paid} {ask}",
)
UNDER = (
    "{name}를 {deadline}까지 신고했는데 {tax}을 적게 신고했습니다(과소신고). {fraud} {filed} {paid} {ask}",
    "{deadline}까지 낸 {name} 신고에서 과소신고한 세액이 {tax}입니다. {fraud} {filed} {paid} {ask}",
    "{name} 신고를 {deadline}까지 마쳤지만 납부세액 {tax}을 과소신고했어요. {fraud} {filed} {paid} {ask}",
    "질문이 있습니다. {name} 신고기한은 {deadline}까지였고 과소신고한 세액이 {tax}입니다. {fraud} {filed} {paid} {ask}",
    "신고를 잘못해서 {name} {tax}을 덜 신고했습니다. 신고기한은 {deadline}까지였습니다. {fraud} {filed} {paid} {ask}",
    "{name} 과소신고: 세액 {tax}, 법정신고기한 {deadline}까지. {fraud} {filed} {paid} {ask}",
    "{name}에서 매출 일부를 빠뜨려 {tax}을 과소신고한 것을 알았습니다. 기한은 {deadline}까지였어요. {fraud} {filed} {paid} {ask}",
    "{fraud} {name} 과소신고 세액이 {tax}, 신고기한이 {deadline}까지입니다. {filed} {paid} {ask}",
    "{deadline}까지 {name}를 신고하면서 {tax}을 적게 적어 냈습니다(과소신고). {fraud} {filed} {paid} {ask}",
    "과소신고한 {name} 세액은 {tax}이고 법정신고기한은 {deadline}까지입니다. {fraud} {filed} {paid} {ask}",
    "{name}를 {tax}만큼 적게 신고(과소신고)했습니다. 신고기한은 {deadline}까지였어요. {fraud} {filed} {paid} {ask}",
    "{fraud} {name} 신고에서 {tax}이 모자랐습니다(과소신고). 기한은 {deadline}까지였습니다. {filed} {paid} {ask}",
)
LATE = (
    "{name} {tax}을 {deadline}까지 냈어야 하는데 {paid_on}에 냈습니다. 납부지연 {ask}",
    "신고는 제때 했지만 {name} {tax}을 기한인 {deadline}까지 내지 못하고 {paid_on}에 납부했습니다. {ask}",
    "{name} 납부기한은 {deadline}까지였고 {paid_on}에 {tax}을 냈어요. 납부지연가산세를 계산해 주세요.",
    "납부가 늦었습니다. {name} {tax}, 납부기한 {deadline}까지, 납부일 {paid_on}. {ask}",
    "{deadline}까지 납부할 {name} {tax}을 {paid_on}에야 납부했습니다. 납부지연 {ask}",
    "{name} 신고만 하고 {tax}을 못 냈다가 {paid_on}에 냈습니다. 기한은 {deadline}까지였습니다. 납부지연 {ask}",
    "납부지연가산세 계산 부탁: {name}, 미납세액 {tax}, 기한 {deadline}까지, {paid_on} 납부",
)
WITHHELD = (
    "직원에게서 원천징수한 소득세 {tax}을 {deadline}까지 납부하지 못하고 {paid_on}에 납부했습니다. {ask}",
    "원천징수한 세액 {tax}의 납부기한이 {deadline}까지였는데 {paid_on}에 냈습니다. 원천징수 납부지연 {ask}",
    "원천세 {tax}을 {deadline}까지 내야 했는데 {paid_on}에 냈어요. {ask}",
    "원천징수 납부지연입니다. 세액 {tax}, 기한 {deadline}까지, 납부일 {paid_on}. {ask}",
)
FRAUD = ("부정행위가 있었습니다.", "이중장부를 쓴 부정행위입니다.", "거짓 증빙을 쓴 부정행위에 해당합니다.")
FILED_LATE = (
    "{filed_on}에 기한 후 신고를 했습니다.",
    "{filed_on}에 스스로 기한 후 신고를 마쳤습니다.",
    "기한 후 신고일은 {filed_on}입니다.",
)
AMENDED = (
    "{filed_on}에 수정신고를 했습니다.",
    "{filed_on}에 스스로 수정신고를 마쳤습니다.",
    "수정신고일은 {filed_on}입니다.",
)
PAID = ("세금은 {paid_on}에 냈습니다.", "납부는 {paid_on}에 했습니다.", "{paid_on}에 전액 납부했습니다.")
# Periods of 국세기본법 제48조제2항 whose last day falls on a weekend are left to people: no case is drawn near them.
_CUT_MONTHS = (1, 3, 6, 12, 18, 24)


def draw_penalty(rng: random.Random, wordings: Wordings = EVERY_WORDING) -> Case:
    """One breach; all randomness from ``rng``."""
    won = draw_won(rng, 200_000, 2_000_000_000)
    deadline = _working_day(draw_day(rng, datetime.date(FIRST_YEAR, 1, 2), datetime.date(LAST_YEAR - 1, 12, 20)))
    facts: dict[str, object] = {"tax_amount": amount_words(rng, won), "deadline": deadline.isoformat()}
    words: dict[str, object] = {
        "tax": facts["tax_amount"],
        "deadline": day_words(rng, deadline),
        "name": pick(rng, NAMES),
        "ask": pick(rng, ASKS),  # replaced where only the filing is asked about
        "fraud": "",
        "filed": "",
        "paid": "",
    }
    draw = rng.random()
    latest = min(deadline + datetime.timedelta(days=600), datetime.date(LAST_YEAR, 5, 29))
    if draw < 0.25:
        facts["kind"] = "납부지연" if draw < 0.19 else "원천징수 납부지연"
        paid_on = draw_day(rng, deadline + datetime.timedelta(days=1), latest)
        facts["paid_on"] = paid_on.isoformat()
        words["paid_on"] = day_words(rng, paid_on)
        frames = LATE if draw < 0.19 else WITHHELD
    else:
        facts["kind"] = "무신고" if draw < 0.65 else "과소신고"
        frames = NO_RETURN if draw < 0.65 else UNDER
        _filed_and_paid(rng, facts, words, deadline, latest)
    return Case(sentence(*fill(pick(rng, wordings.of(frames)), **words).split(" ")), facts, won)


def _filed_and_paid(
    rng: random.Random,
    facts: dict[str, object],
    words: dict[str, object],
    deadline: datetime.date,
    latest: datetime.date,
) -> None:
    """Fraud, the day of the late or amended return, and the day of payment; each only now and then."""
    if chance(rng, 0.12):
        facts["fraud"] = True
        words["fraud"] = pick(rng, FRAUD)
    if chance(rng, 0.45):
        filed_on = draw_day(rng, deadline + datetime.timedelta(days=1), latest)
        if not _near_a_weekend_end(deadline, filed_on):
            facts["filed_on"] = filed_on.isoformat()
            lines = FILED_LATE if facts["kind"] == "무신고" else AMENDED
            words["filed"] = fill(pick(rng, lines), filed_on=day_words(rng, filed_on))
    if chance(rng, 0.45):
        paid_on = draw_day(rng, deadline + datetime.timedelta(days=1), latest)
        facts["paid_on"] = paid_on.isoformat()
        words["paid"] = fill(pick(rng, PAID), paid_on=day_words(rng, paid_on))
    else:
        words["ask"] = fill(pick(rng, ASKS_FILING), kind=facts["kind"])


def _working_day(day: datetime.date) -> datetime.date:
    """The day, or the Monday after it: a statutory deadline is stated as already moved."""
    return day + datetime.timedelta(days=7 - day.weekday()) if day.weekday() >= 5 else day


def _near_a_weekend_end(deadline: datetime.date, filed_on: datetime.date) -> bool:
    for months in _CUT_MONTHS:
        year, month = divmod(deadline.year * 12 + deadline.month - 1 + months, 12)
        end = datetime.date(year, month + 1, min(deadline.day, calendar.monthrange(year, month + 1)[1]))
        if 0 <= (filed_on - end).days <= 3:
            return True
    return False
