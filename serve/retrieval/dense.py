"""Ranking by an embedding model: a sentence-transformers one where that package is installed, else the mean of the last
layer through transformers.  Off by default; embeddings of the passages are kept beside the index.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from serve.errors import Code, ServeError
from serve.settings import DenseConfig
from taxlaw.search import Hit, Search

if TYPE_CHECKING:
    import numpy as np

Encode = Callable[[Sequence[str]], "np.ndarray"]  # texts -> rows of length 1
_CHARACTERS, _TOKENS, _BATCH = 1500, 512, 32
_WHY = "뜻이 가까움"


@dataclass(frozen=True)
class Dense:
    """``vectors``: one row of length 1 for each row of the index."""

    search: Search
    encode: Encode
    vectors: np.ndarray
    query_prefix: str

    def find(self, question: str, as_of: date, limit: int) -> tuple[Hit, ...]:
        """The passages in force on ``as_of`` that lie nearest to the question; ``score`` is the cosine."""
        import numpy as np

        scores = self.vectors @ self.encode([self.query_prefix + question])[0]
        rows: list[int] = []
        for row in map(int, np.argsort(-scores, kind="stable")):
            if len(rows) == limit:
                break
            if self.search.allows(row, as_of):
                rows.append(row)
        return tuple(
            Hit(self.search.index.passage(row), round(float(scores[row]), 4), rank, (_WHY,))
            for rank, row in enumerate(rows, start=1)
        )


def open_dense(config: DenseConfig, search: Search, say: Callable[[str], None] | None = None) -> Dense:
    """Open the model, and embed the passages when that was not done yet.  Raises ServeError(NO_MODEL)."""
    import numpy as np

    encode = open_encoder(config.model)
    # Two models under one name have different vectors for the same words.
    probe = hashlib.sha256(np.round(encode(["종합소득세 세율"]), 3).tobytes())
    probe.update(f"{config.model}\0{config.passage_prefix}\0{_CHARACTERS}".encode())
    file = search.index.folder / f"dense-{probe.hexdigest()[:16]}.npy"
    if not file.is_file():
        _embed(file, search, encode, config.passage_prefix, say)
    return Dense(search, encode, np.load(file, mmap_mode="r"), config.query_prefix)


def open_encoder(model: str) -> Encode:
    """Texts in, vectors of length 1 out; thread-safe.  Raises ServeError(NO_MODEL) when the model cannot be opened."""
    try:
        raw = _sentence_transformer(model) if find_spec("sentence_transformers") else _mean_of_last_layer(model)
    except (OSError, ValueError, ImportError) as exc:
        raise missing_model("임베딩 모델", model, exc) from exc
    lock = threading.Lock()

    def encode(texts: Sequence[str]) -> np.ndarray:
        import numpy as np

        with lock:
            vectors = np.asarray(raw(texts), dtype=np.float32)
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)

    return encode


def missing_model(what: str, model: str, exc: Exception) -> ServeError:
    first = str(exc).strip().splitlines()[0] if str(exc).strip() else type(exc).__name__
    return ServeError(
        Code.NO_MODEL,
        f"{what}을 열 수 없습니다: {model} ({first})",
        "모델 폴더의 경로나 id를 확인하세요. 인터넷 없이 쓰려면 내려받은 폴더를 적고, 쓰지 않으려면 설정의 "
        "retrieval.dense와 retrieval.rerank를 null로 두세요.",
    )


def _sentence_transformer(model: str) -> Encode:
    from sentence_transformers import SentenceTransformer

    opened = SentenceTransformer(model)
    return lambda texts: opened.encode(list(texts), batch_size=_BATCH, show_progress_bar=False)


def _mean_of_last_layer(model: str) -> Encode:
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer, opened = AutoTokenizer.from_pretrained(model), AutoModel.from_pretrained(model)
    opened.eval()

    def encode(texts: Sequence[str]) -> np.ndarray:
        inputs = tokenizer(list(texts), padding=True, truncation=True, max_length=_TOKENS, return_tensors="pt")
        with torch.inference_mode():
            states = opened(**inputs).last_hidden_state
        mask = inputs["attention_mask"].unsqueeze(-1)
        return ((states * mask).sum(1) / mask.sum(1).clamp(min=1)).float().numpy()

    return encode


def _embed(file: Path, search: Search, encode: Encode, prefix: str, say: Callable[[str], None] | None) -> None:
    """Embed every passage; written beside its place and moved there whole."""
    import numpy as np

    parts = []
    count = search.index.count
    for at in range(0, count, _BATCH):
        passages = [search.index.passage(row) for row in range(at, min(count, at + _BATCH))]
        texts = [f"{prefix}{one.title} {one.heading}\n{one.text[:_CHARACTERS]}" for one in passages]
        parts.append(encode(texts))
        if say and at // _BATCH % 20 == 0:
            say(f"글을 임베딩하는 중 (embedding): {at:,}/{count:,}")
    half = file.with_name(f"{file.name}.{os.getpid()}.part")
    try:
        with half.open("wb") as stream:
            np.save(stream, np.concatenate(parts))
        os.replace(half, file)
    except OSError as exc:
        raise ServeError(
            Code.NO_MODEL, f"임베딩을 쓸 수 없습니다: {file} ({exc})", "디스크의 남은 자리를 확인하세요."
        ) from exc
    finally:
        half.unlink(missing_ok=True)
