"""One pane in each of its states, from values to what its components show.  Model text reaches HTML only escaped."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from serve import look_up
from serve.answer import Answer, Progress, Stats
from serve.complete import ASKS_BACK, CANNOT_COMPUTE, CANNOT_QUOTE, Completion, looks_like_call
from serve.engine import Engine
from serve.errors import ServeError
from serve.page import view
from serve.page.drawer import badges_html, calculation_html, drawer_html, sources_html
from serve.page.markdown_ko import normalise_markdown
from serve.page.tabs import NotAsked, Place, Run, Stopped, Turn
from serve.page.words import Language, say, say_safe
from serve.verification import explain
from taxlaw.money import format_won

_UNABLE = {CANNOT_COMPUTE: "unable", CANNOT_QUOTE: "unable_quote", ASKS_BACK: "asks_back"}


@dataclass(frozen=True)
class PaneView:
    """HTML of head, card and foot, Markdown of the text, and what can be done: stop while ``running``, retry when not."""

    head: str
    card: str
    text: str = ""
    foot: str = ""
    running: bool = False
    retry: bool = False


def untouched(engine: Engine, place: Place, language: Language, blind: bool = False) -> PaneView:
    """A pane before any question."""
    side = {"left": "student", "right": "teacher", "base": "base"}[place]
    head = view.blind_head(place, language) if blind and place != "base" else view.head(engine, side, place, language)
    return PaneView(head, view.empty(language))


def seat_name(turn: Turn, place: Place, language: Language) -> str:
    """What a pane is called now: answer A or B while that is hidden, else who sits there."""
    if turn.hidden and place != "base":
        return say(language, f"seat_{place}")
    return say(language, turn.seats[place])


def pane_head(engine: Engine, turn: Turn, place: Place, language: Language) -> str:
    if turn.hidden and place != "base":
        return view.blind_head(place, language)
    return view.head(engine, turn.seats[place], place, language)


def waiting(engine: Engine, run: Run, ahead: int, language: Language) -> PaneView:
    """In line, or called and not yet writing."""
    title = say(language, "queue", ahead=ahead) if ahead else say(language, "waiting")
    return PaneView(pane_head(engine, run.turn, run.place, language), view.state(title, kind="wait"), running=True)


def writing(engine: Engine, run: Run, progress: Progress, language: Language) -> PaneView:
    """A text on its way; of a hidden side its length only, since a speed gives the model away."""
    figures = "" if run.turn.hidden else " · " + (_figures(progress.stats, language, None) or "…")
    foot = (
        '<div class="sf-foot"><div class="sf-stats"><span class="sf-pulse" aria-hidden="true"></span>'
        f"{say(language, 'writing')}{figures}</div></div>"
    )
    head = pane_head(engine, run.turn, run.place, language)
    return PaneView(head, "", streaming_text(progress.shown), foot, running=True)


def settled(engine: Engine, turn: Turn, place: Place, language: Language) -> PaneView:
    """A pane that has ended, however it ended."""
    head = pane_head(engine, turn, place, language)
    seat = seat_name(turn, place, language)
    match turn.outcomes.get(place):
        case Answer() as answer:
            card = banner(answer, turn, language) + completion_card(answer.completion, language)
            return PaneView(
                head, card, answer_text(answer, language), answer_foot(answer, turn, seat, language), retry=True
            )
        case ServeError() as error:
            said = say(language, "said_failed", seat=seat, message=error.message)
            return PaneView(head, view.error_state(error, language), foot=_said(said), retry=True)
        case Stopped(text=text):
            card = view.state(say(language, "stopped"), say(language, "stopped_hint"), "stop")
            said = _said(say(language, "said_stopped", seat=seat))
            return PaneView(head, card, streaming_text(text), said, retry=True)
        case NotAsked():
            return PaneView(head, view.state(say(language, "not_asked"), say(language, "not_asked_hint")))
        case _:
            return PaneView(head, view.state(say(language, "waiting"), kind="wait"), running=True)


def streaming_text(text: str) -> str:
    """Unfinished text for the Markdown component; a call on its way is shown as the code it is."""
    if looks_like_call(text):
        return "```json\n" + text.replace("```json", "").replace("`", "").strip() + "\n```"
    return normalise_markdown(text)


def answer_text(answer: Answer, language: Language) -> str:
    """The answer's words for the Markdown component; empty when they were a call, which the card shows."""
    completion = answer.completion
    if completion.problem or (completion.facts and not completion.own_working):
        return ""
    return normalise_markdown(completion.words) or f"_{say(language, 'empty_answer')}_"


def banner(answer: Answer, turn: Turn, language: Language) -> str:
    """That an answer is a recording, comes from the cache, or was asked with personal data masked."""
    if turn.hidden:
        return ""
    marks = []
    if not answer.measured:
        marks.append(say(language, "recorded_label"))
    if answer.cached:
        marks.append(say(language, "cached"))
    if answer.sent:
        marks.append(say(language, "sent"))
    return "".join(f'<p class="sf-recorded">{mark}</p>' for mark in marks)


def completion_card(completion: Completion, language: Language) -> str:
    """Facts, working and raw output of what code finished; empty for an answer in the model's own words."""
    parts = []
    if completion.facts:
        rows = "".join(
            f"<div><dt>{escape(label)}</dt><dd>{escape(value)}</dd></div>" for label, value in completion.facts
        )
        parts.append(f'<section class="sf-facts"><h3>{say(language, "facts")}</h3><dl>{rows}</dl></section>')
    if completion.result is not None and not completion.own_working:
        parts.append(_working(completion.result, language))
    if completion.problem:
        parts.append(view.state(say(language, _UNABLE[completion.unable]), completion.problem, "error"))
    if parts or completion.words != completion.raw:
        raw = escape(completion.raw)
        if completion.first:
            raw += f"\n\n{say(language, 'first_reading')}\n{escape(completion.first)}"
        parts.append(f'<details class="sf-raw"><summary>{say(language, "raw")}</summary><pre>{raw}</pre></details>')
    return "".join(parts)


def _working(result: object, language: Language) -> str:
    rows = "".join(
        f"<li><span>{escape(step.label)}</span><b>{format_won(step.amount)}</b>{_expression(step)}</li>"
        for step in result.steps
    )
    notes = "".join(f"<li>{escape(note)}</li>" for note in result.assumptions)
    assumptions = say(language, "assumptions", count=len(result.assumptions))
    return (
        f'<section class="sf-working"><h3>{say(language, "working")} '
        f'<span class="sf-code-mark">{say(language, "by_code")}</span></h3>'
        f'<ol class="sf-steps">{rows}</ol>'
        f'<p class="sf-payable"><span>{say(language, "payable")}</span><b>{format_won(result.payable)}</b></p>'
        f'<p class="sf-articles">{say(language, "rests_on")} {_articles(result.articles)}</p>'
        + (f"<details><summary>{assumptions}</summary><ul>{notes}</ul></details>" if notes else "")
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


def answer_foot(answer: Answer, turn: Turn, seat: str, language: Language) -> str:
    """What code says about the answer, its sources, its figures and the labels; figures only once sides are known."""
    if turn.hidden:
        figures = say(language, "hidden_figures")
    elif answer.measured:
        figures = _figures(answer.stats, language, answer)
    else:
        figures = say(language, "recording")
    day = say_safe(language, "day", day=answer.as_of.isoformat())
    explained = explain(answer)
    verdict = ", ".join(badge.words if language == "ko" else badge.english for badge in explained.badges)
    checked = badges_html(explained, language) + calculation_html(answer, language) + drawer_html(explained, language)
    hint = f'<p class="sf-none">{say(language, "look_up")}</p>' if look_up.asks(answer) and not answer.sources else ""
    return (
        f'<div class="sf-foot">{hint}{checked}{sources_html(answer.sources, language, answer.sources_read)}'
        f'<div class="sf-stats"><span class="sf-figures">{figures}</span>'
        f'<span class="sf-ai">{say(language, "ai")} · {day}</span></div></div>'
        + _said(say(language, "said_done", seat=seat, verdict=verdict))
    )


def _said(text: str) -> str:
    """What a screen reader is told when the pane has ended; a script puts it into the page's one live region."""
    return f'<span class="sf-said" hidden data-said="{escape(text)}"></span>'


def _figures(stats: Stats, language: Language, answer: Answer | None) -> str:
    """Seconds, speeds, sizes, price and how the answer ended; only what is known."""
    timed = answer is None or not answer.cached
    figures = []
    if timed and stats.first_seconds is not None:
        figures.append(f"{say(language, 'first')} <b>{say(language, 'seconds', n=f'{stats.first_seconds:.2f}')}</b>")
    if timed and stats.tokens_per_second:
        figures.append(f"<b>{stats.tokens_per_second:.1f}</b> {say(language, 'per_second')}")
    if timed and stats.chars_per_second:
        figures.append(f"<b>{stats.chars_per_second:.0f}</b> {say(language, 'chars')}")
    if answer is not None:
        read = f"{stats.prompt_tokens:,}" if stats.prompt_tokens is not None else "?"
        new = f"{stats.new_tokens:,}" if stats.new_tokens is not None else "?"
        figures.append(say(language, "tokens", read=f"<b>{read}</b>", new=f"<b>{new}</b>"))
        figures.append(_cost(answer.won, language))
    if stats.finish:
        figures.append(say(language, f"finish_{stats.finish}"))
    return " · ".join(figures)


def _cost(won: float | None, language: Language) -> str:
    if won is None:
        return say(language, "cost_none")
    if won == 0:
        return say(language, "free")
    return f"<b>{say(language, 'cost', won=f'{won:,.2f}' if won < 100 else f'{won:,.0f}')}</b>"
