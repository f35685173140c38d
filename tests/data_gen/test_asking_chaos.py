"""An endpoint that misbehaves in every way at once, and a run that is killed outright: nothing lost, nothing paid twice."""

import asyncio
import importlib.util
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from data_gen.store import Store

DRIVER = Path(__file__).with_name("asking_driver.py")
CHAOS = {"throttle": 0.10, "error": 0.03, "drop": 0.02, "bad_json": 0.02, "hang": 0.01}
USELESS = {"truncate": 0.02, "refuse": 0.02, "malformed": 0.03, "empty": 0.01, "think": 0.05}
GOOD = '{"text": "10년 동안 5,000만원을 뺍니다."}'
CONCURRENCY = 24


@pytest.fixture
def driver(monkeypatch):
    monkeypatch.setenv("FAKE_TEACHER_KEY", "test-value")
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    spec = importlib.util.spec_from_file_location("asking_driver", DRIVER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def completions(log):
    """Ids of the completions that the endpoint answered, by key, in order."""
    found = defaultdict(list)
    for row in log:
        assert row["hash"] == row["key"], "the key that is sent is the hash of the body that is sent"
        if row["id"]:
            found[row["hash"]].append(row["id"])
    return found


def test_every_document_of_a_chaotic_run_ends_answered_or_failed_with_a_reason(fake, driver, tmp_path):
    number = 300
    script = fake.Script(seed=5, latency_ms=5, sigma=0.5, shares=CHAOS | USELESS, retry_after_ms="30", content=GOOD)
    with fake.serving(script) as endpoint, Store(tmp_path / "store.sqlite") as store:
        settings = driver.settings_for(endpoint.url, CONCURRENCY)
        outcomes = asyncio.run(driver.run(settings, store, number))
        stored, notes = list(store.responses()), store.notes()
    assert set(outcomes) == {f"law:{one}" for one in range(number)}
    counts = Counter(what for what, _ in outcomes.values())
    assert counts["answered"] + counts["failed"] == number and counts["answered"] > 0.98 * number
    assert all(why for _, why in outcomes.values())
    # Each completion that the endpoint gave is stored, once, and no request was answered twice.
    given = completions(endpoint.log)
    assert {one.key: [one.response_id] for one in stored} == given
    answered = {one.document_id for one in stored if one.status == "ok"}
    assert answered == {name for name, (what, _) in outcomes.items() if what == "answered"}
    # Every kind of misbehaviour happened, and each that gave no response is on record.
    kinds = Counter(row["kind"] for row in endpoint.log)
    assert set(CHAOS | USELESS) <= set(kinds)  # the seed sees to it
    assert sum(notes.values()) == sum(kinds[kind] for kind in CHAOS)
    assert endpoint.most_in_flight <= CONCURRENCY


def test_a_run_killed_three_times_pays_for_no_stored_request_twice(fake, driver, tmp_path):
    number, path, out = 250, tmp_path / "store.sqlite", tmp_path / "outcomes.json"
    script = fake.Script(seed=9, latency_ms=10, sigma=0.5, shares=CHAOS | USELESS, retry_after_ms="30", content=GOOD)
    moments = sorted(random.Random(11).sample(range(60, 280), 3))
    kept: dict[str, str] = {}
    with fake.serving(script) as endpoint:
        command = [sys.executable, str(DRIVER), endpoint.url, str(path), str(out), "--documents", str(number)]
        command += ["--concurrency", str(CONCURRENCY)]
        for moment in moments:
            child = subprocess.Popen(command, stderr=subprocess.PIPE)
            deadline = time.monotonic() + 60
            while endpoint.requests < moment and child.poll() is None and time.monotonic() < deadline:
                time.sleep(0.002)
            assert child.poll() is None, child.stderr.read().decode()
            os.kill(child.pid, signal.SIGKILL)
            child.wait(10)
            child.stderr.close()
            assert endpoint.requests >= moment and not out.exists()
            with Store(path, read_only=True) as store:
                now = {one.key: one.response_id for one in store.responses()}
            assert kept.items() <= now.items(), "what was stored stays stored"
            kept = now
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
    outcomes = json.loads(out.read_text(encoding="utf-8"))
    assert set(outcomes) == {f"law:{one}" for one in range(number)}
    assert sum(what == "answered" for what, _ in outcomes.values()) > 0.98 * number
    with Store(path, read_only=True) as store:
        stored = {one.key: one.response_id for one in store.responses()}
    given = completions(endpoint.log)
    assert kept.items() <= stored.items() and set(stored) == set(given)
    # The stored response is the last one that the endpoint gave for its request: once stored, it was never asked again.
    assert stored == {key: ids[-1] for key, ids in given.items()}
    # What was paid for twice is at most what was in flight at the three kills.
    assert sum(len(ids) - 1 for ids in given.values()) <= 3 * CONCURRENCY
