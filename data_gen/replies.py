"""A teacher's reply, read strictly: its reasoning apart, then one JSON object of the form asked for, or a reason why not."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import TypeVar

from pydantic import ValidationError

from taxlaw.strict_config import StrictModel

# Some models fence their JSON; the wrapper says nothing of the law.
_FENCE = re.compile(r"\A```(?:json|JSON)?[ \t]*\n(.*)\n[ \t]*```\Z", re.DOTALL)
_OPEN, _CLOSE = "<think>", "</think>"

A = TypeVar("A", bound=StrictModel)


class MalformedReply(Exception):
    """The reply is not of the form asked for; the message is one Korean line."""


def split_reasoning(text: str) -> tuple[str, str]:
    """(what the model thought aloud, the rest), for a reply that opens with <think>…</think>.

    A tag that is never closed makes the whole reply reasoning.  Some chat templates open the tag themselves, so that the
    reply holds only the closing one.  A tag inside the answer is left alone.
    """
    body = text.lstrip()
    if body.startswith(_OPEN):
        thought, closed, rest = body[len(_OPEN) :].partition(_CLOSE)
        return thought.strip(), rest.strip() if closed else ""
    if not body.startswith(("{", "```")):
        thought, closed, rest = body.partition(_CLOSE)
        if closed:
            return thought.strip(), rest.strip()
    return "", text.strip()


def parse_answer(text: str, model: type[A]) -> A:
    """The reply as ``model``, every string in NFC.  Raises MalformedReply.

    Nothing is repaired: a missing, extra or doubled key, another type or text around the object is refused, so that no
    half-read answer is taught.  Only a ``` fence around the whole is taken off.
    """
    body = text.strip()
    if fenced := _FENCE.match(body):
        body = fenced.group(1)
    try:
        raw = json.loads(body, object_pairs_hook=_no_twins, parse_constant=_no_constant)
    except json.JSONDecodeError as exc:
        raise MalformedReply(f"JSON이 아닙니다 ({exc.msg}, {exc.pos}번째 글자)") from exc
    except RecursionError as exc:
        raise MalformedReply("JSON이 너무 깊습니다") from exc
    if not isinstance(raw, dict):
        raise MalformedReply(f"JSON 객체가 아닙니다 ({type(raw).__name__})")
    try:
        # As JSON again: there a list may stand for a tuple and a string for a date, and nothing else is lax.
        return model.model_validate_json(json.dumps(_normalised(raw), ensure_ascii=False), strict=True)
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise MalformedReply(f"모르는 키: {where}") from exc
        if first["type"] == "missing":
            raise MalformedReply(f"키가 없습니다: {where}") from exc
        if first["type"] == "string_unicode":
            raise MalformedReply("글자가 아닌 부호가 들어 있습니다 (lone surrogate)") from exc
        raise MalformedReply(f"{where or '답변'}의 값이 형식에 맞지 않습니다 ({first['msg']})") from exc


def _no_twins(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twin = next(name for name in names if names.count(name) > 1)
        raise MalformedReply(f"같은 키가 둘 있습니다: {twin}")
    return found


def _no_constant(name: str) -> object:
    raise MalformedReply(f"JSON에 없는 값: {name}")


def _normalised(value: object) -> object:
    """Every string in NFC: decomposed Hangul looks the same and compares different."""
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, list):
        return [_normalised(item) for item in value]
    if isinstance(value, dict):
        return {unicodedata.normalize("NFC", key): _normalised(item) for key, item in value.items()}
    return value
