from pathlib import Path

import pytest

from data_gen.errors import DataGenError
from data_gen.settings import load_build_config
from taxlaw.errors import ConfigError

CONFIGS = Path(__file__).parents[2] / "configs" / "data_gen"
# Put together here, so that no file of the repository holds anything of a key's shape.
LETTERS = "abcdefghijklmnop"
MINIMAL = "name: x\nas_of: 2026-06-01\nteacher:\n  kind: recorded\n"
LIVE = "name: x\nas_of: 2026-06-01\nteacher:\n  kind: openai\n  model: gpt-4o\n"


def load(tmp_path, text):
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return load_build_config(path)


@pytest.mark.parametrize("path", [CONFIGS / "demo.yaml", CONFIGS / "openai.yaml"], ids=lambda path: path.name)
def test_shipped_configs_load(path):
    assert load_build_config(path).worked.count > 0


def test_an_unknown_key_is_answered_with_the_nearest(tmp_path):
    with pytest.raises(ConfigError, match="validation"):
        load(tmp_path, MINIMAL + "splits: {validaton: 0.1}\n")
    with pytest.raises(ConfigError, match="concurrency"):
        load(tmp_path, LIVE + "  concurency: 3\n")
    with pytest.raises(ConfigError, match="count"):
        load(tmp_path, MINIMAL + "worked:\n  cuont: 3\n")


@pytest.mark.parametrize(
    "line",
    [
        "  api_key: abc\n",
        f"  key_env: sk-{LETTERS}\n",
        f"  key_env: up_{LETTERS}\n",
        "  key_env: 'mysecretvalue123'\n",
        f"  base_url: http://localhost/?k=sk-{LETTERS}\n",
        f"  model: up_{LETTERS}\n",
    ],
)
def test_a_key_in_yaml_is_refused_and_never_echoed(tmp_path, line):
    with pytest.raises(DataGenError, match="API 키로 보이는 값") as caught:
        load(tmp_path, LIVE + line)
    assert line.split(":", 1)[1].strip().strip("'") not in str(caught.value)


def test_impossible_values_are_refused(tmp_path):
    for line in (
        "splits: {validation: 1.0}\n",
        "splits: {validation: 0.6, test: 0.4}\n",
        "max_usd: 0\n",
        "worked: {count: 5, shares: {gift: 0}}\n",
        "name: ../up\n",
        "tasks: [pears]\n",
    ):
        with pytest.raises(ConfigError):
            load(tmp_path, MINIMAL.replace("name: x\n", "") + ("" if "name" in line else "name: x\n") + line)


def test_zero_is_a_value_not_a_default(tmp_path):
    live = load(tmp_path, LIVE + "  temperature: 0\n  retries: 0\n").teacher
    assert (live.temperature, live.retries) == (0.0, 0)
