"""The right pane says which of its states it is in; what a live teacher may be asked, and what is never sent."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from serve.backends.fake import FakeBackend
from serve.backends.openai_endpoint import find_key
from serve.backends.protocol import Message
from serve.errors import Code, ServeError
from serve.teacher import RECORDED_LABEL, Teacher, load_recorded, open_teacher

KEY = "secret0123456789"  # of no known pattern: redaction must know the key itself


def test_key_comes_from_the_environment_before_env_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert find_key("OPENAI_API_KEY", tmp_path) is None
    (tmp_path / ".env").write_text("OPENAI_API_KEY=from-file\n", encoding="utf-8")
    assert find_key("OPENAI_API_KEY", tmp_path) == "from-file"
    monkeypatch.setenv("OPENAI_API_KEY", "from-shell")
    assert find_key("OPENAI_API_KEY", tmp_path) == "from-shell"


def _row(**values: str) -> str:
    row = {"question": "q", "answer": "a", "style": "plain", "document_id": "d", "model": "m", "note": ""}
    return json.dumps(row | values, ensure_ascii=False) + "\n"


def test_recording_is_found_by_the_exact_question_only(tmp_path: Path, demo_config) -> None:
    (tmp_path / "recorded_answers.jsonl").write_text(
        _row(question="세율은  얼마인가요?", answer="6퍼센트부터"), encoding="utf-8"
    )
    config = demo_config(teacher={"recorded_folder": str(tmp_path)}).teacher
    teacher = open_teacher(config, tmp_path)
    choice = teacher.choose(" 세율은 얼마인가요? ")
    assert (choice.kind, choice.label) == ("recorded", RECORDED_LABEL)
    stream = choice.backend.stream(teacher.messages("세율은 얼마인가요?", date(2025, 7, 1)), teacher.params)
    assert "".join(delta.text for delta in stream) == "6퍼센트부터"
    assert teacher.choose("세율은 얼마였나요?").kind == "no_key"


def test_a_server_on_this_machine_needs_no_key(demo_config, tmp_path: Path) -> None:
    here = demo_config(teacher={"base_url": "http://127.0.0.1:9/v1", "recorded_folder": None}).teacher
    there = demo_config(teacher={"base_url": "https://api.example.com/v1", "recorded_folder": None}).teacher
    assert open_teacher(here, tmp_path).choose("세율은?").kind == "live"
    assert open_teacher(here, tmp_path).outside() is None
    assert open_teacher(there, tmp_path).choose("세율은?").kind == "no_key"


def test_a_teacher_of_the_table_brings_its_own_address_and_key(demo_config, tmp_path: Path, monkeypatch) -> None:
    config = demo_config(teacher={"model": "claude", "recorded_folder": None}).teacher
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    assert "ANTHROPIC_API_KEY" in open_teacher(config, tmp_path).choose("세율은?").hint
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    teacher = open_teacher(config, tmp_path)
    assert teacher.outside() == "api.anthropic.com"
    assert teacher.live.info().name.startswith("claude-")


def test_masked_questions_are_sent_without_the_numbers_and_say_so(demo_config) -> None:
    config = demo_config(teacher={"personal_data": "mask"}).teacher
    choice = Teacher(config, FakeBackend(), load_recorded(None)).choose("900101-1234567인데 세금은?")
    assert (choice.kind, choice.sent) == ("live", "[주민등록번호]인데 세금은?")
    assert choice.sent in choice.hint and "900101" not in choice.hint


def test_no_key_says_how_to_set_one(keyless_teacher) -> None:
    choice = keyless_teacher({}).choose("세율은?")
    assert choice.kind == "no_key" and choice.backend is None
    assert "OPENAI_API_KEY" in choice.hint
    assert choice.refusal().exit_code == 4


def test_a_live_teacher_is_never_replaced_by_a_recording(demo_config, tmp_path: Path) -> None:
    (tmp_path / "recorded_answers.jsonl").write_text(_row(question="세율은?"), encoding="utf-8")
    teacher = Teacher(demo_config().teacher, FakeBackend(), load_recorded(tmp_path))
    assert teacher.choose("세율은?").kind == "live"


@pytest.mark.parametrize("number", ["900101-1234567", "9001011234567", "123-45-67890"])
def test_personal_numbers_never_leave_this_machine(demo_config, number: str) -> None:
    live = FakeBackend()
    choice = Teacher(demo_config().teacher, live, load_recorded(None)).choose(f"제 번호는 {number}인데 세금은?")
    assert choice.kind == "private" and choice.backend is None


def test_amounts_and_dates_are_not_personal_numbers(demo_config) -> None:
    teacher = Teacher(demo_config().teacher, FakeBackend(), load_recorded(None))
    assert teacher.choose("2025-07-01에 1,950,000,000원을 받았습니다").kind == "live"


@pytest.mark.parametrize("line", ["{", '["q"]', '{"question": "q"}', _row().replace('"style"', '"stile"')])
def test_broken_recordings_name_the_line(tmp_path: Path, line: str) -> None:
    (tmp_path / "recorded_answers.jsonl").write_text(_row() + line.strip() + "\n", encoding="utf-8")
    with pytest.raises(ServeError, match="2번째 줄") as caught:
        load_recorded(tmp_path)
    assert caught.value.code is Code.USAGE


def test_system_prompt_states_the_date_of_the_law(keyless_teacher) -> None:
    system, user = keyless_teacher({}).messages("세율은?", date(2024, 3, 1))
    assert "2024-03-01" in system.content and user == Message("user", "세율은?")
