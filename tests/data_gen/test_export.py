import json

import pytest

from data_gen.build import build
from data_gen.errors import BadInput
from data_gen.export import export


@pytest.fixture
def dataset(tmp_path, config):
    return build(config(worked={"count": 40}), out=tmp_path / "set").folder


def test_the_predecessors_list_holds_all_kept_rows_in_its_four_keys(dataset, tmp_path):
    out = tmp_path / "deep" / "list.json"
    assert export(dataset, "slm-forest", out) == 40
    rows = json.loads(out.read_text(encoding="utf-8"))
    assert all(list(row) == ["question", "answer", "type", "source"] for row in rows)
    assert {row["type"] for row in rows} == {"teacher", "student"}
    assert {row["source"] for row in rows} == {"practical"}
    kept = (dataset / "train.jsonl").read_text(encoding="utf-8") + (dataset / "validation.jsonl").read_text(
        encoding="utf-8"
    )
    assert {row["question"] for row in rows} == {json.loads(line)["question"] for line in kept.splitlines()}
    assert "\\u" not in out.read_text(encoding="utf-8")


def test_a_folder_without_splits_is_bad_input(tmp_path):
    with pytest.raises(BadInput, match=r"train\.jsonl"):
        export(tmp_path, "slm-forest", tmp_path / "x.json")


def test_a_broken_row_is_named_and_nothing_is_written(dataset, tmp_path):
    with (dataset / "validation.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"question": "q"}\n')
    with pytest.raises(BadInput, match=r"validation\.jsonl:\d+ \(answer"):
        export(dataset, "slm-forest", tmp_path / "x.json")
    assert not (tmp_path / "x.json").exists()
