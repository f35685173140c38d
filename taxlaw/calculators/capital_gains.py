"""Capital gains tax (양도소득세, national tax only) on one piece of real estate sold by a resident: 소득세법 제89조-제104조.

One sale in the year, at actual prices.  Knows nothing of shares, estimated cost, reliefs (감면), losses set against other
gains (제102조), several sales in one year (제104조제5항), or shops turned into homes (제95조제5항).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from taxlaw.calculators import tables
from taxlaw.calculators import tables_capital_gains as figures
from taxlaw.calculators.result import (
    Result,
    Step,
    bracket_tax,
    floor_won,
    percent_text,
    require_amounts,
    subtraction,
)
from taxlaw.calculators.tables import INCOME_ACT as ACT
from taxlaw.calculators.tables_capital_gains import HOME, IDLE_LAND, INCOME_DECREE, MEMBER_RIGHT, PRESALE_RIGHT
from taxlaw.errors import MissingFact, UnsupportedCase
from taxlaw.money import format_won


@dataclass(frozen=True)
class CapitalGainsFacts:
    """One sale; amounts in won, prices actually paid.  Time held: held_years (full years), or acquired and sold.

    asset: one of tables_capital_gains.ASSETS.  one_home: 1세대 1주택, including a home the law treats as the only one.
    homes: homes of the household counted for 제104조제7항, this one included.  adjusted_when_*: 조정대상지역 when bought, sold.
    transition: sold under the transitional items 나 or 다 of 시행령 제167조의10제1항제12호의2 (contract or permit by 2026-05-09).
    """

    sale_price: int
    purchase_price: int
    year: int
    asset: str
    expenses: int = 0
    held_years: int | None = None
    acquired: date | None = None
    sold: date | None = None
    one_home: bool = False
    residence_years: int = 0
    adjusted_when_bought: bool | None = None
    homes: int = 1
    adjusted_when_sold: bool | None = None
    transition: bool | None = None
    registered: bool = True


def full_years(acquired: date, sold: date) -> int:
    """Full years held, the first day counted in (제95조제4항, 제104조제2항: from the day acquired to the day sold)."""
    years = sold.year - acquired.year + 1  # 1 January to 31 December is a full year
    while years > 0:
        try:
            last_day = acquired.replace(year=acquired.year + years) - timedelta(days=1)
        except ValueError:  # 29 February has no anniversary: the month's last day ends the year (민법 제160조제3항)
            last_day = date(acquired.year + years, 2, 28)
        if last_day <= sold:
            return years
        years -= 1
    return 0


def capital_gains_tax(facts: CapitalGainsFacts) -> Result:
    """산출세액 of ``facts`` in won.  Raises UnsupportedCase (year, asset, contradiction) or MissingFact."""
    held = _check(facts)
    notes = _assumptions(facts, held)
    steps: list[Step] = []
    articles = [f"{ACT} 제95조제1항", f"{ACT} 제97조제1항"]

    gain = facts.sale_price - facts.purchase_price - facts.expenses
    if gain <= 0:
        label = "양도차익(차손)" if gain else "양도차익"
        steps.append(Step(label, "0원", 0, "남긴 돈이 없음"))
        return _result(facts, 0, 0, steps, articles, notes)
    costs = subtraction(facts.sale_price, facts.purchase_price, facts.expenses)
    steps.append(Step("양도차익", costs, gain, "팔아서 남긴 돈"))

    exempt = _exempt(facts, held)
    if exempt:
        articles += [f"{ACT} 제89조제1항제3호", f"{INCOME_DECREE} 제154조제1항"]
        if facts.sale_price <= figures.HIGH_PRICE:
            steps.append(Step("비과세(1세대 1주택, 12억원 이하)", "0원", 0, "집 한 채라 매기지 않는 세금"))
            return _result(facts, 0, 0, steps, articles, notes)
    surcharged = _surcharged(facts, held)
    if facts.asset == HOME and facts.homes > 1 and facts.adjusted_when_sold is not False and not surcharged:
        suspension = "제167조의10" if facts.homes == 2 else "제167조의3"
        articles.append(f"{INCOME_DECREE} {suspension}제1항제12호의2")

    # The share of the gain above 1.2 billion won: applied to gain and deduction alike (시행령 제160조제1항).
    share, share_text = Fraction(1), ""
    taxable = gain
    if exempt:
        share = Fraction(facts.sale_price - figures.HIGH_PRICE, facts.sale_price)
        price = format_won(facts.sale_price)
        share_text = f"({price} - {format_won(figures.HIGH_PRICE)}) ÷ {price} × "
        taxable = floor_won(gain * share)
        articles += [f"{ACT} 제95조제3항", f"{INCOME_DECREE} 제160조제1항"]
        steps.append(Step("과세대상 양도차익", share_text + format_won(gain), taxable, "12억원을 넘는 몫의 남긴 돈"))

    rate = _holding_rate(facts, held, surcharged)
    deduction = floor_won(gain * share * rate)
    if rate:
        articles.append(f"{ACT} 제95조제2항")
        table = "표 2" if rate != figures.table_1(held) else "표 1"
        expression = f"{share_text}{format_won(gain)} × {percent_text(rate)}"
        steps.append(Step(f"장기보유특별공제({table})", expression, deduction, "오래 가져서 빼 주는 금액"))
        steps.append(Step("양도소득금액", subtraction(taxable, deduction), taxable - deduction, "공제를 뺀 금액"))
    income = taxable - deduction

    basic = min(figures.BASIC_DEDUCTION, income) if facts.registered else 0
    base = income - basic
    articles.append(f"{ACT} 제103조제1항")
    steps.append(Step("과세표준", subtraction(income, basic), base, "세금을 매기는 금액"))
    tax = _tax(facts, held, surcharged, base, steps, articles)
    return _result(facts, base, tax, steps, articles, notes)


def _result(
    facts: CapitalGainsFacts, base: int, tax: int, steps: list[Step], articles: list[str], notes: list[str]
) -> Result:
    return Result(
        "capital_gains", facts.year, base, tax, 0, tax, tuple(steps), tuple(dict.fromkeys(articles)), tuple(notes)
    )


def _exempt(facts: CapitalGainsFacts, held: int) -> bool:
    """Whether the only home is free of tax up to 1.2 billion won; raises MissingFact where the area decides."""
    if not facts.one_home or not facts.registered or held < figures.EXEMPT_HELD_YEARS:
        return False
    if facts.residence_years >= figures.EXEMPT_RESIDED_YEARS:
        return True
    if facts.adjusted_when_bought is None:
        raise MissingFact(
            "adjusted_when_bought: 거주기간이 2년이 안 되어, 취득할 때 조정대상지역이었는지 알아야 합니다 "
            f"({INCOME_DECREE} 제154조제1항)."
        )
    return not facts.adjusted_when_bought


def _surcharged(facts: CapitalGainsFacts, held: int) -> bool:
    """Whether 제104조제7항 applies; raises MissingFact where the day, the area or the transitional rule is not stated."""
    if facts.asset != HOME or facts.homes < 2 or facts.one_home:
        return False
    long_enough = held >= figures.SUSPENSION_HELD_YEARS
    if long_enough and (facts.year < 2026 or (facts.sold and facts.sold <= figures.SUSPENDED_UNTIL)):
        return False
    if facts.adjusted_when_sold is None:
        raise MissingFact("adjusted_when_sold: 양도할 때 조정대상지역에 있는 주택인지 알아야 합니다 (제104조제7항).")
    if not facts.adjusted_when_sold or not long_enough:
        return facts.adjusted_when_sold
    if facts.sold is None:
        raise MissingFact("sold: 2026년 양도는 5월 9일까지인지에 따라 중과 여부가 달라져 양도일을 알아야 합니다.")
    if facts.transition is None:
        raise MissingFact(
            "transition: 2026년 5월 10일 이후의 양도입니다. 5월 9일까지 매매계약(계약금)이나 토지거래허가 신청을 했고 "
            f"정한 기간 안에 양도했는지 알아야 합니다 ({INCOME_DECREE} 제167조의10제1항제12호의2나목·다목)."
        )
    if facts.transition and facts.sold > figures.TRANSITION_UNTIL:
        raise UnsupportedCase("transition: 경과규정은 늦어도 2026년 11월 9일까지 양도한 주택에만 적용됩니다.")
    return not facts.transition


def _holding_rate(facts: CapitalGainsFacts, held: int, surcharged: bool) -> Fraction:
    """Rate of the long-term deduction (제95조제2항); none for rights, unregistered assets and surcharged homes."""
    if facts.asset in (MEMBER_RIGHT, PRESALE_RIGHT) or not facts.registered or surcharged:
        return Fraction(0)
    return figures.table_2(held, facts.residence_years) if facts.one_home else figures.table_1(held)


def _tax(
    facts: CapitalGainsFacts, held: int, surcharged: bool, base: int, steps: list[Step], articles: list[str]
) -> int:
    """The largest tax of the rates that fit (제104조제1항 후단, 제7항 후단); adds steps and articles."""
    found = _flat_rates(facts, held)
    brackets, label, article = _progressive(facts, surcharged)
    flat = max((rate for rate, _, _ in found), default=Fraction(0))
    candidates = []
    # Brackets whose top rate is no higher than a flat rate can never give more.
    if facts.asset != PRESALE_RIGHT and brackets[-1][1] > flat:
        exact, expression = bracket_tax(base, brackets)
        candidates.append((floor_won(exact), expression, label, [article, f"{ACT} 제55조제1항"]))
    for rate, name, cited in found:
        if rate == flat:
            expression = f"{format_won(base)} × {percent_text(rate)}"
            candidates.append((floor_won(base * rate), expression, name, [cited]))
            break
    if len(candidates) > 1:
        steps += [Step(f"세액({name})", text, tax, "견주어 볼 세금") for tax, text, name, _ in candidates]
    tax, expression, name, cited = max(candidates, key=lambda candidate: candidate[0])
    articles += cited
    if len(candidates) > 1:
        articles += [one for candidate in candidates for one in candidate[3]]
    plain = "둘 가운데 큰 세금" if len(candidates) > 1 else "세율을 곱한 세금"
    steps.append(Step(f"산출세액({name})", expression, tax, plain))
    return tax


def _flat_rates(facts: CapitalGainsFacts, held: int) -> list[tuple[Fraction, str, str]]:
    """The flat rates that fit: (rate, its name, its article)."""
    place = 0 if facts.asset in figures.HOME_LIKE else 1
    found = []
    if not facts.registered:
        found.append((figures.UNREGISTERED_RATE, "미등기양도", f"{ACT} 제104조제1항제10호"))
    if held < 1:
        found.append((figures.RATE_UNDER_1[place], "1년 미만 보유", f"{ACT} 제104조제1항제3호"))
    elif held < 2:
        found.append((figures.RATE_UNDER_2[place], "2년 미만 보유", f"{ACT} 제104조제1항제2호"))
    elif facts.asset == PRESALE_RIGHT:
        found.append((figures.PRESALE_RATE, "분양권", f"{ACT} 제104조제1항제1호"))
    return found


def _progressive(facts: CapitalGainsFacts, surcharged: bool) -> tuple[tables.Brackets, str, str]:
    if facts.asset == IDLE_LAND:
        return figures.IDLE_LAND_BRACKETS, "비사업용 토지", f"{ACT} 제104조제1항제8호"
    if surcharged and facts.homes == 2:
        return figures.TWO_HOMES_BRACKETS, "2주택 중과", f"{ACT} 제104조제7항제1호"
    if surcharged:
        return figures.THREE_HOMES_BRACKETS, "3주택 이상 중과", f"{ACT} 제104조제7항제3호"
    return tables.INCOME_BRACKETS, "기본세율", f"{ACT} 제104조제1항제1호"


def _check(facts: CapitalGainsFacts) -> int:
    """Full years held; raises when the facts are outside the tables, contradict each other or leave time unknown."""
    tables.require_year(facts.year, "양도소득세")
    require_amounts(
        sale_price=facts.sale_price,
        purchase_price=facts.purchase_price,
        expenses=facts.expenses,
        residence_years=facts.residence_years,
        homes=facts.homes,
    )
    if facts.asset not in figures.ASSETS:
        known = "·".join(figures.ASSETS)
        raise UnsupportedCase(f"asset: 모르는 자산입니다: {facts.asset!r}. {known} 가운데 하나여야 합니다.")
    if facts.sold and facts.sold.year != facts.year:
        raise UnsupportedCase(f"sold: 양도일({facts.sold})이 귀속연도 {facts.year}년과 다릅니다.")
    held = _held(facts)
    if facts.asset == MEMBER_RIGHT and held >= figures.HOLDING_FROM:
        raise UnsupportedCase(
            "asset: 3년 이상 가진 조합원입주권은 인가 전후 양도차익을 나누어야 해서 계산하지 않습니다."
        )
    if not facts.registered and facts.asset in (MEMBER_RIGHT, PRESALE_RIGHT):
        raise UnsupportedCase("registered: 등기할 수 없는 권리에는 미등기양도 세율을 적용하지 않습니다.")
    if facts.asset != HOME and (facts.one_home or facts.residence_years or facts.homes > 1):
        raise UnsupportedCase("one_home, residence_years, homes: 주택을 판 경우에만 쓰는 사실입니다.")
    if facts.one_home and facts.homes > 1:
        raise UnsupportedCase("one_home, homes: 1세대 1주택으로 보는 집이면 homes는 1이어야 합니다.")
    if facts.residence_years > held:
        raise UnsupportedCase("residence_years: 거주기간이 보유기간보다 깁니다.")
    return held


def _held(facts: CapitalGainsFacts) -> int:
    if facts.acquired is None:
        if facts.held_years is None:
            raise MissingFact("held_years: 보유기간(만 연수) 또는 취득일과 양도일을 알아야 합니다.")
        require_amounts(held_years=facts.held_years)
        return facts.held_years
    if facts.sold is None:
        raise MissingFact("sold: 취득일이 있으면 양도일도 알아야 보유기간을 셉니다.")
    if facts.sold < facts.acquired:
        raise UnsupportedCase("acquired, sold: 양도일이 취득일보다 앞섭니다.")
    held = full_years(facts.acquired, facts.sold)
    if facts.held_years not in (None, held):
        raise UnsupportedCase(
            f"held_years: 취득일과 양도일로 세면 만 {held}년인데 {facts.held_years}년이라고 했습니다."
        )
    return held


def _assumptions(facts: CapitalGainsFacts, held: int) -> list[str]:
    notes = [f"{facts.year}년 양도, 만 {held}년 보유", "파는 사람은 거주자이고 단독 소유", "실지거래가액으로 계산"]
    notes += ["같은 해에 다른 양도 없음", "감면·가산세는 반영하지 않음", "지방소득세 별도"]
    if facts.one_home:
        notes.append(f"1세대 1주택, 거주 {facts.residence_years}년")
    if facts.asset == HOME and facts.homes > 1:
        notes.append(f"1세대 {facts.homes}주택, 입주권·분양권 없음, 중과에서 빼는 다른 사유 없음")
    if facts.transition:
        notes.append("2026년 5월 9일까지의 계약 또는 허가 신청에 따른 경과규정 충족")
    if facts.asset == IDLE_LAND:
        notes.append("지정지역 밖의 토지")
    if not facts.registered:
        notes.append("미등기양도 제외 자산(시행령 제168조)이 아님")
    return notes
