"""What the page shows, as pure functions from values to HTML.  Every text that is not ours is escaped here."""

from __future__ import annotations

from html import escape

from serve.answer import FINISH_KO, Answer, Stats
from serve.complete import FACTS_TITLE, WORKING_TITLE, Completion, looks_like_call
from serve.page.markdown_ko import normalise_markdown
from serve.settings import Student
from serve.teacher import RECORDED_LABEL, Teacher
from taxlaw.money import format_won

_RUNNING = 'data-running="1"'
_KINDS = {"citation": "인용", "number": "금액", "calculation": "계산", "form": "형식"}
_SEVERITIES = {"fault": ("✗", "bad", "틀림"), "unchecked": ("?", "dim", "미확인"), "confirmed": ("✓", "good", "확인")}


def header(student: Student) -> str:
    """Title, one line on what this is, and the accuracy before and after training when the run measured it."""
    measured = ""
    if student.exact_before is not None and student.exact_after is not None:
        measured = (
            '<div class="sf-score" aria-label="학습 전후 정답률">'
            '<span class="sf-score-label">처음 보는 계산 문제의 정답률</span>'
            f"{_bar('학습 전', student.exact_before, 'before')}{_bar('학습 후', student.exact_after, 'after')}</div>"
        )
    return (
        '<header class="sf-header"><div class="sf-title"><h1>SLM Forest</h1>'
        "<p>법령과 예규로 가르친 <b>작은 세법 모델</b>을 그 교사와 나란히 놓고, 인용과 금액을 코드로 확인합니다.</p>"
        f'<p class="sf-en">A small Korean tax model beside its teacher, every citation and amount checked by code.</p></div>{measured}</header>'
    )


def _bar(label: str, share: float, kind: str) -> str:
    percent = f"{share:.1%}".replace(".0%", "%")
    return (
        f'<span class="sf-bar {kind}"><span class="sf-bar-name">{label}</span>'
        f'<span class="sf-bar-track"><i style="width:{min(max(share, 0.0), 1.0):.1%}"></i></span><b>{percent}</b></span>'
    )


def pane_head(role: str, name: str, detail: str) -> str:
    return (
        f'<div class="sf-head"><span class="sf-role">{escape(role)}</span>'
        f'<span class="sf-name">{escape(name)}</span><span class="sf-detail">{escape(detail)}</span></div>'
    )


def teacher_head(teacher: Teacher) -> str:
    if teacher.live is not None:
        info = teacher.live.info()
        return pane_head("교사", info.name, f"실시간 · {info.detail}")
    count = len(teacher.recorded.questions())
    return pane_head("교사", "API 키 없음", f"녹음된 답변 {count:,}개" if count else "녹음된 답변 없음")


def privacy_notice(teacher: Teacher) -> str:
    """Shown beside the question box, before anything is sent."""
    if teacher.live is None:
        text = "질문은 이 컴퓨터를 떠나지 않습니다. 교사 API 키가 없어 외부로 보내는 곳이 없습니다."
        return f'<p class="sf-notice">{text}</p>'
    info = teacher.live.info()
    return (
        f'<p class="sf-notice sf-outside">교사에게 물으면 질문이 외부 서비스(<b>{escape(info.detail)}</b>)로 전송됩니다. '
        "이름·주민등록번호 같은 개인정보는 적지 마세요.</p>"
    )


def legal_footer() -> str:
    return (
        '<footer class="sf-legal"><p><b>AI 생성물</b> · 이 페이지의 답변은 인공지능이 만들었습니다 (AI 기본법 제31조).</p>'
        "<p><b>세무 자문이 아닙니다</b> · 신고와 납부는 세무사나 국세청(126)에 확인하세요 (세무사법 제2조·제20조).</p></footer>"
    )


def state(title: str, hint: str = "", kind: str = "info", running: bool = False) -> str:
    """A boxed message in place of an answer: waiting, stopped, no key, unreachable, …"""
    mark = {"info": "ℹ", "error": "⚠", "wait": "…", "stop": "■"}[kind]
    more = f"<p>{escape(hint)}</p>" if hint else ""
    flag = _RUNNING if running else ""
    return f'<div class="sf-state {kind}" role="status" {flag}><b><span aria-hidden="true">{mark}</span> {escape(title)}</b>{more}</div>'


def recorded_banner() -> str:
    return f'<p class="sf-recorded">{escape(RECORDED_LABEL)}</p>'


def is_running(footer: str | None) -> bool:
    return _RUNNING in (footer or "")


def streaming_text(text: str) -> str:
    """Unfinished text for the Markdown component; a call on its way is shown as the code it is."""
    if looks_like_call(text):
        return "```json\n" + text.replace("```json", "").replace("`", "").strip() + "\n```"
    return normalise_markdown(text)


def running_footer(stats: Stats) -> str:
    return f'<div class="sf-foot" {_RUNNING}><div class="sf-stats"><span class="sf-pulse"></span>쓰는 중 · {_figures(stats)}</div></div>'


def answer_text(answer: Answer) -> str:
    """The model's own words for the Markdown component; empty when they were a call, which the card shows."""
    completion = answer.completion
    if completion.facts or completion.problem:
        return ""
    return normalise_markdown(completion.raw) or "_(빈 답)_"


def answer_card(completion: Completion) -> str:
    """Facts, working and raw output of a calculator call; empty for an answer in words."""
    parts = []
    if completion.facts:
        rows = "".join(
            f"<div><dt>{escape(label)}</dt><dd>{escape(value)}</dd></div>" for label, value in completion.facts
        )
        parts.append(f'<section class="sf-facts"><h3>{FACTS_TITLE}</h3><dl>{rows}</dl></section>')
    if completion.result is not None:
        parts.append(_working(completion.result))
    if completion.problem:
        parts.append(state("계산하지 못했습니다", completion.problem, "error"))
    if parts:
        parts.append(
            f'<details class="sf-raw"><summary>학생의 출력 원문</summary><pre>{escape(completion.raw)}</pre></details>'
        )
    return "".join(parts)


def _working(result: object) -> str:
    rows = "".join(
        f"<li><span>{escape(step.label)}</span><b>{format_won(step.amount)}</b>{_expression(step)}</li>"
        for step in result.steps
    )
    notes = "".join(f"<li>{escape(note)}</li>" for note in result.assumptions)
    return (
        f'<section class="sf-working"><h3>{WORKING_TITLE} <span class="sf-code-mark">모델이 아니라 코드가 계산</span></h3>'
        f'<ol class="sf-steps">{rows}</ol>'
        f'<p class="sf-payable"><span>납부할 세액</span><b>{format_won(result.payable)}</b></p>'
        f'<p class="sf-articles">근거 {_articles(result.articles)}</p>'
        + (f"<details><summary>전제 {len(result.assumptions)}가지</summary><ul>{notes}</ul></details>" if notes else "")
        + "</section>"
    )


def _expression(step: object) -> str:
    """How the amount came about; nothing when the step only states an amount."""
    return "" if step.expression == format_won(step.amount) else f"<small>{escape(step.expression)}</small>"


def _articles(articles: tuple[str, ...]) -> str:
    """Each law named once, then its articles."""
    by_law: dict[str, list[str]] = {}
    for article in articles:
        law, _, number = article.rpartition(" ")
        by_law.setdefault(law, []).append(number)
    return escape(" · ".join(f"「{law}」 {', '.join(numbers)}" for law, numbers in by_law.items()))


def answer_footer(answer: Answer) -> str:
    """Label, verdict badges, timings and the findings of one finished answer."""
    verdict = answer.verdict
    badges = [_overall(verdict)]
    for kind, word in _KINDS.items():
        for severity, (mark, tone, said) in _SEVERITIES.items():
            if count := verdict.count(kind, severity):
                badges.append(f'<span class="sf-badge {tone}">{mark} {word} {said} {count}</span>')
    if answer.completion.result is not None and not any(
        verdict.count("number", severity) for severity in ("confirmed", "fault")
    ):
        # Code's arithmetic on misread facts is exact and wrong; say when nothing compared the facts with the question.
        badges.append('<span class="sf-badge dim">? 읽은 사실을 질문과 대조하지 못함</span>')
    worst_first = sorted(verdict.findings, key=lambda finding: list(_SEVERITIES).index(str(finding.severity)))
    findings = "".join(_finding(finding) for finding in worst_first)
    details = (
        f"<details><summary>검증 내용 {len(verdict.findings)}건 · {escape(verdict.summary())}</summary><ul class='sf-findings'>{findings}</ul></details>"
        if findings
        else ""
    )
    # A recording was written with a model's help as well; its speed says nothing about any model.
    figures = _figures(answer.stats) if answer.measured else "속도 없음 (녹음)"
    return (
        f'<div class="sf-foot"><div class="sf-badges">{"".join(badges)}</div>{details}'
        f'<div class="sf-stats">{figures}<span class="sf-ai">AI 생성 · 기준일 {answer.as_of}</span></div></div>'
    )


def _overall(verdict: object) -> str:
    if not verdict.ok:
        return '<span class="sf-badge bad strong">✗ 틀린 곳이 있습니다</span>'
    severities = {str(finding.severity) for finding in verdict.findings}
    if {"confirmed", "unchecked"} <= severities:
        return '<span class="sf-badge dim strong">틀린 곳을 찾지 못함, 일부는 확인하지 못함</span>'
    if "confirmed" in severities:
        return '<span class="sf-badge good strong">✓ 틀린 곳을 찾지 못함</span>'
    return '<span class="sf-badge dim strong">? 확인할 인용·금액 없음</span>'


def _finding(finding: object) -> str:
    mark, tone, said = _SEVERITIES.get(str(finding.severity), ("?", "dim", str(finding.severity)))
    expected = f' <span class="sf-expected">맞는 값: {escape(str(finding.expected))}</span>' if finding.expected else ""
    word = _KINDS.get(str(finding.kind), str(finding.kind))
    return f'<li class="{tone}"><b>{mark} {escape(word)} {escape(said)}</b> {escape(finding.message)}{expected}</li>'


def _figures(stats: Stats) -> str:
    figures = []
    if stats.first_seconds is not None:
        figures.append(f"첫 토큰 <b>{stats.first_seconds:.2f}초</b>")
    if stats.tokens_per_second:
        figures.append(f"<b>{stats.tokens_per_second:.1f}</b>토큰/초")
    if stats.new_tokens:
        figures.append(f"<b>{stats.new_tokens:,}</b>토큰")
    if stats.finish:
        figures.append(FINISH_KO[stats.finish])
    return " · ".join(figures) or "시작하는 중"
