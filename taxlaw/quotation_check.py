"""Do the words an answer quotes as an article's stand in that article?  Judged only where the article's text is at hand.

The text may be the evidence itself (the article's own text, or a ruling that quotes it) or a mapping of statutes.  A
paraphrase is no quotation: quoted are words in quotation marks that the answer says the article says.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Mapping
from datetime import date

from taxlaw.citations import Citation, find_citations
from taxlaw.findings import Finding
from taxlaw.lookup import provision
from taxlaw.statutes import StatuteArticle

Statutes = Mapping[tuple[str, str], StatuteArticle]  # what load_statutes gives: (law, article) -> text
_LEAST_HANGUL = 8
_NEAR = 0.8  # so alike that the evidence must be what was meant to be quoted

_QUOTE = re.compile(
    r"“(?P<double>[^“”]{8,800})”|『(?P<corner>[^『』]{8,800})』|(?<![가-힣\w])\"(?P<straight>[^\"\n]{8,800})\""
    r"|‘(?P<single>[^‘’\n]{8,800})’|(?<![가-힣\w])'(?P<plain>[^'\n]{8,800})'"
)
# 제17조는 …한다라고 규정: direct speech without marks ('한다고 규정' is a report of it).
_UNMARKED = re.compile(
    r"조(?:제\d+(?:항|호))*(?:\([^()\n]{1,40}\))?(?:은|는|에서는?|에는)\s(?P<unmarked>[^“”\"‘’'『』\n]{8,400}?다)라고\s(?:규정|정하|명시)"
)
_SAID = re.compile(
    r"\s?(?:(?:이?라고|라는|이라는|고|며|는|을|를|으로|로)\s?)(?:[가-힣]{1,6}\s)?"
    r"(?:규정|정하[고여는]|정한|정해|정합|명시|정의|적(?:고|혀|습|었|은|힌)|되어\s?있|돼\s?있|나와|쓰여|써|밝히|표현|말하|말합)"
)
_SAYS = re.compile(
    r"(?:규정(?:한|하는|된)|정한|정하는|정하고\s있는|명시한|말하는|적힌|적은|문언인|문구인|조문은|법문은)\s?$"
)
_DIRECT = re.compile(r"(?:은|는|에서는?|에는|에|의|에\s?따르면|에\s?의하면|본문|단서|전단|후단)[,:]?\s?$")
_SENTENCE_END = re.compile(r"[가-힣]\.(?=\s)|\n")
_ELLIPSIS = re.compile(r"\.{3,}|…+|⋯+|\((?:중략|생략|후략|전략|이하\s?생략)\)|[~～]")
_TAG = re.compile(r"[<\[](?:개정|신설|본조신설|전문개정|제목개정|시행일|삭제|종전)[^>\]\n]{0,400}[>\]]")
_BRACKETS = re.compile(r"\([^()]*\)")
_LETTERS = re.compile(r"[^0-9A-Za-z가-힣\u4e00-\u9fff]")
_LISTED = re.compile(r"(?m)^\s*(?:\d{1,2}(?:의\d{1,2})?|[가-하])\.\s")


def check_quotations(
    answer: str, citations: list[Citation], as_of: date, evidence: str | None, statutes: Statutes | None
) -> list[Finding]:
    """A finding per quotation that is said to be an article's: confirmed, a fault (code 2), or unchecked without the text."""
    quotes = _quotes(answer)
    findings = []
    for span, words, said in quotes:
        citation = _source(answer, span, said, citations, [other for other, *_ in quotes])
        if citation is not None and citation.law:
            # ‘…’ around a term may only set it off; it is a quotation where the answer says so.
            loose = not said and answer[span[0] - 1] in "‘'"
            # 같은 조 after other quoted words may be the article before them or one named in them.
            loose |= any(word in citation.text for word in ("같은", "동조", "동 조", "이 조")) and len(quotes) > 1
            findings.append(_judge(words, span, citation, as_of, evidence, statutes, loose))
    return findings


def stands_in(words: str, text: str) -> bool:
    """Whether every part of a quotation (parts: between '…' or '(중략)') stands in the text, spaces and marks aside."""
    readings = _readings(text)
    pieces = _ELLIPSIS.split(words)
    parts = [part for part in map(_plain, pieces) if part]
    if any(all(part in known for part in parts) for known in readings):
        return bool(parts)
    # Brackets of the text may be left out of a quotation; those it keeps must be the text's.
    kept = [_plain(inner) for inner in re.findall(r"\(([^()]*)\)", words)]
    bare = [part for part in (_plain(_BRACKETS.sub("", piece)) for piece in pieces) if part]
    return bool(bare) and all(part in readings[-1] for part in bare) and all(inner in readings[0] for inner in kept)


def _judge(
    words: str,
    span: tuple[int, int],
    citation: Citation,
    as_of: date,
    evidence: str | None,
    statutes: Statutes | None,
    loose: bool,
) -> Finding:
    name, weak = f"{citation.law} {citation.article}", citation.former or loose
    told = words if len(words) <= 40 else f"{words[:40]}…"
    if evidence and stands_in(words, evidence):
        return Finding("citation", "confirmed", span, f"{name}: 인용한 말이 근거 자료에 그대로 있습니다.")
    report = provision(citation, as_of, statutes) if statutes else None
    if report is not None and report.text is not None:
        if stands_in(words, report.text):
            return Finding("citation", "confirmed", span, f"{name}: 인용한 말이 조문에 그대로 있습니다.")
        # Another version of the text proves nothing against words that may stand in that of the date.
        of_date = not any("기준일의 글과 다를 수 있습니다" in note for note in report.notes)
        if of_date and not weak:
            return _fault(name, told, span, _nearest(words, report.text), "조문")
    if evidence and not weak:
        near = _nearest(words, evidence)
        if near is not None or _is_text_of(evidence, citation):
            return _fault(name, told, span, near, "근거 자료의 조문")
    return Finding("citation", "unchecked", span, f"{name}: 조문의 글이 없어 인용한 말을 대조하지 못했습니다: “{told}”")


def _fault(name: str, told: str, span: tuple[int, int], near: str | None, where: str) -> Finding:
    right = f" 조문에는 “{near}”(으)로 되어 있습니다." if near else ""
    return Finding("citation", "fault", span, f"{name}: 인용한 말이 {where}에 없습니다: “{told}”.{right}", near, 2)


# --- what is quoted, and as whose words ---------------------------------------------------------------------------
def _quotes(answer: str) -> list[tuple[tuple[int, int], str, bool]]:
    """(span of the words, words, whether 라고 규정 and the like follow), left to right."""
    if not any(mark in answer for mark in "“『\"‘'") and "라고" not in answer:
        return []
    found = []
    for match in _QUOTE.finditer(answer):
        group = match.lastgroup or "double"
        if len(re.findall("[가-힣]", match[group])) >= _LEAST_HANGUL:
            found.append((match.span(group), match[group], _SAID.match(answer, match.end()) is not None))
    for match in _UNMARKED.finditer(answer):
        if len(re.findall("[가-힣]", match["unmarked"])) >= _LEAST_HANGUL:
            found.append((match.span("unmarked"), match["unmarked"], True))
    return sorted(found)


def _source(
    answer: str,
    span: tuple[int, int],
    said: bool,
    citations: list[Citation],
    quotes: list[tuple[int, int]],
) -> Citation | None:
    """The article whose words these are said to be: named before them in the sentence, or in brackets right after them."""
    after = re.match(r"[”』\"’']\s?\(", answer[span[1] : span[1] + 3])
    if after and answer[span[1] - 2 : span[1]].strip(" .").endswith("다"):
        start = span[1] + after.end()
        named = next((c for c in citations if start <= c.start <= start + 20), None)
        if named is not None and "\n" not in answer[span[1] : named.start]:
            return named
    own = [c for c in citations if not any(start <= c.start < end for start, end in quotes)]
    before = next((c for c in reversed(own) if c.end <= span[0]), None)
    if before is None or span[0] - before.end > 80:
        return None
    gap = answer[before.end : span[0] - 1]
    if _SENTENCE_END.search(gap) or any(before.end <= start and end < span[0] for start, end in quotes):
        return None
    if said and (span[0] - before.end <= 3 or _DIRECT.search(gap) or _SAYS.search(gap)):
        return before
    return before if _SAYS.search(gap) and len(gap) <= 30 else None


# --- texts --------------------------------------------------------------------------------------------------------
def _plain(text: str) -> str:
    return _LETTERS.sub("", unicodedata.normalize("NFC", text))


def _readings(text: str) -> tuple[str, ...]:
    """The text bare of spaces and marks: as it is, without the numbers of its list, and without what stands in brackets."""
    text = _TAG.sub("", text)
    unlisted = _LISTED.sub("", text)
    bare = unlisted
    while (shorter := _BRACKETS.sub("", bare)) != bare:
        bare = shorter
    return _plain(text), _plain(unlisted), _plain(bare)


def _is_text_of(evidence: str, citation: Citation) -> bool:
    """Whether the evidence is the article's own text: headed by it and divided into numbered paragraphs."""
    first = next((c for c in find_citations(evidence) if c.law), None)
    same = first is not None and (first.law, first.article) == (citation.law, citation.article)
    return same and "①" in evidence


def _nearest(words: str, text: str) -> str | None:
    """The stretch of the text that the words were meant to be; None when nothing in it is that much alike."""
    wanted, text = _plain(words), " ".join(unicodedata.normalize("NFC", _TAG.sub("", text)).split())
    if len(wanted) < 2 * _LEAST_HANGUL:
        return None
    # Where a long piece of the quotation stands, the rest of it must stand beside it.
    plain, places = [], []
    for place, char in enumerate(text):
        if not _LETTERS.match(char):
            plain.append(char)
            places.append(place)
    known = "".join(plain)
    size, best = max(5, len(wanted) // 6), (0.0, 0)
    for at in range(0, len(wanted) - size + 1):
        found = known.find(wanted[at : at + size])
        if found >= 0:
            start = max(0, found - at)
            alike = difflib.SequenceMatcher(None, wanted, known[start : start + len(wanted)], autojunk=False).ratio()
            best = max(best, (alike, start))
            if alike > 0.95:
                break
    if best[0] < _NEAR:
        return None
    start, end = best[1], min(best[1] + len(wanted), len(known)) - 1
    return text[places[start] : places[end] + 1]
