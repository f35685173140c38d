"""Beside evidence: what an answer says otherwise than its source is a fault; what it adds in good faith is not."""

from dataclasses import replace
from datetime import date

import pytest

from taxlaw import in_force_check
from taxlaw.addenda import UNSETTLED
from taxlaw.verify import verify

DAY = date(2026, 6, 1)
RULING = (
    "쟁점: 이사비의 납세증명서 제출대상 여부\n회신일: 2023-09-22\n"
    "회신 요지: 이사비는 국세징수법 제107조제1항제1호에서 정하는 납세증명서 제출대상에 해당하지 않음"
)
LOAN = (
    "소득세법 제999조(가상)\n시행일: 2024-01-01\n대출 이자는 3개월 이내에 신고하고 2,000만원 이하이면 15%로 과세한다."
)
GIFT = "상속세 및 증여세법 제53조(증여재산 공제)\n성년 자녀는 10년 동안 5,000만원을 공제한다."


def faults(answer: str, evidence: str | None, question: str = "어떻게 됩니까?") -> list[str]:
    return [f.kind for f in verify(question, answer, DAY, evidence).findings if f.severity == "fault"]


@pytest.mark.parametrize(
    ("right", "wrong", "kind"),
    [
        ("국세징수법 제107조제1항제1호의 대상이 아닙니다.", "국세징수법 제108조의 대상이 아닙니다.", "citation"),
        ("국세징수법 제107조제1항의 대상이 아닙니다.", "국세징수법 제107조제2항의 대상이 아닙니다.", "citation"),
        ("국세징수법 제107조의 대상이 아닙니다.", "국세기본법 제107조의 대상이 아닙니다.", "citation"),
        ("해당하지 않습니다. 이사비이기 때문입니다.", "해당합니다. 이사비이기 때문입니다.", "contradiction"),
        ("2023년 9월 22일 회신입니다.", "2023년 9월 25일 회신입니다.", "number"),
    ],
)
def test_against_a_ruling(right, wrong, kind):
    assert faults(right, RULING) == []
    assert faults(wrong, RULING) == [kind]


@pytest.mark.parametrize(
    ("right", "wrong", "kind"),
    [
        ("세율은 15%입니다.", "세율은 25%입니다.", "number"),
        ("세율은 100분의 15입니다.", "세율은 100분의 16입니다.", "number"),
        ("2,000만원 이하면 적용합니다.", "2,000만원 이상이면 적용합니다.", "contradiction"),
        ("2,000만원을 기준으로 합니다.", "3,000만원을 기준으로 합니다.", "number"),
        ("대출 이자는 3개월 이내에 신고합니다.", "대출 이자는 6개월 이내에 신고합니다.", "number"),
    ],
)
def test_against_a_rule(right, wrong, kind):
    assert faults(right, LOAN) == []
    assert faults(wrong, LOAN) == [kind]


def test_the_other_side_of_a_line_is_no_contradiction():
    assert faults("2,000만원 초과이면 다른 세율을 씁니다.", LOAN) == []


def test_an_example_that_is_rightly_worked_is_no_invention():
    assert faults("8,000만원을 받았다면 8,000만원 - 5,000만원 = 3,000만원이 과세표준입니다.", GIFT) == []
    assert faults("8,000만원을 받았다면 8,000만원 - 5,000만원 = 4,000만원이 과세표준입니다.", GIFT) != []


def test_a_further_provision_is_not_a_slip():
    assert faults("상속세 및 증여세법 제53조와 상속세 및 증여세법 제69조를 함께 봅니다.", GIFT) == []


def test_a_heading_of_another_article_is_seen_without_evidence():
    assert faults("상속세 및 증여세법 제53조(증여재산 공제)에 따릅니다.", None) == []
    assert faults("상속세 및 증여세법 제53조(10년 합산 주의)에 따릅니다.", None) == []
    assert faults("상속세 및 증여세법 제53조(증여세 세율)에 따릅니다.", None) == ["citation"]
    assert faults("상속세 및 증여세법 제56조【증여재산 공제】에 따릅니다.", None) == ["citation"]


def test_a_paragraph_that_is_not_there_is_seen():
    assert faults("상속세 및 증여세법 제69조제2항에 따릅니다.", None) == []
    assert faults("상속세 및 증여세법 제69조제9항에 따릅니다.", None) == ["citation"]


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("소득세법 제17조에 따라 배당가산율은 10%입니다.", "소득세법 제17조에 따라 배당가산율은 11%입니다."),
        (
            "소득세법 제59조의2에 따라 9세 이상 자녀가 대상입니다.",
            "소득세법 제59조의2에 따라 13세 이상 자녀가 대상입니다.",
        ),
        ("국세징수법 제107조에 따릅니다.", "국세징수법 시행령 제74조의2에 따릅니다."),
    ],
)
def test_law_that_waits_for_its_day_is_not_told_as_law(right, wrong):
    assert faults(right, None) == []
    assert len(faults(wrong, None)) == 1


def test_a_new_article_whose_day_is_open_is_not_called_wrong(monkeypatch):
    answer = "국세징수법 시행령 제74조의2에 따릅니다."
    (settled,) = [f for f in in_force_check.pending("국세징수법 시행령", "제74조의2", DAY) if f.new]
    assert len(faults(answer, None)) == 1
    opened = replace(settled, latest=None)
    monkeypatch.setattr(in_force_check, "pending", lambda *_: (opened,))
    assert faults(answer, None) == []
    said = [f for f in verify("?", answer, DAY).findings if UNSETTLED in f.message]
    assert [f.severity for f in said] == ["unchecked"]


def test_what_is_to_come_may_be_told_with_its_year():
    assert faults("소득세법 제17조의 배당가산율은 2027년부터 11%입니다.", None) == []


def test_one_amount_written_twice_must_agree():
    assert faults("증여재산은 5억원 (500,000,000원)입니다.", None) == []
    assert faults("증여재산은 5억원 (50,000,000원)입니다.", None) == ["calculation"]


def test_a_step_of_the_wrong_size_is_seen_though_the_end_is_right():
    question = "부모님께 20억원을 증여받았는데 증여세는 얼마인가요?"
    right = "증여재산가액: 20억원\n과세표준: 20억원 - 5,000만원 = 19억 5,000만원\n납부할 세액: 6억 140만원"
    assert faults(right, None, question) == []
    assert faults(right.replace("증여재산가액: 20억원", "증여재산가액: 30억원"), None, question) == ["number"]


ALLOWED = (
    "쟁점: 추가공제가 가능한지 여부\n회신일: 2023-09-22\n회신 요지: 3년 이내에 고용을 유지한 1세대 1주택자는 추가공제가 가능함\n"
    "관련 법령: 국세징수법 제107조"
)
REFUSED = ALLOWED.replace("추가공제가 가능함", "추가공제를 적용하지 않음")
TAXED = ALLOWED.replace("추가공제가 가능함", "부가가치세가 과세되는 것임")


@pytest.mark.parametrize(
    ("ruling", "right", "wrong"),
    [
        (ALLOWED, "추가공제가 가능합니다.", "추가공제가 가능하지 않습니다."),
        (ALLOWED, "공제할 수 있습니다. 국세청의 해석입니다.", "공제할 수 없습니다. 국세청의 해석입니다."),
        (REFUSED, "적용할 수 없습니다. 적용되지 않는다고 합니다.", "적용할 수 있습니다. 적용되지 않는다고 합니다."),
        (TAXED, "과세됩니다.", "비과세됩니다."),
        (TAXED, "네, 부가가치세가 과세됩니다.", "과세되지 않습니다."),
    ],
)
def test_a_ruling_turned_round_is_seen(ruling, right, wrong):
    assert faults(right, ruling) == []
    assert faults(wrong, ruling) == ["contradiction"]


def test_a_ruling_both_ways_or_a_statute_settles_nothing():
    untaxed = ALLOWED.replace("추가공제가 가능함", "증여세를 과세할 수 없음")
    assert faults("네, 그 집은 세금 걱정 없이 자유롭게 팔 수 있습니다.", untaxed) == []
    both = ALLOWED.replace("가능함", "가능함. 다만 기한이 지나면 불가능함")
    assert faults("추가공제가 가능하지 않습니다.", both) == []
    assert faults("해당하지 않습니다.", GIFT + " 자녀에 해당한다.") == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("3년 이내에 유지했다면 가능합니다.", "5년 이내에 유지했다면 가능합니다."),
        ("1세대 1주택자는 가능합니다.", "3세대 1주택자는 가능합니다."),
    ],
)
def test_beside_a_ruling_its_own_periods_and_households_count(right, wrong):
    assert faults(right, ALLOWED) == []
    assert faults(wrong, ALLOWED) == ["number"]


def test_a_day_that_no_calendar_has_is_seen_without_evidence():
    assert faults("2026년 5월 31일까지 신고합니다. 2월 29일도 있습니다.", None) == []
    assert faults("2026년 5월 36일까지 신고합니다.", None) == ["number"]


def test_periods_in_a_working_are_those_of_the_calculation():
    question = "부모님께 20억원을 증여받았는데 증여세는 얼마인가요?"
    right = "10년 안에 받은 것까지 더한 금액: 20억원 + 0원 = 20억원\n납부할 세액: 6억 140만원"
    assert faults(right, None, question) == []
    assert faults(right.replace("10년", "15년"), None, question) == ["number"]


def test_an_article_the_evidence_never_names_is_not_confirmed_as_the_ground():
    evidence = "상속세 및 증여세법 제53조(증여재산 공제) 직계존속에게서 받으면 5천만원을 공제한다."
    verdict = verify("증여재산 공제는?", "소득세법 제55조에 따라 공제합니다.", date(2026, 6, 1), evidence)
    (finding,) = [finding for finding in verdict.findings if finding.kind == "citation"]
    assert (finding.severity, verdict.ok) == ("unchecked", True) and "근거 자료에 나오지 않아" in finding.message
    named = verify("증여재산 공제는?", "상증법 제53조에 따라 공제합니다.", date(2026, 6, 1), evidence)
    assert named.count("citation", "confirmed") == 1
