"""Comparing in a browser: sides hidden until the vote, the vote kept, the third pane, sources beside the answer."""

from __future__ import annotations

import sqlite3
from datetime import date
from types import SimpleNamespace

import pytest

from taxlaw.search.passages import Hit, Passage

PASSAGE = Passage(
    "law:소득세법:제55조",
    "digest",
    "소득세법 제55조",
    "과세표준에 세율을 적용합니다. <img src=x onerror=alert(1)>",
    "세율",
    date(2025, 1, 1),
    None,
    "https://law.example/55",
    "시험",
)


@pytest.fixture(scope="module")
def site(make_engine, open_browser, tmp_path_factory):
    search = SimpleNamespace(find=lambda question, as_of, limit: (Hit(PASSAGE, 1.0, 1, ("제목: 세율",)),))
    records = tmp_path_factory.mktemp("records") / "records.sqlite"
    made = open_browser(make_engine(base=True, search=search, records=records))
    made.records = records
    return made


@pytest.fixture
def page(site):
    page = site.new_tab()
    yield page
    assert page.outside == [] and page.dialogs == []
    page.context.close()


def votes(site) -> list[tuple]:
    with sqlite3.connect(site.records) as connection:
        return connection.execute("SELECT choice, left_side, right_side, blind, reason FROM votes").fetchall()


def test_a_blind_vote_hides_the_sides_until_it_is_given(site, page) -> None:
    page.check("#blind input")
    page.wait_for_selector("#left .sf-role:has-text('답 A')")
    site.ask(page, "누가 나은가요")
    site.ended(page)
    page.wait_for_selector("#vote-left:enabled")
    shown = page.inner_text("#panes .sf-head >> nth=0") + page.inner_text("#left-foot") + page.inner_text("#right-foot")
    for clue in ("학생", "교사", "토큰/초", "자/초", "시험용 모델", "127.0.0.1"):
        assert clue not in shown, clue
    assert "투표한 뒤에" in shown
    site.shot(page, "blind")
    before = len(votes(site))
    page.fill("#vote-reason textarea", "조문이 맞습니다")
    page.click("#vote-right")
    page.wait_for_selector("#vote-title:has-text('투표를 기록했습니다: 오른쪽')")
    roles = [page.inner_text(f"#{place}-name") for place in ("left", "right")]
    assert sorted(roles) == ["교사", "학생"] and "토큰/초" in page.inner_text("#panes")
    sides = tuple({"교사": "teacher", "학생": "student"}[role] for role in roles)
    kept = votes(site)
    assert len(kept) == before + 1 and kept[-1] == ("right", *sides, 1, None), "no words without consent"
    assert page.is_disabled("#vote-left"), "one vote for one question"


def test_names_can_be_seen_without_a_vote(site, page) -> None:
    page.check("#blind input")
    site.ask(page, "이름만 볼게요")
    site.ended(page)
    before = len(votes(site))
    page.click("#reveal")
    page.wait_for_selector("#vote-title:has-text('A는')")
    assert {page.inner_text("#left-name"), page.inner_text("#right-name")} == {"교사", "학생"}
    assert len(votes(site)) == before


def test_a_vote_waits_for_both_answers_and_keeps_its_reason_with_consent(site, page) -> None:
    page.check("#keep input")
    site.ask(page, "학생만 천천히 쓰는 질문")
    site.ended(page, "right")
    page.wait_for_selector("#vote-title:has-text('두 답이 끝나면')")
    assert page.is_disabled("#vote-left") and page.is_disabled("#vote-tie")
    page.click("#left-stop")
    page.wait_for_selector("#vote-title:has-text('투표할 수 없습니다')")
    site.ask(page, "둘 다 끝나는 질문")
    page.wait_for_selector("#vote-tie:enabled")
    page.fill("#vote-reason textarea", "비슷합니다")
    page.click("#vote-tie")
    page.wait_for_selector("#vote-title:has-text('기록했습니다: 비김')")
    assert votes(site)[-1] == ("tie", "student", "teacher", 0, "비슷합니다")


def test_the_base_model_is_a_third_pane(site, page) -> None:
    assert page.locator("#base").count() == 0 or not page.is_visible("#base")
    page.check("#with-base input")
    page.wait_for_selector("#base")
    site.ask(page, "셋에게 묻습니다")
    site.ended(page, "left", "right", "base")
    assert "바탕의 답입니다" in page.inner_text("#base-text") and "바탕 모델" in page.inner_text("#base-name")
    site.shot(page, "three-panes")
    page.set_viewport_size({"width": 380, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 380


def test_sources_stand_beside_the_answer_when_they_are_switched_on(site, page) -> None:
    site.ask(page, "근거 없이")
    site.ended(page)
    assert page.locator("#left .sf-sources").count() == 0
    page.check("#with-sources input")
    site.ask(page, "근거와 함께")
    page.wait_for_selector("#left .sf-sources")
    page.click("#left .sf-sources > summary")
    page.wait_for_selector("#left .sf-source-list:visible")
    assert "소득세법 제55조(세율)" in page.inner_text("#left .sf-source-list")
    assert page.locator("#left img").count() == 0
    assert "소득세법 제55조" in site.student.requests[-1][-1].content


def test_the_dashboard_is_a_tab_of_its_own(site, page) -> None:
    page.click("[role=tab]:has-text('현황')")
    page.wait_for_selector("#dashboard h2")
    site.shot(page, "dashboard")
    page.click("[role=tab]:has-text('묻기')")
    page.wait_for_selector("#question textarea")
