"""What the readers of taxlaw.cases share: amounts with the words around them, the year, and refusing.

The rule of all of them: every amount in a question must have one certain role, or the question is not read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

from taxlaw.call_models import MOST_WON
from taxlaw.errors import MissingFact, UnsupportedCase
from taxlaw.money import find_amounts

_CLAUSE = re.compile(r"[,;\n/:]|[.?!](?=\s|$)|(?<=[가-힣])(?:고|며|는데|인데|지만|면서)(?=\s|,)")
# After an amount: a threshold of the law, not a fact of the case.
THRESHOLD = re.compile(r"[을를이가은는]?\s?(?:이하|초과|이상|미만|까지|한도|공제|넘)")
_SENTENCE_END = re.compile(r"[.?!](?=\s|$)|\n")
_YEAR = re.compile(r"(?<!\d)((?:19|20)\d\d)\s?(?:(?:년|사업연도|(?=[.\-/]\s?\d{1,2})))")
_OTHER_YEAR = re.compile(
    r"20\d\d년\s?(?:전(?!체)|이전|이후|부터)|작년|지난\s?해|재작년|내년|전년|직전|(?<!\d)\d\d년\s?(?:귀속|도|에\s)"
)


@dataclass(frozen=True)
class SeenAmount:
    """An amount of a question: ``before`` and ``after`` are the words of its clause that no other amount claims."""

    won: int
    text: str
    start: int
    end: int
    before: str
    after: str


def refuse(reason: str) -> NoReturn:
    """Raise UnsupportedCase: the question cannot be read for certain."""
    raise UnsupportedCase(f"질문을 확실하게 읽을 수 없습니다: {reason}")


def missing(fact: str) -> NoReturn:
    """Raise MissingFact naming, in Korean, what the question does not state."""
    raise MissingFact(f"계산에 필요한 사실이 질문에 없습니다: {fact}")


def seen_amounts(text: str) -> list[SeenAmount]:
    """Every amount of the text with the words around it, left to right; one too large for a call is refused."""
    found = []
    amounts = find_amounts(text)
    for index, amount in enumerate(amounts):
        if amount.won > MOST_WON:
            refuse(f"{amount.text}은 1경원을 넘는 금액입니다")
        start = amounts[index - 1].end if index else 0
        stop = amounts[index + 1].start if index + 1 < len(amounts) else len(text)
        cuts = [match.end() for match in _CLAUSE.finditer(text, start, amount.start)]
        before = text[cuts[-1] if cuts else start : amount.start]
        inside = before.rpartition("(")[2] if before.count("(") > before.count(")") else ""
        end = _CLAUSE.search(text, amount.end, stop)
        after = text[amount.end : end.start() if end else stop]
        if ")" in after.partition("(")[0]:
            after = after.partition(")")[0]
        # Words inside an open bracket belong to the amount; "매입(1,650만원)" has none inside, so the ones outside do.
        before = inside if inside.strip() else before
        found.append(SeenAmount(amount.won, amount.text.strip(), amount.start, amount.end, before, after))
    return found


def sentence_at(text: str, position: int) -> tuple[int, int]:
    """Start and end of the sentence that holds ``position``."""
    start = max((match.end() for match in _SENTENCE_END.finditer(text, 0, position)), default=0)
    end = _SENTENCE_END.search(text, position)
    return start, end.start() if end else len(text)


def read_year(text: str) -> int | None:
    """The one year a text names, or None; raises UnsupportedCase for two years or 작년, 내년 …"""
    if match := _OTHER_YEAR.search(text):
        refuse(f"'{match[0].strip()}'이(가) 어느 해인지 알 수 없습니다")
    years = {int(match[1]) for match in _YEAR.finditer(text)}
    if len(years) > 1:
        refuse(f"연도가 둘 이상입니다({', '.join(map(str, sorted(years)))})")
    return years.pop() if years else None


def refuse_words(text: str, pattern: str, why: str) -> None:
    """Raise UnsupportedCase when one of the words stands in the text."""
    if match := re.search(pattern, text):
        refuse(f"'{match[0].strip()}' — {why}")


def one_amount(role: str, found: list[SeenAmount]) -> SeenAmount | None:
    """The single amount of a role (the same sum said twice counts once); None when there is none."""
    if len({amount.won for amount in found}) > 1:
        refuse(f"{role}이(가) 둘 이상입니다({', '.join(amount.text for amount in found)})")
    return found[0] if found else None


def stated(**facts: object) -> dict[str, object]:
    """The facts that are stated: those that are not None."""
    return {name: value for name, value in facts.items() if value is not None}
