"""One asking on a terminal: the student, and the teacher when wanted, through the engine, drawn as their answers come."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TextIO

from serve.answer import Answer, Progress
from serve.backends.protocol import Message
from serve.complete import is_for_code, looks_like_call
from serve.engine import Engine, Question, Side
from serve.errors import Code, ServeError
from serve.terminal.screen import Printer, fitted, is_terminal, paint
from serve.terminal.words import finished_text, notes_of

if TYPE_CHECKING:
    from types import FrameType

NOTICE = "AI가 생성한 답변입니다 (AI 기본법 제31조). 세무 자문이 아닙니다 (세무사법 제2조·제20조)."
_TURNS = 4  # a student is trained on short conversations
SIDES = {"student": "학생", "teacher": "교사"}


@dataclass
class Session:
    """What stays the same between questions, and where things are written.

    ``quiet``: nothing is drawn (``--json``, ``--output_file``).  ``consent``: asks whether the question may leave this
    machine for the host it is given; None where ``--teacher`` itself is the consent.
    """

    engine: Engine
    out: TextIO
    err: TextIO
    teacher: bool = False
    sources: bool = False
    stats: bool = False
    quiet: bool = False
    consent: Callable[[str], bool] | None = None
    context: bool = False  # earlier turns are shown to the model
    records: Any = None  # id of this session in the records, None when none are kept
    told: bool = False  # whether the person knows to whom questions go

    def note(self, text: str, style: str = "note") -> None:
        print(paint(fitted(text, self.err), style, self.err), file=self.err, flush=True)


@dataclass
class Reply:
    """What came of one question, by side: an answer, an error, or the text there was when it was stopped."""

    question: str
    sides: dict[Side, Answer | ServeError | str] = field(default_factory=dict)

    @property
    def failure(self) -> ServeError | None:
        return next((came for came in self.sides.values() if isinstance(came, ServeError)), None)

    @property
    def stopped(self) -> bool:
        return any(isinstance(came, str) for came in self.sides.values())

    def record(self) -> dict:
        """The reply as JSON: the student's completed answer, then each side in full or with its error."""
        student = self.sides.get("student")
        answer = student.completion.final if isinstance(student, Answer) else None
        record: dict = {"question": self.question, "answer": answer, "student": None}
        for side, came in self.sides.items():
            if isinstance(came, Answer):
                record[side] = came.as_dict()
            elif isinstance(came, ServeError):
                record[side] = {"error": {"code": str(came.code), "message": came.message, "hint": came.hint}}
            else:
                record[side] = {"interrupted": True, "answer": came}
        return record


class Stopped(KeyboardInterrupt):
    """Ctrl-C ended this asking; ``reply`` holds what there was."""

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self.reply = reply


class _Again(KeyboardInterrupt):
    """A second Ctrl-C while the first one was being dealt with."""


def ask(session: Session, text: str, earlier: Sequence[Reply] = (), fresh: bool = False) -> Reply:
    """Ask each wanted side in turn; ``earlier``: what it is shown of the conversation; ``fresh``: a kept answer won't do.

    Failures are drawn and kept in the reply.  Raises Stopped on Ctrl-C.
    """
    reply = Reply(text)
    engine = session.engine
    sides: tuple[Side, ...] = ("student", "teacher") if session.teacher else ("student",)
    question = engine.begin(Question(text, engine.as_of, session.sources, session.records, fresh=fresh))
    if session.sources and engine.search is None:
        session.note("근거를 찾을 색인이 없어 근거 없이 묻습니다.")
    with _ctrl_c_stops():
        for side in sides:
            drawn = _Drawing(session, titled=session.teacher)
            try:
                if side == "teacher" and not _may_leave(session, text):
                    continue
                asked = replace(question, history=_history(engine, question, earlier, side))
                reply.sides[side] = drawn.show(engine, asked, side)
            except ServeError as exc:
                reply.sides[side] = exc
                drawn.end_line()
                session.note(f"오류: {exc}", "bad")
            except _Again:
                raise
            except KeyboardInterrupt as exc:
                reply.sides[side] = drawn.text
                drawn.end_line()
                raise Stopped(reply) from exc
    return reply


def _history(engine: Engine, question: Question, earlier: Sequence[Reply], side: Side) -> tuple[Message, ...]:
    """The newest turns this side answered itself, as many as leave room for the question."""
    turns: list[Message] = []
    for reply in earlier[-_TURNS:]:
        came = reply.sides.get(side)
        if isinstance(came, Answer):
            turns += [Message("user", reply.question), Message("assistant", came.completion.words)]
    while turns:
        tokens, limit = engine.size(replace(question, history=tuple(turns)), side)
        if tokens is None or limit is None or tokens <= limit:
            break
        del turns[:2]
    return tuple(turns)


def _may_leave(session: Session, text: str) -> bool:
    """Say to whom the question goes before it goes there for the first time; ask where somebody can answer."""
    host = session.engine.outside()
    choice = session.engine.teacher.choose(text)
    if host is None or choice.backend is None:
        return True
    if not session.told:
        if session.consent is None:
            session.note(f"교사에게 물으므로 질문이 이 컴퓨터 밖으로 나갑니다: {host}")
        elif not session.consent(host):
            session.teacher = False
            session.note("보내지 않았습니다. 교사를 껐습니다 (/teacher로 다시 켭니다).")
            return False
        session.told = True
    if choice.sent is not None:
        session.note(choice.hint, "bad")
    return True


class _Drawing:
    """The drawing of one answer; ``text`` is what the model has written so far."""

    def __init__(self, session: Session, titled: bool) -> None:
        self._session = session
        self._titled = titled
        self._printer = Printer(session.out)
        self._shown = ""
        self._held = False
        self._waits = False
        self.text = ""

    def show(self, engine: Engine, question: Question, side: Side) -> Answer:
        """Draw the stream of one side and return its answer; a calculator call is held back until code has finished it."""
        answer = None
        self._title(engine, question, side)
        try:
            # An index that is built first reports its progress on the same lines.
            self._wait(not question.sources or getattr(engine.search, "texts", True) is not None)
            with closing(engine.answer(question, side)) as steps:
                for step in steps:
                    self._wait(False)
                    if isinstance(step, Answer):
                        answer = step
                    else:
                        self._progress(step)
        finally:
            self._wait(False)
        if answer is None:
            raise ServeError(Code.BAD_REPLY, "답이 끝나기 전에 끊겼습니다.", "다시 물어보세요.", side=side)
        if not self._session.quiet:
            # A call was held back; of prose only what came with the very end is missing, of a working what follows the
            # lines that were found right.
            words = answer.completion.words
            if not words.startswith(self._shown):  # what was shown is written otherwise now: all of it again, below
                self.end_line()
            self._printer.line(words[len(self._shown) :] if self._shown else finished_text(answer))
            self._shown = ""
            for text, style in notes_of(answer, stats=self._session.stats, sources=self._session.sources):
                self._session.note(text, style)
        return answer

    def end_line(self) -> None:
        """End the line of a text that breaks off, so that what follows stands on its own."""
        if self._shown and not self._session.quiet:
            self._printer.line()
            self._shown = ""

    def _wait(self, waiting: bool) -> None:
        """Say on a terminal that the model is at work, until its first word takes that place."""
        err = self._session.err
        if waiting == self._waits or self._session.quiet or not (is_terminal(err) and is_terminal(self._session.out)):
            return
        self._waits = waiting
        print(paint("답을 기다립니다…", "note", err) if waiting else "\r\x1b[K", end="", file=err, flush=True)

    def _title(self, engine: Engine, question: Question, side: Side) -> None:
        if not self._titled or self._session.quiet:
            return
        if side == "teacher":
            choice = engine.teacher.choose(question.text)
            if choice.backend is None:
                return  # the error that follows says why
            name = choice.label
        else:
            name = engine.student.name
        print(paint(f"── {SIDES[side]} · {name} ──", "title", self._session.out), file=self._session.out, flush=True)

    def _progress(self, step: Progress) -> None:
        self.text = step.text
        if self._session.quiet:
            return
        shown = step.shown
        if is_for_code(shown):
            if not self._held and looks_like_call(shown):
                self._session.note("(질문에서 사실을 읽고 있습니다…)")
            self._held = True
        else:
            self._held = False
            text = shown.strip()  # space at the end waits for what follows it
            fresh, self._shown = text[len(self._shown) :], text
            self._printer.write(fresh)


@contextmanager
def _ctrl_c_stops() -> Iterator[None]:
    """The first Ctrl-C inside raises KeyboardInterrupt, a second one leaves for good."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pressed = 0

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        nonlocal pressed
        pressed += 1
        raise KeyboardInterrupt if pressed == 1 else _Again

    before = signal.signal(signal.SIGINT, on_signal)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
