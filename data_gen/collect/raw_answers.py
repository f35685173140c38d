"""Answers of law.go.kr kept as files: what lies there is never asked for again, whatever stopped the run before.

A file is either whole or absent.  To ask anew, delete it (or the folder).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

from taxlaw.errors import DownloadError, RefusedError
from taxlaw.law_api import LawApi, failure, records
from taxlaw.table_files import write_whole

PAGE = 100  # the most that law.go.kr lists at once
NONE_FOUND = "일치하는"  # {"Law": "일치하는 판례가 없습니다. …"}: an answer, unlike a refused key
Connect = Callable[[], LawApi]
"""Opens the connection at the first question: a run that finds everything on disk needs no key."""


def kept(file: Path, connect: Connect, service: str, parameters: dict[str, str]) -> str:
    """The text of one answer, from the file or asked for and filed.

    "None found" is an answer and is kept as the service words it.  Raises DownloadError; nothing is filed then.
    """
    text = _filed(file)
    if text is not None:
        return text
    try:
        text = connect().get(service, parameters)
    except RefusedError as exc:
        if not exc.said.startswith(NONE_FOUND):
            raise
        text = json.dumps({"Law": exc.said}, ensure_ascii=False)
    write_whole(file, text.encode("utf-8"))
    return text


def nothing_found(text: str) -> bool:
    """True for {"Law": "일치하는 … 없습니다"}."""
    return (failure(text) or "").startswith(NONE_FOUND)


def listed(
    folder: Path, connect: Connect, target: str, query: str, root: str, entry: str, day: str, pages: int | None
) -> Iterator[tuple[dict, int]]:
    """(row, total count) of each entry that a search lists, page after page; ``root``, ``entry``: {"Expc": {"expc": [...]}}.

    Lists grow, so they are kept per day of the law (``day``).  Raises DownloadError naming the file for another layout.
    """
    seen, page = 0, 1
    while pages is None or page <= pages:
        file = folder / f"list_{_name(query)}_{day}_{page}.json"
        parameters = {"target": target, "query": query, "display": str(PAGE), "page": str(page)}
        text = kept(file, connect, "lawSearch.do", parameters)
        if nothing_found(text):
            return
        body = json.loads(text).get(root)
        if not isinstance(body, dict) or not str(body.get("totalCnt", "")).isdigit():
            raise DownloadError(
                f"law.go.kr의 목록이 아닙니다 ({root}.totalCnt 없음): {file}\n  파일을 지우고 다시 실행하세요."
            )
        total, rows = int(body["totalCnt"]), records(body.get(entry))
        yield from ((row, total) for row in rows)
        seen += len(rows)
        if seen >= total:
            return
        if not rows:
            raise DownloadError(
                f"law.go.kr이 목록을 다 보내지 않았습니다: {query!r} {total:,}건 중 {seen:,}건 ({file})\n"
                "  파일을 지우고 다시 실행하세요."
            )
        page += 1


def _name(query: str) -> str:
    """A file name that two queries never share: their letters and a hash."""
    letters = "".join(char for char in query if char.isalnum())[:20]
    return f"{letters}-{hashlib.sha256(query.encode('utf-8')).hexdigest()[:8]}"


def _filed(file: Path) -> str | None:
    """The answer on disk; None when there is none, or only what a damaged disk left of it."""
    if not file.is_file():
        return None
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None
    problem = failure(text)
    return text if problem is None or problem.startswith(NONE_FOUND) else None
