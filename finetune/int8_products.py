"""Products of frozen weights in whole numbers of 8 bits, for training adapters on a CPU.

Many processors multiply such numbers four times as fast as float32 (AVX-512 VNNI: 1,300 against 316 thousand million
operations a second on two cores).  Weights are rounded once, to 127 steps of the largest in their row; what is multiplied by
them, activations on the way forward and gradients on the way back, each time, row by row (per token), as LLM.int8
(Dettmers et al. 2022, arXiv 2208.07339) and SwitchBack (Wortsman et al. 2023, arXiv 2304.13013) do.  A product is some 1% off.
Adapters, their gradients and everything else stay float32.  Knows nothing of models.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from math import pi

import torch
from torch import Tensor
from torch.nn.functional import gelu, linear

from finetune.device import Device, seconds_of
from finetune.errors import InputError

STEPS = 127
LEAST = 1e-30  # the scale of a row of zeros
LEAST_GAIN = 1.5  # of a product with its rounding over the same in float32, for "auto" to take it


@dataclass(frozen=True)
class Kernels:
    """The work on single elements between two products; ``name``: how it runs, "compiled" or "eager".

    All take and give matrices (rows, width), outside autograd: compiled, they are then made once each and not per shape.
    """

    name: str
    rounded: Callable[..., tuple[Tensor, Tensor]]
    scaled: Callable[[Tensor, Tensor, Tensor], Tensor]
    gated: Callable[[Tensor, Tensor], Tensor]
    gated_back: Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]
    normed: Callable[[Tensor, Tensor, float], tuple[Tensor, Tensor]]
    normed_back: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


def _rounded(*parts: Tensor) -> tuple[Tensor, Tensor]:
    """Matrices of equally many rows, side by side, as int8; and the scale of each row, (rows, 1) float32."""
    most = parts[0].abs().amax(1, keepdim=True)
    for part in parts[1:]:
        most = torch.maximum(most, part.abs().amax(1, keepdim=True))
    scale = most.clamp_min(LEAST) * (1 / STEPS)
    whole = [(part / scale).round().to(torch.int8) for part in parts]
    return (torch.cat(whole, 1) if len(whole) > 1 else whole[0]), scale


def _scaled(product: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """An int32 product as float32, times the scales of its rows (n, 1) and of its columns (1, m)."""
    return product.float() * rows * columns


def _gated(gate: Tensor, up: Tensor) -> Tensor:
    """Gemma's gate: tanh-approximated GELU of one times the other."""
    return gelu(gate, approximate="tanh") * up


def _gated_back(gradient: Tensor, gate: Tensor, up: Tensor) -> tuple[Tensor, Tensor]:
    """The gradients of ``gate`` and of ``up`` from that of `_gated`."""
    slope, cubed = (2 / pi) ** 0.5, 0.044715
    inner = torch.tanh(slope * (gate + cubed * gate * gate * gate))
    half = 0.5 * (1 + inner)
    steepness = half + 0.5 * gate * (1 - inner * inner) * slope * (1 + 3 * cubed * gate * gate)
    return gradient * up * steepness, gradient * (gate * half)


def _normed(values: Tensor, weight: Tensor, epsilon: float) -> tuple[Tensor, Tensor]:
    """Root-mean-square norm of each row, and the reciprocal of its root, (rows, 1)."""
    reciprocal = torch.rsqrt((values * values).mean(1, keepdim=True) + epsilon)
    return values * reciprocal * weight, reciprocal


def _normed_back(gradient: Tensor, values: Tensor, weight: Tensor, reciprocal: Tensor) -> Tensor:
    """The gradient of ``values`` from that of `_normed`."""
    weighed = gradient * weight
    along = (weighed * values).mean(1, keepdim=True) * reciprocal * reciprocal * reciprocal
    return weighed * reciprocal - values * along


KERNELS = (_rounded, _scaled, _gated, _gated_back, _normed, _normed_back)
PLAIN = Kernels("eager", *KERNELS)


class RoundedWeights:
    """Frozen weights (outputs, inputs) of one or more layers that read the same input, rounded for both directions.

    Two copies of 8 bits: for the way forward rounded by output, for the way back by input.
    """

    def __init__(self, weights: Sequence[Tensor], kernels: Kernels = PLAIN):
        self._kernels = kernels
        sizes = [len(weight) for weight in weights]
        together = torch.cat([weight.detach().float() for weight in weights])
        whole, scale = _rounded(together)
        self._forward = [
            (part.t(), scales.reshape(1, -1).clone())
            for part, scales in zip(whole.split(sizes), scale.split(sizes), strict=True)
        ]
        whole, scale = _rounded(together.t().contiguous())
        self._back, self._back_scale = whole.t().contiguous(), scale.reshape(1, -1).clone()

    def products(self, values: Tensor) -> list[Tensor]:
        """``values`` (rows, inputs) times each weight: (rows, outputs) float32 each."""
        whole, scale = self._kernels.rounded(values)
        return [self._kernels.scaled(torch._int_mm(whole, part), scale, columns) for part, columns in self._forward]

    def back(self, gradients: Sequence[Tensor]) -> Tensor:
        """The gradient of the input, (rows, inputs) float32, from those of the products."""
        whole, scale = self._kernels.rounded(*gradients)
        return self._kernels.scaled(torch._int_mm(whole, self._back), scale, self._back_scale)


@cache
def compiled_kernels(say: Callable[[str], None] = print) -> Kernels:
    """The kernels fused by torch.compile, some twenty seconds the first time; as they are where that is not possible.

    Compiling needs a C++ compiler.  Its results are kept with our other caches.
    """
    from finetune.base import cache_folder

    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(cache_folder() / "compiled"))
    os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")  # no pool of processes for six small functions
    kernels = Kernels("compiled", *(torch.compile(kernel, dynamic=True) for kernel in KERNELS))
    try:
        _try_out(kernels)
    except Exception as exc:  # torch raises many kinds; without a compiler the kernels are slower and no less right
        reason = str(exc).strip().splitlines()[0][:120] if str(exc).strip() else type(exc).__name__
        say(f"작은 연산을 컴파일하지 못해 그대로 씁니다 (not compiled, slower; is a C++ compiler there?): {reason}")
        torch._dynamo.reset()
        return PLAIN
    return kernels


@torch.no_grad()
def _try_out(kernels: Kernels) -> None:
    values, other, gradient, weight = torch.rand(6, 64), torch.rand(6, 64), torch.rand(6, 64), torch.rand(64)
    whole, scale = kernels.rounded(values)
    kernels.scaled(whole.to(torch.int32), scale, torch.rand(1, 64))
    kernels.gated(values, other)
    kernels.gated_back(gradient, values, other)
    kernels.normed_back(gradient, values, weight, kernels.normed(values, weight, 1e-6)[1])


def kernels_of_run(
    wanted: str, device: Device, machine: str | None, here, say: Callable[[str], None]
) -> Kernels | None:
    """`kernels_for` a run: an interrupted one, which began on ``machine``, goes on as it began.

    ``here``: this process among several (finetune.parallel), which do not let a clock decide.
    """
    if here and (here.sharded or wanted == "auto"):
        return None
    return kernels_for(wanted, device, machine and ("int8" if "int8" in machine else "float"), say)


def kernels_for(
    wanted: str, device: Device, before: str | None = None, say: Callable[[str], None] = print
) -> Kernels | None:
    """The kernels with which a run multiplies in 8 bits; None where it multiplies as its dtype says.

    ``wanted``: train.products.  ``before``: "int8" or "float", as an interrupted run began, which "auto" goes on with.
    Raises InputError for "int8" elsewhere than on a CPU in float32.
    """
    if wanted == "float":
        return None
    if (device.kind, device.dtype) != ("cpu", "float32"):
        if wanted == "int8":
            raise InputError(
                f"products: int8 은 CPU 의 float32 학습에서만 됩니다. 이 학습은 {device.kind} {device.dtype} 입니다.\n"
                "  train 에 `dtype: float32` 를 적거나 `products: auto` 로 두세요. (int8 products need a float32 base on the CPU.)"
            )
        return None
    if wanted == "int8":
        why = "set in the config"
    elif before:
        why = "as this run began"
    else:
        gain = gain_over_float()
        why = f"{gain:.1f} times as fast as float32 here"
        before = "int8" if gain >= LEAST_GAIN else "float"
    if wanted == "auto" and before == "float":
        say(f"고정된 가중치의 곱: float32 (int8 products: {why})")
        return None
    kernels = compiled_kernels(say)
    say(f"고정된 가중치의 곱: 8비트 정수, {kernels.name} (int8 products: {why})")
    return kernels


def gain_over_float() -> float:
    """How many times as fast one product of a small model's size is in 8 bits, rounding included.

    The best of fifteen each, in turns and on one thread: two that wait for each other beside other work say anything.
    """
    values, weight = torch.ones(1024, 640), torch.ones(2048, 640)
    rounded = RoundedWeights([weight])
    works = (lambda: linear(values, weight), lambda: rounded.products(values))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    turns = [[seconds_of(work) for work in works] for _ in range(15)]
    torch.set_num_threads(threads)
    in_float, in_int8 = (min(some) for some in zip(*turns, strict=True))
    return in_float / in_int8
