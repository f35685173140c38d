"""One client cannot take everything: requests a minute, size of a request, places in the line."""

from __future__ import annotations

import asyncio

import pytest

from serve.http.limits import BodyLimit, Buckets
from serve.http.line import Line, LineFull


def test_a_bucket_lets_a_burst_through_and_refills() -> None:
    now = [100.0]
    buckets = Buckets(per_minute=60, burst=3, clock=lambda: now[0])
    assert [buckets.take("a") for _ in range(3)] == [0, 0, 0]
    assert buckets.take("a") == pytest.approx(1.0) and buckets.take("b") == 0, "another client has his own bucket"
    now[0] += 1.0
    assert buckets.take("a") == 0 and buckets.take("a") > 0
    now[0] += 3600
    assert [buckets.take("a") for _ in range(4)][:3] == [0, 0, 0], "a long rest fills it, and no more than full"
    assert buckets.take("a") > 0


def test_a_flood_of_addresses_does_not_grow_the_table() -> None:
    now = [0.0]
    buckets = Buckets(60, 1, lambda: now[0])
    for number in range(25_000):
        now[0] += 0.0001
        buckets.take(str(number))
    assert len(buckets._levels) <= 10_001
    assert buckets.take("24999") > 0, "who has just asked is not forgotten"


def test_the_line_is_first_come_first_served_and_bounded() -> None:
    async def scene() -> None:
        line = Line(at_once=2, max_waiting=2)
        first, second, third, fourth = (line.join() for _ in range(4))
        with pytest.raises(LineFull):
            line.join()
        assert [line.position(ticket) for ticket in (first, second, third, fourth)] == [0, 0, 1, 2]
        assert (line.running, line.waiting) == (2, 2) and not third.called.is_set()
        line.leave(third)  # one who waits goes away: the next moves up, nobody is called
        assert line.position(fourth) == 1 and not fourth.called.is_set()
        line.leave(second)
        line.leave(second)
        assert fourth.called.is_set() and line.position(fourth) == 0 and (line.running, line.waiting) == (2, 0)
        line.leave(third)
        assert (line.running, line.waiting) == (2, 0), "leaving twice must not call anybody"

    asyncio.run(scene())


@pytest.mark.parametrize(
    ("announced", "chunks", "status"),
    [(b"10", [b"x" * 10], 200), (b"11", [b"x" * 11], 413), (b"abc", [], 413), (None, [b"x" * 6, b"x" * 6], 413)],
)
def test_a_body_is_bounded_whether_announced_or_not(announced, chunks, status) -> None:
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    async def read(request) -> PlainTextResponse:
        return PlainTextResponse(str(len(await request.body())))

    inner = Starlette(routes=[Route("/", read, methods=["POST"])])
    sent: list[dict] = []

    async def scene() -> None:
        parts = iter(chunks)
        following = next(parts, None)

        async def receive() -> dict:
            nonlocal following
            body, following = following, next(parts, None)
            return {"type": "http.request", "body": body or b"", "more_body": following is not None}

        async def send(message: dict) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": "POST",
            "path": "/",
            "headers": [(b"content-length", announced)] if announced else [],
            "query_string": b"",
        }
        await BodyLimit(inner, most=10)(scope, receive, send)

    asyncio.run(scene())
    assert sent[0]["status"] == status
