"""Predicted against measured: the memory model of `finetune plan` on real training steps of Gemma 3 270M on this CPU.

    python bench/plan_memory.py            # about seven minutes; Linux (reads and resets VmHWM in /proc)
    python bench/plan_memory.py --only 3   # one setting again; the others stay as they were measured

The first three settings are those finetune/plan_memory.py was fitted to; the last ones were measured afterwards and say how
far to trust it.

Each setting runs in a process of its own.  Measured is the peak resident memory from the first step on (the peak counter
is reset when the model is loaded), so that reading the checkpoint does not hide what training takes.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path

REPO = Path(__file__).parents[1]
STEPS = 2
# name, changes to configs/finetune/demo.yaml
SETTINGS = (
    ("demo.yaml: fitted vocabulary, 1,024 tokens a pass", {}),
    ("whole vocabulary (262,144), 1,024 tokens a pass", {"fit_vocab": False}),
    (
        "fitted, full workings as answers, 4,096 tokens a pass",
        {"target": "worked", "max_tokens": 768, "train": {"batch_size": 32, "pass_tokens": 4096}},
    ),
    (
        "held out: whole vocabulary, r=64, 512 tokens a pass",
        {"fit_vocab": False, "lora": {"r": 64, "alpha": 64}, "train": {"batch_size": 8, "pass_tokens": 512}},
    ),
    (
        "held out: fitted, full workings, adapters on q and v only (r=8), 2,048 tokens a pass",
        {
            **{"target": "worked", "max_tokens": 768, "lora": {"r": 8, "alpha": 16, "targets": ["q_proj", "v_proj"]}},
            "train": {"batch_size": 16, "pass_tokens": 2048},
        },
    ),
)
FITTED = 3  # of them
TARGET = REPO / "bench" / "results" / "plan_memory.json"


def measure(number: int) -> dict:
    """Train a few steps of one setting, the largest batches first; predicted and measured bytes."""
    import time

    from finetune import train
    from finetune.base import load_for_training, load_tokenizer, resolve_base
    from finetune.data import encode_rows, endless_batches, read_rows, target_text
    from finetune.device import choose_device
    from finetune.lora import attach_lora
    from finetune.plan import device_needs
    from finetune.quiet import quiet_libraries
    from finetune.settings import RunConfig, read_config
    from finetune.vocab import fit_vocabulary

    quiet_libraries()
    name, changes = SETTINGS[number]
    raw = read_config(REPO / "configs" / "finetune" / "demo.yaml", REPO / "datasets" / "demo").model_dump()
    raw["train"] |= changes.get("train", {}) | {"max_minutes": None, "max_steps": STEPS}
    config = RunConfig.model_validate(raw | {key: value for key, value in changes.items() if key != "train"})
    device = choose_device(config.train.dtype)
    rows = [row for row in read_rows(config.dataset / "train.jsonl") if row.style in config.mix]
    weights = resolve_base(config.base)
    if config.fit_vocab:
        texts = [text for row in rows for text in (row.question, target_text(row, config.target))]
        weights = fit_vocabulary(weights, texts).weights
    tokenizer = load_tokenizer(weights)
    examples = encode_rows(rows, tokenizer, config.target, config.max_tokens).examples
    batches = endless_batches(examples, config.mix, config.train.batch_size, config.seed, config.taxes)
    epoch = []
    for done, batch in batches:
        epoch.append((done, batch))
        if done >= 1:
            break
    epoch.sort(
        key=lambda item: (
            -max(sum(len(one.ids) for one in p) for p in train.split_batch(item[1], config.train.pass_tokens))
        )
    )
    del rows, batches, examples
    before = _status("VmRSS")
    model, _ = attach_lora(load_for_training(weights, config.base, device), config.lora, config.seed)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # VmHWM starts again from what is resident now
    started = time.monotonic()
    steps = train.train(
        model, iter(epoch[:STEPS]), config.train, tokenizer.pad_token_id, lambda step: None, device.kind
    )
    peak = _status("VmHWM")
    predicted = device_needs(config, device)
    return {
        "setting": name,
        "dtype": device.dtype,
        "threads": device.threads,
        "largest_pass_tokens": max(step.padded_tokens for step in steps),
        "seconds": round(time.monotonic() - started, 1),
        "predicted": vars(predicted),
        "process_bytes": before,
        "measured_bytes": peak,
    }


def _status(name: str) -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"no {name} in /proc/self/status: Linux only")


def table(results: list[dict]) -> str:
    """Markdown, gigabytes."""
    lines = [
        "| setting | weights | adapters | activations | logits | process | predicted | measured | error | process, measured |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for one in results:
        parts = one["predicted"]
        shown = [parts[key] / 1e9 for key in ("weights", "adapters", "activations", "logits", "process", "training")]
        measured = one["measured_bytes"] / 1e9
        cells = " | ".join(f"{value:.2f}" for value in (*shown, measured))
        lines.append(
            f"| {one['setting']} | {cells} | {shown[-1] / measured - 1:+.0%} | {one['process_bytes'] / 1e9:.2f} |"
        )
    return "\n".join(lines)


def main() -> int:
    """Run every setting and print the table; writes bench/results/plan_memory.json."""
    if len(sys.argv) == 3 and sys.argv[1].isdecimal():
        Path(sys.argv[2]).write_text(json.dumps(measure(int(sys.argv[1])), ensure_ascii=False), encoding="utf-8")
        return 0
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", type=int, action="append", choices=range(len(SETTINGS)), help="number of a setting")
    wanted = parser.parse_args().only or range(len(SETTINGS))
    names, found, results = [name for name, _ in SETTINGS], {}, []
    if TARGET.is_file():
        before = json.loads(TARGET.read_text(encoding="utf-8"))
        found = {one["setting"]: {"date": before.get("date"), **one} for one in before["results"]}
    quiet = os.environ | {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "30000"}  # as finetune/threads.py
    with tempfile.TemporaryDirectory() as folder:
        for number in wanted:
            file = Path(folder) / f"{number}.json"
            subprocess.run([sys.executable, __file__, str(number), str(file)], check=True, cwd=REPO, env=quiet)
            one = json.loads(file.read_text(encoding="utf-8"))
            found[one["setting"]] = {"date": date.today().isoformat(), **one}
            results = [found[name] for name in names if name in found]
            record = {"results": results}
            TARGET.write_text(json.dumps(record, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    print("Fitted to:\n\n" + table([one for one in results if names.index(one["setting"]) < FITTED]))
    print("\nNot fitted to:\n\n" + table([one for one in results if names.index(one["setting"]) >= FITTED]))
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(REPO))
    sys.exit(main())
