"""A running page over scripted models, and one browser for each module that wants one."""

from __future__ import annotations

import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from serve.backends.fake import FakeBackend
from serve.backends.protocol import BackendInfo, Delta, GenParams
from serve.engine import Engine, Seat
from serve.records.store import open_records
from serve.settings import Student
from serve.teacher import RecordedTeacher, Teacher, question_key

STUDENT = Student(Path("student-Q4_K_M.gguf"), "demo/student-Q4_K_M", 0.0, 0.836)
# A question with these words is answered until it is stopped: by the student, by the teacher.
STUDENT_ENDLESS, TEACHER_ENDLESS = "천천히", "둘 다 천천히"


class ScriptedModel(FakeBackend):
    """Answers by the question, word by word; ``script`` maps a question to its answer, others get ``other``."""

    def __init__(self, name: str, detail: str, script: dict[str, str] | None = None, other: str = "") -> None:
        super().__init__(name)
        self.detail = detail
        self.script = script or {}
        self.other = other or f"{name}의 답입니다. 소득세법 제55조에 따릅니다."
        self.endless = STUDENT_ENDLESS
        self.writing = threading.Event()  # an endless answer has begun
        self.left = threading.Event()  # an endless answer has given the model up
        self.released = threading.Event()  # ends every endless answer

    def stream(self, messages, params):
        question = messages[-1].content
        if self.endless in question:
            yield from self._endless(tuple(messages))
            return
        answer = self.script.get(question, self.other)
        if isinstance(answer, BaseException):
            self.enqueue(answer)
        else:
            self.enqueue(*re.findall(r"\s*\S+|\s+", answer))
        yield from super().stream(messages, params)

    def _endless(self, messages):
        self.requests.append(messages)
        ticket = self.turnstile.enter()
        try:
            count = 0
            while not self.released.wait(0.1):
                with self.turnstile.step(ticket):
                    count += 1
                self.writing.set()
                yield Delta(f"낱말{count} ", tokens=1)
        finally:
            self.turnstile.leave(ticket)
            self.left.set()

    def info(self) -> BackendInfo:
        return BackendInfo(self.name, self.detail, 512)


@pytest.fixture(scope="module")
def scripted_model() -> type[ScriptedModel]:
    return ScriptedModel


@pytest.fixture(scope="session")
def make_engine(demo_config, as_of) -> Callable[..., Engine]:
    """An engine over scripted models; ``host`` is where a live teacher answers, None for a teacher with recordings only."""

    def build(
        script: dict | None = None,
        teacher_script: dict | None = None,
        host: str | None = "127.0.0.1:9",
        recorded: dict[str, str] | None = None,
        records: Path | None = None,
        base: bool = False,
        search: object = None,
        teacher_config: dict | None = None,
        **page: object,
    ) -> Engine:
        config = demo_config(
            page={"examples": ("예시 질문입니다",), "updates_per_second": 4, **page},
            http={"page_events_per_minute": 1_000_000},
            teacher=teacher_config or {},
            records={"path": str(records) if records else None},
        )
        live = ScriptedModel("큰 교사", host, teacher_script) if host else None
        if live is not None:
            live.endless = TEACHER_ENDLESS
        kept = RecordedTeacher({question_key(key): text for key, text in (recorded or {}).items()}, "test")
        student = ScriptedModel("학생", "시험용 모델", script)
        return Engine(
            config,
            Seat(STUDENT.name, student, GenParams(64)),
            Teacher(config.teacher, live, kept),
            as_of,
            STUDENT,
            base=Seat("바탕/모델", ScriptedModel("바탕", "시험용 바탕"), GenParams(64)) if base else None,
            search=search,
            records=open_records(config.records) if records else None,
        )

    return build


@pytest.fixture(scope="session")
def open_page() -> Callable:
    """The page of an engine on a free port of this machine, until the block ends; gives its address."""
    from serve.http.access import read_access
    from serve.http.running import open_site
    from serve.page.app import build_page
    from taxlaw.verify import verify

    @contextmanager
    def opened(engine: Engine) -> Iterator[str]:
        verify("질문", "소득세법 제55조에 따릅니다.", engine.as_of)  # its tables are read at the first answer
        with open_site(engine, build_page(engine), read_access("127.0.0.1", 0, environment={})) as site:
            yield site.url
            for model in (engine.student.backend, engine.teacher.live):
                if model is not None:
                    model.released.set()

    return opened


def _chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        assert not os.environ.get("CI"), "CI must install chromium: these pages would go untested"
        pytest.skip("no chromium on this machine (apt-get install chromium)")
    return found


_QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")


@pytest.fixture(scope="module")
def open_browser(open_page, tmp_path_factory) -> Iterator[Callable]:
    """``open_browser(engine)`` gives what a test needs of a page in Chromium: new tabs, asking, screenshots."""
    playwright = pytest.importorskip("playwright.sync_api")
    with ExitStack() as stack:
        runner = stack.enter_context(playwright.sync_playwright())
        browser = runner.chromium.launch(executable_path=_chromium(), args=list(_QUIET))
        stack.callback(browser.close)
        folder = Path(os.environ.get("SLM_FOREST_SCREENSHOTS") or tmp_path_factory.mktemp("screenshots"))
        folder.mkdir(parents=True, exist_ok=True)

        def opened(engine: Engine) -> SimpleNamespace:
            url = stack.enter_context(open_page(engine))
            return SimpleNamespace(
                engine=engine,
                student=engine.student.backend,
                teacher=engine.teacher.live,
                new_tab=lambda **options: _new_tab(browser, url, **options),
                shot=lambda page, name: page.screenshot(path=str(folder / f"{name}.png"), full_page=True),
                ask=_ask,
                ended=_ended,
            )

        yield opened


def _new_tab(browser, url: str, *, width: int = 1280, height: int = 900, dark: bool = False, context=None):
    """A page that is ready to be used; ``page.outside`` collects every request that is not to our own server."""
    context = context or browser.new_context(
        viewport={"width": width, "height": height},
        locale="ko-KR",
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.set_default_timeout(60_000)  # a busy machine is no fault of the page
    page.outside = []
    page.dialogs = []
    page.on("request", lambda request: page.outside.append(request.url) if not _ours(request.url, url) else None)
    page.on("dialog", lambda dialog: (page.dialogs.append(dialog.message), dialog.dismiss()))
    page.goto(url)
    ready(page)
    return page


def ready(page) -> None:
    """Wait until the tab has its key, which is the last thing that opening it does."""
    page.wait_for_selector("#question textarea")
    page.wait_for_function("document.documentElement.lang === 'ko' && sessionStorage.getItem('slm-forest-tab')")


def _ours(address: str, site: str) -> bool:
    return address.startswith((site, "data:", "blob:"))


def _ask(page, question: str) -> None:
    """Ask, and wait until the question is this tab's newest, or waits for consent."""
    before = page.locator("#history .gallery-item").count()
    page.fill("#question textarea", question)
    page.press("#question textarea", "Enter")
    page.wait_for_function(
        """(before) => document.querySelectorAll("#history .gallery-item").length > before
            || document.querySelector("#consent-yes")""",
        arg=before,
    )


def _ended(page, *places: str) -> None:
    """Wait until the answers of these panes have ended."""
    for place in places or ("left", "right"):
        page.wait_for_selector(f"#{place}-foot .sf-badges")
