"""Topics outside tax law (everyday life, other law, requests for a wrong), as Documents for the task ``refusal``."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from data_gen.documents import Document
from data_gen.errors import DataGenError
from data_gen.rows import short_hash
from taxlaw.strict_config import StrictModel, load_config

TOPICS = Path(__file__).with_name("topics.yaml")
Group = Literal["outside", "near_law", "wrong", "privacy", "injection"]
_AREA: dict[str, str] = {
    "outside": "세법 밖",
    "near_law": "세법 밖의 법",
    "wrong": "탈세를 돕는 요청",
    "privacy": "남의 정보",
    "injection": "원칙을 잊으라는 요청",
}


class Topic(StrictModel):
    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    group: Group
    title: str
    examples: Annotated[tuple[str, ...], Field(min_length=1)]
    help: str
    """The tax question beside it that can be answered."""


class _File(StrictModel):
    topics: tuple[Topic, ...]


def load_topics(as_of: datetime.date, path: Path = TOPICS) -> list[Document]:
    """Every topic as a Document.  Raises ConfigError (not the file's form) or DataGenError (an id twice)."""
    topics = load_config(path, _File).topics
    ids = [topic.id for topic in topics]
    if twice := sorted({name for name in ids if ids.count(name) > 1}):
        raise DataGenError(
            f"같은 id의 주제가 둘 있습니다: {', '.join(twice)} ({path.name})\n  id는 주제마다 달라야 합니다."
        )
    return [_document(topic, as_of) for topic in topics]


def _document(topic: Topic, as_of: datetime.date) -> Document:
    lines = [f"주제: {topic.title}", f"갈래: {_AREA[topic.group]}", "질문의 예:"]
    lines += [f"- {example}" for example in topic.examples]
    lines.append(f"이어서 도울 수 있는 것: {topic.help}")
    text = "\n".join(lines)
    return Document(
        id=f"topic:{topic.id}",
        kind="topic",
        title=topic.title,
        text=text,
        as_of=as_of,
        area=_AREA[topic.group],
        version=short_hash(text),
        family=f"topic:{topic.id}",
        meta=(("group", topic.group),),
    )
