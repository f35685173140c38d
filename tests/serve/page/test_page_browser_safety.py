"""What a model writes stays text: no script, no request, no dialog; and Korean survives Markdown and the input method."""

from __future__ import annotations

import pytest

TILDE = "1,400만원~5,000만원은 15%, 5,000만원~8,800만원은 24%입니다.\n\n**제55조(세율)**에 따릅니다.\n\n2024. 1. 1. 이후입니다."
ATTACK = """<img src="https://evil.example/a.png" onerror="alert('img')"><script>alert('script')</script>
![그림](https://evil.example/b.png?q=1) [눌러](javascript:alert('link')) <a href="javascript:alert(1)">여기</a>
<iframe src="https://evil.example"></iframe> <style>body{display:none}</style> ${alert('template')} {{constructor.constructor('alert(1)')()}}
![참조][r]

[r]: https://evil.example/c.png

<svg onload=alert('svg')> `<b>코드</b>` 끝"""
CALL_ATTACK = '{"tax":"gift","amount":"<img src=x onerror=alert(1)>${alert(2)}","relation":"직계존속"}'


@pytest.fixture(scope="module")
def site(make_engine, open_browser):
    script = {"물결": TILDE, "공격": ATTACK, "호출 공격": CALL_ATTACK, "<img src=x onerror=alert(1)>": "답"}
    return open_browser(make_engine(script, dict(script)))


@pytest.fixture
def page(site):
    page = site.new_tab()
    yield page
    assert page.outside == [], "a request left the machine"
    assert page.dialogs == [], "a script ran"
    page.context.close()


def test_korean_tax_text_survives_markdown(site, page) -> None:
    site.ask(page, "물결")
    site.ended(page)
    text = page.inner_text("#left-text")
    assert "1,400만원~5,000만원은 15%, 5,000만원~8,800만원은 24%" in text and "2024. 1. 1. 이후" in text
    assert page.locator("#left-text :is(del, s, ol)").count() == 0
    assert page.inner_text("#left-text strong") == "제55조(세율)"
    site.shot(page, "tilde")


def test_an_answer_cannot_run_or_fetch_anything(site, page) -> None:
    for question in ("공격", "호출 공격"):
        site.ask(page, question)
        site.ended(page)
        page.click("#left .sf-drawer summary")
        for pane in ("#left", "#right"):
            assert page.locator(f"{pane} :is(img, script, iframe, style, svg, object, form)").count() == 0
            assert page.locator(f"{pane} a[href^='javascript']").count() == 0
            assert page.locator(f"{pane} [onerror], {pane} [onload], {pane} [onclick]").count() == 0
    assert page.evaluate("getComputedStyle(document.body).display") != "none"
    assert "<script>" in page.inner_text("#right") or "onerror" in page.inner_text("#right"), "shown as the text it is"
    link = page.locator("#left-text a")
    for index in range(link.count()):
        link.nth(index).click(modifiers=["Alt"])
    site.shot(page, "attack")


def test_a_question_is_text_too(site, page) -> None:
    site.ask(page, "<img src=x onerror=alert(1)>")
    site.ended(page)
    page.wait_for_selector("#history .gallery-item")
    assert page.locator("#history img, #panes img").count() == 0
    page.click("#history .gallery-item")
    page.click("#edit")
    page.wait_for_function("document.querySelector('#question textarea').value.startsWith('<img')")


def test_a_composing_enter_does_not_send_half_a_word(site, page) -> None:
    page.fill("#question textarea", "증여ㅅ")
    asked = len(site.student.requests)
    for composing in ("{isComposing: true, keyCode: 13}", "{isComposing: false, keyCode: 229}"):
        page.evaluate(
            """(extra) => {
              const box = document.querySelector("#question textarea");
              const options = {key: "Enter", code: "Enter", bubbles: true, cancelable: true, ...eval("(" + extra + ")")};
              box.dispatchEvent(new CompositionEvent("compositionstart", {bubbles: true}));
              box.dispatchEvent(new KeyboardEvent("keydown", options));
              box.dispatchEvent(new KeyboardEvent("keypress", {...options, keyCode: 13, isComposing: false}));
              box.dispatchEvent(new CompositionEvent("compositionend", {bubbles: true, data: "세"}));
            }""",
            composing,
        )
    page.wait_for_selector("#counter:has-text('1 / 448')")  # a round trip: a question would have been sent by now
    assert len(site.student.requests) == asked
    page.fill("#question textarea", "증여세")
    page.press("#question textarea", "Enter")
    site.ended(page)
    assert site.student.requests[-1][-1].content == "증여세" and len(site.student.requests) == asked + 1
