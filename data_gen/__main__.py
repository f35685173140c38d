"""python -m data_gen: build a dataset, export it, audit somebody else's.  Parses and dispatches; knows nothing else."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def main(argv: list[str] | None = None) -> int:
    """Exit code: 0 done; 1 failed, or the audit found faults; 2 bad input or usage; 130 interrupted."""
    arguments = _parser().parse_args(argv)
    from data_gen.errors import BadInput, DataGenError
    from taxlaw.errors import ConfigError, TaxLawError

    try:
        return arguments.run(arguments)
    except (BadInput, ConfigError) as exc:
        return _complain(exc, 2)
    except (DataGenError, TaxLawError) as exc:
        return _complain(exc, 1)
    except OSError as exc:
        return _complain(f"파일을 읽거나 쓰지 못했습니다: {exc}", 1)
    except KeyboardInterrupt:
        return _complain("중단했습니다. 만들던 데이터셋은 지웠고 전에 있던 것은 그대로입니다.", 130)


def _complain(message: object, code: int) -> int:
    print(f"오류: {message}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m data_gen",
        description="세법 원문을 검증된 질문·답변 데이터셋으로 (raw tax law to verified question-answer pairs).",
    )
    commands = parser.add_subparsers(required=True, metavar="명령")

    build = commands.add_parser("build", help="데이터셋을 만든다 (build a dataset folder)")
    build.add_argument("--config", type=Path, required=True, help="설정 파일, 예: configs/data_gen/demo.yaml")
    build.add_argument("--out", type=Path, help="데이터셋 폴더 (기본: 설정의 out, 없으면 datasets/<name>)")
    build.add_argument(
        "--export", choices=["slm-forest"], help="다 만든 뒤 이 형식으로도 쓴다 (<폴더>/slm-forest.json)"
    )
    build.set_defaults(run=_build)

    export = commands.add_parser("export", help="데이터셋을 다른 형식으로 쓴다 (export a dataset folder)")
    export.add_argument("dataset", type=Path, help="데이터셋 폴더")
    export.add_argument("--format", choices=["slm-forest"], required=True, help="slm-forest: JSON 목록 하나")
    export.add_argument("--out", type=Path, required=True, help="쓸 파일")
    export.set_defaults(run=_export)

    audit = commands.add_parser(
        "audit", help="남의 데이터셋을 검사한다 (audit a dataset; exit 1 when faults are found)"
    )
    audit.add_argument("file", type=Path, help="question, answer가 있는 .json 또는 .jsonl")
    audit.add_argument("--as-of", type=_date, help="기준일 YYYY-MM-DD (기본: 행의 as_of, 없으면 오늘)")
    audit.add_argument("--json", action="store_true", help="표 대신 JSON으로 (machine-readable)")
    audit.set_defaults(run=_audit)
    return parser


def _date(text: str):
    import datetime

    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"날짜는 2025-12-31처럼 적습니다: {text!r}") from None


def _build(arguments: argparse.Namespace) -> int:
    from rich.console import Console

    from data_gen.build import build, report
    from data_gen.settings import load_build_config

    config = load_build_config(arguments.config)
    built = build(config, out=arguments.out, console=Console(stderr=True))
    report(built, Console())
    if arguments.export:
        from data_gen.export import export

        target = built.folder / f"{arguments.export}.json"
        print(f"내보냄: {target} ({export(built.folder, arguments.export, target):,}행)")
    return 0


def _export(arguments: argparse.Namespace) -> int:
    from data_gen.export import export

    rows = export(arguments.dataset, arguments.format, arguments.out)
    print(f"내보냄: {arguments.out} ({rows:,}행)")
    return 0


def _audit(arguments: argparse.Namespace) -> int:
    import datetime
    import json

    from data_gen.audit import as_record, audit_row, print_audit, read_rows

    rows = read_rows(arguments.file)
    if arguments.as_of:
        rows = [row.model_copy(update={"as_of": arguments.as_of}) for row in rows]
    today = datetime.date.today()
    audited = [audit_row(number, row, today) for number, row in enumerate(rows, 1)]
    if arguments.json:
        print(json.dumps([as_record(entry) for entry in audited], ensure_ascii=False, indent=2))
    else:
        from rich.console import Console

        print_audit(audited, Console())
    return 1 if any(entry.faults for entry in audited) else 0


if __name__ == "__main__":
    sys.exit(main())
