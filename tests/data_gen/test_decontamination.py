"""Decontamination: what a named test says does not come back in a row; what is not named is not read; nothing is printed."""

import json
from dataclasses import replace

import numpy as np
import pytest

from data_gen.errors import BadInput
from data_gen.gates.decontamination import DecontaminationGate
from data_gen.ngrams import letter_grams, word_grams, words
from data_gen.rows import Candidate, Provenance, Row
from data_gen.tasks import Turn

LONG = (
    "거주자 갑은 2025년 3월에 아버지로부터 시가 7억원인 아파트를 받고 그 아파트에 딸린 임대보증금 2억원을 함께 넘겨받았다. "
    "이 경우 갑이 내야 할 증여세 과세표준은 얼마인가?"
)
SHORT = "간이과세자의 납부의무가 면제되는 공급대가의 기준은?"


def row(question="증여재산공제는 얼마인가요?", answer="5,000만원입니다.", history=()):
    return Candidate(
        Row("r", question, answer, "teacher", "expert", "openapi", "상속증여세", "2026-06-01", (), None, None, "f", "",
            Provenance("d", "v", "recorded", "m"), history=history)
    )  # fmt: skip


@pytest.fixture
def tests(tmp_path):
    """A gate over one file of each format, each with one text."""

    def write(name, texts):
        path = tmp_path / name
        if name.endswith(".jsonl"):
            path.write_text("\n".join(json.dumps({"id": 1, "문제": {"본문": [t]}}, ensure_ascii=False) for t in texts))
        elif name.endswith(".json"):
            path.write_text(json.dumps({"data": [{"question": t} for t in texts]}, ensure_ascii=False))
        elif name.endswith(".csv"):
            path.write_text("번호,문제\n" + "\n".join(f'1,"{t}"' for t in texts), encoding="utf-8-sig")
        elif name.endswith(".parquet"):
            import pyarrow
            import pyarrow.parquet

            pyarrow.parquet.write_table(pyarrow.table({"q": texts, "choices": [["가", "나"] for _ in texts]}), path)
        else:
            path.write_text("\n\n".join(texts))
        return path

    return write


@pytest.mark.parametrize("name", ["t.txt", "t.md", "t.json", "t.jsonl", "t.csv", "t.parquet"])
def test_every_format_is_read_and_a_row_that_repeats_it_is_refused(tests, name):
    gate = DecontaminationGate([tests(name, [LONG, SHORT])])
    part = "갑은 2025년 3월에 아버지로부터 시가 7억원인 아파트를 받고, 그 아파트에 딸린 임대보증금 2억원을 넘겨받았다"
    for repeating in (row(question=part), row(answer=f"문제: {part}."), row(question=SHORT)):
        passed, reason = gate(repeating)
        assert not passed and name in reason
        assert "아파트" not in reason and "간이" not in reason  # the test's own words are never spread
    assert gate(row()) is True


def test_a_folder_stands_for_the_files_in_it_and_the_file_is_named(tests, tmp_path):
    tests("a.txt", ["전혀 다른 시험 문제입니다 " * 4])
    (tmp_path / "그림.png").write_bytes(b"\x89PNG")
    tests("b.jsonl", [LONG])
    passed, reason = DecontaminationGate([tmp_path])(row(question=LONG))
    assert not passed and "b.jsonl" in reason and "a.txt" not in reason


def test_digits_are_words_too(tests):
    gate = DecontaminationGate([tests("t.txt", [LONG])])
    other = (
        LONG.replace("7억원", "8억원")
        .replace("2억원", "3억원")
        .replace("2025년", "2026년")
        .replace("아버지로부터", "어머니로부터")
    )
    assert gate(row(question=other)) is True


def test_a_short_question_is_found_whatever_its_spacing_and_not_by_a_name_of_a_law_alone(tests):
    gate = DecontaminationGate(
        [tests("t.txt", [SHORT, "공익사업을 위한 토지 등의 취득 및 보상에 관한 법률의 목적은?"])]
    )
    assert gate(row(question="간이 과세자의 납부 의무가 면제되는 공급 대가의 기준은?"))[0] is False
    about_it = "공익사업을 위한 토지 등의 취득 및 보상에 관한 법률에 따라 수용된 토지의 양도소득세는 감면되나요?"
    assert gate(row(question=about_it)) is True


def test_a_very_short_question_counts_as_a_whole_and_an_answer_word_not_at_all(tests):
    gate = DecontaminationGate(
        [tests("t.txt", ["증여세율은 몇 %?", "정답", "소득세법 시행령 제154조제1항제1호, 제2호"])]
    )
    assert gate(row(question="증여세율은 몇 %?"))[0] is False
    assert gate(row(question="증여세율은 몇 %인지 구간마다 알려 주세요.")) is True
    assert gate(row(question="정답")) is True
    assert gate(row(question="소득세법 시행령 제154조제1항제1호, 제2호의 요건은 무엇인가요?")) is True


def test_earlier_turns_are_looked_at(tests):
    gate = DecontaminationGate([tests("t.txt", [LONG])])
    assert gate(row(history=(Turn(LONG, "답입니다."),)))[0] is False


def test_the_size_of_the_stretch_is_the_users(tests):
    path = tests("t.txt", [LONG])
    part = row(question="아버지로부터 시가 7억원인 아파트를 받고 이사했습니다.")
    assert DecontaminationGate([path], 12)(part) is True
    assert DecontaminationGate([path], 5)(part)[0] is False


def test_without_files_nothing_is_read_and_the_verdict_says_so():
    assert DecontaminationGate(())(row()) == (True, "평가 자료를 주지 않음")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("없음.jsonl", None, "없음.jsonl"),
        ("t.jsonl", "{}\n{비밀", "t.jsonl:2"),
        ("t.json", "[비밀", "t.json"),
        ("t.parquet", "비밀", "t.parquet"),
        ("t.hwp", "비밀", "형식"),
        ("t.txt", b"\xff\xfe\x00", "UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_and_not_quoted(tmp_path, name, content, said):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(BadInput) as error:
        DecontaminationGate([path])
    assert said in str(error.value) and "비밀" not in str(error.value)


def test_an_empty_folder_is_an_error(tmp_path):
    with pytest.raises(BadInput, match="읽을 파일이 없습니다"):
        DecontaminationGate([tmp_path])


def test_hashes_are_those_of_stretches_and_the_same_in_every_run():
    text = "하나 둘 셋 넷 다섯"
    assert len(word_grams(text, 3)) == 3 and len(word_grams(text, 6)) == 0
    assert set(word_grams("둘, 셋. 넷!", 3)) <= set(word_grams(text, 3))
    assert not set(word_grams("넷 셋 둘", 3)) & set(word_grams(text, 3))
    assert set(letter_grams("둘셋넷", 3)) <= set(letter_grams(text, 3))
    assert words("5,000만원을 2026-06-01에!") == ["5,000만원을", "2026-06-01에"]
    assert word_grams("가 나 다", 3).tolist() == [16906653778551736936] and word_grams(text, 3).dtype == np.uint64


def test_the_row_is_not_changed(tests):
    candidate = row()
    DecontaminationGate([tests("t.txt", [LONG])])(candidate)
    assert candidate == replace(candidate)
