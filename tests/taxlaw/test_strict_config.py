"""A config key that does nothing costs a user a night's run; here every such key is an error that names the right one."""

import pytest

from taxlaw.errors import ConfigError
from taxlaw.strict_config import StrictModel, load_config


class Lora(StrictModel):
    rank: int = 16
    alpha: int = 32


class Config(StrictModel):
    learning_rate: float
    lora: Lora = Lora()
    either: Lora | None = None


def _load(tmp_path, text):
    path = tmp_path / "c.yaml"
    path.write_text(text, encoding="utf-8")
    return load_config(path, Config)


def test_a_right_file_is_read(tmp_path):
    assert _load(tmp_path, "learning_rate: 5.0e-4\nlora: {rank: 8}\n") == Config(learning_rate=5e-4, lora=Lora(rank=8))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("learning_rat: 1\n", "혹시 'learning_rate'?"),
        ("learning_rate: 1\nlora: {rnak: 8}\n", "lora.rnak: 모르는 키입니다 (unknown key). 혹시 'rank'?"),
        ("learning_rate: 1\neither: {alhpa: 8}\n", "혹시 'alpha'?"),
        ("learning_rate: 1\nzzz: 8\n", "쓸 수 있는 키: either, learning_rate, lora"),
        ("learning_rate: fast\n", "받은 값: 'fast'"),
        ("learning_rate: [1\n", "YAML 형식"),
        ("- 1\n", "최상위"),
    ],
)
def test_a_wrong_file_is_refused_with_what_to_do(tmp_path, text, said):
    with pytest.raises(ConfigError, match=r"c\.yaml") as caught:
        _load(tmp_path, text)
    assert said in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match="설정 파일이 없습니다"):
        load_config(tmp_path / "none.yaml", Config)
