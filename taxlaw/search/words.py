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
from taxlaw.law_names import laws_in, without_laws
from taxlaw.money import find_amounts
from taxlaw.strict_config import StrictModel

if TYPE_CHECKING:
    from kiwipiepy import Kiwi, Token

_LOCK = threading.Lock()
_NOUNS = ("NNG", "NNP", "XR", "SL", "SH")
_DATE = re.compile(r"(?:19|20)\d\d\s*[년.]\s*(?:\d{1,2}\s*[월.]\s*(?:\d{1,2}\s*일?)?)?|\d{1,2}월(?:\s*\d{1,2}일)?")
# 지방소득세는 빼고 알려 주세요: not what is asked.
_SET_ASIDE = re.compile(r"[가-힣A-Za-z,·ㆍ ]{2,40}(?:은|는|을|를)?\s?(?:빼고|제외하고|별도로 하고)(?=[\s,.]|$)")
_ASKS_AMOUNT = re.compile(r"얼마|계산|몇|세액|세금")
_ASKS_RATE = re.compile(r"세율|산출세액|몇\s?(?:%|퍼센트|프로)")
# <개정 2024. 12. 31.>, [전문개정 2009. 12. 31.]: a third of some articles, and about nothing.
_NOTE = re.compile(r"[<\[](?:개정|신설|삭제|전문개정|본조신설|제목개정|종전|시행일)[^<>\[\]\n]*[>\]]")
# Words that every question or every article has, and names of the places in a law.
_STOP = frozenset(
    [
        "하다",
        "되다",
        "있다",
        "없다",
        "같다",
        "이다",
        "아니다",
        "받다",
        "주다",
        "내다",
        "보다",
        "알다",
        "싶다",
        "않다",
        "대하다",
        "따르다",
        "위하다",
        "의하다",
        "관하다",
        "말다",
        "가다",
        "오다",
        "나오다",
        "들다",
        "맞다",
        "그렇다",
        "이렇다",
        "어떻다",
        "어떠하다",
        "경우",
        "때",
        "것",
        "수",
        "등",
        "호",
        "각",
        "항",
        "조",
        "제",
        "목",
        "법",
        "영",
        "규칙",
        "다음",
        "해당",
        "규정",
        "이하",
        "이상",
        "얼마",
        "무엇",
        "누구",
        "어디",
        "언제",
        "궁금",
        "질문",
        "안녕",
        "여부",
        "관련",
        "대통령령",
        "기획재정부령",
        "행정안전부령",
        "따름",
        "제가",
        "저",
        "나",
        "우리",
        "년",
        "월",
        "일",
        "원",
        "번",
        "올해",
        "작년",
        "내년",
        "지금",
        "현재",
        "금액",
        "사람",
        "이번",
        "정도",
        "만큼",
        "가능",
        "방법",
        "어떤",
        "그",
        "이",
        "세금",
    ]
)


@dataclass(frozen=True)
class Query:
    """``words``: of the question itself; ``added``: of the law, for its lay words; ``lay``: which, for the drawer."""

    words: tuple[str, ...]
    added: tuple[str, ...] = ()
    lay: tuple[str, ...] = ()
    laws: tuple[str, ...] = ()
    amounts: tuple[str, ...] = ()  # articles on which an amount of the tax rests, when one is asked for
    named_laws: tuple[str, ...] = ()  # laws named in full or by a usual short form
    text: str = ""  # the question without amounts, days, the names of laws and what it sets aside
    letters: int = 0  # of the words of ``text`` that carry meaning


class _LayRow(StrictModel):
    said: tuple[str, ...] = Field(min_length=1)
    means: tuple[str, ...] = Field(min_length=1)


class _TaxRow(StrictModel):
    said: tuple[str, ...] = Field(min_length=1)
    laws: tuple[str, ...] = Field(min_length=1)
    amounts: tuple[str, ...] = ()


class _Table(StrictModel):
    taxes: tuple[_TaxRow, ...]
    words: tuple[_LayRow, ...]


def words_of(text: str) -> list[str]:
    """The words of a text in order, with pairs of neighbouring nouns ('증여_재산').  Thread-safe."""
    return [word for tokens in _analysed(text.splitlines()) for word in _content(tokens)]


def words_of_lines(lines: Sequence[str]) -> list[list[str]]:
    """``words_of`` for many lines at once, on all cores; for building an index."""
    if not lines:
        return []
    with _LOCK:
        if not _MANY:
            _MANY.append(_open_kiwi(min(8, os.cpu_count() or 1)))
        return [_content(tokens) for tokens in _MANY[0].tokenize([_NOTE.sub(" ", line) for line in lines])]


def morphemes(text: str) -> list[tuple[str, str, int]]:
    """(form, tag of the Sejong set, where it begins in ``text``) of each morpheme.  Thread-safe."""
    return [(token.form, token.tag, token.start) for token in _analysed([text.replace("\n", " ")])[0]]


def plain_words(text: str) -> list[str]:
    """Runs of letters between spaces: what a search without morphemes would use (for comparison only)."""
    return re.findall(r"[가-힣A-Za-z]+|\d+", text)


def read_query(question: str, lay: bool = True) -> Query:
    """The question as words; amounts and dates say nothing about which article it is and go, and so does what it sets aside."""
    text, amounts = question, find_amounts(question)
    for amount in reversed(amounts):
        text = text[: amount.start] + " " + text[amount.end :]
    text = _SET_ASIDE.sub(" ", _DATE.sub(" ", text))
    tokens = _analysed([text])[0]
    words, forms = _content(tokens), _forms(tokens)
    added: dict[str, None] = {}
    used = []
    for row in _lay_rows() if lay else ():
        said = next((said.text for said in row.said if said.stands_in(forms, text)), None)
        if said is not None:
            added.update(dict.fromkeys(row.words))
            used.append(f"{said}→{', '.join(row.means)}")
    taxes = [row for names, row in _tax_rows() if any(name.stands_in(forms, text) for name in names)]
    named = laws_in(text)
    bare = without_laws(text) if named else text
    meaning = [word for word in distinct(_content(_analysed([bare])[0]) if named else words) if "_" not in word]
    asks_amount = (amounts and _ASKS_AMOUNT.search(text)) or _ASKS_RATE.search(text)
    return Query(
        words=tuple(words),
        added=tuple(word for word in added if word not in set(words)),
        lay=tuple(used),
        laws=tuple(dict.fromkeys(law for row in taxes for law in row.laws)),
        amounts=tuple(dict.fromkeys(name for row in taxes for name in row.amounts)) if asks_amount else (),
        named_laws=named,
        text=bare,
        letters=sum(map(len, meaning)),
    )


def lay_words() -> tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]:
    """(what people say, what it means) of the table in taxlaw/data/lay_words.yaml.  Raises SourceError."""
    return tuple((row.said, row.means) for row in _table().words)


def distinct(words: Iterable[str]) -> list[str]:
    """Each word once, in order: a question that says 증여 three times asks about it once."""
    return list(dict.fromkeys(words))


def _content(tokens: list[Token]) -> list[str]:
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
            if before is not None and token.start - before[1] <= 1:
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
    kept = (*_NOUNS, "NNB", "NP", "NR", "SN", "MAG", "MM", "XPN", "SW", "SB")
    return tuple(
        token.form.lower()
        for token in tokens
        if token.tag in kept or (token.tag.startswith(("VV", "VA", "VX")) and token.form != "하")
    )


@dataclass(frozen=True)
class _Said:
    """An expression as written, its stems, and a pattern for it at the start of a word."""

    text: str
    forms: tuple[str, ...]
    pattern: re.Pattern

    def stands_in(self, forms: tuple[str, ...], text: str) -> bool:
        length = len(self.forms)
        if length and any(forms[at : at + length] == self.forms for at in range(len(forms) - length + 1)):
            return True
        return len(self.text) > 2 and self.pattern.search(text) is not None


@dataclass(frozen=True)
class _Lay:
    said: tuple[_Said, ...]
    means: tuple[str, ...]
    words: tuple[str, ...]


def _said(words: Sequence[str]) -> tuple[_Said, ...]:
    found = []
    for text, tokens in zip(words, _analysed(words), strict=True):
        letters = text.replace(" ", "")
        forms = _forms(tokens)
        if (
            " " not in text and not text.endswith("다") and "".join(forms) != letters
        ):  # 증여세율 is more than 증여세: only as it is written
            forms = ()
        found.append(_Said(text, forms, re.compile(r"(?<![가-힣])" + r"\s?".join(map(re.escape, letters)))))
    return tuple(found)


@cache
def _lay_rows() -> tuple[_Lay, ...]:
    return tuple(
        _Lay(_said(row.said), row.means, tuple(distinct(word for term in row.means for word in words_of(term))))
        for row in _table().words
    )


@cache
def _tax_rows() -> tuple[tuple[tuple[_Said, ...], _TaxRow], ...]:
    return tuple((_said(row.said), row) for row in _table().taxes)


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
