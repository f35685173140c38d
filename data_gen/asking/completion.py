"""The body of an answer, live or from a batch file, read into what is stored.  Endpoints add fields; they are not minded."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ValidationError

from data_gen.asking.values import Request, Status, Stored, Usage
from data_gen.replies import MalformedReply, parse_answer, split_reasoning
from data_gen.store import utc_now
from taxlaw.strict_config import StrictModel


class Unreadable(Exception):
    """This is no completion (a proxy's page, half a body); the message is Korean.  Nothing can be stored of it."""


class _Message(BaseModel):
    content: str | list[dict[str, Any]] | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _Details(BaseModel):
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None


class _Usage(BaseModel):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _Details | None = None
    completion_tokens_details: _Details | None = None


class _Completion(BaseModel):
    choices: list[_Choice]
    id: str | None = None
    model: str | None = None
    usage: _Usage | None = None


def read_completion(
    request: Request,
    payload: bytes | dict[str, Any],
    answer: type[StrictModel],
    seconds: float = 0.0,
    via: Literal["live", "batch"] = "live",
) -> Stored:
    """What to store of a completion (bytes of its JSON, or the object), unpriced.  Raises Unreadable."""
    try:
        if isinstance(payload, dict):
            completion = _Completion.model_validate(payload)
        else:
            completion = _Completion.model_validate_json(payload)
    except ValidationError as exc:
        raise Unreadable(_why_unreadable(exc, payload)) from exc
    message = completion.choices[0].message if completion.choices else _Message()
    finish = (completion.choices[0].finish_reason if completion.choices else None) or ""
    thought, text = split_reasoning(_text(message.content))
    thoughts = [part for part in (message.reasoning_content or message.reasoning or "", thought) if part.strip()]
    status, reason = _verdict(completion, message, finish, text, answer)
    return Stored(
        key=request.key,
        teacher=request.teacher,
        model=completion.model or str(request.body.get("model", "")),
        task=request.task,
        document_id=request.document_id,
        status=status,
        reason=reason,
        text=text,
        reasoning="\n\n".join(thoughts),
        finish_reason=finish,
        response_id=completion.id or "",
        usage=_usage(completion.usage),
        usd=None,
        seconds=round(seconds, 3),
        via=via,
        received=utc_now(),
    )


def _verdict(
    completion: _Completion, message: _Message, finish: str, text: str, answer: type[StrictModel]
) -> tuple[Status, str]:
    if not completion.choices:
        return "empty", "빈 응답 (no choices)"
    if message.refusal:
        return "refusal", f"모델이 거절함: {message.refusal[:200]}"
    if finish == "content_filter":
        return "filtered", "내용 거르개에 걸림 (finish_reason=content_filter)"
    # A cut-off answer may still parse; it is never taken for a whole one.
    if finish == "length":
        return "length", "길이 한도에서 잘린 응답 (finish_reason=length)"
    if finish not in ("", "stop"):
        return "malformed", f"끝맺지 못한 응답 (finish_reason={finish})"
    if not text:
        return "empty", "빈 응답 (empty content)"
    try:
        parse_answer(text, answer)
    except MalformedReply as exc:
        return "malformed", str(exc)
    return "ok", ""


def _text(content: str | list[dict[str, Any]] | None) -> str:
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if part.get("type") == "text")
    return content or ""


def _usage(used: _Usage | None) -> Usage:
    if used is None:
        return Usage()
    cached = used.prompt_tokens_details.cached_tokens if used.prompt_tokens_details else 0
    reasoning = used.completion_tokens_details.reasoning_tokens if used.completion_tokens_details else 0
    return Usage(used.prompt_tokens or 0, cached or 0, used.completion_tokens or 0, reasoning or 0)


def _why_unreadable(exc: ValidationError, payload: bytes | dict[str, Any]) -> str:
    first = exc.errors(include_url=False, include_input=False)[0]
    if isinstance(payload, bytes) and first["type"] == "json_invalid":
        start = payload[:200].lstrip().lower()
        if start.startswith((b"<!doctype", b"<html", b"<?xml")):
            return "응답을 읽을 수 없음: JSON 대신 웹 페이지가 왔습니다 (HTML from a proxy)"
        return "응답을 읽을 수 없음: 깨진 JSON (invalid JSON body)"
    where = ".".join(str(part) for part in first["loc"])
    return f"응답을 읽을 수 없음: 다른 모양의 JSON (not a completion: {where or 'top level'})"
