"""A GGUF as it is served: its own chat template and tokenizer, greedy answers, answer likelihood, decoding speed."""

from __future__ import annotations

import ctypes
import re
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from finetune.chat import TEMPLATES, Template
from finetune.data import Row, target_text
from finetune.errors import GateError, InputError
from finetune.evaluate import Generation, turns_of
from finetune.evaluation.measures import Likelihood
from finetune.evidence import user_turn
from finetune.llama import next_logits, open_gguf, parts_of_gguf
from taxlaw.pieces import Pieces, rest_of
from taxlaw.read_in_parts import Parts, as_read
from taxlaw.rereading import Step, step_of

_CHUNK = 512  # tokens per decode call: llama.cpp's default batch, which open_gguf leaves alone


@dataclass(frozen=True)
class _Speaker:
    """An open GGUF and what it takes to speak to it.  ``stop`` ends a trained answer; ``stops`` are all that end one.

    ``parts``: of the pieces that it writes and does not read.
    """

    llama: Any
    template: str
    control: re.Pattern[str]
    bos: str
    eos: str
    stop: int
    stops: frozenset[int]
    parts: Parts

    @cached_property
    def pieces(self) -> Pieces:
        """What it writes with."""
        return Pieces(written(self, token) for token in range(self.llama.n_vocab()))


def generate(file: Path, rows: list[Row], max_new_tokens: int, template: Template | None = None) -> list[Generation]:
    """Greedy answers, one at a time.  ``template``: for a GGUF that brings none, as an untrained base may.

    Raises InputError for a GGUF without template or stop token, GateError if unreadable.
    """
    answers = []
    with opened(file, rows, max_new_tokens, template) as (speaker, prompts):
        for prompt in prompts:
            taken: list[int] = []
            speaker.llama.reset()  # a fresh cache keeps greedy answers the same in any order
            for token in speaker.llama.generate(prompt, temp=0.0, repeat_penalty=1.0):
                taken.append(token)
                if token in speaker.stops or len(taken) == max_new_tokens:
                    break
            answers.append(generation_of(speaker, taken))
    return answers


def steps(
    speaker: _Speaker, prompt: list[int], begun: Sequence[int], max_new_tokens: int, first: bytes = b""
) -> Iterator[Step]:
    """The greedy steps of an answer that begins with ``begun``, its end token last if it ends (taxlaw.rereading).

    ``first``: what is to be written before anything else; no step where no piece can.  One of these at a time: what is begun
    later takes the model away from what was begun before.
    """
    llama = speaker.llama
    llama.reset()
    llama.eval([*prompt, *begun])
    for _ in range(max_new_tokens - len(begun)):
        among = speaker.pieces.fitting(first) if first else None
        if among == []:
            return
        step = step_of(next_logits(llama), among)
        first = rest_of(first, written(speaker, step.token))
        yield step
        if step.token in speaker.stops:
            return
        llama.eval([step.token])


def tokens_of(speaker: _Speaker, text: str) -> list[int]:
    """The tokens of the beginning of an answer that ends where a piece does."""
    return _ids(speaker.llama, text)


def written(speaker: _Speaker, token: int) -> bytes:
    """The bytes that a token of an answer is read as; none for one that ends it."""
    return b"" if token in speaker.stops else _piece(speaker.llama, token)


def generation_of(speaker: _Speaker, tokens: Sequence[int]) -> Generation:
    """The answer that these tokens are, up to the first that ends one."""
    end = next((place for place, token in enumerate(tokens) if token in speaker.stops), None)
    kept = tokens if end is None else tokens[:end]
    text = b"".join(_piece(speaker.llama, token) for token in kept).decode("utf-8", "replace")
    return Generation(text, end is not None, len(kept))


def likelihoods(file: Path, rows: list[Row], target: str) -> list[Likelihood]:
    """Teacher-forced likelihood of each row's expected answer and its stop token.  Raises as ``generate`` does."""
    found = []
    answers = [target_text(row, target) for row in rows]
    room = max(len(answer.encode("utf-8")) for answer in answers) + 1  # a token holds at least a byte
    with opened(file, rows, room) as (speaker, prompts):
        for row, prompt, answer in zip(rows, prompts, answers, strict=True):
            asked = _render(speaker, row)
            head = _ids(speaker.llama, asked)
            ids = _ids(speaker.llama, asked + _strip(answer, speaker.control))
            if ids[: len(head)] != head:
                raise GateError(
                    f"질문의 토큰이 전체 예제 토큰의 앞부분과 다릅니다 (prompt is not a prefix): {row.id} in {file.name}"
                )
            ids = [*prompt, *ids[len(head) :], speaker.stop]
            found.append(Likelihood(_nats(speaker.llama, ids, len(prompt)), len(ids) - len(prompt), len(answer)))
    return found


def speed(file: Path, rows: list[Row], tokens: int) -> float:
    """Tokens per second of greedy decoding after the first token, one answer at a time: the median over ``rows``."""
    speeds = []
    with opened(file, rows, tokens) as (speaker, prompts):
        for prompt in prompts:
            speaker.llama.reset()
            made = speaker.llama.generate(prompt, temp=0.0, repeat_penalty=1.0)
            next(made)
            started = time.perf_counter()
            for _ in range(tokens - 1):  # past the stop token too: every model decodes as many
                next(made)
            speeds.append((tokens - 1) / max(time.perf_counter() - started, 1e-6))
            made.close()
    return statistics.median(speeds)


@contextmanager
def opened(
    file: Path, rows: list[Row], room: int, template: Template | None = None
) -> Iterator[tuple[_Speaker, list[list[int]]]]:
    """The open file and each row's prompt as it is read, with ``room`` more tokens in the context than the longest prompt needs."""
    probe = open_gguf(file, context=64)  # to tokenize: the context a model needs is known only then
    try:
        speaker = _speaker(probe, file, template)
        prompts = [as_read(_ids(probe, _render(speaker, row)), speaker.parts) for row in rows]
    finally:
        probe.close()
    llama = open_gguf(file, context=max(map(len, prompts)) + room + 8)
    try:
        yield _speaker(llama, file, template), prompts
    finally:
        llama.close()


def _speaker(llama, file: Path, fallback: Template | None = None) -> _Speaker:
    import llama_cpp

    template = llama.metadata.get("tokenizer.chat_template", "")
    lent = None if template else fallback
    ends = [
        int(llama.metadata[key])
        for key in ("tokenizer.ggml.eot_token_id", "tokenizer.ggml.eos_token_id")
        if key in llama.metadata
    ]
    if lent is not None:
        template = lent.text
        stop = _ids(llama, lent.stop) if lent.stop else []
        ends = [*stop, *ends] if len(stop) == 1 else ends
    if not template or not ends:
        missing = "tokenizer.chat_template" if not template else "tokenizer.ggml.eot_token_id"
        raise InputError(
            f"GGUF 에 {missing} 이 없습니다: {file}\n"
            "  없이는 학습 때와 다른 형식으로 묻게 됩니다. `python -m finetune run` 이 만든 GGUF 를 쓰세요. (missing)"
        )
    vocab = llama._model.vocab
    control = (token for token in range(llama.n_vocab()) if llama_cpp.llama_vocab_is_control(vocab, token))
    names = {_piece(llama, token, True).decode("utf-8", "replace") for token in control}
    named = sorted(name for name in names if len(name) > 2 and not name.startswith("<unused"))
    marks = next((ours.marks for ours in TEMPLATES if ours.text == template and ours.marks), None)
    pattern = re.compile("|".join([*map(re.escape, named), r"<unused\d+>", *([marks] if marks else [])]))
    bos, eos = (
        _piece(llama, token, True).decode("utf-8", "replace") if token >= 0 else ""
        for token in (llama.token_bos(), llama.token_eos())
    )
    return _Speaker(llama, template, pattern, bos, eos, ends[0], frozenset(ends), parts_of_gguf(llama))


def _render(speaker: _Speaker, row: Row) -> str:
    said = [text for turn in turns_of(row) for text in turn] + [user_turn(row)]
    messages = [
        {"role": "model" if place % 2 else "user", "content": _strip(text, speaker.control)}
        for place, text in enumerate(said)
    ]
    template = _environment().from_string(speaker.template)
    return template.render(messages=messages, bos_token=speaker.bos, eos_token=speaker.eos, add_generation_prompt=True)


@cache
def _environment():
    """As transformers renders templates; sandboxed, since a GGUF may be anyone's."""
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def refuse(message: str) -> None:
        raise InputError(f"GGUF 의 대화 틀이 이 대화를 거부합니다 (the chat template refuses): {message}")

    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.globals["raise_exception"] = refuse
    return environment


def _strip(text: str, control: re.Pattern[str]) -> str:
    """Without control tokens spelt out; repeated, since removing one may join the halves of another."""
    while (stripped := control.sub("", text)) != text:
        text = stripped
    return text.strip()


def _ids(llama, text: str) -> list[int]:
    return llama.tokenize(text.encode("utf-8"), add_bos=False, special=True)  # the template writes <bos> itself


def _piece(llama, token: int, special: bool = False) -> bytes:
    """Bytes of one token; the library's own helper cuts them at 32."""
    import llama_cpp

    size = 64
    while True:
        buffer = ctypes.create_string_buffer(size)
        length = llama_cpp.llama_token_to_piece(llama._model.vocab, token, buffer, size, 0, special)
        if length >= 0:
            return buffer.raw[:length]
        size = -length


def _nats(llama, ids: list[int], start: int) -> float:
    """Negative log-likelihood of ``ids[start:]``; logits are asked for at those positions only."""
    import llama_cpp
    import numpy as np

    llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(llama.ctx), True)
    total = 0.0
    for begin in range(0, len(ids) - 1, _CHUNK):
        chunk = ids[begin : min(begin + _CHUNK, len(ids) - 1)]
        batch = llama_cpp.llama_batch_init(len(chunk), 0, 1)
        try:
            batch.n_tokens = len(chunk)
            for place, token in enumerate(chunk):
                batch.token[place], batch.pos[place] = token, begin + place
                batch.n_seq_id[place], batch.seq_id[place][0] = 1, 0
                batch.logits[place] = begin + place + 1 >= start
            if llama_cpp.llama_decode(llama.ctx, batch) != 0:
                raise GateError(f"llama.cpp 가 토큰 {len(ids)}개를 읽지 못했습니다 (llama_decode failed).")
            for place in range(len(chunk)):
                if begin + place + 1 >= start:
                    pointer = llama_cpp.llama_get_logits_ith(llama.ctx, place)
                    logits = np.ctypeslib.as_array(pointer, shape=(llama.n_vocab(),)).astype(np.float64)
                    top = logits.max()
                    total += float(np.log(np.exp(logits - top).sum()) + top - logits[ids[begin + place + 1]])
        finally:
            llama_cpp.llama_batch_free(batch)
    return total
