"""Reading a dataset folder: a wrong row must be named, a lost answer must be counted, shares must hold."""

import json
from collections import Counter

import pytest

from finetune.data import (
    Row,
    encode_rows,
    endless_batches,
    epoch_batches,
    epoch_order,
    read_rows,
    target_text,
    weighed_by_tax,
)
from finetune.errors import GateError, InputError


def test_rows_of_the_contract_are_read(dataset):
    rows = read_rows(dataset / "train.jsonl")
    assert len(rows) == 32 and rows[0].payable > 0 and rows[0].provenance["teacher"] == "calculator"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"style": "poem"}, "style"),
        ({"extra": 1}, "extra"),
        ({"payable": "많음"}, "payable"),
        ({"question": None}, "question"),
    ],
)
def test_a_malformed_row_is_named_by_file_line_and_key(tmp_path, tiny, change, named):
    path = tmp_path / "train.jsonl"
    rows = [tiny.row(0, "1억원"), tiny.row(1, "2억원", **change)]
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    with pytest.raises(InputError, match=rf"train.jsonl:2: '{named}'"):
        read_rows(path)


def test_missing_empty_and_broken_files_are_input_errors(tmp_path):
    with pytest.raises(InputError, match="데이터셋 파일이 없습니다"):
        read_rows(tmp_path / "train.jsonl")
    path = tmp_path / "broken.jsonl"
    path.write_text('{"id": ', encoding="utf-8")
    with pytest.raises(InputError, match=r"broken\.jsonl:1: JSON"):
        read_rows(path)
    path.write_text("\n", encoding="utf-8")
    with pytest.raises(InputError, match="비어"):
        read_rows(path)


def test_target_is_the_call_the_working_or_the_documents_answer(tiny):
    worked = Row.model_validate(tiny.row(0, "1억원"))
    document = Row.model_validate(tiny.row(1, "1억원", style="plain", type="student", call=None, payable=None))
    assert target_text(worked, "program") == worked.call
    assert target_text(worked, "worked") == worked.answer
    assert target_text(document, "program") == document.answer


def test_facts_first_teaches_the_call_and_under_it_the_answer(tiny):
    row = Row.model_validate(tiny.row(1, "1억원"))
    assert target_text(row, "facts_first") == f"{row.call}\n{row.answer}"
    document = Row.model_validate(tiny.row(1, "1억원", style="plain", type="student", call=None, payable=None))
    assert target_text(document, "facts_first") == document.answer


def test_mixed_teaches_half_of_the_rows_the_call_and_the_same_half_every_time(tiny):
    rows = [Row.model_validate(tiny.row(number, "1억원")) for number in range(400)]
    calls = [row.id for row in rows if target_text(row, "mixed") == row.call]
    assert {target_text(row, "mixed") for row in rows} == {rows[0].call, rows[0].answer}
    assert 160 < len(calls) < 240  # seven standard deviations around a half would be 270
    assert calls == [row.id for row in reversed(rows) if target_text(row, "mixed") == row.call][::-1]
    document = Row.model_validate(tiny.row(1, "1억원", style="plain", type="student", call=None, payable=None))
    assert target_text(document, "mixed") == document.answer


def test_long_rows_are_left_out_whole_and_too_many_stop_the_run(dataset, tokenizer, tiny):
    rows = [Row.model_validate(tiny.row(number, "1억원")) for number in range(200)]
    long = Row.model_validate(tiny.row(999, "1억원", question="아주 긴 질문 " * 200))
    prepared = encode_rows([*rows, long], tokenizer, "program", 256)
    assert prepared.over_cap == 1 and len(prepared.examples) == 200 and prepared.longest > 256
    with pytest.raises(GateError, match="max_tokens=256"):
        encode_rows([*rows[:20], long], tokenizer, "program", 256)


def test_an_epoch_holds_the_shares_and_rotates_through_large_styles():
    styles = ["worked"] * 90 + ["plain"] * 10
    mix = {"worked": 0.5, "plain": 0.5}
    epochs = [epoch_order(styles, mix, 1, epoch) for epoch in (0, 1)]
    counts = [Counter(styles[index] for index in order) for order in epochs]
    assert counts == [{"worked": 50, "plain": 50}] * 2
    assert {index for order in epochs for index in order} == set(range(100))
    assert epochs[0] != epochs[1] and epochs[0] == epoch_order(styles, mix, 1, 0)


def test_taxes_are_weighed_within_the_share_of_the_worked_rows(tiny):
    def of(number, tax, style="worked"):
        return Row.model_validate(tiny.row(number, "1억원", tax=tax, style=style))

    rows = [of(n, "gift") for n in range(60)] + [of(n, "acquisition") for n in range(20)]
    rows += [of(n, "gift", "plain") for n in range(20)]
    mix = {"worked": 0.8, "plain": 0.2}
    kinds, shares = weighed_by_tax(rows, mix, {"acquisition": 3})
    assert shares == pytest.approx({"worked:gift": 0.4, "worked:acquisition": 0.4, "plain": 0.2})
    taken = Counter(kinds[index] for index in epoch_order(kinds, shares, 0, 0))
    assert taken == {"worked:gift": 40, "worked:acquisition": 40, "plain": 20}
    assert weighed_by_tax(rows, mix, {}) == ([row.style for row in rows], mix)
    earlier = rows[0].model_copy(update={"call": '{"tax":"gift","amount":"1억원","prior_gifts":"2억원"}'})
    other = rows[-1].model_copy(update={"call": earlier.call, "tax": "acquisition", "style": "worked"})
    kinds, shares = weighed_by_tax([earlier, rows[1], rows[2], other], {"worked": 1.0}, {"gift.prior_gifts": 2})
    assert kinds == ["worked:gift.prior_gifts", "worked:gift", "worked:gift", "worked:acquisition"]
    assert shares == pytest.approx({"worked:gift.prior_gifts": 0.4, "worked:gift": 0.4, "worked:acquisition": 0.2})
    with pytest.raises(InputError, match=r"gift\.prior_tax"):
        weighed_by_tax(rows, mix, {"gift.prior_tax": 2})
    with pytest.raises(InputError, match="holding"):
        weighed_by_tax(rows, mix, {"holding": 2})


def test_a_share_of_a_style_without_rows_is_refused():
    with pytest.raises(InputError, match="expert"):
        epoch_order(["worked"] * 3, {"worked": 0.9, "expert": 0.1}, 0, 0)


def test_batches_hold_every_row_once_and_hardly_pad():
    lengths = [10 + (index * 37) % 91 for index in range(512)]
    batches = list(epoch_batches(lengths, list(range(512)), 8, "seed"))
    assert sorted(index for batch in batches for index in batch) == list(range(512))
    padded = sum(max(lengths[index] for index in batch) * len(batch) for batch in batches)
    assert padded < 1.05 * sum(lengths)


def test_endless_batches_say_how_much_of_the_epochs_is_used(dataset, tokenizer):
    examples = encode_rows(read_rows(dataset / "train.jsonl"), tokenizer, "program", 512).examples
    stream = endless_batches(examples, {"worked": 1.0}, 8, 0)
    assert [next(stream)[0] for _ in range(5)] == [0.25, 0.5, 0.75, 1.0, 1.25]
