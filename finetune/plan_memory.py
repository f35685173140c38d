"""How much memory a run needs, before a weight is loaded: parameters on the meta device, activations on fake tensors.

Peer estimators use a formula per layer; here the model's own code runs one pass without data (torch's FakeTensorMode)
and everything autograd keeps for the backward pass is added up, so that adapters, norms in float32 and autocast copies
are counted as they are.  The logits are a term of their own: with Gemma's 262,144 rows they are often the largest one.
Knows nothing of datasets or devices.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

from finetune.merge import merged_dtype
from finetune.settings import Lora, RunConfig

# Bytes per logit at the peak: log-softmax kept for the backward pass, its gradient, and the gradient it is made from,
# all float32 (a bfloat16 head's own output is gone by then).
LOGIT_BYTES = 12
ADAPTER_BYTES = 16  # float32 weight, gradient and two Adam moments
# nf4, blocks of 64 with 8-bit scales that are themselves scaled in blocks of 256 (double quantisation).
NF4_BYTES = 0.5 + 1 / 64 + 4 / (64 * 256)
# What a process holds before any model: measured on Linux with tokenizer and libraries (0.62 to 0.73 GB), and the figure
# of Unsloth's VRAM_ESTIMATION.md for a CUDA context with cuBLAS workspaces.
PROCESS_BYTES = {"cpu": 0.7e9, "mps": 0.7e9, "cuda": 1.4e9}
SAFETY = 1.1  # allocator blocks that are free but not given back
# The same for activations, with the temporaries of a layer.  CPU: fitted to the three settings of bench/plan_memory.py,
# where the rest of malloc's freed blocks stays resident; the caching allocators of GPUs do better (assumed, not measured).
KEPT_FACTOR = {"cpu": 1.6, "mps": 1.15, "cuda": 1.15}


@dataclass(frozen=True)
class Shape:
    """Counts of a student: ``linear`` are weights of the layers' linear maps, which nf4 makes small."""

    model_type: str
    layers: int
    hidden: int
    vocabulary: int
    parameters: int
    linear: int
    body: int  # parameters without embedding and output layer
    trainable: int
    cache_values: int  # keys and values kept per token when generating, over all layers
    context: int  # longest sequence
    added: int = 0  # pieces with trained embeddings; ``trainable`` counts those too


@dataclass(frozen=True)
class Pass:
    """One forward pass: ``rows`` x ``longest`` tokens with padding, of which ``scored`` reach the output layer."""

    rows: int
    longest: int
    scored: int

    @property
    def tokens(self) -> int:
        return self.rows * self.longest


@dataclass(frozen=True)
class Memory:
    """Bytes by part; ``training`` and ``generating`` are the peaks on the device, ``merging`` that of main memory."""

    weights: int
    adapters: int
    activations: int
    logits: int
    process: int
    cache: int
    training: int
    generating: int
    merging: int


def text_config(config):
    """The text model's configuration: of a multimodal one, its inner part."""
    return config.get_text_config()


def empty_model(config, dtype):
    """The text model on the meta device: right shapes and dtypes, no data."""
    import torch

    with torch.device("meta"):
        return _build(config, dtype)


def _build(config, dtype):
    from transformers import Gemma3ForCausalLM, PhiForCausalLM

    family = PhiForCausalLM if config.model_type == "phi" else Gemma3ForCausalLM
    return family._from_config(text_config(config), dtype=dtype, attn_implementation="sdpa")


def shape_of(config, lora: Lora, vocabulary: int | None = None, added: int = 0) -> Shape:
    """Counts from a transformers configuration; ``vocabulary``: rows after fitting and extending, ``added`` of them new.

    Raises InputError when a LoRA target matches nothing.
    """
    import torch

    from finetune.lora import matched_layers

    inner = text_config(config)
    model = empty_model(config, torch.float32)
    model.tie_weights()
    modules = dict(model.named_modules())
    matched = [modules[name] for names in matched_layers(model, lora.targets).values() for name in names]
    vocabulary = vocabulary or inner.vocab_size
    ends = {id(model.get_input_embeddings().weight), id(model.get_output_embeddings().weight)}
    body = sum(value.numel() for value in model.parameters() if id(value) not in ends)
    if model.get_output_embeddings().bias is not None:
        body -= inner.vocab_size
    linear = sum(
        module.weight.numel()
        for name, module in modules.items()
        if isinstance(module, torch.nn.Linear) and name.startswith("model.layers.")
    )
    tables = len(ends)
    bias = vocabulary if model.get_output_embeddings().bias is not None else 0
    heads = inner.num_key_value_heads
    width = getattr(inner, "head_dim", None) or inner.hidden_size // inner.num_attention_heads
    return Shape(
        model_type=config.model_type,
        layers=inner.num_hidden_layers,
        hidden=inner.hidden_size,
        vocabulary=vocabulary,
        parameters=body + bias + tables * vocabulary * inner.hidden_size,
        linear=linear,
        body=body,
        trainable=sum(lora.r * (module.in_features + module.out_features) for module in matched)
        + added * inner.hidden_size,
        cache_values=2 * heads * width * inner.num_hidden_layers,
        context=inner.max_position_embeddings,
        added=added,
    )


def weight_bytes(shape: Shape, load: str, dtype: str) -> int:
    """The frozen weights as they are held while training."""
    if load == "nf4":
        return round(shape.linear * NF4_BYTES + (shape.parameters - shape.linear) * 2)
    return shape.parameters * bytes_of(dtype)


def bytes_of(dtype: str) -> int:
    """Of one number."""
    return {"bfloat16": 2, "float32": 4}[dtype]


def kept_activations(config, lora: Lora, largest: Pass, dtype: str) -> int:
    """Bytes that autograd keeps for the backward pass of the layers (not of the output layer), without recomputing.

    Run with one layer and with two: all others are like the second.  As for a padded batch, which nearly every batch is:
    with a mask, which each layer keeps, and keys and values repeated for every query head.
    """
    inner = text_config(config)
    one, two = (_kept_by(_with_layers(inner, count), lora, largest, dtype) for count in (1, 2))
    return one + (inner.num_hidden_layers - 1) * (two - one)


def _with_layers(inner, count: int):
    config = copy.deepcopy(inner)
    config.num_hidden_layers = count
    if getattr(config, "layer_types", None):
        config.layer_types = config.layer_types[:count]
    return config


def _kept_by(config, lora: Lora, largest: Pass, dtype: str) -> int:
    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode

    from finetune.lora import attach_lora
    from finetune.train import adapter_autocast

    kept: dict[int, int] = {}

    def keep(tensor):
        storage = tensor.untyped_storage()
        kept[storage._cdata] = storage.nbytes()
        alive.append(tensor)  # a freed storage's address could be used again and be counted once for two
        return tensor

    alive: list = []
    adapted, _ = attach_lora(empty_model(config, getattr(torch, dtype)), lora, seed=0)
    body = adapted.get_base_model().model.train()
    with FakeTensorMode():
        state = {
            name: torch.empty(value.shape, dtype=value.dtype).requires_grad_(value.requires_grad)
            for name, value in (*body.named_parameters(), *body.named_buffers())
        }
        own = {value.untyped_storage()._cdata for value in state.values()}
        inputs = {"input_ids": torch.zeros(largest.rows, largest.longest, dtype=torch.long), "use_cache": False}
        keeping = torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor)
        with keeping, adapter_autocast(adapted, "cpu"):
            hidden = torch.func.functional_call(body, state, kwargs=inputs)
        total = sum(size for storage, size in kept.items() if storage not in own)
        del hidden
    return total


def memory_of(
    shape: Shape, config: RunConfig, activations: int, largest: Pass, generated: Pass, dtype: str, kind: str
) -> Memory:
    """Peak memory of a run on a device of ``kind`` ("cpu", "cuda", "mps").

    ``activations``: of kept_activations; ``largest``: the largest training pass; ``generated``: a whole batch of
    evaluation, prompts and answers.
    """
    base = config.base
    weights = weight_bytes(shape, base.load, dtype)
    adapters = shape.trainable * ADAPTER_BYTES
    if (
        shape.added
    ):  # peft puts the trained rows into a copy of the embedding, once for each end, and so in the gradient
        adapters += 4 * shape.vocabulary * shape.hidden * bytes_of(dtype)
    if config.train.products != "float" and (kind, dtype) == ("cpu", "float32"):
        weights += 2 * shape.linear  # rounded to 8 bits, once for each direction
    if base.recompute:  # the inputs of all layers, and one layer at a time in full
        activations = activations // shape.layers + shape.layers * largest.tokens * shape.hidden * bytes_of(dtype)
    logits = largest.scored * shape.vocabulary * LOGIT_BYTES
    process = round(PROCESS_BYTES[kind])
    cache = generated.tokens * shape.cache_values * bytes_of(dtype)
    return Memory(
        weights=weights,
        adapters=adapters,
        activations=activations,
        logits=logits,
        process=process,
        cache=cache,
        training=round(SAFETY * (weights + adapters + logits) + KEPT_FACTOR[kind] * activations) + process,
        generating=round(SAFETY * (weights + shape.trainable * 4 + cache)) + process,
        merging=round(SAFETY * shape.parameters * bytes_of(merged_dtype(config))) + round(PROCESS_BYTES["cpu"]),
    )
