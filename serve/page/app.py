"""The page: student on the left, teacher on the right, each streaming at its own speed, everything checked by code."""

from __future__ import annotations

import os
from contextlib import closing

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read once, when gradio is imported
# Gradio sums up its last 10,000 events again, with pandas, after every single one, for a dashboard that is off here: at fifty
# askers that was most of the work and of the memory's growth.
os.environ.setdefault("GRADIO_ANALYTICS_MAX_EVENTS", "100")
os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", "1000000000")

import gradio as gr

from serve.engine import Engine, Question
from serve.errors import ServeError
from serve.page import events, layout, view
from serve.page.dashboard import build_dashboard
from serve.page.panes import open_room
from serve.page.tabs import Tabs
from serve.page.words import say
from serve.prompt import clean_question
from serve.settings import parse_as_of


def build_page(engine: Engine) -> gr.Blocks:
    """The Blocks of the page, ready to be launched or mounted; style.py has its theme, CSS and head."""
    room, tabs = open_room(engine), Tabs()
    with gr.Blocks(title="SLM Forest · 세법 학생과 교사", analytics_enabled=False, fill_width=True) as page:
        header, language = layout.top(engine)
        with gr.Tabs(elem_id="tabs"):
            with gr.Tab(say("ko", "tab_ask"), elem_id="tab-ask") as asking:
                ask = layout.ask_panel(engine, _examples(engine))
                panes = layout.panes(engine)
                vote = layout.vote_panel()
                talk = layout.talk_panel(engine)
            with gr.Tab(say("ko", "tab_dashboard"), elem_id="tab-dashboard") as board:
                build_dashboard(engine, board)
        legal = gr.HTML(view.legal("ko"), elem_id="legal")
        key = gr.Textbox(visible="hidden", elem_id="tab-key")
        whole = layout.Layout(header, language, asking, board, ask, panes, vote, talk, legal, key)
        events.wire(page, whole, room, tabs)
        gr.api(
            _ask_endpoint(engine),
            api_name="ask",
            concurrency_id="ask",
            concurrency_limit=engine.config.page.student_at_once,
        )
    page.queue(max_size=engine.config.page.max_waiting + 1, default_concurrency_limit=None)
    return page


def _ask_endpoint(engine: Engine):
    def ask(question: str, as_of: str = "", sources: bool = False) -> dict:
        """학생의 답을 검증 결과와 함께 JSON으로 (one student answer as JSON)."""
        try:
            day = parse_as_of(as_of) if as_of else engine.as_of
            asked = Question(clean_question(question), day, sources=bool(sources and engine.search is not None))
            with closing(engine.answer(asked)) as steps:
                *_, answer = steps
        except ServeError as exc:
            return {"question": question, "error": {"code": str(exc.code), "message": exc.message, "hint": exc.hint}}
        return answer.as_dict()

    return ask


def _examples(engine: Engine) -> list[str]:
    """The configured examples and two questions that have a recording, so that the right pane can be seen without a key."""
    teacher = engine.teacher
    recorded = sorted(teacher.recorded.questions(), key=len)[:2] if teacher.live is None else []
    return list(dict.fromkeys([*engine.config.page.examples, *recorded]))
