"""What a user gets for a question: the named article first, then what the words mean, as the law stood on the day."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import pytest

from taxlaw.search import open_search, sources
from taxlaw.search.search import CHECK, is_built

DAY = date(2025, 3, 1)


def _titles(hits):
    return [hit.passage.title for hit in hits]


def test_an_article_named_in_the_question_comes_first_and_same_law_is_resolved(search):
    hits = search.find("소득세법 제55조와 같은 법 시행령 제154조제1항에 따르면 집을 팔 때 비과세인가요?", DAY)
    assert _titles(hits)[:2] == ["소득세법 제55조", "소득세법 시행령 제154조"]
    assert hits[0].why[0] == hits[1].why[0] == "조문 지정"
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


@pytest.mark.parametrize(
    ("written", "named"),
    [("서면-2024-법규재산-0007", True), ("서면-2024-법규재산-0008", False), ("서면-2024-법규재산-000", False)],
)
def test_a_ruling_is_named_by_its_whole_number_only(search, written, named):
    hits = search.find(f"{written} 요지를 알려 주세요", DAY, 1)
    assert any("문서번호 지정" in hit.why for hit in hits) is named


def test_lay_words_find_the_words_of_the_law(search):
    question = "부모님 재산을 물려받으면 세금이 있나요?"
    assert "상속세 및 증여세법 제13조" in _titles(search.find(question, DAY, 2))
    hits = search.find(question, DAY, 2)
    assert any("물려받다→상속" in why for hit in hits for why in hit.why)
    bare = replace(search, weights=replace(search.weights, lay=False))
    assert "상속세 및 증여세법 제13조" not in _titles(bare.find("물려받으면 어떻게 되나요?", DAY, 2))


def test_the_text_of_the_day_is_found_and_the_other_version_is_not(tmp_path, write_law):
    old = {"제55조": ("세율", "① 종합소득 세율은 옛 세율표에 따른다.")}
    new = {"제55조": ("세율", "① 종합소득 세율은 새 세율표에 따른다.")}
    write_law(tmp_path / "laws" / "a", "소득세법", old, "2024-01-01", "2023-12-31")
    write_law(tmp_path / "laws" / "b", "소득세법", new, "2026-01-01", "2025-12-23")
    search = open_search([tmp_path / "laws"], cache=tmp_path / "cache")
    for day, words in ((date(2025, 3, 1), "옛"), (date(2026, 3, 1), "새")):
        for question in ("종합소득 세율은 얼마인가요", "소득세법 제55조"):
            (hit,) = search.find(question, day)
            assert f"{words} 세율표" in hit.passage.text
    # Before the oldest version at hand the article existed: its oldest text stands in, and says so.
    (hit,) = search.find("소득세법 제55조", date(2023, 6, 1))
    assert "옛" in hit.passage.text
    assert CHECK in hit.why


def test_what_the_article_index_does_not_know_is_never_shown(search):
    hits = search.find("종합소득 세율과 양도를 말하는 없는 조문", DAY, 10)
    assert hits
    assert "소득세법 제999조" not in _titles(hits)
    assert "소득세법 제999조" not in _titles(search.find("소득세법 제999조", DAY, 10))


def test_a_ruling_is_not_known_before_its_day_and_votes_for_its_articles_after(search):
    question = "멸실된 주택의 부수토지"
    assert "서면-2024-법규재산-0007" not in _titles(search.find(question, date(2024, 4, 30), 10))
    after = _titles(search.find(question, DAY, 10))
    assert "서면-2024-법규재산-0007" in after
    assert after[0] == "소득세법 제89조"
    hidden = replace(search, hidden=frozenset(search.index.rulings.values()))
    assert "서면-2024-법규재산-0007" not in _titles(hidden.find(question, DAY, 10))


def test_a_question_for_an_amount_brings_the_articles_it_is_computed_by(search):
    hits = search.find("아버지께 1억원을 받았는데 증여세는 얼마인가요?", DAY, 1)
    assert _titles(hits) == ["상속세 및 증여세법 제53조"]


def test_an_article_is_found_through_the_decree_that_carries_it_out(search):
    assert (search.index.links.tolist()) == [
        [search.index.articles["소득세법 시행령 제154조"][0], search.index.articles["소득세법 제89조"][0]]
    ]


def test_without_a_folder_the_headings_and_their_chapters_are_searched(tmp_path, monkeypatch):
    known = (("지방세법", "제111조"), ("지방세법", "제127조"))
    monkeypatch.setattr(sources, "indexed_articles", lambda: known)
    search = open_search((), cache=tmp_path)
    # Both are headed 세율; only the chapter tells 재산세 from 자동차세.
    (first, *_) = search.find("재산세 세율은 어떻게 되나요?", date(2026, 6, 1))
    assert (first.passage.title, first.passage.kind, first.passage.text) == ("지방세법 제111조", "heading", "")
    assert first.passage.url.startswith("https://www.law.go.kr/")


def test_the_same_question_gives_the_same_hits_from_many_threads(search):
    questions = ["집을 팔 때 비과세", "물려받은 재산", "소득세법 제55조", "식대 비과세"] * 6
    alone = [search.find(question, DAY) for question in questions]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda question: search.find(question, DAY), questions)) == alone


def test_nothing_is_found_for_words_no_law_has(search):
    assert search.find("zzzz qqqq", DAY) == ()
    assert search.find("", DAY) == ()


def test_an_index_that_is_built_says_so(library, tmp_path):
    assert not is_built([library], tmp_path)
    open_search([library], cache=tmp_path)
    assert is_built([library], tmp_path)


def test_the_command_prints_hits_for_people_and_for_programs(library, tmp_path, monkeypatch, capsys):
    from taxlaw.__main__ import main

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    ask = ["search", "1세대 1주택 양도", "--as-of", "2025-03-01", "--folder", str(library), "--limit", "2"]
    assert main(ask) == 0
    shown = capsys.readouterr()
    assert "1. 소득세법 제89조(비과세 양도소득)  시행 2024-01-01" in shown.out
    assert "색인을 만들었습니다" in shown.err
    assert main([*ask, "--json"]) == 0
    shown = capsys.readouterr()
    rows = [json.loads(line) for line in shown.out.splitlines()]
    assert rows[0]["title"] == "소득세법 제89조"
    assert rows[0]["effective_from"] == "2024-01-01"
    assert "색인" not in shown.err
    assert main(["search", "zzzz", "--folder", str(library)]) == 1
    assert main(["search", "세율", "--folder", str(tmp_path / "none")]) == 2
    assert "폴더가 없습니다" in capsys.readouterr().err


def test_a_law_named_in_the_question_goes_before_others_that_say_the_same(tmp_path, write_law):
    # 지방세법 says the word once among many, 소득세법 says little else: by words alone 소득세법 would win both times.
    write_law(tmp_path / "laws", "소득세법", {"제9조": ("납세지", "① 납세지는 납세지로 한다.")}, name="하나")
    other = {"제76조": ("납세지", "① 주민세를 내는 곳은 사업소가 있는 곳을 납세지로 하여 시장이나 군수가 부과한다.")}
    write_law(tmp_path / "laws", "지방세법", other, name="둘")
    search = open_search([tmp_path / "laws"], cache=tmp_path / "cache")
    assert _titles(search.find("납세지는 어디인가요?", DAY))[0] == "소득세법 제9조"
    assert _titles(search.find("지방세법에서 납세지는 어디인가요?", DAY))[0] == "지방세법 제76조"


def test_a_heading_that_stands_whole_in_the_question_goes_before_more_words(tmp_path, write_law):
    laws = {
        "제95조": ("양도차익의 계산", "① 보유기간 보유기간 보유기간 공제액 공제액 공제액 특별 특별 장기 장기."),
        "제97조": ("장기 보유ㆍ특별 공제액", "① 대통령령으로 정한다."),
    }
    write_law(tmp_path / "laws", "소득세법", laws)
    search = open_search([tmp_path / "laws"], cache=tmp_path / "cache")
    question = "장기보유·특별 공제액은 보유기간에 따라 어떻게 되나요?"
    assert _titles(search.find(question, DAY))[0] == "소득세법 제97조"
    without = replace(search, weights=replace(search.weights, heading_named=0))
    assert _titles(without.find(question, DAY))[0] == "소득세법 제95조"
