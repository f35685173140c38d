"""``python -m serve``: parse the command line, then hand over.  Nothing heavy is imported before the options are right."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

_EPILOG = """예시 (examples)
  python -m serve --question "부모님께 20억원을 증여받았는데 증여세는 얼마인가요?"
  python -m serve --interactive --teacher
  python -m serve --questions_file q.csv --output_file a.jsonl     끊기면 같은 명령으로 이어서 합니다
  python -m serve app                                              브라우저에서 나란히 보기
  python -m serve --server_base http://127.0.0.1:7860 --question "…"  켜 둔 화면의 모델로 묻기

답은 표준 출력에, 나머지는 모두 표준 오류에 적습니다. 옵션의 _는 -로 써도 됩니다.
종료 코드: 0 성공, 2 잘못된 사용, 3 학생 모델, 4 교사, 5 질문 가운데 일부 실패, 130 중단
AI가 생성한 답변이며 세무 자문이 아닙니다 (AI 기본법 제31조, 세무사법 제2조·제20조)."""

_COMMANDS = {
    "app": "브라우저에서 나란히 보기 (side-by-side page)",
    "export": "투표와 검증을 학습 데이터로 (votes and verdicts as training data)",
    "forget": "저장한 대화 지우기 (delete stored conversations)",
}


def build_parser() -> argparse.ArgumentParser:
    """The options of asking; ``app`` has its own parser, as has each sub-command of the records."""
    parser = _parser(
        "", "세법 학생 모델에게 묻고, 교사와 나란히 봅니다 (ask the student, beside its teacher).", _EPILOG
    )
    parser.set_defaults(command=None)
    parser.add_argument("sub_command", nargs="?", choices=list(_COMMANDS), help=_commands_help(), metavar="COMMAND")
    asking = parser.add_argument_group("묻기 (asking; one of these)")
    _add(asking, "--question", metavar="TEXT", help="질문 하나에 답하기 (answer one question)")
    _add(asking, "--interactive", action="store_true", help="이어서 묻기 (ask one after another)")
    _add(
        asking,
        "--questions_file",
        type=Path,
        metavar="FILE",
        help="한 줄에 질문 하나인 글, question이나 질문이 있는 JSONL·CSV; -는 표준 입력",
    )
    output = parser.add_argument_group("답 (answers)")
    _add(
        output,
        "--output_file",
        type=Path,
        metavar="FILE",
        help="답을 적을 파일: .jsonl은 한 줄씩, 그 밖은 JSON 목록. 다시 실행하면 없거나 실패한 것만 답합니다",
    )
    _add(output, "--json", action="store_true", help="질문마다 JSON 한 줄 (one JSON object per question)")
    _add(
        output,
        "--teacher",
        action="store_true",
        help="교사의 답도 보기. 외부 교사에게는 질문이 나갑니다 (ask the teacher too)",
    )
    _add(output, "--sources", action="store_true", help="법령에서 근거를 찾아 함께 보내고 보이기 (look evidence up)")
    _add(output, "--stats", action="store_true", help="첫 토큰 시간과 속도를 표준 오류에 (timings on stderr)")
    _add(output, "--no_history", action="store_true", help="--interactive: 적은 질문을 파일에 남기지 않기")
    _add(
        output,
        "--server_base",
        metavar="URL",
        help="모델을 열지 않고 켜 둔 화면에 묻기, 예: http://127.0.0.1:7860 (키: 환경 변수 SLM_FOREST_API_KEY)",
    )
    _model_options(parser.add_argument_group("모델 (model)"))
    return parser


def build_app_parser() -> argparse.ArgumentParser:
    parser = _parser(" app", _COMMANDS["app"])
    parser.set_defaults(command="app")
    _add(parser, "--host", help="주소 (기본: 설정). 이 컴퓨터 밖에서 보려면 --auth도 필요합니다")
    _add(parser, "--port", type=int, metavar="N", help="포트 (기본: 설정)")
    _add(
        parser, "--auth", metavar="USER:FILE", help="로그인: 사용자와 비밀번호가 든 파일 (a login; password in a file)"
    )
    _add(parser, "--no_browser", action="store_true", help="브라우저를 열지 않기")
    _model_options(parser)
    return parser


def main(argv: list[str] | None = None) -> int:
    words = sys.argv[1:] if argv is None else argv
    if words[:1] == ["app"]:
        return _run(build_app_parser().parse_args(words[1:]))
    if words and words[0] in _COMMANDS:
        return _record_command(words[0], words[1:])
    parser = build_parser()
    args = parser.parse_args(words)
    _check(parser, args)
    return _run(args)


def _run(args: argparse.Namespace) -> int:
    from serve.terminal.cli import run

    return run(args)


def _record_command(name: str, words: list[str]) -> int:
    if name == "export":
        from serve.records import export_command as command
    else:
        from serve.records import forget_command as command
    parser = _parser(f" {name}", _COMMANDS[name])
    command.add_arguments(parser)
    args = parser.parse_args(words)  # before anything heavier is imported: --help ends here
    from serve.terminal.cli import run_command

    return run_command(command.run, args)


def _check(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    """What options cannot stand together.  Leaves with exit code 2."""
    if args.sub_command:
        parser.error(f"{args.sub_command}은(는) 맨 앞에 적으세요: python -m serve {args.sub_command} …")
    modes = [args.question is not None, args.interactive, args.questions_file is not None]
    if sum(modes) != 1:
        parser.error("--question, --interactive, --questions_file, app 가운데 하나만 고르세요 (choose exactly one)")
    if args.output_file and not args.questions_file:
        parser.error("--output_file은 --questions_file과 함께 씁니다")
    if args.question is not None and not args.question.strip():
        parser.error("--question이 비어 있습니다")
    if args.json and args.interactive:
        parser.error("--json은 --question 또는 --questions_file과 함께 씁니다")
    if args.server_base and (args.model_path or args.device):
        parser.error("--server_base는 켜 둔 화면의 모델을 쓰므로 --model_path, --device와 함께 쓸 수 없습니다")


def _parser(name: str, description: str, epilog: str | None = None) -> argparse.ArgumentParser:
    return argparse.ArgumentParser(
        prog=f"python -m serve{name}",
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def _model_options(group: argparse._ActionsContainer) -> None:
    _add(group, "--model_path", metavar="MODEL", help="GGUF 파일, 모델 폴더, 또는 org/name (기본: 가장 최근 실행)")
    _add(group, "--device", choices=("auto", "cuda", "mps", "cpu"), help="어디서 계산할지 (기본: 설정)")
    _add(group, "--max_new_tokens", type=_count, metavar="N", help="학생 답의 최대 토큰 수")
    _add(group, "--temperature", type=_temperature, metavar="T", help="0이면 같은 질문에 같은 답, 클수록 다양 (0~2)")
    _add(group, "--as_of", metavar="DATE", help="법령 기준일, 예: 2025-12-31 (기본: 설정 또는 오늘)")
    _add(group, "--config", type=Path, metavar="YAML", help="설정 파일 (기본: configs/serve/demo.yaml)")


def _add(group: argparse._ActionsContainer, name: str, **options: object) -> None:
    """An option in both its spellings, ``--model_path`` and ``--model-path``; the help shows the first."""
    group.add_argument(name, **options)
    other = "--" + name[2:].replace("_", "-")
    if other != name:
        group.add_argument(other, dest=name[2:], **options | {"help": argparse.SUPPRESS})


def _commands_help() -> str:
    return "; ".join(f"{name}: {words}" for name, words in _COMMANDS.items())


def _count(text: str) -> int:
    value = int(text) if text.strip().lstrip("-").isdecimal() else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"1 이상의 수여야 합니다: '{text}'")
    return value


def _temperature(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 2:
        raise argparse.ArgumentTypeError(f"0부터 2까지의 수여야 합니다: '{text}'")
    return value


if __name__ == "__main__":
    sys.exit(main())
