"""The digest: about 60 provisions of the tax laws in this project's own words (taxlaw/data/digest.yaml)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from pathlib import Path

from pydantic import Field, ValidationError

from taxlaw.errors import SourceError
from taxlaw.strict_config import StrictModel


@dataclass(frozen=True)
class Provision:
    """One provision: ``rule`` is our own sentence, ``figures`` are the amounts and rates it turns on."""

    id: str
    law: str
    article: str
    heading: str
    effective: date
    rule: str
    figures: tuple[str, ...]
    area: str


class _Entry(StrictModel):
    id: str = Field(pattern=r"^law:.+:제\d+조(의\d+)?$")
    law: str = Field(min_length=2)
    article: str = Field(pattern=r"^제\d+조(의\d+)?$")
    heading: str = Field(min_length=1)
    effective: date
    rule: str = Field(min_length=10)
    figures: tuple[str, ...] = ()
    area: str = Field(min_length=1)


@cache
def load_digest(path: Path | None = None) -> tuple[Provision, ...]:
    """All provisions, in the order of the file.  Raises SourceError naming the entry that does not fit."""
    import yaml

    source = path or resources.files("taxlaw").joinpath("data/digest.yaml")
    # The C loader reads the file in a tenth of the time; both read the same YAML.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        raw = yaml.load(source.read_text(encoding="utf-8"), Loader=loader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as exc:
        raise SourceError(f"조문 요약을 읽을 수 없습니다: {source}\n  {exc}") from exc
    if not isinstance(raw, list):
        raise SourceError(f"조문 요약은 목록이어야 합니다: {source}")
    provisions: dict[str, Provision] = {}
    for number, row in enumerate(raw, start=1):
        try:
            entry = _Entry.model_validate(row)
        except ValidationError as exc:
            problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in exc.errors())
            raise SourceError(f"조문 요약 {number}번째 항목이 맞지 않습니다: {source}\n  {problems}") from exc
        if entry.id in provisions:
            raise SourceError(f"조문 요약의 id가 겹칩니다 (duplicate id): {entry.id}, {source}")
        provisions[entry.id] = Provision(**entry.model_dump())
    return tuple(provisions.values())
