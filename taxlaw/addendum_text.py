"""Cuts the addenda (부칙) of a statute's Markdown into clauses, each with the promulgation it belongs to.

What a clause means is read by addendum_clauses.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

_ADDENDA = re.compile(r"^#{1,6}[ \t]+부\s*칙[ \t]*$", re.MULTILINE)
_HEADER = re.compile(
    r"^부\s*칙\s*(?:\((?P<other>[^\n]*?)\))?\s*<제(?P<number>\d+)호,\s*(?P<day>\d{4}\.\s?\d{1,2}\.\s?\d{1,2})\.?>[ \t]*$",
    re.MULTILINE,
)
_CLAUSE = re.compile(
    r"^[ \t]*(?P<article>제\d+조(?:의\d+)?)\s*(?:\((?P<heading>(?:[^()\n]|\([^()\n]*\))*)\))?(?=[ ①\n]|$)", re.MULTILINE
)
_KINDS = ("시행일", "적용례", "경과조치", "특례")


@dataclass(frozen=True)
class Clause:
    """One clause; ``other`` names the other law whose amendment changed this one (타법개정), else ''."""

    law: str
    number: str
    promulgated: date
    other: str
    article: str  # '제1조'; '' for an addendum of one sentence
    heading: str
    kind: str
    text: str


def read_addenda(law: str, markdown: str) -> list[Clause]:
    """Every clause of every addendum in the file, in order; an addendum of one sentence is one clause."""
    start = _ADDENDA.search(markdown)
    body = markdown[start.end() :] if start else ""
    headers = list(_HEADER.finditer(body))
    clauses = []
    for header, following in zip(headers, [*headers[1:], None], strict=False):  # no header: nothing
        text = body[header.end() : following.start() if following else len(body)].replace("\\.", ".")
        text = re.sub(r"\n{2,}", "\n", text).strip()
        promulgated = date(*(int(part) for part in header["day"].split(".")))
        heads = [match for match in _CLAUSE.finditer(text) if match["heading"] is not None]
        cuts = [(match["article"], match["heading"], match.start()) for match in heads]
        if not cuts or cuts[0][2] > 0:
            cuts.insert(0, ("", "", 0))
        for (article, heading, begin), end in zip(cuts, [*(cut[2] for cut in cuts[1:]), len(text)], strict=True):
            words = text[begin:end].strip()
            if words:
                clauses.append(
                    Clause(
                        law,
                        str(int(header["number"])),
                        promulgated,
                        header["other"] or "",
                        article,
                        heading,
                        _kind(heading, words),
                        words,
                    )
                )
    return clauses


def _kind(heading: str, text: str) -> str:
    for kind in _KINDS:
        if kind in heading:
            return kind
    return "시행일" if not heading and re.search(r"부터\s*시행한다", text) else "기타"
