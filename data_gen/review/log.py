"""review.jsonl: what people decided about rows, one JSON line each, only ever appended.

Every line is on disk (fsync) before the page says so.  A line that a crash cut in half is put aside, never guessed at.
A decision speaks of one question and answer: it holds while their hash is the one it was made for.
"""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, Literal

from pydantic import Field, ValidationError, model_validator

from data_gen.errors import BadInput
from data_gen.rows import Rejection, Row, short_hash
from taxlaw.strict_config import StrictModel

LOG_NAME, ASIDE_NAME = "review.jsonl", "review.cut.jsonl"
GATE = "review"
Action = Literal["accept", "edit", "reject", "undo"]


class Decision(StrictModel):
    """One line.  ``undo`` takes back the reviewer's last decision on the row; ``content`` is the hash it was made for."""

    id: str = Field(min_length=1)
    content: str
    decision: Action
    reason: str = ""
    question: str = ""
    """Edits only: the question and answer as they should be."""
    answer: str = ""
    reviewer: str = Field(min_length=1)
    time: datetime.datetime

    @model_validator(mode="after")
    def _whole(self) -> Decision:
        if self.decision == "edit" and not (self.question.strip() and self.answer.strip()):
            raise ValueError("edit에는 question과 answer가 있어야 합니다")
        if self.decision == "reject" and not self.reason.strip():
            raise ValueError("reject에는 reason이 있어야 합니다")
        return self


def content_hash(question: str, answer: str) -> str:
    """What a decision is about: the pair, word for word."""
    return short_hash(json.dumps([question, answer], ensure_ascii=False))


def append(path: Path, decision: Decision) -> None:
    """Write one decision; it is on disk when this returns.  What a crash left half-written before it goes aside first."""
    line = json.dumps(decision.model_dump(mode="json"), ensure_ascii=False).encode("utf-8") + b"\n"
    existed = path.exists()
    with _locked(path) as file:
        _mend(file, path)
        file.write(line)
        file.flush()
        os.fsync(file.fileno())
    if not existed:
        _sync_folder(path.parent)


def mend(path: Path) -> None:
    """Put a last line aside that a crash cut off, so that the log reads whole from here on."""
    if path.is_file():
        with _locked(path) as file:
            _mend(file, path)


@contextmanager
def _locked(path: Path) -> Iterator[BinaryIO]:
    """The log, open for appending and locked: two pages may stand open on one dataset."""
    import fcntl

    while True:
        with path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            # A build may have put another file in its place while we waited.
            if path.exists() and os.path.samestat(path.stat(), os.fstat(file.fileno())):
                yield file
                return


def carry(former: Path, folder: Path) -> None:
    """Take the log of a replaced dataset ``former`` over into ``folder``, which took its place; nothing written meanwhile is lost."""
    old, new = former / LOG_NAME, folder / LOG_NAME
    if (former / ASIDE_NAME).is_file():
        with (folder / ASIDE_NAME).open("ab") as aside:
            aside.write((former / ASIDE_NAME).read_bytes())
    if not old.is_file():
        return
    with _locked(old) as file:
        if new.is_file():  # a page that stands open decided something in between
            with _locked(new) as later:
                _mend(file, old)
                later.seek(0)
                file.write(later.read())
                file.flush()
                os.fsync(file.fileno())
                os.replace(old, new)
        else:
            os.replace(old, new)
    _sync_folder(folder)


def _mend(file: BinaryIO, path: Path) -> None:
    """End the last line if only its line end is missing; move it to review.cut.jsonl if it was cut before that."""
    size = file.seek(0, os.SEEK_END)
    if not size:
        return
    file.seek(size - 1)
    if file.read(1) == b"\n":
        return
    tail = _tail(file, size)
    if _read_line(tail) is not None:
        file.write(b"\n")
        return
    with path.with_name(ASIDE_NAME).open("ab") as aside:
        aside.write(tail + b"\n")
        aside.flush()
        os.fsync(aside.fileno())
    file.truncate(size - len(tail))


def _tail(file: BinaryIO, size: int) -> bytes:
    """What stands after the last line end."""
    start = size
    tail = b""
    while start and b"\n" not in tail:
        step = min(start, 1 << 16)
        start -= step
        file.seek(start)
        tail = file.read(step) + tail
    return tail.rpartition(b"\n")[2]


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read_line(line: bytes) -> Decision | None:
    try:
        return Decision.model_validate_json(line)
    except ValidationError:
        return None


@dataclass
class LogReader:
    """Reads a log as it grows: each call of ``new`` gives the whole lines since the last.  ``cut``: bytes of a half line."""

    path: Path
    position: int = 0
    lines: int = 0
    cut: int = 0

    def new(self) -> list[Decision]:
        """Raises BadInput naming a line inside the log that is not a decision: it was not written by a review."""
        if not self.path.is_file():
            return []
        with self.path.open("rb") as file:
            file.seek(self.position)
            data = file.read()
        *whole, rest = data.split(b"\n")
        decisions = []
        for line in whole:
            self.lines += 1
            self.position += len(line) + 1
            if not line.strip():
                continue
            decision = _read_line(line)
            if decision is None:
                raise BadInput(
                    f"검토 기록의 줄을 읽을 수 없습니다: {self.path}:{self.lines}\n"
                    "  A line of the review log is not a decision. 그 줄을 고치거나 다른 파일로 옮긴 뒤 다시 실행하세요."
                )
            decisions.append(decision)
        self.cut = len(rest)
        return decisions


@dataclass
class Decisions:
    """What stands of a log, by row, in the order it was decided.  The counts tell what ``apply`` met."""

    standing: dict[str, list[Decision]] = field(default_factory=dict)
    cut: int = 0
    """Bytes of a last line that was cut off; it is not honoured."""
    accepted: int = 0
    edited: int = 0
    rejected: int = 0
    stale: int = 0
    """Rows whose decisions were made for another question or answer than the row has now."""

    def add(self, decisions: Iterable[Decision]) -> None:
        """Decisions in the order of the log; an undo takes the reviewer's last one on its row away."""
        for decision in decisions:
            of_row = self.standing.setdefault(decision.id, [])
            if decision.decision != "undo":
                of_row.append(decision)
                continue
            for number in range(len(of_row) - 1, -1, -1):
                if of_row[number].reviewer == decision.reviewer:
                    del of_row[number]
                    break
            if not of_row:
                del self.standing[decision.id]

    def last(self, row_id: str, content: str) -> Decision | None:
        """The decision in force on a row with this content; an edit is in force on its own result too."""
        for decision in reversed(self.standing.get(row_id, ())):
            if content == decision.content or content == _result(decision):
                return decision
        return None

    def apply(self, row: Row) -> Row | Rejection:
        """The row as it was decided, and counted.

        Accepted: the row with the gate ``review`` and its verdict.  Edited: the row in its new words with no gate passed;
        send it through all gates again.  Rejected: a Rejection at the gate ``review``.  Undecided or stale: unchanged.
        """
        decisions = self.standing.get(row.id)
        if not decisions:
            return row
        # A later decision may speak of the row as it came or of what an earlier edit made of it.
        reached = {content_hash(row.question, row.answer): row}
        now, in_force = row, None
        for decision in decisions:
            result = _result(decision)
            if decision.content in reached:
                now, in_force = reached[decision.content], decision
                if result not in reached:
                    reached[result] = edited(now, decision)
                now = reached[result]
            elif result in reached:
                now, in_force = reached[result], decision  # the row was built with this edit
        if in_force is None:
            self.stale += 1
            return row
        if in_force.decision == "reject":
            self.rejected += 1
            return Rejection(now, GATE, f"{in_force.reason} (검토: {in_force.reviewer})")
        if now is not row:
            self.edited += 1
            return now
        self.accepted += 1
        word = "고침" if in_force.decision == "edit" else "채택"
        verdict = f"사람이 {word} ({in_force.reviewer}, {in_force.time.date().isoformat()})"
        return replace(row, gates=(*row.gates, GATE), verdicts=(*row.verdicts, verdict))

    def report(self) -> list[str]:
        """Korean lines for the run report; empty when there was nothing to say."""
        lines = []
        if self.accepted or self.edited or self.rejected:
            lines.append(f"검토 반영: 채택 {self.accepted:,} · 고침 {self.edited:,} · 거절 {self.rejected:,}")
        if self.stale:
            lines.append(f"내용이 바뀌어 쓰지 않은 검토 {self.stale:,}건: data_gen review로 다시 확인하세요.")
        if self.cut:
            lines.append(f"검토 기록의 마지막 줄이 끊겨 있습니다({self.cut:,}바이트). 그 한 건은 쓰지 않았습니다.")
        return lines


def load_decisions(path: Path) -> Decisions:
    """The decisions of a log; none when there is no such file.  Raises BadInput naming a line that is no decision."""
    reader, decisions = LogReader(path), Decisions()
    decisions.add(reader.new())
    if reader.cut:
        decisions.cut = reader.cut
        rest = path.read_bytes()[reader.position :]
        whole = _read_line(rest)
        if whole is not None:  # all but its line end reached the disk
            decisions.add([whole])
            decisions.cut = 0
    return decisions


def edited(row: Row, decision: Decision) -> Row:
    """The row in the decision's words: spans found anew, articles as the new answer cites them, no gate passed yet."""
    from data_gen.spans import find_spans

    note = f"사람이 고침: {decision.reviewer}"
    provenance = replace(row.provenance, note=f"{row.provenance.note} · {note}" if row.provenance.note else note)
    return replace(
        row,
        question=decision.question,
        answer=decision.answer,
        articles=_articles(row, decision),
        provenance=provenance,
        spans=find_spans(row.evidence, decision.question, decision.answer),
        gates=(),
        verdicts=(),
    )


def _articles(row: Row, decision: Decision) -> tuple[str, ...]:
    """The row's articles without those the edit took out of the answer, and with those it put in."""
    before, after = _cited(row.answer), _cited(decision.answer)
    kept = [name for name in row.articles if name not in before or name in after]
    return tuple(dict.fromkeys([*kept, *(name for name in after if name not in before)]))


def _cited(answer: str) -> list[str]:
    from taxlaw.citations import find_citations, format_citation

    return [format_citation(citation) for citation in find_citations(answer) if citation.law and not citation.implied]


def _result(decision: Decision) -> str:
    return content_hash(decision.question, decision.answer) if decision.decision == "edit" else decision.content
