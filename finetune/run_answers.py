"""Every answer of a run's own evaluation, so that what went wrong can be read without asking again."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from finetune.data import Row
from finetune.evaluate import Generation

ANSWERS = "answers.jsonl"


def keep_answers(
    folder: Path, step: str, rows: Sequence[Row], made: Sequence[Generation], wrong: Sequence[str]
) -> None:
    """Put the answers of one step into ``folder``/answers.jsonl, in place of those that it gave in an attempt before.

    A line: step, row (id), question, output, stopped, tokens, expected (won), exact.  ``wrong``: ids of the rows whose
    final amount is not exact.
    """
    file, missed = folder / ANSWERS, set(wrong)
    earlier = file.read_text(encoding="utf-8").split("\n")[:-1] if file.is_file() else []  # an output may hold U+2028
    lines = [line for line in earlier if json.loads(line)["step"] != step]
    for row, one in zip(rows, made, strict=True):
        told = {"step": step, "row": row.id, "question": row.question, "output": one.text, "stopped": one.stopped}
        told |= {"tokens": one.tokens, "expected": row.payable, "exact": row.id not in missed}
        lines.append(json.dumps(told, ensure_ascii=False))
    aside = file.with_suffix(".new")
    aside.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    os.replace(aside, file)
