"""From Korean text to the words that are searched: morphemes by kiwipiepy, pairs of neighbouring nouns, lay words.

Particles and endings glue to words in Korean, so spaces are useless as boundaries.  The model of kiwipiepy is a package:
nothing is fetched.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from pydantic import Field, ValidationError

from taxlaw.errors import SourceError
from taxlaw.money import find_amounts
from taxlaw.strict_config import StrictModel

if TYPE_CHECKING:
    from kiwipiepy import Kiwi, Token

_LOCK = threading.Lock()
_NOUNS = ("NNG", "NNP", "XR", "SL", "SH")
_DATE = re.compile(r"(?:19|20)\d\d\s*[년.]\s*(?:\d{1,2}\s*[월.]\s*(?:\d{1,2}\s*일?)?)?|\d{1,2}월(?:\s*\d{1,2}일)?")
# <개정 2024. 12. 31.>, [전문개정 2009. 12. 31.]: a third of some articles, and about nothing.
_NOTE = re.compile(r"[<\[](?:개정|신설|삭제|전문개정|본조신설|제목개정|종전|시행일)[^<>\[\]\n]*[>\]]")
# Words that every question or every article has, and names of the places in a law.
_STOP = frozenset(
    ["하다", "되다", "있다", "없다", "같다", "이다", "아니다", "받다", "주다", "내다", "보다", "알다", "싶다", "않다", "대하다", "따르다", "위하다", "의하다", "관하다", "말다", "가다", "오다", "나오다", "들다", "맞다", "그렇다", "이렇다", "어떻다", "어떠하다", "경우", "때", "것", "수", "등", "호", "각", "항", "조", "제", "목", "법", "영", "규칙", "다음", "해당", "규정", "이하", "이상", "얼마", "무엇", "누구", "어디", "언제", "궁금", "질문", "안녕", "여부", "관련", "대통령령", "기획재정부령", "행정안전부령", "따름", "제가", "저", "나", "우리", "년", "월", "일", "원", "번", "올해", "작년", "내년", "지금", "현재", "금액", "사람", "이번", "정도", "만큼", "가능", "방법", "어떤", "그", "이", "세금"]
)


@dataclass(frozen=True)
class Query:
    """``words``: of the question itself; ``added``: of the law, for its lay words; ``lay``: which, for the drawer."""

    words: tuple[str, ...]
    added: tuple[str, ...] = ()
    lay: tuple[str, ...] = ()
    laws: tuple[str, ...] = ()


class _LayRow(StrictModel):
    said: tuple[str, ...] = Field(min_length=1)
    means: tuple[str, ...] = Field(min_length=1)


class _TaxRow(StrictModel):
    said: tuple[str, ...] = Field(min_length=1)
    laws: tuple[str, ...] = Field(min_length=1)


class _Table(StrictModel):
    taxes: tuple[_TaxRow, ...]
    words: tuple[_LayRow, ...]


def words_of(text: str, pairs: bool = True) -> list[str]:
    """The words of a text in order, with pairs of neighbouring nouns ('증여_재산') when ``pairs``.  Thread-safe."""
    return [word for tokens in _analysed(text.splitlines()) for word in _content(tokens, pairs)]


def words_of_lines(lines: Sequence[str]) -> list[list[str]]:
    """``words_of`` for many lines at once, on all cores; for building an index."""
    if not lines:
        return []
    with _LOCK:
        if not _MANY:
            _MANY.append(_open_kiwi(min(8, os.cpu_count() or 1)))
        return [_content(tokens, True) for tokens in _MANY[0].tokenize([_NOTE.sub(" ", line) for line in lines])]


def plain_words(text: str) -> list[str]:
    """Runs of letters between spaces: what a search without morphemes would use (for comparison only)."""
    return re.findall(r"[가-힣A-Za-z]+|\d+", text)


def read_query(question: str, pairs: bool = True, lay: bool = True) -> Query:
    """The question as words; amounts and dates say nothing about which article it is and go."""
    text = question
    for amount in reversed(find_amounts(question)):
        text = text[: amount.start] + " " + text[amount.end :]
    tokens = _analysed([_DATE.sub(" ", text)])[0]
    words = _content(tokens, pairs)
    forms = _forms(tokens)
    squeezed = re.sub(r"\s+", "", question)
    added: dict[str, None] = {}
    used = []
    for row in _lay_rows() if lay else ():
        said = next((said for said, form in row.said if _within(form, forms) or (len(form) < 2 and said in squeezed)), None)
        if said is not None:
            added.update(dict.fromkeys(row.words))
            used.append(f"{said}→{', '.join(row.means)}")
    laws = [law for name in _table().taxes for law in name.laws if any(said in squeezed for said in name.said)]
    known = set(words)
    return Query(
        tuple(words), tuple(word for word in added if word not in known), tuple(used), tuple(dict.fromkeys(laws))
    )


def lay_words() -> tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]:
    """(what people say, what it means) of the table in taxlaw/data/lay_words.yaml.  Raises SourceError."""
    return tuple((row.said, row.means) for row in _table().words)


def distinct(words: Iterable[str]) -> list[str]:
    """Each word once, in order: a question that says 증여 three times asks about it once."""
    return list(dict.fromkeys(words))


def _content(tokens: list[Token], pairs: bool) -> list[str]:
    found: list[str] = []
    before: tuple[str, int] | None = None  # the noun before, and where it ended
    prefix: Token | None = None
    for token in tokens:
        tag, form = token.tag, token.form
        if tag == "XPN":  # 비+과세 and 과세 are opposites
            prefix = token
            continue
        if tag in _NOUNS:
            word = form.lower()
            if prefix is not None and prefix.end == token.start:
                word = prefix.form + word
            if pairs and before is not None and token.start - before[1] <= 1:
                found.append(f"{before[0]}_{word}")
            if word not in _STOP:
                found.append(word)
            before = (word, token.end)
        elif tag == "SN" and len(form) <= 4:
            found.append(form)
            before = (form, token.end)
        elif tag == "XSN" and before is not None:
            before = (before[0], token.end)
        elif tag not in ("SP", "SS", "SSO", "SSC") or before is None:
            if tag.startswith(("VV", "VA")) and (word := f"{form}다") not in _STOP:
                found.append(word)
            before = None
        prefix = None
    return found


def _forms(tokens: list[Token]) -> tuple[str, ...]:
    """Stems without particles and endings, stop words and negations kept: what a lay expression is looked for in."""
    kept = (*_NOUNS, "NNB", "SN", "MAG", "MM", "NR")
    return tuple(
        token.form.lower()
        for token in tokens
        if token.tag in kept or (token.tag.startswith(("VV", "VA", "VX")) and token.form != "하")
    )


def _within(form: tuple[str, ...], words: tuple[str, ...]) -> bool:
    """The stems of a lay expression stand in the question in order, next to one another."""
    length = len(form)
    return length > 0 and any(words[at : at + length] == form for at in range(len(words) - length + 1))


@dataclass(frozen=True)
class _Lay:
    said: tuple[tuple[str, tuple[str, ...]], ...]  # as written without spaces, and its stems
    means: tuple[str, ...]
    words: tuple[str, ...]


@cache
def _lay_rows() -> tuple[_Lay, ...]:
    rows = _table().words
    said = iter(_analysed([said for row in rows for said in row.said]))
    return tuple(
        _Lay(
            tuple((re.sub(r"\s+", "", words), _forms(next(said))) for words in row.said),
            row.means,
            tuple(distinct(word for term in row.means for word in words_of(term))),
        )
        for row in rows
    )


@cache
def _table() -> _Table:
    import yaml

    source = resources.files("taxlaw").joinpath("data/lay_words.yaml")
    try:
        raw = yaml.load(source.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        return _Table.model_validate(raw)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError) as exc:
        raise SourceError(f"생활어 표를 읽을 수 없습니다: {source}\n  {exc}") from exc


_KIWI: list[Kiwi] = []  # for questions
_MANY: list[Kiwi] = []  # for building


def _analysed(lines: Sequence[str]) -> list[list[Token]]:
    """Morphemes of each line.  The analyser opens on first use (about a second)."""
    with _LOCK:
        if not _KIWI:
            _KIWI.append(_open_kiwi(1))
        return [_KIWI[0].tokenize(_NOTE.sub(" ", line)) for line in lines]


def _open_kiwi(workers: int) -> Kiwi:
    from kiwipiepy import Kiwi

    # Without the dictionary of many-word names it opens three times faster and cuts legal terms into their parts.
    return Kiwi(num_workers=workers, load_multi_dict=False)
