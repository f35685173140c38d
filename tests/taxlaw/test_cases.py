"""Reading questions: a wrong reading would condemn a right answer, or pass a wrong one; no reading does neither."""

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taxlaw.calls import call_text, run_call
from taxlaw.cases import read_case
from taxlaw.errors import MissingFact, UnsupportedCase
from taxlaw.money import format_won

EXAMPLES = Path(__file__).parents[2].parent / "shared" / "data" / "worked_examples" / "worked_examples.jsonl"
ASK = " 증여세는 얼마인가요?"


def read(question: str) -> dict:
    return json.loads(call_text(read_case(question)))


def gift(amount: str, relation: str, **facts) -> dict:
    return {"tax": "gift", "amount": amount, "relation": relation, **facts}


def test_the_question_of_the_readme_is_read_with_the_defaults():
    call = read_case("부모님께 20억원을 증여받았는데 증여세는 얼마인가요?")
    assert call_text(call) == '{"tax":"gift","amount":"20억원","relation":"직계존속"}'
    assert run_call(call, date(2025, 6, 1)).payable == 601_400_000


@pytest.mark.parametrize(
    ("words", "relation"),
    [
        ("부모님께 1억원을 받았습니다.", "직계존속"),
        ("어머니한테 1억원을 증여받으면", "직계존속"),
        ("친정엄마가 1억원을 주셨어요.", "직계존속"),
        ("아버지가 아들에게 1억원을 증여했다.", "직계존속"),
        ("딸이 아버지로부터 1억원을 증여받았다.", "직계존속"),
        ("아들에게 1억원을 증여하려고 합니다.", "직계존속"),
        ("제가 딸에게 1억원을 주면", "직계존속"),
        ("남편이 아내에게 1억원을 증여했다.", "배우자"),
        ("배우자에게서 1억원을 받으면", "배우자"),
        ("아내에게 1억원을 증여하면", "배우자"),
        ("아들이 아버지에게 1억원을 증여했다.", "직계비속"),
        ("딸에게서 1억원을 받았습니다.", "직계비속"),
        ("부모님께 1억원을 드리면", "직계비속"),
        ("이모가 조카에게 1억원을 증여했다.", "기타친족"),
        ("시어머니께 1억원을 받았습니다.", "기타친족"),
        ("장모님이 저에게 1억원을 주셨습니다.", "기타친족"),
        ("사위에게 1억원을 증여하면", "기타친족"),
        ("며느리한테 1억원을 주려고 합니다.", "기타친족"),
        ("동생에게 1억원을 증여하면", "기타친족"),
        ("친구에게서 1억원을 받았습니다.", "타인"),
        ("직장 동료가 제게 1억원을 주었습니다.", "타인"),
    ],
)
def test_relation_is_the_giver_seen_from_the_receiver(words, relation):
    assert read(words + ASK) == gift("1억원", relation)


@pytest.mark.parametrize(
    ("question", "facts"),
    [
        (
            "할아버지에게서 5억을 받았습니다. 저는 만 15세입니다.",
            gift("5억", "직계존속", minor=True, generation_skip=True),
        ),
        ("손자에게 30억을 증여하려고 합니다. 손자는 만 30세입니다.", gift("30억", "직계존속", generation_skip=True)),
        ("외할머니가 외손녀에게 2억을 증여했다(부모 생존).", gift("2억", "직계존속", generation_skip=True)),
        ("70세 아버지가 30세 아들에게 1억을 증여하면", gift("1억", "직계존속")),
        ("저는 65세이고 아들에게 1억을 증여하려고 합니다.", gift("1억", "직계존속")),
        ("15살 아들에게 1억을 증여하면", gift("1억", "직계존속", minor=True)),
        (
            "외할머니가 중학교 2학년(14살)인 외손녀에게 5천만원을 증여하면",
            gift("5천만원", "직계존속", minor=True, generation_skip=True),
        ),
        ("큰이모가 저에게 5천만원을 주시면 증여세는?", gift("5천만원", "기타친족")),
        ("2025년에 아버지가 미성년 자녀에게 5천만 원을 증여했다.", gift("5천만 원", "직계존속", minor=True, year=2025)),
        ("부모님께 3억을 증여받았는데 아직 신고 안 했어요.", gift("3억", "직계존속", filed=False)),
        ("장모님이 3억을 주셨는데 신고 기한을 놓쳐버렸네요.", gift("3억", "기타친족", filed=False)),
        ("부모님께 3억을 증여받고 신고를 깜빡했어요.", gift("3억", "직계존속", filed=False)),
        ("부모님께 3억을 증여받고 기한 안에 신고했습니다.", gift("3억", "직계존속")),
        (
            "시가 5억원 아파트를 채무 2억원을 인수하는 조건으로 자녀에게 증여했다.",
            gift("5억원", "직계존속", debt="2억원"),
        ),
        (
            "아버지에게서 3억원을 증여받았습니다. 5년 전에도 같은 사람에게서 2억원을 증여받았습니다. 당시 산출세액은 2,000만원입니다.",
            gift("3억원", "직계존속", prior_gifts="2억원", prior_tax="2,000만원"),
        ),
        ("부모님께 3억원을 증여받았습니다. 이전에 증여받은 적은 없습니다.", gift("3억원", "직계존속")),
        ("혼인신고 1년 뒤 부모에게서 2억 원을 증여받았습니다.", gift("2억 원", "직계존속", marriage_birth="1억원")),
        (
            "어머니께 2억원을 받았고 혼인공제 5,000만원을 쓰려고 합니다.",
            gift("2억원", "직계존속", marriage_birth="5,000만원"),
        ),
    ],
)
def test_other_facts_of_a_gift(question, facts):
    assert read(question + ASK) == facts


@pytest.mark.parametrize(
    "question",
    [
        "아버지께 3억, 어머니께 2억을 받았어요.",
        "아버지와 어머니에게서 1억원을 받았어요.",
        "부모님 두 분께 3억을 받았어요.",
        "아버지가 제 아들에게 3억을 증여하면",
        "아버지가 남편에게 2억을 증여하면",
        "남편의 아버지에게서 2억을 받으면",
        "친구 아버지에게서 1억을 받았는데",
        "아들이 17살인데 1억을 증여하면",
        "아들이 3억원을 받았습니다.",
        "자녀들에게 3억원을 증여하면",
        "두 아들에게 3억원을 증여하면",
        "아버지가 증여해 주신 3억원을 받았습니다.",
        "아들에게 주려고 3억원을 증여받았습니다.",
        "20살 딸에게 1억을 주려고 합니다.",
        "대학생 아들에게 1억을 주려고 합니다.",
        "부모님께 3억을 받았는데 그중 1억은 빌린 돈입니다.",
        "부모님이 전세보증금 2억을 보태 주셨어요.",
        "아버지에게서 2억을 받았습니다. 12년 전에도 아버지에게서 1억을 받았습니다.",
        "아버지에게서 2억을 받았습니다. 3년 전에 1억을 받은 적이 있습니다.",
        "아버지께 2억을 받았습니다. 3년 전에 이모에게서 1억을 받은 적이 있습니다.",
        "부모님으로부터 3억원을 증여받았습니다. 5년 전에도 증여받은 적이 있습니다.",
        "결혼 자금으로 부모님께 1억 5천만원을 받았는데",
        "출산 3년 뒤 부모님께 1억 5천만원을 받았는데",
        "부모님께 20억을 증여받으면 증여세가 9,000만원이 맞나요?",
        "부모님께 5천만원까지 증여받으면",
        "작년에 어머니께 1억을 증여받았습니다.",
        "2020년에 1억을, 2025년에 2억을 아버지에게서 증여받았습니다.",
        "비거주자인 아들에게 3억을 증여하면",
        "아버지가 돌아가시고 할아버지에게서 3억을 증여받으면",
        "할아버지에게서 가업승계로 30억을 증여받으면",
        "부모님께 매월 200만원을 받으면",
        "부모님 3억원",
        "부모님께 집을 증여받았는데",
        "3억원을 증여받았는데",
        "부모님께 3억원을 증여받았고 기한 후 신고를 했는데",
    ],
)
def test_an_uncertain_gift_is_not_read(question):
    with pytest.raises(UnsupportedCase):
        read_case(question + ASK)


@pytest.mark.parametrize(
    ("question", "fact"),
    [
        ("부모님께 집을 증여받았는데 증여세는 얼마인가요?", "금액"),
        ("3억원을 증여받았는데 증여세는 얼마인가요?", "관계"),
        ("종합소득금액이 8천만원이면 종합소득세는 얼마인가요?", "소득공제"),
        ("종합소득세는 얼마인가요?", "과세표준"),
        ("간이과세자이고 공급대가는 6천만원입니다. 부가세는 얼마인가요?", "업종"),
        ("간이과세자 음식점의 부가세는 얼마인가요?", "공급대가"),
        ("법인세는 얼마인가요?", "과세표준"),
        ("과세표준 3억원, 2025년 7월 1일에 시작한 법인. 법인세 얼마?", "개월"),
    ],
)
def test_a_missing_fact_is_named(question, fact):
    with pytest.raises(MissingFact, match=fact):
        read_case(question)


@pytest.mark.parametrize(
    ("question", "facts"),
    [
        ("2025년 귀속 종합소득 과세표준이 5,000만원이면 소득세는 얼마인가요?", {"base": "5,000만원", "year": 2025}),
        ("종합소득금액이 8천만원, 소득공제가 1천만원이면 소득세는?", {"income": "8천만원", "deductions": "1천만원"}),
        (
            "소득공제가 1천만원이고 종합소득금액은 8천만원이에요. 소득세 얼마?",
            {"income": "8천만원", "deductions": "1천만원"},
        ),
        ("총급여 6,000만원인 직장인입니다. 소득세는 얼마인가요?", {"gross_pay": "6,000만원"}),
        ("총급여 6,000만원, 부양가족은 없습니다. 소득세는 얼마인가요?", {"gross_pay": "6,000만원"}),
        (
            "총급여 6,000만원입니다. 부양가족은 본인 포함 4명입니다. 그중 자녀세액공제 대상 자녀는 2명입니다. 소득세 얼마?",
            {"gross_pay": "6,000만원", "dependants": 4, "children": 2},
        ),
        ("총급여 6,000만원, 본인 외 부양가족 2명. 소득세 얼마?", {"gross_pay": "6,000만원", "dependants": 3}),
    ],
)
def test_income_questions(question, facts):
    assert read(question) == {"tax": "income", **facts}


@pytest.mark.parametrize(
    "question",
    [
        "총급여 6천만원, 부양가족 3명이면 소득세 얼마?",
        "총급여 6천만원이고 배우자와 자녀 2명이 있어요. 소득세 얼마?",
        "총급여 6천만원이고 본인 포함 4명이 기본공제 대상입니다. 자녀 2명. 소득세 얼마?",
        "총급여 6천만원에 의료비 300만원을 썼습니다. 소득세 얼마?",
        "연봉 6천만원이면 소득세 얼마?",
        "월급 300만원이면 소득세 얼마?",
        "과세표준이 5천만원 이하이면 소득세는 얼마인가요?",
        "과세표준 5천만원이고 퇴직소득도 있습니다. 소득세 얼마?",
        "과세표준 5천만원의 소득세와 지방소득세는 얼마인가요?",
        "프리랜서 수입금액 5천만원이면 종합소득세 얼마?",
        "법인 대표인데 총급여 1억원입니다. 법인세와 소득세는 얼마?",
    ],
)
def test_an_uncertain_income_is_not_read(question):
    with pytest.raises(UnsupportedCase):
        read_case(question)


@pytest.mark.parametrize(
    ("question", "facts"),
    [
        (
            "음식점업 간이과세자. 공급대가 99,500,000원, 세금계산서 매입(공급대가) 16,500,000원, 신용카드 매출 80,000,000원. "
            "2025년 차감 납부할 세액은?",
            {
                "gross": "99,500,000원",
                "industry": "음식점업",
                "purchases": "16,500,000원",
                "card_sales": "80,000,000원",
                "year": 2025,
            },
        ),
        (
            "간이과세자 식당이고 매출 7천만원 중 5천만원이 카드입니다. 부가세 얼마?",
            {"gross": "7천만원", "industry": "식당", "card_sales": "5천만원"},
        ),
        (
            "부동산중개업을 하는 간이과세자입니다. 매출(공급대가)은 6천만원입니다. 부가세 얼마?",
            {"gross": "6천만원", "industry": "부동산중개업"},
        ),
        (
            "간이과세자이고 업종은 운수 및 창고업, 공급대가 6천만원. 부가세 얼마?",
            {"gross": "6천만원", "industry": "운수 및 창고업"},
        ),
    ],
)
def test_simplified_vat_questions(question, facts):
    assert read(question) == {"tax": "vat_simplified", **facts}


@pytest.mark.parametrize(
    "question",
    [
        "간이과세자 식당인데 공급대가 9천만원, 편의점도 하나 있어요. 부가세 얼마?",
        "간이과세자 식당이고 공급가액이 6천만원입니다. 부가세 얼마?",
        "7월에 개업한 간이과세자 식당이고 공급대가 6천만원. 부가세 얼마?",
        "간이과세자 도매업이고 공급대가 6천만원. 부가세 얼마?",
        "간이과세자 식당이고 공급대가 6천만원, 임차료 1천만원. 부가세 얼마?",
        "식당을 하는 일반과세자이고 매출 6천만원입니다. 부가세 얼마?",
        "간이과세자 식당이고 공급대가 4,800만원 미만이면 부가세는 얼마?",
    ],
)
def test_an_uncertain_vat_is_not_read(question):
    with pytest.raises(UnsupportedCase):
        read_case(question)


@pytest.mark.parametrize(
    ("question", "facts"),
    [
        (
            "2026년 1월 1일 개시 12개월 사업연도, 내국법인의 과세표준이 10억 원이다. 법인세 산출세액은?",
            {"base": "10억 원", "year": 2026},
        ),
        ("과세표준이 3억원인 법인입니다. 사업연도는 6개월입니다. 법인세 얼마?", {"base": "3억원", "months": 6}),
        (
            "부동산임대업이 주업인 소규모 법인(성실신고확인 대상)이고 과세표준은 3억원. 법인세 얼마?",
            {"base": "3억원", "small_rental": True},
        ),
    ],
)
def test_corporate_questions(question, facts):
    assert read(question) == {"tax": "corporate", **facts}


@pytest.mark.parametrize(
    "question",
    [
        "부동산임대업 법인의 과세표준 3억원. 법인세 얼마?",
        "법인 과세표준 3억원이고 이월결손금 1억원이 있습니다. 법인세 얼마?",
        "법인 소득금액이 3억원입니다. 법인세 얼마?",
        "법인 과세표준이 2억원을 넘으면 법인세 얼마?",
        "올해 설립한 법인의 과세표준이 3억원입니다. 법인세 얼마?",
        "상속세 과세표준이 5억 원일 때 산출세액은?",
        "양도소득세 과세표준이 5억 원일 때 산출세액은?",
        "과세표준이 5억 원일 때 산출세액은?",
        "법인 과세표준 3억원입니다.",
    ],
)
def test_an_uncertain_or_other_tax_is_not_read(question):
    with pytest.raises(UnsupportedCase):
        read_case(question)


@pytest.mark.skipif(not EXAMPLES.is_file(), reason="the worked examples are not beside this checkout")
def test_published_questions_are_read_right_or_not_at_all():
    expected_keys = ("납부할세액", "차감납부세액", "합계", "산출세액")
    read_right = 0
    for line in EXAMPLES.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        try:
            call = read_case(row["question"])
        except UnsupportedCase:
            continue
        result = run_call(call, date(2025, 6, 1))
        key = next((key for key in expected_keys if key in row["expected"]), None)
        if key:
            figure = {"산출세액": result.calculated_tax, "합계": result.calculated_tax + result.surcharge}
            assert figure.get(key, result.payable) == row["expected"][key], row["question"]
            read_right += 1
    assert read_right >= 20


@given(
    st.integers(1, 500_000).map(lambda man: format_won(man * 10_000)),
    st.sampled_from(["부모님께", "아버지로부터", "엄마한테", "어머니에게서"]),
    st.sampled_from(["증여받았는데", "받으면", "증여받은 경우"]),
)
@settings(deadline=None)
def test_any_amount_from_parents_is_copied_as_written(amount, giver, verb):
    assert read(f"{giver} {amount}을 {verb}{ASK}") == gift(amount, "직계존속")


@given(st.text())
def test_any_text_is_read_or_refused_with_a_reason(text):
    try:
        read_case(text)
    except UnsupportedCase as reason:
        assert str(reason)
