"""Does an answer say what its evidence says?  Amounts, rates, periods and dates, comparisons, and yes or no.

Only beside evidence.  An amount must rest on something; of rates, periods and dates, which answers also draw from other
provisions or examples, a fault is one that stands where the evidence has another figure the answer never gives.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

from taxlaw.figures import Figure, find_figures, same_day
from taxlaw.findings import Finding
from taxlaw.money import Amount, find_amounts

_AMENDED = re.compile(r"[<\[](?:개정|신설|본조신설|전문개정|제목개정|시행일|삭제|종전)[^>\]\n]{0,400}[>\]]")
# A ruling concludes; a statute states rules with exceptions, and an answer may rightly be about the exception.
_RULING = re.compile(
    r"(?:서면|사전|기준|질의|조심|심사|적부|이의)[-\s]?(?:[가-힣]+-)?\d{4}|대법원|회신|판결|기획재정부"
)
_SENTENCE = re.compile(r"[^\n.!?]+(?:\.(?=\d)[^\n.!?]*)*")


def unsupported_amounts(loose: list[Amount]) -> list[Finding]:
    """A fault per amount that rests on nothing, once per value."""
    seen: dict[int, Amount] = {}
    for amount in loose:
        seen.setdefault(amount.won, amount)
    message = "질문·근거 자료·계산 어디에도 없는 금액입니다: {}"
    return [
        Finding("number", "fault", (a.start, a.end), message.format(a.text), code=18) for a in seen.values() if a.won
    ]


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
    faults = []
    for figure in stated:
        if (figure.kind, figure.value) in values or _excused(figure, answer, elsewhere):
            continue
        if figure.kind == "date" and any(same_day(figure.value, day) for day in days):
            continue
        if meant := _meant(
            figure, answer, evidence, [other for other in given if (other.kind, other.value) not in said]
        ):
            message = f"근거 자료와 다른 수치입니다: 답변 {figure.text}, 근거 {meant.text}."
            faults.append(Finding("number", "fault", (figure.start, figure.end), message, meant.text, 18))
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


def _excused(figure: Figure, answer: str, elsewhere: list[tuple[int, int]]) -> bool:
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
    example = r"예를 들|가령" if figure.kind in ("rate", "date") else r"예를 들|가령|라면|다면"
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


# --- yes or no ----------------------------------------------------------------------------------------------------
_NOT = (
    r"(?:(?:하|되|이)?지\s?(?:아니|않|못)|(?:할|될|받을)\s?수\s?없|(?:이|가|은|는|도)?\s?(?:아니|아닙|아님|아닌|불가)"
    r"|(?:이|가|에|\s)*\s?대상(?:이|에)?\s?(?:아니|아닙|아님|해당하지|포함되지)|에\s?해당(?:하|되)지\s?(?:아니|않))"
)
_YES = (
    r"(?:(?:할|될|받을)\s?수\s?있(?!는지|을지)|\s?가능(?:함|하|합)|\s?대상(?:임|입니|이\s?[되된됩]|에\s?해당[하함합])|에\s?해당(?:함|합|하는\s?것|한다)"
    r"|합니다|됩니다|입니다|한다|된다|이다|(?:함|됨|임)(?![가-힣])|(?:하|되)는\s?것(?:임|이|입)|(?:하|되)(?:며|고|므로)|해요|돼요)"
)
_PREDICATE = re.compile(
    r"(?<![가-힣])(?P<stem>비과세|과세\s?대상|매입세액공제|세액공제|공제|해당|포함|적용|감면|과세|인정|합산|가산|면제|제외|영세율)"
    rf"(?:을|를)?(?:(?P<no>{_NOT})|(?P<yes>{_YES}))"
)


def reversed_conclusion(question: str, answer: str, evidence: str) -> list[Finding]:
    """해당합니다 where the evidence only says 해당하지 않음, and the like.

    Read are the answer's first two sentences; a word that evidence or answer uses both ways settles nothing.
    """
    if not _RULING.search(evidence):
        return []
    head = "".join(match[0] + "." for match in list(_SENTENCE.finditer(answer))[:2])
    said, known = _polarity(head), _polarity(evidence)
    whole = _polarity(answer)
    faults = []
    for stem, (yes, span) in said.items():
        if yes is None or stem not in known or known[stem][0] is None or whole[stem][0] is None:
            continue
        if known[stem][0] != yes:
            right = evidence[slice(*known[stem][1])]
            message = f"근거 자료와 결론이 반대입니다: 답변 '{head[slice(*span)]}', 근거 '{right}'."
            faults.append(Finding("contradiction", "fault", span, message, right, 19))
    return faults


def _polarity(text: str) -> dict[str, tuple[bool | None, tuple[int, int]]]:
    """stem -> (True, False, or None when both ways; span of the first use)."""
    found: dict[str, tuple[bool | None, tuple[int, int]]] = {}
    for match in _PREDICATE.finditer(text):
        stem, yes = match["stem"].replace(" ", ""), match["yes"] is not None
        if stem in found and found[stem][0] != yes:
            found[stem] = (None, found[stem][1])
        else:
            found.setdefault(stem, (yes, match.span()))
    return found
