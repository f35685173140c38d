"""Does an answer refuse, or ask back?  Plain Korean phrases, since a student's words are short and of one kind.

A refusal says what it cannot help with.  Asking back names a fact it needs and asks for it; it may say that it cannot answer
yet, so it is looked for first.
"""

from __future__ import annotations

import re

from taxlaw.asking_back import asked_fact

_CANNOT = re.compile(
    r"(?:도와|도움을|알려|답변?을?|안내|설명|제공|추천|말씀|상담)\s?(?:해)?\s?(?:드릴|줄|할)?\s?수\s?(?:는|가)?\s?없"
    r"|도울\s?수\s?(?:는|가)?\s?없|답할\s?수\s?(?:는|가)?\s?없|드릴\s?수(?:는|가)?\s?없"
    r"|(?:돕|도와드리|도와주|알려\s?드리|안내하|답하|답변하|제공하|권하|권해\s?드리|작성하|따르|봐\s?드리)지\s?(?:는\s?)?(?:않|못)"
    r"|(?:해|써|짜|지어|골라|봐)?\s?드리는\s?(?:일|것)은\s?(?:할\s?수\s?없|하지\s?않)"
    r"|(?:분야|몫|내용|일)[이가은]?\s?아닙니다|맡을\s?수\s?없"
)
_APOLOGY = re.compile(r"죄송|미안|유감")
_SORRY_CANNOT = re.compile(r"(?:죄송|미안|유감)[^.!?\n]*(?:수\s?(?:는|가)?\s?없|지\s?(?:는\s?)?(?:않|못)|어렵|곤란)")
_ASKS = re.compile(
    r"알려\s?(?:주세요|주십시오|주시겠|주실|주시면|주셔야|줄래|주시기)|말씀해\s?(?:주세요|주십시오|주시겠|주실|주시면|주셔야)"
    r"|(?:확인해|적어)\s?(?:주세요|주십시오|주시면|주셔야)|알아야\s?(?:합니다|해요|답|판단|정|금액|계산|\S{0,6}\s?(?:수|있))"
)
_OPEN = re.compile(
    r"따라\s?(?:\S+\s?){0,3}(?:달라|다르|다릅|갈[리려립라린]|나뉘|나뉩|정해)|정해지지\s?않|알아야|알\s?수\s?없어|확인해야|확인할|필요합니다|필요해요|부족"
)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s|\n")
_PARTICLE = re.compile(r"(?<=[가-힣A-Za-z0-9]{2})(?:인지와|인지|와|과|의|이|가)$")


def asks_back(text: str) -> bool:
    """Whether a text asks for facts because the answer turns on them."""
    if text.lstrip().startswith("{"):
        return False
    asked = _ASKS.search(text) is not None or text.rstrip().endswith("?")
    return asked and _OPEN.search(text) is not None


def refuses(text: str) -> bool:
    """Whether a text says, in its first two sentences, that it cannot help with this."""
    if asks_back(text) and not _APOLOGY.search(text):
        return False
    first = [part for part in _SENTENCE_END.split(text) if part.strip()][:2]
    return any(_CANNOT.search(part) or _SORRY_CANNOT.search(part) for part in first)


def names_fact(expected: str, text: str) -> bool | None:
    """Whether ``text`` asks for the fact that ``expected`` asks for, word by word; None when ``expected`` names none."""
    wanted = asked_fact(expected)
    if wanted is None:
        return None
    asked = asked_fact(text) or text
    words = re.findall(r"[가-힣A-Za-z0-9]+", wanted)
    return all(_PARTICLE.sub("", word) in asked for word in words)
