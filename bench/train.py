"""Training Gemma 3 270M several ways on this machine: tokens per second, peak memory, loss at equal tokens.

    python bench/train.py --seconds 60 --repeats 2     # about 25 minutes; needs `pip install trl==1.16.*` for its rows

Every variant is a process of its own (bench/train_variants.py) that stops after so many seconds but never before its
second step; repeats are interleaved.  Writes bench/results/training.json and docs/training_bench.md.  All figures of
one table are from one run on one machine.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path

REPO = Path(__file__).parents[1]
RESULTS, PAGE = REPO / "bench/results/training.json", REPO / "docs/training_bench.md"
VARIANTS = (
    "predecessor",
    "trl default",
    "trl tuned",
    "trl tuned, packed",
    "trl tuned, packed, float32",
    "ours, whole vocabulary",
    "ours, float products",
    "ours",
)
WHAT = {
    "predecessor": "rows padded to 2048, loss on prompt and answer, float32, eager attention, r=64",
    "trl default": "SFTTrainer as it comes: float32 weights under bf16 autocast, batch 8, checkpointing, rate 2e-5",
    "trl tuned": "bf16 weights, no checkpointing, batch 4, rate 1e-3",
    "trl tuned, packed": "the same, packed into rows of 512",
    "trl tuned, packed, float32": "that in float32 without autocast, which some processors multiply faster",
    "ours, whole vocabulary": "finetune.train: answers only, like lengths together, base in the format chosen for this machine, fp32 adapters",
    "ours, float products": "the same with the fitted vocabulary, frozen weights multiplied in the base's format",
    "ours": "the same, frozen weights multiplied in 8 bits where that is faster: configs/finetune/demo.yaml as it stands",
}


def measure(variant: str, seconds: float, dataset: Path) -> dict:
    """One child's result with the load before it.  Raises SystemExit with the end of its output when it fails."""
    with tempfile.TemporaryDirectory() as folder:
        out, load = Path(folder) / "result.json", os.getloadavg()[0]
        child = [sys.executable, str(REPO / "bench/train_variants.py"), variant, "--seconds", str(seconds)]
        done = subprocess.run(
            [*child, "--dataset", str(dataset), "--out", str(out)],
            cwd=REPO,
            env=os.environ | {"PYTHONPATH": str(REPO), "TMPDIR": folder},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise SystemExit(f"{variant} ended with {done.returncode}\n{done.stderr[-2000:]}")
        return json.loads(out.read_text(encoding="utf-8")) | {"load": round(load, 1)}


def at_equal_tokens(ours: dict, tokens: int) -> tuple[int, float] | None:
    """Our held-out loss at the mark nearest to ``tokens``, None when it never came within a quarter of it."""
    marks = {int(mark): loss for mark, loss in ours["judged"].items()}
    nearest = min(marks, key=lambda mark: abs(mark - tokens))
    return (nearest, marks[nearest]) if abs(nearest - tokens) <= 0.25 * tokens else None


def table(runs: list[dict]) -> str:
    """Medians over the repeats, and the ratio to each."""
    best = _median([run for run in runs if run["variant"] == "ours"])
    lines = [
        "| variant | tokens/s | tokens per CPU second | loss tokens/s | padding | peak memory | ours is faster by (CPU) | held-out loss, after tokens | ours then |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for variant in VARIANTS:
        mine = [run for run in runs if run["variant"] == variant]
        if not mine:
            lines.append(f"| {variant} | not run | | | | | | | |")
            continue
        one = _median(mine)
        last = mine[-1]
        after, loss = max((int(mark), loss) for mark, loss in last["judged"].items())
        same = at_equal_tokens([run for run in runs if run["variant"] == "ours"][-1], after)
        then = "" if variant == "ours" else f"{same[1]:.2f} after {same[0]:,}" if same else "not judged near there"
        lines.append(
            f"| **{variant}**: {WHAT[variant]} | {one['tokens_per_second']:.1f} | {one['tokens_per_cpu_second']:.1f} | "
            f"{one['loss_tokens_per_second']:.1f} | {1 - last['tokens'] / last['padded_tokens']:.0%} | "
            f"{one['peak_bytes'] / 1e9:.1f} GB | "
            f"{best['tokens_per_cpu_second'] / one['tokens_per_cpu_second']:.1f}x | {loss:.2f} after {after:,} | {then} |"
        )
    return "\n".join(lines)


def page(results: dict) -> str:
    """The whole page; what stands below the marker is written by hand and kept."""
    loads = ", ".join(f"{run['load']:g}" for run in results["runs"])
    steps = ", ".join(f"{run['variant']} {run['steps']}" for run in results["runs"])
    kept = PAGE.read_text(encoding="utf-8").split(MARKER, 1)[1] if PAGE.is_file() else "\n"
    return f"""# Training, measured

Made by `{results["command"]}` on {results["date"]} ({results["machine"]}); the part above the marker is rewritten by it.

Gemma 3 270M (the Q4_K_M package, made float32 or bf16 again), the demo's examples in the demo's order, LoRA r=16 on all seven layers (the
predecessor's recipe: its own r=64), {results["repeats"]} run(s) of at least {results["seconds"]:g} s each and never fewer than two steps, the first left out.
Ours chose {results["runs"][-1].get("dtype") or "bfloat16"} for the frozen base.  **Read the ratios.** The machine was shared: load before each run {loads}, on two cores. Wall-clock rates fell accordingly; tokens
per CPU second count this process's own work and hardly depend on the neighbours. Steps: {steps}.

{table(results["runs"])}

Tokens are prompt and answer without padding; loss tokens are those the loss looks at. Peak memory is the process's largest resident size,
loading included. Held-out loss: mean over the answer tokens of 16 unseen worked rows, one function for all; "ours then" is ours at about the
same number of tokens. With the fitted vocabulary the softmax runs over fewer pieces, which lowers the loss a little by itself: compare
the row with the whole vocabulary.

{MARKER}{kept}"""


MARKER = "<!-- below: by hand -->"


def _median(runs: list[dict]) -> dict:
    numbers = ("tokens_per_second", "loss_tokens_per_second", "tokens_per_cpu_second", "peak_bytes")
    return {name: statistics.median(run[name] for run in runs) for name in numbers}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--seconds", type=float, default=60, help="training time of each variant, from its second step on"
    )
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--dataset", type=Path, default=Path("datasets/demo"))
    parser.add_argument("--page-only", action="store_true", help="write the page again from the JSON")
    options = parser.parse_args()
    if not options.page_only:
        if not (REPO / options.dataset / "train.jsonl").is_file():
            raise SystemExit(
                f"{options.dataset} is missing: python -m data_gen build --config configs/data_gen/demo.yaml"
            )
        with_trl = importlib.util.find_spec("trl") is not None
        if not with_trl:
            print("trl is not installed: its rows are left out (pip install trl==1.16.*)", file=sys.stderr)
        results = {
            "date": date.today().isoformat(),
            "command": f"python bench/train.py --seconds {options.seconds:g} --repeats {options.repeats}",
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, torch on CPU",
            "seconds": options.seconds,
            "repeats": options.repeats,
            "runs": [],
        }
        for _ in range(options.repeats):
            for variant in VARIANTS:
                if variant.startswith("trl") and not with_trl:
                    continue
                results["runs"].append(measure(variant, options.seconds, options.dataset))
                print(json.dumps(results["runs"][-1]), file=sys.stderr, flush=True)
                RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    PAGE.write_text(page(results), encoding="utf-8")
    print(table(results["runs"]))


if __name__ == "__main__":
    main()
