"""One run from dataset to measured, quantised student; reads top to bottom.

Everything is written to ``<out>.partial`` and moved to ``<out>`` when the last step is done, with run.json written last:
a folder named ``<out>`` is always a finished run.  A run that was interrupted, however rudely, goes on from the newest
checkpoint in ``<out>.partial`` when settings, data, code and libraries are the same.  With a budget of steps or epochs
it then ends bit for bit as if nothing had happened; with one of minutes it goes on with the minutes that are left, so
how far it comes depends on the machine, as it does without an interruption.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import time
from contextlib import nullcontext
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from finetune.base import load_for_training, load_tokenizer
from finetune.chat import preflight
from finetune.checkpoint import Checkpoint, newest_checkpoint
from finetune.data import Row, encode_rows, evenly, file_sha256, read_rows, require_disjoint_families
from finetune.device import Device, choose_device, peak_memory_bytes
from finetune.domain import source_sha256
from finetune.errors import InputError
from finetune.evidence import show_evidence
from finetune.metrics_store import chosen_store, store_line
from finetune.settings import DomainStage, PreferenceStage, RunConfig

EXPORT = "내보내기(export)"  # the part of a fingerprint that decides nothing of training
PACKAGES = ("torch", "transformers", "peft", "gguf", "llama-cpp-python")


def run(config: RunConfig, force: bool = False, say=print) -> dict:
    """Do the whole run and return its record (run.json); under `accelerate launch` only the first process has one.

    A finished run with the same config, data, code and library versions is returned as it is unless ``force``; an
    unfinished one goes on.
    Raises ConfigError, InputError (exit code 2) or GateError (exit code 1).
    """
    started = time.monotonic()
    train_rows = show_evidence(read_rows(config.dataset / "train.jsonl"), config.evidence, config.seed, config.refers)
    validation = show_evidence(
        read_rows(config.dataset / "validation.jsonl"), config.evidence, config.seed, config.refers
    )
    require_disjoint_families(train_rows, validation)
    store = chosen_store(config.metrics)
    parts = fingerprint_parts(config)
    fingerprint = run_fingerprint(parts)
    trained_by = training_parts(parts)
    if not force and (finished := finished_run(config.out, fingerprint)):
        say(f"같은 설정·데이터·코드로 끝난 실행을 다시 씁니다: {config.out} (reused; --force 로 다시 학습)")
        _say_accuracy(finished, say)
        return finished
    here = _processes()
    if here and not here.first:
        say = _say_nothing
    partial = config.out.with_name(config.out.name + ".partial")
    if here is None or here.first:
        resumed = newest_checkpoint(partial / "checkpoints", trained_by, say)
        if resumed is None:
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
    if here:
        here.wait()  # the folder is now what all go on from
        resumed = newest_checkpoint(partial / "checkpoints", trained_by, say)
    say(store_line(store))
    record = _run_into(partial, config, train_rows, validation, trained_by, resumed, say, here)
    if not record:
        return record
    earlier = resumed.header["seconds_before"] if resumed else 0.0
    record = {
        "fingerprint": fingerprint,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - started + earlier, 1),
        **record,
    }
    from finetune.card import render_card
    from finetune.evaluation.survival import write_survival

    (partial / "model_card.md").write_text(render_card(record), encoding="utf-8")
    (partial / "run.json").write_text(json.dumps(record, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    write_survival(record["survival"], partial)
    shutil.rmtree(partial / "checkpoints")
    _swap_in(partial, config.out)
    say(f"끝났습니다: {config.out} ({record['seconds'] / 60:.1f}분)")
    return record


def _run_into(
    folder: Path,
    config: RunConfig,
    train_rows: list[Row],
    validation: list[Row],
    trained_by: dict[str, str],
    resumed: Checkpoint | None,
    say,
    here=None,
) -> dict:
    import transformers

    from finetune import evaluate, report, stages, student_file, train
    from finetune.evaluation.run_folder import TITLES
    from finetune.evaluation.subjects import torch_subject
    from finetune.int8_products import kernels_of_run
    from finetune.lora import adapter_weights, attach_lora, go_on_from, save_adapter, trainable_parameters
    from finetune.plan import refuse_what_cannot_fit
    from finetune.plan_tokens import base_at_hand
    from finetune.quick_layers import QuickLayers
    from finetune.quiet import quiet_libraries
    from finetune.run_weights import weights_for

    quiet_libraries()
    transformers.set_seed(config.seed)
    started = time.monotonic()
    earlier = resumed.header["seconds_before"] if resumed else 0.0
    seconds: dict[str, float] = dict(resumed.header["stage_seconds"]) if resumed else {}
    lap = _stopwatch(seconds)

    kind, began_in = resumed.header["machine"].partition(",")[0].split() if resumed else ("", None)
    device = choose_device(config.train.dtype, began_in if kind == "cpu" else None)
    say(f"장치: {device.kind}, {device.dtype} ({device.reason})")
    kernels = kernels_of_run(config.train.products, device, resumed and resumed.header["machine"], here, say)
    machine = f"{device.kind} {device.dtype}, {device.threads} threads" + (f", int8 {kernels.name}" if kernels else "")
    if resumed and resumed.header["machine"] != machine:
        say(
            f"체크포인트는 다른 장치에서 만들어졌습니다 ({resumed.header['machine']}): 이어 가지만 마지막 자리까지 같지는 "
            "않습니다 (another machine: not bit-identical)."
        )
    if here and not here.first:
        here.wait()  # the first fills the cache
    base = weights_for(config, train_rows, validation, say)
    weights, vocabulary = base.weights, base.vocabulary
    tokenizer = load_tokenizer(weights)
    if here and here.first:
        here.wait()
    lap("base")

    used = [row for row in train_rows if row.style in config.mix]
    prepared = encode_rows(used, tokenizer, config.target, config.max_tokens)
    shown = preflight([example.encoded for example in prepared.examples], tokenizer)
    say(
        f"학습 예제 {len(prepared.examples):,}개, 가장 긴 것 {prepared.longest} 토큰, 길어서 뺀 것 {prepared.over_cap}개"
    )
    say(f"예제 하나 (학습되는 부분은 【 】 안):\n{shown}")
    materials = stages.read_materials(config, prepared, validation, tokenizer, say)
    if here is None or not here.sharded:  # the plan knows no divided weights
        refuse_what_cannot_fit(config, device, prepared.examples, base_at_hand(weights, tokenizer), say=say)
    lap("data")

    rows = evaluate.held_out(validation, config.evaluation.rows)
    measured: dict[str, dict] = dict(resumed.header["measured"]) if resumed else {}  # evaluations and survival lines
    model = load_for_training(base.before, config.base, device).eval()
    if config.evaluation.base_rows and "base" not in measured and (here is None or here.first):
        subject = torch_subject("base", TITLES["base"], model, load_tokenizer(base.before))
        scored, line = student_file.measure_step(subject, rows[: config.evaluation.base_rows], rows, config, folder)
        measured["base"] = {"scored": scored, "line": line}
        say(report.accuracy_lines({"base": scored})[0])
        del subject
    if weights != base.before:
        del model  # not two at once
        model = load_for_training(weights, config.base, device).eval()
    lap("evaluate_base")

    parameters = sum(parameter.numel() for parameter in model.parameters())
    model, layers = attach_lora(model, config.lora, config.seed, base.new_rows)
    if config.lora.start:
        go_on_from(model, adapter_weights(config.lora.start, config.lora))
        say(f"이미 배운 어댑터에서 이어 갑니다 (going on from an adapter): {config.lora.start}")
    trained = trainable_parameters(model)
    if here:
        from finetune import parallel

        parallel.prepare(model, here)
    say(f"LoRA r={config.lora.r}: {trained:,}개 학습 (전체 {parameters:,}개의 {trained / parameters:.2%}); {layers}")

    def header() -> dict:
        spent = round(earlier + time.monotonic() - started, 1)
        kept = {"measured": measured, "stage_seconds": seconds, "seconds_before": spent}
        return {"fingerprint": trained_by, "machine": machine, **kept}

    name = f"{config.out.name}-{run_fingerprint(trained_by)[:8]}"
    quick = QuickLayers(model, kernels).quick if kernels else nullcontext
    job = stages.Job(model, tokenizer, config, device.kind, folder, name, header, say, here, quick)
    results = stages.run_stages(job, materials, validation, resumed)
    if here:
        parallel.gather(model, here)
        parallel.close()
        if not here.first:
            return {}  # the first goes on alone
    summaries = []
    for result in results:
        summary = {"name": result.stage.name, "kind": result.stage.kind, **train.summarise(result.steps)}
        summaries.append({**summary, "ended": result.ended, "best_step": result.best_step, "accuracy": result.accuracy})
        say(
            f"{result.stage.name}: {summary['steps']:,} step, {summary['epochs']:.2f} epoch, 손실 "
            f"{summary['first_loss']:.3f} → {summary['last_loss']:.3f}, {summary['tokens_per_second']:,.0f} tokens/s"
        )
    summary = next((one for one in reversed(summaries) if one["kind"] == "task"), summaries[-1])
    report.draw_loss([step for result in results for step in result.steps], folder / "loss.png")
    if watched := [{**record, "stage": result.stage.name} for result in results for record in result.accuracy]:
        report.draw_accuracy(watched, folder / "accuracy.png")
    save_adapter(model, weights.source, folder / "adapter")
    lap("train")

    subject = torch_subject("adapter", TITLES["adapter"], model, tokenizer)
    scored, line = student_file.measure_step(subject, student_file.step_rows(rows, config), rows, config, folder)
    measured["adapter"] = {"scored": scored, "line": line}
    say(report.accuracy_lines({"adapter": scored})[0])
    del model, subject
    lap("evaluate_adapter")

    lines = [one["line"] for one in measured.values()]
    weighed_by = [example.encoded for example in evenly(prepared.examples, config.export.importance_rows)]
    made = student_file.make_student(config, folder, weights, tokenizer, rows, lines, lap, say, weighed_by)
    record = {
        "student": {
            "gguf": made.student.name,
            "sha256": file_sha256(made.student),
            "bytes": made.student.stat().st_size,
            "quantisation": config.export.quantisation,
            "style": config.target,
        },
        "eval": {**{name: one["scored"] for name, one in measured.items()}, "student": made.scored},
        "survival": made.survival,
        "parity": made.parity,
        "quantisations": made.quantisations,
        "gates": made.gates,
        "stages": summaries,
        "train": {**summary, "parameters": parameters, "trainable": trained, "lora_layers": layers},
        "config": json.loads(config.model_dump_json()),
        "data": _data_record(config.dataset, train_rows, validation, prepared),
        "base": {
            "source": weights.source,
            "key": weights.key,
            "from_quantised": weights.from_quantised,
            "licence": weights.licence,
            "vocabulary": vocabulary,
        },
        "machine": {**_machine_record(device), "products": f"int8 {kernels.name}" if kernels else "float"},
        "stage_seconds": seconds,
    }
    _say_accuracy(record, say)
    return record


def fingerprint_parts(config: RunConfig) -> dict[str, str]:
    """Hashes of everything that decides the result, by what a person would call it: settings, data, code, libraries.

    Where the result goes, where the metrics go and how often checkpoints are written decide nothing.  What is exported
    from the trained adapter, and through which gates, is a part of its own.
    """
    aside = {"out": True, "dataset": True, "metrics": True, "train": {"checkpoint_minutes": True}, "export": True}
    data = hashlib.sha256()
    for name in ("train.jsonl", "validation.jsonl"):
        data.update(file_sha256(config.dataset / name).encode())
    for stage in config.stages:
        if isinstance(stage, DomainStage):
            data.update(source_sha256(stage.texts).encode())
        elif isinstance(stage, PreferenceStage):
            if not stage.pairs.is_file():
                raise InputError(f"선호 쌍 파일이 없습니다 (no such pairs file): {stage.pairs}")
            data.update(file_sha256(stage.pairs).encode())
    if config.lora.start:
        from finetune.lora import adapter_weights

        data.update(file_sha256(adapter_weights(config.lora.start, config.lora)).encode())
    libraries = " ".join(f"{name}={metadata.version(name)}" for name in PACKAGES)
    return {
        "설정(settings)": hashlib.sha256(config.model_dump_json(exclude=aside).encode()).hexdigest(),
        EXPORT: hashlib.sha256(config.export.model_dump_json().encode()).hexdigest(),
        "데이터(data)": data.hexdigest(),
        "코드(code)": code_sha256(),
        "라이브러리(libraries)": libraries,
    }


def training_parts(parts: dict[str, str]) -> dict[str, str]:
    """Those that decide the adapter: a checkpoint stays good when only the export or its gates were changed."""
    return {part: value for part, value in parts.items() if part != EXPORT}


def code_sha256() -> str:
    """Hash over the files of finetune and taxlaw."""
    code = hashlib.sha256()
    here = Path(__file__).parent
    for package in (here, here.parent / "taxlaw"):
        for path in sorted(package.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                code.update(f"{path.relative_to(here.parent).as_posix()}:{file_sha256(path)}".encode())
    return code.hexdigest()


def run_fingerprint(parts: dict[str, str]) -> str:
    """One SHA-256 of the parts."""
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()


def finished_run(out: Path, fingerprint: str) -> dict | None:
    """The record in ``out`` when it is a finished run with this fingerprint and an unharmed GGUF."""
    record_file = out / "run.json"
    if not record_file.is_file():
        return None
    try:
        record = json.loads(record_file.read_text(encoding="utf-8"))
        student = out / record["student"]["gguf"]
        same = record["fingerprint"] == fingerprint and file_sha256(student) == record["student"]["sha256"]
    except (json.JSONDecodeError, KeyError, TypeError, OSError):
        return None  # not a run of this version; it is trained again
    return record if same else None


def _processes():
    """The processes `accelerate launch` started (parallel.World), None when this one is alone."""
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        return None  # and torch need not be loaded to find that a run is finished
    from finetune.parallel import world

    return world()


def _say_nothing(text: str) -> None:
    """What the other processes say."""


def _swap_in(partial: Path, out: Path) -> None:
    old = out.with_name(out.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if out.exists():
        os.replace(out, old)
    os.replace(partial, out)
    shutil.rmtree(old, ignore_errors=True)


def _data_record(dataset: Path, train_rows: list[Row], validation: list[Row], prepared) -> dict:
    def count(rows: list[Row]) -> dict[str, int]:
        return {style: sum(row.style == style for row in rows) for style in sorted({row.style for row in rows})}

    return {
        "dataset": dataset.name,
        "train_sha256": file_sha256(dataset / "train.jsonl"),
        "validation_sha256": file_sha256(dataset / "validation.jsonl"),
        "train_rows": count(train_rows),
        "validation_rows": count(validation),
        "teachers": sorted({str(row.provenance.get("teacher")) for row in train_rows}),
        "trained_on": len(prepared.examples),
        "over_max_tokens": prepared.over_cap,
        "longest_tokens": prepared.longest,
    }


def _machine_record(device: Device) -> dict:
    peak = peak_memory_bytes()
    return {
        "device": device.kind,
        "dtype": device.dtype,
        "why": device.reason,
        "threads": device.threads,
        "platform": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: metadata.version(name) for name in PACKAGES},
        "peak_memory_bytes": peak,
    }


def _stopwatch(seconds: dict[str, float]):
    last = time.monotonic()

    def lap(name: str) -> None:
        nonlocal last
        seconds[name] = round(time.monotonic() - last, 1)
        last = time.monotonic()

    return lap


def _say_accuracy(record: dict, say) -> None:
    from finetune.report import accuracy_lines

    size = record["student"]["bytes"] / 1e6
    say("\n".join(accuracy_lines(record["eval"])))
    say(f"student: {record['student']['gguf']} ({size:,.0f} MB)")
