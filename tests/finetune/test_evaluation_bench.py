"""bench/student.py from a run folder to its record, with a two-layer model as the student and as the base."""

import argparse
import json
import sys
from pathlib import Path

import pytest

from finetune.data import Row

REPO = Path(__file__).resolve().parents[2]
LAW = "상속세 및 증여세법"
SOURCES = f"1. {LAW} 제53조(증여재산 공제) [시행 2024-01-01]\n① 공제한다."


@pytest.fixture
def command(monkeypatch):
    """The command's module, and what it needs found as it finds it: after the packages."""
    monkeypatch.setattr(sys, "path", [*sys.path, str(REPO / "bench")])
    import student

    return student


@pytest.fixture
def run(tiny, tiny_base, tokenizer, tmp_path):
    """(run folder, dataset folder) whose student was never trained."""
    from finetune.base import load_model
    from finetune.gguf_export import export_gguf
    from finetune.settings import Base, RunConfig, Train

    said = {"call": None, "payable": None, "as_of": "2025-07-01"}
    law = {**said, "style": "plain", "evidence": SOURCES, "articles": [f"{LAW} 제53조"], "question": "공제는?"}
    rows = [
        *(tiny.row(n, amount, payable=38_800_000) for n, amount in enumerate(tiny.AMOUNTS[:3])),
        tiny.row(10, "1억원", **{**said, "style": "ask_back", "question": "세금은?"}),
        tiny.row(11, "1억원", **{**said, "style": "refusal", "question": "날씨는?"}),
        tiny.row(12, "1억원", family="grounded:가", held_out="documents", **law),
        tiny.row(13, "1억원", family="law:가", **law),
    ]
    dataset = tiny.write_dataset(tmp_path / "dataset", rows[:1], rows[:1])
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (dataset / "test.jsonl").write_text(lines, encoding="utf-8")
    recorded = {"question": "공제는?", "style": "plain", "answer": f"{LAW} 제53조에 따릅니다.", "note": "녹음"}
    (dataset / "recorded_answers.jsonl").write_text(json.dumps(recorded, ensure_ascii=False) + "\n", encoding="utf-8")
    folder = tmp_path / "run"
    folder.mkdir()
    export_gguf(load_model(tiny_base, "float32"), tokenizer, folder / "student-F32.gguf", "F32", "tiny")
    config = RunConfig(
        dataset=dataset, out=folder, base=Base(folder=tiny_base.folder), train=Train(learning_rate=1e-3, max_steps=1)
    )
    record = {
        "student": {"gguf": "student-F32.gguf", "quantisation": "F32", "style": "program"},
        "base": {"key": tiny_base.key, "vocabulary": None},
        "config": json.loads(config.model_dump_json()),
    }
    (folder / "run.json").write_text(json.dumps(record, ensure_ascii=False), encoding="utf-8")
    return folder, dataset


def test_one_command_makes_every_figure_and_goes_on_where_it_was(command, run, tmp_path, monkeypatch):
    import student_measure
    import student_page
    import student_worked

    from finetune.evaluation import found_sources
    from finetune.evaluation.subjects import Caps

    folder, _ = run
    (tmp_path / "law.md").write_text("글", encoding="utf-8")

    class Nothing:
        describe = staticmethod(lambda: "조문 0개")
        find = staticmethod(lambda question, as_of, limit: ())

    opened = []
    monkeypatch.setattr(found_sources, "open_sources", lambda folders, say: opened.append(folders) or Nothing())
    monkeypatch.setattr("serve.opening.recognise", lambda name: ("gguf", folder / "student-F32.gguf"))
    for module, name in ((student_measure, "CAPS"), (student_worked, "CAPS"), (student_measure, "BASE_CAPS")):
        monkeypatch.setattr(module, name, Caps(worked=9, words=8))
    monkeypatch.setattr(student_measure, "speeds", lambda *given: {"given": given[2:]})
    options = {"run": folder, "compare": [folder / "student-F32.gguf"], "worked": folder, "dataset": None, "rows": None}
    everyday = student_measure.everyday
    monkeypatch.setattr(student_measure, "everyday", lambda file: everyday(file)[:2])
    options |= {
        "learned": [],
        "worked_learned": [],
        "worked_rows": None,
        "base_rows": 2,
        "compare_rows": 2,
        "folder": [tmp_path],
        "no_search": False,
        "no_speed": False,
    }
    said = []
    args = argparse.Namespace(**options, tokens=4, repeats=1)
    figures = command.measure(args, said.append)
    assert opened == [[tmp_path]]
    assert figures["rows"] == {
        **{"calculations": 3, "ask_back": 1, "refusal": 1, "quoting": 1, "documents": 1, "look_up": 2},
        **{"found_3": 1, "found_5": 1, "everyday": 2, "everyday_more": 2, "everyday_fresh": 2},
    }
    assert figures["student"]["answers"] == figures["alone"]["answers"] == 17 and figures["base"]["answers"] == 8
    assert figures["compare"][0]["difference"] == {"value": 0, "low": 0, "high": 0, "rows": 2}
    assert figures["compare"][0]["changed"] == 0 and figures["worked"]["of"]["all"]["worked"]["exact"]["rows"] == 2
    assert figures["teacher"]["teacher"]["right_article"]["value"] == 1
    assert figures["example"]["payable"] == 601_400_000
    assert figures["speed"] == {"given": (4, 1)} and figures["file"]["quantisation"] == "F32"
    assert str(tmp_path) not in json.dumps(figures, ensure_ascii=False)

    kept = folder / "kept_answers.jsonl"
    size, said[:] = kept.stat().st_size, []
    again = command.measure(args, said.append)
    assert kept.stat().st_size == size and len(said) == 1  # only what is searched: nothing was asked again
    assert {**again, "machine": 0} == {**figures, "machine": 0}
    figures["speed"] = None
    assert "20억원" in student_page.page(figures)


def test_the_speeds_of_both_are_measured_with_the_benchs_own_loop(command, run):
    import student_measure

    file = run[0] / "student-F32.gguf"
    found = student_measure.speeds(file, file, 4, 1)
    assert len(found["student_tokens_per_second"]) == len(found["base_tokens_per_second"]) == 1
    assert found["ratio"] > 0 and found["tokens"] == 4


def test_a_quick_look_asks_a_few_of_each_kind(tiny, command):
    from student_measure import sort_rows

    rows = [Row.model_validate(tiny.row(n, amount)) for n, amount in enumerate(tiny.AMOUNTS)]
    assert len(sort_rows(rows, 4).calculations) == 4 and len(sort_rows(rows).calculations) == len(rows)
