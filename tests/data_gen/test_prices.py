"""The price table: what an answer costs, whose price is whose, and that an unknown price never stops a run."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_gen.asking.values import Usage
from data_gen.prices import UNKNOWN, PriceTable, load_prices, show_money
from taxlaw.errors import ConfigError

SHIPPED = Path(__file__).parents[2] / "configs" / "prices.yaml"


def table(**models) -> PriceTable:
    filled = {name: {"source": "시험", **price} for name, price in models.items()}
    return PriceTable(as_of="2026-11-01", usd_krw=1400.0, usd_krw_date="2026-11-01", models=filled)


TABLE = table(
    **{
        "gpt-4o": {"input": 2.5, "cached_input": 1.25, "output": 10.0, "batch": 0.5},
        "gpt-4o-2024-05-13": {"input": 5.0, "output": 15.0},
        "gpt-4o-mini": {"input": 0.15, "output": 0.6},
        "own": {"input": 0.0, "output": 0.0},
    }
)


def test_input_cached_input_and_output_are_each_priced_their_own_way():
    usage = Usage(input=1_000_000, cached=400_000, output=200_000)
    assert TABLE.cost_usd("gpt-4o", usage) == pytest.approx(0.6 * 2.5 + 0.4 * 1.25 + 0.2 * 10)
    assert TABLE.cost_usd("gpt-4o", usage, batch=True) == pytest.approx((0.6 * 2.5 + 0.4 * 1.25 + 0.2 * 10) / 2)


def test_reasoning_is_part_of_output_and_is_billed_even_by_an_endpoint_that_counts_it_beside():
    whole = Usage(output=1000, reasoning=800)
    assert TABLE.cost_usd("gpt-4o", whole) == pytest.approx(0.01)
    assert TABLE.cost_usd("gpt-4o", Usage(output=100, reasoning=800)) == pytest.approx(0.008)


def test_cached_input_without_a_price_of_its_own_costs_as_much_as_any_input():
    assert TABLE.cost_usd("gpt-4o-mini", Usage(input=1000, cached=1000)) == pytest.approx(0.00015)
    # More cached than there was input must not become a credit.
    assert TABLE.cost_usd("gpt-4o", Usage(input=10, cached=1_000_000)) == pytest.approx(10 * 1.25e-6)


@pytest.mark.parametrize(
    ("model", "priced_as"),
    [
        ("gpt-4o", "gpt-4o"),
        ("gpt-4o-2024-08-06", "gpt-4o"),
        ("gpt-4o-2024-05-13", "gpt-4o-2024-05-13"),
        ("gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
        ("gpt-4o-0806", "gpt-4o"),
        ("gpt-4o-audio-preview", None),
        ("gpt-4o-audio-preview-2024-10-01", None),
        ("gpt-4oo", None),
        ("gpt-4", None),
        ("0806", None),
        ("", None),
    ],
)
def test_only_a_date_is_looked_through_and_the_longest_name_wins(model, priced_as):
    assert TABLE.price_of(model) == (TABLE.models[priced_as] if priced_as else None)


@given(st.text(), st.integers(0, 10**9), st.integers(0, 10**9))
def test_no_model_name_and_no_usage_is_ever_an_exception(model, given_tokens, said):
    usd = TABLE.cost_usd(model, Usage(input=given_tokens, output=said))
    assert usd is None or usd >= 0


def test_an_unknown_price_is_said_and_not_taken_for_free():
    assert TABLE.cost_usd("nobody-1", Usage(1, 0, 1)) is None
    assert TABLE.cost_usd("gpt-4o-mini", Usage(1, 0, 1), batch=True) is None  # no batch price was given
    assert TABLE.cost_usd("own", Usage(10**6, 0, 10**6)) == 0.0
    assert show_money(None, TABLE) == UNKNOWN == "가격 모름 (unknown)"
    assert show_money(0.0123, TABLE) == "$0.0123 (17원)"
    assert show_money(12.5, TABLE) == "$12.50 (17,500원)"


def test_the_shipped_table_names_a_source_and_a_date_for_every_price():
    shipped = load_prices(SHIPPED)
    assert shipped.price_of("gpt-4o-2024-08-06") == shipped.models["gpt-4o"]
    assert shipped.models["gpt-4o"].batch == 0.5
    assert all(price.source.strip() for price in shipped.models.values())
    assert all(price.cached_input is None or price.cached_input <= price.input for price in shipped.models.values())
    assert "CHECK" in SHIPPED.read_text(encoding="utf-8")


@pytest.mark.parametrize("wrong", ["output: -1", "output: .inf", "output: .nan", "output: 비쌈", "outptu: 1.0"])
def test_a_price_that_is_no_price_is_refused(tmp_path, wrong):
    path = tmp_path / "prices.yaml"
    path.write_text(
        "as_of: 2026-11-01\nusd_krw: 1400.0\nusd_krw_date: 2026-11-01\n"
        f"models:\n  m: {{input: 1.0, source: 시험, {wrong}}}\n",
        encoding="utf-8",
    )
    with pytest.raises(ConfigError, match=r"models\.m"):
        load_prices(path)
