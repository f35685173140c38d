"""Ctrl-C that is never lost: Python drops a KeyboardInterrupt raised in a destructor or a callback, and a pod bills on."""

from __future__ import annotations

import signal
import time

_asked: list[int] = []  # signals that have come


def listen() -> None:
    """From now on Ctrl-C raises KeyboardInterrupt at once, and again at the next pause should something have dropped it."""
    signal.signal(signal.SIGINT, _interrupt)


def pause(seconds: float) -> None:
    """Sleep.  Raises KeyboardInterrupt when Ctrl-C came since ``listen``."""
    if not _asked:
        time.sleep(seconds)
    if _asked:
        raise KeyboardInterrupt


def _interrupt(number: int, _frame: object) -> None:
    _asked.append(number)
    raise KeyboardInterrupt
