"""What the components show, from the tab's memory: every handler that changes something ends in one of these.

Each returns updates by component, so that a handler names only what it changes.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from serve.engine import Engine
from serve.page import answer_view, view
from serve.page.answer_view import PaneView
from serve.page.layout import CHOICES, AskParts, Layout, PaneParts, TalkParts, VoteParts
from serve.page.tabs import NotAsked, Place, Tab
from serve.page.words import Language, say, say_safe
from serve.private_data import mask

Updates = dict[Any, Any]


def pane_updates(parts: PaneParts, shown: PaneView, language: Language) -> Updates:
    return {
        parts.head: shown.head,
        parts.card: shown.card,
        parts.text: shown.text,
        parts.foot: shown.foot,
        parts.stop: gr.update(value=say(language, "stop"), interactive=shown.running),
        parts.retry: gr.update(value=say(language, "retry"), interactive=shown.retry),
    }


def all_panes(layout: Layout, engine: Engine, tab: Tab, blind: bool = False) -> Updates:
    """Every pane as it stands now.  ``blind``: whether the next question will hide the sides."""
    updates: Updates = {}
    for place, parts in layout.panes.items():
        updates |= pane_updates(parts, _standing(engine, tab, place, blind), tab.language)
    return updates


def _standing(engine: Engine, tab: Tab, place: Place, blind: bool) -> PaneView:
    turn = tab.shown
    if turn is None or place not in turn.seats:
        return answer_view.untouched(engine, place, tab.language, blind and turn is None)
    return answer_view.settled(engine, turn, place, tab.language)


def base_column(layout: Layout, tab: Tab, wanted: bool) -> Updates:
    """The third pane is there when it is wanted, or has an answer of the question that is shown."""
    shown = tab.shown is not None and "base" in tab.shown.seats
    return {layout.panes["base"].column: gr.update(visible=wanted or shown)}


def vote_updates(vote: VoteParts, engine: Engine, tab: Tab) -> Updates:
    """The question which answer is better: there when votes are kept, open when both sides have ended."""
    turn, language = tab.shown, tab.language
    compared = turn is not None and {"left", "right"} <= turn.seats.keys() and turn.question.turn is not None
    keeping = compared and engine.records is not None and engine.records.keeping and not _left_out(tab)
    hidden = turn is not None and turn.hidden
    open_now = bool(keeping and turn.comparable() and turn.vote is None)
    return {
        vote.group: gr.update(visible=bool(keeping or hidden)),
        vote.title: _vote_title(tab, bool(keeping), language),
        **{
            vote.buttons[choice]: gr.update(
                value=say(language, f"vote_{choice}"), interactive=open_now, visible=bool(keeping)
            )
            for choice in CHOICES
        },
        vote.reason: gr.update(
            label=say(language, "vote_reason"),
            placeholder=say(language, "vote_reason_hint"),
            interactive=open_now,
            visible=bool(keeping),
        ),
        vote.reveal: gr.update(value=say(language, "reveal"), visible=hidden, interactive=hidden),
    }


def _left_out(tab: Tab) -> bool:
    return isinstance(tab.shown.outcomes.get("right"), NotAsked)


def _vote_title(tab: Tab, keeping: bool, language: Language) -> str:
    turn = tab.shown
    if turn is None:
        return ""
    if turn.vote is not None:
        status = say(language, "vote_kept", choice=say(language, f"vote_{turn.vote}"))
    elif not turn.ended():
        status = say(language, "vote_wait")
    elif not turn.comparable():
        status = say(language, "vote_failed")
    else:
        status = say(language, "vote_open")
    names = ""
    if turn.blind and turn.revealed:
        left, right = (say(language, turn.seats[place]) for place in ("left", "right"))
        names = f" <b>{say_safe(language, 'revealed', left=left, right=right)}</b>"
    if not keeping:
        return f'<p class="sf-vote-status">{names}</p>'
    return f'<h2>{say(language, "vote_title")}</h2><p class="sf-vote-status" role="status">{status}{names}</p>'


def talk_updates(talk: TalkParts, tab: Tab) -> Updates:
    """The list of questions and the buttons of the conversation."""
    language, some = tab.language, bool(tab.turns)
    samples = [[turn.question.text] for turn in tab.turns]
    return {
        talk.history: gr.Dataset(samples=samples, visible=some, label=say(language, "history")),
        **{
            button: gr.update(value=say(language, name), interactive=some)
            for name, button in (
                ("edit", talk.edit),
                ("clear", talk.clear),
                ("export_md", talk.export_md),
                ("export_json", talk.export_json),
            )
        },
    }


def ask_labels(ask: AskParts, engine: Engine, language: Language) -> Updates:
    return {
        ask.box: gr.update(label=say(language, "question"), placeholder=say(language, "placeholder")),
        ask.day: gr.update(label=say(language, "as_of")),
        ask.with_teacher: gr.update(label=say(language, "with_teacher")),
        ask.with_base: gr.update(label=say(language, "with_base")),
        ask.with_sources: gr.update(label=say(language, "with_sources")),
        ask.blind: gr.update(label=say(language, "blind")),
        ask.send: gr.update(value=say(language, "send")),
        ask.stop_all: gr.update(value=say(language, "stop_all")),
        ask.notice: view.privacy_notice(engine, language),
        ask.consent_yes: gr.update(value=say(language, "consent_yes")),
        ask.consent_no: gr.update(value=say(language, "consent_no")),
    }


def everything(layout: Layout, engine: Engine, tab: Tab, blind: bool, with_base: bool) -> Updates:
    """The whole page in the tab's language: after a reload, or when the language changes."""
    language = tab.language
    updates = {
        layout.header: view.header(engine.described, language),
        layout.language: language,
        **legal_update(layout, engine, language),
        layout.tab_ask: gr.update(label=say(language, "tab_ask")),
        layout.tab_dashboard: gr.update(label=say(language, "tab_dashboard")),
        layout.key: tab.key,
        layout.talk.keep: gr.update(label=say(language, "keep"), value=tab.keep_text),
        **ask_labels(layout.ask, engine, language),
        **consent_updates(layout.ask, engine, tab),
        **all_panes(layout, engine, tab, blind),
        **base_column(layout, tab, with_base),
        **vote_updates(layout.vote, engine, tab),
        **talk_updates(layout.talk, tab),
    }
    updates[layout.ask.examples] = gr.update(label=say(language, "examples"), visible=not tab.turns)
    return updates


def consent_updates(ask: AskParts, engine: Engine, tab: Tab) -> Updates:
    """The notice that a question is about to leave the machine, while one waits for it."""
    host = engine.outside()
    if tab.held is None or host is None:
        return {ask.consent: gr.update(visible=False), ask.consent_text: ""}
    return {
        ask.consent: gr.update(visible=True),
        ask.consent_text: view.consent_text(host, mask(tab.held.question.text), tab.language),
    }


def legal_update(layout: Layout, engine: Engine, language: Language) -> Updates:
    return {layout.legal: view.legal(language, engine.records.problem if engine.records is not None else None)}


def outputs_of(layout: Layout) -> list:
    """Every component that ``everything`` may touch."""
    ask, talk = layout.ask, layout.talk
    return [
        layout.header, layout.language, layout.legal, layout.key, layout.tab_ask, layout.tab_dashboard, talk.keep,
        ask.box, ask.counter, ask.day, ask.with_teacher, ask.with_base, ask.with_sources, ask.blind, ask.send, ask.stop_all,
        ask.notice, ask.message, ask.examples, ask.consent, ask.consent_text, ask.consent_yes, ask.consent_no,
        *(component for parts in layout.panes.values() for component in (parts.column, *parts.outputs())),
        *layout.vote.outputs(), *talk.outputs(),
    ]  # fmt: skip
