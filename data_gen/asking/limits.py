"""The door before an endpoint: how many calls may be in flight, and when the next may go.

The number of places grows while all is well (doubling each round at first) and shrinks on 429, by how many were refused.
Whoever has to wait (for a place, for Retry-After, for the minute's requests or tokens) waits before the door and holds no
place meanwhile.  Clock, sleep and chance are given, so that tests run on a clock of their own.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from data_gen.asking.buckets import Bucket, TokenGuess
from data_gen.asking.values import Request, Usage
from data_gen.asking.waits import reset_seconds

# Found by simulation (tests/data_gen/test_asking_limits.py): an endpoint that takes ten at once is kept busy while one call
# in ten is refused, and one that refuses every tenth call for reasons of its own still gets more than a dozen at once.
START = 16
"""Places at the start of a run; doubled in each round of calls until the first 429."""
GROWTH = 0.1
"""Share of the places added in a round without 429, at least one."""
SHRINK = 0.5
"""How much of the share of 429 among the calls of a round is taken off the places."""
ROUND = 16.0
"""Fewest calls over which that share is averaged."""
HISTORY = 500


@dataclass(frozen=True)
class Clock:
    now: Callable[[], float] = time.monotonic
    """Seconds, never going back."""
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    chance: Callable[[], float] = random.random
    """Uniform in [0, 1)."""


@dataclass(frozen=True)
class Backoff:
    base_s: float = 0.5
    """Longest wait after the first failure; doubled with each that follows."""
    most_s: float = 30.0


@dataclass(frozen=True)
class Change:
    """One turn in the number of places, for the run record."""

    seconds: float
    """Since the start of the run."""
    limit: int
    why: str


@dataclass(frozen=True)
class Place:
    """Leave to send one request; given back through ``Door.leave``."""

    taken: float
    tokens: float
    request: Request


class Door:
    """One per endpoint and run."""

    def __init__(
        self,
        most: int,
        rpm: float | None = None,
        tpm: float | None = None,
        clock: Clock | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        self.clock = clock or Clock()
        self._backoff = backoff or Backoff()
        self.most = most
        self.held = 0
        self._limit = float(min(most, START))
        self._slow_start = True
        self._throttles = 0  # without an answer between
        self._refused = 0.0  # share of 429 over about one round of calls
        self._shrunk = self._began = self.clock.now()
        self._before = self._limit  # places before the last 429s
        self._paused_until = self._began
        self._queue = asyncio.Lock()  # first come, first served; only the head of the queue looks at the rest
        self._changed = asyncio.Event()
        self._closing = asyncio.Event()
        self._full = False  # the head of the queue waits for a place, and for nothing else
        self._requests = Bucket(rpm, self._began) if rpm else None
        self._tokens = Bucket(tpm, self._began) if tpm else None
        self._guess = TokenGuess()
        self._closed: Exception | None = None
        self.history: deque[Change] = deque([Change(0.0, self.limit, "시작")], maxlen=HISTORY)

    @property
    def limit(self) -> int:
        return int(self._limit)

    @property
    def paused_s(self) -> float:
        return max(0.0, self._paused_until - self.clock.now())

    async def enter(self, request: Request) -> Place:
        """Wait until the request may be sent.  Raises what ``close`` was given."""
        cost = self._guess.of(request) if self._tokens else 0.0
        async with self._queue:
            while True:
                if self._closed:
                    raise self._closed
                now = self.clock.now()
                wait = self._wait(now, cost)
                if wait > 0:
                    await self.nap(max(wait, 0.001))  # less is lost in rounding
                elif self.held >= self.limit:
                    self._full = True
                    self._changed.clear()
                    await self._changed.wait()
                    self._full = False
                else:
                    break
            self.held += 1
            if self._requests:
                self._requests.take(1, now)
            if self._tokens:
                self._tokens.take(cost, now)
            return Place(now, cost, request)

    def leave(self, place: Place, usage: Usage | None = None) -> None:
        """Give the place back; ``usage`` as the endpoint counted it, None when the call used no tokens of the minute."""
        self.held -= 1
        self._changed.set()
        if self._tokens:
            used = (usage.input + usage.output) if usage else 0
            if usage and not used:  # an endpoint that does not count: the guess stands
                used = place.tokens
            elif usage:
                self._guess.learn(place.request, used)
            self._tokens.correct(used - place.tokens)

    async def nap(self, seconds: float) -> None:
        """Sleep on the injected clock, but no longer than until the door closes."""
        sleeping = asyncio.ensure_future(self.clock.sleep(seconds))
        closing = asyncio.ensure_future(self._closing.wait())
        try:
            await asyncio.wait((sleeping, closing), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            closing.cancel()

    def close(self, reason: Exception) -> None:
        """Nobody enters any more: those who wait, and those who come, get ``reason``.  Calls in flight are not touched."""
        self._closed = self._closed or reason
        self._changed.set()
        self._closing.set()

    def _wait(self, now: float, cost: float) -> float:
        wait = self._paused_until - now
        if self._requests:
            wait = max(wait, self._requests.wait(1, now))
        if self._tokens:
            wait = max(wait, self._tokens.wait(cost, now))
        return wait

    # What the endpoint's answers teach

    def succeeded(self) -> None:
        """An answer came: one place more for each at first, later ``GROWTH`` for a round of them."""
        self._throttles = 0
        self._refused -= self._refused / max(self._limit, ROUND)
        if not self._full or self._limit >= self.most:  # places that nobody waits for prove nothing
            return
        before = self.limit
        step = 1.0 if self._slow_start else max(1.0 / self._limit, GROWTH)
        self._limit = min(float(self.most), self._limit + step)
        if before < self.limit == self.most:
            self._record("가장 많게")

    def throttled(self, place: Place, wait: float | None) -> None:
        """A 429: fewer places, once for all calls sent before the endpoint was known to be full, by the share of 429.

        With one place left and no Retry-After the door itself is closed for a while, longer with each 429 in a row: how
        many may go in a minute can be less than one call after another.
        """
        now = self.clock.now()
        self._slow_start = False
        self._throttles += 1
        self._refused += (1 - self._refused) / max(self._limit, ROUND)
        if wait:
            self.pause(wait)
        elif self.limit == 1:
            self.pause(self.backoff(self._throttles))
        if place.taken >= self._shrunk:
            self._shrunk, self._before = now, self._limit
            self._record("429")
        # How full the endpoint is shows only as the answers of the round come in.
        self._limit = max(1.0, min(self._limit, self._before * (1 - SHRINK * self._refused)))
        self.history[-1] = replace(self.history[-1], limit=self.limit)

    def pause(self, seconds: float) -> None:
        """Nobody enters for so long (Retry-After)."""
        self._paused_until = max(self._paused_until, self.clock.now() + seconds)

    def heed(self, headers: Mapping[str, str]) -> None:
        """x-ratelimit-remaining-* and -reset-*: when a minute is used up, wait for the next instead of for a 429."""
        for what, bucket in (("requests", self._requests), ("tokens", self._tokens)):
            left = headers.get(f"x-ratelimit-remaining-{what}")
            if left is None or not left.isdecimal():
                continue
            if bucket:
                bucket.at_most(float(left))
            reset = reset_seconds(headers.get(f"x-ratelimit-reset-{what}", ""))
            if reset and float(left) < (1 if what == "requests" else self._guess.typical):
                self.pause(min(reset, 60.0))

    def backoff(self, failures: int) -> float:
        """Seconds before a request is sent again after so many failures (1, 2, …): exponential, full jitter."""
        return self.clock.chance() * min(self._backoff.most_s, self._backoff.base_s * 2.0 ** min(failures - 1, 30))

    def _record(self, why: str) -> None:
        self.history.append(Change(round(self.clock.now() - self._began, 2), self.limit, why))
