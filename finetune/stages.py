"""The stages of a run, one after the other on one adapter: domain text, then the task, then preference.

Everything a stage needs is read and checked before the first begins.  A checkpoint holds one position in one stage, or
the border between two; `run_stages` goes on from either.  Knows nothing of bases, evaluation before and after, or export.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from finetune import preference, report, train
from finetune.chat import preflight
from finetune.checkpoint import (
    Checkpoint,
    StopRequest,
    Timer,
    load_trainable,
    random_state,
    restore_random_state,
    stop_requests,
    trainable_state,
    write_checkpoint,
)
from finetune.data import Prepared, Row, endless_batches, endless_items
from finetune.domain import law_examples, law_texts
from finetune.early_stop import Accuracy, Watch, measure, watched_rows
from finetune.errors import GateError
from finetune.metrics_store import Metrics, open_metrics
from finetune.settings import DomainStage, PreferenceStage, RunConfig, Stage
from finetune.train import Objective, Position, Step
from finetune.usage import UsageSampler

if TYPE_CHECKING:
    from finetune.parallel import World


@dataclass(frozen=True)
class Job:
    """What all stages share.  ``header()`` (fingerprint, machine, ...) goes into every checkpoint."""

    model: object
    tokenizer: object
    config: RunConfig
    device: str
    folder: Path
    name: str  # of the run in a metrics store
    header: Callable[[], dict]
    say: Callable[[str], None]
    here: World | None = None  # this process among several; the first of them writes, all train
    quick: Callable[[], AbstractContextManager] = (
        nullcontext  # what the passes of every step run in, but for preferences
    )

    @property
    def writes(self) -> bool:
        return self.here is None or self.here.first


@dataclass(frozen=True)
class Material:
    """A stage with its checked data: examples in their order of batches are made by ``batches``, from the beginning."""

    stage: Stage
    items: list
    batches: Callable[[list], Iterator[tuple[float, list]]]


@dataclass(frozen=True)
class StageResult:
    """What one stage did; ``accuracy`` are the records of its evaluations in between, ``ended`` why it ended."""

    stage: Stage
    steps: list[Step]
    accuracy: list[dict]
    ended: str  # "budget" or "early stop"
    best_step: int | None


def read_materials(config: RunConfig, task: Prepared, validation: list[Row], tokenizer, say) -> list[Material]:
    """The data of every stage, checked.  Raises InputError or GateError before anything is trained."""
    return [_material(stage, config, task, validation, tokenizer, say) for stage in config.stages]


def _material(stage: Stage, config: RunConfig, task: Prepared, validation: list[Row], tokenizer, say) -> Material:
    size, seed = stage.settings(config.train).batch_size, f"{config.seed}:{stage.name}"
    if isinstance(stage, DomainStage):
        examples = law_examples(law_texts(stage.texts), tokenizer, config.max_tokens)
        lengths = [len(example.ids) for example in examples]
        say(f"{stage.name}: 법령 글 {len(examples):,}조각, {sum(lengths):,} 토큰 ({stage.texts})")
        return Material(stage, examples, lambda items: endless_items(items, lengths, size, seed))
    if isinstance(stage, PreferenceStage):
        pairs = preference.read_pairs(stage.pairs)
        held = {row.question for row in validation}
        if leaked := [pair.question for pair in pairs if pair.question in held]:
            raise GateError(
                f"{stage.pairs}: 검증 질문이 {len(leaked)}개 들어 있습니다 (validation questions): {leaked[0]}"
            )
        encoded = preference.encode_pairs(pairs, tokenizer, config.max_tokens)
        preflight([answer for pair in encoded for answer in (pair.chosen, pair.rejected)], tokenizer)
        lengths = [pair.tokens for pair in encoded]
        say(f"{stage.name}: 선호 쌍 {len(encoded):,}개 ({stage.pairs})")
        return Material(stage, encoded, lambda items: endless_items(items, lengths, size, seed))
    return Material(
        stage, task.examples, lambda items: endless_batches(items, config.mix, size, config.seed, config.taxes)
    )


def run_stages(job: Job, materials: list[Material], validation: list[Row], resumed: Checkpoint | None):
    """Train every stage that is not done yet and return a StageResult for each.

    Ends with a checkpoint behind the last stage, so that a failed export costs no training.  On SIGTERM or Ctrl-C a
    checkpoint is written after the step and KeyboardInterrupt is raised.
    """
    header = resumed.header if resumed else {"stage_index": 0, "results": []}
    records = json.loads(resumed.state["records"]) if resumed else []
    results = list(header["results"])
    if resumed:
        load_trainable(job.model, resumed.state["weights"])
        restore_random_state(resumed.state["random"])
        if header["step"] is None:
            done = ", ".join(material.stage.name for material in materials[: header["stage_index"]])
            job.say(f"이어서 학습합니다: 끝난 단계 {done} (resuming; these stages are done)")
    config = job.config
    folder = job.folder if job.writes else None
    with open_metrics(folder, config.metrics, "slm-forest", job.name, records) as metrics, stop_requests() as stop:
        for index in range(header["stage_index"], len(materials)):
            here = resumed if resumed and index == header["stage_index"] and header["step"] is not None else None
            ended, best_step = _run_stage(job, materials, index, validation, here, metrics, stop, results)
            results.append({"ended": ended, "best_step": best_step})
            _save(job, index + 1, None, metrics, results, {})
            if _stopping(job, stop):
                raise stop.interrupt()
        return [
            StageResult(
                material.stage,
                _steps(metrics.records, material.stage.name),
                [one for one in metrics.records if one["kind"] == "accuracy" and one["stage"] == material.stage.name],
                **result,
            )
            for material, result in zip(materials, results, strict=True)
        ]


def _run_stage(
    job: Job,
    materials: list[Material],
    index: int,
    validation: list[Row],
    resumed: Checkpoint | None,
    metrics: Metrics,
    stop: StopRequest,
    results: list[dict],
) -> tuple[str, int | None]:
    config, material = job.config, materials[index]
    stage, settings = material.stage, material.stage.settings(config.train)
    watch = _watch(job, stage, validation, stop)
    start, items, objective, extra = _begin(job, material, settings, resumed)
    if resumed:
        start = replace(start, steps=_steps(metrics.records, stage.name))
        job.say(
            f"이어서 학습합니다: {stage.name} {len(start.steps):,} step 부터 (resuming, {start.seconds:,.0f} s trained)"
        )
        if watch:
            watch.load(resumed.state["watch"])
    timer, sampler = Timer(config.train.checkpoint_minutes), UsageSampler()
    last = start

    def save(position: Position) -> None:
        _save(job, index, position, metrics, results, extra | ({"watch": watch.state()} if watch else {}))
        timer.restart()

    with report.progress(stage.name, silent=not job.writes) as shown:

        def on_step(step: Step) -> None:
            metrics.write("step", asdict(step))
            if usage := sampler.sample():
                metrics.write("usage", {"stage": stage.name, "step": step.step, **usage})
            shown.step(step)

        def judge(position: Position) -> None:
            try:
                record = watch.judge(job.model, position)
            except KeyboardInterrupt:  # it is made again when the run goes on
                save(position)
                raise
            metrics.write("accuracy", {"stage": stage.name, **record})
            shown.accuracy(record)

        def between(position: Position) -> bool:
            nonlocal last
            last = position
            stopping = _stopping(job, stop)
            if stopping or timer.due():
                save(position)
            if stopping:
                raise stop.interrupt()
            if watch and watch.due(position) and not watch.judged(position):
                judge(position)
            return bool(watch and watch.finished)

        train.train(
            job.model,
            material.batches(items),
            settings,
            job.tokenizer.pad_token_id,
            on_step,
            job.device,
            objective=job.here.even(objective) if job.here else objective,
            stage=stage.name,
            start=start,
            between=between,
            processes=job.here,
            only_pieces=isinstance(stage, DomainStage) and stage.only_pieces,
            # right and wrong answers are weighed against a reference that was measured in full
            quick=nullcontext if isinstance(stage, PreferenceStage) else job.quick,
        )
        ended = "early stop" if watch and watch.finished else "budget"
        if watch:
            if not watch.judged(last):
                judge(last)
            watch.restore_best(job.model)
            job.say(f"{stage.name}: {ended}, 가장 나은 어댑터는 {watch.best_step:,} step (정답률 {watch.best:.1%})")
    return ended, watch.best_step if watch else None


def _begin(job: Job, material: Material, settings, resumed: Checkpoint | None):
    """(where to start, items, objective, what only this stage puts into its checkpoints)."""
    stage, pad = material.stage, job.tokenizer.pad_token_id
    start = Position([], 0.0, 0.0, 0, None)
    if resumed:
        saved = resumed.header
        start = Position([], saved["epoch"], saved["seconds"], saved["batches"], resumed.state["optimiser"])
    if isinstance(stage, PreferenceStage):
        if resumed:
            items = preference.put_reference(material.items, resumed.state["reference"])
        else:
            items = preference.with_reference(job.model, material.items, stage, pad, settings.pass_tokens, job.device)
        extra = {"reference": [[pair.reference_chosen, pair.reference_rejected] for pair in items]}
        return start, items, preference.preferences(stage, pad), extra
    return start, material.items, _answers(job, settings), {}


def _answers(job: Job, settings) -> Objective:
    if not settings.packing:
        return train.answers(job.tokenizer.pad_token_id)
    from finetune.packing import packed_answers

    causal = job.model.get_base_model() if hasattr(job.model, "get_base_model") else job.model
    return packed_answers(causal.config)


def _watch(job: Job, stage: Stage, validation: list[Row], stop: StopRequest) -> Watch | None:
    settings = job.config.train.early_stop
    if settings is None or isinstance(stage, DomainStage):
        return None
    worked, documents = watched_rows(validation, job.config)

    def accuracy() -> Accuracy:
        if job.here:  # one verdict for all; with divided weights all have to generate
            asked = job.here.first or job.here.sharded
            found = measure(job.model, job.tokenizer, worked, documents, job.config) if asked else None
            return job.here.from_first(found)
        stop.at_once = stop.signal is None  # generating takes long, and the weights rest
        try:
            return measure(job.model, job.tokenizer, worked, documents, job.config)
        finally:
            stop.at_once = False

    return Watch(settings, accuracy)


def _save(job: Job, index: int, position: Position | None, metrics: Metrics, results: list[dict], extra: dict) -> None:
    if not job.writes:
        return
    header = {
        **job.header(),
        "stage_index": index,
        "results": results,
        "step": len(position.steps) if position else None,
        **({"epoch": position.epoch, "seconds": position.seconds, "batches": position.batches} if position else {}),
    }
    state = {
        "weights": trainable_state(job.model),
        "random": random_state(),
        "records": json.dumps(metrics.records, ensure_ascii=False),
        **({"optimiser": position.optimiser.state_dict()} if position else {}),
        **extra,
    }
    name = f"{index:02d}-{header['step'] or 0:08d}"
    write_checkpoint(job.folder / "checkpoints", name, header, state)


def _stopping(job: Job, stop: StopRequest) -> bool:
    """Whether any process was told to stop: signals reach them at different moments, and all must end at one step."""
    asked = stop.signal is not None
    return job.here.any(asked) if job.here else asked


def _steps(records: list[dict], stage: str) -> list[Step]:
    names = {one.name for one in fields(Step)}
    return [
        Step(**{key: value for key, value in record.items() if key in names})
        for record in records
        if record["kind"] == "step" and record["stage"] == stage
    ]
