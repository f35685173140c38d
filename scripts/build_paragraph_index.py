"""Build taxlaw/data/paragraph_index.tsv.gz: how many paragraphs (항) each article of the tax laws has.

Run:  python scripts/build_paragraph_index.py PATH/TO/article_index.jsonl.gz [--statutes FOLDER]
Only numbers are kept.  An article takes its highest count over the dates of the index, so that a paragraph that was there
on any of them is not called missing.  With the statutes folder the highest number printed counts too: where a paragraph
in the middle was deleted without a trace, the last one has a higher number than the count.
Format: per law one line '#law', then 'number<TAB>paragraphs' per article.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import sys
from pathlib import Path

OUTPUT = Path(__file__).resolve().parent.parent / "taxlaw" / "data" / "paragraph_index.tsv.gz"
_CIRCLED = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳㉑㉒㉓㉔㉕㉖㉗㉘㉙㉚㉛㉜㉝㉞㉟"


def build(rows: list[dict], printed: dict[tuple[str, str], int]) -> str:
    """The table as text, from rows with the keys law, article, deleted, paragraphs."""
    laws: dict[str, dict[str, int]] = {}
    for row in rows:
        if row["deleted"]:
            continue
        number = row["article"].removeprefix("제").replace("조", "")
        counts = laws.setdefault(row["law"], {})
        seen = printed.get((row["law"], row["article"]), 0)
        counts[number] = max(counts.get(number, 0), row["paragraphs"], seen)
    lines = []
    for law in sorted(laws):
        lines.append(f"#{law}")
        for number in sorted(laws[law], key=lambda text: [int(part) for part in text.split("의")]):
            lines.append(f"{number}\t{laws[law][number]}")
    return "\n".join(lines) + "\n"


def highest_printed(folder: Path) -> dict[tuple[str, str], int]:
    """The highest paragraph number in the text of each article of a statutes folder."""
    sys.path.insert(0, str(OUTPUT.parents[2]))  # runs from a checkout, installed or not
    from taxlaw.statutes import load_statutes

    pattern = re.compile(rf"^\s*([{_CIRCLED}])", re.MULTILINE)
    return {
        key: max((_CIRCLED.index(sign) + 1 for sign in pattern.findall(article.text)), default=0)
        for key, article in load_statutes(folder).items()
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="article_index.jsonl.gz")
    parser.add_argument("--statutes", type=Path, help="folder of statute text (Markdown)")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    args = parser.parse_args()
    if not args.source.is_file():
        print(f"파일이 없습니다 (no such file): {args.source}", file=sys.stderr)
        return 1
    with gzip.open(args.source, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    text = build(rows, highest_printed(args.statutes) if args.statutes else {})
    # mtime=0: the same source gives the same bytes.
    args.output.write_bytes(gzip.compress(text.encode("utf-8"), compresslevel=9, mtime=0))
    articles = text.count("\t")
    print(f"{args.output}: 조문 {articles:,}개, 법령 {text.count('#')}개, {args.output.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
