"""What is sent: the body, its key, and the JSON schema as strict endpoints take it."""

import json
from typing import Annotated, Literal

import pytest
from pydantic import Field, StringConstraints

from data_gen.asking.completion import Unreadable, read_completion
from data_gen.asking.requests import make_request, request_key, strict_schema
from data_gen.errors import DataGenError
from data_gen.prompting import preamble, render_prompt
from data_gen.tasks import Task
from data_gen.tasks.all_tasks import TASKS
from data_gen.teacher_settings import OpenAISettings
from taxlaw.strict_config import StrictModel


class Line(StrictModel):
    text: str


LINE = Task("pairs", frozenset({"openapi"}), (), Line, lambda _: [])


def settings(**changes) -> OpenAISettings:
    return OpenAISettings(**({"kind": "openai", "model": "m"} | changes))


def test_the_body_says_what_the_settings_say_and_nothing_else(document):
    body = make_request(settings(answer_format="none"), "t", LINE, document()).body
    assert set(body) == {"model", "messages", "max_tokens"}
    assert body["messages"] == [
        {"role": "system", "content": preamble()},
        {"role": "user", "content": render_prompt("pairs", document())},
    ]
    changed = settings(
        temperature=0.0, reasoning_effort="low", token_limit_key="max_completion_tokens", system_role=False
    )
    body = make_request(changed, "t", LINE, document(), room=77).body
    assert (body["temperature"], body["reasoning_effort"], body["max_completion_tokens"]) == (0.0, "low", 77)
    assert body["response_format"] == {"type": "json_object"} and "max_tokens" not in body
    (message,) = body["messages"]
    assert message["role"] == "user" and message["content"].startswith(preamble())
    assert message["content"].endswith(render_prompt("pairs", document()))


def test_the_key_is_the_body_s_whatever_the_order_of_its_keys(document):
    request = make_request(settings(), "t", LINE, document())
    assert request.key == request_key(dict(reversed(request.body.items()))) and len(request.key) == 64
    assert make_request(settings(), "other name", LINE, document()).key == request.key


@pytest.mark.parametrize(
    "change",
    [
        {"trouble": "JSON이 아닙니다", "attempt": 1},
        {"trouble": "JSON이 아닙니다", "attempt": 2},
        {"trouble": "빈 응답", "attempt": 1},
        {"room": 4000},
    ],
)
def test_asking_anew_is_another_request(document, change):
    before = make_request(settings(), "t", LINE, document())
    after = make_request(settings(), "t", LINE, document(), **change)
    assert after.key != before.key
    assert after.body["messages"][-1]["content"].startswith(before.body["messages"][-1]["content"])


def test_an_article_that_changed_is_another_request_and_the_rest_are_not(document):
    old, new = document(), document(text="공제는 6,000만원이다.")
    assert make_request(settings(), "t", LINE, old).key != make_request(settings(), "t", LINE, new).key
    assert make_request(settings(), "t", LINE, old).key == make_request(settings(), "t", LINE, document()).key


class Inner(StrictModel):
    """Shown to the model as the meaning of the object."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=9, pattern="^[가-힣]+$")]
    kind: Literal["a", "b"] = "a"


class Outer(StrictModel):
    inner: Inner
    many: Annotated[list[Inner], Field(min_length=1)]
    perhaps: int | None = None
    rated: Annotated[int, Field(ge=1, le=5)] = 3


def test_the_schema_is_one_that_strict_mode_takes():
    schema = strict_schema(Outer)
    assert schema["required"] == ["inner", "many", "perhaps", "rated"] and schema["additionalProperties"] is False
    assert schema["properties"]["many"] == {"type": "array", "items": {"$ref": "#/$defs/Inner"}, "minItems": 1}
    assert schema["properties"]["perhaps"] == {"anyOf": [{"type": "integer"}, {"type": "null"}]}
    assert schema["properties"]["rated"] == {"type": "integer", "minimum": 1, "maximum": 5}
    inner = schema["$defs"]["Inner"]
    assert inner["properties"]["name"] == {"type": "string", "pattern": "^[가-힣]+$"}
    assert inner["required"] == ["name", "kind"] and inner["properties"]["kind"]["enum"] == ["a", "b"]


def _objects(value):
    if isinstance(value, dict):
        yield value
        for one in value.values():
            yield from _objects(one)
    elif isinstance(value, list):
        for one in value:
            yield from _objects(one)


@pytest.mark.parametrize("task", list(TASKS.values()), ids=lambda task: task.name)
def test_every_task_can_be_asked_in_strict_mode(task):
    for one in _objects(strict_schema(task.answer)):
        assert not {"default", "title", "minLength", "maxLength", "oneOf", "allOf", "prefixItems"} & {
            name for name in one if not isinstance(one[name], dict) or "type" not in one[name]
        }
        if one.get("type") == "object":
            assert one["additionalProperties"] is False and one["required"] == list(one["properties"])


def test_free_keys_cannot_be_said_in_strict_mode():
    class Free(StrictModel):
        words: dict[str, str]

    with pytest.raises(DataGenError, match=r"Free\.words"):
        strict_schema(Free)


def completion(**changes) -> dict:
    message = {"role": "assistant", "content": '{"text": "가"}'}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return {"id": "r1", "model": "m-2026", "choices": [choice], "usage": {"prompt_tokens": 5}} | changes


def test_fields_that_an_endpoint_adds_are_not_minded_and_those_it_leaves_out_are_not_missed(document):
    request = make_request(settings(), "t", LINE, document())
    stored = read_completion(request, completion(service_tier="x", usage=None), Line)
    assert (stored.status, stored.model, stored.usage.input) == ("ok", "m-2026", 0)
    bare = {"choices": [{"message": {"content": '{"text": "가"}'}}]}
    stored = read_completion(request, json.dumps(bare).encode(), Line, via="batch")
    assert (stored.status, stored.model, stored.response_id, stored.via) == ("ok", "m", "", "batch")


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_reasoning_in_its_own_field_is_kept_apart(document, name):
    message = {"content": '<think>나중 생각</think>{"text": "가"}', name: "먼저 생각"}
    raw = completion(choices=[{"message": message, "finish_reason": "stop"}])
    stored = read_completion(make_request(settings(), "t", LINE, document()), raw, Line)
    assert (stored.status, stored.text, stored.reasoning) == ("ok", '{"text": "가"}', "먼저 생각\n\n나중 생각")


def test_content_in_parts_is_joined(document):
    parts = [{"type": "text", "text": '{"text": '}, {"type": "text", "text": '"가"}'}]
    raw = completion(choices=[{"message": {"content": parts}, "finish_reason": "stop"}])
    assert read_completion(make_request(settings(), "t", LINE, document()), raw, Line).status == "ok"


def test_a_tool_call_is_no_answer(document):
    raw = completion(choices=[{"message": {"content": None}, "finish_reason": "tool_calls"}])
    stored = read_completion(make_request(settings(), "t", LINE, document()), raw, Line)
    assert stored.status == "malformed" and "tool_calls" in stored.reason


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"<!DOCTYPE html><p>Bad gateway", "HTML"),
        (b'{"choices": [', "invalid JSON"),
        (b"", "invalid JSON"),
        (b"[]", "not a completion"),
        (b'{"error": {"message": "x"}}', "not a completion: choices"),
        (b'{"choices": [{"text": "old style"}]}', "not a completion: choices.0.message"),
    ],
)
def test_what_is_no_completion_says_what_it_is(document, payload, reason):
    with pytest.raises(Unreadable, match=reason):
        read_completion(make_request(settings(), "t", LINE, document()), payload, Line)
