"""Teachers: whoever is shown a document and answers with text.  The answer is judged elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from data_gen.documents import Document
from data_gen.settings import OpenAISettings, RecordedSettings


@dataclass(frozen=True)
class Reply:
    """What a teacher said, as it said it, and what it cost in tokens (0 when nothing was sent)."""

    text: str
    model: str
    prompt_hash: str = ""
    note: str = ""
    input_tokens: int = 0
    output_tokens: int = 0


class Teacher(Protocol):
    name: str
    concurrency: int

    def ask(self, document: Document, prompt_name: str) -> Reply:
        """One reply.  Raises TeacherFailure with a Korean reason; DataGenError when going on is pointless."""
        ...


def open_teacher(settings: RecordedSettings | OpenAISettings) -> Teacher:
    """The teacher the config names.  Raises DataGenError for a missing key or unreadable recordings."""
    if isinstance(settings, RecordedSettings):
        from data_gen.teachers.recorded import RecordedTeacher

        return RecordedTeacher.from_folder(settings.folder)
    from data_gen.teachers.openai_compatible import OpenAITeacher

    return OpenAITeacher(settings)
