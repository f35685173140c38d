"""The review page in use: decisions by mouse and by keyboard reach the log, and a killed server loses none of them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest

from data_gen.review.log import LOG_NAME, load_decisions

RUN = (
    "import argparse, sys\nfrom data_gen.review import command\n"
    "parser = argparse.ArgumentParser()\ncommand.add_parser(parser.add_subparsers())\n"
    "arguments = parser.parse_args()\nsys.exit(arguments.run(arguments))\n"
)


@pytest.fixture
def site(dataset):
    """The page of a dataset, served in this process."""
    from data_gen.review.desk import ReviewDesk
    from data_gen.review.page import build_page, launch

    desk = ReviewDesk(dataset, "가검토")
    page = build_page(desk)
    yield SimpleNamespace(url=launch(page, 0, browser=False), folder=dataset, desk=desk)
    page.close(verbose=False)


def opened(page, url: str) -> None:
    page.goto(url)
    page.wait_for_selector("#rv-pair .rv-turn")


def logged(folder) -> list[dict]:
    path = folder / LOG_NAME
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def wait_for_question(page, start: str) -> None:
    page.wait_for_function(
        "start => document.querySelector('#rv-pair .question div')?.innerText.startsWith(start)", arg=start
    )


def wait_for_progress(page, words: str) -> None:
    page.wait_for_function("words => document.querySelector('.rv-progress').innerText.includes(words)", arg=words)


def press(page, key: str) -> None:
    """A key by its place, as a keyboard with a Korean layout sends it."""
    page.evaluate("document.activeElement && document.activeElement.blur()")
    code = f"Key{key.upper()}" if key.isalpha() else f"Digit{key}"
    letter = {"a": "ㅁ", "e": "ㄷ", "r": "ㄱ", "j": "ㅓ", "k": "ㅏ", "u": "ㅕ"}.get(key, key)
    page.evaluate(
        "([code, key]) => document.body.dispatchEvent(new KeyboardEvent('keydown', {code, key, bubbles: true, cancelable: true}))",
        [code, letter],
    )


def test_deciding_with_the_mouse(site, browser) -> None:
    with browser() as seen:
        page = seen.page
        opened(page, site.url)
        wait_for_question(page, "1번")
        marks = page.locator("#rv-evidence .rv-evidence mark").all_inner_texts()
        assert "소득세법 제59조" in marks and "74만원" in marks
        assert "인용 1/1 확인" in page.inner_text("#rv-checks") and "0 / 6" in page.inner_text(".rv-progress")

        page.click("#b-accept")
        wait_for_question(page, "2번")
        assert "먼저 답한 것" in page.inner_text("#rv-pair")

        # An edit is judged while it is written; one with a fault takes a second press.
        page.click("#b-edit")
        page.wait_for_selector("#e-answer textarea", state="visible")
        page.fill("#e-answer textarea", "소득세법 제555조에 따라 74만원입니다.")
        page.wait_for_selector("#e-verdict .rv-badge.bad")
        page.fill("#e-answer textarea", "소득세법 제59조제2항에 따라 74만원까지입니다.")
        page.wait_for_selector("#e-verdict .rv-badge.good")
        page.click("#b-save")
        wait_for_question(page, "3번")

        # A rejection needs its reason.
        page.click("#b-reject")
        page.wait_for_selector("#b-refuse", state="visible")
        page.click("#b-refuse")
        page.wait_for_selector("#rv-message .error")
        page.click("#r-why label:has-text('계산이 틀림')")
        page.fill("#r-more textarea, #r-more input", "한도가 다름")
        page.click("#b-refuse")
        wait_for_question(page, "4번")
        wait_for_progress(page, "3 / 6")
        assert [(line["decision"], line["reason"]) for line in logged(site.folder)] == [
            ("accept", ""),
            ("edit", ""),
            ("reject", "계산이 틀림: 한도가 다름"),
        ]
        assert logged(site.folder)[1]["answer"] == "소득세법 제59조제2항에 따라 74만원까지입니다."
        assert {line["reviewer"] for line in logged(site.folder)} == {"가검토"}

        # The edited pair shows its new words and the old ones.
        page.click("#b-back")
        wait_for_question(page, "3번")
        page.click("#b-back")
        wait_for_question(page, "2번")
        assert "74만원까지" in page.inner_text("#rv-pair .answer") and "고치기 전" in page.inner_text("#rv-pair")

        # Undo takes back the last decision and shows it.
        page.click("#b-undo")
        wait_for_question(page, "3번")
        wait_for_progress(page, "2 / 6")
        assert logged(site.folder)[-1]["decision"] == "undo"
        assert seen.errors == [] and [a for a in seen.asked if not a.startswith((site.url, "data:", "blob:"))] == []


def test_deciding_with_the_keyboard_in_a_korean_layout(site, browser) -> None:
    with browser() as seen:
        page = seen.page
        opened(page, site.url)
        press(page, "a")
        wait_for_question(page, "2번")
        press(page, "j")
        wait_for_question(page, "3번")
        press(page, "k")
        wait_for_question(page, "2번")

        # Typing in a field decides nothing.
        press(page, "e")
        page.wait_for_selector("#e-answer textarea", state="visible")
        page.wait_for_function("document.activeElement.tagName === 'TEXTAREA'")
        page.keyboard.type("aarr")
        page.wait_for_function("document.querySelector('#e-answer textarea').value.includes('aarr')")
        page.keyboard.press("Escape")
        page.wait_for_selector("#e-answer textarea", state="hidden")
        assert len(logged(site.folder)) == 1

        press(page, "e")
        page.wait_for_selector("#e-answer textarea", state="visible")
        page.fill("#e-answer textarea", "소득세법 제59조제2항에 따라 74만원까지입니다.")
        page.wait_for_selector("#e-verdict .rv-badge.good")
        page.press("#e-answer textarea", "Control+Enter")
        wait_for_question(page, "3번")

        press(page, "r")
        page.wait_for_selector("#b-refuse", state="visible")
        press(page, "2")
        page.wait_for_selector("#r-why input:checked")
        page.keyboard.press("Enter")
        wait_for_question(page, "4번")
        press(page, "u")
        wait_for_question(page, "3번")
        assert [line["decision"] for line in logged(site.folder)] == ["accept", "edit", "reject", "undo"]
        assert logged(site.folder)[2]["reason"] == "근거와 다름" and seen.errors == []


def test_filters_rejects_and_hostile_text(site, browser) -> None:
    with browser() as seen:
        page = seen.page
        opened(page, site.url)
        page.click("#rv-filters > button")
        page.wait_for_selector("#f-text textarea, #f-text input", state="visible")
        page.fill("#f-text textarea, #f-text input", "공격")
        page.press("#f-text textarea, #f-text input", "Enter")
        wait_for_question(page, "공격")
        assert "1 / 1" in page.inner_text("#rv-place")
        assert page.evaluate("window.hacked") is None
        assert page.locator("#rv-main img, #rv-main script").count() == 0
        assert "</script><script>window.hacked=1</script>" in page.inner_text("#rv-evidence")
        assert "${window.hacked=1}{{7*7}}" in page.inner_text("#rv-pair")

        page.fill("#f-text textarea, #f-text input", "")
        page.click("#f-gate input")
        page.click("[role=option]:has-text('중복')")
        wait_for_question(page, "30번")
        assert "같은 질문이 이미 있습니다" in page.inner_text("#rv-checks")
        page.click("#b-accept")
        page.wait_for_selector("#rv-message .error")
        assert "그대로 채택할 수 없습니다" in page.inner_text("#rv-message") and logged(site.folder) == []

        page.click("#f-gate input")
        page.click("[role=option]:has-text('모두')")
        page.click("#f-style input")
        page.click("[role=option]:has-text('전문가')")
        wait_for_question(page, "6번")
        page.click("#b-accept")
        wait_for_progress(page, "1 / 6")
        page.check("#f-undecided input")
        page.wait_for_selector("#rv-pair .rv-none")
        assert seen.errors == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_narrow_screens_do_not_scroll_sideways(site, browser, scheme: str) -> None:
    with browser(viewport={"width": 380, "height": 800}, color_scheme=scheme) as seen:
        page = seen.page
        opened(page, site.url)
        press(page, "e")
        page.wait_for_selector("#e-answer textarea", state="visible")
        assert page.evaluate("document.documentElement.scrollWidth") <= 380
        left, right = page.locator("#rv-left").bounding_box(), page.locator("#rv-right").bounding_box()
        assert right["y"] >= left["y"] + left["height"], "the panes should stack"
        paper = page.evaluate("getComputedStyle(document.querySelector('.rv-pane')).backgroundColor")
        assert (sum(int(part) for part in re.findall(r"\d+", paper)) > 380) == (scheme == "light")


def served(folder) -> tuple[subprocess.Popen, str]:
    """A server of its own process, and its address."""
    command = [sys.executable, "-c", RUN, "review", str(folder), "--port", "0", "--no-browser", "--reviewer", "가검토"]
    server = subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    )
    for line in server.stderr:
        if found := re.search(r"http://127\.0\.0\.1:\d+/", line):
            return server, found[0]
    raise AssertionError(f"the server did not start: {server.wait()}")


def test_a_killed_server_loses_no_decision(dataset, browser) -> None:
    server, url = served(dataset)
    try:
        with browser() as seen:
            opened(seen.page, url)
            for start in ("2번", "3번"):
                press(seen.page, "a")
                wait_for_question(seen.page, start)
    finally:
        os.kill(server.pid, signal.SIGKILL)
        server.wait()
    assert len(load_decisions(dataset / LOG_NAME).standing) == 2
    with (dataset / LOG_NAME).open("ab") as log:  # the kill came in the middle of a line
        log.write('{"id": "openapi:law:소득세법:제59조#3:plain", "content": "0'.encode())
    server, url = served(dataset)
    try:
        with browser() as seen:
            opened(seen.page, url)
            wait_for_progress(seen.page, "2 / 6")
            wait_for_question(seen.page, "3번")
            press(seen.page, "a")
            wait_for_question(seen.page, "4번")
    finally:
        os.kill(server.pid, signal.SIGKILL)
        server.wait()
    decisions = load_decisions(dataset / LOG_NAME)
    assert len(decisions.standing) == 3 and decisions.cut == 0
    assert (dataset / "review.cut.jsonl").read_bytes().startswith('{"id": "openapi:law:소득세법:제59조#3'.encode())
