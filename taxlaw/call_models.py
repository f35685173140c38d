"""The calls of the further calculators, made from their facts: same keys, same defaults, amounts in won or in words.

The four calls a student is trained on are written out in calls.py; these nine follow the facts of taxlaw.calculators, so that
a fact added there is a key here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from datetime import date
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_type_hints

from pydantic import AfterValidator, BeforeValidator, Field, StrictBool, StrictInt, StrictStr, create_model

from taxlaw.calculators.acquisition import AcquisitionFacts, acquisition_tax
from taxlaw.calculators.capital_gains import CapitalGainsFacts, capital_gains_tax
from taxlaw.calculators.holding_tax import HoldingTaxFacts, holding_tax
from taxlaw.calculators.inheritance import inheritance_tax
from taxlaw.calculators.inheritance_facts import InheritanceFacts
from taxlaw.calculators.penalties import PenaltyFacts, penalty
from taxlaw.calculators.property_tax import PropertyTaxFacts, property_tax
from taxlaw.calculators.result import Result
from taxlaw.calculators.retirement import RetirementFacts, retirement_tax
from taxlaw.calculators.vat_general import VatGeneralFacts, vat_general
from taxlaw.calculators.withholding import WithholdingFacts, withholding_tax
from taxlaw.money import parse_won
from taxlaw.strict_config import StrictModel

MOST_WON = 10**16  # 1경원: far above any tax base; keeps a degenerate number from becoming a page of digits


def _amount(value: int | str) -> int | str:
    won = parse_won(value)
    if not 0 <= won <= MOST_WON:
        raise ValueError("0원부터 1경원까지의 금액이어야 합니다")
    # Nothing is 0 however it is worded, so that a default can be told from a fact.
    return value if won else 0


def _day(value: object) -> object:
    if isinstance(value, str):
        try:
            # A small model leaves a zero out now and then: 2025-07-3 is no other day.
            return date.fromisoformat(re.sub(r"-(\d)(?=-|$)", r"-0\1", value))
        except ValueError as exc:
            raise ValueError(f"2026-05-31 꼴의 날짜여야 합니다: {value!r}") from exc
    return value


Amount = Annotated[StrictInt | StrictStr, AfterValidator(_amount)]
Year = Annotated[StrictInt, Field(ge=1900, le=2100)] | None
_Day = Annotated[date, BeforeValidator(_day)]
_Word = Annotated[StrictStr, Field(min_length=1, max_length=40)]


class FurtherTax(NamedTuple):
    """One calculator: its facts, its function, and which facts are amounts of money."""

    facts: type
    run: Callable[[Any], Result]
    amounts: frozenset[str]


def _tax(facts: type, run: Callable[[Any], Result], amounts: str) -> FurtherTax:
    return FurtherTax(facts, run, frozenset(amounts.split()))


FURTHER: dict[str, FurtherTax] = {
    "inheritance": _tax(
        InheritanceFacts,
        inheritance_tax,
        "estate public_charges funeral enshrinement debt spouse_receives spouse_limit spouse_gift_base net_financial cohabited_house"
        " appraisal_fee gifts_to_heirs heirs_gift_deduction heirs_gift_tax gifts_to_others others_gift_deduction others_gift_tax"
        " bequest_to_others renounced_to_next skip_receives",
    ),
    "retirement": _tax(RetirementFacts, retirement_tax, "pay"),
    "capital_gains": _tax(CapitalGainsFacts, capital_gains_tax, "sale_price purchase_price expenses"),
    "holding": _tax(HoldingTaxFacts, holding_tax, "official_price property_tax_credit burden_last_year property_tax"),
    "acquisition": _tax(AcquisitionFacts, acquisition_tax, "value standard_value"),
    "property": _tax(PropertyTaxFacts, property_tax, "official_price price_last_year"),
    "withholding": _tax(WithholdingFacts, withholding_tax, "amount expense"),
    "penalty": _tax(PenaltyFacts, penalty, "tax_amount fraud_tax receipts"),
    "vat_general": _tax(
        VatGeneralFacts,
        vat_general,
        "supply supply_with_tax zero_rated purchases purchases_with_tax input_tax blocked_input_tax common_input_tax"
        " exempt_supply bad_debt card_sales card_credit_used prior_supply",
    ),
}
# The facts of a penalty have a key "tax" of their own (세액), which in a call is the name of the calculator.
RENAMED = {"penalty": {"tax_amount": "tax"}}


def _model(name: str, tax: FurtherTax) -> type[StrictModel]:
    """The pydantic model of a calculator's facts, the year optional (the year of ``as_of``)."""
    hints = get_type_hints(tax.facts)
    keys = {inner: outer for outer, inner in RENAMED.get(name, {}).items()}
    shapes: dict[str, Any] = {"tax": (Literal[name], ...)}
    for field in fields(tax.facts):
        key, hint = keys.get(field.name, field.name), hints[field.name]
        if any(is_dataclass(part) for part in get_args(hint)):
            continue  # deposits and invoice faults of general VAT: lists of facts, which a call of one line does not carry
        default = ... if field.default is MISSING else field.default
        optional = type(None) in getattr(hint, "__args__", ())
        if key == "year":
            shapes[key] = (Year, None)
            continue
        if key in tax.amounts:
            shape: Any = Amount
        elif hint is bool or (optional and bool in hint.__args__):
            shape = StrictBool
        elif hint is int or (optional and int in hint.__args__):
            shape = Annotated[StrictInt, Field(ge=0, le=200)]
        elif hint is date or (optional and date in hint.__args__):
            shape = _Day
        elif hint is str:
            shape = _Word
        else:
            shape = tuple[StrictInt, ...]
        shapes[key] = (shape | None if optional else shape, default)
    return create_model(f"{name.title().replace('_', '')}Call", __base__=StrictModel, **shapes)


MODELS: dict[str, type[StrictModel]] = {name: _model(name, tax) for name, tax in FURTHER.items()}
