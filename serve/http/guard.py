"""Who may use ``/v1`` now: not another web site in somebody's browser, only with the key where one is set, not too often."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse

from serve.http.access import KEY_VARIABLE, Access
from serve.http.limits import Buckets, client_of, rate_refusal
from serve.http.wire import error_response


def check(request: Request, access: Access, buckets: Buckets, *, posts: bool = False) -> JSONResponse | None:
    """The refusal, or None.  A wrong key counts against the client's rate, so that keys cannot be tried out quickly."""
    if (wait := buckets.take(client_of(request.scope))) > 0:
        return rate_refusal(wait)
    origin = request.headers.get("origin")
    if origin and urlsplit(origin).netloc != request.headers.get("host"):
        return error_response(403, "다른 웹 사이트에서는 쓸 수 없습니다 (cross-origin request).", "cross_origin")
    if access.api_state == "closed":
        return _unauthorized(
            f"이 서버의 API는 닫혀 있습니다: 환경 변수 {KEY_VARIABLE}가 정해지지 않았습니다 (no API key is set).",
            "api_closed",
        )
    if access.api_state == "keyed" and not access.key_is_right(request.headers.get("authorization")):
        return _unauthorized("API 키가 없거나 틀립니다 (missing or wrong API key).", "invalid_api_key")
    # A form or text body can be sent by any web page without asking this server first; JSON cannot.
    if posts and request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        return error_response(415, "Content-Type은 application/json이어야 합니다.", "unsupported_media_type")
    return None


def _unauthorized(message: str, code: str) -> JSONResponse:
    return error_response(
        401, message, code, kind="authentication_error", headers={"WWW-Authenticate": 'Bearer realm="slm-forest"'}
    )
