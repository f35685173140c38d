"""The same question twice: letter for letter, or worded anew with the same numbers about the same articles.

Three questions that differ only in amounts are three questions, so digits are never stripped.  Two questions are one when
- their amounts, rates, periods, ages and dates are equal, in order, and so are their calls, if they have one,
- they cite the same provisions and rest on at least one article in common (or on none),
- what differs is grammar: endings, particles, fillers, spacing.  "배우자" for "직계존속", "없다" for "있다", "이하" for
  "초과", or a gift to 갑 for one from 갑 is another question however alike the rest may be, and
- their texts are alike from ``similarity`` on (1: equal): the mean of rapidfuzz's ratio over all letters and over those that
  are no grammar, which are equal then.

Without its grammar (the skeleton) such a question is the same to the letter as its twin.  So one hash of skeleton and numbers
finds every twin, where an approximate index would miss some and meet thousands of questions that differ in a noun: time and
memory grow with the number of questions, about 1.7 kB each (measured on worked questions).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import blake2b

from data_gen.gates.verdicts import Said
from data_gen.ngrams import letters
from data_gen.rows import Candidate, Row
from taxlaw.citations import find_citations
from taxlaw.figures import find_figures
from taxlaw.money import find_amounts

_FILLER = re.compile(
    r"(?<![가-힣])(?:혹시|그럼|그러면|그렇다면|그런데|현재|지금|만약에?|만일|참고로|안녕하세요|경우(?:에는|에도|에|라면|는)?|때(?:에는|에|는)?"
    r"|어떻게|무엇(?:인가요|입니까|이에요|인지)?|얼마(?:까지)?(?:나|인가요|입니까|예요|인지)?|궁금(?:합니다|해요|한데요)"
    r"|알려|설명해|말해|가르쳐|주세요|주십시오|주시겠어요|대해서?|대하여|관해서?|관하여|부탁(?:드립니다|드려요|합니다)|질문(?:드립니다|입니다)?"
    r"|제가|저는|저희|이때|싶습니다|싶어요)(?![가-힣])"
)
# Syllables that particles and endings are made of.  있, 없, 않, 안, 못, 상, 비 are not: they turn a question round.
_GRAMMAR = "은는이가을를의에게서께한테로부터까와과도만요니다습인입죠지되됩될된돼하합할해했으면려고며여나어아었았시님예네데라란던였"
_ENDINGS = str.maketrans("", "", _GRAMMAR)
# Words of the law, and persons, that are made of such syllables: marked, so that one more or less is a difference.
_MARKED = re.compile(
    "이하|신고|이의|인도|과도|나이|여하|가해|가도|고지|부과|(?<![가-힣])[갑을병정](?=[이가은는을를의에과와]|님|씨)"
)
# To whom, from whom: the particle is grammar, the person before it is not.
_TO_WHOM = re.compile(r"([가-힣]{1,4}?)님?(?:에게서?|한테서?|께서?|으?로부터)(?![가-힣]{0,1}의)")


@dataclass(frozen=True)
class _Kept:
    id: str
    text: str
    articles: frozenset[str]


class DuplicateGate:
    """Remembers the questions it let through.  ``similarity`` None: only the same letters are the same question."""

    def __init__(self, similarity: float | None = 0.85) -> None:
        self.similarity = similarity
        self._exact: dict[int, str] = {}
        self._kept: dict[int, list[_Kept]] = {}

    def __call__(self, candidate: Candidate) -> Said:
        row = candidate.row
        # A question in a talk is told apart by what was said before.
        whole = " ".join("\n".join([*(turn.question for turn in row.history), row.question]).split())
        exact = _hash(whole)
        if exact in self._exact:
            return False, f"같은 질문이 이미 있습니다: {self._exact[exact]}"
        if self.similarity is not None:
            new = _Kept(row.id, _plain(whole), _articles(row))
            alike = self._kept.setdefault(_key(row, whole, new.text), [])
            for old in alike:
                if _share(old.articles, new.articles) and self._alike(old.text, new.text):
                    return False, f"숫자와 조문이 같고 말만 다른 질문이 이미 있습니다: {old.id}"
            alike.append(new)
        self._exact[exact] = row.id
        return True

    def _alike(self, old: str, new: str) -> bool:
        from rapidfuzz.distance import Indel

        return (1 + Indel.normalized_similarity(old, new)) / 2 >= self.similarity


def _plain(question: str) -> str:
    """Letters without fillers, every amount in whole won: 5000만원 is 5,000만원."""
    for amount in reversed(find_amounts(question)):
        question = f"{question[: amount.start]}{amount.won}원{question[amount.end :]}"
    # The last ending says how the asker speaks (합니까, 하나요); in a short question it would outweigh all else.
    return letters(_FILLER.sub(" ", question)).rstrip(_GRAMMAR)


def _key(row: Row, question: str, plain: str) -> int:
    """Hash of what must be equal: skeleton, persons addressed, numbers in order, provisions cited, and the call.

    The call is what a student learns to write, and it copies the question's words: "20억" and "20억원" are two lessons there.
    """
    skeleton = _MARKED.sub(_mark, plain).translate(_ENDINGS)
    numbers = [(amount.start, "won", amount.won) for amount in find_amounts(question)]
    numbers += [(figure.start, figure.kind, figure.value) for figure in find_figures(question)]
    in_order = [number[1:] for number in sorted(numbers, key=lambda one: one[0])]
    cited = sorted({(c.law or "", c.article, c.paragraph or 0) for c in find_citations(question)})
    return _hash(repr((skeleton, _TO_WHOM.findall(question), in_order, cited, row.call)))


def _mark(word: re.Match) -> str:
    """The word as something that is no Hangul, the same for the same word."""
    return "¶" + "".join(f"{ord(char):x}" for char in word[0])


def _hash(value: str) -> int:
    """64 bits, the same in every run."""
    return int.from_bytes(blake2b(value.encode("utf-8"), digest_size=8).digest(), "big")


def _articles(row: Row) -> frozenset[str]:
    return frozenset(f"{c.law} {c.article}" for text in row.articles for c in find_citations(text))


def _share(old: frozenset[str], new: frozenset[str]) -> bool:
    return bool(old & new) or not (old or new)
