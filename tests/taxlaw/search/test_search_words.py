"""From a taxpayer's words to the words of the law."""

from datetime import date

import pytest
import yaml

from taxlaw.articles import indexed_laws, lookup
from taxlaw.search.chapters import chapter_of
from taxlaw.search.words import _table, lay_words, read_query, words_of


@pytest.mark.parametrize(
    ("question", "word"),
    [
        ("할머니께 집을 물려받았어요", "상속"),
        ("월급에서 떼는 세금", "근로"),
        ("살던 집을 팔려고 합니다", "양도"),
        ("주말에 알바를 해요", "일용"),
        ("과외로 번 돈", "교육"),
        ("아버지가 돌아가셨어요", "상속"),
        ("신고를 안 했어요", "신고"),
        ("부가세 환급", "가치세"),
    ],
)
def test_lay_words_bring_the_words_of_the_law(question, word):
    query = read_query(question)
    assert any(word in added for added in (*query.added, *query.words))
    assert query.lay
    assert not read_query(question, lay=False).added


@pytest.mark.parametrize(
    ("question", "never"),
    [
        ("원상회복비용을 돈으로 주었습니다", "복비"),
        ("오래전 세금을 내야 하나요", "전세금"),
        ("기술서비스업을 합니다", "술→"),
        ("월급에서 떼는 세금", "무이자"),
        ("상속세 신고기한은 언제인가요", "무신고"),
        ("증여세를 내야 하나요", "증여세율"),
    ],
)
def test_a_lay_word_inside_another_word_is_not_one(question, never):
    assert not [used for used in read_query(question).lay if never in used]


def test_amounts_dates_and_what_is_set_aside_are_no_search_words():
    query = read_query("2026년 5월 3일에 8억 5,000만원을 받았는데 지방교육세는 빼고 증여세만 알려 주세요")
    assert not [word for word in query.words if any(letter.isdigit() for letter in word)]
    assert not [word for word in query.words if "교육" in word]
    assert query.laws == ("상속세 및 증여세법",)


def test_a_plea_is_not_the_liquor_tax():
    assert "주세법" not in read_query("양도세를 알려주세요").laws
    assert "주세법" in read_query("막걸리 주세는 얼마인가요").laws


def test_articles_behind_an_amount_come_only_when_an_amount_is_asked_for():
    assert "상속세 및 증여세법 제56조" in read_query("1억원을 받으면 증여세는 얼마인가요").amounts
    assert "상속세 및 증여세법 제56조" in read_query("증여세 세율").amounts
    assert read_query("증여세 신고는 어디에 하나요").amounts == ()


def test_exemption_and_taxation_are_different_words():
    assert "비과세" in words_of("비과세소득") or "비과세_소득" in words_of("비과세소득")
    assert set(words_of("비과세")) != set(words_of("과세"))
    assert "증여_재산" in words_of("증여재산 공제")


def test_notes_on_amendments_are_no_words_of_the_article():
    assert words_of("① 세율을 적용한다. <개정 2024. 12. 31.>") == words_of("① 세율을 적용한다.")


def test_the_table_is_rich_and_names_only_what_exists():
    assert len(lay_words()) >= 80
    assert all(said and means for said, means in lay_words())
    for row in _table().taxes:
        assert set(row.laws) <= set(indexed_laws())
        for name in row.amounts:
            law, _, article = name.rpartition(" ")
            assert lookup(law, article, date(2026, 6, 1)).status == "found", name


def test_no_expression_stands_twice_in_the_table():
    from importlib import resources

    rows = yaml.safe_load(resources.files("taxlaw").joinpath("data/lay_words.yaml").read_text(encoding="utf-8"))
    said = [one for row in rows["words"] for one in row["said"]]
    assert sorted({one for one in said if said.count(one) > 1}) == []


@pytest.mark.parametrize(
    ("law", "article", "chapter"),
    [
        ("지방세법", "제111조", "재산세 > 과세표준과 세율"),
        ("지방세법", "제13조의2", "취득세 > 과세표준과 세율"),
        ("민법", "제1조", ""),
        ("", "", ""),
    ],
)
def test_chapters(law, article, chapter):
    assert chapter_of(law, article) == chapter
