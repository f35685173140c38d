"""What a gate is and what it may say."""

from __future__ import annotations

from collections.abc import Callable

from data_gen.rows import Candidate, Row

# True, (True, what was seen) or (False, why), in Korean.
Said = bool | tuple[bool, str]
Gate = Callable[[Candidate], Said]


def texts_of(row: Row) -> list[tuple[str, str]]:
    """(Korean name, text) of everything a student would be shown of the row: earlier turns first."""
    texts = []
    for number, turn in enumerate(row.history, 1):
        texts += [(f"{number}번째 질문", turn.question), (f"{number}번째 답변", turn.answer)]
    return [*texts, ("질문", row.question), ("답변", row.answer)]
