"""Are the provisions an answer cites there on the date, under the heading and with the paragraph it gives, and meant?

"Meant" is judged only beside evidence: an article that the evidence does not name, one number away from an article that it
does name and the answer does not, is a slip of the pen and not another source.
"""

from __future__ import annotations

import re
from datetime import date
from functools import cache

from taxlaw.addenda import UNSETTLED, pending
from taxlaw.articles import ArticleStatus, index_dates, indexed_laws, lookup
from taxlaw.citations import Citation, find_citations
from taxlaw.findings import Finding
from taxlaw.law_names import act_of
from taxlaw.paragraphs import article_numbers, paragraph_count

Key = tuple[str, str]  # (law, article)
_NUMBER = re.compile(r"(?:제\s?\d+\s?조|§+\s?\d+(?:조)?|\d+조)(?:\s?의\s?\d+)?")
_GIVEN_HEADING = re.compile(
    r"\s?(?:\((?P<round>[^()]{2,60}(?:\([^()]{1,30}\)[^()]{0,30})?)\)|【\s?(?P<square>[^】]{2,60}?)\s?】|「(?P<corner>[^」]{2,60})」"
    r"|(?:의|은|는)\s(?:조문\s?)?제목은?\s[「'‘\"“(](?P<told>[^」'’\"”)]{2,60})[」'’\"”)])"
)
_NOISE = re.compile(r"[\s·ㆍ･,\"'“”‘’()\[\]<>]|등$")


def check_citations(
    answer: str, as_of: date, evidence: str | None, question: str, used: tuple[str, ...]
) -> list[Finding]:
    """One finding per article cited, however often it is named: the worst of what is found about it.

    ``used``: articles a calculation of the question's case rests on ('소득세법 제55조제1항'), empty when there is none.
    """
    citations = find_citations(answer)
    given = _Given(citations, evidence, question, used)
    findings: dict[tuple[str | None, str], Finding] = {}
    settled: set[tuple[str | None, str]] = set()
    for citation in citations:
        key = (citation.law, citation.article)
        earlier = findings.get(key)
        better = earlier is not None and earlier.severity == "unchecked" and not (citation.implied or citation.former)
        if earlier is None or (better and key not in settled):
            findings[key] = _existence(citation, as_of, given)
            earlier = findings[key]
        if earlier.severity == "confirmed" and (fault := _detail(citation, answer, as_of, given)):
            findings[key] = fault
            settled.add(key)
    return [_beside_evidence(finding, key, given) for key, finding in findings.items()]


def _beside_evidence(finding: Finding, key: Key, given: _Given) -> Finding:
    """An article that exists but that the evidence never names is not confirmed as the answer's ground."""
    if finding.severity != "confirmed" or not given.has_evidence or given.knows(key):
        return finding
    message = f"{' '.join(key)}: 있는 조문이지만 근거 자료에 나오지 않아, 이 답의 근거로 맞는지는 확인하지 못했습니다."
    return Finding("citation", "unchecked", finding.span, message, code=2)


class _Given:
    """What the verifier was given beside the answer: the articles of the evidence and of the calculation."""

    def __init__(self, citations: list[Citation], evidence: str | None, question: str, used: tuple[str, ...]) -> None:
        self.in_answer = {(c.law, c.article) for c in citations}
        self.in_question = {(c.law, c.article) for c in find_citations(question)} if "조" in question else set()
        found = find_citations(evidence) if evidence else []
        self.evidence: set[Key] = {(c.law, c.article) for c in found if c.law}
        self.has_evidence = evidence is not None and bool(self.evidence)
        self.paragraphs: dict[Key, set[int]] = {}
        for citation in found:
            if citation.law and citation.paragraph:
                self.paragraphs.setdefault((citation.law, citation.article), set()).add(citation.paragraph)
        self.own = self._own(evidence or "", found)
        self.used: set[Key] = {(c.law, c.article) for text in used for c in find_citations(text) if c.law}

    @staticmethod
    def _own(evidence: str, found: list[Citation]) -> Key | None:
        """The article whose own text the evidence is: its paragraphs are numbered, not cited."""
        first = next((c for c in found if c.law), None)
        return (first.law, first.article) if first and "①" in evidence else None

    def headings_of_acts(self) -> set[str]:
        """Headings of the articles of acts that the answer cites."""
        acts = {key for key in self.in_answer if key[0] and " 시행" not in key[0]}
        return {heading for law, article in acts for heading in _headings(law, article) if len(heading) > 3}

    def knows(self, key: tuple[str | None, str]) -> bool:
        return key in self.evidence or key in self.in_question or key in self.used

    def meant(self, law: str, article: str) -> Key | None:
        """The article of the evidence that this one was probably meant to be; None when there is none for certain."""
        if self.knows((law, article)):
            return None
        unused = [key for key in self.evidence if key not in self.in_answer]
        base, branch = _split(article)
        for other_law, other in unused:
            other_base, other_branch = _split(other)
            if other_law == law and (base == other_base or (abs(base - other_base) == 1 and branch == other_branch)):
                return other_law, other
        for other_law, other in unused:
            if other == article and other_law != law and other_law in indexed_laws():
                return other_law, other
        for other_law, other in self.used - self.in_answer:
            if other == article and act_of(other_law) != act_of(law):
                return other_law, other
        return None


def _existence(citation: Citation, as_of: date, given: _Given) -> Finding:
    span = (citation.start, citation.end)
    name = f"{citation.law} {citation.article}" if citation.law else citation.article
    if citation.law is None:
        return Finding(
            "citation", "unchecked", span, f"{name}: 어느 법의 조문인지 적혀 있지 않아 확인하지 못했습니다.", code=3
        )
    status = lookup(citation.law, citation.article, as_of)
    if status.status == "found":
        heading = f"({status.heading})" if status.heading else ""
        return Finding("citation", "confirmed", span, f"{name}{heading}: {as_of} 기준으로 있는 조문입니다.")
    if status.status == "law_not_indexed":
        return Finding("citation", "unchecked", span, f"{name}: 내장 색인에 없는 법령이라 확인하지 못했습니다.")
    unsure = _why_unsure(citation, status.status, as_of, given)
    if unsure:
        return Finding("citation", "unchecked", span, f"{name}: {unsure}", code=4 if citation.former else None)
    if status.status == "no_such_law":
        hint = f" '{status.suggestion}'을(를) 뜻한 것으로 보입니다." if status.suggestion else ""
        return Finding(
            "citation", "fault", span, f"'{citation.law}'이라는 법령은 없습니다.{hint}", status.suggestion, 1
        )
    if status.status == "deleted":
        return Finding("citation", "fault", span, f"{name}: {as_of} 기준으로 삭제된 조문입니다.", code=6)
    hint = f" {status.suggestion}는 있습니다." if status.suggestion else ""
    return Finding("citation", "fault", span, f"{name}: {as_of} 기준으로 없는 조문입니다.{hint}", status.suggestion, 1)


def _why_unsure(citation: Citation, status: str, as_of: date, given: _Given) -> str | None:
    """Why a provision that is not in the index may still be rightly cited; None when there is no such reason."""
    if citation.former:
        return "옛 법(구법)으로 인용되어 지금의 색인으로 확인하지 못했습니다."
    if citation.implied:
        return (
            "법 이름을 앞 문맥에서 이어받았고, 그 법에는 이 조문이 없습니다. 법 이름을 함께 적어야 확인할 수 있습니다."
        )
    if status == "deleted" and any(not fact.settled for fact in pending(citation.law, citation.article, as_of)):
        return f"글에서는 삭제되었으나 개정의 부칙이 남긴 부분이 있을 수 있습니다({UNSETTLED})."
    known = not given.has_evidence or given.knows((citation.law, citation.article))
    if status == "deleted" and as_of < index_dates()[0] and known:
        return f"지금은 삭제되었으나 {as_of}에는 있었을 수 있습니다(색인은 {index_dates()[0]}부터)."
    return None


def _detail(citation: Citation, answer: str, as_of: date, given: _Given) -> Finding | None:
    """The fault of an article that exists: another heading, a paragraph it does not have, or not the one meant."""
    if citation.former or citation.law not in indexed_laws() or not _names_its_law(citation, answer):
        return None
    span = (citation.start, citation.end)
    name = f"{citation.law} {citation.article}"
    if wrong := _wrong_heading(citation, answer, as_of):
        heading, message = wrong
        if " 시행" in citation.law and any(heading_of_act in message for heading_of_act in given.headings_of_acts()):
            return None  # a decree's article under the heading of the act's: how official lists name them too
        return Finding("citation", "fault", span, f"{name}: {message}", heading, 2)
    count = paragraph_count(citation.law, citation.article)
    paragraph = citation.paragraph
    if citation.implied:
        return None
    known_day = count is not None and as_of >= index_dates()[0]
    if paragraph and known_day and paragraph > max(count, 1):
        has = f"{count}개의 항만 있습니다" if count else "항으로 나뉘어 있지 않습니다"
        return Finding("citation", "fault", span, f"{name}: 제{paragraph}항은 없습니다({has}).", code=2)
    if meant := given.meant(citation.law, citation.article):
        expected = " ".join(meant)
        message = f"{name}: 근거 자료에 없는 조문입니다. 근거에는 {expected}가 있습니다."
        return Finding("citation", "fault", span, message, expected, 2)
    known = given.paragraphs.get((citation.law, citation.article), set())
    if paragraph and known and paragraph not in known and given.own != (citation.law, citation.article):
        expected = f"{name}제{min(known)}항" if len(known) == 1 else None
        paragraphs = ", ".join(f"제{number}항" for number in sorted(known))
        return Finding(
            "citation",
            "fault",
            span,
            f"{name}: 근거 자료는 {paragraphs}을 들고 있으나 답변은 제{paragraph}항입니다.",
            expected,
            2,
        )
    return None


# --- headings -----------------------------------------------------------------------------------------------------
def _wrong_heading(citation: Citation, answer: str, as_of: date) -> tuple[str | None, str] | None:
    """(right heading, message) when the answer gives the article a heading that is another article's."""
    written = _NUMBER.match(answer, citation.start)
    given = _GIVEN_HEADING.match(answer, written.end()) if written else None
    if given is None:
        return None
    told = next(text for text in given.groups() if text)
    own = _headings(citation.law, citation.article)
    plain = _NOISE.sub("", told)
    laws = _all_headings().get(plain, frozenset())
    if not own or any(plain in _NOISE.sub("", heading) for heading in own):
        return None
    if citation.law not in laws:  # another article's heading to the letter is that article's, however alike
        if any(_alike(told, heading) for heading in own):
            return None
        if not (given["square"] or given["told"] or laws):
            return None  # brackets may hold any remark: '(10년 합산)'
    status: ArticleStatus = lookup(citation.law, citation.article, as_of)
    return status.heading, f"제목이 다릅니다. 답변은 '{told}', 조문의 제목은 '{status.heading}'입니다."


def _alike(told: str, heading: str) -> bool:
    """Same words, or one within the other, or most letters shared: '증여재산공제' and '증여재산 공제의 한도'."""
    a, b = _NOISE.sub("", told), _NOISE.sub("", heading)
    if a == b or (len(a) >= 4 and a in b) or (len(b) >= 4 and b in a):
        return True
    pairs, others = ({text[i : i + 2] for i in range(len(text) - 1)} for text in (a, b))
    return bool(pairs) and len(pairs & others) / len(pairs | others) >= 0.6


def _headings(law: str, article: str) -> set[str]:
    """The headings an article had at the dates of the index."""
    found = (lookup(law, article, day) for day in index_dates())
    return {status.heading for status in found if status.heading}


@cache
def _all_headings() -> dict[str, frozenset[str]]:
    """Heading without spaces -> the laws that have an article of that heading."""
    found: dict[str, set[str]] = {}
    for law in indexed_laws():
        for article in article_numbers(law):
            for heading in _headings(law, article):
                found.setdefault(_NOISE.sub("", heading), set()).add(law)
    return {heading: frozenset(laws) for heading, laws in found.items() if len(heading) > 1}


def _names_its_law(citation: Citation, answer: str) -> bool:
    """Whether the article stands beside the law it belongs to; one that begins a line, or 같은 조, took it from further up."""
    if not _NUMBER.match(citation.text):
        return False
    return citation.start == 0 or answer[: citation.start].rstrip(" ")[-1:] != "\n"


def _split(article: str) -> tuple[int, int]:
    numbers = [int(part) for part in re.findall(r"\d+", article)]
    return numbers[0], numbers[1] if len(numbers) > 1 else 0
