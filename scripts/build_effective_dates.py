"""Build taxlaw/data/effective_dates.tsv.gz and versions.tsv.gz: which amended provision is in force from which day.

Run:  python scripts/build_effective_dates.py PATH/TO/statutes
The folder holds kr/**/*.md (their addenda are read), addenda_since_2022_12.jsonl.gz (for laws not in kr/),
version_index.jsonl.gz and article_index.jsonl.gz.  Only facts are kept: numbers, dates, provisions; no sentence of a law.
A line: article, 항, 호, 목, flags (p: part of it, n: new article, o: by another law), kind, number, promulgated,
first day, last day, clause, number of the act amended first, steps.  '#' lines name the law.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from taxlaw.addendum_clauses import read_effective_clause  # noqa: E402
from taxlaw.addendum_text import Clause, read_addenda  # noqa: E402
from taxlaw.effective_facts import Row, build_rows, keep, row_line  # noqa: E402
from taxlaw.statutes import read_markdown  # noqa: E402

DATA = ROOT / "taxlaw" / "data"


def read_folder(folder: Path) -> tuple[list[Clause], list]:
    """Clauses of all addenda, and the articles of the present text."""
    clauses, articles, seen = [], [], set()
    for file in sorted((folder / "kr").rglob("*.md")):
        found = read_markdown(file)
        if found:
            articles += found
            clauses += read_addenda(found[0].law, file.read_text(encoding="utf-8"))
            seen.add(found[0].law)
    for row in _jsonl(folder / "addenda_since_2022_12.jsonl.gz"):
        if row["law"] not in seen:
            day = date.fromisoformat(row["공포일자"])
            clauses.append(
                Clause(row["law"], row["부칙번호"], day, row["타법"], row["조"], row["제목"], row["유형"], row["text"])
            )
    return clauses, articles


def write_table(rows: list[Row], new: set[tuple[str, str, str]]) -> str:
    """Rows as text, sorted; ``new``: (law, article, promulgated) of articles that did not exist before."""
    lines, current = [], None
    unique = sorted({row_line(row, new) for row in rows if keep(row)})
    for law, line in unique:
        if law != current:
            lines.append(f"#{law}")
            current = law
        lines.append(line)
    return "\n".join(lines) + "\n"


def find_new(index: Iterator[dict], rows: list[Row]) -> set[tuple[str, str, str]]:
    """(law, article, promulgated) where the article is missing at the last date of the index before, and there after."""
    there: dict[tuple[str, str], set[str]] = {}
    dates, laws = set(), set()
    for entry in index:
        dates.add(entry["as_of"])
        laws.add(entry["law"])
        if not entry["deleted"]:
            there.setdefault((entry["law"], entry["article"]), set()).add(entry["as_of"])
    new = set()
    for row in rows:
        law, day = row.law, row.promulgated.isoformat()
        before, after = [d for d in dates if d < day], [d for d in dates if d >= day]
        have = there.get((law, row.target.article), set())
        if law in laws and before and after and max(before) not in have and min(after) in have:
            new.add((law, row.target.article, day))
    return new


def add_missing_versions(versions: list[dict], clauses: list[Clause]) -> list[dict]:
    """Versions of laws that the version index leaves out (their files share a path), read from their addenda."""
    listed, found = {v["제목"] for v in versions}, {}
    for c in clauses:
        if c.law in listed or c.kind != "시행일" or c.promulgated < date(2014, 1, 1):
            continue
        (first, last), _ = read_effective_clause(c.law, c.text, c.promulgated)
        if first and first == last:
            revision = "(타법개정)" if c.other else "(일부개정)"
            days = {"공포일자": c.promulgated.isoformat(), "시행일자": first.isoformat()}
            found.setdefault(
                (c.law, c.number), {"제목": c.law, "공포번호": c.number, "법령MST": "", "subject": revision, **days}
            )
    return [*versions, *found.values()]


def write_versions(versions: list[dict]) -> str:
    """The version table: per law 'promulgated, number, effective, serial, kind of amendment'."""
    lines, current = [], None
    for v in sorted(versions, key=lambda v: (v["제목"], v["공포일자"], int(v["공포번호"]))):
        if v["제목"] != current:
            current = v["제목"]
            lines.append(f"#{current}")
        revision = re.search(r"\(([^()]*)\)$", v["subject"])
        lines.append(
            "\t".join(
                [v["공포일자"], str(int(v["공포번호"])), v["시행일자"], v["법령MST"], revision[1] if revision else ""]
            )
        )
    return "\n".join(lines) + "\n"


def _jsonl(path: Path) -> Iterator[dict]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--output", type=Path, default=DATA)
    args = parser.parse_args()
    needed = ["addenda_since_2022_12.jsonl.gz", "version_index.jsonl.gz", "article_index.jsonl.gz", "kr"]
    if missing := [name for name in needed if not (args.folder / name).exists()]:
        print(f"폴더에 없습니다 (missing in {args.folder}): {', '.join(missing)}", file=sys.stderr)
        return 1
    clauses, articles = read_folder(args.folder)
    versions = list(_jsonl(args.folder / "version_index.jsonl.gz"))
    rows = build_rows(clauses, articles, versions)
    table = write_table(rows, find_new(_jsonl(args.folder / "article_index.jsonl.gz"), rows))
    for name, text in (
        ("effective_dates.tsv.gz", table),
        ("versions.tsv.gz", write_versions(add_missing_versions(versions, clauses))),
    ):
        # mtime=0: the same source gives the same bytes.
        (args.output / name).write_bytes(gzip.compress(text.encode("utf-8"), compresslevel=9, mtime=0))
        print(f"{name}: {text.count(chr(10)):,} lines, {(args.output / name).stat().st_size:,} bytes")
    kept = [row for row in rows if keep(row)]
    print(Counter((row.kind, "settled" if row.first == row.last else "확인 필요") for row in kept))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
