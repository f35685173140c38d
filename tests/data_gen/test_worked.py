import datetime
import re

import pytest

from data_gen.errors import DataGenError
from data_gen.rows import Candidate
from data_gen.settings import SplitSettings, WorkedSettings
from data_gen.splits import assign, split_keys
from data_gen.worked import corporate, gift, income, vat_simplified
from data_gen.worked.candidates import worked_candidates
from data_gen.worked.words import Case
from taxlaw.calls import facts_of, parse_call, run_call
from taxlaw.cases import read_case
from taxlaw.money import parse_won

AS_OF = datetime.date(2026, 6, 1)
MIXED = WorkedSettings(count=1200, shares={"gift": 4, "income": 3, "vat_simplified": 2, "corporate": 2})


@pytest.fixture(scope="module")
def rows():
    candidates = list(worked_candidates(MIXED, AS_OF, seed=3))
    assert all(isinstance(candidate, Candidate) for candidate in candidates)
    return [candidate.row for candidate in candidates]


def test_questions_are_distinct_and_all_taxes_take_part(rows):
    assert len({row.question for row in rows}) == 1200
    assert {row.tax for row in rows} == {"gift", "income", "vat_simplified", "corporate"}


def test_the_same_seed_gives_the_same_rows(rows):
    assert [candidate.row for candidate in worked_candidates(MIXED, AS_OF, seed=3)] == rows
    other = [candidate.row for candidate in worked_candidates(MIXED, AS_OF, seed=4)]
    assert other != rows


def test_a_reader_who_sees_only_the_question_finds_the_facts_of_the_call(rows):
    for row in rows:
        read, call = read_case(row.question), parse_call(row.call)
        assert facts_of(read, AS_OF) == facts_of(call, AS_OF), row.question


def test_amounts_in_the_call_are_words_of_the_question(rows):
    for row in rows:
        facts = parse_call(row.call).model_dump(exclude_defaults=True, exclude={"tax", "relation"})
        for value in facts.values():
            assert not isinstance(value, str) or value in row.question, row.question


def test_payable_and_the_last_line_of_the_answer_are_the_calculators(rows):
    for row in rows:
        result = run_call(parse_call(row.call), AS_OF)
        assert row.payable == result.payable
        stated = re.search(r"납부할 세액: ([^(\n]+)", row.answer)[1].strip()
        assert parse_won(stated) == result.payable


def test_a_year_is_in_the_call_exactly_when_it_is_in_the_question(rows):
    for row in rows:
        year = parse_call(row.call).year
        stated = re.search(r"(20\d\d)(?:년|사업연도)", row.question)
        assert year == (int(stated[1]) if stated else None), row.question


def test_styles_alternate_within_each_tax(rows):
    gift = [row.type for row in rows if row.tax == "gift"]
    assert gift[:4] == ["teacher", "student", "teacher", "student"]


def test_the_showcase_of_the_predecessor_takes_part(rows):
    shown = [row for row in rows if "부모님" in row.question and re.search(r"20억|2,000,000,000원", row.question)]
    assert len({row.question for row in shown}) >= 3
    plain = [row for row in shown if set(parse_call(row.call).model_fields_set) == {"tax", "amount", "relation"}]
    assert plain and all(row.payable == 601_400_000 for row in plain)


def test_validation_amounts_never_appear_in_train(rows):
    split_of = assign(((row.id, split_keys(row)) for row in rows), SplitSettings(validation=0.2), 7)
    splits = {}
    for row in rows:
        splits.setdefault(row.family, set()).add(split_of[row.id])
    assert all(len(found) == 1 for found in splits.values())
    assert {"train"} in splits.values() and {"validation"} in splits.values()
    call = parse_call(rows[0].call)
    assert rows[0].family == f"worked:{call.tax}:{_main_won(rows[0])}"


def _main_won(row) -> int:
    facts = facts_of(parse_call(row.call), AS_OF)
    for name in ("amount", "gross", "base", "income", "gross_pay"):
        if getattr(facts, name, None) is not None:
            return getattr(facts, name)
    raise AssertionError(row.call)


def test_each_tax_has_at_least_twelve_wordings():
    assert len({*gift.RECEIVED, *gift.TO_RECEIVE, *gift.GIVEN, *gift.TO_GIVE}) >= 12
    assert len({*income.BASE, *income.INCOME, *income.PAY}) >= 12
    assert len(set(vat_simplified.FRAMES)) >= 12
    assert len(set(corporate.FRAMES)) >= 12


def test_the_giver_is_seen_from_the_receiver(rows):
    to_son = [
        row for row in rows if row.tax == "gift" and re.search(r"아들(에게|한테) .*증여(하려고|했)", row.question)
    ]
    assert to_son and all('"relation":"직계존속"' in row.call for row in to_son)


def test_nobody_missed_the_deadline_of_a_gift_not_yet_made(rows):
    planned = [row for row in rows if re.search(r"하려고 합니다\.|할 생각|예정이에요|받기로", row.question)]
    assert planned
    for row in planned:
        if "신고해 보려고" not in row.question:
            assert '"filed":false' not in row.call, row.question


def test_too_many_rows_is_an_error_not_an_endless_loop(monkeypatch):
    same = Case("과세표준 1억원인 법인의 법인세는?", {"base": "1억원"}, 100_000_000)
    monkeypatch.setattr("data_gen.worked.candidates.DRAW", {"corporate": lambda rng, wordings: same})
    settings = WorkedSettings(count=2, shares={"corporate": 1})
    with pytest.raises(DataGenError, match=r"worked\.count"):
        list(worked_candidates(settings, AS_OF, seed=1))


def test_a_case_outside_the_calculators_is_a_failure_with_its_reason():
    # 2031: no table for that year, so the questions without a year cannot be worked out.
    outcomes = list(
        worked_candidates(WorkedSettings(count=40, shares={"income": 1}), datetime.date(2031, 1, 1), seed=1)
    )
    failures = [outcome for outcome in outcomes if not isinstance(outcome, Candidate)]
    assert len(outcomes) == 40 and failures
    assert "2031" in failures[0].reason
