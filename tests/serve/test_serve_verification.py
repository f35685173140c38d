"""Break one thing in a right answer and the badge, the citation or the step that a reader looks at says so."""

from __future__ import annotations

import json
from datetime import date

import pytest

from serve.answer import Answer, Asked, Stats, settle
from serve.explanation import CitedSource, Explanation
from serve.verification import explain
from taxlaw.search.passages import Hit, Passage

DAY = date(2025, 12, 1)
GIFT = "아버지께 20억원을 증여받았는데 증여세는 얼마인가요?"
RIGHT = (
    "상속세 및 증여세법 제53조에 따라 5,000만원을 공제하면 과세표준은 20억원 - 5,000만원 = 19억 5,000만원입니다.\n"
    "산출세액은 상속세 및 증여세법 제56조에 따라 2억 4,000만원 + (19억 5,000만원 - 10억원) × 40% = 6억 2,000만원입니다.\n"
    "신고세액공제는 6억 2,000만원 × 3% = 1,860만원입니다. 납부할 세액은 6억 140만원입니다."
)
CALL = '{"tax":"gift","amount":"20억원","relation":"직계존속"}'


def answered(text: str, question: str = GIFT, day: date = DAY, finish: str = "stop", **more) -> Answer:
    stats = Stats(0.1, 1.0, 50, 20, finish, 100)
    return settle(text, stats, Asked("student", "s", question, day, **more))


def explained(text: str, question: str = GIFT, **more) -> Explanation:
    return explain(answered(text, question, **more))


def badges(explanation: Explanation) -> dict[str, str]:
    return {badge.words: badge.tone for badge in explanation.badges}


def cited(explanation: Explanation, name: str) -> CitedSource:
    return next(one for one in explanation.citations if one.name == name)


def test_a_right_answer_has_only_good_badges() -> None:
    found = explained(RIGHT)
    assert found.ok and found.missing == ()
    assert badges(found) == {"인용 2/2 확인": "good", "금액 재계산 일치": "good", "계산식 3/3 일치": "good"}
    assert found.badges[0].english == "citations 2/2 confirmed"
    assert all(one.correct for one in found.sums) and len(found.sums) == 3
    assert (found.steps_from, found.payable, found.stated) == ("question", 601_400_000, 601_400_000)
    assert all(step.told for step in found.steps)


def test_steps_told_in_one_breath_are_right_too() -> None:
    found = explained(RIGHT.replace("입니다.\n", "이고, ").replace("1,860만원입니다. ", "1,860만원이므로 "))
    assert found.ok, found.checks


def test_a_call_is_explained_by_what_code_made_of_it() -> None:
    found = explained(CALL)
    assert found.ok and badges(found)["인용 5/5 확인"] == "good"
    assert (found.steps_from, found.payable) == ("question", 601_400_000)


@pytest.mark.parametrize(
    ("old", "new", "badge"),
    [
        ("제53조에", "제153조에", "없는 조문 1"),
        ("상속세 및 증여세법 제53조에", "조세특례제한법 제11조에", "삭제된 조문 1"),
        ("상속세 및 증여세법 제53조에", "상속증여과세법 제53조에", "없는 조문 1"),
        ("상속세 및 증여세법 제53조에", "상속세 및 증여세법 제53조(증여세 세율)에", "잘못된 인용 1"),
        ("납부할 세액은 6억 140만원", "납부할 세액은 6억 1,140만원", "불일치 1 (바른 값 6억 140만원)"),
        ("× 3% = 1,860만원", "× 3% = 1,680만원", "계산식 2/3 일치"),
    ],
)
def test_one_slip_has_its_own_badge(old: str, new: str, badge: str) -> None:
    assert old in RIGHT
    found = explained(RIGHT.replace(old, new))
    assert not found.ok
    assert badges(found).get(badge) == "bad", badges(found)


def test_a_citation_shows_heading_dates_text_and_address() -> None:
    article = cited(explained(RIGHT), "상속세 및 증여세법 제53조")
    assert (article.heading, article.status, article.in_force, article.tone) == (
        "증여재산 공제",
        "found",
        True,
        "good",
    )
    assert article.effective == date(2025, 10, 1) and article.version.startswith("2025-10-01 공포")
    assert article.text_kind == "digest" and "5,000만원" in article.text
    assert article.url == (
        "https://www.law.go.kr/법령/%EC%83%81%EC%86%8D%EC%84%B8%EB%B0%8F%EC%A6%9D%EC%97%AC%EC%84%B8%EB%B2%95/"
        "%EC%A0%9C53%EC%A1%B0"
    )


def test_a_repealed_article_is_marked_where_it_is_shown() -> None:
    article = cited(explained("조세특례제한법 제11조에 따라 공제합니다.", "공제되나요?"), "조세특례제한법 제11조")
    assert (article.status, article.status_words, article.in_force) == ("deleted", "삭제된 조문", False)
    assert article.effective is None and article.version is None
    assert [check.severity for check in article.checks] == ["fault"] and "삭제" in article.checks[0].message


def test_a_day_before_the_index_is_not_asserted() -> None:
    name = "상속세 및 증여세법 제53조의2"
    text = f"{name}에 따라 혼인 증여재산을 공제합니다."
    told = [explained(text, "?", day=day) for day in (date(2023, 6, 1), date(2024, 6, 1))]
    before, after = (cited(one, name) for one in told)
    assert (after.in_force, after.tone) == (True, "good")
    assert (before.in_force, before.tone) == (None, "dim") and "확인하지 못함" in before.status_words
    assert badges(told[1])["인용 1/1 확인"] == "good"
    assert "확인 못함" in told[0].summary and "확인 못함" not in told[1].summary
    assert told[0].badges[0].tone == "dim" and "기준일의 모습은 확인 못함" in told[0].badges[0].words


def test_the_worst_is_told_first() -> None:
    found = explained(RIGHT.replace("납부할 세액은 6억 140만원", "납부할 세액은 7억원") + " 도로교통법 제1조도 보세요.")
    order = [check.severity for check in found.checks]
    assert order == sorted(order, key=("fault", "unchecked", "confirmed").index) and len(set(order)) == 3


def test_the_text_of_another_article_is_not_shown_for_the_one_cited() -> None:
    class Near:
        def find(self, question: str, as_of: date, limit: int = 5) -> tuple[Hit, ...]:
            return (Hit(passage("소득세법 제56조", "다른 조의 글"), 1.0, 1),)

    article = cited(explained("소득세법 제55조입니다.", "세율은?", search=Near()), "소득세법 제55조")
    assert article.text_kind == "digest" and "다른 조의 글" not in article.text


def test_parts_of_an_article_are_gathered_under_it() -> None:
    found = explained("소득세법 제55조제1항과 소득세법 제55조제2항, 다시 소득세법 제55조제1항입니다.", "세율은?")
    assert [(one.name, one.places) for one in found.citations] == [("소득세법 제55조", ("제1항", "제2항"))]


def test_what_cannot_be_checked_is_said_and_is_no_fault() -> None:
    found = explained("제55조와 도로교통법 제14조에 따라 100만원입니다.", "세금은 얼마인가요?")
    assert found.ok
    assert badges(found)["인용 0/2 확인"] == "dim" and badges(found)["인용 확인 못함 2"] == "dim"
    assert badges(found)["금액 확인 못함"] == "dim"
    assert [one.in_force for one in found.citations] == [None, None]
    assert found.citations[0].url is None


def test_an_answer_that_cites_nothing_is_told_so() -> None:
    found = explained("증여세는 601,400,000원을 내야 합니다.")
    assert badges(found) == {"인용 없음": "dim", "금액 재계산 일치": "good"}
    assert found.missing == ("근거가 되는 조문을 밝히지 않았습니다.",)


def test_missing_facts_are_named() -> None:
    found = explained("증여세는 100만원입니다.", "아버지가 주신 돈의 증여세가 얼마인지 계산해 주세요")
    assert badges(found)["모자란 사실 있음"] == "dim"
    assert any("증여받은 금액" in text for text in found.missing)


def test_a_call_about_facts_nobody_stated() -> None:
    found = explained(CALL.replace("20억원", "3억원"))
    assert badges(found)["질문과 다른 계산 1"] == "bad"
    assert "3억원은 질문에 없는 금액입니다." in found.missing[0]
    assert (found.steps_from, found.payable, found.stated) == ("question", 601_400_000, None)


def test_a_refused_call_lacks_no_facts_when_nobody_asked_for_a_tax() -> None:
    answer = answered('{"tax":"gift","amount":"100,000원","relation":"기타친족"}', "증여세 신고기한은 언제인가요?")
    found = explain(answer)
    assert answer.completion.problem in found.missing and len(found.missing) == 1
    assert "모자란 사실 있음" not in badges(found)


def test_facts_that_nothing_compared_with_the_question_are_said() -> None:
    # The question names two gifts, so that no rule reads it for certain; the call is about one of them.
    question = "아버지께 20억원, 삼촌께 1억원을 증여받았는데 아버지 것의 증여세는 얼마인가요?"
    answer = answered(CALL, question)
    assert answer.calculation is None and answer.completion.result is not None
    found = explain(answer)
    assert badges(found)["읽은 사실을 질문과 대조하지 못함"] == "dim"
    assert found.steps_from == "model"


def test_an_answer_cut_off_is_told() -> None:
    found = explained(RIGHT, finish="length")
    assert badges(found)["답이 잘림"] == "dim" and any("잘려" in text for text in found.missing)


def test_form_faults_and_an_empty_answer() -> None:
    assert any("형식 문제" in words for words in badges(explained("")))
    assert explained("").citations == ()


def test_the_asked_tax_before_credits_agrees() -> None:
    question = "과세표준이 8,000만원이면 종합소득세 산출세액은 얼마인가요?"
    sums = "624만원 + (8,000만원 - 5,000만원) × 24% = 1,344만원"
    right = answered(f"소득세법 제55조에 따라 {sums}이므로 산출세액은 1,344만원입니다.", question)
    wrong = answered("소득세법 제55조에 따라 산출세액은 1,444만원입니다.", question)
    assert (right.calculation.agrees, wrong.calculation.agrees) == (True, False)


class Index:
    """Finds the passages it was given, by their very title."""

    def __init__(self, *passages: Passage) -> None:
        self.passages = passages

    def find(self, question: str, as_of: date, limit: int = 5) -> tuple[Hit, ...]:
        return tuple(Hit(one, 1.0, 1) for one in self.passages if one.title == question)[:limit]


def passage(title: str, text: str, kind: str = "article") -> Passage:
    return Passage(title, kind, title, text, "제목", date(2025, 1, 1), None, "https://www.law.go.kr/x", "법.md")


def test_the_text_of_the_law_comes_before_our_summary() -> None:
    index = Index(passage("소득세법 제55조", "머리말\n① 첫째 항이다.\n② 둘째 항이다."))
    article = cited(explained("소득세법 제55조제2항에 따릅니다.", "세율은?", search=index), "소득세법 제55조")
    assert (article.text, article.text_kind) == ("② 둘째 항이다.", "statute")
    assert article.text_source == "법.md · 2025-01-01 시행"


def test_words_put_in_quotation_marks_are_compared_with_the_text() -> None:
    index = Index(
        passage("소득세법 제55조", "거주자의 종합소득에 대한 소득세는 해당 연도의 과세표준에 세율을 적용한다.")
    )
    quoted = "소득세법 제55조는 “거주자의 종합소득에 대한 소득세는 해당 연도의 {}에 세율을 적용한다”고 규정합니다."
    right = explained(quoted.format("과세표준"), "세율은?", search=index)
    wrong = explained(quoted.format("총수입금액"), "세율은?", search=index)
    assert right.ok and any(
        check.severity == "confirmed" and "소득세는" in (check.quote or "") for check in right.checks
    )
    assert [check.message for check in wrong.checks] != [check.message for check in right.checks]


def test_rulings_and_addenda_are_listed_with_what_is_known() -> None:
    index = Index(passage("서면-2023-법규기본-2039", "납세증명서를 내야 한다.", "ruling"))
    text = "서면-2023-법규기본-2039와 조심2023서1234, 소득세법 부칙 제5조에 따릅니다."
    found = explained(text, "?", search=index)
    assert [(one.status, one.tone) for one in found.citations] == [
        ("addendum", "dim"),
        ("ruling", "good"),
        ("ruling", "dim"),
    ]
    assert found.citations[1].text == "납세증명서를 내야 한다." and found.citations[2].text is None


def test_a_ruling_from_after_the_day_is_said() -> None:
    index = Index(passage("서면-2023-법규기본-2039", "글", "ruling"))
    early = explained("서면-2023-법규기본-2039에 따릅니다.", "?", search=index, day=date(2024, 6, 1))
    assert any("기준일" in note for note in early.citations[0].notes)


def test_a_long_text_is_cut_and_says_so() -> None:
    index = Index(passage("소득세법 제55조", "가나다라 " * 2000))
    article = cited(explained("소득세법 제55조입니다.", "세율은?", search=index), "소득세법 제55조")
    assert len(article.text) < 3100 and article.text.endswith("(이하 줄임)")


def test_everything_can_be_written_as_json_and_the_answer_is_unchanged() -> None:
    answer = answered(RIGHT)
    written = json.loads(json.dumps(answer.as_dict(), ensure_ascii=False))
    assert written["answer"] == RIGHT == answer.completion.raw
    assert written["verification"]["citations"][0]["effective"] == "2025-10-01"
    assert written["verification"]["badges"][0]["words"] == "인용 2/2 확인"
    assert written["calculation"]["payable"] == 601_400_000
