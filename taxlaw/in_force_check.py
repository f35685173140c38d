"""Law that is promulgated but not yet in force, told as if it were: the text of an article shows it before its day comes.

배당가산율 11% applies from 2027, 자녀세액공제 from 13세 at the end of a stair of years.  Addenda and digest know the days.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import cache

from taxlaw.addenda import amendments, pending
from taxlaw.citations import Citation
from taxlaw.digest import load_digest
from taxlaw.figures import Figure, find_figures
from taxlaw.findings import NOT_YET, Finding
from taxlaw.law_names import full_name
from taxlaw.lookup import provision

_FROM = re.compile(r"\((?P<year>20\d\d)년(?:\s?(?P<month>\d{1,2})월)?(?:\s?(?P<day>\d{1,2})일)?\s?(?:부터|이후)")
_NUMBER = re.compile(r"\d")


@dataclass(frozen=True)
class _Coming:
    """A figure of a provision that applies from ``first`` on; ``now``: the figures of the same thing until then."""

    law: str
    article: str
    label: str
    text: str
    first: date
    values: frozenset[tuple]
    now: tuple[str, ...]
    now_values: frozenset[tuple]


def not_yet_in_force(question: str, answer: str, citations: list[Citation], as_of: date) -> list[Finding]:
    """Faults: articles that are not in force on the date, and figures that are to come, told as those of today."""
    cited: dict[tuple[str, str], Citation] = {}
    for citation in citations:
        if citation.law and not (citation.implied or citation.former):
            cited.setdefault((citation.law, citation.article), citation)
    findings = []
    for (law, article), citation in cited.items():
        waiting = pending(law, article, as_of)
        born = [fact for fact in waiting if fact.new]
        open_birth = bool(born) and not any(fact.settled for fact in born)  # told by unsettled_amendments, not asserted
        if waiting and not open_birth and provision(citation, as_of).status == "not_yet_in_force":
            name, span = f"{law} {article}", (citation.start, citation.end)
            findings.append(
                Finding(
                    "citation", "fault", span, f"{name}: {as_of} 기준으로 아직 시행되지 않은 조문입니다.", code=NOT_YET
                )
            )
        findings += _wrong_stair(question, answer, law, article, as_of)
    figures = find_figures(answer) if any(coming.first > as_of for coming in _coming()) else []
    for coming in _coming():
        named = (coming.law, coming.article) in cited or (len(coming.label) > 2 and coming.label in answer)
        if coming.first > as_of and named and str(coming.first.year) not in f"{answer}{question}":
            findings += _told_as_now(coming, figures)
    return findings


def unsettled_amendments(citations: list[Citation], as_of: date) -> list[Finding]:
    """An unchecked finding per cited provision with an amendment whose day the addenda leave open (시행일 확인 필요)."""
    notes: dict[str, Finding] = {}
    for citation in citations:
        if not citation.law or citation.former:
            continue
        for fact in pending(citation.law, citation.article, as_of, citation.paragraph):
            if not fact.settled and not fact.step_on(as_of):
                finding = Finding(
                    "citation", "unchecked", (citation.start, citation.end), fact.note(as_of), code=NOT_YET
                )
                notes.setdefault(fact.note(as_of), finding)
    return list(notes.values())


def _told_as_now(coming: _Coming, figures: list[Figure]) -> list[Finding]:
    said = {(figure.kind, figure.value) for figure in figures}
    if not coming.values <= said or said & (coming.now_values - coming.values):
        return []
    figure = next(figure for figure in figures if (figure.kind, figure.value) in coming.values)
    now = coming.now[0] if coming.now else None
    message = f"아직 시행 전인 수치입니다: {coming.text}. 지금은 {now or '종전 규정'}이(가) 적용됩니다."
    return [Finding("number", "fault", (figure.start, figure.end), message, now, NOT_YET)]


def _wrong_stair(question: str, answer: str, law: str, article: str, as_of: date) -> list[Finding]:
    """A figure that the addenda raise year by year (자녀세액공제의 나이): the answer must give that of the date."""
    years = set(re.findall(r"20\d\d(?=년)", f"{question}{answer}"))
    if years and str(as_of.year) not in years:
        return []  # told of another year
    for fact in amendments(law, article):
        step = fact.step_on(as_of)
        if step is None:
            continue
        right = {(figure.kind, figure.value) for figure in find_figures(step.figure)}
        kinds = {kind for kind, _ in right}
        stated = [figure for figure in find_figures(answer) if figure.kind in kinds]
        asked = {(figure.kind, figure.value) for figure in find_figures(question)}
        told = [
            f for f in stated if answer[f.end :].lstrip()[:2] in ("이상", "부터") and (f.kind, f.value) not in asked
        ]
        if told and not any((figure.kind, figure.value) in right for figure in stated):
            figure = told[0]
            return [Finding("number", "fault", (figure.start, figure.end), fact.note(as_of), step.figure, NOT_YET)]
    return []


@cache
def _coming() -> tuple[_Coming, ...]:
    """Figures of the digest that say from which day they apply, each with those that apply before."""
    found = []
    for entry in load_digest():
        for text in entry.figures:
            start = _FROM.search(text)
            if start is None:
                continue
            first = date(int(start["year"]), int(start["month"] or 1), int(start["day"] or 1))
            label = _label(text)
            others = [other for other in entry.figures if other != text and (_label(other) == label)]
            now = tuple(other for other in others if not _later(other, first))
            law = full_name(entry.law) or entry.law
            found.append(_Coming(law, entry.article, label, text, first, _values(text), now, _values(" ".join(now))))
    return tuple(coming for coming in found if coming.values)


def _later(text: str, first: date) -> bool:
    start = _FROM.search(text)
    return start is not None and int(start["year"]) >= first.year


def _label(text: str) -> str:
    """The words before the first figure: '가산율'."""
    number = _NUMBER.search(text)
    return text[: number.start()].strip() if number else text


def _values(text: str) -> frozenset[tuple]:
    figures = find_figures(re.sub(r"\([^)]*\)", "", text))
    return frozenset((figure.kind, figure.value) for figure in figures if figure.kind != "date")
