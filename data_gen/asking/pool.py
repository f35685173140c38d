"""A rolling pool: so many things at once, the next as soon as one is done.  Knows nothing of teachers."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


async def run_pool(
    items: Iterable[T],
    work: Callable[[T], Awaitable[R]],
    places: int,
    on_stop: Callable[[], None] | None = None,
) -> AsyncIterator[R]:
    """Results as they come, in any order.  ``items`` is pulled only when a place is free, so it may be endless.

    When ``work`` raises, or the caller is interrupted or goes away, nothing new is begun, what is under way is finished
    (its results are dropped), and only then the first exception is raised.  ``on_stop`` is called at the beginning of
    that, so that work may be told to wind up.  At most ``places`` results wait for the caller.  Leave early only inside
    ``contextlib.aclosing``.
    """
    if places < 1:
        raise ValueError(f"places must be at least 1, not {places}")
    source = iter(items)
    running: set[asyncio.Task[R]] = set()
    done: deque[asyncio.Task[R]] = deque()
    failed: list[asyncio.Task[R]] = []
    arrived = asyncio.Event()
    exhausted = False

    def finished(task: asyncio.Task[R]) -> None:
        running.discard(task)
        if task.cancelled() or task.exception():
            failed.append(task)
        else:
            done.append(task)
        arrived.set()

    try:
        while True:
            if failed:
                failed[0].result()
            while not exhausted and len(running) < places and len(done) < places:
                try:
                    item = next(source)
                except StopIteration:
                    exhausted = True
                    break
                task = asyncio.ensure_future(work(item))
                running.add(task)
                task.add_done_callback(finished)
            if done:
                yield done.popleft().result()
            elif running:
                arrived.clear()
                await arrived.wait()
            else:
                return
    finally:
        if running:
            if on_stop:
                on_stop()
            # A second interrupt while waiting here is raised at once.
            await asyncio.wait(tuple(running))
