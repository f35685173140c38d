"""From an article's heading and the subject of a paragraph to a question in a taxpayer's words.  No model."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

from data_gen.worked.words import Wordings, fill, pick, subject, topic
from taxlaw.search.passages import Passage
from taxlaw.structure import CIRCLED

# Headings that say nothing without the name of their act.
_GENERAL = {
    "정의",
    "목적",
    "세율",
    "과세표준",
    "납세의무자",
    "과세대상",
    "과세기간",
    "납세지",
    "가산세",
    "신고",
    "벌칙",
    "과태료",
}
_NOTES = re.compile(r"\s*[<\[](?:개정|신설|전문개정|본조신설|제목개정|종전)[^>\]\n]*[>\]]")
# The subject of a sentence of law ends at its first topic particle; a subject that points back says nothing by itself.
_SUBJECT = re.compile(r"^(?P<words>[가-힣ㆍ·\s]{4,38}?[가-힣])(?:은|는)\s")
_POINTS_BACK = re.compile(r"제\d|다음|그$|그 |이 경우|해당|같은|전항|각 호|이를|이에|위의|제항|여기서")
_SENTENCE = re.compile(r"^(.+?다\.)(?=\s|$)")
# A sentence that leans on others: a list follows it, or it names articles of its own act by number alone.
_CASES = re.compile(r"다음\s?(?:각\s?[호목]|과\s?같|의)|각\s?호|각\s?목|(?<!」)(?<!」\s)제\d+조")

BY_HEADING = (
    "{heading_topic} 어떻게 되나요?",
    "{heading}에 대해 알려 주세요.",
    "{heading}에 관해 법은 어떻게 정하고 있나요?",
    "{heading_subject} 궁금합니다. 근거 조문도 알려 주세요.",
    "{heading} 규정을 설명해 주세요.",
    "{heading}, 법에 뭐라고 되어 있나요?",
    "세금 공부를 하고 있습니다. {heading_topic} 어느 조문에 있고 내용은 무엇인가요?",
    "{heading} 관련해서 알아야 할 것이 무엇인가요?",
)
BY_SUBJECT = (
    "{what_topic} 어떻게 되나요?",
    "{what_topic} 법에서 어떻게 정하고 있나요?",
    "{what}에 대해 근거 조문과 함께 알려 주세요.",
    "{what_subject} 어떻게 정해지는지 궁금해요.",
    "{what}에 관한 규정이 있나요?",
    "{what_topic} 어떻게 처리해야 하나요?",
    "법에서 {what_topic} 무엇이라고 하나요?",
    "{what}에 대해 쉽게 알려 주실 수 있나요?",
)
BY_NAME = (
    "{title}의 내용을 알려 주세요.",
    "{title_topic} 무엇을 정하고 있나요?",
    "{title}에 뭐라고 되어 있나요?",
    "{title} 좀 설명해 주세요.",
)


@dataclass(frozen=True)
class Quotable:
    """A paragraph that can be quoted: ``number`` (항, 0: the article has none), its first sentence, and what it is about."""

    passage: Passage
    number: int
    sentence: str
    what: str

    @property
    def where(self) -> str:
        return f"{self.passage.title}{f' 제{self.number}항' if self.number else ''}"


def quotables(passage: Passage, least: int = 30, most: int = 230) -> Iterator[Quotable]:
    """The paragraphs whose first sentence stands on its own and is ``least`` to ``most`` characters long."""
    lines = [line.strip() for line in passage.text.splitlines() if line.strip()]
    starts = [line for line in lines if line[:1] in CIRCLED] or lines[:1]
    for line in starts:
        number = CIRCLED.index(line[0]) + 1 if line[:1] in CIRCLED else 0
        text = _NOTES.sub("", line[1:] if number else line).strip()
        text = re.sub(r"^제\d+조(?:의\d+)?\([^)]*\)\s*", "", text)
        found = _SENTENCE.match(text)
        if not found or not least <= len(found[1]) <= most or _CASES.search(found[1]):
            continue
        about = _SUBJECT.match(found[1])
        what = about["words"].strip() if about and not _POINTS_BACK.search(about["words"]) else ""
        yield Quotable(passage, number, found[1], what)


def ask(one: Quotable, rng: random.Random, wordings: Wordings) -> str:
    """A question about the paragraph: by its subject where it has one, else by the article's heading, sometimes by name."""
    passage = one.passage
    law = passage.title.rpartition(" ")[0]
    heading = passage.heading.replace("ㆍ", "·").strip()
    if heading in _GENERAL or len(heading) < 3:
        heading = f"{law} {heading}".strip()
    draw = rng.random()
    if one.what and draw < 0.5:
        words = {"what": one.what, "what_topic": topic(one.what), "what_subject": subject(one.what)}
        return fill(pick(rng, wordings.of(BY_SUBJECT)), **words)
    if passage.heading and draw < 0.88:
        words = {"heading": heading, "heading_topic": topic(heading), "heading_subject": subject(heading)}
        return fill(pick(rng, wordings.of(BY_HEADING)), **words)
    return fill(pick(rng, wordings.of(BY_NAME)), title=passage.title, title_topic=topic(passage.title))
