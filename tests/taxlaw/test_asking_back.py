"""Code asks for the fact that is missing, whatever the student asked or computed; where the student is right it keeps its words."""

import json
from datetime import date

import pytest

from data_gen.settings import WorkedTax
from data_gen.worked.answers_without_a_call import ask_back_candidates
from data_gen.worked.candidates import DRAW
from data_gen.worked.words import EVERY_WORDING
from finetune.evaluation.behaviour import names_fact
from taxlaw.asking_back import asked_fact, asked_instead, asked_tax, asks_needlessly, facts_to_ask

DAY = date(2026, 6, 1)
PRICE = "취득가액을 알아야 세금이 정해집니다. 알려 주시면 계산해 드리겠습니다."


@pytest.mark.parametrize(
    ("question", "text", "facts"),
    [
        ("땅을 2억원에 사서 5억원에 팔았습니다. 양도소득세는?", PRICE, ("보유기간",)),
        ("10년 가진 땅을 5억원에 팔았습니다. 양도소득세는?", PRICE, ()),  # its own words are right
        ("땅을 2억원에 사서 10년 뒤 5억원에 팔았습니다. 양도소득세는?", PRICE, ()),  # nothing is missing
        ("간이과세자이고 공급대가가 7천만원입니다. 부가세는?", '{"tax":"vat_simplified","gross":"7천만원","industry":"공급대', ("업종",)),
        ("예금 이자를 받습니다. 원천징수세액은?", "어떤 소득인지를 알아야 합니다. 알려 주세요.", ("지급하는 금액",)),
        ("주택을 3억 원에 사면 취득 후 3주택입니다. 취득세는?", '{"tax":"acquisition","value":"3억 원"}', ("조정대상지역인지",)),
        ("집의 시가표준액이 3억원이에요. 재산세는?", '{"tax":"property","official_price":"3억원","kind":"시가표준액"}', ("1세대 1주택인지",)),
        ("주택을 3억 원에 사면 취득 후 3주택입니다. 취득세는?", "취득한 뒤의 주택 수를 알아야 합니다. 알려 주세요.", ("조정대상지역인지",)),
        ("부가세를 얼마 내나요?", "매입세액을 알아야 합니다. 알려 주세요.", ()),  # whose VAT, nobody knows
        ("증여세 신고기한은?", "증여일이 속한 달의 말일부터 3개월입니다.", ()),
        ("직장인입니다. 1억원을 증여받았는데 증여세는?", '{"tax":"gift","amount":"1억원","relation":"직계존속"}', ("준 사람과의 관계",)),
    ],
)  # fmt: skip
def test_what_is_asked_for_in_place_of_the_students_words(question, text, facts):
    assert facts_to_ask(question, text, DAY) == facts
    said = asked_instead(question, text, DAY)
    assert (said is None) is (not facts)
    assert all(fact in said for fact in facts)


def test_asking_for_what_is_stated_is_needless_only_where_nothing_is_missing():
    whole = "땅을 2억원에 사서 10년 뒤 5억원에 팔았습니다. 양도소득세는?"
    assert asks_needlessly(whole, PRICE)
    assert not asks_needlessly(whole.replace("10년 뒤 ", ""), PRICE)
    assert not asks_needlessly(whole, "양도소득세는 양도차익에 매깁니다.")


def test_the_tax_asked_for_is_not_one_that_stands_beside_it():
    assert asked_tax("취득세 등 필요경비가 3백만원 들었습니다. 양도소득세는?") == "capital_gains"
    assert asked_tax("증여세를 신고하지 않았습니다. 무신고가산세는?") == "penalty"
    assert asked_tax("공제할 재산세액은 10만원입니다. 종부세는?") == "holding"
    assert asked_tax("부가세는 얼마인가요?") is None and asked_tax("안녕하세요") is None


def test_the_fact_a_text_asks_for():
    assert asked_fact(PRICE) == "취득가액"
    assert asked_fact("계산하려면 보유기간을 알아야 합니다.") == "보유기간"
    assert asked_fact("세금이 정해집니다.") is None


def test_a_missing_fact_is_nearly_always_known_to_code():
    """With the student asking for something else, as a small one does; the right ask-back is left alone."""
    rows = [one.row for one in ask_back_candidates(400, 0, frozenset(WorkedTax.__args__), DAY, 4)]
    other = "신발의 치수를 알아야 합니다. 알려 주세요."
    found = [row for row in rows if names_fact(row.answer, asked_instead(row.question, other, DAY) or "")]
    assert len(found) >= 0.9 * len(rows)
    changed = [row.question for row in rows if asked_instead(row.question, row.answer, DAY)]
    assert len(changed) <= 0.01 * len(rows), changed[:5]


def test_nothing_is_asked_where_a_worked_question_states_all():
    import random

    for tax, draw in DRAW.items():
        rng = random.Random(f"asking:{tax}")
        for _ in range(80):
            case = draw(rng, EVERY_WORDING)
            broken = json.dumps({"tax": tax}, ensure_ascii=False)[:-1]
            assert facts_to_ask(case.question, broken, DAY) == (), case.question
