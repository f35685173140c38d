"""Documents on their way into the corpus: one form of each character, no twins, nothing empty, no personal numbers.

Only single characters change, never words: ①, ㎡, ½ and 「」 mean something in law, so the compatibility forms of
Unicode (NFKC) are left alone.  Every part of a document still names the same words afterwards.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

from data_gen.collect.tallies import KEPT, change, drop
from data_gen.documents import Document, Part
from data_gen.private_data import mask
from data_gen.rows import short_hash

EMPTY, SAME_TEXT, SAME_ID = "글이 비어 있음", "같은 글이 이미 있음", "같은 id의 문서가 이미 있음"
_NFC = "NFC로 고친 대목"

# What is unified -> its forms.  The middle dot of the law gazette is ㆍ; quotes and hyphens are those of the keyboard.
_FORMS: dict[str, dict[str, str]] = {
    "전각 문자": {chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)} | {"￦": "₩", "｢": "「", "｣": "」"},
    "공백": dict.fromkeys(
        "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000", " "
    ),
    "가운뎃점": dict.fromkeys("\u00b7\u2027\u30fb\uff65", "ㆍ"),
    "따옴표": dict.fromkeys("“”„‟", '"') | dict.fromkeys("‘’‚‛", "'"),
    "붙임표": dict.fromkeys("\u2010\u2011", "-"),
    "물결표": dict.fromkeys("\u223c\u301c", "~"),
    "줄바꿈": dict.fromkeys("\r\v\f\x85\u2028\u2029", "\n"),
    # The joiners U+200C and U+200D stay: they hold emoji and some scripts together.
    "보이지 않는 문자": dict.fromkeys(
        [*map(chr, [*range(0x00, 0x09), *range(0x0E, 0x20), 0x7F, 0xAD, 0x200B, 0x200E, 0x200F, 0x2060, 0xFEFF])], ""
    ),
}
_KIND_OF = {char: kind for kind, table in _FORMS.items() for char in table}
_PLAIN = {char: plain for table in _FORMS.values() for char, plain in table.items()}
_ODD = frozenset(_PLAIN)


@dataclass
class Seen:
    """What has gone into the corpus so far, as 16-byte hashes (about 100 bytes of memory each)."""

    texts: set[bytes] = field(default_factory=set)
    ids: set[bytes] = field(default_factory=set)


def clean(documents: Iterable[Document], tally: Counter, seen: Seen | None = None) -> Iterator[Document]:
    """The documents worth keeping, tidied; every other one is counted in ``tally`` with its reason.

    ``seen`` is shared by the sources of one corpus, so that a document that two of them hold is kept once.
    """
    seen = seen or Seen()
    for document in documents:
        identity = _hash(document.id)
        if identity in seen.ids:
            drop(tally, SAME_ID)
            continue
        tidied = _masked(_unified(document, tally), tally)
        if not tidied.text.strip():
            drop(tally, EMPTY)
            continue
        text = _hash(" ".join(tidied.text.split()))
        if text in seen.texts:
            drop(tally, SAME_TEXT)
            continue
        seen.texts.add(text)
        seen.ids.add(identity)
        tally[KEPT] += 1
        yield tidied


def unify(text: str, tally: Counter | None = None) -> str:
    """The text with one form of each character (NFC, spaces, quotes, dots, hyphens, line ends); characters are counted."""
    plain = text.replace("\r\n", "\n") if "\r" in text else text
    odd = _ODD.intersection(plain)
    if tally is not None:
        change(tally, "줄바꿈", len(text) - len(plain))
        for char in odd:
            change(tally, _KIND_OF[char], plain.count(char))
    # A handful of replacements is several times faster than one translation of a long text.
    for char in odd:
        plain = plain.replace(char, _PLAIN[char])
    composed = unicodedata.normalize("NFC", plain)
    if tally is not None and composed != plain:
        change(tally, _NFC)
    return composed


def _unified(document: Document, tally: Counter) -> Document:
    if all(map(_is_plain, (document.text, document.title, *document.articles, *document.notes, *_values(document)))):
        return document
    text, parts = _text_and_parts(document, tally)
    return replace(
        document,
        text=text,
        parts=parts,
        title=unify(document.title),
        articles=tuple(map(unify, document.articles)),
        notes=tuple(map(unify, document.notes)),
        meta=tuple((name, unify(value)) for name, value in document.meta),
        version=short_hash(text) if text != document.text else document.version,
    )


def _text_and_parts(document: Document, tally: Counter) -> tuple[str, tuple[Part, ...]]:
    """The text is unified piece by piece between the borders of its parts, so that each border stays where it was."""
    text = document.text
    borders = {0, len(text)} | {border for part in document.parts for border in (part.start, part.end)}
    # A border between \r and \n would make two line ends of one, so it moves behind them.
    place = {border: border + (text[max(0, border - 1) : border + 1] == "\r\n") for border in borders}
    moved, pieces, length = {0: 0}, [], 0
    for start, end in pairwise(sorted(set(place.values()))):
        pieces.append(unify(text[start:end], tally))
        length += len(pieces[-1])
        moved[end] = length
    spans = ((part.name, moved[place[part.start]], moved[place[part.end]]) for part in document.parts)
    # A part of nothing but invisible characters is gone with them.
    return "".join(pieces), tuple(Part(*span) for span in spans if span[1] < span[2])


def _masked(document: Document, tally: Counter) -> Document:
    """Personal numbers as ○; masking keeps lengths, so parts stay where they are."""
    text, counts = mask(document.text)
    title, more = mask(document.title)
    meta = tuple((name, mask(value)[0]) for name, value in document.meta)
    for kind, count in (counts + more).items():
        change(tally, f"가린 개인정보: {kind}", count)
    if (text, title, meta) == (document.text, document.title, document.meta):
        return document
    version = short_hash(text) if text != document.text else document.version
    return replace(document, text=text, title=title, meta=meta, version=version)


def _values(document: Document) -> tuple[str, ...]:
    return tuple(value for _, value in document.meta)


def _is_plain(text: str) -> bool:
    return _ODD.isdisjoint(text) and unicodedata.is_normalized("NFC", text)


def _hash(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8"), digest_size=16).digest()
