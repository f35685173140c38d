"""The YAML of ``collect`` as one strict model: which sources, and the date (기준일) their law is stated for."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from taxlaw.law_api import SHORTEST_PAUSE
from taxlaw.strict_config import StrictModel, load_config

LAWS = "law"


class LawApiSource(StrictModel):
    """law.go.kr's OpenAPI.  The key (OC) comes from the environment or .env (LAW_GO_KR_OC), never from here."""

    kind: Literal["law_api"]
    target: Literal["law", "prec", "expc", "ttSpecialDecc"]
    """law: statutes in force on ``as_of``; prec: precedents; expc: interpretations; ttSpecialDecc: tribunal decisions."""
    names: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """For ``law``: full names or known abbreviations, '소득세법 시행령' or '소령'."""
    queries: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """For the others: words to search for."""
    pages: Annotated[int, Field(ge=1)] | None = None
    """Most pages of each search, 100 entries a page; all when left out."""
    pause: Annotated[float, Field(ge=SHORTEST_PAUSE)] = 1.0
    """Seconds between two requests."""

    @model_validator(mode="after")
    def _right_words(self) -> LawApiSource:
        wanted, other = ("names", "queries") if self.target == LAWS else ("queries", "names")
        if not getattr(self, wanted):
            raise ValueError(f"target: {self.target}에는 {wanted}가 있어야 합니다 ({wanted} needed)")
        if getattr(self, other):
            raise ValueError(f"target: {self.target}에는 {other} 대신 {wanted}를 씁니다 (use {wanted})")
        return self


class LawJsonSource(StrictModel):
    """A folder of responses in the law.go.kr JSON layout: 법령 → 기본정보 / 조문 → 조문단위 → 항 → 호 → 목."""

    kind: Literal["law_json"]
    path: Path


class LawMarkdownSource(StrictModel):
    """A folder kr/<법령명>/{법률,시행령,시행규칙}.md with YAML front matter (the layout of legalize-kr)."""

    kind: Literal["law_markdown"]
    path: Path


class RulingsSource(StrictModel):
    """Rulings: data_main.json, NTS question-answer rows, the site's own responses, casebook rows; a file or a folder."""

    kind: Literal["rulings"]
    path: Path
    as_of: datetime.date | None = None
    """For rulings without a date of their own; the config's when left out (``collect`` fills it in)."""


class WebSource(StrictModel):
    """Blogs, papers, news: {source_type, url, language, title, content, author?, publish_date?, tags?, views?}."""

    kind: Literal["web"]
    path: Path
    as_of: datetime.date | None = None
    """For documents without a publish_date; the config's when left out (``collect`` fills it in)."""


class QuestionsSource(StrictModel):
    """Questions without answers: CSV, JSONL, JSON or Excel."""

    kind: Literal["questions"]
    path: Path
    column: str | None = None
    """Name of the column (or key) that holds the question; found by its name when left out."""
    as_of: datetime.date | None = None
    """The date the questions are asked on; the config's when left out (``collect`` fills it in)."""


PathSource = LawJsonSource | LawMarkdownSource | RulingsSource | WebSource | QuestionsSource
Source = LawApiSource | PathSource


class CollectConfig(StrictModel):
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    out: Path | None = None
    """Corpus folder; corpora/<name> when left out."""
    as_of: datetime.date
    """The date the law is stated for (기준일)."""
    sources: Annotated[tuple[Annotated[Source, Field(discriminator="kind")], ...], Field(min_length=1)]

    @property
    def folder(self) -> Path:
        return self.out or Path("corpora") / self.name


def load_collect_config(path: Path) -> CollectConfig:
    """Read a collect config.  Raises ConfigError naming every wrong key, DataGenError when the file holds a key."""
    from data_gen.settings import refuse_keys

    if path.is_file():
        refuse_keys(path)
    return load_config(path, CollectConfig)
