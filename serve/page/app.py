"""The page: student on the left, teacher on the right, each streaming at its own speed.

Two events with their own concurrency ids, never one loop over both.  Closing a pane's stream (stop, a new question, a
closed tab) closes the backend's generator, which gives up the model's turn.  A new question or a stop ends the older
answers from inside their streams: Gradio's ``cancels`` alone races a last update against its own cancel request.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from ipaddress import ip_address
from pathlib import Path

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read once, when gradio is imported

import gradio as gr

from serve.answer import Answer, Progress, answer_stream, student_messages
from serve.backends.protocol import Backend, GenParams
from serve.errors import EXIT_OK, Code, ServeError
from serve.page import view
from serve.page.style import CSS, HEAD, theme
from serve.page.turns import Asked, Ending, paced
from serve.prompt import clean_question
from serve.settings import ServeConfig, Student, parse_as_of
from serve.teacher import Teacher

Pane = tuple[str, str, str]  # Markdown text, card HTML, footer HTML


_STOPPED = view.state("멈췄습니다", "끝까지 쓰지 않은 글이라 검증하지 않았습니다.", "stop")


def build_page(config: ServeConfig, student: Student, backend: Backend, teacher: Teacher, as_of: date) -> gr.Blocks:
    """The Blocks of the page, ready to launch."""
    params = GenParams(config.student.max_new_tokens, config.student.temperature)
    rate = config.page.updates_per_second

    asked = Asked()

    def ask_anew(request: gr.Request) -> tuple[str, ...]:
        asked.anew(_session(request))
        return _waiting()

    def stop_asked(request: gr.Request) -> None:
        asked.stop(_session(request))
        time.sleep(0.3)  # a pane that is writing ends by itself in this time; the next step is for one that hangs

    def forget(request: gr.Request) -> None:
        asked.forget(_session(request))

    def student_steps(question: str, day: str | None) -> Iterator[Progress | Answer]:
        return answer_stream(
            backend,
            student_messages(question),
            params,
            side="student",
            source=backend.info().name,
            as_of=_day(day, as_of),
        )

    def teacher_steps(question: str, day: str | None) -> Iterator[Progress | Answer]:
        choice = teacher.choose(question)
        if choice.backend is None:
            raise choice.refusal()
        day_of_law = _day(day, as_of)
        return answer_stream(
            choice.backend,
            teacher.messages(question, day_of_law),
            teacher.params,
            side="teacher",
            source=choice.label,
            as_of=day_of_law,
            measured=choice.kind == "live",
        )

    def ask_student(question: str, day: str | None, request: gr.Request) -> Iterator[Pane]:
        """학생 모델의 답: 글, 계산 카드(HTML), 검증과 속도(HTML)."""
        yield from _pane(lambda: student_steps(_checked(question), day), rate, asked.ending(_session(request)))

    def ask_teacher(question: str, day: str | None, wanted: bool, request: gr.Request) -> Iterator[Pane]:
        """교사의 답: 실시간 모델, 녹음된 답변, 또는 답이 없는 까닭."""
        if not wanted:
            yield "", view.state("교사에게 묻지 않았습니다", "위의 '교사에게도 묻기'를 켜면 함께 묻습니다."), ""
            return
        banner = view.recorded_banner() if teacher.choose(question or "").kind == "recorded" else ""
        yield from _pane(lambda: teacher_steps(_checked(question), day), rate, asked.ending(_session(request)), banner)

    def ask(question: str, as_of: str = "") -> dict:
        """학생의 답을 검증 결과와 함께 JSON으로 (one student answer as JSON)."""
        try:
            with closing(student_steps(_checked(question), as_of or None)) as steps:
                *_, answer = steps
        except ServeError as exc:
            return {"question": question, "error": {"code": str(exc.code), "message": exc.message, "hint": exc.hint}}
        return answer.as_dict()

    with gr.Blocks(title="SLM Forest · 세법 학생과 교사", analytics_enabled=False, fill_width=True) as page:
        gr.HTML(view.header(student))
        with gr.Group(elem_id="ask-panel"):
            with gr.Row(elem_id="ask-row"):
                box = gr.Textbox(
                    label="질문",
                    placeholder="세금에 대해 물어보세요",
                    lines=1,
                    max_lines=6,
                    scale=5,
                    max_length=4000,
                    elem_id="question",
                    autofocus=True,
                )
                day = gr.DateTime(
                    as_of.isoformat(),
                    label="기준일",
                    include_time=False,
                    type="string",
                    scale=1,
                    min_width=170,
                    elem_id="as-of",
                )
                with gr.Column(scale=0, min_width=190, elem_id="buttons"), gr.Row():
                    send = gr.Button("묻기", variant="primary", min_width=90, elem_id="send")
                    stop = gr.Button("멈춤", variant="secondary", min_width=80, elem_id="stop")
            with gr.Row(elem_id="notice-row"):
                gr.HTML(view.privacy_notice(teacher))
                wanted = gr.Checkbox(
                    True,
                    label="교사에게도 묻기",
                    container=False,
                    scale=0,
                    min_width=150,
                    visible=teacher.live is not None,
                    elem_id="wanted",
                )
        gr.Examples([[example] for example in _examples(config, teacher)], box, label="예시 질문", elem_id="examples")
        with gr.Row(elem_id="panes", equal_height=True):
            left = _build_pane("student", view.pane_head("학생", student.name, backend.info().detail))
            right = _build_pane("teacher", view.teacher_head(teacher))
        gr.HTML(view.legal_footer())

        asking = [box.submit, send.click]
        waiting = gr.on(
            asking, ask_anew, None, [*left, *right], queue=False, show_progress="hidden", api_visibility="private"
        )
        asked_left = waiting.then(
            ask_student,
            [box, day],
            left,
            concurrency_id="student",
            concurrency_limit=1,
            show_progress="hidden",
            trigger_mode="always_last",
            api_name="student",
        )
        asked_right = waiting.then(
            ask_teacher,
            [box, day, wanted],
            right,
            concurrency_id="teacher",
            concurrency_limit=4,
            show_progress="hidden",
            trigger_mode="always_last",
            api_name="teacher",
        )
        quietly = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
        stopping = stop.click(stop_asked, None, None, **quietly)
        stopping.then(
            _stopped,
            [left[2], right[2]],
            [left[1], left[2], right[1], right[2]],
            cancels=[asked_left, asked_right],
            **quietly,
        )
        page.unload(forget)
        gr.api(ask, api_name="ask", concurrency_id="student")
    page.queue(max_size=config.page.max_waiting, default_concurrency_limit=4)
    return page


def _build_pane(name: str, head: str) -> list[gr.Markdown | gr.HTML]:
    with gr.Column(elem_id=name, elem_classes="sf-pane", min_width=300):
        gr.HTML(head)
        empty = (
            "질문하면 여기에 학생의 답이 나옵니다." if name == "student" else "질문하면 여기에 교사의 답이 나옵니다."
        )
        card = gr.HTML(f'<p class="sf-empty">{empty}</p>', elem_id=f"{name}-card")
        # Raw HTML in an answer is escaped before it gets here; the sanitiser is the second lock.
        text = gr.Markdown(
            "",
            elem_classes="sf-answer",
            sanitize_html=True,
            line_breaks=True,
            latex_delimiters=[],
            elem_id=f"{name}-text",
        )
        foot = gr.HTML("", elem_id=f"{name}-foot")
    return [text, card, foot]


def _pane(
    open_steps: Callable[[], Iterator[Progress | Answer]],
    per_second: float,
    ended: Callable[[], Ending],
    banner: str = "",
) -> Iterator[Pane]:
    """One pane's life: text as it grows, then the finished answer; an expected failure becomes a state in the pane."""
    text = ""
    try:
        with closing(paced(open_steps(), per_second, ended)) as steps:
            for step in steps:
                if ended():
                    if ended() == "stopped":
                        yield text, banner, _STOPPED
                    return
                if isinstance(step, Answer):
                    yield view.answer_text(step), banner + view.answer_card(step.completion), view.answer_footer(step)
                else:
                    text = view.streaming_text(step.text)
                    yield text, banner, view.running_footer(step.stats)
    except ServeError as exc:
        kind = "info" if exc.code in (Code.NO_KEY, Code.PRIVATE) else "error"
        yield text, view.state(exc.message, exc.hint, kind), ""


def _waiting() -> tuple[str, ...]:
    student = view.state("순서를 기다리는 중입니다", kind="wait")
    teacher = view.state("교사를 기다리는 중입니다", kind="wait")
    running = '<span data-running="1"></span>'
    return "", student, running, "", teacher, running


def _stopped(left_foot: str, right_foot: str) -> tuple:
    """Mark the panes that were still running; a finished answer keeps its verdict."""
    left, right = (
        ("", _STOPPED) if view.is_running(foot) else (gr.skip(), gr.skip()) for foot in (left_foot, right_foot)
    )
    return (*left, *right)


def _session(request: gr.Request | None) -> str:
    return (request.session_hash if request else None) or ""


def _checked(question: str) -> str:
    question = clean_question(question or "")
    if not question:
        raise ServeError(Code.USAGE, "질문이 비어 있습니다.", "질문을 적고 '묻기'를 누르세요.")
    return question


def _day(text: str | None, default: date) -> date:
    return parse_as_of(text) if text else default


def _examples(config: ServeConfig, teacher: Teacher) -> list[str]:
    """The configured examples and two questions that have a recording, so that the right pane can be seen without a key."""
    recorded = sorted(teacher.recorded.questions(), key=len)[:2] if teacher.live is None else []
    return list(dict.fromkeys([*config.page.examples, *recorded]))


def launch(page: gr.Blocks, config: ServeConfig, student: Student, *, browser: bool) -> str:
    """Start the server without blocking and return its address.  Raises ServeError(USAGE) for a busy port or open host."""
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    host, port = config.page.host, config.page.port
    if not _is_loopback(host):
        raise ServeError(
            Code.USAGE,
            f"이 페이지에는 로그인이 없어 {host}에는 열지 않습니다.",
            "127.0.0.1로 열고, 다른 컴퓨터에서는 'ssh -L 7860:127.0.0.1:7860 …'으로 이어서 보세요.",
        )

    def healthz(_request: object) -> JSONResponse:
        return JSONResponse({"status": "ok", "student": student.name})

    try:
        _, url, _ = page.launch(
            server_name=host,
            server_port=port or None,
            share=False,
            mcp_server=False,
            prevent_thread_lock=True,
            inbrowser=browser and _display_is_likely(),
            quiet=True,
            footer_links=[],
            run_history=False,
            enable_monitoring=False,
            ssr_mode=False,
            allowed_paths=[],
            strict_cors=True,
            app_kwargs={"routes": [Route("/healthz", healthz)]},
            theme=theme(),
            css=CSS,
            head=HEAD,
        )
    except OSError as exc:
        raise ServeError(
            Code.USAGE,
            f"{host}:{port}을(를) 열 수 없습니다. 다른 프로그램이 쓰고 있을 수 있습니다.",
            f"'--port {port + 1}'처럼 다른 포트를 쓰세요.",
        ) from exc
    return url


def serve_page(
    config: ServeConfig,
    student: Student,
    as_of: date,
    load_student: Callable[[ServeConfig, Student], Backend],
    load_teacher: Callable[..., Teacher],
    *,
    browser: bool,
) -> int:
    """Load both sides, open the page and stay until Ctrl-C."""
    with (
        closing(load_student(config, student)) as backend,
        closing(load_teacher(config.teacher, Path.cwd())) as teacher,
    ):
        page = build_page(config, student, backend, teacher, as_of)
        url = launch(page, config, student, browser=browser)
        print(
            f"학생 {student.name} · 기준일 {as_of}\n브라우저에서 여세요: {url}  (Ctrl-C로 끝냅니다)",
            file=sys.stderr,
            flush=True,
        )
        try:
            while page.is_running:
                time.sleep(0.2)
        except KeyboardInterrupt:
            print("\n페이지를 닫습니다.", file=sys.stderr)
        finally:
            page.close(verbose=False)
    return EXIT_OK


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _display_is_likely() -> bool:
    if os.environ.get("SSH_CONNECTION"):
        return False
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
