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
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from taxlaw.addendum_clauses import Target, read_effective_clause, read_targets, read_transition_clause  # noqa: E402
from taxlaw.addendum_text import Clause, read_addenda  # noqa: E402
from taxlaw.statutes import read_markdown  # noqa: E402
from taxlaw.structure import parse_article  # noqa: E402

DATA = ROOT / "taxlaw" / "data"
SINCE = date(2022, 12, 1)  # older promulgations are kept only for what they still delay
_MARK = re.compile(r"<(?:개정|신설|삭제|단서신설|후단신설|종전)?[^<>]*?((?:\d{4}\.\s?\d{1,2}\.\s?\d{1,2}\.?,?\s?)+)>")
_SET_BY_DECREE = re.compile(
    r'(?:법률|대통령령) 제(\d+)호[^"\n]{0,80}부칙 제1조[^"\n]*"대통령령으로 정하는 날"(?:이란|은|이라 함은)\s*(\d+)년 (\d+)월 (\d+)일'
)
_QUOTED = re.compile(r'"[^"]*"')


class Row(NamedTuple):
    """One fact, as the module docstring lists it."""

    law: str
    target: Target
    kind: str
    number: str
    promulgated: date
    first: date | None
    last: date | None
    clause: str
    other: bool = False
    steps: tuple = ()


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


def build_rows(clauses: list[Clause], articles: list, versions: list[dict]) -> list[Row]:
    """Every fact the clauses settle or leave open; see the module docstring for what a row holds."""
    decrees = {
        match[1]: date(*map(int, match.groups()[1:])) for c in clauses for match in _SET_BY_DECREE.finditer(c.text)
    }
    listed = {(v["제목"], str(int(v["공포번호"]))): date.fromisoformat(v["시행일자"]) for v in versions}
    groups: dict[tuple[str, str, date], list[Clause]] = {}
    for clause in clauses:
        groups.setdefault((clause.law, clause.number, clause.promulgated), []).append(clause)
    acts = _days_of_acts(groups)
    rows: list[Row] = []
    mains: dict[tuple[str, date], list[tuple[str, date | None, date | None]]] = {}
    for (law, number, promulgated), group in groups.items():
        head = next((c for c in group if c.kind == "시행일"), None)
        if head is None:
            continue
        known = acts | ({"decree": decrees[number]} if number in decrees else {})
        main, delays = read_effective_clause(law, head.text, promulgated, known)
        if main[1] is None and (law, number) in listed:
            main = (listed[law, number],) * 2
        if head.other:  # the clause's articles are those of the other law; its days bound ours
            days = [effect.last for effect in delays if effect.last]
            main, delays = (main[0], max([main[1], *days]) if main[1] else None), []
            if listed.get((law, number), promulgated) > promulgated:
                main = (listed[law, number],) * 2  # the day this law's version took effect
            elif number in acts and not days and not law.endswith(("시행령", "시행규칙")):
                main = (acts[number],) * 2
            changed = [t for c in group if c.kind == "기타" for t in amended_by_other(law, c.text)]
            if main[1] is None or main[1] > promulgated:
                rows += [Row(law, t, "시행일", number, promulgated, *main, head.article, other=True) for t in changed]
        said = [(head.article, effect) for effect in delays]
        mains.setdefault((law, promulgated), []).append((number, *main))

        def day_of(target: Target, delays=delays, main=main) -> tuple[date | None, date | None]:
            return next(((e.first, e.last) for e in delays for t in e.targets if _covers(t, target)), main)

        for clause in group if not head.other else []:
            if clause.kind in ("적용례", "경과조치", "특례"):
                said += [(clause.article, effect) for effect in read_transition_clause(law, clause.text, day_of)]
        for place, e in said:
            rows += [Row(law, t, e.kind, number, promulgated, e.first, e.last, place, steps=e.steps) for t in e.targets]
    return rows + list(_marked(articles, mains, rows))


def amended_by_other(law: str, text: str) -> list[Target]:
    """Provisions of ``law`` that 다른 법률의 개정 changes: the lines after '[law] 일부를 다음과 같이 개정한다.'"""
    found, ours = [], not re.search(r"다른 법[률령]의 개정", text)
    for line in text.split("\n"):
        if named := re.search(r"([가-힣ㆍ ]+?) ?일부를 다음과 같이 개정한다", line):
            ours = named[1].split(") ")[-1].strip().endswith(law)
        elif re.match(r"\s*(?:[②-⑳㉑-㊿]|<\d+>)", line):
            ours = False
        elif ours and re.match(r"제\d+조|별표", line):
            found += [replace(t, item=None, partial=True) for t in read_targets(law, _QUOTED.sub("", line))]
    return list(dict.fromkeys(found))


def _days_of_acts(groups: dict[tuple[str, str, date], list[Clause]]) -> dict[str, date]:
    """Effective day of each act, by its number, for clauses that refer to it and for copies of its addendum.

    An addendum is copied into every law the act changed, and a later change of the day is not carried into all copies:
    the copy that was amended last decides.
    """
    days: dict[str, tuple[date, date]] = {}
    for (law, number, promulgated), group in groups.items():
        head = next((c for c in group if c.kind == "시행일"), None)
        if head is None or law.endswith(("시행령", "시행규칙")):
            continue
        (first, last), _ = read_effective_clause(law, head.text, promulgated)
        amended = max((day for mark in _MARK.findall(head.text) for day in _dot_days(mark)), default=date.min)
        if first and first == last and amended >= days.get(number, (date.min, date.min))[0]:
            days[number] = (amended, first)
    return {number: day for number, (_, day) in days.items()}


def _covers(wide: Target, narrow: Target) -> bool:
    pairs = ((wide.paragraph, narrow.paragraph), (wide.subparagraph, narrow.subparagraph), (wide.item, narrow.item))
    return wide.article == narrow.article and all(mine is None or mine == other for mine, other in pairs)


def _marked(articles: list, mains: dict, rows: list[Row]) -> Iterator[Row]:
    """Paragraphs that carry the date of a promulgation which took effect later as a whole."""
    own = {(r.law, r.target.article, r.target.paragraph, r.promulgated) for r in rows if r.kind == "시행일"}
    for article in articles:
        for paragraph in parse_article(article).paragraphs:
            days = {day for marks in _MARK.findall(paragraph.text) for day in _dot_days(marks)}
            for day in sorted(d for d in days if d >= SINCE):
                candidates = mains.get((article.law, day), [])
                lasts = [last for _, _, last in candidates]
                if not candidates or None in lasts or max(lasts) <= day:
                    continue
                if {(article.law, article.article, n, day) for n in (paragraph.number, None)} & own:
                    continue
                first = min(first or day for _, first, _ in candidates)
                numbers = "·".join(sorted(number for number, *_ in candidates))
                target = Target(article.article, paragraph.number, partial=True)
                yield Row(article.law, target, "시행일", numbers, day, first, max(lasts), "제1조")


def _dot_days(marks: str) -> list[date]:
    days = []
    for found in re.findall(r"(\d{4})\.\s?(\d+)\.\s?(\d+)", marks):
        try:
            days.append(date(*map(int, found)))
        except ValueError:  # a slip of the pen in the source such as 2010.2.31
            continue
    return days


def keep(row: Row) -> bool:
    """Rows that can matter: recent promulgations, and old ones whose day is settled and not long past."""
    if row.promulgated >= SINCE:
        return row.kind != "시행일" or row.last is None or row.last > row.promulgated
    return row.kind == "시행일" and row.last is not None and row.last >= date(2023, 6, 1)


def write_table(rows: list[Row], new: set[tuple[str, str, str]]) -> str:
    """Rows as text, sorted; ``new``: (law, article, promulgated) of articles that did not exist before."""
    lines, current = [], None
    unique = sorted({_line(row, new) for row in rows if keep(row)})
    for law, line in unique:
        if law != current:
            lines.append(f"#{law}")
            current = law
        lines.append(line)
    return "\n".join(lines) + "\n"


def _line(row: Row, new: set[tuple[str, str, str]]) -> tuple[str, str]:
    target = row.target
    known = (row.law, target.article, row.promulgated.isoformat()) in new and target.paragraph is None
    flags = "p" * target.partial + "o" * row.other + "n" * known
    figures = ";".join(f"{begin}~{end}={figure}" for begin, end, figure in row.steps)
    place = [target.article, target.paragraph or "", target.subparagraph or "", target.item or ""]
    days = [row.promulgated, row.first or "", row.last or ""]
    fields = [*place, flags, row.kind, row.number, *days, row.clause, target.original or "", figures]
    return row.law, "\t".join(map(str, fields))


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
