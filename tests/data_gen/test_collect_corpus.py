"""If these fail, a corpus is read differently from how it was written, or half a corpus stands where a whole one was."""

import json
from collections import Counter
from dataclasses import replace

import pytest

from data_gen.collect.corpus import read_corpus, to_line, write_corpus
from data_gen.collect.tallies import drop
from data_gen.documents import Part
from data_gen.errors import BadInput, DataGenError


@pytest.fixture
def full(document):
    return document(
        1,
        parts=(Part("제1항", 0, 5), Part("제1항제1호", 2, 4)),
        notes=("개정이 아직 시행 전입니다.",),
        meta=(("number", "서면-2024-법인-1"),),
        fault="기준일에 시행 전",
    )


def test_what_is_written_is_read_back_and_the_report_counts_it(tmp_path, document, full):
    tally = Counter(read=3, kept=2)
    drop(tally, "삭제된 조문")
    report = write_corpus(tmp_path, iter([full, document(2)]), {"1. 법": tally}, {"name": "시험"})
    assert list(read_corpus(tmp_path)) == [full, document(2)]
    assert "\\u" not in (tmp_path / "documents.jsonl").read_text("utf-8")
    assert json.loads((tmp_path / "report.json").read_text("utf-8")) == report
    assert (report["documents"], report["faults"], report["by_kind"]) == (2, {"기준일에 시행 전": 1}, {"openapi": 2})
    (source,) = report["sources"]
    assert source["dropped"] == {"삭제된 조문": 1} and source["unaccounted"] == 0


def test_a_run_that_fails_leaves_the_corpus_of_before(tmp_path, document):
    write_corpus(tmp_path, [document(1)], {}, {})

    def broken():
        yield document(2)
        raise OSError("디스크")

    with pytest.raises(OSError):
        write_corpus(tmp_path, broken(), {}, {})
    assert list(read_corpus(tmp_path)) == [document(1)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["documents.jsonl", "report.json"]


def test_an_empty_corpus_is_refused_with_the_reasons(tmp_path, document):
    write_corpus(tmp_path, [document(1)], {}, {})
    tally = Counter(read=2)
    drop(tally, "삭제된 조문")
    with pytest.raises(DataGenError, match=r"1\. 법: 읽음 2, 삭제된 조문 1"):
        write_corpus(tmp_path, [], {"1. 법": tally}, {})
    assert list(read_corpus(tmp_path)) == [document(1)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda line: line | {"colour": "red"}, "colour"),
        (lambda line: line | {"as_of": "언제"}, "as_of"),
        (lambda line: line | {"kind": "gossip"}, "kind"),
        (lambda line: {key: value for key, value in line.items() if key != "text"}, "text"),
        (lambda line: line | {"parts": [{"name": "제1항", "start": 3, "end": 10_000}]}, "'제1항' 3~10000"),
    ],
)
def test_a_wrong_line_is_named_by_file_and_number(tmp_path, document, full, change, said):
    write_corpus(tmp_path, [document(2), full], {}, {})
    path = tmp_path / "documents.jsonl"
    first, second = path.read_text("utf-8").splitlines()
    path.write_text(f"{first}\n{json.dumps(change(json.loads(second)))}\n", encoding="utf-8")
    reading = read_corpus(tmp_path)
    assert next(reading) == document(2)
    with pytest.raises(BadInput) as error:
        next(reading)
    assert "documents.jsonl:2" in str(error.value) and said in str(error.value)


def test_a_torn_last_line_is_an_error(tmp_path, full):
    write_corpus(tmp_path, [full], {}, {})
    path = tmp_path / "documents.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(BadInput, match=r"documents\.jsonl:1"):
        list(read_corpus(tmp_path))


def test_a_document_that_could_not_be_read_back_is_not_written(tmp_path, full):
    for wrong in (replace(full, parts=(Part("밖", 0, 10_000),)), replace(full, text="반쪽 \ud800")):
        with pytest.raises(DataGenError, match="상속세 및 증여세법"):
            to_line(wrong)


def test_a_folder_without_a_corpus_says_how_to_make_one(tmp_path):
    with pytest.raises(BadInput, match="data_gen collect"):
        list(read_corpus(tmp_path))
