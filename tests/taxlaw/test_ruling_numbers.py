"""Ruling numbers and addenda: mistaken for articles they fault good answers, unread they cannot be shown to a reader."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxlaw.citations import find_citations
from taxlaw.ruling_numbers import find_addenda, find_ruling_numbers, format_addendum, ruling_key
from taxlaw.rulings import load_casebook

SHARED = Path(__file__).parents[3] / "shared/data"


@pytest.mark.parametrize(
    ("text", "body", "key"),
    [
        ("대법원 2024두55396 판결", "court", "2024두55396"),
        ("대법원 2017. 2. 15. 선고 2015두46963 판결", "court", "2015두46963"),
        ("대법원-2024-두-55396", "court", "2024두55396"),
        ("서울행정법원 2021구합54321", "court", "2021구합54321"),
        ("헌법재판소 2018헌바123 결정", "constitutional", "2018헌바123"),
        ("조심2023서1234", "tribunal", "조심2023서1234"),
        ("조심 2011서0911 (2012.04.17)", "tribunal", "조심2011서0911"),
        ("조심-2025-인-4460", "tribunal", "조심2025인4460"),
        ("서면-2023-법규기본-2039", "interpretation", "서면2023법규기본2039"),
        ("사전-2024-법규법인-0177에 따르면", "interpretation", "사전2024법규법인0177"),
        ("기준-2022-법규기본-0173(2024.3.15.)", "interpretation", "기준2022법규기본0173"),
        ("기획재정부 부가가치세제과-385", "interpretation", "기획재정부부가가치세제과385"),
        ("적부-국세청-2026-0119", "review", "적부국세청20260119"),
        ("조심２０２３서１２３４", "tribunal", "조심2023서1234"),
    ],
)
def test_each_kind_is_read_with_its_span(text, body, key):
    (found,) = find_ruling_numbers(text)
    assert (found.body, found.key) == (body, key)
    assert text[found.start : found.end] == found.text
    assert find_citations(text) == []


@pytest.mark.parametrize(
    "text", ["2024년 두 번째 신고", "법률 제11609호", "제53조 제2호", "2,024두", "1세대 1주택", "과세표준 2024-12"]
)
def test_what_only_looks_alike_is_left(text):
    assert find_ruling_numbers(text) == []


def test_every_number_of_the_casebook_is_read_whole():
    for ruling in load_casebook():
        (found,) = find_ruling_numbers(f"국세청 회신({ruling.number}, 2024. 3. 15.)을 보면")
        assert found.text == ruling.number


@pytest.mark.skipif(not SHARED.exists(), reason="shared data is not beside the repo")
def test_the_tax_office_s_search_results_are_read_whole():
    rows = (SHARED / "nts_rulings/search_rows.jsonl").read_text(encoding="utf-8").splitlines()
    numbers = [json.loads(row)["doc_no"] for row in rows]
    unread = [number for number in numbers if [found.text for found in find_ruling_numbers(number)] != [number]]
    assert not unread


@given(st.integers(1990, 2030), st.sampled_from(["두", "누", "구합"]), st.integers(1, 99999))
def test_the_key_does_not_depend_on_how_it_is_written(year, mark, number):
    written = [f"대법원 {year}{mark}{number}", f"대법원-{year}-{mark}-{number}", f"{year}{mark}{number}"]
    assert {ruling_key(one) for one in written} == {f"{year}{mark}{number}"}
    assert all(find_ruling_numbers(f"가 {one} 나")[0].text == one for one in written)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("부칙 <제21548호,2026.4.21> 제2조", "부칙 <제21548호> 제2조"),
        ("부칙 제14조(배당가산율 인상에 관한 경과조치)", "부칙 제14조"),
        ("「소득세법」 부칙 제2조제1항", "소득세법 부칙 제2조제1항"),
        ("소득세법 부칙(법률 제21221호) 제14조에 따라", "소득세법 부칙 <제21221호> 제14조"),
        ("상증법 부칙 제3조의2", "상속세 및 증여세법 부칙 제3조의2"),
        ("법률 제21217호 부칙 제5조", "부칙 <제21217호> 제5조"),
    ],
)
def test_addenda_are_read_and_written_back(text, canonical):
    (found,) = find_addenda(text)
    assert format_addendum(found) == canonical
    assert text[found.start : found.end] == found.text
    assert [format_addendum(again) for again in find_addenda(canonical)] == [canonical]


def test_an_ordinary_article_is_no_addendum():
    assert find_addenda("소득세법 제2조와 시행규칙 제3조") == []
