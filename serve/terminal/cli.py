"""The command line: answers on standard output, everything about them on standard error."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path

from serve.engine import Engine
from serve.errors import EXIT_INTERRUPTED, EXIT_OK, EXIT_USAGE, Code, ServeError
from serve.prompt import clean_question
from serve.settings import ServeConfig, find_student, parse_as_of, read_config, today_in_korea
from serve.terminal.answers_file import AnswersFile
from serve.terminal.batch import run_batch
from serve.terminal.interactive import interact
from serve.terminal.questions import Questions, read_questions, undecoded
from serve.terminal.reader import Reader, open_reader
from serve.terminal.remote import open_remote
from serve.terminal.screen import is_terminal, paint
from serve.terminal.session import NOTICE, Session, ask
from taxlaw.errors import ConfigError

OpenEngine = Callable[[argparse.Namespace, ServeConfig, date], Engine]


def open_asked(args: argparse.Namespace, config: ServeConfig, as_of: date) -> Engine:
    """The engine these options ask for: a model of this machine, or the student of a running page."""
    from serve.engine import open_engine

    if args.server_base:
        from serve.opening import params_of

        seat, described = open_remote(args.server_base, params_of(config.student), config.teacher.timeout_seconds)
        return open_engine(config, described, as_of, Path.cwd(), seat)
    return open_engine(config, find_student(config.student, args.model_path), as_of, Path.cwd())


def run(
    args: argparse.Namespace,
    *,
    open_engine: OpenEngine = open_asked,
    reader: Callable[..., Reader] = open_reader,
) -> int:
    """Run one parsed command and return its exit code.  Expected failures are printed, not raised."""
    return run_command(lambda asked: _run(asked, open_engine, reader), args)


def run_command(command: Callable[[argparse.Namespace], int], args: argparse.Namespace) -> int:
    """Run ``command`` with this program's manners: errors in words, exit codes, a quiet end when nobody reads on."""
    for stream in (sys.stdout, sys.stderr):
        # A lone surrogate, or a Windows code page without some sign, is no reason to lose an answer.
        stream.reconfigure(errors="replace")
    try:
        return command(args)
    except ConfigError as exc:
        _complain(str(exc))
        return EXIT_USAGE
    except ServeError as exc:
        _complain(str(exc))
        return exc.exit_code
    except BrokenPipeError:
        # The reader (`| head`) has what it wanted.  Python flushes standard output once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK
    except KeyboardInterrupt:
        print("\n멈췄습니다 (interrupted).", file=sys.stderr)
        return EXIT_INTERRUPTED


def _run(args: argparse.Namespace, open_engine: OpenEngine, reader: Callable[..., Reader]) -> int:
    config = configured(args)
    as_of = parse_as_of(args.as_of) if args.as_of else config.as_of or today_in_korea()
    if args.command == "app":
        from serve.http.running import run_app

        return run_app(config, find_student(config.student, args.model_path), as_of, args)
    # What can be wrong with the files is said before a model is loaded.
    questions = _questions(args)
    answers = AnswersFile(args.output_file) if args.output_file else None
    if is_terminal(sys.stderr) and not (args.json or args.server_base):
        print(paint("모델을 엽니다…", "note", sys.stderr), file=sys.stderr, flush=True)
    with closing(open_engine(args, config, as_of)) as engine:
        session = Session(
            engine,
            sys.stdout,
            sys.stderr,
            teacher=args.teacher,
            sources=args.sources,
            stats=args.stats,
            quiet=args.json,
            records=engine.records.new_session("terminal", keep_text=False) if engine.records else None,
        )
        if args.interactive:
            return interact(session, reader(sys.stderr, keep_history=not args.no_history))
        if questions is not None:
            return run_batch(session, questions, answers)
        return _single(session, _question(args.question))


def configured(args: argparse.Namespace) -> ServeConfig:
    """The configuration with what the options change.  Raises ConfigError."""
    config = read_config(args.config)
    changes = {
        key: value for key in ("max_new_tokens", "temperature", "device") if (value := getattr(args, key)) is not None
    }
    return config.model_copy(update={"student": config.student.model_copy(update=changes)}) if changes else config


def _single(session: Session, question: str) -> int:
    if not session.quiet:
        session.note(NOTICE)
    reply = ask(session, question)
    if session.quiet:
        print(json.dumps(reply.record(), ensure_ascii=False), file=session.out, flush=True)
    return reply.failure.exit_code if reply.failure else EXIT_OK


def _questions(args: argparse.Namespace) -> Questions | None:
    if args.questions_file is None:
        return None
    questions = read_questions(args.questions_file)
    if questions.encoding not in ("utf-8", "utf-8-sig"):
        print(f"({questions.name}: {questions.encoding.upper()}로 읽었습니다)", file=sys.stderr, flush=True)
    if args.output_file and args.output_file.exists() and args.output_file.samefile(args.questions_file):
        raise ServeError(Code.USAGE, "질문 파일과 답 파일이 같습니다.", "다른 --output_file을 주세요.")
    return questions


def _question(text: str) -> str:
    """The question of ``--question``.  Raises ServeError(USAGE) for bytes that were no text in this terminal's encoding."""
    if undecoded(text):
        raise ServeError(
            Code.USAGE,
            "질문의 글자를 읽을 수 없습니다.",
            "터미널의 문자 인코딩을 UTF-8로 맞추거나 --questions_file을 쓰세요.",
        )
    return clean_question(text)


def _complain(message: str) -> None:
    print(paint(f"오류: {message}", "bad", sys.stderr), file=sys.stderr, flush=True)
