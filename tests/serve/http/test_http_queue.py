"""One model, many clients: a bounded line with visible places, and whoever goes away gives his place or the model back."""

from __future__ import annotations

import http.client
import json
import threading
import urllib.error
import urllib.request
from urllib.parse import urlsplit

import openai
import pytest

LONG = "기다려 주세요"


@pytest.fixture
def busy(serve_it, echo):
    """A server whose model is held by a long answer until ``echo.released`` is set; two may wait."""
    from tests_http_echo import fresh_echo

    student = fresh_echo(echo)
    return serve_it(student=student, max_waiting=2), student


def open_request(url: str, text: str, stream: bool = True) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    body = {"model": "student", "stream": stream, "messages": [{"role": "user", "content": text}]}
    connection.request("POST", "/v1/chat/completions", json.dumps(body), {"Content-Type": "application/json"})
    return connection


def health(url: str) -> dict:
    with urllib.request.urlopen(url + "healthz", timeout=10) as response:
        return json.load(response)
