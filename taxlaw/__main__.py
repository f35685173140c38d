"""Command line of the domain core: ``python -m taxlaw verify``, ``lookup``, ``search`` and ``update``.  Only parses."""

from __future__ import annotations

import argparse
import sys
from datetime import date
from pathlib import Path

EPILOG = """예 (examples):
  python -m taxlaw verify --question "부모님께 20억원을 증여받았는데 증여세는?" --answer "총 증여세 9,000만원입니다."
  python -m taxlaw verify --jsonl answers.jsonl --as-of 2025-07-01     # 한 줄에 {"question", "answer"}; '-' 는 표준 입력
  python -m taxlaw lookup "상증법 제53조"
  python -m taxlaw lookup "소득세법 제17조제3항" --as-of 2026-06-01        # 글에는 있으나 시행 전인 개정을 알려 준다
  python -m taxlaw search "물려받은 집을 팔면 세금이 있나요" --limit 3         # 조문과 예규를 낱말로 찾는다 (첫 번에 색인을 만든다)
  python -m taxlaw update --law 소득세법 --law "소득세법 시행령"            # law.go.kr에서 표를 새로 받는다 (LAW_GO_KR_OC 필요)

끝 코드(exit code): 0 잘못 없음, 1 잘못 있음(verify) 또는 기준일에 서 있지 않은 조문(lookup) 또는 찾은 것이 없음(search), 2 입력 또는 내려받기 오류."""


def main(argv: list[str] | None = None) -> int:
    """Parse and run; returns the exit code."""
    args = _parser().parse_args(argv)
    from taxlaw.command_line import run_lookup, run_verify
    from taxlaw.errors import TaxLawError

    try:
        if args.command == "update":
            from taxlaw.law_api import LawApi, Pace, find_key
            from taxlaw.table_files import data_folder
            from taxlaw.update import run_update

            api = LawApi(find_key(Path.cwd()), Pace(args.pause, args.timeout))
            return run_update(args.out or data_folder(), api, args.as_of, args.law, sys.stdout, sys.stderr)
        if args.command == "search":
            from taxlaw.search.command import run_search

            return run_search(args.question, args.as_of, args.limit, args.folder, args.json, sys.stdout, sys.stderr)
        if args.command == "lookup":
            return run_lookup(args.text, args.as_of, sys.stdout, args.statutes)
        return run_verify(args.question, args.answer, args.evidence, args.jsonl, args.as_of, sys.stdin, sys.stdout)
    except TaxLawError as exc:
        print(f"오류: {exc}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m taxlaw",
        description="세법 답변 검증, 조문 찾기, 검색, 표 갱신 (verify answers on Korean tax law, look up and search articles, refresh the tables)",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="{verify,lookup,search,update}")
    verify = commands.add_parser("verify", help="질문과 답변을 검증한다 (JSON 한 줄씩 출력)")
    verify.add_argument("--question", help="질문")
    verify.add_argument("--answer", help="답변")
    verify.add_argument("--evidence", help="답변이 기대는 글")
    verify.add_argument("--jsonl", metavar="FILE", help="question, answer가 든 JSONL 파일. '-'는 표준 입력")
    lookup = commands.add_parser("lookup", help='조문을 찾는다: "상증법 제53조"')
    lookup.add_argument("text", help="조문 인용이 든 글")
    lookup.add_argument("--statutes", type=Path, metavar="FOLDER", help="법령 폴더(.md, .json): 조문의 글도 보여 준다")
    search = commands.add_parser("search", help="질문에 맞는 조문과 예규·판례를 찾는다")
    search.add_argument("question", help="질문, 조문(소득세법 제55조), 또는 문서번호")
    search.add_argument("--limit", type=_count, default=5, metavar="N", help="몇 건까지 (기본값: 5)")
    search.add_argument(
        "--folder",
        type=Path,
        action="append",
        metavar="DIR",
        help="법령·예규·말뭉치 폴더 (여러 번 쓸 수 있음; 기본값: corpora/*, ../shared/data 가 있으면 그것)",
    )
    search.add_argument("--json", action="store_true", help="한 줄에 한 건씩 JSON으로")
    update = commands.add_parser("update", help="조문·판본·시행일 표를 law.go.kr에서 새로 받는다")
    update.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="표를 둘 폴더 (기본값: $SLM_FOREST_DATA 또는 ~/.local/share/slm-forest/taxlaw)",
    )
    update.add_argument(
        "--law", action="append", default=[], metavar="NAME", help="받을 법 (여러 번 쓸 수 있음; 기본값: 모두)"
    )
    update.add_argument(
        "--pause", type=float, default=1.0, metavar="SECONDS", help="요청 사이의 간격, 0.5 이상 (기본값: 1)"
    )
    update.add_argument(
        "--timeout", type=float, default=30.0, metavar="SECONDS", help="한 요청을 기다리는 시간 (기본값: 30)"
    )
    for command in (verify, lookup, search, update):
        command.add_argument(
            "--as-of", type=_day, default=date.today(), metavar="YYYY-MM-DD", help="기준일 (기본값: 오늘)"
        )
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 100:
        raise argparse.ArgumentTypeError(f"1부터 100까지의 수를 적습니다 (받은 값: {text!r})")
    return int(text)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"날짜는 2025-07-01처럼 적습니다 (받은 값: {text!r})") from None


if __name__ == "__main__":
    raise SystemExit(main())
