"""Acquisition tax (취득세) on one piece of real estate: 지방세법 제11조, 제13조의2, 제15조.

The value (취득당시가액, 제10조의2-제10조의6) is a fact.  Knows nothing of luxury property and big-city companies (제13조), of
reliefs (지방세특례제한법), nor of the taxes added to it (지방교육세, 농어촌특별세).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from taxlaw.calculators import tables
from taxlaw.calculators import tables_real_estate as figures
from taxlaw.calculators.result import Result, Step, floor_won, percent_text, require_amounts
from taxlaw.calculators.tables_real_estate import BOUGHT, DIVIDED, FARMLAND, GIVEN, HOME, INHERITED, OTHER_PROPERTY
from taxlaw.calculators.tables_real_estate import LOCAL_ACT as ACT
from taxlaw.calculators.tables_real_estate import LOCAL_DECREE as DECREE
from taxlaw.errors import MissingFact, UnsupportedCase
from taxlaw.money import format_won


@dataclass(frozen=True)
class AcquisitionFacts:
    """One acquisition; amounts in won.

    cause: 매매, 상속, 증여, 신축, 공유물 분할.  asset: 주택, 농지, 그 밖의 부동산.  homes: homes of the household after it, this
    one included (시행령 제28조의4).  standard_value: 시가표준액 of the whole home.  family_only_home: given by a family member
    who owned only that home (제13조의2제2항 단서).  only_home: heir's household then owns only this home (제15조제1항제2호가목).
    """

    value: int
    year: int
    cause: str = BOUGHT
    asset: str = HOME
    homes: int = 1
    adjusted: bool | None = None
    company: bool = False
    temporary_two_homes: bool = False
    standard_value: int | None = None
    capital_area: bool | None = None
    family_only_home: bool = False
    only_home: bool = False
    non_profit: bool = False


def acquisition_tax(facts: AcquisitionFacts) -> Result:
    """취득세 of ``facts`` in won.  Raises UnsupportedCase (year, contradiction) or MissingFact (area, standard value)."""
    _check(facts)
    rate, articles, reason = _rate(facts)
    tax = floor_won(facts.value * rate)
    steps = (
        Step("과세표준(취득당시가액)", format_won(facts.value), facts.value, "세금을 매기는 금액"),
        Step(f"취득세({reason})", f"{format_won(facts.value)} × {percent_text(rate)}", tax, "세율을 곱한 세금"),
    )
    return Result("acquisition", facts.year, facts.value, tax, 0, tax, steps, articles, _assumptions(facts))


def home_rate(value: int) -> Fraction:
    """Rate on a bought home (제11조제1항제8호): between 600 and 900 million won the ratio is rounded at four decimals."""
    if value <= figures.HOME_LOW:
        return figures.HOME_LOW_RATE
    if value > figures.HOME_HIGH:
        return figures.HOME_HIGH_RATE
    exact = (Fraction(value * 2, figures.HOME_SLOPE) - 3) / 100
    return Fraction(int(exact * 10_000 + Fraction(1, 2)), 10_000)


def _rate(facts: AcquisitionFacts) -> tuple[Fraction, tuple[str, ...], str]:
    """(rate, articles, why in a few words)."""
    surcharge = _surcharge(facts)
    if surcharge:
        return surcharge
    if facts.cause == BOUGHT and facts.asset == HOME:
        item = "가목" if facts.value <= figures.HOME_LOW else "나목" if facts.value <= figures.HOME_HIGH else "다목"
        return home_rate(facts.value), (f"{ACT} 제11조제1항제8호{item}",), "주택 매매"
    item, rate = figures.ACQUISITION_RATES[facts.cause][facts.asset != FARMLAND]
    articles, reason = (f"{ACT} 제11조제1항{item}",), f"{facts.asset} {facts.cause}"
    if facts.non_profit:
        return figures.NON_PROFIT_GIFT_RATE, articles, "비영리사업자의 무상취득"
    if facts.cause == DIVIDED:
        return rate - figures.SURCHARGE_UNIT, (*articles, f"{ACT} 제15조제1항제4호"), reason
    if facts.only_home:
        return rate - figures.SURCHARGE_UNIT, (*articles, f"{ACT} 제15조제1항제2호가목"), "1가구 1주택 상속"
    return rate, articles, reason


def _surcharge(facts: AcquisitionFacts) -> tuple[Fraction, tuple[str, ...], str] | None:
    """The surcharged rate of 제13조의2, or None; raises MissingFact where area or standard value decides."""
    if facts.asset != HOME:
        return None
    if facts.cause == GIVEN and not facts.family_only_home:
        return _gift_surcharge(facts)
    if facts.cause != BOUGHT or (facts.homes < 2 and not facts.company):
        return None
    if facts.company:
        rate, item, reason = figures.TOP_SURCHARGE, "제1호", "법인의 주택"
    else:
        adjusted = facts.adjusted
        if facts.temporary_two_homes:
            return None
        if adjusted is None and facts.homes < 4:
            raise MissingFact("adjusted: 조정대상지역에 있는 주택인지 알아야 합니다 (제13조의2제1항).")
        rank = facts.homes + bool(adjusted)  # an adjusted area counts like one home more
        if rank < 3:
            return None
        rate, item = (figures.MIDDLE_SURCHARGE, "제2호") if rank == 3 else (figures.TOP_SURCHARGE, "제3호")
        area = {True: "조정대상지역 ", False: "조정대상지역 밖 ", None: ""}[adjusted]
        reason = f"{area}{facts.homes}주택"
    if _small_home(facts):
        return None
    return rate, (f"{ACT} 제13조의2제1항{item}",), reason


def _gift_surcharge(facts: AcquisitionFacts) -> tuple[Fraction, tuple[str, ...], str] | None:
    if facts.adjusted is False or (facts.standard_value or figures.GIFT_SURCHARGE_FROM) < figures.GIFT_SURCHARGE_FROM:
        return None
    if facts.adjusted is None or facts.standard_value is None:
        raise MissingFact(
            "adjusted, standard_value: 주택 증여는 조정대상지역인지와 시가표준액이 3억원 이상인지 알아야 합니다 "
            "(제13조의2제2항, 시행령 제28조의6)."
        )
    articles = (f"{ACT} 제13조의2제2항", f"{DECREE} 제28조의6제1항")
    return figures.TOP_SURCHARGE, articles, "조정대상지역 주택 증여"


def _small_home(facts: AcquisitionFacts) -> bool:
    """Whether the home is too cheap to be surcharged (시행령 제28조의2제1호)."""
    provinces = figures.SMALL_HOME_PROVINCES[facts.year]
    if facts.standard_value is None:
        if facts.value > provinces:
            return False  # the standard value of a dearer home is taken to be above the line; stated as an assumption
        raise MissingFact(
            "standard_value: 값이 낮은 주택이라 시가표준액을 알아야 중과 여부를 가립니다 (시행령 제28조의2)."
        )
    if facts.standard_value <= figures.SMALL_HOME:
        return True
    if facts.standard_value > provinces:
        return False
    if facts.capital_area is None:
        raise MissingFact("capital_area: 수도권에 있는 주택인지 알아야 합니다 (시행령 제28조의2제1호).")
    return not facts.capital_area


def _check(facts: AcquisitionFacts) -> None:
    tables.require_year(facts.year, "취득세")
    require_amounts(value=facts.value, homes=facts.homes, standard_value=facts.standard_value or 0)
    if facts.cause not in figures.ACQUISITION_RATES:
        known = "·".join(figures.ACQUISITION_RATES)
        raise UnsupportedCase(f"cause: 모르는 취득 원인입니다: {facts.cause!r}. {known} 가운데 하나여야 합니다.")
    if facts.asset not in (HOME, FARMLAND, OTHER_PROPERTY):
        raise UnsupportedCase(
            f"asset: 모르는 부동산입니다: {facts.asset!r}. 주택·농지·그 밖의 부동산 가운데 하나여야 합니다."
        )
    if facts.cause == figures.BUILT and facts.asset == FARMLAND:
        raise UnsupportedCase("cause, asset: 농지는 신축할 수 없습니다.")
    if facts.homes < 1:
        raise UnsupportedCase("homes: 취득하는 주택을 포함하므로 1 이상이어야 합니다.")
    if facts.non_profit and facts.cause != GIVEN:
        raise UnsupportedCase("non_profit: 비영리사업자 세율은 무상취득에만 있습니다 (제11조제1항제2호 단서).")
    if facts.only_home and (facts.cause != INHERITED or facts.asset != HOME):
        raise UnsupportedCase("only_home: 주택 상속에만 있는 특례입니다 (제15조제1항제2호가목).")
    if facts.family_only_home and (facts.cause != GIVEN or facts.asset != HOME):
        raise UnsupportedCase("family_only_home: 주택 증여에만 쓰는 사실입니다 (제13조의2제2항 단서).")
    if facts.temporary_two_homes and facts.homes != 2:
        raise UnsupportedCase("temporary_two_homes, homes: 일시적 2주택이면 homes는 2여야 합니다 (시행령 제28조의5).")


def _assumptions(facts: AcquisitionFacts) -> tuple[str, ...]:
    notes = [f"{facts.year}년 취득", "지방교육세·농어촌특별세 별도", "감면과 조례에 따른 세율 조정은 반영하지 않음"]
    notes.append("고급주택 등 사치성 재산과 대도시 법인 중과 대상이 아님")
    if facts.asset == HOME and facts.cause == BOUGHT:
        notes.append("주택 전부를 취득")
        owner = "법인" if facts.company else f"취득 후 1세대 {facts.homes}주택"
        notes.append(f"{owner}{', 일시적 2주택' if facts.temporary_two_homes else ''}")
        if (facts.company or facts.homes > 1) and facts.standard_value is None:
            notes.append("시가표준액이 낮아 중과에서 빠지는 주택이 아님")
    return tuple(notes)
