"""양도소득세 up to the base against korean-tax-calc-mcp, which knows no rates: a second opinion, not gold."""

import random
from datetime import date, timedelta

import pytest

from taxlaw.calculators.capital_gains import CapitalGainsFacts, capital_gains_tax, full_years


def test_income_and_base_agree_with_the_other_engine():
    other = pytest.importorskip("korean_tax_calc_mcp.engine.calc_capgains")
    rng = random.Random(20260601)
    compared = 0
    for _ in range(500):
        year, asset = rng.choice([2024, 2025, 2026]), rng.choice(["토지", "건물", "주택"])
        sold = date(year, rng.randrange(1, 13), rng.randrange(1, 29))
        acquired = sold - timedelta(days=rng.randrange(30, 9_000))
        if full_years(acquired, sold) != full_years(acquired, sold - timedelta(days=1)):
            continue  # it leaves the first day out, so the year turns a day later; see docs
        held = full_years(acquired, sold)
        one_home = asset == "주택" and rng.random() < 0.6
        resided = rng.randrange(0, held + 1) if one_home else 0
        adjusted = rng.random() < 0.5
        registered = rng.random() < 0.9
        exempt = one_home and registered and held >= 2 and (resided >= 2 or not adjusted)
        # It takes the difference of prices as a float share, so prices are kept to whole 만원.
        price, cost = rng.randrange(1, 400_000) * 10_000, rng.randrange(1, 200_000) * 10_000
        spent = rng.randrange(0, 5_000) * 10_000
        ours = capital_gains_tax(
            CapitalGainsFacts(
                price,
                cost,
                year,
                asset,
                spent,
                acquired=acquired,
                sold=sold,
                one_home=one_home,
                residence_years=resided,
                adjusted_when_bought=adjusted,
                registered=registered,
            )
        )
        args = {
            "asset_type": asset,
            "acquisition_date": acquired.isoformat(),
            "transfer_date": sold.isoformat(),
            "transfer_price": price,
            "acquisition_price": cost,
            "capital_expenditure": spent,
            "transfer_expenses": 0,
            "registered": registered,
            "apply_basic_deduction": True,
        }
        if one_home:
            args |= {"one_house": True, "exempt_met": exempt, "residence_years": resided}
        elif asset == "주택":
            args |= {"one_house": False, "heavy_multi_home": False}
        vocab = pytest.importorskip("korean_tax_calc_mcp.vocab")
        theirs = other.calc_cg(args, vocab.rule_on)["결과"]
        found = {step.label.partition("(")[0]: step.amount for step in ours.steps}
        assert theirs["양도차익"] == found["양도차익"], args
        # Its shares and rates are binary floats: up to a won lost at each of two products.
        assert abs(theirs["장기보유특별공제액"] - found.get("장기보유특별공제", 0)) <= 1, args
        assert abs(theirs["양도소득_과세표준"] - ours.tax_base) <= 2, args
        compared += 1
    assert compared > 400
