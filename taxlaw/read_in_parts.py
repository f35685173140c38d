"""Pieces of a student's vocabulary that it writes and never reads: a prompt holds their parts instead.

A student whose vocabulary was extended late knows the old pieces from millions of texts and the new ones from a few thousand
rows.  So it may go on reading as before, where all tokens are read at once, and write the new pieces, where tokens come one
by one and fewer of them are faster.  Which pieces those are stands in its tokenizer_config.json and in its GGUF under ``KEY``,
because a program that reads prompts in the new pieces shows the student what it was not taught to read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType

KEY = "slm_forest.read_in_parts"

Parts = Mapping[int, tuple[int, ...]]  # {id of a piece that is written only: ids of its parts}


def parts_text(first: int, parts: Sequence[Sequence[int]]) -> str:
    """What stands under ``KEY``: the parts of the pieces ``first``, ``first`` + 1 and so on."""
    return json.dumps({"first": first, "parts": [list(ids) for ids in parts]}, separators=(",", ":"))


@lru_cache(maxsize=4)
def parts_from(text: str | None) -> Parts:
    """The other way; empty for None, a vocabulary of which every piece is read.  Raises ValueError for anything else."""
    if text is None:
        return MappingProxyType({})
    try:
        said = json.loads(text)
        first, parts = int(said["first"]), [tuple(int(i) for i in ids) for ids in said["parts"]]
    except (ValueError, KeyError, TypeError) as exc:
        raise ValueError(f"{KEY}: {exc!r}") from exc
    if not all(ids and all(0 <= i < first for i in ids) for ids in parts):
        raise ValueError(f"{KEY}: parts must be ids below {first}")
    return MappingProxyType(dict(enumerate(parts, start=first)))


def as_read(ids: Sequence[int], parts: Parts) -> list[int]:
    """``ids`` of a prompt with parts in place of the pieces that are not read."""
    return [part for i in ids for part in parts.get(i, (i,))] if parts else list(ids)
