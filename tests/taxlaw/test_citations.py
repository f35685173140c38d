"""If these fail, a citation is attributed to the wrong provision, and true answers are called false or the reverse."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxlaw.citations import find_citations, format_citation
from taxlaw.law_names import ACTS, full_name, laws_in, looks_like_tax_law, nearest_law, without_laws

CASES = Path(__file__).parents[2].parent / "shared" / "data" / "citations" / "citation_cases.jsonl"


def named(text: str) -> list[str]:
    return [format_citation(citation) for citation in find_citations(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("「소득세법」 제59조의4제2항제1호가목", ["소득세법 제59조의4제2항제1호가목"]),
        ("소득세법 §59의4②", ["소득세법 제59조의4제2항"]),
        ("상증법 제53조 제2호", ["상속세 및 증여세법 제53조제2호"]),
        ("상속세및증여세법제53조제2호", ["상속세 및 증여세법 제53조제2호"]),
        ("소득세법 제１５조의２", ["소득세법 제15조의2"]),
        ("상증법 53조 5억원", ["상속세 및 증여세법 제53조"]),
        ("상증령 §15③", ["상속세 및 증여세법 시행령 제15조제3항"]),
        ("「소득세법」 시행규칙 제72조", ["소득세법 시행규칙 제72조"]),
        ("소득세법 제104조제1항제1호의2", ["소득세법 제104조제1항제1호의2"]),
        ("소득세법 제55조(세율) 제1항", ["소득세법 제55조제1항"]),
        ("소득세법에 따르면 제59조의4는", ["소득세법 제59조의4"]),
        ("상증법 제53조·제56조", ["상속세 및 증여세법 제53조", "상속세 및 증여세법 제56조"]),
        ("소득세법 제95조부터 제97조까지", ["소득세법 제95조", "소득세법 제96조", "소득세법 제97조"]),
        ("국세기본법 제26조의2제1항·제2항제1호 및 제2호", [
            "국세기본법 제26조의2제1항", "국세기본법 제26조의2제2항제1호", "국세기본법 제26조의2제2항제2호",
        ]),
        ("제53조의2", ["제53조의2"]),
        ("영 §154①", ["제154조제1항"]),
    ],
)  # fmt: skip
def test_common_forms(text, expected):
    assert named(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("소득세법 제89조 및 같은 법 시행령 제154조", ["소득세법 제89조", "소득세법 시행령 제154조"]),
        ("상증법 제53조, 동법 제56조", ["상속세 및 증여세법 제53조", "상속세 및 증여세법 제56조"]),
        ("소득세법 시행령 제154조, 같은 조 제2항", ["소득세법 시행령 제154조", "소득세법 시행령 제154조제2항"]),
        ("소득세법(이하 '법') 제2조, 영 제3조, 규칙 제4조", ["소득세법 제2조", "소득세법 시행령 제3조", "소득세법 시행규칙 제4조"]),
        ("민법 제1000조. 국세기본법 제24조와 같은 법 제25조", ["민법 제1000조", "국세기본법 제24조", "국세기본법 제25조"]),
        ("구 국세기본법(2011. 12. 31. 법률 제11124호로 개정되기 전의 것) 제47조의3", ["국세기본법 제47조의3"]),
    ],
)  # fmt: skip
def test_the_law_named_before_is_carried_on(text, expected):
    assert named(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "법률 제11609호, 대통령령 제36132호",
        "서면-2024-상속증여-3920(2025.12.29.), 조심2011서0911, 대법원 2015두46963 판결",
        "기본통칙 53-46…1, 집행기준 25-42-1, K-IFRS 제1116호",
        "부칙 제14조(경과조치), 부칙 <제21548호,2026.4.21> 제2조 및 제3조",
        "1조원, 53조 원, 제3항, 제1호",
    ],
)
def test_what_is_not_an_article(text):
    assert find_citations(text) == []


def test_a_short_name_inside_a_longer_word_is_not_that_law():
    assert named("난민법 제2조") == ["난민법 제2조"]
    assert named("한･미 조세조약 제19조") == ["한･미 조세조약 제19조"]


def test_a_law_taken_from_an_earlier_sentence_is_marked_implied():
    first, second, third = find_citations("상증법 제53조와 제56조에 따른다. 제69조도 적용한다.")
    assert (first.implied, second.implied, third.implied) == (False, False, True)
    assert third.law == "상속세 및 증여세법"


def test_old_law_is_marked_former():
    assert [c.former for c in find_citations("구 소득세법 제94조와 소득세법 제95조")] == [True, False]


def test_offsets_are_those_of_the_text():
    text = "１. 「소득세법」 제２０조제１항ㆍ제2항"
    assert [text[c.start : c.end] for c in find_citations(text)] == ["제２０조제１항", "제2항"]
    assert all(text[c.start : c.end] == c.text for c in find_citations(text))


laws = st.sampled_from([None, *ACTS, *(f"{law} 시행령" for law in ACTS), *(f"{law} 시행규칙" for law in ACTS), "민법"])
articles = st.builds(lambda n, b: f"제{n}조" + (f"의{b}" if b else ""), st.integers(1, 999), st.integers(0, 40))
subparagraphs = st.builds(lambda n, b: f"{n}호" + (f"의{b}" if b else ""), st.integers(1, 40), st.integers(0, 5))


@given(laws, articles, st.none() | st.integers(1, 30), st.none() | subparagraphs, st.sampled_from(["", "가", "하"]))
def test_a_canonical_citation_names_the_same_provision_when_read_again(law, article, paragraph, subparagraph, item):
    text = (f"{law} " if law else "") + article
    text += f"제{paragraph}항" if paragraph else ""
    text += f"제{subparagraph}" if subparagraph else ""
    text += f"{item}목" if subparagraph and item else ""
    assert named(text) == [text]
    assert named(f"따라서 {text}에 따라 과세한다.") == [text]


@pytest.mark.parametrize("law", ACTS)
def test_every_abbreviation_leads_to_its_law(law):
    for short in ACTS[law]:
        assert full_name(short) == law
        assert named(f"{short} 제1조 및 {short} 시행령 제2조") == [f"{law} 제1조", f"{law} 시행령 제2조"]


def test_wrong_names_of_laws():
    assert full_name("증여세법") is None
    assert looks_like_tax_law("증여세법") and nearest_law("증여세법") == "상속세 및 증여세법"
    assert nearest_law("부가가치법 시행령") == "부가가치세법 시행령"
    assert not looks_like_tax_law("민법") and not looks_like_tax_law("상속세법")


@pytest.mark.skipif(not CASES.is_file(), reason="shared data is not here")
def test_shared_cases():
    wrong = []
    for line in CASES.read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        expected = []
        for row in case["expected"]:
            if row["kind"] != "부칙":  # articles of an addendum are left out on purpose
                law = row["law"] if row["law"] is None or row["kind"] == "법률" else f"{row['law']} {row['kind']}"
                expected.append((law, row["article"], row.get("paragraph"), row.get("item"), row.get("subitem")))
        got = [(c.law, c.article, c.paragraph, c.subparagraph, c.item) for c in find_citations(case["text"])]
        if got != expected:
            wrong.append((case["text"], got))
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("지방세법 세율은 어떻게 되나요?", ("지방세법",)),
        ("주세법 시행령의 서식과 주세법의 목적", ("주세법 시행령", "주세법")),
        ("상증세법과 소득세법시행령", ("상속세 및 증여세법", "소득세법 시행령")),
        ("지방소득세법이 아니라 지방세 특례제한법", ("지방세특례제한법",)),  # no law's name inside another word
        ("방법과 부법을 알려 주세요", ()),
    ],
)
def test_the_laws_a_text_names(text, named):
    assert laws_in(text) == named
    assert not laws_in(without_laws(text))
