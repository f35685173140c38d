"""What the command line and the page need from a model: a stream of text, a token count, a name.

Holds the values and the protocol.  Knows nothing of tax law, of GGUF or of HTTP: see its neighbours in this folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

Finish = Literal["stop", "length", "superseded", "filtered"]


@dataclass(frozen=True)
class Message:
    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True)
class GenParams:
    """``max_new_tokens`` in tokens; ``temperature`` 0 is greedy, None leaves it to a remote endpoint.

    ``top_p`` is the share of probability sampled from (0 to 1], None all of it; ``seed`` None is a new draw every time.
    """

    max_new_tokens: int = 512
    temperature: float | None = 0.0
    top_p: float | None = None
    seed: int | None = None

    @property
    def deterministic(self) -> bool:
        """Whether the same question to the same model must give the same answer, so that one may be kept and shown again."""
        return self.temperature == 0 or (self.temperature is not None and self.seed is not None)


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
    """What answers: ``detail`` is for people, the rest for records.  None where the backend cannot know.

    ``model_sha256`` is of the weights' file; ``template_sha256`` of the chat template's text (hash of its UTF-8);
    ``device`` is ``cpu``, ``cuda``, ``mps``, ``metal``, ``local`` (another process of this machine) or ``remote``;
    ``quantisation`` e.g. ``Q8_0``, ``nf4``, ``gptq``.
    """

    name: str
    detail: str
    context_tokens: int | None = None
    model_sha256: str | None = None
    template_sha256: str | None = None
    device: str | None = None
    quantisation: str | None = None


class Backend(Protocol):
    def stream(self, messages: Sequence[Message], params: GenParams) -> Iterator[Delta]:
        """Yield deltas; closing the iterator stops the work.  Raises ServeError."""
        ...

    def count_tokens(self, messages: Sequence[Message]) -> int | None:
        """Prompt length in tokens, or None when only the far end knows."""
        ...

    def info(self) -> BackendInfo: ...

    def close(self) -> None: ...


@runtime_checkable
class Rereads(Protocol):
    """A backend that can also say what else it might have answered (taxlaw.rereading)."""

    def readings(self, messages: Sequence[Message], params: GenParams, beginning: str = "") -> Iterator[str | None]:
        """Yield the texts after the greedy one, the likeliest first; None while it waits.  Raises ServeError.

        ``beginning``: what each of them begins with.
        """
        ...
