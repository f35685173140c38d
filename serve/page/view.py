"""The page around the answers, as pure functions from values to HTML.  Every text that is not ours is escaped here."""

from __future__ import annotations

from html import escape

from serve.engine import Engine, Side
from serve.errors import ServeError
from serve.page.words import ERRORS_EN, Language, say, say_safe
from serve.private_data import Masked
from serve.settings import Student

_MARKS = {"info": "ℹ", "error": "⚠", "wait": "…", "stop": "■"}


def header(student: Student, language: Language) -> str:
    """Title, one line on what this is, and the accuracy before and after training when the run measured it."""
    measured = ""
    if student.exact_before is not None and student.exact_after is not None:
        measured = (
            f'<div class="sf-score"><span class="sf-score-label">{say(language, "score")}</span>'
            f"{_bar(say(language, 'before'), student.exact_before, 'before')}"
            f"{_bar(say(language, 'after'), student.exact_after, 'after')}</div>"
        )
    return (
        f'<header class="sf-header"><div class="sf-title"><h1>SLM Forest</h1><p>{say(language, "tagline")}</p></div>'
        f"{measured}</header>"
    )


def _bar(label: str, share: float, kind: str) -> str:
    percent = f"{share:.1%}".replace(".0%", "%")
    return (
        f'<span class="sf-bar {kind}"><span class="sf-bar-name">{label}</span>'
        f'<span class="sf-bar-track" aria-hidden="true"><i style="width:{min(max(share, 0.0), 1.0):.1%}"></i></span>'
        f"<b>{percent}</b></span>"
    )


def head(engine: Engine, side: Side, place: str, language: Language) -> str:
    """The name over a pane: who answers there, and where."""
    name, detail = _name(engine, side, language)
    return _head(side, place, say(language, side), name, detail)


def blind_head(place: str, language: Language) -> str:
    """The same while the sides are hidden."""
    return _head("hidden", place, say(language, f"seat_{place}"), "", say(language, "hidden_name"))


def _head(kind: str, place: str, role: str, name: str, detail: str) -> str:
    return (
        f'<div class="sf-head {kind}"><h2 class="sf-role" id="{place}-name">{escape(role)}</h2>'
        f'<span class="sf-name">{escape(name)}</span><span class="sf-detail">{escape(detail)}</span></div>'
    )


def _name(engine: Engine, side: Side, language: Language) -> tuple[str, str]:
    if side == "teacher":
        live = engine.teacher.live
        if live is not None:
            info = live.info()
            return info.name, say(language, "live", detail=info.detail)
        count = len(engine.teacher.recorded.questions())
        said = say(language, "recordings", count=f"{count:,}") if count else say(language, "no_recordings")
        return say(language, "no_key"), said
    seat = engine.student if side == "student" else engine.base
    return (seat.name, seat.backend.info().detail) if seat is not None else ("", "")


def privacy_notice(engine: Engine, language: Language) -> str:
    """Beside the question box, before anything is sent: whether a question leaves this machine, and where to."""
    host = engine.outside()
    if host is None:
        return f'<p class="sf-notice"><span aria-hidden="true">⌂</span> {say(language, "stays_here")}</p>'
    said = say_safe(language, "goes_out", host=host)
    return f'<p class="sf-notice sf-outside"><span aria-hidden="true">↗</span> {said}</p>'


def consent_text(host: str, masked: Masked, language: Language) -> str:
    """What is about to leave the machine, in the words in which it would, with what is personal in it marked."""
    found = (
        say_safe(language, "personal", kinds=", ".join(masked.kinds))
        if masked.kinds
        else say(language, "consent_clean")
    )
    text = escape(masked.text)
    for kind in masked.kinds:
        text = text.replace(f"[{escape(kind)}]", f"<mark>[{escape(kind)}]</mark>")
    return (
        f'<h2 id="sf-consent-title">{say(language, "consent_title")}</h2><p>{say_safe(language, "consent_text", host=host)}</p>'
        f'<p class="sf-consent-label">{say(language, "consent_question")}</p><blockquote>{text}</blockquote>'
        f'<p class="{"sf-personal" if masked.kinds else "sf-quiet"}">{found}</p>'
    )


def counter(used: int | None, limit: int | None, characters: int, personal: Masked | None, language: Language) -> str:
    """Under the box: the size of the question and the most it may have, in tokens, and what is personal in it."""
    if used is None or limit is None:
        size, over = say(language, "counter_unknown", used=f"{characters:,}"), False
    else:
        size, over = say(language, "counter", used=f"{used:,}", limit=f"{limit:,}"), used > limit
    mark = f'<b class="sf-over">⚠ {size}</b>' if over else size
    said = ""
    if personal is not None and personal.kinds:
        said = f'<span class="sf-personal">⚠ {say_safe(language, "personal", kinds=", ".join(personal.kinds))}</span>'
    return f'<p class="sf-counter"><span class="sf-size">{mark}</span>{said}<span class="sf-keys">{say(language, "keys")}</span></p>'


def message(text: str) -> str:
    """A sentence under the question box about why nothing was sent; empty text shows nothing."""
    return f'<p class="sf-message" role="alert">⚠ {escape(text)}</p>' if text else ""


def state(title: str, hint: str = "", kind: str = "info") -> str:
    """A boxed message in place of an answer: waiting, stopped, no key, unreachable, …"""
    more = f"<p>{escape(hint)}</p>" if hint else ""
    return f'<div class="sf-state {kind}"><b><span aria-hidden="true">{_MARKS[kind]}</span> {escape(title)}</b>{more}</div>'


def error_state(error: ServeError, language: Language) -> str:
    """A failure with what to do; in English its kind first, then the sentence as it was said."""
    kind = "info" if error.code in ("no_key", "private") else "error"
    if language == "ko":
        return state(error.message, error.hint, kind)
    said = ERRORS_EN.get(str(error.code), str(error.code))
    return state(f"{said} [{error.code}]", f"{error.message} {error.hint}".strip(), kind)


def empty(language: Language) -> str:
    return f'<p class="sf-empty">{say(language, "empty")}</p>'


def legal(language: Language, problem: str | None = None) -> str:
    """The labels the law asks for.  ``problem``: why nothing is being recorded just now."""
    said = f'<p class="sf-problem">⚠ {escape(problem)}</p>' if problem else ""
    return (
        f'<footer class="sf-legal"><p>{say(language, "legal_ai")}</p><p>{say(language, "legal_tax")}</p>{said}</footer>'
    )
