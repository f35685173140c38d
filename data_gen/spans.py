"""Where in its evidence an answer rests: cited places, equal figures, quoted words and the longest shared stretches.

Found by code alone, so that a reviewer sees at once what to compare.  Nothing is claimed of what is not marked.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache

from data_gen.rows import Span
from taxlaw.citations import Citation, read_citations
from taxlaw.figures import read_figures, same_day
from taxlaw.law_names import full_name
from taxlaw.money import read_amounts
from taxlaw.structure import CIRCLED

CITED, AMOUNT, WORDS = "인용", "금액", "문구"
_OF_FIGURE = {"rate": "비율", "period": "기간", "age": "나이", "date": "날짜"}
WHYS = (CITED, AMOUNT, *_OF_FIGURE.values(), WORDS)

# Shorter stretches are shared by any two texts about tax (납세의무자가 …); more of them than this hide the rest.
_LEAST_LETTERS, _MOST_RUNS, _MOST_PLACES = 8, 12, 3
_LETTER = re.compile(r"[0-9A-Za-z가-힣\u4e00-\u9fff]")
_QUOTED = re.compile(
    r"“([^“”\n]{2,300})”|「([^「」\n]{2,300})」|『([^『』\n]{2,300})』|‘([^‘’\n]{2,300})’|\"([^\"\n]{2,300})\""
)
_NOTE = re.compile(r"[<\[](?:개정|신설|본조신설|전문개정|제목개정|시행일|삭제|종전)[^>\]\n]{0,400}[>\]]")
# An article's own line: its number and its heading, with or without the name of the law before.
_HEADING = re.compile(r"^[^\n(]{0,60}?제\d{1,5}조(?:의\d{1,3})?\(", re.MULTILINE)
_PARAGRAPH = re.compile(rf"^[ \t]*([{CIRCLED}])", re.MULTILINE)
_SUBPARAGRAPH = re.compile(r"^[ \t]*(\d{1,3}(?:의\d{1,3})?)\.(?!\d)", re.MULTILINE)
_ITEM = re.compile(r"^[ \t]*([가-힣])(?:의\d{1,3})?\.(?=\s)", re.MULTILINE)

# law, article, paragraph (항), subparagraph (호), item (목)
_Wanted = tuple[str | None, str, int | None, str | None, str | None]


def find_spans(evidence: str, question: str, answer: str) -> tuple[Span, ...]:
    """Spans of ``evidence`` the answer rests on, sorted; of one kind (``why``) no two overlap.

    ``question`` adds the provisions it names; its figures are facts of the case and mark nothing.
    """
    if not evidence or not answer:
        return ()
    question, answer = (unicodedata.normalize("NFC", text) for text in (question, answer))
    plain, places = _composed(evidence)
    cited = list(dict.fromkeys(_wanted((*read_citations(answer), *read_citations(question)))))
    marks = [*_named(plain, cited), *_figures(plain, answer)]
    words = [*_quoted(plain, answer), *_shared(plain, answer)]
    words = [span for span in words if not any(_says_the_same(mark, span) for mark in marks)]
    spans = _joined(plain, [*marks, *_cited_places(plain, cited), *words])
    if places is not None:
        spans = [replace(span, start=places[span.start], end=places[span.end]) for span in spans]
    return tuple(spans)


# --- cited places -------------------------------------------------------------------------------------------------
def _wanted(citations: Iterable[Citation]) -> Iterator[_Wanted]:
    return ((c.law, c.article, c.paragraph, c.subparagraph, c.item) for c in citations)


def _named(evidence: str, cited: list[_Wanted]) -> Iterator[Span]:
    """Where the evidence names a cited article, with the name of its law where that stands before it."""
    articles = {(law, article) for law, article, *_ in cited}
    numbers = {article for law, article in articles if law is None}
    for citation in read_citations(evidence) if cited else ():
        if (citation.law, citation.article) in articles or citation.article in numbers:
            before = evidence[: citation.start].rstrip(" 」")
            start = (
                len(before) - len(citation.law) if citation.law and before.endswith(citation.law) else citation.start
            )
            yield Span(start, citation.end, CITED)


def _cited_places(evidence: str, cited: list[_Wanted]) -> Iterator[Span]:
    """The cited paragraph (항), 호 or 목 itself, where the evidence holds the article's text."""
    deep = [wanted for wanted in cited if wanted[2] or wanted[3]]
    for law, article, start, end in _own_articles(evidence, read_citations(evidence)) if deep else ():
        for wanted_law, wanted_article, paragraph, subparagraph, item in deep:
            if article == wanted_article and wanted_law in (None, law):
                place = _place(evidence, start, end, paragraph, subparagraph, item)
                if place is not None:
                    yield Span(*place, CITED)


def _own_articles(evidence: str, named: tuple[Citation, ...]) -> list[tuple[str | None, str, int, int]]:
    """(law, article, start, end) of each article whose text the evidence holds: from its heading line to the next one."""
    found: list[tuple[str | None, str, int, int]] = []
    for match in _HEADING.finditer(evidence):
        first = next((c for c in named if match.start() <= c.start < match.end()), None)
        if first is not None and first.paragraph is None:
            if found:
                found[-1] = (*found[-1][:3], match.start())
            found.append((first.law, first.article, match.end(), len(evidence)))
    return found


def _place(
    evidence: str, start: int, end: int, paragraph: int | None, subparagraph: str | None, item: str | None
) -> tuple[int, int] | None:
    """The deepest of 항, 호, 목 that stands there; an article without 항 is its own first paragraph."""
    block, found = (start, end), False
    if paragraph is not None and _PARAGRAPH.search(evidence, start, end):
        inner = _block(_PARAGRAPH, evidence, block, CIRCLED[paragraph - 1] if 0 < paragraph <= len(CIRCLED) else "")
        if inner is None:
            return None
        block, found = inner, True
    for pattern, name in ((_SUBPARAGRAPH, subparagraph), (_ITEM, item)):
        inner = _block(pattern, evidence, block, name) if name else None
        if inner is None:
            break
        block, found = inner, True
    return block if found else None


def _block(pattern: re.Pattern, evidence: str, within: tuple[int, int], name: str) -> tuple[int, int] | None:
    marks = [(match[1], match.start()) for match in pattern.finditer(evidence, *within)]
    for number, (mark, start) in enumerate(marks):
        if mark == name:
            return start, marks[number + 1][1] if number + 1 < len(marks) else within[1]
    return None


# --- figures ------------------------------------------------------------------------------------------------------
def _figures(evidence: str, answer: str) -> Iterator[Span]:
    """Amounts, rates, periods, ages and dates of equal value in both."""
    amounts = {amount.won for amount in read_amounts(answer)} - {0}
    if amounts:
        for amount in read_amounts(evidence):
            if amount.won in amounts:
                yield Span(amount.start, amount.end, AMOUNT)
    stated = read_figures(answer)
    if not stated:
        return
    values = {(figure.kind, figure.value) for figure in stated}
    days = [figure.value for figure in stated if figure.kind == "date"]
    notes = [match.span() for match in _NOTE.finditer(evidence)]
    for figure in read_figures(evidence):
        known = (figure.kind, figure.value) in values
        if figure.kind == "date" and not known:
            known = any(same_day(day, figure.value) for day in days)
        # <개정 2024.12.31> is the history of the text, not what it says.
        if known and not any(start <= figure.start < end for start, end in notes):
            yield Span(figure.start, figure.end, _OF_FIGURE[figure.kind])


# --- words --------------------------------------------------------------------------------------------------------
def _quoted(evidence: str, answer: str) -> Iterator[Span]:
    """Words the answer sets in quotation marks, spaces and marks aside; a quoted name of a law is no quotation."""
    letters, places = _letters(evidence)
    for match in _QUOTED.finditer(answer):
        words = next(group for group in match.groups() if group is not None)
        wanted = "".join(_LETTER.findall(words))
        if len(wanted) < 2 or full_name(words.strip()):
            continue
        at, count = letters.find(wanted), 0
        while at >= 0 and count < _MOST_PLACES:
            yield Span(places[at], places[at + len(wanted) - 1] + 1, WORDS)
            at, count = letters.find(wanted, at + len(wanted)), count + 1


def _shared(evidence: str, answer: str) -> list[Span]:
    """The longest stretches that stand in both, spaces and marks aside, each beginning at a word of the evidence."""
    given, places = _letters(evidence)
    said, _ = _letters(answer)
    size = _LEAST_LETTERS
    grams: dict[str, list[int]] = {}
    for at in range(len(said) - size + 1):
        grams.setdefault(said[at : at + size], []).append(at)
    runs: list[tuple[int, int, int]] = []  # letters, first letter in the evidence, first letter in the answer
    at, last = 0, len(given) - size
    while at <= last:
        starts = grams.get(given[at : at + size])
        if starts is None:
            at += 1
            continue
        length, start = max((_common(given, said, at, start), -start) for start in starts[:_MOST_PLACES])
        runs.append((length, at, -start))
        at += length - size + 1  # another run may begin in the end of this one
    spans: list[Span] = []
    taken: list[tuple[int, int]] = []
    for length, at, start in sorted(runs, key=lambda run: (-run[0], run[1])):
        if any(start < end and begin < start + length for begin, end in taken):
            continue  # this stretch of the answer is explained by a longer one, or by the first of equals
        span = _whole_words(evidence, places, at, at + length)
        if span is not None:
            spans.append(span)
            taken.append((start, start + length))
        if len(spans) == _MOST_RUNS:
            break
    return spans


def _common(given: str, said: str, at: int, start: int) -> int:
    size, most = _LEAST_LETTERS, min(len(given) - at, len(said) - start)
    while size < most and given[at + size] == said[start + size]:
        size += 1
    return size


def _whole_words(evidence: str, places: list[int], first: int, last: int) -> Span | None:
    """Letters first..last as a span that begins at a word and ends at one (or after its stem); None when too little is left."""
    while (
        first < last
        and places[first]
        and not evidence[places[first] - 1].isspace()
        and places[first] - 1 == places[first - 1]
    ):
        first += 1
    end = places[last - 1] + 1
    if end < len(evidence) and _LETTER.match(evidence[end]) and evidence[end - 2 : end - 1].isspace():
        last -= 1  # one letter of the next word is chance
    if last - first < _LEAST_LETTERS or full_name("".join(evidence[places[first] : places[last - 1] + 1])):
        return None
    return Span(places[first], places[last - 1] + 1, WORDS)


@lru_cache(maxsize=64)
def _letters(text: str) -> tuple[str, list[int]]:
    """The letters and digits of a text, and the place of each; one document has many pairs."""
    found = [(match[0], match.start()) for match in _LETTER.finditer(text)]
    return "".join(letter for letter, _ in found), [place for _, place in found]


def _says_the_same(mark: Span, words: Span) -> bool:
    """Whether shared words are a marked figure or citation and at most a particle after it."""
    return mark.start <= words.start and words.start < mark.end and words.end <= mark.end + 2


# --- offsets ------------------------------------------------------------------------------------------------------
def _joined(evidence: str, spans: Iterable[Span]) -> list[Span]:
    """Sorted; spans of one kind that overlap become one; no span begins or ends with a space."""
    joined: dict[str, list[list[int]]] = {}
    for span in sorted(spans, key=lambda span: (span.start, span.end)):
        words = evidence[span.start : span.end]
        start = span.start + len(words) - len(words.lstrip())
        end = span.end - (len(words) - len(words.rstrip()))
        if start >= end:
            continue
        kind = joined.setdefault(span.why, [])
        if kind and start < kind[-1][1]:
            kind[-1][1] = max(kind[-1][1], end)
        else:
            kind.append([start, end])
    return sorted(
        (Span(start, end, why) for why, kind in joined.items() for start, end in kind),
        key=lambda span: (span.start, span.end, span.why),
    )


def _composed(text: str) -> tuple[str, list[int] | None]:
    """The text with composed Hangul, and the place in ``text`` of each of its letters; None when nothing had to change."""
    if unicodedata.is_normalized("NFC", text):
        return text, None
    plain, places, start = [], [], 0
    for at in range(1, len(text) + 1):
        if at < len(text) and _continues(text[at]):
            continue
        piece = unicodedata.normalize("NFC", text[start:at])
        plain.append(piece)
        places += [start] * len(piece)
        start = at
    return "".join(plain), [*places, len(text)]


def _continues(char: str) -> bool:
    """Whether a character belongs to the one before: a vowel or final of Hangul, or a combining mark."""
    return "\u1160" <= char <= "\u11ff" or unicodedata.combining(char) != 0
