"""What every calculator returns, and the one way a bracket table is applied.  Exact integers and fractions, no floats.

Rounding: a fraction of a won is dropped at each amount the law names (원 미만 절사).  The dropping of amounts below ten
won when tax is collected (국고금관리법) belongs to the payment slip and is not applied here.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from taxlaw.calculators.tables import Brackets
from taxlaw.errors import UnsupportedCase
from taxlaw.money import format_won


@dataclass(frozen=True)
class Step:
    """One line of working: ``expression`` is right arithmetic whose value, less any fraction of a won, is ``amount``.

    ``plain`` is the label in everyday words ("" when the label itself is plain enough).
    """

    label: str
    expression: str
    amount: int
    plain: str = ""


@dataclass(frozen=True)
class Result:
    """A tax worked out.  All amounts in won.

    ``calculated_tax`` is 산출세액 (gift: before the surcharge of 제57조, which is ``surcharge``); ``credits`` are the credits
    taken.  payable = calculated_tax + surcharge - credits, or 0 where the law waives the tax.
    """

    tax: str
    year: int
    tax_base: int
    calculated_tax: int
    credits: int
    payable: int
    steps: tuple[Step, ...]
    articles: tuple[str, ...]
    assumptions: tuple[str, ...]
    surcharge: int = 0


def floor_won(amount: Fraction | int) -> int:
    """Whole won, a fraction dropped (원 미만 절사); for amounts of zero or more."""
    return int(amount)


def percent_text(rate: Fraction) -> str:
    """3/100 -> '3%', 13/1000 -> '1.3%'."""
    scaled = rate * 100
    return f"{scaled.numerator}%" if scaled.denominator == 1 else f"{float(scaled):g}%"


def require_amounts(**amounts: int) -> None:
    """Raises UnsupportedCase when an amount is not a whole number of won of zero or more."""
    for name, amount in amounts.items():
        if isinstance(amount, bool) or not isinstance(amount, int):
            raise UnsupportedCase(f"{name}: 원 단위 정수여야 합니다 (whole won expected): {amount!r}")
        if amount < 0:
            raise UnsupportedCase(f"{name}: 0원보다 작을 수 없습니다 (negative amount): {amount}")


def bracket_tax(base: Fraction | int, brackets: Brackets, base_text: str | None = None) -> tuple[Fraction, str]:
    """Progressive tax on ``base`` (won) and its expression, e.g. '9,000만원 + (6억원 - 5억원) × 30%'.

    ``base_text`` stands for the base in the expression; it defaults to the base written in won.
    """
    text = base_text or format_won(floor_won(base))
    lower, below = 0, Fraction(0)
    for upper, rate in brackets:
        if upper is None or base <= upper:
            tax = below + (base - lower) * rate
            if base == 0:
                return Fraction(0), "0원"
            if lower == 0:
                return tax, f"{text} × {percent_text(rate)}"
            return tax, f"{format_won(floor_won(below))} + ({text} - {format_won(lower)}) × {percent_text(rate)}"
        below += (upper - lower) * rate
        lower = upper
    raise ValueError("a bracket table must end with an open bracket")


def subtraction(start: int, *parts: int) -> str:
    """'20억원 - 5,000만원': the start less every part that is not zero."""
    return " - ".join([format_won(start), *(format_won(part) for part in parts if part)])


def addition(*parts: int) -> str:
    """'5억원 + 3억원': every part that is not zero."""
    return " + ".join(format_won(part) for part in parts if part) or "0원"
