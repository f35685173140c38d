"""A call that turns on a fact nobody stated is never computed, and a right call is not refused for its wording."""

import json
import random
from datetime import date

import pytest

from data_gen.settings import WorkedTax
from data_gen.worked.answers_without_a_call import ask_back_candidates
from data_gen.worked.candidates import DRAW
from data_gen.worked.words import EVERY_WORDING
from finetune.evaluation.behaviour import asks_back
from taxlaw.asking_back import asked_fact
from taxlaw.calls import parse_call
from taxlaw.needed_facts import NEEDED, ask_for, unstated

PARENT = '"relation":"직계존속"'


@pytest.mark.parametrize(
    ("question", "call", "lacking"),
    [
        ("6억 증여, 증여세?", f'{{"tax":"gift","amount":"6억",{PARENT}}}', ("준 사람과의 관계",)),
        ("형으로부터 6억을 증여받았어요. 증여세는?", '{"tax":"gift","amount":"6억","relation":"기타친족"}', ()),
        (
            "어머니께 1억원을 증여받았어요. 증여세는?",
            f'{{"tax":"gift","amount":"1억원",{PARENT},"minor":true,"generation_skip":true}}',
            ("받는 사람이 미성년인지", "세대를 건너뛴 증여인지"),
        ),
        ("할머니가 세 살배기 손자에게 5천만원을 증여했어요. 증여세는?", f'{{"tax":"gift","amount":"5천만원",{PARENT},"minor":true,"generation_skip":true}}', ()),
        ("세 살 많은 언니에게 1억원을 증여받았어요. 증여세는?", '{"tax":"gift","amount":"1억원","relation":"기타친족","minor":true}', ("받는 사람이 미성년인지",)),
        ("엄마가 열여덟 살 딸에게 1억원을 증여했어요. 증여세는?", f'{{"tax":"gift","amount":"1억원",{PARENT},"minor":true}}', ()),
        ("엄마가 스물두 살 딸에게 1억원을 증여했어요. 증여세는?", f'{{"tax":"gift","amount":"1억원",{PARENT},"minor":true}}', ("받는 사람이 미성년인지",)),
        ("집을 5억원에 샀어요. 취득세는?", '{"tax":"acquisition","value":"5억원"}', ("취득한 뒤의 주택 수",)),
        ("상가를 5억원에 샀어요. 취득세는?", '{"tax":"acquisition","value":"5억원","asset":"그 밖의 부동산"}', ()),
        (
            "집을 5억원에 사서 취득 후 3주택이에요. 취득세는?",
            '{"tax":"acquisition","value":"5억원","homes":3}',
            ("조정대상지역인지",),
        ),
        (
            "토지를 5억원에 팔았어요. 10년 보유했습니다. 양도세는?",
            '{"tax":"capital_gains","sale_price":"5억원","purchase_price":"5억원","asset":"토지","held_years":10}',
            ("취득가액",),
        ),
        ("재산세가 얼마예요? 1세대 1주택입니다.", '{"tax":"property","official_price":"1억원","only_home":true}', ("공시가격(시가표준액)",)),
        (
            "증여세 1억원을 기한 뒤에 냈습니다. 납부지연가산세는?",
            '{"tax":"penalty","kind":"납부지연","tax_amount":"1억원","deadline":"2024-08-03"}',
            ("법정신고기한의 날짜와 납부한 날",),
        ),
    ],
)  # fmt: skip
def test_what_the_question_says_no_word_of(question, call, lacking):
    assert unstated(question, parse_call(call)) == lacking


def test_no_call_of_a_worked_question_is_held_back():
    """The templates state every fact on which their tax turns, each in many words."""
    drawn = 0
    for tax, draw in DRAW.items():
        rng = random.Random(f"needed:{tax}")
        for _ in range(150):
            case = draw(rng, EVERY_WORDING)
            call = parse_call(json.dumps({"tax": tax, **case.facts}, ensure_ascii=False))
            assert unstated(case.question, call) == (), case.question
            drawn += 1
    assert drawn == 150 * len(WorkedTax.__args__)


def test_a_call_made_up_for_a_question_that_lacks_a_fact_is_mostly_held_back():
    """With the very amounts and the commonest facts filled in, as a student does that did not notice."""
    calls = {
        "gift": '{"tax":"gift","amount":1000000,"relation":"직계존속"}',
        "acquisition": '{"tax":"acquisition","value":1000000}',
        "property": '{"tax":"property","official_price":1000000}',
        "retirement": '{"tax":"retirement","pay":1000000,"years":10}',
        "corporate": '{"tax":"corporate","base":1000000}',
    }
    rows = [one.row for one in ask_back_candidates(200, 0, frozenset(calls), date(2026, 6, 1), 4)]
    caught = sum(bool(unstated(row.question, parse_call(calls[row.tax]))) for row in rows)
    assert caught > 0.85 * len(rows)


@pytest.mark.parametrize("what", sorted({one.what for one in NEEDED} | {"금액"}))
def test_the_sentence_asks_for_the_fact_with_its_particle(what):
    said = ask_for((what,))
    assert asks_back(said) and asked_fact(said) == what
    assert asked_fact(ask_for((what, "금액"))) in (f"{what}과 금액", f"{what}와 금액")
