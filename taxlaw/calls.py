"""The one-line JSON by which a student, or a rule, asks a calculator; and the Korean working of its result.

A call copies facts out of a question; code does the arithmetic.  Amounts are whole won or the question's own words
('20억원').  The law itself is in taxlaw.calculators.
"""

from __future__ import annotations

import json
import re
from datetime import date
from functools import cache
from typing import Annotated, Any, Literal, Union

from pydantic import (
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from taxlaw import calculators
from taxlaw.calculators import CorporateFacts, GiftFacts, IncomeFacts, Result, VatSimplifiedFacts
from taxlaw.call_models import FURTHER, MODELS, RENAMED, Amount, Year
from taxlaw.errors import CallError, UnsupportedCase
from taxlaw.money import find_amounts, format_won, parse_won
from taxlaw.strict_config import StrictModel


class GiftCall(StrictModel):
    """Gift tax; see taxlaw.calculators.gift.GiftFacts."""

    tax: Literal["gift"]
    amount: Amount
    relation: Literal["배우자", "직계존속", "직계비속", "기타친족", "타인"]
    minor: StrictBool = False
    generation_skip: StrictBool = False
    marriage_birth: Amount = 0
    debt: Amount = 0
    prior_gifts: Amount = 0
    prior_tax: Amount = 0
    filed: StrictBool = True
    year: Year = None


class IncomeCall(StrictModel):
    """Income tax, from exactly one of base, income and gross_pay; see taxlaw.calculators.income.IncomeFacts."""

    tax: Literal["income"]
    base: Amount | None = None
    income: Amount | None = None
    deductions: Amount = 0
    gross_pay: Amount | None = None
    dependants: Annotated[StrictInt, Field(ge=1, le=30)] = 1
    children: Annotated[StrictInt, Field(ge=0, le=29)] = 0
    year: Year = None

    @model_validator(mode="after")
    def _one_entry(self) -> IncomeCall:
        if sum(entry is not None for entry in (self.base, self.income, self.gross_pay)) != 1:
            raise ValueError("base, income, gross_pay 가운데 하나만 있어야 합니다")
        return self


class VatSimplifiedCall(StrictModel):
    """VAT of a simplified taxpayer; see taxlaw.calculators.vat_simplified.VatSimplifiedFacts."""

    tax: Literal["vat_simplified"]
    gross: Amount
    industry: Annotated[StrictStr, Field(min_length=1, max_length=40)]
    purchases: Amount = 0
    card_sales: Amount = 0
    year: Year = None


class CorporateCall(StrictModel):
    """Corporate tax; see taxlaw.calculators.corporate.CorporateFacts."""

    tax: Literal["corporate"]
    base: Amount
    months: Annotated[StrictInt, Field(ge=1, le=12)] = 12
    small_rental: StrictBool = False
    year: Year = None


Call = GiftCall | IncomeCall | VatSimplifiedCall | CorporateCall | StrictModel  # StrictModel: those of call_models
_OF_TAX: dict[str, type[StrictModel]] = {
    "gift": GiftCall,
    "income": IncomeCall,
    "vat_simplified": VatSimplifiedCall,
    "corporate": CorporateCall,
    **MODELS,
}
TAXES = tuple(_OF_TAX)
_ANY = Union[*_OF_TAX.values()]
_CALL: TypeAdapter[Call] = TypeAdapter(Annotated[_ANY, Field(discriminator="tax")])
_FENCE = re.compile(r"\s*```(?:json)?\s*")
# The first line of a working, once it is written to its end.
_STEP_LINE = re.compile(r"(?!납부할)[^:.!?\n]{1,40}: [^\n]*원(?:\n|$)")


@cache
def keys_of(tax: str) -> dict[str, TypeAdapter]:
    """The keys of a tax's call, "tax" itself among them, and what reads the value of each; none for a tax that is unknown."""
    model = _OF_TAX.get(tax)
    fields = model.model_fields if model else {}
    return {name: TypeAdapter(Annotated[field.annotation, field]) for name, field in fields.items()}


def parse_call(text: str) -> Call:
    """Read a text that is one call and nothing else.  Raises CallError with a sentence saying what is wrong."""
    call, end = _read(text)
    if text[end:].strip():
        raise CallError(f"호출 뒤에 다른 글이 있습니다: {text[end:].strip()[:40]!r}. 한 줄의 JSON만 있어야 합니다.")
    return call


def find_call(text: str) -> Call | None:
    """The call that a text is, or starts with (a ```json fence before it is allowed); None when there is none."""
    found = _call_and_rest(text)
    return found and found[0]


def own_working(text: str) -> str | None:
    """The working a model wrote itself on the lines under its call ('증여재산가액: 3억원 …'); None for a call alone, or one
    that is followed by anything else.
    """
    found = _call_and_rest(text)
    rest = found[1].strip() if found else ""
    return rest if _STEP_LINE.match(rest) else None


def _call_and_rest(text: str) -> tuple[Call, str] | None:
    """The call that a text begins with, behind a fence or not, and what comes after it."""
    fence = _FENCE.match(text)
    body = text[fence.end() :] if fence else text
    try:
        call, end = _read(body)
    except CallError:
        return None
    return call, body[end:]


def call_text(call: Call) -> str:
    """The canonical line: keys in the order of the contract, defaults left out, no spaces, Hangul as it is."""
    facts = {"tax": call.tax, **call.model_dump(mode="json", exclude_defaults=True, exclude={"tax"})}
    return json.dumps(facts, ensure_ascii=False, separators=(",", ":"))


def facts_of(call: Call, as_of: date) -> Any:
    """The facts of a call in whole won (GiftFacts, InheritanceFacts …); without a year it means the year of ``as_of``.

    Two calls that word the same facts differently ('20억원', 2000000000) have equal facts.
    """
    further = FURTHER.get(call.tax)
    amounts = further.amounts if further else _AMOUNTS
    values = {name: parse_won(value) if name in amounts and value is not None else value for name, value in call}
    values.pop("tax")
    if "year" in values and values["year"] is None:
        values["year"] = _year(values) or as_of.year
    for key, fact in RENAMED.get(call.tax, {}).items():
        values[fact] = values.pop(key)
    return (further.facts if further else _FACTS[call.tax])(**values)


def _year(values: dict[str, Any]) -> int | None:
    """The year a day among the facts gives: of the sale, the end of service, the payment."""
    day = next((values[name] for name in ("sold", "end", "paid_on") if values.get(name)), None)
    return day.year if day else None


_AMOUNTS = {"amount", "marriage_birth", "debt", "prior_gifts", "prior_tax"}
_AMOUNTS |= {"base", "income", "deductions", "gross_pay", "gross", "purchases", "card_sales"}
_FACTS = {
    "gift": GiftFacts,
    "income": IncomeFacts,
    "vat_simplified": VatSimplifiedFacts,
    "corporate": CorporateFacts,
}
_CALCULATORS = {
    "gift": calculators.gift_tax,
    "income": calculators.income_tax,
    "vat_simplified": calculators.vat_simplified,
    "corporate": calculators.corporate_tax,
}


def run_call(call: Call, as_of: date) -> Result:
    """Work the call out for its year, or the year of ``as_of``.  Raises UnsupportedCase (MissingFact included)."""
    further = FURTHER.get(call.tax)
    return (further.run if further else _CALCULATORS[call.tax])(facts_of(call, as_of))


def _read(text: str) -> tuple[Call, int]:
    """The call at the start of ``text`` and where it ends."""
    start = len(text) - len(text.lstrip())
    if not text[start : start + 1] == "{":
        raise CallError(f"계산 호출은 '{{'로 시작하는 JSON이어야 합니다: {text.strip()[:40]!r}")
    try:
        raw, end = _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError) as exc:
        raise CallError(f"JSON으로 읽을 수 없습니다: {exc}") from exc
    try:
        return _CALL.validate_python(raw), end
    except ValidationError as exc:
        raise CallError("계산 호출이 잘못되었습니다. " + "; ".join(_explain(exc.errors()))) from exc


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("같은 키가 두 번 있습니다 (duplicate key)")
    return found


_DECODER = json.JSONDecoder(object_pairs_hook=_unique_keys)
_REASONS = {
    "extra_forbidden": "모르는 키입니다",
    "missing": "빠졌습니다",
    "union_tag_not_found": "tax 키가 없습니다",
    "union_tag_invalid": f"tax는 {'·'.join(TAXES)} 가운데 하나여야 합니다",
    "literal_error": "정해진 값이 아닙니다",
    "int_type": "정수나 금액을 적은 글이어야 합니다",
    "string_type": "글이어야 합니다",
    "bool_type": "true 또는 false여야 합니다",
}


def _explain(errors: list[dict]) -> list[str]:
    """One reason a key."""
    reasons: dict[str, str] = {}
    for error in errors:
        # Inside a union pydantic names its branches in loc; only the call's own key helps the reader.
        key = next((str(part) for part in error["loc"][1:]), "")
        reason = _REASONS.get(error["type"], error["msg"].removeprefix("Value error, "))
        reasons.setdefault(key, f"{key}: {reason}" if key else reason)
    return list(reasons.values())


def render_working(result: Result, plain: bool = False) -> str:
    """The working in Korean, one line a step; the last line is the tax payable.

    Expert style cites the articles; plain style uses everyday words and cites none.  Both state the assumptions.
    """
    lines = [_step_line(step, plain) for step in result.steps]
    if not plain:
        lines.append("근거: " + _grouped(result.articles))
    lines.append(("이렇게 보고 계산했습니다: " if plain else "전제: ") + ", ".join(result.assumptions))
    amount = format_won(result.payable)
    lines.append(f"납부할 세액: {amount}" + (f" ({result.payable:,}원)" if result.payable else ""))
    return "\n".join(lines)


def _step_line(step: calculators.Step, plain: bool) -> str:
    label = step.plain if plain and step.plain else step.label
    amount = format_won(step.amount)
    return f"{label}: {amount}" if step.expression == amount else f"{label}: {step.expression} = {amount}"


def _grouped(articles: tuple[str, ...]) -> str:
    """'「상속세 및 증여세법」 제53조제2호, 제56조; 「…」 …': each law named once, in order of first use."""
    by_law: dict[str, list[str]] = {}
    for article in articles:
        law, _, number = article.rpartition(" ")
        by_law.setdefault(law, []).append(number)
    return "; ".join(f"「{law}」 {', '.join(numbers)}" for law, numbers in by_law.items())


# Words after which an answer states the tax it arrives at; the more general ones last.
_PAYABLE_WORDS = re.compile(
    r"(?:차감\s?)?(?:자진\s?)?납부\s?(?:할|하실|하여야\s?할|해야\s?할)?\s?(?:총\s?)?(?:세액|세금|증여세|상속세|소득세|부가가치세|법인세|종합부동산세|취득세|재산세)(?!\s?공제)"
    r"|납부의무가?\s?면제|결정\s?세액|총\s?(?:결정|부담)?\s?(?:세액|세금|증여세|소득세|부가가치세|법인세)"
    r"|(?:내야|내셔야)\s?(?:할|하는)\s?(?:세금|세액|증여세|상속세|소득세|부가가치세|법인세|취득세|재산세)|낼\s?(?:세금|세액)"
    r"|(?:증여세|상속세|소득세|종합소득세|부가가치세|법인세|종합부동산세|취득세|재산세)액?(?=[은는]|\s?:)|(?<![가-힣])세액(?=은|\s?:)|(?<![가-힣])세금(?=은|\s?:)"
)
# What follows an amount that is stated, not one that is a threshold, a deduction or a term of a sum.
_STATED = re.compile(
    r"\s*(?:\([^)]*\))?\s*(?:$|[.,!?)*]|입니다|이에요|예요|이다|이라고|라고|이며|이고|이지만|인데|이므로|이\s?(?:됩|되|돼|나)|가\s?나|정도|임|으?로\s?(?:계산|산출|나)"
    r"|[을를만]?\s?(?:내|납부|부담))"
)
_PAID = re.compile(
    r"\s*(?:\([^)]*\))?\s*[을를만]?\s?(?:내야|내면|내시면|내게|냅니다|납부해야|납부하여야|납부하면|납부하시면|납부합니다|부담)"
)
_CLAUSE_END = re.compile(r"\n|[.!?](?=\s|$)|(?:이지만|지만|인데|이고|이며|으며|며|고),?\s")


def answer_payable(text: str, as_of: date) -> int | None:
    """The final tax (won) an answer states; None when it states none.

    A call counts for what the calculator makes of it (None when it cannot be worked out), one with a working of the model's
    own under it for what that states.  In prose it is the last amount stated after words such as 납부할 세액 or 총 증여세
    (after the last '=' of the clause), else the last amount '을 내야'.
    """
    call, own = find_call(text), own_working(text)
    if call is not None and own is None:
        try:
            return run_call(call, as_of).payable
        except UnsupportedCase:
            return None
    text = text if own is None else own
    words = list(_PAYABLE_WORDS.finditer(text))
    for index in range(len(words) - 1, -1, -1):
        end = words[index + 1].start() if index + 1 < len(words) else len(text)
        clause_end = _CLAUSE_END.search(text, words[index].end(), end)
        clause = text[words[index].end() : clause_end.start() if clause_end else end]
        tail = clause.rpartition("=")[2]
        for amount in find_amounts(tail):
            if _STATED.match(tail, amount.end):
                return amount.won
        if not find_amounts(clause) and re.search(r"없(?:습니다|다|어요|음)|면제", words[index].group() + clause):
            return 0
    paid = [amount.won for amount in find_amounts(text) if _PAID.match(text, amount.end)]
    return paid[-1] if paid else None
