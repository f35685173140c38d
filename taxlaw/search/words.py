"""From Korean text to the words that are searched: morphemes by kiwipiepy, pairs of neighbouring nouns, lay words.

Particles and endings glue to words in Korean, so spaces are useless as boundaries.  The model of kiwipiepy is a package:
nothing is fetched.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from pydantic import Field, ValidationError

from taxlaw.errors import SourceError
from taxlaw.money import find_amounts
from taxlaw.strict_config import StrictModel

if TYPE_CHECKING:
    from kiwipiepy import Kiwi

_LOCK = threading.Lock()
_NOUNS = ("NNG", "NNP", "XR", "SL", "SH")
_DATE = re.compile(r"(?:19|20)\d\d\s*[년.]\s*(?:\d{1,2}\s*[월.]\s*(?:\d{1,2}\s*일?)?)?|\d{1,2}월(?:\s*\d{1,2}일)?")
# Words that every question or every article has, and names of the places in a law.
_STOP = frozenset(
    ["하다", "되다", "있다", "없다", "같다", "이다", "아니다", "받다", "주다", "내다", "보다", "알다", "싶다", "않다", "대하다", "따르다", "위하다", "의하다", "관하다", "말다", "가다", "오다", "나오다", "들다", "맞다", "그렇다", "이렇다", "어떻다", "어떠하다", "경우", "때", "것", "수", "등", "호", "각", "항", "조", "제", "목", "법", "영", "규칙", "다음", "해당", "규정", "이하", "이상", "얼마", "무엇", "누구", "어디", "언제", "궁금", "질문", "안녕", "여부", "관련", "대통령령", "기획재정부령", "행정안전부령", "따름", "제가", "저", "나", "우리", "년", "월", "일", "원", "번", "올해", "작년", "내년", "지금", "현재", "금액", "사람", "이번", "정도", "만큼", "가능", "방법", "어떤", "그", "이", "세금"]
)


@dataclass(frozen=True)
class LayWord:
    """What people say and the words of the law it stands for."""

    said: tuple[str, ...]
    means: tuple[str, ...]


@dataclass(frozen=True)
class TaxName:
    """A tax as people name it and the acts that rule it."""

    said: tuple[str, ...]
    laws: tuple[str, ...]


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
    return [word for line in text.splitlines() for word in _line(line, pairs)] if text.strip() else []


def plain_words(text: str) -> list[str]:
    """Runs of letters between spaces: what a search without morphemes would use (for comparison only)."""
    return re.findall(r"[가-힣A-Za-z]+|\d+", text)


def read_query(question: str, pairs: bool = True, lay: bool = True) -> Query:
    """The question as words; amounts and dates say nothing about which article it is and go."""
    text = question
    for amount in reversed(find_amounts(question)):
        text = text[: amount.start] + " " + text[amount.end :]
    text = _DATE.sub(" ", text)
    words = words_of(text, pairs)
    single = [word for word in words if "_" not in word]
    added: dict[str, None] = {}
    used = []
    squeezed = re.sub(r"\s+", "", question)
    for row, forms in _lay_forms() if lay else ():
        for said, form in forms:
            if _within(form, single) or (len(said) >= 2 and said in squeezed):
                added.update(dict.fromkeys(word for term in row.means for word in words_of(term, pairs)))
                used.append(f"{said}→{', '.join(row.means)}")
                break
    laws = [law for name in _table()[0] for law in name.laws if any(said in squeezed for said in name.said)]
    known = set(words)
    return Query(
        tuple(words), tuple(word for word in added if word not in known), tuple(used), tuple(dict.fromkeys(laws))
    )


def lay_words() -> tuple[LayWord, ...]:
    """The table in taxlaw/data/lay_words.yaml.  Raises SourceError when it does not fit."""
    return _table()[1]


def _line(line: str, pairs: bool) -> tuple[str, ...]:
    with _LOCK:
        tokens = _kiwi().tokenize(line)
    found: list[str] = []
    before: tuple[str, int] | None = None  # the noun before, and where it ended
    prefix = None
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
        elif tag.startswith(("VV", "VA")):
            if (word := f"{form}다") not in _STOP:
                found.append(word)
            before = None
        elif tag == "SN" and len(form) <= 4:
            found.append(form)
            before = (form, token.end)
        elif tag == "NNB" and before is not None and before[0].isdigit():
            found.append(before[0] + form)
            before = None
        elif not tag.startswith(("XSN", "SS", "SP", "SO")) or tag == "SP":
            before = None
        elif tag == "XSN" and before is not None:
            before = (before[0], token.end)
        prefix = None
    return tuple(found)


def _within(form: tuple[str, ...], words: list[str]) -> bool:
    """The words of a lay expression stand in the question in order, next to one another."""
    length = len(form)
    return length > 0 and any(tuple(words[at : at + length]) == form for at in range(len(words) - length + 1))


@cache
def _lay_forms() -> tuple[tuple[LayWord, tuple[tuple[str, tuple[str, ...]], ...]], ...]:
    return tuple((row, tuple((said, tuple(words_of(said, pairs=False))) for said in row.said)) for row in lay_words())


@cache
def _table() -> tuple[tuple[TaxName, ...], tuple[LayWord, ...]]:
    import yaml

    source = resources.files("taxlaw").joinpath("data/lay_words.yaml")
    try:
        raw = yaml.load(source.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        table = _Table.model_validate(raw)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError) as exc:
        raise SourceError(f"생활어 표를 읽을 수 없습니다: {source}\n  {exc}") from exc
    return (
        tuple(TaxName(row.said, row.laws) for row in table.taxes),
        tuple(LayWord(row.said, row.means) for row in table.words),
    )


def distinct(words: Iterable[str]) -> list[str]:
    """Each word once, in order: a question that says 증여 three times asks about it once."""
    return list(dict.fromkeys(words))


_KIWI: list[Kiwi] = []


def _kiwi() -> Kiwi:
    """The analyser, opened on first use (about a second); called with the lock held."""
    if not _KIWI:
        from kiwipiepy import Kiwi

        # Without the dictionary of many-word names it opens three times faster and cuts legal terms into their parts.
        _KIWI.append(Kiwi(num_workers=1, load_multi_dict=False))
    return _KIWI[0]
