"""The page in use: both panes fill on their own, verdicts are visible, stop stops, and no answer can run a script."""

from __future__ import annotations

import json
import os
import shutil
import threading
import urllib.error
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import pytest

from serve.backends.fake import FakeBackend
from serve.backends.protocol import BackendInfo, Delta
from serve.settings import Student
from serve.teacher import RECORDED_LABEL, Teacher

gradio_client = pytest.importorskip("gradio_client")

RECORDED = "녹음된 질문입니다"
ATTACK = "**제55조(세율)**에 <img src=x onerror='window.hacked=1'><script>window.hacked=1</script> 끝"
STUDENT = Student(Path("student-Q4_K_M.gguf"), "demo/student-Q4_K_M", 0.0, 0.625)
SLOW, GIFT = "천천히 답하세요", "아버지께 20억원을 증여받았습니다"
CALL = '{"tax":"gift","amount":"20억원","relation":"직계존속"}'


class PageStudent(FakeBackend):
    """Answers by the question instead of by a queue; the slow answer goes on until it is closed."""

    def stream(self, messages, params):
        question = messages[-1].content
        if question != SLOW:
            answers = {"공격": ATTACK, GIFT: CALL}
            self.enqueue(answers.get(question, "소득세법 제555조에 따라 과세됩니다."))
            yield from super().stream(messages, params)
            return
        ticket = self.turnstile.enter()
        try:
            while not self.released.wait(0.005):
                yield Delta("가 ", tokens=1)
        finally:
            self.turnstile.leave(ticket)
            self.stopped.set()

    def info(self) -> BackendInfo:
        return BackendInfo("학생", "시험", 2048)


@pytest.fixture(scope="module")
def site(keyless_teacher, demo_config, as_of):
    """A running page with a keyless teacher and the real verifier; its address and its student."""
    from serve.page.app import build_page, launch

    student = PageStudent()
    student.released, student.stopped = threading.Event(), threading.Event()
    config = demo_config(page={"port": 0, "examples": ("예시 질문입니다",)})
    teacher: Teacher = keyless_teacher({RECORDED: "녹음된 **답**입니다"})
    page = build_page(config, STUDENT, student, teacher, as_of)
    url = launch(page, config, STUDENT, browser=False)
    yield SimpleNamespace(url=url, student=student)
    student.released.set()
    page.close(verbose=False)


def test_named_endpoints(site) -> None:
    client = gradio_client.Client(site.url, verbose=False)
    text, card, foot = client.predict("세율은?", "2024-03-01", api_name="/student")
    assert text == "소득세법 제555조에 따라 과세됩니다." and card == ""
    assert "틀린 곳이 있습니다" in foot and "기준일 2024-03-01" in foot and "AI 생성" in foot
    text, card, foot = client.predict(RECORDED, "2024-03-01", True, api_name="/teacher")
    assert text == "녹음된 <strong>답</strong>입니다" and RECORDED_LABEL in card and "녹음" in foot
    _, card, _ = client.predict("다른 질문", "2024-03-01", True, api_name="/teacher")
    assert "교사 API 키가 없고" in card and "OPENAI_API_KEY" in card
    _, card, _ = client.predict("질문", "언젠가", api_name="/student")
    assert "기준일을 읽을 수 없습니다" in card
    record = client.predict(GIFT, "2025-07-01", api_name="/ask")
    assert record["answer"] == CALL and "6억 140만원" in record["computed_by_code"]
    with urllib.request.urlopen(site.url + "healthz", timeout=5) as response:
        assert json.load(response) == {"status": "ok", "student": STUDENT.name}
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(site.url + "gradio_api/mcp/schema", timeout=5)


def test_open_hosts_are_refused(demo_config, keyless_teacher, as_of) -> None:
    from serve.errors import ServeError
    from serve.page.app import build_page, launch

    config = demo_config(page={"host": "0.0.0.0"})
    page = build_page(config, STUDENT, FakeBackend(), keyless_teacher({}), as_of)
    with pytest.raises(ServeError, match="로그인이 없어"):
        launch(page, config, STUDENT, browser=False)


@pytest.fixture
def browser_page(site):
    playwright = pytest.importorskip("playwright.sync_api")
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        assert not os.environ.get("CI"), "CI must install chromium: these pages would go untested"
        pytest.skip("no chromium on this machine (apt-get install chromium)")
    quiet = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]
    with playwright.sync_playwright() as runner:
        browser = runner.chromium.launch(executable_path=found, args=quiet)
        page = browser.new_page(viewport={"width": 1280, "height": 900}, locale="ko-KR")
        page.set_default_timeout(15_000)
        outside: list[str] = []
        page.on("request", lambda request: outside.append(request.url) if not _is_ours(request.url, site.url) else None)
        page.goto(site.url)
        page.wait_for_selector("#question textarea")
        yield SimpleNamespace(page=page, outside=outside, site=site)
        browser.close()


def _is_ours(address: str, site: str) -> bool:
    return address.startswith((site, "data:", "blob:"))


def _ask(page, question: str) -> None:
    page.fill("#question textarea", question)
    page.press("#question textarea", "Enter")


def test_the_page_in_a_browser(browser_page) -> None:
    page, site = browser_page.page, browser_page.site
    assert "62.5%" in page.inner_text(".sf-header") and "세무 자문이 아닙니다" in page.inner_text(".sf-legal")
    assert "떠나지 않습니다" in page.inner_text("#notice-row")

    # Both panes fill: a call finished by code on the left, the reason for silence on the right.
    _ask(page, GIFT)
    page.wait_for_selector("#student .sf-badge.good")
    student = page.inner_text("#student")
    assert "학생이 읽은 사실" in student and "모델이 아니라 코드가 계산" in student and "6억 140만원" in student
    page.wait_for_selector("#teacher .sf-state.info")

    # A recorded answer carries its label; a fault is visible without opening anything.
    _ask(page, RECORDED)
    page.wait_for_selector("#teacher .sf-badge")
    assert RECORDED_LABEL in page.inner_text("#teacher")
    page.wait_for_selector("#student .sf-badge.bad")

    # Nothing in an answer is run, and nothing is fetched from outside.
    _ask(page, "공격")
    page.wait_for_selector("#student strong:has-text('제55조(세율)')")
    page.wait_for_selector("#student .sf-badge")
    assert page.evaluate("window.hacked") is None
    assert page.locator("#student img, #student script").count() == 0
    assert "<script>" in page.inner_text("#student-text")

    # Stop closes the student's generator; the unfinished text stays and is not given a verdict.
    _ask(page, SLOW)
    page.wait_for_selector("#student .sf-pulse")
    page.click("#stop")
    page.wait_for_selector("#student .sf-state.stop")
    assert site.student.stopped.wait(5), "stop did not close the generator"
    assert page.locator("#student .sf-badge").count() == 0

    # A new question while one is being written replaces it.
    site.student.stopped.clear()
    _ask(page, SLOW)
    page.wait_for_selector("#student .sf-pulse")
    _ask(page, GIFT)
    page.wait_for_selector("#student .sf-payable")
    assert site.student.stopped.wait(5), "the superseded generator was left running"
    page.wait_for_selector("#student .sf-badge.good")
    assert browser_page.outside == []


def test_a_closed_tab_gives_the_model_back(browser_page) -> None:
    page, site = browser_page.page, browser_page.site
    site.student.stopped.clear()
    _ask(page, SLOW)
    page.wait_for_selector("#student .sf-pulse")
    page.close()
    assert site.student.stopped.wait(10), "an abandoned answer went on"


def test_narrow_screens_do_not_scroll_sideways(browser_page) -> None:
    page = browser_page.page
    page.set_viewport_size({"width": 380, "height": 800})
    _ask(page, GIFT)
    page.wait_for_selector("#student .sf-payable")
    assert page.evaluate("document.documentElement.scrollWidth") <= 380
    left, right = page.locator("#student").bounding_box(), page.locator("#teacher").bounding_box()
    assert right["y"] >= left["y"] + left["height"], "the panes should stack"
