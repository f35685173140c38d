"""A student with added pieces beside the one it was made from: the same unlearned questions, tokens, time.

    .venv/bin/python bench/extended.py      # took 23 minutes on two cores; docs/student_extended.md and bench/results/extended.json

Both files are asked greedily, alone and as they are served (read again where a call does not fit the question); differences are
paired.  Answers are kept in each run's kept_answers.jsonl.  The part of the page below its marker is by hand and stays.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from contextlib import ExitStack
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
RESULTS = REPO / "bench/results/extended.json"
TIMED, TURNS = 13, 5  # questions and rounds of the timing of whole answers
LAW_TEXTS = 300
READ = ("questions", "questions with their sources")  # of the texts; the others are written
MOST = 192  # tokens of a timed answer


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fitted", type=Path, default=Path("runs/gemma3-270m-tax"), help="run folder it was made from")
    parser.add_argument(
        "--extended", type=Path, default=Path("runs/gemma3-270m-extended"), help="run folder with the pieces"
    )
    parser.add_argument(
        "--learned", type=Path, action="append", default=[], help="an earlier build that was learned from"
    )
    parser.add_argument(
        "--rows", type=int, default=520, help="of calculations; a quarter of it of the others (default 520)"
    )
    parser.add_argument("--tokens", type=int, default=128, help="decoded a turn (default 128)")
    parser.add_argument("--repeats", type=int, default=7, help="turns of the decoding speed (default 7)")
    return parser.parse_args()


def measure(args: argparse.Namespace, say) -> dict:
    """Every figure of the page."""
    import student_measure as ask
    from ablation_measure import rates
    from serve_measure import PACKAGE
    from student import Asking, _file, _this_run

    from finetune.data import read_rows
    from finetune.evaluation.summary import estimate_of
    from serve.opening import recognise

    runs = {name: Asking(argparse.Namespace(run=getattr(args, name)), say) for name in ("fitted", "extended")}
    config = runs["extended"].run.config
    every = read_rows(config.dataset / "test.jsonl")
    builds = [config.dataset, *args.learned]
    rows = ask.unlearned(every, [row for build in builds for row in read_rows(build / "train.jsonl")])
    calculations = ask.sort_rows(rows, args.rows).calculations
    others = ask.sort_rows(rows, args.rows // 4)
    boards = {"calculations": calculations, "ask_back": others.ask_back, "refusal": others.refusal}
    boards |= {"look_up": others.look_up, "quoting": others.quoting}
    boards |= {name: ask.everyday(REPO / "bench" / file) for name, file in ask.EVERYDAY.items()}
    made: dict[str, dict[str, dict]] = {}
    for name, asking in runs.items():
        for how, subject in (("alone", asking.alone), ("served", asking.served)):
            made.setdefault(how, {})[name] = {
                board: ask.answer(subject, some, ask.CAPS, asking.run.target, alone=how == "alone")
                for board, some in boards.items()
                if some
            }
    base = recognise(PACKAGE)[1]
    texts = texts_of(rows)
    if config.pieces_in == "answers":
        texts = {kind: some for kind, some in texts.items() if kind not in READ}
    return {
        **_this_run("bench/extended.py"),
        "pieces_in": config.pieces_in,
        "rows": {name: len(some) for name, some in boards.items()},
        "files": {
            name: {**_file(asking.run), "name": asking.run.folder.name, "legs": legs(asking.run.folder, args.fitted)}
            for name, asking in runs.items()
        }
        | {"unfitted": {"bytes": base.stat().st_size}},
        "exact": {how: {board: pair(sides, board) for board in sides["fitted"]} for how, sides in made.items()},
        "ended": {name: estimate_of("ended_by_stop", made["alone"][name]["calculations"]) for name in runs},
        "answer_tokens": {name: estimate_of("tokens", made["alone"][name]["calculations"]) for name in runs},
        "characters_per_token": {name: rates(asking.run.student, texts) for name, asking in runs.items()},
        "speed": {
            name: ask.speeds(asking.run.student, base, args.tokens, args.repeats) for name, asking in runs.items()
        },
        "whole_answers": whole_answers({name: asking.run.student for name, asking in runs.items()}, calculations),
    }


def legs(folder: Path, since: Path) -> list[str]:
    """Names of the configs that ``folder``'s adapter went through (lora.start), the first one first, after the run ``since``."""
    config = json.loads((folder / "run.json").read_text(encoding="utf-8"))["config"]
    start = config["lora"]["start"]
    before = start and folder.parent / Path(start).parent.name
    known = before and before != since and (before / "run.json").is_file()
    return [*(legs(before, since) if known else []), Path(config["out"]).name]


MEASURE_OF = {"ask_back": "asked_fact", "refusal": "refused", "look_up": "asked_evidence", "quoting": "right_article"}


def pair(sides: dict, board: str) -> dict | None:
    """The share right of both, and the paired difference (extended minus fitted) with its 95% interval; None without rows."""
    from finetune.evaluation.bootstrap import ratio

    key = MEASURE_OF.get(board, "exact")
    both = zip(sides["fitted"][board], sides["extended"][board], strict=True)
    counted = [(one.parts[key], other.parts[key]) for one, other in both if one.parts.get(key, (0, 0))[1]]
    fitted, extended = (
        [right / of for right, of in side] for side in (zip(*counted, strict=True) if counted else ((), ()))
    )
    gains = [after - before for before, after in zip(fitted, extended, strict=True)]
    if not counted:
        return None
    return {
        "fitted": ratio(fitted, share=True).as_json(),
        "extended": ratio(extended, share=True).as_json(),
        "difference": ratio(gains).as_json(),
        "better": sum(gain > 0 for gain in gains),
        "worse": sum(gain < 0 for gain in gains),
    }


def texts_of(rows: list) -> dict[str, list[str]]:
    """Texts of unlearned rows by kind, and statutes (of which the pieces were learned) where they are at hand."""
    from finetune.domain import AUTO_STATUTES, law_texts
    from finetune.evidence import user_turn

    texts = {
        "calls": [row.call for row in rows if row.call],
        "answers in words": [row.answer for row in rows if row.style != "worked"],
        "questions": [row.question for row in rows],
        "questions with their sources": [user_turn(row.showing_evidence()) for row in rows if row.evidence],
    }
    return texts | ({"statutes": law_texts("statutes:auto")[:LAW_TEXTS]} if AUTO_STATUTES.exists() else {})


def whole_answers(files: dict[str, Path], rows: list) -> dict:
    """Seconds from question to ended answer, a question of one file and the same of the other, the median over all turns.

    The file stays open and begins each question anew, as one who asks different things finds it.
    """
    from finetune.evaluation.gguf_model import opened

    asked = rows[:: max(1, len(rows) // TIMED)][:TIMED]
    seconds: dict[str, list[float]] = {name: [] for name in files}
    load = os.getloadavg()[0]
    with ExitStack() as stack:
        models = {name: stack.enter_context(opened(file, asked, MOST)) for name, file in files.items()}
        for turn in range(TURNS):
            for place in range(len(asked)):
                for name in sorted(models, reverse=turn % 2 == 1):
                    speaker, prompts = models[name]
                    speaker.llama.reset()
                    started = time.perf_counter()
                    made = speaker.llama.generate(prompts[place], temp=0.0, repeat_penalty=1.0)
                    next((one for one, _ in zip(made, range(MOST), strict=False) if one in speaker.stops), None)
                    seconds[name].append(time.perf_counter() - started)
                    made.close()
    ratios = [before / after for before, after in zip(seconds["fitted"], seconds["extended"], strict=True)]
    medians = {name: round(statistics.median(some), 3) for name, some in seconds.items()}
    return {
        "seconds": medians,
        "ratio": round(statistics.median(ratios), 2),
        "load": round(load, 1),
        "questions": len(asked),
    }


def main() -> None:
    args = parse()
    # This folder holds a file that would else hide the package serve.
    here = str(Path(__file__).resolve().parent)
    sys.path[:] = [str(REPO), *(entry for entry in sys.path if entry != here), here]
    from extended_page import write_page

    from finetune.errors import FinetuneError
    from finetune.threads import spin_briefly
    from taxlaw.errors import TaxLawError

    spin_briefly()  # before llama.cpp is loaded
    try:
        figures = measure(args, lambda text: print(text, file=sys.stderr, flush=True))
    except (FinetuneError, TaxLawError) as exc:
        raise SystemExit(f"오류: {exc}") from exc
    RESULTS.write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(write_page(figures, REPO / "docs/student_extended.md"))


if __name__ == "__main__":
    main()
