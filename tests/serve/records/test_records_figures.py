"""A dashboard that counts a vote for the pane instead of the model, or a cached answer as a fast one, misleads."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from serve.answer import Stats
from serve.backends.protocol import BackendInfo, GenParams
from serve.records.figures import Counts, Figures, VerdictDay, VoteDay, figures_of, percentile

DAY = date(2025, 7, 1)
INFO, PARAMS = BackendInfo("m", "m"), GenParams()


def test_votes_are_counted_for_the_side_that_won_on_the_korean_day(records, clock):
    session = records.new_session("page")
    for moment, choice, left, right in (
        (datetime(2026, 3, 1, 14, 59, tzinfo=UTC), "left", "student", "teacher"),
        (datetime(2026, 3, 1, 15, 0, tzinfo=UTC), "left", "teacher", "student"),  # the 2nd in Korea
        (datetime(2026, 3, 2, 1, 0, tzinfo=UTC), "right", "teacher", "student"),
        (datetime(2026, 3, 2, 2, 0, tzinfo=UTC), "right", "student", "base"),
        (datetime(2026, 3, 2, 3, 0, tzinfo=UTC), "tie", "teacher", "student"),
        (datetime(2026, 3, 2, 4, 0, tzinfo=UTC), "both_bad", "teacher", "student"),
    ):
        clock.now = moment
        records.vote(records.new_turn(session, "질문", DAY), choice, left=left, right=right)
    assert figures_of(records.path).votes == (
        VoteDay(date(2026, 3, 1), {"student": 1}),
        VoteDay(date(2026, 3, 2), {"base": 1, "student": 1, "teacher": 1}, tie=1, both_bad=1),
    )


def test_verdicts_are_counted_by_day_and_side(records, clock, keep):
    turn = records.new_turn(records.new_session("page"), "질문", DAY)
    keep(turn, "student", "맞음")
    keep(turn, "student", "틀림", ok=False)
    keep(turn, "teacher", "맞음")
    records.keep_failure(turn, "teacher", "m", "timeout")
    clock.forward(days=1)
    keep(turn, "student", "맞음")
    assert figures_of(records.path).verdicts == (
        VerdictDay(date(2026, 3, 1), "student", 2, 1, {"confirmed": 1, "fault": 1}),
        VerdictDay(date(2026, 3, 1), "teacher", 1, 1, {"confirmed": 1}),
        VerdictDay(date(2026, 3, 2), "student", 1, 1, {"confirmed": 1}),
    )


def test_waiting_is_measured_on_fresh_answers_of_models_only(records, answer_of):
    turn = records.new_turn(records.new_session("page"), "질문", DAY)
    for number in range(1, 21):
        stats = Stats(number / 10, number / 10 + 2.0, 41, 7, "stop")
        records.keep(turn, replace(answer_of(), stats=stats), INFO, PARAMS)
    fast = replace(answer_of(), stats=Stats(0.0, 0.001, 99, 7, "stop"))
    records.keep(turn, replace(fast, cached=True), INFO, PARAMS)
    records.keep(turn, replace(fast, measured=False), INFO, PARAMS)
    records.keep_failure(turn, "student", "모델 student", "busy")
    (waiting,) = figures_of(records.path).latencies
    assert (waiting.side, waiting.source, waiting.answers) == ("student", "모델 student", 20)
    assert (waiting.first_p50, waiting.first_p95) == (1.0, 1.9)
    assert (waiting.seconds_p50, waiting.seconds_p95) == (3.0, 3.9)
    assert (waiting.tokens_per_second_p50, waiting.tokens_per_second_p5) == pytest.approx((20.0, 20.0))


def test_counts_tell_what_is_kept(records, keep, answer_of):
    spoken = records.new_turn(records.new_session("page", keep_text=True), "질문", DAY)
    silent = records.new_turn(records.new_session("http"), "질문", DAY)
    keep(spoken, "student", "답")
    records.keep(silent, answer_of(cached=True, usd=0.5), INFO, PARAMS)
    for code in ("timeout", "auth", "timeout"):
        records.keep_failure(silent, "teacher", "m", code)
    records.vote(spoken, "tie")
    assert figures_of(records.path).counts == Counts(2, 2, 2, 1, 1, 1, 0.5, (("timeout", 2), ("auth", 1)))


def test_a_path_in_the_home_folder_is_found(records, keep, monkeypatch):
    keep(records.new_turn(records.new_session("page"), "질문", DAY), "student", "답")
    monkeypatch.setenv("HOME", str(records.path.parent))
    assert figures_of(Path("~/records.sqlite")).counts.answers == 1


def test_no_records_are_empty_figures(tmp_path):
    assert figures_of(None) == figures_of(tmp_path / "none.sqlite") == Figures()


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([], 50, None),
        ([None], 50, None),
        ([3.0], 95, 3.0),
        ([4.0, None, 1.0, 2.0, 3.0], 50, 2.0),
        ([1.0, 2.0], 95, 2.0),
    ],
)
def test_a_percentile_is_a_measured_value(values, share, expected):
    assert percentile(values, share) == expected
