"""From a trained adapter to the measured file that is served: merge, GGUF, quantisations, with a gate at every hand-over.

A run stops at the first gate that fails and names it.  Gates on the weights come before anything is asked of them,
because they are cheap; then every step answers the same held-out rows, which gives the lines of the survival table.
Knows nothing of training.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from finetune import evaluate, gguf_export, merge, parity
from finetune.base import BaseWeights
from finetune.chat import Encoded
from finetune.data import Row, target_text
from finetune.errors import GateError
from finetune.evaluation.run_folder import TITLES
from finetune.evaluation.subjects import Caps, Subject, gguf_subject, torch_subject
from finetune.evaluation.survival import hits_of, survival, survivor
from finetune.importance import IMPORTANCE, importance, save_importance
from finetune.quantisations import Measured, measure_quantisations, probes, reference_of_model, table_lines
from finetune.run_answers import keep_answers
from finetune.settings import Export, RunConfig

BY_SIZE = ("Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M")  # what a run may write, the most exact first
PROBED_ROWS = 16  # held-out rows whose answers the quantisations are compared on
ENOUGH = 10  # right answers from which on a lost share says something


@dataclass(frozen=True)
class Made:
    """The student's file with everything measured on the way; ``gates`` are those passed, in order."""

    student: Path
    scored: dict  # its record of evaluate.score
    parity: dict
    quantisations: dict[str, dict]
    survival: dict
    gates: list[dict]


def step_rows(rows: list[Row], config: RunConfig) -> list[Row]:
    """The held-out rows that the steps between base and student's file are asked."""
    return rows[: config.evaluation.step_rows]


def measure_step(
    subject: Subject, rows: list[Row], nll_rows: list[Row], config: RunConfig, folder: Path | None = None
) -> tuple[dict, dict]:
    """(record of evaluate.score over ``rows``, line of the survival table).  ``folder``: where the answers are kept."""
    settings = config.evaluation
    caps = Caps(worked=settings.max_new_tokens, batch_size=settings.batch_size)
    answers = subject.answer(rows, caps)
    scored = evaluate.score(rows, answers, settings.samples)
    if folder is not None:
        keep_answers(folder, subject.name, rows, answers, scored["wrong"])
    line = survivor(subject, hits_of(rows, scored), nll_rows, config.target, settings.nll_rows)
    return scored, line


def make_student(
    config: RunConfig,
    folder: Path,
    weights: BaseWeights,
    tokenizer,
    rows: list[Row],
    lines: list[dict],
    lap: Callable[[str], None],
    say: Callable[[str], None],
    weighed_by: Sequence[Encoded] = (),
) -> Made:
    """Write ``folder``/student-<QUANT>.gguf from ``folder``/adapter and measure it.

    ``lines``: of the survival table so far, the adapter's among them.  ``weighed_by``: training examples by which the
    quantisations are weighed.  Raises GateError at the first gate that fails;
    ``folder`` then holds no student.
    """
    passed: list[dict] = []
    aside = folder / "gguf"
    shutil.rmtree(aside, ignore_errors=True)  # of an attempt that a gate stopped
    aside.mkdir()
    with gate("merge", passed):
        merged = merge.merge_adapter(weights, folder / "adapter", merge.merged_dtype(config))
    whole = aside / f"student-{config.export.unquantised}.gguf"
    gguf_export.export_gguf(merged, tokenizer, whole, config.export.unquantised, config.out.name)
    found = check_parity(config.export, whole, merged, tokenizer, [row.question for row in rows], passed, say)
    weighed = importance(merged, weighed_by) if weighed_by else {}
    if weighed:
        save_importance(weighed, folder / IMPORTANCE)
    table = _quantise(config, whole, merged, tokenizer, rows, passed, say, weighed)
    whole.unlink()
    lap("export")
    lines = list(lines)
    if config.evaluation.merged:
        subject = torch_subject("merged", TITLES["merged"], merged, tokenizer)
        lines.append(measure_step(subject, step_rows(rows, config), rows, config, folder)[1])
        _say_line(lines[-1], say)
    del merged
    lap("evaluate_merged")
    for name in _wanted(config):
        if name != config.export.quantisation:
            file = aside / f"student-{name}.gguf"
            subject = gguf_subject(name, f"GGUF {name}", file)
            lines.append(measure_step(subject, step_rows(rows, config), rows, config, folder)[1])
            _say_line(lines[-1], say)
            file.unlink()
    lap("evaluate_quantisations")
    chosen = config.export.quantisation
    file = aside / f"student-{chosen}.gguf"
    subject = gguf_subject("student", f"GGUF {chosen} (student)", file)
    scored, line = measure_step(subject, rows, rows, config, folder)
    kept = survival([*lines, line])
    with gate("survival", passed) as measured:
        measured |= require_survival(kept, config.export.least_kept)
    student = folder / file.name
    os.replace(file, student)
    shutil.rmtree(aside)
    lap("evaluate_student")
    return Made(student, scored, found, {name: asdict(one) for name, one in table.items()}, kept, passed)


@contextmanager
def gate(name: str, passed: list[dict]) -> Iterator[dict]:
    """A hand-over: what is found in the block is added to ``passed``; a GateError says at which gate the run stopped."""
    found: dict = {}
    try:
        yield found
    except GateError as exc:
        raise GateError(f"게이트 '{name}' 에서 멈췄습니다 (stopped at gate '{name}').\n  {exc}") from exc
    passed.append({"gate": name, **found})


def require_survival(table: dict, least: float) -> dict:
    """{"kept": share or None} of the student; raises GateError when it lost too many of the adapter's right answers."""
    by_name = {line["name"]: line for line in table["lines"]}
    right, kept = len(by_name["adapter"]["right"]), by_name["student"]["kept"]
    if kept is None or right < ENOUGH:
        return {"kept": None, "least": least}
    if kept["value"] < least:
        raise GateError(
            f"어댑터의 정답 가운데 {kept['value']:.0%} 만 최종 파일에 남았습니다 (export.least_kept: {least:.0%}).\n"
            "  export.quantisation 을 더 굵은 것으로 바꾸면 학습은 다시 하지 않습니다 (right answers lost)."
        )
    return {"kept": kept["value"], "least": least}


def _wanted(config: RunConfig) -> list[str]:
    return [name for name in BY_SIZE if name == config.export.quantisation or name in config.export.compare]


def check_parity(
    export: Export, whole: Path, merged, tokenizer, questions: Sequence[str], passed: list[dict], say
) -> dict:
    """Gates "tokens" and "greedy" between the merged model and ``whole``, its unquantised GGUF; what they found.

    Token ids are compared on all ``questions``, greedy answers on the first ``export.parity_prompts``.  Raises GateError.
    """
    texts = (*parity.STRINGS, *questions)
    with gate("tokens", passed) as found:
        found["texts"] = parity.check_tokens(whole, tokenizer, texts, export.parity_fuzz)
    asked = list(questions[: export.parity_prompts])
    with gate("greedy", passed) as found:
        found |= parity.greedy_agreement(whole, merged, tokenizer, asked, export.parity_tokens)
    agreement = {key: value for key, value in passed[-1].items() if key != "gate"}
    say(
        f"변환 확인: 토큰 {passed[-2]['texts']}문장 일치, 합친 모델과 GGUF 의 greedy 토큰 "
        f"{agreement['tokens_agreed']}/{agreement['tokens']} 일치"
    )
    return {"token_texts": passed[-2]["texts"], **agreement}


def _quantise(
    config: RunConfig, whole: Path, merged, tokenizer, rows: list[Row], passed: list[dict], say, weighed: dict
) -> dict[str, Measured]:
    export = config.export
    pairs = [(row.question, target_text(row, config.target)) for row in rows[:PROBED_ROWS]]
    examples = probes(pairs, tokenizer, export.compare_tokens)
    reference = reference_of_model(merged, examples)
    with gate("quantisation", passed) as found:
        table = measure_quantisations(
            whole, export.unquantised, examples, reference, _wanted(config), whole.parent, export.gates, weighed
        )
        for name, one in table.items():
            found[name] = {"argmax": one.argmax_agreement, "mean_kl": one.mean_kl}
    say("\n".join(table_lines(table)))
    return table


def _say_line(line: dict, say) -> None:
    exact, speed = line["exact"], line["tokens_per_second"]
    parts = [f"정답률 {exact['value']:.1%} ({exact['rows']}문항)"] if exact else []
    parts += [f"{speed:,.0f} tokens/s"] if speed else []
    say(f"{line['title']}: {', '.join(parts)}")
