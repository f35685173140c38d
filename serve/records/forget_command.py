"""``python -m serve forget``: delete what was recorded, for good, after showing how much it is."""

from __future__ import annotations

import argparse
import sqlite3
import sys
from datetime import date
from pathlib import Path

from serve.errors import EXIT_OK, EXIT_USAGE, Code, ServeError
from serve.records.export_command import records_file

_LISTED = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``forget``."""
    parser.description = "기록을 완전히 지웁니다. 되돌릴 수 없습니다 (delete records for good)."
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--session", metavar="ID", help="한 대화의 기록 (아무것도 주지 않으면 최근 대화를 보여 줌)")
    what.add_argument("--before", metavar="DATE", help="이 날(한국 시간) 전에 물은 것, 예: 2026-01-01")
    what.add_argument("--all", action="store_true", help="모든 기록")
    parser.add_argument("--yes", action="store_true", help="묻지 않고 지움 (no confirmation)")
    parser.add_argument("--config", type=Path, metavar="YAML", help="설정 파일 (기본: configs/serve/demo.yaml)")
    parser.add_argument("--records", type=Path, metavar="FILE", help="기록 파일 (기본: 설정의 records.path)")


def run(args: argparse.Namespace) -> int:
    """Exit code 0 when it is gone or the person said no; 2 for a wrong option, or when traces are still held by a reader."""
    from taxlaw.errors import ConfigError

    try:
        path = records_file(args.records, args.config)
        chosen = _chosen(args)
        if chosen is None:
            return _list(path)
        return _forget(path, chosen, args.yes)
    except (ServeError, ConfigError) as exc:
        print(f"오류: {exc}", file=sys.stderr)
        return EXIT_USAGE


def _chosen(args: argparse.Namespace):
    from serve.records.moments import korean_midnight
    from serve.records.retention import select

    if args.session is not None:
        return select(session=args.session.strip())
    if args.before is None:
        return select() if args.all else None
    try:
        return select(before=korean_midnight(date.fromisoformat(args.before.strip())))
    except ValueError as exc:
        raise ServeError(
            Code.USAGE, f"날짜를 읽을 수 없습니다: '{args.before}'", "2026-01-01처럼 연-월-일로 쓰세요."
        ) from exc


def _forget(path: Path, chosen, sure: bool) -> int:
    from serve.records.database import reading
    from serve.records.store import open_records
    from serve.settings import RecordsConfig

    with reading(path):  # a file that is not there is an error, not something to make
        pass
    records = open_records(RecordsConfig(path=path, keep_days=None, cache_entries=0), command=True)
    try:
        found = records.would_forget(chosen)
        if found.nothing:
            print("지울 기록이 없습니다 (nothing to delete).")
        else:
            print(f"지울 기록: {_counts(found)}")
            if not sure and not _confirmed():
                print("지우지 않았습니다 (nothing deleted).")
                return EXIT_OK
        removed = records.forget(chosen)  # also of nothing: traces of an earlier time may be left
    except sqlite3.Error as exc:
        raise ServeError(
            Code.USAGE,
            f"지우다가 실패했습니다: {path} ({exc})",
            "페이지나 다른 프로그램을 닫고 같은 명령을 다시 하세요 (run it again).",
        ) from exc
    finally:
        records.close()
    if not removed.nothing:
        print(f"지웠습니다: {_counts(removed)}")
    if removed.gone:
        return EXIT_OK
    print(
        "다른 프로그램이 파일을 읽고 있어 지운 글의 흔적이 아직 로그(-wal)에 남아 있습니다. 그 프로그램을 닫고 같은 명령을 다시 하세요.",
        file=sys.stderr,
    )
    return EXIT_USAGE


def _counts(removed) -> str:
    return f"대화 {removed.sessions:,}, 질문 {removed.turns:,}, 답 {removed.answers:,}, 투표 {removed.votes:,}"


def _confirmed() -> bool:
    """Ask on the terminal.  Raises ServeError when there is nobody to ask."""
    if not sys.stdin.isatty():
        raise ServeError(
            Code.USAGE, "확인을 받을 수 없습니다(터미널이 아님).", "정말 지우려면 --yes를 붙이세요 (add --yes)."
        )
    print("되돌릴 수 없습니다. 지울까요? [예/아니요] ", end="", flush=True)
    return sys.stdin.readline().strip().lower() in ("예", "네", "y", "yes")


def _list(path: Path) -> int:
    """The latest sessions, for whoever has no id at hand."""
    from serve.records.database import reading

    with reading(path) as connection:
        sessions = connection.execute(
            "SELECT id, at, interface, keep_text, (SELECT count(*) FROM turns WHERE session = sessions.id) AS turns"
            " FROM sessions ORDER BY seq DESC LIMIT ?",
            (_LISTED,),
        ).fetchall()
    print("무엇을 지울지 고르세요: --session ID, --before DATE, --all 가운데 하나.", file=sys.stderr)
    for row in sessions:
        kept = "글 저장" if row["keep_text"] else "글 저장 안 함"
        print(f"  {row['id']}  {row['at'][:16]} UTC  {row['interface']}  질문 {row['turns']}  {kept}", file=sys.stderr)
    return EXIT_USAGE
