"""If these fail, an amendment that only stands in the text is told as the law: 배당 11%, 자녀 13세, 납부지연가산세."""

import gzip
import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxlaw.addenda import UNSETTLED, PendingAmendment, amendments, pending, read_api_dates
from taxlaw.addendum_clauses import elapsed, read_day, read_effective_clause, read_targets, read_transition_clause
from taxlaw.addendum_text import read_addenda
from taxlaw.effective_facts import amended_by_other
from taxlaw.errors import SourceError

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "data"
JUNE = date(2026, 6, 8)

# Each read in the addendum itself: (law, provision, 항, a date on which it waits, day, 공포번호, kind).
WAITING = [
    ("소득세법", "제17조", 3, JUNE, date(2027, 1, 1), "21221", "시행일"),
    ("소득세법", "제118조의9", None, JUNE, date(2027, 1, 1), "21221", "시행일"),
    ("소득세법", "제57조의2", 1, JUNE, date(2026, 7, 1), "21221", "시행일"),
    ("소득세법", "제129조", 10, JUNE, date(2026, 7, 1), "21221", "시행일"),
    ("소득세법", "제64조의3", 2, JUNE, date(2027, 1, 1), "17757", "시행일"),
    ("소득세법", "제87조의2", None, date(2024, 6, 1), date(2025, 1, 1), "17757", "시행일"),
    ("소득세법 시행령", "별표 5", None, JUNE, date(2028, 1, 1), "35349", "시행일"),
    ("국기법", "제47조의4", None, JUNE, date(2026, 7, 1), "21212", "시행일"),
    ("국세기본법", "제21조", 2, JUNE, date(2026, 7, 1), "21212", "시행일"),
    ("국세기본법", "제84조의3", None, date(2025, 4, 1), date(2025, 6, 15), "20774", "시행일"),  # 공포 후 3개월
    ("국세징수법 시행령", "제74조의2", None, JUNE, date(2026, 10, 1), "36126", "시행일"),
    ("조특법", "제106조", 1, date(2026, 1, 1), date(2026, 4, 1), "21223", "시행일"),
    ("조특법", "제115조의2", None, date(2026, 1, 1), date(2026, 4, 1), "21223", "시행일"),
    ("조특법", "제108조", 2, JUNE, date(2026, 7, 1), "21223", "시행일"),
    ("조세특례제한법", "제7조", 1, JUNE, date(2026, 9, 18), "21467", "시행일"),  # 타법개정, 공포 후 6개월
    ("법인세법", "제90조", None, JUNE, date(2026, 7, 1), "21217", "시행일"),
    ("법인세법 시행령", "제77조", None, JUNE, date(2027, 1, 1), "36130", "시행일"),
    ("지방세법", "제103조의3", 8, JUNE, date(2027, 1, 1), "21308", "시행일"),
    ("지방세법", "제52조", 1, date(2026, 3, 1), date(2026, 4, 24), "21308", "시행일"),  # day set by a decree
    ("개별소비세법", "제1조", 2, date(2026, 3, 1), date(2026, 4, 24), "21206", "시행일"),  # day set by a decree
    ("국제조세조정에 관한 법률", "제73조", 1, date(2024, 6, 1), date(2025, 1, 1), "19928", "적용례"),
    ("부가가치세법", "제55조", 1, date(2026, 1, 5), date(2026, 4, 1), "21218", "적용례"),
]


@pytest.mark.parametrize(("law", "article", "paragraph", "as_of", "day", "number", "kind"), WAITING)
def test_what_waits_is_known_until_the_day_before_and_gone_on_the_day(
    law, article, paragraph, as_of, day, number, kind
):
    waiting = pending(law, article, as_of, paragraph)
    facts = [f for f in waiting if (f.number, f.kind, f.effective) == (number, kind, day)]
    assert facts
    assert all(f.settled and str(day) in f.note(as_of) for f in facts)
    eve = date.fromordinal(day.toordinal() - 1)
    assert any(f.effective == day for f in pending(law, article, eve, paragraph))
    assert not any(f.effective == day for f in pending(law, article, day, paragraph))
    before = date.fromordinal(facts[0].promulgated.toordinal() - 1)
    assert not any(f.number == number for f in pending(law, article, before, paragraph))


@pytest.mark.parametrize(
    ("as_of", "figure"),
    [
        (JUNE, "9세 이상"),
        (date(2027, 12, 31), "10세 이상"),
        (date(2028, 1, 1), "11세 이상"),
        (date(2029, 7, 1), "12세 이상"),
    ],
)
def test_the_age_for_the_child_credit_climbs_year_by_year(as_of, figure):
    (fact,) = pending("소득세법", "제59조의2", as_of)
    assert fact.step_on(as_of).figure == figure
    assert figure in fact.note(as_of) and "제21548호" in fact.note(as_of)
    assert pending("소득세법", "제59조의2", date(2030, 1, 1)) == ()


def test_a_whole_article_waits_for_each_of_its_paragraphs():
    assert [f.place for f in pending("국세기본법", "제47조의4", JUNE, 1)] == ["국세기본법 제47조의4"]


def test_other_paragraphs_and_articles_do_not_wait():
    assert pending("소득세법", "제17조", JUNE, 1) == ()
    assert pending("상증법", "제53조", JUNE) == ()
    assert pending("민법", "제1000조", JUNE) == ()


def test_a_repeated_day_is_told_once():
    facts = pending("국세기본법", "제47조의4", JUNE)  # 시행일 for the article, 경과조치 for two of its paragraphs
    assert [(f.kind, f.place) for f in facts] == [("시행일", "국세기본법 제47조의4")]
    assert {f.kind for f in amendments("국세기본법", "제47조의4")} >= {"시행일", "경과조치"}


def test_a_new_article_and_a_part_are_told_apart():
    (new,) = pending("국세징수법 시행령", "제74조의2", JUNE)
    assert new.new and "새로 들어온" in new.note(JUNE)
    (part,) = pending("소득세법", "제57조의2", JUNE, 2)
    assert part.partial and not part.new and "일부" in part.note(JUNE)


def test_an_open_day_is_never_asserted():
    facts = [f for f in pending("개별소비세법", "제20조의3", date(2026, 4, 8)) if not f.settled]
    assert facts and all(UNSETTLED in f.note(date(2026, 4, 8)) for f in facts)
    choice = pending("법인세법", "제18조의3", JUNE)  # the old rule may be chosen until the end of 2026
    assert [(f.kind, f.settled, f.latest) for f in choice] == [("경과조치", False, date(2027, 1, 1))]


def test_the_table_holds_facts_and_no_sentences():
    raw = gzip.decompress((ROOT / "taxlaw" / "data" / "effective_dates.tsv.gz").read_bytes()).decode()
    cells = {cell for line in raw.splitlines() if not line.startswith("#") for cell in line.split("\t")}
    assert len(raw.splitlines()) > 5000
    assert max(map(len, cells)) < 150 and not any("다." in cell or "경우" in cell for cell in cells)


@pytest.mark.skipif(not (SHARED / "statutes" / "kr").is_dir(), reason="shared data is not here")
def test_the_script_rebuilds_the_same_tables(tmp_path):
    script = ROOT / "scripts" / "build_effective_dates.py"
    command = [sys.executable, str(script), str(SHARED / "statutes"), "--output", str(tmp_path)]
    assert "effective_dates.tsv.gz" in subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for name in ("effective_dates.tsv.gz", "versions.tsv.gz"):
        assert (tmp_path / name).read_bytes() == (ROOT / "taxlaw" / "data" / name).read_bytes()


# 조문시행일자문자열


def test_dates_of_an_api_response_without_separators():
    text = "20260701:제57조의2, 제129조제8항20270101:제17조제3항, 제118조의920280101:제5조제1항제2호의3가목"
    facts = read_api_dates(text, "소득세법", "21221", date(2025, 12, 23))
    assert [(f.effective.isoformat(), f.place) for f in facts] == [
        ("2026-07-01", "소득세법 제57조의2"),
        ("2026-07-01", "소득세법 제129조제8항"),
        ("2027-01-01", "소득세법 제17조제3항"),
        ("2027-01-01", "소득세법 제118조의9"),  # not 제118조의92 and 0280101
        ("2028-01-01", "소득세법 제5조제1항제2호의3가목"),
    ]
    assert pending("없는법", "제5조", JUNE, extra=read_api_dates("20270101:제5조", "없는법"))[0].effective == date(
        2027, 1, 1
    )


@pytest.mark.parametrize("text", ["제57조의2", "20261301:제5조", "20260701:다섯째 조", "머리 20260701:제5조"])
def test_a_broken_date_string_is_an_error(text):
    with pytest.raises(SourceError, match="조문시행일자문자열"):
        read_api_dates(text, "소득세법")


@given(
    st.lists(
        st.tuples(
            st.dates(date(2000, 1, 1), date(2099, 12, 31)),
            st.lists(st.tuples(st.integers(1, 300), st.integers(0, 40), st.integers(0, 30)), min_size=1, max_size=4),
        ),
        max_size=4,
    )
)
def test_every_date_string_is_read_back(groups):
    written, expected = "", []
    for day, places in groups:
        names = [f"제{a}조" + (f"의{b}" if b else "") + (f"제{c}항" if c else "") for a, b, c in places]
        written += f"{day:%Y%m%d}:" + ", ".join(names)
        expected += [(day, f"가법 {name}") for name in names]
    assert [(fact.effective, fact.place) for fact in read_api_dates(written, "가법")] == expected


@pytest.mark.skipif(not (SHARED / "law_api").is_dir(), reason="shared data is not here")
def test_the_real_response_agrees_with_the_built_in_table():
    facts = json.loads((SHARED / "law_api" / "law_service_ita12_abridged.json").read_text(encoding="utf-8"))
    text = facts["법령"]["기본정보"]["조문시행일자문자열"]
    read = read_api_dates(text, "소득세법", "21221", date(2025, 12, 23))
    assert len(read) == 16
    for fact in read:
        ours = {f.effective for f in pending("소득세법", fact.article, date(2026, 1, 5), fact.paragraph)}
        assert fact.effective in ours, fact.place


# Clauses, in sentences of our own


def day_of(_target) -> tuple[date, date]:
    return date(2026, 1, 1), date(2026, 1, 1)


def test_a_clause_with_numbers_and_a_clause_in_one_sentence():
    numbered = "제1조(시행일) 이 법은 2026년 1월 1일부터 시행한다. 다만, 다음 각 호의 개정규정은 해당 호에서 정하는 날부터 시행한다.\n1. 제5조제1항ㆍ제2항(일부에 관한 부분으로 한정한다) 및 제7조부터 제9조까지: 2026년 7월 1일\n2. 별표 2의 개정규정: 공포한 날"
    main, effects = read_effective_clause("가세법", numbered, date(2025, 12, 23))
    assert main == (date(2026, 1, 1),) * 2
    first, second = effects
    assert [(t.article, t.paragraph, t.partial) for t in first.targets] == [
        ("제5조", 1, False), ("제5조", 2, True), ("제7조", None, False), ("제8조", None, False), ("제9조", None, False),
    ]  # fmt: skip
    assert (first.first, second.targets[0].article, second.last) == (date(2026, 7, 1), "별표 2", date(2025, 12, 23))
    sentence = "이 영은 공포한 날부터 시행한다. 다만, 제3조의 개정규정은 공포 후 3개월이 경과한 날부터 시행하고, 제4조제2항의 개정규정은 2027년 1월 1일부터 시행한다."
    main, (early, late) = read_effective_clause("가세법 시행령", sentence, date(2025, 3, 14))
    assert (main[0], early.last, late.last) == (date(2025, 3, 14), date(2025, 6, 15), date(2027, 1, 1))


def test_what_is_left_to_a_decree_stays_open_until_the_decree_speaks():
    words = "공포한 날부터 6개월이 넘지 아니하는 범위에서 대통령령으로 정하는 날"
    assert read_day(words, date(2025, 12, 23)) == (date(2025, 12, 23), date(2026, 6, 24))
    assert read_day(words, date(2025, 12, 23), {"decree": date(2026, 4, 24)}) == (date(2026, 4, 24),) * 2
    assert read_day("합병의 등기를 한 날", date(2025, 12, 23))[1] is None


@pytest.mark.parametrize(
    ("promulgated", "count", "unit", "day"),
    [
        (date(2025, 1, 31), 1, "년", date(2026, 2, 1)),
        (date(2020, 12, 29), 6, "개월", date(2021, 6, 30)),
        (date(2019, 4, 30), 6, "개월", date(2019, 11, 1)),
        (date(2016, 2, 29), 6, "개월", date(2016, 9, 1)),
        (date(2023, 8, 30), 6, "개월", date(2024, 3, 1)),  # there is no 31 February
        (date(2026, 1, 1), 30, "일", date(2026, 2, 1)),
    ],
)
def test_the_day_after_a_period_has_run(promulgated, count, unit, day):
    assert elapsed(promulgated, count, unit) == day


def test_transition_sentences():
    text = "제4조(가에 관한 적용례 등) ① 제5조제1항의 개정규정은 이 법 시행 이후 양도하는 경우부터 적용한다.\n② 2026년 12월 31일 이전에 받은 금액에 관하여는 제6조의 개정규정에도 불구하고 종전의 규정에 따른다.\n③ 제7조의 개정규정은 알 수 없는 때부터 적용한다."
    kinds = [(e.kind, e.targets[0].article, e.first, e.last) for e in read_transition_clause("가세법", text, day_of)]
    assert kinds == [
        ("적용례", "제5조", date(2026, 1, 1), date(2026, 1, 1)),
        ("경과조치", "제6조", date(2027, 1, 1), date(2027, 1, 1)),
        ("적용례", "제7조", date(2026, 1, 1), None),
    ]


def test_what_another_law_changes_is_read_from_its_own_lines():
    text = (
        '제8조(다른 법률의 개정) ①부터 ③까지 생략\n④ 나세법 일부를 다음과 같이 개정한다.\n제1조 중 "가"를 "나"로 한다.\n'
        '⑤ 가세법 일부를 다음과 같이 개정한다.\n제7조제1항제2호다목 중 "「라법」 제9조"를 "마"로 한다.\n⑥ 생략\n제99조를 삭제한다.'
    )
    targets = amended_by_other("가세법", text)
    assert [(t.article, t.paragraph, t.subparagraph, t.item, t.partial) for t in targets] == [
        ("제7조", 1, "2", None, True)
    ]


def test_targets_of_another_laws_act_are_left_out():
    text = "법률 제100호 가세법 일부개정법률 제5조 및 법률 제200호 나세법 일부개정법률 제9조의 개정규정"
    assert [(t.article, t.original) for t in read_targets("가세법", text)] == [("제5조", "100")]


def test_addenda_are_cut_into_clauses():
    markdown = (
        "# 가세법\n\n##### 제1조 (목적)\n\n가.\n\n## 부칙\n\n부칙 <제7호,2020.1.2>\n\n이 법은 공포한 날부터 시행한다.\n\n"
        "부칙(나법) <제00016호,2025.12.23>\n\n\n제1조(시행일) 이 법은 2026년 1월 1일부터 시행한다.\n\n제2조(가에 관한 적용례) 제1조의 개정규정은 …\n"
    )
    clauses = read_addenda("가세법", markdown)
    assert [(c.number, c.promulgated, c.other, c.article, c.kind) for c in clauses] == [
        ("7", date(2020, 1, 2), "", "", "시행일"),
        ("16", date(2025, 12, 23), "나법", "제1조", "시행일"),
        ("16", date(2025, 12, 23), "나법", "제2조", "적용례"),
    ]


def test_a_place_reads_as_a_citation():
    fact = PendingAmendment("가세법", "제5조의2", 3, "1의2", "가", "시행일", "1", JUNE, None, None, "부칙 제1조")
    assert fact.place == "가세법 제5조의2제3항제1호의2가목"
    assert not fact.settled
