"""Several processes that train one adapter: each works on its share of every step, all take the same step.

Started by `accelerate launch --config_file configs/accelerate/ddp.yaml -m finetune run …`.  Every process draws the same
batches, cuts them into the same parts and works on some of them; loss sums, answer tokens and gradients are added up over
the processes, so the step is that of one process with the whole batch, up to the order of additions.  There is no wrapper
around the model: adapters are small, so one sum of their gradients per step is all that has to be sent.

With configs/accelerate/fsdp.yaml the frozen weights of the decoder layers are divided among the cards as well and fetched
layer by layer; adapters, their moments and the embedding stay whole on each.  That is what DeepSpeed calls ZeRO stage 3 for
the parameters; under configs/accelerate/zero3.yaml DeepSpeed starts the processes and the same torch code divides: its
own engine would own optimiser, clipping and checkpoints, of which this loop keeps exact ones.  Knows nothing of files or
data.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist

from finetune.errors import InputError
from finetune.train import Objective

# The others wait while the first converts the base or evaluates; torch's own limit is 10 minutes.
PATIENCE = timedelta(hours=6)


@dataclass(frozen=True)
class World:
    """The processes of one run; this one is number ``rank`` of ``size``.  It is a train.Processes."""

    rank: int
    size: int
    device: str  # torch's name of this process's device: "cpu", "cuda:1"
    sharded: bool  # frozen weights are divided (FSDP), so all must do equally many passes

    @property
    def first(self) -> bool:
        """Whether this process writes files and talks."""
        return self.rank == 0

    def share(self, parts: list[list]) -> list[list]:
        """The parts of a step this process works on; the shares of all together are every item exactly once.

        The largest parts are halved until every process has equally many, as far as single items allow.  With
        ``sharded`` a process that would have fewer gets fillers, which `even` counts for nothing.
        """
        parts = even_parts(parts, self.size)
        mine: list[list] = parts[self.rank :: self.size]
        if self.sharded:
            most = -(-len(parts) // self.size)
            mine += [Filler(parts[0][:1])] * (most - len(mine))
        return mine

    def total(self, value: float) -> float:
        """The sum of ``value`` over the processes, the same in all."""
        number = torch.tensor(float(value), dtype=torch.float64, device=self.device)
        dist.all_reduce(number)
        return number.item()

    def sum_gradients(self, parameters: list[torch.nn.Parameter]) -> None:
        """Replace every gradient (None counts as zero) by its sum over the processes, in one message."""
        for parameter in parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        whole = torch.cat([parameter.grad.flatten().float() for parameter in parameters])
        dist.all_reduce(whole)
        for parameter, part in zip(parameters, whole.split([one.numel() for one in parameters]), strict=True):
            parameter.grad.copy_(part.view_as(parameter.grad))

    def any(self, flag: bool) -> bool:
        """True in all processes when it is in one of them (a signal reaches them at different moments)."""
        return self.total(float(flag)) > 0

    def from_first(self, value: Any = None) -> Any:
        """What the first process passes, in all of them (an evaluation's verdict)."""
        box = [value if self.first else None]
        dist.broadcast_object_list(box, src=0, device=torch.device(self.device))
        return box[0]

    def wait(self) -> None:
        """Until every process is here."""
        self.total(0.0)

    def even(self, objective: Objective) -> Objective:
        """``objective`` with fillers: passes that are made, because the others make one, and count for nothing."""
        return objective if not self.sharded else _with_fillers(objective)


class Filler(list):
    """A part made only so that every process does equally many passes."""


@dataclass(frozen=True)
class FillerTensors:
    """A filler's tensors; ``input_ids`` is empty, so nobody counts its tokens."""

    tensors: Any
    input_ids: torch.Tensor


def world() -> World | None:
    """The processes this one belongs to, None when it is alone.  Call once, before the model is loaded.

    Raises InputError for a launcher's setting this loop does not honour, rather than train as if it were not there.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        return None
    zero3 = _zero3()
    if os.environ.get("ACCELERATE_MIXED_PRECISION", "no") not in ("no", ""):
        raise InputError(
            "mixed_precision 은 accelerate 설정이 아니라 학생 YAML 의 train.dtype 으로 정합니다 (set train.dtype instead)."
        )
    from accelerate import PartialState

    if zero3:  # the group is an ordinary one
        os.environ["ACCELERATE_USE_DEEPSPEED"] = "false"
    state = PartialState(cpu=not torch.cuda.is_available(), timeout=PATIENCE)
    sharded = zero3 or os.environ.get("ACCELERATE_USE_FSDP", "false").lower() == "true"
    return World(state.process_index, state.num_processes, str(state.device), sharded)


def _zero3() -> bool:
    """Whether the launcher asked for DeepSpeed; raises InputError for what is not its stage 3 on the cards alone."""
    if os.environ.get("ACCELERATE_USE_DEEPSPEED", "false").lower() != "true":
        return False
    stage = os.environ.get("ACCELERATE_DEEPSPEED_ZERO_STAGE", "")
    kinds = ("PARAM", "OPTIMIZER")
    devices = {os.environ.get(f"ACCELERATE_DEEPSPEED_OFFLOAD_{kind}_DEVICE", "none") for kind in kinds}
    if stage != "3" or not devices <= {"none", ""}:
        raise InputError(
            f"DeepSpeed 는 ZeRO 3단계로, 오프로드 없이만 씁니다 (stage 3 without offload only): zero_stage {stage or '없음'}, "
            f"offload {', '.join(sorted(devices))}\n"
            "  accelerate launch --config_file configs/accelerate/zero3.yaml … (1·2단계가 나누는 것은 이 학습에 거의 없습니다: "
            "ddp.yaml)"
        )
    return True


def prepare(model, here: World) -> None:
    """Make the adapters those of the first process and, with FSDP, divide the frozen weights.  Changes ``model`` in place.

    Raises InputError for a base in four bits with FSDP.
    """
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    with torch.no_grad():
        for parameter in trained:
            dist.broadcast(parameter, src=0)
    if here.sharded:
        _shard(model, trained, here)


def gather(model, here: World) -> None:
    """Give every process the whole model again, for good, so that one of them can go on alone."""
    if not here.sharded:
        return
    from torch.distributed.fsdp import FSDPModule

    for module in _text_model(model).modules():
        if isinstance(module, FSDPModule):
            module.set_reshard_after_forward(False, recurse=False)
            module.unshard()


def close() -> None:
    """Leave the group; the first process then goes on alone.  Nothing may be sent afterwards."""
    if dist.is_initialized():
        dist.destroy_process_group()


def even_parts(parts: list[list], size: int) -> list[list]:
    """``parts`` with the longest lists halved until their number is a multiple of ``size``, or nothing can be halved."""
    parts = [list(part) for part in parts]
    while len(parts) % size:
        place = max(range(len(parts)), key=lambda index: len(parts[index]))
        longest = parts[place]
        if len(longest) < 2:
            break
        middle = (len(longest) + 1) // 2
        parts[place : place + 1] = [longest[:middle], longest[middle:]]
    return parts


def _shard(model, trained: Iterable[torch.nn.Parameter], here: World) -> None:
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    text = _text_model(model)
    if any(not parameter.is_floating_point() for parameter in text.parameters()):
        raise InputError("base.load: nf4 와 FSDP 는 함께 쓰지 않습니다. base.load: bf16 으로 바꾸세요 (nf4 with FSDP).")
    mesh = init_device_mesh(torch.device(here.device).type, (here.size,))
    # Tied to lm_head, which is called outside this module, and a tenth of a 12B model: kept whole.
    whole = {*trained, *text.embed_tokens.parameters()}
    for layer in text.layers:
        fully_shard(layer, mesh=mesh, ignored_params=whole)
    fully_shard(text, mesh=mesh, ignored_params=whole)


def _text_model(model):
    causal = model.get_base_model() if hasattr(model, "get_base_model") else model
    return causal.model


def _with_fillers(objective: Objective) -> Objective:
    def collate(part: list, device: str) -> Any:
        tensors = objective.collate(part, device)
        return FillerTensors(tensors, torch.empty(0)) if isinstance(part, Filler) else tensors

    def loss(model, tensors: Any) -> torch.Tensor:
        if isinstance(tensors, FillerTensors):
            return objective.loss(model, tensors.tensors) * 0.0
        return objective.loss(model, tensors)

    return replace(
        objective,
        collate=collate,
        loss=loss,
        weight=lambda tensors: 0 if isinstance(tensors, FillerTensors) else objective.weight(tensors),
        measure=lambda several: objective.measure([one for one in several if not isinstance(one, FillerTensors)]),
    )
