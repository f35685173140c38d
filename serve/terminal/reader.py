"""Where questions come from: a person at a terminal, with editing and history, or lines from a pipe."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol, TextIO

from serve.errors import Code, ServeError
from serve.terminal.questions import undecoded
from serve.terminal.screen import colours, is_terminal, safe

COMMANDS = ("/help", "/clear", "/undo", "/retry", "/context", "/teacher", "/sources", "/stats", "/save", "/quit")
PROMPT = "질문> "
_YES = ("y", "yes", "예", "네", "ㅛ")  # the last is y with the Korean keyboard left on


class Reader(Protocol):
    def read(self) -> str:
        """The next question or command.  Raises EOFError at the end, KeyboardInterrupt when the line was given up."""
        ...

    def agrees(self, question: str) -> bool:
        """Whether the person says yes; whoever does not answer says no."""
        ...


class PipeReader:
    """Lines of a pipe or a file, each shown on ``err`` so that the transcript can be read."""

    def __init__(self, lines: TextIO, err: TextIO) -> None:
        self._lines = lines
        self._err = err

    def read(self) -> str:
        try:
            line = self._lines.readline()
        except UnicodeDecodeError as exc:
            raise _not_utf8() from exc
        if undecoded(line):
            raise _not_utf8()
        if not line:
            raise EOFError
        print(f"\n{PROMPT}{line.rstrip()}", file=self._err, flush=True)
        return line

    def agrees(self, question: str) -> bool:
        """Nobody is there to be asked."""
        print(f"{question} 물을 수 없어 '아니요'로 봅니다.", file=self._err, flush=True)
        return False


class PromptReader:
    """A line editor: Hangul by cells, pasted lines as one question, history over the sessions, Tab for commands.

    Enter sends, Alt-Enter begins a new line.  ``history`` None keeps none on disk.
    """

    def __init__(self, terminal: TextIO, history: Path | None) -> None:
        from prompt_toolkit import PromptSession
        from prompt_toolkit.output import create_output
        from prompt_toolkit.shortcuts import CompleteStyle

        self._terminal = terminal
        output = create_output(stdout=terminal)
        self._session = PromptSession(
            multiline=True,
            key_bindings=_keys(),
            history=_history(history),
            completer=_completer(),
            complete_while_typing=False,
            complete_style=CompleteStyle.READLINE_LIKE,
            prompt_continuation=" " * 6,  # cells of the prompt
            output=output,
        )
        self._asking = PromptSession(output=output)

    def read(self) -> str:
        from prompt_toolkit.formatted_text import ANSI

        print(file=self._terminal, flush=True)
        painted = f"\x1b[1;36m{PROMPT}\x1b[0m" if colours(self._terminal) else PROMPT
        return self._session.prompt(ANSI(painted))

    def agrees(self, question: str) -> bool:
        try:
            return self._asking.prompt(f"{safe(question)} [y/N] ").strip().lower() in _YES
        except (EOFError, KeyboardInterrupt):
            return False


def open_reader(err: TextIO, keep_history: bool) -> Reader:
    """The reader for this process: a line editor where a person types into a terminal and sees it."""
    shown = next((stream for stream in (err, sys.stdout) if is_terminal(stream)), None)
    if not sys.stdin.isatty() or shown is None:
        return PipeReader(sys.stdin, err)
    path = None
    if keep_history:
        path = history_path()
        try:
            make_private(path)
        except OSError as exc:
            print(f"(질문 기록을 남길 수 없습니다: {path}: {exc.strerror})", file=err, flush=True)
            path = None
    return PromptReader(shown, path)


def history_path() -> Path:
    """``~/.local/state/slm-forest/history``, below $XDG_STATE_HOME when that is set."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state"
    return Path(state) / "slm-forest/history"


def make_private(path: Path) -> None:
    """Create ``path`` so that only its owner reads it, and see to it that this stays so."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)


def _not_utf8() -> ServeError:
    return ServeError(
        Code.USAGE,
        "표준 입력이 UTF-8이 아닙니다.",
        "UTF-8로 바꾸거나, CP949도 읽는 --questions_file을 쓰세요.",
    )


def _keys() -> Any:
    from prompt_toolkit.key_binding import KeyBindings

    keys = KeyBindings()

    @keys.add("enter")
    def _send(event: Any) -> None:
        event.current_buffer.validate_and_handle()

    @keys.add("escape", "enter")
    def _new_line(event: Any) -> None:
        event.current_buffer.insert_text("\n")

    return keys


def _history(path: Path | None) -> Any:
    from prompt_toolkit.history import FileHistory, InMemoryHistory

    if path is None:
        return InMemoryHistory()

    class WithoutPersonalData(FileHistory):
        def store_string(self, string: str) -> None:
            from serve.private_data import mask

            if not mask(string).kinds:
                super().store_string(string)

    return WithoutPersonalData(str(path))


def _completer() -> Any:
    from prompt_toolkit.completion import Completer, Completion, PathCompleter
    from prompt_toolkit.document import Document

    class Commands(Completer):
        def get_completions(self, document: Document, complete_event: Any) -> Iterable[Completion]:
            text = document.text_before_cursor
            if text.startswith("/save "):
                yield from PathCompleter(expanduser=True).get_completions(
                    Document(text.removeprefix("/save ")), complete_event
                )
            elif text.startswith("/"):
                yield from (Completion(name, -len(text)) for name in COMMANDS if name.startswith(text))

    return Commands()
