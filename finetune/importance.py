"""How much each input of a linear layer matters: the mean of its square over examples, by which llama.cpp rounds weights.

A quantisation to four bits loses least where the rounding error is weighed by what flows through the weight (llama.cpp's
imatrix).  The examples are of training, never of an evaluation.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from finetune.chat import Encoded
from finetune.errors import InputError

IMPORTANCE = "importance.safetensors"  # its name in a run folder


def importance(model, examples: Sequence[Encoded]) -> dict:
    """GGUF tensor name -> float32 array (inputs,) for every linear layer of the body, over all tokens of ``examples``.

    ``model``: merged, as it is exported.  Raises InputError without examples.
    """
    import torch

    if not examples:
        raise InputError("양자화의 가중을 잴 예제가 없습니다 (no examples to weigh a quantisation by).")
    names = _tensor_names(model)
    sums: dict[str, torch.Tensor] = {}
    tokens = sum(len(one.ids) for one in examples)

    def add(name: str):
        def hook(_module, inputs) -> None:
            squares = inputs[0].detach().float().square().reshape(-1, inputs[0].shape[-1]).sum(0)
            sums[name] = sums[name] + squares if name in sums else squares

        return hook

    hooks = [module.register_forward_pre_hook(add(names[module])) for module in names]
    try:
        with torch.inference_mode():
            for one in examples:
                model.model(input_ids=torch.tensor([one.ids], device=next(model.parameters()).device), use_cache=False)
    finally:
        for hook in hooks:
            hook.remove()
    return {name: (total / tokens).cpu().numpy() for name, total in sums.items()}


def _tensor_names(model) -> dict:
    import gguf
    import torch

    from finetune.gguf_export import architecture_of, tensor_name

    names = gguf.get_tensor_name_map(architecture_of(model.config), model.config.num_hidden_layers)
    linear = [(name, module) for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)]
    return {module: tensor_name(names, f"{name}.weight") for name, module in linear if ".layers." in name}


def save_importance(values: dict, file: Path) -> None:
    """Write what ``importance`` gave as safetensors."""
    from safetensors.numpy import save_file

    save_file(values, file)


def read_importance(file: Path) -> dict:
    """What ``save_importance`` wrote.  Raises InputError for anything else."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return load_file(file)
    except (SafetensorError, OSError) as exc:
        raise InputError(f"양자화의 가중을 읽을 수 없습니다 (cannot read): {file}: {exc}") from exc
