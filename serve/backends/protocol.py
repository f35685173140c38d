"""What the command line and the page need from a model: a stream of text, a token count, a name.

Holds the values and the protocol.  Knows nothing of tax law, of GGUF or of HTTP: see its neighbours in this folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Finish = Literal["stop", "length", "superseded", "filtered"]


@dataclass(frozen=True)
class Message:
    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True)
class GenParams:
    """``max_new_tokens`` in tokens; ``temperature`` 0 is greedy, None leaves it to a remote endpoint."""

    max_new_tokens: int = 512
    temperature: float | None = 0.0


@dataclass(frozen=True)
class Delta:
    """One step of a stream.  Counts and ``finish`` are set once, on the last delta (None when unknown)."""

    text: str = ""
    tokens: int = 0  # generated tokens this delta stands for
    finish: Finish | None = None
    prompt_tokens: int | None = None
    new_tokens: int | None = None


@dataclass(frozen=True)
class BackendInfo:
    name: str
    detail: str
    context_tokens: int | None = None


class Backend(Protocol):
    def stream(self, messages: Sequence[Message], params: GenParams) -> Iterator[Delta]:
        """Yield deltas; closing the iterator stops the work.  Raises ServeError."""
        ...

    def count_tokens(self, messages: Sequence[Message]) -> int | None:
        """Prompt length in tokens, or None when only the far end knows."""
        ...

    def info(self) -> BackendInfo: ...

    def close(self) -> None: ...
