"""Does an answer say what its evidence says?  Amounts, rates, periods and dates, and comparisons.

Only beside evidence.  An amount must rest on something; of rates, periods and dates, which answers also draw from other
provisions or examples, a fault is one that stands where the evidence has another figure the answer never gives.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

from taxlaw.conclusion_check import RULING
from taxlaw.figures import Figure, find_figures, same_day
from taxlaw.findings import Finding
from taxlaw.money import Amount, find_amounts

_AMENDED = re.compile(r"[<\[](?:개정|신설|본조신설|전문개정|제목개정|시행일|삭제|종전)[^>\]\n]{0,400}[>\]]")
_A_YEAR = (12, "개월")  # '1년에 얼마까지': said of yearly limits that the source words otherwise
_DAY = re.compile(r"(?<![\d.])(\d{1,2})월\s?(\d{1,2})일(?!\s?(?:간|동안|이내))")
_LAST_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_HOUSEHOLD = re.compile(r"(?<!\d)(\d{1,2})\s?세대\s?(\d{1,2})\s?주택")


def unsupported_amounts(loose: list[Amount]) -> list[Finding]:
    """A fault per amount that rests on nothing, once per value."""
    seen: dict[int, Amount] = {}
    for amount in loose:
        seen.setdefault(amount.won, amount)
    message = "질문·근거 자료·계산 어디에도 없는 금액입니다: "
    return [Finding("number", "fault", (a.start, a.end), message + a.text, code=18) for a in seen.values() if a.won]


def impossible_days(answer: str) -> list[Finding]:
    """A fault per day that no calendar has: 5월 36일.  Needs no evidence."""
    faults = []
    for match in _DAY.finditer(answer):
        month, day = int(match[1]), int(match[2])
        if not (1 <= month <= 12 and 1 <= day <= _LAST_DAYS[month - 1]):
            message = f"달력에 없는 날짜입니다: {match[0]}"
            faults.append(Finding("number", "fault", match.span(), message, code=18))
    return faults


# --- rates, periods, ages, dates ----------------------------------------------------------------------------------
def substituted_figures(
    question: str, answer: str, evidence: str, known_text: str, elsewhere: list[tuple[int, int]], as_of: date
) -> list[Finding]:
    """Figures of the answer that stand in place of one the evidence gives.

    ``known_text``: further text the figures may rest on (rules of the cited provisions, right sums); ``elsewhere``: spans of
    citations that the evidence does not name, whose sentences speak of another provision.
    """
    stated = find_figures(answer)
    given = find_figures(_AMENDED.sub("", evidence))
    known = [*given, *find_figures(f"{question}\n{known_text}")]
    values = {(figure.kind, figure.value) for figure in known}
    days = [figure.value for figure in known if figure.kind == "date"] + [(as_of.year, as_of.month, as_of.day)]
    said = {(figure.kind, figure.value) for figure in stated}
    # A ruling is about one case: a period it does not know is not its own.  A statute has neighbours that answers draw on.
    ruling = RULING.search(evidence) is not None
    faults = _wrong_households(question, answer, evidence, known_text)
    for figure in stated:
        if (figure.kind, figure.value) in values or _excused(figure, answer, elsewhere, ruling):
            continue
        if figure.kind == "date" and any(same_day(figure.value, day) for day in days):
            continue
        if ruling and figure.kind in ("period", "age") and figure.value != _A_YEAR:
            message = f"근거 자료에 없는 기간·나이입니다: {figure.text}"
            faults.append(Finding("number", "fault", (figure.start, figure.end), message, code=18))
            continue
        if meant := _meant(
            figure, answer, evidence, [other for other in given if (other.kind, other.value) not in said]
        ):
            message = f"근거 자료와 다른 수치입니다: 답변 {figure.text}, 근거 {meant.text}."
            faults.append(Finding("number", "fault", (figure.start, figure.end), message, meant.text, 18))
    return faults


def _wrong_households(question: str, answer: str, evidence: str, known_text: str) -> list[Finding]:
    """3세대 1주택 where the evidence speaks of 1세대 1주택."""
    known = {match.groups() for match in _HOUSEHOLD.finditer(f"{evidence}\n{question}\n{known_text}")}
    faults = []
    for match in _HOUSEHOLD.finditer(answer):
        if known and match.groups() not in known and match[1] not in {household for household, _ in known}:
            household, homes = min(known)
            right = f"{household}세대 {homes}주택"
            message = f"근거 자료와 다른 수치입니다: 답변 {match[0]}, 근거 {right}."
            faults.append(Finding("number", "fault", match.span(), message, right, 18))
    return faults


def _meant(figure: Figure, answer: str, evidence: str, unsaid: list[Figure]) -> Figure | None:
    """The figure of the evidence that this one stands in place of: of its kind, never given, and among the same words."""
    around = _words_around(answer, figure)
    best, most = None, 0
    for other in unsaid:
        if not _comparable(figure, other):
            continue
        shared = len(around & _words_around(evidence, other))
        if shared > most or best is None:
            best, most = other, shared
    needed = 0 if figure.kind in ("rate", "date") else 2
    return best if best is not None and most >= needed else None


def _comparable(figure: Figure, other: Figure) -> bool:
    if figure.kind != other.kind:
        return False
    if figure.kind == "period":
        return figure.text[-1] == other.text[-1]
    if figure.kind == "date":  # one part of a full date differs
        pairs = list(zip(figure.value, other.value, strict=True))
        return None not in figure.value and None not in other.value and sum(a != b for a, b in pairs) == 1
    return True


def same_words(text: str, amount: Amount, other_text: str, other: Amount) -> bool:
    """Whether two amounts stand among the same words ('소득금액 100만원 이하')."""
    return len(_words_around(text, amount) & _words_around(other_text, other)) >= 2


def _words_around(text: str, figure: Figure | Amount) -> set[str]:
    """The two-letter pieces of the Hangul just before and after a figure."""
    before = re.sub(r"[^가-힣]+", " ", text[max(0, figure.start - 22) : figure.start])
    after = re.sub(r"[^가-힣]+", " ", text[figure.end : figure.end + 12])
    return {word[i : i + 2] for word in f"{before} {after}".split() for i in range(len(word) - 1)}


def _excused(figure: Figure, answer: str, elsewhere: list[tuple[int, int]], ruling: bool) -> bool:
    """Whether the figure's sentence cites another provision than those of the evidence, or tells an example."""
    start = max(answer.rfind(". ", 0, figure.start), answer.rfind("\n", 0, figure.start)) + 1
    ends = [at for at in (answer.find(". ", figure.end), answer.find("\n", figure.end)) if at >= 0]
    end = min(ends, default=len(answer))
    if any(start <= at < end for at, _ in elsewhere):
        return True
    if (
        answer[figure.end :].lstrip().startswith("미만")
        and "이상" in answer[max(start, figure.start - 8) : figure.start]
    ):
        return True  # '8년 이상 9년 미만': a row of a table that the evidence gives as a rule
    # '받았다면' tells an example beside a statute; beside a ruling it tells the ruling's own case.
    strict = ruling or figure.kind in ("rate", "date")
    example = r"예를 들|가령" if strict else r"예를 들|가령|라면|다면"
    return re.search(example, answer[start:end]) is not None


# --- 이상, 이하, 초과, 미만 ---------------------------------------------------------------------------------------
_COMPARED = re.compile(r"\s?(?:\([^)]{1,20}\))?(?P<word>이상|이하|초과|미만|이내)(?!의? 경우를 제외)")
_COUNTED = re.compile(r"(?<![\d.,])(?P<count>\d[\d,]*)\s?(?P<unit>명|회|대|채|필지|㎡|제곱미터|호|개(?!월))")
# 2,000만원 이하 and 2,000만원 초과 draw the same line; 이하 and 미만 do not.
_INCLUDES_BELOW = {"이하": True, "초과": True, "이내": True, "이상": False, "미만": False}


def wrong_comparisons(question: str, answer: str, evidence: str) -> list[Finding]:
    """이상 where the evidence draws the line at 이하 (or 초과), and the like: who stands on the line falls on the wrong side."""
    given: dict[object, set[str]] = {}
    for value, word, _ in (*_comparisons(evidence), *_comparisons(question)):
        given.setdefault(value, set()).add(word)
    faults = []
    for value, word, span in _comparisons(answer):
        words = given.get(value, set())
        if words and all(_INCLUDES_BELOW[other] != _INCLUDES_BELOW[word] for other in words):
            right = sorted(words)[0]
            message = f"경계가 다릅니다: 답변은 '{answer[span[0] : span[1]]}', 근거 자료는 '{right}'입니다."
            faults.append(Finding("contradiction", "fault", span, message, right, 19))
    return faults


def _comparisons(text: str) -> Iterable[tuple[object, str, tuple[int, int]]]:
    """(value, 이상/이하/…, span) of every figure that is compared."""
    if not re.search("이상|이하|초과|미만|이내", text):
        return
    things: list[tuple[object, int, int]] = [(("won", a.won), a.start, a.end) for a in find_amounts(text)]
    things += [((f.kind, f.value), f.start, f.end) for f in find_figures(text) if f.kind != "date"]
    things += [((m["unit"], m["count"]), m.start(), m.end()) for m in _COUNTED.finditer(text)]
    for value, start, end in things:
        if match := _COMPARED.match(text, end):
            yield value, match["word"], (start, match.end())
