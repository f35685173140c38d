"""The text of an answer over HTTP, piece by piece: what may be sent already, where a stop string ends it, what code adds.

``student-raw`` is the model's own text and nothing else.  ``student`` is what a person reads: a calculator call is held
back until code has finished it, and what code computed is appended under its own heading.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass

from serve.answer import Answer, Progress, Stats
from serve.backends.stop_text import StopText
from serve.complete import CALCULATION_TITLE, FACTS_TITLE, WORKING_TITLE, is_for_code
from serve.errors import Code, ServeError
from taxlaw.digit_work import without_digits

NOTICE = "AI가 생성한 답변입니다 (AI 기본법 제31조). 세무 자문이 아닙니다 (세무사법 제2조·제20조)."
_FINISH = {"stop": "stop", "length": "length", "filtered": "content_filter"}


@dataclass(frozen=True)
class End:
    """How a text ended.  ``answer`` is None when a stop string cut it, since a cut text is not verified."""

    finish: str
    stats: Stats
    answer: Answer | None = None

    def usage(self) -> dict:
        """OpenAI's token counts; the model's own tokens, not those of what code appended."""
        prompt, new = self.stats.prompt_tokens or 0, self.stats.new_tokens or 0
        return {"prompt_tokens": prompt, "completion_tokens": new, "total_tokens": prompt + new}

    def ours(self) -> dict:
        """What we know beyond OpenAI's shape: law as of when, verdict, what code computed, evidence."""
        if self.answer is None:
            return {"notice": NOTICE}
        told = self.answer.as_dict()
        kept = ("as_of", "computed_by_code", "problem", "calculation", "verdict", "verification", "sources", "cached")
        return {"notice": NOTICE, **{key: told[key] for key in kept}}


async def pieces(
    steps: AsyncIterator[Progress | Answer], raw: bool, stops: tuple[str, ...]
) -> AsyncIterator[str | End]:
    """Yield new text as it may be shown, and one End last."""
    stop, said, fed, stats = StopText(stops), "", 0, Stats()
    async with aclosing(steps):
        async for step in steps:
            stats = step.stats
            if isinstance(step, Answer):
                break
            said = step.text if raw else step.shown
            if not raw and is_for_code(said):
                continue
            # Nothing yet (it waits, it reads the prompt) is no first word: what goes wrong then is still an HTTP error.
            if piece := stop.feed(said[fed:]):
                yield piece
            fed = len(said)
            if stop.stopped:
                yield End("stop", stats)
                return
        else:
            raise ConnectionError("the engine ended without an answer")
    if stats.finish == "superseded":
        raise ServeError(Code.BUSY, "다른 질문에 자리를 내주어 답이 끝나지 않았습니다.", "다시 물어보세요.")
    # An answer that was kept comes at once, without steps; otherwise the steps were all of it.
    completion = step.completion
    shown = completion.own_working or without_digits(completion.raw)
    own = completion.first or completion.raw if raw else shown  # raw: what it wrote by itself
    text = said if said.strip() == own else own
    stands = text.startswith(said[:fed].strip())  # else what went out is written otherwise now: all of it again, below
    tail = stop.feed(text[fed:] if stands else f"\n\n{text}") + stop.rest()
    if stop.stopped:
        yield tail
        yield End("stop", stats)
        return
    whole = text if raw else readable(step, text)
    yield tail + whole[len(text) :] if whole.startswith(text) else whole
    yield End(_FINISH.get(stats.finish or "stop", "stop"), stats, step)


def readable(answer: Answer, text: str) -> str:
    """``text``, the model's own, as a person reads it.  A call gives way to its facts and working."""
    completion = answer.completion
    if completion.quoted or completion.own_working:
        return completion.words
    if completion.facts or completion.working or completion.problem:
        parts = [_titled(FACTS_TITLE, "\n".join(f"- {label}: {value}" for label, value in completion.facts))]
        parts.append(_titled(WORKING_TITLE, completion.working))
        parts.append(_titled(completion.unable, completion.problem))
        if is_for_code(text):
            return "\n\n".join(part for part in parts if part)
        return "\n\n".join([text, *(part for part in parts if part)])
    if answer.calculation is not None:
        return f"{text}\n\n{_titled(CALCULATION_TITLE, answer.calculation.working)}"
    return text


def _titled(title: str, text: str | None) -> str:
    return f"[{title}]\n{text}" if text else ""
