"""``python -m taxlaw search``: what was found, best first, for a person or one JSON object per line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TextIO

from taxlaw.errors import ConfigError
from taxlaw.search.passages import Hit
from taxlaw.search.search import open_search
from taxlaw.search.sources import found_folders

_SHOWN = 160  # characters of a text in the list


def run_search(
    question: str,
    as_of: date,
    limit: int,
    folders: Sequence[Path] | None,
    as_json: bool,
    out: TextIO,
    err: TextIO,
) -> int:
    """Print the hits; 1 when there are none.  Raises ConfigError for an empty question, SourceError for a bad folder."""
    if not question.strip():
        raise ConfigError("질문이 비어 있습니다. 찾을 말을 적어 주세요 (empty question).")
    chosen = tuple(folders) if folders else found_folders(Path.cwd())
    search = open_search(chosen, say=lambda line: print(line, file=err, flush=True))
    hits = search.find(question, as_of, limit)
    for hit in hits:
        print(_line(hit) if as_json else _entry(hit), file=out)
    if not as_json:
        print(f"{search.describe()}에서 찾음, 기준일 {as_of}", file=err)
    if not hits:
        print("맞는 조문이나 예규를 찾지 못했습니다 (nothing found).", file=err)
    return 0 if hits else 1


def _line(hit: Hit) -> str:
    passage = hit.passage
    record = {
        "rank": hit.rank,
        "score": hit.score,
        "id": passage.id,
        "kind": passage.kind,
        "title": passage.title,
        "heading": passage.heading,
        "effective_from": passage.effective_from.isoformat() if passage.effective_from else None,
        "effective_to": passage.effective_to.isoformat() if passage.effective_to else None,
        "why": list(hit.why),
        "url": passage.url,
        "source": passage.source,
        "text": passage.text,
    }
    return json.dumps(record, ensure_ascii=False)


def _entry(hit: Hit) -> str:
    passage = hit.passage
    word = "회신" if passage.kind == "ruling" else "시행"
    day = f"  {word} {passage.effective_from}" if passage.effective_from else ""
    heading = f"({passage.heading})" if passage.heading else ""
    lines = [f"{hit.rank}. {passage.title}{heading}{day}", f"   {' · '.join(hit.why)}"]
    if text := " ".join(passage.text.split()):
        lines.append(f"   {text[:_SHOWN]}{'…' if len(text) > _SHOWN else ''}")
    return "\n".join(line for line in lines if line.strip())
