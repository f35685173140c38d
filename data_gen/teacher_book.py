"""The book of teachers: settings of an endpoint by a name, so that a build's YAML needs only the name."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Annotated

from pydantic import Field

from data_gen.errors import BadInput
from data_gen.settings import refuse_keys
from data_gen.teacher_settings import OpenAISettings, RecordedSettings, TeacherSettings
from taxlaw.strict_config import StrictModel, load_config

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]


class TeacherBook(StrictModel):
    teachers: dict[Name, Annotated[RecordedSettings | OpenAISettings, Field(discriminator="kind")]]


def load_teachers(path: Path) -> dict[str, TeacherSettings]:
    """Every teacher of the book by name.  Raises ConfigError, and DataGenError when the file holds what looks like a key."""
    if path.is_file():
        refuse_keys(path)
    return dict(load_config(path, TeacherBook).teachers)


def find_teacher(teacher: str | TeacherSettings, path: Path) -> tuple[str, TeacherSettings]:
    """The teacher's name and settings.  Settings given inline are named by their model, or ``recorded``; the book stays shut.

    Raises BadInput for a name the book does not have, with the nearest ones.
    """
    if not isinstance(teacher, str):
        return ("recorded" if isinstance(teacher, RecordedSettings) else teacher.model), teacher
    book = load_teachers(path)
    if teacher not in book:
        near = difflib.get_close_matches(teacher, book, n=3, cutoff=0.4)
        hint = f"혹시 {', '.join(near)}?" if near else "비슷한 이름이 없습니다."
        raise BadInput(
            f"모르는 교사 모델입니다 (unknown teacher): {teacher!r}\n"
            f"  {hint} {path}에 있는 이름: {', '.join(book) or '없음'}\n"
            "  새 이름은 그 파일에 적거나, teacher 아래에 kind, model, base_url을 직접 적으세요."
        )
    return teacher, book[teacher]
