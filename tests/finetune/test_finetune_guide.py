"""The guide and every --help: a command copied from them that does not run costs a reader the first ten minutes."""

import argparse
import re
import shlex
from pathlib import Path

import pytest
import yaml

from finetune.__main__ import build_parser
from finetune.evaluation.outside import read_cases
from finetune.settings import RunConfig

REPO = Path(__file__).parents[2]
GUIDE = REPO / "docs" / "finetune.md"
HANGUL = re.compile("[가-힣]")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def commands():
    lines = [line for block in blocks("bash") for line in block.splitlines()]
    return [shlex.split(line, comments=True) for line in lines if "-m finetune " in line]


def sub_parsers():
    choices = next(one for one in build_parser()._actions if isinstance(one, argparse._SubParsersAction))
    return choices.choices


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_of_the_guide_is_one_the_program_takes(words):
    options = build_parser().parse_args(words[words.index("finetune") + 1 :])
    for file in [words[place + 1] for place, word in enumerate(words) if word in ("--config", "--config_file")]:
        assert (REPO / file).is_file()
    assert options.command in sub_parsers()


def test_the_guide_shows_every_command_and_every_student():
    assert {words[words.index("finetune") + 1] for words in commands()} == set(sub_parsers())
    text = GUIDE.read_text(encoding="utf-8")
    for path in (REPO / "configs" / "finetune").glob("*.yaml"):
        assert f"| `{path.name}` |" in text


def test_the_stages_of_the_guide_are_a_valid_config():
    (text,) = blocks("yaml")
    base = {"dataset": "datasets/demo", "out": "runs/x", "base": {"folder": "x"}}
    config = RunConfig.model_validate({**base, **yaml.safe_load(text)})
    assert [stage.kind for stage in config.stages] == ["domain", "task", "preference"]
    assert config.train.early_stop.patience == 3


def test_the_cases_of_the_guide_can_be_measured(tmp_path):
    (text,) = blocks("json")
    (tmp_path / "questions.jsonl").write_text(text, encoding="utf-8")
    first, second = read_cases(tmp_path / "questions.jsonl")
    assert first.payable == 601_400_000 and second.articles == ["상속세 및 증여세법 제53조"]


def test_measured_figures_of_the_guide_stand_in_the_documents_it_names():
    """A bench that is run again changes its page; the guide must follow."""
    text = re.sub(r"^```.*?^```", "", GUIDE.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    named = {
        name: (REPO / "docs" / name).read_text(encoding="utf-8") for name in re.findall(r"\]\(([\w.]+\.md)\)", text)
    }
    # A figure with a decimal point, or times and percent: those are measured.  95% and 1% name an interval and a rule.
    figures = set(re.findall(r"(?<![\w.])(\d+\.\d+|\d+(?=배|%))", text)) - {"95", "1", "10", "2.7", "2.8", "0.5"}
    figures.discard("0")
    assert len(figures) > 8
    pages = "\n".join(named.values())
    missing = sorted(one for one in figures if not re.search(rf"(?<![\d.]){re.escape(one)}(?![\d.]*\d)", pages))
    assert not missing, f"docs/finetune.md says what none of {sorted(named)} says (any more)"


@pytest.mark.parametrize("name", sorted(sub_parsers()))
def test_help_says_in_korean_what_each_command_and_option_does(name):
    parser = sub_parsers()[name]
    assert HANGUL.search(parser.description or "")
    for action in parser._actions:
        if action.dest != "help":
            said = action.help or ""
            assert HANGUL.search(said) or "JSON" in said, f"{name} {action.option_strings}"
            if action.option_strings and action.default not in (None, False, [], "") and name != "plan":
                assert "기본" in said, f"{name} {action.option_strings}: no default named"
