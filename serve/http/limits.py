"""How much one client may ask for: requests a minute, and bytes in one request."""

from __future__ import annotations

import time
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serve.http.wire import error_response

_REMEMBERED = 10_000  # clients; a flood of addresses must not grow the table without end
_PAGE_WORK = ("/gradio_api/queue/join", "/gradio_api/call/", "/gradio_api/run/", "/gradio_api/api/", "/login")


class Buckets:
    """One token bucket a client: ``burst`` requests at once, refilled at ``per_minute``."""

    def __init__(self, per_minute: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = per_minute / 60
        self._burst = burst
        self._clock = clock
        self._levels: dict[str, tuple[float, float]] = {}  # client -> tokens left, when

    def take(self, client: str) -> float:
        """Take one token.  Returns 0, or the seconds until there is one again."""
        now = self._clock()
        level, then = self._levels.get(client, (float(self._burst), now))
        level = min(self._burst, level + (now - then) * self._rate)
        allowed = level >= 1
        self._levels[client] = (level - 1 if allowed else level, now)
        if len(self._levels) > _REMEMBERED:
            self._forget_idle(now)
        return 0.0 if allowed else (1 - level) / self._rate

    def _forget_idle(self, now: float) -> None:
        """Drop who has a full bucket again, and failing that the longest idle half."""
        full = self._burst / self._rate
        kept = {client: held for client, held in self._levels.items() if now - held[1] < full}
        if len(kept) > _REMEMBERED:
            latest = sorted(kept.items(), key=lambda item: item[1][1])[len(kept) // 2 :]
            kept = dict(latest)
        self._levels = kept


def client_of(scope: Scope) -> str:
    """The address that asks.  Behind a proxy it is the real one only when the proxy is among ``trusted_proxies``."""
    return scope["client"][0] if scope.get("client") else "unknown"


class BodyLimit:
    """Refuses a body over ``most`` bytes, whether or not its length was announced."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app = app
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        if not announced.isdigit() or int(announced) > self._most:
            await self._refusal()(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._most:
                raise HTTPException(413, "request too large")  # each application answers it in its own shape
            return message

        await self._app(scope, counted, send)

    def _refusal(self) -> JSONResponse:
        return error_response(
            413,
            f"요청이 너무 큽니다. {self._most:,}바이트까지 받습니다 (request too large).",
            "request_too_large",
        )


class PageLimit:
    """Bounds what one address may start on the page, logins included."""

    def __init__(self, app: ASGIApp, buckets: Buckets) -> None:
        self._app = app
        self._buckets = buckets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"].startswith(_PAGE_WORK):
            wait = self._buckets.take(client_of(scope))
            if wait:
                await rate_refusal(wait)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def rate_refusal(wait: float) -> JSONResponse:
    """429 with the seconds after which it is worth asking again."""
    seconds = max(1, round(wait + 0.5))
    return error_response(
        429,
        f"요청이 너무 잦습니다. {seconds}초 뒤에 다시 보내세요 (too many requests).",
        "rate_limit_exceeded",
        kind="rate_limit_error",
        headers={"Retry-After": str(seconds)},
    )
