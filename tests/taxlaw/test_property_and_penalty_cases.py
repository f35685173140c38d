"""Reading questions of real estate and of penalties: the clear wordings are read whole, and doubt is a refusal."""

import json
from datetime import date
from pathlib import Path

import pytest

from taxlaw.calls import call_text, run_call
from taxlaw.cases import read_case
from taxlaw.errors import MissingFact, UnsupportedCase

EXAMPLES = Path(__file__).parents[2].parent / "shared" / "data" / "worked_examples" / "worked_examples.jsonl"
FINAL = ("산출세액", "납부할세액", "세액", "취득세", "합계", "차감납부세액", "원천징수세액", "납부세액")
GAINS = " 2025년 양도소득세는 얼마인가요?"
HELD = " 2025년 종합부동산세는 얼마인가요?"
ONLY = "1세대 1주택을 20억원에 팔았습니다. 취득가액은 8억원입니다."


def read(question: str) -> dict:
    return json.loads(call_text(read_case(question)))


@pytest.mark.parametrize(
    ("question", "facts", "payable"),
    [
        (
            ONLY + " 10년 보유하고 6년 거주했습니다." + GAINS,
            {"held_years": 10, "residence_years": 6, "one_home": True, "asset": "주택"},
            44_774_000,
        ),
        (ONLY + " 10년 보유·거주했습니다." + GAINS, {"held_years": 10, "residence_years": 10}, 17_285_000),
        (
            "취득 당시 조정대상지역인 1세대 1주택을 3년 보유하고 거주하지 않은 채 9억원에 팔았습니다. 취득가액 8억원."
            + GAINS,
            {"held_years": 3, "adjusted_when_bought": True},
            16_585_000,
        ),
        (
            "비사업용 토지를 2억원에 사서 5억원에 팔았습니다. 8년 보유했습니다." + GAINS,
            {"asset": "비사업용 토지", "purchase_price": "2억원", "sale_price": "5억원"},
            99_820_000,
        ),
        (
            "분양권을 2억원에 취득해 3억원에 양도했습니다. 보유기간은 3년입니다." + GAINS,
            {"asset": "분양권"},
            58_500_000,
        ),
        (
            "비조정대상지역 2주택자가 4년 보유한 주택을 2026년 6월 1일에 6억원에 팔았습니다. 취득가액은 3억원입니다. 양도소득세는?",
            {"homes": 2, "adjusted_when_sold": False, "sold": "2026-06-01"},
            83_990_000,
        ),
        (
            "2주택을 가진 개인의 공시가격 합계가 20억원입니다. 재산세 공제 전 금액으로" + HELD,
            {"tax": "holding", "homes": 2, "official_price": "20억원"},
            4_200_000,
        ),
        (
            "공시가격 20억원인 1세대 1주택자(만 66세, 12년 보유)입니다. 재산세 공제 전 금액으로" + HELD,
            {"one_home": True, "age": 66, "held_years": 12},
            828_000,
        ),
        (
            "2주택 개인의 공시가격 합계 20억원, 공제할 재산세액 100만원입니다." + HELD,
            {"property_tax_credit": "100만원"},
            3_200_000,
        ),
        (
            "법인이 가진 2주택의 공시가격 합계는 20억원입니다. 재산세 공제 전 금액으로" + HELD,
            {"company": True, "homes": 2},
            32_400_000,
        ),
        (
            "종합합산 토지의 공시가격이 12억원입니다. 재산세 공제 전 금액으로" + HELD,
            {"kind": "종합합산 토지"},
            7_000_000,
        ),
        (
            "종합소득세 1,000만원을 법정신고기한 2025년 6월 2일까지 신고하지 않았습니다. 무신고가산세는 얼마인가요?",
            {"kind": "무신고", "tax_amount": "1,000만원", "deadline": "2025-06-02"},
            2_000_000,
        ),
        (
            "종합소득세 1,000만원을 2025년 6월 2일 기한까지 신고하지 않았고, 2025년 8월 29일에 기한 후 신고를 하고,"
            " 2025년 9월 3일에 납부했습니다. 가산세는 얼마인가요?",
            {"filed_on": "2025-08-29", "paid_on": "2025-09-03"},
            1_604_600,  # 200만원 less 30 %, and 93 days of 22 in 100,000
        ),
        (
            "세액 500만원을 과소신고했습니다. 법정신고기한은 2025년 6월 2일입니다. 과소신고가산세는 얼마인가요?",
            {"kind": "과소신고"},
            500_000,
        ),
        (
            "양도소득세 2,000만원을 납부기한 2025년 6월 2일까지 내지 못하고 2025년 9월 10일에 납부했습니다."
            " 납부지연가산세는 얼마인가요?",
            {"kind": "납부지연", "paid_on": "2025-09-10"},
            440_000,
        ),
        (
            "종합소득세 1,000만원을 2025년 6월 2일 기한까지 내지 않고, 2025년 6월 20일에 기한 후 신고를 하고,"
            " 2025년 9월 3일에 납부했습니다. 납부지연가산세는 얼마인가요?",
            {"kind": "납부지연", "paid_on": "2025-09-03"},  # the day of filing is no fact of it
            204_600,
        ),
    ],
)
def test_a_clear_wording_is_read_whole(question, facts, payable):
    call = read_case(question)
    assert facts.items() <= json.loads(call_text(call)).items()
    assert run_call(call, date(2025, 6, 1)).payable == payable


@pytest.mark.parametrize(
    ("question", "fact"),
    [
        (ONLY + " 10년 보유했습니다." + GAINS, "거주"),
        ("주택을 6억원에 팔았습니다. 취득가액 3억원, 4년 보유." + GAINS, "주택 수"),
        ("1주택을 6억원에 팔았습니다. 취득가액 3억원, 4년 보유." + GAINS, "1세대 1주택인지"),
        ("토지를 2억원에 사서 5억원에 팔았습니다. 8년 보유했습니다." + GAINS, "사업용"),
        ("10억원에 사서 10년 살던 집을 15억원에 팔면" + GAINS, "보유기간"),
        ("상가를 5억원에 팔았습니다. 8년 보유했습니다." + GAINS, "취득가액"),
        ("2주택 개인의 공시가격 합계 20억원입니다." + HELD, "재산세"),
        ("2주택 개인의 공시가격 20억원입니다. 재산세 공제 전 금액으로" + HELD, "합계"),
        ("공시가격 20억원 1주택자입니다. 재산세 공제 전 금액으로" + HELD, "1세대 1주택자인지"),
        ("공시가격 20억원인 1세대 1주택자입니다. 재산세 공제 전 금액으로" + HELD, "나이"),
        ("세금 1,000만원을 무신고하고 2025년 8월 29일에 납부했습니다. 가산세는?", "기한"),
        ("세액 500만원을 과소신고했습니다. 신고기한은 2025년 6월 2일입니다. 가산세는?", "납부한 날"),
        (
            "세액 500만원을 2025년 6월 2일 기한까지 신고하지 않고 기한 후 신고를 했습니다. 무신고가산세는?",
            "기한 후 신고",
        ),
    ],
)
def test_a_fact_that_is_not_said_is_named(question, fact):
    with pytest.raises(MissingFact, match=fact):
        read_case(question)


@pytest.mark.parametrize(
    "question",
    [
        ONLY + " 10년 보유·거주 3년입니다." + GAINS,
        ONLY + " 10년 이상 보유하고 6년 거주했습니다." + GAINS,
        ONLY + " 10년 보유하고 거주한 기간은 6년입니다." + GAINS,
        ONLY + " 10년 보유했고 6년 거주했습니다. 남편과 공동명의입니다." + GAINS,
        ONLY + " 10년 보유하고 6년 거주했습니다. 지방소득세를 더한" + GAINS,
        "1세대 1주택이 아닌 주택을 20억원에 팔았습니다. 취득가액 8억원. 10년 보유하고 6년 거주했습니다." + GAINS,
        "1세대 1주택 비과세 요건을 갖추지 못한 집을 20억원에 팔았습니다. 취득가액 8억원. 10년 보유, 6년 거주." + GAINS,
        "상속받은 상가를 5억원에 팔았습니다. 취득가액 3억원, 8년 보유." + GAINS,
        "주택과 상가를 5억원에 팔았습니다. 취득가액 3억원, 8년 보유." + GAINS,
        "상가를 3억원에 사서 5억원에 팔았습니다. 8년 보유. 대출이 1억원 있습니다." + GAINS,
        "상가를 3억원에 사서 5억원에 팔았습니다. 8년 보유. 양도차익은 얼마인가요? 양도소득세는요?",
        "2018년 3월에 3억원에 산 상가를 2025년 6월 1일에 5억원에 팔았습니다." + GAINS,
        "조정대상지역 3주택자가 4년 보유한 주택을 2026년 6월 1일에 6억원에 팔았습니다. 취득가액 3억원. 2026년 5월 9일까지 계약했습니다. 양도세는?",
        "아버지가 2010년 1월 1일에 3억원에 산 상가를 제가 2025년 6월 1일에 5억원에 팔았습니다. 양도소득세는?",
        "2020년 1월 1일에 3억원에 산 상가를 2025년 6월 1일에 5억원에 팔면 양도소득세 신고는 얼마나 걸리나요?",
        "미등기 토지가 아닌 사업용 토지를 3억원에 사서 5억원에 팔았습니다. 8년 보유." + GAINS,
        "상가를 3억원에 사서 등기하지 않고 5억원에 팔았습니다. 8년 보유." + GAINS,
        "종합소득세 1,000만원을 부정무신고한 것은 아니고 무신고입니다. 기한은 2025년 6월 2일입니다. 무신고가산세는?",
        "상가를 3억원에 사서 20,000조원에 팔았습니다. 8년 보유." + GAINS,
        "부모님께 20,000조원을 증여받았는데 증여세는 얼마인가요?",
        "공시가격 20억원인 1세대 1주택자(만 999세, 12년 보유)입니다. 재산세 공제 전 금액으로" + HELD,
        "2주택 부부의 공시가격 합계 20억원입니다. 재산세 공제 전 금액으로" + HELD,
        "2주택의 공시가격 합계 20억원, 시가는 더 높습니다. 재산세 공제 전 금액으로" + HELD,
        "1세대 1주택자(65세 이상, 12년 보유)의 공시가격은 20억원입니다. 재산세 공제 전 금액으로" + HELD,
        "2주택 개인의 공시가격 합계 20억원입니다. 재산세 공제 전에 농어촌특별세까지 더한" + HELD,
        "부모님께 20억원을 증여받고 2025년 6월 2일 기한까지 신고하지 않았습니다. 무신고가산세는 얼마인가요?",
        "증여세 신고를 안 한 5억원의 기한은 2025년 6월 2일이었습니다. 무신고가산세는 얼마인가요?",
        "법인이 법인세 1,000만원을 2025년 3월 31일 기한까지 신고하지 않았습니다. 무신고가산세는 얼마인가요?",
        "종합소득세 1,000만원을 2025년 5월 31일 기한까지 내지 않고 2025년 9월 3일에 납부했습니다. 납부지연가산세는?",
        "종합소득세 1,000만원을 2025년 6월 2일 기한까지 신고하지 않았습니다. 본세와 가산세 합계는 얼마인가요?",
    ],
)
def test_what_is_not_certain_is_refused(question):
    with pytest.raises(UnsupportedCase):
        read_case(question)


@pytest.mark.parametrize("words", ["공제액은?", "공제액은 얼마인가요?"])
def test_a_part_of_the_working_is_not_the_tax(words):
    with pytest.raises(UnsupportedCase, match="다른 값"):
        read_case(f"총급여액 60,000,000원일 때 근로소득{words}")


@pytest.mark.skipif(not EXAMPLES.exists(), reason="the worked examples are not beside this checkout")
def test_a_published_example_is_read_right_or_not_at_all():
    read_ids, wrong = set(), []
    for line in EXAMPLES.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        try:
            result = run_call(read_case(row["question"]), date(int(row["when"][-4:]), 6, 1))
        except UnsupportedCase:
            continue
        stated = [row["expected"][key] for key in FINAL if key in row["expected"]]
        if not set(stated) & {result.payable, result.calculated_tax}:
            wrong.append((row["id"], row["expected"], result.payable))
        read_ids.add(row["id"])
    assert not wrong
    assert {f"we-0{number}" for number in (69, 70, 71, 72, 75, 81, 82, 91, 92, 95)} <= read_ids


@pytest.mark.parametrize(
    ("said", "only"),
    [
        ("1세대 1주택입니다.", True),
        ("1세대 1주택에 해당합니다.", True),
        ("1세대 1주택이 아닙니다.", False),
        ("집이 두 채라 1세대 1주택자가 아닙니다.", False),
        ("1세대 1주택에 해당하지 않습니다.", False),
        ("1세대 1주택에는 해당되지 않아요.", False),
    ],
)
def test_whether_it_is_the_only_home_is_read_with_its_negation(said, only):
    facts = read(f"주택 공시가격이 3억원입니다. {said} 재산세는 얼마인가요?")
    assert facts.get("only_home", False) is only


def test_a_negation_in_other_words_is_left_to_people():
    with pytest.raises(UnsupportedCase, match="확실하게"):
        read_case("주택 공시가격이 3억원입니다. 1세대 1주택 특례를 받지 못합니다. 재산세는 얼마인가요?")
