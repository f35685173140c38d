"""400 MB of rulings through ``collect``: documents and megabytes a second, peak memory, and whether time grows with size.

    nice -n 10 .venv/bin/python bench/stream_rulings.py     # writes docs/streaming.md and bench/results/stream_rulings.json
    .venv/bin/python bench/stream_rulings.py --sizes 5      # a small one; prints only

The rulings are made up: sentences of our own, put together by a seeded generator, the same bytes on every machine.  Each
size is read in a process of its own, whose peak memory is that of reading, cleaning and writing alone.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

SIZES = (100, 200, 400)
LIMIT_MB = 500
SEED = 20260601
MB = 1_000_000

_WHO = ("청구인은", "신청법인은", "갑은", "해당 사업자는", "거주자 을은", "처분청은", "병의 상속인들은", "양도인은")
_WHEN = (
    "지난해 봄에",
    "사업을 시작하면서",
    "과세기간 중에",
    "신고기한을 넘겨",
    "계약을 맺은 다음 날",
    "조사를 받기 전에",
)
_WHAT = (
    "토지를",
    "비상장주식을",
    "상가 건물의 지분을",
    "매입세금계산서를",
    "기계장치를",
    "빌린 돈의 이자를",
    "주택 한 채를",
)
_DID = (
    "시가보다 낮은 값에 넘겼다고 설명하였다.",
    "장부에 적고 그에 맞추어 신고하였다.",
    "“업무와 관련이 있다”고 하면서 필요경비에 넣었다.",
    "가족에게서 물려받은 것이라고 밝혔다.",
    "‘실지거래가액’을 알 수 없다는 이유로 다시 계산하였다.",
    "1,000분의 5에 해당하는 금액만큼 줄여 달라고 하였다.",
    "사실상·경제상의 이익이 없다고 보아 빼지 않았다.",
)
_LAWS = (
    "소득세법 제97조", "소득세법 시행령 제163조", "법인세법 제52조", "부가가치세법 제39조", "국세기본법 제14조",
    "상속세 및 증여세법 제60조", "조세특례제한법 제69조", "종합부동산세법 제8조", "국세기본법",
)  # fmt: skip
_TAXES = ("양도소득세", "법인세", "부가가치세", "상속증여세", "종합소득세")
_INQUIRY = ("1. 사실관계", "2. 질의내용", "3. 관련법령")
_CONTESTED = ("1. 처분개요", "2. 청구인 주장", "3. 처분청 의견", "4. 심리 및 판단", "5. 결론")


def rulings(seed: int = SEED) -> Iterator[dict]:
    """Endless rows in the shape of data_main.json, about 12 KB of UTF-8 each; the same seed gives the same rows."""
    dice = random.Random(seed)
    first = date(2015, 1, 2)
    number = 0
    while True:
        number += 1
        contested = number % 3 == 0
        kind, mark = ("심사청구", "심사-소득") if contested else ("질의회신", "서면")
        day = first + timedelta(days=number % 3800)
        chapters = _CONTESTED if contested else _INQUIRY
        content = "".join(f"{chapter}\n{_paragraphs(dice, contested)}" for chapter in chapters)
        about = {
            "doc_no": f"{mark}-{day.year}-{number:06d}" if contested else f"{mark}-{day.year}-가상재산-{number:06d}",
            "doc_id": f"{number:018d}",
            "doc_class": kind,
            "tax": dice.choice(_TAXES),
            "date": f"{day:%Y%m%d}",
            "gist": _sentence(dice),
            "related_laws": dice.sample(_LAWS, 2),
        }
        yield {
            "title": f"{_sentence(dice)} ({number})",
            "content": content,
            "response": _sentence(dice),
            "metadata": about,
        }


def _sentence(dice: random.Random) -> str:
    return f"{dice.choice(_WHO)} {dice.choice(_WHEN)} {dice.choice(_WHAT)} {dice.randint(1, 999):,}만원에 {dice.choice(_DID)}"


def _paragraphs(dice: random.Random, contested: bool) -> str:
    lines = [
        f"{letter}. " + " ".join(_sentence(dice) for _ in range(6)) for letter in "가나다라마"[: 4 if contested else 3]
    ]
    return "\n".join(lines) + "\n"


def write_rulings(path: Path, size: int) -> int:
    """A JSON list of at least ``size`` bytes; returns how many rulings it holds."""
    written, count = 2, 0
    with path.open("wb") as file:
        file.write(b"[\n")
        for row in rulings():
            line = (b",\n" if count else b"") + json.dumps(row, ensure_ascii=False, indent=1).encode("utf-8")
            file.write(line)
            written, count = written + len(line), count + 1
            if written >= size:
                break
        file.write(b"\n]\n")
    return count


def stream(path: Path, folder: Path) -> dict:
    """Read, clean and write one file in this process: what ``collect`` does with a source of rulings."""
    from data_gen.collect.cleaning import clean
    from data_gen.collect.corpus import write_corpus
    from data_gen.collect.rulings import read_rulings
    from data_gen.collect.settings import RulingsSource

    tally: Counter[str] = Counter()
    source = RulingsSource(kind="rulings", path=path, as_of=date(2026, 6, 1))
    start, busy = time.perf_counter(), time.process_time()
    report = write_corpus(folder, clean(read_rulings(source, tally), tally), {"rulings": tally}, {"name": "bench"})
    seconds, cpu = time.perf_counter() - start, time.process_time() - busy
    counts = {"documents": report["documents"], "read": tally["read"]}
    return counts | {"seconds": round(seconds, 2), "cpu_seconds": round(cpu, 2), "peak_mb": peak_mb()}


def peak_mb() -> int:
    """Peak resident memory of this process in MB (10^6 bytes); Linux' own high-water mark where there is one."""
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(line for line in status.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM"))
        return round(int(line.split()[1]) * 1024 / MB)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak * (1 if sys.platform == "darwin" else 1024) / MB)


def measure(sizes: tuple[int, ...]) -> dict:
    """One row per size, each read by a fresh process; files are written to the temporary folder and removed."""
    rows = []
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="stream-rulings-") as place:
            path = Path(place) / "data_main.json"
            count = write_rulings(path, size * MB)
            file_mb = path.stat().st_size / MB
            command = [sys.executable, __file__, "--child", str(path), str(Path(place) / "corpus")]
            row = json.loads(subprocess.check_output(command, text=True, cwd=REPO))
            if row["documents"] != count or row["read"] != count:
                raise SystemExit(f"{count} rulings were written, {row['read']} read and {row['documents']} kept")
        # Of the processor's time: another program on the machine makes a reader wait, not work.
        cpu = row["cpu_seconds"]
        row |= {"mb": round(file_mb), "documents_per_s": round(count / cpu), "mb_per_s": round(file_mb / cpu, 1)}
        rows.append(row)
        print(
            f"{row['mb']:>4} MB  {count:>7,} documents  {row['seconds']:>7.1f} s  processor {cpu:>7.1f} s"
            f"  {row['documents_per_s']:>6,}/s  {row['mb_per_s']:>6.1f} MB/s  peak {row['peak_mb']} MB",
            flush=True,
        )
    first, last = rows[0], rows[-1]
    return {
        "date": date.today().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "rows": rows,
        # 1.0: twice the file takes twice the work.
        "time_per_mb_last_to_first": round(first["mb_per_s"] / last["mb_per_s"], 2),
    }


def page(figures: dict) -> str:
    """The figures as Markdown."""
    lines = [
        f"| {row['mb']} MB | {row['documents']:,} | {row['seconds']:.1f} s | {row['cpu_seconds']:.1f} s | {row['documents_per_s']:,} | {row['mb_per_s']} | {row['peak_mb']} MB |"
        for row in figures["rows"]
    ]
    last = figures["rows"][-1]
    return f"""# Rulings streamed, measured

Made by `.venv/bin/python bench/stream_rulings.py` on {figures["date"]} ({figures["machine"]}); do not edit.

A `data_main.json` of made-up rulings is read, cleaned and written as a corpus by `data_gen.collect`, one ruling at a time,
in one process for each size.  Rates are by processor time of one core.

| file | rulings | time | processor time | rulings/s | MB/s | peak memory |
|---|---|---|---|---|---|---|
{chr(10).join(lines)}

Processor time per megabyte at {last["mb"]} MB is {figures["time_per_mb_last_to_first"]} times that of the smallest file. Peak memory holds the program
itself and 32 bytes of hashes (some 200 bytes of memory) for each document, by which twins are found.
The bar: {last["mb"]} MB in less than {LIMIT_MB} MB of memory.
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=None, metavar="MB", help="other sizes: prints only")
    parser.add_argument("--child", nargs=2, type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        print(json.dumps(stream(*args.child)))
        return 0
    figures = measure(tuple(args.sizes or SIZES))
    if args.sizes is None:
        results = REPO / "bench/results"
        results.mkdir(parents=True, exist_ok=True)
        text = json.dumps(figures, ensure_ascii=False, indent=1) + "\n"
        (results / "stream_rulings.json").write_text(text, encoding="utf-8")
        (REPO / "docs/streaming.md").write_text(page(figures), encoding="utf-8")
    return 0 if all(row["peak_mb"] < LIMIT_MB for row in figures["rows"]) else 1


if __name__ == "__main__":
    raise SystemExit(main())
