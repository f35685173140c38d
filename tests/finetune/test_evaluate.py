"""The measured accuracy: the same rows for every model, judged to the won."""

import pytest

from finetune.card import wilson_interval
from finetune.data import Row
from finetune.errors import InputError
from finetune.evaluate import Generation, generate_with_transformers, held_out, score
from finetune.settings import Evaluation


def rows_of(tiny, *taxes):
    return [Row.model_validate(tiny.row(number, "1억원", tax=tax, payable=100)) for number, tax in enumerate(taxes)]


def test_held_out_rows_are_taken_in_turn_from_each_tax(tiny):
    rows = rows_of(tiny, "gift", "gift", "gift", "income", "corporate")
    assert [row.tax for row in held_out(rows, 4)] == ["corporate", "gift", "income", "gift"]
    assert len(held_out(rows, 99)) == 5


def test_rows_without_a_tax_to_compare_are_not_measured(tiny):
    rows = [
        Row.model_validate(tiny.row(0, "1억원", payable=None)),
        Row.model_validate(tiny.row(1, "1억원", style="plain")),
    ]
    with pytest.raises(InputError, match="worked"):
        held_out(rows, 4)


def test_score_is_exact_to_the_won_and_per_tax(tiny):
    rows = rows_of(tiny, "gift", "gift", "income", "income")
    answers = {"맞음": 100, "1원 틀림": 101, "없음": None}
    generations = [Generation(text, text != "없음", 3) for text in ("맞음", "1원 틀림", "맞음", "없음")]
    record = score(rows, generations, 3, payable=lambda text, as_of: answers[text])
    assert (record["right"], record["rows"], record["exact"]) == (2, 4, 0.5)
    assert record["per_tax"] == {"gift": {"rows": 2, "exact": 0.5}, "income": {"rows": 2, "exact": 0.5}}
    assert record["ended_by_stop"] == 0.75
    assert [sample["exact"] for sample in record["samples"]] == [True, False, False]


def test_a_call_counts_for_what_the_calculator_makes_of_it(tiny):
    """601,400,000 won is the right answer to the predecessor's own example."""
    row = Row.model_validate(tiny.row(0, "20억원", payable=601_400_000))
    wrong = tiny.call("2억원")
    record = score([row, row], [Generation(tiny.call("20억원"), True, 9), Generation(wrong, True, 9)], 2)
    assert record["right"] == 1


def test_padding_and_batching_do_not_change_an_answer(tiny, tiny_base, tokenizer):
    from finetune.base import load_model

    model = load_model(tiny_base, "float32").eval()
    questions = ["세금?", tiny.question("3억원"), "부모님께 40억원을 받았어요. " * 3]
    rows = [Row.model_validate(tiny.row(n, "1억원", question=text)) for n, text in enumerate(questions)]
    one, all_ = (
        generate_with_transformers(model, tokenizer, rows, Evaluation(batch_size=size, max_new_tokens=12))
        for size in (1, 3)
    )
    assert one == all_


def test_interval_is_wide_for_few_rows_and_stays_within_bounds():
    low, high = wilson_interval(24, 48)
    assert 0.35 < low < 0.37 and 0.63 < high < 0.65
    assert wilson_interval(0, 16)[0] == 0 and wilson_interval(16, 16)[1] == 1
