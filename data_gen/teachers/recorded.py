"""The embedded default teacher: answers written for this project and kept as files.  It is not a model and never says so."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from data_gen.documents import Document
from data_gen.errors import DataGenError, NotRecorded, TeacherFailure
from data_gen.replies import MalformedReply, parse_answer
from data_gen.rows import read_jsonl
from data_gen.tasks import Task
from data_gen.teachers import Reply
from taxlaw.strict_config import StrictModel, validate

RECORDINGS = Path(__file__).parents[1] / "recordings"
NOTE = "이 프로젝트를 위해 미리 작성해 둔 답변 (recorded answer, not a live model)"


class Recording(StrictModel):
    document_id: str
    prompt: str
    response: dict[str, Any]


class RecordedDesk:
    """Looks an answer up by document id and task; a document without one is a failure, never invented."""

    name = "recorded"
    places = 1

    def __init__(self, answers: Mapping[tuple[str, str], dict], skip_missing: bool = False) -> None:
        self._answers, self._skip_missing = answers, skip_missing

    @classmethod
    def from_folder(cls, folder: Path | None, skip_missing: bool = False) -> RecordedDesk:
        """Read every *.jsonl of ``folder``.  Raises DataGenError (no folder, same key twice) or BadInput/ConfigError."""
        folder = folder or RECORDINGS
        if not folder.is_dir():
            raise DataGenError(
                f"녹음 폴더가 없습니다: {folder}\n  teacher.folder를 고치거나 지우면 기본 폴더를 씁니다."
            )
        answers: dict[tuple[str, str], dict] = {}
        for path in sorted(folder.glob("*.jsonl")):
            for raw in read_jsonl(path):
                recording = validate(raw, Recording, where=f"{path.name}: {raw.get('document_id', '?')}")
                key = (recording.document_id, recording.prompt)
                if key in answers:
                    raise DataGenError(f"같은 문서의 녹음이 둘 있습니다: {key} ({path})\n  하나만 남기세요.")
                answers[key] = recording.response
        return cls(answers, skip_missing)

    async def ask(self, document: Document, task: Task) -> Reply:
        recorded = self._answers.get((document.id, task.name))
        if recorded is None and self._skip_missing:
            raise NotRecorded
        if recorded is None:
            raise TeacherFailure("이 문서에는 미리 적어 둔 답변이 없음 (no recording)")
        text = json.dumps(recorded, ensure_ascii=False)
        try:
            answer = parse_answer(text, task.answer)
        except MalformedReply as exc:
            raise TeacherFailure(f"미리 적어 둔 답변의 형식이 틀림 (malformed recording): {exc}") from exc
        return Reply(answer=answer, text=text, model="recorded", note=NOTE)

    async def close(self) -> None:
        """Nothing is held open."""
