"""Checkpoints of a training run: whole or not there, and exact enough that a killed run ends as if it had not been.

A checkpoint is a folder of two files, written aside, synced and renamed: ``checkpoint.json`` (what it is, and the hash of
the other) and ``state.pt`` (tensors).  The last two are kept.  Knows nothing of what the state means.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from finetune.data import file_sha256

KEPT = 2
HEADER, STATE = "checkpoint.json", "state.pt"
ASIDE = ".writing"


@dataclass(frozen=True)
class Checkpoint:
    """``header`` is JSON (plain values), ``state`` holds tensors and containers of them, on the CPU."""

    header: dict
    state: dict


def write_checkpoint(folder: Path, name: str, header: dict, state: dict) -> Path:
    """Write ``folder/name`` so that it is there whole or not at all, and drop all but the last two by name.

    Raises OSError when the disk is full; the earlier checkpoints are then still there.
    """
    import torch

    folder.mkdir(parents=True, exist_ok=True)
    _remove_unfinished(folder)
    aside = folder / f"{name}{ASIDE}"
    aside.mkdir()
    torch.save(state, aside / STATE)
    whole = {**header, "state_sha256": file_sha256(aside / STATE)}
    (aside / HEADER).write_text(json.dumps(whole, ensure_ascii=False), encoding="utf-8")
    for path in (aside / STATE, aside / HEADER, aside):
        _sync(path)
    target = folder / name
    if target.exists():  # the same position again, e.g. SIGTERM right after the clock's checkpoint
        shutil.rmtree(target)
    os.replace(aside, target)
    _sync(folder)
    for old in sorted(_names(folder))[:-KEPT]:
        shutil.rmtree(folder / old)
    return target


def newest_checkpoint(folder: Path, fingerprint: dict[str, str], say: Callable[[str], None] = print):
    """The newest whole Checkpoint of the run with this ``fingerprint`` (part -> hash), or None, saying why.

    A damaged one (its hash differs) is passed over for the one before.
    """
    import torch

    if not folder.is_dir():
        return None
    _remove_unfinished(folder)
    for name in sorted(_names(folder), reverse=True):
        try:
            header = json.loads((folder / name / HEADER).read_text(encoding="utf-8"))
            found, expected = file_sha256(folder / name / STATE), header["state_sha256"]
            theirs = header["fingerprint"]
        except (OSError, ValueError, KeyError, TypeError) as exc:
            say(f"체크포인트 {name} 을 읽을 수 없어 건너뜁니다 (unreadable, skipped): {exc}")
            continue
        if found != expected:
            say(f"체크포인트 {name} 이 손상되어 건너뜁니다 (damaged, skipped)")
            continue
        if theirs != fingerprint:
            changed = [part for part in fingerprint if theirs.get(part) != fingerprint[part]]
            say(
                f"중단된 실행의 체크포인트가 있지만 쓰지 않고 처음부터 학습합니다: 달라진 것 {', '.join(changed)} "
                "(another fingerprint; starting anew)"
            )
            return None
        return Checkpoint(header, torch.load(folder / name / STATE, map_location="cpu", weights_only=True))
    return None


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.is_dir() and not path.name.endswith(ASIDE)]


def _remove_unfinished(folder: Path) -> None:
    for path in folder.glob(f"*{ASIDE}"):
        shutil.rmtree(path)


def _sync(path: Path) -> None:
    if os.name != "posix" and path.is_dir():
        return  # Windows cannot open a folder
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def trainable_state(model) -> dict:
    """A copy of every trained parameter by name, on the CPU, in its own type (adapters are float32)."""
    return {
        name: value.detach().to("cpu", copy=True) for name, value in model.named_parameters() if value.requires_grad
    }


def load_trainable(model, state: dict) -> None:
    """Put ``state`` back into the trained parameters.  Raises KeyError when the names differ."""
    import torch

    parameters = {name: value for name, value in model.named_parameters() if value.requires_grad}
    if parameters.keys() != state.keys():
        raise KeyError(f"trained parameters differ: {sorted(parameters.keys() ^ state.keys())[:3]}")
    with torch.no_grad():
        for name, value in parameters.items():
            value.copy_(state[name])


def random_state() -> dict:
    """State of every random generator training uses, as what ``torch.load(weights_only=True)`` can read."""
    import torch

    state = {"python": random.getstate(), "torch": torch.get_rng_state()}
    if torch.cuda.is_available():
        state["cuda"] = torch.cuda.get_rng_state_all()
    if torch.backends.mps.is_available():
        state["mps"] = torch.mps.get_rng_state()
    return state


def restore_random_state(state: dict) -> None:
    """Undo everything drawn since ``random_state``; generators this machine lacks are passed over."""
    import torch

    random.setstate(state["python"])
    torch.set_rng_state(state["torch"])
    if "cuda" in state and torch.cuda.is_available() and len(state["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(state["cuda"])
    if "mps" in state and torch.backends.mps.is_available():
        torch.mps.set_rng_state(state["mps"])


def folder_sha256(folder: Path) -> str:
    """Hash over names and contents of all files below a folder."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(folder).as_posix()}:{file_sha256(path)}\n".encode())
    return digest.hexdigest()


class StopRequest:
    """A wish to end, from SIGTERM or Ctrl-C, that waits until the weights are between two steps."""

    def __init__(self) -> None:
        self.signal: int | None = None
        self.at_once = False  # while an evaluation runs, the weights rest and nothing need be waited for

    def interrupt(self) -> KeyboardInterrupt:
        """What the command line turns into exit code 130 or 143."""
        return KeyboardInterrupt(signal.SIGTERM) if self.signal == signal.SIGTERM else KeyboardInterrupt()

    def received(self, number: int, frame) -> None:
        """The signal handler; a second signal ends the process without waiting."""
        again = self.signal is not None
        self.signal = number
        if again or self.at_once:
            raise self.interrupt()


@contextmanager
def stop_requests() -> Iterator[StopRequest]:
    """Collect SIGTERM and Ctrl-C while the block runs (in the main thread only; elsewhere nothing is caught)."""
    stop = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.signal(number, stop.received) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Timer:
    """Says when the next checkpoint by wall clock is due."""

    def __init__(self, minutes: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._clock, self._last = minutes * 60, clock, clock()

    def due(self) -> bool:
        return self._clock() - self._last >= self._seconds

    def restart(self) -> None:
        self._last = self._clock()
