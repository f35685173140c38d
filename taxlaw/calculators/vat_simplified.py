"""VAT of a simplified taxpayer (간이과세자) for one calendar year: 부가가치세법 제46조, 제61조, 제63조, 제69조.

One trade at a time.  Knows nothing of deemed input tax (gone for simplified taxpayers since 2021-07), nor of penalties.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from taxlaw.calculators import tables
from taxlaw.calculators.result import Result, Step, floor_won, percent_text, require_amounts, subtraction
from taxlaw.calculators.tables import VAT_ACT as ACT
from taxlaw.calculators.tables import VAT_DECREE as DECREE
from taxlaw.errors import UnsupportedCase
from taxlaw.money import format_won


@dataclass(frozen=True)
class VatSimplifiedFacts:
    """A year of one simplified business; amounts in won, VAT included (공급대가).

    industry: a row of the decree's table (시행령 제111조제2항) or a common word for one.  purchases: with tax invoices or card
    slips.  card_sales: sales paid by card or with cash receipts.
    """

    gross: int
    industry: str
    year: int
    purchases: int = 0
    card_sales: int = 0


def canonical_industry(name: str) -> str:
    """The decree's name of a trade.  Raises UnsupportedCase for an unknown trade and for one excluded by 시행령 제109조."""
    key = _key(name)
    for row in tables.VALUE_ADDED_RATES:
        if key == _key(row):
            return row
    if key in tables.INDUSTRY_SYNONYMS:
        return tables.INDUSTRY_SYNONYMS[key]
    if key in tables.EXCLUDED_INDUSTRIES:
        raise UnsupportedCase(
            f"업종 '{name}'은(는) 간이과세를 할 수 없습니다 ({DECREE} 제109조제2항{tables.EXCLUDED_INDUSTRIES[key]})."
        )
    raise UnsupportedCase(f"업종 '{name}'을(를) 모릅니다. 쓸 수 있는 업종: {', '.join(tables.VALUE_ADDED_RATES)}")


def _key(name: str) -> str:
    return re.sub(r"[\s·ㆍ,]", "", name).replace("및", "")


def vat_simplified(facts: VatSimplifiedFacts) -> Result:
    """차감 납부할 세액 of ``facts`` in won.  Raises UnsupportedCase for a year, trade or size outside simplified taxation."""
    tables.require_year(facts.year, "간이과세 부가가치세")
    require_amounts(gross=facts.gross, purchases=facts.purchases, card_sales=facts.card_sales)
    industry = canonical_industry(facts.industry)
    _check_size(facts, industry)

    rate = tables.VALUE_ADDED_RATES[industry]
    calculated = floor_won(facts.gross * rate * tables.VAT_RATE)
    steps = [
        Step("과세표준(공급대가)", format_won(facts.gross), facts.gross, "한 해 동안 손님에게 받은 돈"),
        Step(
            "납부세액",
            f"{format_won(facts.gross)} × {percent_text(rate)} × {percent_text(tables.VAT_RATE)}",
            calculated,
            f"{industry} 비율 {percent_text(rate)}와 세율 10%를 곱한 세금",
        ),
    ]
    articles = [f"{ACT} 제63조제2항", f"{DECREE} 제111조제2항"]
    notes = [f"{facts.year}년 한 해 내내 간이과세자", f"업종은 {industry} 하나"]
    if industry in tables.CONSUMER_FACING_ONLY:
        notes.append("주로 최종소비자를 상대하는 사업")
    if facts.gross < tables.SIMPLIFIED_EXEMPT_BELOW:
        articles.append(f"{ACT} 제69조제1항")
        steps.append(Step("납부의무 면제(4,800만원 미만)", "0원", 0, "받은 돈이 적어 면제되는 세금"))
        return Result(
            "vat_simplified", facts.year, facts.gross, calculated, 0, 0, tuple(steps), tuple(articles), tuple(notes)
        )

    purchase_credit = card_credit = 0
    if facts.purchases:
        full = floor_won(facts.purchases * tables.PURCHASE_CREDIT_RATE)
        expression = f"{format_won(facts.purchases)} × {percent_text(tables.PURCHASE_CREDIT_RATE)}"
        purchase_credit = _limited("매입 세액공제", expression, full, calculated, steps, "물건을 사며 낸 세금 몫")
        articles.append(f"{ACT} 제63조제3항")
    if facts.card_sales:
        full = floor_won(facts.card_sales * tables.CARD_CREDIT_RATE)
        expression = f"{format_won(facts.card_sales)} × {percent_text(tables.CARD_CREDIT_RATE)}"
        room = min(tables.CARD_CREDIT_CAP, calculated - purchase_credit)
        card_credit = _limited("신용카드 등 세액공제", expression, full, room, steps, "카드로 받은 매출 몫")
        articles.append(f"{ACT} 제46조제1항")
        notes.append("영수증을 발급하는 업종이고 카드 매출은 신용카드·현금영수증 매출")
    credits = purchase_credit + card_credit
    payable = calculated - credits
    if credits or steps[-1].amount != payable:  # a credit of 0원 may stand last
        articles.append(f"{ACT} 제63조제6항")
        steps.append(Step("차감", subtraction(calculated, purchase_credit, card_credit), payable, "빼고 남은 세금"))
    return Result(
        "vat_simplified",
        facts.year,
        facts.gross,
        calculated,
        credits,
        payable,
        tuple(steps),
        tuple(articles),
        tuple(notes),
    )


def _check_size(facts: VatSimplifiedFacts, industry: str) -> None:
    # 제61조 looks at the year before; with one year of facts, that year's size is taken for it.
    ceiling = tables.SIMPLIFIED_CEILING_RENTAL if industry == "부동산임대업" else tables.SIMPLIFIED_CEILING
    if facts.gross >= ceiling:
        article = "제61조제1항제3호" if industry == "부동산임대업" else "제61조제1항"
        raise UnsupportedCase(
            f"gross: {industry} 공급대가 {format_won(facts.gross)}은 간이과세 기준({format_won(ceiling)} 미만)을 넘어 간이과세 "
            f"대상이 아닙니다 ({ACT} {article}). 일반과세로 계산해야 합니다."
        )
    if facts.card_sales > facts.gross:
        raise UnsupportedCase("card_sales: 카드 매출이 전체 공급대가보다 큽니다 (card sales exceed gross).")


def _limited(label: str, expression: str, full: int, room: int, steps: list[Step], plain: str) -> int:
    """A credit cut to ``room`` won (제63조제6항, 제46조제1항제3호); adds its step."""
    if full > room:
        steps.append(Step(f"{label}(한도)", format_won(room), room, plain))
        return room
    steps.append(Step(label, expression, full, plain))
    return full
