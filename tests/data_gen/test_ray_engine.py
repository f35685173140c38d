"""A build on a local two-worker Ray: the same outcomes as without it, nothing paid for twice whoever is killed."""

import asyncio
import contextlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import pytest

from data_gen.errors import DataGenError
from data_gen.store import Store
from data_gen.teacher_settings import OpenAISettings, RecordedSettings

HERE = Path(__file__).parent
KEY = "sk-" + "raytest" * 4
NUMBER = 60


def _module(name: str):
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _settings(**changes) -> OpenAISettings:
    return OpenAISettings(kind="openai", model="m", **changes)


def test_the_workers_together_never_exceed_the_teachers_limits():
    from data_gen.ray_engine import share_of

    share = share_of(_settings(concurrency=17, rpm=100, tpm=3000), 3)
    assert (share.concurrency, share.rpm, share.tpm) == (5, pytest.approx(100 / 3), 1000)
    assert share_of(_settings(concurrency=3), 3).concurrency == 1
    with pytest.raises(DataGenError, match="concurrency"):
        share_of(_settings(concurrency=2), 3)
    recorded = RecordedSettings(kind="recorded")
    assert share_of(recorded, 3) is recorded


def test_without_ray_the_extra_is_named(monkeypatch, tmp_path):
    from data_gen.ray_engine import ray_run

    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(DataGenError, match=r"slm-forest\[ray\]"), ray_run(tmp_path / "s.sqlite", {}):
        pass


@pytest.fixture
def scratch():
    """A short path (Ray puts sockets there), gone at the end with every process that was started in it."""
    pytest.importorskip("ray", reason="the extra slm-forest[ray] is not installed")
    folder = Path(tempfile.mkdtemp(prefix="rt-"))
    yield folder
    for pid in _processes(folder):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


def _processes(folder: Path) -> list[int]:
    """Processes whose environment names ``folder``: the driver, and all that Ray started for it."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and f"TMPDIR={folder}".encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
    return found


def _start(scratch: Path, url: str, out: Path, **options) -> subprocess.Popen:
    told = {"url": url, "store": str(scratch / "store.sqlite"), "out": str(out), "number": NUMBER} | options
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    environment |= {
        "TMPDIR": str(scratch),
        "WORKER_PIDS": str(scratch / "pids"),
        "PYTHONPATH": str(HERE.parents[1]),
    }
    command = [sys.executable, str(HERE / "ray_driver.py"), json.dumps(told)]
    with (scratch / "said").open("wb") as said:
        pipes = {"stdin": subprocess.PIPE, "stdout": said, "stderr": said}
        process = subprocess.Popen(command, cwd=scratch, env=environment, **pipes)
    process.stdin.write(f"{KEY}\n".encode())
    process.stdin.close()
    return process


def _until(condition, what: str, scratch: Path, seconds: float = 240) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            begun = (scratch / "pids").read_text().split() if (scratch / "pids").exists() else []
            pytest.fail(f"{seconds} s without {what}; workers begun: {begun}; said: {(scratch / 'said').read_text()}")
        time.sleep(0.02)


def test_killed_driver_and_killed_worker_lose_and_repeat_nothing_that_was_stored(scratch):
    endpoints, driver = _module("fake_endpoint"), _module("ray_driver")
    trouble = endpoints.Script(latency_ms=100, shares={"throttle": 0.1, "error": 0.05, "drop": 0.05}, key=KEY)
    with endpoints.serving(trouble) as endpoint:
        first = _start(scratch, endpoint.url, scratch / "never")
        _until(lambda: len(_answered(endpoint)) >= 20 or first.poll() is not None, "twenty answers", scratch)
        first.kill()
        assert first.wait() == -signal.SIGKILL, (scratch / "said").read_text()
        _until(lambda: not _processes(scratch), "the cluster to follow its driver", scratch)
        stored = _stored(scratch)
        in_flight = 8
        assert len(_answered(endpoint)) - in_flight <= len(stored) <= len(_answered(endpoint)) < NUMBER
        before = len(endpoint.log)

        second = _start(scratch, endpoint.url, scratch / "out.json", kill_worker=True, wrong_key=True)
        assert second.wait(timeout=240) == 0, (scratch / "said").read_text()
        _until(lambda: not _processes(scratch), "no process to be left", scratch)
        record = json.loads((scratch / "out.json").read_text(encoding="utf-8"))
        again = [row["hash"] for row in endpoint.log[before:] if row["kind"] == "ok"]

    # Every document ended, as it does on one machine and an endpoint that never fails.
    with endpoints.serving() as calm, pytest.MonkeyPatch.context() as patch:
        patch.setenv(driver.KEY_ENV, KEY)
        patch.setenv("WORKER_PIDS", str(scratch / "pids"))
        expected = asyncio.run(driver.local(calm.url, scratch / "local.sqlite", NUMBER))
    assert {int(ordinal): outcomes for ordinal, outcomes in record["found"].items()} == _as_json(expected)

    # Nothing that was stored was asked again; twice was asked only what a killed process had under way.
    assert not set(again) & stored
    assert len(_stored(scratch)) == len(set(again) | stored) == NUMBER
    assert sum(Counter(again).values()) - len(set(again)) <= in_flight // 2
    assert len(set((scratch / "pids").read_text().split())) >= 5
    assert (record["charged"], record["in_flight"], record["reserved_usd"]) == (len(set(again)), 0, 0.0)

    # A refused key comes back as the error it is, and no key is in anything that was written or said.
    assert record["said"].startswith("DataGenError: 교사 서버가 키를 거부했습니다 (HTTP 401)")
    _no_key_in(scratch)


def _answered(endpoint) -> list[dict]:
    return [row for row in endpoint.log if row["kind"] == "ok"]


def _stored(scratch: Path) -> set[str]:
    with Store(scratch / "store.sqlite", read_only=True) as store:
        return {stored.key for stored in store.responses()}


def _as_json(value):
    found = json.loads(json.dumps(value))
    return {int(ordinal): outcomes for ordinal, outcomes in found.items()}


def _no_key_in(folder: Path) -> None:
    """Nor in what the runs printed, which lies there too.  The first cluster was killed, so its logs were not removed."""
    logs = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    assert any(path.name.startswith("gcs_server") for path in logs)
    assert not [path for path in logs if KEY.encode() in path.read_bytes()]
