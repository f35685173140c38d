"""What limits our training loop: matmul peaks, where its time goes, and what torch.compile of the body would give.

    python bench/train_profile.py            # about 6 minutes; prints JSON and writes bench/results/training_profile.json

One process, one batch of a fixed shape (8 rows of 128 tokens, as compile wants it), the demo's student with the fitted
vocabulary.  Times are this process's CPU seconds, medians; eager and compiled passes are interleaved.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # both as finetune/threads.py
os.environ.setdefault("GOMP_SPINCOUNT", "30000")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
import transformers
from train_variants import DEMO, read_material  # beside this file

from finetune.base import load_model
from finetune.lora import attach_lora, trainable_parameters
from finetune.settings import read_config
from finetune.train import IGNORED, Batch, adapter_autocast, answer_loss

ROWS, LENGTH = 8, 128
KINDS = {  # first match wins
    "matmul": ("::mm", "::addmm", "::bmm", "mkldnn_linear", "onednn"),
    "attention": ("scaled_dot_product", "flash_attention"),
    "casts and copies": ("copy_", "_to_copy", "::to", "clone", "contiguous", "::cat"),
    "adapters' optimiser": ("_foreach", "Optimizer"),
    "elementwise (norms, gates, rotary, sums)": (
        "::mul",
        "::add",
        "::pow",
        "::mean",
        "rsqrt",
        "gelu",
        "::neg",
        "::sum",
        "::div",
    ),
}


def cpu_seconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def matmul_peak(dtype: torch.dtype) -> float:
    """GFLOP per CPU second of a product of the MLP's shape, best of seven."""
    left, right = torch.randn(ROWS * LENGTH, 640, dtype=dtype), torch.randn(640, 2048, dtype=dtype)
    best = min(cpu_seconds(lambda: [left @ right for _ in range(20)]) for _ in range(7)) / 20
    return 2 * left.shape[0] * 640 * 2048 / best / 1e9


def fixed_batch(material, tokens_of_answer: int) -> Batch:
    """Eight rows of exactly 128 tokens, made of real examples one after another."""
    stream = [token for _, batch in [next(material.batches) for _ in range(40)] for one in batch for token in one.ids]
    ids = torch.tensor(stream[: ROWS * LENGTH]).view(ROWS, LENGTH)
    labels = ids.clone()
    labels[:, :-tokens_of_answer] = IGNORED
    return Batch(ids, None, labels)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", type=Path, default=Path("datasets/demo"))
    parser.add_argument("--repeats", type=int, default=6)
    parser.add_argument("--no-compile", action="store_true")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    config = read_config(DEMO, options.dataset)
    material = read_material(config, fitted=True)
    load = os.getloadavg()[0]
    model, _ = attach_lora(load_model(material.weights, "bfloat16"), config.lora, config.seed)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    body = model.get_base_model().model
    batch = fixed_batch(material, LENGTH // 3)

    def one_pass() -> None:
        with adapter_autocast(model, "cpu"):
            answer_loss(model, batch).backward()
        for parameter in trained:
            parameter.grad = None

    def forward_only() -> None:
        with torch.no_grad(), adapter_autocast(model, "cpu"):
            answer_loss(model, batch)

    one_pass()
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profiled:
        one_pass()
    shares: dict[str, float] = {}
    for event in profiled.key_averages():
        kind = next((name for name, words in KINDS.items() if any(word in event.key for word in words)), "other")
        shares[kind] = shares.get(kind, 0.0) + event.self_cpu_time_total
    total = sum(shares.values())
    top = sorted(profiled.key_averages(), key=lambda event: -event.self_cpu_time_total)[:12]

    eager = [cpu_seconds(one_pass) for _ in range(options.repeats)]
    forward = [cpu_seconds(forward_only) for _ in range(options.repeats)]
    result = {
        "load": round(load, 1),
        "rows": ROWS,
        "length": LENGTH,
        "scored": int((batch.labels[:, 1:] != IGNORED).sum()),
        "pieces": body.config.vocab_size,
        "trainable": trainable_parameters(model),
        "bf16_gflop_per_cpu_second": round(matmul_peak(torch.bfloat16)),
        "fp32_gflop_per_cpu_second": round(matmul_peak(torch.float32)),
        "eager_cpu_seconds": round(statistics.median(eager), 3),
        "forward_cpu_seconds": round(statistics.median(forward), 3),
        "shares": {name: round(value / total, 3) for name, value in sorted(shares.items(), key=lambda one: -one[1])},
        "top": [[event.key, round(event.self_cpu_time_total / total, 3), event.count] for event in top],
    }
    frozen = sum(p.numel() for layer in body.layers for p in layer.parameters() if not p.requires_grad)
    head = result["scored"] * body.config.vocab_size * 640
    flop = 4 * (frozen * ROWS * LENGTH + head) + 6 * result["trainable"] * ROWS * LENGTH
    result["gflop_per_pass"] = round(flop / 1e9)
    result["share_of_bf16_peak"] = round(
        flop / 1e9 / result["eager_cpu_seconds"] / result["bf16_gflop_per_cpu_second"], 3
    )
    if not options.no_compile:
        plain = body.forward
        began, cpu = time.monotonic(), time.process_time()
        compiled = torch.compile(plain, dynamic=False)
        body.forward = compiled
        one_pass()
        result["compile_wall_seconds"] = round(time.monotonic() - began, 1)
        result["compile_cpu_seconds"] = round(time.process_time() - cpu, 1)
        times: dict[str, list[float]] = {"eager": [], "compiled": []}
        for _ in range(options.repeats):
            for name, forward_of in (("eager", plain), ("compiled", compiled)):
                body.forward = forward_of
                times[name].append(cpu_seconds(one_pass))
        result["interleaved_cpu_seconds"] = {name: round(statistics.median(some), 3) for name, some in times.items()}
        result["compiled_is_faster_by"] = round(
            statistics.median(times["eager"]) / statistics.median(times["compiled"]), 2
        )
    text = json.dumps(result, indent=1)
    print(text)
    (Path(__file__).parent / "results/training_profile.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
