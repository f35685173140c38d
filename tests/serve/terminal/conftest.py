"""The command line in this process over a scripted student, and in a pseudo-terminal whose screen can be read."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyte
import pytest

from serve.__main__ import build_parser
from serve.backends.fake import FakeBackend
from serve.backends.protocol import GenParams
from serve.engine import Engine, Seat
from serve.settings import Student
from serve.terminal import cli

DRIVER = Path(__file__).with_name("scripted_terminal.py")
WAIT_SECONDS = 60  # for a screen to show what is expected, on a busy machine


@pytest.fixture
def student() -> FakeBackend:
    return FakeBackend(name="시험-학생")


class TypedLines:
    """A reader of given lines; an exception among them is raised."""

    def __init__(self, lines: list, yes: bool) -> None:
        self._lines = iter(lines)
        self._yes = yes
        self.questions: list[str] = []

    def read(self) -> str:
        entry = next(self._lines, EOFError())
        if isinstance(entry, BaseException):
            raise entry
        return entry

    def agrees(self, question: str) -> bool:
        self.questions.append(question)
        return self._yes


@pytest.fixture
def run(student: FakeBackend, verifier, keyless_teacher, demo_config) -> Callable[..., int]:
    """Run one command line with a scripted student and no teacher key; returns the exit code."""

    def call(*words: str, lines: list | None = None, teacher=None, yes: bool = False, **parts) -> int:
        def open_engine(_args, config, as_of) -> Engine:
            params = GenParams(config.student.max_new_tokens, config.student.temperature)
            taught = teacher or keyless_teacher({"녹음된 질문": "녹음된 답"})
            seat = Seat("시험-학생", student, params)
            return Engine(config, seat, taught, as_of, Student(Path("x.gguf"), "시험-학생"), **parts)

        args = build_parser().parse_args(["--as-of", "2025-07-01", *words])
        return cli.run(args, open_engine=open_engine, reader=lambda _err, keep_history: TypedLines(lines or [], yes))

    return call


@pytest.fixture
def command(tmp_path: Path) -> Callable[..., list[str]]:
    """The words that run the command line in a process of its own, over the answers of a script."""

    def build(*options: str, **script) -> list[str]:
        file = tmp_path / "script.json"
        file.write_text(json.dumps(script, ensure_ascii=False), encoding="utf-8")
        return [sys.executable, str(DRIVER), str(file), *options]

    return build


class _Screen(pyte.Screen):
    """A screen whose answers to the program (where is the cursor?) are sent to it."""

    answer: Callable[[str], None] = staticmethod(lambda _data: None)

    def write_process_input(self, data: str) -> None:
        self.answer(data)


class Terminal:
    """A process in a pseudo-terminal of ``columns`` by 24, and the screen a person would see."""

    def __init__(self, words: list[str], columns: int, environment: dict[str, str], lines: int = 24) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.process = subprocess.Popen(
            words,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(slave)
        self.screen = _Screen(columns, lines)
        self.screen.answer = lambda data: os.write(self._master, data.encode())
        self._stream = pyte.ByteStream(self.screen)
        self.raw = b""

    @property
    def text(self) -> str:
        """The screen, without the space at the ends of lines and below the last one."""
        return "\n".join(row.rstrip() for row in self.screen.display).rstrip()

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def ask(self, text: str) -> None:
        """Type ``text``, see it on the screen, press Enter."""
        self.type(text)
        self.until(lambda shown: shown.endswith(f"질문> {text}"))
        self.type("\r")

    def until(self, condition: Callable[[str], bool]) -> str:
        """Read until the screen is as wanted and return it."""
        deadline = time.monotonic() + WAIT_SECONDS
        while not condition(self.text):
            if time.monotonic() > deadline or not self._read(deadline):
                raise AssertionError(f"the screen never came; it shows:\n{self.text}")
        return self.text

    def prompt(self, *seen: str) -> str:
        """Read until an empty prompt stands last and every one of ``seen`` above it."""
        return self.until(lambda text: text.endswith("\n질문>") and all(part in text for part in seen))

    def end(self) -> int:
        """Read what is left and return the exit code."""
        deadline = time.monotonic() + WAIT_SECONDS
        while self._read(deadline):
            pass
        return self.process.wait(WAIT_SECONDS)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._master)

    def _read(self, deadline: float) -> bool:
        """Feed what the process wrote to the screen; False when it is gone."""
        ready, _, _ = select.select([self._master], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return False
        try:
            data = os.read(self._master, 65536)
        except OSError:  # the last process has closed its side
            return False
        self.raw += data
        self._stream.feed(data)
        return bool(data)


@pytest.fixture
def terminal(command, tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    """Open the command line in a terminal: ``terminal("--interactive", answers=[["답"]], columns=40)``."""
    opened: list[Terminal] = []

    def start(*options: str, columns: int = 80, environment: dict[str, str] | None = None, **script) -> Terminal:
        words = command(*options, **script)
        inherited = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "LINES")}
        wanted = {"TERM": "xterm-256color", "LANG": "C.UTF-8", "OMP_NUM_THREADS": "1", **(environment or {})}
        opened.append(Terminal(words, columns, inherited | wanted))
        return opened[-1]

    yield start
    for one in opened:
        one.close()
