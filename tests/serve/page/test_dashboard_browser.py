"""The dashboard in a browser: drawn when its tab is opened, readable in dark mode, no wider than a phone, nothing from outside."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

RUN = {"eval": {"student": {"rows": 96, "exact": 0.9, "per_tax": {"gift": {"rows": 24, "exact": 0.75}}}}}


@pytest.fixture
def site(make_engine, open_browser, tmp_path):
    """A page whose student has a run record, and whose records can count."""
    engine = make_engine(records=tmp_path / "records.sqlite")
    (tmp_path / "run.json").write_text(json.dumps(RUN), encoding="utf-8")
    engine.described = replace(engine.described, path=tmp_path / "student.gguf")
    return open_browser(engine)


def _colour(page) -> str:
    return page.locator("#dashboard svg text").first.evaluate("node => getComputedStyle(node).fill")


def test_the_dashboard_in_light_and_dark_and_on_a_phone(site) -> None:
    light = site.new_tab()
    assert light.locator("#dashboard svg").count() == 0, "it is not drawn before anybody looks"
    light.click("#tab-dashboard-button, button[role=tab]:has-text('현황')")
    light.wait_for_selector("#dashboard svg")
    assert "증여세" in light.text_content("#dashboard svg") and "90.0%" in light.inner_text("#dashboard")
    assert "아직 기록이 없습니다" in light.inner_text("#dashboard")
    light.click("#dashboard summary")
    assert "75.0%" in light.inner_text("#dashboard table")
    site.shot(light, "dashboard")

    # A question asked meanwhile is counted when the button is pressed.
    light.click("button[role=tab]:has-text('묻기')")
    site.ask(light, "세율은 얼마인가요?")
    site.ended(light)
    light.click("button[role=tab]:has-text('현황')")
    light.click("#dashboard-refresh")
    light.wait_for_selector("#dashboard .sf-tiles")
    assert "질문\n1" in light.inner_text("#dashboard .sf-tiles")
    bright = _colour(light)
    light.close()

    phone = site.new_tab(width=380, height=800, dark=True)
    phone.click("button[role=tab]:has-text('현황')")
    phone.wait_for_selector("#dashboard svg")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 380
    assert _colour(phone) != bright, "dark letters on a dark page"
    site.shot(phone, "dashboard-phone-dark")
    assert phone.outside == []
    phone.close()
