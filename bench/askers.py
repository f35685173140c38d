"""Fifty people ask at once for two minutes: the page's named endpoint, then ``/v1`` through the openai client.

    .venv/bin/python bench/askers.py            # about nine minutes; writes docs/askers.md and bench/results/askers.json

The server runs in a process of its own, as ``python -m serve app`` would, with the bounds of configs/serve/demo.yaml (only
the rate for one client is raised, because all askers come from this machine).  Every question carries a word of its own
that the answer must give back; an answer with somebody else's word would be a mixed answer.  Two students: one that echoes
the question a word every few milliseconds, and the newest finished run's GGUF, whose questions differ in an amount of money.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import re
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

REPO = Path(__file__).parents[1]
LAST_SECONDS = 10  # after the time is over, for those who wait
WORD = re.compile(r"표지[a-z]{8}")
AMOUNT = re.compile(r"\d{1,3}억 ?[\d,]+만 ?원")


@dataclass
class Tally:
    """What the askers saw.  ``waits``: seconds from asking to the whole answer."""

    answered: int = 0
    right: int = 0
    mixed: list[str] = field(default_factory=list)
    turned_away: int = 0
    errors: Counter = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)


@contextmanager
def running(kind: str):
    """(address, psutil process, what it tells at its end) of a server; stopped with SIGTERM, and its exit code must be 0."""
    import psutil

    process = subprocess.Popen(
        [sys.executable, str(REPO / "bench/askers_server.py"), kind],
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    try:
        url = None
        for line in process.stdout:
            if found := re.search(r"http://127\.0\.0\.1:\d+/", line):
                url = found.group()
            if "/v1" in line:
                break
        assert url, "the server ended before it said where it is"
        told: dict = {}
        yield url, psutil.Process(process.pid), told
        assert process.poll() is None, f"the server died: exit code {process.returncode}"
    finally:
        died = process.poll()
        process.terminate()
        rest = process.stdout.read()
        code = process.wait(60)
        if died is not None:
            print(f"the server died: exit code {died}", file=sys.stderr)
    assert code == 0, f"the server did not stop cleanly: exit code {code}"
    told["most_queued"] = int(re.search(r"most in the page's queue: (\d+)", rest).group(1))


def question_of(kind: str, rng: random.Random) -> tuple[str, str]:
    """(question, its own word)."""
    if kind == "gguf":
        amount = f"{rng.randint(1, 90)}억 {rng.randint(1, 999) * 10:,}만원"
        return f"아버지께 {amount}을 증여받았습니다. 증여세는 얼마인가요?", amount
    word = "표지" + "".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=8))
    return f"다음 낱말을 그대로 돌려주세요: {word} 그리고 세율은 얼마인가요", word


def judge(kind: str, text: str, own: str, tally: Tally) -> None:
    """Count one answer: it must hold its own word, and nobody else's."""
    tally.answered += 1
    if kind == "gguf":
        # The amount copied into the call; the working adds amounts of its own.
        said = re.findall(r'"amount":"([^"]+)"', text) or AMOUNT.findall(text)[:1]
        same = [_plain(one) == _plain(own) for one in said]
    else:
        same = [one == own for one in WORD.findall(text)]
    tally.right += any(same)
    if same and not all(same):
        tally.mixed.append(f"asked {own}, answered {text[:200]}")


def _plain(amount: str) -> str:
    return re.sub(r"[\s,]", "", amount)


async def ask_page(client, url: str, question: str) -> str | None:
    """The text of ``/ask`` over Gradio's queue; None when it was turned away."""
    posted = await client.post(f"{url}gradio_api/call/ask", json={"data": [question, "", False]})
    if posted.status_code in (429, 503):
        return None
    posted.raise_for_status()
    event, stream = "", f"{url}gradio_api/call/ask/{posted.json()['event_id']}"
    async with client.stream("GET", stream) as lines:
        async for line in lines.aiter_lines():
            if line.startswith("event: "):
                event = line[7:]
            elif line.startswith("data: ") and event in ("complete", "error"):
                answer = json.loads(line[6:])
                if event == "error" or "error" in answer[0]:
                    raise RuntimeError(f"the page answered with an error: {line[:200]}")
                assert answer[0]["question"] == question, "the answer is to another question"
                return answer[0]["answer"]
    raise RuntimeError("the stream ended without an answer")


async def ask_v1(client, url: str, question: str, stream: bool) -> str | None:
    import openai

    messages = [{"role": "user", "content": question}]
    try:
        reply = await client.chat.completions.create(model="student-raw", messages=messages, stream=stream)
        if not stream:
            return reply.choices[0].message.content
        return "".join([choice.delta.content or "" async for chunk in reply for choice in chunk.choices])
    except openai.RateLimitError:
        return None


async def asker(number: int, kind: str, ask, until: float, tally: Tally) -> None:
    rng = random.Random(number)
    while time.monotonic() < until:
        question, own = question_of(kind, rng)
        start = time.monotonic()
        try:
            text = await ask(question, rng)
        except Exception as exc:  # counted by name and shown in the table: the bar is that there are none
            tally.errors[f"{type(exc).__name__}: {str(exc)[:120]}"] += 1
            text = None
            await asyncio.sleep(0.5)
        else:
            if text is None:
                tally.turned_away += 1
                await asyncio.sleep(rng.uniform(0.5, 1.5))
        if text is not None:
            tally.waits.append(time.monotonic() - start)
            judge(kind, text, own, tally)


async def watch(url: str, process, until: float, seen: dict) -> None:
    """Memory of the server in MiB and the length of the line, twice a second."""
    import httpx

    async with httpx.AsyncClient(timeout=30) as client:
        while time.monotonic() < until:
            seen["rss"].append(process.memory_info().rss / 2**20)
            seen["threads"].append(process.num_threads())
            health = (await client.get(f"{url}healthz")).json()
            seen["waiting"].append(health["waiting"])
            seen["answering"].append(health["answering"])
            seen["bound"] = health["max_waiting"]
            await asyncio.sleep(0.5)


async def round_of(way: str, kind: str, url: str, process, askers: int, seconds: float) -> dict:
    """One two minutes' round and its figures."""
    import httpx
    import openai

    tally, seen = Tally(), {"rss": [], "threads": [], "waiting": [], "answering": []}
    limits = httpx.Limits(max_connections=askers + 10)
    async with (
        httpx.AsyncClient(timeout=600, limits=limits) as raw,
        openai.AsyncOpenAI(base_url=f"{url}v1", api_key="none", max_retries=0, timeout=600) as client,
    ):

        async def by_page(question: str, rng: random.Random) -> str | None:
            return await ask_page(raw, url, question)

        async def by_v1(question: str, rng: random.Random) -> str | None:
            return await ask_v1(client, url, question, stream=rng.random() < 0.5)

        ask = by_page if way == "page" else by_v1
        for number in range(2):  # warm: imports and tables are read with the first answers
            assert await ask(*question_of(kind, random.Random(-number))[:1], random.Random(number)) is not None
        until = time.monotonic() + seconds
        asking = [asyncio.ensure_future(asker(number, kind, ask, until, tally)) for number in range(askers)]
        await watch(url, process, until, seen)
        _, still = await asyncio.wait(asking, timeout=LAST_SECONDS)
        for one in still:
            one.cancel()  # who still waits goes away, as people do
        await asyncio.gather(*asking, return_exceptions=True)
    waits = sorted(tally.waits) or [0.0]
    rss, third = seen["rss"], max(1, len(seen["rss"]) // 3)
    return {
        "way": way,
        "student": kind,
        "askers": askers,
        "seconds": seconds,
        "answered": tally.answered,
        "with_own_word": tally.right,
        "mixed": tally.mixed,
        "turned_away": tally.turned_away,
        "left_waiting": len(still),
        "errors": dict(tally.errors),
        "most_waiting": max(seen["waiting"]),
        "most_answering": max(seen["answering"]),
        "bound": seen["bound"],
        "p50_seconds": round(waits[len(waits) // 2], 3),
        "p95_seconds": round(waits[int(len(waits) * 0.95)], 3),
        "rss_start_mib": round(rss[0], 1),
        "rss_end_mib": round(rss[-1], 1),
        "rss_peak_mib": round(max(rss), 1),
        "rss_last_two_thirds_mib": [
            round(sum(part) / len(part), 1) for part in (rss[third : 2 * third], rss[2 * third :])
        ],
        "threads_start": seen["threads"][0],
        "threads_peak": max(seen["threads"]),
    }


def markdown(rounds: list[dict], machine: str) -> str:
    lines = [
        "# Fifty askers",
        "",
        f"Written by `bench/askers.py` on {date.today()}. {machine}",
        "",
        "Fifty clients ask without a pause for the given time; whoever is turned away (429, on the page 503) waits about a second.",
        "`/ask` is the page's named endpoint over Gradio's queue, `/v1` the OpenAI-compatible one, half streamed and half not.",
        "`echo` gives every question back word by word, `gguf` is the trained student. Records are kept in SQLite meanwhile.",
        "",
        "| endpoint | student | answered | with their own word | mixed | turned away | errors | most in line (bound) | most in the model | p50 | p95 |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for one in rounds:
        # The page's line is Gradio's queue, whose bound is one more, for the pane that is about to be written.
        most, bound = (
            (one["most_waiting"], one["bound"]) if one["way"] == "v1" else (one["most_queued"], one["bound"] + 1)
        )
        line = f"{most} ({bound})"
        model = one["most_answering"] if one["way"] == "v1" else "–"
        lines.append(
            f"| {'/v1' if one['way'] == 'v1' else '/ask'} | {one['student']} | {one['answered']:,} | {one['with_own_word']:,} "
            f"| {len(one['mixed'])} | {one['turned_away']:,} | {sum(one['errors'].values())} | {line} | {model} "
            f"| {one['p50_seconds']:.2f} s | {one['p95_seconds']:.2f} s |"
        )
    lines += [
        "",
        "Memory of the server (MiB, resident) and its threads. The page remembers its last 256 visitors, about 120 KB each, and",
        "every call of `/ask` is a new one: its memory grows for the first 256 calls and stays there.",
        "",
        "| endpoint | student | start | end | peak | mean of second and of last third | threads, start and peak |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for one in rounds:
        second, last = one["rss_last_two_thirds_mib"]
        lines.append(
            f"| {'/v1' if one['way'] == 'v1' else '/ask'} | {one['student']} | {one['rss_start_mib']} | {one['rss_end_mib']} "
            f"| {one['rss_peak_mib']} | {second} → {last} | {one['threads_start']}, {one['threads_peak']} |"
        )
    if any(one["errors"] for one in rounds):
        lines += ["", "Errors:", "", *(f"- {name}: {n}" for one in rounds for name, n in one["errors"].items())]
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--askers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--student", choices=["echo", "gguf"], action="append", help="default: both")
    parser.add_argument("--way", choices=["page", "v1"], action="append", help="default: both")
    parser.add_argument("--out", type=Path, default=REPO / "docs/askers.md")
    args = parser.parse_args()
    rounds = []
    for kind in args.student or ["echo", "gguf"]:
        if kind == "gguf" and not list((REPO / "runs").glob("*/student-*.gguf")):
            print("no GGUF under runs/: `make demo` makes one; measuring the echo only", file=sys.stderr)
            continue
        for way in args.way or ["page", "v1"]:
            with running(kind) as (url, process, told):
                rounds.append(asyncio.run(round_of(way, kind, url, process, args.askers, args.seconds)))
            rounds[-1] |= told
            print(json.dumps(rounds[-1], ensure_ascii=False), flush=True)
    busy = f"Load average at the end: {os.getloadavg()[0]:.0f}." if hasattr(os, "getloadavg") else ""
    machine = (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}. {busy}"
    )
    args.out.write_text(markdown(rounds, machine), encoding="utf-8")
    results = (
        REPO / "bench/results/askers.json"
        if args.out.resolve().parent == (REPO / "docs").resolve()
        else args.out.with_suffix(".json")
    )
    results.write_text(json.dumps(rounds, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    bad = [
        one
        for one in rounds
        if one["mixed"] or one["errors"] or one["most_waiting"] > one["bound"] or one["most_queued"] > one["bound"] + 1
    ]
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
