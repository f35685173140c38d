"""One dataset under review: its index, the decisions that stand on it, and how far the review has come.

Every change is on disk before it counts.  Decisions that another page writes meanwhile are read from the log.
"""

from __future__ import annotations

import datetime
import threading
from array import array
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from data_gen.errors import BadInput
from data_gen.review.index import DatasetIndex, Filters, key, read_index
from data_gen.review.log import LOG_NAME, Action, Decision, Decisions, LogReader, append, content_hash, mend
from data_gen.rows import short_hash


@dataclass(frozen=True)
class Progress:
    """Rows that passed the gates and how many of them are decided; ``rejects``: gate rejects that somebody decided on."""

    decided: int
    total: int
    rejects: int
    by_reviewer: tuple[tuple[str, int], ...]
    by_decision: tuple[tuple[str, int], ...]


class ReviewDesk:
    """Shared by every tab of the page; each method holds one lock."""

    def __init__(self, folder: Path, reviewer: str) -> None:
        self.folder, self.reviewer = folder, reviewer
        self.path = folder / LOG_NAME
        self.index: DatasetIndex = read_index(folder)
        mend(self.path)
        self._reader, self._decisions = LogReader(self.path), Decisions()
        self._decided: dict[int, Decision] = {}
        self._lock = threading.RLock()
        self._refresh(everything=True)

    def row(self, number: int) -> dict:
        return self.index.row(number)

    def decision(self, number: int) -> Decision | None:
        """The decision in force on a row, or None."""
        with self._lock:
            return self._decided.get(number)

    def select(self, filters: Filters) -> array:
        with self._lock:
            self._refresh()
            return self.index.select(filters, lambda number: number in self._decided)

    def progress(self) -> Progress:
        with self._lock:
            self._refresh()
            kept = [decision for number, decision in self._decided.items() if not self.index.is_reject(number)]
            return Progress(
                len(kept),
                self.index.kept,
                len(self._decided) - len(kept),
                tuple(Counter(decision.reviewer for decision in self._decided.values()).most_common()),
                tuple(Counter(decision.decision for decision in self._decided.values()).most_common()),
            )

    def decide(self, number: int, action: Action, reason: str = "", question: str = "", answer: str = "") -> Decision:
        """Write a decision on a row down.  Raises BadInput when it makes no sense or the dataset was rebuilt meanwhile."""
        with self._lock:
            self._must_be_current()
            row = self.index.row(number)
            if not row["id"]:
                raise BadInput("id가 없는 행은 검토할 수 없습니다. 교사의 응답이 쌍이 되지 못했습니다.")
            if action == "accept" and self.index.is_reject(number):
                raise BadInput("관문이 거절한 쌍은 그대로 채택할 수 없습니다. 고치면 다음 build가 다시 검사합니다.")
            if action == "edit" and (question, answer) == (row["question"], row["answer"]):
                raise BadInput("바뀐 글자가 없습니다. 그대로 두려면 채택하세요.")
            decision = self._decision(
                row["id"], content_hash(row["question"], row["answer"]), action, reason, question, answer
            )
            self._write(decision)
            return decision

    def undo(self) -> int | None:
        """Take back this reviewer's last standing decision; the number of its row, or None when there is none here."""
        with self._lock:
            self._must_be_current()
            self._refresh()
            mine = [
                (decision.time, number)
                for number, decision in self._decided.items()
                if decision.reviewer == self.reviewer
            ]
            if not mine:
                return None
            number = max(mine)[1]
            last = self._decided[number]
            self._write(self._decision(last.id, last.content, "undo"))
            return number

    def _decision(
        self, row_id: str, content: str, action: Action, reason: str = "", question: str = "", answer: str = ""
    ) -> Decision:
        texts = {"question": question, "answer": answer} if action == "edit" else {}
        now = datetime.datetime.now(datetime.UTC)
        return Decision(
            id=row_id,
            content=content,
            decision=action,
            reason=reason.strip(),
            reviewer=self.reviewer,
            time=now,
            **texts,
        )

    def _write(self, decision: Decision) -> None:
        append(self.path, decision)
        self._refresh()

    def _must_be_current(self) -> None:
        if not self.index.is_current():
            raise BadInput("데이터셋이 다시 만들어졌습니다. 검토 페이지를 닫고 다시 여세요 (the dataset was rebuilt).")

    def _refresh(self, everything: bool = False) -> None:
        """Fold in what the log has gained, here or in another process."""
        new = self._reader.new()
        self._decisions.add(new)
        touched = {key(short_hash(decision.id)) for decision in (new if not everything else ())}
        if everything:
            touched = {key(short_hash(row_id)) for row_id in self._decisions.standing}
        if not touched:
            return
        for number, row_key in enumerate(self.index.ids):
            if row_key in touched:
                self._settle(number)

    def _settle(self, number: int) -> None:
        row_id = self.index.row(number)["id"]
        decision = self._decisions.last(row_id, f"{self.index.contents[number]:016x}")
        if decision is None:
            self._decided.pop(number, None)
        else:
            self._decided[number] = decision
