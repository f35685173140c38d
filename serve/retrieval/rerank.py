"""A cross-encoder reads the question beside each passage and orders the few that were found.  Off by default."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from serve.retrieval.dense import missing_model
from taxlaw.search import Hit

_CHARACTERS, _TOKENS = 1500, 512
Judge = Callable[[str, Sequence[str]], Sequence[float]]  # question, passages -> how well each answers


@dataclass(frozen=True)
class Reranker:
    """``judge``: the model, or a double of it."""

    judge: Judge

    def order(self, question: str, hits: Sequence[Hit]) -> tuple[Hit, ...]:
        """The same hits, best first by the model; ties keep their order."""
        if not hits:
            return ()
        texts = [f"{hit.passage.title} {hit.passage.heading}\n{hit.passage.text[:_CHARACTERS]}" for hit in hits]
        scores = self.judge(question, texts)
        order = sorted(range(len(hits)), key=lambda at: -scores[at])
        return tuple(
            replace(hits[at], score=round(float(scores[at]), 4), rank=rank) for rank, at in enumerate(order, start=1)
        )


def open_reranker(model: str) -> Reranker:
    """A sequence classifier with one output (or two, the second for a match).  Raises ServeError(NO_MODEL)."""
    try:
        import torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(model)
        opened = AutoModelForSequenceClassification.from_pretrained(model)
    except (OSError, ValueError, ImportError) as exc:
        raise missing_model("재정렬 모델", model, exc) from exc
    opened.eval()
    lock = threading.Lock()

    def judge(question: str, passages: Sequence[str]) -> Sequence[float]:
        pairs = tokenizer(
            [question] * len(passages),
            list(passages),
            padding=True,
            truncation="only_second",
            max_length=_TOKENS,
            return_tensors="pt",
        )
        with lock, torch.inference_mode():
            return opened(**pairs).logits[:, -1].float().tolist()

    return Reranker(judge)
