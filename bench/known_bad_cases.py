"""The published wrong figures of known_bad_examples.jsonl, each beside what our calculators say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from worked_examples_cases import amounts_of, our_answer, read_rows

from taxlaw.calculators.capital_gains import CapitalGainsFacts, capital_gains_tax
from taxlaw.calculators.gift import GiftFacts, gift_tax
from taxlaw.calculators.income import IncomeFacts, income_tax
from taxlaw.calculators.income_parts import dividend_gross_up
from taxlaw.calculators.withholding import WithholdingFacts, withholding_tax
from taxlaw.errors import UnsupportedCase


@dataclass(frozen=True)
class Refutation:
    """A published wrong figure: what was claimed, what we get, and the claim we must not produce."""

    id: str
    claim: str
    ours: str
    refuted: bool


# Rows that claim no tax figure, and why they are not run.
NO_FIGURE = {"kb-11": "세금이 아니라 시험 채점표를 잘못 읽은 기록이어서 계산기와 견줄 수치가 없음"}


def refutations() -> list[Refutation]:
    """Each published wrong figure beside ours; ``refuted`` when ours is the right one and not theirs."""
    two_gifts = GiftFacts(300_000_000, "직계존속", 2025, prior_gifts=200_000_000, prior_tax=20_000_000)
    gift = gift_tax(two_gifts).payable
    lottery = withholding_tax(WithholdingFacts("복권", 500_000_000, 2025)).payable
    surcharged = capital_gains_tax(
        CapitalGainsFacts(
            600_000_000,
            300_000_000,
            2026,
            "주택",
            held_years=4,
            sold=date(2026, 6, 1),
            homes=3,
            adjusted_when_sold=True,
            transition=False,
        )
    )
    income = income_tax(IncomeFacts(2025, base=196_650_000)).payable
    by_row = {row["id"]: row for row in read_rows("worked_examples.jsonl")}
    one_won = [our_answer(by_row[name], 2026).figures["산출세액"] for name in ("we-069", "we-081")]
    high = capital_gains_tax(
        CapitalGainsFacts(1_500_000_000, 1_000_000_000, 2025, "주택", held_years=5, one_home=True, residence_years=5)
    )
    gain = amounts_of(high)["과세대상 양도차익"]
    dividend = dividend_gross_up(100_000_000, 2026).amount
    refused = [year for year in (2010, 2030) if _refuses(year)]
    base = surcharged.tax_base
    return [
        Refutation("kb-02", "67,900,000원", f"{gift:,}원", gift == 58_200_000),
        Refutation(
            "kb-03",
            "과세표준 273,500,000원, 산출세액 166,040,000원",
            f"과세표준 {base:,}원, 산출세액 {surcharged.payable:,}원",
            (base, surcharged.payable) == (297_500_000, 182_360_000),
        ),
        Refutation("kb-04", "126,000,000원", f"{lottery:,}원", lottery == 120_000_000),
        Refutation(
            "kb-05",
            "131,249,999원, 132,999,999원",
            ", ".join(f"{tax:,}원" for tax in one_won),
            one_won == [131_250_000, 133_000_000],
        ),
        Refutation("kb-06", "54,726,750원", f"{income:,}원", income == 54_787_000),
        Refutation(
            "kb-10", "2026년 배당가산율 11% (배당 1억원에 11,000,000원)", f"10%: {dividend:,}원", dividend == 10_000_000
        ),
        Refutation(
            "kb-12",
            "양도차익 5억원이 12억원보다 작아 0원",
            f"과세대상 양도차익 {gain:,}원, 산출세액 {high.payable:,}원",
            gain == 100_000_000 and high.payable > 0,
        ),
        Refutation(
            "kb-13",
            "2010년·2030년 증여도 지금의 3%·5천만원으로 계산",
            "·".join(f"{year}년 거절" for year in refused),
            refused == [2010, 2030],
        ),
    ]


def _refuses(year: int) -> bool:
    try:
        gift_tax(GiftFacts(300_000_000, "직계존속", year))
    except UnsupportedCase:
        return True
    return False
