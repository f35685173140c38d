"""The few llama.cpp calls this stage makes: open a GGUF quietly, quantise one in process.  Knows nothing of training."""

from __future__ import annotations

import functools
import os
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from finetune.errors import GateError
from finetune.settings import QUANTISATIONS
from taxlaw.read_in_parts import KEY, Parts, parts_from

_LOG: deque[str] = deque(maxlen=30)  # llama.cpp's last words, shown only when it fails


@functools.cache
def _capture_log():
    """Collect llama.cpp's log instead of printing hundreds of lines; returned so that the callback stays alive."""
    import ctypes

    import llama_cpp

    @llama_cpp.llama_log_callback
    def keep(level: int, text: bytes, user_data: ctypes.c_void_p) -> None:
        _LOG.append(text.decode("utf-8", errors="replace").rstrip())

    llama_cpp.llama_log_set(keep, ctypes.c_void_p(0))
    return keep


def open_gguf(path: Path, context: int, adapter: Path | None = None, vocabulary_only: bool = False):
    """A llama_cpp.Llama on the CPU with ``context`` tokens, with a LoRA ``adapter`` switched on if given.

    Raises GateError when llama.cpp refuses one of the files.
    """
    from llama_cpp import Llama

    _capture_log()
    threads = os.cpu_count() or 1
    try:
        model = Llama(
            str(path),
            n_ctx=context,
            n_gpu_layers=0,
            n_threads=threads,
            n_threads_batch=threads,
            vocab_only=vocabulary_only,
            verbose=False,
        )
    except ValueError as exc:
        raise GateError(f"llama.cpp 가 이 GGUF 를 열지 못합니다 (cannot load): {path}\n  {_last_words()}") from exc
    if adapter is not None:
        _switch_on(model, path, adapter)
    return model


def parts_of_gguf(model) -> Parts:
    """The pieces that an open GGUF writes and does not read, with their parts.  Raises GateError when it says them badly."""
    try:
        return parts_from(model.metadata.get(KEY))
    except ValueError as exc:
        raise GateError(
            f"GGUF 의 {KEY} 를 읽을 수 없습니다 (damaged): {model.model_path}\n  {exc}\n  `python -m finetune run` 이 만든 GGUF 를 쓰세요."
        ) from exc


def _switch_on(model, path: Path, adapter: Path) -> None:
    # Not Llama(lora_path=...): 0.3.36 goes on with a null pointer when llama.cpp refuses the adapter.
    import ctypes

    import llama_cpp

    loaded = llama_cpp.llama_adapter_lora_init(model._model.model, os.fsencode(adapter))
    if loaded:
        model._stack.callback(llama_cpp.llama_adapter_lora_free, loaded)
        adapters = (llama_cpp.llama_adapter_lora_p_ctypes * 1)(loaded)
        if not llama_cpp.llama_set_adapters_lora(model._ctx.ctx, adapters, 1, (ctypes.c_float * 1)(1.0)):
            return
    model.close()
    raise GateError(
        f"llama.cpp 가 이 어댑터를 이 base 에 붙이지 못합니다 (adapter does not fit): {adapter} + {path}\n  {_last_words()}"
    )


def quantise(source: Path, target: Path, quantisation: str, importance: Mapping[str, Any] | None = None) -> None:
    """Quantise an unquantised GGUF, weighed by ``importance`` (finetune/importance.py) if given.

    Raises GateError when llama.cpp reports failure.
    """
    import llama_cpp

    _capture_log()
    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype = QUANTISATIONS[quantisation]
    held = _importance_entries(importance or {})  # until llama.cpp has read it
    if importance:
        params.imatrix = held
    status = llama_cpp.llama_model_quantize(os.fsencode(source), os.fsencode(target), params)
    if status != 0 or not target.is_file():
        target.unlink(missing_ok=True)  # half a file
        raise GateError(f"{quantisation} 양자화에 실패했습니다 (status {status}): {source}\n  {_last_words()}")


def _importance_entries(importance: Mapping[str, Any]):
    """The C array llama.cpp reads, closed by an entry without a name; it keeps its numbers alive."""
    import ctypes

    import llama_cpp
    import numpy as np

    entries = (llama_cpp.llama_model_imatrix_data * (len(importance) + 1))()
    entries.numbers = [np.ascontiguousarray(values, dtype=np.float32) for values in importance.values()]
    for entry, name, values in zip(entries, importance, entries.numbers, strict=False):
        entry.name = name.encode()
        entry.data = values.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
        entry.size = values.size
    return entries


def next_logits(model):
    """Logits (vocabulary,) float32 for the token after the last one evaluated; a copy."""
    import numpy as np

    return np.ctypeslib.as_array(model._ctx.get_logits_ith(-1), shape=(model.n_vocab(),)).copy()


def _last_words() -> str:
    return "\n  ".join(list(_LOG)[-6:])
