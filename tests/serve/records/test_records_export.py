"""``python -m serve export``: what it writes is what the next stage reads, and it says what it left out."""

from __future__ import annotations

import argparse
import json
import stat
from collections import Counter
from dataclasses import replace
from datetime import date
from types import SimpleNamespace

import pytest

from serve.backends.protocol import BackendInfo, GenParams, Message
from serve.complete import complete
from serve.records import export_command
from serve.records.database import reading
from serve.records.tables import TABLES
from serve.records.training_rows import REASONS, training_rows
from serve.records.voted import read_answers, read_votes

DAY = date(2025, 7, 1)
INFO, PARAMS = BackendInfo("m", "m", model_sha256="a" * 64, template_sha256="b" * 64), GenParams()
CALL = '{"tax":"gift","amount":"20억원","relation":"직계존속"}'
GIFT = "부모님께 20억원을 증여받았는데 증여세는 얼마인가요?"


@pytest.fixture
def ask(records, answer_of):
    """One question with both answers; ``choice`` None leaves it without a vote."""

    def run(question: str, student: str, teacher: str, choice: str | None = "left", **more) -> None:
        turn = records.new_turn(records.new_session("page", keep_text=more.pop("consent", True)), question, DAY)
        history = more.pop("history", ())
        asked = more.pop("asked", "")
        for side, text in (("student", student), ("teacher", teacher)):
            answer = replace(answer_of(side, text, **more), completion=complete(text, DAY, question, asked))
            records.keep(turn, answer, INFO, PARAMS, messages=(*history, Message("user", question)))
        if choice:
            assert records.vote(turn, choice)

    return run


def rows_of(records):
    with reading(records.path) as connection:
        answers = read_answers(connection)
        return training_rows(answers, read_votes(connection, answers))


def export(*arguments: object) -> int:
    parser = argparse.ArgumentParser()
    export_command.add_arguments(parser)
    return export_command.run(parser.parse_args([str(argument) for argument in arguments]))


def lines(path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_calculation_becomes_a_row_with_its_call_and_the_tax_that_code_computed(records, ask):
    ask(GIFT, CALL, "모르겠습니다")
    (row,) = rows_of(records).rows
    assert (row["question"], row["call"], row["tax"], row["payable"]) == (GIFT, CALL, "gift", 601_400_000)
    assert "과세표준" in row["answer"] and CALL not in row["answer"]
    assert row["gates"] == ["verify", "vote"] and "상속세 및 증여세법" in " ".join(row["articles"])


def test_calculations_come_first_so_that_a_loader_learns_the_type_of_their_columns(records, ask):
    ask("세율은?", "소득세법 제55조입니다.", "다른 답")
    ask(GIFT, CALL, "모르겠습니다")
    assert [row["call"] for row in rows_of(records).rows] == [CALL, None]


def test_a_corrected_calculator_takes_the_old_figure_out(records, ask, monkeypatch):
    ask(GIFT, CALL, "모르겠습니다")
    monkeypatch.setattr("taxlaw.calls.render_working", lambda result: "과세표준이 바로잡혔습니다")
    made = rows_of(records)
    assert made.rows == [] and made.excluded["outdated"] == 1


def test_winners_and_confirmed_answers_are_rows_and_losers_are_not(records, ask):
    ask("세율은?", "소득세법 제55조에 따릅니다.", "다른 답", "left")
    ask("또 세율은?", "소득세법 제55조를 보세요.", "소득세법 제55조입니다.", "both_bad")
    ask("다시 세율은?", "법인세법 제55조가 맞습니다.", "세율은 법인세법 제55조에 있습니다.", choice=None)
    made = rows_of(records)
    assert [row["answer"] for row in made.rows] == [
        "소득세법 제55조에 따릅니다.",
        "법인세법 제55조가 맞습니다.",
        "세율은 법인세법 제55조에 있습니다.",
    ]
    assert made.rows[0]["articles"] == ["소득세법 제55조"] and made.rows[0]["tax"] == "소득세"
    assert made.excluded == Counter(lost=3)
    assert made.rows[1]["family"] == made.rows[2]["family"] != made.rows[0]["family"]


@pytest.mark.parametrize(
    ("reason", "question", "changes"),
    [
        ("failed", "세율은?", {"ok": False}),
        ("cut", "세율은?", {"finish": "length"}),
        ("no_text", "세율은?", {"consent": False}),
        ("personal_data", "010-1234-5678로 알려 주세요. 세율은?", {}),
        ("personal_data", "세율은?", {"history": (Message("user", "저는 010-1234-5678"), Message("assistant", "네"))}),
    ],
)
def test_what_the_student_should_not_learn_is_left_out_and_counted(records, ask, reason, question, changes):
    ask(question, "한 답", "다른 답", choice=None, **changes)
    made = rows_of(records)
    assert (made.rows, made.excluded) == ([], Counter({reason: 2}))
    assert reason in REASONS


def test_an_answer_nothing_was_confirmed_in_needs_a_vote(records, ask, answer_of, monkeypatch):
    for choice in (None, "left"):
        turn = records.new_turn(records.new_session("page", keep_text=True), f"질문 {choice}", DAY)
        for side in ("student", "teacher"):
            verdict = SimpleNamespace(ok=True, findings=())
            records.keep(turn, replace(answer_of(side, f"{side} 답"), verdict=verdict), INFO, PARAMS)
        if choice:
            records.vote(turn, choice)
    made = rows_of(records)
    assert [row["question"] for row in made.rows] == ["질문 left"]
    assert made.excluded == Counter(unverified=2, lost=1)


def test_turns_before_the_question_come_along(records, ask):
    ask("그러면 세율은?", "답", "답2", history=(Message("user", "처음"), Message("assistant", "처음 답")))
    (row,) = rows_of(records).rows
    assert row["history"] == [{"question": "처음", "answer": "처음 답"}]


def test_dpo_writes_pairs_their_origins_and_a_table_that_adds_up(records, ask, tmp_path, capsys):
    ask("세율은?", "맞는 답", "다른 답")
    ask("세율은?", "맞는 답", "다른 답")
    ask("몇 퍼센트인가요?", "가", "나", "tie")
    output = tmp_path / "votes.jsonl"
    assert export("dpo", "--output", output, "--records", records.path) == 0
    assert lines(output) == [{"question": "세율은?", "chosen": "맞는 답", "rejected": "다른 답"}]
    assert len(lines(tmp_path / "votes.meta.jsonl")) == 1
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    shown = capsys.readouterr().out
    assert "투표 3개 → 선호 쌍 1개" in shown
    assert "1  비김 (tie)" in shown and "1  같은 쌍이 이미 있음 (duplicate)" in shown
    assert "전체: 2/2 = 100% (34%~100%)" in shown and "블라인드: 승부가 난 투표 없음" in shown


def test_finetune_and_datasets_read_what_was_written(records, ask, tmp_path, monkeypatch):
    ask(GIFT, CALL, "모르겠습니다")
    ask("세율은?", "소득세법 제55조입니다.", "다른 답")
    ask("세율은요?", "소득세법 제55조.", "다른 답입니다")
    for kind in ("dpo", "sft", "parquet"):
        name = "records.parquet" if kind == "parquet" else f"{kind}.jsonl"
        assert export(kind, "--output", tmp_path / name, "--records", records.path) == 0

    from finetune.data import read_rows
    from finetune.preference import read_pairs

    assert [pair.chosen for pair in read_pairs(tmp_path / "dpo.jsonl")] == [
        CALL,
        "소득세법 제55조입니다.",
        "소득세법 제55조.",
    ]
    assert [row.call for row in read_rows(tmp_path / "sft.jsonl")] == [CALL, None, None]

    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    from datasets import load_dataset

    def opened(kind: str, file: str):
        return load_dataset(kind, data_files=str(tmp_path / file), split="train", cache_dir=str(tmp_path / "cache"))

    for file, number in (("dpo.jsonl", 3), ("dpo.meta.jsonl", 3), ("sft.jsonl", 3)):
        assert opened("json", file).num_rows == number
    assert opened("json", "sft.jsonl")[0]["payable"] == 601_400_000
    counts = {table: opened("parquet", f"records.{table}.parquet").num_rows for table in TABLES}
    assert counts == {"sessions": 3, "turns": 3, "answers": 6, "votes": 3}
    assert opened("parquet", "records.turns.parquet")["question"][0] == GIFT


def test_an_empty_table_still_has_its_columns(records, tmp_path):
    assert export("parquet", "--output", tmp_path / "r.parquet", "--records", records.path) == 0
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(tmp_path / "r.votes.parquet")
    assert table.num_rows == 0 and {"choice", "blind", "left_side"} <= set(table.schema.names)


def test_nothing_to_export_writes_no_file_and_says_so(records, ask, tmp_path, capsys):
    ask("세율은?", "답", "다른 답", consent=False)
    assert export("dpo", "--output", tmp_path / "votes.jsonl", "--records", records.path) == 2
    assert not (tmp_path / "votes.jsonl").exists()
    shown = capsys.readouterr()
    assert "no_text" in shown.out and "nothing to export" in shown.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("dpo", "--output", "a.jsonl", "--records", "missing.sqlite"), "기록 파일이 없습니다: missing.sqlite"),
        (("sft", "--output", "no/such/a.jsonl", "--records", "missing.sqlite"), "폴더가 없습니다"),
        (("sft", "--output", "a.jsonl", "--config", "missing.yaml"), "설정 파일이 없습니다"),
    ],
)
def test_a_wrong_path_is_a_usage_error(arguments, said, capsys):
    assert export(*arguments) == 2
    assert said in capsys.readouterr().err


def test_a_quotation_becomes_a_row_with_the_words_a_reader_saw(records, ask):
    shown = "[근거]\n1. 소득세법 제55조(세율) [시행 2025-01-01]\n① 세율을 적용한다.\n\n[질문]\n세율은?"
    ask("세율은?", "인용: 1번 제1항", "모르겠습니다", asked=shown)
    (row,) = rows_of(records).rows
    assert (
        row["answer"].startswith("소득세법 제55조 제1항(세율)에 따르면 “세율을 적용한다.”") and row["style"] == "plain"
    )
