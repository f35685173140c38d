"""If these fail, a reader is sent to an article that is gone, has moved, or is not the law yet."""

from datetime import date
from pathlib import Path

import pytest

from taxlaw.citations import find_citations
from taxlaw.errors import ConfigError
from taxlaw.lookup import nearest_laws, provision
from taxlaw.statutes import StatuteArticle, load_statutes

SHARED = Path(__file__).parents[2].parent / "shared" / "data" / "statutes"
JUNE = date(2026, 6, 8)


@pytest.mark.parametrize(
    ("text", "as_of", "status", "heading"),
    [
        ("상증법 제53조", JUNE, "found", "증여재산 공제"),
        ("소득세법 제118조의9", date(2025, 6, 1), "found", "거주자의 출국 시 납세의무"),
        ("소득세법 제18조", JUNE, "deleted", None),
        ("소득세법 제87조의2", date(2025, 6, 1), "deleted", None),
        ("소득세법 제999조", JUNE, "no_such_article", None),
        ("국세징수법 시행령 제74조의2", JUNE, "not_yet_in_force", "가상자산의 매각 대행"),
        ("국세징수법 시행령 제74조의2", date(2025, 6, 8), "not_yet_in_force", "가상자산의 매각 대행"),
        ("국세징수법 시행령 제74조의2", date(2026, 10, 1), "found", "가상자산의 매각 대행"),
        ("조특법 제115조의2", date(2026, 3, 31), "not_yet_in_force", "저도수 특정주류에 대한 주세 감면"),
        ("조특법 제115조의2", date(2026, 4, 1), "found", "저도수 특정주류에 대한 주세 감면"),
        # The financial investment income tax stood in the text of 2024 and never came into force.
        ("소득세법 제87조의2", date(2024, 6, 1), "not_yet_in_force", "정의"),
        ("민법 제1000조", JUNE, "law_not_indexed", None),
        ("제53조", JUNE, "law_not_named", None),
        ("양도소득세법 제5조", JUNE, "no_such_law", None),
    ],
)
def test_what_stands_there(text, as_of, status, heading):
    report = provision(text, as_of)
    assert (report.status, report.heading) == (status, heading)


@pytest.mark.parametrize(
    ("text", "as_of", "moved_to"),
    [
        ("소득세법 제126조의3", date(2025, 6, 1), "제118조의9"),
        ("조특법 제97조의10", date(2025, 6, 1), "제97조의9"),
        ("소득세법 시행령 제183조의6", JUNE, "제178조의9"),
    ],
)
def test_a_heading_under_another_number_is_followed(text, as_of, moved_to):
    report = provision(text, as_of)
    assert (report.status, report.moved_to) == ("renumbered", moved_to)
    assert moved_to in report.notes[0]


def test_a_removal_that_is_not_in_force_leaves_the_article_standing():
    # In 2024 the text had already moved 제118조의9 to 제126조의3; by its addendum only from 2025 on.
    old = provision("소득세법 제118조의9", date(2024, 6, 1))
    assert (old.status, old.heading, old.confirm) == ("found", "거주자의 출국 시 납세의무", True)
    assert provision("소득세법 제115조", date(2024, 6, 1)).status == "found"  # its deletion waited as well
    new = provision("소득세법 제126조의3", date(2024, 6, 1))
    assert (new.status, new.moved_to) == ("not_yet_in_force", "제118조의9")


def test_pending_amendments_come_with_the_answer():
    report = provision("소득세법 제17조제3항", JUNE)
    assert [(f.place, f.effective) for f in report.pending] == [("소득세법 제17조제3항", date(2027, 1, 1))]
    assert (report.status, report.confirm) == ("found", False)
    assert "2027-01-01" in report.notes[0] and "부칙 제1조" in report.notes[0]
    assert provision("소득세법 제17조제1항", JUNE).pending == ()
    assert provision(find_citations("소득세법 제17조 제3항은")[0], JUNE) == report
    assert (report.version.number, report.effective) == ("21548", date(2026, 4, 21))


def test_an_unsettled_day_asks_for_a_look():
    report = provision("개별소비세법 제20조의3", date(2026, 4, 8))
    assert report.confirm and any("시행일 확인 필요" in note for note in report.notes)
    between = provision("종합부동산세법 시행규칙 제4조의12", date(2025, 6, 2))
    assert between.confirm and "확인 필요" in between.notes[0]


def test_names_of_no_law_get_the_nearest_ones():
    assert provision("양도소득세법 제5조", JUNE).suggestions[0] == "소득세법"
    assert nearest_laws("양도소득세법 시행령")[0] == "소득세법 시행령"
    assert nearest_laws("증여세법")[0] == "상속세 및 증여세법"
    assert "소득세법" in provision("소득새법 제9조", JUNE).suggestions
    assert provision("민법 제1000조", JUNE).suggestions == ()


def test_no_citation_is_an_error():
    with pytest.raises(ConfigError, match="조문 인용"):
        provision("세금이 궁금합니다", JUNE)


def test_the_text_comes_with_a_remark_when_it_is_another_version():
    def article(promulgated: date) -> dict:
        text = StatuteArticle("상속세 및 증여세법", "제53조", "증여재산 공제", "글", promulgated, promulgated, "x.md")
        return {("상속세 및 증여세법", "제53조"): text}

    now = provision("상증법 제53조", JUNE, article(date(2025, 12, 23)))
    assert (now.text, now.notes) == ("글", ())
    later = provision("상증법 제53조", date(2025, 7, 1), article(date(2025, 12, 23)))
    assert later.text == "글" and "제20777호" in later.notes[0]
    older = provision("상증법 제53조", JUNE, article(date(2024, 12, 31)))
    assert "제21219호" in older.notes[0]
    assert provision("소득세법 제18조", JUNE, article(date(2025, 12, 23))).text is None


@pytest.mark.skipif(not (SHARED / "kr").is_dir(), reason="shared data is not here")
def test_every_article_of_the_present_text_is_found_or_explained():
    statutes = load_statutes(SHARED / "kr")
    strange = []
    for law, article in statutes:
        report = provision(f"「{law}」 {article}", date(2026, 6, 8), statutes)
        expected = ("deleted", "renumbered") if statutes[law, article].deleted else ("found", "not_yet_in_force")
        if report.status not in (*expected, "law_not_indexed"):
            strange.append((law, article, report.status))
    assert strange == []
