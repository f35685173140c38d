"""Programs written for OpenAI keep working: shapes, streams, errors, parameters, earlier turns, computations by code."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from contextlib import closing

import gradio as gr
import openai
import pytest

from serve.errors import Code, ServeError

CALL = '{"tax":"gift","amount":"20억원","relation":"직계존속"}'


@pytest.fixture(scope="module")
def client(site):
    with openai.OpenAI(base_url=site.v1, api_key="none", max_retries=0) as client:
        yield client


def say(client, text: str, **more):
    return client.chat.completions.create(
        model=more.pop("model", "student"), messages=[{"role": "user", "content": text}], **more
    )


def test_a_whole_answer(client) -> None:
    reply = say(client, "세율은 얼마")
    assert reply.object == "chat.completion" and reply.model == "student" and reply.id.startswith("chatcmpl-")
    choice = reply.choices[0]
    assert choice.message.role == "assistant" and choice.message.content.strip() == "세율은 얼마"
    assert choice.finish_reason == "stop" and reply.system_fingerprint == "sha256-" + "ab" * 6
    assert reply.usage.completion_tokens == 2 and reply.usage.total_tokens == reply.usage.prompt_tokens + 2
    assert reply.slm_forest["as_of"] == "2025-07-01" and "verdict" in reply.slm_forest
    assert "제31조" in reply.slm_forest["notice"]
    assert reply.slm_forest["verification"]["badges"], "what was checked is told as on the page"


def test_a_stream_says_the_same_and_counts_when_asked(client) -> None:
    chunks = list(say(client, "세율은 얼마", stream=True, stream_options={"include_usage": True}))
    assert {chunk.object for chunk in chunks} == {"chat.completion.chunk"} and len({chunk.id for chunk in chunks}) == 1
    assert chunks[0].choices[0].delta.role == "assistant"
    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    assert text.strip() == "세율은 얼마" and len(chunks) >= 5
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].choices == [] and chunks[-1].usage.completion_tokens == 2
    assert all(chunk.usage is None for chunk in chunks[:-1])
    assert not [chunk for chunk in say(client, "또", stream=True) if chunk.usage or not chunk.choices]


def test_the_bytes_of_a_stream(site) -> None:
    """What clients that read the bytes themselves rely on: data lines, one JSON each, then [DONE]."""
    lines = post(site.v1, {"stream": True}).decode().split("\n\n")
    assert lines[-1] == "" and lines[-2] == "data: [DONE]"
    events = [json.loads(line.removeprefix("data: ")) for line in lines[:-2]]
    assert all(line.startswith("data: {") for line in lines[:-2])
    assert set(events[0]) == {"id", "object", "created", "model", "system_fingerprint", "choices"}
    assert events[0]["choices"][0] == {
        "index": 0,
        "delta": {"role": "assistant", "content": "", "refusal": None},
        "logprobs": None,
        "finish_reason": None,
    }
    assert "\\u" not in lines[1], "Hangul must be readable in the stream"


def test_a_call_is_finished_by_code_for_people_and_left_alone_for_programs(client, echo) -> None:
    for stream in (False, True):
        echo.enqueue(*CALL)
        text = _text(say(client, "아버지께 20억원을 증여받았습니다", stream=stream), stream)
        assert "코드가 계산한 결과" in text and "6억 140만원" in text and not text.startswith("{")
        echo.enqueue(*CALL)
        raw = _text(say(client, "아버지께 20억원을 증여받았습니다", model="student-raw", stream=stream), stream)
        assert raw == CALL


def test_a_working_is_sent_as_far_as_it_is_right_and_never_taken_back(client, echo, working) -> None:
    slip, right, plain = working
    try:
        echo.others = (right,)
        for stream in (False, True):
            echo.enqueue(*[slip[at : at + 3] for at in range(0, len(slip), 3)])
            assert _text(say(client, "외삼촌께 받으면?", stream=stream), stream) == plain
            echo.enqueue(*slip)
            assert _text(say(client, "외삼촌께 받으면?", model="student-raw", stream=stream), stream) == slip
            # What was sent before the first digits came may be written otherwise, too: then all of it comes again.
            other = slip.replace("과세표준: 8억", "과세표준: 7억")
            echo.enqueue(*other)
            said = _text(say(client, "외삼촌께 받으면?", stream=stream), stream)
            assert said.endswith(f"\n\n{plain}") and said.startswith("증여재산가액: 8억 1,000만원\n")
    finally:
        echo.others = ()


def test_a_working_under_a_call_is_sent_without_the_call(client, echo, working) -> None:
    slip, right, plain = working
    call = '{"tax":"gift","amount":"8억 1천만원","relation":"기타친족"}\n'
    try:
        echo.others = (call + right,)
        for stream in (False, True):
            echo.enqueue(call, *[slip[at : at + 3] for at in range(0, len(slip), 3)])
            question = "외삼촌께 8억 1천만원을 증여받았습니다. 증여세는?"
            assert _text(say(client, question, stream=stream), stream) == plain
            echo.enqueue(call, *slip)
            assert _text(say(client, question, model="student-raw", stream=stream), stream) == call + slip
    finally:
        echo.others = ()


def test_a_computation_read_from_the_question_is_appended_under_its_own_heading(client, echo) -> None:
    for stream in (False, True):
        echo.enqueue("증여세를 ", "냅니다.")
        text = _text(say(client, "아버지께 20억원을 증여받았습니다. 증여세는 얼마인가요?", stream=stream), stream)
        said, _, computed = text.partition("\n\n[")
        assert said == "증여세를 냅니다." and "코드가" in computed and "6억 140만원" in computed


def test_settings_reach_the_model(client, echo) -> None:
    say(client, "질문", max_tokens=7, temperature=0.5, top_p=0.9, seed=3)
    params = echo.asked[-1][1]
    assert (params.max_new_tokens, params.temperature, params.top_p, params.seed) == (7, 0.5, 0.9, 3)
    say(client, "다른 질문", max_completion_tokens=10_000)
    params = echo.asked[-1][1]
    assert params.max_new_tokens == 64, "a client must not raise the server's own limit"
    assert params.temperature == 0


def test_a_stop_string_ends_the_answer_even_across_pieces(client, echo) -> None:
    for stream in (False, True):
        echo.enqueue("하나 둘", "\n", "\n셋", " 넷")
        reply = say(client, "질문", stop=["없음", "\n\n"], stream=stream)
        assert _text(reply, stream) == "하나 둘"
    echo.enqueue("끝이 ", "둘로 나")
    assert _text(say(client, "질문", stop="나뉨"), False) == "끝이 둘로 나", "what was held back must come at the end"


def test_earlier_turns_are_shown_and_a_system_message_is_not(site, echo) -> None:
    turns = [
        {"role": "system", "content": "You are a helpful assistant"},
        {"role": "user", "content": "첫째"},
        {"role": "assistant", "content": "답", "refusal": None, "tool_calls": None},
        {"role": "user", "content": [{"type": "text", "text": "둘째"}]},
    ]
    with openai.OpenAI(base_url=site.v1, api_key="none") as client:
        reply = client.chat.completions.with_raw_response.create(model="student", messages=turns)
    assert reply.headers["x-ignored"] == "system"
    assert [(m.role, m.content) for m in echo.asked[-1][0]] == [("user", "첫째"), ("assistant", "답"), ("user", "둘째")]


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        ({"n": 2}, "n", "unsupported_parameter"),
        ({"tools": [{"type": "function"}]}, "tools", "unsupported_parameter"),
        ({"response_format": {"type": "json_object"}}, "response_format", "unsupported_parameter"),
        ({"temprature": 0.5}, "temprature", "unsupported_parameter"),
        ({"model": "gpt-4o"}, "model", "model_not_found"),
        ({"temperature": 9}, "temperature", "invalid_value"),
        ({"max_tokens": 0}, "max_tokens", "invalid_value"),
        ({"messages": []}, "messages", "invalid_value"),
        ({"messages": [{"role": "assistant", "content": "나"}]}, "messages", "invalid_value"),
        ({"messages": [{"role": "user", "content": "가"}] * 2}, "messages", "invalid_value"),
        ({"messages": [{"role": "tool", "content": "가"}]}, "messages.0.role", "invalid_value"),
        ({"as_of": "언젠가"}, "as_of", "invalid_value"),
    ],
)
def test_what_cannot_be_served_is_refused_by_name(site, body, param, code) -> None:
    with pytest.raises(urllib.error.HTTPError) as refusal:
        post(site.v1, body)
    assert refusal.value.code == 400
    error = json.load(refusal.value)["error"]
    assert (error["param"], error["code"], error["type"]) == (param, code, "invalid_request_error") and error["message"]


def test_defaults_that_clients_send_on_their_own_are_let_through(site) -> None:
    neutral = {"n": 1, "presence_penalty": 0, "logprobs": False, "tools": [], "user": "u", "seed": None, "store": False}
    assert json.loads(post(site.v1, neutral))["choices"]


def test_failures_have_openais_shape_before_and_inside_a_stream(client, echo) -> None:
    failure = ServeError(Code.CONTEXT, "질문이 너무 깁니다", "줄이세요")
    for stream in (False, True):
        echo.enqueue(failure)
        with pytest.raises(openai.BadRequestError, match="너무 깁니다") as refusal:
            say(client, "질문", stream=stream)
        assert refusal.value.code == "context_length_exceeded"
    echo.enqueue("시작", failure)
    with pytest.raises(openai.APIError, match="너무 깁니다"):
        list(say(client, "질문", stream=True))
    assert say(client, "아직 됩니다").choices, "a failed answer must give the model back"


def test_a_fault_of_ours_tells_nothing_of_itself(client, echo) -> None:
    echo.enqueue(ZeroDivisionError("비밀 /home/somebody"))
    with pytest.raises(openai.InternalServerError) as refusal:
        say(client, "질문")
    assert "비밀" not in str(refusal.value) and refusal.value.code == "internal_error"
    assert say(client, "아직 됩니다").choices


def test_models_are_listed(client) -> None:
    assert [model.id for model in client.models.list()] == ["student", "student-raw"]
    assert client.models.retrieve("student-raw").owned_by == "slm-forest"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-4o")


def test_figures_are_kept_of_what_programs_ask_and_no_words(make_engine, tmp_path) -> None:
    from serve.http.access import read_access
    from serve.http.running import open_site
    from serve.records.figures import figures_of
    from serve.records.store import open_records
    from serve.settings import RecordsConfig

    engine, file = make_engine(), tmp_path / "records.sqlite"
    engine.records = open_records(RecordsConfig(path=file, keep_days=90, cache_entries=0))
    with gr.Blocks() as page, closing(engine.records):
        gr.Markdown("시험")
        with open_site(engine, page, read_access("127.0.0.1", 0, environment={})) as site:
            post(site.url + "v1", {"messages": [{"role": "user", "content": "비밀스러운 질문"}]})
        figures = figures_of(file)
    assert (figures.counts.turns, figures.counts.answers, figures.counts.with_text) == (1, 1, 0)
    assert figures.latencies[0].side == "student"
    for kept in tmp_path.glob("records.sqlite*"):
        assert "비밀스러운".encode() not in kept.read_bytes()


def post(v1: str, body: dict, **headers: str) -> bytes:
    body = {"model": "student", "messages": [{"role": "user", "content": "세율은 얼마"}]} | body
    request = urllib.request.Request(
        v1 + "/chat/completions", json.dumps(body).encode(), {"Content-Type": "application/json", **headers}
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        return response.read()


def _text(reply, stream: bool) -> str:
    if stream:
        return "".join(choice.delta.content or "" for chunk in reply for choice in chunk.choices)
    return reply.choices[0].message.content


def test_a_source_the_model_names_is_finished_by_code_for_people_and_left_alone_for_programs(client, echo) -> None:
    for stream in (False, True):
        echo.enqueue("인용", ": 1번")
        text = _text(say(client, "세율은?", stream=stream), stream)
        assert text.startswith("[인용하지 못함]") and "보여 준 적이 없습니다" in text
        echo.enqueue("인용", ": 1번")
        assert _text(say(client, "세율은?", model="student-raw", stream=stream), stream) == "인용: 1번"
