"""A model that is opened by the first question put to it, so that a pane nobody uses costs no memory and no start.

For models of this machine only: whether a question leaves it has to be known before it is asked.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence

from serve.backends.protocol import Backend, BackendInfo, Delta, GenParams, Message


class WhenAsked:
    """``opening`` makes the backend; what it raises is told to whoever asked, and the next question tries again.

    ``context_tokens``: what a prompt may have, as long as the model itself cannot be asked.
    """

    def __init__(self, name: str, context_tokens: int, opening: Callable[[], Backend]) -> None:
        self._waiting = BackendInfo(name, "처음 물을 때 엽니다", context_tokens)
        self._opening = opening
        self._backend: Backend | None = None
        self._lock = threading.Lock()

    def stream(self, messages: Sequence[Message], params: GenParams) -> Iterator[Delta]:
        yield from self._opened().stream(messages, params)

    def count_tokens(self, messages: Sequence[Message]) -> int | None:
        return self._opened().count_tokens(messages)

    def info(self) -> BackendInfo:
        """The model's own once it is open; never opens it."""
        backend = self._backend
        return self._waiting if backend is None else backend.info()

    def close(self) -> None:
        with self._lock:
            if self._backend is not None:
                self._backend.close()

    def _opened(self) -> Backend:
        with self._lock:
            if self._backend is None:
                self._backend = self._opening()
            return self._backend
