"""Answers that were given before, kept line by line: an evaluation that is stopped goes on where it was.

An answer is found again by the model's hash, the row, what the row was asked and the cap.  Knows no measure.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

from finetune.data import Row
from finetune.errors import InputError
from finetune.evaluate import Generation, turns_of
from finetune.evaluation.subjects import Caps, Subject
from finetune.evidence import user_turn
from taxlaw.strict_config import StrictModel

BATCH = 48  # answers that a stop may cost; the model is opened once for each batch


class _Line(StrictModel):
    key: str
    row: str  # for people: the key says it too
    text: str
    stopped: bool
    tokens: int


def keeping(
    subject: Subject, sha256: str, file: Path, say: Callable[[str], None] = print, batch: int = BATCH
) -> Subject:
    """``subject`` with its answers kept in ``file`` (JSONL, appended to); those that stand there are not asked for again.

    ``sha256``: of the model.  Raises InputError when the file holds something else.
    """

    def answer(rows: list[Row], caps: Caps) -> list[Generation]:
        known = _read(file)
        keys = [_key(sha256, row, caps) for row in rows]
        lacking = [place for place, key in enumerate(keys) if key not in known]
        started = time.monotonic()
        for start in range(0, len(lacking), batch):
            part = lacking[start : start + batch]
            made = subject.answer([rows[place] for place in part], caps)
            known.update(zip([keys[place] for place in part], made, strict=True))
            _append(file, [(keys[place], rows[place].id, one) for place, one in zip(part, made, strict=True)])
            say(_progress(subject.title, len(rows), len(lacking), start + len(part), time.monotonic() - started))
        return [known[key] for key in keys]

    return replace(subject, answer=answer)


def _key(sha256: str, row: Row, caps: Caps) -> str:
    cap = caps.worked if row.style == "worked" else caps.words
    asked = json.dumps([sha256, row.id, turns_of(row), user_turn(row), cap], ensure_ascii=False)
    return hashlib.sha256(asked.encode()).hexdigest()[:32]


def _read(file: Path) -> dict[str, Generation]:
    """Key -> answer.  The last line is dropped from the file when a stop cut it in half."""
    if not file.is_file():
        return {}
    content = file.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) < len(content):
        file.write_bytes(whole)
    known = {}
    for number, line in enumerate(whole.decode("utf-8").split("\n")[:-1], start=1):  # an answer may hold U+2028
        try:
            kept = _Line.model_validate_json(line)
        except ValidationError as exc:
            raise InputError(
                f"{file}:{number}: 보관한 답이 아닙니다 (not a kept answer). 파일을 지우면 처음부터 다시 묻습니다.\n  {exc}"
            ) from exc
        known[kept.key] = Generation(kept.text, kept.stopped, kept.tokens)
    return known


def _append(file: Path, answers: Sequence[tuple[str, str, Generation]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8", newline="\n") as handle:
        for key, row, one in answers:
            line = _Line(key=key, row=row, text=one.text, stopped=one.stopped, tokens=one.tokens)
            handle.write(json.dumps(line.model_dump(), ensure_ascii=False) + "\n")


def _progress(title: str, rows: int, lacking: int, done: int, seconds: float) -> str:
    left = seconds / done * (lacking - done)
    return f"{title}: {rows - lacking + done:,}/{rows:,}행, 남은 시간 약 {left / 60:.0f}분"
