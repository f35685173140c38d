"""The newcomer's loop, timed: a clean clone, `make demo` cold, again, the five-minute `make distill`, and the `--help`s.

    .venv/bin/python bench/loop.py            # about 20 minutes; writes docs/loop.md, bench/results/loop.json and the README's figures

Cold means: no virtualenv, an empty pip cache, an empty model cache, a home of its own.  Times are wall clock on whatever machine runs it,
so they are a record, not a test.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

REPO = Path(__file__).parents[1]
SHIPPED = "runs/gemma3-270m-tax"  # where the Makefile opens the student of the repository
QUESTION = "부모님께 20억원을 증여받았는데 증여세는 얼마인가요?"


def timed(command: list[str], where: Path, environment: dict[str, str], log: Path) -> tuple[float, str]:
    """Run a command; returns wall seconds and what it wrote to stdout.  Raises SystemExit naming the log when it fails."""
    start = time.perf_counter()
    with log.open("a", encoding="utf-8") as errors:
        done = subprocess.run(command, cwd=where, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True)
    seconds = time.perf_counter() - start
    with log.open("a", encoding="utf-8") as file:
        file.write(done.stdout)
    if done.returncode:
        tail = "\n".join(log.read_text(encoding="utf-8").splitlines()[-20:])
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}\n{tail}")
    return seconds, done.stdout


def measure(keep: Path | None) -> dict:
    """Clone HEAD into a temporary folder and run the README's commands there."""
    place = keep or Path(tempfile.mkdtemp(prefix="slm-forest-loop-"))
    place.mkdir(parents=True, exist_ok=True)
    clone, log = place / "slm-forest", place / "loop.log"
    subprocess.run(["git", "clone", "-q", str(REPO), str(clone)], check=True)
    environment = os.environ | {
        "DEMO_NO_UI": "1",
        "PIP_CACHE_DIR": str(place / "pip-cache"),
        "SLM_FOREST_CACHE": str(place / "model-cache"),
        "XDG_CACHE_HOME": str(place / "xdg-cache"),
        "HF_HUB_OFFLINE": "1",
    }
    first, _ = timed(["make", "demo"], clone, environment, log)
    second, _ = timed(["make", "demo"], clone, environment, log)
    python = str(clone / ".venv/bin/python")
    _, answer = timed([python, "-m", "serve", "--question", QUESTION, "--model_path", SHIPPED], clone, environment, log)
    distilled, _ = timed(["make", "distill"], clone, environment, log)
    helps = {
        room: round(min(timed([python, "-m", room, "--help"], clone, environment, log)[0] for _ in range(5)), 3)
        for room in ("data_gen", "finetune", "serve")
    }
    dataset = json.loads((clone / "datasets/demo/run.json").read_text(encoding="utf-8"))
    run_file, shipped_file = clone / "runs/demo/run.json", clone / SHIPPED / "run.json"
    run, shipped = (json.loads(file.read_text(encoding="utf-8")) for file in (run_file, shipped_file))
    return {
        "date": date.today().isoformat(),
        "commit": subprocess.check_output(["git", "rev-parse", "--short", "HEAD"], cwd=REPO, text=True).strip(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "make_demo_cold_s": round(first),
        "make_demo_again_s": round(second),
        "make_distill_s": round(distilled),
        "help_s": helps,
        "answer": answer.strip(),
        "counts": dataset["counts"],
        "base_exact": run["eval"]["base"]["exact"],
        "student_exact": run["eval"]["student"]["exact"],
        "shipped_mb": round((shipped_file.parent / shipped["student"]["gguf"]).stat().st_size / 1e6),
        "train": run["train"],
        "eval": run["eval"],
    }


def readme_block(figures: dict) -> str:
    """The few figures a reader wants first, in Korean."""
    return f"""| 잰 것 ({figures["date"]}, {figures["machine"]}) | 값 |
|---|---|
| `make demo` 처음 (설치·컴파일까지 모두) | {figures["make_demo_cold_s"] / 60:.1f}분 |
| `make demo` 다시 | {figures["make_demo_again_s"] / 60:.1f}분 |
| `make distill`: 데이터부터 5분 학습, 양자화, 재기까지 | {figures["make_distill_s"] / 60:.1f}분 |
| 그렇게 5분 배운 학생이 처음 보는 금액의 문제를 1원까지 맞힌 비율 (학습 전 {figures["base_exact"]:.1%}) | {figures["student_exact"]:.1%} |
"""


def write_readme(figures: dict) -> None:
    """Replace the measured block of README.md."""
    path = REPO / "README.md"
    before, rest = path.read_text(encoding="utf-8").split("<!-- measured: written by bench/loop.py -->")
    _, after = rest.split("<!-- /measured -->")
    marked = f"<!-- measured: written by bench/loop.py -->\n{readme_block(figures)}<!-- /measured -->"
    path.write_text(before + marked + after, encoding="utf-8")


def page(figures: dict) -> str:
    """The figures as Markdown."""
    counts = ", ".join(f"{key} {figures['counts'][key]:,}" for key in ("requested", "accepted", "rejected", "failed"))
    helps = " · ".join(f"`{room}` {seconds:.2f} s" for room, seconds in figures["help_s"].items())
    return f"""# The loop, measured

Made by `.venv/bin/python bench/loop.py` on {figures["date"]} at commit `{figures["commit"]}` ({figures["machine"]}); do not edit.

| what | measured |
|---|---|
| `make demo` in a clean clone, everything installed and compiled | {figures["make_demo_cold_s"] / 60:.1f} min |
| `make demo` again | {figures["make_demo_again_s"] / 60:.1f} min |
| `make distill` after it: data, five minutes of training, export, measuring | {figures["make_distill_s"] / 60:.1f} min |
| the shipped student's file | {figures["shipped_mb"]} MB |
| `--help` (best of 5) | {helps} |
| pairs of the demo's dataset | {counts} |
| its training | {figures["train"]["steps"]} steps, {figures["train"]["tokens"]:,} tokens, {figures["train"]["tokens_per_second"]:.0f} tokens/s |
| exact final amount on held-out worked examples, base model | {figures["base_exact"]:.1%} |
| the same, trained for five minutes and quantised | {figures["student_exact"]:.1%} |

The five-minute student knows four taxes; the shipped one is measured in [student.md](student.md).  Held-out rows per side: base {figures["eval"]["base"]["rows"]}, student {figures["eval"]["student"]["rows"]}. They share question templates with training,
not amounts or documents.

`python -m serve --question "{QUESTION}"` in that clone:

```text
{figures["answer"]}
```
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--place", type=Path, help="folder for the clone and its caches (kept); default: a temporary one"
    )
    figures = measure(parser.parse_args().place)
    results = REPO / "bench/results"
    results.mkdir(parents=True, exist_ok=True)
    (results / "loop.json").write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    (REPO / "docs/loop.md").write_text(page(figures), encoding="utf-8")
    write_readme(figures)
    sys.stdout.write(page(figures))


if __name__ == "__main__":
    main()
