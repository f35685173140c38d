"""`datasets.load_dataset(folder)` opens a dataset folder through its card's front matter, whatever lies beside the splits."""

import datetime
import json
from dataclasses import replace

import pytest
import yaml

from data_gen.columns import row_features, row_schema
from data_gen.hub_card import front_matter
from data_gen.rows import Provenance, Row, Span, to_json
from data_gen.tasks import Turn

EMPTY = Row(
    *("id", "질문", "답변", "teacher", "expert", "openapi", "국세기본", "2026-06-01"),
    articles=(),
    call=None,
    payable=None,
    family="f",
    evidence="근거 " * 2000,
    provenance=Provenance("d", "v", "t", "m", usd=None),
)
FULL = replace(
    EMPTY,
    articles=("소득세법 제55조",),
    call="{}",
    payable=1,
    provenance=replace(EMPTY.provenance, usd=0.5, seed=3),
    gates=("schema",),
    history=(Turn("앞선 물음", "앞선 답"),),
    spans=(Span(1, 2, "인용"),),
    verdicts=("ok",),
)


@pytest.fixture
def folder(tmp_path):
    """As build writes it, at its worst: no value in the first 10 MB; logs and records beside the splits."""
    splits = {"train": [*[EMPTY] * 1500, FULL], "validation": [EMPTY], "test": [FULL]}
    for split, rows in splits.items():
        (tmp_path / f"{split}.jsonl").write_text("".join(to_json(row) + "\n" for row in rows), encoding="utf-8")
    assert (tmp_path / "train.jsonl").stat().st_size > 10 << 20
    for name in ("rejected", "recorded_answers", "analysis", "review"):
        (tmp_path / f"{name}.jsonl").write_text('{"gate": "train", "score": 1}\n', encoding="utf-8")
    (tmp_path / "run.json").write_text('{"config": {}}')
    (tmp_path / "report.html").write_text("<p>")
    return tmp_path


@pytest.fixture
def load(tmp_path_factory, monkeypatch):
    import datasets

    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    datasets.disable_progress_bars()
    return lambda path: datasets.load_dataset(str(path), cache_dir=str(tmp_path_factory.mktemp("cache")))


def _card(folder, **rows):
    (folder / "README.md").write_text(front_matter("한국 세법", rows) + "# 카드\n", encoding="utf-8")


def test_the_folder_opens_with_three_splits_of_one_schema(folder, load):
    _card(folder, train=1501, validation=1, test=1)
    opened = load(folder)
    assert {split: len(rows) for split, rows in opened.items()} == {"train": 1501, "validation": 1, "test": 1}
    assert opened["train"].features == opened["validation"].features == opened["test"].features
    date = {"as_of": datetime.date(2026, 6, 1)}
    assert opened["train"][1500] == opened["test"][0] == json.loads(to_json(FULL)) | date
    assert opened["validation"][0] == json.loads(to_json(EMPTY)) | date


@pytest.mark.parametrize("absent", [True, False])
def test_a_test_split_that_is_empty_or_absent_is_left_out(absent, folder, load):
    (folder / "test.jsonl").unlink()
    if not absent:
        (folder / "test.jsonl").touch()
    _card(folder, train=1501, validation=1, test=0)
    assert set(load(folder)) == {"train", "validation"}


def test_without_the_card_the_folder_does_not_open(folder, load):
    """Why the front matter exists; when `datasets` learns to look further than 10 MB, hub_card.py can shrink."""
    with pytest.raises(Exception, match="generating the dataset"):
        load(folder)


def test_the_head_says_language_licence_and_size():
    first, head, rest = front_matter("한국 세법", {"train": 990, "validation": 10, "test": 0}, "other").split("---\n")
    read = yaml.safe_load(head)
    assert (first, rest) == ("", "")
    assert "한국 세법" in head
    assert (read["language"], read["license"], read["license_name"]) == (["ko"], "other", "see-card")
    assert read["size_categories"] == ["1K<n<10K"]
    assert "license_name" not in front_matter("x", {})


def test_the_features_are_those_that_datasets_itself_would_write():
    import datasets

    read = datasets.Features._from_yaml_list(row_features())
    assert read._to_yaml_list() == row_features()
    assert read == datasets.Features.from_arrow_schema(row_schema()) | {"as_of": datasets.Value("date32")}
