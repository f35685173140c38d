"""How fast teachers are asked: this engine, its store and its money included, against the bare openai client, side by side.

    .venv/bin/python bench/teacher.py            # about three minutes; writes docs/teacher_bench.md and bench/results/teacher.json

The endpoint (tests/data_gen/fake_endpoint.py) runs in a process of its own and answers after 200 ms.  The bare client sends
bodies made beforehand from as many coroutines as calls may be in flight; the engine starts from documents: it renders,
hashes, looks up, reserves, sends, checks, prices and commits each answer.  Runs alternate, so that a slow minute of the
machine strikes both.  Then a run against an endpoint that misbehaves in every way, killed three times.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import importlib.util
import json
import os
import platform
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import aclosing, contextmanager
from pathlib import Path

REPO = Path(__file__).parents[1]
sys.path.insert(0, str(REPO))
TESTS = REPO / "tests" / "data_gen"
WHO = ("bare", "bare_aiohttp", "engine")
CHAOS = {"throttle": 0.10, "error": 0.03, "drop": 0.02, "bad_json": 0.02, "hang": 0.01}
ANSWER = json.dumps({"text": "상속세 및 증여세법 제53조에 따라 10년 동안 5,000만원을 뺍니다. " * 8}, ensure_ascii=False)


def by_path(name: str):
    """A module of the tests, which are no package."""
    spec = importlib.util.spec_from_file_location(name, TESTS / f"{name}.py")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def endpoint(script: dict, log: str = os.devnull):
    """The endpoint in its own process; gives its URL."""
    command = [sys.executable, str(TESTS / "fake_endpoint.py"), "--script", json.dumps(script), "--log", log]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield process.stdout.readline().split()[-1]
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


async def bare(settings, bodies: list[dict], transport: str) -> None:
    """What a careful script does with the openai client alone: one client, one pool, as many workers as places.

    ``transport``: the client's default (httpx), or its aiohttp extra, which the engine uses.
    """
    import openai

    http = openai.DefaultAioHttpClient() if transport == "aiohttp" else None
    key = os.environ[settings.key_env]
    client = openai.AsyncOpenAI(api_key=key, base_url=settings.base_url, max_retries=0, http_client=http)
    waiting = iter(bodies)

    async def worker() -> None:
        for body in waiting:
            completion = await client.chat.completions.create(**body)
            assert completion.choices[0].message.content

    await asyncio.gather(*(worker() for _ in range(settings.concurrency)))
    await client.close()


async def engine(settings, store, documents: list) -> None:
    """The engine as `data_gen build` uses it: pool, desk, keeper, ledger, store."""
    from data_gen.asking.desk import LiveDesk
    from data_gen.asking.keeper import LocalKeeper
    from data_gen.asking.ledger import Ledger
    from data_gen.asking.pool import run_pool
    from data_gen.prices import load_prices

    ledger = Ledger(load_prices(REPO / "configs" / "prices.yaml"), settings.model)
    desk = LiveDesk(settings, "fake", LocalKeeper(store, ledger))
    task, answered = by_path("asking_driver").LINE, 0

    async def work(document) -> bool:
        return not (await desk.ask(document, task)).stored

    async with aclosing(run_pool(documents, work, 2 * settings.concurrency, on_stop=desk.stop)) as results:
        async for fresh in results:
            answered += fresh
    await desk.close()
    assert answered == len(documents) == sum(total.responses for total in store.totals())


def timed(work) -> tuple[float, float]:
    """(wall seconds, processor seconds of this process) of a coroutine."""
    wall, processor = time.perf_counter(), time.process_time()
    asyncio.run(work)
    return time.perf_counter() - wall, time.process_time() - processor


def compare(latency_ms: float, calls: int, concurrency: int, repeats: int) -> dict:
    """Requests per second of both, run in turn; a short run of each beforehand is not counted."""
    from data_gen.asking.requests import make_request
    from data_gen.store import Store

    driver = by_path("asking_driver")
    found: dict[str, list[float]] = {f"{who}{what}": [] for who in WHO for what in ("", "_ms")}
    with endpoint({"latency_ms": latency_ms, "content": ANSWER}) as url, tempfile.TemporaryDirectory() as folder:
        settings = driver.settings_for(url, concurrency, timeout_s=60.0, model="gpt-4o")
        for repeat in range(repeats + 1):
            number = calls if repeat else 2 * concurrency
            documents = list(driver.documents(number))
            bodies = [make_request(settings, "bare", driver.LINE, document).body for document in documents]
            # Whoever goes second would find the other's garbage; each goes first in turn.
            for who in WHO if repeat % 2 else reversed(WHO):
                if who != "engine":
                    wall, processor = timed(bare(settings, bodies, who.removeprefix("bare_")))
                else:
                    with Store(Path(folder) / f"{repeat}.sqlite") as store:
                        wall, processor = timed(engine(settings, store, documents))
                if repeat:
                    found[who].append(round(number / wall, 1))
                    found[f"{who}_ms"].append(round(processor / number * 1000, 2))
    return found


def chaos(number: int, concurrency: int) -> dict:
    """A run against CHAOS, killed three times at seeded moments and run to its end; counts from its log and store."""
    from data_gen.store import Store

    script = {"seed": 1, "latency_ms": 50, "sigma": 0.5, "shares": CHAOS, "retry_after_ms": "100", "content": ANSWER}
    with tempfile.TemporaryDirectory() as folder:
        log, path, out = (Path(folder) / name for name in ("asked.jsonl", "store.sqlite", "outcomes.json"))
        with endpoint(script, str(log)) as url:
            command = [sys.executable, str(TESTS / "asking_driver.py"), url, str(path), str(out)]
            command += ["--documents", str(number), "--concurrency", str(concurrency)]
            for moment in sorted(random.Random(3).sample(range(number // 10, number), 3)):
                child = subprocess.Popen(command)
                while _lines(log) < moment and child.poll() is None:
                    time.sleep(0.01)
                os.kill(child.pid, signal.SIGKILL)
                child.wait(10)
            began = time.perf_counter()
            subprocess.run(command, check=True)
            seconds = time.perf_counter() - began
        rows = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
        outcomes = Counter(what for what, _ in json.loads(out.read_text(encoding="utf-8")).values())
        with Store(path, read_only=True) as store:
            stored = {one.key: one.response_id for one in store.responses()}
    given: dict[str, list[str]] = {}
    for row in rows:
        if row["id"]:
            given.setdefault(row["hash"], []).append(row["id"])
    return {
        "documents": number,
        "outcomes": dict(outcomes),
        "requests": len(rows),
        "kinds": dict(Counter(row["kind"] for row in rows).most_common()),
        "stored": len(stored),
        "answered_again_after_being_stored": sum(given[key][-1] != kept for key, kept in stored.items()),
        "answered_twice_because_killed_in_flight": sum(len(ids) - 1 for ids in given.values()),
        "last_run_s": round(seconds, 1),
    }


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def page(record: dict) -> str:
    """The Markdown page."""
    with_latency, without, wild = record["latency_200_ms"], record["no_latency"], record["chaos"]
    ideal = record["concurrency"] / 0.2
    rows = []
    for name, run, bound in (("200 ms", with_latency, f"{ideal:.0f}"), ("0 ms", without, "-")):
        theirs, faster, ours = (statistics.median(run[who]) for who in WHO)
        each = " | ".join(f"{statistics.median(run[who]):.1f} ({', '.join(map(str, run[who]))})" for who in WHO)
        processor = " / ".join(f"{statistics.median(run[who + '_ms']):.2f}" for who in WHO)
        share = f"{ours / ideal:.2f}" if bound != "-" else "-"
        rows.append(
            f"| {name} | {each} | {ours / theirs:.2f} | {ours / faster:.2f} | {bound} | {share} | {processor} |"
        )
    kinds = ", ".join(f"{kind} {count}" for kind, count in wild["kinds"].items())
    return f"""# 교사에게 묻는 속도 (how fast teachers are asked)

{record["date"]}, {record["machine"]}, 부하 평균 {record["load"]} (load average before and after).

    {record["command"]}

동시에 {record["concurrency"]}개, 실행마다 {record["calls"]:,}번 호출, {record["repeats"]}번씩 번갈아 실행한 가운데값입니다. 서버는 다른 프로세스입니다.
`openai`는 그 클라이언트만 기본 설정으로 쓴 것, `openai+aiohttp`는 그 클라이언트를 이 엔진처럼 aiohttp로 쓴 것, 엔진은 문서에서 시작해 요청을 만들고,
저장소를 찾고, 답의 형식을 확인하고, 값을 매겨 응답마다 커밋한 것입니다.

| 지연 | openai, 초당 요청 | openai+aiohttp | 이 엔진 | 엔진 ÷ openai | 엔진 ÷ openai+aiohttp | 이상(동시 ÷ 지연) | 이상 대비 | 호출당 CPU ms |
|---|---|---|---|---|---|---|---|---|
{chr(10).join(rows)}

기준: 200 ms에서 엔진 ÷ openai 0.90 이상, 이상 대비 0.85 이상.

## 말썽 부리는 서버 (chaos)

429 10%, 500 3%, 끊긴 연결 2%, 깨진 JSON 2%, 답 없는 연결 1%; 문서 {wild["documents"]:,}개를 묻다가 세 번 SIGKILL로 죽이고 다시 실행했습니다.

- 문서의 결말: {", ".join(f"{what} {count:,}" for what, count in wild["outcomes"].items())} (모두 {sum(wild["outcomes"].values()):,})
- 서버가 받은 요청 {wild["requests"]:,}개: {kinds}
- 저장된 응답 {wild["stored"]:,}개, 저장된 뒤에 서버가 다시 답한 요청 **{wild["answered_again_after_being_stored"]}개**,
  죽을 때 가는 중이어서 두 번 답한 요청 {wild["answered_twice_because_killed_in_flight"]}개
- 마지막 실행 {wild["last_run_s"]}초
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--calls", type=int, default=2560)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--documents", type=int, default=1000, help="of the chaotic run")
    parser.add_argument("--dry", action="store_true", help="print only, write nothing")
    arguments = parser.parse_args()
    os.environ["FAKE_TEACHER_KEY"] = "test-value"
    before = os.getloadavg()[0]
    record = {
        "date": datetime.date.today().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "command": " ".join(["python", "bench/teacher.py", *sys.argv[1:]]),
        "calls": arguments.calls,
        "concurrency": arguments.concurrency,
        "repeats": arguments.repeats,
        "latency_200_ms": compare(200, arguments.calls, arguments.concurrency, arguments.repeats),
        "no_latency": compare(0, arguments.calls, arguments.concurrency, arguments.repeats),
        "chaos": chaos(arguments.documents, arguments.concurrency),
    }
    record["load"] = f"{before:.2f}, {os.getloadavg()[0]:.2f}"
    print(page(record))
    if not arguments.dry:
        (REPO / "docs" / "teacher_bench.md").write_text(page(record), encoding="utf-8")
        results = REPO / "bench" / "results" / "teacher.json"
        results.write_text(json.dumps(record, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
