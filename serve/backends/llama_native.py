"""llama.cpp itself: load a GGUF, turn text into tokens, evaluate them, read the logits.

Calls the C functions of llama-cpp-python's binding and leaves its ``Llama`` class alone: that class can only force or
forbid flash attention, reserves vocabulary times batch floats, joins all tokens at every step and cuts token texts at
32 bytes.  Knows nothing of messages, turns or threads: one caller at a time for everything but the tokeniser.
"""

from __future__ import annotations

import ctypes
import os
from collections import deque
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

_ALL_LAYERS = 0x7FFFFFFF
_WORTH_HEARING = (3, 4)  # ggml_log_level: 1 debug, 2 info, 3 warning, 4 error, 5 goes on with the line before
_FLASH = {None: -1, False: 0, True: 1}  # llama_flash_attn_type: auto, disabled, enabled


class Gguf:
    """One model with one context.  Sizes in tokens.  Raises RuntimeError, with llama.cpp's own last words, at loading."""

    def __init__(
        self,
        path: Path,
        *,
        context_tokens: int,
        threads: int,
        threads_batch: int,
        gpu_layers: int,
        flash_attention: bool | None,
        batch: int = 512,
    ) -> None:
        self._lib = llama_cpp = library()
        _listen().clear()
        self._model = self._context = self._batch = None
        parameters = llama_cpp.llama_model_default_params()
        parameters.n_gpu_layers = _ALL_LAYERS if gpu_layers < 0 else gpu_layers
        self._model = llama_cpp.llama_model_load_from_file(str(path).encode(), parameters)
        if not self._model:
            raise RuntimeError(_last_words())
        settings = llama_cpp.llama_context_default_params()
        settings.n_ctx = context_tokens
        settings.n_batch = settings.n_ubatch = self.batch = min(batch, context_tokens)
        settings.n_threads, settings.n_threads_batch = threads, threads_batch
        settings.flash_attn_type = _FLASH[flash_attention]
        settings.swa_full = False  # only a kept prefix would need the full cache, and none is kept
        self._context = llama_cpp.llama_init_from_model(self._model, settings)
        if not self._context:
            why = _last_words()
            self.close()
            raise RuntimeError(why)
        # llama.cpp decides for "auto" while it reserves memory, and only its log tells how.
        chosen = any("Flash Attention enabled" in line for line in _listen())
        self.flash_attention = chosen if flash_attention is None else flash_attention
        self._vocab = llama_cpp.llama_model_get_vocab(self._model)
        self._batch = llama_cpp.llama_batch_init(self.batch, 0, 1)
        for place in range(self.batch):
            self._batch.n_seq_id[place] = 1
            self._batch.seq_id[place][0] = 0
        self.context_tokens = llama_cpp.llama_n_ctx(self._context)
        self.parameters = llama_cpp.llama_model_n_params(self._model)
        self.vocabulary = llama_cpp.llama_vocab_n_tokens(self._vocab)
        self._pieces: dict[tuple[int, bool], bytes] = {}

    # -- what the file says ------------------------------------------------------------------------------------------

    def metadata(self, key: str) -> str | None:
        size = 256
        while True:
            buffer = ctypes.create_string_buffer(size)
            length = self._lib.llama_model_meta_val_str(self._model, key.encode(), buffer, size)
            if length < 0:
                return None
            if length < size:
                return buffer.raw[:length].decode("utf-8", "replace")
            size = length + 1

    def description(self) -> str:
        """Family, size and quantisation in llama.cpp's words, e.g. ``gemma3 270M Q8_0``."""
        buffer = ctypes.create_string_buffer(128)
        self._lib.llama_model_desc(self._model, buffer, len(buffer))
        return buffer.value.decode("utf-8", "replace")

    @property
    def bos(self) -> int:
        return self._lib.llama_vocab_bos(self._vocab)

    @property
    def eos(self) -> int:
        return self._lib.llama_vocab_eos(self._vocab)

    # -- text and tokens (safe from any thread) ----------------------------------------------------------------------

    def tokenise(self, text: str, special: bool) -> list[int]:
        """Ids of ``text`` without a <bos> of its own; ``special`` False reads control tokens as the letters they are."""
        raw = text.encode("utf-8")
        size = len(raw) + 8
        while True:
            ids = (ctypes.c_int32 * size)()
            count = self._lib.llama_tokenize(self._vocab, raw, len(raw), ids, size, False, special)
            if count >= 0:
                return ids[:count]
            size = -count

    def is_control(self, token: int) -> bool:
        return bool(self._lib.llama_vocab_is_control(self._vocab, token))

    def is_end(self, token: int) -> bool:
        """Whether ``token`` ends an answer (end of turn, of message, of text)."""
        return bool(self._lib.llama_vocab_is_eog(self._vocab, token))

    def text_of(self, token: int) -> str:
        return self.piece(token, special=True).decode("utf-8", "replace") if token >= 0 else ""

    def piece(self, token: int, special: bool = False) -> bytes:
        """Bytes of one token, which may be half a syllable; "" for a control token unless ``special``."""
        known = self._pieces.get((token, special))
        if known is not None:
            return known
        size = 64
        while True:
            buffer = ctypes.create_string_buffer(size)
            length = self._lib.llama_token_to_piece(self._vocab, token, buffer, size, 0, special)
            if length >= 0:
                self._pieces[token, special] = buffer.raw[:length]
                return self._pieces[token, special]
            size = -length

    # -- evaluation (one caller at a time) ---------------------------------------------------------------------------

    def forget(self) -> None:
        """Empty the cache of keys and values."""
        self._lib.llama_memory_clear(self._lib.llama_get_memory(self._context), True)

    def evaluate(self, tokens: Sequence[int], start: int) -> None:
        """Evaluate at most ``batch`` tokens standing at ``start``; logits are of the last.  Raises RuntimeError."""
        batch = self._batch
        batch.n_tokens = len(tokens)
        for place, token in enumerate(tokens):
            batch.token[place] = token
            batch.pos[place] = start + place
            batch.logits[place] = False
        batch.logits[len(tokens) - 1] = True
        code = self._lib.llama_decode(self._context, batch)
        if code:
            raise RuntimeError(f"llama_decode: {code} {_last_words()}")

    def logits(self) -> np.ndarray:
        """Logits after the last evaluated token, float32 of the vocabulary's size: a view, overwritten by the next."""
        import numpy as np

        return np.ctypeslib.as_array(self._lib.llama_get_logits_ith(self._context, -1), shape=(self.vocabulary,))

    def close(self) -> None:
        """Free context and model.  Nothing may be called afterwards."""
        if self._batch is not None:
            self._lib.llama_batch_free(self._batch)
        if self._context:
            self._lib.llama_free(self._context)
        if self._model:
            self._lib.llama_model_free(self._model)
        self._batch = self._context = self._model = None


SPINS = (
    "2000"  # some microseconds: longer than the waits of an idle machine, much shorter than a turn of another process
)


def library():
    """The binding, with threads that spin for a moment and then sleep while they wait for one another.

    Its OpenMP would let them spin for long; on two cores that others use as well, that made the 270M student write 1 token a
    second instead of 15.  Sleeping at once costs two thirds of the speed of an idle machine (docs/serving_bench.md).  What the
    environment says wins; it is read when the library is loaded.
    """
    if not {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"} & set(os.environ):
        os.environ |= {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": SPINS}
    import llama_cpp

    return llama_cpp


@lru_cache(maxsize=1)
def _listen() -> deque[str]:
    """The latest warnings of llama.cpp, which would else go to stderr.  One callback for the process: it must never go."""
    llama_cpp = library()
    heard: deque[str] = deque(maxlen=40)

    @llama_cpp.llama_log_callback
    def hear(level: int, text: bytes, _data: object) -> None:
        if level in _WORTH_HEARING or b"Flash Attention" in text:
            heard.append(text.decode("utf-8", "replace").strip())

    llama_cpp.llama_log_set(hear, ctypes.c_void_p(0))
    llama_cpp.llama_backend_init()
    _listen.callback = hear
    return heard


def _last_words() -> str:
    return " / ".join(_listen())[-300:] or "no message of llama.cpp"


def gpu_offload() -> bool:
    """Whether the installed llama.cpp was built with a GPU backend and finds a device for it."""
    return bool(library().llama_supports_gpu_offload())
