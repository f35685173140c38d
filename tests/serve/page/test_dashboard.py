"""The dashboard: every plot has its table, nothing is a blank, and what a record says cannot become markup."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest

from serve.page.dashboard import build_dashboard, dashboard_html
from serve.page.dashboard_facts import dataset_funnel, student_report
from serve.records.figures import Counts, Figures, Latency, VerdictDay, VoteDay
from serve.settings import Student

RUN = {
    "student": {"gguf": "s.gguf"},
    "data": {"dataset": "mine"},
    "eval": {
        "base": {"rows": 16, "exact": 0.0, "per_tax": {"gift": {"rows": 8, "exact": 0.0}}},
        "student": {
            "rows": 96,
            "exact": 0.8958,
            "per_tax": {"gift": {"rows": 24, "exact": 0.75}, "novel_tax": {"rows": 24, "exact": 1.0}},
        },
    },
}
ESTIMATE = {"value": 0.9, "low": 0.8, "high": 0.95, "rows": 96}
LINE = {"name": "student", "title": "GGUF Q8_0", "exact": ESTIMATE, "bytes": 110_000_000, "right": [], "kept": None}
BUILD = {
    "config": {},
    "counts": {
        "requested": 100,
        "accepted": 80,
        "rejected": 15,
        "failed": 5,
        "by_gate": {"duplicate": 5, "schema": 10},
    },
}
FIGURES = Figures(
    Counts(2, 12, 20, 3, 0, 1, 0.5, (("no_key", 2),)),
    (VoteDay(date(2026, 11, 1), {"student": 2, "teacher": 1}, 1, 0),),
    (VerdictDay(date(2026, 11, 1), "student", 10, 9, {"confirmed": 7, "fault": 1}),),
    (Latency("student", "<b>모델</b>", 10, 0.2, 0.5, 1.0, 2.5, 70.0, 30.0),),
)
RECORDS = SimpleNamespace(path=None, problem=None, keeping=True)


@pytest.fixture
def scene(demo_config, as_of, tmp_path: Path, monkeypatch):
    """An engine over files in ``tmp_path``; ``write`` makes them, ``show`` draws with the given figures of the records."""
    config = demo_config(teacher={"recorded_folder": str(tmp_path / "datasets" / "demo")})
    student = Student(tmp_path / "runs" / "mine" / "s.gguf", "mine/s")
    engine = SimpleNamespace(config=config, described=student, records=RECORDS, as_of=as_of)

    def write(path: str, content: object) -> None:
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")

    def show(figures: Figures = Figures()) -> str:
        monkeypatch.setattr("serve.page.dashboard.figures_of", lambda path: figures)
        return dashboard_html(engine)

    return SimpleNamespace(engine=engine, config=config, student=student, write=write, show=show)


def test_without_any_data_every_part_says_what_would_fill_it(scene) -> None:
    html = scene.show()
    assert "<svg" not in html and html.count("<section>") == 7
    for word in (
        "finetune run",
        "finetune eval",
        "data_gen build",
        "아직 기록이 없습니다",
        "아직 투표가 없습니다",
        "아직 잰 답이",
    ):
        assert word in html
    scene.engine.records = None
    assert "records.path: null" in scene.show()
    scene.engine.records = SimpleNamespace(path=None, problem="디스크가 가득 찼습니다", keeping=True)
    assert "디스크가 가득 찼습니다" in scene.show()


def test_every_plot_stands_with_the_same_numbers_as_a_table(scene) -> None:
    scene.write("runs/mine/run.json", RUN | {"survival": {"lines": [LINE]}})
    scene.write("datasets/mine/run.json", BUILD)
    html = scene.show(FIGURES)
    assert html.count("<svg") == html.count("<table>") == html.count("<figure") == 6
    for cell in ("89.6%", "75.0%", "90.0% (80.0%–95.0%)", "110 MB", "9/10", "2.50초", "novel_tax", "80"):
        assert f"<td>{cell}</td>" in html, cell
    assert "증여세" in html and "no_key 2" in html and "$0.5000" in html
    assert "100쌍 가운데 80쌍" in html


def test_a_picture_follows_the_theme_and_needs_no_font(scene) -> None:
    scene.write("runs/mine/run.json", RUN)
    picture = re.search(r"<svg.*?</svg>", scene.show(FIGURES), re.DOTALL).group()
    assert "currentColor" in picture and "#010203" not in picture and ">증여세<" in picture
    assert 'aria-hidden="true"' in picture and "matplotlib" not in picture.lower()
    assert "fill: #ffffff" not in picture, "a white ground would be a lamp in dark mode"


def test_two_pictures_do_not_share_the_names_of_their_parts(scene) -> None:
    scene.write("runs/mine/run.json", RUN | {"survival": {"lines": [LINE]}})
    scene.write("datasets/mine/run.json", BUILD)
    pictures = re.findall(r"<svg.*?</svg>", scene.show(FIGURES), re.DOTALL)
    clips = [set(re.findall(r'<clipPath id="([^"]+)"', picture)) for picture in pictures]
    assert all(clips), "every picture clips its bars"
    assert len(set.union(*clips)) == sum(len(some) for some in clips)


def test_words_of_a_record_cannot_become_markup(scene) -> None:
    html = scene.show(FIGURES)
    assert "<b>모델</b>" not in html and "&lt;b&gt;모델&lt;/b&gt;" in html


def test_a_record_that_cannot_be_read_is_said_to_be_so(scene) -> None:
    scene.write("runs/mine/run.json", "{half")
    html = scene.show()
    assert "run.json" in html and "읽을 수 없습니다" in html
    scene.write("runs/mine/run.json", RUN | {"eval": {"student": {"rows": "많음", "exact": 0.5}}})
    assert "rows" in student_report(scene.student).problem


def test_a_later_evaluation_is_preferred_to_the_runs_own(scene) -> None:
    scene.write("runs/mine/run.json", RUN | {"survival": {"lines": [LINE | {"title": "처음"}]}})
    assert [line.title for line in student_report(scene.student).survival] == ["처음"]
    scene.write("runs/mine/eval/eval.json", {"models": {}, "survival": {"lines": [LINE | {"title": "**나중**"}]}})
    assert [line.title for line in student_report(scene.student).survival] == ["나중"]


def test_the_funnel_is_of_the_dataset_the_student_was_trained_on(scene) -> None:
    scene.write("datasets/demo/run.json", BUILD)
    assert dataset_funnel(scene.config, scene.student).dataset == "demo"
    scene.write("runs/mine/run.json", RUN)
    scene.write("datasets/mine/run.json", BUILD)
    funnel = dataset_funnel(scene.config, scene.student)
    assert funnel.dataset == "mine"
    assert funnel.steps == (("요청", 100), ("답을 받음", 95), ("형식 통과", 85), ("중복 통과", 80))
    scene.write("runs/mine/run.json", RUN | {"data": {"dataset": "../../secret"}})
    assert dataset_funnel(scene.config, scene.student).dataset == "demo", "a record must not lead out of the folder"


def test_it_is_drawn_when_its_tab_is_opened_and_not_before(scene) -> None:
    import gradio as gr

    with gr.Blocks() as page, gr.Tabs():
        with gr.Tab("질문"):
            gr.Markdown("…")
        with gr.Tab("현황") as tab:
            build_dashboard(scene.engine, tab)
    events = [event for function in page.fns.values() for _, event in function.targets]
    assert sorted(events) == ["click", "select"]
    assert "그리는 중" in json.dumps(page.get_config_file(), ensure_ascii=False)


def test_it_reads_the_records_of_the_engine(scene, tmp_path: Path) -> None:
    """The real file, through the real figures: a question asked and answered is counted."""
    from serve.records.store import open_records
    from serve.settings import RecordsConfig

    scene.write("runs/mine/run.json", RUN)
    records = open_records(RecordsConfig(path=tmp_path / "records.sqlite", keep_days=90, cache_entries=0))
    try:
        records.new_turn(records.new_session("http"), "질문", date(2025, 7, 1))
        scene.engine.records = records
        assert "<dt>질문</dt><dd>1</dd>" in dashboard_html(scene.engine)
    finally:
        records.close()
