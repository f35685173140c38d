"""Every tax's templates: the question supports its call, the call runs, and a rule that reads the question agrees."""

import datetime
import json
import random
from collections import Counter

import pytest

from data_gen.rows import Candidate
from data_gen.settings import HeldOutSettings, SplitSettings, WorkedSettings
from data_gen.splits import assign, split_keys
from data_gen.worked.candidates import DRAW, is_kept_back, worked_candidates
from data_gen.worked.words import Wordings
from taxlaw.call_check import objections
from taxlaw.calls import facts_of, parse_call, run_call
from taxlaw.cases import read_case
from taxlaw.errors import UnsupportedCase

AS_OF = datetime.date(2026, 6, 1)
DRAWN = 150


@pytest.fixture(scope="module", params=list(DRAW))
def drawn(request):
    """The tax, and cases of it with their calls."""
    rng = random.Random(11)
    cases = [DRAW[request.param](rng, Wordings("all")) for _ in range(DRAWN)]
    dumps = [json.dumps({"tax": request.param, **case.facts}, ensure_ascii=False) for case in cases]
    return request.param, cases, [parse_call(text) for text in dumps]


def test_every_call_is_worked_out_and_rests_on_its_question(drawn):
    _, cases, calls = drawn
    for case, call in zip(cases, calls, strict=True):
        run_call(call, AS_OF)
        assert objections(case.question, call) == (), case.question


def test_a_rule_that_reads_the_question_reads_the_same_facts(drawn):
    tax, cases, calls = drawn
    agreed = 0
    for case, call in zip(cases, calls, strict=True):
        try:
            read = read_case(case.question)
        except UnsupportedCase:
            continue
        assert facts_of(read, AS_OF) == facts_of(call, AS_OF), case.question
        agreed += 1
    # The rules read no question of these two for certain yet; of every other tax they read some.
    assert agreed or tax in ("vat_general", "withholding")


def test_no_blank_is_left_and_nothing_is_said_twice(drawn):
    _, cases, _ = drawn
    for case in cases:
        assert "{" not in case.question and "  " not in case.question and ".." not in case.question.replace("...", "")
    assert len({case.question for case in cases}) > DRAWN * 0.9


def test_most_cases_owe_tax(drawn):
    _, _, calls = drawn
    owed = sum(run_call(call, AS_OF).payable > 0 for call in calls)
    assert owed > DRAWN * 0.55


def test_held_out_frames_are_in_no_training_question():
    frames = [f"문장 {number} {{ask}}" for number in range(16)]
    train, held_out = set(Wordings("train").of(frames)), set(Wordings("held_out").of(frames))
    assert train | held_out == set(frames) and not train & held_out and len(held_out) == 2
    assert set(Wordings("all").of(frames)) == set(frames)


@pytest.fixture(scope="module")
def rows():
    settings = WorkedSettings(
        count=1500, shares=dict.fromkeys(DRAW, 1.0), held_out=HeldOutSettings(wordings=130, combinations=130)
    )
    found = list(worked_candidates(settings, AS_OF, seed=5))
    assert all(isinstance(one, Candidate) for one in found)
    return [one.row for one in found]


def test_what_is_held_out_shares_neither_amount_nor_combination_with_the_rest(rows):
    ordinary = [row for row in rows if not row.held_out]
    apart = [row for row in rows if row.held_out]
    assert Counter(row.held_out for row in apart)["wordings"] == 130
    assert Counter(row.tax for row in apart if row.held_out == "wordings") == Counter(dict.fromkeys(DRAW, 10))
    assert not {row.family for row in apart} & {row.family for row in ordinary}
    facts = [_stated(row) for row in ordinary]
    combinations = [row for row in apart if row.held_out == "combinations"]
    assert len(combinations) >= 30
    assert not {_stated(row) for row in combinations} & set(facts)


def test_held_out_rows_go_to_test_and_pull_nothing_with_them(rows):
    split_of = assign(((row.id, split_keys(row)) for row in rows), SplitSettings(validation=0.1), 3)
    assert {split_of[row.id] for row in rows if row.held_out} == {"test"}
    assert {split_of[row.id] for row in rows if not row.held_out} == {"train", "validation"}


def test_a_combination_kept_back_is_a_rarer_one():
    assert not is_kept_back("gift", {"amount": "1억원", "relation": "배우자"})


def _stated(row) -> tuple[str, frozenset[str]]:
    # The keys as they were drawn: a default stated in the question ("1주택") is no fact of the call.
    return row.tax, frozenset(json.loads(row.call))
