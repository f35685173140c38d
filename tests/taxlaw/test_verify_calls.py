"""An answer that is a calculator call is judged through the call: neither as bad Korean, nor on trust."""

from datetime import date

import pytest

from taxlaw.calls import call_text, parse_call, render_working, run_call
from taxlaw.verify import verify

DAY = date(2026, 6, 1)
QUESTION = "부모님께 20억원을 증여받았는데 증여세는 얼마인가요?"
CALL = '{"tax":"gift","amount":"20억원","relation":"직계존속"}'
WORKING = render_working(run_call(parse_call(CALL), DAY))


def faults(question: str, answer: str) -> list[tuple[str, int | None]]:
    return [(f.kind, f.code) for f in verify(question, answer, DAY).findings if f.severity == "fault"]


@pytest.mark.parametrize("answer", [CALL, f" {CALL}\n", f"```json\n{CALL}\n```", f"{CALL}\n\n{WORKING}"])
def test_a_right_call_alone_or_with_its_working_stands(answer):
    assert faults(QUESTION, answer) == []
    assert "금액 재계산 일치" in verify(QUESTION, answer, DAY).summary()


def test_a_call_about_facts_nobody_stated_is_a_fault():
    question = "어머니가 돈을 좀 주셨는데 증여세는 어떻게 되나요?"
    assert faults(question, CALL) == [("calculation", 18)]
    assert faults("상속재산 20억원의 상속세는 얼마인가요?", CALL)[0] == ("calculation", 13)
    summary = verify(question, CALL, DAY).summary()
    assert "질문과 다른 계산 요청 1건" in summary and "계산식" not in summary


def test_a_call_with_another_relation_is_compared_with_the_questions_case():
    wrong = call_text(parse_call(CALL.replace("직계존속", "배우자")))
    assert faults(QUESTION, wrong) == [("number", 7)]
    assert faults(QUESTION, f"{wrong}\n\n{render_working(run_call(parse_call(wrong), DAY))}") != []


def test_a_working_that_is_not_the_calls_is_seen():
    question = "친구 어머니가 아들에게 20억원을 증여하셨대요. 누구에게서 받았는지는 말하지 않을게요."
    assert faults(question, f"{CALL}\n\n{WORKING}") == []
    broken = WORKING.replace("납부할 세액: 6억 140만원 (601,400,000원)", "납부할 세액: 5억 140만원")
    assert broken != WORKING
    assert ("number", 7) in faults(question, f"{CALL}\n\n{broken}")


def test_a_working_after_a_call_is_read_as_prose_with_its_own_places():
    answer = f"{CALL}\n\n상속세 및 증여세법 제9999조에 따라 납부할 세액은 6억 140만원입니다."
    fault = next(f for f in verify(QUESTION, answer, DAY).findings if f.severity == "fault")
    assert fault.kind == "citation" and "제9999조" in answer[slice(*fault.span)]
    assert ("form", None) in faults(QUESTION, f"{CALL}\n\nThe tax payable is 601,400,000 won in total.")


def test_a_call_that_cannot_be_read_says_why():
    verdict = verify(QUESTION, '{"tax":"gift","amount":"20억원"}', DAY)
    (fault,) = [f for f in verdict.findings if f.severity == "fault"]
    assert fault.kind == "form" and "relation" in fault.message and "한국어" not in fault.message


def test_a_call_outside_the_tables_is_unchecked():
    call = '{"tax":"gift","amount":"20억원","relation":"직계존속","year":1999}'
    verdict = verify("1999년에 부모님께 20억원을 증여받으면 증여세는?", call, DAY)
    assert [f.severity for f in verdict.findings if f.kind == "calculation"] == ["unchecked"]
