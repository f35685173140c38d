"""Votes as preference pairs: what ``finetune`` learns from, and whether people only voted for the left one.

A row is what the preference stage of ``finetune`` reads: ``{question, chosen, rejected}``.  Where it comes from stands in a
second file, line by line, because that stage takes no other key.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from serve.backends.protocol import Message
from serve.records.voted import Kept, Vote, names_a_person

# Why a vote gives no pair, in the order in which it is asked.
REASONS = {
    "tie": "비김",
    "both_bad": "둘 다 나쁨",
    "no_answer": "한쪽에 답이 없음",
    "no_text": "글이 남아 있지 않음 (동의 없음, 보관 기간 지남)",
    "history": "앞선 대화에 이어진 질문",
    "winner_failed": "이긴 답을 검증이 틀렸다고 함",
    "winner_cut": "이긴 답이 끝까지 쓰이지 않음",
    "personal_data": "개인정보가 들어 있음",
    "same_text": "두 답이 같음",
    "duplicate": "같은 쌍이 이미 있음",
}
_Z = 1.959963984540054  # the normal quantile of a two-sided 95 % interval


@dataclass(frozen=True)
class Preferences:
    """``rows`` and ``origins`` belong together line by line; ``excluded`` counts votes by a key of REASONS."""

    rows: list[dict]
    origins: list[dict]
    excluded: Counter[str]


def preferences(votes: Sequence[Vote]) -> Preferences:
    """The pairs of all votes that can be learned from, oldest first."""
    rows, origins, excluded = [], [], Counter()
    seen: set[tuple[str, str, str]] = set()
    for vote in votes:
        reason = _objection(vote)
        if reason is None:
            prompt = prompt_of(vote)
            row = {"question": prompt[-1].content, "chosen": vote.winner.text, "rejected": vote.loser.text}
            if tuple(row.values()) not in seen:
                seen.add(tuple(row.values()))
                rows.append(row)
                origins.append(_origin(vote, prompt))
                continue
            reason = "duplicate"
        excluded[reason] += 1
    return Preferences(rows, origins, excluded)


def prompt_of(vote: Vote) -> tuple[Message, ...]:
    """The prompt to train with: the student's own (with the evidence it was shown), without another model's system turn."""
    panes = [pane for pane in (vote.left, vote.right) if pane is not None]
    ranked = sorted(panes, key=lambda pane: ("student", "base", "teacher").index(pane.side))
    sent = tuple(one for one in ranked[0].prompt if one.role != "system") if ranked[0].side != "teacher" else ()
    return sent or (Message("user", ranked[0].question or ""),)


def _objection(vote: Vote) -> str | None:
    if vote.choice in ("tie", "both_bad"):
        return vote.choice
    winner, loser = vote.winner, vote.loser
    if winner is None or loser is None or winner.error or loser.error:
        return "no_answer"
    if not (winner.question and winner.text and loser.text):
        return "no_text"
    prompt = prompt_of(vote)
    if len(prompt) > 1:
        return "history"
    if not winner.verdict_ok:
        return "winner_failed"
    if winner.cut:
        return "winner_cut"
    if names_a_person(winner.question, prompt[-1].content, winner.text, loser.text):
        return "personal_data"
    return "same_text" if winner.text == loser.text else None


def _origin(vote: Vote, prompt: tuple[Message, ...]) -> dict:
    return {
        "turn": vote.turn,
        "voted_at": vote.at,
        "as_of": vote.winner.as_of,
        "blind": vote.blind,
        "winner_stood": vote.choice,
        "prompt": [asdict(one) for one in prompt],
        "chosen": _author(vote.winner),
        "rejected": _author(vote.loser),
    }


def _author(answer: Kept) -> dict:
    """Strings only, so that every line has one schema."""
    return {
        "answer": answer.id,
        "side": answer.side,
        "model": answer.model,
        "model_sha256": answer.model_sha256,
        "template_sha256": answer.template_sha256,
        "params": answer.params,
        "verified": answer.verdict_ok,
    }


@dataclass(frozen=True)
class Bias:
    """Of ``decided`` votes (left or right) ``left`` went to the left pane; ``low`` to ``high``: 95 % Wilson interval (1927)."""

    name: str
    left: int
    decided: int
    low: float
    high: float

    @property
    def one_sided(self) -> bool:
        """Whether chance alone (one half) is outside the interval."""
        return self.decided > 0 and not self.low <= 0.5 <= self.high


def position_bias(votes: Sequence[Vote]) -> list[Bias]:
    """How often the left pane won: of all votes, of blind ones, of open ones.

    Only the blind ones speak of position: with names shown, one model stands on the left all the time.  A vote beside an
    empty pane was no choice and is not counted.
    """
    votes = [vote for vote in votes if all(pane and not pane.error for pane in (vote.left, vote.right))]
    parts = {"전체": votes, "블라인드": [v for v in votes if v.blind], "이름을 보고": [v for v in votes if not v.blind]}
    biases = []
    for name, part in parts.items():
        left = sum(vote.choice == "left" for vote in part)
        decided = left + sum(vote.choice == "right" for vote in part)
        biases.append(Bias(name, left, decided, *wilson(left, decided)))
    return biases


def wilson(hits: int, total: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927, score interval); (0, 1) of nothing."""
    if not total:
        return 0.0, 1.0
    share, spread = hits / total, _Z**2 / total
    middle = (share + spread / 2) / (1 + spread)
    half = _Z / (1 + spread) * math.sqrt(share * (1 - share) / total + spread / (4 * total))
    return max(0.0, middle - half), min(1.0, middle + half)
