"""The shipped student, measured: every figure of the README's table, from one command.

    .venv/bin/python bench/student.py                       # about an hour on two cores; docs/student.md, .png, the README's block
    .venv/bin/python bench/student.py --rows 40             # a quick look: 40 rows of each kind, printed, nothing written
    .venv/bin/python bench/student.py --compare merged-F32.gguf --compare student-Q4_K_M.gguf

Every answer is from the GGUF as it is served: greedy, read again where its call does not fit the question.  Answers are kept
in <run>/kept_answers.jsonl, so that a command that was stopped goes on where it was; another model, prompt or limit is asked anew.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from datetime import date
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
RESULTS = REPO / "bench/results/student.json"


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, default=Path("runs/gemma3-270m-tax"), help="run folder of the student")
    parser.add_argument(
        "--compare", type=Path, action="append", default=[], metavar="FILE.gguf", help="the same student"
    )
    parser.add_argument(
        "--worked", type=Path, metavar="RUN", help="a run of the worked style: gift tax, unseen amounts"
    )
    parser.add_argument(
        "--worked-learned",
        type=Path,
        action="append",
        default=[],
        help="a build the worked student learned before its run's",
    )
    parser.add_argument(
        "--only-worked", action="store_true", help="measure --worked alone and keep all other figures of the last run"
    )
    parser.add_argument("--worked-rows", type=int, metavar="N", help="questions for --worked (default: all)")
    parser.add_argument(
        "--dataset",
        type=Path,
        help="dataset folder with test.jsonl (default: the run's); of another build only what the run did not learn is asked",
    )
    parser.add_argument(
        "--learned",
        type=Path,
        action="append",
        default=[],
        help="another build the student learned from, before the run's",
    )
    parser.add_argument("--rows", type=int, help="a quick look at so many rows of each kind; nothing is written")
    parser.add_argument("--base-rows", type=int, default=26, help="of each kind that the base is asked (default 26)")
    parser.add_argument("--compare-rows", type=int, default=520, help="calculations for --compare (default 520)")
    parser.add_argument("--folder", type=Path, action="append", default=[], help="what is searched (default: as serve)")
    parser.add_argument("--no-search", action="store_true", help="leave out the questions with sources found now")
    parser.add_argument("--no-speed", action="store_true", help="leave out the decoding speed")
    parser.add_argument("--tokens", type=int, default=128, help="of the speed measurement (default 128)")
    parser.add_argument("--repeats", type=int, default=7, help="of the speed measurement (default 7)")
    return parser.parse_args()


class Asking:
    """The shipped student and how files are asked: alone, and as they are served."""

    def __init__(self, args: argparse.Namespace, say) -> None:
        from finetune.evaluation.run_folder import read_run

        self._say, self._kept = say, args.run / "kept_answers.jsonl"
        self.run = read_run(args.run)
        self.alone = self.subject("student", f"학생 ({self.run.quantisation})", self.run.student)
        self.served = self.again(self.alone, self.run)

    def subject(self, name: str, title: str, file: Path, template=None):
        from finetune.data import file_sha256
        from finetune.evaluation.kept_answers import keeping
        from finetune.evaluation.subjects import gguf_subject

        return keeping(gguf_subject(name, title, file, template), file_sha256(file), self._kept, self._say)

    def again(self, first, of):
        """``first``, the student of run ``of``, as it is served."""
        from finetune.data import file_sha256
        from finetune.evaluation.kept_answers import keeping
        from finetune.evaluation.rereading import reading_again, rules_sha256

        return keeping(
            reading_again(first, of.student), file_sha256(of.student) + rules_sha256(), self._kept, self._say
        )

    def sides(self) -> dict:
        from student_measure import CAPS
        from student_worked import Side

        return {
            "alone": Side(self.alone, CAPS, self.run.target, alone=True),
            "served": Side(self.served, CAPS, self.run.target),
        }


def measure(args: argparse.Namespace, say) -> dict:
    """Every figure, as bench/results/student.json holds them."""
    import student_measure as ask
    from serve_measure import PACKAGE

    from finetune.chat import GEMMA
    from finetune.data import file_sha256, read_rows
    from finetune.evaluation.found_sources import open_sources
    from finetune.evaluation.run_folder import read_run
    from finetune.evaluation.subjects import recorded_subject
    from serve.opening import recognise

    asking = Asking(args, say)
    run, student, served = asking.run, asking.alone, asking.served
    worked = args.worked and read_run(args.worked)  # before anything is asked
    dataset = args.dataset or run.config.dataset
    every = read_rows(dataset / "test.jsonl")
    builds = [*args.learned, *([] if dataset == run.config.dataset else [run.config.dataset])]
    rows = ask.unlearned(every, [row for build in builds for row in read_rows(build / "train.jsonl")])
    asked = ask.sort_rows(rows, args.rows)
    boards = asked.boards() | {name: ask.everyday(REPO / "bench" / file) for name, file in ask.EVERYDAY.items()}
    if not args.no_search and asked.quoting:
        boards |= ask.with_sources(asked.quoting, open_sources(args.folder, say), say)
    alone = {name: ask.answer(student, board, ask.CAPS, run.target, alone=True) for name, board in boards.items()}
    answers = {name: ask.answer(served, board, ask.CAPS, run.target) for name, board in boards.items()}
    base_file = recognise(PACKAGE)[1]
    base = asking.subject("base", "학습 전 base", base_file, GEMMA)
    small = ask.sort_rows(rows, min(args.base_rows, args.rows or args.base_rows)).boards()
    base_answers = {name: ask.answer(base, board, ask.BASE_CAPS, run.target) for name, board in small.items()}
    others = [asking.subject(file.stem, f"견줄 파일 {file.stem}", file) for file in args.compare]
    some = ask.some_rows(asked.calculations, args.compare_rows)
    return {
        **_this_run(),
        "dataset": {"name": dataset.name, "rows": len(rows), "sha256": file_sha256(dataset / "test.jsonl")}
        | {"learned": len(every) - len(rows)},
        "file": {"run": args.run.name, **_file(run), "style": run.target},
        "base_file": {"name": PACKAGE, "bytes": base_file.stat().st_size},
        "rows": {name: len(board) for name, board in boards.items()},
        "caps": {"student": vars(ask.CAPS), "base": vars(ask.BASE_CAPS)},
        "student": ask.figures_of(answers),
        "alone": ask.figures_of(alone),
        "reread": ask.reread_of(alone, answers),
        "base": ask.figures_of(base_answers),
        "compare": ask.compared(others, some, run.target, alone.get("calculations", [])),
        "worked": worked and _worked(args, worked, asking),
        "teacher": ask.beside_teacher(
            recorded_subject(dataset / "recorded_answers.jsonl"),
            [*answers.get("documents", []), *answers.get("refusal", [])],
        ),
        "example": ask.example(
            {"base": (base, ask.BASE_CAPS), "student": (served, ask.CAPS)}, date.fromisoformat(rows[0].as_of)
        ),
        "speed": None if args.no_speed else ask.speeds(run.student, base_file, args.tokens, args.repeats),
    }


def measure_worked(args: argparse.Namespace, say) -> dict:
    """The figures of the last whole run with those of ``--worked`` measured anew.  Raises SystemExit where there are none,
    or where the student is another one by now.
    """
    from finetune.evaluation.run_folder import read_run

    if not (args.worked and RESULTS.is_file()):
        raise SystemExit("오류: --only-worked 에는 --worked RUN 과 앞서 잰 bench/results/student.json 이 필요합니다.")
    figures, asking, worked = json.loads(RESULTS.read_text("utf-8")), Asking(args, say), read_run(args.worked)
    if figures["file"]["sha256"] != _file(asking.run)["sha256"]:
        raise SystemExit("오류: 앞서 잰 학생과 다른 파일입니다. --only-worked 없이 모두 다시 재세요.")
    return figures | {"worked": _worked(args, worked, asking) | {"apart": _this_run()}}


def _this_run(script: str = "bench/student.py") -> dict:
    """When, how and where this is measured."""
    from serve_measure import machine

    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=REPO, capture_output=True, text=True)
    shown = [word if not Path(word).is_absolute() else Path(word).name for word in sys.argv[1:]]
    return {
        "date": date.today().isoformat(),
        "command": " ".join(["python", script, *shown]),
        "commit": commit.stdout.strip() or None,
        "machine": machine(None),
    }


def _file(run) -> dict:
    from finetune.data import file_sha256

    return {
        "name": run.student.name,
        "bytes": run.student.stat().st_size,
        "sha256": file_sha256(run.student),
        "quantisation": run.quantisation,
    }


def _worked(args: argparse.Namespace, run, asking: Asking) -> dict:
    """Gift tax by a student that writes the working itself, on its own test rows, beside the shipped one."""
    from student_worked import CAPS, Side, side_by_side

    from finetune.data import file_sha256, read_rows

    builds = {*args.learned, *args.worked_learned, asking.run.config.dataset, run.config.dataset}
    learned = [row for build in sorted(builds) for row in read_rows(build / "train.jsonl")]
    test = run.config.dataset / "test.jsonl"
    first = asking.subject("worked", "풀이형 학생", run.student)
    own_sides = {"worked_alone": Side(first, CAPS, run.target, alone=True)}
    own_sides |= {"worked": Side(asking.again(first, run), CAPS, run.target)}
    return {
        "run": args.worked.name,
        **_file(run),
        "dataset": {"name": run.config.dataset.name, "sha256": file_sha256(test)},
        **side_by_side(read_rows(test), learned, {**own_sides, **asking.sides()}, args.worked_rows),
    }


def main() -> None:
    args = parse()
    # This folder holds a file that would else hide the package serve.
    here = str(Path(__file__).resolve().parent)
    sys.path[:] = [str(REPO), *(entry for entry in sys.path if entry != here), here]
    from student_page import page, write_readme
    from student_picture import draw

    from finetune.errors import FinetuneError
    from finetune.threads import spin_briefly
    from serve.errors import ServeError
    from taxlaw.errors import TaxLawError

    spin_briefly()  # before llama.cpp is loaded

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    try:
        figures = measure_worked(args, say) if args.only_worked else measure(args, say)
    except (FinetuneError, ServeError, TaxLawError) as exc:
        raise SystemExit(f"오류: {exc}") from exc
    if args.rows is None:
        RESULTS.parent.mkdir(parents=True, exist_ok=True)
        RESULTS.write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        draw(figures, REPO / "docs/student.png")
        (REPO / "docs/student.md").write_text(page(figures), encoding="utf-8")
        if not write_readme(figures, REPO / "README.md"):
            say(
                "README.md 에 표시가 없어 표를 넣지 않았습니다 (no markers): <!-- student: written by bench/student.py -->"
            )
    sys.stdout.write(page(figures))


if __name__ == "__main__":
    main()
