"""`eval --model … --data FILE`: cases of anyone's, and what happens to lines that are none."""

import argparse
import json

import pytest

from finetune import eval_command
from finetune.data import read_rows
from finetune.errors import InputError
from finetune.evaluation.outside import read_cases

GIFT = "부모님께 3억원을 증여받았는데 증여세는 얼마인가요?"
GOOD = [
    {"question": GIFT, "as_of": "2025-07-01", "amount": "3,880만원"},
    {"question": GIFT + " 다시", "as_of": "2025-07-01", "amount": 38_800_000, "tax": "gift", "id": "mine"},
    {"question": "성년 자녀의 공제는?", "as_of": "2025-07-01", "articles": ["상속세 및 증여세법 제53조"]},
    {"question": "신고기한은?", "as_of": "2025-07-01", "answer": "상속세 및 증여세법 제68조에 따라 3개월 안입니다."},
    {"question": "오늘 날씨는?", "as_of": "2025-07-01", "style": "refusal"},
]


def write(folder, lines):
    file = folder / "cases.jsonl"
    text = "".join((line if isinstance(line, str) else json.dumps(line, ensure_ascii=False)) + "\n" for line in lines)
    file.write_text(text, encoding="utf-8")
    return file


def command(*words):
    parser = argparse.ArgumentParser()
    eval_command.add_parser(parser.add_subparsers())
    return eval_command.run(parser.parse_args(["eval", *map(str, words)]))


def test_cases_become_rows_by_what_they_can_be_judged_by(tmp_path):
    rows = read_cases(write(tmp_path, ["", *GOOD, ""]))
    assert [row.style for row in rows] == ["worked", "worked", "expert", "expert", "refusal"]
    assert [row.payable for row in rows] == [38_800_000, 38_800_000, None, None, None]
    assert rows[0].id == "cases:2" and rows[1].id == "mine" and rows[2].articles == ["상속세 및 증여세법 제53조"]


def test_whole_rows_of_a_dataset_are_taken_as_they_are(dataset):
    file = dataset / "validation.jsonl"
    assert read_cases(file) == read_rows(file)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{question: 가}", "not JSON"),
        ("[1]", "2번 줄"),
        ({"question": "가", "as_of": "2025-07-01"}, "nothing to judge by"),
        ({"question": "가", "amount": 1}, "as_of: "),
        ({"question": "가", "as_of": "작년", "amount": 1}, "as_of: "),
        ({"question": "", "as_of": "2025-07-01", "amount": 1}, "question: "),
        ({"question": "가", "as_of": "2025-07-01", "amount": "많이"}, "amount: "),
        ({"question": "가", "as_of": "2025-07-01", "amuont": 1, "answer": "나"}, "amuont: .*혹시 'amount'"),
        ({"question": "가", "as_of": "2025-07-01", "articles": ["제53조"]}, "citation with its law"),
        ({"question": "가", "as_of": "2025-07-01", "answer": "나", "style": "poem"}, "style: "),
    ],
)
def test_a_line_that_is_no_case_is_named_and_nothing_is_measured(tmp_path, line, message):
    with pytest.raises(InputError, match=message) as caught:
        read_cases(write(tmp_path, [GOOD[0], line]))
    assert "2번 줄" in str(caught.value)


def test_every_bad_line_is_counted_and_a_repeated_id_refused(tmp_path):
    with pytest.raises(InputError, match="모두 7줄"):
        read_cases(write(tmp_path, ["?"] * 7))
    with pytest.raises(InputError, match="occurs twice"):
        read_cases(write(tmp_path, [GOOD[1], GOOD[1]]))
    with pytest.raises(InputError, match="no such file"):
        read_cases(tmp_path / "none.jsonl")


def test_a_model_is_measured_on_outside_cases(tiny_base, tmp_path, capsys):
    file = write(tmp_path, GOOD)
    limits = ("--max-new-tokens", 8, "--document-tokens", 8, "--out", tmp_path / "out", "--no-speed")
    assert command("--model", tiny_base.folder, "--data", file, *limits) == 0
    record = json.loads((tmp_path / "out" / "eval.json").read_text(encoding="utf-8"))
    assert record["split"] == "cases" and record["rows"] == 5 and list(record["models"]) == ["base"]
    measures = record["models"]["base"]["measures"]
    assert measures["exact"]["rows"] == 2 and measures["refused"]["rows"] == 1
    assert measures["right_article"]["rows"] == 1 and measures["nll_token"]["rows"] == 1  # of those that have them
    assert measures["rouge_l"]["rows"] == 1
    assert "report.md" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--model", "a.gguf", "--data", "{file}", "--dataset", "d"), "give one of them"),
        (("--model", "x/y", "--model", "x/z", "--data", "{file}"), "one base at a time"),
        (("--model", "a.gguf", "--data", "{file}"), "no such file"),
        (("--data", "{file}"), "nothing to measure"),
    ],
)
def test_what_cannot_be_measured_is_refused(tmp_path, words, message):
    file = write(tmp_path, GOOD)
    with pytest.raises(InputError, match=message):
        command(*(word.format(file=file) for word in words), "--out", tmp_path / "out")
