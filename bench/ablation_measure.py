"""What the ablation table measures of finished runs besides their own record; a process of its own for each.

Started by bench/ablations.py; by hand with PYTHONPATH=. from the repository's root:

    python bench/ablation_measure.py texts --run DIR --law FILE --out JSON          # characters per token, by kind of text
    python bench/ablation_measure.py quantisations --run DIR --out JSON             # the student as other files, same rows
    python bench/ablation_measure.py decoding --files NAME=GGUF ... --run DIR --out JSON

Decoding is timed in turns, a file after the other and round again, so that a neighbour on the machine slows all alike.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from finetune.threads import spin_briefly

QUANTISATIONS = ("F16", "Q6_K", "Q5_K_M", "Q4_K_M")  # beside the Q8_0 every variant is measured as
TRAINED_ROWS = 400  # of the training rows in their mix
LAW_TEXTS = 300
PROMPTS, TOKENS = 3, 48  # decoded per turn and file


def characters_per_token(run: Path, law: Path) -> dict[str, float]:
    """By kind of text, in the vocabulary of the run's file; kinds without texts are left out."""
    from finetune.data import epoch_order, read_rows, target_text, weighed_by_tax
    from finetune.domain import law_texts
    from finetune.evaluation.run_folder import read_run
    from finetune.evidence import show_evidence, user_turn

    finished = read_run(run)
    config = finished.config
    held = read_rows(config.dataset / "validation.jsonl")
    used = [row for row in read_rows(config.dataset / "train.jsonl") if row.style in config.mix]
    order = epoch_order(*weighed_by_tax(used, config.mix, config.taxes), config.seed, 0)[:TRAINED_ROWS]
    trained = show_evidence([used[index] for index in order], config.evidence, config.seed, config.refers)
    worked = [row for row in held if row.style == "worked"]
    texts = {
        "trained on": [text for row in trained for text in (user_turn(row), target_text(row, config.target))],
        "questions": [row.question for row in held],
        "calls": [row.call for row in worked if row.call],
        "workings": [row.answer for row in worked],
        "answers in words": [row.answer for row in held if row.style != "worked"],
        "law": law_texts(str(law))[:LAW_TEXTS],
    }
    return rates(finished.student, texts)


def rates(student: Path, texts: dict[str, list[str]]) -> dict[str, float]:
    """Characters per token by kind of text, as the file itself segments them; kinds without texts are left out."""
    from finetune.llama import open_gguf

    model = open_gguf(student, context=64, vocabulary_only=True)
    try:
        tokens = {
            name: sum(len(model.tokenize(text.encode(), add_bos=False, special=False)) for text in some)
            for name, some in texts.items()
        }
    finally:
        model.close()
    return {name: round(sum(map(len, some)) / tokens[name], 3) for name, some in texts.items() if tokens[name]}


def quantisations(run: Path) -> list[dict]:
    """A line of the survival table for each of QUANTISATIONS, with the share that ended by itself, on the run's own rows."""
    from finetune.evaluation.run_folder import read_run, run_subjects
    from finetune.student_file import measure_step

    finished = read_run(run)
    rows = held_out_rows(finished.config)
    lines = []
    for subject in run_subjects(finished, (), QUANTISATIONS):
        scored, line = measure_step(subject, rows, rows, finished.config)
        lines.append(line | {"ended_by_stop": scored["ended_by_stop"], "mean_tokens": scored["mean_tokens"]})
        print(f"{line['title']}: {line['exact']['value']:.1%}", flush=True)
    return lines


def decoding(run: Path, files: dict[str, Path], repeats: int) -> dict:
    """Tokens per second of greedy decoding, ``repeats`` turns for each file; the first file changes from turn to turn."""
    from finetune.evaluation.gguf_model import speed
    from finetune.evaluation.run_folder import read_run

    rows = held_out_rows(read_run(run).config)[:PROMPTS]
    rates: dict[str, list[float]] = {name: [] for name in files}
    names = list(files)
    load = os.getloadavg()[0]
    for turn in range(repeats):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            rates[name].append(round(speed(files[name], rows, TOKENS), 1))
    return {"tokens_per_second": rates, "load_before": round(load, 1), "tokens": TOKENS, "prompts": PROMPTS}


def held_out_rows(config) -> list:
    """The rows that the run of this config measured."""
    from finetune.data import read_rows
    from finetune.evaluate import held_out
    from finetune.evidence import show_evidence

    validation = show_evidence(
        read_rows(config.dataset / "validation.jsonl"), config.evidence, config.seed, config.refers
    )
    return held_out(validation, config.evaluation.rows)


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0; the measurement's JSON appears only when it is whole."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("texts", "quantisations", "decoding"))
    parser.add_argument("--run", type=Path, required=True, help="a finished run folder")
    parser.add_argument("--law", type=Path, help="texts: law texts nothing was learned from (.jsonl)")
    parser.add_argument("--files", nargs="+", default=[], metavar="NAME=GGUF", help="decoding: the files to time")
    parser.add_argument("--repeats", type=int, default=5, help="decoding: turns (default 5)")
    parser.add_argument("--out", type=Path, required=True, help="JSON to write")
    options = parser.parse_args(arguments)
    spin_briefly()  # before torch loads, as `python -m finetune` does
    if options.what == "texts":
        found = characters_per_token(options.run, options.law)
    elif options.what == "quantisations":
        found = quantisations(options.run)
    else:
        files = {name: Path(path) for name, path in (one.split("=", 1) for one in options.files)}
        found = decoding(options.run, files, options.repeats)
    options.out.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
