"""What stands in a pane: faults before praise, nothing unescaped, figures that are known, and no hint of a hidden side."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from serve.answer import Answer, Stats
from serve.complete import complete
from serve.engine import Question
from serve.errors import Code, ServeError
from serve.page import answer_view, view
from serve.page.tabs import Stopped, Turn
from serve.private_data import mask
from serve.settings import Student
from serve.teacher import RECORDED_LABEL
from taxlaw.verify import Finding, Verdict

QUESTION = "아버지께 20억원을 증여받으면 증여세는?"
AS_OF = date(2025, 7, 1)
CALL = '{"tax":"gift","amount":"20억원","relation":"직계존속"}'
CITED = Finding("citation", "confirmed", (0, 1), "소득세법 제55조")


def answer(text: str, *findings: Finding, side: str = "student", **more) -> Answer:
    verdict = Verdict(not any(finding.severity == "fault" for finding in findings), findings)
    stats = Stats(0.5, 2.5, 21, 30, "stop", 130, 30)
    done = complete(text, AS_OF, QUESTION)
    return Answer(side, "학생/모델", QUESTION, AS_OF, done, stats, verdict, **more)


def turn(done: object, blind: bool = False) -> Turn:
    seats = {"left": "student", "right": "teacher"}
    return Turn(Question(QUESTION, AS_OF), seats, blind, outcomes={"left": done, "right": done})


def test_a_working_is_read_without_its_digits_which_stand_in_what_the_model_wrote(working) -> None:
    slip, right, plain = working
    done = answer(right)
    done = replace(done, completion=replace(done.completion, first=slip))
    for line in plain.splitlines():
        assert line in answer_view.answer_text(done, "ko")
    assert "[⑦" not in answer_view.answer_text(done, "ko")
    card = answer_view.completion_card(done.completion, "ko")
    assert right in card and slip in card and "맞지 않는 곳이 있어 다시 썼습니다" in card


def test_a_working_under_a_call_is_the_answer_with_the_facts_above_it(working) -> None:
    _, right, plain = working
    call = '{"tax":"gift","amount":"20억원","relation":"직계존속"}'
    done = answer(f"{call}\n{right}")
    assert done.completion.problem is None
    assert "증여재산가액: 8억 1,000만원" in answer_view.answer_text(done, "ko")
    card = answer_view.completion_card(done.completion, "ko")
    assert "증여자" in card and "직계존속" in card and right.splitlines()[3] in card, "facts, and what it wrote"
    assert "sf-working" not in card, "code's own working belongs to the checks"
    assert plain.splitlines()[3] in answer_view.answer_text(done, "ko")


def foot(done: Answer, language: str = "ko", blind: bool = False) -> str:
    return answer_view.answer_foot(done, turn(done, blind), "학생", language)


def test_findings_are_escaped_and_faults_come_first() -> None:
    html = foot(answer("답", CITED, Finding("number", "fault", (0, 1), "<b>5원</b>", "<i>7원</i>")))
    assert "&lt;b&gt;5원&lt;/b&gt;" in html and "<b>5원</b>" not in html and "<i>7원</i>" not in html
    assert html.index("5원") < html.rindex("소득세법 제55조")


def test_the_figures_of_an_answer() -> None:
    html = foot(answer("답", won=1.5))
    for figure in (
        "첫 토큰 <b>0.50초</b>",
        "<b>10.0</b> 토큰/초",
        "<b>50</b> 자/초",
        "토큰 <b>30</b> → <b>21</b>",
        "<b>1.50원</b>",
        "끝까지 씀",
        "AI 생성물 · 기준일 2025-07-01",
    ):
        assert figure in html, figure
    assert "요금 모름" in foot(answer("답")) and "무료" in foot(answer("답", won=0.0))
    english = foot(answer("답", won=1234.5), "en")
    assert "first token" in english and "₩1,234" in english and "law as of 2025-07-01" in english


def test_a_kept_answer_or_a_recording_claims_no_speed() -> None:
    kept = answer("답", cached=True)
    assert "토큰/초" not in foot(kept) and "저장된 답 (cache)" in answer_view.banner(kept, turn(kept), "ko")
    recorded = answer("답", measured=False)
    assert "토큰/초" not in foot(recorded) and RECORDED_LABEL in answer_view.banner(recorded, turn(recorded), "ko")


def test_a_hidden_side_shows_neither_name_nor_speed_nor_where_it_came_from(make_engine) -> None:
    engine = make_engine()
    done = answer("답", CITED, cached=True, won=3.0)
    hidden = turn(done, blind=True)
    shown = answer_view.settled(engine, hidden, "left", "ko")
    everything = shown.head + shown.card + shown.text + shown.foot
    for clue in ("학생", "교사", "모델", "토큰/초", "저장된 답", "3.00원", "student", "teacher"):
        assert clue not in everything, clue
    assert "답 A" in shown.head and "확인" in shown.foot, "what code found is no clue and helps to judge"
    hidden.revealed = True
    assert "학생" in answer_view.settled(engine, hidden, "left", "ko").head


def test_a_call_is_shown_as_facts_working_and_raw_output() -> None:
    done = answer(CALL)
    assert answer_view.answer_text(done, "ko") == ""
    card = answer_view.completion_card(done.completion, "ko")
    assert "<dt>증여재산가액</dt><dd>20억원</dd>" in card and "납부할 세액</span><b>6억 140만원" in card
    assert "모델이 아니라 코드가 계산" in card and "&quot;tax&quot;:&quot;gift&quot;" in card


def test_model_text_in_a_broken_call_is_escaped() -> None:
    card = answer_view.completion_card(answer('{"tax":"<script>"}').completion, "ko")
    assert "계산하지 못했습니다" in card and "<script>" not in card


def test_an_error_says_what_and_what_next_in_both_languages() -> None:
    error = ServeError(Code.TIMEOUT, "교사가 <답>하지 않습니다.", "다시 물어보세요.", side="teacher")
    korean, english = view.error_state(error, "ko"), view.error_state(error, "en")
    assert "교사가 &lt;답&gt;하지 않습니다." in korean and "다시 물어보세요." in korean
    assert "The teacher did not answer in time [timeout]" in english and "다시 물어보세요." in english


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (answer("답", CITED), "학생의 답이 끝났습니다."),
        (Stopped("반쪽"), "학생: 멈췄습니다."),
        (ServeError(Code.BUSY, "바쁩니다"), "학생: 답하지 못했습니다. 바쁩니다"),
    ],
)
def test_a_screen_reader_is_told_of_every_end(make_engine, outcome, said) -> None:
    shown = answer_view.settled(make_engine(), turn(outcome), "left", "ko")
    assert f'data-said="{said}' in shown.foot


def test_the_consent_marks_what_is_personal_and_shows_the_words_that_would_leave() -> None:
    html = view.consent_text("<host>", mask("제 번호는 900101-1234568, <b>입니다"), "ko")
    assert "900101" not in html and "<mark>[주민등록번호]</mark>" in html
    assert "&lt;host&gt;" in html and "&lt;b&gt;입니다" in html


def test_header_states_measured_accuracy_only() -> None:
    assert "83.6%" in view.header(Student(Path("a.gguf"), "a", 0.0, 0.836), "ko")
    assert "%" not in view.header(Student(Path("a.gguf"), "a"), "en")


def test_an_answer_with_masked_personal_data_says_so() -> None:
    done = replace(answer("답", side="teacher"), sent="[주민등록번호]")
    assert "가리고 보냈습니다" in answer_view.banner(done, turn(done), "ko")


def test_a_quotation_made_by_code_is_the_answer_and_the_models_own_words_stay_within_reach() -> None:
    shown = "[근거]\n1. 소득세법 제55조(세율) [시행 2025-01-01]\n① 세율을 적용한다.\n\n[질문]\n세율은?"
    done = replace(answer("답"), completion=complete("인용: 1번 제1항", AS_OF, QUESTION, shown))
    assert "“세율을 적용한다.”" in answer_view.answer_text(done, "ko")
    card = answer_view.completion_card(done.completion, "ko")
    assert "<pre>인용: 1번 제1항</pre>" in card and "못했습니다" not in card
    failed = answer_view.completion_card(complete("인용: 7번", AS_OF, QUESTION, shown), "ko")
    assert "인용하지 못했습니다" in failed and "계산하지" not in failed
