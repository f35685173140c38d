"""What goes over the wire at ``/v1``: OpenAI's request, answer and error shapes, as values.

A parameter we do not have is refused by name; one that is set to what it would do anyway is let through, because clients
send such defaults on their own.
"""

from __future__ import annotations

import json
from datetime import date
from typing import Any, Literal

from pydantic import Field, ValidationError
from starlette.responses import JSONResponse

from serve.errors import Code, ServeError
from taxlaw.strict_config import StrictModel

STUDENT, RAW = "student", "student-raw"
MODELS = (STUDENT, RAW)

# Set to one of these values a parameter changes nothing here; None stands for any value.
_NEUTRAL: dict[str, tuple | None] = {
    "n": (1,),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "logit_bias": ({},),
    "tools": ([],),
    "functions": ([],),
    "tool_choice": ("none", "auto"),
    "parallel_tool_calls": None,
    "response_format": ({"type": "text"},),
    "modalities": (["text"],),
    "service_tier": ("auto", "default"),
    "store": (False,),
    "user": None,
    "metadata": None,
    "safety_identifier": None,
    "prompt_cache_key": None,
}


class BadRequest(Exception):
    """A request that cannot be served as it is: HTTP 400 with the parameter's name."""

    def __init__(self, message: str, param: str | None = None, code: str = "invalid_value") -> None:
        super().__init__(message)
        self.message, self.param, self.code = message, param, code


class TextPart(StrictModel):
    type: Literal["text"]
    text: str


class ChatMessage(StrictModel):
    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[TextPart]
    name: str | None = None

    @property
    def text(self) -> str:
        return self.content if isinstance(self.content, str) else "".join(part.text for part in self.content)


class StreamOptions(StrictModel):
    include_usage: bool = False
    include_obfuscation: bool = False


class ChatRequest(StrictModel):
    """``as_of`` and ``sources`` are ours: the day of the law, and whether evidence is looked up first."""

    model: Literal["student", "student-raw"]
    messages: list[ChatMessage] = Field(min_length=1)
    stream: bool = False
    stream_options: StreamOptions = StreamOptions()
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    seed: int | None = None
    stop: str | tuple[str, ...] = ()
    as_of: date | None = None
    sources: bool = False

    @property
    def stops(self) -> tuple[str, ...]:
        return tuple(text for text in ((self.stop,) if isinstance(self.stop, str) else self.stop) if text)


def read_request(body: bytes) -> ChatRequest:
    """The request in ``body``.  Raises BadRequest naming the parameter that is wrong or that we do not have."""
    try:
        raw = json.loads(body)
    except ValueError as exc:
        raise BadRequest(f"본문이 JSON이 아닙니다 (body is not JSON): {exc}", code="invalid_json") from exc
    if not isinstance(raw, dict):
        raise BadRequest("본문은 JSON 객체여야 합니다 (body must be an object).", code="invalid_json")
    raw = _without_nulls(raw)
    for name in [name for name in raw if name not in ChatRequest.model_fields]:
        neutral = _NEUTRAL.get(name, ())
        if neutral is None or raw[name] in neutral:
            del raw[name]
            continue
        known = name in _NEUTRAL
        raise BadRequest(
            f"'{name}'은(는) 이 값으로 쓸 수 없습니다: 이 서버에는 그 기능이 없습니다 (unsupported value of '{name}')."
            if known
            else f"모르는 매개변수입니다 (unknown parameter): '{name}'. "
            f"쓸 수 있는 것: {', '.join(ChatRequest.model_fields)}.",
            name,
            "unsupported_parameter",
        )
    if raw.get("model") not in MODELS:
        raise BadRequest(
            f"모델 '{raw.get('model')}'이(가) 없습니다. 쓸 수 있는 모델: {', '.join(MODELS)} (no such model).",
            "model",
            "model_not_found",
        )
    try:
        request = ChatRequest.model_validate(raw)
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadRequest(f"'{where}'의 값이 잘못되었습니다: {first['msg']}", where) from exc
    if len(request.stops) > 4:
        raise BadRequest("'stop'에는 네 개까지 쓸 수 있습니다 (at most 4).", "stop")
    return request


def _without_nulls(value: Any) -> Any:
    """Clients send back assistant messages with every optional field spelled out as null."""
    if isinstance(value, dict):
        return {key: _without_nulls(one) for key, one in value.items() if one is not None}
    return [_without_nulls(one) for one in value] if isinstance(value, list) else value


def error_body(message: str, code: str, kind: str = "invalid_request_error", param: str | None = None) -> dict:
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def error_response(
    status: int,
    message: str,
    code: str,
    *,
    kind: str = "invalid_request_error",
    param: str | None = None,
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    """An error as the ``openai`` client expects it; ``code`` is one word a program can compare."""
    return JSONResponse(error_body(message, code, kind, param), status, headers)


# How a serving failure reads over HTTP: status, OpenAI's type of it.
_STATUS = {
    Code.USAGE: (400, "invalid_request_error"),
    Code.CONTEXT: (400, "invalid_request_error"),
    Code.PRIVATE: (400, "invalid_request_error"),
    Code.BUSY: (503, "server_error"),
    Code.RATE_LIMIT: (503, "server_error"),
    Code.TIMEOUT: (504, "server_error"),
    Code.UNREACHABLE: (502, "server_error"),
    Code.BAD_REPLY: (502, "server_error"),
}


def of_serve_error(exc: ServeError) -> tuple[int, dict]:
    """Status and body of a serving failure; ``context`` becomes OpenAI's ``context_length_exceeded``."""
    status, kind = _STATUS.get(exc.code, (500, "server_error"))
    code = "context_length_exceeded" if exc.code is Code.CONTEXT else str(exc.code)
    param = "messages" if exc.code is Code.CONTEXT else None
    return status, error_body(f"{exc.message} {exc.hint}".strip(), code, kind, param)


def sse(payload: dict | str) -> bytes:
    """One server-sent event; Hangul as it is."""
    text = payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    return f"data: {text}\n\n".encode()
