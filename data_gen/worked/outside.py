"""Questions that are not for a tax adviser, from outside.yaml: other subjects, other advice, and evasion."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from taxlaw.strict_config import StrictModel, load_config


class Outside(StrictModel):
    """``frames`` hold one blank {x}, filled from ``things``; ``about`` ends a refusal's first sentence."""

    about: str
    instead: str
    frames: tuple[str, ...]
    things: tuple[str, ...]


class _Groups(StrictModel):
    groups: tuple[Outside, ...]


@cache
def outside() -> tuple[Outside, ...]:
    """The groups, as they stand in the file."""
    return load_config(Path(__file__).with_name("outside.yaml"), _Groups).groups
