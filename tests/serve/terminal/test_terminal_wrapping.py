"""Text on a terminal: every character arrives, no word is torn that fits on a line, nothing runs over the edge."""

from __future__ import annotations

import io
import shutil
from os import terminal_size

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st
from wcwidth import wcswidth

from serve.terminal import screen
from serve.terminal.screen import Printer, fitted, one_line, safe

WORDS = st.lists(st.text("가나힣ab1,%", min_size=1, max_size=14), min_size=1, max_size=30)


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)


def width_is(columns: int) -> None:
    screen.shutil.get_terminal_size = lambda: terminal_size((columns, 24))


@pytest.fixture(autouse=True)
def restored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screen.shutil, "get_terminal_size", shutil.get_terminal_size)


def shown(pieces: list[str], columns: int) -> list[str]:
    """The lines a terminal of ``columns`` shows when the pieces are printed one after another."""
    out = Tty()
    width_is(columns)
    printer = Printer(out)
    for piece in pieces:
        printer.write(piece)
    display = pyte.Screen(columns, 200)
    pyte.Stream(display).feed(out.getvalue().replace("\n", "\r\n"))
    return [row.rstrip() for row in display.display[: display.cursor.y + 1]]


@given(WORDS, st.integers(12, 80), st.integers(1, 9))
def test_words_survive_however_they_are_cut_into_deltas(words: list[str], columns: int, size: int) -> None:
    text = " ".join(words)
    lines = shown([text[at : at + size] for at in range(0, len(text), size)], columns)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(wcswidth(line) < columns for line in lines)
    standing = " ".join(lines).split()
    for word in words:
        if wcswidth(word) < columns:
            assert word in standing


def test_lines_of_the_text_stay_lines() -> None:
    assert shown(["가\n\n나", " 다\n"], 20) == ["가", "", "나 다", ""]


def test_away_from_a_terminal_every_character_goes_out_as_it_came() -> None:
    out = io.StringIO()
    Printer(out).write("긴 글 " * 50 + "\x1b[1m\t끝")
    assert out.getvalue() == "긴 글 " * 50 + "\x1b[1m\t끝"


@given(WORDS, st.integers(12, 80))
def test_notes_are_broken_between_words(words: list[str], columns: int) -> None:
    width_is(columns)
    lines = fitted("  " + " ".join(words), Tty()).split("\n")
    assert " ".join(lines).split() == words and all(line.startswith("  ") for line in lines)
    assert all(wcswidth(line) < columns for line in lines if len(line.split()) > 1)


def test_control_characters_never_reach_a_terminal() -> None:
    assert safe("가\x1b[2J\x07\r\x9b1m\u202e나\t다\n") == "가[2J1m나    다\n"


def test_one_line() -> None:
    assert one_line("가\n  나") == "가 나" and one_line("가" * 70) == "가" * 59 + "…"
