"""One model, many clients: a bounded line with visible places, and whoever goes away gives his place or the model back."""

from __future__ import annotations

import http.client
import json
import threading
import urllib.request
from urllib.parse import urlsplit

import openai
import pytest

LONG = "기다려 주세요"


@pytest.fixture
def busy(serve_it, echo_student):
    """A server with room for two to wait, its student, and the request that holds the model until it is released."""
    student = echo_student()
    server = serve_it(student=student, max_waiting=2)
    holder = open_request(server.url, LONG)
    reply = holder.getresponse()
    assert reply.status == 200 and reply.headers["x-queue-position"] == "0"
    assert student.waiting.wait(10)
    yield server, student, holder, reply
    student.released.set()
    holder.close()


def open_request(url: str, text: str, stream: bool = True) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    body = {"model": "student", "stream": stream, "messages": [{"role": "user", "content": text}]}
    connection.request("POST", "/v1/chat/completions", json.dumps(body), {"Content-Type": "application/json"})
    return connection


def health(url: str) -> dict:
    with urllib.request.urlopen(url + "healthz", timeout=10) as response:
        return json.load(response)


def test_the_line_is_bounded_and_places_are_told(busy) -> None:
    server, student, _, reply = busy
    waiting = [open_request(server.url, f"질문 {number}") for number in (1, 2)]
    replies = [connection.getresponse() for connection in waiting]
    assert [one.headers["x-queue-position"] for one in replies] == ["1", "2"]
    assert b"queue position 2" in replies[1].readline()
    assert health(server.url) | {"waiting": 2, "answering": 1, "max_waiting": 2} == health(server.url)

    refused = open_request(server.url, "셋째").getresponse()
    error = json.load(refused)["error"]
    assert refused.status == 429 and int(refused.headers["retry-after"]) > 0
    assert (error["code"], error["type"]) == ("queue_full", "rate_limit_error")
    with (
        openai.OpenAI(base_url=server.v1, api_key="none", max_retries=0) as client,
        pytest.raises(openai.RateLimitError),
    ):
        client.chat.completions.create(model="student", messages=[{"role": "user", "content": "넷째"}])

    student.released.set()
    assert b"[DONE]" in reply.read()
    assert ["질문 1" in _said(replies[0].read()), "질문 2" in _said(replies[1].read())] == [True, True]
    assert [messages[-1].content for messages, _ in student.asked] == [LONG, "질문 1", "질문 2"], (
        "first come, first served"
    )
    assert health(server.url)["waiting"] == 0


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_goes_away_frees_the_model(serve_it, echo_student, stream: bool) -> None:
    student = echo_student()
    server = serve_it(student=student)
    connection = open_request(server.url, LONG, stream)
    if stream:
        connection.getresponse().readline()
    assert student.waiting.wait(10)
    connection.close()
    assert student.left.wait(5), "the model went on for nobody"
    after = open_request(server.url, "다음 질문", stream=False).getresponse()
    assert json.load(after)["choices"][0]["message"]["content"].strip() == "다음 질문"


@pytest.mark.parametrize("stream", [True, False])
def test_who_waits_and_goes_away_gives_his_place_up(busy, stream: bool) -> None:
    server, student, _, reply = busy
    leaving = open_request(server.url, "떠날 사람", stream)
    if stream:
        leaving.getresponse().readline()
    else:
        _until(lambda: health(server.url)["waiting"] == 1)
    leaving.close()
    _until(lambda: health(server.url)["waiting"] == 0)
    student.released.set()
    reply.read()
    assert [messages[-1].content for messages, _ in student.asked] == [LONG], "the model answered somebody who had left"


@pytest.mark.parametrize("stream", [True, False])
def test_who_waits_behind_the_page_and_goes_away_gives_his_place_up(serve_it, echo_student, stream: bool) -> None:
    student = echo_student()
    server = serve_it(student=student)
    page = student.turnstile.enter()  # an answer of the page, which stands in no line of /v1
    leaving = open_request(server.url, "떠날 사람", stream)
    _until(lambda: health(server.url)["answering"] == 1 and student.asked)
    leaving.close()
    _until(lambda: health(server.url)["answering"] == 0)
    student.turnstile.leave(page)
    after = open_request(server.url, "다음 질문", stream=False).getresponse()
    assert json.load(after)["choices"][0]["message"]["content"].strip() == "다음 질문"


def _said(stream: bytes) -> str:
    events = [line[6:] for line in stream.decode().splitlines() if line.startswith("data: {")]
    return "".join(choice["delta"].get("content", "") for event in events for choice in json.loads(event)["choices"])


def _until(condition) -> None:
    """Ask until it is so; the server answers at its own speed, and the test fails only after ten seconds."""
    over = threading.Event()
    for _ in range(200):
        if condition():
            return
        over.wait(0.05)
    raise AssertionError("it never came to that")
