"""The note beside a refreshed set of tables: for which day it stands, and the digest of each file."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from taxlaw.errors import SourceError


class Manifest(BaseModel):
    """tables.json: ``as_of``: the day the set stands for; ``laws``: law -> the day for which it was fetched."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    layout: int
    as_of: date
    source: str
    laws: dict[str, date]
    files: dict[str, str]  # file -> sha256


def read_manifest(text: str, file: Path) -> Manifest:
    """The manifest.  Raises SourceError when it is not one."""
    try:
        return Manifest.model_validate_json(text)
    except ValidationError as exc:
        raise SourceError(
            f"갱신한 표의 목록이 다른 모양입니다: {file}\n  폴더를 지우고 python -m taxlaw update 로 다시 받으세요. ({exc})"
        ) from exc
