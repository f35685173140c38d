"""A fluent call about facts nobody stated must not become a confident figure."""

import pytest

from taxlaw.call_check import objections
from taxlaw.calls import parse_call

GIFT = '{"tax":"gift","amount":"20억원","relation":"직계존속"}'


@pytest.mark.parametrize(
    ("question", "call"),
    [
        ("부모님께 20억원을 증여받았는데 증여세는 얼마인가요?", GIFT),
        ("어머니가 2,000,000,000원을 주셨어요. 세금은?", GIFT),
        (
            "2025년 총급여 6,000만원, 본인 포함 3명이면 근로소득세는?",
            '{"tax":"income","gross_pay":"6,000만원","dependants":3,"year":2025}',
        ),
        ("25년 법인 과세표준 3억원의 법인세는?", '{"tax":"corporate","base":"3억원","year":2025}'),
        ("취득세 말고 증여세가 궁금합니다. 아버지께 20억원을 받았어요.", GIFT),
        ("음식점, 공급대가 7,200만원", '{"tax":"vat_simplified","gross":"7,200만원","industry":"음식점"}'),
    ],
)
def test_a_call_that_copies_the_question_stands(question, call):
    assert objections(question, parse_call(call)) == ()


@pytest.mark.parametrize(
    ("question", "call", "said"),
    [
        ("부모님께 2억원을 증여받았어요", GIFT, "20억원은 질문에 없는 금액"),
        ("음식점, 공급대가 7,200만원인데 부가세는?",
         '{"tax":"vat_simplified","gross":"7,200만원","industry":"음식점","purchases":"200만원"}', "200만원은 질문에 없는"),
        ("법인 과세표준 3억원의 법인세는?", '{"tax":"corporate","base":"3억원","year":2024}', "2024년은 질문에 없습니다"),
        ("상속재산이 20억원이면 상속세는?", GIFT, "증여세 계산을 요청"),
        ("양도소득세 과세표준이 5,000만원일 때 세액은?", '{"tax":"income","base":"5,000만원"}', "양도소득"),
        ("오늘 날씨가 20억원짜리네요", GIFT, "알 수 없습니다"),
    ],
)  # fmt: skip
def test_a_call_about_something_else_is_objected_to(question, call, said):
    assert said in " ".join(objections(question, parse_call(call)))


INHERITANCE = '{"tax":"inheritance","estate":"15억원","children":2}'
RETIREMENT = '{"tax":"retirement","pay":"1억원","years":10}'
GAINS = '{"tax":"capital_gains","sale_price":"15억원","purchase_price":"10억원","asset":"주택","held_years":10}'
HOLDING = '{"tax":"holding","official_price":"20억원","one_home":true}'
ACQUISITION = '{"tax":"acquisition","value":"6억원"}'
PROPERTY = '{"tax":"property","official_price":"5억원","only_home":true}'
WITHHOLDING = '{"tax":"withholding","kind":"복권","amount":"5억원"}'
PENALTY = '{"tax":"penalty","kind":"무신고","tax_amount":"1,000만원","deadline":"2025-05-31","paid_on":"2025-08-31"}'


@pytest.mark.parametrize(
    ("question", "call"),
    [
        ("아버지가 돌아가셔서 15억원을 자녀 둘이 받습니다. 상속세는?", INHERITANCE),
        ("상속재산 15억원, 자녀 2명. 증여세를 낸 적은 없습니다. 세금은?", INHERITANCE),
        ("10년 일하고 퇴직금 1억원을 받으면 퇴직소득세는?", RETIREMENT),
        ("10억원에 사서 10년 살던 집을 15억원에 팔면 양도소득세는?", GAINS),
        ("상속받은 집을 10억원으로 신고했고 15억원에 양도했습니다. 10년 보유했어요. 양도세는?", GAINS),
        ("공시가격 20억원 1주택자입니다. 재산세 말고 종부세는 얼마인가요?", HOLDING),
        ("6억원짜리 아파트를 사면 취득세는?", ACQUISITION),
        ("공시가격 5억원인 1세대 1주택의 재산세는? 종합부동산세는 안 냅니다.", PROPERTY),
        ("복권 5억원에 당첨되면 소득세를 얼마 떼나요?", WITHHOLDING),
        ("종합소득세 1,000만원을 5월 31일까지 신고하지 못하고 2025년 8월 31일에 냈습니다. 더 내는 돈은?", PENALTY),
        ("세금 1,000만원을 무신고하고 2025년 8월 31일에 납부했습니다. 가산세는?", PENALTY),
        ("2025년에 혼인신고 뒤 부모님께 2억원을 증여받았습니다. 증여세는?",
         '{"tax":"gift","amount":"2억원","relation":"직계존속","marriage_birth":"1억원","year":2025}'),
        ("부모님이 20억원을 증여하셨습니다. 산출세액(가산세 제외)은?", GIFT),
    ],
)  # fmt: skip
def test_a_right_call_of_every_tax_stands(question, call):
    assert objections(question, parse_call(call)) == ()


@pytest.mark.parametrize(
    ("question", "call", "said"),
    [
        ("부모님께 15억원을 받았습니다. 증여세는?", INHERITANCE, "상속세에 관한 것인지 알 수 없습니다"),
        ("연봉이 1억원이면 종합소득세는?", RETIREMENT, "종합소득세에 관한 것인데 퇴직소득세"),
        ("15억원짜리 집을 10억원에 물려받았습니다. 상속세는?", GAINS, "상속세에 관한 것인데 양도소득세"),
        ("공시가격 20억원인 집의 재산세는?", PROPERTY.replace("5억원", "30억원"), "30억원은 질문에 없는"),
        ("상속받은 6억원 아파트의 취득세는?", INHERITANCE.replace("15억원", "6억원"), "취득세에 관한 것인데 상속세"),
        ("6억원을 은행에 맡겼습니다", ACQUISITION, "취득세에 관한 것인지 알 수 없습니다"),
        ("법인세 5억원이 궁금합니다", WITHHOLDING, "법인세에 관한 것인데 원천징수"),
        ("세금 1,000만원을 6월 30일까지 신고하지 않고 2025년 8월 31일에 냈습니다", PENALTY, "2025-05-31은(는) 질문에 없는 날짜"),
        ("1,000만원을 신고하지 못하고 2025년 7월 31일에 냈습니다", PENALTY, "2025-08-31은(는) 질문에 없는 날짜"),
    ],
)  # fmt: skip
def test_a_call_of_another_tax_or_day_is_objected_to(question, call, said):
    assert said in " ".join(objections(question, parse_call(call)))
