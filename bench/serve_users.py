"""Many users at once: the same questions to our one-at-a-time model and to llama-server behind our endpoint backend."""

from __future__ import annotations

import itertools
import socket
import statistics
import subprocess
import threading
import time
import urllib.error
import urllib.request
from contextlib import closing, contextmanager
from pathlib import Path

from serve.backends.llama import performance_cores
from serve.backends.protocol import Backend, GenParams, Message
from serve.opening import OpenOptions, open_backend

USERS = (1, 4, 8)
EACH = 3  # questions of one user, one after another
_amounts = itertools.count(2)
RELATIONS = ("배우자", "아버지", "아들", "삼촌", "친구", "어머니", "딸", "고모")


@contextmanager
def llama_server(binary: Path, gguf: Path, slots: int, context: int, threads: int):
    """The address of a llama-server with ``slots`` places of ``context`` tokens; ended when the block ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(binary), "-m", str(gguf), "--host", "127.0.0.1", "--port", str(port), "-np", str(slots)]
    command += ["-c", str(slots * context), "-t", str(threads), "--jinja", "--no-webui"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(f"http://127.0.0.1:{port}/health", server)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.wait(20)


def _wait(address: str, server: subprocess.Popen) -> None:
    for _ in range(600):
        if server.poll() is not None:
            raise SystemExit(f"llama-server ended with {server.returncode}; run it by hand to see why")
        try:
            with urllib.request.urlopen(address, timeout=2) as reply:
                if reply.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise SystemExit("llama-server did not get ready within a minute")


def crowd(backend: Backend, users: int, tokens: int) -> dict:
    """``users`` people ask ``EACH`` questions each; all start together.  Tokens and seconds of all of them."""
    waits, total, gate = [], [], threading.Barrier(users + 1)

    def person(number: int) -> None:
        gate.wait()
        for turn in range(EACH):
            # Never the same question twice: llama-server keeps prompts it has read.
            text = f"{next(_amounts)}억원을 {RELATIONS[(number + turn) % len(RELATIONS)]}에게서 증여받으면 공제와 세율, 신고 기한과 근거 조문은 어떻게 되나요?"
            start, first, made = time.perf_counter(), None, 0
            for delta in backend.stream([Message("user", text)], GenParams(tokens)):
                if first is None and delta.tokens:
                    first = time.perf_counter() - start
                made += delta.tokens
            waits.append(first if first is not None else time.perf_counter() - start)
            total.append(made)

    people = [threading.Thread(target=person, args=(number,)) for number in range(users)]
    for thread in people:
        thread.start()
    gate.wait()
    start = time.perf_counter()
    for thread in people:
        thread.join()
    seconds = time.perf_counter() - start
    waits.sort()
    return {
        "users": users,
        "answers": len(total),
        "tokens": sum(total),
        "tokens_per_second": round(sum(total) / seconds, 1),
        "first_token_s_p50": round(statistics.median(waits), 2),
        "first_token_s_p95": round(waits[round(0.95 * (len(waits) - 1))], 2),
    }


def many_users(binary: Path, gguf: Path, options: OpenOptions, tokens: int) -> dict:
    threads = options.threads or performance_cores()
    with closing(open_backend(gguf, options)) as alone:
        crowd(alone, 1, tokens)
        ours = [crowd(alone, users, tokens) for users in USERS]
    with (
        llama_server(binary, gguf, max(USERS), options.context_tokens, threads) as address,
        closing(open_backend(address, options)) as served,
    ):
        crowd(served, 1, tokens)
        server = [crowd(served, users, tokens) for users in USERS]
    version = subprocess.run([str(binary), "--version"], capture_output=True, text=True, check=False)
    said = (version.stdout + version.stderr).strip().splitlines()
    return {"threads": threads, "one_at_a_time": ours, "llama_server": server, "version": said[0] if said else ""}
