"""One question through one backend: stream, time, complete, verify.  Called by the engine, which knows the rest."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import Any, Literal

from serve.backends.protocol import Backend, Finish, GenParams, Message, Rereads
from serve.complete import Calculation, Completion, calculate, compare, complete, runs_past_call
from serve.law_texts import Texts, statutes_of, texts_of
from serve.prices import FREE, Cost
from serve.prompt import clean_question

Side = Literal["student", "teacher", "base"]
FINISH_KO = {
    "stop": "끝까지 씀",
    "length": "길이 한도에서 잘림",
    "superseded": "다음 질문에 자리를 내줌",
    "filtered": "제공자의 필터가 막음",
}


@dataclass(frozen=True)
class Stats:
    """Times in seconds from asking, sizes in tokens and in characters without spaces; None where nobody knows."""

    first_seconds: float | None = None
    seconds: float = 0.0
    new_tokens: int | None = None
    prompt_tokens: int | None = None
    finish: Finish | None = None
    characters: int = 0
    first_characters: int = 0  # of these, those of the first piece
    rereading_seconds: float = 0.0  # within ``seconds``, after the first reading was written

    @property
    def decoding_seconds(self) -> float | None:
        """Time of the answer's own tokens after the first, so that reading the prompt, or reading again, does not count."""
        written = self.seconds - self.rereading_seconds
        if self.first_seconds is None or written <= self.first_seconds:
            return None
        return written - self.first_seconds

    @property
    def tokens_per_second(self) -> float | None:
        decoding = self.decoding_seconds
        return (self.new_tokens - 1) / decoding if decoding and self.new_tokens and self.new_tokens > 1 else None

    @property
    def chars_per_second(self) -> float | None:
        """Two models cut Korean into different tokens; characters a second can be compared."""
        decoding, later = self.decoding_seconds, self.characters - self.first_characters
        return later / decoding if decoding and later > 0 else None


@dataclass(frozen=True)
class Progress:
    """``text``: what the model has written so far.  ``doubtful``: what leads it is in doubt, so all of it may yet be read again."""

    text: str
    stats: Stats
    doubtful: bool = False

    @property
    def shown(self) -> str:
        """What a person is shown of it (taxlaw.sum_check.settled); of a doubtful working only the call it stands under."""
        from taxlaw.rereading import led_by
        from taxlaw.sum_check import settled

        return (self.doubtful and led_by(self.text)) or settled(self.text)


@dataclass(frozen=True)
class Asked:
    """What an answer is an answer to, and who gives it.

    ``earlier``: the person's questions before it, whose facts it may take up.  ``sent``: the question as it left this
    machine, when personal data were masked in it.  ``sources``: the evidence found (taxlaw.search.Hit), ``sources_read``: and
    put into the prompt.  ``search``: where the texts of what it cites are found.  ``price``: what (prompt, new) tokens cost.
    ``turn``: the question as the model read it, with the evidence, when it was shown any.
    """

    side: Side
    source: str
    question: str
    as_of: date
    measured: bool = True  # False for a recording, whose speed says nothing
    sources: tuple[Any, ...] = ()
    sources_read: bool = True
    earlier: tuple[str, ...] = ()
    sent: str | None = None
    search: Any = None
    price: Callable[[int | None, int | None], Cost | None] | None = None
    turn: str = ""


@dataclass(frozen=True)
class Answer:
    """A finished answer.  ``verdict`` is taxlaw.verify.Verdict on ``completion.final``.

    ``calculation``: what code reads in the question and computes by itself, whoever answers.  ``usd``, ``won``: None when no
    price is known.  ``cached``: this very question was answered before.  ``id``: of the record, None when none is kept.
    ``texts``: the passages behind its citations.  ``sources_read``: whether ``sources`` stood in the prompt, or are only shown.
    """

    side: Side
    source: str
    question: str
    as_of: date
    completion: Completion
    stats: Stats
    verdict: Any
    measured: bool = True
    sources: tuple[Any, ...] = ()
    calculation: Calculation | None = None
    usd: float | None = None
    won: float | None = None
    cached: bool = False
    id: int | str | None = None
    sent: str | None = None
    texts: Texts = field(default_factory=dict)
    sources_read: bool = True

    def as_dict(self) -> dict:
        """The answer as JSON; ``answer`` is the model's own text, ``completed`` what was verified."""
        from serve.verification import explain

        stats, timed = self.stats, self.measured and not self.cached
        return {
            "id": self.id,
            "side": self.side,
            "source": self.source,
            "question": self.question,
            "sent": self.sent,
            "as_of": self.as_of.isoformat(),
            "answer": self.completion.raw,
            "completed": self.completion.final,
            "facts": dict(self.completion.facts),
            "computed_by_code": self.completion.working,
            "quoted_by_code": self.completion.quoted,
            "problem": self.completion.problem,
            "unread": list(self.completion.unread),
            "first_answer": self.completion.first,
            "calculation": self.calculation.as_dict() if self.calculation else None,
            "sources": [_source(hit) for hit in self.sources],
            "sources_read": self.sources_read,
            "verdict": {
                "ok": self.verdict.ok,
                "summary": self.verdict.summary(),
                "findings": [
                    {
                        "kind": str(finding.kind),
                        "severity": str(finding.severity),
                        "message": finding.message,
                        "expected": None if finding.expected is None else str(finding.expected),
                    }
                    for finding in self.verdict.findings
                ],
            },
            "verification": explain(self).as_dict(),
            "cached": self.cached,
            "usd": self.usd,
            "won": _rounded(self.won, 2),
            "stats": {
                "first_token_seconds": _rounded(stats.first_seconds, 3) if timed else None,
                "tokens_per_second": _rounded(stats.tokens_per_second, 1) if timed else None,
                "chars_per_second": _rounded(stats.chars_per_second, 1) if timed else None,
                "seconds": round(stats.seconds, 3) if timed else None,
                "prompt_tokens": stats.prompt_tokens,
                "new_tokens": stats.new_tokens,
                "characters": stats.characters,
                "finish": stats.finish,
            },
        }


def _source(hit: Any) -> dict:
    """One piece of evidence as JSON."""
    passage = hit.passage
    days = {key: getattr(passage, key) for key in ("effective_from", "effective_to")}
    return {
        "rank": hit.rank,
        "score": _rounded(float(hit.score), 4),
        "why": hit.why,
        **{key: getattr(passage, key) for key in ("id", "kind", "title", "heading", "text", "url", "source")},
        **{key: day.isoformat() if day else None for key, day in days.items()},
    }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def count_characters(text: str) -> int:
    """Characters without spaces: Hangul syllables, digits, signs."""
    return sum(not char.isspace() for char in text)


def student_messages(question: str) -> tuple[Message, ...]:
    """The student is trained on single questions without a system turn; each question stands alone."""
    return (Message("user", clean_question(question)),)


def stream_answer(
    backend: Backend,
    messages: Sequence[Message],
    params: GenParams,
    asked: Asked,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Progress | Answer]:
    """Yield Progress per delta and one Answer last.  Closing it closes the backend's stream.  Raises ServeError."""
    start = clock()
    text, first, tokens, prompt_tokens, finish = "", None, 0, None, None
    characters, first_characters, doubtful = 0, 0, None
    with closing(backend.stream(messages, params)) as deltas:
        for delta in deltas:
            text += delta.text
            tokens += delta.tokens
            characters += count_characters(delta.text)
            if first is None and (delta.text or delta.tokens):
                first = clock() - start
                first_characters = characters
            finish = delta.finish or finish
            prompt_tokens = delta.prompt_tokens if delta.prompt_tokens is not None else prompt_tokens
            tokens = delta.new_tokens if delta.new_tokens is not None else tokens
            stats = Stats(first, clock() - start, tokens or None, prompt_tokens, finish, characters, first_characters)
            if not delta.finish:
                doubtful = doubtful if doubtful is not None else _call_in_doubt(text, asked)
                yield Progress(text, stats, bool(doubtful))
                if "}" in text and runs_past_call(text):
                    # A small model that misses its end token repeats itself to the limit: half a minute for nothing.
                    stats = replace(stats, finish="stop", prompt_tokens=backend.count_tokens(messages))
                    break
    from taxlaw.rereading import reread_from

    if not rereads(backend, params, asked, text):
        yield settle(text, stats, asked)
        return
    written, better = clock(), text
    others = partial(backend.readings, messages, params)
    with closing(reread_from(asked.question, text, others, asked.as_of)) as readings:
        for better in readings:  # noqa: B007 - the last is used below
            stats = replace(stats, seconds=clock() - start, rereading_seconds=clock() - written)
            yield Progress(text, stats, bool(doubtful))
    yield settle(better, stats, asked, first=text if better != text else None)


def _call_in_doubt(text: str, asked: Asked) -> bool | None:
    """Whether the call that a student's working has begun under is in doubt; None while there is no such call."""
    from taxlaw.rereading import doubts, led_by

    if asked.side != "student":
        return False
    call = led_by(text).strip()
    return bool(doubts(asked.question, call, asked.as_of)) if call else None


def rereads(backend: Backend, params: GenParams, asked: Asked, text: str) -> bool:
    """Whether the student's answer is read again: a call that does not fit its question, or a working that does not add up,
    of a model that can say what else it might have written.

    Not where earlier turns state facts that the last question leaves unsaid, nor where answers are drawn by chance.
    """
    from taxlaw.rereading import worth_rereading

    able = asked.side == "student" and isinstance(backend, Rereads) and params.temperature == 0
    return able and not asked.earlier and worth_rereading(asked.question, text, asked.as_of)


def settle(text: str, stats: Stats, asked: Asked, cached: bool = False, first: str | None = None) -> Answer:
    """The Answer of a finished text: completed by the calculator, verified, priced.  ``text`` itself is kept as it is.

    ``first``: what the model had written before ``text``, when it was read again.
    """
    from taxlaw.verify import verify

    told = "\n".join((*asked.earlier, asked.question))
    completion = replace(complete(text, asked.as_of, told, asked.turn, asked.side == "student"), first=first)
    texts = texts_of(asked.search, completion.final, asked.as_of)
    # What a search found is not all that is true: judged by it as by a document, a right citation that the search missed
    # would be a fault.  The texts of what the answer itself cites are another matter.
    beside = {"statutes": statutes_of(texts, asked.as_of)} if texts else {}
    verdict = verify(told, completion.final, asked.as_of, **beside)
    calculation = calculate(asked.question, asked.as_of)
    if calculation and not completion.problem:  # a call that was not run states no tax
        calculation = compare(calculation, completion.final, verdict, asked.as_of)
    price = asked.price or (lambda *_: None)
    cost = FREE if cached else price(stats.prompt_tokens, stats.new_tokens)
    return Answer(
        side=asked.side,
        source=asked.source,
        question=asked.question,
        as_of=asked.as_of,
        completion=completion,
        stats=stats,
        verdict=verdict,
        measured=asked.measured,
        sources=asked.sources,
        calculation=calculation,
        usd=cost.usd if cost else None,
        won=cost.won if cost else None,
        cached=cached,
        sent=asked.sent,
        texts=texts,
        sources_read=asked.sources_read,
    )
