"""Teachers: whoever is shown a document and answers.  The answer's form is checked here, its truth elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from data_gen.asking.values import Usage
from data_gen.documents import Document
from data_gen.tasks import Task
from taxlaw.strict_config import StrictModel


@dataclass(frozen=True)
class Reply:
    """A valid answer to one task about one document, and what it cost.  ``stored``: it was here already, nothing was sent."""

    answer: StrictModel
    text: str
    model: str
    prompt_hash: str = ""
    note: str = ""
    request: str = ""
    """Key of the stored response; empty for a teacher that is asked nothing (recorded)."""
    usage: Usage = field(default_factory=Usage)
    usd: float | None = 0.0
    """Price of the whole reply with its failed answers before it; None: no price known."""
    seconds: float = 0.0
    stored: bool = False


class Desk(Protocol):
    """Where a run asks its teacher.  One per run; ``places`` is how many documents may be under way at once."""

    name: str
    places: int

    async def ask(self, document: Document, task: Task) -> Reply:
        """One valid reply.  Raises TeacherFailure with a Korean reason; DataGenError when going on is pointless."""
        ...

    async def close(self) -> None: ...
