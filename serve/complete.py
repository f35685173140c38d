"""Finish a calculator call: the student read the facts, code does the arithmetic, and both are shown as what they are."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

FACTS_TITLE = "학생이 읽은 사실"
WORKING_TITLE = "코드가 계산한 결과"

_TAXES = {"gift": "증여세", "income": "종합소득세", "vat_simplified": "부가가치세(간이과세)", "corporate": "법인세"}
_LABELS = {
    "tax": "세목",
    "amount": "증여재산가액",
    "relation": "증여자",
    "minor": "미성년자",
    "generation_skip": "세대를 건너뛴 증여",
    "marriage_birth": "혼인·출산 공제로 쓸 금액",
    "debt": "인수한 채무",
    "prior_gifts": "10년 안에 받은 증여",
    "prior_tax": "이미 낸 증여세",
    "filed": "기한 안에 신고",
    "base": "과세표준",
    "income": "종합소득금액",
    "deductions": "소득공제",
    "gross_pay": "총급여",
    "dependants": "기본공제 대상자(본인 포함)",
    "children": "자녀세액공제 대상 자녀",
    "gross": "공급대가",
    "industry": "업종",
    "purchases": "매입 공급대가",
    "card_sales": "신용카드 등 매출",
    "months": "사업연도 개월 수",
    "small_rental": "소규모 부동산임대업",
    "year": "적용 연도",
}
_CALL_STARTS = ("{", "```json")
_COUNTS = {"dependants": "명", "children": "명", "months": "개월", "year": "년"}


@dataclass(frozen=True)
class Completion:
    """One finished model output.

    ``raw`` is what the model wrote.  ``facts``, ``working`` and ``result`` (taxlaw Result) are set when it was a call that
    could be run, ``problem`` when it was a call that could not.  ``final`` is what is verified.
    """

    raw: str
    final: str
    facts: tuple[tuple[str, str], ...] = ()
    working: str | None = None
    problem: str | None = None
    result: Any = None


def looks_like_call(text: str) -> bool:
    """True while a streamed text is, or may still become, a call: a brace, or the ```json fence some models put first."""
    head = text.lstrip()
    return head.startswith(_CALL_STARTS) or bool(head and "```json".startswith(head))


def complete(text: str, as_of: date, question: str) -> Completion:
    """Run the calculator call in ``text`` if there is one and it rests on ``question``.  Never raises for what a model wrote."""
    from taxlaw.call_check import objections
    from taxlaw.calls import call_text, find_call, parse_call, render_working, run_call
    from taxlaw.errors import CallError, UnsupportedCase

    raw = text.strip()
    try:
        call = find_call(raw)
        if call is None and raw.startswith(_CALL_STARTS):
            call = parse_call(raw)
    except CallError as exc:
        return Completion(raw, raw, problem=f"학생이 쓴 계산 요청의 형식이 잘못되어 계산하지 않았습니다. {exc}")
    if call is None:
        return Completion(raw, raw)
    canonical = call_text(call)
    facts = korean_facts(json.loads(canonical))
    against = objections(question, call)
    if against:
        return Completion(
            raw, raw, facts, problem=f"학생이 질문에 없는 사실로 계산을 요청해 계산하지 않았습니다. {' '.join(against)}"
        )
    try:
        result = run_call(call, as_of)
    except (CallError, UnsupportedCase) as exc:
        return Completion(raw, raw, facts, problem=f"학생이 읽은 사실로는 계산할 수 없습니다. {exc}")
    working = render_working(result)
    return Completion(raw, f"{canonical}\n\n{working}", facts, working, result=result)


def korean_facts(call: dict) -> tuple[tuple[str, str], ...]:
    """The keys and values of a call as (label, value) in Korean, amounts as they were written."""
    return tuple((_LABELS.get(key, key), _korean_value(key, value)) for key, value in call.items())


def _korean_value(key: str, value: object) -> str:
    from taxlaw.money import format_won

    if key == "tax":
        return _TAXES.get(str(value), str(value))
    if isinstance(value, bool):
        return "예" if value else "아니요"
    if key in _COUNTS:
        return f"{value}{_COUNTS[key]}"
    return format_won(value) if isinstance(value, int) else str(value)
