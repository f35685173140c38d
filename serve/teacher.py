"""The right-hand side: which teacher answers this question, and what is said plainly when none can.

With a key a live model answers.  Without one a recorded answer is shown when this very question has one, always under
its own label; otherwise the pane says that there is no key and how to set one.  A failing live teacher is an error state,
never replaced by a recording.
"""

from __future__ import annotations

import json
import os
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from jinja2 import Environment, StrictUndefined, TemplateError

from serve.backends.openai_endpoint import OpenAIBackend, OpenAIOptions, find_key
from serve.backends.protocol import Backend, BackendInfo, Delta, GenParams, Message
from serve.backends.providers import needs_key
from serve.errors import Code, ServeError
from serve.private_data import Masked, is_here, mask
from serve.prompt import clean_question
from serve.settings import TeacherConfig

RECORDED_LABEL = "녹음된 교사 답변 (실시간 모델 아님)"
_RECORDED_FILE = "recorded_answers.jsonl"
_RECORDED_KEYS = {"question", "answer", "style", "document_id", "model", "note"}


@dataclass(frozen=True)
class TeacherChoice:
    """Who answers on the right.  ``backend`` is None when nobody does; ``label`` and ``hint`` are shown as they are."""

    kind: Literal["live", "recorded", "no_key", "private"]
    label: str
    hint: str = ""
    backend: Backend | None = None
    sent: str | None = None  # the question as it is sent, when personal data were masked in it

    def refusal(self) -> ServeError:
        """The same state as an error, for callers that cannot go on without a teacher."""
        code = Code.PRIVATE if self.kind == "private" else Code.NO_KEY
        return ServeError(code, self.label, self.hint, side="teacher")


class RecordedTeacher:
    """Answers written beforehand, found by the exact question (NFC, single spaces)."""

    def __init__(self, answers: dict[str, str], source: str) -> None:
        self._answers = answers
        self._source = source

    def knows(self, question: str) -> bool:
        return question_key(question) in self._answers

    def questions(self) -> tuple[str, ...]:
        return tuple(self._answers)

    def stream(self, messages: Sequence[Message], params: GenParams) -> Iterator[Delta]:
        """Yield the recording in small pieces; its length in tokens is unknown, so none is claimed."""
        answer = self._answers[question_key(messages[-1].content)]
        for piece in re.findall(r"\S+\s*|\s+", answer):
            yield Delta(piece)
        yield Delta(finish="stop")

    def count_tokens(self, messages: Sequence[Message]) -> None:
        return None

    def info(self) -> BackendInfo:
        return BackendInfo(RECORDED_LABEL, self._source)

    def close(self) -> None:
        """Nothing is held open."""


def question_key(question: str) -> str:
    return " ".join(unicodedata.normalize("NFC", question).split())


def load_recorded(folder: Path | None) -> RecordedTeacher:
    """Recorded answers of a dataset folder; none when the folder has not been built yet.

    Raises ServeError(USAGE) when the file is there but is not what docs/contracts.md section 2 says.
    """
    path = folder / _RECORDED_FILE if folder else None
    if path is None or not path.is_file():
        return RecordedTeacher({}, "")
    answers: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as exc:
            raise _bad_recording(path, number, str(exc)) from exc
        if not isinstance(row, dict) or not all(isinstance(row.get(key), str) for key in ("question", "answer")):
            raise _bad_recording(path, number, "question과 answer 문자열이 있어야 합니다")
        if unknown := set(row) - _RECORDED_KEYS:
            raise _bad_recording(path, number, f"모르는 키: {', '.join(sorted(unknown))}")
        answers.setdefault(question_key(row["question"]), row["answer"])
    return RecordedTeacher(answers, str(path))


def _bad_recording(path: Path, number: int, why: str) -> ServeError:
    return ServeError(
        Code.USAGE,
        f"녹음된 답변 파일이 잘못되었습니다: {path} {number}번째 줄 ({why})",
        "'python -m data_gen build'로 데이터셋을 다시 만드세요.",
    )


class Teacher:
    """Chooses per question between the live model, a recording, and saying why there is no answer."""

    def __init__(self, config: TeacherConfig, live: Backend | None, recorded: RecordedTeacher) -> None:
        self.live = live
        self.recorded = recorded
        self._config = config
        self.params = GenParams(config.max_new_tokens, config.temperature)

    def choose(self, question: str) -> TeacherChoice:
        """Who answers ``question``, and as what it is sent."""
        if self.live is not None:
            info = self.live.info()
            label, hint, sent = f"실시간 교사 · {info.name}", "", None
            if host := self.outside():
                masked = mask(question)
                if masked.kinds and self._config.personal_data == "block":
                    return _private(masked)
                sent = masked.text if masked.kinds else None
                hint = f"{host}로 질문을 보냅니다."
                if sent:
                    hint += f" 개인정보({', '.join(masked.kinds)})는 가리고 보냅니다: {sent}"
            return TeacherChoice("live", label, hint, self.live, sent)
        if self.recorded.knows(question):
            return TeacherChoice("recorded", RECORDED_LABEL, "", self.recorded)
        return TeacherChoice(
            "no_key",
            "교사 API 키가 없고, 이 질문에는 녹음된 답변도 없습니다.",
            f".env 파일에 {self._config.api_key_env}=… 를 적고 다시 시작하면 실시간 교사가 답합니다. "
            "학생의 답은 왼쪽에 그대로 나옵니다.",
        )

    def messages(self, question: str, as_of: date) -> tuple[Message, ...]:
        """System prompt and question.  Raises ServeError(USAGE) when the configured prompt cannot be rendered."""
        try:
            template = Environment(undefined=StrictUndefined, autoescape=False).from_string(self._config.system_prompt)
            system = template.render(as_of=as_of.isoformat())
        except TemplateError as exc:
            raise ServeError(
                Code.USAGE, f"teacher.system_prompt를 쓸 수 없습니다: {exc}", "{{ as_of }}만 쓸 수 있습니다."
            ) from exc
        return (Message("system", system.strip()), Message("user", clean_question(question)))

    def outside(self) -> str | None:
        """The host of a live teacher elsewhere; None without one, and for a server on this machine."""
        if self.live is None:
            return None
        info = self.live.info()
        return None if is_here(info.detail) else info.detail

    def close(self) -> None:
        if self.live is not None:
            self.live.close()


def _private(masked: Masked) -> TeacherChoice:
    return TeacherChoice(
        "private",
        f"질문에 개인정보({', '.join(masked.kinds)})로 보이는 것이 있어 외부 교사에게 보내지 않았습니다.",
        "지우고 다시 물어보세요. 학생은 이 컴퓨터 안에서만 답합니다. 가리고 보내려면 설정의 teacher.personal_data를 mask로 하세요.",
    )


def open_teacher(config: TeacherConfig, folder: Path) -> Teacher:
    """The teacher of this configuration: live when its key is in the environment or in ``folder``/.env, or needs none.

    ``config.model`` may be a name of configs/teachers.yaml, unless ``base_url`` says where it is.
    """
    from serve.teacher_names import find_named

    named = find_named(config.model) if config.base_url is None else None
    if named is not None:
        config = config.model_copy(update={"api_key_env": named.key_env, "base_url": named.base_url})
    options = OpenAIOptions(
        named.model if named else config.model,
        config.base_url,
        (named and named.timeout_s) or config.timeout_seconds,
        limit_key=named.token_limit_key if named else None,
        system_role=named.system_role if named else None,
        reasoning_effort=named.reasoning_effort if named else None,
        key_name=config.api_key_env,
    )
    key = find_key(config.api_key_env, folder)
    live = (
        OpenAIBackend(options, key)
        if key or not needs_key(config.base_url or os.environ.get("OPENAI_BASE_URL"))
        else None
    )
    return Teacher(config, live, load_recorded(config.recorded_folder))
