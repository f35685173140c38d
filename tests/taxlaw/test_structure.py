"""If these fail, part of an article is lost on the way to a teacher, or 제2호가목 is read out of the wrong paragraph."""

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxlaw.errors import SourceError
from taxlaw.statutes import StatuteArticle
from taxlaw.structure import CIRCLED, ITEMS, find_problems, parse_article, read_statute

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
needs_statutes = pytest.mark.skipif(not (SHARED / "statutes" / "kr").is_dir(), reason="shared data is not here")
needs_responses = pytest.mark.skipif(not (SHARED / "law_api").is_dir(), reason="shared data is not here")
DAY = date(2026, 1, 1)

TEXT = """① 첫째 항은 다음과 같다.
  1. 하나
    가. 가목
 1) 세목
    나. 삭제 <2020.1.1>
  1의2. 하나의 둘
  2. 삭제 <2020.1.1>
\t┌──┐
\t│1.│
\t└──┘
② 둘째 항 1. 은 호가 아니다.
③ 삭제 <2021.1.1>
[전문개정 2019.1.1]"""


def article(text: str) -> StatuteArticle:
    return StatuteArticle("가세법", "제5조의2", "제목", text, DAY, DAY, "가.md 제7호")


def test_the_tree_of_an_article():
    tree = parse_article(article(TEXT), "001565", "7")
    assert tree.text == TEXT
    assert [(p.number, p.deleted) for p in tree.paragraphs] == [(1, False), (2, False), (3, True)]
    first = tree.paragraph(1)
    assert [(s.number, s.deleted) for s in first.subparagraphs] == [("1", False), ("1의2", False), ("2", False)]
    assert [(i.number, i.deleted) for i in first.subparagraphs[0].items] == [("가", False), ("나", True)]
    assert "1) 세목" in first.subparagraphs[0].items[0].text
    assert tree.notes == "[전문개정 2019.1.1]"
    assert tree.paragraph(9) is None and not tree.deleted
    origin = first.subparagraphs[0].items[0].origin
    assert (origin.law, origin.law_id, origin.number, origin.effective) == ("가세법", "001565", "7", DAY)


def test_an_article_without_paragraphs_and_a_deleted_one():
    plain = parse_article(article("다음 각 호와 같다.\n  1. 하나\n  2. 둘"))
    assert [(p.number, len(p.subparagraphs)) for p in plain.paragraphs] == [(None, 2)]
    assert plain.paragraph(1) is plain.paragraphs[0]
    assert parse_article(article("삭제 <2020.1.1>")).deleted
    assert parse_article(article("")).text == ""


def test_only_indented_numbers_are_subparagraphs():
    (paragraph,) = parse_article(article("① 다음과 같다.\n1. 표의 줄\n    2. 깊은 줄\n  1. 하나")).paragraphs
    assert [part.number for part in paragraph.subparagraphs] == ["1"]


def test_items_that_go_on_behind_tabs_are_items():
    text = "  1. 다음\n    후. 여섯째 줄 앞\n\t그. 이어지는 목\n\t하. 차례에 없는 줄"
    (paragraph,) = parse_article(article(text)).paragraphs
    assert [item.number for item in paragraph.subparagraphs[0].items] == ["후", "그"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("① 가\n③ 다", "제1항 다음에 제3항"),
        ("  1. 가\n  3. 다", "제1호 다음에 제3호"),
        ("  2. 가\n  2. 나", "제0호 다음에 제2호"),
        ("  1. 가\n    가. 하나\n    다. 셋", "가 다음에 다목"),
    ],
)
def test_numbers_that_do_not_run_on_are_reported(text, reason):
    assert reason in [problem.reason for problem in find_problems(parse_article(article(text)))]


words = st.text(alphabet="가나다법 12.①()<>\u3000", min_size=0, max_size=12).map(lambda text: "말" + text)


@st.composite
def articles(draw) -> tuple[str, list]:
    lines, shape = [], []
    for number in range(draw(st.integers(1, 4))):
        lines.append(f"{CIRCLED[number]} {draw(words)}")
        parts = []
        for ho in range(draw(st.integers(0, 3))):
            lines.append(f"  {ho + 1}. {draw(words)}")
            count = draw(st.integers(0, 3))
            lines += [f"    {ITEMS[k]}. {draw(words)}" for k in range(count)]
            parts.append(count)
        shape.append(parts)
    return "\n".join(lines), shape


@given(articles())
def test_every_tree_gives_its_text_and_shape_back(drawn):
    text, shape = drawn
    tree = parse_article(article(text))
    assert tree.text == text
    assert [[len(ho.items) for ho in p.subparagraphs] for p in tree.paragraphs] == shape
    assert list(find_problems(tree)) == []


@given(st.text(alphabet="①② 1.가나\n\t[]삭제<>의", max_size=60))
def test_no_text_is_ever_lost(text):
    assert parse_article(article(text)).text == text


def _many(value) -> list:
    return [] if value is None else value if isinstance(value, list) else [value]


@needs_responses
@pytest.mark.parametrize("name", ["law_service_vat46", "law_service_ngs41", "law_service_ita12_abridged"])
def test_every_unit_of_a_real_response_comes_through(name):
    file = SHARED / "law_api" / f"{name}.json"
    statute = read_statute(file)
    law = json.loads(file.read_text(encoding="utf-8"))["법령"]
    units = [unit for unit in _many(law["조문"]["조문단위"]) if unit["조문여부"] == "조문"]
    assert len(statute.articles) == len(units) == 1
    assert statute.origin.law_id == law["기본정보"]["법령ID"] and statute.origin.number == law["기본정보"]["공포번호"]
    tree, raw = statute.articles[0], _many(units[0].get("항"))
    assert [len(p.subparagraphs) for p in tree.paragraphs] == [len(_many(hang.get("호"))) for hang in raw]
    for paragraph, hang in zip(tree.paragraphs, raw, strict=True):
        assert hang.get("항번호") in (None, CIRCLED[(paragraph.number or 1) - 1])
        for part, ho in zip(paragraph.subparagraphs, _many(hang.get("호")), strict=True):
            assert part.number == ho["호번호"].rstrip(".") and ho["호내용"].strip() in part.own
            letters = [mok["목번호"].rstrip(".") for mok in _many(ho.get("목"))]
            assert [item.number for item in part.items] == letters
            for item, mok in zip(part.items, _many(ho.get("목")), strict=True):
                content = mok["목내용"]
                for line in content[0] if isinstance(content, list) else [content]:
                    assert line.strip() in item.text


@needs_statutes
def test_the_whole_corpus_parses():
    problems, count = [], 0
    for file in sorted((SHARED / "statutes" / "kr").rglob("*.md")):
        statute = read_statute(file)
        for tree in statute.articles if statute else ():
            count += 1
            problems += [(p.law, p.article, p.reason) for p in find_problems(tree)]
    assert count > 6400
    # The source itself leaves these paragraphs out.
    assert problems == [
        ("세무사법 시행령", "제1조의5", "제0항 다음에 제2항"),
        ("소득세법", "제51조의3", "제3항 다음에 제5항"),
        ("소득세법", "제160조의5", "제1항 다음에 제3항"),
        ("소득세법", "제168조", "제3항 다음에 제5항"),
    ]


def test_a_file_that_is_no_statute_is_refused(tmp_path):
    (tmp_path / "가.md").write_text("아무 글", encoding="utf-8")
    with pytest.raises(SourceError, match="머리말"):
        read_statute(tmp_path / "가.md")


def test_parts_bear_their_own_day_and_a_repealing_version_is_marked(tmp_path):
    later = "20270101:제1조제2항, 제1조제3항제2호20280101:제1조제3항제2호가목, 제2조"
    facts = {"법령명_한글": "가세법", "법령ID": "1", "공포번호": "7", "공포일자": "20251223", "시행일자": "20260101"}
    first = {
        "조문번호": "1",
        "조문여부": "조문",
        "조문제목": "가",
        "조문내용": "제1조(가)",
        "항": [
            {"항내용": "① 나"},
            {"항내용": "② 다"},
            {"항내용": "③ 라", "호": [{"호내용": "1. 마"}, {"호내용": "2. 바", "목": [{"목내용": "가. 사"}]}]},
        ],
    }
    second = {"조문번호": "2", "조문여부": "조문", "조문제목": "나", "조문내용": "제2조(나) 아."}
    law = {"기본정보": facts | {"조문시행일자문자열": later}, "조문": {"조문단위": [first, second]}}
    file = tmp_path / "law.json"
    file.write_text(json.dumps({"법령": law}, ensure_ascii=False), encoding="utf-8")
    statute = read_statute(file)
    one, two = statute.articles
    days = [part.origin.effective.isoformat() for part in one.paragraphs]
    assert days == ["2026-01-01", "2027-01-01", "2026-01-01"]
    ho = one.paragraphs[2].subparagraphs
    assert [part.origin.effective.year for part in (*ho, *ho[1].items)] == [2026, 2027, 2028]
    assert (two.origin.effective, statute.origin.effective) == (date(2028, 1, 1), date(2026, 1, 1))
    assert not statute.deleted
    law["기본정보"] |= {"제개정구분": "폐지"}
    file.write_text(json.dumps({"법령": law}, ensure_ascii=False), encoding="utf-8")
    assert read_statute(file).deleted
