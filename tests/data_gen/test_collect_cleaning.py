"""If these fail, the same ruling is paid for twice, a person's number reaches a teacher, or a citation points beside its words."""

import unicodedata
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_gen.collect.cleaning import EMPTY, SAME_ID, SAME_TEXT, Seen, clean, unify
from data_gen.collect.tallies import CHANGED, DROPPED, KEPT, grouped
from data_gen.documents import Part
from data_gen.rows import short_hash

RESIDENT = "900101-1234568"  # a made-up number whose check digit is right


@pytest.fixture
def make(document):
    def build(text, number=1, **changes):
        return document(number, text=text, version=short_hash(text), **changes)

    return build


@pytest.mark.parametrize(
    ("odd", "plain"),
    [
        ("세율１０％（예정）", "세율10%(예정)"),
        ("소득\u00a0금액\u3000합계", "소득 금액 합계"),
        ("취득·양도・보유･이전", "취득ㆍ양도ㆍ보유ㆍ이전"),
        ("“비과세”와 ‘과세’", "\"비과세\"와 '과세'"),
        ("서면‐2024‑법인", "서면-2024-법인"),
        ("1월∼3월", "1월~3월"),
        ("가\r\n나\r다", "가\n나\n다"),
        ("세\u200b액\ufeff\u00ad공\x00제", "세액공제"),
        ("\u1112\u1161\u11ab글", "한글"),
        ("\uf90a", "\u91d1"),
    ],
)
def test_each_character_has_one_form(odd, plain):
    tally = Counter()
    assert unify(odd, tally) == plain and unify(plain) == plain
    assert sum(grouped(tally, CHANGED).values()) > 0


def test_forms_that_mean_something_in_law_are_left_alone():
    kept = "① 85㎡ 이하 ½ 「소득세법」 제1조…㈜ 1−2 × 3 Ⅱ ○○○ 👨‍👩‍👧\n\t│ 표 │"
    assert unify(kept) == kept


@given(st.text())
def test_unifying_is_done_once(text):
    once = unify(text)
    assert unify(once) == once and unicodedata.is_normalized("NFC", once)


def test_parts_name_the_same_words_afterwards(make):
    text = "머리\r\n１항 “가”\r\n２호\u200b 나·다\r\n\u200b끝"
    cut = [0, text.index("１"), text.index("２"), text.index("끝") - 1, text.index("끝"), len(text)]
    spans = [("머리", 0, 1), ("제1항", 1, 3), ("제1항제2호", 2, 3), ("빈 것", 3, 4), ("끝", 4, 5)]
    parts = tuple(Part(name, cut[start], cut[end]) for name, start, end in spans)
    (tidied,) = clean([make(text, parts=parts)], Counter())
    assert tidied.text == '머리\n1항 "가"\n2호 나ㆍ다\n끝'
    assert [(part.name, tidied.text[part.start : part.end]) for part in tidied.parts] == [
        ("머리", "머리\n"),
        ("제1항", '1항 "가"\n2호 나ㆍ다\n'),
        ("제1항제2호", "2호 나ㆍ다\n"),
        ("끝", "끝"),
    ]
    assert tidied.version == short_hash(tidied.text)


def test_a_border_between_the_two_signs_of_a_line_end_still_lies_in_the_text(make):
    (tidied,) = clean([make("가\r\n나", parts=(Part("앞", 0, 2), Part("뒤", 2, 4)))], Counter())
    assert tidied.text == "가\n나"
    assert [(part.start, part.end) for part in tidied.parts] == [(0, 2), (2, 3)]


def test_twins_and_empty_documents_are_dropped_with_their_reason_across_sources(make):
    seen, first, second = Seen(), Counter(), Counter()
    one = make("증여재산공제는 10년에 5,000만원이다.")
    list(clean([one, make("증여재산공제는  10년에\n5,000만원이다.", 2), make(" \n\u200b", 3)], first, seen))
    list(clean([replace(one, id="other"), make("다른 글", 1), make("또 다른 글", 4)], second, seen))
    assert grouped(first, DROPPED) == {SAME_TEXT: 1, EMPTY: 1} and first[KEPT] == 1
    assert grouped(second, DROPPED) == {SAME_TEXT: 1, SAME_ID: 1} and second[KEPT] == 1


def test_personal_numbers_are_masked_in_text_title_and_facts_and_parts_stay(make):
    text = f"청구인 홍길동({RESIDENT})은 신고하였다."
    start = text.index("신고")
    dirty = make(
        text, title=f"{RESIDENT} 사건", meta=(("gist", f"요지 {RESIDENT}"),), parts=(Part("끝", start, len(text)),)
    )
    tally = Counter()
    (tidied,) = clean([dirty], tally)
    assert not any("1234568" in words for words in (tidied.text, tidied.title, dict(tidied.meta)["gist"]))
    assert tidied.text[tidied.parts[0].start :] == "신고하였다."
    assert tidied.version == short_hash(tidied.text) != dirty.version
    assert sum(count for what, count in grouped(tally, CHANGED).items() if "개인정보" in what) == 2


def test_a_plain_document_goes_through_untouched(make):
    plain = make("① 85㎡ 이하의 주택")
    assert list(clean([plain], Counter())) == [plain]
