"""Adapted layers of a model run together while it is trained, their frozen weights multiplied in 8 bits.

peft runs every layer by itself: the frozen product, two thin products of the adapter, a scaling and a sum, each a pass over
memory.  Here layers that read the same input (q, k, v; gate and up) are one step forward and one back, the adapter's
product is added in place, and no input is kept twice.  Only inside ``quick``: outside it the model is peft's again, in full
precision.  Parameters, their names and their gradients' meaning do not change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial

import torch
from torch import Tensor, nn
from torch.autograd import Function
from transformers.activations import GELUTanh
from transformers.models.gemma3 import modeling_gemma3

from finetune.int8_products import Kernels, RoundedWeights

SAME_INPUT = (("q_proj", "k_proj", "v_proj"), ("gate_proj", "up_proj"))  # layers of one module that read the same
ADAPTER = "default"  # peft's name of the only one


class _Adapted(Function):
    """input -> a product per layer; ``biases``: frozen, or None; ``matrices``: all A (r, inputs), then all B (outputs, r)."""

    @staticmethod
    def forward(ctx, values: Tensor, frozen: RoundedWeights, biases, scaling: Sequence[float], *matrices: Tensor):
        shape, values = values.shape, _matrix(values)
        down, up = matrices[: len(scaling)], matrices[len(scaling) :]
        down_together = torch.cat(down)
        low = values @ down_together.t()
        products = frozen.products(values)
        sizes = [len(one) for one in down]
        for product, bias, part, one, scale in zip(products, biases, low.split(sizes, 1), up, scaling, strict=True):
            product.addmm_(part, one.t(), alpha=scale)
            if bias is not None:
                product.add_(bias)
        ctx.save_for_backward(values, low, down_together, *up)
        ctx.frozen, ctx.scaling, ctx.sizes, ctx.shape = frozen, scaling, sizes, shape
        return tuple(product.view(*shape[:-1], -1) for product in products)

    @staticmethod
    def backward(ctx, *gradients: Tensor):
        values, low, down_together, *up = ctx.saved_tensors
        count = len(up)
        wanted = any(ctx.needs_input_grad[4:])  # not while the adapters are held still
        gradients = [_matrix(gradient) for gradient in gradients]
        parts = [(gradient @ one).mul_(scale) for gradient, one, scale in zip(gradients, up, ctx.scaling, strict=True)]
        low_gradient = torch.cat(parts, 1) if count > 1 else parts[0]
        of_down: Sequence[Tensor | None] = [None] * count
        of_up: Sequence[Tensor | None] = [None] * count
        if wanted:
            of_down = (low_gradient.t() @ values).split(ctx.sizes)
            of_up = [
                (gradient.t() @ part).mul_(scale)
                for gradient, part, scale in zip(gradients, low.split(ctx.sizes, 1), ctx.scaling, strict=True)
            ]
        of_input = None
        if ctx.needs_input_grad[0]:
            of_input = ctx.frozen.back(gradients).addmm_(low_gradient, down_together).view(ctx.shape)
        return of_input, None, None, None, *of_down, *of_up


class _Gated(Function):
    """Gemma's gate, one pass over memory each way."""

    @staticmethod
    def forward(ctx, kernels: Kernels, gate: Tensor, up: Tensor):
        shape, gate, up = gate.shape, _matrix(gate), _matrix(up)
        ctx.save_for_backward(gate, up)
        ctx.kernels, ctx.shape = kernels, shape
        return kernels.gated(gate, up).view(shape)

    @staticmethod
    def backward(ctx, gradient: Tensor):
        of_gate, of_up = ctx.kernels.gated_back(_matrix(gradient), *ctx.saved_tensors)
        return None, of_gate.view(ctx.shape), of_up.view(ctx.shape)


class _Normed(Function):
    """A root-mean-square norm, one pass over memory each way; its weight is frozen."""

    @staticmethod
    def forward(ctx, kernels: Kernels, values: Tensor, weight: Tensor, epsilon: float):
        shape, values = values.shape, _matrix(values)
        normed, reciprocal = kernels.normed(values, weight, epsilon)
        ctx.save_for_backward(values, weight, reciprocal)
        ctx.kernels, ctx.shape = kernels, shape
        return normed.view(shape)

    @staticmethod
    def backward(ctx, gradient: Tensor):
        return None, ctx.kernels.normed_back(_matrix(gradient), *ctx.saved_tensors).view(ctx.shape), None, None


def _matrix(values: Tensor) -> Tensor:
    """(rows, width), contiguous, outside autograd and no view of another: the one layout for which kernels are compiled."""
    return torch.ops.aten._unsafe_view(values.detach().contiguous(), [-1, values.shape[-1]])


class _Together:
    """Layers of one module that read the same input: the first that is called runs all, the others take theirs."""

    def __init__(self, layers: Sequence[nn.Module], kernels: Kernels):
        self.layers = list(layers)
        self._frozen = RoundedWeights([layer.base_layer.weight for layer in layers], kernels)
        self._biases = [layer.base_layer.bias for layer in layers]
        self._scaling = [layer.scaling[ADAPTER] for layer in layers]
        self._input: Tensor | None = None
        self._waiting: dict[int, Tensor] = {}

    def run(self, number: int, values: Tensor) -> Tensor:
        if self._input is not values or number not in self._waiting:
            down = [layer.lora_A[ADAPTER].weight for layer in self.layers]
            up = [layer.lora_B[ADAPTER].weight for layer in self.layers]
            made = _Adapted.apply(values, self._frozen, self._biases, self._scaling, *down, *up)
            self._input, self._waiting = values, dict(enumerate(made))
        product = self._waiting.pop(number)
        if not self._waiting:
            self._input = None
        return product

    def forget(self) -> None:
        """Let go of what was made and not taken."""
        self._input, self._waiting = None, {}


class QuickLayers:
    """The adapted layers of ``model`` (peft, float32, on the CPU), ready to run in 8 bits inside ``quick``.

    Layers without an adapter, or with dropout, run as before.  Norms and gates of Gemma 3 run in one pass each.
    """

    def __init__(self, model: nn.Module, kernels: Kernels):
        self.kernels = kernels
        self.groups = [_Together(layers, kernels) for layers in _groups(model)]
        self._others = list(_fused_modules(model, kernels))

    @contextmanager
    def quick(self) -> Iterator[None]:
        """The model runs in 8 bits here; afterwards it is as it was."""
        with ExitStack() as stack:
            for group in self.groups:
                stack.callback(group.forget)
                for number, layer in enumerate(group.layers):
                    _replace(stack, layer, partial(_call, group, number))
            for module, forward in self._others:
                _replace(stack, module, forward)
            yield


def _call(group: _Together, number: int, values: Tensor, *args, **kwargs) -> Tensor:
    return group.run(number, values)


def _replace(stack: ExitStack, module: nn.Module, forward: Callable) -> None:
    module.forward = forward  # on this one, above its class's
    stack.callback(delattr, module, "forward")


def _groups(model: nn.Module) -> Iterator[list[nn.Module]]:
    for parent in model.modules():
        left = {name: child for name, child in parent.named_children() if _runs_in_8_bits(child)}
        for names in SAME_INPUT:
            if all(name in left for name in names):
                yield [left.pop(name) for name in names]
        yield from ([layer] for layer in left.values())


def _runs_in_8_bits(module: nn.Module) -> bool:
    """A peft LoRA layer over a plain linear one, whose every part this module knows."""
    base = getattr(module, "base_layer", None)
    return (
        type(base) is nn.Linear
        and base.weight.dtype == torch.float32
        and base.weight.device.type == "cpu"
        and list(getattr(module, "lora_A", ())) == [ADAPTER]
        and not module.lora_variant  # DoRA and the like
        and isinstance(module.lora_dropout[ADAPTER], nn.Identity)
    )


def _fused_modules(model: nn.Module, kernels: Kernels) -> Iterator[tuple[nn.Module, Callable]]:
    for module in model.modules():
        if isinstance(module, modeling_gemma3.Gemma3RMSNorm) and not module.weight.requires_grad:
            yield module, partial(_norm, kernels, (1 + module.weight.detach().float()), module.eps)
        elif isinstance(module, modeling_gemma3.Gemma3MLP) and isinstance(module.act_fn, GELUTanh):
            yield module, partial(_gate, kernels, module)


def _norm(kernels: Kernels, weight: Tensor, epsilon: float, values: Tensor) -> Tensor:
    return _Normed.apply(kernels, values, weight, epsilon)


def _gate(kernels: Kernels, module: nn.Module, values: Tensor) -> Tensor:
    return module.down_proj(_Gated.apply(kernels, module.gate_proj(values), module.up_proj(values)))
