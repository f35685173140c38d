"""What an answer costs: known models by the table, a dated name as its model, anything else unknown and never guessed."""

from __future__ import annotations

from pathlib import Path

import pytest

from serve.prices import PRICES_FILE, Prices, load_prices
from taxlaw.errors import ConfigError
from taxlaw.strict_config import validate

REPO = Path(__file__).resolve().parents[2]
TABLE = {
    "as_of": "2026-01-01",
    "usd_krw": 1500.0,
    "usd_krw_date": "2026-01-01",
    "models": {
        "big": {"input": 2.0, "output": 10.0, "source": "test"},
        "big-mini": {"input": 0.2, "output": 1.0, "source": "test"},
    },
}


def prices() -> Prices:
    return validate(TABLE, Prices, where="test")


def test_cost_is_tokens_times_price_in_dollars_and_won() -> None:
    cost = prices().cost("big", 1000, 200)
    assert cost.usd == pytest.approx(0.004)
    assert cost.won == pytest.approx(6.0)


@pytest.mark.parametrize(("name", "usd"), [("big-2024-08-06", 2.0), ("big-mini-20250929", 0.2), ("big-0613", 2.0)])
def test_a_date_after_a_known_name_is_looked_through(name: str, usd: float) -> None:
    assert prices().cost(name, 1_000_000, 0).usd == pytest.approx(usd)


@pytest.mark.parametrize("name", ["other", "big-turbo", "big-2024-08-06-x", "bi", "바보"])
def test_an_unknown_model_has_no_price(name: str) -> None:
    assert prices().cost(name, 10, 10) is None


@pytest.mark.parametrize("tokens", [(None, 10), (10, None)])
def test_no_count_no_price(tokens: tuple) -> None:
    assert prices().cost("big", *tokens) is None


def test_the_table_of_the_repository_is_found_from_anywhere(tmp_path: Path) -> None:
    # the test runs in an empty folder
    assert load_prices() == load_prices(REPO / PRICES_FILE)
    assert load_prices().cost("gpt-4o-mini", 1000, 1000).usd > 0


def test_an_unknown_key_in_the_table_is_told(tmp_path: Path) -> None:
    text = (REPO / PRICES_FILE).read_text(encoding="utf-8").replace("usd_krw:", "usd_kwr:")
    (tmp_path / "prices.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="usd_krw"):
        load_prices(tmp_path / "prices.yaml")
