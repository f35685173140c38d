"""Hugging Face weights on this machine: a folder, a name on the Hub, or a peft adapter over either; one stream at a time.

Loading, and what it refuses, is in transformers_loading.py.  The decoding loop is our own: it stops when its generator is
closed, and draws tokens with the same code as the GGUF (sampling.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from serve.backends.protocol import BackendInfo, Delta, GenParams, Message
from serve.backends.stop_text import StopText
from serve.backends.turnstile import Superseded, Turnstile
from serve.errors import Code, ServeError
from serve.prompt import parts_of_model, prompt_tokens
from taxlaw.read_in_parts import KEY

# As in llama.py: between two pieces of the prompt a caller who has gone can stop the work.
_PIECE, _PIECE_ON_GPU = 128, 1024


@dataclass(frozen=True)
class TransformersOptions:
    """``context_tokens`` in tokens, never more than the model's own.  ``quantisation``: by bitsandbytes, while loading.

    ``flash_attention`` None: torch's own (SDPA).  ``prompt_template`` (jinja2) stands in for the tokenizer's chat
    template; ``stops`` are texts that end an answer.  ``sha256``: of the weights, when somebody has counted it.
    """

    context_tokens: int = 2048
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    quantisation: Literal["8bit", "nf4"] | None = None
    flash_attention: bool | None = None
    threads: int | None = None
    queue_seconds: float = 120.0
    prompt_template: str | None = None
    stops: tuple[str, ...] = ()
    sha256: str | None = None


class TransformersBackend:
    """One loaded model.  ``stream`` may be called from several threads; the turns are taken inside the generator."""

    def __init__(self, source: str | Path, options: TransformersOptions) -> None:
        """Load ``source``.  Raises ServeError NO_MODEL, BAD_MODEL or NO_TEMPLATE."""
        from serve.backends.transformers_loading import HfTokeniser, load

        self._options = options
        loaded = load(source, options)
        self._loaded, self._model = loaded, loaded.model
        self._turnstile = Turnstile(wait_seconds=options.queue_seconds)
        self._tokeniser = HfTokeniser(loaded.tokenizer)
        self._parts = parts_of_model(loaded.tokenizer.init_kwargs.get(KEY), source)
        own = getattr(loaded.model.config.get_text_config(), "max_position_embeddings", None)
        self._context = min(options.context_tokens, own or options.context_tokens)
        self._ends = loaded.ends

    def stream(self, messages: Sequence[Message], params: GenParams) -> Iterator[Delta]:
        """Yield text as it is generated; greedy when ``temperature`` is 0.  Raises ServeError CONTEXT, BUSY, BAD_MODEL."""
        from tokenizers.decoders import DecodeStream

        from serve.backends.sampling import picker

        prompt = self._tokens(messages)
        room = self._context - len(prompt)
        if room < 1:
            raise ServeError(
                Code.CONTEXT,
                f"질문이 너무 깁니다: {len(prompt):,}토큰 (한도 {self._context:,}토큰).",
                "질문을 줄이거나 설정의 context_tokens를 늘리세요.",
            )
        limit, pick = min(params.max_new_tokens, room), picker(params)
        letters, backend = DecodeStream(skip_special_tokens=True), self._loaded.tokenizer.backend_tokenizer
        stop = StopText(self._options.stops)
        ticket = None
        for ticket in self._turnstile.approach():
            if ticket is None:
                yield Delta()  # whoever waits behind another answer can be stopped here
        finish, made, token, cache = "length", 0, -1, None
        try:
            size = _PIECE if self._loaded.device == "cpu" else _PIECE_ON_GPU
            for start in range(0, len(prompt), size):
                if start:
                    yield Delta()
                with self._turnstile.step(ticket):
                    logits, cache = self._evaluate(prompt[start : start + size], cache)
            while True:
                with self._turnstile.step(ticket):
                    if made:
                        logits, cache = self._evaluate([token], cache)
                    token = pick(logits)
                if token in self._ends:
                    finish = "stop"
                    break
                made += 1
                yield Delta(stop.feed(letters.step(backend, token) or ""), tokens=1)
                if stop.stopped or made == limit:
                    finish = "stop" if stop.stopped else "length"
                    break
            yield Delta(stop.rest(), finish=finish, prompt_tokens=len(prompt), new_tokens=made)
        except Superseded:
            yield Delta(finish="superseded", prompt_tokens=len(prompt), new_tokens=made)
        except RuntimeError as exc:  # torch's out-of-memory errors are RuntimeErrors
            raise ServeError(
                Code.BAD_MODEL,
                f"모델이 답을 쓰지 못했습니다: {str(exc).splitlines()[0][:300]}",
                "메모리가 모자라면 context_tokens를 줄이거나 quantisation: nf4로 하세요.",
            ) from exc
        finally:
            self._turnstile.leave(ticket)

    def count_tokens(self, messages: Sequence[Message]) -> int:
        return len(self._tokens(messages))

    def info(self) -> BackendInfo:
        loaded = self._loaded
        kind = loaded.quantisation or loaded.dtype
        template = loaded.tokenizer.chat_template
        return BackendInfo(
            loaded.name,
            f"transformers, {loaded.device}, {kind}, {loaded.attention}",
            self._context,
            model_sha256=self._options.sha256,
            template_sha256=hashlib.sha256(str(template).encode()).hexdigest(),
            device=loaded.device,
            quantisation=kind,
        )

    def close(self) -> None:
        """Free the model; an answer under way ends as superseded."""
        self._turnstile.shut()
        self._model = self._loaded = None
        import torch

        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _evaluate(self, ids: list[int], cache):
        """Logits after the last of ``ids`` (float32, on the processor) and the cache grown by them."""
        import torch

        with torch.inference_mode():
            tokens = torch.tensor([ids], device=self._model.device)
            out = self._model(input_ids=tokens, past_key_values=cache, use_cache=True, logits_to_keep=1)
            return out.logits[0, -1].float().cpu().numpy(), out.past_key_values

    def _tokens(self, messages: Sequence[Message]) -> list[int]:
        return prompt_tokens(messages, self._render, self._tokeniser, self._parts)

    def _render(self, messages: Sequence[Message]) -> str:
        from jinja2 import TemplateError

        turns = [{"role": message.role, "content": message.content} for message in messages]
        try:
            return self._loaded.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        except (TemplateError, ValueError) as exc:
            raise ServeError(
                Code.BAD_MODEL,
                f"모델의 대화 틀(chat template)을 쓸 수 없습니다: {exc}",
                "설정의 prompt_template에 이 모델의 형식을 적으세요.",
            ) from exc
