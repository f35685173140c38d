"""What happens on the page: asking, stopping, voting, looking back.  Each handler ends in updates of redraw.py."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import gradio as gr

from serve.engine import Question
from serve.errors import ServeError
from serve.page import asking, export, redraw, view
from serve.page.layout import CHOICES, Layout
from serve.page.panes import Room, fill
from serve.page.redraw import Updates
from serve.page.tabs import Place, Tab, Tabs
from serve.private_data import mask

_QUIET = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
_AT_ONCE = {**_QUIET, "trigger_mode": "multiple"}


def wire(page: gr.Blocks, layout: Layout, room: Room, tabs: Tabs) -> None:
    """Connect every component; called once, inside the Blocks."""
    _wire_asking(layout, room, tabs)
    _wire_stopping(layout, tabs)
    _wire_voting(layout, room, tabs)
    _wire_talk(layout, room, tabs)
    _wire_whole_page(page, layout, room, tabs)


def _tab(tabs: Tabs, request: gr.Request | None) -> Tab:
    return tabs.of((request.session_hash if request else None) or "")


def _wire_asking(layout: Layout, room: Room, tabs: Tabs) -> None:
    engine, ask = room.engine, layout.ask
    outputs = redraw.outputs_of(layout)

    def on_ask(text, day, teacher, base, sources, blind, event: gr.EventData, request: gr.Request) -> Updates:
        tab = _tab(tabs, request)
        source = getattr(event.target, "elem_id", "")
        if source.endswith("-retry"):
            tab.retry(source.removesuffix("-retry"))
            return _drawn(tab, base)
        try:
            if source in ("consent-yes", "consent-no"):
                wish = take_held(tab, agreed=source == "consent-yes")
                if wish is None:
                    return {ask.message: ""}
            else:
                tab.held = None
                wish = asking.read_wish(engine, tab, text, day, teacher, base, sources, blind)
            if asking.needs_consent(engine, tab, wish):
                tab.held = wish
                return {ask.message: "", **redraw.consent_updates(ask, engine, tab)}
        except ServeError as error:
            return {ask.message: view.message(error.message), **redraw.consent_updates(ask, engine, tab)}
        asking.ask(engine, tab, wish)
        return {ask.message: "", **redraw.consent_updates(ask, engine, tab), **_drawn(tab, base)}

    def on_ended(request: gr.Request) -> Updates:
        return redraw.vote_updates(layout.vote, engine, _tab(tabs, request))

    def _drawn(tab: Tab, base: bool) -> Updates:
        return {
            **redraw.all_panes(layout, engine, tab),
            **redraw.base_column(layout, tab, base),
            **redraw.vote_updates(layout.vote, engine, tab),
            **redraw.talk_updates(layout.talk, tab),
            **redraw.legal_update(layout, engine, tab.language),
            ask.examples: gr.update(visible=False),
        }

    # One event for everything that asks, so that each pane has one event too and its updates never cross.
    triggers = [
        ask.box.submit, ask.send.click, ask.consent_yes.click, ask.consent_no.click,
        *(parts.retry.click for parts in layout.panes.values()),
    ]  # fmt: skip
    asked = gr.on(triggers, on_ask, ask.inputs(), outputs, **_AT_ONCE)
    asked.then(None, None, None, js="() => slmForest.asked()", **_AT_ONCE)
    for place, parts in layout.panes.items():
        written = asked.then(
            _pane_event(layout, room, tabs, place),
            None,
            parts.outputs(),
            concurrency_id=f"pane-{place}",
            concurrency_limit=None,
            show_progress="hidden",
            trigger_mode="always_last",
            api_visibility="private",
        )
        ended = written.then(on_ended, None, layout.vote.outputs(), **_AT_ONCE)
        ended.then(None, None, None, js=f"() => slmForest.announce('{place}')", **_AT_ONCE)

    def on_typing(text: str | None, teacher: bool, request: gr.Request) -> str:
        return _counted(room, _tab(tabs, request), text or "", teacher)

    # page.js presses it when typing pauses.
    ask.count.click(on_typing, [ask.box, ask.with_teacher], ask.counter, **_AT_ONCE)
    ask.examples.click(lambda sample: sample[0], ask.examples, ask.box, **_QUIET).then(
        on_typing, [ask.box, ask.with_teacher], ask.counter, **_QUIET
    ).then(None, None, None, js="() => slmForest.focusQuestion()", **_QUIET)


def take_held(tab: Tab, *, agreed: bool) -> asking.Wish | None:
    """The question that waited for consent, with the teacher or without."""
    wish, tab.held = tab.held, None
    tab.consented = tab.consented or agreed
    if wish is None or agreed:
        return wish
    return replace(wish, teacher=False, blind=False)


def _counted(room: Room, tab: Tab, text: str, teacher: bool) -> str:
    engine = room.engine
    personal = mask(text) if teacher and engine.outside() is not None else None
    used, limit = None, None
    if text.strip():
        used, limit = engine.size(Question(text, engine.as_of))
    return view.counter(used, limit, len(text.strip()), personal, tab.language)


def _pane_event(layout: Layout, room: Room, tabs: Tabs, place: Place) -> Callable:
    parts = layout.panes[place]

    async def write(request: gr.Request) -> AsyncIterator[Updates]:
        tab = _tab(tabs, request)
        run = tab.runs.get(place)
        if run is None or run.started:
            yield {parts.card: gr.skip()}  # without any update Gradio would empty the pane
            return
        before: Updates = {}
        async for shown in fill(room, tab, run):
            now = redraw.pane_updates(parts, shown, tab.language)
            # Only what changed is sent: a browser that is slow to draw has no way to ask for less.
            yield {part: update for part, update in now.items() if before.get(part) != update} or {
                parts.card: gr.skip()
            }
            before = now

    return write


def _wire_stopping(layout: Layout, tabs: Tabs) -> None:
    def on_stop(event: gr.EventData, request: gr.Request) -> None:
        place = event.target.elem_id.removesuffix("-stop")
        _tab(tabs, request).end("stopped", place if place in layout.panes else None)

    stops = [layout.ask.stop_all.click, *(parts.stop.click for parts in layout.panes.values())]
    gr.on(stops, on_stop, None, None, **_AT_ONCE)


def _wire_voting(layout: Layout, room: Room, tabs: Tabs) -> None:
    engine, vote = room.engine, layout.vote
    compared = [*layout.panes["left"].outputs(), *layout.panes["right"].outputs()]

    def after(tab: Tab) -> Updates:
        panes = redraw.all_panes(layout, engine, tab)
        return {
            **{component: panes[component] for component in compared},
            **redraw.vote_updates(vote, engine, tab),
        }

    def on_vote(reason: str, event: gr.EventData, request: gr.Request) -> Updates:
        tab = _tab(tabs, request)
        turn, choice = tab.shown, event.target.elem_id.removeprefix("vote-")
        if turn is None or choice not in CHOICES or turn.vote is not None or not turn.comparable():
            return redraw.vote_updates(vote, engine, tab)
        seats = turn.seats
        kept = engine.records.vote(
            turn.question.turn, choice, reason or "", left=seats["left"], right=seats["right"], blind=turn.hidden
        )
        if not kept:
            raise gr.Error(engine.records.problem or "투표를 기록하지 못했습니다.", print_exception=False)
        turn.vote, turn.revealed = choice, True
        return after(tab)

    def on_reveal(request: gr.Request) -> Updates:
        tab = _tab(tabs, request)
        if tab.shown is not None:
            tab.shown.revealed = True
        return after(tab)

    outputs = [*compared, *vote.outputs()]
    gr.on([button.click for button in vote.buttons.values()], on_vote, vote.reason, outputs, **_AT_ONCE)
    vote.reveal.click(on_reveal, None, outputs, **_AT_ONCE)


def _wire_talk(layout: Layout, room: Room, tabs: Tabs) -> None:
    engine, talk, ask = room.engine, layout.talk, layout.ask

    def on_show(index: int, base: bool, request: gr.Request) -> Updates:
        tab = _tab(tabs, request)
        tab.show(index)
        return {
            **redraw.all_panes(layout, engine, tab),
            **redraw.base_column(layout, tab, base),
            **redraw.vote_updates(layout.vote, engine, tab),
        }

    def on_edit(teacher: bool, request: gr.Request) -> Updates:
        tab = _tab(tabs, request)
        if tab.shown is None:
            return {ask.message: ""}
        text = tab.shown.question.text
        return {
            ask.box: text,
            ask.day: tab.shown.question.as_of.isoformat(),
            ask.counter: _counted(room, tab, text, teacher),
        }

    def on_clear(blind: bool, base: bool, request: gr.Request) -> Updates:
        tab = _tab(tabs, request)
        tab.clear()
        return {
            **redraw.everything(layout, engine, tab, blind, base),
            ask.box: "",
            ask.counter: _counted(room, tab, "", False),
            ask.message: "",
        }

    def on_export(event: gr.EventData, request: gr.Request) -> str:
        return export.file_of(_tab(tabs, request), event.target.elem_id.removeprefix("export-"))

    def on_keep(keep: bool, request: gr.Request) -> None:
        tab = _tab(tabs, request)
        tab.keep_text = bool(keep)
        if tab.session is not None and engine.records is not None:
            engine.records.set_keep_text(tab.session, tab.keep_text)

    outputs = redraw.outputs_of(layout)
    talk.history.click(on_show, [talk.history, ask.with_base], outputs, **_AT_ONCE)
    talk.edit.click(on_edit, ask.with_teacher, outputs, **_AT_ONCE).then(
        None, None, None, js="() => slmForest.focusQuestion()", **_AT_ONCE
    )
    talk.clear.click(on_clear, [ask.blind, ask.with_base], outputs, **_AT_ONCE)
    gr.on([talk.export_md.click, talk.export_json.click], on_export, None, talk.file, **_AT_ONCE).then(
        None, talk.file, None, js="(file) => slmForest.save(file)", **_AT_ONCE
    )
    talk.keep.input(on_keep, talk.keep, None, **_AT_ONCE)


def _wire_whole_page(page: gr.Blocks, layout: Layout, room: Room, tabs: Tabs) -> None:
    engine, ask = room.engine, layout.ask
    outputs = redraw.outputs_of(layout)

    def on_load(key: str, request: gr.Request) -> Updates:
        tab = tabs.resume(request.session_hash or "", key or "")
        if tab.key != key:  # a new tab: the page stands as it was built, and may be in use already
            return {layout.key: tab.key}
        return redraw.everything(layout, engine, tab, False, False)

    def on_language(language: str, text: str, teacher: bool, blind: bool, base: bool, request: gr.Request) -> Updates:
        tab = _tab(tabs, request)
        tab.language = "en" if language == "en" else "ko"
        return {
            ask.message: "",
            ask.counter: _counted(room, tab, text or "", teacher),
            **redraw.everything(layout, engine, tab, blind, base),
        }

    def on_blind(blind: bool, request: gr.Request) -> Updates:
        return redraw.all_panes(layout, engine, _tab(tabs, request), blind)

    def on_base(base: bool, request: gr.Request) -> Updates:
        return redraw.base_column(layout, _tab(tabs, request), base)

    def on_unload(request: gr.Request) -> None:
        tabs.leave(request.session_hash or "")

    tend = "(language) => slmForest.tend(language)"
    page.load(on_load, layout.key, outputs, js="() => [slmForest.key()]", **_AT_ONCE).then(
        None, layout.key, None, js="(key) => slmForest.keep(key)", **_AT_ONCE
    ).then(None, layout.language, None, js=tend, **_AT_ONCE)
    layout.language.input(
        on_language, [layout.language, ask.box, ask.with_teacher, ask.blind, ask.with_base], outputs, **_AT_ONCE
    ).then(None, layout.language, None, js=tend, **_AT_ONCE)
    ask.blind.input(on_blind, ask.blind, outputs, **_AT_ONCE)
    ask.with_base.input(on_base, ask.with_base, outputs, **_AT_ONCE)
    page.unload(on_unload)
