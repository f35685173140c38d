"""Income tax questions: from a tax base, from total income less deductions, or from an employee's gross pay."""

from __future__ import annotations

import random

from data_gen.worked.words import EVERY_WORDING, Case, Wordings, amount_words, chance, draw_won, fill, pick, sentence
from taxlaw.calculators.tables import FIRST_YEAR, LAST_YEAR

ASKS = (
    "종합소득세는 얼마인가요?",
    "종합소득세가 얼마나 나오나요?",
    "소득세로 얼마를 내야 하나요?",
    "내야 할 종합소득세를 계산해 주세요.",
    "종합소득세 산출세액을 구해 주세요.",
    "소득세가 얼마인지 궁금합니다.",
    "종합소득세 얼마예요?",
    "종소세 얼마 나와요?",
    "종합소득세가 얼마나 되는지 알려 주세요.",
    "산출세액은 얼마인가요?",
)
BASE = (
    "{when}종합소득 과세표준이 {base}인데 {ask}",
    "{when}종합소득세 과세표준이 {base}이면 {ask}",
    "{when}과세표준 {base}에 대한 종합소득세를 계산해 주세요.",
    "과세표준이 {base}입니다. {when}종합소득세는 얼마를 내야 하나요?",
    "프리랜서입니다. {when}종합소득 과세표준이 {base}으로 나왔습니다. {ask}",
    "소득공제까지 다 빼고 나니 {when}종합소득 과세표준이 {base}입니다. {ask}",
    "개인사업을 하고 있어요. {when}종합소득 과세표준은 {base}이에요. {ask}",
    "종합소득세 계산 부탁: {when}과세표준 {base}",
    "{when}소득세 과세표준 {base}, 세금 얼마야?",
    "세무서에 신고하려고 합니다. {when}종합소득 과세표준이 {base}이라면 {ask}",
    "종합소득 과세표준 {base}일 때 {when}{ask}",
    "작은 가게를 운영합니다. {when}종합소득세 과세표준을 계산해 보니 {base}이었습니다. {ask}",
)
INCOME = (
    "{when}종합소득금액이 {income}이고 소득공제가 {deductions}이면 {ask}",
    "{when}종합소득금액은 {income}, 소득공제는 {deductions}입니다. {ask}",
    "프리랜서로 일하고 있습니다. {when}종합소득금액 {income}에 소득공제 {deductions}을 받습니다. {ask}",
    "사업을 하는데 {when}종합소득금액이 {income}, 소득공제 합계가 {deductions}이에요. {ask}",
    "종합소득금액 {income}에서 소득공제 {deductions}을 빼면 {when}{ask}",
    "{when}종합소득금액 {income} / 소득공제 {deductions} / 종합소득세?",
    "소득공제가 모두 {deductions}이고 {when}종합소득금액은 {income}이에요. {ask}",
    "{when}종합소득금액이 {income} 있습니다. 소득공제로 {deductions}을 뺄 수 있대요. {ask}",
)
INCOME_ONLY = (
    "{when}종합소득금액이 {income}이고 소득공제는 없습니다. {ask}",
    "{when}종합소득금액 {income}, 소득공제 없음. {ask}",
)
PAY_ASKS = (
    "근로소득세 결정세액은 얼마인가요?",
    "연말정산 결정세액이 얼마인가요?",
    "소득세는 얼마인가요?",
    "소득세로 얼마를 내야 하나요?",
    "근로소득세가 얼마나 나오나요?",
    "한 해 소득세를 계산해 주세요.",
    "결정세액을 구해 주세요.",
    "소득세 얼마예요?",
    "세금이 얼마나 되는지 알려 주세요.",
    "근로소득세를 계산해 주세요.",
)
PAY = (
    "{when}총급여 {pay}인 직장인입니다. {family} {ask}",
    "{when}총급여가 {pay}이에요. {family} {ask}",
    "회사원이고 {when}총급여는 {pay}입니다. {family} {ask}",
    "{when}총급여액이 {pay}인 근로자의 {ask} {family}",
    "월급쟁이입니다. {when}총급여로 {pay}을 받았습니다. {family} {ask}",
    "다른 소득 없이 {when}총급여 {pay}만 있습니다. {family} {ask}",
    "연말정산이 궁금해요. {when}총급여 {pay}, {family} {ask}",
    "{when}총급여 {pay} 직장인 소득세? {family}",
    "중소기업에 다닙니다. {when}총급여가 {pay}이었습니다. {family} {ask}",
    "{family} {when}총급여는 {pay}입니다. {ask}",
)
ALONE = ("", "", "부양가족은 없습니다.", "혼자 삽니다.", "기본공제는 본인 1명입니다.", "본인만 공제받습니다.")
WITH_FAMILY = (
    "부양가족은 본인 포함 {dependants}명입니다.",
    "본인을 포함해 기본공제 대상이 {dependants}명입니다.",
    "기본공제 대상자는 본인 포함 {dependants}명이에요.",
    "본인 포함 {dependants}명이 기본공제를 받습니다.",
)
CHILDREN = (
    "그중 자녀세액공제 대상 자녀는 {children}명입니다.",
    "그 가운데 자녀세액공제를 받는 자녀가 {children}명 있습니다.",
    "자녀세액공제 대상은 자녀 {children}명이에요.",
)
WHENS = ("", "", "", "올해 ")
YEAR_WHENS = ("{year}년 ", "{year}년에 ", "{year}년 귀속 ")


def draw_income(rng: random.Random, wordings: Wordings = EVERY_WORDING) -> Case:
    """One case of income tax; all randomness from ``rng``."""
    kind = rng.random()
    facts, words = {}, {"ask": pick(rng, PAY_ASKS if kind >= 0.65 else ASKS), "when": pick(rng, WHENS)}
    if chance(rng, 0.35):
        facts["year"] = rng.randint(FIRST_YEAR, LAST_YEAR)
        words["when"] = fill(pick(rng, YEAR_WHENS), year=facts["year"])
    if kind < 0.35:
        won = draw_won(rng, 3_000_000, 2_000_000_000)
        facts["base"] = words["base"] = amount_words(rng, won)
        frames = BASE
    elif kind < 0.65:
        won = draw_won(rng, 8_000_000, 2_000_000_000)
        facts["income"] = words["income"] = amount_words(rng, won)
        frames = INCOME_ONLY
        if chance(rng, 0.9):
            frames = INCOME
            deductions = draw_won(rng, 1_500_000, min(max(won // 3, 2_000_000), 30_000_000))
            facts["deductions"] = words["deductions"] = amount_words(rng, deductions)
    else:
        won = draw_won(rng, 15_000_000, 400_000_000)
        facts["gross_pay"] = words["pay"] = amount_words(rng, won)
        words["family"] = _family(rng, facts)
        frames = PAY
    return Case(sentence(*fill(pick(rng, wordings.of(frames)), **words).split(" ")), facts, won)


def _family(rng: random.Random, facts: dict[str, object]) -> str:
    """Sentences that state the heads of the basic deduction and the children among them; sets both facts."""
    if chance(rng, 0.35):
        return pick(rng, ALONE)
    dependants = rng.randint(2, 5)
    facts["dependants"] = dependants
    children = rng.randint(0, min(dependants - 1, 3))
    lines = [fill(pick(rng, WITH_FAMILY), dependants=dependants)]
    if children:
        facts["children"] = children
        lines.append(fill(pick(rng, CHILDREN), children=children))
    return " ".join(lines)
