"""What an answer costs: a dated table of prices, and the price of a usage under it.  Knows nothing of requests or caps."""

from __future__ import annotations

import datetime
import re
from pathlib import Path
from typing import Annotated

from pydantic import Field

from data_gen.asking.values import Usage
from taxlaw.strict_config import StrictModel, load_config

UNKNOWN = "가격 모름 (unknown)"
# The dates vendors hang on a model's name: -2024-08-06, -20250929, -250909, -0613.
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}|\d{8}|\d{6}|\d{4}")

Dollars = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class ModelPrice(StrictModel):
    """US dollars per million tokens."""

    input: Dollars
    output: Dollars
    """Reasoning tokens are billed as output."""
    cached_input: Dollars | None = None
    """Input served from the endpoint's prompt cache; None: priced as other input, which is never too low."""
    batch: Annotated[float, Field(ge=0, le=1)] | None = None
    """Factor of the batch endpoint; None: no batch price known."""
    source: str
    """Where the price was read, and when."""


class PriceTable(StrictModel):
    as_of: datetime.date
    usd_krw: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    """Won for a dollar, for display."""
    usd_krw_date: datetime.date
    models: dict[str, ModelPrice]

    def price_of(self, model: str) -> ModelPrice | None:
        """The model's price: under its own name, else under the longest name that it only adds a date to; else None."""
        if model in self.models:
            return self.models[model]
        dated = [
            name for name in self.models if model.startswith(f"{name}-") and _DATE.fullmatch(model[len(name) + 1 :])
        ]
        return self.models[max(dated, key=len)] if dated else None

    def cost_usd(self, model: str, usage: Usage, batch: bool = False) -> float | None:
        """Dollars for ``usage``, or None when the model (or its batch) has no price here.  Never raises for a model."""
        price = self.price_of(model)
        if price is None or (batch and price.batch is None):
            return None
        cached_price = price.input if price.cached_input is None else price.cached_input
        # Endpoints have been seen to count more cached tokens than input; a negative remainder would pay the user.
        cached = min(usage.cached, usage.input)
        per_million = (
            (usage.input - cached) * price.input
            + cached * cached_price
            # Reasoning tokens stand inside output; where an endpoint counts them beside it, the larger figure is billed.
            + max(usage.output, usage.reasoning) * price.output
        )
        return per_million / 1_000_000 * (price.batch if batch else 1.0)


def load_prices(path: Path) -> PriceTable:
    """Read configs/prices.yaml.  Raises ConfigError."""
    return load_config(path, PriceTable)


def show_money(usd: float | None, prices: PriceTable) -> str:
    """``$1.2345 (1,863원)``, or the words for an unknown price."""
    return UNKNOWN if usd is None else f"{show_usd(usd)} ({show_won(usd, prices)})"


def show_usd(usd: float | None) -> str:
    if usd is None:
        return UNKNOWN
    # Below a dollar, cents hide what a single answer costs.
    return f"${usd:,.2f}" if usd >= 1 or usd == 0 else f"${usd:.4f}"


def show_won(usd: float | None, prices: PriceTable) -> str:
    return UNKNOWN if usd is None else f"{usd * prices.usd_krw:,.0f}원"
