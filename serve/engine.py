"""Everything that answers, opened once and shared by the command line, the page and the HTTP interface.

One way for every question: its day and its seat -> evidence, if wanted -> messages -> is it short enough -> an answer
already kept -> the backend -> completed, verified -> kept.  The interfaces only draw what comes out.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from serve import look_up
from serve.answer import Answer, Asked, Progress, Side, Stats, count_characters, settle, stream_answer, student_messages
from serve.backends.protocol import Backend, GenParams, Message
from serve.errors import Code, ServeError
from serve.evidence import Evidence
from serve.plan import Plan, check_size, room_for, size_of, user_turn
from serve.prices import FREE, Cost, Prices
from serve.private_data import mask
from serve.prompt import clean_question
from serve.settings import ServeConfig, Student
from serve.teacher import Teacher

__all__ = ["Engine", "Question", "Seat", "Side", "open_engine"]

STOPPED = "stopped"  # beside the codes of ServeError in the records: somebody ended the answer, its text is not kept
_TEACHER_EVIDENCE = 6000  # characters; the student has what it was trained with (taxlaw.evidence_prompt)


@dataclass(frozen=True)
class Question:
    """``sources``: look evidence up and put it into the prompt.  ``session``, ``turn``: of the records, whose question it is.

    The panes of one asking share one turn (``Engine.begin``).  ``fresh``: ask the model even if this answer is kept.
    ``params``: other settings than the seat's.  ``history``: earlier turns, oldest first, which a student is trained to read.
    """

    text: str
    as_of: date
    sources: bool = False
    session: Any = None
    turn: Any = None
    fresh: bool = False
    params: GenParams | None = None
    history: tuple[Message, ...] = ()


@dataclass(frozen=True)
class Seat:
    """A local model in one of the panes, with the settings its answers are asked for with."""

    name: str
    backend: Backend
    params: GenParams


@dataclass
class Engine:
    """``base`` is a model without fine-tuning, for comparison; ``search``, ``records``: None when not configured.

    May be called from many threads at once.
    """

    config: ServeConfig
    student: Seat
    teacher: Teacher
    as_of: date
    described: Student
    base: Seat | None = None
    search: Any = None
    records: Any = None
    prices: Prices | None = None

    def answer(self, question: Question, side: Side = "student") -> Iterator[Progress | Answer]:
        """Yield Progress per delta and one Answer last; closing it frees the model.  Raises ServeError."""
        question = self.begin(question)
        plan, ended = None, False
        try:
            plan = self._plan(question, side)
            check_size(plan)
            shown = self._if_it_asks(plan, question)
            for tried in (plan, shown):
                if tried and (kept := self._kept(tried, question)):
                    again, ended = self._keep(_given_again(kept, tried.asked), tried, question, None), True
                    yield again
                    return
            for answered, step in _stream(plan, shown):
                if isinstance(step, Answer):
                    step, ended = self._keep(step, answered, question, self._key(answered)), True
                yield step
        except ServeError as exc:
            self._keep_failure(str(exc.code), plan, question, side)
            raise
        except (GeneratorExit, KeyboardInterrupt):
            if not ended:
                self._keep_failure(STOPPED, plan, question, side)
            raise

    def size(self, question: Question, side: Side = "student") -> tuple[int | None, int | None]:
        """(tokens of the prompt, most tokens it may have); None where only the far end knows.  Raises ServeError."""
        # Without evidence, which gives way to what the model can read.
        return size_of(self._plan(replace(question, sources=False), side))

    def outside(self, side: Side = "teacher") -> str | None:
        """The host to which questions to this side go, or None when they stay on this machine."""
        if side == "teacher":
            return self.teacher.outside()
        seat = self.student if side == "student" else self.base
        info = seat.backend.info() if seat else None
        return info.detail if info and info.device == "remote" else None

    def sources(self, question: Question) -> tuple[Any, ...]:
        """The evidence found for a question (taxlaw.search.Hit), best first; () without an index."""
        limit = self.config.retrieval.limit
        return self.search.find(clean_question(question.text), question.as_of, limit) if self.search else ()

    def prepare(self) -> None:
        """For a program that stays: what is slow to open is opened now, beside everything else."""
        if isinstance(self.search, Evidence):
            self.search.prepare(build=True)

    def begin(self, question: Question) -> Question:
        """``question`` with a turn of the records, so that the answers of its panes belong together."""
        if self.records is None or question.session is None or question.turn is not None:
            return question
        turn = self.records.new_turn(question.session, clean_question(question.text), question.as_of)
        return replace(question, turn=turn)

    def _plan(self, question: Question, side: Side) -> Plan:
        text = clean_question(question.text)
        if not text:
            raise ServeError(Code.USAGE, "질문이 비어 있습니다.", "질문을 적고 다시 물어보세요.")
        earlier = tuple(one.content for one in question.history if one.role == "user")
        asked = Asked(side, "", text, question.as_of, earlier=earlier, search=_texts(self.search))
        if side == "teacher":
            return self._teacher_plan(text, question, asked)
        seat = self.student if side == "student" else self.base
        if seat is None:
            raise ServeError(
                Code.NO_MODEL, "비교할 바탕 모델이 없습니다.", "설정의 base에 모델을 적으세요.", side="base"
            )
        params = question.params or seat.params
        hits = self.sources(question) if question.sources else ()
        price = self._price(seat.backend, self.outside(side))
        asked = replace(asked, source=seat.name, sources=hits, sources_read=False, price=price)
        plan = Plan(seat.backend, (*question.history, *student_messages(text)), params, asked)
        if side == "base" or (self.described.reads_evidence and not self.described.asks_evidence):
            return self._shown(plan, text, hits, question.history)
        return plan

    def _if_it_asks(self, plan: Plan, question: Question) -> Plan | None:
        """What a student that asks for evidence is given then; None for all others, and where no text was found to read.

        It learned to quote: from names of articles alone, which is all there is without a statutes folder, it makes words up.
        """
        asked = plan.asked
        readable = any(hit.passage.text for hit in asked.sources)
        if asked.side != "student" or not self.described.asks_evidence or not readable:
            return None
        shown = self._shown(plan, asked.question, asked.sources, question.history)
        return shown if shown.asked.sources else None

    def _shown(self, plan: Plan, text: str, hits: Sequence[Any], history: tuple[Message, ...]) -> Plan:
        """``plan`` with as much of the evidence in its prompt as the model can read."""
        turn, shown = user_turn(text, hits, room_for(plan.backend, plan.params), plan.backend, history)
        asked = replace(plan.asked, sources=shown, sources_read=True, turn=turn)
        return replace(plan, messages=(*history, *student_messages(turn)), asked=asked)

    def _teacher_plan(self, text: str, question: Question, asked: Asked) -> Plan:
        choice = self.teacher.choose(text)
        if choice.backend is None:
            raise choice.refusal()
        live = choice.kind == "live"
        sent = choice.sent or text
        hits = self.sources(question) if question.sources and live else ()
        params = question.params or self.teacher.params
        history, room = question.history, room_for(choice.backend, params)
        if self.teacher.outside():
            history = tuple(replace(one, content=mask(one.content).text) for one in history)
        turn, shown = user_turn(sent, hits, room, choice.backend, history, _TEACHER_EVIDENCE)
        asked = replace(
            asked,
            source=choice.label,
            measured=live,
            sources=shown,
            sent=choice.sent,
            price=self._price(choice.backend, live and self.teacher.outside()),
        )
        system, last = self.teacher.messages(turn, question.as_of)
        return Plan(choice.backend, (system, *history, last), params, asked)

    def _key(self, plan: Plan) -> str | None:
        """Under what this very answer may be given again; None when it may differ next time."""
        if self.records is None:
            return None
        from serve.records.cache import cache_key

        ids = [hit.passage.id for hit in plan.asked.sources]
        return cache_key(plan.backend.info(), plan.params, plan.messages, plan.asked.as_of, ids)

    def _kept(self, plan: Plan, question: Question) -> Any:
        key = None if question.fresh else self._key(plan)
        return None if key is None else self.records.cached(key)

    def _keep(self, answer: Answer, plan: Plan, question: Question, key: str | None) -> Answer:
        """``answer`` with the id of its record."""
        if self.records is None:
            return answer
        info = plan.backend.info()
        return replace(
            answer,
            id=self.records.keep(question.turn, answer, info, plan.params, messages=plan.messages, cache_key=key),
        )

    def _keep_failure(self, code: str, plan: Plan | None, question: Question, side: Side) -> None:
        if self.records is None or question.turn is None:
            return
        source, info, params = (plan.asked.source, plan.backend.info(), plan.params) if plan else ("", None, None)
        self.records.keep_failure(question.turn, side, source, code, info, params)

    def _price(self, backend: Backend, outside: object) -> Callable[[int | None, int | None], Cost | None]:
        """What tokens of this model cost; a model on this machine and a recording cost nothing."""
        name = backend.info().name

        def price(prompt_tokens: int | None, new_tokens: int | None) -> Cost | None:
            if not outside:
                return FREE
            return self.prices.cost(name, prompt_tokens, new_tokens) if self.prices else None

        return price

    def close(self) -> None:
        self.student.backend.close()
        self.teacher.close()
        if self.base is not None:
            self.base.backend.close()
        if self.records is not None:
            self.records.close()


def _stream(plan: Plan, shown: Plan | None) -> Iterator[tuple[Plan, Progress | Answer]]:
    """The answer to ``plan``; to ``shown``, if there is one and the first answer asks for evidence."""
    request = None
    with closing(stream_answer(plan.backend, plan.messages, plan.params, plan.asked)) as steps:
        for step in steps:
            if shown and isinstance(step, Answer) and look_up.asks(step):
                request = step
            else:
                yield plan, look_up.held_back(step) if shown and isinstance(step, Progress) else step
    if request:
        again = stream_answer(shown.backend, shown.messages, shown.params, shown.asked)
        with closing(look_up.after(request, again)) as steps:
            yield from ((shown, step) for step in steps)


def _given_again(kept: Any, asked: Asked) -> Answer:
    """The Answer of a text that the cache holds; it is completed and verified anew, and has no speed."""
    count = count_characters(kept.text)
    stats = Stats(None, 0.0, kept.new_tokens, kept.prompt_tokens, kept.finish, count)
    return settle(kept.text, stats, asked, cached=True)


def _texts(search: Any) -> Any:
    """Where texts for the drawer are looked up: no answer waits for an index that is not open yet."""
    return search.texts if isinstance(search, Evidence) else search


def open_engine(config: ServeConfig, student: Student, as_of: date, folder: Path, seat: Seat | None = None) -> Engine:
    """Load the models and open the rest.  ``folder`` is where .env is looked for.  Raises ServeError and ConfigError.

    ``seat``: a student that is open already, because another process serves it (``--server_base``).
    """
    from serve.evidence import open_evidence
    from serve.opening import open_base, open_student, params_of
    from serve.prices import load_prices
    from serve.records.store import open_records
    from serve.teacher import open_teacher

    threading.Thread(target=_warm_up, args=(as_of,), name="warm-up", daemon=True).start()
    # Before the models, whose loading takes longest: a mistake in the settings is told at once.
    prices, teacher = load_prices(), open_teacher(config.teacher, folder)
    search = open_evidence(config.retrieval, folder, say=lambda line: print(line, file=sys.stderr, flush=True))
    search.prepare()
    seat = seat or Seat(student.name, open_student(config, student, folder), params_of(config.student))
    base = Seat(*open_base(config.base, folder)) if config.base else None
    records = open_records(config.records)
    return Engine(config, seat, teacher, as_of, student, base, search, records, prices)


def _warm_up(as_of: date) -> None:
    """Read the tables of the law while the model loads: a second that the first answer would have to wait."""
    from taxlaw.cases import read_case  # noqa: F401
    from taxlaw.verify import verify

    verify("과세표준이 8,000만원이면 소득세는 얼마인가요?", "소득세법 제55조에 따라 1,344만원입니다.", as_of)
