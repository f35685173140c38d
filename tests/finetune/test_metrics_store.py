"""Where numbers go: always into metrics.jsonl, elsewhere only when asked, and never over the network by default."""

import json
import sys
from types import SimpleNamespace

import pytest

from finetune.errors import InputError
from finetune.metrics_store import chosen_store, open_metrics, read_steps, store_line
from finetune.usage import UsageSampler


def lines(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]


def test_every_record_is_on_disk_at_once(tmp_path):
    with open_metrics(tmp_path, "jsonl", "p", "n") as metrics:
        metrics.write("step", {"step": 1, "loss": 0.1 + 0.2, "margin": None, "stage": "단계"})
        assert lines(tmp_path) == [{"kind": "step", "step": 1, "loss": 0.1 + 0.2, "stage": "단계"}]
        metrics.write("usage", {"cores": 1.9})
    assert "단계" in (tmp_path / "metrics.jsonl").read_text(encoding="utf-8")
    assert [record["step"] for record in read_steps(tmp_path / "metrics.jsonl")] == [1]


def test_a_resumed_run_writes_the_records_of_its_checkpoint_and_drops_later_ones(tmp_path):
    with open_metrics(tmp_path, "jsonl", "p", "n") as metrics:
        for step in (1, 2, 3):
            metrics.write("step", {"step": step})
        kept = metrics.records[:2]
    with open_metrics(tmp_path, "jsonl", "p", "n", kept) as metrics:
        metrics.write("step", {"step": 3, "again": True})
    assert lines(tmp_path) == [*kept, {"kind": "step", "step": 3, "again": True}]


@pytest.mark.parametrize("store", ["trackio", "tensorboard", "wandb"])
def test_a_missing_library_is_named_before_anything_is_written(tmp_path, monkeypatch, store):
    monkeypatch.setattr("finetune.metrics_store.find_spec", lambda name: None)
    with (
        pytest.raises(InputError, match=f"pip install {store}"),
        open_metrics(tmp_path, store, "p", "n"),
    ):
        pass
    assert not list(tmp_path.iterdir())


class Recorder:
    """Stands for trackio, or for wandb and its run."""

    def __init__(self):
        self.begun, self.logged, self.ended = {}, [], 0

    def init(self, **options):
        self.begun = options
        return self

    def log(self, numbers, step=None):
        self.logged.append(numbers)

    def finish(self):
        self.ended += 1


@pytest.mark.parametrize(("store", "local"), [("trackio", {"resume": "allow"}), ("wandb", {"mode": "offline"})])
def test_a_named_store_gets_the_numbers_and_jsonl_is_still_written(tmp_path, monkeypatch, store, local):
    recorder = Recorder()
    monkeypatch.delenv("WANDB_MODE", raising=False)
    monkeypatch.setattr("finetune.metrics_store.find_spec", lambda name: SimpleNamespace())
    monkeypatch.setitem(sys.modules, store, recorder)
    with open_metrics(tmp_path, store, "slm-forest", "demo") as metrics:
        metrics.write("step", {"step": 1, "loss": 2.5, "stage": "m2"})
        metrics.write("accuracy", {"accuracy": 0.5, "stage": "m2"})
    assert recorder.logged == [{"train/m2/step": 1, "train/m2/loss": 2.5}, {"accuracy/accuracy": 0.5}]
    assert recorder.ended == 1 and len(lines(tmp_path)) == 2
    assert recorder.begun["name"] == "demo" and local.items() <= recorder.begun.items()
    assert not {"space_id", "server_url"} & set(recorder.begun)


def test_the_default_is_trackio_where_it_is_installed(monkeypatch):
    monkeypatch.setattr("finetune.metrics_store.find_spec", lambda name: SimpleNamespace())
    assert chosen_store("auto") == "trackio" and "trackio show" in store_line("trackio")
    monkeypatch.setattr("finetune.metrics_store.find_spec", lambda name: None)
    assert chosen_store("auto") == "jsonl"


def test_the_real_trackio_keeps_every_number_here_and_opens_no_socket(tmp_path, monkeypatch, capsys):
    """The default store must not phone home, and its greeting must not drown the run's own lines."""
    import socket
    import sqlite3

    trackio = pytest.importorskip("trackio")
    for name in ("TRACKIO_SPACE_ID", "TRACKIO_SERVER_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("trackio.sqlite_storage.TRACKIO_DIR", tmp_path / "trackio")

    def refuse(self, address):
        raise AssertionError(f"a socket was opened: {address}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "bind", refuse)
    for first in (1, 4):  # the second time as a resumed run
        with open_metrics(tmp_path, "trackio", "slm-forest-test", "demo") as metrics:
            for step in range(first, first + 3):
                metrics.write("step", {"step": step, "loss": 2.5 / step, "stage": "m2"})
    assert trackio and not capsys.readouterr().out
    (file,) = (tmp_path / "trackio").glob("slm-forest-test*.db")
    with sqlite3.connect(file) as stored:
        names, rows = zip(*stored.execute("select run_name, metrics from metrics").fetchall(), strict=True)
    assert set(names) == {"demo"} and len(rows) == 6


def test_jsonl_alone_loads_no_library(tmp_path):
    before = set(sys.modules)
    with open_metrics(tmp_path, "jsonl", "p", "n"):
        pass
    assert not {"trackio", "wandb", "tensorboard"} & (set(sys.modules) - before)


def test_use_of_the_machine_is_sampled_once_a_minute():
    now = [0.0]
    sampler = UsageSampler(60, lambda: now[0])
    now[0] = 59
    assert sampler.sample() is None
    now[0] = 61
    record = sampler.sample()
    assert record["cores"] >= 0 and record["memory_gib"] > 0.01 and record["free_gib"] > 0
    assert sampler.sample() is None
