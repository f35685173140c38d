"""Two streams on one llama.cpp context abort the process: turns are taken inside the generator and never overlap."""

from __future__ import annotations

import threading

import pytest

from serve.backends.fake import FakeBackend
from serve.backends.protocol import GenParams, Message
from serve.backends.turnstile import Superseded, Turnstile
from serve.errors import Code, ServeError

ASK = [Message("user", "질문")]
PARAMS = GenParams()


def test_two_threads_never_stream_at_once() -> None:
    order: list[int] = []
    chance = threading.Event()

    def watch(index: int) -> None:
        order.append(threading.get_ident())
        if index == 0:
            chance.wait(0.05)  # never set: gives the other thread time to break in

    backend = FakeBackend(before_delta=watch).enqueue("가", "나", "다").enqueue("라", "마", "바")
    texts = []

    def consume() -> None:
        texts.append("".join(delta.text for delta in backend.stream(ASK, PARAMS)))

    threads = [threading.Thread(target=consume) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert sorted(texts) == ["가나다", "라마바"]
    assert len(set(order[:3])) == len(set(order[3:])) == 1, "two streams ran interleaved"
    assert backend.endings == ["finished", "finished"]


def test_a_waiting_stream_starts_only_after_the_first_is_closed() -> None:
    backend = FakeBackend().enqueue("가", "나").enqueue("다")
    first = backend.stream(ASK, PARAMS)
    next(first)
    got: list[str] = []
    thread = threading.Thread(target=lambda: got.extend(delta.text for delta in backend.stream(ASK, PARAMS)))
    thread.start()
    thread.join(0.05)
    assert got == []
    first.close()
    thread.join(5)
    assert got[-2:] == ["다", ""] and not any(got[:-2]), "nothing is written before the model is free"
    assert backend.endings == ["closed", "finished"]


def test_closing_a_stream_runs_its_cleanup_and_frees_the_model() -> None:
    backend = FakeBackend().enqueue("가", "나").enqueue("다")
    stream = backend.stream(ASK, PARAMS)
    next(stream)
    stream.close()
    assert backend.endings == ["closed"]
    assert [delta.text for delta in backend.stream(ASK, PARAMS)] == ["다", ""]


def test_an_abandoned_stream_loses_its_turn_and_is_never_resumed() -> None:
    turns = Turnstile(stale_seconds=0.0)
    abandoned = turns.enter()
    current = turns.enter()
    with pytest.raises(Superseded), turns.step(abandoned):
        pytest.fail("a superseded stream touched the model")
    turns.leave(abandoned)  # must not free the newcomer's turn
    with turns.step(current):
        pass


def test_who_waits_behind_another_answer_can_leave_at_once() -> None:
    backend = FakeBackend().enqueue("가", "나").enqueue("안 볼 답").enqueue("다")
    first, leaving = backend.stream(ASK, PARAMS), backend.stream(ASK, PARAMS)
    next(first)
    waiting = next(leaving)  # comes although the model is not free
    assert (waiting.text, waiting.tokens, waiting.finish) == ("", 0, None)
    leaving.close()
    first.close()
    assert [delta.text for delta in backend.stream(ASK, PARAMS)] == ["다", ""], "who had left holds the model"


def test_waiting_too_long_is_a_busy_error() -> None:
    turns = Turnstile(wait_seconds=0.01)
    turns.enter()
    with pytest.raises(ServeError) as caught:
        turns.enter()
    assert caught.value.code is Code.BUSY
