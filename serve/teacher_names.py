"""Endpoints by name: what configs/teachers.yaml says of them, as far as serving asks.

The building of data sets reads the same file with settings of its own; how many calls at once, answer formats and batches
are its business and are let through unread.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from taxlaw.strict_config import StrictModel, load_config

TEACHERS_FILE = Path("configs/teachers.yaml")


class NamedTeacher(StrictModel):
    """One endpoint.  The keys from ``answer_format`` on are for building data sets."""

    kind: Literal["openai"]
    model: str
    key_env: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")] = "OPENAI_API_KEY"
    base_url: str | None = None
    system_role: bool | None = None
    token_limit_key: Literal["max_tokens", "max_completion_tokens"] | None = None
    reasoning_effort: Literal["minimal", "low", "medium", "high"] | None = None
    timeout_s: Annotated[float, Field(gt=0)] | None = None
    answer_format: Any = None
    temperature: Any = None
    max_output_tokens: Any = None
    most_output_tokens: Any = None
    concurrency: Any = None
    rpm: Any = None
    tpm: Any = None
    retries: Any = None
    answers: Any = None
    batch: Any = None


class Recorded(StrictModel):
    kind: Literal["recorded"]
    folder: Any = None
    missing: Any = None


class TeacherBook(StrictModel):
    teachers: dict[str, Annotated[Recorded | NamedTeacher, Field(discriminator="kind")]]


def find_named(name: str, path: Path = TEACHERS_FILE) -> NamedTeacher | None:
    """The endpoint of that name; None when the file or the name is not there.  Raises taxlaw.errors.ConfigError."""
    if not path.is_file():
        path = Path(__file__).resolve().parent.parent / path
    if not path.is_file():
        return None
    found = load_config(path, TeacherBook).teachers.get(name)
    return found if isinstance(found, NamedTeacher) else None
