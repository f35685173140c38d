"""The conversation of one tab as a file: Markdown to read, JSON to work with.  Made on request, kept nowhere."""

from __future__ import annotations

import json

from serve.answer import Answer
from serve.errors import ServeError
from serve.page.answer_view import seat_name
from serve.page.tabs import PLACES, NotAsked, Outcome, Stopped, Tab, Turn
from serve.page.words import Language, say

_TAGS = {"<b>": "**", "</b>": "**"}


def as_markdown(tab: Tab) -> str:
    """Every question with its answers, what code found in them, and the labels the law asks for."""
    language = tab.language
    parts = ["# SLM Forest"]
    for number, turn in enumerate(tab.turns, start=1):
        day = say(language, "day", day=turn.question.as_of.isoformat())
        parts.append(f"## {number}. {_one_line(turn.question.text)}\n\n{day}")
        if "\n" in turn.question.text.strip():
            parts.append("\n".join(f"> {line}" for line in turn.question.text.splitlines()))
        for place in PLACES:
            if place in turn.seats and not isinstance(turn.outcomes.get(place), NotAsked):
                parts.append(
                    f"### {seat_name(turn, place, language)}\n\n{_told(turn.outcomes.get(place), turn, language)}"
                )
        if turn.vote is not None:
            parts.append(say(language, "vote_kept", choice=say(language, f"vote_{turn.vote}")))
    parts += ["---", *(_plain(say(language, key)) for key in ("legal_ai", "legal_tax"))]
    return "\n\n".join(parts) + "\n"


def _told(outcome: Outcome | None, turn: Turn, language: Language) -> str:
    match outcome:
        case Answer() as answer:
            source = "" if turn.hidden else f" · {answer.source}"
            return f"{answer.completion.final}\n\n_{say(language, 'ai')}{source} · {answer.verdict.summary()}_"
        case ServeError() as error:
            return f"_{error.message}_"
        case Stopped(text=text):
            return f"{text}\n\n_{say(language, 'stopped')}_".lstrip()
        case _:
            return f"_{say(language, 'writing')}_"


def as_json(tab: Tab) -> str:
    """The same as data: answers as ``Answer.as_dict`` gives them, sides left out while they are hidden."""
    turns = []
    for turn in tab.turns:
        answers = {
            place: _data(turn.outcomes.get(place), turn)
            for place in PLACES
            if place in turn.seats and not isinstance(turn.outcomes.get(place), NotAsked)
        }
        turns.append(
            {
                "question": turn.question.text,
                "as_of": turn.question.as_of.isoformat(),
                "blind": turn.blind,
                "vote": turn.vote,
                "answers": answers,
            }
        )
    record = {"notice": _plain(say(tab.language, "legal_ai")), "conversation": turns}
    return json.dumps(record, ensure_ascii=False, indent=1)


def _data(outcome: Outcome | None, turn: Turn) -> dict:
    match outcome:
        case Answer() as answer:
            known = answer.as_dict()
            return known if not turn.hidden else {"answer": known["answer"], "verdict": known["verdict"]}
        case ServeError() as error:
            return {"error": {"code": str(error.code), "message": error.message, "hint": error.hint}}
        case Stopped(text=text):
            return {"stopped": True, "answer": text}
        case _:
            return {"pending": True}


def file_of(tab: Tab, kind: str) -> str:
    """What the browser makes a file of: its name, type and text as one JSON object.  ``kind``: md or json."""
    name, mime, text = {
        "md": ("slm-forest.md", "text/markdown", as_markdown),
        "json": ("slm-forest.json", "application/json", as_json),
    }[kind]
    return json.dumps({"name": name, "type": mime, "text": text(tab)}, ensure_ascii=False)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _plain(text: str) -> str:
    for tag, mark in _TAGS.items():
        text = text.replace(tag, mark)
    return text
