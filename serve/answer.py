"""One question through one backend: stream, time, complete, verify.  Shared by the command line and the page."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from serve.backends.protocol import Backend, Finish, GenParams, Message
from serve.complete import Completion, complete
from serve.prompt import clean_question

FINISH_KO = {
    "stop": "끝까지 씀",
    "length": "길이 한도에서 잘림",
    "superseded": "다음 질문에 자리를 내줌",
    "filtered": "제공자의 필터가 막음",
}


@dataclass(frozen=True)
class Stats:
    """Times in seconds from asking, sizes in tokens; None where the backend does not know."""

    first_seconds: float | None = None
    seconds: float = 0.0
    new_tokens: int | None = None
    prompt_tokens: int | None = None
    finish: Finish | None = None

    @property
    def tokens_per_second(self) -> float | None:
        """Decoding speed after the first token, so that reading the prompt does not count."""
        if self.first_seconds is None or not self.new_tokens or self.new_tokens < 2:
            return None
        decoding = self.seconds - self.first_seconds
        return (self.new_tokens - 1) / decoding if decoding > 0 else None


@dataclass(frozen=True)
class Progress:
    text: str
    stats: Stats


@dataclass(frozen=True)
class Answer:
    """A finished answer.  ``verdict`` is taxlaw.verify.Verdict on ``completion.final``."""

    side: Literal["student", "teacher"]
    source: str
    question: str
    as_of: date
    completion: Completion
    stats: Stats
    verdict: Any
    measured: bool = True  # False for a recording, whose speed says nothing

    def as_dict(self) -> dict:
        """The answer as JSON; ``answer`` is the model's own text, ``completed`` what was verified."""
        stats = self.stats
        return {
            "side": self.side,
            "source": self.source,
            "question": self.question,
            "as_of": self.as_of.isoformat(),
            "answer": self.completion.raw,
            "completed": self.completion.final,
            "facts": dict(self.completion.facts),
            "computed_by_code": self.completion.working,
            "problem": self.completion.problem,
            "verdict": {
                "ok": self.verdict.ok,
                "summary": self.verdict.summary(),
                "findings": [
                    {
                        "kind": str(finding.kind),
                        "severity": str(finding.severity),
                        "message": finding.message,
                        "expected": None if finding.expected is None else str(finding.expected),
                    }
                    for finding in self.verdict.findings
                ],
            },
            "stats": {
                "first_token_seconds": _rounded(stats.first_seconds, 3) if self.measured else None,
                "tokens_per_second": _rounded(stats.tokens_per_second, 1) if self.measured else None,
                "seconds": round(stats.seconds, 3) if self.measured else None,
                "prompt_tokens": stats.prompt_tokens,
                "new_tokens": stats.new_tokens,
                "finish": stats.finish,
            },
        }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def student_messages(question: str) -> tuple[Message, ...]:
    """The student is trained on single questions without a system turn; each question stands alone."""
    return (Message("user", clean_question(question)),)


def answer_stream(
    backend: Backend,
    messages: Sequence[Message],
    params: GenParams,
    *,
    side: Literal["student", "teacher"],
    source: str,
    as_of: date,
    measured: bool = True,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Progress | Answer]:
    """Yield Progress per delta and one Answer last.  Closing it closes the backend's stream.  Raises ServeError."""
    from taxlaw.verify import verify

    question = messages[-1].content
    start = clock()
    text, first, tokens, prompt_tokens, finish = "", None, 0, None, None
    with closing(backend.stream(messages, params)) as deltas:
        for delta in deltas:
            text += delta.text
            tokens += delta.tokens
            if first is None and (delta.text or delta.tokens):
                first = clock() - start
            finish = delta.finish or finish
            prompt_tokens = delta.prompt_tokens if delta.prompt_tokens is not None else prompt_tokens
            tokens = delta.new_tokens if delta.new_tokens is not None else tokens
            stats = Stats(first, clock() - start, tokens or None, prompt_tokens, finish)
            if not delta.finish:
                yield Progress(text, stats)
    completion = complete(text, as_of, question)
    verdict = verify(question, completion.final, as_of)
    yield Answer(side, source, question, as_of, completion, stats, verdict, measured)
