"""Questions on general VAT: one taxable period's sales and purchases."""

from __future__ import annotations

import random

from data_gen.worked.words import (
    EVERY_WORDING,
    MAN,
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
    "부가가치세는 얼마인가요?",
    "부가세가 얼마나 나오나요?",
    "부가가치세 납부세액을 계산해 주세요.",
    "부가세로 얼마를 내야 하나요?",
    "납부할 부가가치세가 궁금합니다.",
    "부가세 얼마예요?",
    "부가가치세를 얼마 내야 하는지 알려 주세요.",
)
FRAMES = (
    "일반과세자입니다. {when}{sales} {bought} {details} {ask}",
    "{when}일반과세 사업자로 {sales} {bought} {details} {ask}",
    "{when}{sales} {bought} {details} 일반과세자의 {ask}",
    "부가가치세 신고를 준비하는 일반과세자예요. {when}{sales} {bought} {details} {ask}",
    "{bought} {when}{sales} {details} 일반과세자입니다. {ask}",
    "회사(일반과세자)의 {when}{sales} {bought} {details} {ask}",
    "부가세 계산 부탁: 일반과세자, {when}{sales} {bought} {details}",
    "일반과세로 장사를 합니다. {when}{sales} {details} {bought} {ask}",
)
SALES = (
    "매출 공급가액은 {supply}입니다.",
    "과세 매출의 공급가액이 {supply}이고",
    "공급가액 {supply}을 팔았고",
    "매출은 공급가액으로 {supply}이에요.",
)
SALES_WITH_TAX = (
    "부가세를 포함한 매출이 {supply}입니다.",
    "부가가치세 포함 매출액은 {supply}이고",
    "세금을 포함해 받은 매출 대금이 {supply}이에요.",
)
PURCHASES = (
    "세금계산서를 받은 매입 공급가액은 {bought}입니다.",
    "매입은 공급가액으로 {bought}입니다.",
    "매입 공급가액이 {bought}이에요.",
)
PURCHASES_WITH_TAX = (
    "부가세를 포함해 {bought}어치를 매입했습니다(세금계산서 수취).",
    "부가가치세 포함 매입액은 {bought}입니다.",
)
INPUT_TAX = ("매입세액은 {bought}입니다.", "공제받을 매입세액이 {bought}이에요.", "매입세액 {bought}이 있습니다.")
NOTHING_BOUGHT = ("매입은 없습니다.", "매입세액은 없어요.")
ZERO_RATED = ("그 밖에 영세율 매출(수출)이 {zero} 있습니다.", "수출로 영세율 공급가액이 {zero} 더 있습니다.")
BLOCKED = (
    "그중 공제받지 못할 매입세액은 {blocked}입니다.",
    "접대비 관련 등 공제되지 않는 매입세액이 {blocked} 들어 있습니다.",
)
BAD_DEBT = (
    "부가세를 포함한 대손금 {bad}이 이번에 확정되었습니다.",
    "대손세액공제 대상 대손금액은 부가세 포함 {bad}입니다.",
)
WHENS = ("이번 과세기간에 ", "{year}년 1기에 ", "{year}년 2기에 ", "{year}년 1기 과세기간에 ")


def draw_vat_general(rng: random.Random, wordings: Wordings = EVERY_WORDING) -> Case:
    """One taxable period; all randomness from ``rng``."""
    won = draw_won(rng, 5_000_000, 5_000_000_000)
    supply = amount_words(rng, won)
    facts: dict[str, object] = {}
    when = year_of_law(rng, facts, 0.4, WHENS[1:]) if chance(rng, 0.8) else WHENS[0]
    with_tax = chance(rng, 0.3)
    facts["supply_with_tax" if with_tax else "supply"] = supply
    details = []
    if chance(rng, 0.12):
        facts["zero_rated"] = amount_words(rng, draw_won(rng, 1_000_000, won))
        details.append(fill(pick(rng, ZERO_RATED), zero=facts["zero_rated"]))
    bought, input_won = _purchases(rng, facts, won)
    if input_won and chance(rng, 0.2):
        facts["blocked_input_tax"] = amount_words(rng, draw_won(rng, 10_000, max(input_won // 2, 20_000)))
        details.append(fill(pick(rng, BLOCKED), blocked=facts["blocked_input_tax"]))
    if chance(rng, 0.08):
        facts["bad_debt"] = amount_words(rng, draw_won(rng, 110_000, max(won // 10, 220_000)))
        details.append(fill(pick(rng, BAD_DEBT), bad=facts["bad_debt"]))
    question = fill(
        pick(rng, wordings.of(FRAMES)),
        when=when,
        sales=fill(pick(rng, SALES_WITH_TAX if with_tax else SALES), supply=supply),
        bought=bought,
        details=" ".join(details),
        ask=pick(rng, ASKS),
    )
    return Case(sentence(*question.split(" ")), facts, won)


def _purchases(rng: random.Random, facts: dict[str, object], won: int) -> tuple[str, int]:
    """A sentence on what was bought, and about how much input tax it carries; the tax of the period stays above zero."""
    draw = rng.random()
    if draw < 0.1:
        return pick(rng, NOTHING_BOUGHT), 0
    bought = draw_won(rng, max(won // 50, 300_000), max(won * 7 // 10, 600_000))
    if draw < 0.5:
        facts["purchases"] = amount_words(rng, bought)
        return fill(pick(rng, PURCHASES), bought=facts["purchases"]), bought // 10
    if draw < 0.65:
        facts["purchases_with_tax"] = amount_words(rng, bought)
        return fill(pick(rng, PURCHASES_WITH_TAX), bought=facts["purchases_with_tax"]), bought // 11
    tax = max(bought // 10 // MAN * MAN, MAN)
    facts["input_tax"] = amount_words(rng, tax)
    return fill(pick(rng, INPUT_TAX), bought=facts["input_tax"]), tax
