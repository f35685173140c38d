"""A quantised GGUF through llama.cpp, one stream at a time.

Refuses a GGUF without a chat template: llama-cpp-python would silently fall back to Llama 2's format.
"""

from __future__ import annotations

import codecs
import hashlib
import os
import platform
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from serve.backends.protocol import BackendInfo, Delta, GenParams, Message
from serve.backends.stop_text import StopText
from serve.backends.turnstile import Superseded, Turnstile
from serve.errors import Code, ServeError
from serve.prompt import parts_of_model, prompt_tokens, render_prompt
from taxlaw.pieces import Pieces, rest_of
from taxlaw.read_in_parts import KEY

if TYPE_CHECKING:
    from taxlaw.rereading import Step

# The prompt is read in pieces, and between two of them a caller who has gone can stop the work.  128 tokens of the 270M
# student take 0.3 s on two cores and cost a fifth of the speed of 512.  The size must not follow the clock: other pieces
# are other sums, and a greedy answer could differ from one time to the next.
_PIECE, _PIECE_PARAMETERS, _LEAST_PIECE = 128, 1_000_000_000, 16


@dataclass(frozen=True)
class LlamaOptions:
    """``context_tokens`` in tokens; ``threads`` and ``gpu_layers`` None = decided by this machine.

    ``flash_attention`` None: llama.cpp decides, and ``info`` says how.  ``prompt_template`` (jinja2) stands in for the
    file's own; ``stops`` are texts that end an answer, for models without a token that does.  ``sha256``: of the file,
    when somebody has counted it already.
    """

    context_tokens: int = 2048
    threads: int | None = None
    gpu_layers: int | None = None
    queue_seconds: float = 120.0
    threads_batch: int | None = None
    flash_attention: bool | None = None
    prompt_template: str | None = None
    stops: tuple[str, ...] = ()
    sha256: str | None = None


class LlamaCppBackend:
    """One loaded GGUF.  ``stream`` may be called from several threads; the turns are taken inside the generator."""

    def __init__(self, path: Path, options: LlamaOptions) -> None:
        """Load ``path``.  Raises ServeError NO_MODEL, BAD_MODEL or NO_TEMPLATE."""
        if not path.is_file():
            raise ServeError(
                Code.NO_MODEL,
                f"모델 파일이 없습니다: {path}",
                "'make demo'로 학생을 만들거나 --model_path에 GGUF 파일을 주세요.",
            )
        self._path = path
        self._options = options
        self._threads = options.threads or performance_cores()
        self._threads_batch = options.threads_batch or self._threads
        self._gpu_layers = default_gpu_layers() if options.gpu_layers is None else options.gpu_layers
        self._turnstile = Turnstile(wait_seconds=options.queue_seconds)
        self._gguf = self._load(options.context_tokens)
        try:
            self._template = self._checked_template()
            self._check_that_answers_end()
            self._parts = parts_of_model(self._gguf.metadata(KEY), path)
        except ServeError:
            self._gguf.close()
            raise
        self._bos, self._eos = self._gguf.text_of(self._gguf.bos), self._gguf.text_of(self._gguf.eos)

    def stream(self, messages: Sequence[Message], params: GenParams) -> Iterator[Delta]:
        """Yield text as it is generated; greedy when ``temperature`` is 0.  Raises ServeError CONTEXT, BUSY, BAD_MODEL."""
        from serve.backends.sampling import picker

        prompt = self._tokens(messages)
        room = self._gguf.context_tokens - len(prompt)
        if room < 1:
            raise ServeError(
                Code.CONTEXT,
                f"질문이 너무 깁니다: {len(prompt):,}토큰 (한도 {self._gguf.context_tokens:,}토큰).",
                "질문을 줄이거나 설정의 context_tokens를 늘리세요.",
            )
        limit = min(params.max_new_tokens, room)
        gguf, step, pick = self._gguf, self._turnstile.step, picker(params)
        letters = codecs.getincrementaldecoder("utf-8")(errors="replace")
        stop = StopText(self._options.stops)
        ticket = None
        for ticket in self._turnstile.approach():
            if ticket is None:
                yield Delta()  # whoever waits behind another answer can be stopped here
        finish, made, token = "length", 0, -1
        try:
            for _ in self._read(prompt, ticket):
                yield Delta()
            while True:
                with step(ticket):
                    if made:
                        gguf.evaluate((token,), len(prompt) + made - 1)
                    token = pick(gguf.logits())
                if gguf.is_end(token):
                    finish = "stop"
                    break
                made += 1
                yield Delta(stop.feed(letters.decode(gguf.piece(token))), tokens=1)
                if stop.stopped or made == limit:
                    finish = "stop" if stop.stopped else "length"
                    break
            last = stop.feed(letters.decode(b"", final=True)) + stop.rest()
            yield Delta(last, finish=finish, prompt_tokens=len(prompt), new_tokens=made)
        except Superseded:
            yield Delta(finish="superseded", prompt_tokens=len(prompt), new_tokens=made)
        except RuntimeError as exc:
            raise _failed(exc) from exc
        finally:
            self._turnstile.leave(ticket)

    def readings(self, messages: Sequence[Message], params: GenParams, beginning: str = "") -> Iterator[str | None]:
        """Yield the texts after the greedy one, the likeliest first; None while it waits.  Raises as ``stream`` does."""
        from taxlaw.rereading import readings

        prompt = self._tokens(messages)
        most = min(params.max_new_tokens, self._gguf.context_tokens - len(prompt))
        ticket = None
        for ticket in self._turnstile.approach():
            if ticket is None:
                yield None
        try:
            made = readings(
                lambda some, first: self._steps(prompt, some, most, ticket, first),
                self._written,
                partial(self._gguf.tokenise, special=False),
                beginning,
            )
            for tokens in made:
                yield b"".join(map(self._written, tokens)).decode("utf-8", "replace")
        except Superseded:
            return
        except RuntimeError as exc:
            raise _failed(exc) from exc
        finally:
            self._turnstile.leave(ticket)

    def _written(self, token: int) -> bytes:
        """The bytes that a token is read as; none for one that ends an answer."""
        return b"" if self._gguf.is_end(token) else self._gguf.piece(token)

    @cached_property
    def _pieces(self) -> Pieces:
        """What it writes with."""
        return Pieces(map(self._written, range(self._gguf.vocabulary)))

    def _steps(
        self, prompt: Sequence[int], begun: Sequence[int], most: int, ticket: object, first: bytes = b""
    ) -> Iterator[Step]:
        """The greedy steps of an answer that begins with ``begun``, with what else was likely at each.

        ``first``: what is to be written before anything else; no step where no piece can.
        """
        from taxlaw.rereading import step_of

        gguf = self._gguf
        for _ in self._read([*prompt, *begun], ticket):
            pass
        for place in range(len(prompt) + len(begun), len(prompt) + most):
            among = self._pieces.fitting(first) if first else None
            if among == []:
                return
            with self._turnstile.step(ticket):
                step = step_of(gguf.logits(), among)
                first = rest_of(first, self._written(step.token))
                if not gguf.is_end(step.token):
                    gguf.evaluate((step.token,), place)
            yield step
            if gguf.is_end(step.token):
                return

    def count_tokens(self, messages: Sequence[Message]) -> int:
        return len(self._tokens(messages))

    def info(self) -> BackendInfo:
        gguf, given = self._gguf, self._options.flash_attention
        device = "cpu" if not self._gpu_layers else "metal" if on_apple_silicon() else "cuda"
        where = f"CPU {self._threads}스레드" if device == "cpu" else f"GPU({device})"
        flash = ("켜짐" if gguf.flash_attention else "꺼짐") + (", 자동" if given is None else "")
        return BackendInfo(
            self._path.stem,
            f"llama.cpp, {where}, 플래시 어텐션 {flash}",
            gguf.context_tokens,
            model_sha256=self._options.sha256,
            template_sha256=hashlib.sha256(self._template.encode()).hexdigest(),
            device=device,
            quantisation=" ".join(gguf.description().split()[2:]),
        )

    def close(self) -> None:
        """Free the model; an answer under way ends as superseded."""
        self._turnstile.shut()
        self._gguf.close()

    def _read(self, prompt: Sequence[int], ticket: object) -> Iterator[None]:
        """Evaluate the prompt in pieces, yielding between them."""
        size = self._gguf.batch
        if not self._gpu_layers:
            size = min(size, piece_tokens(self._gguf.parameters))
        for done in range(0, len(prompt), size):
            if done:
                yield
            with self._turnstile.step(ticket):
                if not done:
                    # A fresh cache costs milliseconds for one question and keeps greedy answers identical.
                    self._gguf.forget()
                self._gguf.evaluate(prompt[done : done + size], done)

    def _load(self, context_tokens: int):
        from serve.backends.llama_native import Gguf

        try:
            return Gguf(
                self._path,
                context_tokens=context_tokens,
                threads=self._threads,
                threads_batch=self._threads_batch,
                gpu_layers=self._gpu_layers,
                flash_attention=self._options.flash_attention,
            )
        except (RuntimeError, OSError) as exc:
            raise ServeError(
                Code.BAD_MODEL,
                f"GGUF를 읽을 수 없습니다: {self._path} ({exc})",
                "파일이 끝까지 만들어졌는지 확인하고, 아니면 'make demo'로 다시 만드세요.",
            ) from exc

    def _tokens(self, messages: Sequence[Message]) -> list[int]:
        return prompt_tokens(messages, self._render, self._gguf, self._parts)

    def _render(self, messages: Sequence[Message]) -> str:
        return render_prompt(self._template, messages, bos_token=self._bos, eos_token=self._eos)

    def _checked_template(self) -> str:
        template = self._options.prompt_template or self._gguf.metadata("tokenizer.chat_template")
        if not template:
            raise ServeError(
                Code.NO_TEMPLATE,
                f"GGUF에 대화 틀(tokenizer.chat_template)이 없습니다: {self._path}",
                "틀 없이는 학습 때와 다른 형식으로 묻게 되므로 쓰지 않습니다. "
                "'python -m finetune run'이 만든 student-*.gguf를 쓰거나, 바탕 모델이면 설정의 prompt_template에 형식을 적으세요.",
            )
        return template

    def _check_that_answers_end(self) -> None:
        named = any(self._gguf.metadata(f"tokenizer.ggml.{name}_token_id") for name in ("eot", "eos"))
        if not named and len(self._gguf.tokenise("<end_of_turn>", special=True)) != 1:
            raise ServeError(
                Code.BAD_MODEL,
                f"GGUF에 답의 끝을 알리는 토큰(tokenizer.ggml.eot_token_id)이 없습니다: {self._path}",
                "'python -m finetune run'이 만든 student-*.gguf를 쓰세요.",
            )


def _failed(exc: RuntimeError) -> ServeError:
    return ServeError(
        Code.BAD_MODEL,
        f"llama.cpp가 답을 쓰지 못했습니다: {exc}",
        "메모리와 context_tokens를 확인하고 다시 시작하세요.",
    )


def on_apple_silicon() -> bool:
    return platform.system() == "Darwin" and platform.machine() == "arm64"


def piece_tokens(parameters: int) -> int:
    """Tokens of a prompt that a processor reads without a break, for a model of so many parameters."""
    return max(_LEAST_PIECE, min(_PIECE, _PIECE * _PIECE_PARAMETERS // max(1, parameters)))


def default_gpu_layers() -> int:
    """All layers (-1) on Metal and wherever the installed llama.cpp was built for a GPU and finds one; else none."""
    from serve.backends.llama_native import gpu_offload

    # An Intel Mac's Metal is slower than its processor.
    return -1 if on_apple_silicon() or (platform.system() != "Darwin" and gpu_offload()) else 0


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
