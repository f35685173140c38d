"""Every published worked example has a calculator of ours and agrees with it; every published wrong figure is contradicted."""

import importlib.util
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench"


def _load(name: str):
    """A module of bench/, which is no package, under its own name: the two import each other by it."""
    spec = importlib.util.spec_from_file_location(name, BENCH / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


cases = _load("worked_examples_cases")
known_bad = _load("known_bad_cases")
command = _load("worked_examples")
ROWS = cases.read_rows("worked_examples.jsonl")
BAD = cases.read_rows("known_bad_examples.jsonl")
needs_examples = pytest.mark.skipif(not ROWS, reason="the worked examples are not beside this checkout")


@needs_examples
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_the_row_agrees_with_our_calculator(row):
    years = cases.years_of(row)
    assert years, "no year of this row is in our tables"
    for year in years:
        answer = cases.our_answer(row, year)
        assert answer is not None, "no calculator of ours answers this row"
        assert row["expected"], "a row without figures proves nothing"
        assert {key: answer.figures.get(key) for key in row["expected"]} == row["expected"]


@needs_examples
def test_no_row_is_left_without_a_calculator():
    assert len(ROWS) >= 76
    left = [row["id"] for row in ROWS if any(cases.our_answer(row, year) is None for year in cases.years_of(row))]
    assert left == []


@needs_examples
def test_only_named_rows_run_in_another_year():
    moved = {row["id"] for row in ROWS if str(cases.years_of(row)[0]) not in _stated(row)}
    assert moved == set(cases.RUN_IN_ANOTHER_YEAR)


def _stated(row) -> list[str]:
    first, _, last = row["when"].partition("~")
    return [str(year) for year in range(int(first), int(last or first) + 1)]


@needs_examples
def test_a_row_no_calculator_knows_is_not_passed_over():
    strange = {**ROWS[0], "tax": "관세"}
    assert cases.our_answer(strange, 2025) is None
    assert command.compare({**strange, "when": "2025"})[2] is False
    wrong = {**ROWS[0], "expected": {key: amount + 1 for key, amount in ROWS[0]["expected"].items()}}
    assert command.compare(wrong)[2] is False


@pytest.mark.skipif(not BAD, reason="the wrong examples are not beside this checkout")
def test_each_published_wrong_figure_is_contradicted():
    found = known_bad.refutations()
    assert {case.id for case in found} | set(known_bad.NO_FIGURE) == {row["id"] for row in BAD}
    assert [case.id for case in found if not case.refuted] == []


@needs_examples
def test_the_command_prints_every_row_and_says_all_is_well(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(command, "DOCUMENT", tmp_path / "worked_examples.md")
    monkeypatch.setattr(sys, "argv", ["worked_examples.py"])
    assert command.main() == 0
    page = (tmp_path / "worked_examples.md").read_text(encoding="utf-8")
    assert all(f"| {row['id']} |" in page for row in ROWS) and "불일치" not in page
    assert page in capsys.readouterr().out


def test_without_the_examples_the_command_says_where_they_should_be(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(cases, "DATA", tmp_path)
    monkeypatch.setattr(sys, "argv", ["worked_examples.py"])
    assert command.main() == 2
    assert "worked_examples.jsonl" in capsys.readouterr().err
