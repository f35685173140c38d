"""The user turn with evidence: what was found, then the question.  One function for training and for serving.

Each source shows its name, heading and effective date (시행일) and as much of its operative text as the budget holds.  Marks
at the start of a line tell evidence from question; a text that carries such a mark loses it.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence

from taxlaw.citations import find_citations
from taxlaw.search.passages import Hit, Passage
from taxlaw.structure import CIRCLED

EVIDENCE, QUESTION = "[근거]", "[질문]"
# What a student taught with evidence says to a question of law that comes without any: whoever can search does so then.
LOOK_UP = "조문을 찾아봐야 답할 수 있는 질문입니다."
BUDGET = 1200
_LEAST = 60  # less room than this shows nothing worth reading
_CUT = "…"
_MARK = re.compile(r"^[ \t]*\[[ \t]*(근거|질문)[ \t]*\][ \t]*", re.MULTILINE)
_HISTORY = re.compile(r"\s*[<\[](?:개정|신설|전문개정|본조신설|제목개정|시행일|종전)[^>\]\n]*[>\]]")


def asks_for_evidence(text: str) -> bool:
    """Whether a text is the request for evidence and nothing else."""
    return text.strip() == LOOK_UP


def with_evidence(question: str, hits: Sequence[Hit], budget: int = BUDGET, count: Callable[[str], int] = len) -> str:
    """The question with its evidence before it; the bare question when there are no hits.

    ``budget``: the most the evidence may take, in units of ``count`` (characters, or tokens with a model's own counter).
    """
    return with_sources(question, sources_text(question, hits, budget, count))


def with_sources(question: str, sources: str) -> str:
    """The question with evidence that ``sources_text`` has made before it; the bare question when that is empty."""
    if not sources:
        return question
    return "\n".join([EVIDENCE, sources, "", QUESTION, _MARK.sub("", question)])


def sources_in(turn: str) -> str:
    """The evidence of a turn that ``with_sources`` has made; "" for a bare question."""
    head, _, _ = turn.rpartition(f"\n\n{QUESTION}\n")
    return head.removeprefix(f"{EVIDENCE}\n") if head.startswith(f"{EVIDENCE}\n") else ""


def sources_text(question: str, hits: Sequence[Hit], budget: int = BUDGET, count: Callable[[str], int] = len) -> str:
    """The evidence itself, source by source, within ``budget``; "" without hits or room."""
    shown, left = [], budget
    for position, hit in enumerate(hits):
        # The first source may take half; the others share what is left, and what one does not need goes to the next.
        share = max(left // (len(hits) - position), left // 2 if position == 0 else 0)
        entry = _entry(position + 1, hit.passage, question, share, count)
        cost = count(entry + "\n")
        if cost > left:
            break
        shown.append(entry)
        left -= cost
    return "\n".join(shown)


def _entry(number: int, passage: Passage, question: str, share: int, count: Callable[[str], int]) -> str:
    heading = f"({passage.heading})" if passage.heading else ""
    day = f" [{_day_word(passage)} {passage.effective_from}]" if passage.effective_from else ""
    head = f"{number}. {passage.title}{heading}{day}"
    room = share - count(head + "\n")
    if not passage.text or room < _LEAST:
        return head
    body = _operative(_HISTORY.sub("", _MARK.sub("", passage.text)), question, passage.title, room, count)
    return f"{head}\n{body}" if body else head


def _day_word(passage: Passage) -> str:
    return "회신" if passage.kind == "ruling" else "시행"


def _operative(text: str, question: str, title: str, room: int, count: Callable[[str], int]) -> str:
    """The paragraphs (항) of ``text`` nearest to the question, in their own order, within ``room``."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    if count("\n".join(lines)) <= room:
        return "\n".join(lines)
    blocks = _paragraphs(lines)
    wanted = _weights(question, ["\n".join(block) for block in blocks])
    named = {
        CIRCLED[cited.paragraph - 1]
        for cited in find_citations(question)
        if cited.paragraph and cited.paragraph <= len(CIRCLED) and f"{cited.law} {cited.article}" == title
    }
    order = sorted(range(len(blocks)), key=lambda at: (blocks[at][0].lstrip()[:1] not in named, -wanted[at], at))
    kept: dict[int, list[str]] = {}
    for at in order:
        fitting = _fit(blocks[at], question, room, count)
        if fitting:
            kept[at] = fitting
            room -= count("\n".join(fitting) + "\n")
        if room < _LEAST:
            break
    return "\n".join(line for at in sorted(kept) for line in kept[at])


def _paragraphs(lines: list[str]) -> list[list[str]]:
    blocks: list[list[str]] = []
    for line in lines:
        if not blocks or line.lstrip()[:1] in CIRCLED:
            blocks.append([])
        blocks[-1].append(line)
    return blocks


def _fit(block: list[str], question: str, room: int, count: Callable[[str], int]) -> list[str]:
    """A paragraph whole, or its lead and the 호 nearest to the question with … where lines are left out."""
    if count("\n".join(block)) <= room:
        return block
    lead = _shortened(block[0], room - count(f"\n{_CUT}"), count)
    if not lead:
        return []
    wanted = _weights(question, block)
    left = room - count(f"{lead}\n{_CUT}\n")
    kept = {0: lead}
    for at in sorted(range(1, len(block)), key=lambda at: (-wanted[at], at)):
        cost = count(f"{block[at]}\n{_CUT}\n")
        if cost <= left and lead == block[0]:
            kept[at] = block[at]
            left -= cost
    result: list[str] = []
    for at in range(len(block)):
        if at in kept:
            result.append(kept[at])
        elif result[-1] != _CUT and not result[-1].endswith(_CUT):
            result.append(_CUT)
    return result


def _shortened(line: str, room: int, count: Callable[[str], int]) -> str:
    """As many whole words of a line as fit, … at the end; '' when that is next to nothing."""
    if count(line) <= room:
        return line
    words = line.split(" ")
    low, high = 0, len(words)
    while low < high:  # the longest prefix that fits
        middle = (low + high + 1) // 2
        low, high = (middle, high) if count(" ".join(words[:middle]) + _CUT) <= room else (low, middle - 1)
    return " ".join(words[:low]) + _CUT if low >= 4 else ""


def _weights(question: str, texts: list[str]) -> list[float]:
    """How much of the question's letters (pairs of them) each text holds; pairs that stand in every text weigh little."""
    asked = set(_pairs(question))
    held = [asked & set(_pairs(text)) for text in texts]
    spread = Counter(pair for pairs in held for pair in pairs)
    return [sum(math.log(1 + len(texts) / spread[pair]) for pair in sorted(pairs)) for pairs in held]


def _pairs(text: str) -> list[str]:
    return [word[at : at + 2] for word in re.findall(r"[가-힣A-Za-z0-9]+", text) for at in range(len(word) - 1)]
