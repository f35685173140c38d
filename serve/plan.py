"""One question made ready for one model: what is sent, whether it fits, and how the answer will be labelled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from serve.answer import Asked
from serve.backends.protocol import Backend, GenParams, Message
from serve.errors import Code, ServeError

_LEAST_ANSWER = 64  # tokens: a prompt that leaves less room than this is refused before it is sent
_LEAST_EVIDENCE = 100  # characters
_WHO = {"student": "학생", "base": "바탕 모델", "teacher": "교사"}


@dataclass(frozen=True)
class Plan:
    """One question made ready for one side: what is sent, to whom, and how it is labelled."""

    backend: Backend
    messages: tuple[Message, ...]
    params: GenParams
    asked: Asked


def room_for(backend: Backend, params: GenParams) -> int | None:
    """Tokens a prompt may have so that an answer fits behind it; None when the far end knows its own limit."""
    context = backend.info().context_tokens
    return None if context is None else context - min(params.max_new_tokens, _LEAST_ANSWER)


def size_of(plan: Plan) -> tuple[int | None, int | None]:
    """(tokens of the prompt, most tokens it may have)."""
    return plan.backend.count_tokens(plan.messages), room_for(plan.backend, plan.params)


def check_size(plan: Plan) -> None:
    """Raises ServeError(CONTEXT), in numbers, before anything is sent."""
    tokens, limit = size_of(plan)
    if tokens is None or limit is None or tokens <= limit:
        return
    who = _WHO[plan.asked.side]
    raise ServeError(
        Code.CONTEXT,
        f"질문이 너무 깁니다: {tokens:,}토큰, {who}이(가) 읽을 수 있는 길이는 {limit:,}토큰입니다"
        f"(문맥 {limit + min(plan.params.max_new_tokens, _LEAST_ANSWER):,}토큰에서 답을 쓸 자리를 뺀 값).",
        f"질문을 {tokens - limit:,}토큰만큼 줄이거나 설정의 context_tokens를 늘리세요.",
        side=plan.asked.side,
    )


def user_turn(
    question: str,
    hits: Sequence[Any],
    room: int | None,
    backend: Backend,
    history: tuple[Message, ...],
    budget: int | None = None,
) -> tuple[str, tuple[Any, ...]]:
    """The user turn and the hits that stand in it; evidence gives way, a piece at a time, to what the model can read."""
    if not hits:
        return question, ()
    from taxlaw.evidence_prompt import BUDGET, with_evidence

    budget = budget or BUDGET
    while budget >= _LEAST_EVIDENCE:
        turn = with_evidence(question, hits, budget)
        tokens = backend.count_tokens((*history, Message("user", turn)))
        if room is None or tokens is None or tokens <= room:
            return turn, tuple(
                hit for place, hit in enumerate(hits, start=1) if f"\n{place}. {hit.passage.title}" in turn
            )
        budget //= 2
    return question, ()
