"""The verifier, measured: faults caught by kind, right answers called wrong, and speed.

    .venv/bin/python bench/verifier.py                        # writes docs/verifier.md and bench/results/verifier.json
    .venv/bin/python bench/verifier.py --jsonl cases.jsonl    # rows {question, answer, as_of, label[, evidence]}; prints only

``label`` is "correct" or "wrong" (also true/false, 1/0, ok/fault); a kind may follow in ``kind``.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import time
from collections import Counter
from datetime import date
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPO), str(REPO / "bench")]  # runs from a checkout, installed or not

from verifier_answers import Sample, correct_answers, official_documents, recorded  # noqa: E402
from verifier_mutations import AMOUNT, CITATION, OTHER, hidden_article, mutated  # noqa: E402

from taxlaw.verify import verify  # noqa: E402

TARGETS = {"citation": 0.99, "amount": 0.99, "all": 0.95, "untouched": 0.01, "official": 0.03}
_LABELS = {"correct": True, "ok": True, "true": True, "1": True, "right": True}
_LABELS |= {"wrong": False, "fault": False, "false": False, "0": False, "incorrect": False}


def is_ok(sample: Sample) -> bool:
    """Whether the verifier finds no fault."""
    return verify(sample.question, sample.answer, sample.as_of, sample.evidence).ok


def measure(worked: int, facts: int, seed: int) -> dict:
    """Everything in the table; the same seed gives the same answers and the same faults."""
    right = correct_answers(worked, facts, seed)
    alarms = {}
    groups: dict[str, list[Sample]] = {}
    for sample in right:
        groups.setdefault(sample.source, []).append(sample)
    groups["recorded, statute text"] = [s for s in recorded("auto") if s.source == "digest"]
    for name, samples in groups.items():
        alarms[name] = (sum(not is_ok(sample) for sample in samples), len(samples))
    official: dict[str, list[int]] = {}
    for sample in official_documents():
        counts = official.setdefault(sample.source, [0, 0])
        counts[0] += not is_ok(sample)
        counts[1] += 1
    kinds = {}
    for family, makers in (("citation", CITATION), ("amount", AMOUNT), ("other", OTHER)):
        for kind, samples in mutated(makers, right, seed).items():
            kinds[kind] = (family, sum(not is_ok(sample) for sample in samples), len(samples))
    hidden = mutated({"hidden": hidden_article}, right, seed)["hidden"]
    return {
        "date": date.today().isoformat(),
        "commit": subprocess.check_output(["git", "rev-parse", "--short", "HEAD"], cwd=REPO, text=True).strip(),
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "arguments": f"--worked {worked} --facts {facts} --seed {seed}",
        "answers": len(right),
        "alarms": alarms,
        "official": official,
        "kinds": kinds,
        "hidden": (sum(not is_ok(sample) for sample in hidden), len(hidden)),
        "speed": speed(right),
        "index": index_cost(),
    }


def speed(samples: list[Sample]) -> dict[str, float]:
    """Short answers (up to 400 characters) a second on one core: citations and numbers alone, and the whole verifier."""
    from taxlaw.arithmetic import find_calculations
    from taxlaw.citation_check import check_citations
    from taxlaw.money import find_amounts

    short = [sample for sample in samples if len(sample.answer) <= 400][:1000]
    for sample in right_first(short):
        is_ok(sample)  # indexes and patterns are loaded before the clock runs
    parts = whole = float("inf")
    for _ in range(3):  # the best of three: other work on the machine slows a pass, nothing speeds one up
        forget()
        start = time.process_time()
        for sample in short:
            check_citations(sample.answer, sample.as_of, None, sample.question, ())
            find_amounts(sample.answer)
            find_calculations(sample.answer)
        parts = min(parts, time.process_time() - start)
        forget()
        start = time.process_time()
        for sample in short:
            is_ok(sample)
        whole = min(whole, time.process_time() - start)
    return {"citations_and_numbers": len(short) / parts, "whole_verdict": len(short) / whole}


def right_first(samples: list[Sample]) -> list[Sample]:
    """One sample of each source."""
    return list({sample.source: sample for sample in samples}.values())


def forget() -> None:
    """Empty the caches of readings, so that a second pass over the same texts is not timed on memory."""
    from taxlaw import citations, figures, money

    money.read_amounts.cache_clear()
    citations.read_citations.cache_clear()
    figures.read_figures.cache_clear()


_INDEX = """
import time, tracemalloc
from datetime import date
import taxlaw.articles, taxlaw.paragraphs
start = time.perf_counter()
taxlaw.articles.lookup("소득세법", "제1조", date(2026, 6, 1)); taxlaw.paragraphs.paragraph_count("소득세법", "제1조")
seconds = time.perf_counter() - start
taxlaw.articles._index.cache_clear(); taxlaw.paragraphs._index.cache_clear()
tracemalloc.start()
taxlaw.articles.lookup("소득세법", "제1조", date(2026, 6, 1)); taxlaw.paragraphs.paragraph_count("소득세법", "제1조")
print(seconds, tracemalloc.get_traced_memory()[1] / 2**20)
"""


def index_cost() -> dict[str, float]:
    """Seconds and MB to load the two indexes in a fresh interpreter."""
    done = subprocess.run([sys.executable, "-c", _INDEX], cwd=REPO, capture_output=True, text=True, check=True)
    seconds, megabytes = done.stdout.split()
    return {"seconds": round(float(seconds), 3), "megabytes": round(float(megabytes), 1)}


def rate(part: int, whole: int) -> str:
    return f"{part / whole:.2%}" if whole else "-"


def page(figures: dict) -> str:
    """The figures as Markdown."""
    kinds = figures["kinds"]
    sums = {
        family: [sum(k[i] for k in kinds.values() if family in (k[0], "all")) for i in (1, 2)]
        for family in ("citation", "amount", "other", "all")
    }
    lines = [
        "# The verifier, measured",
        "",
        f"Made by `.venv/bin/python bench/verifier.py {figures['arguments']}` on {figures['date']} at commit"
        f" `{figures['commit']}` ({figures['machine']}); do not edit.",
        "",
        f"From {figures['answers']:,} right answers, single faults are made; recall is the share of them that the verifier"
        " calls a fault. A fault is made only where it can be seen: an article that exists under another number is visible"
        " beside the text the answer rests on, beside the article's heading, or not at all.",
        "",
        "| fault | kind | made | caught | recall |",
        "|---|---|---|---|---|",
    ]
    for kind, (family, caught, made) in kinds.items():
        lines.append(f"| {kind} | {family} | {made:,} | {caught:,} | {rate(caught, made)} |")
    for family in ("citation", "amount", "other", "all"):
        target = f" (target {TARGETS[family]:.0%})" if family in TARGETS else ""
        caught, made = sums[family]
        lines.append(f"| **{family}**{target} | | {made:,} | {caught:,} | **{rate(caught, made)}** |")
    caught, made = figures["hidden"]
    lines += [
        "",
        f"Counted in none of these: article ±1 that exists, with neither text nor heading given ({made:,} made, {caught:,} caught).",
        "What nothing given contradicts cannot be called wrong; it is reported as existing, and no more.",
        "",
        "| answers left as they are | judged | called wrong | share |",
        "|---|---|---|---|",
    ]
    untouched = {name: counts for name, counts in figures["alarms"].items() if "statute" not in name}
    for name, (wrong, count) in figures["alarms"].items():
        lines.append(f"| {name} | {count:,} | {wrong} | {rate(wrong, count)} |")
    wrong, count = (sum(counts[i] for counts in untouched.values()) for i in (0, 1))
    lines.append(f"| **untouched answers** (target at most 1%) | {count:,} | {wrong} | **{rate(wrong, count)}** |")
    for name, (wrong, count) in figures["official"].items():
        lines.append(f"| official: {name} | {count:,} | {wrong} | {rate(wrong, count)} |")
    wrong, count = (sum(counts[i] for counts in figures["official"].values()) for i in (0, 1))
    lines.append(
        f"| **official texts, each by its own date** (target at most 3%) | {count:,} | {wrong} | **{rate(wrong, count)}** |"
    )
    speeds, index = figures["speed"], figures["index"]
    lines += [
        "",
        "“recorded, statute text” are the recorded digest answers again, with the article's full text as evidence. The official",
        "texts called wrong print a decree's article under a heading that another article bears.",
        "",
        "| cost, one core, best of three | measured |",
        "|---|---|",
        f"| short answers a second, citations and numbers | {speeds['citations_and_numbers']:,.0f} |",
        f"| short answers a second, whole verdict (case recomputed) | {speeds['whole_verdict']:,.0f} |",
        f"| indexes of articles and paragraphs, loading | {index['seconds']:.3f} s, {index['megabytes']:.0f} MB |",
        "",
    ]
    return "\n".join(lines)


def outside(path: Path) -> str:
    """The verdicts on somebody's labelled rows: recall on the wrong ones, alarms on the right ones, by kind if given."""
    counts: Counter[tuple[str, str]] = Counter()
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").split("\n"), start=1):
        if not line.strip():
            continue
        row = json.loads(line)
        label = _LABELS.get(str(row.get("label")).lower())
        if label is None or "answer" not in row:
            raise SystemExit(
                f"{path} {number}행: answer와 label(correct 또는 wrong)이 있어야 합니다: {row.get('label')!r}"
            )
        day = date.fromisoformat(row["as_of"]) if row.get("as_of") else date.today()
        verdict = verify(row.get("question") or "", row["answer"], day, row.get("evidence") or None)
        kind = "correct" if label else str(row.get("kind") or "wrong")
        counts[kind, "rows"] += 1
        counts[kind, "called wrong"] += not verdict.ok
    lines = ["| rows | count | called wrong | share |", "|---|---|---|---|"]
    for kind in sorted({kind for kind, _ in counts}):
        wrong, rows = counts[kind, "called wrong"], counts[kind, "rows"]
        lines.append(f"| {kind} | {rows:,} | {wrong:,} | {rate(wrong, rows)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jsonl", type=Path, help="labelled rows of your own; nothing is written")
    parser.add_argument("--worked", type=int, default=800, help="worked examples (default 800)")
    parser.add_argument("--facts", type=int, default=300, help="statements of the statute index (default 300)")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    if args.jsonl:
        sys.stdout.write(outside(args.jsonl))
        return
    figures = measure(args.worked, args.facts, args.seed)
    results = REPO / "bench/results"
    results.mkdir(parents=True, exist_ok=True)
    (results / "verifier.json").write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    (REPO / "docs/verifier.md").write_text(page(figures), encoding="utf-8")
    sys.stdout.write(page(figures))


if __name__ == "__main__":
    main()
