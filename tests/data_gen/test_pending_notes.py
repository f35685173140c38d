"""If these fail, a teacher explains as law what is not in force yet, or is told a change that never was."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_gen.collect.pending_notes import changes_between, differences, notes_for, replaced_words
from taxlaw.statutes import StatuteArticle, load_statutes

STATUTES = Path(__file__).parents[2].parent / "shared" / "data" / "statutes"
needs_shared = pytest.mark.skipif(not STATUTES.is_dir(), reason="shared data is not here")


def article(text, promulgated="2025-12-31", heading="배당", number="제17조"):
    day = date.fromisoformat(promulgated)
    return StatuteArticle("소득세법", number, heading, text, day, day, "법률.md")


OLD = article(
    "① 배당이다.\n② 없다.\n  1. 하나\n  2. 둘\n③ 총수입금액에 100분의 10에 해당하는 금액을 더한다. <개정 2009.12.31>",
    "2024-12-31",
)
NEW = article(
    "① 배당이다.\n② 없다.\n  1. 하나\n③ 총수입금액에 100분의 11에 해당하는 금액을 더한다. <개정 2009.12.31, 2025.12.23>\n④ 새것이다."
)


def test_the_note_says_until_when_the_old_rule_is_the_law():
    (note,) = notes_for("소득세법", "제17조", date(2026, 6, 1))
    assert "제17조제3항" in note and "2027-01-01 전에는 종전 규정" in note and "기준일(2026. 6. 1.)" in note
    assert notes_for("소득세법", "제17조", date(2027, 1, 1)) == ()
    assert notes_for("소법", "제17조", date(2025, 12, 1)) == ()  # not promulgated yet
    assert notes_for("소득세법", "제55조", date(2026, 6, 1)) == ()


def test_with_an_older_version_the_note_names_the_words_that_wait():
    (note,) = notes_for("소득세법", "제17조", date(2026, 6, 1), changes=differences(OLD, NEW))
    assert "'100분의 11에'(이전 '100분의 10에')" in note


def test_a_figure_that_climbs_is_told_as_the_figure_of_the_date():
    (note,) = notes_for("소득세법", "제59조의2", date(2026, 6, 1))
    assert "9세" in note and "본문에 이 개정이" not in note


def test_changes_are_told_by_paragraph_without_the_marks_of_amendment():
    lines = changes_between(OLD, NEW)
    assert lines == (
        "공포 2024. 12. 31. 본문 → 공포 2025. 12. 31. 본문, 제3항: '100분의 10에' → '100분의 11에'",
        "공포 2024. 12. 31. 본문 → 공포 2025. 12. 31. 본문, 제4항: 신설 '새것이다.'",
        "공포 2024. 12. 31. 본문 → 공포 2025. 12. 31. 본문, 제2항제2호: 삭제 (이전: '둘')",
    )
    marked = article(OLD.text.replace("2009.12.31", "2009.12.31, 2025.12.23").replace("없다.", "없다.  "))
    assert changes_between(OLD, marked) == ()


def test_articles_that_come_and_go():
    gone = article("삭제 <2025.12.23>")
    assert changes_between(OLD, gone) == changes_between(OLD, None) == ("조문이 없어졌다(삭제).",)
    assert changes_between(None, NEW) == changes_between(gone, NEW) == ("조문이 새로 생겼다(신설).",)
    assert changes_between(None, None) == changes_between(gone, gone) == changes_between(gone, None) == ()
    (line,) = changes_between(OLD, article(OLD.text, heading="배당소득"))
    assert line.endswith("제목: '배당' → '배당소득'")


def test_a_rewritten_article_is_told_in_a_bounded_list():
    old = article("\n".join(f"  {n}. 옛것 {n}" for n in range(1, 40)))
    new = article("\n".join(f"  {n}. 새것 {n}" for n in range(1, 40)))
    lines = changes_between(old, new)
    assert len(lines) == 13 and lines[-1].endswith("그 밖에 달라진 곳 27군데")
    long = changes_between(article("① " + "가" * 500), article("① " + "나" * 500))
    assert len(long[0]) < 250


_WORDS = st.lists(st.sampled_from(["배당", "100분의 11을", "더한다.", "2천만원", "9세", "①"]), max_size=8).map(" ".join)


@given(_WORDS, _WORDS)
def test_a_change_is_told_exactly_when_the_words_differ(before, after):
    old, new = article("머리 " + before), article("머리 " + after)
    found = differences(old, new)
    assert bool(found) == (before.split() != after.split()) == bool(changes_between(old, new))
    for change in found:
        pairs = replaced_words(change)
        assert pairs and all(was in change.old and now in change.new for was, now in pairs)


@needs_shared
def test_real_versions():
    old, new = load_statutes(STATUTES / "as_of_2025-06-01"), load_statutes(STATUTES / "kr")
    key = ("소득세법", "제17조")
    assert changes_between(old[key], old[key]) == ()
    (line,) = changes_between(old[key], new[key])
    assert line.endswith("제3항: '100분의 10에' → '100분의 11에'")
    told = [changes_between(article, new.get(key)) for key, article in old.items()]
    assert 50 < sum(map(bool, told)) < 300 and max(len(line) for lines in told for line in lines) < 600
