import json

import pytest

from data_gen.errors import BadInput, DataGenError, TeacherFailure
from data_gen.replies import Pair, parse_pairs
from data_gen.teachers.recorded import RECORDINGS, RecordedTeacher
from taxlaw.errors import ConfigError


def write(folder, *recordings, name="a.jsonl"):
    lines = [json.dumps(recording, ensure_ascii=False) for recording in recordings]
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_a_recording_is_found_by_document_and_prompt(tmp_path, document, reply):
    write(tmp_path, {"document_id": document().id, "prompt": "pairs", "response": reply()})
    teacher = RecordedTeacher.from_folder(tmp_path)
    answer = teacher.ask(document(), "pairs")
    assert json.loads(answer.text) == reply()
    assert answer.model == "recorded" and "not a live model" in answer.note


def test_a_document_without_a_recording_is_a_failure_never_invented(tmp_path, document, reply):
    write(tmp_path, {"document_id": document().id, "prompt": "pairs", "response": reply()})
    teacher = RecordedTeacher.from_folder(tmp_path)
    with pytest.raises(TeacherFailure, match="no recording"):
        teacher.ask(document(2), "pairs")
    with pytest.raises(TeacherFailure, match="no recording"):
        teacher.ask(document(1), "other")


def test_two_recordings_of_one_document_are_an_error(tmp_path, document, reply):
    recording = {"document_id": document().id, "prompt": "pairs", "response": reply()}
    write(tmp_path, recording, name="a.jsonl")
    write(tmp_path, recording, name="b.jsonl")
    with pytest.raises(DataGenError, match="둘 있습니다"):
        RecordedTeacher.from_folder(tmp_path)


def test_broken_files_name_the_line(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"document_id": "x"\n', encoding="utf-8")
    with pytest.raises(BadInput, match=r"a\.jsonl:1"):
        RecordedTeacher.from_folder(tmp_path)
    write(tmp_path, {"document_id": "x", "promt": "pairs", "response": {}})
    with pytest.raises(ConfigError, match="prompt"):
        RecordedTeacher.from_folder(tmp_path)
    with pytest.raises(DataGenError, match="녹음 폴더가 없습니다"):
        RecordedTeacher.from_folder(tmp_path / "none")


def test_every_shipped_recording_is_a_whole_reply():
    for path in sorted(RECORDINGS.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            recording = json.loads(line)
            pairs = parse_pairs(json.dumps(recording["response"], ensure_ascii=False))
            assert all(isinstance(pair, Pair) for pair in pairs.values()), (recording["document_id"], pairs)
