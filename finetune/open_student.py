"""Opens a shipped student: base, vocabulary, adapter, GGUF, quantised, each with its gate; a run folder that serve opens.

Nothing is trained and nothing measured anew but that the file is the student: what it gets right stands in the record of
the run that was shipped.
"""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from finetune.base import BaseWeights, whole_or_nothing
from finetune.data import file_sha256
from finetune.errors import InputError
from finetune.importance import IMPORTANCE, read_importance
from finetune.run import PACKAGES, code_sha256, finished_run, run_fingerprint
from finetune.ship_folder import ADAPTER, Shipped, measured_at, read_shipped, weights_of

RUNS = Path("runs")
UNQUANTISED = "F32"
# Of the shipped folder, as they are called in a run folder.
TAKEN_ALONG = {"README.md": "model_card.md", "NOTICE": "NOTICE", "loss.png": "loss.png", IMPORTANCE: IMPORTANCE}


def open_student(
    student: Path, out: Path | None = None, quantisation: str | None = None, force: bool = False, say=print
) -> dict:
    """Make the run folder ``out`` (None: runs/<name of the student>), whole or not at all, and return its record.

    ``quantisation``: None for the one it was shipped for.  A folder of the same student, quantisation, code and library
    versions is returned as it is unless ``force``.
    Raises InputError or ConfigError for what cannot be opened (exit code 2), GateError where the file is not the student.
    """
    started = time.monotonic()
    shipped = read_shipped(student)
    out = out or RUNS / student.resolve().name
    quantisation = quantisation or shipped.quantisation
    libraries = " ".join(f"{name}={metadata.version(name)}" for name in PACKAGES)
    parts = {"student": shipped.sha256, "quantisation": quantisation, "code": code_sha256(), "libraries": libraries}
    fingerprint = run_fingerprint(parts)
    if not force and (finished := finished_run(out, fingerprint)):
        say(f"열어 둔 학생을 다시 씁니다: {out} (reused; --force 로 다시 엶)")
        return finished
    _require_replaceable(out)
    from finetune.quiet import quiet_libraries

    quiet_libraries()
    weights = weights_of(shipped, say)
    with whole_or_nothing(out) as partial:
        made = _make(shipped, weights, partial, out.name, quantisation, say)
        for name, taken in TAKEN_ALONG.items():
            if (shipped.folder / name).is_file():
                shutil.copy(shipped.folder / name, partial / taken)
        record = {
            "fingerprint": fingerprint,
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "seconds": round(time.monotonic() - started, 1),
            **made,
        }
        record = {**shipped.run.record, **record}
        text = json.dumps(record, ensure_ascii=False, indent=2) + "\n"
        # The last: serve takes every folder that has one for finished.
        (partial / "run.json").write_text(text, encoding="utf-8")
    size = record["student"]["bytes"] / 1e6
    say(f"열었습니다: {out}/{record['student']['gguf']} ({size:,.0f} MB, {record['seconds']:,.0f}초)")
    return record


def _make(shipped: Shipped, weights: BaseWeights, folder: Path, name: str, quantisation: str, say) -> dict:
    """Adapter and student's file in ``folder``, and what run.json says of them."""
    from finetune.base import load_tokenizer
    from finetune.export_steps import TOKENS, probe_gguf
    from finetune.gguf_export import export_gguf
    from finetune.merge import merge_adapter
    from finetune.quantisations import measure_quantisations, quantised_file, reference_of_model, table_lines
    from finetune.student_file import check_parity, gate

    export, tokenizer = shipped.run.config.export, load_tokenizer(weights)
    weighed = read_importance(shipped.folder / IMPORTANCE) if (shipped.folder / IMPORTANCE).is_file() else None
    passed: list[dict] = []
    shutil.copytree(shipped.folder / ADAPTER, folder / ADAPTER)
    say("어댑터를 base 에 합칩니다 (merging).")
    with gate("merge", passed):
        merged = merge_adapter(weights, folder / ADAPTER)
    whole = folder / f"student-{UNQUANTISED}.gguf"
    export_gguf(merged, tokenizer, whole, UNQUANTISED, name)
    asked = _questions(shipped.run.record)
    parity = check_parity(export, whole, merged, tokenizer, asked, passed, say)
    with gate("quantisation", passed) as found:
        _, examples = probe_gguf(whole, asked, TOKENS)
        reference = reference_of_model(merged, examples)
        wanted, gates = [quantisation], export.gates
        table = measure_quantisations(whole, UNQUANTISED, examples, reference, wanted, folder, gates, weighed)
        found |= {one: {"argmax": it.argmax_agreement, "mean_kl": it.mean_kl} for one, it in table.items()}
    say("\n".join(table_lines(table)))
    whole.unlink()
    file, trained = quantised_file(whole, folder, quantisation), shipped.run.record
    return {
        "student": {
            "gguf": file.name,
            "sha256": file_sha256(file),
            "bytes": file.stat().st_size,
            "quantisation": quantisation,
            "style": shipped.run.target,
        },
        "eval": measured_at(trained, quantisation),
        "parity": parity,
        "quantisations": {one: asdict(it) for one, it in table.items()},
        "gates": passed,
        "opened": {
            "student": shipped.folder.name,
            "sha256": shipped.sha256,
            "run": {key: trained[key] for key in ("fingerprint", "finished", "seconds", "student")},
        },
    }


def _questions(record: dict) -> list[str]:
    """What the student is compared on: questions it was measured on, which its record holds; without any, others on tax law.

    On a question unlike those it learned every next word is nearly a tie, and another machine's rounding decides it.
    """
    from finetune.parity import QUESTIONS

    samples = record["eval"]["student"]["samples"]
    return [sample["question"] for sample in samples] or list(QUESTIONS)


def _require_replaceable(out: Path) -> None:
    """Only an opened student is replaced: a run of somebody's hours has the same kind of name."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    try:
        if "opened" in json.loads((out / "run.json").read_text(encoding="utf-8")):
            return
    except (OSError, json.JSONDecodeError):
        pass  # not one of ours, which the error says
    raise InputError(
        f"담아 둔 학생을 연 폴더가 아니어서 덮어쓰지 않습니다: {out}\n  --out 으로 다른 이름을 주세요 (not an opened student)."
    )
