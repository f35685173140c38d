"""If these fail, a large file is held in memory, or a broken one is read as if it were whole."""

import gzip
import json
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field

from data_gen.collect.row_files import as_day, check_row, data_files, is_json_list, read_object, read_rows
from data_gen.errors import BadInput
from taxlaw.strict_config import StrictModel

ROWS = [{"가": 1.5, "나": "「조」①\u2028"}, {"다": None}, "글"]


def written(tmp_path, name, raw):
    path = tmp_path / name
    path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    return path


def as_bytes(rows, lines):
    texts = [json.dumps(row, ensure_ascii=False) for row in rows]
    return ("\n\n".join(texts) if lines else "\n [" + ",\n".join(texts) + "] ").encode("utf-8")


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.json.gz", "a.jsonl.gz"])
def test_every_form_gives_the_rows_and_says_where_they_stand(tmp_path, name, mark):
    path = written(tmp_path, name, mark + as_bytes(ROWS, ".jsonl" in name))
    assert is_json_list(path)
    found = list(read_rows(path))
    assert [row for _, row in found] == ROWS
    assert found[1][0] == (f"{name} 3행" if ".jsonl" in name else f"{name} 2번째")
    assert type(found[0][1]["가"]) is float


@given(st.lists(st.dictionaries(st.text(max_size=3), st.text(max_size=20)), max_size=5))
@settings(deadline=None)
def test_rows_come_back_as_they_were_written(tmp_path_factory, rows):
    raw = json.dumps(rows, ensure_ascii=False).encode("utf-8", "surrogatepass")
    path = written(tmp_path_factory.mktemp("rows"), "a.json", raw)
    assert [row for _, row in read_rows(path)] == rows


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_what_lies_behind_the_rows_taken_is_not_read(tmp_path, name):
    lines = name.endswith("l")
    row = json.dumps({"글": "가" * 1000}, ensure_ascii=False).encode("utf-8")
    raw = (b"" if lines else b"[") + (b"\n" if lines else b",").join([row] * 200) + b"\n this is no JSON \xff"
    rows = read_rows(written(tmp_path, name, raw))
    assert [next(rows)[1]["글"][:1] for _ in range(3)] == ["가"] * 3
    with pytest.raises(BadInput, match=r"a\.json"):
        list(rows)


@pytest.mark.parametrize(
    ("name", "raw", "reason"),
    [
        ("a.json", b'{"a": 1}', "JSON 목록"),
        ("a.json", b"", "JSON 목록"),
        ("a.json", b'[{"a": 1}, {"a": ]', "1번째 다음"),
        ("a.json", b'[{"a": 1}', "1번째 다음"),
        ("a.json", '["가"]'.encode("cp949"), "JSON 형식"),
        ("a.jsonl", b'{"a": 1}\n{"a"', "2행"),
        ("a.jsonl", '"가"'.encode("cp949"), "1행"),
    ],
)
def test_a_broken_file_is_named_with_the_place(tmp_path, name, raw, reason):
    path = written(tmp_path, name, raw)
    with pytest.raises(BadInput, match=reason) as error:
        list(read_rows(path))
    assert str(path) in str(error.value)


def test_a_file_that_is_not_packed_or_is_cut_off(tmp_path):
    (tmp_path / "a.json.gz").write_bytes(b"[1, 2]")
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(b'{"a": 1}\n' * 1000)[:30])
    for name in ("a.json.gz", "b.jsonl.gz"):
        with pytest.raises(BadInput, match="압축"):
            list(read_rows(tmp_path / name))


def test_one_object_is_read_whole_unless_it_is_too_large(tmp_path, monkeypatch):
    path = written(tmp_path, "a.json.gz", b'\n {"a": 1}')
    assert not is_json_list(path) and read_object(path) == {"a": 1}
    monkeypatch.setattr("data_gen.collect.row_files._LARGEST_OBJECT", 5)
    with pytest.raises(BadInput, match="너무 큽니다"):
        read_object(path)
    with pytest.raises(BadInput, match="JSON 형식"):
        read_object(written(tmp_path, "b.json", b'{"a"'))


def test_files_of_a_folder_in_order_without_those_that_are_no_data(tmp_path):
    for name in ("b.json", "a.json.gz", ".c.json", "README.json", "~$d.json", "e.txt"):
        (tmp_path / name).write_bytes(b"[]")
    assert [file.name for file in data_files(tmp_path, (".json", ".json.gz"))] == ["a.json.gz", "b.json"]
    for path, reason in ((tmp_path / "e.txt", "형식"), (tmp_path / "none", "없습니다")):
        with pytest.raises(BadInput, match=reason):
            data_files(path, (".json",))
    with pytest.raises(BadInput, match="폴더에 없습니다"):
        data_files(tmp_path, (".csv",))


@pytest.mark.parametrize(
    "text",
    [
        "2025-03-01",
        "20250301",
        "2025.3.1.",
        "2025. 3. 1",
        "2025년 3월 1일",
        "2025-03-01T09:30:00+09:00",
        "2025/3/1 09:30",
    ],
)
def test_days_as_files_write_them(text):
    assert as_day(text) == as_day(date(2025, 3, 1)) == date(2025, 3, 1)


@pytest.mark.parametrize("text", ["", "2025", "2025-3", "202531", "2025-13-01", "20250301 ~ 20250401", None, 20251301])
def test_what_is_no_day(text):
    with pytest.raises(ValueError):
        as_day(text)


class _Row(StrictModel):
    a: int
    b: str = Field(alias="나")


def test_a_row_that_breaks_its_model_is_told_with_every_wrong_key():
    assert check_row(_Row, {"a": 1, "나": "다"}, "x.json 1번째", "견본").b == "다"
    with pytest.raises(BadInput, match=r"견본.*x\.json 2번째") as error:
        check_row(_Row, {"a": "둘", "다": 1}, "x.json 2번째", "견본")
    assert all(word in str(error.value) for word in ("a: ", "나: ", "다: ", "열쇠(keys): a, 나"))
    with pytest.raises(BadInput, match="객체"):
        check_row(_Row, [1], "x.json 3번째", "견본")
