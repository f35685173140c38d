"""What a student may write instead of copying the law: which of the sources it was shown says it, and in which paragraph.

Reading is what a small model does well; copying two lines word for word is not.  So it names the source ("인용: 2번
제1항") and code quotes it, with article and effective date.  The sources are the text of the prompt, as
taxlaw.evidence_prompt wrote it: what is quoted is what was read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from taxlaw.errors import SourceReferenceError
from taxlaw.structure import CIRCLED

MARK = "인용:"
_WRITTEN = re.compile(r"인용: ?(?P<source>\d{1,2})번(?: ?제(?P<paragraph>\d{1,2})항)?\.?")
_HEAD = re.compile(
    r"(?P<number>\d{1,2})\. (?P<title>.+?)(?:\((?P<heading>.+)\))?(?: \[(?P<word>시행|회신) (?P<day>\d{4}-\d\d-\d\d)\])?"
)
_ARTICLE_END = re.compile(r"제\d+조(?:의\d+)*(?:\(.+\))?$")
_SENTENCE = re.compile(r"^.+?다\.(?=\s|$)")
_CUT = "…"


@dataclass(frozen=True)
class SourceReference:
    """``source``: its number in the prompt, from 1; ``paragraph``: number of the 항, None for an article without any."""

    source: int
    paragraph: int | None = None

    def __str__(self) -> str:
        return f"{MARK} {self.source}번" + (f" 제{self.paragraph}항" if self.paragraph else "")


@dataclass(frozen=True)
class ShownSource:
    """One source of a prompt.  ``day``: '2026-01-01' or ""; ``word``: 시행 or 회신; ``lines``: its text as shown."""

    number: int
    title: str
    heading: str
    word: str
    day: str
    lines: tuple[str, ...]

    def paragraph(self, number: int | None) -> list[str]:
        """Its lines of a 항, or those of a text without any; [] when it is not shown."""
        starts = [at for at, line in enumerate(self.lines) if line[:1] in CIRCLED]
        if number is None:
            return [] if starts else list(self.lines)
        if number > len(CIRCLED):
            return []
        for begin, end in pairwise([*starts, len(self.lines)]):
            if self.lines[begin][0] == CIRCLED[number - 1]:
                return [self.lines[begin][1:].lstrip(), *self.lines[begin + 1 : end]]
        return []


def is_reference(text: str) -> bool:
    """Whether a text is, or may while it streams still become, a reference and nothing else."""
    said = text.strip()
    return bool(said) and (MARK.startswith(said) or said.startswith(MARK))


def find_reference(text: str) -> SourceReference | None:
    """The reference that a text is; None for any other text.  Raises SourceReferenceError for one that is begun and wrong."""
    said = text.strip()
    if not said.startswith(MARK):
        return None
    written = _WRITTEN.fullmatch(said)
    if written is None:
        raise SourceReferenceError(f"인용할 근거를 '{MARK} 번호' 꼴로 적지 않았습니다: {said[:40]}")
    paragraph = written["paragraph"]
    return SourceReference(int(written["source"]), int(paragraph) if paragraph else None)


def shown_sources(sources: str) -> tuple[ShownSource, ...]:
    """The sources of a text that ``evidence_prompt.sources_text`` has made, in order."""
    found: list[tuple[re.Match, list[str]]] = []
    for line in sources.splitlines():
        head = _HEAD.fullmatch(line)
        # A numbered item of a list has neither a day nor an article's number at its end, and rarely the number in turn.
        if head and int(head["number"]) == len(found) + 1 and (head["day"] or _ARTICLE_END.search(line)):
            found.append((head, []))
        elif found:
            found[-1][1].append(line)
    return tuple(
        ShownSource(
            int(head["number"]),
            head["title"].strip(),
            head["heading"] or "",
            head["word"] or "",
            head["day"] or "",
            tuple(line for line in lines if line.strip()),
        )
        for head, lines in found
    )


def reference_to(title: str, paragraph: int | None, sources: str) -> SourceReference | None:
    """The reference to a paragraph of an article among ``sources``; None when its text does not stand there."""
    for source in shown_sources(sources):
        if source.title == title and source.paragraph(paragraph):
            return SourceReference(source.number, paragraph)
    return None


def quote(reference: SourceReference, sources: str) -> str:
    """The sentence with the words of the source, its article and its day.  Raises SourceReferenceError when it is not shown."""
    named = next((one for one in shown_sources(sources) if one.number == reference.source), None)
    if named is None:
        raise SourceReferenceError(f"모델이 가리킨 {reference.source}번 근거를 보여 준 적이 없습니다.")
    lines = named.paragraph(reference.paragraph)
    if not lines:
        where = f"제{reference.paragraph}항" if reference.paragraph else "항이 없는 글"
        raise SourceReferenceError(f"모델이 가리킨 {named.title} {where}은 보여 준 근거에 없습니다.")
    where = f"{named.title} 제{reference.paragraph}항" if reference.paragraph else named.title
    about = f"({named.heading})" if named.heading and named.word != "회신" else ""
    words, items = _quotable(lines)
    since = f"\n{_day(named.day)}부터 시행된 규정입니다." if named.day and named.word == "시행" else ""
    replied = f"\n{_day(named.day)} 회신입니다." if named.day and named.word == "회신" else ""
    return f"{where}{about}에 따르면 “{words}”" + "".join(f"\n{item}" for item in items) + (since or replied)


def _quotable(lines: list[str]) -> tuple[str, list[str]]:
    """What stands between the quotation marks, and the items (호) under it.  A line that was cut is quoted by its whole sentences."""
    first, rest = lines[0].strip(), [line.rstrip() for line in lines[1:]]
    if first.endswith(_CUT) and (whole := _SENTENCE.match(first)):
        first = whole[0]
    return first, rest


def _day(day: str) -> str:
    year, month, number = map(int, day.split("-"))
    return f"{year}년 {month}월 {number}일"
