"""Mutation tests: take a right answer, break one thing, and the verifier must see it; leave it right, and it must not."""

import json
from datetime import date
from pathlib import Path

import pytest

from taxlaw.calls import call_text, render_working, run_call
from taxlaw.cases import read_case
from taxlaw.errors import SourceError
from taxlaw.verify import verify

DAY = date(2025, 7, 1)
QUESTION = "부모님께 20억원을 증여받았는데 증여세는 얼마인가요?"
SAMPLES = Path(__file__).parents[2].parent / "shared" / "data" / "nts_rulings" / "search_rows.jsonl"


@pytest.fixture(scope="module")
def answer() -> str:
    return render_working(run_call(read_case(QUESTION), DAY))


def faults(question: str, answer: str, as_of: date = DAY, evidence: str | None = None) -> list[tuple[str, str | None]]:
    found = verify(question, answer, as_of, evidence).findings
    return [(finding.kind, finding.expected) for finding in found if finding.severity == "fault"]


def test_the_right_answer_is_confirmed(answer):
    verdict = verify(QUESTION, answer, DAY)
    assert verdict.ok
    assert verdict.count("citation", "confirmed") == 5
    assert verdict.count("number", "confirmed") == 1
    assert verdict.count("number", "unchecked") == 0
    assert verdict.summary() == "인용 5/5 확인 · 금액 재계산 일치 · 계산식 4/4 일치"


def test_the_showcase_row_of_the_predecessor_fails():
    verdict = verify(QUESTION, "공제 없음, 1억원까지 10%, 나머지 20%로 계산합니다. 총 증여세 9,000만원", DAY)
    assert not verdict.ok
    (fault,) = [finding for finding in verdict.findings if finding.severity == "fault"]
    assert (fault.kind, fault.expected) == ("number", "6억 140만원")
    assert "19억 5,000만원" in fault.message and "6억 2,000만원" in fault.message
    assert "금액 불일치(바른 값 6억 140만원)" in verdict.summary()


def test_a_call_is_judged_by_what_it_computes():
    right = call_text(read_case(QUESTION))
    assert verify(QUESTION, right, DAY).summary() == "인용 없음 · 금액 재계산 일치"
    assert faults(QUESTION, right.replace("20억원", "2억원")) == [("calculation", None), ("number", "6억 140만원")]
    assert faults(QUESTION, right.replace("직계존속", "배우자")) == [("number", "6억 140만원")]


@pytest.mark.parametrize("position", range(9))
def test_one_wrong_digit_of_the_final_amount_is_seen(answer, position):
    digits = "601400000"
    wrong = digits[:position] + str((int(digits[position]) + 1) % 10) + digits[position + 1 :]
    stated = f"{int(wrong):,}원"
    broken = answer.replace("납부할 세액: 6억 140만원 (601,400,000원)", f"납부할 세액: {stated}")
    assert broken != answer
    assert faults(QUESTION, broken) == [("number", "6억 140만원")]


def test_an_invented_article_is_seen(answer):
    assert faults(QUESTION, answer.replace("제56조", "제56조의9")) == [("citation", "제56조")]
    assert faults(QUESTION, answer.replace("제69조", "제690조")) == [("citation", None)]


def test_a_deleted_article_is_seen_on_its_date():
    (fault,) = verify("배당은?", "소득세법 제18조에 따라 과세합니다.", DAY).findings
    assert fault.severity == "fault" and "삭제된 조문" in fault.message
    # Before the index begins a deleted article may have been alive.
    early = verify("배당은?", "소득세법 제18조에 따라 과세합니다.", date(2005, 1, 1))
    assert early.ok and early.count("citation", "unchecked") == 1


def test_a_law_that_does_not_exist_is_seen(answer):
    broken = answer.replace("「상속세 및 증여세법」", "「증여세법」")
    assert ("citation", "상속세 및 증여세법") in faults(QUESTION, broken)


def test_wrong_arithmetic_is_seen_even_when_the_end_is_right(answer):
    broken = answer.replace("20억원 - 5,000만원 = 19억 5,000만원", "20억원 - 5,000만원 = 19억 4,000만원")
    assert faults(QUESTION, broken) == [("calculation", "19억 5,000만원")]


@pytest.mark.parametrize(
    "broken", ["", "납부할 세액은 6억 140만원이며, 공제를", "납부할 세액은 6억 140만원입니다.<end_of_turn>"]
)
def test_a_broken_form_is_a_fault(broken):
    assert [kind for kind, _ in faults(QUESTION, broken)] == ["form"]


def test_what_cannot_be_judged_is_unchecked_not_right():
    verdict = verify("공제가 되나요?", "민법 제839조의2와 제12조에 따릅니다. 한도는 7,777만원입니다.", DAY)
    assert verdict.ok
    assert [finding.severity for finding in verdict.findings] == ["unchecked"] * 3
    assert "7,777만원" in verdict.findings[-1].message
    assert verdict.summary() == "인용 0/2 확인 · 금액 일부 미확인"


def test_an_unreadable_case_is_unchecked_with_the_reason():
    verdict = verify("증여세는 얼마인가요?", "납부할 세액은 3억원입니다.", DAY)
    assert verdict.ok and verdict.count("number", "unchecked") == 1
    assert "다시 계산하지 못했습니다" in verdict.findings[0].message


def test_no_final_amount_is_unchecked_and_says_what_it_would_be():
    (finding,) = verify(QUESTION, "증여재산 공제를 뺀 뒤 세율을 곱합니다.", DAY).findings
    assert (finding.severity, finding.expected) == ("unchecked", "6억 140만원")


def test_amounts_of_question_evidence_and_cited_provision_are_supported():
    text = "상속세 및 증여세법 제53조에 따라 5,000만원을 공제합니다. 한도는 7,777만원입니다."
    assert verify("공제가 얼마인가요?", text, DAY).count("number", "unchecked") == 1
    assert verify("공제가 얼마인가요?", text, DAY, evidence="한도 7,777만원").count("number", "unchecked") == 0
    assert verify("7,777만원이 한도인가요?", text, DAY).count("number", "unchecked") == 0


def test_old_law_and_carried_over_law_are_not_called_invented():
    assert faults("?", "구 소득세법(2003. 12. 30. 개정되기 전의 것) 제999조에 따릅니다.") == []
    assert faults("?", "상증법 제53조에 따릅니다. 다만 제450조도 보아야 합니다.") == []
    assert faults("?", "상증법 제53조와 제450조에 따릅니다.") == [("citation", None)]


def test_the_same_article_is_reported_once():
    verdict = verify("?", "상증법 제53조제1호와 상증법 제53조제2호에 따릅니다.", DAY)
    assert verdict.count("citation", "confirmed") == 1


def test_no_official_ruling_is_called_wrong():
    from taxlaw.rulings import load_casebook

    try:
        rulings = load_casebook()
    except SourceError:
        pytest.skip("korean-tax-mcp is not installed")
    wrong = {}
    for ruling in rulings:
        for text in (ruling.gist, f"{ruling.gist}\n관련 법령: {ruling.laws}"):
            if found := faults(ruling.issue, text, ruling.replied):
                wrong[ruling.id] = found
    # Two entries of the book print a decree's article under the heading of another article: rightly seen.
    assert set(wrong) <= {"casebook-014", "casebook-075"}
    assert all(kind == "citation" for found in wrong.values() for kind, _ in found)


@pytest.mark.skipif(not SAMPLES.is_file(), reason="shared data is not here")
def test_no_gist_of_the_search_samples_is_called_wrong():
    wrong = []
    for line in SAMPLES.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["gist"] and len(row["date"]) == 8:
            as_of = date(int(row["date"][:4]), int(row["date"][4:6]), int(row["date"][6:]))
            wrong += [(row["doc_no"], fault) for fault in faults(row["title"], row["gist"], as_of)]
    assert wrong == []


@pytest.mark.parametrize(
    ("penalty", "total", "right"),
    [("200만원", "1,200만원", True), ("100만원", "1,100만원", False), ("100만원", "1,200만원", False)],
)
def test_a_penalty_may_be_told_by_itself_and_with_its_tax(penalty, total, right):
    question = "종합소득세 1,000만원을 2025년 6월 2일 기한까지 신고하지 않았습니다. 무신고가산세는 얼마인가요?"
    answer = f"무신고가산세는 {penalty}이며, 납부할 세액은 본세를 더해 {total}입니다."
    assert verify(question, answer, date(2026, 6, 1)).ok is right
