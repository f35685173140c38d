"""Trains the tiny model with the real loop, as one process or as several; the first writes what it saw.

accelerate launch … tests/finetune/parallel_driver.py BASE_FOLDER RESULT.pt [--packing]
"""

import sys
from dataclasses import asdict
from pathlib import Path

import tiny_gemma  # beside this file
import torch

from finetune import parallel
from finetune.base import load_model, load_tokenizer, resolve_base
from finetune.chat import encode
from finetune.lora import attach_lora
from finetune.packing import packed_answers
from finetune.settings import Base, Lora, Train
from finetune.train import answers, train


def batches(examples):
    """Endless batches of 5, 1, 3 ... examples of unequal length, so that shares cannot be equal."""
    place = 0
    while True:
        for size in (5, 1, 3):
            yield place / len(examples), [examples[(place + offset) % len(examples)] for offset in range(size)]
            place += size


def run(base_folder: Path, packing: bool, here: parallel.World | None) -> dict | None:
    """What this process saw; None in all but the first."""
    weights = resolve_base(Base(folder=base_folder))
    tokenizer = load_tokenizer(weights)
    examples = [
        encode(tiny_gemma.question(amount) * (1 + number % 3), tiny_gemma.call(amount), tokenizer)
        for number, amount in enumerate(tiny_gemma.AMOUNTS[:12])
    ]
    # Another seed in each process: `prepare` has to make the adapters one.
    model, _ = attach_lora(load_model(weights, "float32"), Lora(r=4, alpha=8), seed=7 + (here.rank if here else 0))
    objective = packed_answers(model.get_base_model().config) if packing else answers(0)
    if here:
        parallel.prepare(model, here)
        objective = here.even(objective)
    whole = sum(parameter.numel() for parameter in model.parameters())
    held = sum(getattr(p, "to_local", lambda p=p: p)().numel() for p in model.parameters())
    seen = []
    steps = train(
        model,
        batches(examples),
        Train(learning_rate=5e-3, max_steps=4, accumulate=2, pass_tokens=160),
        tokenizer.pad_token_id,
        seen.append,
        objective=objective,
        processes=here,
    )
    result = {
        "steps": [asdict(step) for step in steps],
        "adapter": {name: value.detach().clone() for name, value in model.named_parameters() if value.requires_grad},
        "parameters": whole,
        "held": held,
        "stopped": here.any(here.rank == 1) if here else False,
        "verdict": here.from_first({"rank": here.rank}) if here else None,
    }
    if here:
        parallel.gather(model, here)
        parallel.close()
        if not here.first:
            return None
    ids = torch.tensor([examples[0].ids])
    with torch.no_grad():  # the first process goes on alone
        result["logits"] = [model(input_ids=ids).logits[0, -1] for _ in range(2)][-1]
    return result


if __name__ == "__main__":
    torch.set_num_threads(1)
    if result := run(Path(sys.argv[1]), "--packing" in sys.argv, parallel.world()):
        torch.save(result, sys.argv[2])
