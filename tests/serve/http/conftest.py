"""A running server on a free port over a scripted student, and a page with one endpoint."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from serve.backends.fake import FakeBackend
from serve.backends.protocol import BackendInfo, Delta, GenParams
from serve.engine import Engine, Question, Seat
from serve.http.access import Access
from serve.settings import Student

SHA256 = "ab" * 32


class EchoStudent(FakeBackend):
    """Answers every question with itself, word by word.  A question with 기다려 goes on until ``released``."""

    def __init__(self) -> None:
        super().__init__()
        self.released = threading.Event()
        self.waiting = threading.Event()  # set once a long answer has begun
        self.left = threading.Event()  # set when a long answer has given the model up
        self.asked: list[tuple] = []
        self.others: tuple[str, ...] = ()  # what it reads again

    def stream(self, messages, params):
        question = messages[-1].content
        self.asked.append((tuple(messages), params))
        if self.answers:
            yield from super().stream(messages, params)
        elif "기다려" in question:
            yield from self._long()
        else:
            self.enqueue(*[f"{word} " for word in question.split()])
            yield from super().stream(messages, params)

    def _long(self):
        ticket = self.turnstile.enter()
        try:
            while not self.released.wait(0.002):
                self.waiting.set()
                with self.turnstile.step(ticket):
                    delta = Delta("가 ", tokens=1)
                yield delta
            yield Delta(finish="stop", prompt_tokens=1, new_tokens=1)
        finally:
            self.turnstile.leave(ticket)
            self.left.set()

    def readings(self, messages, params, beginning=""):
        yield from self.others

    def info(self) -> BackendInfo:
        return BackendInfo("학생", "시험", 2048, model_sha256=SHA256)


@pytest.fixture(scope="module")
def echo() -> EchoStudent:
    return EchoStudent()


@pytest.fixture(scope="session")
def echo_student() -> type[EchoStudent]:
    return EchoStudent


@pytest.fixture(scope="module")
def make_engine(demo_config, keyless_teacher, as_of, echo):
    """An engine over the echo; keyword arguments replace values of the ``http`` section."""

    def make(student=None, **http) -> Engine:
        config = demo_config(http={"requests_per_minute": 60_000, "burst": 1000, **http})
        seat = Seat("학생", student or echo, GenParams(64, 0.0))
        described = Student(Path("student-Q8_0.gguf"), "demo/student-Q8_0")
        return Engine(config, seat, keyless_teacher({}), as_of, described)

    return make


def ask_page(engine: Engine):
    """A page of one endpoint, ``/ask``: the smallest that Gradio can mount."""
    import gradio as gr

    def ask(question: str) -> str:
        *_, answer = engine.answer(Question(question, engine.as_of))
        return answer.completion.raw

    with gr.Blocks(analytics_enabled=False) as page:
        gr.api(ask, api_name="ask", concurrency_id="student")
    page.queue(max_size=engine.config.page.max_waiting)
    return page


@contextmanager
def _served(engine: Engine, access: Access) -> Iterator[SimpleNamespace]:
    from serve.http.running import open_site

    with open_site(engine, ask_page(engine), access) as site:
        yield SimpleNamespace(url=site.url, v1=site.url + "v1", site=site, engine=engine)


@pytest.fixture(scope="module")
def serve_it(make_engine, echo):
    """``serve_it()`` starts a server and returns it; it is stopped with the module, because starting one takes a second."""
    with ExitStack() as stack:

        def start(access: Access | None = None, student=None, **http) -> SimpleNamespace:
            from serve.http.access import read_access

            access = access or read_access("127.0.0.1", 0, environment={})
            stack.callback((student or echo).released.set)  # before the server stops: nothing is left writing
            return stack.enter_context(_served(make_engine(student, **http), access))

        yield start


@pytest.fixture(scope="module")
def site(serve_it) -> SimpleNamespace:
    """One server for the tests that need nothing special of it."""
    return serve_it()
