"""100,000 pairs through every gate: pairs a second, peak memory, and whether time grows with size.

    nice -n 10 .venv/bin/python bench/gates.py                 # writes docs/gates_bench.md and bench/results/gates.json
    .venv/bin/python bench/gates.py --sizes 1000 --workers 0   # a small one; prints only

Two of three pairs come from the worked generator; the third is a recorded answer about the casebook, the digest or a topic,
made distinct by a number in its question and its evidence (so that no cache of a former round helps), every fifth of them
made wrong by code.  All gates run, decontamination against 5,000 texts, then the duplicate gate and the splits, in order.
Each size runs in a process of its own; the peak is that of the main process and of the largest worker.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import count, islice
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

SIZES = (25_000, 50_000, 100_000)
AS_OF = datetime.date(2026, 6, 1)
SEED = 20260601
SHARES = {"gift": 4, "income": 3, "vat_simplified": 2, "corporate": 2}


def pairs(size: int) -> Iterator:
    """``size`` candidates, two worked ones and one recorded in turn."""
    from data_gen.settings import WorkedSettings
    from data_gen.worked.candidates import worked_candidates

    recorded = _recorded_rounds()
    worked = worked_candidates(WorkedSettings(count=size, shares=SHARES), AS_OF, SEED)
    for number in range(size):
        yield next(recorded) if number % 3 == 2 else next(worked)


def _recorded_rounds() -> Iterator:
    from data_gen.judge.mutations import mutations
    from data_gen.rows import Candidate

    rows = [made.row for made in _recorded()]
    for number in count(1):
        for place, row in enumerate(rows):
            question = f"{row.question} (물음 번호 {number}-{place})"
            answer = row.answer
            if place % 5 == number % 5:
                changed = list(mutations(row.answer, row.evidence))
                answer = changed[number % len(changed)].answer if changed else answer
            evidence = f"{row.evidence}\n(자료 번호 {number}-{place})"
            yield Candidate(replace(row, id=f"{row.id}#{number}", question=question, answer=answer, evidence=evidence))


def _recorded() -> list:
    from data_gen.candidates import candidates
    from data_gen.documents import load_library
    from data_gen.rows import read_jsonl
    from data_gen.settings import DocumentSettings
    from data_gen.tasks.all_tasks import TASKS
    from data_gen.teachers import Reply
    from data_gen.topics import load_topics

    library = load_library(DocumentSettings(casebook=True, provisions="digest", statutes="none"), AS_OF)
    documents = {document.id: document for document in (*library.documents, *load_topics(AS_OF))}
    found = []
    for path in sorted((REPO / "data_gen" / "recordings").glob("*.jsonl")):
        for raw in read_jsonl(path):
            task = TASKS[raw["prompt"]]
            document = documents.get(raw["document_id"])
            if document is not None and task.styles:
                reply = Reply(task.answer.model_validate(raw["response"]), "", "recorded")
                found += candidates(document, task, reply, "recorded", 0)
    return found


def one(size: int, workers: int) -> dict:
    """One size, in this process and its workers."""
    from data_gen.gates import judge, stateful_gates
    from data_gen.judging import judge_stream
    from data_gen.rows import Candidate, Rejection
    from data_gen.settings import GateSettings, SplitSettings, WorkedSettings
    from data_gen.splits import assign, split_keys
    from data_gen.worked.candidates import worked_candidates

    with tempfile.TemporaryDirectory() as folder:
        tests = Path(folder) / "tests.jsonl"
        others = worked_candidates(WorkedSettings(count=5000, shares=SHARES), AS_OF, SEED + 1)
        lines = (json.dumps({"question": f"평가 {made.row.question}"}, ensure_ascii=False) for made in others)
        tests.write_text("\n".join(lines), encoding="utf-8")
        settings = GateSettings(decontaminate=(tests,))
        start, spent = time.perf_counter(), time.process_time()
        remembering, outcomes, keys = stateful_gates(settings), Counter(), []
        for judged in judge_stream(islice(pairs(size), size), settings, workers):
            final = judged if isinstance(judged, Rejection) else judge(Candidate(judged), remembering)
            if isinstance(final, Rejection):
                outcomes[final.gate] += 1
            else:
                outcomes["accepted"] += 1
                keys.append((final.id, split_keys(final)))
        gates_s = time.perf_counter() - start
        main_cpu = time.process_time() - spent
    start = time.perf_counter()
    splits = Counter(assign(keys, SplitSettings(validation=0.1, test=0.05), SEED).values())
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "pairs": size,
        "seconds": round(gates_s, 1),
        "pairs_per_second": round(size / gates_s),
        "cpu_seconds": round(main_cpu + children.ru_utime + children.ru_stime, 1),
        "splits_seconds": round(time.perf_counter() - start, 1),
        "peak_main_mb": round(own.ru_maxrss / 1024),
        "peak_worker_mb": round(children.ru_maxrss / 1024) if workers else 0,
        "outcomes": dict(outcomes.most_common()),
        "splits": dict(splits),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(one(arguments.one, arguments.workers), ensure_ascii=False))
        return
    results = []
    for size in arguments.sizes:
        command = [sys.executable, __file__, "--one", str(size), "--workers", str(arguments.workers)]
        done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(done.stderr)
        results.append(json.loads(done.stdout))
        print(json.dumps(results[-1], ensure_ascii=False), flush=True)
        if size in SIZES:
            _keep(results[-1], arguments.workers)
    print(_table(results))


def _table(results: list[dict]) -> str:
    rows = [
        "| pairs | seconds | pairs/s | CPU seconds | CPU ms a pair | splits, s | peak main, MB | peak worker, MB |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    rows += [
        f"| {r['pairs']:,} | {r['seconds']:,} | {r['pairs_per_second']:,} | {r['cpu_seconds']:,} | "
        f"{1000 * r['cpu_seconds'] / r['pairs']:.2f} | {r['splits_seconds']} | {r['peak_main_mb']:,} | {r['peak_worker_mb']:,} |"
        for r in results
    ]
    return "\n".join(rows)


def _keep(result: dict, workers: int) -> None:
    """Into bench/results/gates.json, beside the other sizes measured the same day, and the page made of them anew."""
    date = datetime.datetime.now(datetime.UTC).date().isoformat()
    file = REPO / "bench" / "results" / "gates.json"
    record = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    same = (record.get("date"), record.get("workers")) == (date, workers)
    others = [other for other in record["results"] if other["pairs"] != result["pairs"]] if same else []
    results = sorted([*others, result], key=lambda one: one["pairs"])
    record = {"date": date, "workers": workers, "results": results}
    file.write_text(json.dumps(record, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    if len(results) > 1:
        (REPO / "docs" / "gates_bench.md").write_text(_page(results, date, workers), encoding="utf-8")


def _page(results: list[dict], date: str, workers: int) -> str:
    first, last = results[0], results[-1]
    growth = (last["cpu_seconds"] / last["pairs"]) / (first["cpu_seconds"] / first["pairs"])
    memory = (last["peak_main_mb"] - first["peak_main_mb"]) * 1024 / (last["pairs"] - first["pairs"])
    names = ", ".join(f"{name} {number:,}" for name, number in last["outcomes"].items())
    return f"""# The gates, measured

{date}, `nice -n 10 .venv/bin/python bench/gates.py`, {platform.machine()}, {os.cpu_count()} cores shared with other work (so
the seconds are an upper bound; CPU seconds are the measure), {workers} worker processes, Python {platform.python_version()}.

{_table(results)}

- CPU time a pair at {last["pairs"]:,} is {growth:.2f} times that at {first["pairs"]:,} (1: linear in size).
- The main process grows by {memory:.1f} kB a pair: what the duplicate gate and the splits remember.  Peak of a worker: from {first["peak_worker_mb"]} MB to {last["peak_worker_mb"]} MB.
- What became of the {last["pairs"]:,}: {names}.
- Two of three pairs are worked examples, each recomputed; the third is a recorded answer judged by the whole verifier, made
  distinct by a number in question and evidence, every fifth made wrong by code.  Decontamination runs against 5,000 texts.
"""


if __name__ == "__main__":
    main()
