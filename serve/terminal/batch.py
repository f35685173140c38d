"""A file of questions in, answers out.  With an output file the same command goes on where the last one ended."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from serve.errors import EXIT_OK, EXIT_PARTIAL, ServeError
from serve.terminal.answers_file import AnswersFile, key_of
from serve.terminal.questions import Asked, Questions
from serve.terminal.screen import one_line
from serve.terminal.session import Session, ask


def run_batch(session: Session, questions: Questions, answers: AnswersFile | None) -> int:
    """Answer every question and return the exit code: 0, 5 when some failed, the failure's own when all did."""
    if answers is None:
        return _onto_the_screen(session, questions)
    session.quiet = True
    settings = settings_of(session)
    keyed = _keyed(questions, settings)
    missing = [(key, asked) for key, asked in keyed if not answers.answered(key)]
    if answers.cut:
        session.note("(지난번에 쓰다 끊긴 마지막 줄을 버립니다)")
    if len(answers):
        done = len(keyed) - len(missing)
        session.note(f"이어서 합니다: {len(keyed)}개 가운데 {done}개는 이미 답했습니다 ({answers.path}).")
        _note_others(session, answers.besides({key for key, _ in keyed}), settings["as_of"])
    answers.begin([key for key, _ in keyed])
    failures: list[ServeError] = []
    try:
        for number, (key, asked) in enumerate(missing, start=1):
            session.note(f"[{number}/{len(missing)}] {one_line(asked.text)}")
            reply = ask(session, asked.text)
            answers.keep({"key": key, "id": asked.id, **reply.record(), "settings": settings})
            if reply.failure:
                failures.append(reply.failure)
    except KeyboardInterrupt:
        session.note("멈췄습니다. 같은 명령을 다시 실행하면 남은 질문만 답합니다.")
        raise
    session.note(f"답 {len(keyed) - len(failures)}개가 있습니다: {answers.path}")
    return _exit_code(session, failures, len(keyed))


def settings_of(session: Session) -> dict[str, Any]:
    """Everything besides the question that makes an answer what it is."""
    engine = session.engine
    info, params = engine.student.backend.info(), engine.student.params
    settings = {
        "model": info.model_sha256 or info.name,
        "template": info.template_sha256,
        "as_of": engine.as_of.isoformat(),
        "max_new_tokens": params.max_new_tokens,
        "temperature": params.temperature,
        "sources": session.sources,
    }
    if session.teacher:
        live = engine.teacher.live
        settings["teacher"] = live.info().name if live else "recorded"
    return settings


def _note_others(session: Session, others: list[dict], as_of: str) -> None:
    """Say what stays in the file untouched; whoever goes on the day after needs the day of before."""
    if not others:
        return
    session.note(f"다른 질문이나 다른 설정의 답 {len(others)}개는 그대로 둡니다.")
    days = sorted({row["settings"]["as_of"] for row in others if "as_of" in (row.get("settings") or {})} - {as_of})
    if days:
        session.note(f"  기준일 {', '.join(days)}로 쓴 답입니다. 거기에 이어 쓰려면 --as-of {days[-1]}을 주세요.")


def _onto_the_screen(session: Session, questions: Questions) -> int:
    failures: list[ServeError] = []
    for number, asked in enumerate(questions.asked, start=1):
        session.note(f"[{number}/{len(questions.asked)}] {one_line(asked.text)}")
        reply = ask(session, asked.text)
        if session.quiet:
            print(json.dumps({"id": asked.id, **reply.record()}, ensure_ascii=False), file=session.out, flush=True)
        if reply.failure:
            failures.append(reply.failure)
    return _exit_code(session, failures, len(questions.asked))


def _keyed(questions: Questions, settings: dict[str, Any]) -> list[tuple[str, Asked]]:
    seen: Counter[str] = Counter()
    keyed = []
    for asked in questions.asked:
        keyed.append((key_of(asked.text, seen[asked.text], settings), asked))
        seen[asked.text] += 1
    return keyed


def _exit_code(session: Session, failures: list[ServeError], asked: int) -> int:
    if not failures:
        return EXIT_OK
    kinds = Counter(failure.code for failure in failures)
    session.note(f"실패 {len(failures)}개: " + ", ".join(f"{code} {n}" for code, n in kinds.items()), "bad")
    return EXIT_PARTIAL if len(failures) < asked else failures[0].exit_code
