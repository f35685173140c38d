"""Corporate tax questions: a tax base, perhaps a short business year, perhaps the small letting company's own rates."""

from __future__ import annotations

import random

from data_gen.worked.words import EVERY_WORDING, Case, Wordings, amount_words, chance, draw_won, fill, pick, sentence
from taxlaw.calculators.tables import FIRST_YEAR, LAST_YEAR, SMALL_RENTAL_BRACKETS

ASKS = (
    "법인세는 얼마인가요?",
    "법인세가 얼마나 나오나요?",
    "법인세 산출세액은 얼마인가요?",
    "법인세로 얼마를 내야 하나요?",
    "법인세 산출세액을 계산해 주세요.",
    "내야 할 법인세를 구해 주세요.",
    "법인세 얼마예요?",
    "법인세가 얼마인지 궁금합니다.",
    "법인세 산출세액이 얼마인지 알려 주세요.",
    "법인세가 어떻게 계산되나요?",
)
FRAMES = (
    "{when}과세표준이 {base}인 법인입니다. {ask} {details}",
    "{when}법인세 과세표준이 {base}입니다. {details} {ask}",
    "우리 회사의 {when}과세표준은 {base}입니다. {details} {ask}",
    "작은 법인을 운영합니다. {when}각 사업연도 소득의 과세표준이 {base}이에요. {details} {ask}",
    "{when}법인 과세표준 {base}. {details} 법인세 얼마?",
    "중소기업 경리 담당입니다. {when}법인세 과세표준이 {base}으로 나왔습니다. {details} {ask}",
    "법인세 계산 부탁: {when}과세표준 {base}. {details}",
    "내국법인이고 {when}과세표준이 {base}입니다. {details} {ask}",
    "법인세 신고를 준비 중입니다. {when}과세표준 {base}에 대한 {ask} {details}",
    "{details} {when}법인 과세표준이 {base}이면 {ask}",
    "주식회사의 {when}법인세 과세표준이 {base}이라고 합니다. {details} {ask}",
    "결산을 마치니 {when}법인세 과세표준이 {base}이었습니다. {details} {ask}",
    "{when}과세표준 {base}인 회사예요. {details} {ask}",
)
MONTHS = (
    "사업연도는 {months}개월입니다.",
    "사업연도가 {months}개월이에요.",
    "이번 사업연도의 기간은 {months}개월입니다.",
    "사업연도 월수는 {months}개월입니다.",
)
FULL_YEAR = ("사업연도는 12개월입니다.", "사업연도는 1월 1일부터 12월 31일까지입니다.")
SMALL_RENTAL = (
    "부동산임대업이 주업인 소규모 법인(성실신고확인 대상)입니다.",
    "성실신고확인 대상인 소규모 부동산임대 법인입니다.",
    "부동산 임대가 주업인 성실신고확인대상 소규모 법인이에요.",
)
WHENS = ("", "", "", "올해 ", "이번 사업연도 ")
YEAR_WHENS = ("{year}년 ", "{year}년에 시작하는 사업연도의 ", "{year}사업연도 ", "{year}년 귀속 ")


def draw_corporate(rng: random.Random, wordings: Wordings = EVERY_WORDING) -> Case:
    """One case of corporate tax; all randomness from ``rng``."""
    won = draw_won(rng, 10_000_000, 500_000_000_000)
    facts: dict[str, object] = {"base": amount_words(rng, won)}
    words = {"base": str(facts["base"]), "ask": pick(rng, ASKS), "when": pick(rng, WHENS)}
    details = []
    small_rental = chance(rng, 0.12) and won < 2_000_000_000
    if chance(rng, 0.4):
        # The rates of small letting companies start in 2025 (법률 제20613호 부칙 제5조).
        facts["year"] = rng.randint(min(SMALL_RENTAL_BRACKETS) if small_rental else FIRST_YEAR, LAST_YEAR)
        words["when"] = fill(pick(rng, YEAR_WHENS), year=facts["year"])
    if small_rental:
        facts["small_rental"] = True
        details.append(pick(rng, SMALL_RENTAL))
    if chance(rng, 0.25):
        facts["months"] = rng.randint(1, 11)
        details.append(fill(pick(rng, MONTHS), months=facts["months"]))
    elif chance(rng, 0.1):
        details.append(pick(rng, FULL_YEAR))
    words["details"] = " ".join(details)
    return Case(sentence(*fill(pick(rng, wordings.of(FRAMES)), **words).split(" ")), facts, won)
