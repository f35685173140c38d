"""What a source counts, by name: read = kept + dropped, each drop with its reason.

Keys of a source's Counter: ``read``, ``kept``, ``dropped:<이유>``, ``changed:<무엇>`` and ``noted:<무엇>``.
"""

from __future__ import annotations

from collections import Counter

READ, KEPT = "read", "kept"
DROPPED, CHANGED, NOTED = "dropped:", "changed:", "noted:"


def drop(tally: Counter, reason: str) -> None:
    """One document (or record) that does not reach the corpus; ``reason`` in Korean, for the report."""
    tally[DROPPED + reason] += 1


def change(tally: Counter, what: str, count: int = 1) -> None:
    """Something altered on the way (characters of one form, masked numbers)."""
    if count:
        tally[CHANGED + what] += count


def note(tally: Counter, what: str, count: int = 1) -> None:
    """Something the reader of the report should know; nothing was lost by it."""
    if count:
        tally[NOTED + what] += count


def grouped(tally: Counter, prefix: str) -> dict[str, int]:
    """'dropped:' -> {reason: count}, most frequent first."""
    found = {key.removeprefix(prefix): count for key, count in tally.items() if key.startswith(prefix) and count}
    return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))


def lost(tally: Counter) -> int:
    """Documents read that are neither kept nor dropped with a reason; anything but 0 is a fault of a reader."""
    return tally[READ] - tally[KEPT] - sum(grouped(tally, DROPPED).values())
