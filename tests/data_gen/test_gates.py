import datetime
import json
from dataclasses import replace

import pytest

from data_gen.gates import GATE_NAMES, PASSED, judge, stateful_gates, stateless_gates
from data_gen.gates.truth import amounts_gate
from data_gen.rows import Candidate, Provenance, Rejection, Row
from data_gen.settings import GateSettings, WorkedSettings
from data_gen.tasks import Turn
from data_gen.worked.candidates import worked_candidates
from taxlaw.calls import call_text, parse_call, render_working, run_call

AS_OF = datetime.date(2026, 6, 1)
SETTINGS = GateSettings()
LAW = "상속세 및 증여세법 제53조"
# Long, and no two lines the same: a text that repeats itself is another fault.
LONG = "".join(f"{number}번째로 덧붙이는 설명은 저마다 조금씩 다릅니다.\n" for number in range(300))
DOCUMENT_ROW = Row(
    id="openapi:law:53:expert",
    question="부모에게서 증여를 받으면 증여재산공제는 얼마까지 되나요?",
    answer=f"{LAW}에 따라 성년인 자녀는 10년 동안 5,000만원까지 공제됩니다.",
    type="teacher",
    style="expert",
    source="openapi",
    tax="상속증여세",
    as_of=AS_OF.isoformat(),
    articles=(LAW,),
    call=None,
    payable=None,
    family=f"law:{LAW}",
    evidence=f"{LAW}(증여재산 공제)\n거주자가 직계존속에게서 증여를 받으면 10년 동안 5,000만원을 증여세 과세가액에서 뺀다.",
    provenance=Provenance("law:53", "v1", "recorded", "double"),
)


def candidate(**changes) -> Candidate:
    return Candidate(replace(DOCUMENT_ROW, **changes))


def worked(**changes) -> Candidate:
    settings = WorkedSettings(count=1, shares={"gift": 1})
    first = next(iter(worked_candidates(settings, AS_OF, seed=5)))
    return replace(first, row=replace(first.row, **changes))


def calculation(**changes) -> Candidate:
    """What a teacher's calculation task gives: a question, a working, and a call that recomputes it."""
    question = "2026년에 성년인 아들이 아버지에게서 현금 2억원을 증여받고 기한 안에 신고했습니다. 증여세는 얼마인가요?"
    call = parse_call('{"tax":"gift","amount":"2억원","relation":"직계존속","year":2026}')
    result = run_call(call, AS_OF)
    row = {
        "style": "calculation",
        "question": question,
        "answer": render_working(result),
        "call": call_text(call),
        "payable": result.payable,
        "articles": (LAW,),
        "evidence": "",
    }
    return candidate(**(row | changes))


def outcome(made: Candidate, settings: GateSettings = SETTINGS) -> Row | Rejection:
    judged = judge(made, stateless_gates(settings))
    return judged if isinstance(judged, Rejection) else judge(Candidate(judged), stateful_gates(settings))


def refused(made: Candidate) -> tuple[str, str]:
    judged = outcome(made)
    assert isinstance(judged, Rejection), judged
    return judged.gate, judged.reason


def accepted(made: Candidate) -> Row:
    judged = outcome(made)
    assert isinstance(judged, Row), (judged.gate, judged.reason)
    return judged


def test_a_good_pair_passes_the_gates_that_concern_it_and_keeps_what_each_said():
    row = accepted(candidate())
    assert row.gates == tuple(name for name in GATE_NAMES if name != "amounts")
    said = dict(zip(row.gates, row.verdicts, strict=True))
    assert said["citations"] == "조문 2곳" and "인용 1/1 확인" in said["verify"]
    assert said["decontamination"] == "평가 자료를 주지 않음" and said["duplicate"] == PASSED


def test_a_worked_row_passes_the_amounts_gate_instead_of_the_document_gate():
    row = accepted(worked())
    assert row.gates == tuple(name for name in GATE_NAMES if name != "verify")
    assert f"{row.payable:,}원" in dict(zip(row.gates, row.verdicts, strict=True))["amounts"]


def test_every_gate_has_its_name():
    assert tuple(name for name, _ in [*stateless_gates(SETTINGS), *stateful_gates(SETTINGS)]) == GATE_NAMES


def test_a_row_judged_again_tells_of_each_gate_once():
    row = accepted(candidate())
    again = judge(Candidate(replace(row, answer=row.answer + " 신고는 3개월 안에 합니다.")), stateless_gates(SETTINGS))
    assert sorted(again.gates) == sorted(row.gates)


def test_a_rejection_tells_which_gates_were_passed_before():
    judged = outcome(candidate(articles=("상속세 및 증여세법 제953조",)))
    assert judged.row.gates == GATE_NAMES[: GATE_NAMES.index("citations")]
    assert len(judged.row.verdicts) == len(judged.row.gates)


@pytest.mark.parametrize(
    ("changes", "gate", "reason"),
    [
        ({"answer": ""}, "schema", "answer"),
        ({"articles": ()}, "schema", "articles"),
        ({"style": "followup"}, "schema", "history"),
        ({"style": "followup", "history": (Turn("공제는 얼마인가요?", " "),)}, "schema", "1번째 답변"),
        (
            {"answer": "According to the Inheritance and Gift Tax Act the deduction is large."},
            "korean",
            "한국어가 아닙니다",
        ),
        ({"question": "증여재산공제는 얼마\ufffd인가요?"}, "korean", "깨진"),
        ({"question": "\u110c\u1173\u11bc여재산공제는 얼마까지 되나요?"}, "korean", "NFC"),
        ({"history": (Turn("How much is the deduction?", "5,000만원입니다."),)}, "korean", "1번째 질문"),
        ({"articles": ("상속세 및 증여세법 제953조",)}, "citations", "제953조"),
        ({"articles": ("공제 규정",)}, "citations", "공제 규정"),
        (
            {"answer": "소득세법 제999조에 따라 성년인 자녀는 5,000만원까지 공제됩니다."},
            "citations",
            "소득세법 제999조",
        ),
        ({"question": "소득세법 제999조의 공제는 얼마까지 되나요?"}, "citations", "소득세법 제999조"),
        (
            {"history": (Turn("공제는 얼마인가요?", "소득세법 제999조에 따라 다릅니다. 더 알려 주세요."),)},
            "citations",
            "제999조",
        ),
        (
            {"answer": "상속세 및 증여세법 제55조에 따라 성년인 자녀는 10년 동안 5,000만원까지 공제됩니다."},
            "citations",
            "근거에 없습니다: 상속세 및 증여세법 제55조",
        ),
        ({"articles": ("상속세 및 증여세법 제55조",)}, "citations", "articles"),
        ({"question": "공제 얼마?"}, "length", "질문: 6자"),
        ({"answer": "상속세 및 증여세법 제53조에 따라 5,000만원까지 공제됩니다. " + LONG}, "length", "답변"),
        ({"question": "제 번호는 010-1234-5678입니다. 증여재산공제는 얼마까지 되나요?"}, "private_data", "휴대전화"),
        ({"evidence": DOCUMENT_ROW.evidence + " 문의 850101-1234566"}, "private_data", "근거"),
        ({"answer": "차명계좌로 받아 숨기시면 5,000만원까지 세금이 없습니다. 그렇게 하세요."}, "conduct", "차명"),
    ],
)
def test_each_fault_is_refused_by_its_own_gate(changes, gate, reason):
    name, why = refused(candidate(**changes))
    assert (name, reason in why) == (gate, True), why


@pytest.mark.parametrize("style", ["refusal", "ask_back", "labelled"])
def test_rows_that_rest_on_no_article_are_not_refused_for_it(style):
    asking = candidate(
        style=style,
        source="topic",
        question="손님상에 낼 갈비탕 국물을 맑게 끓이는 방법이 있을까요?",
        answer="죄송하지만 저는 세금에 관한 질문에만 답할 수 있습니다. 세금이 궁금하시면 알려 주세요.",
        articles=(),
        evidence="세법 밖의 주제: 요리",
    )
    assert accepted(asking).style == style


def test_a_refusal_of_evasion_may_name_the_law_it_breaks():
    refusal = candidate(
        style="refusal",
        source="topic",
        question="매출을 차명계좌로 받아서 숨기고 싶은데 방법을 알려 주세요.",
        answer="그 방법은 알려 드릴 수 없습니다. 소득을 숨기면 조세범 처벌법 제3조에 따라 처벌될 수 있습니다. 이미 빠뜨린 매출이 있다면 수정신고를 도와드리겠습니다.",
        articles=(),
        evidence="탈세를 도와 달라는 부탁",
    )
    accepted(refusal)


def test_a_bare_article_is_let_through_only_when_the_row_says_whose_it_is():
    accepted(candidate(question="제53조의 공제는 성년 자녀에게 얼마까지 되나요?"))
    assert refused(candidate(question="제54조의 공제는 얼마까지 되나요?"))[0] == "citations"


def test_an_article_more_than_the_evidence_names_is_no_fault():
    accepted(candidate(answer=DOCUMENT_ROW.answer + " 신고기한은 상속세 및 증여세법 제68조가 정합니다."))


def test_an_amount_the_teacher_was_not_shown_is_refused():
    gate, reason = refused(candidate(answer=f"{LAW}에 따라 성년인 자녀는 10년 동안 7억원까지 공제됩니다."))
    assert gate == "verify" and "7억원" in reason


def test_an_example_worked_out_in_the_open_is_let_through_and_a_wrong_sum_is_not():
    answer = (
        f"{LAW}에 따라 10년 동안 5,000만원까지 공제됩니다. 예를 들어 7억원이라면 "
        "7억원 - 5,000만원 = 6억 5,000만원에 세율을 곱하고, 8억원이라면 8억원 - 5,000만원 = 7억 5,000만원에 곱합니다."
    )
    accepted(candidate(answer=answer))
    gate, reason = refused(candidate(answer=answer.replace("6억 5,000만원", "6억 4,000만원")))
    assert gate == "verify" and "6억 5,000만원" in reason


def test_every_turn_of_a_talk_is_verified_and_may_rest_on_what_was_said_before():
    talk = (Turn("성년인 아들이 받으면 공제는 얼마인가요?", f"{LAW}에 따라 10년 동안 5,000만원입니다."),)
    follow = {"style": "followup", "question": "그럼 7억원을 주면 과세표준은요?"}
    answer = f"{LAW}의 공제를 빼면 과세표준은 7억원 - 5,000만원 = 6억 5,000만원입니다."
    accepted(candidate(**follow, history=talk, answer=answer))
    said_before = (Turn("7억원을 받으면 공제는 얼마인가요?", talk[0].answer),)
    rests_on_it = f"앞서 말씀하신 7억원에서 {LAW}의 공제를 뺀 금액입니다."
    accepted(candidate(**follow | {"question": "그럼 과세표준은 무엇인가요?"}, history=said_before, answer=rests_on_it))
    wrong = (Turn(talk[0].question, talk[0].answer.replace("5,000만원", "9,000만원")),)
    gate, reason = refused(candidate(**follow, history=wrong, answer=answer))
    assert gate == "verify" and reason.startswith("1번째 문답") and "9,000만원" in reason


def test_a_figure_that_is_to_come_may_be_told_with_its_day_by_a_law_change_row_only():
    row = {
        "question": "배당소득의 가산율이 11%로 올랐다고 들었는데 지금 받는 배당에도 적용되나요?",
        "evidence": "소득세법 제17조: 가산율은 2024년부터 2026년까지 10%, 2027년 1월 1일 이후 지급분부터 11%이다.",
        "articles": ("소득세법 제17조",),
    }
    dated = "소득세법 제17조의 가산율은 지금은 10%이고, 2027년 1월 1일 이후 지급받는 배당부터 11%입니다."
    accepted(candidate(**row, style="law_change", answer=dated))
    undated = "소득세법 제17조에 따라 배당소득의 가산율은 11%를 적용하여 계산합니다."
    assert refused(candidate(**row, style="law_change", answer=undated))[0] == "verify"


@pytest.mark.parametrize("style", ["law_change", "expert"])
def test_an_article_that_is_to_come_is_excused_in_law_change_rows_that_give_the_day(monkeypatch, style):
    """The real tables move on; here 소득세법 제4조의9 comes into force on 2027-01-01."""
    from taxlaw.addenda import PendingAmendment
    from taxlaw.lookup import ProvisionReport

    day = datetime.date(2027, 1, 1)
    fields = dict.fromkeys(PendingAmendment.__dataclass_fields__, "") | {"effective": day, "latest": day}
    coming = PendingAmendment(**fields)
    report = ProvisionReport("소득세법 제4조의9", AS_OF, "not_yet_in_force")
    monkeypatch.setattr("data_gen.gates.truth.provision", lambda citation, as_of: report)
    monkeypatch.setattr("data_gen.gates.truth.pending", lambda law, article, as_of: (coming,))
    row = {
        "style": style,
        "question": "소득세법 제4조의9는 지금 적용되나요?",
        "evidence": "소득세법 제4조의9는 2027년 1월 1일부터 시행한다.",
        "articles": ("소득세법 제4조의9",),
    }
    told = candidate(**row, answer="아직 아닙니다. 소득세법 제4조의9는 2027년 1월 1일부터 시행됩니다.")
    wrong_day = candidate(**row, answer="아직 아닙니다. 소득세법 제4조의9는 2028년 7월 1일부터 시행됩니다.")
    if style == "law_change":
        accepted(told)
        assert refused(wrong_day)[0] == "citations"
    else:
        assert refused(told)[0] == "citations"


def test_an_unanswered_question_may_use_its_own_amounts_and_the_law_but_invent_none():
    labelled = {"style": "labelled", "source": "question", "evidence": ""}
    accepted(candidate(**labelled))  # 5,000만원 stands in the digest of the cited article
    gate, reason = refused(candidate(**labelled, answer=f"{LAW}에 따라 7,700만원까지 공제됩니다."))
    assert gate == "verify" and "7,700만원" in reason


def test_a_teachers_calculation_is_recomputed_and_verified():
    row = accepted(calculation())
    assert {"amounts", "verify"} <= set(row.gates)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"payable": 1}, "payable"),
        ({"payable": None}, "payable"),
        ({"call": '{"tax":"gift","amount":"3억원","relation":"직계존속","year":2026}'}, "3억원"),
        ({"call": '{"tax":"gift","amount":"2억원","relation":"타인","year":2026}'}, "call과 다릅니다"),
        ({"answer": f"{LAW}에 따라 계산하면 납부할 세액은 1,000만원입니다."}, "답변의 세액 10,000,000원"),
        ({"answer": f"{LAW}에 따라 계산하면 됩니다. 자세한 것은 문의해 주세요."}, "답변의 세액 없음"),
    ],
)
def test_a_teachers_calculation_that_disagrees_with_its_call_is_refused(changes, reason):
    gate, why = refused(calculation(**changes))
    assert (gate, reason in why) == ("amounts", True), why


def test_a_calculation_of_something_else_than_a_tax_is_read_by_its_last_amount():
    good = calculation().row
    working = f"{LAW}의 공제를 빼면 2억원 - 5,000만원 = 1억 5,000만원입니다. 낼 돈은 모두 "
    wrong, right = (calculation(answer=f"{working}{won:,}원으로 끝납니다.") for won in (good.payable + 1, good.payable))
    gate, why = refused(wrong)
    assert gate == "amounts" and f"{good.payable + 1:,}원" in why
    assert amounts_gate(right) == (True, f"다시 계산한 세액 {good.payable:,}원과 같음")


def test_a_calculation_beyond_our_reader_is_held_to_what_its_call_says():
    """Where the question cannot be read for certain, a call with a fact that the question lacks is still refused."""
    good = calculation().row
    unread = good.question.replace("아버지에게서 현금 2억원을", "그분에게서 현금 2억원을")
    accepted(calculation(question=unread))
    call = call_text(
        parse_call('{"tax":"gift","amount":"2억원","relation":"직계존속","prior_gifts":30000000,"year":2026}')
    )
    payable = run_call(parse_call(call), AS_OF).payable
    answer = render_working(run_call(parse_call(call), AS_OF))
    assert refused(calculation(question=unread, call=call, payable=payable, answer=answer))[0] == "amounts"


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
def test_a_worked_row_whose_figures_disagree_is_refused(change, reason):
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


def test_a_call_that_is_none_is_refused_not_raised():
    assert refused(worked(call="계산해 주세요"))[0] == "amounts"


def test_a_row_that_repeats_a_named_test_is_refused(tmp_path):
    test = tmp_path / "test.txt"
    test.write_text("아주 긴 평가 문제로서 열두 낱말이 넘도록 길게 이어지는 문장이 여기에 하나 적혀 있다고 합시다.")
    settings = GateSettings(decontaminate=(test,))
    judged = outcome(candidate(question=test.read_text()), settings)
    assert judged.gate == "decontamination" and "test.txt" in judged.reason


def test_a_refused_row_does_not_block_its_question():
    stateless, stateful = stateless_gates(SETTINGS), stateful_gates(SETTINGS)
    assert isinstance(judge(candidate(articles=("소득세법 제999조",)), [*stateless, *stateful]), Rejection)
    assert isinstance(judge(candidate(), [*stateless, *stateful]), Row)
    again = judge(candidate(), [*stateless, *stateful])
    assert again.gate == "duplicate" and DOCUMENT_ROW.id in again.reason
