"""A student with added pieces beside the one it was made from: paired differences and the page, on answers whose worth is known."""

import json
import sys

import pytest
from student_cases import BENCH, calculation

from finetune.evaluate import Generation
from finetune.evaluation.measures import measure


@pytest.fixture(scope="module")
def modules():
    sys.path.append(str(BENCH))
    import extended
    import extended_page

    yield extended, extended_page
    sys.path.remove(str(BENCH))


def answered(row, right):
    text = row.call if right else row.call.replace("억", "조")
    return measure(row, Generation(text, True, 20), "program", alone=True)


def test_differences_are_paired_by_question(modules):
    rows = [calculation(number) for number in range(1, 9)]
    sides = {
        "fitted": {"calculations": [answered(row, place != 0) for place, row in enumerate(rows)]},
        "extended": {"calculations": [answered(row, place > 2) for place, row in enumerate(rows)]},
    }
    found = modules[0].pair(sides, "calculations")
    assert (found["fitted"]["value"], found["extended"]["value"]) == (0.875, 0.625)
    assert (found["better"], found["worse"], found["difference"]["value"]) == (0, 2, -0.25)
    assert modules[0].pair({"fitted": {"refusal": []}, "extended": {"refusal": []}}, "refusal") is None


def figures(difference, ratio):
    share = {"value": 0.9, "low": 0.85, "high": 0.95, "rows": 100}
    one = {"fitted": share, "extended": share, "better": 1, "worse": 2}
    one |= {"difference": {"value": difference, "low": difference - 0.01, "high": difference + 0.01, "rows": 100}}
    speed = {"ratio": ratio, "load": [0.5, 0.4, 0.3]}
    return {
        "command": "python bench/extended.py",
        "date": "2026-01-02",
        "commit": "abc",
        "machine": {"cores": 2},
        "pieces_in": "everything",
        "files": {
            "fitted": {"bytes": 73e6, "name": "a"},
            "extended": {"bytes": 76e6, "name": "more", "legs": ["first", "more"]},
            "unfitted": {"bytes": 2.5e8},
        },
        "exact": {"alone": {"calculations": one}, "served": {"calculations": one, "refusal": one}},
        "ended": {"fitted": share, "extended": share},
        "answer_tokens": {"fitted": {"value": 30.0}, "extended": {"value": 20.0}},
        "characters_per_token": {"fitted": {"calls": 2.0}, "extended": {"calls": 4.0}},
        "speed": {"fitted": speed, "extended": speed},
        "whole_answers": {"seconds": {"fitted": 0.4, "extended": 0.2}, "ratio": 2.0, "load": 0.1, "questions": 13},
    }


def test_the_page_judges_each_goal_and_leaves_what_is_by_hand(modules, tmp_path):
    page = modules[1]
    path = tmp_path / "page.md"
    made = page.write_page(figures(-0.009, 2.0), path)
    assert "**not met**" not in made and made.count(", met") == 4 and "4.00, met" in made
    path.write_text(path.read_text(encoding="utf-8") + "\nmy words\n", encoding="utf-8")
    made = page.write_page(figures(-0.011, 1.4), path)
    assert made.count("**not met**") == 3  # 2.8 times the characters a second, and both differences as served
    assert "`configs/finetune/first.yaml`, then `configs/finetune/more.yaml` (76 MB)" in made
    text = path.read_text(encoding="utf-8")
    assert text.startswith(made) and text.endswith("my words\n") and text.count(page.MARKER) == 1


def test_the_legs_of_a_student_are_those_whose_runs_are_beside_it(modules, tmp_path):
    for name, start in (("shipped", None), ("first", "students/shipped/adapter"), ("more", "runs/first/adapter")):
        (tmp_path / name).mkdir()
        record = {"config": {"out": f"runs/{name}", "lora": {"start": start}}}
        (tmp_path / name / "run.json").write_text(json.dumps(record), encoding="utf-8")
    (tmp_path / "more").rename(tmp_path / "opened")  # a shipped student bears another name
    assert modules[0].legs(tmp_path / "opened", tmp_path / "shipped") == ["first", "more"]
    (tmp_path / "first/run.json").unlink()
    assert modules[0].legs(tmp_path / "opened", tmp_path / "shipped") == ["more"]
