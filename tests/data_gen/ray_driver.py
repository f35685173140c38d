"""A run on a local two-worker Ray, as a process that a test can kill: python ray_driver.py '{"url": …, "store": …, "out": …}'.

The key comes on standard input, so that it is in no environment and no command line.  With ``kill_worker`` one worker is
killed at the first result; with ``wrong_key`` a second round follows with a key that the endpoint refuses.
"""

from __future__ import annotations

import datetime
import json
import os
import signal
import sys
from contextlib import aclosing
from dataclasses import asdict
from pathlib import Path

from data_gen.asking.desk import LiveDesk
from data_gen.asking.keeper import LocalKeeper
from data_gen.asking.ledger import Ledger
from data_gen.asking.pool import run_pool
from data_gen.documents import Document
from data_gen.errors import DataGenError
from data_gen.prices import load_prices
from data_gen.store import Store
from data_gen.tasks.pairs import PAIRS
from data_gen.teacher_settings import OpenAISettings
from data_gen.work import work

REPO = Path(__file__).parents[2]
KEY_ENV = "RAY_TEST_KEY"
SEED = 7


def documents(number: int):
    for ordinal in range(number):
        amount = f"{1000 * (ordinal + 1):,}원"
        yield Document(
            id=f"law:상속세 및 증여세법:제53조#{ordinal}",
            kind="openapi",
            title="상속세 및 증여세법 제53조(증여재산 공제)",
            text=f"거주자가 직계존속에게서 증여를 받으면 10년 동안 {amount}을 뺀다.",
            as_of=datetime.date(2026, 6, 1),
            area="상속증여",
            version="v1",
            family=f"f{ordinal}",
            articles=("상속세 및 증여세법 제53조",),
        )


def settings(url: str) -> OpenAISettings:
    return OpenAISettings(
        kind="openai",
        model="gpt-4o",
        key_env=KEY_ENV,
        base_url=url,
        answer_format="json_schema",
        concurrency=8,
        retries=8,
        timeout_s=20,
    )


def ledger() -> Ledger:
    return Ledger(load_prices(REPO / "configs" / "prices.yaml"), "gpt-4o", max_usd=50.0)


def open_desk(name, configured, keeper) -> LiveDesk:
    with Path(os.environ["WORKER_PIDS"]).open("a") as file:
        file.write(f"{os.getpid()}\n")
    return LiveDesk(configured, name, keeper)


def plain(worked) -> list[dict]:
    return [asdict(outcome) for outcome in worked.outcomes]


async def local(url: str, store: Path, number: int) -> dict[int, list[dict]]:
    """The same documents without Ray."""
    with Store(store) as opened:
        desk = LiveDesk(settings(url), "fake", LocalKeeper(opened, ledger()))

        async def one(numbered):
            return numbered[0], plain(await work(numbered[1], (PAIRS,), desk, SEED))

        async with aclosing(run_pool(enumerate(documents(number)), one, desk.places)) as results:
            found = {ordinal: outcomes async for ordinal, outcomes in results}
        await desk.close()
    return found


def on_ray(url: str, store: str, out: str, number: int, kill_worker: bool = False, wrong_key: bool = False) -> None:
    from data_gen.ray_engine import ray_outcomes, ray_run

    key = sys.stdin.readline().strip()
    found, said = {}, ""
    with ray_run(Path(store), {"fake": ledger()}, workers=2) as run:
        asked = (run, documents(number), (PAIRS,), "fake", settings(url), SEED, open_desk)
        for ordinal, worked in ray_outcomes(*asked, keys={KEY_ENV: key}):
            if kill_worker:
                kill_worker = False
                os.kill(int(Path(os.environ["WORKER_PIDS"]).read_text().split()[-1]), signal.SIGKILL)
            assert ordinal not in found
            found[ordinal] = plain(worked)
        spent = run.ledger("fake")
        if wrong_key:
            others = list(documents(number + 5))[number - 1 :]
            try:
                list(ray_outcomes(run, others, *asked[2:], keys={KEY_ENV: "sk-wrong"}))
            except DataGenError as exc:
                said = f"{type(exc).__name__}: {exc}"
    record = {
        "found": found,
        "said": said,
        "charged": spent.charged,
        "in_flight": spent.purse.in_flight,
        "reserved_usd": spent.purse.reserved_usd,
    }
    Path(out).write_text(json.dumps(record, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    on_ray(**json.loads(sys.argv[1]))
