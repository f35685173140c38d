"""The review page: a pair, its evidence and its checks; accept, edit or reject; filters, keys, progress, undo.

The browser sends along which row it shows, and a decision is about that row, whatever was asked for meanwhile.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass, replace

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read once, when gradio is imported

import gradio as gr

from data_gen.errors import BadInput, DataGenError
from data_gen.korean_names import korean
from data_gen.review import view
from data_gen.review.desk import ReviewDesk
from data_gen.review.index import FACETS, REJECTED, Filters
from data_gen.review.page_style import CSS, HEAD, theme

HOST = "127.0.0.1"
_LABELS = {"split": "묶음", "source": "출처", "tax": "세목", "style": "문체", "gate": "거절한 관문"}
_REASONS = ("근거에 없는 내용", "근거와 다름", "계산이 틀림", "조문이 틀림", "질문이 모호함", "말이 어색함", "개인정보")
_QUIET = {"show_progress": "hidden", "api_visibility": "private", "concurrency_id": "review", "concurrency_limit": 4}


@dataclass
class Tab:
    """What one tab of the browser is looking at: the numbers of the rows that pass its filters, and the place in them."""

    shown: object = ()
    place: int = 0


def build_page(desk: ReviewDesk) -> gr.Blocks:
    """The Blocks of the page, ready to launch."""
    with gr.Blocks(title=f"검토 · {desk.folder.name}", analytics_enabled=False, fill_width=True) as page:
        tab = gr.State(Tab())
        judged_words = gr.State(("", ""))  # the edited words whose verdict stands on the page
        with gr.Row(elem_id="rv-top"):
            gr.HTML(view.header(desk.folder.name, desk.reviewer))
            progress = gr.HTML(elem_id="rv-progress")
        with gr.Accordion("거르기 (filters)", open=False, elem_id="rv-filters"), gr.Row():
            facets = [
                gr.Dropdown(_choices(desk, facet), value="", label=_LABELS[facet], min_width=130, elem_id=f"f-{facet}")
                for facet in FACETS
            ]
            text = gr.Textbox(label="찾을 말", placeholder="질문·답변·근거·id", min_width=180, elem_id="f-text")
            undecided = gr.Checkbox(label="결정 안 한 것만", min_width=130, elem_id="f-undecided")
            rejected = gr.Checkbox(label="관문이 거절한 쌍도", min_width=130, elem_id="f-rejected")
        message = gr.HTML(elem_id="rv-message")
        with gr.Row(elem_id="rv-main"):
            with gr.Column(elem_classes="rv-pane", elem_id="rv-left", min_width=300):
                gr.HTML('<h2 class="rv-h">근거 <span>Evidence</span></h2>')
                evidence = gr.HTML(elem_id="rv-evidence")
            with gr.Column(elem_classes="rv-pane", elem_id="rv-right", min_width=300):
                gr.HTML('<h2 class="rv-h">질문과 답변 <span>Pair</span></h2>')
                pair = gr.HTML(elem_id="rv-pair")
                with gr.Column(visible=False, elem_id="rv-edit", elem_classes="rv-panel") as edit_panel:
                    question = gr.Textbox(label="질문 고치기", lines=2, max_lines=12, elem_id="e-question")
                    answer = gr.Textbox(label="답변 고치기", lines=6, max_lines=30, elem_id="e-answer")
                    verdict = gr.HTML(elem_id="e-verdict")
                    gr.HTML('<p class="rv-hint">Ctrl+Enter 저장 · Esc 그만두기</p>')
                    with gr.Row():
                        save = gr.Button("저장", variant="primary", min_width=120, elem_id="b-save")
                        leave = gr.Button("그만두기", min_width=100, elem_classes="b-leave")
                with gr.Column(visible=False, elem_id="rv-reject", elem_classes="rv-panel") as reject_panel:
                    why = gr.Radio(_numbered(_REASONS), label="거절하는 까닭", elem_id="r-why")
                    more = gr.Textbox(label="덧붙이거나 직접 적기", lines=1, max_lines=4, elem_id="r-more")
                    gr.HTML('<p class="rv-hint">숫자 키로 고르기 · Enter 거절 · Esc 그만두기</p>')
                    with gr.Row():
                        refuse = gr.Button("거절하기", variant="stop", min_width=120, elem_id="b-refuse")
                        leave_too = gr.Button("그만두기", min_width=100, elem_classes="b-leave")
                checks = gr.HTML(elem_id="rv-checks")
        with gr.Row(elem_id="rv-bar"):
            back = gr.Button("◀ 이전 k", min_width=60, elem_id="b-back")
            place = gr.HTML(elem_id="rv-place")
            forth = gr.Button("다음 j ▶", min_width=60, elem_id="b-forth")
            accept = gr.Button("채택 a", variant="primary", min_width=70, elem_id="b-accept")
            change = gr.Button("고치기 e", min_width=70, elem_id="b-edit")
            reject = gr.Button("거절 r", variant="stop", min_width=70, elem_id="b-reject")
            undo = gr.Button("되돌리기 u", min_width=70, elem_id="b-undo")
        # In the page but not seen: which row the browser shows.
        shown = gr.Textbox("", visible="hidden", elem_id="rv-shown")

        screen = [tab, shown, progress, place, evidence, pair, checks, message, edit_panel, reject_panel]
        filters = [*facets, undecided, rejected, text]

        def display(state: Tab, note: str = "", kind: str = "info") -> tuple:
            closed = gr.update(visible=False)
            told = (view.progress(desk.progress()), view.position(state.place, len(state.shown)))
            if not state.shown:
                return state, "", *told, "", view.EMPTY, "", view.message(note, kind), closed, closed
            number = state.shown[state.place]
            row, decision = desk.row(number), desk.decision(number)
            judged = view.judge(row, *view.texts(row, decision))
            split = desk.index.value("split", number)
            return (
                state,
                str(number),
                *told,
                view.evidence(row, decision),
                view.pair(row, split, decision, judged),
                view.checks(row, judged),
                view.message(note, kind),
                closed,
                closed,
            )

        def filtered(state: Tab, *values) -> tuple:
            wanted = Filters(*(str(value or "") for value in values[:5]), values[5], values[6], values[7] or "")
            numbers = desk.select(wanted)
            first = next((at for at, number in enumerate(numbers) if desk.decision(number) is None), 0)
            return display(replace(state, shown=numbers, place=first))

        def moved(state: Tab, seen: str, step: int) -> tuple:
            at = _place_of(state, seen)
            return display(replace(state, place=max(0, min(at + step, len(state.shown) - 1))))

        def decided(state: Tab, seen: str, action: str, **words: str) -> tuple:
            """Write the decision on the row that was seen, then show the next one that has none."""
            try:
                if not seen:
                    raise BadInput("결정할 쌍이 없습니다.")
                desk.decide(int(seen), action, **words)
            except DataGenError as exc:
                return _told(screen, view.message(str(exc), "error"), message)
            return display(replace(state, place=_next_open(desk, state, _place_of(state, seen))))

        def accepted(state: Tab, seen: str) -> tuple:
            return decided(state, seen, "accept")

        def refused(state: Tab, seen: str, why: str | None, more: str | None) -> tuple:
            reason = ": ".join(part.strip() for part in (why, more) if part and part.strip())
            if not reason:
                return _told(screen, view.message("거절하는 까닭을 고르거나 적으세요.", "error"), message)
            return decided(state, seen, "reject", reason=reason)

        def undone(state: Tab) -> tuple:
            try:
                number = desk.undo()
            except DataGenError as exc:
                return _told(screen, view.message(str(exc), "error"), message)
            if number is None:
                return _told(screen, view.message("되돌릴 결정이 없습니다."), message)
            if number not in state.shown:
                return display(state, "지금 거르기에는 보이지 않는 쌍의 결정을 되돌렸습니다.")
            return display(replace(state, place=state.shown.index(number)), "되돌렸습니다.")

        def edit_opened(seen: str) -> tuple:
            if not seen:
                return (gr.skip(),) * 6
            row, decision = desk.row(int(seen)), desk.decision(int(seen))
            texts = view.texts(row, decision)
            told = view.verdict_html(view.judge(row, *texts))
            return texts, gr.update(visible=True), gr.update(visible=False), *texts, told

        def rejudged(seen: str, *texts: str | None) -> tuple:
            if not seen or None in texts:  # nothing was opened yet
                return gr.skip(), gr.skip()
            return texts, view.verdict_html(view.judge(desk.row(int(seen)), *texts))

        def saved(state: Tab, judged: tuple[str, str], seen: str, *texts: str) -> tuple:
            """Save an edit whose verdict was seen; one with a fault that was not yet seen shows it first."""
            if not seen or not all((text or "").strip() for text in texts):
                return *_told(screen, view.message("질문과 답변을 모두 적으세요.", "error"), message), judged, gr.skip()
            found = view.judge(desk.row(int(seen)), *texts)
            if tuple(judged) != texts and (found is None or not found.ok):
                note = view.message("검증기가 잘못을 찾았습니다. 그래도 저장하려면 한 번 더 누르세요.", "error")
                return *_told(screen, note, message), texts, view.verdict_html(found)
            return *decided(state, seen, "edit", question=texts[0], answer=texts[1]), texts, gr.skip()

        quick = {**_QUIET, "queue": False}
        begun = page.load(filtered, [tab, *filters], screen, **_QUIET)
        gr.on(
            [*(facet.input for facet in facets), undecided.input, rejected.input, text.submit],
            filtered,
            [tab, *filters],
            screen,
            **_QUIET,
        )
        moving = [
            back.click(lambda state, seen: moved(state, seen, -1), [tab, shown], screen, **_QUIET),
            forth.click(lambda state, seen: moved(state, seen, 1), [tab, shown], screen, **_QUIET),
            accept.click(accepted, [tab, shown], screen, **_QUIET),
            refuse.click(refused, [tab, shown, why, more], screen, **_QUIET),
            undo.click(undone, [tab], screen, **_QUIET),
        ]
        for event in (begun, *moving):
            event.then(None, None, None, js="() => window.reviewTop()", **quick)
        opened = change.click(
            edit_opened, [shown], [judged_words, edit_panel, reject_panel, question, answer, verdict], **_QUIET
        )
        opened.then(None, None, None, js="() => window.reviewFocus('#e-answer textarea')", **quick)
        gr.on(
            [question.change, answer.change],
            rejudged,
            [shown, question, answer],
            [judged_words, verdict],
            trigger_mode="always_last",
            **_QUIET,
        )
        save.click(saved, [tab, judged_words, shown, question, answer], [*screen, judged_words, verdict], **_QUIET)
        asked = reject.click(
            lambda seen: (gr.update(visible=bool(seen)), gr.update(visible=False), None, ""),
            [shown],
            [reject_panel, edit_panel, why, more],
            **_QUIET,
        )
        asked.then(None, None, None, js="() => window.reviewFocus('#r-why input')", **quick)
        gr.on(
            [leave.click, leave_too.click],
            lambda: (gr.update(visible=False),) * 2,
            None,
            [edit_panel, reject_panel],
            **_QUIET,
        )
    page.queue(default_concurrency_limit=4)
    return page


def _told(screen: list, note: str, message: gr.HTML) -> tuple:
    """The screen as it is, with a message."""
    return tuple(note if part is message else gr.skip() for part in screen)


def _place_of(state: Tab, seen: str) -> int:
    """Where the row the browser shows stands among the tab's rows; a new set of rows may not hold it."""
    number = int(seen) if seen else -1
    if state.place < len(state.shown) and state.shown[state.place] == number:
        return state.place
    return state.shown.index(number) if number in state.shown else state.place


def _next_open(desk: ReviewDesk, state: Tab, at: int) -> int:
    """The next place without a decision, going on from the start after the end; the next place when all have one."""
    size = len(state.shown)
    for step in range(1, size):
        place = (at + step) % size
        if desk.decision(state.shown[place]) is None:
            return place
    return min(at + 1, max(size - 1, 0))


def _numbered(reasons: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(f"{number} {reason}", reason) for number, reason in enumerate(reasons, 1)]


def _choices(desk: ReviewDesk, facet: str) -> list[tuple[str, str]]:
    known = [value for value in desk.index.values[facet] if value]
    return [("모두", ""), *((korean(facet, value), value) for value in known if value != REJECTED or facet == "split")]


def launch(page: gr.Blocks, port: int, *, browser: bool) -> str:
    """Start the server on this machine only, without blocking; its address.  Raises BadInput when the port is taken."""
    try:
        _, url, _ = page.launch(
            server_name=HOST,
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
            theme=theme(),
            css=CSS,
            head=HEAD,
        )
    except OSError as exc:
        raise BadInput(f"{HOST}:{port}을(를) 열 수 없습니다. '--port {port + 1}'처럼 다른 포트를 쓰세요.") from exc
    return url


def _display_is_likely() -> bool:
    if os.environ.get("SSH_CONNECTION"):
        return False
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def serve(desk: ReviewDesk, port: int, *, browser: bool) -> int:
    """Open the page and stay until Ctrl-C."""
    page = build_page(desk)
    url = launch(page, port, browser=browser)
    print(
        f"검토: {desk.folder} ({len(desk.index):,}행, 검토자 {desk.reviewer})\n브라우저에서 여세요: {url}  (Ctrl-C로 끝냅니다)",
        file=sys.stderr,
        flush=True,
    )
    try:
        while page.is_running:
            time.sleep(0.2)
    except KeyboardInterrupt:
        print(f"\n페이지를 닫습니다. 기록: {desk.path}", file=sys.stderr)
    finally:
        page.close(verbose=False)
    return 0
