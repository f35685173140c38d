"""Korean labels of the facts in a calculator call: one for every key of every call (taxlaw.calls, taxlaw.call_models).

The same key may mean different things to two taxes; those stand under the tax first.
"""

from __future__ import annotations

from datetime import date

from taxlaw.money import format_won

TAXES = {
    "gift": "증여세",
    "income": "종합소득세",
    "vat_simplified": "부가가치세(간이과세)",
    "corporate": "법인세",
    "inheritance": "상속세",
    "retirement": "퇴직소득세",
    "capital_gains": "양도소득세",
    "holding": "종합부동산세",
    "acquisition": "취득세",
    "property": "재산세",
    "withholding": "원천징수 소득세",
    "penalty": "가산세",
    "vat_general": "부가가치세(일반과세)",
}
_COMMON = {"tax": "세목", "year": "적용 연도"}
_GIFT = {
    "amount": "증여재산가액",
    "relation": "증여자",
    "minor": "미성년자",
    "generation_skip": "세대를 건너뛴 증여",
    "marriage_birth": "혼인·출산 공제로 쓸 금액",
    "debt": "인수한 채무",
    "prior_gifts": "10년 안에 받은 증여",
    "prior_tax": "이미 낸 증여세",
    "filed": "기한 안에 신고",
}
_INCOME = {
    "base": "과세표준",
    "income": "종합소득금액",
    "deductions": "소득공제",
    "gross_pay": "총급여",
    "dependants": "기본공제 대상자(본인 포함)",
    "children": "자녀세액공제 대상 자녀",
}
_VAT = {"gross": "공급대가", "industry": "업종", "purchases": "매입 공급대가", "card_sales": "신용카드 등 매출"}
_CORPORATE = {"base": "과세표준", "months": "사업연도 개월 수", "small_rental": "소규모 부동산임대업"}
_INHERITANCE = {
    "estate": "총상속재산가액",
    "public_charges": "공과금",
    "funeral": "장례비용",
    "enshrinement": "봉안시설·자연장지 비용",
    "debt": "채무",
    "spouse": "배우자가 있음",
    "spouse_receives": "배우자가 실제 상속받은 금액",
    "spouse_limit": "배우자 상속공제의 한도금액",
    "sole_spouse": "배우자 단독상속",
    "spouse_gift_base": "배우자 사전증여의 과세표준",
    "children": "자녀",
    "parents": "직계존속",
    "minors": "미성년자마다 19세까지의 햇수",
    "seniors": "65세 이상 상속인·동거가족",
    "disabled": "장애인마다 기대여명의 햇수",
    "net_financial": "순금융재산가액",
    "cohabited_house": "동거주택 가액",
    "appraisal_fee": "감정평가수수료",
    "gifts_to_heirs": "상속인에게 10년 안에 증여한 재산",
    "heirs_gift_deduction": "상속인 사전증여 때의 증여공제",
    "heirs_gift_tax": "상속인 사전증여의 산출세액",
    "gifts_to_others": "상속인 아닌 사람에게 5년 안에 증여한 재산",
    "others_gift_deduction": "상속인 아닌 사람 사전증여 때의 증여공제",
    "others_gift_tax": "상속인 아닌 사람 사전증여의 산출세액",
    "bequest_to_others": "선순위 상속인이 아닌 사람에게 유증한 재산",
    "renounced_to_next": "상속포기로 다음 순위가 받은 재산",
    "skip_receives": "세대를 건너뛰어 손자녀가 받은 재산",
    "skip_minor": "그 손자녀가 미성년자",
    "filed": "신고함",
    "late": "기한 뒤에 신고",
}
_RETIREMENT = {"pay": "퇴직소득금액", "years": "근속연수", "start": "근속 시작일", "end": "퇴직일"}
_CAPITAL_GAINS = {
    "sale_price": "양도가액",
    "purchase_price": "취득가액",
    "asset": "자산",
    "expenses": "필요경비",
    "held_years": "보유기간",
    "acquired": "취득일",
    "sold": "양도일",
    "one_home": "1세대 1주택",
    "residence_years": "거주기간",
    "adjusted_when_bought": "취득 때 조정대상지역",
    "homes": "세대의 주택 수",
    "adjusted_when_sold": "양도 때 조정대상지역",
    "transition": "중과 유예의 경과조치 대상",
    "registered": "등기한 자산",
}
_HOLDING = {
    "official_price": "공시가격 합계",
    "kind": "과세 대상",
    "homes": "주택 수",
    "company": "법인",
    "one_home": "1세대 1주택",
    "age": "나이",
    "held_years": "보유기간",
    "property_tax_credit": "공제할 재산세액",
    "burden_last_year": "직전 연도 총세액상당액",
    "property_tax": "올해 재산세액(도시지역분 제외)",
}
_ACQUISITION = {
    "value": "취득당시가액",
    "cause": "취득 원인",
    "asset": "자산",
    "homes": "취득 뒤 세대의 주택 수",
    "adjusted": "조정대상지역",
    "company": "법인",
    "temporary_two_homes": "일시적 2주택",
    "standard_value": "주택 전체의 시가표준액",
    "capital_area": "수도권",
    "family_only_home": "1세대 1주택자인 가족에게서 받은 주택",
    "only_home": "상속으로 1가구 1주택이 됨",
    "non_profit": "비영리사업자",
}
_PROPERTY = {
    "official_price": "시가표준액",
    "kind": "과세 대상",
    "only_home": "1세대 1주택",
    "price_last_year": "직전 연도 시가표준액",
    "urban": "도시지역분 적용",
}
_WITHHOLDING = {
    "kind": "소득의 종류",
    "amount": "지급액",
    "expense": "필요경비",
    "days": "일한 날",
    "age": "나이",
    "lifetime": "종신 계약",
    "paid_on": "지급일",
}
_PENALTY = {
    "kind": "가산세의 종류",
    "tax_amount": "대상 세액",
    "deadline": "법정신고·납부기한",
    "fraud": "부정행위",
    "abroad": "역외거래",
    "fraud_tax": "부정행위로 인한 과소신고 세액",
    "receipts": "수입금액",
    "filed_on": "신고한 날",
    "foreseen": "결정·경정을 미리 알고 신고",
    "paid_on": "납부한 날",
    "notice_on": "납부고지일",
    "designated": "지정납부기한",
}
_VAT_GENERAL = {
    "supply": "과세 공급가액(부가세 별도)",
    "supply_with_tax": "과세 공급대가(부가세 포함)",
    "zero_rated": "영세율 공급가액",
    "purchases": "매입가액(부가세 별도)",
    "purchases_with_tax": "매입금액(부가세 포함)",
    "input_tax": "매입세액",
    "blocked_input_tax": "공제받지 못하는 매입세액",
    "common_input_tax": "공통매입세액",
    "exempt_supply": "면세 공급가액",
    "bad_debt": "대손금액(부가세 포함)",
    "card_sales": "신용카드·현금영수증 매출(부가세 포함)",
    "card_credit_used": "올해 이미 받은 신용카드 매출 세액공제",
    "company": "법인사업자",
    "consumer_business": "주로 소비자를 상대하는 업종",
    "prior_supply": "직전 연도 공급가액",
}
LABELS: dict[str, dict[str, str]] = {
    "gift": _GIFT,
    "income": _INCOME,
    "vat_simplified": _VAT,
    "corporate": _CORPORATE,
    "inheritance": _INHERITANCE,
    "retirement": _RETIREMENT,
    "capital_gains": _CAPITAL_GAINS,
    "holding": _HOLDING,
    "acquisition": _ACQUISITION,
    "property": _PROPERTY,
    "withholding": _WITHHOLDING,
    "penalty": _PENALTY,
    "vat_general": _VAT_GENERAL,
}
_UNITS = {
    "dependants": "명",
    "children": "명",
    "parents": "명",
    "seniors": "명",
    "months": "개월",
    "days": "일",
    "year": "년",
    "years": "년",
    "held_years": "년",
    "residence_years": "년",
    "minors": "년",
    "disabled": "년",
    "age": "세",
    "homes": "채",
}


def korean_facts(call: dict) -> tuple[tuple[str, str], ...]:
    """The keys and values of a canonical call as (label, value) in Korean, amounts as they were written."""
    labels = LABELS.get(call["tax"], {}) | _COMMON
    # A fact without a label is still shown: its key is better than an answer lost (a test wants a label for each).
    return tuple((labels.get(key, key), _korean_value(key, value)) for key, value in call.items())


def _korean_value(key: str, value: object) -> str:
    if key == "tax":
        return TAXES.get(str(value), str(value))
    if isinstance(value, bool):
        return "예" if value else "아니요"
    if isinstance(value, list):
        return ", ".join(_korean_value(key, one) for one in value)
    if key in _UNITS:
        return f"{value}{_UNITS[key]}"
    if isinstance(value, int):
        return format_won(value)
    try:
        day = date.fromisoformat(str(value))
    except ValueError:
        return str(value)
    return f"{day.year}년 {day.month}월 {day.day}일"
