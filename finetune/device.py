"""Chooses where and in which number format to train, and says why.  Knows nothing of the data."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from finetune.errors import InputError
from finetune.settings import NO_FLOAT16

CGROUP_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


@dataclass(frozen=True)
class Device:
    """``kind`` is torch's device name; ``dtype`` that of the frozen base ("bfloat16" or "float32")."""

    kind: str
    dtype: str
    reason: str
    threads: int


def choose_device(wanted: str, before: str | None = None) -> Device:
    """Probe CUDA, then Metal, then the CPU; ``wanted`` is "auto", "bfloat16" or "float32".

    ``before``: the dtype in which an interrupted run began on the same kind of device, which "auto" goes on with: timed
    again, two formats that are nearly as fast could change places.

    float16 is never chosen, and refused with InputError: Gemma 3's activations pass its largest value (65,504), and so
    does Phi-2's attention.
    """
    import torch

    if wanted not in ("auto", "bfloat16", "float32"):
        raise InputError(NO_FLOAT16)
    threads = torch.get_num_threads()
    if torch.cuda.is_available():
        kind, name, fast = "cuda", torch.cuda.get_device_name(), torch.cuda.is_bf16_supported(including_emulation=False)
    elif torch.backends.mps.is_available():
        kind, name, fast = "mps", "Apple GPU", _multiplies_bfloat16("mps")
    else:
        kind, name, fast = "cpu", f"CPU, {threads} threads", _cpu_has_bf16()
        if wanted == "auto" and before:
            return Device(kind, before, f"{name}; as this run began", threads)
        if fast and wanted == "auto" and (slower := _float32_is_faster()):
            return Device(kind, "float32", f"{name}; {slower}", threads)
    if wanted != "auto":
        slow = "" if fast or wanted == "float32" else "; no bfloat16 in hardware, so slower than float32"
        return Device(kind, wanted, f"{name}; dtype set in the config{slow}", threads)
    if fast:
        return Device(kind, "bfloat16", f"{name}; bfloat16 in hardware", threads)
    return Device(
        kind,
        "float32",
        f"{name}; no bfloat16 in hardware, so float32 (float16 overflows in Gemma 3 and Phi-2)",
        threads,
    )


def _multiplies_bfloat16(kind: str) -> bool:
    """Try it: macOS before 14 has no bfloat16 on its GPU and says so only when asked."""
    import torch

    try:
        matrix = torch.ones(8, 8, dtype=torch.bfloat16, device=kind)
        return bool((matrix @ matrix).sum().item() == 512)
    except (TypeError, RuntimeError):  # "BFloat16 is not supported on MPS"
        return False


def _cpu_has_bf16(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Linux only; elsewhere (macOS uses Metal) float32 is the safe answer."""
    if not cpuinfo.is_file():
        return False
    flags = cpuinfo.read_text(encoding="utf-8", errors="replace")
    return "avx512_bf16" in flags or "amx_bf16" in flags or "\tbf16" in flags or " bf16" in flags


def _float32_is_faster(least: float = 1.2) -> str | None:
    """Why float32 is taken although the processor has bfloat16: one product of a small model's size timed in both.

    Some processors have the instructions and multiply slower with them.  None where float32 is not ``least`` times as fast.
    """
    import torch

    seconds = {}
    for dtype in (torch.bfloat16, torch.float32):
        rows, weights = torch.ones(1024, 640, dtype=dtype), torch.ones(2048, 640, dtype=dtype)
        seconds[dtype] = min(seconds_of(lambda a=rows, b=weights: torch.nn.functional.linear(a, b)) for _ in range(5))
    ratio = seconds[torch.bfloat16] / seconds[torch.float32]
    return f"float32 multiplies {ratio:.1f} times as fast as bfloat16 here" if ratio >= least else None


def seconds_of(work: Callable[[], object]) -> float:
    """Wall time of doing it once."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def peak_memory_bytes() -> int | None:
    """Largest resident size of this process so far; None where the platform does not tell."""
    if os.name != "posix":
        return None
    import resource
    import sys

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def memory_bytes(kind: str) -> int:
    """Memory of the device training would run on: the GPU's own, or main memory within this container's limit.

    Raises InputError where the platform does not tell.
    """
    import torch

    if kind == "cuda":
        return torch.cuda.get_device_properties(0).total_memory
    if kind == "mps":
        return torch.mps.recommended_max_memory()
    return main_memory_bytes()


def main_memory_bytes(limits: tuple[Path, ...] = CGROUP_LIMITS) -> int:
    """Main memory, or the container's limit where that is lower.  Raises InputError where the platform does not tell."""
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError) as exc:
        raise InputError("이 컴퓨터의 메모리 크기를 알 수 없습니다 (memory size unknown on this platform).") from exc
    for limit in limits:
        if limit.is_file() and (text := limit.read_text(encoding="ascii").strip()).isdecimal():
            memory = min(memory, int(text))
    return memory
