"""Parallel judging: the same outcomes in the same order as inline, bounded look-ahead, and no hang when a worker dies."""

import datetime
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from data_gen.errors import BadInput, DataGenError
from data_gen.gates import judge, stateless_gates
from data_gen.judging import MOST, JudgePool, judge_stream
from data_gen.rows import Rejection, Row
from data_gen.settings import GateSettings, WorkedSettings
from data_gen.worked.candidates import worked_candidates

SETTINGS = GateSettings()


@pytest.fixture(scope="module")
def candidates():
    made = list(worked_candidates(WorkedSettings(count=60), datetime.date(2026, 6, 1), seed=3))
    # Every seventh is wrong, so that both outcomes travel.
    return [
        replace(one, row=replace(one.row, payable=one.row.payable + 1)) if number % 7 == 0 else one
        for number, one in enumerate(made)
    ]


@pytest.fixture(scope="module")
def pool():
    with JudgePool(SETTINGS, 2) as pool:
        yield pool


def test_workers_give_what_judging_here_gives_in_the_same_order(candidates, pool):
    gates = stateless_gates(SETTINGS)
    expected = [judge(one, gates) for one in candidates]
    assert pool.judge_many(candidates) == expected
    assert JudgePool(SETTINGS, 0).judge_many(candidates) == expected
    assert sum(isinstance(one, Rejection) for one in expected) == 9 and isinstance(expected[1], Row)


def test_nothing_to_judge_is_nothing(pool):
    assert pool.judge_many([]) == []


def test_many_threads_may_ask_at_once(candidates, pool):
    with ThreadPoolExecutor(6) as threads:
        pieces = [candidates[at : at + 10] for at in range(0, 60, 10)]
        results = list(threads.map(pool.judge_many, pieces))
    assert [one.row.id if isinstance(one, Rejection) else one.id for part in results for one in part] == [
        one.row.id for one in candidates
    ]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_stream_keeps_its_order_and_reads_only_a_little_ahead(candidates, workers):
    read = []

    def source():
        for number in range(1000):
            read.append(number)
            yield replace(candidates[1], row=replace(candidates[1].row, id=f"row-{number}"))

    stream = judge_stream(source(), SETTINGS, workers)
    first = [next(stream).id for _ in range(3)]
    assert first == ["row-0", "row-1", "row-2"]
    assert len(read) <= (2 * workers + 1) * MOST
    stream.close()


@pytest.fixture
def with_gate(monkeypatch):
    def use(gate):
        monkeypatch.setattr("data_gen.judging.stateless_gates", lambda settings: [("test", gate)])

    return use


class DiesOfOne:
    """A gate that ends its process when it sees the row ``bad``, unless that is the test's own process."""

    def __init__(self):
        self.parent = os.getpid()

    def __call__(self, candidate):
        if candidate.row.id == "bad" and os.getpid() != self.parent:
            os._exit(9)
        return True


class Raises:
    def __call__(self, candidate):
        raise ZeroDivisionError("oops")


def test_a_worker_that_dies_is_an_error_that_names_the_row_and_the_rest_is_judged_on(candidates, with_gate):
    with_gate(DiesOfOne())
    bad = replace(candidates[5], row=replace(candidates[5].row, id="bad"))
    with JudgePool(SETTINGS, 2) as pool:
        with pytest.raises(DataGenError, match="bad"):
            pool.judge_many([*candidates[:20], bad, *candidates[20:]])
        assert pool.submit(candidates[:1]).future is not None  # a new pool has taken the place of the broken one
        assert len(pool.judge_many(candidates)) == len(candidates)


def test_a_gate_that_raises_names_the_row(candidates, with_gate):
    with_gate(Raises())
    for workers in (0, 1):
        with (
            JudgePool(SETTINGS, workers) as pool,
            pytest.raises(DataGenError, match="practical:worked-000001") as error,
        ):
            pool.judge_many(candidates[:1])
        assert "ZeroDivisionError" in str(error.value)


def test_an_evaluation_file_that_cannot_be_read_is_told_before_any_worker_starts(tmp_path):
    with pytest.raises(BadInput, match="평가 자료가 없습니다"):
        JudgePool(GateSettings(decontaminate=(tmp_path / "none.txt",)), 2)


def test_workers_know_the_evaluation_files(tmp_path, candidates):
    test = tmp_path / "t.txt"
    test.write_text(candidates[1].row.question)
    with JudgePool(GateSettings(decontaminate=(test,)), 1) as pool:
        (judged,) = pool.judge_many(candidates[1:2])
    assert judged.gate == "decontamination"
