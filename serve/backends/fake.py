"""A scripted backend: every screen can be tested without a model."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from serve.backends.protocol import BackendInfo, Delta, Finish, GenParams, Message
from serve.backends.turnstile import Turnstile


@dataclass
class FakeBackend:
    """A backend for tests: answers are queued, every request is kept, and a stream records how it ended."""

    name: str = "fake"
    answers: deque = field(default_factory=deque)
    requests: list[tuple[Message, ...]] = field(default_factory=list)
    endings: list[str] = field(default_factory=list)
    turnstile: Turnstile = field(default_factory=Turnstile)
    closed: bool = False
    before_delta: object = None  # optional callable(index), runs before each piece

    def enqueue(self, *pieces: str | BaseException, finish: Finish = "stop") -> FakeBackend:
        """Queue one answer made of pieces; an exception among them is raised when the stream reaches it."""
        self.answers.append((pieces, finish))
        return self

    def stream(self, messages: Sequence[Message], params: GenParams) -> Iterator[Delta]:
        self.requests.append(tuple(messages))
        pieces, finish = self.answers.popleft()
        ticket = None
        for ticket in self.turnstile.approach():
            if ticket is None:
                yield Delta()
        ending = "closed"
        try:
            for index, piece in enumerate(pieces):
                if callable(self.before_delta):
                    self.before_delta(index)
                if isinstance(piece, BaseException):
                    raise piece
                with self.turnstile.step(ticket):
                    delta = Delta(piece, tokens=1)
                yield delta
            yield Delta(finish=finish, prompt_tokens=self.count_tokens(messages), new_tokens=len(pieces))
            ending = "finished"
        finally:
            self.turnstile.leave(ticket)
            self.endings.append(ending)

    def count_tokens(self, messages: Sequence[Message]) -> int:
        return sum(len(message.content.split()) for message in messages)

    def info(self) -> BackendInfo:
        return BackendInfo(self.name, "시험용 모델", 2048)

    def close(self) -> None:
        self.closed = True
