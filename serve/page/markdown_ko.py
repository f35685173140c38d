"""Markdown as the browser will show it, made safe for Korean tax text.

The page's Markdown (GitHub flavour) strikes out ``6~45% … 0.6~4.5%``, leaves ``**제55조(세율)**에`` unbold, and turns a
date at the start of a line into a numbered list.  Only the display is changed: what is verified, stored or printed on
the command line is the answer itself.
"""

from __future__ import annotations

import re

_CODE = re.compile(r"^(?:```|~~~)[^\n]*\n(?:.*?^(?:```|~~~)[ \t]*$|.*\Z)|`[^`\n]+`", re.DOTALL | re.MULTILINE)
_IMAGE = re.compile(r"!\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])")
_UNFINISHED_IMAGE = re.compile(r"!\[([^\]]*)\]\([^)]*\Z")
_BOLD = re.compile(r"\*\*(?=\S)((?:(?!\*\*)[^\n])+?)(?<=\S)\*\*")
_STRIKE = re.compile(r"(?<!~)~~(?=\S)((?:(?!~~)[^\n])+?)(?<=\S)~~(?!~)")
_TILDE = re.compile(r"\\?~")
_ITEM = r"^([ \t]*(?:(?:[-*+>]|\d{1,3}[.)])[ \t]+)*)"
_YEAR_FIRST = re.compile(_ITEM + r"((?:19|20)\d{2})\.(?=\s|\d|$)", re.MULTILINE)
_SHORT_DATE_FIRST = re.compile(_ITEM + r"(\d{2})\.(?=[ \t]*\d{1,2}\.[ \t]*\d{1,2}\.)", re.MULTILINE)


def normalise_markdown(text: str) -> str:
    """``text`` for the page's Markdown component; code blocks and inline code are left as they are."""
    parts, last = [], 0
    for code in _CODE.finditer(text):
        parts += [_normalise_prose(text[last : code.start()]), code.group()]
        last = code.end()
    parts.append(_normalise_prose(text[last:]))
    return "".join(parts)


def _normalise_prose(text: str) -> str:
    # A remote image is a request to a stranger's server with whatever the address carries: only its caption stays.
    text = _IMAGE.sub(r"\1", text)
    text = _UNFINISHED_IMAGE.sub(r"\1", text)
    # A model's answer never needs HTML of its own; from here on the only tags are ours.
    text = text.replace("<", "&lt;")
    text = _YEAR_FIRST.sub(r"\1\2\\.", text)
    text = _SHORT_DATE_FIRST.sub(r"\1\2\\.", text)
    text = _STRIKE.sub(r"<del>\1</del>", text)
    text = _TILDE.sub(r"\\~", text)
    return _BOLD.sub(r"<strong>\1</strong>", text)
