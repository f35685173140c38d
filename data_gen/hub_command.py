"""python -m data_gen push."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_parser(commands) -> None:
    parser = commands.add_parser("push", help="데이터셋을 Hugging Face 허브에 올린다 (push to the hub)")
    parser.add_argument("dataset", type=Path, help="데이터셋 폴더")
    parser.add_argument("--repo", required=True, metavar="소유자/이름", help="허브의 데이터셋 저장소 (없으면 만든다)")
    parser.add_argument("--private", action="store_true", help="비공개로 만든다 (이미 공개된 저장소에는 올리지 않는다)")
    parser.add_argument("--with-review", action="store_true", help="검토 기록(review.jsonl)도 올린다")
    parser.add_argument("--dry-run", action="store_true", help="무엇이 올라갈지만 보인다 (아무것도 보내지 않는다)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from data_gen.hub import check_repo, plan, push

    check_repo(arguments.repo)
    uploads = plan(arguments.dataset, arguments.with_review)
    for upload in uploads:
        print(f"  {upload.size:>14,} B  {upload.name}")
    total = f"파일 {len(uploads)}개, {sum(upload.size for upload in uploads):,} B → {arguments.repo}"
    if arguments.dry_run:
        print(f"올릴 것: {total} (--dry-run: 보내지 않았습니다)")
        return 0
    address = push(arguments.dataset, arguments.repo, arguments.private, arguments.with_review)
    print(f"올렸습니다: {total}\n{address}")
    return 0
