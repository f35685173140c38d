"""Preference data that holds a refuted winner, a private number or one vote twice teaches the student exactly that."""

from __future__ import annotations

import math
from collections import Counter
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serve.backends.protocol import BackendInfo, GenParams, Message
from serve.records.cache import AnswerCache
from serve.records.database import open_database, reading
from serve.records.preferences import REASONS, position_bias, preferences, wilson
from serve.records.store import Records
from serve.records.voted import read_answers, read_votes

DAY = date(2025, 7, 1)
INFO, PARAMS = BackendInfo("m", "m", model_sha256="a" * 64, template_sha256="b" * 64), GenParams()
PRIVATE = "제 전화는 010-1234-5678입니다. 상속세는?"


def votes_of(records) -> list:
    with reading(records.path) as connection:
        return read_votes(connection, read_answers(connection))


@pytest.fixture
def ask(records, answer_of):
    """One vote: a question, an answer of each side (None: none came), the choice."""

    def run(question="상속세는?", left="왼쪽 답", right="오른쪽 답", choice="left", consent=True, **more) -> None:
        turn = records.new_turn(records.new_session("page", keep_text=consent), question, DAY)
        ok, finish = more.pop("ok", True), more.pop("finish", "stop")
        messages = more.pop("messages", (Message("user", question),))
        for side, text in (("student", left), ("teacher", right)):
            if text is None:
                records.keep_failure(turn, side, "m", "timeout", INFO, PARAMS)
            else:
                answer = answer_of(side, text, ok=ok, finish=finish)
                records.keep(turn, answer, INFO, PARAMS, messages=messages)
        assert records.vote(turn, choice, **more)

    return run


def test_a_vote_becomes_exactly_the_row_that_the_preference_stage_reads(records, ask):
    ask(choice="right")
    made = preferences(votes_of(records))
    assert made.rows == [{"question": "상속세는?", "chosen": "오른쪽 답", "rejected": "왼쪽 답"}]
    (origin,) = made.origins
    assert origin["prompt"] == [{"role": "user", "content": "상속세는?"}] and origin["winner_stood"] == "right"
    assert (origin["chosen"]["side"], origin["rejected"]["side"]) == ("teacher", "student")
    assert origin["chosen"]["model_sha256"] == "a" * 64 and origin["rejected"]["template_sha256"] == "b" * 64


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("tie", {"choice": "tie"}),
        ("both_bad", {"choice": "both_bad"}),
        ("no_answer", {"right": None}),
        ("no_answer", {"left": None}),
        ("no_text", {"consent": False}),
        ("winner_failed", {"ok": False}),
        ("winner_cut", {"finish": "length"}),
        ("personal_data", {"question": PRIVATE}),
        ("personal_data", {"right": PRIVATE}),
        ("same_text", {"right": "왼쪽 답"}),
        (
            "history",
            {"messages": (Message("user", "앞"), Message("assistant", "답"), Message("user", "그러면?"))},
        ),
    ],
)
def test_what_nobody_should_learn_from_is_left_out_and_counted(records, ask, reason, changes):
    ask(**changes)
    made = preferences(votes_of(records))
    assert (made.rows, made.excluded) == ([], Counter({reason: 1}))
    assert reason in REASONS


def test_the_same_pair_twice_is_one_pair_and_the_opposite_vote_is_another(records, ask):
    ask()
    ask()
    ask(choice="right")
    made = preferences(votes_of(records))
    assert len(made.rows) == 2 and made.excluded == Counter(duplicate=1)


def test_the_evidence_the_student_saw_is_part_of_the_prompt_and_a_system_turn_is_not(records, ask):
    shown = (Message("system", "당신은 조력자"), Message("user", "[근거] 제13조 [질문] 상속세는?"))
    ask(messages=shown)
    (row,) = preferences(votes_of(records)).rows
    assert row["question"] == "[근거] 제13조 [질문] 상속세는?"


def test_a_loser_may_be_wrong(records, answer_of):
    turn = records.new_turn(records.new_session("page", keep_text=True), "상속세는?", DAY)
    records.keep(turn, answer_of("student", "틀림", ok=False, finish="length"), INFO, PARAMS)
    records.keep(turn, answer_of("teacher", "맞음"), INFO, PARAMS)
    records.vote(turn, "right")
    assert preferences(votes_of(records)).rows == [{"question": "상속세는?", "chosen": "맞음", "rejected": "틀림"}]


@pytest.mark.parametrize(
    ("hits", "total", "low", "high"),
    [(8, 10, 0.4902, 0.9433), (0, 10, 0.0, 0.2775), (50, 100, 0.4038, 0.5962), (1, 1, 0.2065, 1.0), (0, 0, 0.0, 1.0)],
)
def test_the_interval_is_wilsons(hits, total, low, high):
    assert wilson(hits, total) == pytest.approx((low, high), abs=1e-4)


def test_a_left_habit_shows_in_blind_votes_alone(records, ask):
    for number in range(12):
        ask(question=f"질문 {number}", blind=True)
    ask(choice="right")
    ask(choice="tie")
    ask(right=None, blind=True)  # there was nothing to choose
    whole, blind, open_ = position_bias(votes_of(records))
    assert (whole.left, whole.decided, blind.left, blind.decided) == (12, 13, 12, 12)
    assert blind.one_sided and (open_.left, open_.decided) == (0, 1) and not open_.one_sided


_answers = st.tuples(
    st.sampled_from(["가", "나", "다", "전화 010-1234-5678"]),  # few texts, so that pairs repeat
    st.booleans(),  # verified
    st.sampled_from(["stop", "stop", "stop", "length", None]),
)
_votes = st.tuples(
    st.sampled_from(["상속세는?", "증여세는?", PRIVATE]),
    st.one_of(_answers, _answers, _answers, st.none()),
    st.one_of(_answers, _answers, _answers, st.none()),
    st.sampled_from(["left", "left", "right", "right", "tie", "both_bad"]),
    st.booleans(),  # student on the left
    st.booleans(),  # blind
    st.sampled_from([True, True, True, False]),  # consent
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_votes, max_size=14))
def test_the_export_of_any_votes_equals_a_plain_computation(tmp_path_factory, answer_of, votes):
    path = tmp_path_factory.mktemp("votes") / "records.sqlite"
    records = Records(open_database(path), AnswerCache(0), lambda message: None, path=path)
    pairs, reasons, left_wins = [], Counter(), {True: [0, 0], False: [0, 0]}
    for question, student, teacher, choice, student_left, blind, consent in votes:
        turn = records.new_turn(records.new_session("page", keep_text=consent), question, DAY)
        for side, given_ in (("student", student), ("teacher", teacher)):
            if given_:
                text, ok, finish = given_
                records.keep(turn, answer_of(side, text, ok=ok, finish=finish), INFO, PARAMS)
        sides = ("student", "teacher") if student_left else ("teacher", "student")
        records.vote(turn, choice, left=sides[0], right=sides[1], blind=blind)

        # The plain computation, from what was generated and not from what was stored.
        if choice in ("tie", "both_bad"):
            reasons[choice] += 1
            continue
        if student and teacher:
            left_wins[blind][0] += choice == "left"
            left_wins[blind][1] += 1
        left, right = (student, teacher) if student_left else (teacher, student)
        winner, loser = (left, right) if choice == "left" else (right, left)
        if winner is None or loser is None:
            reasons["no_answer"] += 1
        elif not consent:
            reasons["no_text"] += 1
        elif not winner[1]:
            reasons["winner_failed"] += 1
        elif winner[2] == "length":
            reasons["winner_cut"] += 1
        elif "010-" in question + winner[0] + loser[0]:
            reasons["personal_data"] += 1
        elif winner[0] == loser[0]:
            reasons["same_text"] += 1
        elif (question, winner[0], loser[0]) in pairs:
            reasons["duplicate"] += 1
        else:
            pairs.append((question, winner[0], loser[0]))
    records.close()

    with reading(path) as connection:
        kept = read_votes(connection, read_answers(connection))
    made = preferences(kept)
    assert [tuple(row.values()) for row in made.rows] == pairs
    assert made.excluded == reasons
    assert len(made.rows) + made.excluded.total() == len(votes)
    _, blind_bias, open_bias = position_bias(kept)
    assert [blind_bias.left, blind_bias.decided] == left_wins[True]
    assert [open_bias.left, open_bias.decided] == left_wins[False]
    assert all(0 <= bias.low <= bias.high <= 1 and not math.isnan(bias.low) for bias in (blind_bias, open_bias))
