import datetime
import json
from dataclasses import replace

import pytest

from data_gen.gates import GATE_NAMES, judge, make_gates
from data_gen.pairs import document_candidates
from data_gen.rows import Candidate, Rejection, Row
from data_gen.settings import LengthSettings, WorkedSettings
from data_gen.worked import worked_candidates

LENGTH = LengthSettings()
# Long, and no two lines the same: a text that repeats itself is another fault.
LONG = "".join(f"{number}번째로 덧붙이는 설명은 저마다 조금씩 다릅니다.\n" for number in range(300))


@pytest.fixture
def candidate(document, reply, scripted):
    """The expert candidate of a good reply, with some of its row changed."""

    def make(**changes) -> Candidate:
        first = next(iter(document_candidates([document()], ["pairs"], scripted(lambda *_: reply()))))
        return replace(first, row=replace(first.row, **changes))

    return make


@pytest.fixture
def worked():
    def make(**changes) -> Candidate:
        settings = WorkedSettings(count=1, shares={"gift": 1})
        first = next(iter(worked_candidates(settings, datetime.date(2026, 6, 1), seed=5)))
        return replace(first, row=replace(first.row, **changes))

    return make


def refused(candidate) -> tuple[str, str]:
    outcome = judge(candidate, make_gates(LENGTH))
    assert isinstance(outcome, Rejection), outcome
    return outcome.gate, outcome.reason


def test_a_good_pair_passes_the_gates_that_concern_it(candidate):
    row = judge(candidate(), make_gates(LENGTH))
    assert isinstance(row, Row)
    assert row.gates == ("schema", "korean", "citations", "verify", "length", "duplicate")


def test_a_worked_row_passes_the_amounts_gate_instead_of_the_document_gate(worked):
    row = judge(worked(), make_gates(LENGTH))
    assert isinstance(row, Row)
    assert row.gates == ("schema", "korean", "citations", "amounts", "length", "duplicate")


def test_every_gate_has_its_name():
    assert tuple(name for name, _ in make_gates(LENGTH)) == GATE_NAMES


@pytest.mark.parametrize(
    ("changes", "gate", "reason"),
    [
        ({"answer": ""}, "schema", "answer"),
        ({"articles": ()}, "schema", "articles"),
        (
            {"answer": "According to the Inheritance and Gift Tax Act the deduction is large."},
            "korean",
            "한국어가 아닙니다",
        ),
        ({"question": "증여재산공제는 얼마\ufffd인가요?"}, "korean", "깨진"),
        ({"question": "\u110c\u1173\u11bc여재산공제는 얼마까지 되나요?"}, "korean", "NFC"),
        ({"articles": ("상속세 및 증여세법 제953조",)}, "citations", "제953조"),
        ({"articles": ("공제 규정",)}, "citations", "공제 규정"),
        (
            {"answer": "소득세법 제999조에 따라 성년인 자녀는 5,000만원까지 공제됩니다."},
            "citations",
            "소득세법 제999조",
        ),
        ({"question": "소득세법 제999조의 공제는 얼마까지 되나요?"}, "citations", "소득세법 제999조"),
        ({"question": "공제 얼마?"}, "length", "question: 6자"),
        ({"answer": "상속세 및 증여세법 제53조에 따라 5,000만원까지 공제됩니다. " + LONG}, "length", "answer"),
    ],
)
def test_each_fault_is_refused_by_its_own_gate(candidate, changes, gate, reason):
    name, why = refused(candidate(**changes))
    assert (name, reason in why) == (gate, True), why


def test_a_bare_article_is_let_through_only_when_the_row_says_whose_it_is(candidate):
    known = candidate(question="제53조의 공제는 성년 자녀에게 얼마까지 되나요?")
    assert isinstance(judge(known, make_gates(LENGTH)), Row)
    assert refused(candidate(question="제54조의 공제는 얼마까지 되나요?"))[0] == "citations"


def test_an_amount_the_teacher_was_not_shown_is_refused(candidate):
    invented = candidate(answer="상속세 및 증여세법 제53조에 따라 성년인 자녀는 10년 동안 7억원까지 공제됩니다.")
    gate, reason = refused(invented)
    assert gate == "verify" and "어디에도 없는 금액" in reason and "7억원" in reason


def test_an_example_worked_out_in_the_open_is_let_through_and_a_wrong_sum_is_not(candidate):
    answer = (
        "상속세 및 증여세법 제53조에 따라 10년 동안 5,000만원까지 공제됩니다. 예를 들어 7억원이라면 "
        "7억원 - 5,000만원 = 6억 5,000만원에 세율을 곱하고, 8억원이라면 8억원 - 5,000만원 = 7억 5,000만원에 곱합니다."
    )
    assert isinstance(judge(candidate(answer=answer), make_gates(LENGTH)), Row)
    gate, reason = refused(candidate(answer=answer.replace("6억 5,000만원", "6억 4,000만원")))
    assert gate == "verify" and "6억 5,000만원" in reason


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("payable", "payable"),
        ("answer", "답변의 세액 1,230,000원"),
        ("call", "77억원"),
        ("filed", "call과 다릅니다"),
        ("question", "풀 수 없습니다"),
    ],
)
def test_a_worked_row_whose_figures_disagree_is_refused(worked, change, reason):
    good = worked().row
    call = json.loads(good.call)
    wrong = {
        "payable": {"payable": good.payable + 1},
        "answer": {"answer": good.answer.rsplit("\n", 1)[0] + "\n납부할 세액: 123만원 (1,230,000원)"},
        "call": {"call": json.dumps(call | {"amount": "77억원"}, ensure_ascii=False)},
        "filed": {"call": json.dumps(call | {"filed": not call.get("filed", True)}, ensure_ascii=False)},
        "question": {"question": f"{call['amount']}에 대한 세금은 얼마인가요?"},
    }[change]
    gate, why = refused(worked(**wrong))
    assert (gate, reason in why) == ("amounts", True), why


def test_a_call_that_is_none_is_refused_not_raised(worked):
    assert refused(worked(call="계산해 주세요"))[0] == "amounts"


def test_duplicates_are_exact_and_digits_count(candidate):
    gates = make_gates(LENGTH)
    questions = [
        "상속세 및 증여세법 제53조의 공제는 5,000만원까지 되나요?",
        "상속세 및 증여세법 제53조의  공제는 5,000만원까지\n되나요?",
        "상속세 및 증여세법 제53조의 공제는 2,000만원까지 되나요?",
        "상속세 및 증여세법 제54조의 공제는 5,000만원까지 되나요?",
    ]
    outcomes = []
    for question in questions:
        made = candidate(question=question)
        outcomes.append(judge(made, [gates[0], gates[-1]]))
    assert [isinstance(outcome, Row) for outcome in outcomes] == [True, False, True, True]
    assert outcomes[1].gate == "duplicate"


def test_a_refused_row_does_not_block_its_question(candidate):
    gates = make_gates(LENGTH)
    assert isinstance(judge(candidate(articles=("소득세법 제999조",)), gates), Rejection)
    assert isinstance(judge(candidate(), gates), Row)
