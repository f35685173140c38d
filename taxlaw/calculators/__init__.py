"""Facts in, Result out: gift, income, simplified VAT and corporate tax for 2024-2026, in exact won."""

from taxlaw.calculators.corporate import CorporateFacts, corporate_tax
from taxlaw.calculators.gift import GiftFacts, gift_tax
from taxlaw.calculators.income import IncomeFacts, income_tax
from taxlaw.calculators.result import Result, Step
from taxlaw.calculators.vat_simplified import VatSimplifiedFacts, vat_simplified

__all__ = [
    "CorporateFacts",
    "GiftFacts",
    "IncomeFacts",
    "Result",
    "Step",
    "VatSimplifiedFacts",
    "corporate_tax",
    "gift_tax",
    "income_tax",
    "vat_simplified",
]
