"""The models of a finished run, one after another: base, adapter, merged, the student's file, other quantisations.

The base is made again from the run's own settings and must be the very one that was trained on.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ConfigDict

from finetune.base import BaseWeights, load_model, load_tokenizer, resolve_base
from finetune.errors import InputError
from finetune.evaluation.subjects import Subject, gguf_subject, torch_subject
from finetune.run_weights import RunWeights, run_weights_of
from finetune.settings import Base, RunConfig, read_config
from taxlaw.strict_config import StrictModel, validate

TITLES = {"base": "학습 전 base", "adapter": "학습 후 adapter", "merged": "합친 모델 (fp32)"}
STEPS = (*TITLES, "student")


class _Part(StrictModel):
    model_config = ConfigDict(extra="ignore")  # a record holds more than is needed here


class _Student(_Part):
    gguf: str
    quantisation: str
    style: str


class _Base(_Part):
    key: str
    vocabulary: dict | None = None


class _Record(_Part):
    student: _Student
    base: _Base
    config: dict


@dataclass(frozen=True)
class FinishedRun:
    """``record`` is the whole run.json; ``student`` the GGUF."""

    folder: Path
    record: dict
    config: RunConfig
    base_key: str
    vocabulary: dict | None
    student: Path
    quantisation: str
    target: str


def read_run(folder: Path) -> FinishedRun:
    """Read a run folder.  Raises InputError when it is not a finished run, ConfigError when its record has another form."""
    file = folder / "run.json"
    if not file.is_file():
        raise InputError(
            f"끝난 실행의 폴더가 아닙니다 (no run.json): {folder}\n"
            "  `python -m finetune run` 이 끝나면 생기는 폴더를 주세요."
        )
    try:
        raw = json.loads(file.read_text(encoding="utf-8"))
    except json.JSONDecodeError as exc:
        raise InputError(f"run.json 이 JSON 이 아닙니다 (not JSON): {file}: {exc}") from exc
    record = validate(raw, _Record, where=str(file))
    return FinishedRun(
        folder=folder,
        record=raw,
        config=validate(record.config, RunConfig, where=f"{file}: config"),
        base_key=record.base.key,
        vocabulary=record.base.vocabulary,
        student=folder / record.student.gguf,
        quantisation=record.student.quantisation,
        target=record.student.style,
    )


def base_subject(source: str, say=print) -> Subject:
    """An untrained model: a model folder, a Hugging Face id, or the ``base`` of a finetune YAML.  Raises InputError, ConfigError."""
    from finetune.device import choose_device

    path = Path(source)
    if path.suffix in (".yaml", ".yml"):
        base = read_config(path).base
    elif path.is_dir():
        base = Base(folder=path)
    elif source.count("/") == 1:
        base = Base(hub=source)
    else:
        raise InputError(
            f"--base 를 알 수 없습니다: {source}\n  모델 폴더, Hugging Face 이름(소유자/이름), 설정 YAML 가운데 하나여야 합니다."
        )
    weights, device = resolve_base(base, say), choose_device("auto")
    model = load_model(weights, device.dtype, device.kind).eval()
    return torch_subject("base", TITLES["base"], model, load_tokenizer(weights))


def run_subjects(
    run: FinishedRun, only: tuple[str, ...], quantisations: tuple[str, ...], say=print
) -> Iterator[Subject]:
    """The run's models in the order of the steps, each made when it is asked for and let go before the next.

    ``quantisations``: made from the merged model in a temporary folder, besides the student's own.  Raises InputError and
    GateError.
    """
    from finetune.quiet import quiet_libraries

    quiet_libraries()
    steps = [step for step in STEPS if step in only]
    if quantisations or any(step != "student" for step in steps):
        found = run_weights_of(run.folder, say)
        yield from _torch_steps(run, found, steps)
    if quantisations:
        with tempfile.TemporaryDirectory(prefix="finetune-eval-") as aside:
            yield from _quantised(run, found.weights, load_tokenizer(found.weights), quantisations, Path(aside))
    if "student" in steps:
        yield gguf_subject("student", f"GGUF {run.quantisation} (student)", run.student)


def _torch_steps(run: FinishedRun, found: RunWeights, steps: list[str]) -> Iterator[Subject]:
    from peft import PeftModel

    from finetune.device import choose_device
    from finetune.merge import merge_adapter

    adapter = run.folder / "adapter"
    if not (adapter / "adapter_config.json").is_file() and {"adapter", "merged"} & set(steps):
        raise InputError(f"adapter 폴더가 없습니다: {adapter}\n  --only base,student 로 나머지만 잴 수 있습니다.")
    device = choose_device(run.config.train.dtype)
    if "base" in steps:  # without added pieces, whose embeddings nobody has trained
        model = load_model(found.before, device.dtype, device.kind).eval()
        yield torch_subject("base", TITLES["base"], model, load_tokenizer(found.before))
        del model
    tokenizer = load_tokenizer(found.weights)
    if "adapter" in steps:
        model = PeftModel.from_pretrained(load_model(found.weights, device.dtype, device.kind), str(adapter)).eval()
        yield torch_subject("adapter", TITLES["adapter"], model, tokenizer)
        del model
    if "merged" in steps:
        yield torch_subject("merged", TITLES["merged"], merge_adapter(found.weights, adapter), tokenizer)


def _quantised(
    run: FinishedRun, weights: BaseWeights, tokenizer, quantisations: tuple[str, ...], aside: Path
) -> Iterator[Subject]:
    from finetune.gguf_export import export_gguf
    from finetune.importance import IMPORTANCE, read_importance
    from finetune.llama import quantise
    from finetune.merge import merge_adapter

    weighed = read_importance(run.folder / IMPORTANCE) if (run.folder / IMPORTANCE).is_file() else None
    whole = aside / "whole.gguf"
    unquantised = run.config.export.unquantised
    merged = merge_adapter(weights, run.folder / "adapter")
    export_gguf(merged, tokenizer, whole, unquantised, run.folder.name)
    del merged
    for name in quantisations:
        file = whole
        if name != unquantised:
            file = aside / f"{name}.gguf"
            quantise(whole, file, name, weighed)
        yield gguf_subject(name, f"GGUF {name}", file)
        if file != whole:
            file.unlink()
