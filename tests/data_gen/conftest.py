"""Doubles for the data stage: documents, a good reply, a small config."""

import datetime
import json

import pytest

from data_gen.documents import Document, Library
from data_gen.settings import BuildConfig
from taxlaw.strict_config import validate

AS_OF = datetime.date(2026, 6, 1)


def make_document(number: int = 1, **changes) -> Document:
    values = {
        "id": f"law:상속세 및 증여세법:제53조#{number}",
        "kind": "openapi",
        "title": "상속세 및 증여세법 제53조(증여재산 공제)",
        "text": "거주자가 직계존속에게서 증여를 받으면 10년 동안 5,000만원을 증여세 과세가액에서 뺀다.",
        "as_of": AS_OF,
        "area": "상속증여",
        "version": "v1",
        "family": f"law:상속세 및 증여세법:제53조#{number}",
        "articles": ("상속세 및 증여세법 제53조",),
    }
    return Document(**(values | changes))


def good_reply(number: int = 1) -> dict:
    def pair(style: str) -> dict:
        return {
            "question": f"{style} {number}번 물음: 부모에게서 증여를 받으면 증여재산공제는 얼마까지 되나요?",
            "answer": "상속세 및 증여세법 제53조에 따라 성년인 자녀는 10년 동안 5,000만원까지 공제됩니다.",
            "articles": ["상속세 및 증여세법 제53조"],
        }

    return {"expert": pair("전문가"), "plain": pair("초보자")}


@pytest.fixture
def document():
    return make_document


@pytest.fixture
def reply():
    return good_reply


@pytest.fixture
def config():
    """A BuildConfig from keyword arguments; no documents and no worked rows unless asked."""

    def make(**changes) -> BuildConfig:
        raw = {
            "name": "test",
            "as_of": AS_OF,
            "seed": 7,
            "documents": {"casebook": False, "provisions": "none"},
            "teacher": {"kind": "recorded"},
            "splits": {"validation": 0.3},
            # The doubles' questions differ in a number of no meaning only.
            "gates": {"near_duplicate": None},
            "workers": 0,
        }
        return validate(raw | changes, BuildConfig, where="test")

    return make


@pytest.fixture
def library(monkeypatch):
    """Make the build read these documents instead of the law."""

    def use(documents) -> None:
        monkeypatch.setattr("data_gen.build.load_library", lambda *_: Library(tuple(documents), "시험용 문서."))

    return use


class ScriptedDesk:
    """Answers from a function of (document, task's name): a dict becomes JSON, a str is sent as it is, an exception is raised."""

    name = "recorded"

    def __init__(self, script, places: int = 1) -> None:
        self.script, self.places, self.asked, self.closed = script, places, [], False

    async def ask(self, document, task):
        from data_gen.errors import TeacherFailure
        from data_gen.replies import MalformedReply, parse_answer
        from data_gen.teachers import Reply

        self.asked.append(document.id)
        said = self.script(document, task.name)
        if isinstance(said, Exception):
            raise said
        text = said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)
        try:
            answer = parse_answer(text, task.answer)
        except MalformedReply as exc:
            raise TeacherFailure(str(exc)) from exc
        return Reply(answer=answer, text=text, model="double", note="시험용")

    async def close(self) -> None:
        self.closed = True


@pytest.fixture
def scripted():
    return ScriptedDesk


@pytest.fixture(scope="session")
def fake():
    """The module beside this file: ``with fake.serving(fake.Script(...)) as endpoint:`` is a teacher's endpoint."""
    import importlib.util
    import sys
    from pathlib import Path

    spec = importlib.util.spec_from_file_location("fake_endpoint", Path(__file__).with_name("fake_endpoint.py"))
    module = sys.modules["fake_endpoint"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
