"""What a run will cost before it runs: tokens, parameters, memory, hours and money, on each device of devices.yaml.

Loads no weights and needs no GPU.  `refuse_what_cannot_fit` is the same arithmetic as a gate for `run`.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import Field

from finetune.data import Example, read_rows
from finetune.device import Device, main_memory_bytes, memory_bytes
from finetune.errors import GateError
from finetune.plan_memory import Memory, Pass, Shape, kept_activations, memory_of, shape_of, weight_bytes
from finetune.plan_tokens import (
    Known,
    StagePlan,
    Tokens,
    count_tokens,
    encoded_examples,
    find_base,
    generated_pass,
    plan_stages,
)
from finetune.settings import RunConfig
from taxlaw.strict_config import StrictModel, load_config

GB = 1e9
TIGHT = 0.85  # of the memory; beyond it the plan's own error decides
# Bits per weight of llama.cpp's files, about.
QUANTISED_BITS = {"Q4_K_M": 4.9, "Q5_K_M": 5.7, "Q6_K": 6.6, "Q8_0": 8.5}


class DeviceRow(StrictModel):
    """One device of devices.yaml; the comments there say what each figure means."""

    name: str
    kind: Literal["cpu", "cuda", "mps"]
    dtype: Literal["bfloat16", "float32"]
    memory_gb: float = Field(gt=0)
    main_memory_gb: float = Field(gt=0)
    tflops: float = Field(gt=0)
    efficiency: float = Field(gt=0, le=1)
    nf4_speed: float = Field(gt=0, le=1)
    layer_ms: float = Field(gt=0)
    bandwidth_gb_s: float = Field(gt=0)
    host_gb_s: float = Field(gt=0)
    usd_per_hour: float | None = None
    price_date: date | None = None
    price_source: str | None = None
    basis: Literal["measured", "calculated"]


class DeviceTable(StrictModel):
    as_of: date
    usd_krw: float
    usd_krw_date: date
    devices: tuple[DeviceRow, ...]


@dataclass(frozen=True)
class OnDevice:
    """The run on one device; ``why_not`` is empty when it fits.  Hours are None where it does not."""

    device: DeviceRow
    dtype: str
    memory: Memory
    why_not: str
    tokens_per_second: float
    training_hours: float | None
    evaluation_hours: float | None
    usd: float | None


@dataclass(frozen=True)
class Plan:
    """Everything `plan` shows."""

    student: str
    tokens: Tokens
    shape: Shape
    stages: list[StagePlan]
    warnings: list[str]
    devices: list[OnDevice]
    table: DeviceTable


@functools.cache
def device_table() -> DeviceTable:
    """devices.yaml, checked."""
    return load_config(Path(__file__).parent / "devices.yaml", DeviceTable)


def make_plan(config: RunConfig, table: DeviceTable | None = None) -> Plan:
    """The plan of a run on every device.  Raises InputError for a dataset, base or LoRA target that is not right."""
    table = table or device_table()
    known = find_base(config.base)
    examples = encoded_examples(read_rows(config.dataset / "train.jsonl"), known, config)
    tokens = count_tokens(examples, known, config)
    stages = plan_stages(examples, known, config)
    shape = shape_of(known.config, config.lora, tokens.vocabulary, config.extend_vocab)
    generated = generated_pass(examples, config)
    largest = _largest(stages)
    dtypes = {device.name: _dtype(config, device.dtype) for device in table.devices}
    kept = {
        dtype: kept_activations(known.config, config.lora, largest, dtype) for dtype in sorted(set(dtypes.values()))
    }
    devices = []
    for device in table.devices:
        dtype = dtypes[device.name]
        memory = memory_of(shape, config, kept[dtype], largest, generated, dtype, device.kind)
        devices.append(_on_device(config, device, memory, shape, stages, tokens, dtype))
    return Plan(known.name, tokens, shape, stages, _warnings(config, tokens, shape), devices, table)


def _dtype(config: RunConfig, probed: str) -> str:
    return probed if config.train.dtype == "auto" else config.train.dtype


def _largest(stages: list[StagePlan]) -> Pass:
    """A pass as large as the largest of any stage, and with as many scored positions as any."""
    most = max((stage.largest for stage in stages), key=lambda one: one.tokens)
    return Pass(most.rows, most.longest, max(stage.largest.scored for stage in stages))


def _warnings(config: RunConfig, tokens: Tokens, shape: Shape) -> list[str]:
    found = []
    if tokens.over_share > 0.01:
        found.append(
            f"max_tokens={config.max_tokens} 보다 긴 예제가 {tokens.over_share:.1%} 입니다 (1% 초과: run 이 멈춥니다). "
            f"p95 {tokens.p95}, 가장 긴 것 {tokens.longest}."
        )
    longest = max(min(config.max_tokens, tokens.longest), config.evaluation.max_new_tokens)
    if longest > shape.context:
        found.append(f"이 모델의 문맥은 {shape.context:,} 토큰인데 {longest:,} 토큰까지 쓰게 됩니다.")
    if config.extend_vocab:
        found.append(
            f"extend_vocab={config.extend_vocab:,}: 토큰 수와 시간은 늘리기 전의 어휘로 센 것이어서, 실제는 그보다 적습니다."
        )
    if config.base.load == "nf4":
        found.append(
            "nf4 는 CUDA 에서만 돌아갑니다; bf16 이 들어가는 카드에서는 bf16 이 더 빠르고 깨끗하게 합쳐집니다."
        )
    return found


def why_it_cannot_fit(memory: Memory, kind: str, load: str, available: float, main: float) -> str:
    """Korean reason, or "" when it fits.  Bytes."""
    if load == "nf4" and kind != "cuda":
        return "nf4 는 CUDA 만"
    for name, needed in (("학습", memory.training), ("생성 평가", memory.generating)):
        if needed > available:
            return f"{name} {needed / GB:.1f} > {available / GB:.1f} GB"
    if memory.merging > main:
        return f"병합 {memory.merging / GB:.1f} > 주기억장치 {main / GB:.1f} GB"
    return ""


def _on_device(
    config: RunConfig,
    device: DeviceRow,
    memory: Memory,
    shape: Shape,
    stages: list[StagePlan],
    tokens: Tokens,
    dtype: str,
) -> OnDevice:
    why = why_it_cannot_fit(memory, device.kind, config.base.load, device.memory_gb * GB, device.main_memory_gb * GB)
    seconds = [_stage_seconds(stage, shape, config, device) for stage in stages]
    trained = sum(stage.epoch_tokens * epochs for stage, (_, epochs) in zip(stages, seconds, strict=True))
    total = sum(spent for spent, _ in seconds)
    if why:
        return OnDevice(device, dtype, memory, why, trained / total, None, None, None)
    evaluation = _evaluation_seconds(config, device, shape, tokens, dtype)
    price = device.usd_per_hour
    return OnDevice(
        device=device,
        dtype=dtype,
        memory=memory,
        why_not="",
        tokens_per_second=trained / total,
        training_hours=total / 3600,
        evaluation_hours=evaluation / 3600,
        usd=None if price is None else price * (total + evaluation) / 3600,
    )


def _stage_seconds(stage: StagePlan, shape: Shape, config: RunConfig, device: DeviceRow) -> tuple[float, float]:
    """(seconds, epochs) of one stage: operations or kernel launches, whichever takes longer, up to its budgets."""
    passes = 6 if config.base.recompute else 4  # forward, backward to the inputs, and the forward again
    per_token = passes * shape.body + 6 * shape.trainable
    per_scored = 4 * shape.vocabulary * shape.hidden
    speed = device.tflops * 1e12 * device.efficiency * (device.nf4_speed if config.base.load == "nf4" else 1)
    work = stage.epoch_padded * per_token + stage.epoch_scored * per_scored
    launches = stage.epoch_passes * shape.layers * device.layer_ms / 1000 * passes / 4
    per_epoch = max(work / speed, launches) * stage.work
    epochs = stage.epochs
    if stage.max_minutes is not None:
        epochs = min(epochs, stage.max_minutes * 60 / per_epoch)
    return per_epoch * epochs, epochs


def _evaluation_seconds(config: RunConfig, device: DeviceRow, shape: Shape, tokens: Tokens, dtype: str) -> float:
    """Base and adapter on the device in batches; merged model, gates and files by the host's CPU, one token at a time."""
    settings = config.evaluation
    step = max(
        weight_bytes(shape, config.base.load, dtype) / (device.bandwidth_gb_s * GB),
        shape.layers * device.layer_ms / 2000,
        2 * shape.body * settings.batch_size / (device.tflops * 1e12 * device.efficiency),
    )
    answer = min(settings.max_new_tokens, tokens.answer_tokens)
    between = min(settings.rows, settings.step_rows or settings.rows)
    steps = (settings.base_rows * settings.max_new_tokens + between * answer) / settings.batch_size
    export = config.export
    size = {name: shape.parameters * bits / 8 for name, bits in QUANTISED_BITS.items()}
    whole = shape.parameters * (4 if export.unquantised == "F32" else 2)
    # Bytes that the host reads: a token decoded is the whole file once, a batch of tokens too.
    read = (whole + sum(size[name] for name in {export.quantisation, *export.compare})) * export.compare_tokens
    read += settings.rows * answer * size[export.quantisation]
    read += sum(between * answer * size[name] for name in export.compare if name != export.quantisation)
    if settings.merged:
        read += between * answer * whole / settings.batch_size
    return steps * step + read / (device.host_gb_s * GB)


def device_needs(
    config: RunConfig, device: Device, examples: list[Example] | None = None, ready: Known | None = None
) -> Memory:
    """Memory of this run on ``device``.

    ``examples`` (encoded, within or over the cap) and ``ready`` (configuration and tokenizer of the weights that are
    trained, vocabulary fitted and extended) save finding again what a run has at hand: reading Gemma's tokenizer takes
    five seconds.
    """
    known = ready or find_base(config.base)
    if examples is None:
        examples = encoded_examples(read_rows(config.dataset / "train.jsonl"), known, config)
    vocabulary = (
        known.config.get_text_config().vocab_size if ready else count_tokens(examples, known, config).vocabulary
    )
    shape = shape_of(known.config, config.lora, vocabulary, config.extend_vocab)
    largest = _largest(plan_stages(examples, known, config))
    kept = kept_activations(known.config, config.lora, largest, device.dtype)
    return memory_of(shape, config, kept, largest, generated_pass(examples, config), device.dtype, device.kind)


def refuse_what_cannot_fit(
    config: RunConfig,
    device: Device,
    examples: list[Example] | None = None,
    ready: Known | None = None,
    memory: float | None = None,
    main_memory: float | None = None,
    say=print,
) -> Memory:
    """A gate before a weight is loaded: what the run needs of ``device``, if it fits; otherwise GateError.

    ``memory`` and ``main_memory`` (bytes) stand in for what the machine says of itself; see device_needs for the rest.
    Where it only just fits it says so: docs/training_bench.md has by how much the figure was wrong where it was measured.
    """
    needed = device_needs(config, device, examples, ready)
    memory = memory_bytes(device.kind) if memory is None else memory
    main_memory = main_memory_bytes() if main_memory is None else main_memory
    if why := why_it_cannot_fit(needed, device.kind, config.base.load, memory, main_memory):
        raise GateError(
            f"이 장치 ({device.kind}, {device.dtype}) 에는 들어가지 않습니다: {why}.\n{_remedies(needed, config, device)}"
        )
    most = max(needed.training, needed.generating)
    if most > TIGHT * memory:
        say(
            f"메모리가 빠듯합니다: 계산으로 {most / GB:.1f} GB, 장치에 {memory / GB:.1f} GB. 계산은 측정보다 10% 쯤 적을 수 있습니다. "
            f"모자라면 train.pass_tokens ({config.train.pass_tokens}) 를 줄이세요: 기울기는 같습니다 (a tight fit)."
        )
    return needed


def _remedies(memory: Memory, config: RunConfig, device: Device) -> str:
    parts = {
        "가중치": memory.weights,
        "어댑터": memory.adapters,
        "활성값": memory.activations,
        "로짓": memory.logits,
        "KV 캐시": memory.cache,
    }
    lines = ["  " + ", ".join(f"{name} {size / GB:.1f}" for name, size in parts.items()) + " GB"]
    if memory.activations + memory.logits > memory.weights / 2:
        lines.append(f"  train.pass_tokens ({config.train.pass_tokens}) 를 줄이세요: 기울기는 같습니다.")
    if not config.base.recompute and memory.activations > memory.weights / 4:
        lines.append("  base.recompute: true 는 활성값을 크게 줄입니다 (계산은 절반쯤 늘어납니다).")
    if memory.cache > memory.weights / 4:
        lines.append(f"  evaluation.batch_size ({config.evaluation.batch_size}) 를 줄이세요.")
    if memory.merging > memory.training and config.export.unquantised != "BF16":
        lines.append("  export.unquantised: BF16 은 병합에 드는 주기억장치를 절반으로 줄입니다.")
    if config.base.load != "nf4" and device.kind == "cuda":
        lines.append("  base.load: nf4 는 가중치를 4분의 1로 줄입니다.")
    lines.append("  `python -m finetune plan --config …` 은 들어가는 장치와 값을 보여 줍니다 (does not fit).")
    return "\n".join(lines)
