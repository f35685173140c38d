"""Chooses where and in which number format to train, and says why.  Knows nothing of the data."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Device:
    """``kind`` is torch's device name; ``dtype`` that of the frozen base ("bfloat16" or "float32")."""

    kind: str
    dtype: str
    reason: str
    threads: int


def choose_device(wanted: str) -> Device:
    """Probe CUDA, then Metal, then the CPU; ``wanted`` is "auto", "bfloat16" or "float32".

    float16 is never chosen: Gemma 3's activations pass its largest value (65,504).
    """
    import torch

    threads = torch.get_num_threads()
    if torch.cuda.is_available():
        kind, name, fast = "cuda", torch.cuda.get_device_name(), torch.cuda.is_bf16_supported(including_emulation=False)
    elif torch.backends.mps.is_available():
        kind, name, fast = "mps", "Apple GPU", True
    else:
        kind, name, fast = "cpu", f"CPU, {threads} threads", _cpu_has_bf16()
    if wanted != "auto":
        return Device(kind, wanted, f"{name}; dtype set in the config", threads)
    if fast:
        return Device(kind, "bfloat16", f"{name}; bfloat16 in hardware", threads)
    return Device(
        kind, "float32", f"{name}; no bfloat16 in hardware, so float32 (float16 overflows in Gemma 3)", threads
    )


def _cpu_has_bf16(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Linux only; elsewhere (macOS uses Metal) float32 is the safe answer."""
    if not cpuinfo.is_file():
        return False
    flags = cpuinfo.read_text(encoding="utf-8", errors="replace")
    return "avx512_bf16" in flags or "amx_bf16" in flags or "\tbf16" in flags or " bf16" in flags


def peak_memory_bytes() -> int | None:
    """Largest resident size of this process so far; None where the platform does not tell."""
    if os.name != "posix":
        return None
    import resource
    import sys

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
