"""One way of training Gemma 3 270M, timed in a process of its own; started by bench/train.py, once per row of its table.

    python bench/train_variants.py VARIANT --seconds 60 --dataset datasets/demo --out result.json

All see the demo's examples (its mix, its order, its adapters on the same layers) and are judged by one function: the
mean loss of the answer tokens of the same held-out rows.
"""

from __future__ import annotations

import argparse
import json
import os
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # both as finetune/threads.py
os.environ.setdefault("GOMP_SPINCOUNT", "30000")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
import transformers

from finetune.base import BaseWeights, load_model, load_tokenizer, resolve_base
from finetune.chat import Encoded, encode
from finetune.data import encode_rows, endless_batches, read_rows, target_text
from finetune.device import choose_device, peak_memory_bytes
from finetune.int8_products import kernels_for
from finetune.lora import attach_lora
from finetune.quick_layers import QuickLayers
from finetune.settings import Lora, RunConfig, read_config
from finetune.train import IGNORED, Step, answers, collate, train
from finetune.vocab import fit_vocabulary

DEMO = Path("configs/finetune/demo.yaml")
MARKS = (150, 300, 600, 1000, 1500, 2000, 3000, 4000, 8000, 16000)  # tokens trained after which ours is judged too
EVERY = 3  # of the training rows; more than any variant gets through
PREDECESSOR_LORA = Lora(r=64, alpha=128)  # its settings: study of the predecessor's training script
PREDECESSOR_RATE = 5e-6


@dataclass
class Result:
    """What one variant did; rates leave out the first step (nothing else when there are two), which warms caches up.  ``judged``: tokens -> held-out loss."""

    variant: str
    steps: int = 0
    seconds: float = 0.0
    tokens: int = 0
    loss_tokens: int = 0
    padded_tokens: int = 0
    tokens_per_second: float = 0.0
    loss_tokens_per_second: float = 0.0
    tokens_per_cpu_second: float = 0.0  # of this process's own CPU time: hardly depends on what else runs
    peak_bytes: int = 0
    dtype: str = ""  # of the frozen base, where the variant chooses it
    judged: dict[int, float] = field(default_factory=dict)


@dataclass
class Material:
    """The demo's examples for one tokenizer."""

    weights: BaseWeights
    tokenizer: object
    batches: Iterator[tuple[float, list[Encoded]]]
    held_out: list[Encoded]


def read_material(config: RunConfig, fitted: bool) -> Material:
    """Examples in the order the demo trains on them, and 16 held-out ones."""
    rows = [row for row in read_rows(config.dataset / "train.jsonl") if row.style in config.mix][::EVERY]
    validation = [row for row in read_rows(config.dataset / "validation.jsonl") if row.style == "worked"][:16]
    weights = resolve_base(config.base)
    if fitted:
        texts = [text for row in rows + validation for text in (row.question, target_text(row, config.target))]
        weights = fit_vocabulary(weights, texts).weights
    tokenizer = load_tokenizer(weights)
    prepared = encode_rows(rows, tokenizer, config.target, config.max_tokens)
    held_out = [encode(row.question, target_text(row, config.target), tokenizer) for row in validation]
    batches = endless_batches(prepared.examples, config.mix, config.train.batch_size, config.seed, config.taxes)
    return Material(weights, tokenizer, batches, held_out)


def held_out_loss(model, material: Material) -> float:
    """Mean loss per answer token of the held-out rows."""
    was_training = model.training
    model.eval()
    objective = answers(material.tokenizer.pad_token_id)
    total = weight = 0.0
    with torch.no_grad():
        for example in material.held_out:
            batch = collate([example], material.tokenizer.pad_token_id)
            total += float(objective.loss(model, batch))
            weight += objective.weight(batch)
    model.train(was_training)
    return round(total / weight, 4)


def ours(result: Result, config: RunConfig, seconds: float, fitted: bool, products: str | None = None) -> None:
    """finetune.train as the demo runs it: answers only, rows of like length together, fp32 adapters over a frozen base in
    the number format that ``finetune run`` would choose.  ``products``: in place of the demo's.
    """
    material, device = read_material(config, fitted), choose_device("auto")
    model, _ = attach_lora(load_model(material.weights, device.dtype), config.lora, config.seed)
    kernels = kernels_for(products or config.train.products, device, say=lambda text: None)
    quick = QuickLayers(model, kernels).quick if kernels else nullcontext
    result.dtype = device.dtype + (f", products in 8 bits ({kernels.name})" if kernels else "")
    settings = config.train.model_copy(update={"max_minutes": seconds / 60, "warmup": 0.02})
    waiting, cpu, judging = list(MARKS), [], 0.0

    def between(position) -> bool:
        nonlocal judging
        cpu.append(time.process_time() - judging)
        began = time.process_time()
        trained = sum(step.tokens for step in position.steps)
        if waiting and trained >= waiting[0]:
            result.judged[trained] = held_out_loss(model, material)
            waiting[:] = [mark for mark in waiting if mark > trained]
        judging += time.process_time() - began
        return False

    result.judged[0] = held_out_loss(model, material)
    pad = material.tokenizer.pad_token_id
    steps = train(model, material.batches, settings, pad, lambda step: None, between=between, quick=quick)
    _fill(result, steps, cpu)
    result.judged[result.tokens] = held_out_loss(model, material)


def predecessor(result: Result, config: RunConfig, seconds: float) -> None:
    """Rows padded to 2048, loss on prompt and answer, float32 with eager attention, the whole output layer."""
    material = read_material(config, fitted=False)
    model = load_model(material.weights, "float32")
    model.set_attn_implementation("eager")
    model, _ = attach_lora(model, PREDECESSOR_LORA, config.seed)
    optimiser = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=PREDECESSOR_RATE)
    steps: list[Step] = []
    cpu: list[float] = []
    began = time.monotonic()
    pad = material.tokenizer.pad_token_id
    for _, batch in material.batches:
        for example in batch:  # one row per pass: more need over 20 GB
            ids = torch.full((1, 2048), pad)
            ids[0, : len(example.ids)] = torch.tensor(example.ids)
            mask = (ids != pad).long()
            loss = model(input_ids=ids, attention_mask=mask, labels=ids.masked_fill(mask == 0, IGNORED)).loss
            loss.backward()
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
            spent = time.monotonic() - began
            cpu.append(time.process_time())
            steps.append(_step(len(steps) + 1, len(example.ids), len(example.ids) - 1, 2048, spent, float(loss)))
            if spent > seconds and len(steps) > 1:
                _fill(result, steps, cpu)
                result.judged[result.tokens] = held_out_loss(model, material)
                return


def trl(result: Result, config: RunConfig, seconds: float, **options) -> None:
    """TRL's SFTTrainer on (prompt, completion) pairs; ``options`` beside its defaults."""
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    material = read_material(config, fitted=False)
    tuned = options.pop("tuned", False)
    examples = [example for _, batch in islice(material.batches, 400) for example in batch]
    decode = material.tokenizer.decode
    pairs = Dataset.from_list(
        [
            # TRL adds <bos> in front; the prompt's own would be a second one.
            {"prompt": decode(e.ids[1 : e.answer_start]), "completion": decode(e.ids[e.answer_start :])}
            for e in examples
        ]
    )
    steps: list[Step] = []
    cpu: list[float] = []

    class Counted(SFTTrainer):
        began = 0.0

        def training_step(self, model, inputs, *more):
            self.began = self.began or time.monotonic()
            loss_tokens = int((inputs["labels"] != IGNORED).sum())
            mask = inputs.get("attention_mask")
            tokens = int(mask.sum()) if mask is not None else inputs["input_ids"].numel()
            loss = super().training_step(model, inputs, *more)
            spent = time.monotonic() - self.began
            padded = inputs["input_ids"].numel()
            cpu.append(time.process_time())
            steps.append(_step(len(steps) + 1, tokens, loss_tokens, padded, spent, float(loss)))
            self.control.should_training_stop = spent > seconds and len(steps) > 1
            return loss

    settings = SFTConfig(
        output_dir=str(Path(os.environ["TMPDIR"]) / "trl"),
        use_cpu=True,
        max_steps=10_000,
        report_to=[],
        save_strategy="no",
        logging_strategy="no",
        disable_tqdm=True,
        seed=config.seed,
        **options,
    )
    from peft import LoraConfig

    lora = LoraConfig(r=config.lora.r, lora_alpha=config.lora.alpha, target_modules=list(config.lora.targets))
    model = load_model(material.weights, "bfloat16" if tuned else "float32")  # TRL loads a named model in float32
    trainer = Counted(
        model=model, args=settings, train_dataset=pairs, processing_class=material.tokenizer, peft_config=lora
    )
    trainer.train()
    _fill(result, steps, cpu)
    result.judged[result.tokens] = held_out_loss(trainer.model, material)


TUNED = {"tuned": True, "gradient_checkpointing": False, "learning_rate": 1e-3, "max_length": 512}
VARIANTS: dict[str, Callable] = {
    "predecessor": predecessor,
    "trl default": trl,
    "trl tuned": lambda *a: trl(*a, **TUNED, per_device_train_batch_size=4),
    "trl tuned, packed": lambda *a: trl(*a, **TUNED, per_device_train_batch_size=1, packing=True),
    "trl tuned, packed, float32": lambda *a: trl(
        *a, **TUNED | {"tuned": False, "bf16": False}, per_device_train_batch_size=1, packing=True
    ),
    "ours, whole vocabulary": lambda *a: ours(*a, fitted=False),
    "ours, float products": lambda *a: ours(*a, fitted=True, products="float"),
    "ours": lambda *a: ours(*a, fitted=True),
}


def _step(number: int, tokens: int, loss_tokens: int, padded: int, spent: float, loss: float) -> Step:
    return Step(number, 0.0, 0.0, loss, 0.0, 0.0, tokens, loss_tokens, padded, spent)


def _fill(result: Result, steps: list[Step], cpu: list[float]) -> None:
    result.steps, result.seconds = len(steps), round(steps[-1].seconds, 2)
    result.tokens = sum(step.tokens for step in steps)
    result.loss_tokens = sum(step.target_tokens for step in steps)
    result.padded_tokens = sum(step.padded_tokens for step in steps)
    elapsed = steps[-1].seconds - steps[0].seconds
    result.tokens_per_second = round(sum(step.tokens for step in steps[1:]) / elapsed, 2)
    result.loss_tokens_per_second = round(sum(step.target_tokens for step in steps[1:]) / elapsed, 2)
    result.tokens_per_cpu_second = round(sum(step.tokens for step in steps[1:]) / (cpu[-1] - cpu[0]), 2)
    result.peak_bytes = peak_memory_bytes() or 0  # before anything is judged


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("variant", choices=list(VARIANTS))
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--dataset", type=Path, default=Path("datasets/demo"))
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    transformers.set_seed(7)
    result = Result(options.variant)
    VARIANTS[options.variant](result, read_config(DEMO, options.dataset), options.seconds)
    options.out.write_text(json.dumps(asdict(result)), encoding="utf-8")


if __name__ == "__main__":
    main()
