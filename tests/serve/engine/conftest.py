"""Doubles for the engine: a local model whose answers may be kept, a search that finds one article, records in a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from serve.answer import Answer
from serve.backends.fake import FakeBackend
from serve.backends.protocol import BackendInfo, GenParams
from serve.engine import Engine, Question, Seat
from serve.records.cache import AnswerCache
from serve.records.database import open_database
from serve.records.store import Records
from serve.settings import Student
from serve.teacher import RecordedTeacher, Teacher
from taxlaw.search.passages import Hit, Passage

DAY = date(2025, 12, 1)
ARTICLE = Passage(
    "law:소득세법:제55조",
    "article",
    "소득세법 제55조",
    "① 종합소득 과세표준에 세율을 적용한다.\n② 퇴직소득은 따로 계산한다.",
    "세율",
    date(2025, 1, 1),
    None,
    "https://www.law.go.kr/x",
    "소득세법.md",
)


@dataclass
class Local(FakeBackend):
    """A fake with a name for its weights, so that its answers may be kept, and a window of ``window`` tokens (words)."""

    sha256: str | None = "aa"
    window: int = 2048
    device: str | None = "cpu"
    host: str = "시험용 모델"

    def info(self) -> BackendInfo:
        return BackendInfo(self.name, self.host, self.window, self.sha256, "bb", self.device, "Q8_0")


class Index:
    """A search that finds the one article, whatever is asked."""

    def __init__(self, *hits: Hit) -> None:
        self.hits = hits or (Hit(ARTICLE, 1.0, 1, ("조문 지정",)),)
        self.asked: list[str] = []

    def find(self, question: str, as_of: date, limit: int = 5) -> tuple[Hit, ...]:
        self.asked.append(question)
        return self.hits[:limit]


@pytest.fixture
def local() -> type[Local]:
    return Local


@pytest.fixture
def remote() -> Callable[[], Local]:
    """A priced teacher at api.example.com."""
    return lambda: Local("gpt-4o-mini", sha256=None, device="remote", host="api.example.com")


@pytest.fixture
def index() -> type[Index]:
    return Index


@pytest.fixture
def article() -> Passage:
    return ARTICLE


@pytest.fixture
def build(demo_config) -> Callable[..., Engine]:
    def engine(student: FakeBackend, live: FakeBackend | None = None, **parts) -> Engine:
        config = demo_config(teacher={"personal_data": parts.pop("personal_data", "block")})
        teacher = Teacher(config.teacher, live, parts.pop("recorded", RecordedTeacher({}, "")))
        seat = Seat("student-Q8_0", student, parts.pop("params", GenParams(512, 0.0)))
        return Engine(config, seat, teacher, DAY, Student(Path("s.gguf"), "student-Q8_0"), **parts)

    return engine


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    kept = Records(open_database(tmp_path / "r.sqlite"), AnswerCache(10), print)
    yield kept
    kept.close()


@pytest.fixture
def last() -> Callable[..., Answer]:
    """The finished answer to a question, or to a text asked on 2025-12-01."""

    def ask(engine: Engine, question: Question | str, side: str = "student") -> Answer:
        question = Question(question, DAY) if isinstance(question, str) else question
        *_, answer = engine.answer(question, side)
        assert isinstance(answer, Answer)
        return answer

    return ask
