"""What a run uses of its machine, sampled about once a minute: cores, memory, GPU.  Nothing leaves the machine."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

GIB = 1 << 30


class UsageSampler:
    """Gives one record per ``seconds``, the means since the one before; call ``sample`` as often as convenient."""

    def __init__(self, seconds: float = 60.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._every, self._clock = seconds, clock
        self._at, self._cpu = clock(), time.process_time()

    def sample(self) -> dict[str, float] | None:
        """``cores`` busy in this process, ``memory_gib`` (resident), ``free_gib`` of the machine; None when too early.

        On a GPU also ``gpu_gib`` in use, its peak ``gpu_peak_gib`` and, with NVML installed, ``gpu_busy`` (0..1).
        """
        now, cpu = self._clock(), time.process_time()
        if now - self._at < self._every:
            return None
        record = {"cores": round((cpu - self._cpu) / (now - self._at), 2), **_memory(), **_gpu()}
        self._at, self._cpu = now, cpu
        return record


def _memory() -> dict[str, float]:
    """From /proc on Linux, else from psutil where it is installed, else nothing."""
    if Path("/proc/self/status").is_file():
        resident = _kib(Path("/proc/self/status"), "VmRSS")
        free = _kib(Path("/proc/meminfo"), "MemAvailable")
        return {"memory_gib": round(resident * 1024 / GIB, 3), "free_gib": round(free * 1024 / GIB, 3)}
    try:
        import psutil
    except ModuleNotFoundError:
        return {}
    resident, free = psutil.Process().memory_info().rss, psutil.virtual_memory().available
    return {"memory_gib": round(resident / GIB, 3), "free_gib": round(free / GIB, 3)}


def _kib(file: Path, key: str) -> int:
    line = next(line for line in file.read_text(encoding="utf-8").splitlines() if line.startswith(f"{key}:"))
    return int(line.split()[1])


def _gpu() -> dict[str, float]:
    torch = sys.modules.get("torch")
    if torch is None:
        return {}
    if torch.cuda.is_available():
        record = {
            "gpu_gib": round(torch.cuda.memory_allocated() / GIB, 3),
            "gpu_peak_gib": round(torch.cuda.max_memory_allocated() / GIB, 3),
        }
        with suppress(ModuleNotFoundError):  # NVML's Python package is optional
            record["gpu_busy"] = torch.cuda.utilization() / 100
        return record
    if torch.backends.mps.is_available():
        return {"gpu_gib": round(torch.mps.current_allocated_memory() / GIB, 3)}
    return {}
