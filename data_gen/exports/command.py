"""python -m data_gen export."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_parser(commands) -> None:
    parser = commands.add_parser("export", help="데이터셋을 다른 형식으로 쓴다 (export a dataset folder)")
    parser.add_argument("dataset", type=Path, help="데이터셋 폴더")
    parser.add_argument(
        "--format",
        required=True,
        metavar="형식",
        help="messages(대화 JSONL), alpaca, sharegpt, slm-forest(질문·답변 JSON 목록), parquet(모든 열)",
    )
    parser.add_argument("--out", type=Path, required=True, help="쓸 파일")
    parser.add_argument("--split", default="all", metavar="묶음", help="train, validation, test 또는 all (기본 all)")
    parser.add_argument("--system", default="", metavar="글", help="대화마다 맨 앞에 둘 시스템 문장 (기본: 없음)")
    parser.add_argument("--no-metadata", action="store_true", help="대화만 쓴다 (근거, 조문, 기준일, 출처를 뺀다)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from data_gen.exports import export

    rows = export(
        arguments.dataset,
        arguments.format,
        arguments.out,
        split=arguments.split,
        system=arguments.system,
        metadata=not arguments.no_metadata,
    )
    print(f"내보냄: {arguments.out} ({rows:,}행)")
    return 0
