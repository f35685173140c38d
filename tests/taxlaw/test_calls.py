"""Calls and workings: what a student says, what code makes of it, and what the reader sees."""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taxlaw.calls import (
    answer_payable,
    call_text,
    facts_of,
    find_call,
    own_working,
    parse_call,
    render_working,
    run_call,
)
from taxlaw.errors import CallError, MissingFact, UnsupportedCase
from taxlaw.money import format_won

AS_OF = date(2025, 6, 1)
ROOT = Path(__file__).parents[2]
SHOWCASE = '{"tax":"gift","amount":"20억원","relation":"직계존속"}'

WON = st.integers(1, 10**12)
AMOUNT = WON | WON.map(format_won) | WON.map(lambda won: f"{won:,}원")
ZERO_OR = st.just(0) | AMOUNT
YEAR = st.none() | st.integers(2024, 2026)
BOOL = st.booleans()
CALLS = st.one_of(
    st.fixed_dictionaries(
        {
            "tax": st.just("gift"),
            "amount": AMOUNT,
            "relation": st.sampled_from(["배우자", "직계존속", "직계비속", "기타친족", "타인"]),
        },
        optional={
            "minor": BOOL,
            "generation_skip": BOOL,
            "marriage_birth": ZERO_OR,
            "debt": ZERO_OR,
            "prior_gifts": ZERO_OR,
        }
        | {"prior_tax": ZERO_OR, "filed": BOOL, "year": YEAR},
    ),
    st.fixed_dictionaries(
        {"tax": st.just("income"), "gross_pay": AMOUNT},
        optional={"dependants": st.integers(1, 6), "children": st.integers(0, 5), "year": YEAR},
    ),
    st.fixed_dictionaries({"tax": st.just("income"), "base": AMOUNT}, optional={"year": YEAR}),
    st.fixed_dictionaries({"tax": st.just("income"), "income": AMOUNT}, optional={"deductions": ZERO_OR, "year": YEAR}),
    st.fixed_dictionaries(
        {
            "tax": st.just("vat_simplified"),
            "gross": AMOUNT,
            "industry": st.sampled_from(["소매업", "음식점업", "그 밖의 서비스업"]),
        },
        optional={"purchases": ZERO_OR, "card_sales": ZERO_OR, "year": YEAR},
    ),
    st.fixed_dictionaries(
        {"tax": st.just("corporate"), "base": AMOUNT},
        optional={"months": st.integers(1, 12), "small_rental": BOOL, "year": YEAR},
    ),
)


def as_json(raw: dict) -> str:
    return json.dumps(raw, ensure_ascii=False)


@given(CALLS)
@settings(max_examples=300, deadline=None)
def test_canonical_text_round_trips(raw):
    call = parse_call(as_json(raw))
    line = call_text(call)
    assert parse_call(line) == call
    assert call_text(parse_call(line)) == line
    assert "\n" not in line and '": ' not in line and '", ' not in line


@given(CALLS)
@settings(max_examples=300, deadline=None)
def test_the_final_amount_of_every_working_is_read_back(raw):
    call = parse_call(as_json(raw))
    try:
        result = run_call(call, AS_OF)
    except UnsupportedCase:
        assert answer_payable(call_text(call), AS_OF) is None
        return
    for plain in (False, True):
        assert answer_payable(render_working(result, plain), AS_OF) == result.payable
    assert answer_payable(call_text(call), AS_OF) == result.payable


def test_defaults_and_word_order_do_not_change_the_canonical_line():
    wordy = '{"year": null, "relation": "직계존속", "filed": true, "debt": "0원", "amount": "20억원", "tax": "gift"}'
    assert call_text(parse_call(wordy)) == SHOWCASE


def test_amounts_in_words_and_in_won_are_the_same_facts():
    number = parse_call('{"tax":"gift","amount":2000000000,"relation":"직계존속","year":2025}')
    assert facts_of(parse_call(SHOWCASE), AS_OF) == facts_of(number, date(2026, 1, 1))


def test_a_call_without_a_year_is_for_the_year_asked_about():
    call = parse_call('{"tax":"corporate","base":"10억원"}')
    assert [run_call(call, date(year, 1, 1)).payable for year in (2025, 2026)] == [170_000_000, 180_000_000]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "JSON"),
        ("부모님께 20억원", "JSON"),
        ("{", "JSON"),
        ('{"a":' * 5000, "JSON"),
        ("[1]", "JSON"),
        ('{"amount":1}', "tax"),
        ('{"tax":"상속"}', "gift"),
        ('{"tax":"gift","amount":1}', "relation: 빠졌습니다"),
        ('{"tax":"gift","amount":1,"relation":"부모"}', "relation"),
        ('{"tax":"gift","amount":1,"relation":"타인","note":""}', "note: 모르는 키"),
        ('{"tax":"gift","amount":"많이","relation":"타인"}', "많이"),
        ('{"tax":"gift","amount":1.5,"relation":"타인"}', "amount"),
        ('{"tax":"gift","amount":true,"relation":"타인"}', "amount"),
        ('{"tax":"gift","amount":-1,"relation":"타인"}', "amount"),
        ('{"tax":"gift","amount":1' + "0" * 5000 + ',"relation":"타인"}', "JSON"),
        ('{"tax":"gift","amount":1' + "0" * 20 + ',"relation":"타인"}', "1경원"),
        ('{"tax":"gift","amount":1,"relation":"타인","minor":"true"}', "minor"),
        ('{"tax":"gift","amount":1,"amount":2,"relation":"타인"}', "두 번"),
        ('{"tax":"income"}', "하나만"),
        ('{"tax":"income","base":1,"gross_pay":1}', "하나만"),
        ('{"tax":"corporate","base":1,"months":13}', "months"),
        (SHOWCASE + " 입니다", "다른 글"),
    ],
)
def test_what_is_wrong_with_a_call_is_said(text, word):
    with pytest.raises(CallError, match=word):
        parse_call(text)


@given(st.text() | st.text().map(lambda tail: "{" + tail) | st.text().map(lambda tail: '{"tax":"gift",' + tail))
@settings(max_examples=300, deadline=None)
def test_junk_is_no_call_and_never_an_exception(text):
    assert find_call(text) is None


@pytest.mark.parametrize(
    "text", [SHOWCASE, f"  {SHOWCASE}\n\n납부할 세액은 …", f"```json\n{SHOWCASE}\n```", SHOWCASE + "}"]
)
def test_a_call_at_the_start_of_a_text_is_found(text):
    assert find_call(text) == parse_call(SHOWCASE)


def test_a_call_further_on_is_not_the_answer():
    assert find_call(f"호출은 {SHOWCASE}") is None


def test_expert_working_of_the_showcase_cites_its_articles_and_states_its_assumptions():
    working = render_working(run_call(parse_call(SHOWCASE), AS_OF))
    for words in (
        "「상속세 및 증여세법」 제53조제2호",
        "제56조",
        "제26조",
        "제69조제2항",
        "성년",
        "기한 안에 신고",
        "2025년",
    ):
        assert words in working
    assert "산출세액: 2억 4,000만원 + (19억 5,000만원 - 10억원) × 40% = 6억 2,000만원" in working
    assert working.splitlines()[-1] == "납부할 세액: 6억 140만원 (601,400,000원)"
    assert len(working.splitlines()) <= 9


def test_plain_working_has_no_articles_but_the_same_figures():
    result = run_call(parse_call(SHOWCASE), AS_OF)
    expert, plain = render_working(result), render_working(result, plain=True)
    assert "제5" not in plain and "「" not in plain and "과세표준" not in plain
    assert plain.splitlines()[-1] == expert.splitlines()[-1]
    assert "성년" in plain


def test_nothing_to_pay_is_written_once():
    working = render_working(run_call(parse_call('{"tax":"gift","amount":"5억원","relation":"배우자"}'), AS_OF))
    assert working.splitlines()[-1] == "납부할 세액: 0원"


@pytest.mark.parametrize(
    ("text", "payable"),
    [
        # The predecessor's own training pair.
        ("공제 없음. 1억까지 10%, 5억까지 20%이므로 총 증여세 9,000만원입니다.", 90_000_000),
        ("총 증여세는 9,000만 원입니다.", 90_000_000),
        ("산출세액 6억 2,000만원에서 1,860만원을 빼므로 납부할 세액은 6억 140만원입니다.", 601_400_000),
        ("납부할 세액은 6억 140만원이며, 신고하지 않으면 6억 2,000만원입니다.", 601_400_000),
        ("납부할 세액 = 6억 2,000만원 - 1,860만원 = 6억 140만원", 601_400_000),
        ("차감 납부할 세액: 370,000원", 370_000),
        ("결정세액은 411만 2,500원입니다.", 4_112_500),
        ("증여세는 601,400,000원입니다. 공제는 5,000만원입니다.", 601_400_000),
        ("증여재산공제가 6억원이라 내야 할 세금은 없습니다.", 0),
        ("4,800만원 미만이라 납부의무가 면제됩니다.", 0),
        ("납부할 세액은 산출세액 6억 2,000만원에서 신고세액공제 1,860만원을 뺀 6억 140만원입니다.", 601_400_000),
        ("계산하면 약 6억 140만원(601,400,000원)을 내야 합니다.", 601_400_000),
        ("그러므로 **총 증여세: 9,000만원**", 90_000_000),
        ("증여세는 10년 동안 5,000만원까지 공제됩니다.", None),
        ("증여세는 1억원을 초과하면 20%입니다.", None),
        ("증여세 신고기한은 3개월입니다.", None),
        ("공제는 5,000만원입니다.", None),
        ("", None),
        ('{"tax":"gift","amount":"20억원","relation":"직계존속"}\n납부할 세액: 1원', 601_400_000),
        ('{"tax":"gift","amount":"20억원","relation":"직계존속"}\n증여재산가액: 20억원\n납부할 세액: 1원', 1),
        ('{"tax":"gift","amount":"20억원","relation":"직계존속"}\n증여재산가액: 20억원', None),
        ('{"tax":"gift","amount":"20억원","relation":"직계존속"}\n아버지께 받으셨군요. 납부할 세액: 1원', 601_400_000),
    ],
)
def test_the_tax_an_answer_states(text, payable):
    assert answer_payable(text, AS_OF) == payable


def test_a_working_under_a_call_is_told_from_a_call_alone_and_from_other_words():
    call, working = '{"tax":"gift","amount":"20억원","relation":"직계존속"}', "증여재산가액: 20억원\n납부할 세액: 1원"
    assert own_working(f"{call}\n{working}") == own_working(f"```json\n{call}\n{working}") == working
    for other in (
        call,
        working,
        f"{call}}}\n{working}",
        f"{call}\n증여재산가액: 20",
        f"{call}\n세금을 계산했습니다.",
        "",
    ):
        assert own_working(other) is None


def test_a_call_that_cannot_be_run_says_why():
    with pytest.raises(UnsupportedCase, match="2031년"):
        run_call(parse_call('{"tax":"corporate","base":1,"year":2031}'), AS_OF)
    assert issubclass(MissingFact, UnsupportedCase)


def test_importing_the_calls_brings_no_heavy_package():
    code = "import sys, taxlaw.calls, taxlaw.cases; print(sorted({'torch', 'datasets', 'transformers', 'openai'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"
