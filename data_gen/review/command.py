"""python -m data_gen review DATASET: the review page on this machine, for as long as it stands open."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def add_parser(commands) -> None:
    """Add ``review`` to the sub-commands."""
    parser = commands.add_parser("review", help="사람이 검토하는 페이지를 연다 (open the review page of a dataset)")
    parser.add_argument("dataset", type=Path, help="데이터셋 폴더")
    parser.add_argument("--port", type=int, default=7861, help="포트 (기본 7861, 0: 빈 포트)")
    parser.add_argument("--no-browser", action="store_true", help="브라우저를 열지 않는다")
    parser.add_argument("--reviewer", help="기록에 남길 검토자 이름 (기본: 로그인 이름)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C (exit code 0).  Raises BadInput when the folder is no dataset or the port is taken."""
    from data_gen.errors import BadInput

    reviewer = " ".join((arguments.reviewer or _login_name()).split())
    if not reviewer:
        raise BadInput("검토자 이름이 비었습니다. --reviewer 이름 을 주세요.")
    if not 0 <= arguments.port <= 65535:
        raise BadInput(f"포트는 0부터 65535까지입니다: {arguments.port}")
    from data_gen.review.desk import ReviewDesk

    print(f"색인하는 중: {arguments.dataset}", file=sys.stderr, flush=True)
    desk = ReviewDesk(arguments.dataset, reviewer)
    from data_gen.review.page import serve

    return serve(desk, arguments.port, browser=not arguments.no_browser)


def _login_name() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container may run under a number that has no name
        return "검토자"
