"""Parse a whole folder of statutes into trees and print what was read, how fast, and what did not parse.

    .venv/bin/python bench/parse_corpus.py PATH/TO/kr [--json FILE]

"Did not parse" means: a file that cannot be read, an article whose tree does not give its text back, a line that belongs
to no article, heading or addendum clause, or a number that does not run on.  Exit code 1 when there is any of the first two.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections import Counter
from pathlib import Path

REPO = Path(__file__).parents[1]
sys.path.insert(0, str(REPO))

from taxlaw.addendum_text import read_addenda  # noqa: E402
from taxlaw.errors import SourceError  # noqa: E402
from taxlaw.statutes import read_markdown  # noqa: E402
from taxlaw.structure import find_problems, read_statute  # noqa: E402

_CHAPTER = re.compile(r"제\d+(?:의\d+)?(?:편|장|절|관|조)(?:의\d+)?|부\s*칙")


def parse(folder: Path) -> dict:
    """Counts, seconds (one core) and lists of what did not parse."""
    counts: Counter[str] = Counter()
    failed, lossy, skipped, strays = [], [], [], []
    start = time.perf_counter()
    for file in sorted(folder.rglob("*.md")):
        counts["files"] += 1
        counts["bytes"] += file.stat().st_size
        try:
            statute = read_statute(file, folder)
        except SourceError as exc:
            failed.append(str(exc))
            continue
        raw = file.read_text(encoding="utf-8-sig")
        strays += [f"{file.relative_to(folder)}: {line[:60]}" for line in stray_lines(raw)]
        if statute is None:
            counts["files without articles"] += 1
            continue
        texts = {article.article: article.text for article in read_markdown(file, folder)}
        for article in statute.articles:
            counts["articles"] += 1
            counts["deleted articles"] += article.deleted
            counts["paragraphs"] += sum(part.number is not None for part in article.paragraphs)
            for part in article.paragraphs:
                counts["subparagraphs"] += len(part.subparagraphs)
                counts["items"] += sum(len(ho.items) for ho in part.subparagraphs)
            if article.text != texts[article.number]:
                lossy.append(f"{article.origin.law} {article.number}")
            skipped += [f"{p.law} {p.article}: {p.reason}" for p in find_problems(article)]
        clauses = read_addenda(statute.origin.law, raw)
        counts["addendum clauses"] += len(clauses)
        counts["addenda"] += len({(clause.number, clause.promulgated) for clause in clauses})
    return {
        "seconds": round(time.perf_counter() - start, 2),
        **counts,
        "files_failed": failed,
        "articles_lossy": lossy,
        "stray_lines": strays,
        "numbers_not_running_on": skipped,
    }


def stray_lines(markdown: str) -> list[str]:
    """Lines of the body that stand under no article and in no addendum."""
    inside, strays = False, []
    for line in markdown.split("\n---\n", 1)[-1].split("\n"):
        if heading := re.match(r"#{1,6}[ \t]+(.*)", line):
            if re.fullmatch(r"부\s*칙", heading[1].strip()):
                break
            inside = heading[1].startswith("제") and re.match(r"제\d+조", heading[1]) is not None
            if not inside and not _CHAPTER.match(heading[1]) and not line.startswith("# "):
                strays.append(line)
        elif line.strip() and not inside:
            strays.append(line)
    return strays


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", type=Path, help="also write the result here")
    args = parser.parse_args()
    if not args.folder.is_dir():
        print(f"폴더가 없습니다 (no such folder): {args.folder}", file=sys.stderr)
        return 1
    result = parse(args.folder)
    for key, value in result.items():
        if not isinstance(value, list):
            print(f"{key:24} {value:>14,}")
    for key in ("files_failed", "articles_lossy", "stray_lines", "numbers_not_running_on"):
        print(f"{key:24} {len(result[key]):>14,}")
        for line in result[key]:
            print(f"    {line}")
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return 1 if result["files_failed"] or result["articles_lossy"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
