"""The ablation table: every variant of the student trained for the same minutes and measured on the same rows.

    .venv/bin/python bench/ablations.py                       # all, under two hours on two idle cores
    .venv/bin/python bench/ablations.py --list                # the variants, and which are done
    .venv/bin/python bench/ablations.py --only r32 --only dpo # these, and what they rest on
    .venv/bin/python bench/ablations.py --page-only           # docs/ablations.md again from the JSON

Each variant is a subprocess, `python -m finetune run`, in runs/ablations/ (settings beside it as YAML, output in <name>.log).
bench/results/ablations.json and docs/ablations.md are written after each, so that the same command goes on where it was
stopped, however rudely; a variant is done again only when its settings or data changed, or with --again.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
BENCH = REPO / "bench"
# The packages first: a file beside this one has the name of one of them.
sys.path[:] = [str(REPO), *(entry for entry in sys.path if entry not in (str(REPO), str(BENCH))), str(BENCH)]

from ablation_page import VOCABULARIES, draw, finished, page, table, winner_of  # noqa: E402
from ablation_records import base_entry, entry_of, last_words  # noqa: E402
from ablation_sampling import is_there, sample_reference  # noqa: E402
from ablation_variants import REFERENCE, VARIANTS, Plan, Variant, identity, variant_named, write_config  # noqa: E402

MEASURES = ("quantisations", "decoding")  # after the variants
INTERRUPTED = (130, 143, -2, -15)
Start = Callable[[list[str], Path], int]  # (arguments of python, log) -> exit code


class Board:
    """The results so far, on disk after every change."""

    def __init__(self, plan: Plan, options: argparse.Namespace, start: Start, say: Callable[[str], None]) -> None:
        self.plan, self.options, self.start, self.say = plan, options, start, say
        self.results = read_results(options.results) or {"entries": {}}
        shown = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(plan).items()}
        self.results |= {
            "command": command_of(options),
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
            "plan": shown | {"held_out_law": options.held_out_law},
        }
        self.results.setdefault("held_out", {"rows": plan.rows, "taxes": {}})

    def keep(self) -> None:
        """Write JSON, page and picture."""
        self.results["date"] = date.today().isoformat()
        options = self.options
        for path in (options.results, options.page):
            path.parent.mkdir(parents=True, exist_ok=True)
        partial = options.results.with_suffix(".partial")
        partial.write_text(json.dumps(self.results, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        os.replace(partial, options.results)
        write_page(self.results, options.page)

    def python(self, name: str, *words: object) -> int:
        """Run a Python program with its output in <work>/<name>.log; returns its exit code unless it was interrupted."""
        code = self.start([str(word) for word in words], self.plan.work / f"{name}.log")
        if code in INTERRUPTED:
            raise SystemExit(f"{name}: 중단됨. 같은 명령으로 이어집니다 (interrupted; the same command goes on)")
        return code

    def measure(self, what: str, *words: object) -> dict | list | None:
        """What bench/ablation_measure.py finds, or None (said) when it failed."""
        out = self.plan.work / f"{what}.json"
        out.unlink(missing_ok=True)
        code = self.python(what, BENCH / "ablation_measure.py", what, *words, "--out", out)
        if code or not out.is_file():
            self.say(f"{what}: 실패, {self.plan.work / what}.log 를 보세요 (failed)")
            return None
        return json.loads(out.read_text(encoding="utf-8"))

    def do_variant(self, variant: Variant, again: bool = False) -> None:
        """Train and measure one variant unless that is done; what it rests on first."""
        if variant.sampled and not self.do_sampling(variant):
            return
        wanted, before = identity(variant, self.plan), self.results["entries"].get(variant.name, {})
        if before.get("identity") == wanted and "exact" in before and not again:
            self.say(f"{variant.name}: 이미 끝남 (done)")
            self.count_characters(variant)
            return
        config, load = write_config(variant, self.plan), os.getloadavg()[0]
        out = self.plan.out(variant.name)
        self.say(f"{variant.name}: 시작 {time.strftime('%H:%M')} (load {load:.1f}; {config})")
        words = ["--force"] if again else []
        if self.python(variant.name, "-m", "finetune", "run", "--config", config, *words):
            self.failed(variant, wanted, last_words(self.plan.work / f"{variant.name}.log"))
            return
        about = {"identity": wanted, "load_before": round(load, 1), "commit": commit()}
        entry = self.results["entries"][variant.name] = entry_of(out) | about
        if variant.name == REFERENCE:
            self.results["entries"]["base"] = base_entry(out) | about
            self.results["held_out"] = {"rows": entry["exact"]["rows"], "taxes": entry["rows_per_tax"]}
        self.keep()
        self.count_characters(variant)
        self.say(f"{variant.name}: {entry['exact']['value']:.1%} ({entry['steps']:,} step, {entry['tokens']:,} 토큰)")

    def count_characters(self, variant: Variant) -> None:
        """Characters per token in the variant's vocabulary, unless they are counted."""
        entry, out = self.results["entries"][variant.name], self.plan.out(variant.name)
        if "characters_per_token" in entry or not (out / entry["file"]).is_file():
            return
        if rates := self.measure("texts", "--run", out, "--law", self.plan.held_law):
            entry["characters_per_token"] = rates
            self.keep()

    def failed(self, variant: Variant, wanted: str, reason: str) -> None:
        """A variant that stopped stays in the table; the same command tries it again."""
        self.results["entries"][variant.name] = {"failed": reason, "identity": wanted}
        self.keep()
        self.say(f"{variant.name}: 멈춤 (stopped): {reason}")

    def do_sampling(self, variant: Variant) -> bool:
        """Ask the reference, once; whether the variant has something to learn from."""
        self.do_variant(variant_named(REFERENCE))
        reference = self.results["entries"].get(REFERENCE, {})
        if "exact" not in reference:
            self.failed(variant, "", "the reference did not finish")
            return False
        found = self.results.get("sampling")
        if not found or found["student"] != reference["student"] or not is_there(found, self.plan):
            found = sample_reference(self.plan, self.options, self.python, self.say)
            if found is None:
                self.failed(
                    variant, "", "sampling the reference failed: " + last_words(self.plan.work / "sampling.log")
                )
                return False
            self.results["sampling"] = found | {"student": reference["student"]}
            self.keep()
        if not found["own" if variant.name == "own_answers" else "pairs"]:
            self.failed(variant, "", "the reference gave no such answers: more --questions or --samples")
            return False
        return True

    def do_quantisations(self, again: bool = False) -> None:
        """The best variant as other files."""
        winner = winner_of(self.results)
        if winner is None:
            return
        of = {"of": winner, "student": self.results["entries"][winner]["student"]}
        before = self.results.get("quantisations", {})
        if not again and all(before.get(key) == value for key, value in of.items()):
            self.say("quantisations: 이미 끝남 (done)")
            return
        self.say(f"quantisations: {winner} (시작 {time.strftime('%H:%M')})")
        if lines := self.measure("quantisations", "--run", self.plan.out(winner)):
            self.results["quantisations"] = {**of, "lines": lines}
            self.keep()

    def do_decoding(self, again: bool = False) -> None:
        """The files of the vocabularies, timed in turns."""
        entries = finished(self.results)
        students = {name: entries[name]["student"] for name in VOCABULARIES if name in entries}
        if len(students) < 2:
            return
        if not again and self.results.get("decoding", {}).get("students") == students:
            self.say("decoding: 이미 끝남 (done)")
            return
        self.say(f"decoding: {', '.join(students)} (시작 {time.strftime('%H:%M')})")
        files = [f"{name}={self.plan.out(name) / entries[name]['file']}" for name in students]
        words = ("--run", self.plan.out(next(iter(students))), "--repeats", self.options.repeats, "--files", *files)
        if found := self.measure("decoding", *words):
            self.results["decoding"] = found | {"students": students}
            self.keep()

    def tidy(self) -> None:
        """Remove the GGUF files once everything that needs them is measured; adapters, records and settings stay."""
        wanted = {variant.name for variant in VARIANTS if not variant.optional}
        if self.options.keep_files or not wanted <= finished(self.results).keys():
            return
        if not all(name in self.results for name in MEASURES):
            return
        for file in self.plan.work.glob("*/*.gguf"):
            file.unlink()


def write_page(results: dict, path: Path) -> None:
    """docs/ablations.md and its picture."""
    old = path.read_text(encoding="utf-8") if path.is_file() else ""
    path.write_text(page(results, old), encoding="utf-8")
    if finished(results):
        draw(results, path.with_suffix(".png"))


def read_results(path: Path) -> dict | None:
    """What an earlier call left; None when there is nothing."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def commit() -> str:
    """Of the working tree; "-dirty" when it holds other changes, "unknown" outside git."""
    done = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=REPO, capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


def command_of(options: argparse.Namespace) -> str:
    budget = f"--steps {options.steps}" if options.steps else f"--minutes {options.minutes:g}"
    return f"python bench/ablations.py {budget} --rows {options.rows}"


def start_child(lock) -> Start:
    """Starts Python programs that hold ``lock`` as long as they live, also when this process is killed."""

    def start(words: list[str], log: Path) -> int:
        environment = os.environ | {"PYTHONPATH": str(REPO), "HF_HUB_OFFLINE": "1"}
        with log.open("a", encoding="utf-8") as said:
            said.write(f"\n$ python {' '.join(words)}\n")
            said.flush()
            with subprocess.Popen(
                [sys.executable, *words],
                cwd=REPO,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                pass_fds=(lock.fileno(),),
            ) as child:
                try:
                    return child.wait()
                except KeyboardInterrupt:  # Ctrl-C reached the child too: it writes its checkpoint and ends
                    child.wait()
                    raise

    return start


@contextmanager
def lock_of(work: Path):
    """An open file, locked meanwhile; raises SystemExit when a run, or a child it left behind, is still at work there."""
    work.mkdir(parents=True, exist_ok=True)
    with (work / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise SystemExit(
                f"다른 실행이 아직 일하고 있습니다: {work}\n  끝나기를 기다리거나 그 프로세스를 끝내세요 (another run is at work here)."
            ) from exc
        try:
            yield lock
        finally:
            fcntl.flock(lock, fcntl.LOCK_UN)  # whoever was forked meanwhile holds the same file open


def write_laws(plan: Plan, source: str, law: str) -> None:
    """law.jsonl and held_out_law.jsonl in the work folder.  Raises InputError for a source or law that is not there."""
    from finetune.domain import law_texts
    from finetune.fit_vocab import split_law

    for path, texts in zip((plan.law, plan.held_law), split_law(law_texts(source), law), strict=True):
        lines = (json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in texts)
        path.write_text("".join(lines), encoding="utf-8")


def show_list(results: dict | None, say: Callable[[str], None]) -> None:
    entries = (results or {"entries": {}})["entries"]
    for variant in VARIANTS:
        entry = entries.get(variant.name, {})
        state = f"{entry['exact']['value']:.1%}" if "exact" in entry else "멈춤" if "failed" in entry else "–"
        say(f"{variant.name:<18} {state:>7}  {variant.what}{' (--only 일 때만)' if variant.optional else ''}")
    say("base 는 reference 실행에서 함께 잽니다. 그 밖의 단계: " + ", ".join(MEASURES))


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--config", type=Path, default=Path("configs/finetune/student.yaml"), help="what all start from"
    )
    parser.add_argument("--dataset", type=Path, help="dataset folder in place of the config's")
    parser.add_argument("--work", type=Path, default=Path("runs/ablations"), help="runs, settings, logs")
    parser.add_argument("--minutes", type=float, default=6, help="training of each variant, all stages together")
    parser.add_argument("--steps", type=int, help="a budget of optimiser steps in place of minutes (to try the runner)")
    parser.add_argument("--rows", type=int, default=130, help="held-out rows, evenly over the taxes")
    parser.add_argument("--only", action="append", metavar="NAME", help="this variant or step (may be repeated)")
    parser.add_argument(
        "--again", action="append", default=[], metavar="NAME", help="do this one again though it is done"
    )
    parser.add_argument("--questions", type=int, default=100, help="training questions the reference is asked")
    parser.add_argument("--samples", type=int, default=8, help="answers to each")
    parser.add_argument("--temperature", type=float, default=1.0)
    parser.add_argument(
        "--law", default="statutes:auto", help="texts of m1 and of the added pieces (DomainStage.texts)"
    )
    parser.add_argument("--held-out-law", default="부가가치세법", help="the law among them that nothing learns")
    parser.add_argument("--repeats", type=int, default=5, help="turns of timing the decoding")
    parser.add_argument("--keep-files", action="store_true", help="keep the GGUF files when everything is measured")
    parser.add_argument("--results", type=Path, default=REPO / "bench/results/ablations.json")
    parser.add_argument("--page", type=Path, default=REPO / "docs/ablations.md")
    parser.add_argument("--list", action="store_true", help="show the variants and end")
    parser.add_argument("--page-only", action="store_true", help="write the page again from the JSON")
    return parser


def main(arguments: list[str] | None = None, start: Start | None = None, say: Callable[[str], None] = print) -> int:
    """Exit code 0; 1 when a variant or measurement that was asked for is not there.  ``start``: how programs are run."""
    options = build_parser().parse_args(arguments)
    os.chdir(REPO)
    if options.list:
        show_list(read_results(options.results), say)
        return 0
    if options.page_only:
        if not (results := read_results(options.results)):
            raise SystemExit(f"아직 잰 것이 없습니다 (nothing measured yet): {options.results}")
        write_page(results, options.page)
        say(table(results))
        return 0
    for name in [*(options.only or []), *options.again]:
        if name not in (*MEASURES, "base"):
            variant_named(name)
    from finetune.settings import read_config

    dataset = options.dataset or read_config(options.config).dataset
    if not (dataset / "train.jsonl").is_file():
        raise SystemExit(
            f"데이터셋이 없습니다: {dataset}\n  `python -m data_gen build --config …` 로 먼저 만드세요 (no such dataset)."
        )
    with lock_of(options.work) as lock:
        return _whole(options, dataset, start or start_child(lock), say)


def _whole(options: argparse.Namespace, dataset: Path, start: Start, say: Callable[[str], None]) -> int:
    """Every variant and measurement asked for; 1 when one of them is missing at the end."""
    plan = Plan(options.config, dataset, options.work, options.rows, options.minutes, options.steps)
    write_laws(plan, options.law, options.held_out_law)
    asked = {REFERENCE if name == "base" else name for name in options.only} if options.only else None
    board = Board(plan, options, start, say)
    wanted = [variant for variant in VARIANTS if (variant.name in asked if asked else not variant.optional)]
    for variant in wanted:
        board.do_variant(variant, variant.name in options.again)
    measures = [name for name in MEASURES if asked is None or name in asked]
    if "quantisations" in measures:
        board.do_quantisations("quantisations" in options.again)
    if "decoding" in measures:
        board.do_decoding("decoding" in options.again)
    board.keep()
    board.tidy()
    say(table(board.results))
    there = finished(board.results)
    missing = [variant.name for variant in wanted if variant.name not in there]
    missing += [name for name in measures if name not in board.results]
    if missing:
        say(f"없는 것 (missing): {', '.join(missing)}. 같은 명령으로 다시 시도합니다.")
    return 1 if missing else 0


if __name__ == "__main__":
    from finetune.errors import FinetuneError
    from taxlaw.errors import TaxLawError

    try:
        raise SystemExit(main())
    except (FinetuneError, TaxLawError) as exc:
        print(f"오류: {exc}", file=sys.stderr)
        raise SystemExit(2) from exc
    except KeyboardInterrupt:
        print("중단했습니다. 같은 명령으로 이어집니다 (interrupted; the same command goes on)", file=sys.stderr)
        raise SystemExit(130) from None
