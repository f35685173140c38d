"""In which chapter of its law an article stands: 지방세법 제111조(세율) is about 재산세 only because its chapter says so.

Titles only (taxlaw/data/chapters.tsv.gz, built by scripts/build_chapters.py).
"""

from __future__ import annotations

import gzip
from bisect import bisect_right
from functools import cache
from importlib import resources

from taxlaw.errors import SourceError


def chapter_of(law: str, article: str) -> str:
    """'재산세 > 과세표준과 세율' for 지방세법 제111조; '' where the law has no chapters or is not in the table."""
    if law not in _table():
        return ""
    starts, titles = _table()[law]
    at = bisect_right(starts, _order(article.removeprefix("제").replace("조", "")))
    return titles[at - 1] if at else ""


def _order(number: str) -> tuple[int, ...]:
    return tuple(int(part) for part in number.split("의"))


@cache
def _table() -> dict[str, tuple[tuple[tuple[int, ...], ...], tuple[str, ...]]]:
    source = resources.files("taxlaw").joinpath("data/chapters.tsv.gz")
    try:
        lines = gzip.decompress(source.read_bytes()).decode("utf-8").splitlines()
    except (OSError, EOFError, UnicodeDecodeError) as exc:
        raise SourceError(
            f"장·절 표를 읽을 수 없습니다: {source}\n  scripts/build_chapters.py 로 다시 만드세요. ({exc})"
        ) from exc
    rows: dict[str, list[tuple[tuple[int, ...], str]]] = {}
    for line in lines:
        if line.startswith("#"):
            places = rows.setdefault(line[1:], [])
        else:
            number, _, path = line.partition("\t")
            places.append((_order(number), path))
    return {law: tuple(zip(*sorted(places), strict=True)) for law, places in rows.items()}
