"""A run of the asking engine as a process of its own, made to be killed: so many documents, one store, one endpoint.

    python tests/data_gen/asking_driver.py URL STORE OUTCOMES --documents 300 --concurrency 16

At the end it writes OUTCOMES, {document id: [what became of it, why], …}; each document must come out once.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import json
import os
import sys
from contextlib import aclosing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from data_gen.asking.desk import LiveDesk
from data_gen.asking.keeper import LocalKeeper
from data_gen.asking.limits import Backoff
from data_gen.asking.pool import run_pool
from data_gen.documents import Document
from data_gen.errors import TeacherFailure
from data_gen.store import Store
from data_gen.tasks import Task
from data_gen.teacher_settings import OpenAISettings
from taxlaw.strict_config import StrictModel


class Line(StrictModel):
    text: str


LINE = Task("pairs", frozenset({"openapi"}), (), Line, lambda _: [])


class FreePurse:
    """A ledger without prices and without a cap."""

    async def reserve_or_wait(self, _request) -> None:
        pass

    def charge(self, _request, _usage, _via) -> None:
        return None

    def release(self, _request) -> None:
        pass


def documents(number: int):
    """So many different articles, one at a time."""
    for one in range(number):
        text = f"제{one + 1}조 거주자가 증여를 받으면 10년 동안 {one + 1:,}만원을 과세가액에서 뺀다. " * 10
        day = datetime.date(2026, 6, 1)
        yield Document(f"law:{one}", "openapi", "공제", text, day, "상속증여", "v1", f"law:{one}")


async def ask_all(desk: LiveDesk, number: int, places: int) -> dict[str, list[str]]:
    """What became of each document: answered or failed, with the text or the reason."""

    async def work(document: Document) -> tuple[str, str, str]:
        try:
            return document.id, "answered", (await desk.ask(document, LINE)).text
        except TeacherFailure as exc:
            return document.id, "failed", str(exc)

    outcomes: dict[str, list[str]] = {}
    async with aclosing(run_pool(documents(number), work, places, on_stop=desk.stop)) as results:
        async for document_id, what, why in results:
            assert document_id not in outcomes, f"{document_id} came out twice"
            outcomes[document_id] = [what, why]
    return outcomes


async def run(settings: OpenAISettings, store: Store, number: int) -> dict[str, list[str]]:
    desk = LiveDesk(settings, "fake", LocalKeeper(store, FreePurse()), backoff=Backoff(0.01, 0.2))
    try:
        return await ask_all(desk, number, settings.concurrency)
    finally:
        await desk.close()


def settings_for(url: str, concurrency: int, **changes) -> OpenAISettings:
    values = {"kind": "openai", "model": "fake", "key_env": "FAKE_TEACHER_KEY", "base_url": url}
    return OpenAISettings(**(values | {"concurrency": concurrency, "timeout_s": 0.5} | changes))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("url")
    parser.add_argument("store", type=Path)
    parser.add_argument("outcomes", type=Path)
    parser.add_argument("--documents", type=int, default=300)
    parser.add_argument("--concurrency", type=int, default=16)
    arguments = parser.parse_args()
    os.environ.setdefault("FAKE_TEACHER_KEY", "test-value")
    settings = settings_for(arguments.url, arguments.concurrency)
    with Store(arguments.store) as store:
        outcomes = asyncio.run(run(settings, store, arguments.documents))
    arguments.outcomes.write_text(json.dumps(outcomes, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    main()
