"""A teacher that is not one: an OpenAI-compatible endpoint that misbehaves as its script says, the same way every time.

    python tests/data_gen/fake_endpoint.py --port 0 --script '{"latency_ms": 200, "shares": {"throttle": 0.1}}' --log asked.jsonl

prints `listening on http://127.0.0.1:PORT/v1` and serves until killed.  In a test: ``with serving(Script(...)) as endpoint``
(a thread with its own event loop), then ``endpoint.url``, ``endpoint.log`` (one dict per answered request), ``endpoint.asked``
(the bodies).  /chat/completions here, /files and /batches in fake_batches.py.  What is done to a request depends on the
seed, its body and how often that body has come before, never on timing.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import importlib.util
import json
import math
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path

# What can be done to a request.  The first group sends no completion at all; the others answer one, good or not.
NO_COMPLETION = ("throttle", "error", "drop", "hang", "trickle", "bad_json", "html", "other_shape", "cut_body")
COMPLETION = ("ok", "think", "truncate", "refuse", "empty", "malformed", "filter", "no_choices", "fenced")
KINDS = (*NO_COMPLETION, *COMPLETION)


@dataclass
class Script:
    """How the endpoint behaves.  Everything that is left out is well-behaved and immediate."""

    seed: int = 0
    latency_ms: float = 0.0
    """Median time to an answer."""
    sigma: float = 0.0
    """Spread of the latency: sigma of a log-normal; 0: always the same."""
    shares: dict[str, float] = field(default_factory=dict)
    """Kind -> share of requests; the rest are ok."""
    sequence: list[str] = field(default_factory=list)
    """Kinds for the first requests in the order they come, before the shares apply.  "status 503" gives any HTTP status."""
    times: int = 0
    """A body is mistreated at most so often (0: no bound), so that a client that asks again gets through."""
    retry_after: str = ""
    """Value of Retry-After with each throttle; "" sends none."""
    retry_after_ms: str = ""
    error_code: str = ""
    """``error.code`` of error bodies, such as insufficient_quota."""
    headers: dict[str, str] = field(default_factory=dict)
    """Sent with every answer, such as x-ratelimit-remaining-requests."""
    capacity: int = 0
    """Above so many in flight the rest are throttled; 0: no bound."""
    content: str = ""
    """The answer; empty: the smallest object that fits the JSON schema of the request, else a small object."""
    replies: list[list[str]] = field(default_factory=list)
    """[[part of the request's text, answer], …]; the first that fits goes before ``content``."""
    model: str = "fake-1"
    key: str = ""
    """Bearer value that is asked for; another one gets 401."""
    hang_s: float = 600.0
    batch_polls: int = 1
    """How often a batch is looked at before it is over."""
    batch_end: str = "completed"
    """How batches end: completed, failed, expired, cancelled."""


class Endpoint:
    """The running endpoint.  ``answer`` may replace the content: a function of the request body."""

    def __init__(self, script: Script, log: Path | None = None, answer: Callable[[dict], str] | None = None) -> None:
        self.script, self.answer = script, answer
        self.asked: list[dict] = []
        """Bodies of /chat/completions in order, kept only when there is no log file (a bench would grow)."""
        self.log: list[dict] = []
        self.requests = 0
        self.in_flight = self.most_in_flight = 0
        self.connections = 0
        self.port = 0
        self._seen: Counter[str] = Counter()
        self._served = 0
        self._file = log.open("a", encoding="utf-8", buffering=1) if log else None
        self.batches = _fake_batches().Batches(self)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def start(self, port: int = 0) -> asyncio.Server:
        server = await asyncio.get_running_loop().create_server(
            lambda: _Connection(self), "127.0.0.1", port, backlog=2048
        )
        self.port = server.sockets[0].getsockname()[1]
        return server

    def digest(self, body: dict) -> str:
        return body_hash(body)

    def completes(self, kind: str) -> bool:
        return kind in COMPLETION

    def fate(self, digest: str) -> str:
        """The kind for the next request with this body."""
        script, number = self.script, self.requests
        self.requests += 1
        times = self._seen[digest]
        self._seen[digest] += 1
        if number < len(script.sequence):
            return script.sequence[number]
        if script.times and times >= script.times:
            return "ok"
        roll = self._random(digest, times, "fate")
        for kind, share in script.shares.items():
            roll -= share
            if roll < 0:
                return kind
        return "ok"

    def latency(self, digest: str) -> float:
        """Seconds."""
        if not self.script.sigma:
            return self.script.latency_ms / 1000
        roll = random.Random(f"{self.script.seed}:{digest}:{self._seen[digest]}:latency")
        return self.script.latency_ms / 1000 * math.exp(roll.gauss(0, self.script.sigma))

    def _random(self, digest: str, times: int, what: str) -> float:
        text = f"{self.script.seed}:{digest}:{times}:{what}".encode()
        return int.from_bytes(hashlib.sha256(text).digest()[:8], "big") / 2**64

    def record(self, kind: str, digest: str, response_id: str, idempotency: str, via: str = "live") -> None:
        """Written before the answer leaves, so that a client killed on receiving it hides nothing."""
        self._served += 1
        row = {"n": self._served, "kind": kind, "hash": digest, "id": response_id, "key": idempotency, "via": via}
        if self._file:
            self._file.write(json.dumps(row, ensure_ascii=False) + "\n")
        else:
            self.log.append(row)

    def completion(self, body: dict, kind: str, digest: str) -> dict:
        """The completion object of one of COMPLETION."""
        content = self._content(body)
        finish, refusal = "stop", None
        thought = 0
        if kind == "think":
            content, thought = f"<think>먼저 조문을 살핀다. {{중괄호}}도 적는다.</think>\n{content}", 20
        elif kind == "fenced":
            content = f"```json\n{content}\n```"
        elif kind == "truncate":
            content, finish = content[: len(content) // 2], "length"
        elif kind == "refuse":
            content, refusal = None, "그 요청은 도와드릴 수 없습니다."
        elif kind == "empty":
            content = "  "
        elif kind == "malformed":
            content = "물론입니다! 다음은 질문과 답변입니다."
        elif kind == "filter":
            content, finish = None, "content_filter"
        message = {"role": "assistant", "content": content, "refusal": refusal}
        given, said = len(json.dumps(body["messages"], ensure_ascii=False)) // 2, len(content or "") // 2 + thought + 1
        choices = [] if kind == "no_choices" else [{"index": 0, "message": message, "finish_reason": finish}]
        return {
            "id": f"chatcmpl-{digest[:12]}-{self._seen[digest]}-{self._served + 1}",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": self.script.model,
            "choices": choices,
            "usage": {
                "prompt_tokens": given,
                "completion_tokens": said,
                "total_tokens": given + said,
                "prompt_tokens_details": {"cached_tokens": given // 4},
                "completion_tokens_details": {"reasoning_tokens": thought},
            },
        }

    def _content(self, body: dict) -> str:
        if self.answer:
            return self.answer(body)
        if self.script.replies:
            text = json.dumps(body["messages"], ensure_ascii=False)
            for part, reply in self.script.replies:
                if part in text:
                    return reply
        if self.script.content:
            return self.script.content
        schema = body.get("response_format", {}).get("json_schema", {}).get("schema")
        return json.dumps(_smallest(schema, schema) if schema else {"text": "가"}, ensure_ascii=False)


class _Connection(asyncio.Protocol):
    """HTTP/1.1 by hand, kept alive, one request after another: a framework would be slower than what it is to measure."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint, self._buffer, self._task = endpoint, bytearray(), None
        endpoint.connections += 1

    def connection_made(self, transport) -> None:
        self._transport = transport

    def connection_lost(self, _exc) -> None:
        if self._task:
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (head_end := self._buffer.find(b"\r\n\r\n")) >= 0:
            lines = bytes(self._buffer[:head_end]).decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
            end = head_end + 4 + int(headers.get("content-length", 0))
            if len(self._buffer) < end:
                return
            method, path, _ = lines[0].split(" ", 2)
            payload = bytes(self._buffer[head_end + 4 : end])
            del self._buffer[:end]
            self._task = asyncio.get_running_loop().create_task(self._serve(method, path, headers, payload))

    async def _serve(self, method: str, path: str, headers: dict, payload: bytes) -> None:
        endpoint = self._endpoint
        if endpoint.script.key and headers.get("authorization") != f"Bearer {endpoint.script.key}":
            return self._error(401, "invalid_api_key")
        if path != "/v1/chat/completions":
            status, kind, data = endpoint.batches.serve(method, path.removeprefix("/v1"), headers, payload)
            return self._send(status, data, kind)
        body = json.loads(payload)
        digest = body_hash(body)
        kind = endpoint.fate(digest)
        pause = endpoint.latency(digest)
        full = endpoint.script.capacity and endpoint.in_flight >= endpoint.script.capacity
        if not endpoint._file:
            endpoint.asked.append(body)
        endpoint.in_flight += 1
        endpoint.most_in_flight = max(endpoint.most_in_flight, endpoint.in_flight)
        try:
            if full:
                kind = "throttle"
            elif pause:
                await asyncio.sleep(pause)
            await self._answer(kind, body, digest, headers.get("idempotency-key", ""))
        finally:
            endpoint.in_flight -= 1

    async def _answer(self, kind: str, body: dict, digest: str, idempotency: str) -> None:
        endpoint = self._endpoint
        if endpoint.completes(kind):
            completion = endpoint.completion(body, kind, digest)
            endpoint.record(kind, digest, completion["id"], idempotency)
            return self._send(200, json.dumps(completion, ensure_ascii=False).encode())
        endpoint.record(kind, digest, "", idempotency)
        if kind == "throttle":
            return self._error(429, endpoint.script.error_code or "rate_limit_exceeded", throttled=True)
        if kind == "error":
            return self._error(500, endpoint.script.error_code or "server_error")
        if kind.startswith("status "):
            return self._error(int(kind.split()[1]), endpoint.script.error_code)
        if kind == "drop":
            return self._transport.abort()
        if kind == "hang":
            await asyncio.sleep(endpoint.script.hang_s)
            return self._transport.abort()
        if kind == "trickle":
            self._transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"
            )
            while not self._transport.is_closing():
                self._transport.write(b" ")
                await asyncio.sleep(0.02)
            return None
        if kind == "bad_json":
            return self._send(200, b'{"id": "x", "choices": [{"mess')
        if kind == "html":
            return self._send(200, "<html><body>점검 중입니다</body></html>".encode(), "text/html; charset=utf-8")
        if kind == "other_shape":
            return self._send(200, json.dumps({"error": {"message": "upstream"}}).encode())
        if kind == "cut_body":
            head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n"
            self._transport.write(head + b'{"id": "half')
            return self._transport.close()
        raise ValueError(f"no such kind: {kind!r}; known: {', '.join(KINDS)}")

    def _error(self, status: int, code: str, throttled: bool = False) -> None:
        script, headers = self._endpoint.script, {}
        if throttled or status in (503, 529):
            headers = {"Retry-After": script.retry_after, "retry-after-ms": script.retry_after_ms}
        data = json.dumps({"error": {"message": f"scripted {status}", "type": "x", "code": code}}).encode()
        self._send(status, data, headers={name: value for name, value in headers.items() if value})

    def _send(self, status: int, data: bytes, kind: str = "application/json", headers: dict | None = None) -> None:
        if self._transport.is_closing():
            return
        extra = "".join(
            f"{name}: {value}\r\n" for name, value in ({**self._endpoint.script.headers, **(headers or {})}).items()
        )
        head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(data)}\r\n{extra}\r\n"
        self._transport.write(head.encode() + data)


def body_hash(body: dict) -> str:
    """SHA-256 of the canonical JSON: what a request's key must be."""
    text = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _smallest(schema: dict, root: dict) -> object:
    """A small value that fits a JSON schema of the strict kind."""
    if "$ref" in schema:
        return _smallest(root["$defs"][schema["$ref"].rsplit("/", 1)[1]], root)
    if "anyOf" in schema:
        return _smallest(schema["anyOf"][0], root)
    if "enum" in schema or "const" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    kind = schema.get("type")
    if kind == "object":
        return {name: _smallest(value, root) for name, value in schema.get("properties", {}).items()}
    if kind == "array":
        return [_smallest(schema["items"], root) for _ in range(max(1, schema.get("minItems", 1)))]
    if kind in ("integer", "number"):
        return schema.get("minimum", 1)
    return {"boolean": True, "null": None}.get(kind, "상속세 및 증여세법 제53조에 따라 10년 동안 5,000만원을 뺍니다.")


def _fake_batches():
    """The sibling module, found by its path: under pytest's importlib mode and as a script alike."""
    path = Path(__file__).with_name("fake_batches.py")
    spec = importlib.util.spec_from_file_location("fake_batches", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextlib.contextmanager
def serving(script: Script | None = None, answer: Callable[[dict], str] | None = None) -> Iterator[Endpoint]:
    """The endpoint in a thread of this process; everything it holds is gone at the end."""
    endpoint, ready = Endpoint(script or Script(), answer=answer), threading.Event()
    loop = asyncio.new_event_loop()

    async def serve(stop: asyncio.Event) -> None:
        server = await endpoint.start()
        ready.set()
        await stop.wait()
        server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    stop = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(serve(stop)), daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield endpoint
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()


def script_from(text: str) -> Script:
    """From JSON, or from a file that holds it.  An unknown key is an error."""
    raw = json.loads(text if text.lstrip().startswith("{") else Path(text).read_text(encoding="utf-8"))
    known = {one.name for one in fields(Script)}
    if unknown := set(raw) - known:
        raise SystemExit(f"unknown in the script: {', '.join(sorted(unknown))}; known: {', '.join(sorted(known))}")
    return Script(**raw)


async def _main(arguments: argparse.Namespace) -> None:
    endpoint = Endpoint(script_from(arguments.script), log=arguments.log)
    server = await endpoint.start(arguments.port)
    print(f"listening on {endpoint.url}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--script", default="{}", help="JSON, or a file that holds it")
    parser.add_argument("--log", type=Path, help="JSONL, one line for each answered request")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_main(parser.parse_args()))
