"""What a user sees when something is wrong: one clear message, exit code 2, and nothing started."""

import signal
from pathlib import Path

import pytest

from finetune.__main__ import _terminated, main
from finetune.settings import read_config
from taxlaw.errors import ConfigError

REPO = Path(__file__).parents[2]
CONFIG = """
dataset: {dataset}
out: {out}
base: {{folder: {base}}}
train: {{learning_rate: 0.01, max_steps: 2, batch_size: 4}}
"""


def write_config(tmp_path, text=CONFIG, **values):
    values = {"dataset": tmp_path / "dataset", "out": tmp_path / "runs" / "a", "base": tmp_path / "base", **values}
    path = tmp_path / "config.yaml"
    path.write_text(text.format(**values), encoding="utf-8")
    return path


@pytest.mark.parametrize("path", sorted((REPO / "configs" / "finetune").glob("*.yaml")), ids=lambda path: path.name)
def test_every_config_we_ship_is_valid(path):
    config = read_config(path)
    assert config.out.parts[0] == "runs" and config.dataset.parts[0] == "datasets"


def test_command_line_wins_over_the_file(tmp_path):
    config = read_config(write_config(tmp_path), dataset=Path("other"), out=None)
    assert config.dataset == Path("other") and config.out == tmp_path / "runs" / "a"


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ("learning_rat: 1", "learning_rat"),
        ("mix: {{worked: 0.5}}", "합은 1"),
        ("mix: {{poem: 1.0}}", "mix"),
        ("lora: {{r: 0}}", "lora.r"),
        ("export: {{quantisation: Q2_K}}", "quantisation"),
    ],
)
def test_a_wrong_key_or_value_is_refused(tmp_path, capsys, extra, message):
    path = write_config(tmp_path, CONFIG + extra + "\n")
    assert main(["run", "--config", str(path)]) == 2
    assert message in capsys.readouterr().err


def test_an_unknown_key_is_answered_with_the_nearest(tmp_path):
    path = write_config(tmp_path, CONFIG.replace("batch_size", "batchsize"))
    with pytest.raises(ConfigError, match="혹시 'batch_size'"):
        read_config(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (CONFIG.replace("max_steps: 2, ", ""), "max_minutes"),
        (CONFIG.replace("base: {{folder: {base}}}", "base: {{hub: a/b, folder: {base}}}"), "exactly one"),
        (CONFIG.replace("base: {{folder: {base}}}", "base: {{package: some-package}}"), "sha256"),
        (CONFIG.replace("batch_size: 4", "dtype: float16"), "Phi-2"),
    ],
)
def test_settings_that_cannot_work_are_refused(tmp_path, text, message):
    with pytest.raises(ConfigError, match=message):
        read_config(write_config(tmp_path, text))


def test_missing_config_dataset_and_base_exit_with_2(tmp_path, dataset, capsys):
    assert main(["run", "--config", str(tmp_path / "none.yaml")]) == 2
    assert main(["run", "--config", str(write_config(tmp_path, dataset=tmp_path / "nowhere"))]) == 2
    assert "데이터셋 파일이 없습니다" in capsys.readouterr().err
    assert main(["run", "--config", str(write_config(tmp_path, dataset=dataset))]) == 2
    assert "config.json" in capsys.readouterr().err
    assert not (tmp_path / "runs" / "a").exists()


def test_a_malformed_row_exits_with_2_before_anything_is_loaded(tmp_path, dataset, capsys, monkeypatch):
    monkeypatch.setattr("finetune.run._run_into", lambda *arguments: pytest.fail("started"))
    with (dataset / "train.jsonl").open("a", encoding="utf-8") as handle:
        handle.write('{"question": "?"}\n')
    assert main(["run", "--config", str(write_config(tmp_path, dataset=dataset))]) == 2
    assert "train.jsonl:33" in capsys.readouterr().err


@pytest.mark.parametrize(("interrupt", "code"), [(KeyboardInterrupt(), 130), (None, 143)])
def test_ctrl_c_and_sigterm_say_what_is_left_and_exit_non_zero(tmp_path, dataset, capsys, monkeypatch, interrupt, code):
    def stop(*arguments):
        if interrupt is None:
            _terminated(signal.SIGTERM, None)
        raise interrupt

    monkeypatch.setattr("finetune.run._run_into", stop)
    before = signal.getsignal(signal.SIGTERM)
    try:
        assert main(["run", "--config", str(write_config(tmp_path, dataset=dataset))]) == code
    finally:
        signal.signal(signal.SIGTERM, before)
    assert ".partial" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["merge", "--run", "none", "--out", "x"],
        ["fit-vocab", "--config", "none.yaml", "--out", "x"],
        ["pairs", "--run", "none", "--dataset", "none", "--out", "x"],
    ],
    ids=lambda words: words[0],
)
def test_no_progress_bar_of_a_library_stands_between_our_lines(tmp_path, monkeypatch, words):
    called = []
    monkeypatch.setattr("finetune.quiet.quiet_libraries", lambda: called.append(words[0]))
    monkeypatch.chdir(tmp_path)
    before = signal.getsignal(signal.SIGTERM)
    try:
        assert main(words) == 2
    finally:
        signal.signal(signal.SIGTERM, before)
    assert called == [words[0]]


def test_a_failed_check_exits_with_1(tmp_path, dataset, capsys, monkeypatch):
    from finetune.errors import GateError

    def fail(*arguments):
        raise GateError("손실이 유한하지 않습니다")

    monkeypatch.setattr("finetune.run._run_into", fail)
    before = signal.getsignal(signal.SIGTERM)
    try:
        assert main(["run", "--config", str(write_config(tmp_path, dataset=dataset))]) == 1
    finally:
        signal.signal(signal.SIGTERM, before)
    assert "손실" in capsys.readouterr().err
