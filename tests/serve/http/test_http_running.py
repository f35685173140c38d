"""Starting and stopping: a taken port is said to be taken, and a stop leaves no half-open answer and no open records."""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from serve.errors import ServeError
from serve.http.access import read_access
from serve.http.running import bind, run_app, serve_forever
from serve.settings import Student

DRIVER = Path(__file__).with_name("serving_driver.py")


@contextmanager
def driver(log: Path, port: int = 0) -> Iterator[subprocess.Popen]:
    process = subprocess.Popen(
        [sys.executable, str(DRIVER), str(port), str(log)],
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONUTF8": "1"},
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def address(process: subprocess.Popen) -> str:
    for line in process.stderr:
        if found := re.search(r"http://127\.0\.0\.1:\d+/", line):
            return found.group()
    raise AssertionError("the server ended before it said where it is")


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_stop_ends_the_answer_then_closes_the_engine(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with driver(log) as process:
        url = address(process)
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
        body = {"model": "student", "stream": True, "messages": [{"role": "user", "content": "질문"}]}
        connection.request("POST", "/v1/chat/completions", json.dumps(body), {"Content-Type": "application/json"})
        reply = connection.getresponse()
        assert reply.readline().startswith(b"data: ")
        process.send_signal(signal.SIGTERM)
        assert "서버가 멈추는 중" in reply.read().decode(), "the reader must learn why his answer ends here"
        said = process.stderr.read()
        assert process.wait(30) == 0, said
    assert log.read_text(encoding="utf-8").split("\n")[:2] == ["stream closed", "engine closed"]
    assert "Traceback" not in said and "페이지를 닫습니다" in said


def test_a_taken_port_is_said_to_be_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ServeError, match=f"127.0.0.1:{port}.*열 수 없습니다") as refusal:
            bind(read_access("127.0.0.1", port, environment={}))
        assert f"--port {port + 1}" in refusal.value.hint


def test_ctrl_c_closes_the_page(make_engine) -> None:
    import gradio as gr

    said: list[str] = []

    def say(text: str) -> None:
        said.append(text)
        if "/v1" in text:
            signal.raise_signal(signal.SIGINT)

    with gr.Blocks(analytics_enabled=False) as page:
        gr.Markdown("시험")
    before = signal.getsignal(signal.SIGTERM)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job begins with Ctrl-C ignored
    serve_forever(make_engine(), page, read_access("127.0.0.1", 0, environment={}), say=say)
    assert "페이지를 닫습니다" in said[-1] and signal.getsignal(signal.SIGTERM) is before
    url = re.search(r"http://127\.0\.0\.1:(\d+)/", said[1])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(url.group(1))), timeout=5)


def test_the_port_is_taken_before_the_model_is_loaded(demo_config, monkeypatch) -> None:
    """A busy port after a minute of loading would cost that minute."""
    monkeypatch.setattr("serve.engine.open_engine", lambda *_: pytest.fail("the model was loaded first"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        args = argparse.Namespace(host=None, port=taken.getsockname()[1], auth=None, no_browser=True)
        with pytest.raises(ServeError, match="열 수 없습니다"):
            run_app(demo_config(), Student(Path("s.gguf"), "s"), date(2025, 7, 1), args)


def test_run_app_reads_host_port_and_login_from_the_options(demo_config, monkeypatch) -> None:
    args = argparse.Namespace(host="0.0.0.0", port=0, auth=None, no_browser=True)
    with pytest.raises(ServeError, match="로그인 없이는"):
        run_app(demo_config(), Student(Path("s.gguf"), "s"), date(2025, 7, 1), args)
    monkeypatch.setenv("SLM_FOREST_AUTH", "user:no-such-file")
    with pytest.raises(ServeError, match="비밀번호 파일"):
        run_app(demo_config(), Student(Path("s.gguf"), "s"), date(2025, 7, 1), args)


def test_an_address_of_the_other_family() -> None:
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    try:
        listening = bind(read_access("::1", 0, environment={}))
    except ServeError:
        pytest.skip("IPv6 is switched off on this machine")
    with listening:
        assert listening.getsockname()[0] == "::1"
