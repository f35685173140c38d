"""The live desk against a scripted endpoint on this machine: what it sends, what it asks again, what it never asks again."""

import asyncio
import json

import pytest

from data_gen.asking.client import read_key
from data_gen.asking.desk import LiveDesk
from data_gen.asking.keeper import LocalKeeper
from data_gen.asking.limits import Backoff
from data_gen.asking.values import Usage
from data_gen.errors import BudgetReached, DataGenError, TeacherFailure
from data_gen.store import Store
from data_gen.tasks import Task
from data_gen.teacher_settings import OpenAISettings
from taxlaw.strict_config import StrictModel


class Line(StrictModel):
    text: str


LINE = Task("pairs", frozenset({"openapi"}), (), Line, lambda _: [])
GOOD = '{"text": "10년 동안 5,000만원"}'


class Purse:
    """Money without a cap, or with one counted in calls."""

    def __init__(self, calls: int = 10**9) -> None:
        self.calls, self.held = calls, 0

    async def reserve_or_wait(self, _request) -> None:
        if self.calls <= 0:
            raise BudgetReached("금액 상한")
        self.calls -= 1
        self.held += 1

    def charge(self, _request, usage: Usage, _via) -> float:
        self.held -= 1
        return usage.output / 1000

    def release(self, _request) -> None:
        self.held -= 1


@pytest.fixture
def document(document):
    """Documents whose texts differ by their number: equal texts would be one request."""
    return lambda number=1, **changes: document(
        number, **({"text": f"{number}번: 10년 동안 5,000만원을 뺀다."} | changes)
    )


@pytest.fixture
def teacher(fake, tmp_path, monkeypatch):
    """Ask a scripted endpoint: ``ask(script, documents, **settings)`` gives what came of each document, the endpoint, the store."""
    monkeypatch.setenv("FAKE_TEACHER_KEY", "test-value")
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)

    class Asked:
        def __init__(self) -> None:
            self.purse, self.path, self.pulse, self.answer = Purse(), tmp_path / "responses.sqlite", None, None

        def __call__(self, script: dict, documents, **changes):
            values = {"kind": "openai", "model": "fake", "key_env": "FAKE_TEACHER_KEY", "retries": 2, "timeout_s": 5}
            script = {"content": GOOD} | script
            with fake.serving(fake.Script(**script), answer=self.answer) as self.endpoint, Store(self.path) as store:
                settings = OpenAISettings(**(values | {"base_url": self.endpoint.url} | changes))
                found = asyncio.run(self._run(settings, store, documents))
                self.stored, self.notes = list(store.responses()), store.notes()
            return found

        async def _run(self, settings, store, documents):
            desk = LiveDesk(settings, "fake", LocalKeeper(store, self.purse), backoff=Backoff(0.001, 0.01))
            try:
                return await asyncio.gather(*(desk.ask(d, LINE) for d in documents), return_exceptions=True)
            finally:
                await desk.close()
                self.pulse = desk.pulse

    return Asked()


def test_a_good_reply_comes_back_with_its_usage_and_is_stored(teacher, document):
    (reply,) = teacher({}, [document()])
    assert reply.answer == Line(text="10년 동안 5,000만원")
    assert (reply.model, reply.stored, len(reply.prompt_hash)) == ("fake-1", False, 16)
    (stored,) = teacher.stored
    assert (stored.status, stored.text, stored.via, stored.usage) == ("ok", GOOD, "live", reply.usage)
    assert reply.request == stored.key == teacher.endpoint.log[0]["hash"] == teacher.endpoint.log[0]["key"]
    assert stored.usage.output and stored.usage.cached and reply.usd == stored.usage.output / 1000
    assert document().text in json.dumps(teacher.endpoint.asked[0], ensure_ascii=False)
    assert teacher.purse.held == 0


def test_the_key_goes_out_and_nowhere_else(teacher, document):
    (reply,) = teacher({"key": "test-value"}, [document()])
    assert reply.answer.text
    assert b"test-value" not in teacher.path.read_bytes()


def test_a_second_run_sends_nothing(teacher, document):
    documents = [document(1), document(2)]
    first = teacher({}, documents)
    second = teacher({}, documents)
    assert teacher.endpoint.requests == 0 and teacher.pulse.reused == 2
    assert [reply.answer for reply in second] == [reply.answer for reply in first]
    assert [reply.stored for reply in second] == [True, True]


def test_a_changed_document_alone_is_asked_again(teacher, document):
    teacher({}, [document(1), document(2)])
    teacher({}, [document(1), document(2, text="공제는 5,000만원이다.")])
    assert teacher.endpoint.requests == 1


def test_two_identical_requests_under_way_are_one_call(teacher, document):
    first, second = teacher({"latency_ms": 30}, [document(), document()])
    assert teacher.endpoint.requests == 1 and first.answer == second.answer
    assert sorted([first.stored, second.stored]) == [False, True]


@pytest.mark.parametrize(
    "kind", ["throttle", "error", "status 503", "drop", "bad_json", "html", "other_shape", "cut_body"]
)
def test_without_a_response_the_same_request_goes_out_again(teacher, document, kind):
    (reply,) = teacher({"sequence": [kind, kind]}, [document()])
    assert reply.answer.text
    assert len({row["hash"] for row in teacher.endpoint.log}) == 1 and teacher.endpoint.requests == 3
    assert len(teacher.stored) == 1 and sum(teacher.notes.values()) == 2
    assert teacher.pulse.retries == 2 and teacher.purse.held == 0


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("error", "HTTP 500 .2번 다시"),
        ("drop", "연결 실패"),
        ("html", "웹 페이지"),
        ("bad_json", "깨진 JSON"),
        ("other_shape", "다른 모양의 JSON"),
        ("cut_body", "연결 실패"),
    ],
)
def test_retries_end_with_the_reason(teacher, document, kind, reason):
    (failure,) = teacher({"shares": {kind: 1.0}}, [document()])
    assert isinstance(failure, TeacherFailure)
    with pytest.raises(TeacherFailure, match=reason):
        raise failure
    assert teacher.endpoint.requests == 3 and not teacher.stored and teacher.purse.held == 0


@pytest.mark.parametrize("kind", ["hang", "trickle"])
def test_a_connection_that_hangs_or_trickles_is_given_up_after_the_timeout(teacher, document, kind):
    (reply,) = teacher({"sequence": [kind]}, [document()], timeout_s=0.25)
    assert reply.answer.text
    assert list(teacher.notes) == ["0.25초 안에 답이 없음 (timeout)"]


def test_a_request_the_endpoint_will_not_have_is_not_sent_again(teacher, document):
    (failure,) = teacher({"sequence": ["status 400"]}, [document()])
    assert "HTTP 400: " in str(failure) and teacher.endpoint.requests == 1


@pytest.mark.parametrize(
    ("kind", "status", "reason"),
    [
        ("malformed", "malformed", "JSON이 아닙니다"),
        ("refuse", "refusal", "거절함"),
        ("empty", "empty", "빈 응답"),
        ("no_choices", "empty", "no choices"),
        ("filter", "filtered", "content_filter"),
    ],
)
def test_a_useless_answer_is_stored_and_asked_again_in_other_words(teacher, document, kind, status, reason):
    (reply,) = teacher({"sequence": [kind]}, [document()])
    assert [stored.status for stored in teacher.stored] == [status, "ok"]
    assert reason in teacher.stored[0].reason
    second = teacher.endpoint.asked[1]["messages"][-1]["content"]
    assert "[2번째 요청]" in second and teacher.stored[0].reason in second
    # The pair is charged with the answer that was thrown away.
    assert reply.usage == teacher.stored[0].usage + teacher.stored[1].usage
    assert reply.usd == pytest.approx(sum(stored.usd for stored in teacher.stored))


def test_a_cut_answer_is_asked_again_with_twice_the_room_up_to_the_most(teacher, document):
    (reply,) = teacher(
        {"sequence": ["truncate"] * 3}, [document()], max_output_tokens=100, most_output_tokens=300, answers=4
    )
    assert [body["max_tokens"] for body in teacher.endpoint.asked] == [100, 200, 300, 300]
    assert "잘린" in teacher.endpoint.asked[3]["messages"][-1]["content"]
    assert [stored.status for stored in teacher.stored] == ["length", "length", "length", "ok"]
    assert reply.answer.text


def test_the_budget_of_answers_holds_over_runs_and_nothing_stored_is_paid_twice(teacher, document):
    (failure,) = teacher({"shares": {"malformed": 1.0}}, [document()])
    assert "답변 3개를 받은 뒤" in str(failure) and len(teacher.stored) == 3
    (again,) = teacher({"shares": {"malformed": 1.0}}, [document()])
    assert teacher.endpoint.requests == 0 and str(again) == str(failure)
    (reply,) = teacher({}, [document()], answers=4)
    assert teacher.endpoint.requests == 1 and reply.answer.text


def test_thinking_is_kept_apart(teacher, document):
    (reply,) = teacher({"sequence": ["think"]}, [document()])
    assert reply.text == GOOD and "조문을 살핀다" in teacher.stored[0].reasoning
    assert teacher.stored[0].usage.reasoning == 20


@pytest.mark.parametrize(
    ("kind", "named"),
    [("status 401", "FAKE_TEACHER_KEY"), ("status 403", "FAKE_TEACHER_KEY"), ("status 404", "teacher.model")],
)
def test_a_refused_key_or_unknown_model_stops_the_run(teacher, document, kind, named):
    found = teacher({"sequence": [kind] * 8}, [document(number) for number in range(8)], concurrency=1)
    assert all(isinstance(one, DataGenError) and named in str(one) for one in found)
    assert "test-value" not in str(found[0])
    assert teacher.endpoint.requests == 1 and teacher.purse.held == 0


def test_an_empty_account_and_a_wait_of_hours_stop_the_run(teacher, document):
    (failure,) = teacher({"sequence": ["throttle"], "error_code": "insufficient_quota"}, [document()])
    assert isinstance(failure, DataGenError) and "금액이나 한도" in str(failure)
    (failure,) = teacher({"sequence": ["throttle"], "retry_after": "7200"}, [document()])
    assert isinstance(failure, DataGenError) and "120분" in str(failure)


def test_spent_money_stops_the_sending_but_not_what_is_stored(teacher, document):
    documents = [document(number) for number in range(4)]
    teacher({}, documents[:2])
    teacher.purse = Purse(calls=1)
    found = teacher({}, documents, concurrency=1)
    assert [type(one).__name__ for one in found] == ["Reply", "Reply", "Reply", "BudgetReached"]
    assert teacher.endpoint.requests == 1


def test_a_dead_endpoint_opens_the_breaker_instead_of_failing_every_document(teacher, document):
    found = teacher({"shares": {"error": 1.0}}, [document(number) for number in range(60)], concurrency=4)
    assert any(isinstance(one, DataGenError) and "연달아 12번" in str(one) for one in found)
    assert teacher.endpoint.requests < 20 and teacher.purse.held == 0


def test_a_caller_that_is_interrupted_does_not_lose_the_call_in_flight(teacher, document, fake):
    async def interrupted(settings, store, documents):
        desk = LiveDesk(settings, "fake", LocalKeeper(store, teacher.purse))
        asking = asyncio.ensure_future(desk.ask(documents[0], LINE))
        while not teacher.endpoint.in_flight:
            await asyncio.sleep(0.005)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await desk.close()

    teacher._run = interrupted
    teacher({"latency_ms": 100}, [document()])
    assert [stored.status for stored in teacher.stored] == ["ok"] and teacher.purse.held == 0


def test_a_request_that_waits_in_a_batch_is_not_asked_live(teacher, document):
    from data_gen.asking.requests import make_request

    with Store(teacher.path) as store:
        settings = OpenAISettings(kind="openai", model="fake")
        store.add_batch("b1", "http://x", "fake", [make_request(settings, "fake", LINE, document())])
    (failure,) = teacher({}, [document()])
    assert isinstance(failure, TeacherFailure) and "b1" in str(failure) and teacher.endpoint.requests == 0
    with Store(teacher.path) as store:
        store.set_batch("b1", "expired")
    (reply,) = teacher({}, [document()])
    assert reply.answer.text


def test_a_missing_key_names_the_variable_and_where_to_put_it(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SOLAR_KEY", raising=False)
    with pytest.raises(DataGenError, match=r"SOLAR_KEY(.|\n)*\.env"):
        read_key("SOLAR_KEY")


def test_the_key_may_stand_in_dotenv_and_the_environment_wins(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("SOLAR_KEY=from-file\n", encoding="utf-8")
    monkeypatch.delenv("SOLAR_KEY", raising=False)
    assert read_key("SOLAR_KEY") == "from-file"
    monkeypatch.setenv("SOLAR_KEY", "from-environment")
    assert read_key("SOLAR_KEY") == "from-environment"
