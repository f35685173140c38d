"""Every failure of an endpoint is its own Korean state; thinking is no answer; a provider gets what it takes."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from serve.backends.openai_endpoint import OpenAIBackend, OpenAIOptions
from serve.backends.protocol import GenParams, Message
from serve.backends.providers import needs_key, provider_of, request_body
from serve.backends.thinking import Thinking
from serve.errors import Code, ServeError

KEY = "secret0123456789"  # of no known pattern: redaction must know the key itself
ASK = [Message("user", "세율은?")]


class Endpoint:
    """An OpenAI-compatible endpoint with one scripted reply."""

    def __init__(
        self,
        status: int = 200,
        body: dict | None = None,
        pieces: tuple[str, ...] = (),
        end: bool = True,
        headers: dict[str, str] | None = None,
        models: tuple[str, ...] = (),
    ) -> None:
        self.status, self.body, self.pieces, self.end = status, body, pieces, end
        self.headers, self.models = headers or {}, models
        self.requests: list[dict] = []
        self.release = threading.Event()  # a held reply waits for it
        self.hold = False
        self.broken = threading.Event()  # set when the client hung up

    @contextmanager
    def serving(self) -> Iterator[str]:
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                size = int(self.headers["Content-Length"])
                endpoint.requests.append(json.loads(self.rfile.read(size)) | {"key": self.headers["Authorization"]})
                try:
                    endpoint.reply(self)
                except OSError:
                    endpoint.broken.set()

            def do_GET(self) -> None:
                listed = [{"id": name, "object": "model", "created": 1, "owned_by": "us"} for name in endpoint.models]
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps({"object": "list", "data": listed}).encode())

            def log_message(self, *_args: object) -> None:
                """Quiet."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1"
        finally:
            self.release.set()
            server.shutdown()
            server.server_close()

    def reply(self, handler: BaseHTTPRequestHandler) -> None:
        if self.hold:
            self.release.wait(5)
        handler.send_response(self.status)
        handler.send_header("Content-Type", "application/json" if self.body is not None else "text/event-stream")
        for name, value in self.headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        if self.body is not None:
            handler.wfile.write(json.dumps(self.body).encode())
            return
        for piece in self.pieces:
            self._event(handler, [{"index": 0, "delta": {"content": piece}, "finish_reason": None}])
        if self.end:
            self._event(handler, [{"index": 0, "delta": {}, "finish_reason": "stop"}])
            self._event(handler, [], {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10})
            handler.wfile.write(b"data: [DONE]\n\n")

    def _event(self, handler: BaseHTTPRequestHandler, choices: list, usage: dict | None = None) -> None:
        chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices}
        handler.wfile.write(f"data: {json.dumps(chunk | {'usage': usage})}\n\n".encode())
        handler.wfile.flush()


def backend(url: str, timeout: float = 5.0) -> OpenAIBackend:
    return OpenAIBackend(OpenAIOptions("m", url, timeout), KEY)


def test_live_teacher_streams_text_and_usage() -> None:
    endpoint = Endpoint(pieces=("소득", "세법"))
    with endpoint.serving() as url:
        deltas = list(backend(url).stream(ASK, GenParams(50, None)))
    assert [delta.text for delta in deltas] == ["소득", "세법", ""]
    assert (deltas[-1].finish, deltas[-1].prompt_tokens, deltas[-1].new_tokens) == ("stop", 7, 3)
    request = endpoint.requests[0]
    assert request["key"] == f"Bearer {KEY}"
    assert request["max_tokens"] == 50 and not {"temperature", "top_p", "seed"} & set(request)
    assert request["stream_options"] == {"include_usage": True}


def _error(code: str, message: str = "no") -> dict:
    return {"error": {"message": message, "type": "invalid_request_error", "code": code, "param": None}}


@pytest.mark.parametrize(
    ("status", "body", "code", "said"),
    [
        (401, _error("invalid_api_key", f"Incorrect API key provided: {KEY}"), Code.AUTH, "API 키를 받아들이지"),
        (403, _error("forbidden"), Code.AUTH, "API 키를 받아들이지"),
        (429, _error("rate_limit_exceeded"), Code.RATE_LIMIT, "한도를 넘었습니다"),
        (400, _error("context_length_exceeded", "too many tokens"), Code.CONTEXT, "문맥 길이"),
        (400, _error("exceed_context_size_error"), Code.CONTEXT, "문맥 길이"),
        (400, _error("bad", f"odd request {KEY} sk-proj-abcdefgh"), Code.BAD_REPLY, "거절했습니다"),
        (404, _error("model_not_found"), Code.NO_MODEL, "모델 'm'"),
        (503, _error("overloaded"), Code.UNREACHABLE, "서버에 문제"),
    ],
)
def test_each_http_failure_has_its_own_state(status: int, body: dict, code: Code, said: str) -> None:
    with Endpoint(status, body).serving() as url, pytest.raises(ServeError) as caught:
        list(backend(url).stream(ASK, GenParams()))
    assert caught.value.code is code
    assert said in caught.value.message
    assert caught.value.side == "teacher" and caught.value.exit_code == 4
    assert KEY not in str(caught.value) and "sk-proj-abcdef" not in str(caught.value)


def test_timeout_is_not_unreachable() -> None:
    endpoint = Endpoint()
    endpoint.hold = True
    with endpoint.serving() as url, pytest.raises(ServeError) as caught:
        list(backend(url, timeout=0.05).stream(ASK, GenParams()))
    assert caught.value.code is Code.TIMEOUT


def test_unreachable_teacher() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(ServeError) as caught:
        list(backend(f"http://127.0.0.1:{port}/v1").stream(ASK, GenParams()))
    assert caught.value.code is Code.UNREACHABLE and "연결할 수 없습니다" in caught.value.message


def test_a_stream_cut_short_is_not_a_finished_answer() -> None:
    got = []
    with Endpoint(pieces=("반",), end=False).serving() as url, pytest.raises(ServeError) as caught:
        for delta in backend(url).stream(ASK, GenParams()):
            got.append(delta.text)
    assert got == ["반"]
    assert caught.value.code is Code.BAD_REPLY and "끊겼습니다" in caught.value.message


def test_closing_the_stream_hangs_up() -> None:
    endpoint = Endpoint(pieces=("가" * 20_000,) * 2_000)
    with endpoint.serving() as url:
        stream = backend(url).stream(ASK, GenParams())
        next(stream)
        stream.close()
        assert endpoint.broken.wait(5), "the endpoint went on writing to nobody"


def test_rate_limit_says_how_long_to_wait() -> None:
    endpoint = Endpoint(429, _error("rate_limit_exceeded"), headers={"Retry-After": "17"})
    with endpoint.serving() as url, pytest.raises(ServeError) as caught:
        list(backend(url).stream(ASK, GenParams()))
    assert "17초" in caught.value.hint
    assert len(endpoint.requests) == 1, "the client asked again behind the user's back"


def test_an_empty_account_is_not_a_matter_of_waiting() -> None:
    with Endpoint(429, _error("insufficient_quota")).serving() as url, pytest.raises(ServeError) as caught:
        list(backend(url).stream(ASK, GenParams()))
    assert caught.value.code is Code.RATE_LIMIT and "크레딧" in caught.value.message


def test_a_refused_temperature_names_the_setting() -> None:
    body = {"error": _error("unsupported_value")["error"] | {"param": "temperature"}}
    with Endpoint(400, body).serving() as url, pytest.raises(ServeError) as caught:
        list(backend(url).stream(ASK, GenParams()))
    assert "teacher.temperature를 null로" in caught.value.hint


def test_llama_server_tells_both_sizes() -> None:
    body = {
        "error": _error("x")["error"] | {"type": "exceed_context_size_error", "n_prompt_tokens": 3000, "n_ctx": 2048}
    }
    with Endpoint(400, body).serving() as url, pytest.raises(ServeError) as caught:
        list(backend(url).stream(ASK, GenParams()))
    assert caught.value.code is Code.CONTEXT and "3,000토큰, 한도 2,048토큰" in caught.value.message


def test_a_missing_key_is_said_before_anything_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ServeError) as caught:
        OpenAIBackend(OpenAIOptions("m", "https://api.upstage.ai/v1", key_name="UPSTAGE_API_KEY"), None)
    assert caught.value.code is Code.NO_KEY and "UPSTAGE_API_KEY" in caught.value.hint
    with pytest.raises(ServeError):
        OpenAIBackend(OpenAIOptions("gpt-4o"), None)


def test_a_server_on_this_machine_needs_no_key() -> None:
    endpoint = Endpoint(pieces=("가",))
    with endpoint.serving() as url:
        local = OpenAIBackend(OpenAIOptions("m", url), None)
        assert "".join(delta.text for delta in local.stream(ASK, GenParams())) == "가"
        assert local.info().device == "local"
    assert not needs_key("http://localhost:11434/v1") and needs_key("http://192.168.0.7/v1") and needs_key(None)


def test_failures_of_a_student_server_are_failures_of_the_student() -> None:
    with Endpoint(503, _error("loading")).serving() as url, pytest.raises(ServeError) as caught:
        list(OpenAIBackend(OpenAIOptions("m", url, side="student"), None).stream(ASK, GenParams()))
    assert "학생 서버" in caught.value.message and caught.value.exit_code == 3


def test_the_only_model_of_a_server_need_not_be_named() -> None:
    with Endpoint(models=("student",)).serving() as url:
        assert OpenAIBackend(OpenAIOptions("", url), None).info().name == "student"
    with Endpoint(models=("a", "b")).serving() as url, pytest.raises(ServeError) as caught:
        OpenAIBackend(OpenAIOptions("", url), None)
    assert caught.value.code is Code.NO_MODEL and "a, b" in caught.value.message and "#a" in caught.value.hint


def test_settings_of_an_answer_are_sent() -> None:
    endpoint = Endpoint(pieces=("가",))
    with endpoint.serving() as url:
        list(backend(url).stream(ASK, GenParams(9, 0.3, 0.9, 7)))
    request = endpoint.requests[0]
    assert [request[key] for key in ("max_tokens", "temperature", "top_p", "seed")] == [9, 0.3, 0.9, 7]


@pytest.mark.parametrize(
    ("url", "model", "limit", "sent"),
    [
        ("https://api.openai.com/v1", "gpt-4o", "max_completion_tokens", {"temperature", "top_p", "seed"}),
        ("https://api.openai.com/v1", "o3-mini", "max_completion_tokens", set()),
        ("https://api.openai.com/v1", "gpt-5-mini", "max_completion_tokens", set()),
        ("https://api.anthropic.com/v1/", "claude-x", "max_tokens", {"temperature", "top_p"}),
        ("http://127.0.0.1:8080/v1", "gpt-5-copy", "max_tokens", {"temperature", "top_p", "seed"}),
    ],
)
def test_each_provider_gets_only_what_it_takes(url: str, model: str, limit: str, sent: set) -> None:
    body = request_body(provider_of(url, model), model, ASK, GenParams(9, 0.0, 0.9, 7))
    assert set(body) - {"model", "messages"} == {limit} | sent


def test_a_server_without_a_system_role_reads_it_in_the_question() -> None:
    endpoint = Endpoint(pieces=("가",))
    with endpoint.serving() as url:
        options = OpenAIOptions("m", url, 5, "max_completion_tokens", False, "low")
        list(OpenAIBackend(options, None).stream([Message("system", "기준일"), *ASK], GenParams(5)))
    assert endpoint.requests[0]["messages"] == [{"role": "user", "content": "기준일\n\n세율은?"}]
    assert endpoint.requests[0]["max_completion_tokens"] == 5
    assert endpoint.requests[0]["reasoning_effort"] == "low"


def test_turn_markers_are_not_sent() -> None:
    endpoint = Endpoint(pieces=("가",))
    with endpoint.serving() as url:
        list(backend(url).stream([Message("user", "세율<end_of_turn><start_of_turn>model")], GenParams()))
    assert endpoint.requests[0]["messages"][0]["content"] == "세율model"


def test_thinking_is_not_the_answer() -> None:
    pieces = ("<thi", "nk>속으로 ", "생각</th", "ink>\n\n", "소득", "세법")
    with Endpoint(pieces=pieces).serving() as url:
        deltas = list(backend(url).stream(ASK, GenParams()))
    assert "".join(delta.text for delta in deltas) == "소득세법"
    assert [delta.tokens for delta in deltas[:-1]] == [0, 0, 0, 0, 1, 1], "time to first token would count thinking"


@pytest.mark.parametrize(
    ("pieces", "shown"),
    [
        (("<", "b>굵게"), "<b>굵게"),
        (("세율은 ", "<think>가</think>"), "세율은 <think>가</think>"),
        (("<thi",), "<thi"),
        (("<think>끝나지 않은",), ""),
        (("\n<think>가</think>나<think>",), "나<think>"),
    ],
)
def test_only_thinking_at_the_beginning_is_taken_out(pieces: tuple[str, ...], shown: str) -> None:
    thinking = Thinking()
    assert "".join(thinking.feed(piece) for piece in pieces) + thinking.rest() == shown
