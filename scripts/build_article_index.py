"""Build taxlaw/data/article_index.tsv.gz from a list of articles (law, number, heading, deleted, effective date per date).

Run:  python scripts/build_article_index.py PATH/TO/article_index.jsonl.gz
Only facts are kept.  Format: a first line of the dates; then per law one line '#law<TAB>effective date per date', and one
line per article: 'number<TAB>heading', or a heading per date when they differ ('!' deleted, '-' not there).
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from pathlib import Path

OUTPUT = Path(__file__).resolve().parent.parent / "taxlaw" / "data" / "article_index.tsv.gz"


def build(rows: list[dict]) -> str:
    """The index as text, from rows with the keys as_of, law, article, title, deleted, effective."""
    dates = sorted({row["as_of"] for row in rows})
    laws: dict[str, dict[str, dict[str, str]]] = {}
    effective: dict[str, dict[str, str]] = {}
    for row in rows:
        heading = "!" if row["deleted"] else " ".join(row["title"].split()) or "?"
        number = row["article"].removeprefix("제").replace("조", "")
        laws.setdefault(row["law"], {}).setdefault(number, {})[row["as_of"]] = heading
        effective.setdefault(row["law"], {})[row["as_of"]] = row["effective"]
    lines = ["\t".join(dates)]
    for law in sorted(laws):
        lines.append("\t".join([f"#{law}", *(effective[law].get(day, "-") for day in dates)]))
        for number in sorted(laws[law], key=lambda text: [int(part) for part in text.split("의")]):
            headings = [laws[law][number].get(day, "-") for day in dates]
            lines.append("\t".join([number, *(headings if len(set(headings)) > 1 else headings[:1])]))
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="article_index.jsonl.gz")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    args = parser.parse_args()
    if not args.source.is_file():
        print(f"파일이 없습니다 (no such file): {args.source}", file=sys.stderr)
        return 1
    with gzip.open(args.source, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    text = build(rows)
    # mtime=0: the same source gives the same bytes.
    args.output.write_bytes(gzip.compress(text.encode("utf-8"), compresslevel=9, mtime=0))
    print(f"{args.output}: 조문 {len(rows):,}행, 법령 {text.count('#')}개, {args.output.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
