"""Penalties (가산세) for not filing, under-reporting and paying late a national tax: 국세기본법 제47조의2-제47조의5, 제48조제2항.

Knows nothing of zero-rated VAT (제47조의2제2항제2호), stamp tax, preliminary returns, exemptions (제47조의3제4항, 제47조의4제3항,
제48조제1항), refunds taken in excess, the cost of a reminder (제47조의4제1항제4호), nor of penalties in single tax acts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from taxlaw.calculators import tables
from taxlaw.calculators import tables_penalties as figures
from taxlaw.calculators.late_payment import LatePeriod, late_period, month_end
from taxlaw.calculators.result import Result, Step, addition, floor_won, percent_text, require_amounts, subtraction
from taxlaw.errors import MissingFact, UnsupportedCase
from taxlaw.money import format_won

ACT = "국세기본법"
NO_RETURN, UNDER_REPORT, LATE, WITHHELD_LATE = "무신고", "과소신고", "납부지연", "원천징수 납부지연"


@dataclass(frozen=True)
class PenaltyFacts:
    """One breach; amounts in won.

    kind: 무신고, 과소신고, 납부지연 or 원천징수 납부지연.  tax: the tax not reported, under-reported or not paid.  deadline: the
    statutory day for filing and paying, moved already where it was a holiday.  fraud: 부정행위, abroad: in 역외거래;
    fraud_tax: the part of the under-reported tax that is due to fraud (None = all).  receipts: 수입금액 of a double-entry
    book-keeper or company (for under-reporting: of what fraud hid).  filed_on: day of the late or amended return; foreseen: the
    taxpayer knew that an assessment was coming.  paid_on: day the whole tax was paid.  notice_on, designated: day of the
    notice (납부고지일) and its 지정납부기한.
    """

    kind: str
    tax: int
    deadline: date
    fraud: bool = False
    abroad: bool = False
    fraud_tax: int | None = None
    receipts: int = 0
    filed_on: date | None = None
    foreseen: bool = False
    paid_on: date | None = None
    notice_on: date | None = None
    designated: date | None = None


def penalty(facts: PenaltyFacts) -> Result:
    """가산세 of ``facts`` in won; calculated_tax is before the cut of 제48조제2항, which is ``credits``.

    Raises UnsupportedCase (year, contradiction, a day the addendum leaves open) or MissingFact (day of payment).
    """
    _check(facts)
    names = {NO_RETURN: "무신고한 세액", UNDER_REPORT: "과소신고한 세액"}
    steps = [Step(names.get(facts.kind, "납부하지 않은 세액"), format_won(facts.tax), facts.tax)]
    articles: list[str] = []
    filing = cut = late = 0
    if facts.kind == NO_RETURN:
        filing = _no_return(facts, steps, articles)
    elif facts.kind == UNDER_REPORT:
        filing = _under_report(facts, steps, articles)
    if filing and facts.filed_on:
        cut = _cut(facts, filing, steps, articles)
    period = None
    if facts.paid_on:
        period = late_period(facts.deadline, facts.paid_on, facts.notice_on, facts.designated)
        late = _late(facts, period, steps, articles)
    total = filing - cut + late
    if steps[-1].amount != total or sum(1 for amount in (filing, cut, late) if amount) > 1:
        expression = subtraction(filing, cut) + (f" + {format_won(late)}" if late else "")
        steps.append(Step("가산세 합계", expression, total, "더 내야 하는 금액"))
    return Result(
        "penalty",
        facts.deadline.year,
        facts.tax,
        filing + late,
        cut,
        total,
        tuple(steps),
        tuple(dict.fromkeys(articles)),
        _assumptions(facts, period),
    )


def _check(facts: PenaltyFacts) -> None:
    known = (NO_RETURN, UNDER_REPORT, LATE, WITHHELD_LATE)
    if facts.kind not in known:
        raise UnsupportedCase(f"kind: 모르는 가산세입니다: {facts.kind!r}. {', '.join(known)} 가운데 하나여야 합니다.")
    require_amounts(tax=facts.tax, receipts=facts.receipts)
    for name in ("deadline", "filed_on", "paid_on", "notice_on", "designated"):
        day = getattr(facts, name)
        if day is not None:
            tables.require_year(day.year, f"가산세({name})")
            if name != "deadline" and day <= facts.deadline:
                raise UnsupportedCase(f"{name}: {day}은 기한({facts.deadline}) 안이므로 가산세가 없습니다.")
    if facts.kind in (LATE, WITHHELD_LATE):
        if facts.paid_on is None:
            raise MissingFact("paid_on: 납부지연가산세는 납부한 날을 알아야 계산합니다.")
        if facts.filed_on or facts.fraud or facts.receipts or facts.foreseen:
            raise UnsupportedCase("filed_on, foreseen, fraud, receipts: 무신고·과소신고에만 쓸 수 있습니다.")
    if (facts.abroad or facts.fraud_tax is not None) and not facts.fraud:
        raise UnsupportedCase("abroad, fraud_tax: 부정행위(fraud)가 있을 때만 쓸 수 있습니다.")
    if facts.fraud_tax is not None:
        require_amounts(fraud_tax=facts.fraud_tax)
        if facts.kind != UNDER_REPORT or facts.fraud_tax > facts.tax:
            raise UnsupportedCase("fraud_tax: 과소신고한 세액 안에서만 나눌 수 있습니다.")
    if facts.receipts and facts.kind == UNDER_REPORT and not facts.fraud:
        raise UnsupportedCase("receipts: 과소신고에서는 부정행위일 때만 수입금액을 봅니다 (제47조의3제2항제1호).")
    if facts.foreseen and not facts.filed_on:
        raise UnsupportedCase("foreseen: 수정신고·기한 후 신고(filed_on)와 함께만 쓸 수 있습니다.")
    if (facts.notice_on is None) != (facts.designated is None):
        raise MissingFact("notice_on, designated: 납부고지일과 지정납부기한은 함께 있어야 합니다.")
    if facts.notice_on and facts.paid_on is None:
        raise MissingFact("paid_on: 고지된 세금의 납부지연가산세는 납부한 날을 알아야 계산합니다.")
    if facts.notice_on and not facts.notice_on <= facts.designated:
        raise UnsupportedCase("designated: 지정납부기한이 납부고지일보다 빠릅니다.")
    if facts.notice_on and facts.paid_on < facts.notice_on:
        raise UnsupportedCase("notice_on: 납부한 날 뒤의 고지입니다. 고지 전에 냈으면 notice_on을 빼십시오.")
    if facts.notice_on and facts.filed_on and facts.filed_on >= facts.notice_on:
        raise UnsupportedCase(
            "filed_on: 결정·경정을 통지한 뒤에는 수정신고·기한 후 신고를 할 수 없습니다 (제45조, 제45조의3)."
        )


def _no_return(facts: PenaltyFacts, steps: list[Step], articles: list[str]) -> int:
    """무신고가산세 (제47조의2)."""
    rate, item = figures.NO_RETURN_RATE, "제2호"
    if facts.fraud:
        rate, item = (figures.FRAUD_ABROAD_RATE if facts.abroad else figures.FRAUD_RATE), "제1호"
    amount, expression = floor_won(facts.tax * rate), f"{format_won(facts.tax)} × {percent_text(rate)}"
    articles.append(f"{ACT} 제47조의2제1항{item}")
    share = figures.FRAUD_RECEIPTS_RATE if facts.fraud else figures.RECEIPTS_RATE
    by_receipts = floor_won(facts.receipts * share)
    if facts.receipts:
        articles.append(f"{ACT} 제47조의2제2항제1호")
    if by_receipts > amount:
        amount, expression = by_receipts, f"{format_won(facts.receipts)} × {percent_text(share)}"
    steps.append(Step("무신고가산세", expression, amount, "신고하지 않아 더 내는 금액"))
    return amount


def _under_report(facts: PenaltyFacts, steps: list[Step], articles: list[str]) -> int:
    """과소신고가산세 (제47조의3)."""
    plain = "적게 신고해 더 내는 금액"
    if not facts.fraud:
        rate = figures.UNDER_REPORT_RATE
        amount = floor_won(facts.tax * rate)
        articles.append(f"{ACT} 제47조의3제1항제2호")
        steps.append(Step("과소신고가산세", f"{format_won(facts.tax)} × {percent_text(rate)}", amount, plain))
        return amount
    rate = figures.FRAUD_ABROAD_RATE if facts.abroad else figures.FRAUD_RATE
    hidden = facts.tax if facts.fraud_tax is None else facts.fraud_tax
    amount, expression = floor_won(hidden * rate), f"{format_won(hidden)} × {percent_text(rate)}"
    articles.append(f"{ACT} 제47조의3제1항제1호")
    by_receipts = floor_won(facts.receipts * figures.FRAUD_RECEIPTS_RATE)
    if facts.receipts:
        articles.append(f"{ACT} 제47조의3제2항제1호")
    if by_receipts > amount:
        expression = f"{format_won(facts.receipts)} × {percent_text(figures.FRAUD_RECEIPTS_RATE)}"
        amount = by_receipts
    steps.append(Step("부정과소신고가산세", expression, amount, plain))
    rest = facts.tax - hidden
    if not rest:
        return amount
    rate = figures.UNDER_REPORT_RATE
    ordinary = floor_won(rest * rate)
    expression = f"({subtraction(facts.tax, hidden)}) × {percent_text(rate)}" if hidden else f"{format_won(rest)} × 10%"
    steps.append(Step("일반과소신고가산세", expression, ordinary, plain))
    steps.append(Step("과소신고가산세", addition(amount, ordinary), amount + ordinary, plain))
    return amount + ordinary


def _cut(facts: PenaltyFacts, filing: int, steps: list[Step], articles: list[str]) -> int:
    """감면 of 제48조제2항 for an amended return (제1호) or a late one (제2호)."""
    if facts.foreseen:
        return 0
    rows, item, word = figures.AMENDED_CUTS, "제1호", "수정신고"
    if facts.kind == NO_RETURN:
        rows, item, word = figures.LATE_RETURN_CUTS, "제2호", "기한 후 신고"
    for months, rate, sub in rows:
        end = month_end(facts.deadline, months)
        if facts.filed_on <= end:
            cut = floor_won(filing * rate)
            articles.append(f"{ACT} 제48조제2항{item}{sub}")
            label = f"가산세 감면({months}개월 이내 {word})"
            expression = f"{format_won(filing)} × {percent_text(rate)}"
            steps.append(Step(label, expression, cut, "스스로 신고해서 깎아 주는 금액"))
            return cut
        if end.weekday() >= 5 and facts.filed_on <= end + timedelta(days=7 - end.weekday()):
            raise UnsupportedCase(
                f"filed_on: 감면 기간 {months}개월의 마지막 날({end})이 토·일요일입니다. 다음날까지 신고한 것으로 볼지 "
                f"(국세기본법 제5조) 확인해야 합니다."
            )
    return 0


def _late(facts: PenaltyFacts, period: LatePeriod, steps: list[Step], articles: list[str]) -> int:
    """납부지연가산세 (제47조의4) or 원천징수 등 납부지연가산세 (제47조의5)."""
    withheld, tax = facts.kind == WITHHELD_LATE, facts.tax
    article = "제47조의5제1항" if withheld else "제47조의4제1항"
    articles += [f"{ACT} {article}", f"{ACT} 시행령 제27조의4"]
    won, plain = format_won(tax), "늦게 내서 더 내는 금액"
    parts: list[int] = []

    def add(label: str, expression: str, exact: Fraction) -> None:
        parts.append(floor_won(exact))
        steps.append(Step(label, expression, parts[-1], plain))

    flat = f"{won} × {percent_text(figures.OVERDUE_RATE)}"
    daily = percent_text(figures.DAILY_RATE)
    if withheld:
        add("원천징수 등 납부지연(정액)", flat, tax * figures.OVERDUE_RATE)
    if period.days:
        label = f"납부지연({period.days}일)"
        add(label, f"{won} × {period.days} × {daily}", tax * period.days * figures.DAILY_RATE)
    if withheld:
        _cap(parts, tax, figures.WITHHOLDING_CAP, "고지 전까지의 한도 10%", steps)
    if period.overdue:
        if not withheld:
            add("지정납부기한 경과(정액)", flat, tax * figures.OVERDUE_RATE)
        if tax < figures.SMALL_NOTICE:
            articles.append(f"{ACT} {'제47조의5제5항' if withheld else '제47조의4제8항'}")
        elif period.overdue_days:
            label = f"지정납부기한 뒤 {period.overdue_days}일"
            expression = f"{won} × {period.overdue_days} × {daily}"
            add(label, expression, tax * period.overdue_days * figures.DAILY_RATE)
        elif period.overdue_months:
            label = f"지정납부기한 뒤 {period.overdue_months}개월"
            expression = f"{won} × {period.overdue_months} × {percent_text(figures.MONTHLY_RATE)}"
            add(label, expression, tax * period.overdue_months * figures.MONTHLY_RATE)
    if withheld:
        _cap(parts, tax, figures.WITHHOLDING_CAP_WHOLE, "전체 한도 50%", steps)
    total = sum(parts)
    if len(parts) != 1:
        label = "원천징수 등 납부지연가산세" if withheld else "납부지연가산세"
        steps.append(Step(label, addition(*parts), total, plain))
    return total


def _cap(parts: list[int], tax: int, rate: Fraction, label: str, steps: list[Step]) -> None:
    cap = floor_won(tax * rate)
    if sum(parts) > cap:
        parts[:] = [cap]
        steps.append(Step(label, f"{format_won(tax)} × {percent_text(rate)}", cap, "더 내는 금액의 한도"))


def _assumptions(facts: PenaltyFacts, period: LatePeriod | None) -> tuple[str, ...]:
    notes = [f"기한은 {facts.deadline.isoformat()}", "정당한 사유 등 가산세를 물리지 않을 사정이 없음"]
    if facts.kind == NO_RETURN and not facts.receipts:
        notes.append("수입금액으로 견주는 복식부기의무자·법인이 아님")
    if facts.kind in (NO_RETURN, UNDER_REPORT):
        notes.append("부정행위로 인한 것" if facts.fraud else "부정행위가 아님")
        if facts.filed_on and not facts.foreseen:
            notes.append("세무서의 결정·경정을 미리 알고 낸 신고가 아니며 감면 기간의 마지막 날은 공휴일이 아님")
        if period is None:
            notes.append("납부지연가산세는 넣지 않음")
    if period is not None:
        notes.append(f"세액 전부를 {facts.paid_on.isoformat()}에 납부")
        notes.append("2026년 7월 1일 시행 개정 규정에 따름" if period.new_law else "2026년 6월 30일까지의 규정에 따름")
        if period.overdue:
            notes.append("고지서별·세목별 세액은 이 세액과 같고 독촉 비용은 넣지 않음")
    notes.append("국세만 계산")
    return tuple(notes)
