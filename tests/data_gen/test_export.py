"""Exported files load in the libraries that trainers use, with every row; a user must not lose one on the way out."""

import json
from collections import Counter
from dataclasses import replace

import pyarrow.parquet
import pytest

from data_gen.columns import row_form, row_schema
from data_gen.errors import BadInput
from data_gen.exports import FORMATS, export
from data_gen.rows import Provenance, Row, Span, to_json
from data_gen.tasks import Turn

BARE = Row(
    id="openapi:law:부가가치세법:제37조:expert",
    question="간이과세자의 납부세액은 어떻게 셈하나요?",
    answer="공급대가에 업종별 부가가치율과 10%를 곱합니다.\n둘째 줄입니다.",
    type="teacher",
    style="expert",
    source="openapi",
    tax="부가가치세",
    as_of="2026-06-01",
    articles=(),
    call=None,
    payable=None,
    family="law:부가가치세법 제37조",
    evidence="근거 글",
    provenance=Provenance("law:x", "v1", "recorded", "double", usd=None),
)
FOLLOWUP = replace(
    BARE,
    id="openapi:law:부가가치세법:제37조:followup",
    question="그럼 음식점은요?",
    type="student",
    style="followup",
    articles=("부가가치세법 제37조",),
    history=(
        Turn("간이과세가 뭔가요?", "작은 사업자의 간단한 셈입니다."),
        Turn("누가 되나요?", "직전 연도 매출로 정합니다."),
    ),
    spans=(Span(0, 2, "문구"),),
    gates=("schema",),
    verdicts=("ok",),
)
WORKED = replace(
    BARE,
    id="practical:worked-1",
    source="practical",
    call='{"tax":"gift","amount":"20억원"}',
    payable=601_400_000,
    provenance=Provenance("worked-1", "v2", "calculator", "taxlaw.calculators", usd=0.25),
)


@pytest.fixture
def dataset(tmp_path):
    """Rows with nothing in them come first by far, as `datasets` and pyarrow like least: 10 MB before the first value."""
    folder = tmp_path / "set"
    folder.mkdir()
    bulk = [replace(BARE, id=f"{BARE.id}#{number}", evidence="근거 " * 2000) for number in range(1500)]
    for split, rows in (("train", [*bulk, FOLLOWUP]), ("validation", [WORKED]), ("test", [])):
        (folder / f"{split}.jsonl").write_text("".join(to_json(row) + "\n" for row in rows), encoding="utf-8")
    assert (folder / "train.jsonl").stat().st_size > 10 << 20
    (folder / "rejected.jsonl").write_text('{"id": "x", "gate": "korean"}\n', encoding="utf-8")
    (folder / "run.json").write_text("{}", encoding="utf-8")
    return folder


@pytest.fixture
def load(tmp_path, monkeypatch):
    import datasets

    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    datasets.disable_progress_bars()
    return lambda *path, **more: datasets.load_dataset(*path, **more, cache_dir=str(tmp_path / "cache"))


@pytest.mark.parametrize("name", ["messages", "alpaca", "sharegpt"])
def test_a_text_format_loads_in_datasets_with_every_row_and_its_metadata(name, dataset, tmp_path, load):
    out = tmp_path / "deep" / f"{name}.json"
    assert export(dataset, name, out) == 1502
    assert "\\u" not in out.read_text(encoding="utf-8")
    rows = load("json", data_files=str(out))["train"]
    by_id = {row["id"]: row for row in rows}
    assert len(by_id) == len(rows) == 1502
    worked = by_id[WORKED.id]
    assert (worked["call"], worked["payable"], worked["split"]) == (WORKED.call, 601_400_000, "validation")
    assert worked["provenance"]["usd"] == 0.25
    assert by_id[FOLLOWUP.id]["articles"] == ["부가가치세법 제37조"]
    assert by_id[FOLLOWUP.id]["evidence"] == "근거 글"
    assert by_id[f"{BARE.id}#0"]["provenance"]["usd"] is None


def _one(dataset, name, out, **options):
    """The multi-turn row as exported."""
    export(dataset, name, out, split="train", metadata=False, **options)
    text = out.read_text(encoding="utf-8")
    rows = [json.loads(line) for line in text.splitlines()] if name == "messages" else json.loads(text)
    return next(row for row in rows if "음식점" in json.dumps(row, ensure_ascii=False))


def test_turns_keep_their_order_in_every_conversation_format(dataset, tmp_path):
    said = ["간이과세가 뭔가요?", "작은 사업자의 간단한 셈입니다.", "누가 되나요?", "직전 연도 매출로 정합니다."]
    said += [FOLLOWUP.question, FOLLOWUP.answer]
    chat = _one(dataset, "messages", tmp_path / "m.jsonl", system="세법 도우미입니다.")
    assert list(chat) == ["messages"]
    assert [turn["role"] for turn in chat["messages"]] == ["system", *["user", "assistant"] * 3]
    assert [turn["content"] for turn in chat["messages"]] == ["세법 도우미입니다.", *said]
    shared = _one(dataset, "sharegpt", tmp_path / "s.json")
    assert [(turn["from"], turn["value"]) for turn in shared["conversations"]] == list(
        zip(["human", "gpt"] * 3, said, strict=True)
    )
    alpaca = _one(dataset, "alpaca", tmp_path / "a.json", system="도우미")
    assert alpaca == {
        "instruction": FOLLOWUP.question,
        "input": "",
        "output": FOLLOWUP.answer,
        "system": "도우미",
        "history": [said[:2], said[2:4]],
    }
    old = _one(dataset, "slm-forest", tmp_path / "o.json")
    assert all(text in old["question"] for text in said[:5])
    assert old["answer"] == FOLLOWUP.answer


def test_the_predecessors_list_holds_all_kept_rows_in_its_four_keys(dataset, tmp_path):
    out = tmp_path / "deep" / "list.json"
    assert export(dataset, "slm-forest", out) == 1502
    rows = json.loads(out.read_text(encoding="utf-8"))
    assert all(list(row) == ["question", "answer", "type", "source"] for row in rows)
    assert Counter((row["type"], row["source"]) for row in rows) == {
        ("teacher", "openapi"): 1500,
        ("student", "openapi"): 1,
        ("teacher", "practical"): 1,
    }
    assert "\\u" not in out.read_text(encoding="utf-8")


def test_parquet_gives_back_every_row_as_it_was(dataset, tmp_path, load):
    out = tmp_path / "all.parquet"
    assert export(dataset, "parquet", out) == 1502
    file = pyarrow.parquet.ParquetFile(out)
    assert file.num_row_groups == 2
    assert file.schema_arrow.remove_metadata() == row_schema(split="string")
    rows = file.read().to_pylist()
    lines = (dataset / "train.jsonl").read_text(encoding="utf-8").splitlines()
    assert [row["split"] for row in rows] == ["train"] * 1501 + ["validation"]
    assert [{key: value for key, value in row.items() if key != "split"} for row in rows[:-1]] == [
        json.loads(line) for line in lines
    ]
    assert load("parquet", data_files=str(out))["train"][1500]["history"][1]["question"] == "누가 되나요?"


def test_an_empty_split_is_an_empty_file_of_its_format(dataset, tmp_path):
    for name in FORMATS:
        assert export(dataset, name, tmp_path / name, split="test") == 0
    assert (tmp_path / "messages").read_text() == ""
    assert json.loads((tmp_path / "alpaca").read_text()) == []
    assert pyarrow.parquet.read_table(tmp_path / "parquet").schema.names == [*row_form(), "split"]


@pytest.mark.parametrize(("said", "meant"), [("parket", "parquet"), ("ShareGPT4", "sharegpt"), ("message", "messages")])
def test_a_wrong_format_is_answered_with_the_nearest(said, meant, dataset, tmp_path):
    with pytest.raises(BadInput, match=f"혹시 '{meant}'"):
        export(dataset, said, tmp_path / "x")


def test_a_folder_without_splits_is_bad_input(dataset, tmp_path):
    with pytest.raises(BadInput, match=r"train\.jsonl"):
        export(tmp_path, "slm-forest", tmp_path / "x.json")
    (dataset / "test.jsonl").unlink()
    assert export(dataset, "messages", tmp_path / "x.jsonl") == 1502
    with pytest.raises(BadInput, match="test 묶음이 없습니다"):
        export(dataset, "messages", tmp_path / "x.jsonl", split="test")


@pytest.mark.parametrize("name", FORMATS)
def test_a_broken_row_is_named_and_the_former_file_stays(name, dataset, tmp_path):
    (tmp_path / "x").write_text("before")
    with (dataset / "validation.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"question": "q"}\n')
    with pytest.raises(BadInput, match=r"validation\.jsonl:2 \(.*answer"):
        export(dataset, name, tmp_path / "x")
    assert (tmp_path / "x").read_text() == "before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["set", "x"]


def test_a_value_of_the_wrong_type_or_an_unknown_key_is_refused_by_parquet(dataset, tmp_path):
    good = json.loads(to_json(WORKED))
    for wrong in ({"payable": 1.5}, {"articles": "제1조"}, {"gate": "korean"}, {"history": [{"question": "q"}]}):
        (dataset / "validation.jsonl").write_text(json.dumps(good | wrong) + "\n", encoding="utf-8")
        with pytest.raises(BadInput, match=rf"validation\.jsonl:1 .*{next(iter(wrong))}"):
            export(dataset, "parquet", tmp_path / "x.parquet", split="validation")


def test_no_place_for_a_system_text_is_said(dataset, tmp_path):
    with pytest.raises(BadInput, match="--system"):
        export(dataset, "parquet", tmp_path / "x", system="도우미")
