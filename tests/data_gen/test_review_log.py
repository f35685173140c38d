"""The review log: no decision is lost or applied to another text, whatever happened to the file."""

import datetime
import json
import os
from dataclasses import replace

import pytest

from data_gen.errors import BadInput
from data_gen.review.log import (
    ASIDE_NAME,
    LOG_NAME,
    Decision,
    LogReader,
    append,
    carry,
    content_hash,
    load_decisions,
    mend,
)
from data_gen.rows import Provenance, Rejection, Row

NOW = datetime.datetime(2026, 6, 1, 9, 30, tzinfo=datetime.UTC)


def make_row(**changes) -> Row:
    values = {
        "id": "openapi:law:소득세법:제59조:plain",
        "question": "한도는 얼마인가요?",
        "answer": "소득세법 제59조에 따라 74만원입니다.",
        "type": "student",
        "style": "plain",
        "source": "openapi",
        "tax": "소득세",
        "as_of": "2026-06-01",
        "articles": ("소득세법 제59조",),
        "call": None,
        "payable": None,
        "family": "law:소득세법 제59조",
        "evidence": "소득세법 제59조(근로소득세액공제)\n한도는 74만원이다.",
        "provenance": Provenance("law:소득세법:제59조", "v1", "recorded", "recorded"),
        "gates": ("schema", "verify"),
        "verdicts": ("통과", "통과"),
    }
    return Row(**(values | changes))


def decision(row: Row, action: str, reviewer: str = "가", **changes) -> Decision:
    values = {"id": row.id, "content": content_hash(row.question, row.answer), "decision": action, "reviewer": reviewer}
    if action == "reject":
        values["reason"] = "근거와 다름"
    return Decision(**(values | {"time": NOW} | changes))


def edit(row: Row, answer: str, **changes) -> Decision:
    return decision(row, "edit", question=row.question, answer=answer, **changes)


@pytest.fixture
def path(tmp_path):
    return tmp_path / LOG_NAME


def written(path, *decisions: Decision):
    for one in decisions:
        append(path, one)
    return load_decisions(path)


def test_accepted_rejected_and_undecided_rows(path) -> None:
    first, second, third = (make_row(id=f"r{number}") for number in range(3))
    decisions = written(path, decision(first, "accept"), decision(second, "reject"))
    kept = decisions.apply(first)
    assert kept.gates == ("schema", "verify", "review") and "사람이 채택 (가, 2026-06-01)" in kept.verdicts[-1]
    refused = decisions.apply(second)
    assert isinstance(refused, Rejection) and refused.gate == "review" and "근거와 다름" in refused.reason
    assert decisions.apply(third) is third
    assert (decisions.accepted, decisions.rejected, decisions.edited, decisions.stale) == (1, 1, 0, 0)


def test_an_edited_row_has_passed_no_gate_and_cites_what_it_now_says(path) -> None:
    row = make_row()
    new = written(path, edit(row, "소득세법 제59조의2에 따라 74만원입니다.")).apply(row)
    assert new.answer.startswith("소득세법 제59조의2") and new.id == row.id
    assert new.gates == () and new.verdicts == () and new.articles == ("소득세법 제59조의2",)
    assert [new.evidence[span.start : span.end] for span in new.spans if span.why == "금액"] == ["74만원"]
    assert "사람이 고침: 가" in new.provenance.note


def test_a_decision_holds_only_for_the_words_it_was_made_for(path) -> None:
    row = make_row()
    decisions = written(path, decision(row, "reject"))
    changed = replace(row, answer="다른 답변입니다.")
    assert decisions.apply(changed) is changed and decisions.stale == 1
    assert any("바뀌어" in line for line in decisions.report())


def test_the_last_decision_holds_also_after_an_edit(path) -> None:
    row = make_row()
    once, twice = edit(row, "한 번 고쳤습니다."), edit(row, "두 번 고쳤습니다.")
    assert written(path, once, twice).apply(row).answer == "두 번 고쳤습니다."
    append(path, decision(replace(row, answer="두 번 고쳤습니다."), "reject", reviewer="나"))
    refused = load_decisions(path).apply(row)
    assert isinstance(refused, Rejection) and refused.row.answer == "두 번 고쳤습니다."
    append(path, decision(row, "accept"))
    assert load_decisions(path).apply(row).answer == row.answer


def test_a_row_built_with_the_edit_is_not_edited_again(path) -> None:
    row = make_row()
    decisions = written(path, edit(row, "고친 답변입니다."))
    built = replace(decisions.apply(row), gates=("schema",), verdicts=("통과",))
    again = decisions.apply(built)
    assert again.gates == ("schema", "review") and again.answer == "고친 답변입니다."


def test_undo_takes_back_the_reviewers_own_last_decision(path) -> None:
    row = make_row()
    decisions = written(path, decision(row, "reject"), decision(row, "accept", "나"), decision(row, "undo", "나"))
    assert isinstance(decisions.apply(row), Rejection)
    append(path, decision(row, "undo"))
    assert load_decisions(path).apply(row) is row


def test_every_cut_of_the_last_line_keeps_all_lines_before_it(path) -> None:
    rows = [make_row(id=f"r{number}") for number in range(3)]
    written(path, *(decision(row, "accept") for row in rows))
    whole = path.read_bytes()
    start = whole.rindex(b"\n", 0, len(whole) - 1) + 1
    for end in range(start, len(whole)):
        path.write_bytes(whole[:end])
        aside = path.with_name(ASIDE_NAME)
        aside.unlink(missing_ok=True)
        before = load_decisions(path)
        complete = end == len(whole) - 1  # all but the line end
        assert (before.last("r2", content_hash(rows[2].question, rows[2].answer)) is not None) == complete
        assert (before.cut > 0) == (start < end < len(whole) - 1)
        append(path, decision(rows[0], "reject"))
        after = load_decisions(path)
        assert after.cut == 0 and set(after.standing) == ({"r0", "r1", "r2"} if complete else {"r0", "r1"})
        assert aside.exists() == (start < end < len(whole) - 1)
        if aside.exists():
            assert aside.read_bytes() == whole[start:end] + b"\n"


def test_a_foreign_line_inside_the_log_is_an_error_that_names_it(path) -> None:
    append(path, decision(make_row(), "accept"))
    path.write_bytes(path.read_bytes() + b'{"id": 1}\n')
    append(path, decision(make_row(), "accept"))
    with pytest.raises(BadInput, match=r"review\.jsonl:2"):
        load_decisions(path)


def test_an_edit_without_text_and_a_reject_without_reason_are_refused() -> None:
    with pytest.raises(ValueError, match="edit"):
        decision(make_row(), "edit")
    with pytest.raises(ValueError, match="reject"):
        decision(make_row(), "reject", reason=" ")


def test_a_reader_sees_what_another_process_appends(path) -> None:
    reader = LogReader(path)
    assert reader.new() == []
    append(path, decision(make_row(id="a"), "accept"))
    assert [found.id for found in reader.new()] == ["a"]
    with path.open("ab") as file:
        file.write(b'{"id": "b')
    assert reader.new() == [] and reader.cut == 9
    append(path, decision(make_row(id="c"), "accept"))
    assert [found.id for found in reader.new()] == ["c"]


def test_a_decision_is_synced_before_append_returns(path, monkeypatch) -> None:
    synced = []
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append(os.fstat(handle).st_size))
    append(path, decision(make_row(), "accept"))
    assert path.stat().st_size in synced


def test_the_log_moves_to_the_dataset_that_takes_the_place_of_the_old(tmp_path) -> None:
    former, folder = tmp_path / "former", tmp_path / "now"
    former.mkdir()
    folder.mkdir()
    append(former / LOG_NAME, decision(make_row(id="a"), "accept"))
    (former / ASIDE_NAME).write_bytes(b"{cut\n")
    append(folder / LOG_NAME, decision(make_row(id="b"), "accept"))  # decided while the folders changed places
    carry(former, folder)
    assert set(load_decisions(folder / LOG_NAME).standing) == {"a", "b"}
    assert (folder / ASIDE_NAME).read_bytes() == b"{cut\n"
    carry(tmp_path, folder)  # a former dataset without a log
    assert set(load_decisions(folder / LOG_NAME).standing) == {"a", "b"}


def test_hangul_stays_readable_and_mend_leaves_a_whole_log_alone(path) -> None:
    written(path, decision(make_row(), "reject"))
    before = path.read_bytes()
    mend(path)
    assert path.read_bytes() == before and "근거와 다름" in before.decode()
    assert json.loads(before)["time"].startswith("2026-06-01T09:30")
