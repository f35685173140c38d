"""What a run shows: a live line while it trains, metrics.jsonl, loss.png and the table at the end."""

from __future__ import annotations

import json
import sys
import time
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from finetune.train import Step  # torch, which a reused run need not load


@contextmanager
def training_report(metrics_file: Path, max_minutes: float | None):
    """Yield an ``on_step`` that appends to ``metrics_file`` and shows progress: a bar, or a line every 20 s in a log."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        TextColumn("학습"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.fields[status]}"),
    )
    progress = Progress(*columns, TimeElapsedColumn(), TextColumn("남은 시간"), TimeRemainingColumn(), transient=False)
    live = sys.stdout.isatty()
    task = progress.add_task("train", total=1.0, status="")
    last_line = time.monotonic()
    tokens = 0
    smooth: float | None = None
    with metrics_file.open("w", encoding="utf-8") as metrics:

        def on_step(step: Step) -> None:
            nonlocal last_line, tokens, smooth
            tokens += step.tokens
            smooth = step.loss if smooth is None else 0.9 * smooth + 0.1 * step.loss
            metrics.write(json.dumps(asdict(step), ensure_ascii=False) + "\n")
            metrics.flush()
            status = f"step {step.step}  loss {smooth:.3f}  {tokens / max(step.seconds, 1e-9):,.0f} tok/s"
            progress.update(task, completed=step.budget_used, status=status)
            if not live and time.monotonic() - last_line > 20:
                last_line = time.monotonic()
                remaining = step.seconds * (1 / max(step.budget_used, 1e-6) - 1)
                print(f"  학습 {step.budget_used:4.0%}  {status}  남은 시간 {remaining / 60:.1f}분", flush=True)

        if live:
            with progress:
                yield on_step
        else:
            yield on_step


def draw_loss(steps: list[Step], path: Path) -> None:
    """Loss by training tokens, raw and smoothed, as a PNG (English labels: no Hangul font is assumed)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    seen, smooth, tokens, smoothed = 0, steps[0].loss, [], []
    for step in steps:
        seen += step.tokens
        smooth = 0.9 * smooth + 0.1 * step.loss
        tokens.append(seen)
        smoothed.append(smooth)
    axes.plot(tokens, [step.loss for step in steps], color="0.8", linewidth=0.8, label="each step")
    axes.plot(tokens, smoothed, color="tab:blue", label="smoothed")
    axes.set(xlabel="training tokens (without padding)", ylabel="loss per answer token", yscale="log")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path)


def accuracy_lines(evaluations: dict[str, dict]) -> list[str]:
    """The survival table, one line per model: exact answers, stops, per tax."""
    names = {"base": "학습 전 base", "adapter": "학습 후 adapter", "student": "최종 GGUF student"}
    lines = []
    for key, record in evaluations.items():
        per_tax = "  ".join(f"{tax} {value['exact']:.0%}" for tax, value in record["per_tax"].items())
        lines.append(
            f"{names[key]:<18} 정답률(exact) {record['exact']:6.1%} ({record['right']}/{record['rows']})"
            f"  스스로 끝냄 {record['ended_by_stop']:.0%}  | {per_tax}"
        )
    return lines
