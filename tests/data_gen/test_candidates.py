"""From a reply to candidate rows: ids that stay, provenance that is complete, money that adds up."""

import json

import pytest

from data_gen.asking.values import Usage
from data_gen.candidates import candidates, failures
from data_gen.replies import parse_answer
from data_gen.tasks.all_tasks import TASKS
from data_gen.teachers import Reply
from taxlaw.calls import parse_call, run_call

CALL = '{"tax":"gift","amount":"2억원","relation":"직계존속"}'
CALCULATION = {
    "question": "아버지에게서 현금 2억원을 받았습니다. 납부할 증여세는 얼마인가요?",
    "answer": "상속세 및 증여세법 제53조에 따라 5,000만원을 뺍니다. 납부할 세액은 1,940만원입니다.",
    "articles": ["상속세 및 증여세법 제53조", "상속세 및 증여세법 제53조"],
    "call": CALL,
}
LABELLED = {
    "answerable": True,
    "missing": [],
    "answer": "5,000만원까지입니다.",
    "articles": ["상속세 및 증여세법 제53조"],
}


def answered(name, value, **changes):
    answer = parse_answer(json.dumps(value, ensure_ascii=False), TASKS[name].answer)
    values = {"text": "", "model": "gpt-x", "prompt_hash": "abcd", "note": "참고", "request": "key1", "usd": 0.04}
    return Reply(answer=answer, usage=Usage(900, 100, 300, 50), **(values | changes))


def test_pairs_keep_the_ids_they_had_and_share_the_price(document, reply):
    shown = document()
    rows = [c.row for c in candidates(shown, TASKS["pairs"], answered("pairs", reply()), "gpt", 7)]
    assert [row.id for row in rows] == [f"openapi:{shown.id}:expert", f"openapi:{shown.id}:plain"]
    assert [(row.style, row.type) for row in rows] == [("expert", "teacher"), ("plain", "student")]
    for row in rows:
        made = row.provenance
        assert (made.document_id, made.document_version, made.teacher, made.model) == (shown.id, "v1", "gpt", "gpt-x")
        assert (made.prompt, made.prompt_hash, made.request, made.seed) == ("pairs", "abcd", "key1", 7)
        assert (made.input_tokens, made.output_tokens, made.note) == (900, 300, "참고")
        assert (row.as_of, row.tax, row.source, row.family) == ("2026-06-01", "상속증여", "openapi", shown.family)
        assert row.evidence == shown.text and 1 <= row.difficulty <= 5
        assert any(shown.text[span.start : span.end] == "5,000만원" for span in row.spans)
    assert sum(row.provenance.usd for row in rows) == pytest.approx(0.04)


def test_other_tasks_name_themselves_in_the_id_and_an_unknown_price_stays_unknown(document):
    value = {"question": "물음?", "answer": "답.", "articles": ["상속세 및 증여세법 제53조"]}
    (found,) = candidates(document(), TASKS["scenario"], answered("scenario", value, usd=None), "gpt", 0)
    assert found.row.id == f"openapi:{document().id}:scenario:scenario"
    assert found.row.provenance.usd is None


def test_a_call_gives_the_amount_that_the_calculator_finds_not_the_teacher(document):
    (found,) = candidates(document(), TASKS["calculation"], answered("calculation", CALCULATION), "gpt", 0)
    assert found.row.call == CALL
    assert found.row.payable == run_call(parse_call(CALL), document().as_of).payable == 19_400_000
    assert found.row.articles == ("상속세 및 증여세법 제53조",)
    wrong = CALCULATION | {"answer": "납부할 세액은 1원입니다."}
    (found,) = candidates(document(), TASKS["calculation"], answered("calculation", wrong), "gpt", 0)
    assert found.row.payable == 19_400_000


def test_a_call_beyond_the_calculators_is_left_out_and_noted(document):
    value = CALCULATION | {"call": CALL[:-1] + ',"year":1999}'}
    (found,) = candidates(document(), TASKS["calculation"], answered("calculation", value), "gpt", 0)
    assert found.row.call is None and found.row.payable is None
    assert found.row.provenance.note.startswith("참고; call을 계산할 수 없어")


def test_a_question_is_kept_to_the_letter_and_is_no_evidence(document):
    shown = document(kind="question", text="부모님께 받은 돈은 얼마까지 세금이 없나요")
    (found,) = candidates(shown, TASKS["labelled"], answered("labelled", LABELLED), "gpt", 0)
    assert found.row.question == shown.text
    assert found.row.evidence == "" and found.row.spans == ()


def test_the_notes_are_evidence_where_the_answer_speaks_of_their_dates(document):
    note = "상속세 및 증여세법 제53조제2항: 2027-01-01 전에는 종전 규정이 적용됩니다."
    value = {"question": "물음?", "answer": "2026년 5월 1일까지입니다.", "articles": ["상속세 및 증여세법 제53조"]}

    def evidence(task, notes=(note,), **changes):
        (found,) = candidates(document(notes=notes), TASKS[task], answered(task, value | changes), "gpt", 0)
        return found.row.evidence

    both = f"{document().text}\n\n{note}"
    assert evidence("law_change") == both
    assert evidence("law_change", notes=()) == document().text
    # A note of one paragraph and one day would forbid the verifier every other.
    assert evidence("scenario") == document().text
    assert evidence("scenario", answer="2027년 1월 1일부터 달라집니다.") == both
    assert evidence("scenario", answer="2027년부터 달라집니다.") == both


def test_a_talk_keeps_its_history(document):
    turns = [{"question": f"물음 {n}?", "answer": f"답 {n}."} for n in range(3)]
    reply = answered("followup", {"turns": turns, "articles": ["상속세 및 증여세법 제53조"]})
    (found,) = candidates(document(), TASKS["followup"], reply, "gpt", 0)
    assert [turn.question for turn in found.row.history] == ["물음 0?", "물음 1?"]
    assert found.row.question == "물음 2?"


def test_a_rating_moves_the_difficulty(document, reply):
    made = answered("pairs", reply())
    easy, hard = (candidates(document(), TASKS["pairs"], made, "gpt", 0, rated=n)[0].row.difficulty for n in (1, 5))
    assert easy < hard


def test_a_task_without_rows_gives_none_and_fails_for_none(document):
    answer = {"reason": "까닭", "verdict": "supported"}
    assert candidates(document(), TASKS["judge"], answered("judge", answer), "gpt", 0) == []
    assert failures(document(), TASKS["judge"], "까닭") == []


def test_every_row_that_was_asked_for_fails_by_its_own_id(document):
    shown = document()
    found = failures(shown, TASKS["pairs"], "응답 없음")
    assert [failure.id for failure in found] == [f"openapi:{shown.id}:expert", f"openapi:{shown.id}:plain"]
    assert {(failure.source, failure.tax, failure.reason) for failure in found} == {
        ("openapi", "상속증여", "응답 없음")
    }
