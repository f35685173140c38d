"""What a run shows: a live line while it trains, loss.png and accuracy.png, and the table at the end."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from finetune.train import Step  # torch, which a reused run need not load


class Shown:
    """What the reader of the screen sees of one stage: a live bar on a terminal, a line every 20 s in a log."""

    def __init__(self, name: str, bar, clock: Callable[[], float] = time.monotonic, silent: bool = False) -> None:
        self._name, self._bar, self._clock = name, bar, clock
        self._task = bar.add_task(name, total=1.0, status="") if bar else None
        self._line_at = clock()
        self._tokens, self._began = 0, 0.0
        self._loss: float | None = None
        self._accuracy = ""
        self._silent = silent

    def step(self, step: Step) -> None:
        """Show one step; the rate is that of this process after its first step, which warms caches up."""
        if self._loss is None:
            self._began, self._loss, rate = step.seconds, step.loss, ""
        else:
            self._tokens += step.tokens
            self._loss = 0.9 * self._loss + 0.1 * step.loss
            rate = f"  {self._tokens / max(step.seconds - self._began, 1e-9):,.0f} tok/s"
        status = f"step {step.step}  loss {self._loss:.3f}{rate}{self._accuracy}"
        if step.preferred is not None:
            status += f"  선호 {step.preferred:.0%}"
        if self._bar:
            self._bar.update(self._task, completed=step.budget_used, status=status)
        elif not self._silent and self._clock() - self._line_at > 20:
            self._line_at = self._clock()
            remaining = step.seconds * (1 / max(step.budget_used, 1e-6) - 1)
            print(f"  {self._name} {step.budget_used:4.0%}  {status}  남은 시간 {remaining / 60:.1f}분", flush=True)

    def accuracy(self, record: dict) -> None:
        """Show one evaluation in between."""
        self._accuracy = f"  정답률 {record['accuracy']:.0%}"
        line = f"  {self._name} step {record['step']}: 정답률 {record['accuracy']:.1%} (최고 {record['best']:.1%})"
        if self._bar:
            self._bar.console.print(line)
        elif not self._silent:
            print(line, flush=True)


@contextmanager
def progress(name: str, silent: bool = False) -> Iterator[Shown]:
    """Show one stage while the block runs: share of the budget, loss, tokens per second, accuracy, time left."""
    if silent or not sys.stdout.isatty():
        yield Shown(name, None, silent=silent)
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        TextColumn("학습 {task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.fields[status]}"),
        TimeElapsedColumn(),
        TextColumn("남은 시간"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, transient=False) as bar:
        yield Shown(name, bar)


def draw_loss(steps: list[Step], path: Path) -> None:
    """Loss by training tokens, raw and smoothed, one colour per stage (English labels: no Hangul font is assumed)."""
    figure, axes = _figure()
    seen = 0
    for number, stage in enumerate(dict.fromkeys(step.stage for step in steps)):
        own = [step for step in steps if step.stage == stage]
        smooth, tokens, smoothed = own[0].loss, [], []
        for step in own:
            seen += step.tokens
            smooth = 0.9 * smooth + 0.1 * step.loss
            tokens.append(seen)
            smoothed.append(smooth)
        label = {"label": "each step"} if number == 0 else {}
        axes.plot(tokens, [step.loss for step in own], color="0.8", linewidth=0.8, **label)
        axes.plot(tokens, smoothed, color=f"C{number}", label=f"{stage} smoothed".strip())
    axes.set(xlabel="training tokens (without padding)", ylabel="loss per answer token", yscale="log")
    if any(step.margin is not None for step in steps):
        axes.set_ylabel("loss per answer token (preference: per pair)")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path)


def draw_accuracy(records: list[dict], path: Path) -> None:
    """Accuracy on the watched rows by training tokens of the stage, the kept adapter marked, as a PNG."""
    figure, axes = _figure()
    for number, stage in enumerate(dict.fromkeys(record["stage"] for record in records)):
        own = [record for record in records if record["stage"] == stage]
        tokens, shares = [record["tokens"] for record in own], [record["accuracy"] for record in own]
        axes.plot(tokens, shares, marker="o", color=f"C{number}", label=stage)
        kept = max(range(len(own)), key=lambda index: (shares[index], index))
        axes.plot(tokens[kept], shares[kept], marker="*", markersize=14, color=f"C{number}")
    axes.set(xlabel="training tokens of the stage", ylabel="right answers on the watched rows", ylim=(-0.03, 1.03))
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path)


def _figure():
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots()


def accuracy_lines(evaluations: dict[str, dict]) -> list[str]:
    """The survival table, one line per model: exact answers, stops, per tax."""
    from finetune.evaluation.report import TAXES

    names = {"base": "학습 전 base", "adapter": "학습 후 adapter", "student": "최종 GGUF student"}
    lines = []
    for key, record in evaluations.items():
        per_tax = "  ".join(f"{TAXES.get(tax, tax)} {value['exact']:.0%}" for tax, value in record["per_tax"].items())
        lines.append(
            f"{names[key]:<18} 정답률(exact) {record['exact']:6.1%} ({record['right']}/{record['rows']})"
            f"  스스로 끝냄 {record['ended_by_stop']:.0%}  | {per_tax}"
        )
    return lines
