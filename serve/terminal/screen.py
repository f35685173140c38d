"""What a terminal shows: text wrapped between words while it streams, colours only where somebody sees them."""

from __future__ import annotations

import os
import re
import shutil
from typing import TextIO

# What could move the cursor, retitle the window or hide text: a model's words never do that to a terminal.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]|[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_STYLES = {"title": "1", "note": "2", "good": "32", "bad": "31", "prompt": "1;36"}


def is_terminal(stream: TextIO) -> bool:
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def colours(stream: TextIO) -> bool:
    """Colours on a terminal, unless NO_COLOR (no-color.org) is set to anything."""
    return is_terminal(stream) and not os.environ.get("NO_COLOR")


def paint(text: str, style: str, stream: TextIO) -> str:
    """``text`` in one of the styles, or as it is where colours are off."""
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if text and colours(stream) else text


def safe(text: str) -> str:
    """``text`` without control characters, tabs as spaces."""
    return _CONTROLS.sub("", text.replace("\t", "    "))


def one_line(text: str, most: int = 60) -> str:
    """``text`` on one line, cut after ``most`` characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def fitted(text: str, stream: TextIO) -> str:
    """``text`` broken between words for the terminal's width, indents kept; as it is where nobody watches."""
    if not is_terminal(stream):
        return text
    from wcwidth import wcswidth

    width = shutil.get_terminal_size().columns - 1
    lines = []
    for line in safe(text).split("\n"):
        indent = line[: len(line) - len(line.lstrip())]
        current = ""
        for word in line.split():
            longer = f"{current} {word}" if current else indent + word
            if current and wcswidth(longer) > width:
                lines.append(current)
                longer = indent + word
            current = longer
        lines.append(current)
    return "\n".join(lines)


class Printer:
    """Prints a growing text at once.  On a terminal no word is torn at the edge: one that does not fit is taken back and
    written on the next line.  Elsewhere (a pipe, a file) every character goes out as it came."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._width = shutil.get_terminal_size().columns if is_terminal(out) else 0
        self._column = 0  # cells used on this line
        self._word: list[str] = []  # of the word at its end
        self._cells = 0  # and their cells

    def write(self, text: str) -> None:
        if self._width < 4:
            print(text, end="", file=self._out, flush=True)
            return
        print("".join(map(self._placed, safe(text))), end="", file=self._out, flush=True)

    def line(self, text: str = "") -> None:
        """Write ``text`` and end the line."""
        self.write(text + "\n")

    def _placed(self, character: str) -> str:
        from wcwidth import wcwidth

        if character == "\n":
            self._start_line()
            return "\n"
        cells = max(wcwidth(character), 0)
        blank = character == " "
        before = ""
        # The last cell stays free: there terminals disagree about where the cursor is.
        if self._column + cells > self._width - 1:
            if blank:
                self._start_line()
                return "\n"
            before = self._onto_next_line()
        self._column += cells
        if blank:
            self._word, self._cells = [], 0
        else:
            self._word.append(character)
            self._cells += cells
        return before + character

    def _onto_next_line(self) -> str:
        """Take the word at the end of the line back and begin the next line with it; a word of a whole line is cut."""
        if self._cells == self._column:
            self._start_line()
            return "\n"
        word, cells = self._word, self._cells
        self._start_line()
        self._word, self._cells, self._column = word, cells, cells
        back = f"\x1b[{cells}D\x1b[K" if cells else ""
        return f"{back}\n{''.join(word)}"

    def _start_line(self) -> None:
        self._column, self._word, self._cells = 0, [], 0
