"""``--server_base``: the student of a running page answers; completing and verifying happen here all the same."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from serve.backends.openai_endpoint import OpenAIBackend, OpenAIOptions
from serve.backends.protocol import BackendInfo, Delta, GenParams, Message
from serve.engine import Seat
from serve.errors import Code, ServeError
from serve.settings import Student

KEY_VARIABLE = "SLM_FOREST_API_KEY"
MODEL = "student-raw"  # the model's own text, without what the page adds to it
_HEALTH_SECONDS = 5


class RemoteStudent:
    """A backend whose failures are told in terms of the page.  ``sha256`` of the model, as the page tells it."""

    def __init__(self, base: str, key: str | None, name: str, sha256: str | None, timeout_seconds: float) -> None:
        self._base = base
        self._name = name
        self._sha256 = sha256
        options = OpenAIOptions(MODEL, f"{base}/v1", timeout_seconds, key_name=KEY_VARIABLE, side="student")
        # The client insists on some key; a page without one ignores it.
        self._endpoint = OpenAIBackend(options, key or "none")

    def stream(self, messages: Sequence[Message], params: GenParams) -> Iterator[Delta]:
        try:
            with closing(self._endpoint.stream(messages, params)) as deltas:
                yield from deltas
        except ServeError as exc:
            raise _of_student(exc, self._base) from exc

    def count_tokens(self, messages: Sequence[Message]) -> int | None:
        return self._endpoint.count_tokens(messages)

    def info(self) -> BackendInfo:
        return replace(self._endpoint.info(), name=self._name, model_sha256=self._sha256)

    def close(self) -> None:
        self._endpoint.close()


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The key is for the address that was given, not for one it points to."""

    def redirect_request(self, *_: object) -> None:
        return None


def open_remote(url: str, params: GenParams, timeout_seconds: float) -> tuple[Seat, Student]:
    """The student of the page at ``url``, as a seat of the engine.

    Raises ServeError: USAGE for what is no address, NO_MODEL when no page answers there, AUTH when it wants a key.
    """
    base = _base(url)
    key = os.environ.get(KEY_VARIABLE, "").strip() or None
    health = _health(base, key)
    name = f"{health['student']} @ {urlsplit(base).netloc}"
    backend = RemoteStudent(base, key, name, health.get("model_sha256"), timeout_seconds)
    return Seat(name, backend, params), Student(Path(MODEL), name)


def _base(url: str) -> str:
    """``url`` without a trailing slash or ``/v1``."""
    base = url.strip().rstrip("/").removesuffix("/v1").rstrip("/")
    parts = urlsplit(base)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ServeError(Code.USAGE, f"--server_base가 주소가 아닙니다: '{url}'", "http://127.0.0.1:7860처럼 쓰세요.")
    if parts.username or parts.password:
        raise ServeError(Code.USAGE, "--server_base에 비밀번호를 적지 마세요.", f"환경 변수 {KEY_VARIABLE}를 쓰세요.")
    return base


def _health(base: str, key: str | None) -> dict:
    """What the page at ``base`` says about itself; ``student`` is in it."""
    request = urllib.request.Request(f"{base}/healthz", headers={"Authorization": f"Bearer {key}"} if key else {})
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=_HEALTH_SECONDS) as reply:
            health = json.load(reply)
    except urllib.error.HTTPError as exc:
        raise _no_page(base, f"{exc.code} {exc.reason}") from exc
    except (ValueError, HTTPException) as exc:
        raise _no_page(base, "SLM Forest의 답이 아닙니다") from exc
    except OSError as exc:
        raise _no_page(base, str(getattr(exc, "reason", None) or exc)) from exc
    if not isinstance(health, dict) or health.get("status") != "ok":
        raise _no_page(base, "SLM Forest의 답이 아닙니다")
    if not isinstance(health.get("student"), str):
        # Behind a login it tells its name only to somebody with the key.
        raise _of_student(ServeError(Code.AUTH, ""), base)
    return health


def _no_page(base: str, why: str) -> ServeError:
    return ServeError(
        Code.NO_MODEL,
        f"{base} 에서 실행 중인 화면을 찾지 못했습니다 ({why}).",
        "다른 창에서 'python -m serve app'을 먼저 켜거나, --server_base 없이 모델을 직접 여세요 (nothing is served there).",
    )


def _of_student(exc: ServeError, base: str) -> ServeError:
    """The endpoint's failure in words that fit: who reads them started a page, and knows no endpoint's settings."""
    match exc.code:
        case Code.AUTH:
            message = f"{base} 의 화면이 키를 받아들이지 않았습니다."
            hint = f"화면을 켤 때 쓴 키를 환경 변수 {KEY_VARIABLE}에 적으세요."
        case Code.RATE_LIMIT:
            message, hint = f"{base} 의 화면에 기다리는 질문이 많습니다.", "잠시 뒤 다시 물어보세요."
        case Code.TIMEOUT:
            message, hint = f"{base} 의 화면이 제때 답하지 않았습니다.", "잠시 뒤 다시 묻거나 그 화면을 확인하세요."
        case Code.UNREACHABLE:
            message, hint = f"{base} 의 화면과 연결이 끊겼습니다.", "화면이 아직 켜져 있는지 확인하세요."
        case _:
            return exc
    return ServeError(exc.code, message, hint)
