"""From the config to something with ``find(question, as_of, limit)``: words alone, or words and models together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Protocol

from serve.retrieval.dense import Dense, open_dense
from serve.retrieval.fusion import fuse
from serve.retrieval.rerank import Reranker, open_reranker
from serve.settings import RetrievalConfig
from taxlaw.search import Hit, Search, open_search
from taxlaw.search.sources import found_folders

_DEEP = 50  # hits of each ranking that are fused
_READ = 20  # fused hits that a cross-encoder reads
_NAMED = ("조문 지정", "문서번호 지정")


class Finder(Protocol):
    """What the engine needs of a search."""

    def find(self, question: str, as_of: date, limit: int = 5) -> tuple[Hit, ...]:
        """Passages in force on ``as_of``, best first."""


@dataclass(frozen=True)
class Retrieval:
    """Words first; ``dense`` and ``reranker`` change the order, never the date filter, nor what the question names."""

    search: Search
    dense: Dense | None = None
    reranker: Reranker | None = None

    def find(self, question: str, as_of: date, limit: int = 5) -> tuple[Hit, ...]:
        """The best passages of the fused rankings (reciprocal rank, k=60), reranked when there is a cross-encoder."""
        found = self.search.find(question, as_of, max(limit, _DEEP))
        named = tuple(hit for hit in found if set(hit.why) & set(_NAMED))
        ranked = tuple(hit for hit in found if hit not in named)
        if self.dense is not None:
            ranked = fuse(ranked, self.dense.find(question, as_of, _DEEP), leave_out={hit.passage.id for hit in named})
        if self.reranker is not None:
            ranked = self.reranker.order(question, ranked[:_READ])
        chosen = (*named, *ranked)[:limit]
        return tuple(replace(hit, rank=rank) for rank, hit in enumerate(chosen, start=1))


def folders_of(config: RetrievalConfig, root: Path) -> tuple[Path, ...]:
    """The folders to search; ``root`` is where corpora/ is looked for when the config names none."""
    return found_folders(root.resolve()) if config.folders is None else config.folders


def open_retrieval(config: RetrievalConfig, root: Path, say: Callable[[str], None] | None = None) -> Finder:
    """Open (and build, when its content is new) what the config asks for.

    Raises SourceError for a folder that cannot be read and ServeError(NO_MODEL) for a model that cannot be opened.
    """
    search = open_search(folders_of(config, root), say=say)
    if config.dense is None and config.rerank is None:
        return search
    dense = open_dense(config.dense, search, say) if config.dense else None
    return Retrieval(search, dense, open_reranker(config.rerank) if config.rerank else None)
