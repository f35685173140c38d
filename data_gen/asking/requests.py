"""From a document and a task to the body that is POSTed, and its key.  What is asked anew never has the body of before."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any

from data_gen.asking.values import Request
from data_gen.documents import Document
from data_gen.errors import DataGenError
from data_gen.prompting import preamble, render_prompt
from data_gen.store import canonical_json
from data_gen.tasks import Task
from data_gen.teacher_settings import OpenAISettings
from taxlaw.strict_config import StrictModel

# What OpenAI's strict mode takes of JSON schema; the rest is still checked by parse_answer, after the answer.
_ALLOWED = frozenset(
    {"type", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf", "$ref", "$defs"}
    | {"description", "pattern", "format", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
    | {"multipleOf", "minItems", "maxItems"}
)
# Formats it knows; any other is refused there.
_FORMATS = frozenset(("date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"))


def make_request(
    settings: OpenAISettings,
    teacher_name: str,
    task: Task,
    document: Document,
    trouble: str = "",
    attempt: int = 0,
    room: int | None = None,
) -> Request:
    """The request for one document and task.

    ``trouble`` (Korean) says why the answer before could not be used, ``attempt`` how many were asked before this one, and
    ``room`` (tokens) replaces max_output_tokens.  Raises jinja2.UndefinedError for a prompt that asks for what is not there.
    """
    question = render_prompt(task.name, document)
    if trouble:
        question += (
            f"\n\n[{attempt + 1}번째 요청] 앞선 답변은 쓸 수 없었습니다. 까닭: {trouble}\n"
            "위의 지킬 것과 형식을 모두 지켜 처음부터 다시 답하세요."
        )
    if settings.system_role:
        messages = [{"role": "system", "content": preamble()}, {"role": "user", "content": question}]
    else:
        messages = [{"role": "user", "content": f"{preamble()}\n\n{question}"}]
    body: dict[str, Any] = {
        "model": settings.model,
        "messages": messages,
        settings.token_limit_key: room or settings.max_output_tokens,
    }
    if settings.answer_format == "json_schema":
        body["response_format"] = _schema_format(task.name, task.answer)
    elif settings.answer_format == "json_object":
        body["response_format"] = {"type": "json_object"}
    if settings.temperature is not None:
        body["temperature"] = settings.temperature
    if settings.reasoning_effort is not None:
        body["reasoning_effort"] = settings.reasoning_effort
    return Request(request_key(body), body, teacher_name, task.name, document.id)


def request_key(body: dict) -> str:
    """SHA-256 of the body as canonical JSON."""
    return hashlib.sha256(canonical_json(body).encode("utf-8")).hexdigest()


@lru_cache(maxsize=64)
def _schema_format(name: str, answer: type[StrictModel]) -> dict[str, Any]:
    """One object for all requests of a task: it is only read."""
    return {"type": "json_schema", "json_schema": {"name": name, "strict": True, "schema": strict_schema(answer)}}


def strict_schema(answer: type[StrictModel]) -> dict[str, Any]:
    """JSON schema of ``answer`` as OpenAI's strict mode takes it: every key required, none besides, no other keywords.

    Raises DataGenError for what strict mode cannot say (free keys, fixed-length lists of different types).
    """
    return _strict(answer.model_json_schema(), answer.__name__)


def _strict(schema: dict[str, Any], where: str) -> dict[str, Any]:
    if "$ref" in schema:  # nothing may stand beside a reference
        return {"$ref": schema["$ref"]}
    if "oneOf" in schema:
        schema = {**schema, "anyOf": schema["oneOf"]}
    if "allOf" in schema and len(schema["allOf"]) == 1:
        return _strict(schema["allOf"][0], where)
    if "prefixItems" in schema or isinstance(schema.get("additionalProperties"), dict) or "allOf" in schema:
        raise DataGenError(
            f"엄격한 JSON 스키마로 나타낼 수 없는 답변 형식입니다: {where} (not expressible in strict mode)\n"
            "  answer_format을 json_object로 두거나 그 칸을 목록이나 모델로 바꾸세요."
        )
    found = {name: value for name, value in schema.items() if name in _ALLOWED}
    if found.get("format") not in _FORMATS:
        found.pop("format", None)
    if "properties" in found:
        properties = found["properties"]
        found["properties"] = {name: _strict(value, f"{where}.{name}") for name, value in properties.items()}
        found["required"] = list(properties)
    if found.get("type") == "object":
        found |= {"properties": found.get("properties", {}), "required": found.get("required", [])}
        found["additionalProperties"] = False
    if "items" in found:
        found["items"] = _strict(found["items"], f"{where}[]")
    if "anyOf" in found:
        found["anyOf"] = [_strict(value, where) for value in found["anyOf"]]
    if "$defs" in found:
        found["$defs"] = {name: _strict(value, name) for name, value in found["$defs"].items()}
    return found
