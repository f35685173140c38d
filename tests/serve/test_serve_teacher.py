"""The right pane says which of its states it is in; each failure of a live teacher is its own Korean sentence."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from serve.backends.fake import FakeBackend
from serve.backends.openai_endpoint import OpenAIBackend, OpenAIOptions, find_key
from serve.backends.protocol import GenParams, Message
from serve.errors import Code, ServeError
from serve.teacher import RECORDED_LABEL, Teacher, load_recorded, open_teacher

KEY = "secret0123456789"  # of no known pattern: redaction must know the key itself
ASK = [Message("user", "세율은?")]


class Endpoint:
    """An OpenAI-compatible endpoint with one scripted reply."""

    def __init__(
        self, status: int = 200, body: dict | None = None, pieces: tuple[str, ...] = (), end: bool = True
    ) -> None:
        self.status, self.body, self.pieces, self.end = status, body, pieces, end
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
    assert request["max_tokens"] == 50 and "temperature" not in request
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


def test_key_comes_from_the_environment_before_env_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert find_key("OPENAI_API_KEY", tmp_path) is None
    (tmp_path / ".env").write_text("OPENAI_API_KEY=from-file\n", encoding="utf-8")
    assert find_key("OPENAI_API_KEY", tmp_path) == "from-file"
    monkeypatch.setenv("OPENAI_API_KEY", "from-shell")
    assert find_key("OPENAI_API_KEY", tmp_path) == "from-shell"


def _row(**values: str) -> str:
    row = {"question": "q", "answer": "a", "style": "plain", "document_id": "d", "model": "m", "note": ""}
    return json.dumps(row | values, ensure_ascii=False) + "\n"


def test_recording_is_found_by_the_exact_question_only(tmp_path: Path, demo_config) -> None:
    (tmp_path / "recorded_answers.jsonl").write_text(
        _row(question="세율은  얼마인가요?", answer="6퍼센트부터"), encoding="utf-8"
    )
    config = demo_config(teacher={"recorded_folder": str(tmp_path)}).teacher
    teacher = open_teacher(config, tmp_path)
    choice = teacher.choose(" 세율은 얼마인가요? ")
    assert (choice.kind, choice.label) == ("recorded", RECORDED_LABEL)
    stream = choice.backend.stream(teacher.messages("세율은 얼마인가요?", date(2025, 7, 1)), teacher.params)
    assert "".join(delta.text for delta in stream) == "6퍼센트부터"
    assert teacher.choose("세율은 얼마였나요?").kind == "no_key"


def test_no_key_says_how_to_set_one(keyless_teacher) -> None:
    choice = keyless_teacher({}).choose("세율은?")
    assert choice.kind == "no_key" and choice.backend is None
    assert "OPENAI_API_KEY" in choice.hint
    assert choice.refusal().exit_code == 4


def test_a_live_teacher_is_never_replaced_by_a_recording(demo_config, tmp_path: Path) -> None:
    (tmp_path / "recorded_answers.jsonl").write_text(_row(question="세율은?"), encoding="utf-8")
    teacher = Teacher(demo_config().teacher, FakeBackend(), load_recorded(tmp_path))
    assert teacher.choose("세율은?").kind == "live"


@pytest.mark.parametrize("number", ["900101-1234567", "9001011234567", "123-45-67890"])
def test_personal_numbers_never_leave_this_machine(demo_config, number: str) -> None:
    live = FakeBackend()
    choice = Teacher(demo_config().teacher, live, load_recorded(None)).choose(f"제 번호는 {number}인데 세금은?")
    assert choice.kind == "private" and choice.backend is None


def test_amounts_and_dates_are_not_personal_numbers(demo_config) -> None:
    teacher = Teacher(demo_config().teacher, FakeBackend(), load_recorded(None))
    assert teacher.choose("2025-07-01에 1,950,000,000원을 받았습니다").kind == "live"


@pytest.mark.parametrize("line", ["{", '["q"]', '{"question": "q"}', _row().replace('"style"', '"stile"')])
def test_broken_recordings_name_the_line(tmp_path: Path, line: str) -> None:
    (tmp_path / "recorded_answers.jsonl").write_text(_row() + line.strip() + "\n", encoding="utf-8")
    with pytest.raises(ServeError, match="2번째 줄") as caught:
        load_recorded(tmp_path)
    assert caught.value.code is Code.USAGE


def test_system_prompt_states_the_date_of_the_law(keyless_teacher) -> None:
    system, user = keyless_teacher({}).messages("세율은?", date(2024, 3, 1))
    assert "2024-03-01" in system.content and user == Message("user", "세율은?")
