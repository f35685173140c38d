"""Questions on the VAT of a simplified taxpayer (간이과세자): a trade, a year's takings, purchases, card sales."""

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
)
from taxlaw.calculators.tables import FIRST_YEAR, LAST_YEAR, SIMPLIFIED_CEILING, SIMPLIFIED_CEILING_RENTAL

# Names of the decree's table (시행령 제111조제2항) and plain words that calculators map to it.
INDUSTRIES = (
    *("음식점업", "음식점업", "소매업", "소매업", "카페", "식당", "치킨집", "분식집", "편의점", "꽃집", "온라인쇼핑몰"),
    *(
        "숙박업",
        "펜션",
        "게스트하우스",
        "제조업",
        "떡집",
        "건설업",
        "인테리어업",
        "운수 및 창고업",
        "개인택시",
        "정보통신업",
    ),
    *(
        "부동산임대업",
        "부동산중개업",
        "그 밖의 서비스업",
        "미용실",
        "세탁소",
        "피시방",
        "소화물 전문 운송업",
        "퀵서비스",
    ),
)
ASKS = (
    "부가가치세는 얼마인가요?",
    "부가가치세가 얼마나 나오나요?",
    "납부할 부가가치세를 계산해 주세요.",
    "부가세 얼마 내야 하나요?",
    "차감 납부할 세액은 얼마인가요?",
    "부가세가 얼마인지 알려 주세요.",
    "부가가치세로 얼마를 내야 하나요?",
    "부가세 얼마예요?",
    "내야 할 부가가치세가 궁금합니다.",
    "부가가치세 납부세액을 구해 주세요.",
)
FRAMES = (
    "{trade} 하는 간이과세자입니다. {when}공급대가는 {gross}입니다. {details} {ask}",
    "간이과세자이고 업종은 {industry}입니다. {when}공급대가가 {gross}이에요. {details} {ask}",
    "{when}간이과세자로 {trade} 운영해서 공급대가 {gross}을 올렸습니다. {details} {ask}",
    "업종이 {industry}인 간이과세자의 {when}공급대가가 {gross}입니다. {details} {ask}",
    "작게 {trade} 하고 있어요. 간이과세자이고 {when}공급대가는 {gross}이에요. {details} {ask}",
    "간이과세자 {industry}, {when}공급대가 {gross}. {details} 부가세 얼마?",
    "부가세 신고를 앞두고 있습니다. 간이과세자이고 {industry}입니다. {when}공급대가는 {gross}입니다. {details} {ask}",
    "{trade} 혼자 합니다. 간이과세 대상이고 {when}공급대가 합계가 {gross}입니다. {details} {ask}",
    "간이과세자입니다. {when}매출(공급대가)은 {gross}이고 업종은 {industry}입니다. {details} {ask}",
    "{when}공급대가 {gross}인 {industry} 간이과세자인데 {ask} {details}",
    "사장님이 {trade} 하는 간이과세자인데 {when}공급대가가 {gross}이래요. {details} {ask}",
    "간이과세 부가가치세 계산 부탁: {industry}, {when}공급대가 {gross}. {details}",
    "처음 신고하는 간이과세자예요. {industry}이고 {when}공급대가는 {gross}입니다. {details} {ask}",
)
PURCHASES = (
    "세금계산서를 받은 매입은 {purchases}(공급대가)입니다.",
    "매입세금계산서 공급대가는 {purchases}입니다.",
    "세금계산서 받고 산 매입 공급대가가 {purchases} 있습니다.",
    "매입은 세금계산서로 {purchases}입니다.",
)
CARD = (
    "매출 가운데 신용카드 매출은 {card}입니다.",
    "그중 신용카드로 받은 매출이 {card}이에요.",
    "신용카드·현금영수증 매출은 {card}입니다.",
    "카드 매출이 {card} 포함되어 있습니다.",
)
WHENS = ("", "", "올해 ", "1년 ", "한 해 ")
YEAR_WHENS = ("{year}년 ", "{year}년 한 해 ", "{year}년 1년간 ")


def draw_vat(rng: random.Random, wordings: Wordings = EVERY_WORDING) -> Case:
    """One case of simplified VAT; all randomness from ``rng``."""
    industry = pick(rng, INDUSTRIES)
    ceiling = SIMPLIFIED_CEILING_RENTAL if industry == "부동산임대업" else SIMPLIFIED_CEILING
    # Most cases owe tax; some stay below the 4,800만원 under which none is due (법 제69조).
    low = 50_000_000 if ceiling > 60_000_000 and chance(rng, 0.85) else 12_000_000
    won = draw_won(rng, low, ceiling - 10_000)
    facts: dict[str, object] = {"gross": amount_words(rng, won), "industry": industry}
    words = {"gross": str(facts["gross"]), "industry": industry, "trade": with_object(industry), "ask": pick(rng, ASKS)}
    words["when"] = pick(rng, WHENS)
    if chance(rng, 0.35):
        facts["year"] = rng.randint(FIRST_YEAR, LAST_YEAR)
        words["when"] = fill(pick(rng, YEAR_WHENS), year=facts["year"])
    details = []
    if chance(rng, 0.55):
        facts["purchases"] = amount_words(rng, draw_won(rng, 1_000_000, won * 7 // 10))
        details.append(fill(pick(rng, PURCHASES), purchases=facts["purchases"]))
    # Card credit is for trades that hand out receipts (법 제46조); letting and building rarely do.
    if industry not in ("부동산임대업", "건설업", "인테리어업", "제조업") and chance(rng, 0.55):
        facts["card_sales"] = amount_words(rng, draw_won(rng, 2_000_000, won * 9 // 10))
        details.append(fill(pick(rng, CARD), card=facts["card_sales"]))
    frame = pick(rng, wordings.of(FRAMES))
    words["details"] = " ".join(details)
    return Case(sentence(*fill(frame, **words).split(" ")), facts, won)
