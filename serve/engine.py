"""Everything that answers, opened once and shared by the command line, the page and the HTTP interface.

One way for every question: its day and its seat -> evidence, if wanted -> messages -> is it short enough -> an answer
already kept -> the backend -> completed, verified -> kept.  The interfaces only draw what comes out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from serve.answer import Answer, Progress, answer_stream, student_messages
from serve.backends.protocol import Backend, GenParams
from serve.errors import Code, ServeError
from serve.prompt import clean_question
from serve.settings import ServeConfig, Student
from serve.teacher import Teacher

Side = Literal["student", "teacher", "base"]


@dataclass(frozen=True)
class Question:
    """``sources``: look evidence up and put it into the prompt.  ``session``: whose question, for the records."""

    text: str
    as_of: date
    sources: bool = False
    session: str | None = None


@dataclass(frozen=True)
class Seat:
    """A local model in one of the panes, with the settings its answers are asked for with."""

    name: str
    backend: Backend
    params: GenParams


@dataclass
class Engine:
    """``base`` is a model without fine-tuning, for comparison; None when none is configured."""

    config: ServeConfig
    student: Seat
    teacher: Teacher
    as_of: date
    described: Student
    base: Seat | None = None

    def answer(self, question: Question, side: Side = "student") -> Iterator[Progress | Answer]:
        """Yield Progress per delta and one Answer last; closing it frees the model.  Raises ServeError."""
        text = clean_question(question.text)
        if not text:
            raise ServeError(Code.USAGE, "질문이 비어 있습니다.", "질문을 적고 다시 물어보세요.")
        if side == "teacher":
            yield from self._from_teacher(text, question)
            return
        seat = self.student if side == "student" else self.base
        if seat is None:
            raise ServeError(Code.NO_MODEL, "비교할 바탕 모델이 없습니다.", "설정의 base에 모델을 적으세요.")
        yield from answer_stream(
            seat.backend, student_messages(text), seat.params, side=side, source=seat.name, as_of=question.as_of
        )

    def _from_teacher(self, text: str, question: Question) -> Iterator[Progress | Answer]:
        choice = self.teacher.choose(text)
        if choice.backend is None:
            raise choice.refusal()
        yield from answer_stream(
            choice.backend,
            self.teacher.messages(text, question.as_of),
            self.teacher.params,
            side="teacher",
            source=choice.label,
            as_of=question.as_of,
            measured=choice.kind == "live",
        )

    def close(self) -> None:
        self.student.backend.close()
        self.teacher.close()
        if self.base is not None:
            self.base.backend.close()


def open_engine(config: ServeConfig, student: Student, as_of: date, folder: Path) -> Engine:
    """Load the student and open the teacher.  ``folder`` is where .env is looked for.  Raises ServeError."""
    from serve.teacher import open_teacher
    from serve.terminal.cli import open_student

    seat = Seat(
        student.name,
        open_student(config, student),
        GenParams(config.student.max_new_tokens, config.student.temperature),
    )
    return Engine(config, seat, open_teacher(config.teacher, folder), as_of, student)
