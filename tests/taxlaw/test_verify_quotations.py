"""Words put into the law's mouth: quoted words must stand in the article, wherever its text is at hand."""

from datetime import date

import pytest

from taxlaw.addenda import UNSETTLED
from taxlaw.quotation_check import stands_in
from taxlaw.statutes import StatuteArticle
from taxlaw.verify import verify
from taxlaw.versions import version_on

DAY = date(2026, 6, 1)
# Our own sentences, laid out as the text of an article is.
TEXT = (
    "소득세법 제70조(종합소득과세표준 확정신고)\n시행일: 2026-04-21\n"
    "① 가상의 소득이 있는 사람(제3항의 사람은 제외한다)은 그 소득을 다음 달 말일까지 세무서에 알려야 한다. <개정 2020.1.1>\n"
    "② 알리지 아니한 사람에게는 다음 각 호의 서류를 다시 요구할 수 있다.\n 1. 장부의 사본"
)
RULING = "회신일: 2024-01-02\n회신 요지: 소득세법 제70조는 “가상의 소득이 있는 사람은 그 소득을 알려야 한다”라고 정함\n관련 법령: 소득세법 제70조"
RIGHT = "소득세법 제70조는 “{}”라고 규정하고 있습니다."
WORDS = "알리지 아니한 사람에게는 다음 각 호의 서류를 다시 요구할 수 있다"


def found(answer: str, evidence: str | None, statutes=None) -> list[tuple[str, int | None]]:
    verdict = verify("소득세법 제70조의 내용은?", answer, DAY, evidence, statutes)
    return [(f.severity, f.code) for f in verdict.findings if "인용한 말" in f.message]


@pytest.mark.parametrize(
    "words",
    [
        WORDS,
        "알리지  아니한 사람에게는, 다음 각호의 서류를 다시 요구할 수 있다.",
        "가상의 소득이 있는 사람은 그 소득을 다음 달 말일까지 세무서에 알려야 한다",
        "가상의 소득이 있는 사람(제3항의 사람은 제외한다)은 … 세무서에 알려야 한다",
    ],
)
def test_words_of_the_text_are_confirmed_whatever_their_spacing(words):
    assert found(RIGHT.format(words), TEXT) == [("confirmed", None)]


@pytest.mark.parametrize(
    "words",
    [
        "알리지 아니한 사람에게는 다음 각 호의 서류를 다시 요구하여야 한다",
        "가상의 소득이 있는 사람(제5항의 사람은 제외한다)은 그 소득을 다음 달 말일까지 세무서에 알려야 한다",
        "세무서장은 언제나 모든 서류를 태워 없애야 한다",
    ],
)
def test_words_that_are_not_there_are_a_fault(words):
    assert found(RIGHT.format(words), TEXT) == [("fault", 2)]
    verdict = verify("?", RIGHT.format(words), DAY, TEXT)
    fault = next(f for f in verdict.findings if "인용한 말" in f.message)
    assert not verdict.ok and fault.kind == "citation"
    assert RIGHT.format(words)[slice(*fault.span)] == words


@pytest.mark.parametrize(
    "form",
    [
        "소득세법 제70조제2항은 '{}'라고 정하고 있습니다.",
        '소득세법 제70조에 따르면 "{}"라고 되어 있습니다.',
        "소득세법 제70조는 『{}』고 규정합니다.",
        "소득세법 제70조는 {}라고 규정하고 있습니다.",
        "“{}”(소득세법 제70조)는 규정이 있습니다.",
    ],
)
def test_every_way_to_quote_is_seen(form):
    assert found(form.format(WORDS), TEXT) == [("confirmed", None)]
    assert found(form.format(WORDS.replace("다시", "함께")), TEXT) == [("fault", 2)]


def test_without_the_text_nothing_is_asserted():
    assert found(RIGHT.format(WORDS), None) == [("unchecked", None)]
    assert found(RIGHT.format(WORDS), "소득세법 제70조에 관한 요약이다. 신고 의무를 정한다.") == [("unchecked", None)]


def test_a_ruling_that_quotes_the_article_holds_only_what_it_quotes():
    quoted = "가상의 소득이 있는 사람은 그 소득을 알려야 한다"
    assert found(RIGHT.format(quoted), RULING) == [("confirmed", None)]
    assert found(RIGHT.format(quoted.replace("알려야", "숨겨야")), RULING) == [("fault", 2)]
    assert found(RIGHT.format(WORDS), RULING) == [("unchecked", None)]


def test_a_paraphrase_and_a_term_set_off_are_no_quotations():
    assert found("소득세법 제70조는 소득이 있으면 신고하여야 한다고 규정하고 있습니다.", TEXT) == []
    assert found("소득세법 제70조에서 ‘신고해야 하는 사람의 범위’를 봅니다.", TEXT) == []


def test_statutes_give_the_text_and_only_that_of_the_date_is_held_against_words():
    of_date = version_on("소득세법", DAY)
    today = StatuteArticle(
        "소득세법", "제70조", "", TEXT, DAY, of_date.promulgated if of_date else date(2026, 1, 1), "x"
    )
    later = StatuteArticle("소득세법", "제70조", "", TEXT, DAY, date(2026, 12, 31), "x")
    wrong = RIGHT.format("세무서장은 언제나 모든 서류를 태워 없애야 한다")
    assert found(RIGHT.format(WORDS), None, {("소득세법", "제70조"): today}) == [("confirmed", None)]
    assert found(wrong, None, {("소득세법", "제70조"): today}) == [("fault", 2)]
    assert found(wrong, None, {("소득세법", "제70조"): later}) == [("unchecked", None)]


def test_articles_named_inside_the_laws_own_words_are_not_judged_as_citations():
    text = TEXT.replace("장부의 사본", "제38조에 따른 장부").replace("다시 요구할", "제38조에 따라 다시 요구할")
    text += "\n참고: 국세기본법 제38조"
    words = WORDS.replace("다시 요구할", "제38조에 따라 다시 요구할")
    assert verify("?", RIGHT.format(words), DAY, text).ok


def test_brackets_may_be_left_out_but_not_changed():
    assert stands_in("나는 너를 본다", "나는 너를(또는 그를) 본다")
    assert not stands_in("나는 너를(또는 말을) 본다", "나는 너를(또는 그를) 본다")


def test_an_amendment_whose_day_is_open_is_told_and_not_asserted():
    verdict = verify("?", "법인세법 제18조의3에 따라 익금에 넣지 않습니다.", DAY)
    waiting = [f for f in verdict.findings if UNSETTLED in f.message]
    assert verdict.ok and {f.severity for f in waiting} == {"unchecked"}
    assert any(f.code == 5 and "2027-01-01" in f.message for f in waiting)
    assert (
        verdict.summary() == "인용 0/1 확인 · 시행일 확인 필요 1건"
    )  # deleted, but an open transitional clause may keep it
    settled = verify("?", "소득세법 제53조에 따릅니다.", DAY)
    assert not any(UNSETTLED in f.message for f in settled.findings)
