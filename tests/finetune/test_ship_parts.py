"""Parts of shipping and opening that need no run: the rounding to float16, the questions of the comparison."""

import pytest
import torch

from finetune.errors import GateError
from finetune.ship import to_float16


def test_float16_says_what_it_costs_and_refuses_what_it_cannot_hold():
    tensors = {"a": torch.tensor([1.0, -0.1, 3e-6, 1e-9, 0.0]), "b": torch.zeros(3)}
    rounded, cost = to_float16(tensors)
    assert rounded["a"].dtype == torch.float16 and rounded["a"][0] == 1 and rounded["a"][3] == 0
    assert (cost.numbers, cost.below_normal, cost.to_zero) == (8, 2, 1)
    expected = abs(float(torch.tensor(-0.1)) - float(torch.tensor(-0.1).half())) / float(torch.tensor(0.1))
    assert cost.largest_error == pytest.approx(expected) and 0 < cost.largest_error <= 2**-11
    for values, message in ((70_000.0, "overflow"), (float("nan"), "overflow"), (1e-7, "underflow")):
        with pytest.raises(GateError, match=message):
            to_float16({"a": torch.full((4,), values) * torch.tensor([1, 1.1, 1.3, 1.7])})


def test_a_student_is_compared_on_questions_it_was_measured_on():
    from finetune.open_student import _questions
    from finetune.parity import QUESTIONS

    samples = [{"question": "하나"}, {"question": "둘"}]
    assert _questions({"eval": {"student": {"samples": samples}}}) == ["하나", "둘"]
    assert _questions({"eval": {"student": {"samples": []}}}) == list(QUESTIONS)
