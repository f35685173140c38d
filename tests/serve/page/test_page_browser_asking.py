"""Asking in a browser: both panes fill on their own, each can be stopped and asked again, nobody waits without knowing."""

from __future__ import annotations

import json
import urllib.request

import pytest

GIFT = "아버지께 20억원을 증여받았습니다"
CALL = '{"tax":"gift","amount":"20억원","relation":"직계존속"}'
LONG = "긴 질문 " * 300


@pytest.fixture(scope="module")
def site(make_engine, open_browser):
    return open_browser(make_engine({GIFT: CALL}))


@pytest.fixture
def page(site):
    page = site.new_tab()
    yield page
    assert page.outside == [] and page.dialogs == []
    page.context.close()


def test_both_panes_answer_at_their_own_speed_and_stop_alone(site, page) -> None:
    site.student.left.clear()
    site.ask(page, "학생만 천천히")
    site.ended(page, "right")
    page.wait_for_selector("#left .sf-pulse")
    assert page.is_enabled("#left-stop") and not page.is_enabled("#right-stop")
    page.click("#left-stop")
    page.wait_for_selector("#left .sf-state.stop")
    assert site.student.left.wait(60), "the pane's stop did not free the model"
    assert page.locator("#left .sf-badges").count() == 0, "an unfinished answer must not get a verdict"
    assert "낱말1" in page.inner_text("#left-text"), "what was written stays"
    assert page.locator("#right .sf-badges").count() == 1, "the other pane keeps its answer"


def test_stop_all_and_escape_end_both(site, page) -> None:
    for end in (lambda: page.click("#stop-all"), lambda: page.keyboard.press("Escape")):
        site.student.left.clear()
        site.teacher.left.clear()
        site.ask(page, "둘 다 천천히")
        page.wait_for_selector("#left .sf-pulse")
        page.wait_for_selector("#right .sf-pulse")
        end()
        page.wait_for_selector("#left .sf-state.stop")
        page.wait_for_selector("#right .sf-state.stop")
        assert site.student.left.wait(60) and site.teacher.left.wait(5)


def test_a_new_question_replaces_the_one_that_is_being_written(site, page) -> None:
    site.student.left.clear()
    site.ask(page, "천천히 쓰다가")
    page.wait_for_selector("#left .sf-pulse")
    site.ask(page, GIFT)
    page.wait_for_selector("#left .sf-payable")
    site.ended(page)
    assert site.student.left.wait(60), "the superseded answer was left running"
    assert "낱말" not in page.inner_text("#left")


def test_an_answer_shows_what_it_cost_and_how_fast_it_came(site, page) -> None:
    site.ask(page, GIFT)
    site.ended(page)
    left, right = page.inner_text("#left"), page.inner_text("#right")
    assert "6억 140만원" in left and "모델이 아니라 코드가 계산" in left
    for figure in ("첫 토큰", "토큰/초", "자/초", "토큰 ", "끝까지 씀", "AI 생성물 · 기준일 2025-07-01"):
        assert figure in right, figure
    assert "무료" in left
    page.click("#right .sf-drawer summary")
    page.wait_for_selector("#right .sf-citations:visible")
    assert "소득세법 제55조" in page.inner_text("#right .sf-citations")
    site.shot(page, "asked")


def test_retry_asks_that_side_again(site, page) -> None:
    site.ask(page, "다시 물을 질문")
    site.ended(page)
    before, teachers = len(site.student.requests), len(site.teacher.requests)
    site.student.script["다시 물을 질문"] = "이번에는 다른 답"
    page.click("#left-retry")
    page.wait_for_selector("#left-text:has-text('이번에는 다른 답')")
    site.ended(page)
    assert len(site.student.requests) == before + 1 and len(site.teacher.requests) == teachers


def test_a_question_in_line_sees_its_place(site, page) -> None:
    site.student.left.clear()
    site.ask(page, "천천히 앞에서")
    page.wait_for_selector("#left .sf-pulse")
    other = site.new_tab()
    site.ask(other, "뒤에서 기다리는 질문")
    other.wait_for_selector("#left .sf-state.wait:has-text('앞에 1명')")
    site.ended(other, "right")
    page.click("#stop-all")
    site.ended(other, "left")
    other.context.close()


def test_a_closed_tab_gives_the_model_back(site) -> None:
    page = site.new_tab()
    site.student.left.clear()
    site.ask(page, "천천히 쓰는 탭")
    page.wait_for_selector("#left .sf-pulse")
    page.close()
    assert site.student.left.wait(60), "an abandoned answer went on"


def test_what_cannot_be_sent_is_said_under_the_box(site, page) -> None:
    asked = len(site.student.requests)
    page.press("#question textarea", "Enter")
    page.wait_for_selector("#message:has-text('질문이 비어 있습니다')")
    page.fill("#question textarea", LONG)
    page.wait_for_selector("#counter .sf-over")
    page.press("#question textarea", "Enter")
    page.wait_for_selector("#message:has-text('너무 길어')")
    assert "448" in page.inner_text("#message") and len(site.student.requests) == asked
    page.fill("#question textarea", "짧은 질문")
    page.wait_for_selector("#counter:has-text('2 / 448')")


def test_the_day_of_the_law_is_the_answers(site, page) -> None:
    page.fill("#as-of input", "2024-03-01")
    page.press("#as-of input", "Enter")
    site.ask(page, "그날의 세율")
    site.ended(page)
    assert "기준일 2024-03-01" in page.inner_text("#left .sf-ai") and "2024-03-01" in page.inner_text("#right .sf-ai")


def test_the_named_endpoint(site, page) -> None:
    client = pytest.importorskip("gradio_client").Client(page.url, verbose=False)
    record = client.predict(GIFT, "2025-07-01", api_name="/ask")
    assert record["answer"] == CALL and "6억 140만원" in record["computed_by_code"]
    assert client.predict("질문", "언젠가", api_name="/ask")["error"]["code"] == "usage"
    with urllib.request.urlopen(page.url + "gradio_api/info", timeout=5) as response:
        assert set(json.load(response)["named_endpoints"]) == {"/ask"}, "only /ask is for programs"
