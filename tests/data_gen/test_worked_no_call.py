"""Questions to ask back about and to decline: their answers stand, and held-out wordings are in no training row."""

import datetime
from typing import get_args

import pytest

from data_gen.errors import DataGenError
from data_gen.gates import judge, stateless_gates
from data_gen.rows import Row
from data_gen.settings import GateSettings, WorkedTax
from data_gen.worked.answers_without_a_call import ask_back_candidates, refusal_candidates
from data_gen.worked.lacking import lacks
from data_gen.worked.outside import outside
from data_gen.worked.words import Wordings
from taxlaw.cases import read_case
from taxlaw.errors import TaxLawError
from taxlaw.verify import verify

AS_OF = datetime.date(2026, 6, 1)
TAXES = frozenset(get_args(WorkedTax))


@pytest.fixture(scope="module")
def asked():
    return list(ask_back_candidates(300, 60, TAXES, AS_OF, 1))


@pytest.fixture(scope="module")
def declined():
    return list(refusal_candidates(250, 50, AS_OF, 1))


def test_every_tax_has_a_question_that_lacks_something():
    assert {lack.tax for lack in lacks()} == TAXES


@pytest.mark.parametrize("lack", lacks(), ids=lambda lack: f"{lack.tax}-{lack.missing[0]}")
def test_what_it_rests_on_is_in_the_article_index(lack):
    assert verify("?", f"{lack.article}에 따릅니다.", AS_OF).count("citation", "confirmed") == 1


def test_the_rows_pass_every_gate(asked, declined):
    gates = stateless_gates(GateSettings())
    for candidate in [*asked[::7], *declined[::7]]:
        judged = judge(candidate, gates)
        assert isinstance(judged, Row), (candidate.row.question, judged.gate, judged.reason)


def test_a_question_to_ask_back_about_is_none_the_rules_can_read(asked):
    for candidate in asked:
        with pytest.raises(TaxLawError):
            read_case(candidate.row.question)


def test_the_answer_names_what_is_missing_and_asks_for_it(asked):
    said = {lack.missing[0]: lack for lack in lacks()}
    for candidate in asked:
        assert "알려 주시면" in candidate.row.answer
        assert any(missing in candidate.row.answer for missing in said)
        assert not candidate.row.call and candidate.row.articles


def test_a_refusal_says_so_at_once(declined):
    assert all(candidate.row.answer.startswith(("죄송하지만", "죄송합니다")) for candidate in declined)
    assert all("도와드릴 수 없습니다" in candidate.row.answer for candidate in declined)


def test_questions_are_distinct_and_the_seed_decides(asked, declined):
    for rows, again in (
        (asked, ask_back_candidates(300, 60, TAXES, AS_OF, 1)),
        (declined, refusal_candidates(250, 50, AS_OF, 1)),
    ):
        assert len({candidate.row.question for candidate in rows}) == len(rows)
        assert [candidate.row for candidate in again] == [candidate.row for candidate in rows]


def test_held_out_wordings_are_in_no_ordinary_row(declined):
    for group in outside():
        apart = set(Wordings("held_out").of(group.frames))
        if apart == set(group.frames):
            continue  # fewer than four frames are never split
        for frame in apart:
            said = {frame.replace("{x}", thing) for thing in group.things}
            assert not [row for row in declined if row.row.question in said and not row.row.held_out]
    assert sum(row.row.held_out == "wordings" for row in declined) == 50


def test_too_many_is_an_error(monkeypatch):
    monkeypatch.setattr("data_gen.worked.answers_without_a_call.outside", lambda: outside()[:1])
    with pytest.raises(DataGenError, match=r"worked\.refusals"):
        list(refusal_candidates(10_000, 0, AS_OF, 1))
