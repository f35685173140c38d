"""A server of its own for the tests of starting and stopping: ``python serving_driver.py PORT LOG``.

Prints its address; writes to LOG how the long answer and the engine ended.
"""

from __future__ import annotations

import sys
import threading
from contextlib import closing
from pathlib import Path

import yaml

REPO = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(REPO))

from serve.backends.fake import FakeBackend  # noqa: E402
from serve.backends.protocol import Delta, GenParams  # noqa: E402
from serve.engine import Engine, Seat  # noqa: E402
from serve.errors import ServeError  # noqa: E402
from serve.http.access import read_access  # noqa: E402
from serve.http.running import serve_forever  # noqa: E402
from serve.settings import ServeConfig, Student, today_in_korea  # noqa: E402
from serve.teacher import RecordedTeacher, Teacher  # noqa: E402
from taxlaw.strict_config import validate  # noqa: E402


class Endless(FakeBackend):
    """Writes until it is stopped."""

    log: Path

    def stream(self, messages, params):
        ticket, pause = self.turnstile.enter(), threading.Event()
        try:
            while not pause.wait(0.002):
                with self.turnstile.step(ticket):
                    delta = Delta("가 ", tokens=1)
                yield delta
        finally:
            self.turnstile.leave(ticket)
            self.note("stream closed")

    def close(self) -> None:
        self.note("engine closed")

    def note(self, text: str) -> None:
        with self.log.open("a", encoding="utf-8") as stream:
            print(text, file=stream)


def main(port: str, log: str) -> int:
    import gradio as gr

    raw = yaml.safe_load((REPO / "configs/serve/demo.yaml").read_text(encoding="utf-8"))
    config = validate(raw, ServeConfig, where="driver")
    backend = Endless("학생")
    backend.log = Path(log)
    teacher = Teacher(config.teacher, None, RecordedTeacher({}, ""))
    student = Student(Path("student.gguf"), "시험/학생")
    try:
        with closing(Engine(config, Seat("학생", backend, GenParams()), teacher, today_in_korea(), student)) as engine:
            with gr.Blocks(analytics_enabled=False) as page:
                gr.Markdown("시험")
            serve_forever(engine, page, read_access("127.0.0.1", int(port), environment={}))
    except ServeError as exc:
        print(exc, file=sys.stderr)
        return exc.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
