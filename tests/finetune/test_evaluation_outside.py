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
    ("question", "tax"),
    [
        ("아파트를 팔면 양도소득세는?", "capital_gains"),
        ("종합소득세를 계산해 주세요.", "income"),
        ("퇴직소득세는 얼마인가요?", "retirement"),
        ("간이과세자의 부가세는?", "vat_simplified"),
        ("일반과세자의 부가가치세는?", "vat_general"),
        ("증여세 무신고가산세는 얼마인가요?", "penalty"),
        ("로또에 당첨되면 원천징수되는 소득세는?", "withholding"),
        ("취득세와 재산세는 얼마인가요?", ""),
        ("세금이 얼마인가요?", ""),
    ],
)
def test_a_case_with_an_amount_goes_under_the_tax_its_question_names(tmp_path, question, tax):
    (row,) = read_cases(write(tmp_path, [{"question": question, "as_of": "2025-07-01", "amount": 1}]))
    assert row.tax == tax
    (row,) = read_cases(write(tmp_path, [{"question": question, "as_of": "2025-07-01", "answer": "말로"}]))
    assert row.tax == ""  # nothing to group by where no amount is judged


def test_a_program_style_student_is_judged_by_amount_by_asking_back_and_by_refusing(tmp_path):
    """What the file says is right decides, and the report has a line for each tax."""
    from finetune.evaluate import Generation
    from finetune.evaluation.comparison import Plan, compare
    from finetune.evaluation.report import report_markdown
    from finetune.evaluation.subjects import Subject

    asking = {"as_of": "2025-07-01", "style": "ask_back"}
    cases = [
        *GOOD,
        {"question": "집을 팔면 양도소득세는?", **asking},
        {
            "question": "얼마를 내야 하나요?",
            **asking,
            "answer": "계산하려면 취득가액을 알아야 합니다. 알려 주시면 계산합니다.",
        },
        {"question": "법인세 과세표준 3억원의 법인세는?", "as_of": "2025-07-01", "amount": "3,700만원"},
    ]
    said = {
        GIFT: '{"tax":"gift","amount":"3억원","relation":"직계존속"}',
        "오늘 날씨는?": "죄송하지만 날씨는 알려 드릴 수 없습니다.",
        "집을 팔면 양도소득세는?": "취득가액을 알아야 합니다. 알려 주시면 계산해 드리겠습니다.",
        "얼마를 내야 하나요?": "주택 수를 알아야 합니다. 알려 주시면 계산해 드리겠습니다.",
        "법인세 과세표준 3억원의 법인세는?": '{"tax":"corporate","base":"3억원"}',
    }
    file = write(tmp_path, cases)
    rows = read_cases(file)
    subject = Subject(
        "student",
        "학생",
        lambda asked, caps: [Generation(said.get(row.question, "모르겠습니다."), True, 5) for row in asked],
    )
    plan = Plan(tmp_path, "cases", rows, "program", teacher=False, data=file)
    record, _ = compare(plan, [subject], say=lambda text: None)
    measures = record["models"]["student"]["measures"]
    assert measures["exact"] | {"low": 0, "high": 0} == {"value": 0.6667, "low": 0, "high": 0, "rows": 3}
    assert measures["refused"]["value"] == 1 and measures["asked_back"]["value"] == 1
    assert measures["asked_fact"]["rows"] == 1 and measures["asked_fact"]["value"] == 0
    report = report_markdown(record)
    assert "| 증여세 | 50%" in report and "| 법인세 | 100%" in report


def test_questions_about_the_law_are_asked_with_what_a_search_finds(tiny_base, tmp_path, monkeypatch):
    from finetune.evaluation import found_sources
    from finetune.evaluation.comparison import compare

    class Found:
        describe = staticmethod(lambda: "조문 1개")

        @staticmethod
        def find(question, as_of, limit):
            from taxlaw.search.passages import Hit, Passage

            law = Passage("a", "article", "상속세 및 증여세법 제53조", "5천만원", "공제", as_of, None, "", "")
            return (Hit(law, 1.0, 1),)[:limit]

    seen = []
    monkeypatch.setattr(found_sources, "open_sources", lambda folders: seen.append(folders) or Found())
    monkeypatch.setattr(
        "finetune.evaluation.comparison.compare", lambda plan, *rest: seen.append(plan) or compare(plan, *rest)
    )
    limits = ("--max-new-tokens", 8, "--document-tokens", 8, "--out", tmp_path / "out", "--no-speed")
    file = write(tmp_path, GOOD)
    assert command("--model", tiny_base.folder, "--data", file, "--search", 3, "--folder", tmp_path, *limits) == 0
    assert seen[0] == [tmp_path]
    shown = {row.question: row.shows_evidence for row in seen[1].rows}
    assert shown == {line["question"]: "articles" in line or "answer" in line for line in GOOD}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--model", "a.gguf", "--data", "{file}", "--folder", "d"), "needs --search"),
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
