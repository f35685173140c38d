"""How an asking run is doing at this moment: what a live desk shows to the panel and to the run record.  Values only."""

from __future__ import annotations

from dataclasses import dataclass, field

from data_gen.asking.values import Usage


@dataclass(frozen=True)
class Pulse:
    """A snapshot; the counters only grow.  Only what this process sent is counted, never what was stored before."""

    in_flight: int = 0
    """Calls sent and not answered yet."""
    limit: int = 0
    """Most calls in flight allowed just now."""
    most: int = 0
    """Most the settings allow."""
    paused_s: float = 0.0
    """Seconds until the endpoint takes requests again (Retry-After); 0 when it does."""
    sent: int = 0
    """Requests sent, retries included."""
    answered: int = 0
    """Responses stored, usable or not."""
    retries: int = 0
    """Requests sent again after a transport failure, 429 included."""
    throttled: int = 0
    """429 answers."""
    reused: int = 0
    """Responses found in the store: nothing was sent for them."""
    usage: Usage = field(default_factory=Usage)
