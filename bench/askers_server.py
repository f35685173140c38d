"""The server of bench/askers.py in a process of its own:  askers_server.py echo|gguf

As ``python -m serve app`` opens it, on a free port, with its records in a temporary folder.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path

REPO = Path(__file__).parents[1]
sys.path.insert(0, str(REPO))
AS_OF = date(2025, 7, 1)
WORD_SECONDS = 0.004


def serve(kind: str) -> int:
    """Say the address on standard output, then serve until stopped."""
    from serve.backends.protocol import GenParams
    from serve.engine import Engine, Seat, open_engine
    from serve.http.access import read_access
    from serve.http.running import serve_forever
    from serve.page.app import build_page
    from serve.records.store import open_records
    from serve.settings import Student, find_student, read_config
    from serve.teacher import RecordedTeacher, Teacher

    with tempfile.TemporaryDirectory() as folder:
        config = read_config(REPO / "configs/serve/demo.yaml")
        config = config.model_copy(
            update={
                "http": config.http.model_copy(
                    update={"requests_per_minute": 1e6, "burst": 1000, "page_events_per_minute": 1e6}
                ),
                "records": config.records.model_copy(update={"path": Path(folder) / "records.sqlite"}),
                "student": config.student.model_copy(update={"runs_folder": REPO / "runs"}),
            }
        )
        access = read_access("127.0.0.1", 0, environment={})
        if kind == "gguf":
            engine = open_engine(config, find_student(config.student), AS_OF, Path(folder))
        else:
            seat = Seat("메아리", _echo(), GenParams(512, 0.0))
            teacher = Teacher(config.teacher, None, RecordedTeacher({}, ""))
            engine = Engine(config, seat, teacher, AS_OF, Student(Path("echo.gguf"), "메아리"))
            engine.records = open_records(config.records)
        with closing(engine):
            page = build_page(engine)
            with watched(page) as most:
                serve_forever(engine, page, access, say=lambda text: print(text, flush=True))
            print(f"most in the page's queue: {most[0]}", flush=True)
    return 0


@contextmanager
def watched(page):
    """The longest that Gradio's queue of this page has been, looked at every few milliseconds."""
    most, over = [0], threading.Event()

    def look() -> None:
        while not over.wait(0.005):
            most[0] = max(most[0], len(page._queue))

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    yield most
    over.set()
    watcher.join()


def _echo():
    """A student that gives the question back a word at a time, under the same turnstile as a real one."""
    from serve.backends.fake import FakeBackend
    from serve.backends.protocol import Delta

    class Echo(FakeBackend):
        def stream(self, messages, params):
            words = messages[-1].content.split()
            ticket = self.turnstile.enter()
            try:
                for word in words:
                    with self.turnstile.step(ticket):
                        time.sleep(WORD_SECONDS)
                        delta = Delta(f"{word} ", tokens=1)
                    yield delta
                yield Delta(finish="stop", prompt_tokens=len(words), new_tokens=len(words))
            finally:
                self.turnstile.leave(ticket)

    return Echo("메아리")


if __name__ == "__main__":
    sys.exit(serve(sys.argv[1]))
