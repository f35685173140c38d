"""A whole build with a live teacher, from the command line: chaos, kill -9, an edited article, the cap, the estimate."""

import datetime
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import pytest

from data_gen.collect.corpus import to_line
from data_gen.documents import Document

ROOT = Path(__file__).parents[2]
CHAOS = {"throttle": 0.10, "error": 0.03, "drop": 0.02, "bad_json": 0.02, "hang": 0.01}
TASKS_PER_DOCUMENT = 2  # pairs and ask_back
NUMBERS = [number for number in range(2, 88) if number not in (13, 60, 64, 80, 82)]  # articles that stand in the law


def article(number: int, version: int = 1) -> Document:
    name = f"국세기본법 제{number}조"
    text = f"{name}\n이 조문은 {number}번째로 적은 것이고 {version}번째 판이다."
    return Document(
        f"law:{name}",
        "openapi",
        name,
        text,
        datetime.date(2026, 6, 1),
        "국세기본",
        f"v{version}",
        f"law:{name}",
        (name,),
    )


def answer(body: dict) -> str:
    """A sound answer about whichever article the prompt shows."""
    prompt = body["messages"][-1]["content"]
    if '"verdict"' in prompt:
        refused = f"국세기본법 제{NUMBERS[1]}조" in prompt
        verdict = "contradicted" if refused else "supported"
        return json.dumps({"reason": "원문과 견주어 보았습니다.", "verdict": verdict}, ensure_ascii=False)
    name = next(line for line in prompt.splitlines() if line.startswith("국세기본법 제"))
    pair = {
        "question": f"{name}의 적용을 받으려면 무엇을 갖추어야 하는지 알고 싶습니다.",
        "answer": f"{name}의 요건을 갖추었는지 먼저 살펴야 하고, 갖추지 못했으면 적용되지 않습니다.",
        "articles": [name],
    }
    if '"missing"' in prompt:
        lacking = f"거래한 날을 알려 주셔야 {name}이 적용되는지 답할 수 있습니다. 거래한 날이 언제인가요?"
        return json.dumps(pair | {"missing": ["거래한 날"], "answer": lacking}, ensure_ascii=False)
    return json.dumps({"expert": pair, "plain": pair | {"question": f"{name}이 무슨 뜻인가요?"}}, ensure_ascii=False)


@pytest.fixture
def project(tmp_path, monkeypatch):
    """(write the corpus, run the command): a folder with a config of its own, as a user has it."""
    monkeypatch.setenv("FAKE_TEACHER_KEY", "test-value")
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "corpus").mkdir()

    def write(documents) -> None:
        (tmp_path / "corpus" / "documents.jsonl").write_bytes(b"".join(to_line(document) for document in documents))

    def command(url: str, *more: str, **settings) -> list[str]:
        config = {
            "name": "live",
            "as_of": "2026-06-01",
            "documents": {"casebook": False, "provisions": "none", "corpora": [str(tmp_path / "corpus")]},
            "teacher": {"kind": "openai", "model": "gpt-4o", "key_env": "FAKE_TEACHER_KEY", "base_url": url}
            | {"concurrency": 16, "timeout_s": 1.0},
            "prices": str(ROOT / "configs" / "prices.yaml"),
            "store": str(tmp_path / "store.sqlite"),
            "tasks": ["pairs", "ask_back"],
            "gates": {"near_duplicate": None},
            "workers": 0,
        }
        path = tmp_path / "live.yaml"
        path.write_text(json.dumps(config | settings, ensure_ascii=False), encoding="utf-8")  # JSON is YAML
        out = ["--out", str(tmp_path / "set")]
        return [sys.executable, "-m", "data_gen", "build", "--config", str(path), *out, *more]

    return write, command


def run(command: list[str]) -> subprocess.CompletedProcess:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def given(log: list[dict]) -> dict[str, list[str]]:
    """Completions that the endpoint answered, by request."""
    found = defaultdict(list)
    for row in log:
        if row["id"]:
            found[row["hash"]].append(row["id"])
    return found


def outcomes(folder: Path) -> list[str]:
    names = ("train", "validation", "rejected", "failures")
    return [row["id"] for name in names for row in lines(folder / f"{name}.jsonl")]


def test_a_chaotic_build_killed_three_times_loses_nothing_and_pays_for_nothing_twice(fake, project, tmp_path):
    write, command = project
    write(article(number) for number in NUMBERS)
    script = fake.Script(seed=3, latency_ms=15, sigma=0.5, shares=CHAOS, retry_after_ms="30", model="gpt-4o")
    with fake.serving(script, answer) as endpoint:
        for moment in sorted(random.Random(7).sample(range(20, 150), 3)):
            child = subprocess.Popen(
                command(endpoint.url), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            deadline = time.monotonic() + 60
            while endpoint.requests < moment and child.poll() is None and time.monotonic() < deadline:
                time.sleep(0.002)
            assert child.poll() is None, "killed too late"
            os.kill(child.pid, signal.SIGKILL)
            child.wait(10)
            assert not (tmp_path / "set").exists()
        done = run(command(endpoint.url))
        assert done.returncode == 0, done.stderr
        answered = {key: len(ids) for key, ids in given(endpoint.log).items()}
        again = run(command(endpoint.url))
        assert again.returncode == 0, again.stderr
        # Only what had failed may be asked again; of what was stored, nothing.
        assert answered == {key: len(ids) for key, ids in given(endpoint.log).items() if key in answered}
    ids = outcomes(tmp_path / "set")
    assert len(ids) == len(set(ids)) == 3 * len(NUMBERS)
    assert all(row["reason"] for row in lines(tmp_path / "set" / "failures.jsonl"))
    assert sum(answered.values()) - len(answered) <= 3 * 16, "more was paid for twice than was in flight at the kills"
    row = lines(tmp_path / "set" / "train.jsonl")[0]
    assert row["provenance"]["request"] in answered and row["provenance"]["usd"] > 0
    left = [path.name for path in tmp_path.iterdir() if path.name.startswith(".set.")]
    assert len(left) <= 3, "a finished build leaves nothing behind; only kill -9 does"


def test_editing_one_article_asks_only_about_that_article(fake, project, tmp_path):
    write, command = project
    write(article(number) for number in NUMBERS[:20])
    with fake.serving(fake.Script(model="gpt-4o"), answer) as endpoint:
        assert run(command(endpoint.url)).returncode == 0
        assert endpoint.requests == 20 * TASKS_PER_DOCUMENT
        write(article(number, version=2 if number == NUMBERS[4] else 1) for number in NUMBERS[:20])
        done = run(command(endpoint.url))
        assert done.returncode == 0, done.stderr
        assert endpoint.requests == 21 * TASKS_PER_DOCUMENT
    record = json.loads((tmp_path / "set" / "run.json").read_text(encoding="utf-8"))
    assert record["replies"]["sent"] == TASKS_PER_DOCUMENT and record["replies"]["used"] == 20 * TASKS_PER_DOCUMENT
    assert record["usd"] > 0 and record["usage"]["input"] > 0
    versions = {row["provenance"]["document_version"] for row in lines(tmp_path / "set" / "train.jsonl")}
    assert "v1" in versions


def test_the_estimate_sends_nothing_and_the_cap_ends_the_build_whole(fake, project, tmp_path):
    write, command = project
    write(article(number) for number in NUMBERS)
    with fake.serving(fake.Script(model="gpt-4o", latency_ms=5), answer) as endpoint:
        shown = run(command(endpoint.url, "--dry-run"))
        assert shown.returncode == 0, shown.stderr
        assert endpoint.requests == 0 and "nothing was sent" in " ".join(shown.stdout.split())
        assert f"{len(NUMBERS)}" in shown.stdout
        done = run(command(endpoint.url, "--max-usd", "0.05"))
        assert done.returncode == 4, done.stderr
        assert "금액 상한" in done.stdout
        sent = endpoint.requests
        assert 0 < sent < TASKS_PER_DOCUMENT * len(NUMBERS)
        record = json.loads((tmp_path / "set" / "run.json").read_text(encoding="utf-8"))
        assert 0.04 < record["usd"] <= 0.05 + 0.01, "first answers expected longer than they are must not waste the cap"
        ids = outcomes(tmp_path / "set")
        assert len(ids) == len(set(ids)) == 3 * len(NUMBERS), "what the cap left out is a failure with that reason"
        done = run(command(endpoint.url))
        assert done.returncode == 0, done.stderr
        assert endpoint.requests == TASKS_PER_DOCUMENT * len(NUMBERS), "what was paid for under the cap is used"
    assert lines(tmp_path / "set" / "failures.jsonl") == []
    screen = shown.stdout + shown.stderr + done.stdout + done.stderr
    assert "test-value" not in screen and "test-value" not in (tmp_path / "set" / "run.json").read_text(
        encoding="utf-8"
    )


def test_a_refused_key_ends_the_build_with_a_sentence_and_leaves_the_former_dataset(fake, project, tmp_path):
    write, command = project
    write(article(number) for number in NUMBERS[:5])
    with fake.serving(fake.Script(model="gpt-4o"), answer) as endpoint:
        assert run(command(endpoint.url)).returncode == 0
    before = (tmp_path / "set" / "train.jsonl").read_bytes()
    write(article(number, version=2) for number in NUMBERS[:5])
    with fake.serving(fake.Script(model="gpt-4o", key="another"), answer) as endpoint:
        done = run(command(endpoint.url))
    assert done.returncode == 1 and "키" in done.stderr and "Traceback" not in done.stderr
    assert (tmp_path / "set" / "train.jsonl").read_bytes() == before


def test_a_judge_model_rejects_by_its_verdict_and_never_rewrites(fake, project, tmp_path):
    write, command = project
    write(article(number) for number in NUMBERS[:4])
    with fake.serving(fake.Script(model="gpt-4o"), answer) as endpoint:
        judge = {"kind": "openai", "model": "gpt-4o-mini", "key_env": "FAKE_TEACHER_KEY", "base_url": endpoint.url}
        done = run(command(endpoint.url, judge={"teacher": judge}, tasks=["pairs"]))
        assert done.returncode == 0, done.stderr
        assert endpoint.requests == 4 + 8
    refused = lines(tmp_path / "set" / "rejected.jsonl")
    assert {row["gate"] for row in refused} == {"judge"} and len(refused) == 2
    assert {row["provenance"]["document_id"] for row in refused} == {f"law:국세기본법 제{NUMBERS[1]}조"}
    rows = lines(tmp_path / "set" / "train.jsonl") + lines(tmp_path / "set" / "validation.jsonl")
    assert len(rows) == 6 and all(row["provenance"]["judge"] == "gpt-4o-mini: supported" for row in rows)
    assert all("요건을 갖추었는지" in row["answer"] for row in rows)
    card = (tmp_path / "set" / "README.md").read_text(encoding="utf-8")
    assert "gpt-4o-mini" in card and "재지 않았습니다" in card
