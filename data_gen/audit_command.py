"""python -m data_gen audit."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_parser(commands) -> None:
    parser = commands.add_parser(
        "audit", help="남의 데이터셋을 검사한다 (audit a dataset; exit 1 when faults are found)"
    )
    parser.add_argument("file", type=Path, help="question, answer가 있는 .json 또는 .jsonl")
    parser.add_argument("--as-of", type=_date, help="기준일 YYYY-MM-DD (기본: 행의 as_of, 없으면 오늘)")
    parser.add_argument("--json", action="store_true", help="표 대신 JSON으로 (machine-readable)")
    parser.set_defaults(run=run)


def _date(text: str):
    import datetime

    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"날짜는 2025-12-31처럼 적습니다: {text!r}") from None


def run(arguments: argparse.Namespace) -> int:
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
