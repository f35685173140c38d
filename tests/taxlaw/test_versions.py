"""If these fail, the wrong version of a law is read: one that lacks an amendment, or one that is not the law yet."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxlaw.articles import indexed_laws
from taxlaw.versions import version_on, versions_of, versions_waiting


@pytest.mark.parametrize(
    ("law", "as_of", "number"),
    [
        # 제19590호 (promulgated 2023-08-08) takes effect in May 2024, but lacks what 제19933호 of December 2023 changed.
        ("소득세법", date(2024, 6, 1), "19933"),
        ("소득세법", date(2023, 12, 31), "19196"),
        # Two acts of one day, one version each: the later one holds both.
        ("소득세법", date(2026, 1, 1), "21223"),
        ("소득세법", date(2025, 12, 31), "21065"),
        ("국세기본법", date(2025, 7, 1), "20774"),
        ("상증법", date(2025, 7, 1), "20777"),
        ("소득세법 시행령", date(2026, 6, 8), "36276"),  # 제36343호 waits until 2026-07-01
    ],
)
def test_the_latest_promulgated_version_in_force_is_chosen(law, as_of, number):
    assert version_on(law, as_of).number == number


def test_a_version_that_waits_is_named():
    waiting = versions_waiting("소득세법 시행령", date(2026, 6, 8))
    assert [(version.number, version.effective) for version in waiting][:1] == [("36343", date(2026, 7, 1))]
    assert versions_waiting("상속세 및 증여세법", date(2026, 6, 8)) == ()


def test_what_is_not_in_the_table():
    assert version_on("민법", date(2025, 1, 1)) is None
    assert version_on("소득세법", date(1990, 1, 1)) is None


@given(st.sampled_from(["소득세법", "법인세법 시행령", "지방세법", "조세특례제한법"]), st.integers(0, 4500))
def test_the_chosen_version_is_in_force_and_none_promulgated_later_is(law, days):
    as_of = date(2014, 6, 1) + timedelta(days=days)
    chosen = version_on(law, as_of)
    assert chosen is None or (chosen.promulgated <= as_of and chosen.effective <= as_of)
    for version in versions_of(law):
        if version.promulgated <= as_of and version.effective <= as_of:
            assert version.promulgated <= chosen.promulgated


def test_every_act_of_the_index_has_versions():
    without = {law for law in indexed_laws() if not versions_of(law)}
    assert without <= {"조세범 처벌절차법", "지방세징수법", "지방세징수법 시행령"}
    assert version_on("교육세법", date(2026, 6, 8)).number == "21210"
