"""Property tax (재산세) on one home, building or body of land for one year: 지방세법 제110조-제113조.

Standard rates, no ordinance.  Knows nothing of reliefs, of the burden cap of 제122조 (for homes until 2028 in its old
form, 법률 제19230호 부칙 제15조), nor of 지방교육세 and 지역자원시설세.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from taxlaw.calculators import tables
from taxlaw.calculators import tables_real_estate as figures
from taxlaw.calculators.result import Result, Step, addition, bracket_tax, floor_won, percent_text, require_amounts
from taxlaw.calculators.tables_real_estate import HOME
from taxlaw.calculators.tables_real_estate import LOCAL_ACT as ACT
from taxlaw.calculators.tables_real_estate import LOCAL_DECREE as DECREE
from taxlaw.errors import UnsupportedCase
from taxlaw.money import format_won


@dataclass(frozen=True)
class PropertyTaxFacts:
    """One property on 1 June of ``year``; amounts in won.

    official_price: 시가표준액; for land of 종합합산 and 별도합산 the sum within one municipality (제113조제1항).  kind: 주택 or a
    key of LAND_AND_BUILDING_RATES.  only_home: 1세대 1주택 of 시행령 제110조의2.  price_last_year: for the ceiling of 제110조제3항.
    urban: within the area of 재산세 도시지역분 (제112조).
    """

    official_price: int
    year: int
    kind: str = HOME
    only_home: bool = False
    price_last_year: int | None = None
    urban: bool = False


def property_tax(facts: PropertyTaxFacts) -> Result:
    """재산세 of ``facts`` in won; ``surcharge`` of the Result is the urban part.  Raises UnsupportedCase."""
    _check(facts)
    steps = [Step("시가표준액", format_won(facts.official_price), facts.official_price, "나라가 알린 값")]
    articles = [f"{ACT} 제110조제1항"]
    base = _base(facts, steps, articles)

    if facts.kind != HOME:
        item, brackets = figures.LAND_AND_BUILDING_RATES[facts.kind]
        articles.append(f"{ACT} 제111조제1항{item}")
    elif facts.only_home and facts.official_price <= figures.ONLY_HOME_LIMIT:
        brackets = figures.ONLY_HOME_BRACKETS
        articles.append(f"{ACT} 제111조의2제1항")
    else:
        brackets = figures.HOME_TAX_BRACKETS
        articles.append(f"{ACT} 제111조제1항제3호나목")
    exact, expression = bracket_tax(base, brackets)
    calculated = floor_won(exact)
    steps.append(Step("재산세 산출세액", expression, calculated, "세율을 곱한 세금"))

    urban = 0
    if facts.urban:
        urban = floor_won(base * figures.URBAN_RATE)
        articles.append(f"{ACT} 제112조제1항")
        expression = f"{format_won(base)} × {percent_text(figures.URBAN_RATE)}"
        steps.append(Step("도시지역분", expression, urban, "도시지역에서 더 내는 세금"))
        steps.append(Step("재산세 합계", addition(calculated, urban), calculated + urban, "더한 세금"))
    payable = calculated + urban
    if 0 < payable < figures.PETTY_TAX:
        articles.append(f"{ACT} 제119조")
        steps.append(Step("징수하지 않음(2천원 미만)", "0원", 0, "너무 적어 걷지 않는 세금"))
        payable = 0
    return Result(
        "property",
        facts.year,
        base,
        calculated,
        0,
        payable,
        tuple(steps),
        tuple(articles),
        _assumptions(facts),
        urban,
    )


def fair_market_ratio(facts: PropertyTaxFacts) -> Fraction:
    """공정시장가액비율 of the property (시행령 제109조제1항); an only home has its own, whatever its price."""
    if facts.kind != HOME:
        return figures.PROPERTY_RATIO
    if not facts.only_home:
        return figures.HOME_RATIO
    ratios = figures.ONLY_HOME_RATIOS[facts.year]
    return next(ratio for upper, ratio in ratios if upper is None or facts.official_price <= upper)


def _base(facts: PropertyTaxFacts, steps: list[Step], articles: list[str]) -> int:
    """과세표준, for homes under the ceiling of 제110조제3항 when last year's price is known; adds steps and articles."""
    ratio = fair_market_ratio(facts)
    item = "제2호" if facts.kind == HOME else "제1호"
    articles.append(f"{DECREE} 제109조제1항{item}")
    base = floor_won(facts.official_price * ratio)
    expression = f"{format_won(facts.official_price)} × {percent_text(ratio)}"
    if facts.price_last_year is not None:
        ceiling = floor_won(facts.price_last_year * ratio + base * figures.BASE_CEILING_RATE)
        if ceiling < base:
            articles += [f"{ACT} 제110조제3항", f"{DECREE} 제109조의2"]
            steps.append(Step("상한 적용 전 과세표준", expression, base, "올해 값으로 매긴 금액"))
            last = f"{format_won(facts.price_last_year)} × {percent_text(ratio)}"
            expression = f"{last} + {format_won(base)} × {percent_text(figures.BASE_CEILING_RATE)}"
            steps.append(Step("과세표준(과세표준상한액)", expression, ceiling, "갑자기 늘지 않게 막은 금액"))
            return ceiling
    steps.append(Step("과세표준", expression, base, "세금을 매기는 금액"))
    return base


def _check(facts: PropertyTaxFacts) -> None:
    tables.require_year(facts.year, "재산세")
    require_amounts(official_price=facts.official_price, price_last_year=facts.price_last_year or 0)
    if facts.kind != HOME and facts.kind not in figures.LAND_AND_BUILDING_RATES:
        known = ", ".join((HOME, *figures.LAND_AND_BUILDING_RATES))
        raise UnsupportedCase(f"kind: 모르는 과세대상입니다: {facts.kind!r}. 다음 가운데 하나여야 합니다: {known}")
    if facts.kind != HOME and (facts.only_home or facts.price_last_year is not None):
        raise UnsupportedCase("only_home, price_last_year: 주택에만 쓰는 사실입니다 (제110조제3항, 제111조의2).")


def _assumptions(facts: PropertyTaxFacts) -> tuple[str, ...]:
    notes = [f"{facts.year}년 6월 1일 현재 소유", "표준세율(조례에 따른 가감·감면 없음)"]
    notes += ["지방교육세·지역자원시설세 별도", "세 부담 상한은 넘지 않음"]
    if facts.kind == HOME:
        notes.append("1세대 1주택" if facts.only_home else "1세대 1주택 특례 대상이 아님")
        if facts.price_last_year is None:
            notes.append("과세표준상한은 넘지 않음(작년 시가표준액을 모름)")
    if not facts.urban:
        notes.append("도시지역분 대상이 아님")
    return tuple(notes)
