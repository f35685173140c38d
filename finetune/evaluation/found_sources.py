"""Rows asked with what taxlaw.search finds for them now, as serving asks with retrieval on.  Knows no model."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from finetune.data import Row
from finetune.evidence import AS_FOUND
from taxlaw.citations import find_citations
from taxlaw.evidence_prompt import sources_text

if TYPE_CHECKING:
    from taxlaw.search.search import Search


def is_document(row: Row) -> bool:
    """Whether a right answer rests on the text of the law: neither a calculation nor a question that gets no answer."""
    return row.call is None and row.payable is None and row.style not in ("ask_back", "refusal")


def open_sources(folders: Sequence[Path] = (), say: Callable[[str], None] = print) -> Search:
    """The index over ``folders``, or over those that lie where this project puts them.  Raises SourceError.

    A folder that is searched for the first time is read first, which takes about a minute.
    """
    from taxlaw.search.search import open_search
    from taxlaw.search.sources import found_folders

    return open_search(tuple(folders) or found_folders(Path.cwd()), say=say)


def with_found(row: Row, search: Search, limit: int) -> Row:
    """``row`` with the first ``limit`` sources found for its question on its date in the user turn; bare when none is found."""
    hits = search.find(row.question, date.fromisoformat(row.as_of), limit)
    family = row.family if row.family.startswith(AS_FOUND) else AS_FOUND + row.family
    copy = row.model_copy(update={"evidence": sources_text(row.question, hits), "family": family})
    return copy.showing_evidence() if copy.evidence else copy


def holds_right_article(row: Row) -> bool:
    """Whether one of the row's articles is among the sources it is asked with: no reader can do better by reading."""
    named = {f"{cited.law} {cited.article}" for text in row.articles for cited in find_citations(text)}
    return any(re.search(rf"^\d+\. {re.escape(name)}(?:\(| \[|$)", row.evidence, re.MULTILINE) for name in named)
