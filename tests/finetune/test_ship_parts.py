"""Parts of shipping and opening that need no run: the rounding to float16, the questions of the comparison."""

from pathlib import Path

import pytest
import torch

from finetune.errors import GateError, InputError
from finetune.settings import read_config
from finetune.ship import _earlier, to_float16


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


def test_a_run_that_goes_on_from_another_is_made_again_by_both(tmp_path, monkeypatch):
    """Without the first leg's command nobody would have the adapter that the second goes on from."""
    configs = tmp_path / "configs/finetune"
    configs.mkdir(parents=True)
    monkeypatch.chdir(tmp_path)

    def leg(name, start=""):
        text = f"dataset: d\nout: runs/{name}\nbase: {{folder: base}}\ntrain: {{learning_rate: 1.0e-4, max_steps: 1}}\n"
        lora = f"lora: {{r: 4, start: {start}}}\n" if start else "lora: {r: 4}\n"
        (configs / f"{name}.yaml").write_text(text + lora, encoding="utf-8")
        return read_config(configs / f"{name}.yaml")

    (configs / "half.yaml").write_text("dataset: [", encoding="utf-8")  # someone is writing it
    first, second = leg("first"), leg("second", "runs/first/adapter")
    third = leg("third", "runs/second/adapter")
    paths = [Path("configs/finetune/first.yaml"), Path("configs/finetune/second.yaml")]
    assert (_earlier(first), _earlier(second), _earlier(third)) == ([], paths[:1], paths)
    with pytest.raises(InputError, match="no config makes this adapter"):
        _earlier(leg("lost", "elsewhere/adapter"))
    (tmp_path / "students/one").mkdir(parents=True)
    (tmp_path / "students/one/SHA256SUMS").touch()
    assert _earlier(leg("further", "students/one/adapter")) == [], "a shipped student is at hand"
