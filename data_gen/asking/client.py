"""One client for a run: a request goes out once, and what comes of it is an answer, a miss with its reason, or the end.

It never waits and never tries again: that is the desk's to decide.  The key to the service comes from the environment or
.env, never from YAML.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass

from data_gen.asking.values import Request
from data_gen.asking.waits import retry_after_seconds
from data_gen.errors import DataGenError
from data_gen.teacher_settings import OpenAISettings

MOST_WAIT_S = 900.0
"""An endpoint that asks for a longer wait than this ends the run: a day's quota is not sat out."""
_OUT_OF_MONEY = ("insufficient_quota", "billing_hard_limit_reached", "credit_balance_too_low")


@dataclass(frozen=True)
class Answered:
    """HTTP 200 and what stood in it, which may still be anything."""

    payload: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Missed:
    """No answer came.  ``wait``: seconds the endpoint asks everybody to wait; ``again``: the same request may yet succeed."""

    reason: str
    throttled: bool = False
    wait: float | None = None
    again: bool = True


def read_key(name: str) -> str:
    """The key named ``name`` from the environment, else from the nearest .env.  Raises DataGenError when there is none."""
    from dotenv import dotenv_values, find_dotenv

    key = os.environ.get(name) or dotenv_values(find_dotenv(usecwd=True)).get(name)
    if not key or not key.strip():
        raise DataGenError(
            f"API 키가 없습니다: 환경 변수 {name} (missing API key)\n"
            f"  export {name}=… 로 넣거나 .env 파일에 {name}=… 한 줄을 적으세요. 키 없이 해 보려면 teacher.kind: recorded를 쓰세요."
        )
    return key.strip()


def open_client(settings: OpenAISettings):
    """An AsyncOpenAI with as many connections as calls may be in flight.  Raises DataGenError when there is no key.

    Over aiohttp, the library's own faster transport: httpx looks at every idle connection of the pool for each request.
    """
    import httpx2
    import openai

    places = settings.concurrency
    return openai.AsyncOpenAI(
        api_key=read_key(settings.key_env),
        base_url=settings.base_url,
        max_retries=0,
        timeout=settings.timeout_s,
        http_client=openai.DefaultAioHttpClient(
            limits=httpx2.Limits(max_connections=places, max_keepalive_connections=places, keepalive_expiry=30.0),
            # Connecting is quick or it fails; places bound the pool, so nobody waits for a connection.
            timeout=httpx2.Timeout(settings.timeout_s, connect=min(10.0, settings.timeout_s)),
        ),
    )


class Client:
    """Sends requests to one endpoint."""

    def __init__(self, settings: OpenAISettings) -> None:
        import httpx2
        import openai

        self._openai, self._cast_to = openai, httpx2.Response
        self._settings = settings
        self._client = open_client(settings)

    async def send(self, request: Request) -> Answered | Missed:
        """POST the body to /chat/completions once.  Raises DataGenError when no other request would fare better."""
        try:
            # The whole call has a deadline: an endpoint that trickles bytes is as lost as one that hangs.
            async with asyncio.timeout(self._settings.timeout_s):
                response = await self._client.post(
                    "/chat/completions",
                    body=request.body,
                    cast_to=self._cast_to,
                    options={"headers": {"Idempotency-Key": request.key}},
                )
        except self._openai.APIStatusError as exc:
            return self._refused(exc)
        except (TimeoutError, self._openai.APIConnectionError) as exc:  # APITimeoutError is one of the latter
            cause = _root(exc)
            # The client calls every lost connection of aiohttp a timeout; what happened stands at the root.
            if isinstance(exc, TimeoutError) or isinstance(cause, TimeoutError):
                return Missed(f"{self._settings.timeout_s:g}초 안에 답이 없음 (timeout)")
            return Missed(f"연결 실패: {type(cause).__name__} {cause}".rstrip())
        return Answered(response.content, response.headers)

    async def close(self) -> None:
        await self._client.close()

    def _refused(self, exc) -> Missed:
        """An HTTP status other than success."""
        settings, status = self._settings, exc.status_code
        code = exc.code if isinstance(exc.code, str) else ""
        if status in (401, 403):
            raise DataGenError(
                f"교사 서버가 키를 거부했습니다 (HTTP {status}). {settings.key_env}의 값과 권한을 확인하세요."
            ) from exc
        if status == 404:
            raise DataGenError(
                f"교사 서버에 그런 모델이나 주소가 없습니다 (HTTP 404): model={settings.model!r}, "
                f"base_url={settings.base_url!r}\n  teacher.model과 teacher.base_url을 확인하세요."
            ) from exc
        if status == 402 or code in _OUT_OF_MONEY:
            raise DataGenError(
                f"교사 서버의 계정에 쓸 수 있는 금액이나 한도가 남지 않았습니다 (HTTP {status}, {code or 'payment required'}).\n"
                "  받은 답변은 저장되어 있습니다. 계정을 확인한 뒤 같은 명령을 다시 실행하면 이어집니다."
            ) from exc
        wait = retry_after_seconds(exc.response.headers, time.time())
        if wait is not None and wait > MOST_WAIT_S and status in (429, 503, 529):
            raise DataGenError(
                f"교사 서버가 {wait / 60:.0f}분 뒤에 다시 오라고 합니다 (HTTP {status}, Retry-After).\n"
                "  받은 답변은 저장되어 있습니다. 그 뒤에 같은 명령을 다시 실행하면 이어집니다."
            ) from exc
        if status == 429:
            return Missed("HTTP 429 (요청 한도)", throttled=True, wait=wait)
        if status in (408, 409, 425) or status >= 500:
            return Missed(f"HTTP {status}", wait=wait)
        # The endpoint understood the request and will not have it: too long, a parameter it does not know.
        return Missed(f"HTTP {status}: {_first_line(exc.message)}", again=False)


def _root(exc: BaseException) -> BaseException:
    while exc.__cause__ is not None:
        exc = exc.__cause__
    return exc


def _first_line(message: str) -> str:
    return message.split("\n", 1)[0][:300]
