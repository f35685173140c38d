"""What an answer costs: the dated table of configs/prices.yaml (docs/contracts.md: one table for all stages)."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from taxlaw.strict_config import StrictModel, load_config

PRICES_FILE = Path("configs/prices.yaml")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}|\d{8}|\d{6}|\d{4}")  # what vendors hang on a model's name

_Dollars = Annotated[float, Field(ge=0, allow_inf_nan=False)]


@dataclass(frozen=True)
class Cost:
    """``won`` is ``usd`` at the rate of the table: for display, nobody is billed by it."""

    usd: float
    won: float


FREE = Cost(0.0, 0.0)


class ModelPrice(StrictModel):
    """US dollars per million tokens.  ``cached_input`` and ``batch`` are for building data sets, not for single answers."""

    input: _Dollars
    output: _Dollars
    cached_input: _Dollars | None = None
    batch: float | None = None
    source: str


class Prices(StrictModel):
    as_of: datetime.date
    usd_krw: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    usd_krw_date: datetime.date
    models: dict[str, ModelPrice]

    def cost(self, model: str, prompt_tokens: int | None, new_tokens: int | None) -> Cost | None:
        """What these tokens cost; None when the model has no price here or a count is not known.

        A date after a known name is looked through (gpt-4o-2024-08-06); any other name is another model, never guessed.
        """
        price = self.models.get(model) or self._dated(model)
        if price is None or prompt_tokens is None or new_tokens is None:
            return None
        usd = (prompt_tokens * price.input + new_tokens * price.output) / 1_000_000
        return Cost(usd, usd * self.usd_krw)

    def _dated(self, model: str) -> ModelPrice | None:
        known = [
            name for name in self.models if model.startswith(f"{name}-") and _DATE.fullmatch(model[len(name) + 1 :])
        ]
        return self.models[max(known, key=len)] if known else None


def load_prices(path: Path | None = None) -> Prices:
    """The table at ``path``, else configs/prices.yaml here or beside the package.  Raises taxlaw.errors.ConfigError."""
    if path is None:
        path = PRICES_FILE if PRICES_FILE.is_file() else Path(__file__).resolve().parent.parent / PRICES_FILE
    return load_config(path, Prices)
