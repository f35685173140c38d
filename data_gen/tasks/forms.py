"""Pieces that the answers of several tasks are made of.

Every check here is a validator and none is a keyword of the JSON schema, defaults are absent and all keys are required: so the
schema of each answer is acceptable to the strict modes of every endpoint we know (OpenAI's allows no default, others no minLength).
"""

from __future__ import annotations

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, StrictStr

from taxlaw.strict_config import StrictModel


def _words(value: str) -> str:
    """NFC (decomposed Hangul looks the same and compares different) without blanks around it; never empty."""
    words = unicodedata.normalize("NFC", value).strip()
    if not words:
        raise ValueError("비어 있습니다 (empty)")
    return words


def _some(values: list) -> list:
    if not values:
        raise ValueError("하나 이상 있어야 합니다 (at least one)")
    return values


Text = Annotated[StrictStr, AfterValidator(_words)]
Texts = list[Text]
SomeTexts = Annotated[list[Text], AfterValidator(_some)]


class Pair(StrictModel):
    question: Text
    answer: Text
    articles: SomeTexts


def names_each(items: list[str], answer: str) -> list[str]:
    """The items of which the answer says nothing: neither they themselves nor the stem of one of their words is in it."""
    said = answer.replace(" ", "")

    def named(item: str) -> bool:
        return item.replace(" ", "") in said or any(word[:2] in said for word in item.split() if len(word) > 1)

    return [item for item in items if not named(item)]
