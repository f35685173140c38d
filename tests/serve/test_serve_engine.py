"""One way for every question: evidence, size, cache, backend, verdict, records; and what happens when one of them fails."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pytest

from serve.answer import Answer, Progress
from serve.backends.fake import FakeBackend
from serve.backends.protocol import BackendInfo, GenParams, Message
from serve.engine import Engine, Question, Seat
from serve.errors import Code, ServeError
from serve.evidence import Evidence
from serve.prices import Prices
from serve.records.cache import AnswerCache
from serve.records.store import Records
from serve.settings import Student
from serve.teacher import RecordedTeacher, Teacher
from taxlaw.errors import SourceError
from taxlaw.search.passages import Hit, Passage
from taxlaw.strict_config import validate

DAY = date(2025, 12, 1)
GIFT = "부모님께 20억원을 증여받았는데 증여세는 얼마인가요?"
CALL = '{"tax":"gift","amount":"20억원","relation":"직계존속"}'
ARTICLE = Passage(
    "law:소득세법:제55조",
    "article",
    "소득세법 제55조",
    "① 종합소득 과세표준에 세율을 적용한다.\n② 퇴직소득은 따로 계산한다.",
    "세율",
    date(2025, 1, 1),
    None,
    "https://www.law.go.kr/x",
    "소득세법.md",
)


@dataclass
class Local(FakeBackend):
    """A fake with a name for its weights, so that its answers may be kept, and a window of ``window`` tokens (words)."""

    sha256: str | None = "aa"
    window: int = 2048
    device: str | None = "cpu"
    host: str = "시험용 모델"

    def info(self) -> BackendInfo:
        return BackendInfo(self.name, self.host, self.window, self.sha256, "bb", self.device, "Q8_0")


class Index:
    """A search that finds the one article, whatever is asked."""

    def __init__(self, *hits: Hit) -> None:
        self.hits = hits or (Hit(ARTICLE, 1.0, 1, ("조문 지정",)),)
        self.asked: list[str] = []

    def find(self, question: str, as_of: date, limit: int = 5) -> tuple[Hit, ...]:
        self.asked.append(question)
        return self.hits[:limit]


@pytest.fixture
def build(demo_config) -> Callable[..., Engine]:
    def engine(student: FakeBackend, live: FakeBackend | None = None, **parts) -> Engine:
        config = demo_config(teacher={"personal_data": parts.pop("personal_data", "block")})
        teacher = Teacher(config.teacher, live, parts.pop("recorded", RecordedTeacher({}, "")))
        seat = Seat("student-Q8_0", student, parts.pop("params", GenParams(512, 0.0)))
        return Engine(config, seat, teacher, DAY, Student(Path("s.gguf"), "student-Q8_0"), **parts)

    return engine


@pytest.fixture
def records(tmp_path: Path):
    from serve.records.database import open_database

    kept = Records(open_database(tmp_path / "r.sqlite"), AnswerCache(10), print)
    yield kept
    kept.close()


def last(engine: Engine, question: Question | str, side: str = "student") -> Answer:
    question = Question(question, DAY) if isinstance(question, str) else question
    *_, answer = engine.answer(question, side)
    assert isinstance(answer, Answer)
    return answer


def test_an_answer_is_completed_computed_and_verified(build) -> None:
    engine = build(Local().enqueue(CALL[:10], CALL[10:]))
    steps = list(engine.answer(Question(GIFT, DAY)))
    assert [type(step) for step in steps] == [Progress, Progress, Answer]
    answer = steps[-1]
    assert answer.completion.raw == CALL and answer.completion.result.payable == 601_400_000
    assert answer.calculation.result.payable == 601_400_000 and answer.calculation.agrees is True
    assert answer.verdict.ok and (answer.usd, answer.won) == (0.0, 0.0)
    assert answer.stats.characters == len(CALL.replace(" ", ""))


def test_code_computes_by_itself_and_says_when_the_model_differs(build) -> None:
    answer = last(build(Local().enqueue("증여세는 7억원을 내야 합니다.")), GIFT)
    assert answer.calculation.result.payable == 601_400_000
    assert (answer.calculation.stated, answer.calculation.agrees) == (700_000_000, False)
    assert answer.completion.raw == "증여세는 7억원을 내야 합니다."  # the model's text is never changed


def test_a_question_that_states_no_case_has_no_calculation(build) -> None:
    assert last(build(Local().enqueue("세무서에 냅니다.")), "증여세는 어디에 내나요?").calculation is None


@pytest.mark.parametrize("text", ["", "  \n", "\x00"])
def test_an_empty_question_is_refused(build, text: str) -> None:
    with pytest.raises(ServeError) as caught:
        list(build(Local()).answer(Question(text, DAY)))
    assert caught.value.code is Code.USAGE


def test_a_question_that_is_too_long_is_refused_in_numbers_before_it_is_sent(build) -> None:
    student = Local(window=100)
    engine = build(student)
    question = Question("긴 " * 50 + "질문", DAY)
    assert engine.size(question) == (51, 36)  # 64 of the 100 are kept for the answer
    with pytest.raises(ServeError) as caught:
        list(engine.answer(question))
    assert caught.value.code is Code.CONTEXT and caught.value.exit_code == 3
    assert "51토큰" in caught.value.message and "36토큰" in caught.value.message and "15토큰" in caught.value.hint
    assert student.requests == []


def test_evidence_stands_in_the_prompt_and_beside_the_answer(build) -> None:
    student = Local().enqueue("소득세법 제55조에 따릅니다.")
    engine = build(student, search=Index())
    answer = last(engine, Question("소득세 세율은?", DAY, sources=True))
    sent = student.requests[0][-1].content
    assert "소득세법 제55조(세율)" in sent and sent.endswith("소득세 세율은?")
    assert [hit.passage.id for hit in answer.sources] == ["law:소득세법:제55조"]
    assert answer.question == "소득세 세율은?"
    assert answer.as_dict()["sources"][0]["effective_from"] == "2025-01-01"
    assert answer.texts["소득세법 제55조"] is ARTICLE


def test_without_the_switch_or_an_index_the_prompt_is_the_question(build) -> None:
    for engine, sources in (
        (build(Local().enqueue("네")), True),
        (build(Local().enqueue("네"), search=Index()), False),
    ):
        answer = last(engine, Question("소득세 세율은?", DAY, sources=sources))
        assert answer.sources == () and engine.student.backend.requests[0] == (Message("user", "소득세 세율은?"),)


def test_evidence_gives_way_when_it_does_not_fit(build) -> None:
    long = replace(ARTICLE, text="가 나 다 라 " * 200)
    student = Local(window=80).enqueue("네")
    answer = last(build(student, search=Index(Hit(long, 1.0, 1))), Question("소득세 세율은?", DAY, sources=True))
    assert student.count_tokens(student.requests[0]) <= 16
    assert answer.sources == () or "…" in student.requests[0][0].content


def test_earlier_turns_are_shown_and_their_facts_count(build) -> None:
    student = Local().enqueue('{"tax":"gift","amount":"20억원","relation":"배우자"}')
    history = (Message("user", GIFT), Message("assistant", CALL))
    answer = last(build(student), Question("배우자에게서 받았다면요?", DAY, history=history))
    assert student.requests[0] == (*history, Message("user", "배우자에게서 받았다면요?"))
    assert answer.completion.result is not None and answer.completion.problem is None


# --- records and the cache ----------------------------------------------------------------------------------------
def test_the_same_question_is_answered_from_the_cache_and_says_so(build, records) -> None:
    student = Local().enqueue(CALL)
    engine = build(student, records=records)
    first, again = last(engine, GIFT), last(engine, GIFT)
    assert len(student.requests) == 1
    assert (first.cached, again.cached) == (False, True)
    assert again.completion == first.completion and again.verdict == first.verdict
    assert again.stats.first_seconds is None and again.usd == 0.0
    assert again.as_dict()["stats"]["seconds"] is None


def test_a_neighbouring_question_is_another_question(build, records) -> None:
    student = Local().enqueue("과세입니다.").enqueue("비과세입니다.")
    engine = build(student, records=records)
    assert last(engine, "과세인가요?").completion.raw == "과세입니다."
    assert last(engine, "비과세인가요?").completion.raw == "비과세입니다."
    assert len(student.requests) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"question": Question(GIFT, date(2024, 12, 1))},
        {"question": Question(GIFT, DAY, fresh=True)},
        {"question": Question(GIFT, DAY, params=GenParams(100, 0.0))},
        {"question": Question(GIFT, DAY, params=GenParams(512, 0.7))},
    ],
)
def test_another_day_other_settings_or_a_wish_ask_the_model_again(build, records, change: dict) -> None:
    student = Local().enqueue(CALL).enqueue(CALL)
    engine = build(student, records=records)
    last(engine, GIFT)
    assert last(engine, change["question"]).cached is False
    assert len(student.requests) == 2


@pytest.mark.parametrize("student", [Local(sha256=None), Local()])
def test_sampled_or_nameless_answers_are_never_kept_for_again(build, records, student: Local) -> None:
    params = GenParams(512, 0.0) if student.sha256 is None else GenParams(512, 0.8)
    engine = build(student.enqueue("가").enqueue("나"), records=records, params=params)
    assert [last(engine, GIFT).completion.raw for _ in range(2)] == ["가", "나"]


def test_panes_share_a_turn_and_answers_have_an_id(build, records) -> None:
    engine = build(Local().enqueue("가"), FakeBackend().enqueue("나"), records=records)
    question = engine.begin(Question(GIFT, DAY, session=records.new_session("page", True)))
    ids = [last(engine, question, side).id for side in ("student", "teacher")]
    rows = records._connection.execute("SELECT id, turn, side FROM answers ORDER BY seq").fetchall()
    assert [tuple(row) for row in rows] == [
        (ids[0], question.turn, "student"),
        (ids[1], question.turn, "teacher"),
    ]


def test_a_failure_is_kept_with_its_code(build, records) -> None:
    engine = build(Local().enqueue(ServeError(Code.BUSY, "바쁨")), records=records)
    session = records.new_session("page", False)
    with pytest.raises(ServeError):
        list(engine.answer(Question(GIFT, DAY, session=session)))
    assert [tuple(row) for row in records._connection.execute("SELECT side, error FROM answers")] == [
        ("student", "busy")
    ]


def test_without_records_nothing_needs_a_session(build) -> None:
    question = Question(GIFT, DAY)
    engine = build(Local().enqueue(CALL))
    assert engine.begin(question) is question
    assert last(engine, question).id is None


# --- the teacher, outside -----------------------------------------------------------------------------------------
def remote(**more) -> Local:
    return Local("gpt-4o-mini", sha256=None, device="remote", host="api.example.com", **more)


def table() -> Prices:
    raw = {"input": 1.0, "output": 2.0, "source": "test"}
    days = {"as_of": "2026-01-01", "usd_krw_date": "2026-01-01", "usd_krw": 1000.0}
    return validate({**days, "models": {"gpt-4o-mini": raw}}, Prices, where="test")


def test_the_cost_of_an_outside_teacher(build) -> None:
    engine = build(Local(), remote().enqueue("가", "나"), prices=table())
    answer = last(engine, GIFT, "teacher")
    expected = (answer.stats.prompt_tokens * 1.0 + 2 * 2.0) / 1_000_000
    assert answer.usd == pytest.approx(expected) and answer.won == pytest.approx(expected * 1000)


def test_an_unknown_price_is_not_nothing(build) -> None:
    answer = last(build(Local(), remote().enqueue("가"), prices=None), GIFT, "teacher")
    assert answer.usd is None and answer.won is None and answer.as_dict()["won"] is None


def test_a_teacher_on_this_machine_costs_nothing_and_is_not_outside(build) -> None:
    here = Local("x", device="remote", host="127.0.0.1:8000").enqueue("가")
    engine = build(Local(), here, prices=table())
    assert engine.outside() is None
    assert last(engine, "제 번호는 900101-1234567인데 세금은?", "teacher").usd == 0.0
    assert "900101-1234567" in here.requests[0][-1].content


def test_outside_names_the_host(build) -> None:
    assert build(Local(), remote()).outside() == "api.example.com"
    assert build(Local(), None).outside() is None
    assert build(remote()).outside("student") == "api.example.com"


def test_blocked_personal_data_stay_here(build) -> None:
    live = remote()
    with pytest.raises(ServeError) as caught:
        list(build(Local(), live).answer(Question("900101-1234567 세금은?", DAY), "teacher"))
    assert caught.value.code is Code.PRIVATE and caught.value.exit_code == 4
    assert "주민등록번호" in caught.value.message and "900101" not in str(caught.value)
    assert live.requests == []


def test_masked_personal_data_are_sent_as_shown(build) -> None:
    live = remote().enqueue("네")
    engine = build(Local(), live, personal_data="mask", search=Index())
    history = (Message("user", "제 전화는 010-1234-5678입니다"), Message("assistant", "네"))
    question = Question("900101-1234567인데 소득세 세율은?", DAY, sources=True, history=history)
    answer = last(engine, question, "teacher")
    assert answer.sent == "[주민등록번호]인데 소득세 세율은?" and answer.question == question.text
    everything = "\n".join(message.content for message in live.requests[0])
    assert "900101" not in everything and "5678" not in everything and answer.sent in everything


def test_the_student_is_asked_as_written(build) -> None:
    student = Local().enqueue("네")
    answer = last(build(student, remote()), "900101-1234567 세금은?")
    assert answer.sent is None and "900101-1234567" in student.requests[0][0].content


def test_a_recording_has_no_speed_no_cost_and_no_evidence(build, records) -> None:
    recorded = RecordedTeacher({GIFT: "녹음된 답"}, "test")
    engine = build(Local(), None, recorded=recorded, search=Index(), records=records)
    answer = last(engine, Question(GIFT, DAY, sources=True), "teacher")
    assert (answer.completion.raw, answer.measured, answer.usd, answer.sources) == ("녹음된 답", False, 0.0, ())
    assert last(engine, GIFT, "teacher").cached is False


def test_a_missing_base_model_is_said(build) -> None:
    with pytest.raises(ServeError) as caught:
        list(build(Local()).answer(Question(GIFT, DAY), "base"))
    assert caught.value.code is Code.NO_MODEL and caught.value.exit_code == 3


@pytest.mark.parametrize(
    "code", [Code.AUTH, Code.RATE_LIMIT, Code.TIMEOUT, Code.UNREACHABLE, Code.CONTEXT, Code.BAD_REPLY]
)
def test_each_failure_of_the_teacher_comes_through_as_it_is(build, code: Code) -> None:
    failing = remote().enqueue("반", ServeError(code, "까닭", "할 일", side="teacher"))
    steps = build(Local(), failing).answer(Question(GIFT, DAY), "teacher")
    assert isinstance(next(steps), Progress)
    with pytest.raises(ServeError) as caught:
        list(steps)
    assert (caught.value.code, caught.value.hint, caught.value.exit_code) == (code, "할 일", 4)


# --- many at once -------------------------------------------------------------------------------------------------
def test_many_threads_get_each_their_own_answer(build, records) -> None:
    class Echo(Local):
        def stream(self, messages, params):
            one = Local(turnstile=self.turnstile).enqueue("답: ", messages[-1].content)
            return one.stream(messages, params)

    engine = build(Echo(), records=records)
    session = records.new_session("page", True)
    wrong: list[str] = []

    def ask(number: int) -> None:
        for text in (f"질문 {number} 하나", f"질문 {number % 3} 함께"):
            answer = last(engine, Question(text, DAY, session=session))
            if answer.completion.raw != f"답: {text}" or answer.question != text:
                wrong.append(answer.completion.raw)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads) and wrong == []


def test_closing_an_answer_frees_the_model(build) -> None:
    student = Local().enqueue("가", "나").enqueue("다")
    engine = build(student)
    steps = engine.answer(Question(GIFT, DAY))
    next(steps)
    steps.close()
    assert student.endings == ["closed"]
    assert last(engine, GIFT).completion.raw == "다"


def test_closing_the_engine_closes_every_part(build, records) -> None:
    parts = Local(), FakeBackend(), FakeBackend()
    engine = build(parts[0], parts[1], base=Seat("base", parts[2], GenParams()), records=records)
    engine.close()
    assert all(part.closed for part in parts) and not records.keeping


def test_no_answer_waits_for_an_index_that_is_not_open(build) -> None:
    index = Index()
    evidence = Evidence(lambda: index)
    student = Local().enqueue("소득세법 제55조입니다.").enqueue("소득세법 제55조입니다.").enqueue("네")
    engine = build(student, search=evidence)
    assert last(engine, "세율은?").texts == {} and evidence.ready is None
    assert last(engine, Question("세율은?", DAY, sources=True)).sources  # waits for it
    assert evidence.ready is index


def test_the_size_is_that_of_the_question(build) -> None:
    engine = build(Local(), search=Index())
    assert engine.size(Question("소득세 세율은?", DAY, sources=True)) == (2, 1984)
    assert engine.search.asked == []


def test_an_unopenable_index_fails_only_the_questions_that_want_evidence(build) -> None:
    def broken() -> None:
        raise SourceError("색인이 깨졌습니다")

    engine = build(Local().enqueue("네"), search=Evidence(broken))
    with pytest.raises(ServeError, match="색인이 깨졌습니다"):
        list(engine.answer(Question("세율은?", DAY, sources=True)))
    assert last(engine, "세율은?").completion.raw == "네"
