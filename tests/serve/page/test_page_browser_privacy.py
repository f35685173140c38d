"""Before a question leaves the machine: the host is named, what is personal is marked, and no is an answer."""

from __future__ import annotations

import sqlite3

import pytest

HOST = "api.example.com"
PERSONAL = "제 주민등록번호는 900101-1234568입니다. 세금은?"


@pytest.fixture(scope="module")
def site(make_engine, open_browser, tmp_path_factory):
    records = tmp_path_factory.mktemp("records") / "records.sqlite"
    made = open_browser(make_engine(host=HOST, records=records))
    made.records = records
    return made


@pytest.fixture
def page(site):
    page = site.new_tab()
    yield page
    assert page.outside == [] and page.dialogs == []
    page.context.close()


def test_the_first_question_waits_for_consent_and_the_second_does_not(site, page) -> None:
    assert HOST in page.inner_text("#notice")
    asked = len(site.teacher.requests)
    site.ask(page, "증여세 세율은?")
    page.wait_for_selector("#consent-yes")
    page.wait_for_function("document.activeElement.id === 'consent-yes'")
    text = page.inner_text("#consent")
    assert HOST in text and "증여세 세율은?" in text and "개인정보로 보이는 번호는 찾지 못했습니다" in text
    site.shot(page, "consent")
    assert len(site.teacher.requests) == asked, "nothing may leave before the answer"
    page.click("#consent-yes")
    site.ended(page)
    assert len(site.teacher.requests) == asked + 1 and not page.is_visible("#consent-yes")
    site.ask(page, "두 번째 질문")
    site.ended(page)
    assert len(site.teacher.requests) == asked + 2


def test_the_student_alone_needs_no_consent(site, page) -> None:
    asked = len(site.teacher.requests)
    site.ask(page, "학생만 답하세요")
    page.wait_for_selector("#consent-no")
    page.click("#consent-no")
    site.ended(page, "left")
    assert "교사에게 묻지 않았습니다" in page.inner_text("#right") and len(site.teacher.requests) == asked
    page.uncheck("#with-teacher input")
    site.ask(page, "이번에도 학생만")
    site.ended(page, "left")
    assert len(site.teacher.requests) == asked and not page.is_visible("#consent-yes")


def test_personal_data_are_marked_and_not_sent(site, page) -> None:
    asked = len(site.teacher.requests)
    page.fill("#question textarea", PERSONAL)
    page.wait_for_selector("#counter .sf-personal:has-text('주민등록번호')")
    page.press("#question textarea", "Enter")
    page.wait_for_selector("#consent mark:has-text('[주민등록번호]')")
    assert "900101" not in page.inner_text("#consent")
    page.click("#consent-yes")
    page.wait_for_selector("#right .sf-state:has-text('보내지 않았습니다')")
    site.ended(page, "left")
    assert len(site.teacher.requests) == asked, "the configuration says block"


def test_words_are_stored_only_with_consent_and_go_when_it_is_withdrawn(site, page) -> None:
    page.uncheck("#with-teacher input")

    def stored(text: str) -> int:
        with sqlite3.connect(site.records) as connection:
            return connection.execute("SELECT count(*) FROM turns WHERE question = ?", (text,)).fetchone()[0]

    site.ask(page, "저장하지 마세요")
    site.ended(page, "left")
    assert not page.is_checked("#keep input") and stored("저장하지 마세요") == 0
    page.check("#keep input")
    site.ask(page, "저장해도 됩니다")
    site.ended(page, "left")
    assert stored("저장해도 됩니다") == 1
    with page.expect_response(lambda response: "run/predict" in response.url):
        page.uncheck("#keep input")
    assert stored("저장해도 됩니다") == 0
