"""What a finished run says of itself, as one entry of the ablation table; and why one that stopped did."""

from __future__ import annotations

import json
from pathlib import Path

REASON = 240  # characters of a failure that fit into the table


def entry_of(run: Path) -> dict:
    """The student's line and what its training saw, from run.json.  Shares, nats, seconds, bytes."""
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    config, stages = record["config"], [_stage(stage, record["config"]) for stage in record["stages"]]
    seconds = sum(stage["seconds"] for stage in stages)
    tokens = sum(stage["tokens"] for stage in stages)
    vocabulary = record["base"]["vocabulary"]
    return {
        **_measured(record, "student"),
        "bytes": record["student"]["bytes"],
        "file": record["student"]["gguf"],
        "student": record["student"]["sha256"],
        "adapter_bytes": sum(path.stat().st_size for path in (run / "adapter").glob("*.safetensors")),
        "pieces": vocabulary and vocabulary["pieces"],
        "target": config["target"],
        "trainable": record["train"]["trainable"],
        "stages": stages,
        "steps": sum(stage["steps"] for stage in stages),
        "rows_seen": sum(stage["rows"] for stage in stages),
        "tokens": tokens,
        "train_seconds": round(seconds, 1),
        "tokens_per_second": round(tokens / seconds, 1) if seconds else 0.0,
        "peak_bytes": record["machine"]["peak_memory_bytes"],
        "dtype": record["machine"]["dtype"],
        "seconds": record["seconds"],
        "stage_seconds": record["stage_seconds"],
        "finished": record["finished"],
    }


def base_entry(run: Path) -> dict:
    """The line of the untrained model, measured in the same run on the same rows."""
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    return {**_measured(record, "base"), "bytes": None, "load_before": None}


def _measured(record: dict, name: str) -> dict:
    line = next(line for line in record["survival"]["lines"] if line["name"] == name)
    scored = record["eval"][name]
    return {
        **{key: line[key] for key in ("exact", "right", "wrong", "nll_token", "nll_character")},
        "ended_by_stop": scored["ended_by_stop"],
        "mean_tokens": scored["mean_tokens"],
        "per_tax": {tax: one["exact"] for tax, one in scored["per_tax"].items()},
        "rows_per_tax": {tax: one["rows"] for tax, one in scored["per_tax"].items()},
    }


def _stage(stage: dict, config: dict) -> dict:
    """``rows``: those (pairs, pieces of law) that its steps saw, from its own batch size or the run's."""
    own = next((one for one in config["stages"] if one["name"] == stage["name"]), {})
    size, accumulate = (own.get(key) or config["train"][key] for key in ("batch_size", "accumulate"))
    kept = (
        "name",
        "kind",
        "steps",
        "tokens",
        "target_tokens",
        "seconds",
        "tokens_per_second",
        "first_loss",
        "last_loss",
    )
    return {**{key: stage[key] for key in kept}, "rows": stage["steps"] * size * accumulate}


def last_words(log: Path) -> str:
    """The end of a log on one line, fit for a table cell."""
    lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    marked = [number for number, line in enumerate(lines) if line.startswith(("중단:", "오류:"))]
    said = " ".join(lines[marked[-1] :] if marked else lines[-2:])
    return said.replace("|", "/")[:REASON] or "no output"
