"""If these fail, a 항, 호 or 목 never reaches the teacher, or text that is not the law on the date is asked about as law."""

import json
import re
from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_gen.collect.cleaning import clean, unify
from data_gen.collect.law_folders import read_law_json_folder, read_law_markdown_folder
from data_gen.collect.settings import LawJsonSource, LawMarkdownSource
from data_gen.collect.statute_documents import statute_document
from data_gen.collect.tallies import DROPPED, NOTED, READ, grouped
from data_gen.errors import BadInput
from taxlaw.statutes import StatuteArticle
from taxlaw.structure import CIRCLED, ITEMS, parse_article

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
needs_responses = pytest.mark.skipif(not (SHARED / "law_api").is_dir(), reason="shared data is not here")
AS_OF = date(2026, 6, 8)


def article(text, law="가상세법", number="제5조의2", day=date(2025, 1, 1)):
    return parse_article(StatuteArticle(law, number, "제목", text, day, day, "가.md"), number="100")


def tops(document):
    """The parts that lie in no other part, in order."""
    found, end = [], 0
    for part in document.parts:
        if part.start >= end:
            found.append(part)
            end = part.end
    return found


def check_parts(document):
    assert "".join(document.text[part.start : part.end] for part in tops(document)) == document.text
    assert tops(document)[0].start == 0 and all(part.start < part.end for part in document.parts)


def words(document, name):
    (part,) = [part for part in document.parts if part.name == name]
    return document.text[part.start : part.end]


# Texts that look like statutes: marks at line starts, box lines, blank lines, odd characters.
LINES = st.lists(
    st.tuples(
        st.sampled_from(
            ["", "① ", "② ", "  1. ", "  1의2. ", "    가. ", "    나의2. ", " 1) ", "\t│", "[전문개정 2020.1.1]"]
        ),
        st.text(
            alphabet=st.one_of(
                st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3),
                st.sampled_from("·ㆍ“” \u00a0１\u1100\u1161\r\u200b금"),
            )
        ),
    ),
    max_size=12,
)


@given(LINES, st.sampled_from(["\n", "\r\n"]))
def test_the_parts_cut_the_text_without_a_gap_before_and_after_cleaning(lines, end):
    original = end.join(mark + text for mark, text in lines)
    document = statute_document(article(original), AS_OF)
    check_parts(document)
    assert document.text.endswith(original)
    (tidied,) = clean([document], Counter())
    check_parts(tidied)
    left = [part for part in document.parts if unify(document.text[part.start : part.end])]
    assert [part.name for part in tidied.parts] == [part.name for part in left]
    for before, after in zip(left, tidied.parts, strict=True):
        assert tidied.text[after.start : after.end] == unify(document.text[before.start : before.end])


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=1, max_size=6),
    st.text(alphabet=st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3), min_size=1),
)
def test_every_paragraph_subparagraph_and_item_is_a_part_of_its_own(shape, word):
    lines, expected = [], {}
    for paragraph, (subparagraphs, items) in enumerate(shape, 1):
        lines.append(f"{CIRCLED[paragraph - 1]} {word}")
        expected[f"제{paragraph}항"] = lines[-1]
        for ho in range(1, subparagraphs + 1):
            lines.append(f"  {ho}. {word}")
            expected[f"제{paragraph}항제{ho}호"] = lines[-1]
            for mok in ITEMS[:items]:
                lines.append(f"    {mok}. {word}")
                expected[f"제{paragraph}항제{ho}호{mok}목"] = lines[-1]
    document = statute_document(article("\n".join(lines)), AS_OF)
    assert {part.name for part in document.parts} == {"머리", *expected}
    for name, line in expected.items():
        assert words(document, name).startswith(line)


def test_a_document_says_what_it_is_and_names_branches():
    document = statute_document(article("다음과 같다.\n  1의2. 하나\n    가. 둘\n[본조신설 2020.1.1]"), AS_OF)
    assert [part.name for part in document.parts] == ["머리", "본문", "제1호의2", "제1호의2가목", "연혁"]
    assert document.id == "law:가상세법:제5조의2" and document.articles == ("가상세법 제5조의2",)
    assert document.title == "가상세법 제5조의2(제목)" and document.text.startswith(
        document.title + "\n시행일: 2025-01-01\n"
    )
    assert dict(document.meta)["number"] == "100" and document.area == "가상세" and not document.fault


def raw_counts(file):
    """Articles, 항 with words, 호 and 목 of a response, counted in its own JSON."""
    many = lambda value: value if isinstance(value, list) else [value] if value else []  # noqa: E731
    units = [
        u for u in many(json.loads(file.read_text("utf-8"))["법령"]["조문"]["조문단위"]) if u["조문여부"] == "조문"
    ]
    paragraphs = [hang for unit in units for hang in many(unit.get("항"))]
    hos = [ho for hang in paragraphs for ho in many(hang.get("호"))]
    return {
        "조": len(units),
        "항": sum(bool(hang.get("항내용")) for hang in paragraphs),
        "호": len(hos),
        "목": sum(len(many(ho.get("목"))) for ho in hos),
    }


@needs_responses
@pytest.mark.parametrize("name", ["vat46", "ngs41", "ita12_abridged"])
def test_the_real_responses_come_through_whole(name):
    file = SHARED / "law_api" / f"law_service_{name}.json"
    tally = Counter()
    documents = list(clean(read_law_json_folder(LawJsonSource(kind="law_json", path=file), AS_OF, tally), tally))
    names = [part.name for document in documents for part in document.parts]
    ends = {"항": r"항$", "호": r"호(의\d+)?$", "목": r"목(의\d+)?$"}
    got = {kind: sum(bool(re.search(end, name)) for name in names) for kind, end in ends.items()}
    got["조"] = len(documents)
    assert got == raw_counts(file) and len(set(names)) == len(names)
    for document in documents:
        check_parts(document)
    flat = "".join("".join(document.text.split()) for document in documents)
    lost = [
        text
        for text in leaves(json.loads(file.read_text("utf-8"))["법령"]["조문"])
        if "".join(text.split()) not in flat
    ]
    assert not lost


def leaves(value):
    """Every 항내용, 호내용 and 목내용."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("항내용", "호내용"):
                yield inner
            elif key == "목내용":
                yield from strings(inner)
            else:
                yield from leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)


def strings(value):
    if isinstance(value, str):
        yield value
    else:
        for inner in value:
            yield from strings(inner)


def markdown(folder, law, promulgated, number, effective, body, kind="법률", **more):
    facts = {
        "제목": law,
        "법령ID": "'009999'",
        "공포일자": promulgated,
        "공포번호": f"'{number}'",
        "시행일자": effective,
        **more,
    }
    file = folder / law.replace(" ", "") / f"{kind}.md"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("---\n" + "".join(f"{k}: {v}\n" for k, v in facts.items()) + f"---\n\n{body}\n", encoding="utf-8")
    return file


def read_markdown_folder(folder, as_of=AS_OF):
    tally = Counter()
    source = LawMarkdownSource(kind="law_markdown", path=folder)
    return list(clean(read_law_markdown_folder(source, as_of, tally), tally)), tally


def test_the_version_promulgated_last_and_in_force_is_read_and_says_what_changed(tmp_path):
    body = "##### 제1조 (목적)\n\n**①** 한도는 {} 만원이다.\n\n**②** 그대로다.\n"
    markdown(tmp_path / "old", "가상세법", "2023-12-31", 100, "2024-01-01", body.format(5))
    # Promulgated earlier and in force later: it lacks what came between.
    markdown(tmp_path / "stage", "가상세법", "2023-08-08", 90, "2026-01-01", body.format(3))
    markdown(tmp_path / "now", "가상세법", "2025-12-23", 200, "2026-01-01", body.format(7))
    markdown(tmp_path / "next", "가상세법", "2026-06-01", 300, "2027-01-01", body.format(9))
    (document,), tally = read_markdown_folder(tmp_path)
    assert "7 만원" in document.text and not document.fault
    (note,) = document.notes
    assert "제1항" in note and "'5'" in note and "'7'" in note
    assert sum(grouped(tally, NOTED).values()) == 3
    (document,), _ = read_markdown_folder(tmp_path, date(2025, 6, 1))
    assert "5 만원" in document.text


def test_another_law_of_the_same_name_is_not_the_version_before(tmp_path):
    body = "##### 제1조 (목적)\n\n{}\n"
    markdown(tmp_path / "a", "가상세법", "1961-12-08", 8, "1962-01-01", body.format("옛 법"), 법령ID="'000001'")
    markdown(tmp_path / "b", "가상세법", "2025-12-23", 200, "2026-01-01", body.format("새 법"))
    (document,), _ = read_markdown_folder(tmp_path)
    assert "새 법" in document.text and not document.notes


@pytest.mark.parametrize(
    ("promulgated", "effective", "said"),
    [("2026-06-02", "2026-07-01", "아직 시행되지 않은"), ("2026-07-02", "2026-07-02", "뒤에 공포된 판")],
)
def test_what_is_not_the_law_yet_carries_a_fault(tmp_path, promulgated, effective, said):
    markdown(tmp_path, "가상세법", promulgated, 1, effective, "##### 제1조 (목적)\n\n가나다.\n")
    (document,), _ = read_markdown_folder(tmp_path)
    assert said in document.fault


def test_text_older_than_the_version_of_the_date_carries_a_fault(tmp_path):
    markdown(tmp_path, "소득세법", "2024-12-31", 20615, "2025-01-01", "##### 제1조 (목적)\n\n가나다.\n")
    (document,), _ = read_markdown_folder(tmp_path)
    assert "기준일 2026-06-08의 판이 아닌 글" in document.fault and "제21548호" in document.fault
    (document,), _ = read_markdown_folder(tmp_path, date(2025, 1, 5))
    assert not document.fault


def test_an_article_whose_whole_amendment_waits_carries_a_fault_and_a_waiting_paragraph_a_note(tmp_path):
    body = "##### 제17조 (배당소득)\n\n**①** 가.\n"
    markdown(tmp_path, "소득세법", "2026-04-21", 21548, "2026-04-21", body)
    markdown(tmp_path, "세무사법", "2025-12-23", 21220, "2025-12-23", "##### 제20조 (업무의 제한 등)\n\n나.\n")
    documents, _ = read_markdown_folder(tmp_path)
    by_number = {document.articles[0].split()[-1]: document for document in documents}
    assert not by_number["제17조"].fault and "2027-01-01" in by_number["제17조"].notes[0]
    assert "2026-06-24부터 시행" in by_number["제20조"].fault


def test_days_of_a_response_reach_the_article_they_name(tmp_path):
    facts = {"법령명_한글": "가상세법", "공포번호": "7", "공포일자": "20251223", "시행일자": "20260101"}
    facts["조문시행일자문자열"] = "20270101:제1조제1항, 제2조"
    units = [
        {"조문번호": n, "조문여부": "조문", "조문제목": "가", "조문내용": f"제{n}조(가)", "항": [{"항내용": "① 나"}]}
        for n in "123"
    ]
    units[2]["조문가지번호"] = "4"
    response = {"법령": {"기본정보": facts, "조문": {"조문단위": units}}}
    (tmp_path / "law.json").write_text(json.dumps(response, ensure_ascii=False), encoding="utf-8")
    facts = {"법령명_한글": "나상세법", "공포번호": "8", "공포일자": "20251223", "시행일자": "20260101"}
    heading = {
        "법령": {"기본정보": facts, "조문": {"조문단위": {"조문번호": "1", "조문여부": "전문", "조문내용": "제1장"}}}
    }
    (tmp_path / "empty.json").write_text(json.dumps(heading, ensure_ascii=False), encoding="utf-8")
    (tmp_path / "none.json").write_text('{"Law": "일치하는 법령이 없습니다."}', encoding="utf-8")
    (tmp_path / "README.json").write_text("not json", encoding="utf-8")
    tally = Counter()
    one, two, three = clean(read_law_json_folder(LawJsonSource(kind="law_json", path=tmp_path), AS_OF, tally), tally)
    assert "제1조제1항" in one.notes[0] and "2027-01-01" in one.notes[0] and not one.fault
    assert "시행 2027-01-01" in two.fault
    assert three.articles == ("가상세법 제3조의4",) and not three.notes
    assert grouped(tally, NOTED) == {
        "법령이 아닌 파일 (law.go.kr: 일치하는 법령이 없습니다.)": 1,
        "조문이 없는 파일: empty.json": 1,
    }


def test_deleted_empty_and_repealed_articles_are_counted_with_their_reason(tmp_path):
    body = "##### 제1조 (목적)\n\n가.\n\n##### 제2조\n\n삭제 <2020. 1. 1.>\n\n##### 제3조 (빈 조)\n\n"
    markdown(tmp_path, "가상세법", "2025-12-23", 1, "2026-01-01", body)
    markdown(tmp_path, "나상세법", "2025-12-23", 2, "2026-01-01", "##### 제1조 (폐지)\n\n가.\n", 상태="폐지")
    documents, tally = read_markdown_folder(tmp_path)
    assert [document.articles for document in documents] == [("가상세법 제1조",)] and tally[READ] == 4
    assert grouped(tally, DROPPED) == {"빈 조문": 1, "삭제된 조문": 1, "폐지된 법령의 조문": 1}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("##### 제1조\n가", "머리말(front matter)이 없습니다"),
        ("---\n제목: 가상세법\n공포일자: 2025-13-45\n시행일자: 2026-01-01\n---\n", "공포일자 (받은 값: '2025-13-45')"),
        ("---\n제목: [\n---\n", "YAML이 아닙니다"),
        ("---\n공포일자: 2025-12-23\n시행일자: 2026-01-01\n---\n", "제목 (받은 값: None)"),
    ],
)
def test_a_broken_markdown_file_is_named(tmp_path, text, said):
    (tmp_path / "법률.md").write_text(text, encoding="utf-8")
    with pytest.raises(BadInput) as error:
        read_markdown_folder(tmp_path)
    assert said in str(error.value) and "법률.md" in str(error.value)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b'{"\xeb\xb2\x95\xeb\xa0\xb9": {', "1행"),
        (b"\xff\xfe", "UTF-8"),
        ('{"법령": {"기본정보": {"법령명_한글": "가법"}}}'.encode(), "공포일자 (받은 값: None)"),
    ],
)
def test_a_broken_response_is_an_error_not_a_law_less(tmp_path, raw, said):
    (tmp_path / "law.json").write_bytes(raw)
    with pytest.raises(BadInput) as error:
        list(read_law_json_folder(LawJsonSource(kind="law_json", path=tmp_path), AS_OF, Counter()))
    assert said in str(error.value) and "law.json" in str(error.value)


def test_a_folder_without_laws_says_so(tmp_path):
    with pytest.raises(BadInput, match=r"\.md 파일이 없습니다"):
        read_markdown_folder(tmp_path)
    with pytest.raises(BadInput, match="법령 폴더가 없습니다"):
        read_markdown_folder(tmp_path / "none")
