"""What one answer is worth, on answers whose worth is known."""

from datetime import date

import pytest

from finetune.data import Row
from finetune.evaluate import Generation
from finetune.evaluation.behaviour import asks_back, names_fact, refuses
from finetune.evaluation.completion import complete
from finetune.evaluation.measures import Likelihood, cited_of, measure, real_citations
from finetune.evaluation.rows import choose_rows
from finetune.evaluation.summary import summarise
from taxlaw.asking_back import asked_fact
from taxlaw.calls import parse_call, render_working, run_call
from taxlaw.evidence_prompt import LOOK_UP, asks_for_evidence
from taxlaw.findings import Finding, Verdict

AS_OF = date(2025, 7, 1)
REFUSAL = "죄송하지만 여행지 추천은 도와드릴 수 없습니다. 외국에서 번 소득의 신고는 도와드리겠습니다."
ASKING = "준 사람과의 관계에 따라 세금이 달라집니다. 누구에게 받으셨는지 알려 주세요."


def worked(tiny, amount="20억원", **changes):
    result = run_call(parse_call(tiny.call(amount)), AS_OF)
    known = {"answer": render_working(result), "payable": result.payable, "articles": list(result.articles)}
    return Row.model_validate(tiny.row(0, amount, **{**known, **changes}))


def words(tiny, style="expert", **changes):
    known = {"style": style, "call": None, "payable": None, "question": "공제 한도는 얼마인가요?"}
    return Row.model_validate(tiny.row(0, "1억원", **{**known, **changes}))


def parts_of(row, text, **changes):
    return measure(row, Generation(text, True, 7), "program", **changes).parts


def test_a_right_call_is_exact_and_code_writes_its_working(tiny):
    row = worked(tiny)
    assert row.payable == 601_400_000
    found = measure(row, Generation(row.call, True, 30), "program", Likelihood(3.0, 6, 60))
    assert found.parts["exact"] == found.parts["verdict_ok"] == found.parts["calls_run"] == (1, 1)
    assert found.shown == row.answer and found.problem is None
    assert found.parts["rouge_l"] == (1, 1) and found.parts["rouge_l_written"] == (1, 1)
    assert found.parts["characters"][0] > found.parts["characters_written"][0] == len(row.call)
    assert found.parts["right_article"][0] == found.parts["right_article"][1] > 1
    assert "right_article_own" in found.parts and found.parts["right_article_own"][0] == 0  # code cited, not the model
    assert "citations_real_own" not in found.parts
    assert found.parts["nll_token"] == (3.0, 6) and found.parts["nll_character"] == (3.0, 60)


def test_a_working_of_its_own_under_a_call_counts_for_what_it_states(tiny):
    row = worked(tiny)
    right = f"{row.call}\n{row.answer}"
    found = measure(row, Generation(right, True, 90), "facts_first")
    assert found.parts["exact"] == found.parts["call_read"] == found.parts["verdict_ok"] == (1, 1)
    assert found.shown == row.answer, "its own words, not the calculator's"
    slip = right.replace("6억 140만원 (601,400,000원)", "6억 240만원 (602,400,000원)")
    assert slip != right
    found = measure(row, Generation(slip, True, 90), "facts_first")
    assert found.payable == 602_400_000 and found.parts["call_read"] == (1, 1)
    assert found.parts["exact"] == found.parts["verdict_ok"] == (0, 1) and "602,400,000" in found.shown
    misread = right.replace(row.call, row.call.replace("직계존속", "배우자"))
    found = measure(row, Generation(misread, True, 90), "facts_first")
    assert found.parts["call_read"] == (0, 1)


def test_another_amount_is_neither_exact_nor_faultless(tiny):
    row = worked(tiny)
    found = measure(row, Generation(tiny.call("2억원"), False, 30), "program")
    assert found.parts["exact"] == (0, 1) and found.parts["ended_by_stop"] == (0, 1)
    assert found.parts["verdict_ok"] == (0, 1) and found.faults


def test_a_call_the_question_does_not_support_is_not_completed(tiny):
    row = words(tiny, question="세무서는 어디에 있나요?")
    found = measure(row, Generation(tiny.call("20억원"), True, 9), "program")
    assert found.parts["calls_run"] == (0, 1) and found.problem
    assert found.parts["wrongly_called"] == (1, 1)
    assert found.shown == found.written


def test_a_broken_call_is_a_call_that_did_not_run(tiny):
    done = complete('{"tax":"gift","amount":"20억원"', tiny.question("20억원"), AS_OF)
    assert done.called and done.problem and done.shown.startswith("{")


def test_citations_are_counted_one_by_one(tiny):
    """제53조 is there, 제999조 is not."""
    row = words(tiny, articles=["상속세 및 증여세법 제53조제1호", "상속세 및 증여세법 제56조"])
    parts = parts_of(row, "상속세 및 증여세법 제53조와 상속세 및 증여세법 제999조에 따라 공제합니다.")
    assert parts["citations_real"] == parts["citations_real_own"] == (1, 2)
    assert parts["right_article"] == (1, 2)
    assert "citations_real" not in parts_of(row, "공제 한도는 가족 관계에 따라 정해져 있습니다.")


def test_an_article_with_any_fault_is_not_real():
    """Found in the index, but not in force yet on the date: both findings stand at the same place."""
    findings = (
        Finding("citation", "confirmed", (0, 5), "있는 조문"),
        Finding("citation", "fault", (0, 5), "아직 시행되지 않은 조문", code=5),
        Finding("citation", "confirmed", (9, 14), "있는 조문"),
        Finding("citation", "unchecked", (20, 25), "어느 법인지 모름"),
        Finding("number", "confirmed", (30, 35), "금액"),
    )
    assert real_citations(Verdict(False, findings)) == (1, 2)


def test_repeating_the_question_has_no_fault_and_is_not_verified(tiny):
    row = words(tiny)
    parrot = measure(row, Generation(row.question, True, 9), "program").parts
    assert parrot["verdict_ok"] == (1, 1) and parrot["verified"] == (0, 1)
    answer = "상속세 및 증여세법 제53조에 따라 공제합니다."
    assert measure(row, Generation(answer, True, 9), "program").parts["verified"] == (1, 1)
    assert measure(row, Generation(answer, False, 9), "program").parts["verified"] == (0, 1)


def test_an_article_counts_whatever_paragraph_is_named():
    assert cited_of(["소득세법 제55조제1항", "소득세법 제55조제2항"], "소득세법 제55조에 따릅니다.") == (1, 1)
    assert cited_of(["소득세법 제55조"], "법인세법 제55조에 따릅니다.") == (0, 1)


@pytest.mark.parametrize(
    ("style", "text", "measure_name", "value"),
    [
        ("refusal", REFUSAL, "refused", 1),
        ("refusal", "온천은 벳푸가 좋습니다.", "refused", 0),
        ("expert", REFUSAL, "wrongly_refused", 1),
        ("expert", "공제 한도는 5,000만원입니다.", "wrongly_refused", 0),
        ("ask_back", ASKING, "asked_back", 1),
        ("ask_back", "공제 한도는 5,000만원입니다.", "asked_back", 0),
        ("plain", ASKING, "wrongly_asked", 1),
    ],
)
def test_refusing_and_asking_back_are_right_on_some_rows_and_wrong_on_others(tiny, style, text, measure_name, value):
    parts = parts_of(words(tiny, style), text)
    assert parts[measure_name] == (value, 1)
    assert ("refused" in parts) is (style == "refusal") and ("asked_back" in parts) is (style == "ask_back")


@pytest.mark.parametrize(
    ("text", "refusing", "asking"),
    [
        (REFUSAL, True, False),
        (ASKING, False, True),
        ("몇 가지 사실에 따라 답이 갈려서 지금은 답할 수 없습니다. 보유 기간을 알려 주세요.", False, True),
        ("죄송하지만 그 일은 할 수 없고, 신고하는 순서는 알려 드리겠습니다.", True, False),
        ("배우자에게 받은 6억원까지는 세금이 없습니다. 그래서 낼 세금이 없어요.", False, False),
        ("이 경우에는 공제를 받을 수 없습니다. 소득세법 제50조의 나이 요건을 채우지 못하기 때문입니다.", False, False),
        ('{"tax":"gift","amount":"20억원","relation":"직계존속"}', False, False),
    ],
)
def test_a_refusal_is_not_a_question_and_a_denied_deduction_is_no_refusal(text, refusing, asking):
    assert (refuses(text), asks_back(text)) == (refusing, asking)


def test_a_recorded_answer_is_not_compared_with_itself(tiny):
    row = words(tiny, answer="공제 한도는 5,000만원입니다.")
    same = measure(row, Generation(row.answer, True, 0), "program", generated=False)
    assert "rouge_l" not in same.parts and same.bleu is None
    assert "tokens" not in same.parts and "ended_by_stop" not in same.parts
    other = measure(row, Generation("한도가 다릅니다.", True, 0), "program", generated=False)
    assert "rouge_l" in other.parts


NEEDS_YEARS = "계산하려면 보유기간을 알아야 합니다. 세율이 보유기간에 따라 달라집니다. 알려 주시면 계산해 드리겠습니다."


def test_a_call_of_the_same_facts_is_read_right_however_its_amounts_are_written(tiny):
    row = worked(tiny)
    same = '{"tax":"gift","amount":2000000000,"relation":"직계존속","minor":false}'
    assert parts_of(row, same)["call_read"] == (1, 1)
    assert parts_of(row, '{"tax":"gift","amount":"20억원","relation":"직계비속"}')["call_read"] == (0, 1)
    assert parts_of(row, '{"tax":"income","base":"20억원"}')["call_read"] == (0, 1)
    assert parts_of(row, row.answer)["call_read"] == (0, 1)
    written = measure(row, Generation(row.answer, True, 7), "worked").parts
    assert "call_read" not in written and written["exact"] == (1, 1)


def test_the_right_amount_from_other_facts_is_not_a_right_reading(tiny):
    row = worked(tiny, "1,000만원")
    found = parts_of(row, tiny.call("2,000만원"), alone=True)
    assert row.payable == 0 and found["exact"] == (1, 1) and found["call_read"] == (0, 1)
    served = parts_of(row, tiny.call("2,000만원"))
    assert served["exact"] == (0, 1), "code computes nothing from an amount that the question does not state"


@pytest.mark.parametrize(
    ("text", "asked", "the_fact"),
    [
        ("보유기간을 알아야 세금이 정해집니다. 알려 주세요.", 1, 1),
        ("계산하려면 취득가액을 알아야 합니다. 보유기간에 따라 달라집니다. 알려 주시면 계산해 드리겠습니다.", 1, 0),
        ('{"tax":"gift","amount":"20억원","relation":"직계존속"}\n보유기간을 알아야 합니다. 알려 주세요.', 0, 0),
        ("양도소득세는 3,000만원입니다.", 0, 0),
        (LOOK_UP, 0, 0),
    ],
)
def test_asking_back_is_right_without_a_call_and_for_the_very_fact(tiny, text, asked, the_fact):
    parts = parts_of(words(tiny, "ask_back", answer=NEEDS_YEARS), text)
    assert (parts["asked_back"], parts["asked_fact"]) == ((asked, 1), (the_fact, 1))


def test_the_needed_fact_is_read_out_of_the_answer():
    assert asked_fact(NEEDS_YEARS) == "보유기간"
    both = "1세대 1주택인지와 세대의 주택 수를 알아야 세금이 정해집니다. 알려 주시면 계산해 드리겠습니다."
    assert asked_fact(both) == "1세대 1주택인지와 세대의 주택 수"
    assert names_fact(both, "세대의 주택 수와 1세대 1주택인지를 알아야 합니다.") is True
    assert names_fact(both, "1세대 1주택인지를 알아야 합니다.") is False
    assert names_fact(ASKING, both) is None  # it names no fact that way: not judged, not wrong


def test_asking_for_evidence_is_right_where_none_is_shown_and_wrong_on_a_calculation(tiny):
    assert asks_for_evidence(f" {LOOK_UP}\n") and not asks_for_evidence(f"{LOOK_UP} 상속세 및 증여세법 제53조입니다.")
    assert not refuses(LOOK_UP) and not asks_back(LOOK_UP)
    document = words(tiny, "plain", evidence="상속세 및 증여세법 제53조")
    asked = parts_of(document.asking_evidence(), LOOK_UP)
    assert asked["asked_evidence"] == asked["rouge_l"] == (1, 1)
    assert not {"right_article", "verified", "wrongly_asked_evidence"} & set(asked)  # citing nothing is right here
    assert parts_of(document.asking_evidence(), "공제는 5,000만원입니다.")["asked_evidence"] == (0, 1)
    assert parts_of(document.showing_evidence(), LOOK_UP)["wrongly_asked_evidence"] == (1, 1)
    assert "wrongly_asked_evidence" not in parts_of(document, LOOK_UP)  # a student of another kind: nothing was shown
    assert parts_of(worked(tiny), LOOK_UP)["wrongly_asked_evidence"] == (1, 1)


@pytest.mark.parametrize(("text", "declined"), [(LOOK_UP, 1), (NEEDS_YEARS, 1), (REFUSAL, 1), (None, 0)])
def test_a_calculation_that_is_not_calculated_is_counted(tiny, text, declined):
    row = worked(tiny)
    assert parts_of(row, text or row.call)["wrongly_declined"] == (declined, 1)
    assert "wrongly_declined" not in parts_of(words(tiny), text or "모름")


def test_held_out_kinds_are_summed_apart_and_shown_by_tax(tiny):
    from finetune.evaluation.report import report_markdown

    rows = [worked(tiny, held_out=kind, id=f"{kind}:{n}") for n, kind in enumerate(("", "wordings", "wordings"))]
    texts = (rows[0].call, rows[1].call, tiny.call("2억원"))
    measured = [measure(row, Generation(text, True, 9), "program") for row, text in zip(rows, texts, strict=True)]
    kinds = summarise(measured)["per_held_out"]
    assert [kinds[kind]["measures"]["exact"]["value"] for kind in ("", "wordings")] == [1, 0.5]
    assert kinds["wordings"]["per_tax"]["gift"]["rows"] == kinds["wordings"]["rows"] == 2
    record = {
        **dict.fromkeys(("dataset", "split", "sha256", "machine"), "x"),
        **{"rows": 3, "styles": {"worked": 3}, "caps": {"worked": 9, "words": 9}, "samples": []},
        "survival": {"reference": None, "lines": []},
        "models": {"student": {"title": "학생", **summarise(measured)}},
    }
    assert "| 처음 보는 표현 | 학생 | 50% (0–100) n=2 |" in report_markdown(record)
    plain = {**record, "models": {"student": {"title": "학생", **summarise(measured[:1])}}}
    assert "held-out kinds" not in report_markdown(plain)


def test_every_style_and_tax_has_its_turn(tiny):
    kinds = [("worked", "gift")] * 5 + [("worked", "income")] * 2 + [("plain", "기타")] + [("refusal", "기타")]
    rows = [
        Row.model_validate(tiny.row(number, "1억원", style=style, tax=tax)) for number, (style, tax) in enumerate(kinds)
    ]
    chosen = choose_rows(rows, 6)
    assert [(row.style, row.tax) for row in chosen[:4]] == [
        ("plain", "기타"),
        ("refusal", "기타"),
        ("worked", "gift"),
        ("worked", "income"),
    ]
    assert len(chosen) == 6 and len(choose_rows(rows, 99)) == len(rows)
    assert choose_rows(rows, 6) == chosen


def test_the_summary_adds_up_by_style_and_tax_and_leaves_no_row_as_null(tiny):
    row = worked(tiny)
    measured = [
        measure(row, Generation(text, stopped, 10), "program")
        for text, stopped in ((row.call, True), (tiny.call("2억원"), True), ("모르겠습니다", False))
    ]
    measured.append(measure(words(tiny), Generation("상속세 및 증여세법 제53조에 따릅니다.", True, 20), "program"))
    record = summarise(measured)
    assert record["rows"] == 4
    assert record["measures"]["exact"]["value"] == round(1 / 3, 4) and record["measures"]["exact"]["rows"] == 3
    assert record["measures"]["ended_by_stop"]["value"] == 0.75
    assert record["measures"]["tokens"]["value"] == 12.5
    assert record["measures"]["refused"] is None and record["measures"]["nll_token"] is None
    assert record["per_style"]["expert"]["measures"]["exact"] is None
    assert record["per_tax"]["gift"]["rows"] == 3
    assert record["reasons"]


def test_a_call_that_turns_on_what_nobody_stated_is_asking_back(tiny):
    row = words(tiny, "ask_back", question="6억 증여, 증여세?", answer="계산하려면 준 사람과의 관계를 알아야 합니다.")
    found = measure(row, Generation('{"tax":"gift","amount":"6억","relation":"직계존속"}', True, 9), "program")
    assert found.parts["asked_fact"] == found.parts["asked_back"] == (1, 1) and "calls_run" not in found.parts
    row = words(tiny, "ask_back", question="6억 증여, 증여세?", answer="계산하려면 보유기간을 알아야 합니다.")
    found = measure(row, Generation('{"tax":"gift","amount":"6억","relation":"직계존속"}', True, 9), "program")
    assert found.parts["asked_fact"] == (0, 1)


def test_a_right_call_that_is_held_back_is_not_exact(tiny):
    row = worked(tiny, "20억원", question="20억원 증여, 증여세?")
    assert parts_of(row, tiny.call("20억원"))["exact"] == (0, 1)
    assert parts_of(worked(tiny, "20억원"), tiny.call("20억원"))["exact"] == (1, 1)
