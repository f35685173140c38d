"""Run the real command line over a scripted student, for tests that need a process of its own (a pty, a kill).

``python scripted_terminal.py SCRIPT.json OPTION…``: the script holds ``answers`` (lists of pieces; "<hang>" waits for ever,
"<context>" and the like raise that error), and perhaps ``teacher`` (the same, for a live teacher at ``host``) and ``others`` (what the student reads again).  Each
question that reaches the student is added to the file ``asked`` beside the script.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import yaml

REPO = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(REPO))

import serve.__main__ as program  # noqa: E402
from serve.backends.fake import FakeBackend  # noqa: E402
from serve.backends.protocol import GenParams  # noqa: E402
from serve.engine import Engine, Seat  # noqa: E402
from serve.errors import Code, ServeError  # noqa: E402
from serve.settings import ServeConfig, Student  # noqa: E402
from serve.teacher import RecordedTeacher, Teacher  # noqa: E402
from serve.terminal import cli  # noqa: E402
from taxlaw.strict_config import validate  # noqa: E402


@dataclass
class Scripted(FakeBackend):
    """A fake backend whose pieces may hang or fail, and which writes down what it was asked."""

    asked: Path | None = None
    host: str | None = None
    others: tuple[str, ...] = ()

    def readings(self, messages, params, beginning=""):
        yield from self.others

    def stream(self, messages, params):
        if self.asked is not None:
            with self.asked.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps([message.content for message in messages], ensure_ascii=False) + "\n")
        return super().stream(messages, params)

    def info(self):
        known = super().info()
        return replace(known, detail=self.host, device="remote") if self.host else known


def scripted(name: str, answers: list[list[str]], **more) -> Scripted:
    backend = Scripted(name, **more)
    for answer in answers:
        codes = [piece[1:-1] for piece in answer if piece.startswith("<") and piece != "<hang>"]
        failures = [ServeError(Code(code), "시험 오류입니다", "시험을 확인하세요") for code in codes]
        backend.enqueue(*[piece for piece in answer if not piece.startswith("<") or piece == "<hang>"], *failures)
    backend.before_delta = lambda index: wait_if_hanging(backend, answers, index)
    return backend


def wait_if_hanging(backend: Scripted, answers: list[list[str]], index: int) -> None:
    answer = answers[len(backend.requests) - 1]
    while answer[index] == "<hang>":
        time.sleep(0.02)


def main() -> int:
    script_file = Path(sys.argv[1])
    script = json.loads(script_file.read_text(encoding="utf-8"))
    summary = SimpleNamespace(ok=True, findings=(), summary=lambda: "틀림 없음", count=lambda kind, severity: 0)
    sys.modules["taxlaw.verify"] = SimpleNamespace(verify=lambda *_args, **_more: summary)

    def open_engine(_args, config: ServeConfig, as_of: date) -> Engine:
        live = scripted("시험-교사", script["teacher"], host=script["host"]) if "teacher" in script else None
        asked, others = script_file.with_name("asked"), tuple(script.get("others", ()))
        student = scripted("시험-학생", script["answers"], asked=asked, others=others)
        params = GenParams(config.student.max_new_tokens, config.student.temperature)
        return Engine(
            config,
            Seat("시험-학생", student, params),
            Teacher(config.teacher, live, RecordedTeacher({}, "")),
            as_of,
            Student(Path("x.gguf"), "시험-학생"),
        )

    raw = yaml.safe_load((REPO / "configs/serve/demo.yaml").read_text(encoding="utf-8"))
    raw["as_of"] = date(2025, 7, 1)
    config = validate(raw, ServeConfig, where="test")
    cli.read_config = lambda _path: config
    program_run = cli.run
    cli.run = lambda args: program_run(args, open_engine=open_engine)
    return program.main(sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
