"""What a question plainly states and a call leaves out is noticed, and a right call is not accused."""

import json
import random

import pytest

from data_gen.worked.candidates import DRAW
from data_gen.worked.words import EVERY_WORDING
from taxlaw.calls import parse_call
from taxlaw.errors import CallError
from taxlaw.stated_facts import unread

GIFT = "할머니께 3억원을 증여받았습니다. 전세보증금 1억원을 제가 떠안는 조건입니다. 신고기한을 놓쳤습니다. 증여세는?"
WHOLE = '"relation":"직계존속","amount":"3억원","debt":"1억원","generation_skip":true,"filed":false'


@pytest.mark.parametrize(
    ("question", "call", "left_out"),
    [
        (GIFT, f'{{"tax":"gift",{WHOLE}}}', ()),
        (GIFT, '{"tax":"gift","relation":"직계존속","amount":"3억원","generation_skip":true,"filed":false}', ("1억원", "인수한 채무")),
        (GIFT, '{"tax":"gift","relation":"직계존속","amount":"3억원","debt":"1억원"}', ("기한 안에 신고하지 않음", "세대를 건너뛴 증여")),
        (
            "조정대상지역 아파트를 5억원에 사서 2주택이 됩니다. 취득세는?",
            '{"tax":"acquisition","value":"5억원","homes":2,"adjusted":false}',
            ("조정대상지역의 주택",),
        ),
        ("비조정대상지역 아파트를 5억원에 사서 2주택이 됩니다. 취득세는?", '{"tax":"acquisition","value":"5억원","homes":2,"adjusted":false}', ()),
        ("상속받은 논 취득가액이 3억원입니다. 취득세는?", '{"tax":"acquisition","value":"3억원","cause":"상속","asset":"그 밖의 부동산"}', ("농지",)),
        ("공시가격 3억원인 집, 1세대 1주택이 아닙니다. 재산세는?", '{"tax":"property","official_price":"3억원","only_home":true}', ("1세대 1주택",)),
        ("2024년에 공시가격 3억원인 건축물의 재산세는?", '{"tax":"property","official_price":"3억원","kind":"건축물"}', ("2024년",)),
        ("아들에게 1억원을 증여했습니다. 증여세는?", '{"tax":"gift","amount":"1억원","relation":"직계비속"}', ("준 사람과의 관계(직계존속)",)),
        ("간이과세자 꽃집, 공급대가 7천만원. 부가세는?", '{"tax":"vat_simplified","gross":"7천만원","industry":"카페"}', ("업종",)),
        ("총급여 6천만원인 직장인의 소득세는?", '{"tax":"income","base":"6천만원"}', ("총급여",)),
        # Words of its own for what the templates say otherwise: silence proves nothing there.
        ("아버지께 1억원을 증여받고 신고를 깜빡했어요. 증여세는?", '{"tax":"gift","amount":"1억원","relation":"직계존속","filed":false}', ()),
        ("어머니와 자녀 2명이 5억원을 상속받습니다. 상속세는?", '{"tax":"inheritance","estate":"5억원","spouse":true,"children":2}', ()),
        ("아버지께 1억원을 증여받았어요. 증여세는?", '{"tax":"gift","amount":"1억원","relation":"직계존속","filed":false}', ("기한 안에 신고하지 않음",)),
        ("만 70세이고 15년 보유한 1세대 1주택, 공시가격 18억원. 종부세는?", '{"tax":"holding","official_price":"18억원","one_home":true,"age":70,"held_years":70}', ("15년 보유",)),
        ("배우자와 자녀 2명이 9억원을 상속받아요. 상속세는?", '{"tax":"inheritance","estate":"9억원","spouse":true,"spouse_receives":"9억원","children":2}', ("9억원(질문에는 1번)",)),
        # Of the people it names nobody could stand in that relation, whoever of them gives.
        ("와이프 명의로 10억짜리 집을 넘겨주려고 해요. 증여세는?", '{"tax":"gift","amount":"10억","relation":"직계존속"}', ("준 사람과의 관계(배우자)",)),
        ("와이프 명의로 10억짜리 집을 넘겨주려고 해요. 증여세는?", '{"tax":"gift","amount":"10억","relation":"배우자"}', ()),
        ("큰이모가 5천만원 주셨는데 증여세는?", '{"tax":"gift","amount":"5천만원","relation":"직계존속"}', ("준 사람과의 관계(기타친족)",)),
        ("엄마 돈 2억을 넘겨 쓰게 됐어요. 증여세는?", '{"tax":"gift","amount":"2억","relation":"배우자"}', ("준 사람과의 관계(직계비속, 직계존속)",)),
        ("혼자 사시던 어머니가 8억원을 남기셨고 자녀 1명, 배우자는 안 계세요. 상속세는?", '{"tax":"inheritance","estate":"8억원","children":1}', ()),
        ("어머니가 8억원을 남기셨고 자녀 1명, 배우자가 계세요. 상속세는?", '{"tax":"inheritance","estate":"8억원","children":1}', ("배우자",)),
        ("땅을 3억에 사서 8년 보유하다 6억에 팔았어요. 비사업용은 아닙니다. 양도세는?", '{"tax":"capital_gains","sale_price":"6억","purchase_price":"3억","asset":"토지","held_years":8}', ()),
        ("비사업용 땅을 3억에 사서 8년 보유하다 6억에 팔았어요. 양도세는?", '{"tax":"capital_gains","sale_price":"6억","purchase_price":"3억","asset":"토지","held_years":8}', ("비사업용 토지",)),
        ("세탁소 하는 간이과세자, 공급대가 6천만원, 세금계산서 받고 산 재료 1천만원. 부가세는?", '{"tax":"vat_simplified","gross":"6천만원","industry":"세탁소","purchases":"1천만원"}', ()),
        ("세 살 많은 언니에게 1억원을 받았어요. 증여세는?", '{"tax":"gift","amount":"1억원","relation":"기타친족"}', ()),
        ("5살 많은 형에게 1억원을 받았어요. 증여세는?", '{"tax":"gift","amount":"1억원","relation":"기타친족"}', ()),
        ("아빠가 두 살배기 딸에게 3천만원을 증여했어요. 증여세는?", '{"tax":"gift","amount":"3천만원","relation":"직계존속"}', ("받는 사람이 미성년",)),
        ("퇴직금 1억원, 근속 21년이면 퇴직소득세는?", '{"tax":"retirement","pay":"1억원","years":12}', ("21년",)),
        (
            "2024-02-05에 산 땅을 2025-05-06에 팔았습니다. 취득 1억원, 양도 2억원. 양도세는?",
            '{"tax":"capital_gains","sale_price":"2억원","purchase_price":"1억원","asset":"토지","acquired":"2024-02-05","sold":"2025-05-16"}',
            ("2025-05-06",),
        ),
    ],
)  # fmt: skip
def test_what_a_call_leaves_out(question, call, left_out):
    assert unread(question, parse_call(call)) == left_out


def _cases(count):
    for tax, draw in DRAW.items():
        rng = random.Random(f"stated:{tax}")
        for _ in range(count):
            case = draw(rng, EVERY_WORDING)
            yield case.question, {"tax": tax, **case.facts}


def _call(facts):
    return parse_call(json.dumps(facts, ensure_ascii=False, default=str))


def test_right_calls_are_hardly_ever_accused():
    """A false word costs a second of reading again and shows a person a needless caution: one question in a hundred at most."""
    accused = [question for question, facts in _cases(120) if unread(question, _call(facts))]
    assert len(accused) <= 120 * len(DRAW) / 100, accused[:5]


def test_a_fact_taken_out_or_turned_round_is_noticed():
    """Mutations of right calls, one fact each, that are calls still: at least 95 in a hundred."""
    made = noticed = 0
    for question, facts in _cases(60):
        whole = _call(facts)
        for key, value in facts.items():
            changed = (
                {**facts, key: not value} if isinstance(value, bool) else {k: v for k, v in facts.items() if k != key}
            )
            try:
                call = _call(changed) if key != "tax" else whole
            except CallError:
                continue
            if call.model_dump() == whole.model_dump():
                continue
            made += 1
            noticed += bool(unread(question, call))
    assert made > 1000
    assert noticed >= 0.95 * made, noticed / made
