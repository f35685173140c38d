"""Which held-out rows are measured: every style has its turn, the same rows for every model."""

from __future__ import annotations

from pathlib import Path

from finetune.data import Row, read_rows

SPLITS = ("validation", "test")


def choose_rows(rows: list[Row], count: int) -> list[Row]:
    """Up to ``count`` rows, one in turn from each style (worked rows: each tax), in the file's order within each."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.style, row.tax if row.style == "worked" else ""), []).append(row)
    queues = [groups[key] for key in sorted(groups)]
    longest = max(map(len, queues), default=0)
    in_turn = [queue[turn] for turn in range(longest) for queue in queues if turn < len(queue)]
    return in_turn[:count]


def read_split(dataset: Path, split: str, count: int) -> list[Row]:
    """The chosen rows of ``dataset/<split>.jsonl``.  Raises InputError when the file is missing, empty or malformed."""
    return choose_rows(read_rows(dataset / f"{split}.jsonl"), count)
