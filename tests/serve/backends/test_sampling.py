"""Temperature, top-p and seed are honoured exactly, and text is never cut in the middle of a stop."""

from __future__ import annotations

import numpy as np
import pytest

from serve.backends.protocol import GenParams
from serve.backends.sampling import picker
from serve.backends.stop_text import StopText

LOGITS = np.log(np.array([0.1, 0.6, 0.25, 0.05], dtype=np.float32))


def drawn(params: GenParams, count: int = 20_000) -> np.ndarray:
    pick = picker(params)
    return np.bincount([pick(LOGITS) for _ in range(count)], minlength=4) / count


@pytest.mark.parametrize("temperature", [0.0, None])
def test_no_temperature_is_greedy(temperature: float | None) -> None:
    assert drawn(GenParams(temperature=temperature), 5)[1] == 1


def test_draws_follow_the_probabilities() -> None:
    assert drawn(GenParams(temperature=1.0, seed=1)) == pytest.approx([0.1, 0.6, 0.25, 0.05], abs=0.02)


def test_temperature_flattens() -> None:
    flat = np.sqrt([0.1, 0.6, 0.25, 0.05])
    assert drawn(GenParams(temperature=2.0, seed=1)) == pytest.approx(flat / flat.sum(), abs=0.02)


def test_top_p_keeps_the_likeliest_that_reach_it() -> None:
    assert drawn(GenParams(temperature=1.0, top_p=0.7, seed=1)) == pytest.approx(
        [0, 0.6 / 0.85, 0.25 / 0.85, 0], abs=0.02
    )
    assert drawn(GenParams(temperature=1.0, top_p=0.5, seed=1))[1] == 1


def test_a_seed_repeats_the_draws_and_none_does_not() -> None:
    def draws(seed: int | None) -> list[int]:
        pick = picker(GenParams(temperature=1.0, seed=seed))
        return [pick(LOGITS) for _ in range(60)]

    assert draws(5) == draws(5)
    assert draws(None) != draws(None)


def test_broken_logits_are_an_error_and_not_a_token() -> None:
    broken = np.array([0.0, np.nan, 1.0], dtype=np.float32)
    for temperature in (0.0, 1.0):
        with pytest.raises(RuntimeError, match="not numbers"):
            picker(GenParams(temperature=temperature))(broken)


def test_only_fixed_answers_are_deterministic() -> None:
    assert GenParams(temperature=0.0).deterministic and GenParams(temperature=0.7, seed=1).deterministic
    assert not GenParams(temperature=0.7).deterministic and not GenParams(temperature=None, seed=1).deterministic


@pytest.mark.parametrize(
    ("pieces", "shown", "stopped"),
    [
        (("답입니다", "\nIns", "truct: 더"), "답입니다", True),
        (("답\nIns", "ert 다"), "답\nInsert 다", False),
        (("답\n", "\n"), "답\n\n", False),
        (("가나\nInstruct:다",), "가나", True),
    ],
)
def test_text_up_to_a_stop_is_shown_and_nothing_else(pieces: tuple[str, ...], shown: str, stopped: bool) -> None:
    stop = StopText(("\nInstruct:", "\nQ:"))
    text = ""
    for piece in pieces:
        text += stop.feed(piece)
        if stop.stopped:
            break
    assert (text + stop.rest(), stop.stopped) == (shown, stopped)


def test_what_may_become_a_stop_is_held_back() -> None:
    stop = StopText(("\nInstruct:",))
    assert stop.feed("답\nInst") == "답"
    assert stop.feed("ead") == "\nInstead"
