"""``python -m serve``: parse the command line, then hand over.  Nothing heavy is imported before the options are right."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

_EPILOG = """예시 (examples)
  python -m serve --question "부모님께 20억원을 증여받았는데 증여세는 얼마인가요?"
  python -m serve --interactive --teacher
  python -m serve --questions_file q.txt --output_file a.json
  python -m serve app

종료 코드: 0 성공, 2 잘못된 사용, 3 학생 모델, 4 교사, 130 중단
AI가 생성한 답변이며 세무 자문이 아닙니다 (AI 기본법 제31조, 세무사법 제2조·제20조)."""


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m serve",
        description="세법 학생 모델에게 묻고, 교사와 나란히 봅니다 (ask the student, beside its teacher).",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("command", nargs="?", choices=["app"], help="app: 브라우저에서 나란히 보기 (side-by-side page)")
    parser.add_argument("--question", metavar="TEXT", help="질문 하나에 답하기 (answer one question)")
    parser.add_argument("--interactive", action="store_true", help="이어서 묻기 (ask one after another)")
    parser.add_argument(
        "--questions_file", type=Path, metavar="FILE", help="한 줄에 질문 하나, 또는 question이 있는 JSONL"
    )
    parser.add_argument(
        "--output_file", type=Path, metavar="FILE", help="답을 적을 JSON 파일 (.jsonl이면 한 줄에 하나)"
    )
    parser.add_argument(
        "--model_path", "--model-path", type=Path, metavar="GGUF", help="학생 모델 (기본: 가장 최근 실행)"
    )
    parser.add_argument("--config", type=Path, metavar="YAML", help="설정 파일 (기본: configs/serve/demo.yaml)")
    parser.add_argument("--teacher", action="store_true", help="교사의 답도 보기 (ask the teacher as well)")
    parser.add_argument("--json", action="store_true", help="질문마다 JSON 한 줄 (one JSON object per question)")
    parser.add_argument("--max_new_tokens", "--max-new-tokens", type=int, metavar="N", help="학생 답의 최대 토큰 수")
    parser.add_argument("--as-of", "--as_of", metavar="DATE", help="법령 기준일, 예: 2025-12-31 (기본: 설정 또는 오늘)")
    parser.add_argument("--stats", action="store_true", help="첫 토큰 시간과 속도를 표준 오류에 (timings on stderr)")
    parser.add_argument("--host", help="app: 주소 (기본: 설정)")
    parser.add_argument("--port", type=int, help="app: 포트 (기본: 설정)")
    parser.add_argument("--no-browser", action="store_true", help="app: 브라우저를 열지 않음")
    return parser


def main(argv: list[str] | None = None) -> int:
    parser = build_parser()
    args = parser.parse_args(argv)
    modes = [args.command == "app", args.question is not None, args.interactive, args.questions_file is not None]
    if sum(modes) != 1:
        parser.error("--question, --interactive, --questions_file, app 가운데 하나만 고르세요 (choose exactly one)")
    if args.output_file and not args.questions_file:
        parser.error("--output_file은 --questions_file과 함께 씁니다")
    if args.question is not None and not args.question.strip():
        parser.error("--question이 비어 있습니다")
    if args.max_new_tokens is not None and args.max_new_tokens < 1:
        parser.error("--max_new_tokens는 1 이상이어야 합니다")
    if args.json and (args.interactive or args.command == "app"):
        parser.error("--json은 --question 또는 --questions_file과 함께 씁니다")
    from serve.terminal.cli import run

    return run(args)


if __name__ == "__main__":
    sys.exit(main())
