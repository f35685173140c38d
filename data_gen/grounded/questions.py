"""From an article's heading and the subject of a paragraph to a question in a taxpayer's words.  No model."""

from __future__ import annotations

import random
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from data_gen.worked.words import Wordings, fill, pick, subject, topic
from taxlaw.law_names import compact
from taxlaw.search.passages import Passage
from taxlaw.search.words import morphemes
from taxlaw.structure import CIRCLED

_NOTES = re.compile(r"\s*[<\[](?:개정|신설|전문개정|본조신설|제목개정|종전)[^>\]\n]*[>\]]")
# A subject that points back says nothing by itself.
_POINTS_BACK = re.compile(
    r"제\d|다음|그$|그 |이 경우|이 (?:법|영|규칙|장|절|조)|해당|같은|전항|각 호|이를|이에|위의|제항|여기서|「|대통령령"
)
_LEAST, _MOST = 5, 40  # characters of a subject
_NOUN = ("NNG", "NNP", "NNB", "XSN", "SL", "SH")
# Who does it, not what it is about: "국세청장은 어떻게 되나요?" asks nothing.
_ACTORS = re.compile(
    r"(?:장|장관|자|사람|법인|공무원|기관|위원|위원회|단체|조합|회사|세무사|변호사)$(?<!이자)(?<!투자)(?<!출자)(?<!증자)(?<!시장)(?<!업장)(?<!공장)"
)
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
    "{what_topic} 법에 뭐라고 되어 있나요?",
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
        yield Quotable(passage, number, found[1], _subject_of(found[1]))


def _subject_of(sentence: str) -> str:
    """What a sentence of law is about, up to its first topic particle; "" where that says too little to ask about it."""
    read = morphemes(sentence[: 2 * _MOST])
    end = next((at for at, (form, tag, _) in enumerate(read) if tag == "JX" and form in ("은", "는")), 0)
    if not end:
        return ""
    before, stop = read[:end], read[end][2]
    if before[-1][:2] == ("에", "JKB") and end > 1 and before[-2][0] in ("경우", "때"):
        stop = before.pop()[2]  # "…한 경우에는": about the case
    words = sentence[:stop].strip()
    forms = [form for form, tag, _ in before if tag in _NOUN]
    clause = any(tag == "ETM" for _, tag, _ in before)
    if before[-1][1] not in _NOUN or not _LEAST <= len(words) <= _MOST or _POINTS_BACK.search(words):
        return ""
    vague = len(forms) < 2 or (forms[-1] in ("경우", "때") and not clause)
    return "" if vague or (_ACTORS.search(words) and not clause) else words


def ask(one: Quotable, rng: random.Random, wordings: Wordings, bearers: Mapping[str, Collection[str]]) -> str:
    """A question about the paragraph: by its subject where it has one, else by the article's heading, sometimes by name.

    ``bearers``: for each heading (as ``compact`` leaves it) the articles that bear it.  One that other laws have as well is
    asked about with the law's name; one that its own law has twice is asked about by the article's number.
    """
    passage = one.passage
    law = passage.title.rpartition(" ")[0]
    heading = passage.heading.replace("ㆍ", "·").strip()
    others = [title for title in bearers.get(compact(passage.heading), ()) if title != passage.title]
    alone = bool(heading) and not any(title.rpartition(" ")[0] == law for title in others)
    if others or len(heading) < 3:
        heading = f"{law} {heading}".strip()
    draw = rng.random()
    if one.what and draw < 0.5:
        words = {"what": one.what, "what_topic": topic(one.what), "what_subject": subject(one.what)}
        return fill(pick(rng, wordings.of(BY_SUBJECT)), **words)
    if alone and draw < 0.88:
        words = {"heading": heading, "heading_topic": topic(heading), "heading_subject": subject(heading)}
        return fill(pick(rng, wordings.of(BY_HEADING)), **words)
    return fill(pick(rng, wordings.of(BY_NAME)), title=passage.title, title_topic=topic(passage.title))
