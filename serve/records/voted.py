"""Reads answers and votes back out of the records, for the exports."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

from serve.backends.protocol import Message
from taxlaw.personal_data import find_personal_data


@dataclass(frozen=True)
class Kept:
    """An answer on record.  ``text``: the model's own, None without consent or after its time; ``confirmed``: findings."""

    id: str
    turn: str
    at: str
    side: str
    source: str
    model: str
    model_sha256: str
    template_sha256: str
    params: str
    question: str | None
    as_of: str
    prompt: tuple[Message, ...]
    text: str | None
    completed: str | None
    evidence: str
    finish: str | None
    error: str | None
    verdict_ok: bool
    confirmed: int

    @property
    def cut(self) -> bool:
        """Whether the answer ended before its author was done."""
        return self.finish in ("length", "superseded", "filtered")


@dataclass(frozen=True)
class Vote:
    """A vote with what stood on both sides; None where a pane had no answer."""

    turn: str
    at: str
    choice: str
    blind: bool
    left_side: str
    right_side: str
    left: Kept | None
    right: Kept | None

    @property
    def winner(self) -> Kept | None:
        return {"left": self.left, "right": self.right}.get(self.choice)

    @property
    def loser(self) -> Kept | None:
        return {"left": self.right, "right": self.left}.get(self.choice)


def read_answers(connection: sqlite3.Connection) -> list[Kept]:
    """Every answer, oldest first."""
    rows = connection.execute(
        "SELECT answers.*, turns.question, turns.as_of FROM answers JOIN turns ON turns.id = answers.turn"
        " ORDER BY answers.seq"
    )
    return [_kept(row) for row in rows]


def read_votes(connection: sqlite3.Connection, answers: list[Kept]) -> list[Vote]:
    """Every vote, oldest first, with its answers."""
    known = {answer.id: answer for answer in answers}
    return [
        Vote(
            row["turn"],
            row["at"],
            row["choice"],
            bool(row["blind"]),
            row["left_side"],
            row["right_side"],
            known.get(row["left_answer"]),
            known.get(row["right_answer"]),
        )
        for row in connection.execute("SELECT * FROM votes ORDER BY seq")
    ]


def names_a_person(*texts: str) -> bool:
    """Whether a number or address of a person stands in one of the texts."""
    return any(find_personal_data(text) for text in texts)


def _kept(row: sqlite3.Row) -> Kept:
    counts = json.loads(row["verdict_counts"] or "{}")
    passages = [hit["passage"] for hit in json.loads(row["sources"] or "[]")]
    return Kept(
        row["id"],
        row["turn"],
        row["at"],
        row["side"],
        row["source"],
        row["model"] or "",
        row["model_sha256"] or "",
        row["template_sha256"] or "",
        row["params"] or "",
        row["question"],
        row["as_of"],
        tuple(Message(**one) for one in json.loads(row["prompt"] or "[]")),
        row["text"],
        row["completed"],
        "\n\n".join(f"{passage['title']}\n{passage['text']}".strip() for passage in passages),
        row["finish"],
        row["error"],
        bool(row["verdict_ok"]),
        sum(number for name, number in counts.items() if name.endswith(".confirmed")),
    )
