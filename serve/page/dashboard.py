"""The dashboard tab: how good the student is, where its data came from, and what people and the verifier said of its answers.

Every plot stands with the same numbers as a table, for those who cannot see it or want to copy them.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import gradio as gr

from serve.engine import Engine
from serve.errors import ServeError
from serve.page import dashboard_plots as plots
from serve.page.dashboard_facts import Funnel, StudentReport, dataset_funnel, student_report
from serve.records.figures import Figures, figures_of

_STYLE = """<style>
.sf-dash { display:grid; grid-template-columns:repeat(auto-fit,minmax(min(100%,430px),1fr)); gap:18px; padding:6px 0 18px; }
.sf-dash section { border:1px solid var(--sf-line); border-radius:16px; background:var(--sf-card); padding:16px 20px; min-width:0; }
.sf-dash h2 { font-size:17px !important; margin:0 !important; color:var(--sf-ink) !important; }
.sf-dash p { font-size:13.5px !important; line-height:1.6 !important; color:var(--sf-soft) !important; margin:3px 0 10px !important; }
.sf-dash figure { margin:0; overflow-x:auto; color:var(--sf-ink); }
.sf-dash svg { min-width:360px; max-width:640px; height:auto; display:block; }
.sf-dash svg text { font-family:inherit !important; }
.sf-dash details { margin-top:8px; font-size:13.5px; } .sf-dash summary { cursor:pointer; color:var(--sf-soft); }
.sf-dash .sf-table { overflow-x:auto; }
.sf-dash table { border-collapse:collapse; width:100%; margin-top:6px; font-variant-numeric:tabular-nums; color:var(--sf-ink); }
.sf-dash th, .sf-dash td { text-align:left; padding:4px 8px; border-bottom:1px solid var(--sf-line); white-space:nowrap; }
.sf-dash .sf-none { padding:22px 0 14px; font-size:15px; }
.sf-tiles { display:flex; flex-wrap:wrap; gap:10px 28px; margin:0; } .sf-tiles div { min-width:88px; }
.sf-tiles dt { font-size:12.5px; color:var(--sf-soft); } .sf-tiles dd { margin:0; font-size:22px; font-weight:700; color:var(--sf-ink); }
</style>"""


def build_dashboard(engine: Engine, tab: gr.Tab | None = None) -> None:
    """Put the dashboard into the Blocks that is being built.

    It is drawn when ``tab``, the tab it stands in, is opened, so that the page itself does not wait for it; without one, when
    the page is loaded.  A button draws it again.
    """

    def draw() -> str:
        return dashboard_html(engine)

    with gr.Row():
        refresh = gr.Button("새로 고침 (refresh)", size="sm", scale=0, min_width=150, elem_id="dashboard-refresh")
    board = gr.HTML(_STYLE + '<p class="sf-none">그리는 중입니다…</p>', elem_id="dashboard")
    quietly = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
    refresh.click(draw, None, board, **quietly)
    if tab is None:
        gr.on(None, draw, None, board, **quietly)
    else:
        tab.select(draw, None, board, **quietly)


def dashboard_html(engine: Engine) -> str:
    """The whole dashboard; a part without data says what would fill it."""
    report = student_report(engine.described)
    records = engine.records
    try:
        figures, problem = figures_of(records.path if records else None), records.problem or "" if records else ""
    except ServeError as exc:
        figures, problem = Figures(), f"{exc.message} {exc.hint}"
    parts = [
        _accuracy(report, engine.described.name),
        _survival(report),
        _funnel(dataset_funnel(engine.config, engine.described)),
        _counts(figures, problem, records is not None and records.keeping),
        _votes(figures),
        _verdicts(figures),
        _latencies(figures),
    ]
    return f'{_STYLE}<div class="sf-dash">{"".join(parts)}</div>'


def _accuracy(report: StudentReport, name: str) -> str:
    title, lead = "학생의 성적 (accuracy by tax)", f"{name} · 따로 둔 계산 문제에서 최종 세액이 원 단위까지 맞은 비율"
    if not report.taxes:
        return _section(
            title,
            lead,
            report.problem or "이 모델에는 학습 기록(run.json)이 없습니다. 'python -m finetune run'이 만듭니다.",
        )
    rows = [(one.tax, _share(one.before), _share(one.after), f"{one.rows:,}") for one in report.taxes]
    total = report.taxes[0]
    said = f"학습 전 {_share(total.before)}에서 학습 후 {_share(total.after)}로."
    return _section(title, lead, "", plots.accuracy_plot(report), said, ("세목", "학습 전", "학습 후", "문항"), rows)


def _survival(report: StudentReport) -> str:
    title = "단계마다 무엇이 남았나 (survival)"
    lead = "바탕 모델에서 양자화한 학생까지, 최종 세액 정답률과 95% 구간"
    if not any(line.exact for line in report.survival):
        empty = report.problem or "아직 잰 것이 없습니다. 'python -m finetune eval --run <실행 폴더>'가 채웁니다."
        return _section(title, lead, empty)
    rows = [
        (
            line.title,
            f"{_share(line.exact[0])} ({_share(line.exact[1])}–{_share(line.exact[2])})" if line.exact else "–",
            _share(line.kept),
            _number(line.nll_token, "{:.3f}"),
            _number(line.bytes and line.bytes / 1e6, "{:,.0f} MB"),
            _number(line.tokens_per_second, "{:,.0f}"),
        )
        for line in report.survival
    ]
    heads = ("모델", "정답률 (95% 구간)", "맞던 것 유지", "NLL/토큰", "크기", "토큰/초")
    return _section(title, lead, "", plots.survival_plot(report), "", heads, rows)


def _funnel(funnel: Funnel) -> str:
    title = "데이터의 깔때기 (dataset funnel)"
    lead = (
        f"데이터셋 {funnel.dataset}: 요청한 문답 쌍이 검사를 지나며 남은 수"
        if funnel.dataset
        else "문답 쌍이 검사를 지나며 남은 수"
    )
    if not funnel.steps:
        return _section(title, lead, funnel.problem or "데이터셋이 없습니다. 'python -m data_gen build'가 만듭니다.")
    rows = [(name, f"{count:,}") for name, count in funnel.steps]
    said = f"{funnel.steps[0][1]:,}쌍 가운데 {funnel.steps[-1][1]:,}쌍이 채택되었습니다."
    return _section(title, lead, "", plots.funnel_plot(funnel), said, ("단계", "남은 쌍"), rows)


def _counts(figures: Figures, problem: str, kept: bool) -> str:
    title, lead = "기록 (records)", "이 컴퓨터에 남긴 수치. 글은 보관에 동의한 대화만 남습니다."
    counts = figures.counts
    if problem or not (counts.turns or counts.answers):
        why = (
            "아직 기록이 없습니다. 질문하면 여기에 쌓입니다."
            if kept
            else "기록하지 않도록 설정되어 있습니다 (records.path: null)."
        )
        return _section(title, lead, problem or why)
    tiles = [
        ("질문", f"{counts.turns:,}"),
        ("답", f"{counts.answers:,}"),
        ("투표", f"{counts.votes:,}"),
        ("글을 남긴 질문", f"{counts.with_text:,}"),
        ("다시 보인 답", f"{counts.cached:,}"),
        ("교사 비용", f"${counts.usd:,.4f}"),
    ]
    shown = "".join(f"<div><dt>{name}</dt><dd>{escape(value)}</dd></div>" for name, value in tiles)
    failures = ", ".join(f"{escape(code)} {number:,}" for code, number in counts.failures)
    below = f"<p>답하지 못한 까닭: {failures}</p>" if failures else ""
    return f'<section><h2>{title}</h2><p>{lead}</p><dl class="sf-tiles">{shown}</dl>{below}</section>'


def _votes(figures: Figures) -> str:
    title, lead = "투표 (votes)", "어느 쪽 답이 나았는가, 날마다. 좌우 자리가 아니라 누가 썼는지로 셉니다."
    if not figures.votes:
        return _section(title, lead, "아직 투표가 없습니다. 두 답이 끝나면 아래의 단추로 투표할 수 있습니다.")
    sides = list(dict.fromkeys(side for day in figures.votes for side in day.wins))
    heads = ("날", *(f"{plots.SIDES.get(side, (side,))[0]} 이김" for side in sides), "비김", "둘 다 나쁨")
    rows = [
        (str(day.day), *(str(day.wins.get(side, 0)) for side in sides), str(day.tie), str(day.both_bad))
        for day in figures.votes
    ]
    return _section(title, lead, "", plots.votes_plot(figures.votes), "", heads, rows)


def _verdicts(figures: Figures) -> str:
    title, lead = "검증 (verdicts)", "검증기가 틀린 곳을 찾지 못한 답의 비율, 날마다"
    if not figures.verdicts:
        return _section(title, lead, "아직 검증한 답이 없습니다. 질문하면 답마다 인용과 금액을 검증합니다.")
    rows = [
        (
            str(day.day),
            plots.SIDES.get(day.side, (day.side,))[0],
            f"{day.ok:,}/{day.answers:,}",
            *(str(day.findings.get(severity, 0)) for severity in ("confirmed", "fault", "unchecked")),
        )
        for day in figures.verdicts
    ]
    heads = ("날", "누가", "틀림 없는 답", "확인", "틀림", "미확인")
    return _section(title, lead, "", plots.verdicts_plot(figures.verdicts), "", heads, rows)


def _latencies(figures: Figures) -> str:
    title, lead = (
        "기다린 시간 (latency)",
        "질문한 때부터 첫 토큰까지, 답이 끝날 때까지. p95는 스무 번에 한 번 이보다 오래 걸린다는 뜻.",
    )
    if not figures.latencies:
        return _section(title, lead, "아직 잰 답이 없습니다. 녹음과 다시 보인 답은 세지 않습니다.")
    rows = [
        (
            plots.SIDES.get(one.side, (one.side,))[0],
            one.source,
            f"{one.answers:,}",
            *(_number(value, "{:.2f}초") for value in (one.first_p50, one.first_p95, one.seconds_p50, one.seconds_p95)),
            _number(one.tokens_per_second_p50, "{:,.1f}"),
        )
        for one in figures.latencies
    ]
    heads = ("누가", "모델", "답", "첫 토큰 p50", "첫 토큰 p95", "전체 p50", "전체 p95", "토큰/초 p50")
    return _section(title, lead, "", plots.latency_plot(figures.latencies), "", heads, rows)


def _section(
    title: str,
    lead: str,
    empty: str,
    picture: str = "",
    said: str = "",
    heads: Sequence[str] = (),
    rows: Sequence[Sequence[str]] = (),
) -> str:
    """One part: a title, a sentence on what it shows, then the plot with its table, or why there is none."""
    opening = f"<section><h2>{escape(title)}</h2><p>{escape(lead)}</p>"
    if empty:
        return f'{opening}<p class="sf-none">{escape(empty)}</p></section>'
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    caption = f"<p>{escape(said)}</p>" if said else ""
    return (
        f'{opening}<figure role="group" tabindex="0" aria-label="{escape(title)}: 아래의 표에 같은 수가 있습니다">{picture}</figure>{caption}'
        f'<details><summary>표로 보기 (as a table)</summary><div class="sf-table"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div></details></section>"
    )


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else form.format(value)
