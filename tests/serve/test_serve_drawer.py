"""The drawer shows what was checked, in either language, and never lets a text of somebody else become HTML."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from html.parser import HTMLParser

import pytest

from serve.answer import Answer, Asked, Stats, settle
from serve.explanation import Badge, Check, CitedSource, Explanation, Step, WrittenSum
from serve.page.drawer import badges_html, calculation_html, drawer_html, sources_html
from serve.verification import explain
from taxlaw.search.passages import Hit, Passage

DAY = date(2025, 12, 1)
EVIL = "<script>alert('x')</script>\"'><img src=x onerror=1>"
GIFT = "아버지께 20억원을 증여받았는데 증여세는 얼마인가요?"
VOID = {"br"}


class Tree(HTMLParser):
    """Collects tags and text, and fails on tags that are not closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict]] = []
        self.words = ""
        self.feed(html)
        assert self.open == [], f"not closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def answered(text: str, question: str = GIFT) -> Answer:
    return settle(text, Stats(0.1, 1.0, 50, 20, "stop", 100), Asked("student", "s", question, DAY))


def hostile() -> Explanation:
    """An explanation whose every text tries to break out."""
    cited = CitedSource(
        EVIL, (EVIL,), "found", EVIL, "bad", True, EVIL, DAY, EVIL, EVIL, "statute", EVIL, f"https://x/{EVIL}", (EVIL,)
    )
    check = Check(EVIL, "fault", EVIL, EVIL, EVIL)
    return Explanation(
        DAY,
        False,
        EVIL,
        (Badge(EVIL, EVIL, "bad"),),
        (replace(cited, checks=(check,)),),
        (WrittenSum(EVIL, False, EVIL),),
        (Step(EVIL, EVIL, 5, True),),
        "question",
        5,
        7,
        (check,),
        (EVIL,),
    )


def passage(**changes: object) -> Passage:
    values = {
        "id": "1",
        "kind": "article",
        "title": "소득세법 제55조",
        "text": "① 첫째\n② 둘째",
        "heading": "세율",
        "effective_from": date(2025, 1, 1),
        "effective_to": None,
        "url": "https://www.law.go.kr/법령/소득세법",
        "source": "법.md",
    }
    return Passage(**(values | changes))


@pytest.mark.parametrize("language", ["ko", "en"])
def test_no_text_of_others_becomes_html(language: str) -> None:
    explanation = hostile()
    evil = passage(title=EVIL, text=EVIL, heading=EVIL, url="javascript:alert(1)", source=EVIL)
    pages = [
        drawer_html(explanation, language),
        badges_html(explanation, language),
        sources_html([Hit(evil, 1.0, 1, (EVIL,))], language),
    ]
    for page in pages:
        tree = Tree(page)
        assert not {tag for tag, _ in tree.tags} & {"script", "img"}
        assert all(not name.startswith("on") for _, attributes in tree.tags for name in attributes)
        assert "alert('x')" in tree.words
    assert "javascript:" not in pages[2]


def test_a_wrong_answer_shows_what_should_stand_there() -> None:
    answer = answered("조세특례제한법 제11조에 따라 5억원 + 1억원 = 7억원이므로 납부할 세액은 7억원입니다.")
    words = Tree(drawer_html(explain(answer))).words
    for expected in (
        "삭제된 조문",
        "바른 값: 6억원",
        "맞는 값: 6억 140만원",
        "납부할 세액6억 140만원",
        "답변의 세액7억원",
    ):
        assert expected in words, words
    badges = Tree(badges_html(explain(answer))).words
    assert "삭제된 조문 1 (틀림)" in badges and "불일치" in badges


def test_a_citation_has_its_dates_text_and_a_safe_link() -> None:
    tree = Tree(drawer_html(explain(answered("소득세법 제55조입니다.", "세율은 몇 %인가요?"))))
    assert "시행일 2025-10-01" in tree.words and "기준일 2025-12-01" in tree.words
    assert "법령 원문이 아니라 이 프로그램이 요약한 말" in tree.words
    links = [attributes for tag, attributes in tree.tags if tag == "a"]
    assert len(links) == 1 and links[0]["href"].startswith("https://www.law.go.kr/")
    assert links[0]["rel"] == "noopener noreferrer" and "소득세법 제55조" in links[0]["aria-label"]


def test_a_text_that_is_not_here_is_said() -> None:
    assert "본문이 이 컴퓨터에 없습니다" in drawer_html(explain(answered("부가가치세법 제42조입니다.", "공제는?")))


def test_marks_are_for_eyes_only() -> None:
    answer = answered("소득세법 제55조에 따라 증여세는 7억원입니다.")
    explanation = explain(answer)
    pages = (badges_html(explanation), drawer_html(explanation), calculation_html(answer), drawer_html(hostile()))
    for html in pages:
        for mark in "✓✗":
            assert html.count(mark) == html.count(f'<span aria-hidden="true">{mark}</span>')
    assert any("✗" in html for html in pages)


def test_english_words_are_english() -> None:
    explanation = explain(answered("증여세는 7억원을 내야 합니다."))
    badges = Tree(badges_html(explanation, "en")).words
    assert "mismatch 1" in badges and "no citation" in badges
    drawer = Tree(drawer_html(explanation, "en")).words
    assert "Tax payable" in drawer and "The answer cites nothing." in drawer
    head = drawer.partition("law as of")[0] or drawer
    assert "no citation" in head and "불일치" not in head


def test_the_calculation_says_who_computed_it_and_whether_the_answer_agrees() -> None:
    right, wrong, silent = (
        Tree(calculation_html(answered(text))).words
        for text in ("증여세는 601,400,000원입니다.", "증여세는 7억원입니다.", "세무서에 물어보세요.")
    )
    for words in (right, wrong, silent):
        assert "코드가 질문에서 바로 계산" in words and "모델이 아니라 코드가 계산" in words and "6억 140만원" in words
        assert "증여재산가액20억원" in words and "「상속세 및 증여세법」 제53조제2호, 제55조제1항, 제56조" in words
    assert "답변의 세액과 같습니다" in right
    assert "답변의 세액과 다릅니다 (7억원)" in wrong
    assert "답변에서 최종 세액을 찾지 못했습니다" in silent


def test_without_a_case_there_is_no_calculation() -> None:
    assert calculation_html(answered("세무서에 냅니다.", "증여세는 어디에 내나요?")) == ""


def test_sources_show_why_and_from_when() -> None:
    ruling = passage(kind="ruling", title="서면-2023-법규기본-2039", text="", url="")
    tree = Tree(sources_html([Hit(passage(), 2.0, 1, ("조문 지정",)), Hit(ruling, 1.0, 2)]))
    assert "찾은 근거 2" in tree.words and "찾은 까닭: 조문 지정" in tree.words
    assert "시행일 2025-01-01" in tree.words and "회신일 2025-01-01" in tree.words
    assert [tag for tag, _ in tree.tags].count("br") == 1
    assert sources_html([]) == ""


def test_a_ruling_has_a_day_of_reply_and_a_law_a_day_of_force() -> None:
    ruling = replace(hostile().citations[0], name="서면-2023-법규기본-2039", status="ruling")
    words = Tree(drawer_html(replace(hostile(), citations=(ruling,)))).words
    assert "회신일 2025-12-01" in words and "시행일" not in words


def test_sources_that_the_student_did_not_read_are_called_so() -> None:
    hits = [Hit(passage(), 1.0, 1)]
    assert "질문만 보냈습니다" in sources_html(hits, read=False) and "질문만" not in sources_html(hits)


def test_a_finding_of_a_new_kind_is_still_shown() -> None:
    explanation = replace(hostile(), checks=(Check("novelty", "unchecked", "새로운 것"),))
    assert "새로운 것" in drawer_html(explanation)
