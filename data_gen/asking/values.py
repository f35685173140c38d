"""What passes between the parts that ask: a request, what was stored of its response, what it used.  Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# What a stored response is worth.  Only "ok" is used; the rest were paid for and are kept as evidence with their reason.
Status = Literal["ok", "length", "refusal", "empty", "malformed", "filtered"]


@dataclass(frozen=True)
class Usage:
    """Tokens the endpoint counted.  ``cached`` is part of ``input``, ``reasoning`` part of ``output``."""

    input: int = 0
    cached: int = 0
    output: int = 0
    reasoning: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input + other.input,
            self.cached + other.cached,
            self.output + other.output,
            self.reasoning + other.reasoning,
        )


@dataclass(frozen=True)
class Request:
    """One question to a teacher.  ``key`` is the SHA-256 of ``body`` as canonical JSON: equal bodies are one request.

    ``body`` is exactly what is POSTed to /chat/completions, by a live call or as a line of a batch file.
    """

    key: str
    body: dict
    teacher: str
    task: str
    document_id: str


@dataclass(frozen=True)
class Stored:
    """A response as it is kept.  ``text`` is the answer without its reasoning; ``via`` is live or batch."""

    key: str
    teacher: str
    model: str
    task: str
    document_id: str
    status: Status
    reason: str
    text: str
    reasoning: str
    finish_reason: str
    response_id: str
    usage: Usage
    usd: float | None
    """None when the model has no price in the table."""
    seconds: float
    via: Literal["live", "batch"]
    received: str
    """UTC, ISO."""
