"""Questions as people type them, none from a template: a right call to them is neither doubted nor turned into a question."""

import json
from datetime import date

import pytest

from taxlaw.asking_back import facts_to_ask
from taxlaw.calls import parse_call
from taxlaw.errors import CallError
from taxlaw.rereading import doubts

DAY = date(2026, 6, 1)
QUESTIONS = [
    (
        "아빠가 집 살 때 보태라고 2억 주셨는데 증여세 얼마 나와요? 신고는 제때 했어요",
        '{"tax":"gift","amount":"2억","relation":"직계존속"}',
    ),
    (
        "외할머니한테 5천만원 받았습니다. 저는 서른다섯입니다. 증여세는?",
        '{"tax":"gift","amount":"5천만원","relation":"직계존속","generation_skip":true}',
    ),
    ("결혼 10년차 아내에게 7억을 증여할 생각인데 세금이 얼마죠?", '{"tax":"gift","amount":"7억","relation":"배우자"}'),
    (
        "고등학생 딸 통장에 3천만원을 넣어줬습니다. 증여세가 나오나요?",
        '{"tax":"gift","amount":"3천만원","relation":"직계존속","minor":true}',
    ),
    (
        "삼촌이 1억을 그냥 주셨어요. 신고를 안 했는데 증여세가 얼마인가요?",
        '{"tax":"gift","amount":"1억","relation":"기타친족","filed":false}',
    ),
    (
        "5년 전에 아버지께 3천만원 받은 게 있고 올해 또 아버지께 1억 받았어요. 증여세는?",
        '{"tax":"gift","amount":"1억","relation":"직계존속","prior_gifts":"3천만원"}',
    ),
    (
        "어머니가 전세 끼고 9억짜리 아파트를 물려주셨습니다. 전세금 4억은 제가 돌려줘야 해요. 증여세 계산해주세요",
        '{"tax":"gift","amount":"9억","relation":"직계존속","debt":"4억"}',
    ),
    (
        "신혼인데 시부모님이 1억5천을 주셨어요. 증여세 내야 하나요?",
        '{"tax":"gift","amount":"1억5천","relation":"기타친족"}',
    ),
    ("연봉 6500만원 직장인이고 혼자 살아요. 소득세 얼마나 내나요?", '{"tax":"income","gross_pay":"6500만원"}'),
    ("작년 종합소득 과표가 9,200만원이었는데 종소세 얼마였을까요?", '{"tax":"income","base":"9,200만원"}'),
    (
        "총급여 8천만원, 배우자와 초등학생 아이 둘 부양 중이면 결정세액은?",
        '{"tax":"income","gross_pay":"8천만원","dependants":4,"children":2}',
    ),
    (
        "종합소득금액 1억2천만원에 소득공제는 다 합쳐 900만원이래요. 종합소득세?",
        '{"tax":"income","income":"1억2천만원","deductions":"900만원"}',
    ),
    (
        "동네에서 분식집을 하는 간이과세자인데 작년 매출이 7,200만원이었어요(부가세 포함). 부가세 얼마죠?",
        '{"tax":"vat_simplified","gross":"7,200만원","industry":"분식집"}',
    ),
    (
        "간이과세 미용실, 공급대가 6800만원, 카드로 받은 게 5천만원. 부가세?",
        '{"tax":"vat_simplified","gross":"6800만원","industry":"미용실","card_sales":"5천만원"}',
    ),
    (
        "일반과세자이고 상반기 매출 공급가액 2억, 매입 공급가액 1억2천입니다. 부가세 납부액은?",
        '{"tax":"vat_general","supply":"2억","purchases":"1억2천"}',
    ),
    (
        "부가세 포함해서 1억1천만원어치 팔았고, 매입세액은 400만원이에요. 일반과세 부가세 얼마?",
        '{"tax":"vat_general","supply_with_tax":"1억1천만원","input_tax":"400만원"}',
    ),
    (
        "올해 1기 공급가액 3억, 수출 1억 따로 있고 매입세액 1,500만원입니다. 일반과세자 부가세는?",
        '{"tax":"vat_general","supply":"3억","zero_rated":"1억","input_tax":"1,500만원"}',
    ),
    ("우리 회사 법인세 과세표준이 5억인데 법인세 얼마 내요?", '{"tax":"corporate","base":"5억"}'),
    ("신설법인이라 첫 사업연도가 8개월이고 과표는 3억입니다. 법인세?", '{"tax":"corporate","base":"3억","months":8}'),
    (
        "아버지가 돌아가시면서 15억을 남기셨어요. 어머니와 자식 셋이 있고 어머니는 5억을 받기로 했습니다. 상속세는?",
        '{"tax":"inheritance","estate":"15억","spouse":true,"children":3,"spouse_receives":"5억"}',
    ),
    (
        "남편 사망으로 12억을 상속받았고 아이가 둘이에요. 상속세 얼마예요?",
        '{"tax":"inheritance","estate":"12억","spouse":true,"children":2}',
    ),
    (
        "배우자 없이 아들 하나가 8억을 상속받습니다. 장례비 800만원 썼어요. 상속세는 얼마?",
        '{"tax":"inheritance","estate":"8억","children":1,"funeral":"800만원"}',
    ),
    (
        "20년 다닌 회사를 그만두고 퇴직금 1억8천을 받았어요. 퇴직소득세는?",
        '{"tax":"retirement","pay":"1억8천","years":20}',
    ),
    (
        "2005년 3월 2일 입사해서 2025년 2월 28일 퇴사, 퇴직금 2억입니다. 퇴직소득세 계산해 주세요",
        '{"tax":"retirement","pay":"2억","start":"2005-03-02","end":"2025-02-28"}',
    ),
    (
        "3억에 산 아파트를 8억에 팔았어요. 12년 갖고 있었고 1세대1주택에 10년 거주했습니다. 양도세는?",
        '{"tax":"capital_gains","sale_price":"8억","purchase_price":"3억","asset":"주택","held_years":12,"one_home":true,"residence_years":10}',
    ),
    (
        "땅을 1억에 사서 8년 뒤 3억에 팔았습니다. 중개비 등 경비 500만원. 양도소득세 얼마?",
        '{"tax":"capital_gains","sale_price":"3억","purchase_price":"1억","expenses":"500만원","asset":"토지","held_years":8}',
    ),
    (
        "분양권을 4억에 사서 1년 반 만에 5억에 넘겼어요. 양도세가 얼마죠?",
        '{"tax":"capital_gains","sale_price":"5억","purchase_price":"4억","asset":"분양권","held_years":1}',
    ),
    (
        "집이 두 채인데 그중 하나(5년 보유)를 6억에 팔았습니다. 살 때는 4억이었고 비조정지역이에요. 양도세?",
        '{"tax":"capital_gains","sale_price":"6억","purchase_price":"4억","asset":"주택","held_years":5,"homes":2,"adjusted_when_sold":false}',
    ),
    (
        "공시가 20억짜리 아파트 한 채만 있습니다. 만 66세, 11년 보유. 종부세는?",
        '{"tax":"holding","official_price":"20억","one_home":true,"age":66,"held_years":11}',
    ),
    ("세 채 합쳐 공시가격 25억인데 종부세 얼마 나와요?", '{"tax":"holding","official_price":"25억","homes":3}'),
    ("생애 첫 집으로 6억 아파트를 샀어요. 취득세는 얼마인가요?", '{"tax":"acquisition","value":"6억"}'),
    (
        "서울에 집이 하나 있는데 조정대상지역 아파트를 9억에 또 사면 취득세 얼마예요? 2주택이 됩니다",
        '{"tax":"acquisition","value":"9억","homes":2,"adjusted":true}',
    ),
    (
        "아버지한테 상속받은 밭의 취득가액이 2억이면 취득세는?",
        '{"tax":"acquisition","value":"2억","cause":"상속","asset":"농지"}',
    ),
    ("상가를 5억에 매입했습니다. 취득세가 얼마인가요?", '{"tax":"acquisition","value":"5억","asset":"그 밖의 부동산"}'),
    (
        "시가표준액 4억인 우리집 재산세 얼마죠? 1가구 1주택이에요",
        '{"tax":"property","official_price":"4억","only_home":true}',
    ),
    ("공시가격 3억 아파트인데 집이 두 채라 1주택자는 아니에요. 재산세는?", '{"tax":"property","official_price":"3억"}'),
    (
        "프리랜서 디자이너한테 300만원 지급하는데 원천징수 얼마 하나요?",
        '{"tax":"withholding","kind":"사업소득","amount":"300만원"}',
    ),
    ("로또 1등 20억 당첨되면 세금 얼마 떼나요?", '{"tax":"withholding","kind":"복권","amount":"20억"}'),
    ("정기예금 이자 200만원에서 세금 얼마나 떼요?", '{"tax":"withholding","kind":"이자","amount":"200만원"}'),
    ("일당 25만원 받는 일용직 원천세는?", '{"tax":"withholding","kind":"일용근로","amount":"25만원"}'),
    (
        "증여세 500만원을 2025년 3월 31일까지 신고했어야 했는데 신고를 못 하고 2025년 6월 30일에 냈어요. 가산세는?",
        '{"tax":"penalty","kind":"무신고","tax_amount":"500만원","deadline":"2025-03-31","paid_on":"2025-06-30"}',
    ),
    (
        "부가세 300만원을 2025년 1월 25일까지 못 내고 2월 24일에 냈습니다. 납부지연가산세 얼마?",
        '{"tax":"penalty","kind":"납부지연","tax_amount":"300만원","deadline":"2025-01-25","paid_on":"2025-02-24"}',
    ),
    ("이혼한 친구에게 2천만원을 받았는데 증여세가 있나요?", '{"tax":"gift","amount":"2천만원","relation":"타인"}'),
    (
        "장인어른이 사업자금으로 3억 주셨어요. 올해 증여세 얼마 내야 해요?",
        '{"tax":"gift","amount":"3억","relation":"기타친족"}',
    ),
    (
        "군인인 아들에게 5천만원을 줬는데 증여세 신고하면 얼마죠?",
        '{"tax":"gift","amount":"5천만원","relation":"직계존속"}',
    ),
]


@pytest.mark.parametrize(("question", "call"), QUESTIONS)
def test_a_right_call_is_not_doubted(question, call):
    assert doubts(question, call, DAY) == ()
    assert facts_to_ask(question, call[:-1], DAY) == (), "half the call would ask for what is stated"


def test_a_fact_taken_out_is_noticed_in_these_words_too():
    made = noticed = 0
    for question, call in QUESTIONS:
        facts = json.loads(call)
        for key in facts:
            less = {name: value for name, value in facts.items() if name != key}
            try:
                changed = key != "tax" and parse_call(json.dumps(less)) != parse_call(call)
            except CallError:
                continue  # a fact that no call is without
            if changed:
                made += 1
                noticed += doubts(question, json.dumps(less, ensure_ascii=False), DAY) != ()
    assert made > 40 and noticed >= 0.8 * made, (made, noticed)
