"""A teacher as configured: inline in a build's YAML, or by name in configs/teachers.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from taxlaw.strict_config import StrictModel

ENV_NAME = r"[A-Z][A-Z0-9_]*"


class RecordedSettings(StrictModel):
    kind: Literal["recorded"]
    folder: Path | None = None
    """Folder of *.jsonl recordings; the package's own when left out."""
    missing: Literal["fail", "skip"] = "fail"
    """A document without a recording: a failure with its reason, or not asked about at all."""


class OpenAISettings(StrictModel):
    """Any endpoint that speaks OpenAI's /chat/completions."""

    kind: Literal["openai"]
    model: str
    key_env: Annotated[str, Field(pattern=f"^{ENV_NAME}$")] = "OPENAI_API_KEY"
    """Name of the environment variable (or .env entry) that holds the key."""
    base_url: str | None = None
    """OpenAI's own when left out."""
    answer_format: Literal["json_schema", "json_object", "none"] = "json_object"
    """How the endpoint is told the form of the answer: the task's JSON schema, any JSON object, or in words only."""
    system_role: bool = True
    """Send the preamble as a system message; off for endpoints that know none (it then opens the user's message)."""
    temperature: float | None = None
    reasoning_effort: Literal["minimal", "low", "medium", "high"] | None = None
    max_output_tokens: Annotated[int, Field(gt=0)] = 2000
    """A reply cut off here is asked again with twice the room, up to ``most_output_tokens``."""
    most_output_tokens: Annotated[int, Field(gt=0)] = 8000
    token_limit_key: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    """OpenAI's reasoning models want the second name; most compatible servers know only the first."""
    concurrency: Annotated[int, Field(ge=1, le=1024)] = 16
    """Most calls in flight.  The run starts lower, grows while all is well and shrinks on 429."""
    rpm: Annotated[float, Field(gt=0)] | None = None
    """Requests a minute the account allows; None: found out from 429 alone."""
    tpm: Annotated[float, Field(gt=0)] | None = None
    """Tokens a minute, input and output together."""
    retries: Annotated[int, Field(ge=0)] = 5
    """Of one request after 429, 5xx, a lost or hanging connection."""
    answers: Annotated[int, Field(ge=1)] = 3
    """Answers paid for before a malformed, empty, cut or refused one is given up."""
    timeout_s: Annotated[float, Field(gt=0)] = 120.0
    batch: bool = False
    """The endpoint offers /files and /batches (half price, within a day)."""


TeacherSettings = RecordedSettings | OpenAISettings
