"""The reference's own answers: sampled once, then pairs for DPO and a dataset with its right answers for another training."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from ablation_variants import CALL_TOKENS, OWN_SHARE, REFERENCE, Plan


def sample_reference(plan: Plan, options, python: Callable[..., int], say: Callable[[str], None]) -> dict | None:
    """Run `python -m finetune pairs` on the reference and write the dataset with its own answers.

    Returns what was asked and how much came of it; None when the command failed for another reason than finding no pair.
    ``options``: questions, samples, temperature.
    """
    say(f"sampling: 질문 {options.questions}개 × 답 {options.samples}개 (시작 {time.strftime('%H:%M')})")
    for path in (plan.pairs, plan.own_rows):
        path.unlink(missing_ok=True)
    began = time.monotonic()
    words = ["-m", "finetune", "pairs", "--run", plan.out(REFERENCE), "--dataset", plan.dataset]
    words += ["--out", plan.pairs, "--keep-right", plan.own_rows, "--per-row", 2, "--max-new-tokens", CALL_TOKENS]
    words += ["--rows", options.questions, "--samples", options.samples, "--temperature", options.temperature]
    code = python("sampling", *words)
    if not plan.own_rows.is_file() or code not in (0, 1):
        plan.own_rows.unlink(missing_ok=True)
        return None
    own, pairs = (_lines(path) if path.is_file() else [] for path in (plan.own_rows, plan.pairs))
    repeats = write_own_dataset(plan, own) if own else 0
    return {
        "questions": options.questions,
        "samples": options.samples,
        "temperature": options.temperature,
        "seconds": round(time.monotonic() - began, 1),
        "pairs": len(pairs),
        "own": len(own),
        "repeats": repeats,
    }


def is_there(found: dict, plan: Plan) -> bool:
    """Whether the files an earlier sampling wrote are still in the work folder."""
    files = {"pairs": plan.pairs, "own": plan.own_dataset / "train.jsonl"}
    return all(path.is_file() for name, path in files.items() if found[name])


def write_own_dataset(plan: Plan, own: list[str]) -> int:
    """The dataset with ``own`` (rows as JSON lines) added so often that they are OWN_SHARE of the worked rows; how often.

    Validation stays the same.  Repeated rows get ids of their own, so that none stands twice.
    """
    shutil.rmtree(plan.own_dataset, ignore_errors=True)
    partial = plan.own_dataset.with_name(plan.own_dataset.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    rows = _lines(plan.dataset / "train.jsonl")
    worked = sum(json.loads(line)["style"] == "worked" for line in rows)
    repeats = max(1, round(worked * OWN_SHARE / (1 - OWN_SHARE) / len(own)))
    for turn in range(1, repeats + 1):
        for line in own:
            row = json.loads(line)
            rows.append(json.dumps(row | {"id": f"{row['id']}:{turn}"}, ensure_ascii=False))
    (partial / "train.jsonl").write_text("".join(line + "\n" for line in rows), encoding="utf-8")
    shutil.copyfile(plan.dataset / "validation.jsonl", partial / "validation.jsonl")
    partial.rename(plan.own_dataset)
    return repeats


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
