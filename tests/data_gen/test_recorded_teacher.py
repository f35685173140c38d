import asyncio
import json

import pytest

from data_gen.errors import BadInput, DataGenError, TeacherFailure
from data_gen.tasks.all_tasks import TASKS
from data_gen.tasks.pairs import PAIRS
from data_gen.teacher_settings import OpenAISettings, RecordedSettings
from data_gen.teachers.opening import open_desk
from data_gen.teachers.recorded import RECORDINGS, RecordedDesk
from taxlaw.errors import ConfigError


def write(folder, *recordings, name="a.jsonl"):
    lines = [json.dumps(recording, ensure_ascii=False) for recording in recordings]
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def ask(desk, document, task=PAIRS):
    return asyncio.run(desk.ask(document, task))


def test_a_recording_is_found_by_document_and_task_and_costs_nothing(tmp_path, document, reply):
    write(tmp_path, {"document_id": document().id, "prompt": "pairs", "response": reply()})
    found = ask(RecordedDesk.from_folder(tmp_path), document())
    assert found.answer == PAIRS.answer.model_validate(reply())
    assert json.loads(found.text) == reply()
    assert (found.model, found.request, found.usd) == ("recorded", "", 0.0) and "not a live model" in found.note


def test_a_document_without_a_recording_is_a_failure_never_invented(tmp_path, document, reply):
    write(tmp_path, {"document_id": document().id, "prompt": "pairs", "response": reply()})
    desk = RecordedDesk.from_folder(tmp_path)
    with pytest.raises(TeacherFailure, match="no recording"):
        ask(desk, document(2))
    with pytest.raises(TeacherFailure, match="no recording"):
        ask(desk, document(1), TASKS["scenario"])


def test_a_malformed_recording_is_a_failure_that_names_the_fault(tmp_path, document, reply):
    write(tmp_path, {"document_id": document().id, "prompt": "pairs", "response": reply() | {"extra": 1}})
    with pytest.raises(TeacherFailure, match=r"malformed recording.*extra"):
        ask(RecordedDesk.from_folder(tmp_path), document())


def test_two_recordings_of_one_document_are_an_error(tmp_path, document, reply):
    recording = {"document_id": document().id, "prompt": "pairs", "response": reply()}
    write(tmp_path, recording, name="a.jsonl")
    write(tmp_path, recording, name="b.jsonl")
    with pytest.raises(DataGenError, match="둘 있습니다"):
        RecordedDesk.from_folder(tmp_path)


def test_broken_files_name_the_line(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"document_id": "x"\n', encoding="utf-8")
    with pytest.raises(BadInput, match=r"a\.jsonl:1"):
        RecordedDesk.from_folder(tmp_path)
    write(tmp_path, {"document_id": "x", "promt": "pairs", "response": {}})
    with pytest.raises(ConfigError, match="prompt"):
        RecordedDesk.from_folder(tmp_path)
    with pytest.raises(DataGenError, match="녹음 폴더가 없습니다"):
        RecordedDesk.from_folder(tmp_path / "none")


def test_every_shipped_recording_is_a_whole_answer_to_its_task():
    for path in sorted(RECORDINGS.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            recording = json.loads(line)
            TASKS[recording["prompt"]].answer.model_validate(recording["response"])


def test_the_settings_choose_the_desk(monkeypatch):
    desk = open_desk(RecordedSettings(kind="recorded"), "recorded")
    assert isinstance(desk, RecordedDesk) and desk.name == "recorded"
    live = OpenAISettings(kind="openai", model="m", key_env="NO_SUCH_TEACHER_KEY")
    with pytest.raises(ValueError, match="keeper"):
        open_desk(live, "m")
    monkeypatch.delenv("NO_SUCH_TEACHER_KEY", raising=False)
    with pytest.raises(DataGenError, match="NO_SUCH_TEACHER_KEY"):
        open_desk(live, "m", keeper=object())
