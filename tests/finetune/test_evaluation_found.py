"""Rows asked with what a search finds now: the same user turn as serving makes, and whether the right article was there."""

from datetime import date

from finetune.data import Row
from finetune.evaluation.found_sources import holds_right_article, is_document, with_found
from finetune.evidence import user_turn
from taxlaw.evidence_prompt import with_evidence
from taxlaw.search.passages import Hit, Passage

LAW = "상속세 및 증여세법"


def hit(article, text="내용입니다.", heading="제목"):
    return Hit(Passage("id", "article", f"{LAW} {article}", text, heading, date(2024, 1, 1), None, "", ""), 1.0, 1)


class Found:
    def __init__(self, *hits):
        self.hits, self.asked = hits, []

    def find(self, question, as_of, limit):
        self.asked.append((question, as_of, limit))
        return self.hits[:limit]


def document(tiny, **changes):
    said = {"style": "plain", "call": None, "payable": None, "articles": [f"{LAW} 제53조제2호"], "family": "law:가"}
    return Row.model_validate(tiny.row(0, "1억원", question="공제 한도는?", **{**said, **changes}))


def test_the_question_is_asked_as_serving_asks_it(tiny):
    row, search = document(tiny, evidence="옛 근거"), Found(hit("제53조"), hit("제54조"), hit("제55조"))
    found = with_found(row, search, 2)
    assert user_turn(found) == with_evidence("공제 한도는?", search.hits[:2])
    assert search.asked == [("공제 한도는?", date(2025, 7, 1), 2)]
    assert found.evidence and "옛 근거" not in found.evidence and row.evidence == "옛 근거"
    bare = with_found(row, Found(), 5)
    assert user_turn(bare) == "공제 한도는?" and bare.evidence == ""


def test_the_right_article_is_looked_for_among_the_heads_of_the_sources(tiny):
    def holds(*hits):
        return holds_right_article(with_found(document(tiny), Found(*hits), 5))

    assert holds(hit("제1조"), hit("제53조"))
    assert holds(hit("제53조", heading=""))
    assert not holds(hit("제53조의2"), hit("제1조", f"1. {LAW} 제53조에 따른다."))
    assert not holds(hit("제5조"))


def test_calculations_and_questions_without_an_answer_are_no_documents(tiny):
    assert is_document(document(tiny))
    assert not is_document(document(tiny, style="refusal")) and not is_document(document(tiny, style="ask_back"))
    assert not is_document(document(tiny, style="worked", payable=0))
    assert not is_document(Row.model_validate(tiny.row(0, "1억원")))
