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
