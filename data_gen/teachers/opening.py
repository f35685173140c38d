"""From a teacher's settings to the desk where it is asked."""

from __future__ import annotations

from data_gen.asking.keeper import Keeper
from data_gen.teacher_settings import RecordedSettings, TeacherSettings
from data_gen.teachers import Desk


def open_desk(settings: TeacherSettings, name: str, keeper: Keeper | None = None) -> Desk:
    """The desk of one run.  A live teacher needs a keeper.  Raises DataGenError (no key, no recordings) or ConfigError."""
    if isinstance(settings, RecordedSettings):
        from data_gen.teachers.recorded import RecordedDesk

        return RecordedDesk.from_folder(settings.folder, settings.missing == "skip")
    if keeper is None:
        raise ValueError(f"a live teacher ({name}) needs a keeper")
    from data_gen.asking.desk import LiveDesk

    return LiveDesk(settings, name, keeper)
