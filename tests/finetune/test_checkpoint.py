"""Checkpoints: whole or not there.  One that is half written, damaged or of another run must never be gone on from."""

import os
import random
import signal

import pytest
import torch

from finetune.checkpoint import (
    StopRequest,
    Timer,
    newest_checkpoint,
    random_state,
    restore_random_state,
    stop_requests,
    write_checkpoint,
)

PARTS = {"settings": "a", "data": "b"}


def write(folder, step, **header):
    state = {"weights": {"w": torch.full((3,), float(step))}, "random": random_state()}
    return write_checkpoint(folder, f"00-{step:08d}", {"fingerprint": PARTS, "step": step, **header}, state)


def newest(folder, parts=PARTS):
    said = []
    return newest_checkpoint(folder, parts, said.append), "\n".join(said)


def test_the_newest_is_found_and_two_are_kept(tmp_path):
    for step in (1, 2, 3, 10):
        write(tmp_path, step)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["00-00000003", "00-00000010"]
    found, _ = newest(tmp_path)
    assert found.header["step"] == 10 and found.state["weights"]["w"].tolist() == [10, 10, 10]


def test_a_run_without_checkpoints_starts_from_nothing(tmp_path):
    assert newest(tmp_path / "nowhere") == (None, "")
    assert newest(tmp_path) == (None, "")


@pytest.mark.parametrize("point", ["replace", "fsync"])
def test_a_power_cut_while_writing_leaves_the_one_before(tmp_path, monkeypatch, point):
    write(tmp_path, 1)

    def cut(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, point, cut)
        with pytest.raises(KeyboardInterrupt):
            write(tmp_path, 2)
    assert newest(tmp_path)[0].header["step"] == 1
    write(tmp_path, 3)  # and what was half written is in nobody's way
    assert sorted(path.name for path in tmp_path.iterdir()) == ["00-00000001", "00-00000003"]


@pytest.mark.parametrize("file", ["state.pt", "checkpoint.json"])
@pytest.mark.parametrize("harm", [b"", b"half", None])
def test_a_damaged_one_is_passed_over_for_the_one_before(tmp_path, file, harm):
    write(tmp_path, 1)
    damaged = write(tmp_path, 2) / file
    if harm is None:
        damaged.unlink()
    else:
        damaged.write_bytes(harm)
    found, said = newest(tmp_path)
    assert found.header["step"] == 1 and "00-00000002" in said


def test_another_fingerprint_is_not_gone_on_from_and_the_difference_is_named(tmp_path):
    write(tmp_path, 1)
    found, said = newest(tmp_path, {"settings": "a", "data": "other"})
    assert found is None and "달라진 것 data" in said


def test_a_position_written_twice_stays_one(tmp_path):
    write(tmp_path, 1)
    write(tmp_path, 2, again=False)
    write(tmp_path, 2, again=True)
    assert newest(tmp_path)[0].header["again"] is True
    assert len(list(tmp_path.iterdir())) == 2


def test_random_generators_go_on_where_they_stood():
    torch.manual_seed(1)
    random.seed(1)
    state = random_state()
    drawn = (torch.rand(3).tolist(), random.random())
    restore_random_state(state)
    assert (torch.rand(3).tolist(), random.random()) == drawn


def test_a_signal_waits_for_the_end_of_the_step_and_the_second_does_not():
    before = signal.getsignal(signal.SIGTERM)
    with stop_requests() as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.signal == signal.SIGTERM and stop.interrupt().args == (signal.SIGTERM,)
        with pytest.raises(KeyboardInterrupt):
            stop.received(signal.SIGINT, None)
        assert stop.interrupt().args == ()
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_signal_during_an_evaluation_is_not_kept_waiting():
    stop = StopRequest()
    stop.at_once = True
    with pytest.raises(KeyboardInterrupt):
        stop.received(signal.SIGTERM, None)


def test_the_clock_says_when_the_next_is_due():
    now = [0.0]
    timer = Timer(5, lambda: now[0])
    now[0] = 299
    assert not timer.due()
    now[0] = 300
    assert timer.due()
    timer.restart()
    assert not timer.due()
