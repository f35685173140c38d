"""The footer under an answer: faults first, nothing unescaped, and no praise where nothing was compared."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from serve.answer import Answer, Stats
from serve.complete import complete
from serve.page import view
from serve.settings import Student
from serve.teacher import RECORDED_LABEL
from taxlaw.verify import Finding, Verdict

QUESTION = "아버지께 20억원을 증여받으면 증여세는?"
AS_OF = date(2025, 7, 1)
CALL = '{"tax":"gift","amount":"20억원","relation":"직계존속"}'
CITED = Finding("citation", "confirmed", (0, 1), "소득세법 제55조")


def answer(text: str, *findings: Finding, measured: bool = True) -> Answer:
    verdict = Verdict(not any(finding.severity == "fault" for finding in findings), findings)
    source = "학생" if measured else RECORDED_LABEL
    stats = Stats(0.5, 2.5, 21, 30, "stop")
    return Answer("student", source, QUESTION, AS_OF, complete(text, AS_OF, QUESTION), stats, verdict, measured)


def test_findings_are_escaped_and_faults_come_first() -> None:
    fault = Finding("number", "fault", (0, 1), "<b>5원</b>", "<i>7원</i>")
    html = view.answer_footer(answer("답", CITED, fault))
    assert "&lt;b&gt;5원&lt;/b&gt;" in html and "&lt;i&gt;7원&lt;/i&gt;" in html
    assert html.index("5원") < html.index("소득세법 제55조")
    assert "틀린 곳이 있습니다" in html


def test_speed_is_shown_for_a_model_and_not_for_a_recording() -> None:
    assert "첫 토큰 <b>0.50초</b> · <b>10.0</b>토큰/초 · <b>21</b>토큰 · 끝까지 씀" in view.answer_footer(answer("답"))
    assert "토큰/초" not in view.answer_footer(answer("답", measured=False))


def test_exact_arithmetic_on_unchecked_facts_is_not_praised() -> None:
    said = "읽은 사실을 질문과 대조하지 못함"
    assert said in view.answer_footer(answer(CALL, CITED))
    assert said not in view.answer_footer(answer(CALL, Finding("number", "confirmed", (0, 1), "같습니다")))
    assert said not in view.answer_footer(answer("말로 한 답", CITED))


def test_the_overall_badge_is_green_only_when_everything_was_checked() -> None:
    green = '<span class="sf-badge good strong">✓ 틀린 곳을 찾지 못함</span>'
    assert green in view.answer_footer(answer("답", CITED))
    unchecked = Finding("number", "unchecked", (0, 1), "5원")
    mixed = view.answer_footer(answer("답", CITED, unchecked))
    assert green not in mixed and "일부는 확인하지 못함" in mixed


def test_nothing_to_check_is_said() -> None:
    assert "확인할 인용·금액 없음" in view.answer_footer(answer("네."))


def test_a_call_is_shown_as_facts_working_and_raw_output() -> None:
    done = answer(CALL)
    assert view.answer_text(done) == ""
    card = view.answer_card(done.completion)
    assert "<dt>증여재산가액</dt><dd>20억원</dd>" in card and "납부할 세액</span><b>6억 140만원" in card
    assert "모델이 아니라 코드가 계산" in card and "&quot;tax&quot;:&quot;gift&quot;" in card


def test_model_text_in_a_broken_call_is_escaped() -> None:
    card = view.answer_card(answer('{"tax":"<script>"}').completion)
    assert "계산하지 못했습니다" in card and "<script>" not in card


def test_header_states_measured_accuracy_only() -> None:
    assert "83.6%" in view.header(Student(Path("a.gguf"), "a", 0.0, 0.836))
    assert "%" not in view.header(Student(Path("a.gguf"), "a"))
