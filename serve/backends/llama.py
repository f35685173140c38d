"""The student: a quantised GGUF through llama-cpp-python, one stream at a time.

Refuses a GGUF without its own chat template, because llama-cpp-python would silently fall back to Llama 2's format.
"""

from __future__ import annotations

import codecs
import ctypes
import os
import platform
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from serve.backends.protocol import BackendInfo, Delta, GenParams, Message
from serve.backends.turnstile import Superseded, Turnstile
from serve.errors import Code, ServeError
from serve.prompt import render_prompt


@dataclass(frozen=True)
class LlamaOptions:
    """``context_tokens`` in tokens; ``threads`` and ``gpu_layers`` None = decided by this machine."""

    context_tokens: int = 2048
    threads: int | None = None
    gpu_layers: int | None = None
    queue_seconds: float = 120.0


class LlamaCppBackend:
    """One loaded GGUF.  ``stream`` may be called from several threads; the turns are taken inside the generator."""

    def __init__(self, path: Path, options: LlamaOptions) -> None:
        """Load ``path``.  Raises ServeError NO_MODEL, BAD_MODEL or NO_TEMPLATE."""
        if not path.is_file():
            raise ServeError(
                Code.NO_MODEL,
                f"학생 모델 파일이 없습니다: {path}",
                "'make demo'로 학생을 만들거나 --model_path에 GGUF 파일을 주세요.",
            )
        self._path = path
        self._threads = options.threads or performance_cores()
        self._gpu_layers = default_gpu_layers() if options.gpu_layers is None else options.gpu_layers
        self._turnstile = Turnstile(wait_seconds=options.queue_seconds)
        self._llama = self._load(options.context_tokens)
        metadata = self._llama.metadata
        self._template = metadata.get("tokenizer.chat_template", "")
        if not self._template:
            self._llama.close()
            raise ServeError(
                Code.NO_TEMPLATE,
                f"GGUF에 대화 틀(tokenizer.chat_template)이 없습니다: {path}",
                "틀 없이는 학습 때와 다른 형식으로 묻게 되므로 쓰지 않습니다. "
                "'python -m finetune run'이 만든 student-*.gguf를 쓰세요.",
            )
        self._control = self._control_tokens()
        self._stop_ids = self._end_tokens(metadata)

    def stream(self, messages: Sequence[Message], params: GenParams) -> Iterator[Delta]:
        """Yield text as it is generated; greedy when ``temperature`` is 0.  Raises ServeError CONTEXT, BUSY, BAD_MODEL."""
        prompt = self._tokens(messages)
        room = self._llama.n_ctx() - len(prompt)
        if room < 1:
            raise ServeError(
                Code.CONTEXT,
                f"질문이 너무 깁니다: {len(prompt):,}토큰 (한도 {self._llama.n_ctx():,}토큰).",
                "질문을 줄이거나 설정의 context_tokens를 늘리세요.",
            )
        ticket = self._turnstile.enter()
        tokens: Iterator[int] | None = None
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        finish, made = "length", 0
        try:
            while made < min(params.max_new_tokens, room):
                with self._turnstile.step(ticket):
                    if tokens is None:
                        # A fresh cache costs milliseconds for one question and keeps greedy answers identical.
                        self._llama.reset()
                        tokens = self._llama.generate(prompt, temp=params.temperature or 0.0, repeat_penalty=1.0)
                    token = next(tokens)
                if token in self._stop_ids:
                    finish = "stop"
                    break
                made += 1
                yield Delta(decoder.decode(self._piece(token)), tokens=1)
            yield Delta(decoder.decode(b"", final=True), finish=finish, prompt_tokens=len(prompt), new_tokens=made)
        except Superseded:
            yield Delta(finish="superseded", prompt_tokens=len(prompt), new_tokens=made)
        except RuntimeError as exc:
            raise ServeError(
                Code.BAD_MODEL,
                f"llama.cpp가 답을 쓰지 못했습니다: {exc}",
                "메모리와 context_tokens를 확인하고 다시 시작하세요.",
            ) from exc
        finally:
            if tokens is not None:
                tokens.close()
            self._turnstile.leave(ticket)

    def count_tokens(self, messages: Sequence[Message]) -> int:
        return len(self._tokens(messages))

    def info(self) -> BackendInfo:
        where = "GPU" if self._gpu_layers else f"CPU {self._threads}스레드"
        return BackendInfo(self._path.stem, f"llama.cpp, {where}", self._llama.n_ctx())

    def close(self) -> None:
        self._llama.close()

    def _load(self, context_tokens: int):
        from llama_cpp import Llama

        try:
            return Llama(
                str(self._path),
                n_ctx=context_tokens,
                n_threads=self._threads,
                n_threads_batch=self._threads,
                n_gpu_layers=self._gpu_layers,
                swa_full=False,  # only a kept prefix would need the full cache, and none is kept
                logits_all=False,
                verbose=False,
            )
        except (ValueError, RuntimeError, OSError) as exc:
            raise ServeError(
                Code.BAD_MODEL,
                f"GGUF를 읽을 수 없습니다: {self._path} ({exc})",
                "파일이 끝까지 만들어졌는지 확인하고, 아니면 'make demo'로 다시 만드세요.",
            ) from exc

    def _tokens(self, messages: Sequence[Message]) -> list[int]:
        prompt = render_prompt(
            self._template,
            messages,
            bos_token=self._text_of(self._llama.token_bos()),
            eos_token=self._text_of(self._llama.token_eos()),
            control_tokens=self._control,
        )
        # The template writes <bos> itself, so none is added.
        return self._llama.tokenize(prompt.encode("utf-8"), add_bos=False, special=True)

    def _text_of(self, token: int) -> str:
        return self._piece(token, special=True).decode("utf-8", "replace") if token >= 0 else ""

    def _piece(self, token: int, special: bool = False) -> bytes:
        """Bytes of one token.  The library's own helper cuts pieces at 32 bytes, and joins all tokens at every step."""
        import llama_cpp

        vocab = self._llama._model.vocab
        size = 64
        while True:
            buffer = ctypes.create_string_buffer(size)
            length = llama_cpp.llama_token_to_piece(vocab, token, buffer, size, 0, special)
            if length >= 0:
                return buffer.raw[:length]
            size = -length

    def _control_tokens(self) -> frozenset[str]:
        import llama_cpp

        vocab = self._llama._model.vocab
        control = (token for token in range(self._llama.n_vocab()) if llama_cpp.llama_vocab_is_control(vocab, token))
        return frozenset(self._text_of(token) for token in control)

    def _end_tokens(self, metadata: dict[str, str]) -> frozenset[int]:
        ends = {
            int(metadata[key])
            for key in ("tokenizer.ggml.eot_token_id", "tokenizer.ggml.eos_token_id")
            if key in metadata
        }
        turn_end = self._llama.tokenize(b"<end_of_turn>", add_bos=False, special=True)
        if len(turn_end) == 1:
            ends.add(turn_end[0])
        if not ends:
            raise ServeError(
                Code.BAD_MODEL,
                f"GGUF에 답의 끝을 알리는 토큰(tokenizer.ggml.eot_token_id)이 없습니다: {self._path}",
                "'python -m finetune run'이 만든 student-*.gguf를 쓰세요.",
            )
        return frozenset(ends)


def on_apple_silicon() -> bool:
    return platform.system() == "Darwin" and platform.machine() == "arm64"


def default_gpu_layers() -> int:
    """All layers on Metal, none elsewhere (-1 is llama.cpp's word for all)."""
    return -1 if on_apple_silicon() else 0


def performance_cores() -> int:
    """Physical cores fit for decoding: the fast ones on Apple silicon, no hyper-thread twins on Linux, at least 1."""
    if on_apple_silicon():
        answer = subprocess.run(
            ["sysctl", "-n", "hw.perflevel0.physicalcpu"], capture_output=True, text=True, check=False
        )
        if answer.returncode == 0 and answer.stdout.strip().isdigit():
            return max(1, int(answer.stdout))
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        pairs, socket = set(), "0"
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "physical id":
                socket = value.strip()
            elif name.strip() == "core id":
                pairs.add((socket, value.strip()))
        if pairs:
            return max(1, min(usable, len(pairs)))
    return max(1, usable)
