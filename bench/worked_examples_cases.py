"""Published worked examples, each put to our calculators: a row of worked_examples.jsonl in, our figures out."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from taxlaw.calculators import tables
from taxlaw.calculators.acquisition import AcquisitionFacts, acquisition_tax
from taxlaw.calculators.capital_gains import CapitalGainsFacts, capital_gains_tax
from taxlaw.calculators.corporate import CorporateFacts, corporate_tax
from taxlaw.calculators.corporate_limits import (
    DonationFacts,
    EntertainmentFacts,
    LossFacts,
    MinimumTaxFacts,
    donation_limits,
    entertainment_limit,
    loss_deduction,
    minimum_tax,
)
from taxlaw.calculators.gift import GiftFacts, gift_tax
from taxlaw.calculators.holding_tax import HoldingTaxFacts, holding_tax
from taxlaw.calculators.income import IncomeFacts, income_tax
from taxlaw.calculators.income_parts import (
    PensionFacts,
    earned_income_credit,
    gift_base_after_fee,
    pension_income,
)
from taxlaw.calculators.inheritance import InheritanceFacts, inheritance_tax
from taxlaw.calculators.inheritance_deductions import financial_deduction, spouse_deduction
from taxlaw.calculators.result import Result
from taxlaw.calculators.retirement import RetirementFacts, retirement_tax
from taxlaw.calculators.vat_general import Deposit, VatGeneralFacts, bad_debt_tax, vat_general
from taxlaw.calculators.vat_simplified import VatSimplifiedFacts, vat_simplified
from taxlaw.calculators.withholding import WithholdingFacts, withholding_tax
from taxlaw.money import find_amounts

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "worked_examples"

# Rows whose year is outside our tables, run in another year whose figures for the case are the same, and why.
RUN_IN_ANOTHER_YEAR = {
    "we-084": (
        2024,
        "2023년 사례를 2024년으로 계산: 음식점업 15%, 매입 0.5%, 카드 1.3%는 두 해가 같고 의제매입세액공제는 2021년 7월부터 없음 "
        "(부가가치세법 제63조·제46조)",
    ),
}


@dataclass(frozen=True)
class Answer:
    """What our calculator says to a row: its name, the year run, and its figures in won by the row's own words."""

    calculator: str
    year: int
    figures: dict[str, int]


def read_rows(name: str) -> list[dict]:
    """The rows of one file of the examples; none when they are not beside this checkout."""
    path = DATA / name
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def years_of(row: dict) -> list[int]:
    """The years to run a row in: those of its ``when`` that the tables cover, or the one that stands for it."""
    if row["id"] in RUN_IN_ANOTHER_YEAR:
        return [RUN_IN_ANOTHER_YEAR[row["id"]][0]]
    first, _, last = row["when"].partition("~")
    covered = range(tables.FIRST_YEAR, tables.LAST_YEAR + 1)
    return [year for year in range(int(first), int(last or first) + 1) if year in covered]


def our_answer(row: dict, year: int) -> Answer | None:
    """Our figures for a row in ``year``; None when no calculator of ours answers it."""
    readers = {
        "증여세": _gift,
        "상속세": _inheritance,
        "양도소득세": _capital_gains,
        "종합부동산세": _holding,
        "취득세": _acquisition,
        "퇴직소득세": _retirement,
        "종합소득세": _income,
        "법인세": _corporate,
        "부가가치세": _vat,
    }
    reader = readers.get(row["tax"])
    found = reader(row, year) if reader else None
    if found is None:
        return None
    calculator, figures = found
    return Answer(calculator, year, figures)


Found = tuple[str, dict[str, int]] | None


def amounts_of(result: Result) -> dict[str, int]:
    """Amounts by label, less what stands in brackets; the last of a label counts."""
    return {re.sub(r"\(.*\)$", "", step.label): step.amount for step in result.steps}


def _gift(row: dict, year: int) -> Found:
    i = row["inputs"]
    facts = GiftFacts(
        amount=i.get("gift_value") or i["gift"],
        relation=i.get("relation", "직계존속"),
        year=year,
        minor=i.get("recipient_minor", False),
        generation_skip=i.get("generation_skip", False),
        marriage_birth=tables.MARRIAGE_BIRTH_CAP if i.get("marriage_birth") or i.get("marriage_and_birth") else 0,
        debt=i.get("assumed_debt") or i.get("debt", 0),
        prior_gifts=i.get("prior_gifts_same_donor", 0),
        prior_tax=i.get("prior_gift_tax_paid", 0),
        filed="신고하지 않았" not in row["question"],
    )
    if "appraisal" in i:
        return "gift_base_after_fee", {"과세표준": gift_base_after_fee(facts, i["appraisal"]).amount}
    result = gift_tax(facts)
    amounts = amounts_of(result)
    return "gift_tax", {
        "과세표준": result.tax_base,
        "산출세액": result.calculated_tax,
        "할증세액": result.surcharge,
        "기납부세액공제": amounts.get("납부세액공제", 0),
        "신고세액공제": amounts.get("신고세액공제", 0),
        "납부할세액": result.payable,
        "합계": result.calculated_tax + result.surcharge,
    }


def _inheritance(row: dict, year: int) -> Found:
    i = row["inputs"]
    if "net_financial" in i and "estate" not in i:
        return "financial_deduction", {"금융재산상속공제": financial_deduction(i["net_financial"])}
    if "legal_limit" in i:
        return "spouse_deduction", {"배우자상속공제": spouse_deduction(i["actual"], i["legal_limit"])}
    if "과세표준" in i:
        # An estate with 5억원 lump sum and the least funeral cost of 500만원 has just this base.
        base = i["과세표준"]
        result = inheritance_tax(InheritanceFacts(base + 505_000_000, year))
        assert result.tax_base == base, "the lump sum or the funeral cost moved"
        return "inheritance_tax", {"산출세액": result.calculated_tax}
    result = inheritance_tax(
        InheritanceFacts(
            estate=i["estate"],
            year=year,
            public_charges=i["public"],
            funeral=i["funeral"],
            enshrinement=i["enshrine"],
            debt=i["debt"],
            spouse=True,
            spouse_receives=i["spouse_actual"],
            children=i["children"],
            net_financial=i["net_financial"],
        )
    )
    amounts = amounts_of(result)
    return "inheritance_tax", {
        "과세가액": amounts["상속세 과세가액"],
        "공제합계": amounts["상속공제 합계"],
        "과세표준": result.tax_base,
        "산출세액": result.calculated_tax,
        "신고세액공제": amounts["신고세액공제"],
        "납부할세액": result.payable,
    }


def _capital_gains(row: dict, year: int) -> Found:
    i = row["inputs"]
    if "hold" in i:
        facts = CapitalGainsFacts(
            i["price"], i["cost"], year, "주택", held_years=i["hold"], one_home=True, residence_years=i["res"]
        )
    else:
        kinds = {"building": "건물", "land_business": "토지"}
        home = i["assetSubType"].startswith("housing")
        facts = CapitalGainsFacts(
            sale_price=i["transferPrice"],
            purchase_price=i["acquisitionPrice"],
            year=year,
            asset="주택" if home else kinds[i["assetSubType"]],
            expenses=i["necessaryExpense"],
            acquired=date.fromisoformat(i["acquisitionDate"]),
            sold=date.fromisoformat(i["transferDate"]),
            one_home=i["is1h1h"],
            residence_years=i["residenceYears"],
            adjusted_when_sold=i["isAdjustedArea"],
            transition=False,
            registered=not i["isUnregistered"],
        )
    result = capital_gains_tax(facts)
    amounts = amounts_of(result)
    return "capital_gains_tax", {
        "양도차익": amounts["양도차익"],
        "과세대상양도차익": amounts.get("과세대상 양도차익", amounts["양도차익"]),
        "장기보유특별공제": amounts.get("장기보유특별공제", 0),
        "과세표준": result.tax_base,
        "산출세액": result.calculated_tax,
    }


def _holding(row: dict, year: int) -> Found:
    homes = int(re.search(r"(\d)주택", row["question"])[1])
    result = holding_tax(HoldingTaxFacts(row["inputs"]["total"], year, homes=homes))
    return "holding_tax", {"과세표준": result.tax_base, "세액": result.payable}


def _acquisition(row: dict, year: int) -> Found:
    question = row["question"]
    homes = re.search(r"1세대 (\d)주택", question)
    facts = AcquisitionFacts(
        row["inputs"]["price"],
        year,
        "상속" if "상속" in question else "매매",
        "주택",
        homes=int(homes[1]) if homes else 1,
        adjusted="조정대상지역" in question,
        company="법인" in question,
    )
    return "acquisition_tax", {"취득세": acquisition_tax(facts).payable}


def _retirement(row: dict, year: int) -> Found:
    i = row["inputs"]
    return "retirement_tax", {"산출세액": retirement_tax(RetirementFacts(i["pay"], year, years=i["years"])).payable}


def _income(row: dict, year: int) -> Found:
    match row["inputs"]:
        case {"base": base}:
            return "income_tax", {"산출세액": income_tax(IncomeFacts(year, base=base)).calculated_tax}
        case {"tax": tax, "gross": gross}:
            credit = earned_income_credit(gross, tax, year).amount
            return "earned_income_credit", {"근로소득세액공제": credit}
        case {"gross": gross}:
            return "income_tax", {
                "근로소득공제": amounts_of(income_tax(IncomeFacts(year, gross_pay=gross)))["근로소득공제"]
            }
        case {"public": public, "private": private}:
            part = pension_income(PensionFacts(year, public, private, separate="분리과세" in row["question"]))
            return "pension_income", {"연금소득공제": part.amount_of("연금소득공제"), "연금소득금액": part.amount}
        case {"prize": prize}:
            result = withholding_tax(WithholdingFacts("복권", prize, year))
            return "withholding_tax", {"원천징수세액": result.payable}
    return None


def _corporate(row: dict, year: int) -> Found:
    match row["inputs"]:
        case {"year": _, "base": base}:
            return "corporate_tax", {"산출세액": corporate_tax(CorporateFacts(base, year)).payable}
        case {"sme": sme, "revenue": revenue}:
            return "entertainment_limit", {"한도": entertainment_limit(EntertainmentFacts(year, sme, revenue)).amount}
        case {"base": base, "special": special, "general": general}:
            part = donation_limits(DonationFacts(year, base, special=special, general=general))
            return "donation_limits", {
                "특례한도": part.amount_of("특례기부금 한도"),
                "일반한도": part.amount_of("일반기부금 한도"),
                "한도초과": part.amount,
            }
        case {"calc": calculated, "reduction": reduction, "base": base}:
            part = minimum_tax(MinimumTaxFacts(year, calculated, reduction, base, sme="중소기업의" in row["question"]))
            return "minimum_tax", {
                "최저한세": part.amount_of("최저한세"),
                "납부세액": part.amount,
                "감면배제": part.amount_of("감면 배제"),
            }
        case {"income": income, "loss": loss, "sme": sme}:
            part = loss_deduction(LossFacts(year, income, loss, whole=sme))
            return "loss_deduction", {
                "공제": part.amount,
                "공제후": part.amount_of("공제 후 소득"),
                "잔액": part.amount_of("남은 결손금"),
            }
    return None


def _vat(row: dict, year: int) -> Found:
    match row["inputs"]:
        case {"gross": gross, "purchase": purchase, "card": card}:
            result = vat_simplified(VatSimplifiedFacts(gross, "음식점업", year, purchase, card))
            amounts = amounts_of(result)
            return "vat_simplified", {
                "산출세액": result.calculated_tax,
                "매입공제": amounts["매입 세액공제"],
                "카드공제": amounts["신용카드 등 세액공제"],
                "차감납부세액": result.payable,
            }
        case {"common": common, "taxable": taxable, "exempt": exempt}:
            amounts = amounts_of(
                vat_general(VatGeneralFacts(year, supply=taxable, common_input_tax=common, exempt_supply=exempt))
            )
            return "vat_general", {"불공제": amounts["불공제 공통매입세액"], "공제": amounts["공제하는 매입세액"]}
        case {"total": total}:
            result = vat_general(VatGeneralFacts(year, supply_with_tax=total))
            return "vat_general", {"공급가액": result.tax_base, "매출세액": result.calculated_tax}
        case {"bad": bad}:
            return "bad_debt_tax", {"대손세액": bad_debt_tax(bad)}
    if "보증금" not in row["question"]:
        return None
    # we-085 has its facts in the question alone: deposits in millions with their days, and the rents.
    deposits = tuple(
        Deposit(round(float(millions) * 1_000_000), int(days))
        for millions, days in re.findall(r"([\d.]+)백만 (\d+)일", row["question"])
    )
    (rent,) = {amount.won for amount in find_amounts(row["question"][row["question"].index("월세") :])}
    return "vat_general", {"과세표준": vat_general(VatGeneralFacts(year, supply=rent, deposits=deposits)).tax_base}
