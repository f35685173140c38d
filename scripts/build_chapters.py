"""Build taxlaw/data/chapters.tsv.gz: in which part, chapter and section (편, 장, 절, 관) of its law each article stands.

Run:  python scripts/build_chapters.py PATH/TO/statutes/kr
Reads the Markdown of legalize-kr.  Only titles are kept.  Format: per law one line '#law', then one line for each place
where the title changes: 'number of the first article there<TAB>titles, outermost first, joined by " > "'.
"""

from __future__ import annotations

import argparse
import gzip
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from taxlaw.law_names import full_name
from taxlaw.statutes import read_markdown
from taxlaw.versions import versions_of

OUTPUT = Path(__file__).resolve().parent.parent / "taxlaw" / "data" / "chapters.tsv.gz"
_HEADING = re.compile(r"^(#{1,6})[ \t]+(.*?)[ \t]*$", re.MULTILINE)
_CHAPTER = re.compile(r"제\s?\d+(?:편|장|절|관|목)(?:의\s?\d+)?\s+(.*)")
_ARTICLE = re.compile(r"제(\d+)조(?:의(\d+))?")


def places(markdown: str) -> list[tuple[str, str]]:
    """(number of the first article, titles) where the title changes."""
    open_titles: dict[int, str] = {}
    found: list[tuple[str, str]] = []
    for level, words in ((len(match[1]), match[2]) for match in _HEADING.finditer(markdown)):
        if re.fullmatch(r"부\s*칙", words):
            break
        if chapter := _CHAPTER.fullmatch(words):
            title = re.sub(r"\s*<[^>]*>", "", chapter[1]).strip()
            open_titles = {at: title for at, title in open_titles.items() if at < level} | {level: title}
        elif article := _ARTICLE.match(words):
            number = article[1] + (f"의{article[2]}" if article[2] else "")
            path = " > ".join(title for _, title in sorted(open_titles.items()) if title and "삭제" not in title)
            if not found or found[-1][1] != path:
                found.append((number, path))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="folder with <law>/{법률,시행령,시행규칙}.md")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    args = parser.parse_args()
    lines = []
    for file in sorted(args.source.rglob("*.md")):
        articles = read_markdown(file)
        law = full_name(articles[0].law) if articles else None
        known = versions_of(law) if law else ()
        if law is None or (known and articles[0].promulgated < known[0].promulgated):
            print(f"건너뜀 (not a living tax law): {file}", file=sys.stderr)
            continue
        rows = places(file.read_text(encoding="utf-8-sig"))
        if any(path for _, path in rows):
            lines += [f"#{law}", *("\t".join(row) for row in rows)]
    args.output.write_bytes(gzip.compress(("\n".join(lines) + "\n").encode("utf-8"), compresslevel=9, mtime=0))
    count = sum(line.startswith("#") for line in lines)
    print(f"{args.output}: 법령 {count}개, {len(lines) - count:,}곳, {args.output.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
