"""What stands on standard output, what on standard error, and the exit code, for one question and for a conversation."""

from __future__ import annotations

import json
import signal
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest

from serve.backends.fake import FakeBackend
from serve.errors import Code, ServeError
from serve.teacher import RecordedTeacher, Teacher

QUESTION = "세율은 얼마인가요?"
NOTICE = "AI가 생성한 답변입니다 (AI 기본법 제31조). 세무 자문이 아닙니다 (세무사법 제2조·제20조).\n"
CALL = '{"tax":"gift","amount":"20억원","relation":"직계존속"}'


class LiveTeacher(FakeBackend):
    """A teacher at a host of its own."""

    host = "api.example.com"

    def info(self):
        return replace(super().info(), detail=self.host, device="remote")


@pytest.fixture
def live(demo_config) -> Teacher:
    return Teacher(demo_config().teacher, LiveTeacher("시험-교사"), RecordedTeacher({}, ""))


def test_one_question_in_words(run, student, capsys) -> None:
    student.enqueue("소득세법 제55조에 따라 6퍼센트에서 ", "45퍼센트입니다.")
    assert run("--question", QUESTION) == 0
    screen = capsys.readouterr()
    assert screen.out == "소득세법 제55조에 따라 6퍼센트에서 45퍼센트입니다.\n"
    assert screen.err == NOTICE + "검증: 틀림 없음\n"
    assert student.requests[0][0].content == QUESTION
    assert student.closed


def test_decomposed_hangul_reaches_the_student_composed(run, student) -> None:
    student.enqueue("답")
    assert run("--question", unicodedata.normalize("NFD", QUESTION)) == 0
    assert student.requests[0][0].content == QUESTION


def test_a_call_is_completed_and_both_halves_are_labelled(run, student, capsys) -> None:
    student.enqueue(CALL[:10], CALL[10:])
    assert run("--question", "부모님께 20억원을 증여받았는데 증여세는 얼마인가요?") == 0
    out = capsys.readouterr().out
    assert out.startswith(
        "[모델이 읽은 사실]\n- 세목: 증여세\n- 증여재산가액: 20억원\n- 증여자: 직계존속\n"
        f"- 모델의 출력: {CALL}\n\n[코드가 계산한 결과]\n"
    )
    assert out.count(CALL) == 1 and "6억 140만원" in out


def test_a_call_that_cannot_be_run_is_said_plainly(run, student, capsys) -> None:
    student.enqueue('{"tax":"gift"}')
    assert run("--question", QUESTION) == 0
    out = capsys.readouterr().out
    assert out.startswith("[계산하지 못함]\n계산 요청의 형식이 잘못되어")
    assert '모델의 출력: {"tax":"gift"}' in out


def test_what_code_computes_by_rule_stands_beside_an_answer_in_words(run, student, capsys) -> None:
    student.enqueue("잘 모르겠습니다.")
    assert run("--question", "부모님께 20억원을 증여받았는데 증여세는 얼마인가요?") == 0
    screen = capsys.readouterr()
    assert screen.out == "잘 모르겠습니다.\n"
    assert "[코드가 질문에서 읽어 계산한 결과]\n" in screen.err and "6억 140만원" in screen.err


def test_prose_that_opens_like_a_fence_is_printed_once(run, student, capsys) -> None:
    student.enqueue("`", "코드`로 시작하는 답")
    assert run("--question", QUESTION) == 0
    assert capsys.readouterr().out == "`코드`로 시작하는 답\n"


def test_space_around_an_answer_is_not_shown(run, student, capsys) -> None:
    student.enqueue("\n 첫째\n", "\n둘째", " \n\n")
    assert run("--question", QUESTION) == 0
    assert capsys.readouterr().out == "첫째\n\n둘째\n"


def test_faults_and_cut_answers_are_reported(run, student, capsys) -> None:
    student.enqueue("틀린 답", finish="length")
    assert run("--question", QUESTION, "--stats") == 0
    err = capsys.readouterr().err
    assert "검증: 틀림 있음\n  ✗ 금액 <b>5원</b>이 다릅니다\n" in err
    assert "  주의: 길이 한도에서 잘림\n" in err and "첫 토큰 " in err


def test_json_is_one_line_and_nothing_else(run, student, capsys) -> None:
    student.enqueue("답")
    assert run("--question", QUESTION, "--json") == 0
    screen = capsys.readouterr()
    record = json.loads(screen.out)
    assert screen.out.count("\n") == 1 and screen.err == ""
    assert list(record) == ["question", "answer", "student"] and record["answer"] == "답"
    given = record["student"]
    assert given["verdict"]["ok"] is True and given["sources"] == []
    assert given["verification"]["summary"] == "틀림 없음"
    assert given["stats"]["new_tokens"] == 1 and given["as_of"] == "2025-07-01"


def test_teacher_without_key_exits_4_and_keeps_the_student(run, student, capsys) -> None:
    student.enqueue("답")
    assert run("--question", QUESTION, "--teacher") == 4
    screen = capsys.readouterr()
    assert screen.out == "── 학생 · 시험-학생 ──\n답\n"
    assert "OPENAI_API_KEY" in screen.err


def test_recorded_answer_carries_its_label(run, student, capsys) -> None:
    student.enqueue("답")
    assert run("--question", "녹음된 질문", "--teacher") == 0
    assert "── 교사 · 녹음된 교사 답변 (실시간 모델 아님) ──\n녹음된 답\n" in capsys.readouterr().out


def test_the_host_of_a_teacher_is_named_before_anything_is_sent(run, student, live, capsys) -> None:
    student.enqueue("답")
    live.live.enqueue("교사의 답")
    assert run("--question", QUESTION, "--teacher", teacher=live) == 0
    screen = capsys.readouterr()
    assert "질문이 이 컴퓨터 밖으로 나갑니다: api.example.com\n" in screen.err
    assert screen.out == "── 학생 · 시험-학생 ──\n답\n── 교사 · 실시간 교사 · 시험-교사 ──\n교사의 답\n"


def test_a_teacher_on_this_machine_needs_no_notice(run, student, live, capsys) -> None:
    live.live.host = "127.0.0.1:8080"
    student.enqueue("답")
    live.live.enqueue("교사의 답")
    assert run("--question", QUESTION, "--teacher", teacher=live) == 0
    assert "밖으로" not in capsys.readouterr().err


def test_student_failure_exits_3(run, student, capsys) -> None:
    student.enqueue(ServeError(Code.CONTEXT, "질문이 너무 깁니다", "줄이세요"))
    assert run("--question", QUESTION) == 3
    screen = capsys.readouterr()
    assert screen.out == "" and "오류: 질문이 너무 깁니다\n  줄이세요\n" in screen.err


def test_ctrl_c_exits_130(run, student, capsys) -> None:
    student.enqueue("반", KeyboardInterrupt())
    assert run("--question", QUESTION) == 130
    assert capsys.readouterr().out == "반\n"


def test_bytes_that_are_no_text_are_a_mistake_of_use(run, student, capsys) -> None:
    assert run("--question", "세율은\udcb0?") == 2
    assert "UTF-8" in capsys.readouterr().err


def test_evidence_is_listed_under_the_answer(run, student, capsys) -> None:
    from taxlaw.search import Hit, Passage

    passage = Passage(
        id="p1", kind="statute", title="소득세법 제55조", text="세율", heading="세율", effective_from=None,
        effective_to=None, url="https://law.go.kr/%EB%B2%95", source="s",
    )  # fmt: skip

    class Search:
        def find(self, question, as_of, limit):
            return (Hit(passage=passage, score=1.0, rank=1, why="조문 번호"),)

    student.enqueue("답")
    assert run("--question", QUESTION, "--sources", search=Search()) == 0
    assert "  1. 소득세법 제55조(세율) · https://law.go.kr/법\n" in capsys.readouterr().err
    assert "소득세법 제55조" in student.requests[0][0].content


def test_evidence_without_an_index_is_said(run, student, capsys) -> None:
    student.enqueue("답")
    assert run("--question", QUESTION, "--sources") == 0
    assert "색인이 없어" in capsys.readouterr().err


def test_interactive_session(run, student, capsys) -> None:
    student.enqueue("첫째").enqueue("반만", KeyboardInterrupt()).enqueue("셋째")
    lines = ["하나", "", "둘", KeyboardInterrupt(), "/help", "/nope", "셋", "종료", "넷"]
    assert run("--interactive", lines=lines) == 0
    screen = capsys.readouterr()
    assert screen.out == "첫째\n반만\n셋째\n"
    assert "(중단됨. /retry로 다시 묻습니다. 끝내려면 /quit)" in screen.err
    assert "(끝내려면 /quit 또는 Ctrl-D)" in screen.err
    assert "Ctrl-C      쓰고 있는 답만 멈추기" in screen.err and "모르는 명령입니다: /nope" in screen.err
    assert student.endings == ["finished", "closed", "finished"]
    assert [request[0].content for request in student.requests] == ["하나", "둘", "셋"]


def test_a_second_ctrl_c_within_the_answer_leaves(run, student, monkeypatch, capsys) -> None:
    class Slow(FakeBackend):
        def stream(self, messages, params):
            try:
                yield from super().stream(messages, params)
            finally:
                signal.raise_signal(signal.SIGINT)  # while the first one is still being dealt with

    slow = Slow("시험-학생").enqueue("반만", "끝")
    slow.before_delta = lambda index: index and signal.raise_signal(signal.SIGINT)
    monkeypatch.setattr(student, "stream", slow.stream)
    assert run("--interactive", lines=["하나", "둘"]) == 130
    assert "중단됨" not in capsys.readouterr().err and len(slow.requests) == 1


def test_ctrl_c_in_the_students_answer_does_not_go_on_to_the_teacher(run, student, live) -> None:
    student.enqueue("반", KeyboardInterrupt())
    assert run("--interactive", "--teacher", lines=["하나"], teacher=live, yes=True) == 0
    assert live.live.requests == []


def test_a_kept_answer_is_shown_as_such_and_retry_asks_anew(run, student, demo_config, monkeypatch, capsys) -> None:
    from serve.records.store import open_records

    known = replace(student.info(), model_sha256="ab")
    monkeypatch.setattr(student, "info", lambda: known)
    records = open_records(demo_config(records={"path": Path("r.sqlite")}).records)
    student.enqueue("제55조의 답").enqueue("제55조의 새 답")
    assert run("--interactive", lines=["하나", "하나", "/retry"], records=records) == 0
    screen = capsys.readouterr()
    assert screen.out == "제55조의 답\n제55조의 답\n제55조의 새 답\n"
    assert screen.err.count("전에 쓴 답입니다") == 1 and len(student.requests) == 2


def test_interactive_goes_on_after_an_error_and_leaves_on_ctrl_d(run, student, capsys) -> None:
    student.enqueue(ServeError(Code.CONTEXT, "너무 깁니다")).enqueue("답")
    assert run("--interactive", lines=["하나", "/teacher", "/stats", "둘"]) == 0
    screen = capsys.readouterr()
    assert "답\n" in screen.out and "교사 켬: 키가 없어" in screen.err and "속도 보기 켬" in screen.err


def test_who_says_no_sends_nothing_to_the_teacher(run, student, live, capsys) -> None:
    student.enqueue("답1").enqueue("답2")
    assert run("--interactive", "--teacher", lines=["하나", "둘"], teacher=live, yes=False) == 0
    assert live.live.requests == []
    assert capsys.readouterr().err.count("교사를 껐습니다") == 1


def test_who_says_yes_is_asked_once(run, student, live, capsys) -> None:
    student.enqueue("답1").enqueue("답2")
    live.live.enqueue("교사1").enqueue("교사2")
    assert run("--interactive", "--teacher", lines=["하나", "둘"], teacher=live, yes=True) == 0
    assert [request[-1].content for request in live.live.requests] == ["하나", "둘"]
    assert capsys.readouterr().err.count("밖으로 나갑니다: api.example.com") == 1


def test_what_is_masked_is_shown_and_stays_masked_in_the_context(run, student, demo_config, capsys) -> None:
    config = demo_config(teacher={"personal_data": "mask"}).teacher
    live = Teacher(config, LiveTeacher("시험-교사"), RecordedTeacher({}, ""))
    student.enqueue("답1").enqueue("답2")
    live.live.enqueue("교사1").enqueue("교사2")
    lines = ["/context", "주민등록번호 900101-1234567인 사람의 세율은?", "그럼 공제는?"]
    assert run("--interactive", "--teacher", lines=lines, teacher=live, yes=True) == 0
    sent = " ".join(message.content for request in live.live.requests for message in request)
    assert "900101" not in sent and "[주민등록번호]" in sent
    assert "가리고 보냅니다" in capsys.readouterr().err
    assert "900101-1234567" in student.requests[1][0].content  # it stays on this machine


def test_questions_stand_alone_until_context_is_on(run, student) -> None:
    for answer in ("하나의 답", "둘의 답", "셋의 답", "넷의 답"):
        student.enqueue(answer)
    lines = ["하나", "둘", "/undo", "/context", "셋", "/clear", "넷"]
    assert run("--interactive", lines=lines) == 0
    asked = [[message.content for message in request] for request in student.requests]
    assert asked == [["하나"], ["둘"], ["하나", "하나의 답", "셋"], ["넷"]]


def test_context_gives_way_when_it_does_not_fit(run, student) -> None:
    student.enqueue("가 " * 1500).enqueue("짧은 답")
    assert run("--interactive", lines=["/context", "하나", "낱말 " * 600]) == 0
    assert len(student.requests[1]) == 1


def test_retry_asks_anew_and_replaces(run, student) -> None:
    student.enqueue("첫 답").enqueue("새 답")
    assert run("--interactive", lines=["하나", "/retry", "/save a.jsonl"]) == 0
    rows = Path("a.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(row)["answer"] for row in rows] == ["새 답"]


def test_commands_without_a_question_say_so(run, student, capsys) -> None:
    assert run("--interactive", lines=["/undo", "/retry", "/save a.md"]) == 0
    assert capsys.readouterr().err.count("아직 질문이 없습니다.") == 3


def test_save_as_a_document(run, student, capsys) -> None:
    student.enqueue("틀린 답").enqueue("반만", KeyboardInterrupt())
    assert run("--interactive", lines=["하나", "둘", "/save 상담.md", "/save x.docx", "/save"]) == 0
    assert Path("상담.md").read_text(encoding="utf-8") == (
        f"# 세법 문답 (기준일 2025-07-01)\n\n{NOTICE}\n"
        "## 1. 하나\n\n### 학생 · 시험-학생\n\n틀린 답\n\n검증: 틀림 있음\n- 틀림: 금액 <b>5원</b>이 다릅니다\n\n"
        "## 2. 둘\n\n### 학생 · 중단됨\n\n반만\n"
    )
    assert Path("상담.md").stat().st_mode & 0o777 == 0o600
    err = capsys.readouterr().err
    assert "형식을 알 수 없습니다: x.docx" in err and "파일 이름을 적어 주세요" in err


@pytest.mark.parametrize("yes", [True, False])
def test_save_overwrites_only_when_told_to(run, student, yes: bool) -> None:
    Path("a.json").write_text("내 파일", encoding="utf-8")
    student.enqueue("답")
    assert run("--interactive", lines=["하나", "/save a.json"], yes=yes) == 0
    kept = Path("a.json").read_text(encoding="utf-8")
    assert json.loads(kept)[0]["answer"] == "답" if yes else kept == "내 파일"


def test_a_source_that_was_not_shown_is_never_half_printed(run, student, capsys) -> None:
    student.enqueue("인용", ": 1번", " 제2항")
    assert run("--question", QUESTION) == 0
    out = capsys.readouterr().out
    assert out.startswith("[인용하지 못함]\n인용할 근거를 찾지 못해") and out.endswith("모델의 출력: 인용: 1번 제2항\n")


def test_words_that_begin_like_a_reference_are_printed_in_full(run, student, capsys) -> None:
    student.enqueue("인", "적공제는 1명에 150만원입니다.")
    assert run("--question", QUESTION) == 0
    assert capsys.readouterr().out == "인적공제는 1명에 150만원입니다.\n"
