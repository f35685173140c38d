"""What else a real GGUF might have answered: other texts than the greedy one, the same every time, and the model is free after."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from serve.backends.llama import LlamaCppBackend, LlamaOptions
from serve.backends.protocol import GenParams, Message, Rereads
from taxlaw import rereading
from taxlaw.pieces import Pieces

ASKED, PARAMS = [Message("user", "세율은?")], GenParams(6)


@pytest.fixture
def backend(tiny_gguf: Path, monkeypatch: pytest.MonkeyPatch):
    # Random weights believe in nothing: every token is about as likely as every other.
    monkeypatch.setattr(rereading, "LEAST_CHANCE", 0.0)
    loaded = LlamaCppBackend(tiny_gguf, LlamaOptions(context_tokens=256, threads=1, gpu_layers=0))
    yield loaded
    loaded.close()


def _greedy(backend) -> str:
    return "".join(delta.text for delta in backend.stream(ASKED, PARAMS))


def test_the_readings_are_other_texts_and_the_same_every_time(backend) -> None:
    assert isinstance(backend, Rereads)
    greedy = _greedy(backend)
    readings = list(backend.readings(ASKED, PARAMS, "{"))
    assert all(text.startswith("{") for text in readings), "what is no call was read"
    assert greedy not in readings and len(set(readings)) > 1
    assert list(backend.readings(ASKED, PARAMS, "{")) == readings
    assert _greedy(backend) == greedy


def test_there_are_as_many_readings_as_are_allowed(backend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rereading, "may_become_call", lambda text: text.startswith("{"))
    assert len(list(backend.readings(ASKED, PARAMS, "{"))) == rereading.MOST - 1


def test_a_beginning_that_no_piece_can_write_gives_no_reading(backend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(backend), "_pieces", Pieces([b"x"]))
    assert set(backend.readings(ASKED, PARAMS, "{")) <= {""}
    assert _greedy(backend)


def test_the_greedy_steps_are_those_of_the_stream(backend) -> None:
    prompt = backend._tokens(ASKED)
    ticket = backend._turnstile.enter()
    steps = list(backend._steps(prompt, [], 6, ticket))
    forked = list(backend._steps(prompt, [steps[0].token], 6, ticket))
    backend._turnstile.leave(ticket)
    ends = [step.token for step in steps if not backend._gguf.is_end(step.token)]
    assert b"".join(map(backend._gguf.piece, ends)).decode("utf-8", "replace") == _greedy(backend)
    assert [step.token for step in forked] == [step.token for step in steps[1:]], "the answer's beginning was lost"


def test_who_stops_asking_frees_the_model(backend) -> None:
    readings = backend.readings(ASKED, PARAMS, "{")
    assert len(list(itertools.islice(readings, 2))) == 2
    readings.close()
    assert backend._turnstile._holder is None
    assert _greedy(backend)


def test_readings_of_a_model_that_is_closed_meanwhile_end(backend) -> None:
    readings = backend.readings(ASKED, PARAMS, "{")
    next(readings)
    backend._turnstile.shut()
    assert list(readings) == []
