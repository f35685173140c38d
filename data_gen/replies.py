"""A teacher's reply, read strictly: one JSON object with an ``expert`` and a ``plain`` pair, or a reason why not."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Annotated

from pydantic import Field, StringConstraints, ValidationError

from taxlaw.strict_config import StrictModel

STYLES = ("expert", "plain")

_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
# Reasoning models think aloud first; some models fence their JSON.  Both wrappers are known and say nothing of the law.
_THINKING = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)
_FENCE = re.compile(r"\A\s*```(?:json)?\s*\n(.*)\n\s*```\s*\Z", re.DOTALL)


class Pair(StrictModel):
    question: _Text
    answer: _Text
    articles: Annotated[list[_Text], Field(min_length=1)]


def parse_pairs(text: str) -> dict[str, Pair | str]:
    """For each style its pair, or a Korean sentence saying why the reply holds none.

    Nothing is repaired: a reply with an extra key or a missing one is rejected, so that no half-read text is taught.
    """
    body = _THINKING.sub("", text, count=1)
    if fenced := _FENCE.match(body):
        body = fenced.group(1)
    try:
        raw = json.loads(body)
    except json.JSONDecodeError as exc:
        return dict.fromkeys(STYLES, f"JSON이 아닙니다 ({exc.msg}, {exc.pos}번째 글자)")
    if not isinstance(raw, dict):
        return dict.fromkeys(STYLES, f"JSON 객체가 아닙니다 ({type(raw).__name__})")
    if unknown := sorted(set(raw) - set(STYLES)):
        return dict.fromkeys(STYLES, f"모르는 키: {', '.join(unknown)}")
    return {style: _pair(raw.get(style), style) for style in STYLES}


def _pair(raw: object, style: str) -> Pair | str:
    if raw is None:
        return f"'{style}' 쌍이 없습니다"
    try:
        return Pair.model_validate(_normalised(raw), strict=True)
    except ValidationError as exc:
        first = exc.errors()[0]
        where = ".".join([style, *(str(part) for part in first["loc"])])
        return f"{where}: {first['msg']}"


def _normalised(value: object) -> object:
    """Every string in NFC: decomposed Hangul looks the same and compares different."""
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, list):
        return [_normalised(item) for item in value]
    if isinstance(value, dict):
        return {key: _normalised(item) for key, item in value.items()}
    return value
