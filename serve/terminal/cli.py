"""The command line: answers on standard output, everything about them on standard error."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TextIO

from serve.answer import FINISH_KO, Answer, Progress, answer_stream, student_messages
from serve.backends.protocol import Backend, GenParams
from serve.complete import FACTS_TITLE, WORKING_TITLE, looks_like_call
from serve.errors import EXIT_INTERRUPTED, EXIT_OK, EXIT_USAGE, ServeError
from serve.prompt import clean_question
from serve.settings import ServeConfig, Student, find_student, parse_as_of, read_config, today_in_korea
from serve.teacher import Teacher, open_teacher
from serve.terminal.batch import read_questions, write_answers
from taxlaw.errors import ConfigError

NOTICE = "AI가 생성한 답변입니다 (AI 기본법 제31조). 세무 자문이 아닙니다 (세무사법 제2조·제20조)."
HELP = """질문을 적고 Enter를 누르세요. 질문마다 따로 답하며 앞의 대화는 기억하지 않습니다.
  /teacher   교사의 답도 함께 보기 켬/끔
  /stats     속도 보기 켬/끔
  /help      이 도움말
  /quit      끝내기 (종료, Ctrl-D도 됩니다)
  Ctrl-C     쓰고 있는 답만 멈추기"""


@dataclass
class Session:
    """What stays open between questions, and where things are written."""

    student: Backend
    teacher: Teacher | None
    params: GenParams
    as_of: date
    out: TextIO
    err: TextIO
    stats: bool = False
    quiet: bool = False  # --json: nothing is streamed

    def note(self, text: str) -> None:
        print(text, file=self.err, flush=True)


def open_student(config: ServeConfig, student: Student) -> Backend:
    from serve.backends.llama import LlamaCppBackend, LlamaOptions

    chosen = config.student
    options = LlamaOptions(chosen.context_tokens, chosen.threads, chosen.gpu_layers, chosen.queue_seconds)
    return LlamaCppBackend(student.path, options)


def run(
    args: argparse.Namespace,
    *,
    load_student: Callable[[ServeConfig, Student], Backend] = open_student,
    load_teacher: Callable[..., Teacher] = open_teacher,
    read_line: Callable[[str], str] = input,
) -> int:
    """Run one parsed command and return its exit code.  Expected failures are printed, not raised."""
    try:
        config = read_config(args.config)
        as_of = parse_as_of(args.as_of) if args.as_of else config.as_of or today_in_korea()
        questions = read_questions(args.questions_file) if args.questions_file else []
        student = find_student(config.student, args.model_path)
        if args.max_new_tokens:
            config = config.model_copy(
                update={"student": config.student.model_copy(update={"max_new_tokens": args.max_new_tokens})}
            )
        if args.command == "app":
            from serve.page.app import serve_page

            page = config.page.model_copy(
                update={key: value for key in ("host", "port") if (value := getattr(args, key)) is not None}
            )
            config = config.model_copy(update={"page": page})
            return serve_page(config, student, as_of, load_student, load_teacher, browser=not args.no_browser)
        with closing(load_student(config, student)) as backend:
            params = GenParams(config.student.max_new_tokens, config.student.temperature)
            teacher = load_teacher(config.teacher, Path.cwd()) if args.teacher or args.interactive else None
            session = Session(
                backend, teacher if args.teacher else None, params, as_of, sys.stdout, sys.stderr, args.stats, args.json
            )
            try:
                if args.interactive:
                    return _interactive(session, teacher, read_line)
                if args.questions_file:
                    return _batch(session, questions, args.output_file)
                return _single(session, clean_question(args.question))
            finally:
                if teacher is not None:
                    teacher.close()
    except ConfigError as exc:
        print(f"오류: {exc}", file=sys.stderr)
        return EXIT_USAGE
    except ServeError as exc:
        print(f"오류: {exc}", file=sys.stderr)
        return exc.exit_code
    except KeyboardInterrupt:
        print("\n멈췄습니다 (interrupted).", file=sys.stderr)
        return EXIT_INTERRUPTED


def _single(session: Session, question: str) -> int:
    record, failure = ask(session, question)
    if session.quiet:
        print(json.dumps(record, ensure_ascii=False), file=session.out, flush=True)
    return failure.exit_code if failure else EXIT_OK


def _batch(session: Session, questions: list[str], output: Path | None) -> int:
    """Answer every question; a failing one is recorded with its error and decides the exit code."""
    worst, records = EXIT_OK, []
    session = replace(session, quiet=session.quiet or output is not None)
    for number, question in enumerate(questions, start=1):
        session.note(f"[{number}/{len(questions)}] {question}")
        record, failure = ask(session, question)
        records.append(record)
        if failure:
            worst = worst or failure.exit_code
        if output is not None:
            write_answers(output, records)
        elif session.quiet:
            print(json.dumps(record, ensure_ascii=False), file=session.out, flush=True)
    if output is not None:
        session.note(f"답 {len(records)}개를 적었습니다: {output}")
    return worst


def _interactive(session: Session, teacher: Teacher | None, read_line: Callable[[str], str]) -> int:
    try:
        import readline  # noqa: F401  without it some terminals delete single bytes of a Hangul syllable
    except ImportError:
        session.note("(이 파이썬에는 readline이 없어 줄 편집이 제한됩니다)")
    session.note(f"{NOTICE}\n기준일 {session.as_of}. /help로 도움말을 봅니다.")
    while True:
        try:
            line = clean_question(read_line("\n질문> "))
        except EOFError:
            session.note("")
            return EXIT_OK
        except KeyboardInterrupt:
            session.note("\n(끝내려면 /quit 또는 Ctrl-D)")
            continue
        if not line:
            continue
        if line in ("/quit", "/exit", "종료"):
            return EXIT_OK
        if line == "/help":
            session.note(HELP)
        elif line == "/teacher":
            session.teacher = None if session.teacher else teacher
            session.note(f"교사 {'켬' if session.teacher else '끔'}")
        elif line == "/stats":
            session.stats = not session.stats
            session.note(f"속도 보기 {'켬' if session.stats else '끔'}")
        elif line.startswith("/"):
            session.note(f"모르는 명령입니다: {line}\n{HELP}")
        else:
            try:
                ask(session, line, notice=False)
            except KeyboardInterrupt:
                session.note("\n(답을 멈췄습니다. 끝내려면 /quit)")


def ask(session: Session, question: str, notice: bool = True) -> tuple[dict, ServeError | None]:
    """Ask student and, when wanted, teacher; return the record and the first failure, which has been printed."""
    record: dict = {"question": question, "answer": None, "student": None}
    failure = None
    name = session.student.info().name
    if notice and not session.quiet:
        session.note(NOTICE)
    try:
        stream = answer_stream(
            session.student,
            student_messages(question),
            session.params,
            side="student",
            source=name,
            as_of=session.as_of,
        )
        answer = _show(session, stream, f"학생 · {name}" if session.teacher else None)
        record |= {"answer": answer.completion.final, "student": answer.as_dict()}
    except ServeError as exc:
        failure = exc
        record["student"] = _failed(session, exc)
    if session.teacher is not None:
        try:
            record["teacher"] = _ask_teacher(session, session.teacher, question).as_dict()
        except ServeError as exc:
            failure = failure or exc
            record["teacher"] = _failed(session, exc)
    return record, failure


def _ask_teacher(session: Session, teacher: Teacher, question: str) -> Answer:
    choice = teacher.choose(question)
    if choice.backend is None:
        raise choice.refusal()
    if choice.hint:
        session.note(f"\n{choice.hint}")
    stream = answer_stream(
        choice.backend,
        teacher.messages(question, session.as_of),
        teacher.params,
        side="teacher",
        source=choice.label,
        as_of=session.as_of,
        measured=choice.kind == "live",
    )
    return _show(session, stream, f"교사 · {choice.label}")


def _failed(session: Session, exc: ServeError) -> dict:
    session.note(f"오류: {exc}")
    return {"error": {"code": str(exc.code), "message": exc.message, "hint": exc.hint}}


def _show(session: Session, stream: Iterator[Progress | Answer], title: str | None) -> Answer:
    """Print a stream as it comes; a calculator call is held back until code has finished it."""
    shown, held = 0, False
    out = session.out
    if title and not session.quiet:
        print(f"── {title} ──", file=out, flush=True)
    with closing(stream) as steps:
        for step in steps:
            if isinstance(step, Answer):
                answer = step
            elif session.quiet:
                continue
            elif looks_like_call(step.text):
                if not held:
                    session.note("(학생이 질문에서 사실을 읽고 있습니다…)")
                held = True
            else:
                held = False
                print(step.text[shown:], end="", file=out, flush=True)
                shown = len(step.text)
    if not session.quiet:
        print(_finished_text(answer) if held else "", file=out, flush=True)
        _note_verdict(session, answer)
    return answer


def _finished_text(answer: Answer) -> str:
    completion = answer.completion
    parts = []
    if completion.facts:
        facts = "\n".join(f"- {label}: {value}" for label, value in completion.facts)
        parts.append(f"[{FACTS_TITLE}]\n{facts}\n- 학생의 출력: {completion.raw}")
    if completion.working:
        parts.append(f"[{WORKING_TITLE}]\n{completion.working}")
    if completion.problem:
        said = "" if completion.facts else f"\n학생의 출력: {completion.raw}"
        parts.append(f"[계산하지 못함]\n{completion.problem}{said}")
    return "\n\n".join(parts) or completion.raw


def _note_verdict(session: Session, answer: Answer) -> None:
    session.note(f"검증: {answer.verdict.summary()}")
    for finding in answer.verdict.findings:
        if str(finding.severity) == "fault":
            session.note(f"  ✗ {finding.message}")
    stats = answer.stats
    if stats.finish != "stop":
        session.note(f"  주의: {FINISH_KO.get(stats.finish or '', '끝을 알 수 없음')}")
    if session.stats and answer.measured and stats.first_seconds is not None:
        speed = f"{stats.tokens_per_second:.1f}토큰/초" if stats.tokens_per_second else "속도를 잴 만큼 길지 않음"
        sizes = f"입력 {_count(stats.prompt_tokens)} · 출력 {_count(stats.new_tokens)}토큰"
        session.note(f"  첫 토큰 {stats.first_seconds:.2f}초 · {speed} · {sizes} · 모두 {stats.seconds:.2f}초")


def _count(value: int | None) -> str:
    return "?" if value is None else f"{value:,}"
