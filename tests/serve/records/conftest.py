"""Answers and records for the tests of serve/records: no model, a clock that is set by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from serve.answer import Answer, Stats
from serve.backends.protocol import BackendInfo, GenParams
from serve.complete import Completion
from serve.records.cache import AnswerCache
from serve.records.database import open_database
from serve.records.store import Records
from taxlaw.findings import Finding, Verdict

INFO = BackendInfo("demo/student-Q8_0", "학생", 2048, model_sha256="a" * 64, template_sha256="b" * 64)
PARAMS = GenParams(64, 0.0)


class Clock:
    """The time of the records; moves only when told to."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **delta: float) -> None:
        self.now += timedelta(**delta)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def records_path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "records.sqlite"


@pytest.fixture
def records(records_path: Path, clock: Clock, said: list[str]):
    opened = Records(
        open_database(records_path), AnswerCache(4), said.append, path=records_path, keep_days=30, now=clock
    )
    yield opened
    opened.close()


@pytest.fixture
def keep(records: Records) -> Callable[..., str | None]:
    """Keep an answer of a side with a text; ``ok``: whether the verifier found no fault in it."""

    def run(turn: str, side: str, text: str, ok: bool = True, finish: str = "stop", **more) -> str | None:
        return records.keep(turn, make_answer(side, text, ok, finish), INFO, PARAMS, **more)

    return run


@pytest.fixture
def answer_of() -> Callable[..., Answer]:
    return make_answer


def make_answer(side: str = "student", text: str = "답", ok: bool = True, finish: str = "stop", **more) -> Answer:
    finding = (
        Finding("citation", "confirmed", (0, 1), f"확인: {text}")
        if ok
        else Finding("number", "fault", (0, 1), f"틀림: {text}", "7원")
    )
    return Answer(
        side,
        f"모델 {side}",
        "질문",
        date(2025, 7, 1),
        Completion(text, text),
        Stats(0.5, 2.5, 21, 7, finish, len(text)),
        Verdict(ok, (finding,)),
        **more,
    )
