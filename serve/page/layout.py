"""The components of the page and where they stand.  What they do is in events.py."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from serve.engine import Engine
from serve.page import answer_view, view
from serve.page.tabs import PLACES, Choice, Place
from serve.page.words import say

_FIRST = "ko"
CHOICES: tuple[Choice, ...] = ("left", "right", "tie", "both_bad")


@dataclass(frozen=True)
class PaneParts:
    """One pane's components, in the order in which a PaneView fills them."""

    column: gr.Column
    head: gr.HTML
    card: gr.HTML
    text: gr.Markdown
    foot: gr.HTML
    stop: gr.Button
    retry: gr.Button

    def outputs(self) -> list:
        return [self.head, self.card, self.text, self.foot, self.stop, self.retry]


@dataclass(frozen=True)
class AskParts:
    """The question, what belongs to it, and what is said before it is sent."""

    box: gr.Textbox
    count: gr.Button  # never shown: pressed by page.js
    counter: gr.HTML
    day: gr.DateTime
    with_teacher: gr.Checkbox
    with_base: gr.Checkbox
    with_sources: gr.Checkbox
    blind: gr.Checkbox
    send: gr.Button
    stop_all: gr.Button
    notice: gr.HTML
    message: gr.HTML
    examples: gr.Dataset
    consent: gr.Column
    consent_text: gr.HTML
    consent_yes: gr.Button
    consent_no: gr.Button

    def inputs(self) -> list:
        return [self.box, self.day, self.with_teacher, self.with_base, self.with_sources, self.blind]


@dataclass(frozen=True)
class VoteParts:
    group: gr.Column
    title: gr.HTML
    buttons: dict[Choice, gr.Button]
    reason: gr.Textbox
    reveal: gr.Button

    def outputs(self) -> list:
        return [self.group, self.title, *self.buttons.values(), self.reason, self.reveal]


@dataclass(frozen=True)
class TalkParts:
    """The conversation: earlier questions, and what can be done with all of it."""

    history: gr.Dataset
    edit: gr.Button
    clear: gr.Button
    export_md: gr.Button
    export_json: gr.Button
    keep: gr.Checkbox
    file: gr.Textbox  # what a download takes from the server, never shown

    def outputs(self) -> list:
        return [self.history, self.edit, self.clear, self.export_md, self.export_json]


@dataclass(frozen=True)
class Layout:
    header: gr.HTML
    language: gr.Radio
    tab_ask: gr.Tab
    tab_dashboard: gr.Tab
    ask: AskParts
    panes: dict[Place, PaneParts]
    vote: VoteParts
    talk: TalkParts
    legal: gr.HTML
    key: gr.Textbox  # the tab's own key, never shown


def top(engine: Engine) -> tuple[gr.HTML, gr.Radio]:
    with gr.Row(elem_id="top"):
        header = gr.HTML(view.header(engine.described, _FIRST), elem_id="header")
        language = gr.Radio(
            [("한국어", "ko"), ("English", "en")],
            value=_FIRST,
            label=say(_FIRST, "language"),
            show_label=False,
            container=False,
            scale=0,
            min_width=150,
            elem_id="language",
        )
    return header, language


def ask_panel(engine: Engine, examples: list[str]) -> AskParts:
    teacher = engine.teacher.live is not None
    with gr.Column(elem_id="ask-panel"):
        box = gr.Textbox(
            label=say(_FIRST, "question"),
            placeholder=say(_FIRST, "placeholder"),
            lines=1,  # with more, Enter would not ask
            max_lines=8,
            max_length=20_000,
            elem_id="question",
            autofocus=True,
            container=False,
        )
        count = gr.Button(visible="hidden", elem_id="count")
        counter = gr.HTML(view.counter(None, None, 0, None, _FIRST), elem_id="counter")
        with gr.Row(elem_id="ask-row"):
            day = gr.DateTime(
                engine.as_of.isoformat(),
                label=say(_FIRST, "as_of"),
                include_time=False,
                type="string",
                scale=0,
                min_width=190,
                elem_id="as-of",
            )
            with gr.Row(elem_id="switches"):
                with_teacher = _switch("with_teacher", True, teacher)
                with_base = _switch("with_base", False, engine.base is not None)
                with_sources = _switch("with_sources", False, engine.search is not None)
                blind = _switch("blind", False, True)
            with gr.Row(elem_id="buttons"):
                send = gr.Button(say(_FIRST, "send"), variant="primary", min_width=110, elem_id="send")
                stop_all = gr.Button(say(_FIRST, "stop_all"), min_width=100, elem_id="stop-all")
        notice = gr.HTML(view.privacy_notice(engine, _FIRST), elem_id="notice")
        message = gr.HTML("", elem_id="message")
    with gr.Column(visible=False, elem_id="consent") as consent:
        consent_text = gr.HTML("", elem_id="consent-text")
        with gr.Row(elem_id="consent-buttons"):
            yes = gr.Button(say(_FIRST, "consent_yes"), variant="primary", elem_id="consent-yes")
            no = gr.Button(say(_FIRST, "consent_no"), elem_id="consent-no")
    shown = gr.Dataset(
        components=["textbox"],
        samples=[[example] for example in examples],
        label=say(_FIRST, "examples"),
        type="values",
        layout="gallery",
        elem_id="examples",
        visible=bool(examples),
    )
    return AskParts(
        box, count, counter, day, with_teacher, with_base, with_sources, blind, send, stop_all, notice, message, shown,
        consent, consent_text, yes, no,
    )  # fmt: skip


def _switch(name: str, value: bool, visible: bool) -> gr.Checkbox:
    return gr.Checkbox(
        value,
        label=say(_FIRST, name),
        container=False,
        scale=0,
        min_width=120,
        visible=visible,
        elem_id=name.replace("_", "-"),
    )


def panes(engine: Engine) -> dict[Place, PaneParts]:
    with gr.Row(elem_id="panes", equal_height=True):
        return {place: _pane(engine, place) for place in PLACES}


def _pane(engine: Engine, place: Place) -> PaneParts:
    first = answer_view.untouched(engine, place, _FIRST)
    with gr.Column(elem_id=place, elem_classes="sf-pane", min_width=300, visible=place != "base") as column:
        with gr.Row(elem_classes="sf-pane-top"):
            head = gr.HTML(first.head, elem_id=f"{place}-head")
            stop = gr.Button(
                say(_FIRST, "stop"), size="sm", scale=0, min_width=64, interactive=False, elem_id=f"{place}-stop"
            )
            retry = gr.Button(
                say(_FIRST, "retry"), size="sm", scale=0, min_width=64, interactive=False, elem_id=f"{place}-retry"
            )
        card = gr.HTML(first.card, elem_id=f"{place}-card")
        # Raw HTML in an answer is escaped before it gets here; the sanitiser is the second lock.
        text = gr.Markdown(
            "",
            elem_classes="sf-answer",
            sanitize_html=True,
            line_breaks=True,
            latex_delimiters=[],
            elem_id=f"{place}-text",
        )
        foot = gr.HTML("", elem_id=f"{place}-foot")
    return PaneParts(column, head, card, text, foot, stop, retry)


def vote_panel() -> VoteParts:
    with gr.Column(visible=False, elem_id="vote") as group:
        title = gr.HTML("", elem_id="vote-title")
        with gr.Row(elem_id="vote-row"):
            buttons = {
                choice: gr.Button(
                    say(_FIRST, f"vote_{choice}"), min_width=90, interactive=False, elem_id=f"vote-{choice}"
                )
                for choice in CHOICES
            }
        with gr.Row(elem_id="vote-more"):
            reason = gr.Textbox(
                label=say(_FIRST, "vote_reason"),
                placeholder=say(_FIRST, "vote_reason_hint"),
                lines=1,
                max_lines=3,
                max_length=1000,
                elem_id="vote-reason",
            )
            reveal = gr.Button(
                say(_FIRST, "reveal"), size="sm", scale=0, min_width=180, visible=False, elem_id="reveal"
            )
    return VoteParts(group, title, buttons, reason, reveal)


def talk_panel(engine: Engine) -> TalkParts:
    with gr.Column(elem_id="talk"):
        history = gr.Dataset(
            components=["textbox"],
            samples=[],
            label=say(_FIRST, "history"),
            type="index",
            layout="gallery",
            samples_per_page=50,
            visible=False,
            elem_id="history",
        )
        with gr.Row(elem_id="talk-buttons"):
            edit, clear, as_markdown, as_json = (
                gr.Button(
                    say(_FIRST, name),
                    size="sm",
                    scale=0,
                    min_width=110,
                    interactive=False,
                    elem_id=name.replace("_", "-"),
                )
                for name in ("edit", "clear", "export_md", "export_json")
            )
        records = engine.records
        keep = gr.Checkbox(
            False,
            label=say(_FIRST, "keep"),
            container=False,
            visible=records is not None and records.keeping,
            elem_id="keep",
        )
        file = gr.Textbox(visible="hidden", elem_id="file")
    return TalkParts(history, edit, clear, as_markdown, as_json, keep, file)
