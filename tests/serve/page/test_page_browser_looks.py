"""The page for everybody: two languages, dark and light, a phone, a keyboard, a screen reader; and a reload keeps the talk."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from serve.page.words import TABLE

GIFT = "아버지께 20억원을 증여받았습니다"
CALL = '{"tax":"gift","amount":"20억원","relation":"직계존속"}'
WRONG = "소득세법 제555조에 따라 세액은 5원입니다. `코드`와 [링크](https://law.example)도 있습니다."

# Every visible text whose contrast with what is painted behind it is below ``least`` (WCAG 2.2, 1.4.3).
LOW_CONTRAST = """(least) => {
  const parse = (text) => { const n = text.match(/[\\d.]+%?/g).map(parseFloat); return [n[0], n[1], n[2], n[3] ?? 1]; };
  const canvas = Object.assign(document.createElement("canvas"), {width: 1, height: 1}).getContext("2d", {willReadFrequently: true});
  const rgba = (text) => {
    if (text.startsWith("rgb")) return parse(text);
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = text; canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data; return [r, g, b, a / 255];
  };
  const over = (top, under) => [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3]));
  const behind = (node) => {
    const layers = [];
    for (let at = node; at; at = at.parentElement) {
      const colour = rgba(getComputedStyle(at).backgroundColor);
      if (colour[3] > 0) layers.push(colour);
      if (colour[3] === 1) break;
    }
    return layers.reverse().reduce((under, layer) => over(layer, under), [255, 255, 255]);
  };
  const light = (rgb) => rgb.map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode.parentElement, text = walk.currentNode.textContent.trim();
    if (!text || !node.checkVisibility({opacityProperty: true, visibilityProperty: true})) continue;
    const box = node.getBoundingClientRect();
    if (box.width < 2 || box.height < 2 || node.closest(".sf-sr, script, style")) continue;
    const back = behind(node), ink = over(rgba(getComputedStyle(node).color), back);
    const [hi, lo] = [light(ink), light(back)].sort((a, b) => b - a);
    const ratio = (hi + 0.05) / (lo + 0.05);
    if (ratio < least) found.push(`${ratio.toFixed(2)} ${node.tagName}.${node.className} ${text.slice(0, 30)}`);
  }
  return [...new Set(found)];
}"""


@pytest.fixture(scope="module")
def site(make_engine, open_browser, tmp_path_factory):
    records = tmp_path_factory.mktemp("records") / "records.sqlite"
    return open_browser(make_engine({GIFT: CALL}, {GIFT: WRONG}, base=True, records=records))


@pytest.fixture
def tab(site):
    """Open tabs that are closed again, with nothing fetched from outside and no dialog in any of them."""
    pages = []

    def opened(**options):
        pages.append(site.new_tab(**options))
        return pages[-1]

    yield opened
    for page in pages:
        assert page.outside == [] and page.dialogs == []
        page.context.close()


def answered(site, page) -> None:
    site.ask(page, GIFT)
    site.ended(page)
    for pane in ("left", "right"):
        page.click(f"#{pane} .sf-drawer summary")


@pytest.mark.parametrize("dark", [False, True])
def test_every_text_can_be_read(site, tab, dark) -> None:
    page = tab(dark=dark)
    assert page.evaluate("document.body.classList.contains('dark')") == dark
    assert page.evaluate(LOW_CONTRAST, 4.5) == []
    width = page.locator("#ask-panel").bounding_box()["width"]
    assert width > 1150, "the page uses the width it has"
    answered(site, page)
    assert page.locator("#ask-panel").bounding_box()["width"] == width, "and keeps it"
    page.wait_for_selector("#vote-left:enabled")
    site.shot(page, "dark" if dark else "light")
    assert page.locator("#right .sf-badge.bad").count() > 0, "the colours of a fault are to be measured too"
    assert page.evaluate(LOW_CONTRAST, 4.5) == []
    page.fill("#question textarea", "천천히")
    page.press("#question textarea", "Enter")
    page.wait_for_selector("#left .sf-pulse")
    page.click("#stop-all")
    page.wait_for_selector("#left .sf-state.stop")
    assert page.evaluate(LOW_CONTRAST, 4.5) == []


def test_a_phone_shows_everything_one_below_the_other(site, tab) -> None:
    page = tab(width=380, height=800)
    answered(site, page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 380
    left, right = page.locator("#left").bounding_box(), page.locator("#right").bounding_box()
    assert right["y"] >= left["y"] + left["height"] - 1, "the panes should stack"
    wide = page.evaluate(
        """() => [...document.querySelectorAll("main *")].filter((one) => one.checkVisibility()
            && one.getBoundingClientRect().right > innerWidth + 1 && !one.closest(".tab-container, .sf-sr, pre"))
            .map((one) => one.tagName + "." + one.className)"""
    )
    assert wide == []
    small = page.evaluate(
        """() => [...document.querySelectorAll("#send, #stop-all, #vote-row button, #consent-buttons button")]
            .filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < 40).map((one) => one.id)"""
    )
    assert small == [], "too small for a thumb"
    site.shot(page, "phone")


def test_the_language_switch_changes_every_label_and_back(site, tab) -> None:
    page = tab()
    answered(site, page)
    page.wait_for_selector("#counter:has-text('3 / 448')")
    page.click("#language label:has-text('English')")
    page.wait_for_function("document.documentElement.lang === 'en'")
    page.wait_for_selector("#send:has-text('Ask')")
    hangul = re.compile("[가-힣]")
    for part in (
        "#ask-row",
        "#counter",
        "#notice",
        "#vote",
        "#talk-buttons",
        "#keep",
        "#legal",
        "#left-name",
        "#tabs [role=tablist]",
    ):
        text = page.inner_text(part)
        assert not hangul.search(text), (part, text)
    assert "AI-generated · law as of 2025-07-01" in page.inner_text("#left .sf-ai")
    assert "confirmed" in page.inner_text("#left .sf-badges") or "match" in page.inner_text("#left .sf-badges")
    assert "by code, not by a model" in page.inner_text("#left .sf-working") and "3 / 448 tokens" in page.inner_text(
        "#counter"
    )
    site.shot(page, "english")
    page.click("#language label:has-text('한국어')")
    page.wait_for_function("document.documentElement.lang === 'ko'")
    assert page.inner_text("#send") == TABLE["send"][0]


def test_the_keyboard_reaches_everything_in_order_and_shows_where_it_is(site, tab) -> None:
    page = tab()
    site.ask(page, GIFT)
    site.ended(page)
    page.wait_for_selector("#vote-left:enabled")
    page.click("#header")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.closest('#question') !== null"), "/ goes to the question"
    reached, outlines = [], []
    for _ in range(60):
        page.keyboard.press("Tab")
        name, outline = page.evaluate(
            """() => { const at = document.activeElement, style = getComputedStyle(at);
              const ring = [at, at.closest("label")].some((one) => one && (getComputedStyle(one).outlineStyle !== "none" || getComputedStyle(one).boxShadow !== "none"));
              return [at.id || at.closest("[id]")?.id || at.tagName, ring]; }"""
        )
        reached.append(name)
        outlines.append((name, outline))
        if name == "export-json":
            break
    wanted = [
        "send",
        "stop-all",
        "left-retry",
        "right-retry",
        "vote-left",
        "vote-right",
        "vote-tie",
        "vote-both_bad",
        "edit",
        "export-json",
    ]
    assert [name for name in reached if name in wanted] == wanted
    assert "as-of" in reached and any("with-teacher" in name for name in reached)
    assert [name for name, outline in outlines if not outline and name != "BODY"] == [], "a focus that cannot be seen"


def test_a_screen_reader_hears_of_ends_and_finds_its_way(site, tab) -> None:
    page = tab()
    assert page.get_attribute("#sf-live", "aria-live") == "polite"
    site.ask(page, "학생만 천천히 쓰는 답")
    page.wait_for_selector("#left .sf-pulse")
    page.wait_for_function("document.getElementById('sf-live').textContent.startsWith('교사의 답이 끝났습니다')")
    assert "낱말" not in page.inner_text("#sf-live"), "a text that is being written is not read out"
    page.click("#left-stop")
    page.wait_for_function("document.getElementById('sf-live').textContent === '학생: 멈췄습니다.'")
    live = page.evaluate(
        "[...document.querySelectorAll('#panes [aria-live], #panes [role=status], #panes [role=log]')].length"
    )
    assert live == 0, "one live region only"
    for role, name in (
        ("region", "학생"),
        ("region", "교사"),
        ("textbox", "질문"),
        ("button", "묻기"),
        ("checkbox", "가리고 비교하기"),
    ):
        assert page.get_by_role(role, name=name, exact=True).count() == 1, (role, name)
    nameless = page.evaluate(
        """() => [...document.querySelectorAll("button, input, textarea, a, summary")].filter((one) => one.checkVisibility()
            && !(one.innerText || one.ariaLabel || one.title || one.labels?.[0]?.innerText || one.closest("label")?.innerText || "").trim())
            .map((one) => one.outerHTML.slice(0, 120))"""
    )
    assert nameless == []


def test_earlier_questions_open_again_and_a_question_can_be_edited(site, tab) -> None:
    page = tab()
    site.ask(page, "첫째 질문")
    site.ended(page)
    site.ask(page, GIFT)
    page.wait_for_selector("#left .sf-payable")
    page.click("#history .gallery-item:has-text('첫째 질문')")
    page.wait_for_selector("#left-text:has-text('학생의 답입니다')")
    page.click("#edit")
    page.wait_for_function("document.querySelector('#question textarea').value === '첫째 질문'")
    page.wait_for_function("document.activeElement.closest('#question') !== null")
    page.click("#clear")
    page.wait_for_selector("#left .sf-empty")
    assert page.input_value("#question textarea") == "" and not page.is_visible("#history")
    assert page.is_disabled("#edit") and page.is_visible("#examples")


def test_a_reload_keeps_the_conversation_of_this_tab_only(site, tab) -> None:
    page = tab()
    site.ask(page, GIFT)
    site.ended(page)
    page.reload()
    page.wait_for_selector("#left .sf-payable")
    assert page.locator("#history .gallery-item").count() == 1 and "20억원" in page.inner_text("#history")
    stored = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert "20억" not in stored and "증여" not in stored, "nothing that was asked is kept in the browser"
    assert tab().locator("#history .gallery-item").count() == 0


@pytest.mark.parametrize(("button", "name"), [("#export-md", "slm-forest.md"), ("#export-json", "slm-forest.json")])
def test_the_conversation_can_be_taken_along(site, tab, button, name) -> None:
    page = tab()
    site.ask(page, GIFT)
    site.ended(page)
    with page.expect_download() as download:
        page.click(button)
    assert download.value.suggested_filename == name
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert GIFT in text and "6억 140만원" in text
    if name.endswith("json"):
        assert json.loads(text)["conversation"][0]["answers"]["left"]["answer"] == CALL


def test_an_example_goes_into_the_box(site, tab) -> None:
    page = tab()
    page.click("#examples .gallery-item")
    page.wait_for_function("document.querySelector('#question textarea').value === '예시 질문입니다'")
    page.wait_for_selector("#counter:has-text('2 / 448')")
