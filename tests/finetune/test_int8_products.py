"""Products in whole numbers of 8 bits: how far off they are, in both directions, and when a run takes them."""

import shutil
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune import int8_products
from finetune.device import Device
from finetune.errors import InputError
from finetune.int8_products import PLAIN, RoundedWeights, compiled_kernels, kernels_for, kernels_of_run

CPU = Device("cpu", "float32", "here", 2)


def far(found, right):
    """Relative distance over the whole matrix."""
    return float((found - right).norm() / right.norm())


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(1, 9),
    inputs=st.integers(2, 70),
    outputs=st.lists(st.integers(2, 40), min_size=1, max_size=3),  # torch 2.13 is wrong for a layer of one output
    seed=st.integers(0, 999),
    size=st.sampled_from([1e-6, 1.0, 1e4]),
)
def test_products_and_gradients_are_a_percent_off_whatever_the_sizes(rows, inputs, outputs, seed, size):
    """The error of a product is bounded by half a step of each factor, summed over what is multiplied."""
    torch.manual_seed(seed)
    weights = [torch.randn(count, inputs) for count in outputs]
    values = size * torch.randn(rows, inputs)
    rounded = RoundedWeights(weights)
    for weight, product in zip(weights, rounded.products(values), strict=True):
        steps = values.abs().amax(1, keepdim=True) / 127, weight.abs().amax(1) / 127
        bound = inputs * (
            steps[0] * weight.abs().amax(1) + steps[1] * values.abs().amax(1, keepdim=True) + steps[0] * steps[1]
        )
        assert product.dtype == torch.float32
        assert ((product - values @ weight.t()).abs() <= 0.51 * bound + 1e-30).all()
    gradients = [size * torch.randn(rows, count) for count in outputs]
    right = sum(gradient @ weight for gradient, weight in zip(gradients, weights, strict=True))
    width = sum(outputs)
    largest = torch.cat(gradients, 1).abs().amax(1, keepdim=True)
    heaviest = torch.cat(weights).abs().amax(0)
    assert ((rounded.back(gradients) - right).abs() <= 1.1 * width * largest * heaviest / 127).all()


def test_a_layer_of_the_models_size_is_about_a_percent_off():
    torch.manual_seed(1)
    weight, values = torch.randn(256, 640), torch.randn(50, 640)
    assert far(RoundedWeights([weight]).products(values)[0], values @ weight.t()) < 0.015


def test_rows_of_zeros_stay_zeros_and_what_is_not_a_number_stays_none():
    rounded = RoundedWeights([torch.randn(4, 8)])
    assert not rounded.products(torch.zeros(3, 8))[0].any()
    assert rounded.products(torch.full((1, 8), float("nan")))[0].isnan().all()  # so that the loss is refused


def test_one_large_token_does_not_coarsen_the_others():
    """The scale is a token's own: Gemma's activations have tokens a thousand times as large as their neighbours."""
    torch.manual_seed(2)
    weight, values = torch.randn(32, 64), torch.randn(4, 64)
    alone = RoundedWeights([weight]).products(values[1:])[0]
    values[0] *= 1e4
    assert torch.equal(RoundedWeights([weight]).products(values)[0][1:], alone)


@pytest.fixture
def no_clock(monkeypatch):
    """A processor that is three times as fast in 8 bits, and kernels that need no compiler."""
    gains = [3.0]
    monkeypatch.setattr(int8_products, "gain_over_float", lambda: gains[0])
    monkeypatch.setattr(int8_products, "compiled_kernels", lambda say: PLAIN)
    return gains


@pytest.mark.parametrize(
    ("wanted", "gain", "before", "taken"),
    [
        ("float", 3.0, None, False),
        ("int8", 0.5, None, True),
        ("auto", 3.0, None, True),
        ("auto", 1.2, None, False),
        ("auto", 1.2, "int8", True),  # an interrupted run goes on as it began, whatever the clock says now
        ("auto", 3.0, "float", False),
    ],
)
def test_when_a_run_multiplies_in_8_bits(no_clock, wanted, gain, before, taken):
    no_clock[0] = gain
    said = []
    assert (kernels_for(wanted, CPU, before, said.append) is PLAIN) == taken
    assert bool(said) == (wanted != "float")  # the choice is said


def test_elsewhere_than_on_a_cpu_in_float32_auto_keeps_the_dtype_and_int8_is_refused(no_clock):
    for other in (replace(CPU, dtype="bfloat16"), replace(CPU, kind="cuda", dtype="bfloat16")):
        assert kernels_for("auto", other) is None
        with pytest.raises(InputError, match="dtype: float32"):
            kernels_for("int8", other)


def test_processes_that_train_together_do_not_let_a_clock_decide(no_clock):
    class Here:
        sharded = False

    assert kernels_of_run("auto", CPU, None, Here(), print) is None
    assert kernels_of_run("int8", CPU, None, Here(), print) is PLAIN
    assert kernels_of_run("auto", CPU, "cpu float32, 2 threads, int8 eager", None, print) is PLAIN
    assert kernels_of_run("auto", CPU, "cpu float32, 2 threads", None, print) is None


def test_the_gain_is_timed_with_its_rounding():
    threads = torch.get_num_threads()
    assert 0.01 < int8_products.gain_over_float() < 100
    assert torch.get_num_threads() == threads


def test_compiled_kernels_give_the_same_numbers():
    """The compiler may add in another order; whole numbers may differ by one where a value is between two."""
    said = []
    kernels = compiled_kernels(said.append)
    if not shutil.which("g++"):
        pytest.skip("no C++ compiler here")
    assert kernels.name == "compiled", said
    torch.manual_seed(3)
    for rows, width in ((5, 64), (130, 640)):
        values, other = torch.randn(rows, width), torch.randn(rows, width)
        for parts in ((values,), (values, other)):
            (whole, scale), (right, right_scale) = kernels.rounded(*parts), PLAIN.rounded(*parts)
            torch.testing.assert_close(scale, right_scale)
            assert (whole.int() - right.int()).abs().max() <= 1
        right = PLAIN.normed(values, other[0], 1e-6)
        for name, given_ in (
            ("gated", (values, other)),
            ("gated_back", (values, other, values)),
            ("normed", (values, other[0], 1e-6)),
            ("normed_back", (other, values, other[0], right[1])),
        ):
            found, expected = getattr(kernels, name)(*given_), getattr(PLAIN, name)(*given_)
            torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


def test_gradients_of_gate_and_norm_are_autograd_s():
    torch.manual_seed(4)
    values, other, gradient = (torch.randn(7, 24, dtype=torch.float64, requires_grad=True) for _ in range(3))
    right = torch.autograd.grad(PLAIN.gated(values, other), (values, other), gradient)
    torch.testing.assert_close(PLAIN.gated_back(gradient, values, other), right)
    normed, reciprocal = PLAIN.normed(values, other[0], 1e-6)
    (right,) = torch.autograd.grad(normed, values, gradient)
    torch.testing.assert_close(PLAIN.normed_back(gradient, values, other[0], reciprocal), right)


def test_without_a_compiler_the_kernels_run_as_they_are(monkeypatch):
    def no_compiler(kernel, dynamic):
        def fail(*values):
            raise RuntimeError("no g++\nand more of it")

        return fail

    monkeypatch.setattr(torch, "compile", no_compiler)
    said = []
    assert compiled_kernels.__wrapped__(said.append) is PLAIN
    assert "no g++" in said[0] and "and more" not in said[0]
