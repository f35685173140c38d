"""``--server_base``: a running page answers, this process completes and verifies; what is said when no page is there."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from serve.__main__ import main

CALL = '{"tax":"gift","amount":"20억원","relation":"직계존속"}'
QUESTION = "부모님께 20억원을 증여받았는데 증여세는 얼마인가요?"
REPO = Path(__file__).resolve().parents[3]


class Page(BaseHTTPRequestHandler):
    """What a page of ours says at /healthz and /v1, with or without a key."""

    key: str | None = None
    health: dict
    status = 200
    requests: list[tuple[str, dict | None]]

    def do_GET(self) -> None:
        known = self.key is None or self.headers["Authorization"] == f"Bearer {self.key}"
        told = self.health if known else {"status": "ok", "ready": True}
        self.requests.append((self.path, None))
        self._send(200, "application/json", json.dumps(told).encode())

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.requests.append((self.path, body))
        if self.key and self.headers["Authorization"] != f"Bearer {self.key}":
            self._send(401, "application/json", b'{"error": {"message": "no"}}')
            return
        if self.status != 200:
            self._send(self.status, "application/json", b'{"error": {"message": "full", "code": "queue_full"}}')
            return
        half = len(CALL) // 2
        events = [{"delta": {"content": CALL[:half]}}, {"delta": {"content": CALL[half:]}}]
        events.append({"delta": {}, "finish_reason": "stop"})
        chunks = [
            {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [{"index": 0, **one}]}
            for one in events
        ]
        text = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"
        self._send(200, "text/event-stream", text.encode())

    def _send(self, status: int, kind: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing on the screen of the tests."""


@pytest.fixture
def page() -> Iterator[Callable[..., tuple[str, type[Page]]]]:
    """Start a page: ``page(key="k")`` gives its address and its handler, which keeps the requests."""
    servers = []

    def start(**changes) -> tuple[str, type[Page]]:
        facts = {"health": {"status": "ok", "student": "demo/student-Q8_0", "model_sha256": "ab"}, "requests": []}
        handler = type("OnePage", (Page,), facts | changes)
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}", handler

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def config(monkeypatch: pytest.MonkeyPatch) -> str:
    """The demo's settings without records and recordings, in a file."""
    monkeypatch.delenv("SLM_FOREST_API_KEY", raising=False)
    raw = yaml.safe_load((REPO / "configs/serve/demo.yaml").read_text(encoding="utf-8"))
    raw["records"]["path"] = None
    Path("serve.yaml").write_text(yaml.safe_dump(raw, allow_unicode=True), encoding="utf-8")
    return "serve.yaml"


def ask(config: str, url: str, *words: str) -> int:
    return main(["--server_base", url, "--config", config, "--as-of", "2025-07-01", "--question", QUESTION, *words])


@pytest.mark.parametrize("ending", ["", "/", "/v1", "/v1/"])
def test_the_pages_student_answers_and_code_here_completes(page, config, capsys, ending: str) -> None:
    url, seen = page()
    assert ask(config, url + ending, "--json") == 0
    given = json.loads(capsys.readouterr().out)["student"]
    assert given["answer"] == CALL and "6억 140만원" in given["computed_by_code"]
    assert given["verdict"]["ok"] is True and given["source"] == f"demo/student-Q8_0 @ {url[7:]}"
    path, body = seen.requests[-1]
    assert path == "/v1/chat/completions" and body["model"] == "student-raw" and body["temperature"] == 0
    assert body["messages"] == [{"role": "user", "content": QUESTION}]


def test_the_key_comes_from_the_environment(page, config, capsys, monkeypatch) -> None:
    url, _ = page(key="a-long-enough-key")
    assert ask(config, url) == 3
    said = capsys.readouterr()
    assert "SLM_FOREST_API_KEY" in said.err and said.out == ""
    monkeypatch.setenv("SLM_FOREST_API_KEY", "a-long-enough-key")
    assert ask(config, url) == 0
    assert "a-long-enough-key" not in "".join(capsys.readouterr())


def test_a_full_line_is_told_as_such(page, config, capsys) -> None:
    url, _ = page(status=429)
    assert ask(config, url) == 3
    assert "기다리는 질문이 많습니다" in capsys.readouterr().err


def test_nothing_runs_there(config, capsys) -> None:
    assert ask(config, "http://127.0.0.1:9") == 3
    said = capsys.readouterr().err
    assert "http://127.0.0.1:9 에서 실행 중인 화면을 찾지 못했습니다" in said and "python -m serve app" in said


def test_something_else_runs_there(page, config, capsys) -> None:
    url, _ = page(health={"status": "up"})
    assert ask(config, url) == 3
    assert "SLM Forest의 답이 아닙니다" in capsys.readouterr().err


@pytest.mark.parametrize("url", ["127.0.0.1:7860", "ftp://x", "http://", "http://user:secret@127.0.0.1:1"])
def test_what_is_no_address_exits_2(config, capsys, url: str) -> None:
    assert ask(config, url) == 2
    assert "--server_base" in capsys.readouterr().err
